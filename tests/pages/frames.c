// SPDX-License-Identifier: MIT
/*
 * frames: flags and counts of the page frames behind a buffer.
 *
 * A stock kernel shows the map count of a frame (/proc/kpagecount) but not its
 * reference count. That a buffer's pages are back to one reference, the store's,
 * is shown by what happens next: the store drops it exactly once, and
 *
 * - a chunk whose count was 1 is freed by that and ceases to be a compound page;
 *   a chunk with a reference too many stays an ownerless compound page for ever
 *   (the test of the pipe shows that this is seen);
 * - a chunk with a reference too few would have been freed while it was still
 *   mapped, which the frame's flags and the kernel log ("Bad page state") show.
 *
 * Single pages carry no such mark. For them the same work is done many times,
 * and memory must not become less.
 */
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "pageinfo.h"

#define ROUNDS 20

static void test_not_reserved(const void *max_order)
{
	struct video video;
	uint64_t flags, *frames;
	size_t i, n = BIG_BYTES / 4096;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	frames = calloc(n, sizeof(*frames));
	page_frames(video.buffers[0].start, n, frames);
	for (i = 0; i < n; i++) {
		tap_check(frames[i], "page %zu: expected a frame, got none", i);
		flags = page_flags(frames[i]);
		tap_check(!(flags & (1ull << PAGE_FLAG_RESERVED | 1ull << KPF_NOPAGE |
				     1ull << KPF_HWPOISON | 1ull << KPF_ZERO_PAGE)),
			  "page %zu: expected an ordinary page, got flags %llx", i,
			  (unsigned long long)flags);
	}
	free(frames);
	video_close(&video);
}

static void test_compound_as_asked(const void *max_order)
{
	bool huge = *(const long *)max_order == fixture_huge;
	struct video video;
	uint64_t frame;
	size_t i;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	for (i = 0; i < BIG_BYTES / 4096; i += CHUNK_PAGES / 2) {
		frame = page_frame(video.buffers[0].start + i * 4096);
		tap_eq(huge, page_is_ownerless_compound(frame));
		if (huge)
			tap_eq(i % CHUNK_PAGES, frame % CHUNK_PAGES);
	}
	video_close(&video);
}

