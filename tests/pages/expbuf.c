// SPDX-License-Identifier: MIT
/*
 * expbuf: a buffer as dma-buf: the same pages, longer than file and device.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "module.h"
#include "pageinfo.h"

static int export(const struct video *video, unsigned int index, uint32_t flags)
{
	struct v4l2_exportbuffer request = { .index = index, .type = video->type };
	int error;

	request.flags = flags;
	error = video_ioctl(video->fd, VIDIOC_EXPBUF, &request);
	return error ? error : request.fd;
}

/* One filled buffer of seed 0 and its dma-buf. */
static int begin(struct video *video, const void *max_order)
{
	buffers_begin_filled(video, *(const long *)max_order, 1);
	return must(export(video, 0, O_RDWR | O_CLOEXEC));
}

static uint8_t *map(int fd, size_t bytes, int prot, off_t offset)
{
	uint8_t *start = mmap(NULL, bytes, prot, MAP_SHARED, fd, offset);

	tap_check(start != MAP_FAILED, "mmap of a dma-buf: expected success, got %s",
		  strerror(errno));
	return start;
}

static long long try_map(int fd, size_t bytes, int prot, int flags, off_t offset)
{
	void *start = mmap(NULL, bytes, prot, flags, fd, offset);

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, bytes);
	return 0;
}

static void test_same_bytes(const void *max_order)
{
	struct video video;
	int fd = begin(&video, max_order);
	uint8_t *start = map(fd, BIG_BYTES, PROT_READ | PROT_WRITE, 0);

	content_expect("dma-buf", start, BIG_BYTES, 0, 0);
	content_fill(start, BIG_BYTES, 4);
	content_expect("V4L2 mapping", video.buffers[0].start, BIG_BYTES, 4, 0);
	tap_eq(page_frame(start), page_frame(video.buffers[0].start));
	munmap(start, BIG_BYTES);
	close(fd);
	video_close(&video);
}

static void test_window(const void *max_order)
{
	const size_t from = CHUNK_BYTES - 4096, bytes = CHUNK_BYTES + 2 * 4096;
	struct video video;
	int fd = begin(&video, max_order);
	uint8_t *start = map(fd, bytes, PROT_READ, from);

	content_expect("window of the dma-buf", start, bytes, 0, from);
	munmap(start, bytes);
	close(fd);
	video_close(&video);
}

/* As the buffer's own mapping is, whose address the driver chooses. */
static void test_pmd_mapped(void)
{
	struct video video;
	int fd = begin(&video, &fixture_huge);
	uint8_t *start = map(fd, BIG_BYTES, PROT_READ, 0);

	content_touch(start, BIG_BYTES);
	content_touch(video.buffers[0].start, BIG_BYTES);
	/* A dma-buf cannot ask for an aligned address: there the choice is the core's. */
	if ((uintptr_t)start % CHUNK_BYTES)
		tap_note("mapped off the 2 MiB grid");
	else
		tap_eq(smaps_kb(video.buffers[0].start, BIG_BYTES, "FilePmdMapped"),
		       smaps_kb(start, BIG_BYTES, "FilePmdMapped"));
	munmap(start, BIG_BYTES);
	close(fd);
	video_close(&video);
}

static void test_bounds(const void *max_order)
{
	const int prot = PROT_READ | PROT_WRITE;
	struct video video;
	int fd = begin(&video, max_order);

	must(try_map(fd, BIG_BYTES, prot, MAP_SHARED, 0));
	must(try_map(fd, 4096, prot, MAP_SHARED, BIG_BYTES - 4096));
	must_refuse(EINVAL, try_map(fd, BIG_BYTES + 4096, prot, MAP_SHARED, 0));
	must_refuse(EINVAL, try_map(fd, BIG_BYTES, prot, MAP_SHARED, 4096));
	must_refuse(EINVAL, try_map(fd, 4096, prot, MAP_SHARED, BIG_BYTES));
	must_refuse(EINVAL, try_map(fd, 4096, prot, MAP_SHARED, (off_t)1 << 62));
	tap_eq(BIG_BYTES, lseek(fd, 0, SEEK_END));
	close(fd);
	video_close(&video);
}

