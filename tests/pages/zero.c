// SPDX-License-Identifier: MIT
/*
 * zero: fresh buffers hold zeroes and nobody's old bytes.
 *
 * Debian kernels zero every free page anyway, which would hide a driver that does
 * not: boot with init_on_alloc=0. Each test first makes memory dirty, and then
 * proves that the buffers really were built from dirty frames.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "pageinfo.h"

#define DIRTY_BYTES (600ul << 20)

/* Frames that were written to: a bit each. */
static uint8_t *dirty;
static size_t dirty_frames;

static void dirty_begin(void)
{
	/* Up to 64 GiB of memory; beyond that a frame counts as clean. */
	dirty_frames = 1ul << 24;
	dirty = calloc(dirty_frames / 8, 1);
	tap_check(dirty, "bitmap: expected memory, got none");
}

static void dirty_note(const void *start, size_t bytes)
{
	size_t i, n = bytes / 4096;
	uint64_t *frames = calloc(n, sizeof(*frames));

	page_frames(start, n, frames);
	for (i = 0; i < n; i++)
		if (frames[i] < dirty_frames)
			dirty[frames[i] / 8] |= 1 << frames[i] % 8;
	free(frames);
}

static size_t dirty_count(const void *start, size_t bytes)
{
	size_t i, n = bytes / 4096, count = 0;
	uint64_t *frames = calloc(n, sizeof(*frames));

	page_frames(start, n, frames);
	for (i = 0; i < n; i++)
		if (frames[i] && frames[i] < dirty_frames)
			count += dirty[frames[i] / 8] >> frames[i] % 8 & 1;
	free(frames);
	return count;
}

static void require_lazy_kernel(void)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0 || !strstr(line, "init_on_alloc=0"))
		tap_skip("the kernel zeroes free pages: boot with init_on_alloc=0");
	close(fd);
}

/* Write to anonymous memory and give it back. */
static void dirty_anonymous(size_t bytes, int advice)
{
	uint8_t *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);

	tap_check(start != MAP_FAILED, "mmap of %zu bytes: expected success, got %s", bytes,
		  strerror(errno));
	madvise(start, bytes, advice);
	memset(start, 0xa5, bytes);
	dirty_note(start, bytes);
	munmap(start, bytes);
}

/* Write to buffers of the driver and give them back. */
static void dirty_buffers(long max_order, uint32_t width, uint32_t height)
{
	struct video video;
	unsigned int i;

	buffers_begin(&video, max_order, width, height, 24);
	for (i = 0; i < video.n_buffers; i++) {
		memset(video.buffers[i].start, 0xa5, buffers_mapped_bytes(&video.buffers[i]));
		dirty_note(video.buffers[i].start, buffers_mapped_bytes(&video.buffers[i]));
	}
	video_close(&video);
}

/*
 * The kernel keeps free pages apart by the kind of their last user (migrate
 * types), so memory is made dirty both ways: as anonymous memory, in small and in
 * large pages, and as the driver's own.
 */
static void dirty_memory(long max_order, uint32_t width, uint32_t height)
{
	dirty_anonymous(64 << 20, MADV_NOHUGEPAGE);
	dirty_anonymous(DIRTY_BYTES, MADV_HUGEPAGE);
	dirty_buffers(max_order, BIG_WIDTH, BIG_HEIGHT);
	dirty_buffers(max_order, width, height);
}

/* Every byte that can be mapped, beyond the picture too; and the proof of reuse. */
static void expect_clean(const struct video *video)
{
	size_t reused = 0, total = 0, bytes;
	unsigned int i;

	for (i = 0; i < video->n_buffers; i++) {
		bytes = buffers_mapped_bytes(&video->buffers[i]);
		content_expect_zero("fresh buffer", video->buffers[i].start, bytes);
		reused += dirty_count(video->buffers[i].start, bytes);
		total += bytes / 4096;
	}
	tap_note("%zu of %zu pages had been dirty before", reused, total);
	tap_check(reused > total / 10,
		  "test memory: expected dirty frames to be used again, got %zu of %zu", reused,
		  total);
}

static void fresh(long max_order, uint32_t width, uint32_t height)
{
	struct video video;

	require_lazy_kernel();
	dirty_begin();
	dirty_memory(max_order, width, height);
	buffers_begin(&video, max_order, width, height, 8);
	expect_clean(&video);
	video_close(&video);
}

static void test_fresh_big(const void *max_order)
{
	fresh(*(const long *)max_order, BIG_WIDTH, BIG_HEIGHT);
}

static void test_fresh_tail(const void *max_order)
{
	fresh(*(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT);
}

static void test_fresh_small(const void *max_order)
{
	fresh(*(const long *)max_order, 162, 122);
}

static void test_fresh_output(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;

	require_lazy_kernel();
	dirty_begin();
	dirty_memory(*(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT);
	must(card_parameter_set("max_order", *(const long *)max_order));
	must(video_begin(&video, card.output, TAIL_FOURCC, TAIL_WIDTH, TAIL_HEIGHT, 8));
	expect_clean(&video);
	video_close(&video);
}

/* A user fills the buffers and leaves; the next one allocates other sizes. */
static void next_user(long max_order, uint32_t width, uint32_t height)
{
	struct video video;

	require_lazy_kernel();
	dirty_begin();
	dirty_buffers(max_order, TAIL_WIDTH, TAIL_HEIGHT);
	buffers_begin(&video, max_order, width, height, 8);
	expect_clean(&video);
	video_close(&video);
}

static void test_next_user_smaller(const void *max_order)
{
	next_user(*(const long *)max_order, 642, 482);
}

static void test_next_user_larger(const void *max_order)
{
	next_user(*(const long *)max_order, 2000, 1502);
}

/* The same buffers, queued and given back without a frame. */
static void test_streamoff_shows_nothing(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;
	unsigned int i;

	require_lazy_kernel();
	dirty_begin();
	dirty_memory(*(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT);
	must(card_parameter_set("max_order", *(const long *)max_order));
	must(video_open(&video, card.capture));
	must(video_set_rate(&video, 1, 1));
	must(video_set_format(&video, TAIL_FOURCC, TAIL_WIDTH, TAIL_HEIGHT));
	must(video_request(&video, 4));
	must(video_map(&video, PROT_READ | PROT_WRITE));
	must(video_queue_all(&video));
	must(video_stop(&video));
	expect_clean(&video);
	for (i = 0; i < video.n_buffers; i++)
		content_expect_zero("rest of the last page", video.buffers[i].start + TAIL_BYTES,
				    TAIL_PAGES * 4096 - TAIL_BYTES);
	must(video_set_rate(&video, 30, 1));
	video_close(&video);
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("fresh 8 MiB buffers are zero to the last byte", test_fresh_big),
	BUFFERS_BOTH("fresh buffers that end within a page are zero to its end", test_fresh_tail),
	BUFFERS_BOTH("fresh small buffers are zero to the end of the page", test_fresh_small),
	BUFFERS_BOTH("fresh output buffers are zero to the end of the page", test_fresh_output),
	BUFFERS_BOTH("a user of smaller pictures sees nothing of the one before",
		     test_next_user_smaller),
	BUFFERS_BOTH("a user of larger pictures sees nothing of the one before",
		     test_next_user_larger),
	BUFFERS_BOTH("buffers given back without a frame are still zero",
		     test_streamoff_shows_nothing),
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