/* All frames are different: no page serves two places. */
static int compare_frames(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void test_frames_differ(const void *max_order)
{
	size_t i, per = BIG_BYTES / 4096, n = 0;
	uint64_t *frames = calloc(per * VIDEO_BUFFERS, sizeof(*frames));
	struct video video;

	buffers_begin_filled(&video, *(const long *)max_order, 3);
	for (i = 0; i < video.n_buffers; i++, n += per)
		page_frames(video.buffers[i].start, per, frames + n);
	qsort(frames, n, sizeof(*frames), compare_frames);
	for (i = 1; i < n; i++)
		tap_check(frames[i] != frames[i - 1], "frame %llx: expected once, got it twice",
			  (unsigned long long)frames[i]);
	free(frames);
	video_close(&video);
}

static void expect_mapcounts(const uint64_t *frames, size_t n, uint64_t expected)
{
	uint64_t count;
	size_t i;

	for (i = 0; i < n; i++) {
		count = page_mapcount(frames[i]);
		tap_check(count == expected, "page %zu: expected map count %llu, got %llu", i,
			  (unsigned long long)expected, (unsigned long long)count);
	}
}

static void test_mapcounts(const void *max_order)
{
	size_t n = BIG_BYTES / 4096;
	uint64_t *frames = calloc(n, sizeof(*frames));
	struct video video;
	uint8_t *second;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	page_frames(video.buffers[0].start, n, frames);
	expect_mapcounts(frames, n, 1);
	second = mmap(NULL, BIG_BYTES, PROT_READ, MAP_SHARED, video.fd, video.buffers[0].offset);
	tap_check(second != MAP_FAILED, "second mmap: expected success, got %s", strerror(errno));
	content_touch(second, BIG_BYTES);
	expect_mapcounts(frames, n, 2);
	munmap(second, BIG_BYTES / 2);
	expect_mapcounts(frames, n / 2, 1);
	expect_mapcounts(frames + n / 2, n / 2, 2);
	munmap(second + BIG_BYTES / 2, BIG_BYTES / 2);
	video_unmap(&video);
	expect_mapcounts(frames, n, 0);
	free(frames);
	video_close(&video);
}

/* Half a chunk: the PMD is split, the counts stay right page by page. */
static void test_mapcounts_of_split_chunk(void)
{
	uint64_t frames[CHUNK_PAGES];
	struct video video;

	buffers_begin_filled(&video, fixture_huge, 1);
	page_frames(video.buffers[0].start, CHUNK_PAGES, frames);
	munmap(video.buffers[0].start + 4096, 4096);
	content_touch(video.buffers[0].start, 4096);
	content_touch(video.buffers[0].start + 2 * 4096, CHUNK_BYTES - 2 * 4096);
	expect_mapcounts(frames, 1, 1);
	expect_mapcounts(frames + 1, 1, 0);
	expect_mapcounts(frames + 2, CHUNK_PAGES - 2, 1);
	munmap(video.buffers[0].start, BIG_BYTES);
	video.buffers[0].start = NULL;
	expect_mapcounts(frames, CHUNK_PAGES, 0);
	video_close(&video);
}

/* The first frame of each chunk of all buffers. */
static size_t chunk_heads(const struct video *video, uint64_t *heads)
{
	size_t n = 0, at;
	unsigned int i;

	for (i = 0; i < video->n_buffers; i++)
		for (at = 0; at < BIG_BYTES; at += CHUNK_BYTES) {
			heads[n] = page_frame(video->buffers[i].start + at);
			tap_check(page_is_ownerless_compound(heads[n]),
				  "buffer %u at %zu: expected a chunk, got flags %llx", i, at,
				  (unsigned long long)page_flags(heads[n]));
			n++;
		}
	return n;
}

static size_t chunks_alive(const uint64_t *heads, size_t n)
{
	size_t alive = 0, i;

	for (i = 0; i < n; i++)
		alive += page_is_ownerless_compound(heads[i]);
	return alive;
}

static void use_by_reading(struct video *video)
{
	content_touch(video->buffers[0].start, BIG_BYTES);
}

static void use_by_fork(struct video *video)
{
	pid_t child = fork();

	if (!child) {
		content_expect("child", video->buffers[0].start, BIG_BYTES, 0, 0);
		_exit(0);
	}
	tap_join(child);
}

static void use_by_splitting(struct video *video)
{
	uint8_t *start = video->buffers[0].start;
	size_t i;

	for (i = 0; i < BIG_BYTES; i += 64 * 4096) {
		must(sys(mprotect(start + i, 4096, PROT_READ)));
		must(sys(madvise(start + i + 4096, 4096, MADV_DONTNEED)));
		must(sys(munmap(start + i + 2 * 4096, 4096)));
		content_touch(start + i, 2 * 4096);
	}
	must(sys(munmap(start, BIG_BYTES)));
	video->buffers[0].start = NULL;
}

static void use_by_pipe(struct video *video)
{
	static uint8_t copy[65536];
	struct iovec pages = { video->buffers[0].start, sizeof(copy) };
	int ends[2];

	must(sys(pipe(ends)));
	tap_eq(sizeof(copy), vmsplice(ends[1], &pages, 1, 0));
	tap_eq(sizeof(copy), read(ends[0], copy, sizeof(copy)));
	content_expect("pipe", copy, sizeof(copy), 0, 0);
	close(ends[0]);
	close(ends[1]);
}

static void use_by_streaming(struct video *video)
{
	struct v4l2_buffer buffer;

	must(video_one_frame(video, &buffer));
}

static void use_by_mlock(struct video *video)
{
	must(sys(mlock(video->buffers[0].start, BIG_BYTES)));
	must(sys(munlock(video->buffers[0].start, BIG_BYTES / 2)));
}

static void use_by_remote_read(struct video *video)
{
	static uint8_t copy[BIG_BYTES];
	struct iovec local = { copy, BIG_BYTES }, remote = { video->buffers[0].start, BIG_BYTES };

	tap_eq(BIG_BYTES, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	content_expect("process_vm_readv", copy, BIG_BYTES, 0, 0);
}

/* A use of the first buffer, after which its pages must be as before. */
struct use {
	void (*of)(struct video *video);
};

static const struct use uses[] = {
	{ use_by_reading },   { use_by_fork },	{ use_by_splitting },	{ use_by_pipe },
	{ use_by_streaming }, { use_by_mlock }, { use_by_remote_read },
};

static void test_chunks_freed_after(const void *arg)
{
	const struct use *use = arg;
	uint64_t heads[VIDEO_BUFFERS * BIG_BYTES / CHUNK_BYTES];
	struct video video;
	size_t n;

	buffers_begin_filled(&video, fixture_huge, 2);
	n = chunk_heads(&video, heads);
	use->of(&video);
	tap_eq(n, chunks_alive(heads, n));
	video_close(&video);
	tap_eq(0, chunks_alive(heads, n));
}

static bool nothing_lives(void *arg)
{
	(void)arg;
	return card_live_stores() <= 0;
}

/* The measuring instrument itself: a reference too many is seen, for one chunk. */
static void test_pinned_chunk_is_seen(void)
{
	uint64_t heads[VIDEO_BUFFERS * BIG_BYTES / CHUNK_BYTES];
	struct iovec pages = { .iov_len = 4096 };
	struct video video;
	int ends[2];
	size_t n;

	buffers_begin_filled(&video, fixture_huge, 2);
	n = chunk_heads(&video, heads);
	pages.iov_base = video.buffers[0].start + CHUNK_BYTES + 5 * 4096;
	must(sys(pipe(ends)));
	tap_eq(4096, vmsplice(ends[1], &pages, 1, 0));
	video_close(&video);
	tap_check(tap_eventually(nothing_lives, NULL, 2), "live_stores: expected 0, got %ld",
		  card_live_stores());
	tap_eq(1, chunks_alive(heads, n));
	tap_eq(1, page_is_ownerless_compound(heads[1]));
	close(ends[0]);
	close(ends[1]);
	tap_eq(0, chunks_alive(heads, n));
}

static void use_all(long max_order)
{
	struct video video;
	size_t i;

	for (i = 0; i < TAP_COUNT(uses); i++) {
		buffers_begin(&video, max_order, BIG_WIDTH, BIG_HEIGHT, 2);
		content_fill(video.buffers[0].start, BIG_BYTES, 0);
		uses[i].of(&video);
		video_close(&video);
	}
}

static void test_memory_comes_back(const void *max_order)
{
	long before;
	int i;

	use_all(*(const long *)max_order);
	before = available_kb();
	for (i = 0; i < ROUNDS; i++)
		use_all(*(const long *)max_order);
	/* 128 lost single pages per round, or one lost chunk in four rounds, would show. */
	expect_available(before - 10 * 1024);
}

static void test_live_counts_are_exact(const void *max_order)
{
	long stores = -1, pages = -1, value;
	struct video video;
	unsigned int n;

	must(card_parameter_get("live_stores", &stores));
	must(card_parameter_get("live_pages", &pages));
	buffers_begin(&video, *(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT, 3);
	n = video.n_buffers;
	must(card_parameter_get("live_stores", &value));
	tap_eq(stores + n, value);
	must(card_parameter_get("live_pages", &value));
	tap_eq(pages + n * (long)TAIL_PAGES, value);
	video_close(&video);
	must(card_parameter_get("live_stores", &value));
	tap_eq(stores, value);
	must(card_parameter_get("live_pages", &value));
	tap_eq(pages, value);
}

#define FREED_AFTER(n, words) \
	{ \
		.claim = "every chunk has one reference left after " words, \
		.run_with = test_chunks_freed_after, .arg = &uses[n] \
	}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("PG_reserved is clear on all mapped pages", test_not_reserved),
	BUFFERS_BOTH("chunks are compound and aligned, single pages are not",
		     test_compound_as_asked),
	BUFFERS_BOTH("no page serves two places", test_frames_differ),
	BUFFERS_BOTH("map counts follow mmap and munmap", test_mapcounts),
	{ "map counts of a chunk with a hole are right page by page",
	  .run = test_mapcounts_of_split_chunk },
	{ "a chunk with one page in a pipe is not freed with its buffer, the others are",
	  .run = test_pinned_chunk_is_seen },
	FREED_AFTER(0, "reading"),
	FREED_AFTER(1, "fork"),
	FREED_AFTER(2, "mprotect, MADV_DONTNEED and munmap of pages in it"),
	FREED_AFTER(3, "vmsplice to a pipe"),
	FREED_AFTER(4, "streaming"),
	FREED_AFTER(5, "mlock"),
	FREED_AFTER(6, "process_vm_readv"),
	{ .claim = "all of this many times takes no memory away (2 MiB chunks)",
	  .run_with = test_memory_comes_back,
	  .arg = &fixture_huge,
	  .deadline_s = 600 },
	{ .claim = "all of this many times takes no memory away (single pages)",
	  .run_with = test_memory_comes_back,
	  .arg = &fixture_single,
	  .deadline_s = 600 },
	BUFFERS_BOTH("live_stores and live_pages count every buffer", test_live_counts_are_exact),
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