static void test_protections(const void *max_order)
{
	const int prot = PROT_READ | PROT_WRITE;
	struct video video;
	int fd = begin(&video, max_order);
	uint8_t *start;

	must_refuse(EPERM, try_map(fd, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, 0));
	must_refuse(EINVAL, try_map(fd, 4096, prot, MAP_PRIVATE, 0));
	close(fd);
	fd = must(export(&video, 0, O_RDONLY | O_CLOEXEC));
	must(try_map(fd, 4096, PROT_READ, MAP_SHARED, 0));
	must_refuse(EACCES, try_map(fd, 4096, prot, MAP_SHARED, 0));
	start = map(fd, 4096, PROT_READ, 0);
	must_refuse(EACCES, sys(mprotect(start, 4096, prot)));
	munmap(start, 4096);
	close(fd);
	video_close(&video);
}

static void test_survives_close(const void *max_order)
{
	struct video video;
	int fd = begin(&video, max_order);
	uint8_t *start;

	video_close(&video);
	start = map(fd, BIG_BYTES, PROT_READ, 0);
	content_expect("dma-buf after close", start, BIG_BYTES, 0, 0);
	munmap(start, BIG_BYTES);
	close(fd);
}

static void test_survives_unbind(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;
	int fd = begin(&video, max_order);
	uint8_t *start;

	must(card_unbind(&card));
	start = map(fd, BIG_BYTES, PROT_READ | PROT_WRITE, 0);
	content_expect("dma-buf after unbind", start, BIG_BYTES, 0, 0);
	video_close(&video);
	content_expect("dma-buf after unbind and close", start, BIG_BYTES, 0, 0);
	munmap(start, BIG_BYTES);
	close(fd);
	must(card_bind(&card));
}

/* The mapping of a dma-buf whose file is closed too. */
static void test_mapping_survives_all(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;
	int fd = begin(&video, max_order);
	uint8_t *start = map(fd, BIG_BYTES, PROT_READ, 0);

	close(fd);
	video_close(&video);
	must(card_unbind(&card));
	content_expect("mapping of a dma-buf", start, BIG_BYTES, 0, 0);
	munmap(start, BIG_BYTES);
	must(card_bind(&card));
}

static void test_sync(const void *max_order)
{
	static const uint64_t flags[] = {
		DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ,	 DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ,
		DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE,
		DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,	 DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW,
	};
	struct video video;
	int fd = begin(&video, max_order);
	struct dma_buf_sync sync;
	size_t i;

	for (i = 0; i < TAP_COUNT(flags); i++) {
		sync.flags = flags[i];
		must(video_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));
	}
	sync.flags = 0;
	must_refuse(EINVAL, video_ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));
	must_refuse(EFAULT, video_ioctl(fd, DMA_BUF_IOCTL_SYNC, NULL));
	close(fd);
	video_close(&video);
}

static void test_wrong_requests(void)
{
	struct video video;

	buffers_begin(&video, fixture_huge, SMALL_WIDTH, SMALL_HEIGHT, 2);
	must_refuse(EINVAL, export(&video, video.n_buffers, O_RDWR));
	must_refuse(EINVAL, export(&video, 0xffffffff, O_RDWR));
	must_refuse(EINVAL, export(&video, 0, O_TRUNC));
	video.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	must_refuse(EINVAL, export(&video, 0, O_RDWR));
	video_close(&video);
}

/* REQBUFS 0 with a dma-buf around: the buffer is orphaned, the dma-buf keeps it. */
static void test_orphaned(const void *max_order)
{
	struct video video;
	int fd = begin(&video, max_order);
	uint8_t *start;

	video_unmap(&video);
	must(video_request(&video, 0));
	must(video_request(&video, 2));
	must(video_map(&video, PROT_READ | PROT_WRITE));
	content_fill(video.buffers[0].start, BIG_BYTES, 8);
	start = map(fd, BIG_BYTES, PROT_READ, 0);
	content_expect("orphaned dma-buf", start, BIG_BYTES, 0, 0);
	munmap(start, BIG_BYTES);
	close(fd);
	video_close(&video);
}

