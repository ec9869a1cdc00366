// SPDX-License-Identifier: MIT
/*
 * importers: what drivers do with a range of the ring that somebody has exported. What a reader
 * exports they read at most: another card, vivid by the CPU and by DMA, and vgem for a GPU. He is
 * an ordinary user with a file that is open for reading; what the producer exports shows that
 * it is not for another reason that they are refused.
 *
 * The driver says EACCES, or has no view to give; vivid makes EINVAL and EFAULT of that.
 */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content.h"
#include "ring.h"
#include "vgem.h"

#define LENGTH (4 * CHUNK_BYTES)
#define USER 1000

#define VIVID_CAPTURE "/dev/video40"
#define VIVID_OUTPUT "/dev/video41"

/**
 * struct lent - a chunk of a ring that somebody has exported
 * @producer: writes the ring; its first chunk is content of seed 0
 * @reader: whose mapping shows what became of it
 * @readers: the dma-buf that an ordinary user has of it
 * @producers: the one that the producer has
 */
struct lent {
	struct ring producer;
	struct ring reader;
	int readers;
	int producers;
};

/* Exports as an ordinary user, with a file that is open for reading. */
static int export_as_user(void)
{
	struct ring ring = { .fd = must(sys(open("/dev/avring0", O_RDONLY | O_CLOEXEC))) };
	int fd;

	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	fd = must(ring_export(&ring, 0, CHUNK_BYTES));
	close(ring.fd);
	return fd;
}

static struct lent lend(void)
{
	struct lent lent;

	must(ring_setup(AVRING_STREAM_VIDEO, LENGTH, 0));
	lent.producer = ring_producer(CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT);
	content_fill(lent.producer.data, CHUNK_BYTES, 0);
	lent.reader = ring_reader(AVRING_STREAM_VIDEO);
	lent.producers = must(ring_export(&lent.producer, 0, CHUNK_BYTES));
	must(sys(chmod("/dev/avring0", 0666)));
	must(sys(setgroups(0, NULL)));
	must(sys(seteuid(USER)));
	lent.readers = export_as_user();
	must(sys(seteuid(0)));
	return lent;
}

static void expect_unchanged(struct lent *lent)
{
	content_expect("ring", lent->reader.data, CHUNK_BYTES, 0, 0);
}

static void take_back(struct lent *lent)
{
	close(lent->readers);
	close(lent->producers);
	ring_close(&lent->reader);
	ring_close(&lent->producer);
}

static struct card other_card(void)
{
	struct card card;

	if (card_find(1, &card))
		tap_skip("only one card: load with cards=2");
	return card;
}

/* QBUF of a dma-buf, in a queue for them. */
static int queue(struct video *video, int fd)
{
	must(video_request_dmabufs(video, 2));
	return video_queue_dmabuf(video, fd, CHUNK_BYTES);
}

/* Who is not refused shows what he does with it. */
static void stream_one(struct video *video)
{
	struct v4l2_buffer buffer = { .type = video->type, .memory = V4L2_MEMORY_DMABUF };

	must(video_start(video));
	must(video_ioctl(video->fd, VIDIOC_DQBUF, &buffer));
	tap_eq(0, buffer.flags & V4L2_BUF_FLAG_ERROR);
}

static void expect_refusal(int error, struct video *video, struct lent *lent)
{
	int result = queue(video, lent->readers);

	if (!result)
		stream_one(video);
	expect_unchanged(lent);
	must_refuse(error, result);
}

/* What is written to a queue for capturing is another picture. */
static void expect_taken(struct video *video, struct lent *lent)
{
	must(queue(video, lent->producers));
	stream_one(video);
	tap_check(content_differs(lent->reader.data, CHUNK_BYTES, 0, 0) < CHUNK_BYTES,
		  "the producer's dma-buf: expected a picture in the ring");
}

static void test_card_does_not_write(void)
{
	const struct card card = other_card();
	struct lent lent = lend();
	struct video video;

	must(video_open(&video, card.capture));
	must(video_set_format(&video, CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT));
	expect_refusal(EACCES, &video, &lent);
	expect_taken(&video, &lent);
	video_close(&video);
	take_back(&lent);
}

/* Frames without a signal come before the one picture, which comes once. */
static void expect_picture(struct video *capture)
{
	struct v4l2_buffer buffer;
	unsigned int frames = 0;
	const uint8_t *seen;

	for (;;) {
		must(video_dequeue(capture, &buffer));
		seen = capture->buffers[buffer.index].start;
		if (++frames == 300 || content_differs(seen, CHUNK_BYTES, 0, 0) == CHUNK_BYTES)
			break;
		must(video_queue(capture, buffer.index));
	}
	content_expect("picture", seen, CHUNK_BYTES, 0, 0);
}

