// SPDX-License-Identifier: MIT
/*
 * memory: frames are right wherever they lie in memory, and however the card reaches it.
 *
 * Arguments: --above       buffers must lie above 4 GiB
 *            --bounced     and must be copied by swiotlb
 *            --translated  an IOMMU is between the cards and the memory
 *            --cards=N     so many cards there must be (default 1)
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "camera.h"
#include "pageinfo.h"

#define BUFFERS 6
#define FRAMES 20
#define FOUR_GIB_FRAME ((4ull << 30) / PAGE_BYTES)
#define BOUNCED_SLABS "/sys/kernel/debug/swiotlb/io_tlb_used"
#define CARDS "/sys/bus/pci/drivers/avring-pci/0000:*"

static bool want_above, want_bounced, want_translated;
static unsigned int want_cards = 1;

/* 1.8 MB: more than swiotlb takes in one piece. */
static const struct camera_mode large = {
	.pix = { .pixelformat = V4L2_PIX_FMT_YUYV, .width = 1280, .height = 720 },
	.rate = { 10, 1 },
	.pattern = CAMERA_WORDS,
};

static const struct camera_mode stamped = {
	.pix = { .pixelformat = V4L2_PIX_FMT_NV12, .width = 642, .height = 362 },
	.rate = { 15, 1 },
};

static void expect_place(const void *start, size_t bytes)
{
	size_t at, above = 0, pages = 0;

	for (at = 0; at < bytes; at += PAGE_BYTES, pages++)
		above += page_frame((const uint8_t *)start + at) >= FOUR_GIB_FRAME;
	tap_check(!want_above || above == pages, "pages above 4 GiB: expected all %zu, got %zu",
		  pages, above);
}

static long bounced_slabs(void)
{
	FILE *file = fopen(BOUNCED_SLABS, "re");
	long slabs = -1;

	if (!file)
		return 0;
	if (fscanf(file, "%ld", &slabs) != 1)
		slabs = -1;
	fclose(file);
	return slabs;
}

/* So many slabs of 2 KiB are in use for this many bytes, if they are copied at all. */
static void expect_bounced(size_t bytes)
{
	const long slabs = bounced_slabs();

	tap_note("%ld KiB in swiotlb", 2 * slabs);
	tap_check(!want_bounced || slabs >= (long)(bytes / 2048),
		  BOUNCED_SLABS ": expected %zu at least, got %ld", bytes / 2048, slabs);
}

/**
 * struct memory_run - a stream
 * @mode: what the card sends
 * @io: how
 * @beside_ring: while a ring is attached, so that the driver copies each frame
 */
struct memory_run {
	const struct camera_mode *mode;
	enum flow_io io;
	bool beside_ring;
};

static void test_stream(const void *arg)
{
	const struct memory_run *run = arg;
	struct camera_watch watch = { .mode = run->mode };
	struct ring ring;
	struct flow flow;
	unsigned int i;

	camera_set(run->mode);
	if (run->beside_ring)
		ring = camera_ring();
	camera_start(&flow, run->mode, run->io, BUFFERS);
	camera_take(&flow, &watch, FRAMES);
	for (i = 0; i < flow.count; i++)
		expect_place(flow.memory[i].data, flow.video.pix.sizeimage);
	expect_bounced((BUFFERS - 1) * flow.video.pix.sizeimage);
	tap_eq(0, watch.damaged);
	camera_end(&flow);
	if (run->beside_ring)
		ring_close(&ring);
}

static void test_ring(const void *arg)
{
	const struct camera_mode *mode = arg;
	struct camera_watch watch = { .mode = mode };
	struct ring ring;

	camera_set(mode);
	ring = camera_ring();
	camera_look_many(&ring, ring.at.next, FRAMES, &watch);
	expect_place(ring.data, ring.at.length);
	expect_bounced(ring.at.length);
	tap_eq(0, watch.damaged);
	ring_close(&ring);
}

/* Odd length, tight packing: syncs begin and end anywhere. */
static void test_odd_ring(void)
{
	struct camera_watch watch = { .mode = &stamped };
	struct ring ring;
	uint64_t n;

	camera_set(&stamped);
	camera_setup(2000000, 1);
	ring = camera_ring();
	n = camera_look_many(&ring, ring.at.next, FRAMES, &watch);
	tap_eq(0, watch.damaged);
	tap_check(n > 10, "entries: expected some");
	ring_close(&ring);
}