static int queue(struct video *video, unsigned int index, int fd, size_t length)
{
	struct v4l2_buffer buffer = { .index = index,
				      .type = video->type,
				      .memory = V4L2_MEMORY_DMABUF,
				      .field = V4L2_FIELD_NONE,
				      .length = length };

	buffer.m.fd = fd;
	return video_ioctl(video->fd, VIDIOC_QBUF, &buffer);
}

static void open_importer(struct video *video, const char *node, unsigned int count)
{
	struct v4l2_requestbuffers request = { .count = count, .memory = V4L2_MEMORY_DMABUF };

	must(video_open(video, node));
	must(video_set_format(video, TAIL_FOURCC, TAIL_WIDTH, TAIL_HEIGHT));
	request.type = video->type;
	must(video_ioctl(video->fd, VIDIOC_REQBUFS, &request));
	video->n_buffers = request.count;
}

/* Frames of @node are captured straight into the buffers of the exporter. */
static void import(struct video *exporter, const char *node, struct v4l2_buffer *buffer)
{
	struct video importer;
	int fds[VIDEO_BUFFERS];
	unsigned int i;

	open_importer(&importer, node, exporter->n_buffers);
	tap_check(importer.n_buffers <= exporter->n_buffers,
		  "REQBUFS: expected at most %u buffers, got %u", exporter->n_buffers,
		  importer.n_buffers);
	for (i = 0; i < importer.n_buffers; i++) {
		fds[i] = must(export(exporter, i, O_RDWR | O_CLOEXEC));
		must(queue(&importer, i, fds[i], TAIL_PAGES * 4096));
	}
	must(video_start(&importer));
	*buffer = (struct v4l2_buffer){ .type = importer.type, .memory = V4L2_MEMORY_DMABUF };
	must(video_ioctl(importer.fd, VIDIOC_DQBUF, buffer));
	must(video_stop(&importer));
	for (i = 0; i < importer.n_buffers; i++)
		close(fds[i]);
	video_close(&importer);
}