/* Loopback: the capture node of the other card gets what its output node is given. */
static void test_card_reads(void)
{
	const struct card card = other_card();
	struct video capture, output;
	struct lent lent = lend();

	must(video_begin(&capture, card.capture, CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT, 2));
	must(video_set_input(&capture, CARD_INPUT_LOOPBACK));
	must(video_queue_all(&capture));
	must(video_open(&output, card.output));
	must(video_set_format(&output, CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT));
	must(queue(&output, lent.readers));
	must(video_start(&capture));
	must(video_start(&output));
	expect_picture(&capture);
	expect_unchanged(&lent);
	video_close(&output);
	must(video_stop(&capture));
	must(video_set_input(&capture, CARD_INPUT_PATTERN));
	video_close(&capture);
	take_back(&lent);
}

/* Its size is that of its format, and less than a chunk. */
static void open_vivid(struct video *video, const char *path)
{
	struct v4l2_format format = { 0 };

	must(sys(chmod(path, 0666)));
	must(video_open(video, path));
	format.type = video->type;
	must(video_ioctl(video->fd, VIDIOC_G_FMT, &format));
	video->pix = format.fmt.pix;
	tap_check(video->pix.sizeimage <= CHUNK_BYTES, "vivid: expected at most 2 MiB, got %u",
		  video->pix.sizeimage);
}

#define VIVID \
	"modprobe -qr vivid; modprobe -q vivid node_types=0x101 vid_cap_nr=40 vid_out_nr=41 allocators=%s"

static void load_vivid(const char *allocator)
{
	char line[160];

	snprintf(line, sizeof(line), VIVID, allocator);
	if (system(line))
		tap_skip("no vivid in this kernel");
}

static void unload_vivid(void)
{
	if (system("modprobe -q -r vivid"))
		tap_fail("modprobe -r vivid: expected success, got failure");
}

/* By the CPU: there is no view of it, for reading either, because a view is for both. */
static void test_no_view(void)
{
	struct lent lent = lend();
	struct video video;

	load_vivid("0");
	open_vivid(&video, VIVID_CAPTURE);
	expect_refusal(EFAULT, &video, &lent);
	expect_taken(&video, &lent);
	video_close(&video);
	content_fill(lent.producer.data, CHUNK_BYTES, 0);
	open_vivid(&video, VIVID_OUTPUT);
	expect_refusal(EFAULT, &video, &lent);
	video_close(&video);
	unload_vivid();
	take_back(&lent);
}

/* By DMA. Nothing is streamed: that, too, goes by the CPU in vivid. */
static void test_dma_reads(void)
{
	struct lent lent = lend();
	struct video video;

	load_vivid("1");
	open_vivid(&video, VIVID_CAPTURE);
	must_refuse(EINVAL, queue(&video, lent.readers));
	must(queue(&video, lent.producers));
	video_close(&video);
	open_vivid(&video, VIVID_OUTPUT);
	must(queue(&video, lent.readers));
	video_close(&video);
	unload_vivid();
	expect_unchanged(&lent);
	take_back(&lent);
}

/* Newer kernels' vgem takes what it does not map; then it gives nobody a mapping either. */
static void expect_vgem_has_nothing(int vgem, int fd)
{
	int handle = vgem_import(vgem, fd);

	if (handle > 0)
		must_refuse(EINVAL, vgem_map(vgem, handle));
	else
		must_refuse(EACCES, handle);
}

/* DRM asks for both directions, whatever it is going to do, if it maps. */
static void test_drm_is_refused(void)
{
	struct lent lent = lend();
	int vgem = vgem_open();

	expect_vgem_has_nothing(vgem, lent.readers);
	must(vgem_import(vgem, lent.producers));
	close(vgem);
	take_back(&lent);
	if (system("modprobe -q -r vgem"))
		tap_fail("modprobe -r vgem: expected success, got failure");
}

static const struct tap_test tests[] = {
	{ "another card's output node shows what a user has exported, byte for byte",
	  .run = test_card_reads },
	{ "its capture node does not write into it: EACCES", .run = test_card_does_not_write },
	{ "a driver that uses the CPU has no view of it, and changes no byte: vivid",
	  .run = test_no_view },
	{ "a driver that uses DMA may read it and not write: vivid", .run = test_dma_reads },
	{ "a driver that maps for both is refused, or maps nothing: vgem",
	  .run = test_drm_is_refused },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