/* ---------------------------------------------------------------- all cards at once */

static _Noreturn void stream_from(const char *path)
{
	struct camera_watch watch = { .mode = &stamped };
	struct flow flow = { 0 };

	must(video_open(&flow.video, path));
	must(video_set_format(&flow.video, stamped.pix.pixelformat, stamped.pix.width,
			      stamped.pix.height));
	must(video_set_rate(&flow.video, stamped.rate.numerator, stamped.rate.denominator));
	must(flow_allocate(&flow, FLOW_MMAP, BUFFERS, NULL));
	must(flow_start(&flow));
	camera_take(&flow, &watch, FRAMES);
	camera_end(&flow);
	_exit(0);
}

static void test_all(void)
{
	pid_t children[8];
	glob_t found;
	char path[32];
	size_t i;

	tap_eq(0, glob(CARDS "/video4linux/video*", 0, NULL, &found));
	tap_eq(want_cards, found.gl_pathc);
	for (i = 0; i < found.gl_pathc && i < TAP_COUNT(children); i++) {
		snprintf(path, sizeof(path), "/dev/%.20s", strrchr(found.gl_pathv[i], '/') + 1);
		children[i] = fork();
		if (!children[i])
			stream_from(path);
	}
	while (i--)
		tap_join(children[i]);
	globfree(&found);
}

/* Behind an IOMMU, and strictly: what is unmapped is out of reach at once. */
static void test_translated(void)
{
	char type[16];
	glob_t found;
	size_t i;
	int fd;

	glob(CARDS "/iommu_group/type", 0, NULL, &found);
	tap_eq(want_translated ? want_cards : 0, found.gl_pathc);
	for (i = 0; i < found.gl_pathc; i++) {
		memset(type, 0, sizeof(type));
		fd = must(sys(open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC)));
		must(sys(read(fd, type, sizeof(type) - 1)));
		close(fd);
		tap_check(!strcmp(type, "DMA\n"), "%s: expected DMA, got %s", found.gl_pathv[i],
			  type);
	}
	globfree(&found);
}

#define STREAM(of, way, ...) \
	.run_with = test_stream, .arg = &(const struct memory_run) \
	{ \
		.mode = &(of), .io = (way), __VA_ARGS__ \
	}
#define BESIDE_RING .beside_ring = true

static const struct tap_test tests[] = {
	{ "every word is right through MMAP", STREAM(large, FLOW_MMAP) },
	{ "every word is right through USERPTR", STREAM(large, FLOW_USERPTR) },
	{ "every word is right through DMABUF", STREAM(large, FLOW_DMABUF) },
	{ "every word is right through MMAP beside a ring reader",
	  STREAM(large, FLOW_MMAP, BESIDE_RING) },
	{ "every word is right through USERPTR beside a ring reader",
	  STREAM(large, FLOW_USERPTR, BESIDE_RING) },
	{ "every word is right through DMABUF beside a ring reader",
	  STREAM(large, FLOW_DMABUF, BESIDE_RING) },
	{ "stamped frames are right through MMAP", STREAM(stamped, FLOW_MMAP) },
	{ "stamped frames are right through USERPTR", STREAM(stamped, FLOW_USERPTR) },
	{ "every word is right in the ring", .run_with = test_ring, .arg = &large },
	{ "stamped frames are right in the ring", .run_with = test_ring, .arg = &stamped },
	{ "frames are right in a tight ring of odd length", .run = test_odd_ring },
	{ "all cards stream at once", .run = test_all },
	{ "an IOMMU translates for all cards where there is one, or for none",
	  .run = test_translated },
};

int main(int argc, char **argv)
{
	for (; argc > 1 && !strncmp(argv[1], "--", 2); argc--, argv++) {
		want_above |= !strcmp(argv[1], "--above");
		want_bounced |= !strcmp(argv[1], "--bounced");
		want_translated |= !strcmp(argv[1], "--translated");
		if (!strncmp(argv[1], "--cards=", 8))
			want_cards = atoi(argv[1] + 8);
	}
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