static void test_import_in_other_card(const void *max_order)
{
	struct v4l2_buffer buffer;
	struct video exporter;
	struct card other;

	if (card_find(1, &other))
		tap_skip("only one card: load with cards=2");
	buffers_begin(&exporter, *(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT, 4);
	import(&exporter, other.capture, &buffer);
	must(frame_check(exporter.buffers[buffer.index].start, TAIL_BYTES, NULL));
	video_close(&exporter);
}

/* The output node's buffers filled by the same card's capture node. */
static void test_import_in_same_card(const void *max_order)
{
	struct card card = buffers_card();
	struct v4l2_buffer buffer;
	struct video exporter;

	must(card_parameter_set("max_order", *(const long *)max_order));
	must(video_begin(&exporter, card.output, TAIL_FOURCC, TAIL_WIDTH, TAIL_HEIGHT, 4));
	import(&exporter, card.capture, &buffer);
	must(frame_check(exporter.buffers[buffer.index].start, TAIL_BYTES, NULL));
	video_close(&exporter);
}

/* A stranger: vivid maps our dma-buf into the kernel and writes to it. */
static void test_import_in_vivid(const void *max_order)
{
	struct v4l2_buffer buffer;
	struct video exporter;
	uint8_t *start;
	size_t same = 0, at;

	if (system("modprobe -q vivid n_devs=1 node_types=0x1 vid_cap_nr=40") ||
	    access("/dev/video40", R_OK | W_OK))
		tap_skip("no vivid in this kernel");
	buffers_begin(&exporter, *(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT, 4);
	for (at = 0; at < exporter.n_buffers; at++)
		memset(exporter.buffers[at].start, 0, TAIL_PAGES * 4096);
	import(&exporter, "/dev/video40", &buffer);
	start = exporter.buffers[buffer.index].start;
	for (at = 0; at < TAIL_BYTES; at++)
		same += !start[at];
	tap_check(same < TAIL_BYTES / 100,
		  "vivid's frame: expected all bytes written, got %zu of %lu not", same,
		  TAIL_BYTES);
	content_expect_zero("behind vivid's frame", start + TAIL_BYTES,
			    TAIL_PAGES * 4096 - TAIL_BYTES);
	video_close(&exporter);
	if (system("modprobe -q -r vivid"))
		tap_fail("modprobe -r vivid: expected success, got failure");
}

static void test_import_too_small(void)
{
	struct card card = buffers_card();
	struct video exporter, importer;
	int fd;

	must(video_begin(&exporter, card.output, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 1));
	fd = must(export(&exporter, 0, O_RDWR | O_CLOEXEC));
	open_importer(&importer, card.capture, 2);
	must_refuse(EINVAL, queue(&importer, 0, fd, 0));
	must_refuse(EINVAL, queue(&importer, 0, -1, 0));
	must_refuse(EINVAL, queue(&importer, 0, importer.fd, 0));
	close(fd);
	video_close(&importer);
	video_close(&exporter);
}

/* Longer than a frame, and than the dma-buf is: attaching is refused, and nothing is kept. */
static void test_import_too_long(const void *capture)
{
	const bool captures = *(const bool *)capture;
	struct card card = buffers_card();
	struct video exporter, importer;
	int fd;

	must(video_begin(&exporter, captures ? card.output : card.capture, TAIL_FOURCC, TAIL_WIDTH,
			 TAIL_HEIGHT, 1));
	fd = must(export(&exporter, 0, O_RDWR | O_CLOEXEC));
	open_importer(&importer, captures ? card.capture : card.output, 2);
	must_refuse(EFAULT, queue(&importer, 0, fd, TAIL_PAGES * 4096 + 1));
	must(queue(&importer, 0, fd, TAIL_PAGES * 4096));
	must_refuse(EFAULT, queue(&importer, 1, fd, TAIL_PAGES * 4096 + 1));
	close(fd);
	video_close(&importer);
	video_close(&exporter);
	tap_eq(0, card_live_stores());
	must(module_unload());
	must(module_load());
}

static const bool is_capture = true, is_output;

static const struct tap_test tests[] = {
	BUFFERS_BOTH("a dma-buf shows the same bytes both ways", test_same_bytes),
	BUFFERS_BOTH("a window of a dma-buf shows that window", test_window),
	{ "a dma-buf made of chunks is mapped by PMD where its address allows",
	  .run = test_pmd_mapped },
	BUFFERS_BOTH("mmap beyond a dma-buf gives EINVAL", test_bounds),
	BUFFERS_BOTH("a dma-buf obeys PROT_EXEC, MAP_PRIVATE and its access mode",
		     test_protections),
	BUFFERS_BOTH("a dma-buf survives close", test_survives_close),
	BUFFERS_BOTH("a dma-buf survives unbind", test_survives_unbind),
	BUFFERS_BOTH("a mapping of a dma-buf survives close of everything and unbind",
		     test_mapping_survives_all),
	BUFFERS_BOTH("DMA_BUF_IOCTL_SYNC works in every direction", test_sync),
	{ "EXPBUF of a wrong index, type or flag gives EINVAL", .run = test_wrong_requests },
	BUFFERS_BOTH("a dma-buf keeps its bytes after REQBUFS 0", test_orphaned),
	BUFFERS_BOTH("another card captures into a dma-buf", test_import_in_other_card),
	BUFFERS_BOTH("a card captures into its own output node's dma-buf",
		     test_import_in_same_card),
	BUFFERS_BOTH("vivid captures into a dma-buf", test_import_in_vivid),
	{ "QBUF of a dma-buf that is too small or none gives EINVAL",
	  .run = test_import_too_small },
	{ "QBUF of a dma-buf that is shorter than it says gives EFAULT and keeps nothing (capture)",
	  .run_with = test_import_too_long, .arg = &is_capture },
	{ "QBUF of a dma-buf that is shorter than it says gives EFAULT and keeps nothing (output)",
	  .run_with = test_import_too_long, .arg = &is_output },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
