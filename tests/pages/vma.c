// SPDX-License-Identifier: MIT
/*
 * vma: what a process may do to a mapping, and that the bytes stay the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "dropper.h"
#include "pageinfo.h"

/* Newer than the C library's header. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define PAGES (BIG_BYTES / 4096)

/* One mapped buffer with content of seed 0. */
static uint8_t *begin(struct video *video, const void *max_order)
{
	buffers_begin_filled(video, *(const long *)max_order, 1);
	return video->buffers[0].start;
}

static void expect_all(const char *what, const uint8_t *start)
{
	content_expect(what, start, BIG_BYTES, 0, 0);
}

static void test_fork_child_reads(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pid_t child = fork();

	if (!child) {
		expect_all("child", start);
		_exit(0);
	}
	tap_join(child);
	expect_all("parent", start);
	video_close(&video);
}

static void test_fork_child_outlives(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);
	int ends[2];
	char byte;
	pid_t child;

	must(sys(pipe(ends)));
	child = fork();
	if (!child) {
		close(ends[1]);
		close(video.fd);
		tap_eq(0, read(ends[0], &byte, 1));
		expect_all("child", start);
		_exit(0);
	}
	video_close(&video);
	close(ends[1]);
	tap_join(child);
	close(ends[0]);
}

static void test_fork_shares(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pid_t child = fork();

	if (!child) {
		content_fill(start, BIG_BYTES, 7);
		_exit(0);
	}
	tap_join(child);
	content_expect("what the child wrote", start, BIG_BYTES, 7, 0);
	video_close(&video);
}

static void expect_hole(const uint8_t *start, size_t hole)
{
	unsigned char seen;

	must_refuse(ENOMEM, sys(mincore((void *)(start + hole), 4096, &seen)));
	content_expect("in front of the hole", start, hole, 0, 0);
	content_expect("behind the hole", start + hole + 4096, BIG_BYTES - hole - 4096, 0,
		       hole + 4096);
}

static void unmap_one_page(const void *max_order, size_t page)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(munmap(start + page * 4096, 4096)));
	expect_hole(start, page * 4096);
	video_close(&video);
}

static void test_unmap_first(const void *max_order)
{
	unmap_one_page(max_order, 0);
}

static void test_unmap_middle(const void *max_order)
{
	unmap_one_page(max_order, PAGES / 2 + 17);
}

static void test_unmap_last(const void *max_order)
{
	unmap_one_page(max_order, PAGES - 1);
}

static void test_move(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order), *target;
	unsigned char seen;

	target = mmap(NULL, BIG_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(sys(mremap(start, BIG_BYTES, BIG_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, target)));
	expect_all("moved", target);
	must_refuse(ENOMEM, sys(mincore(start, 4096, &seen)));
	video.buffers[0].start = target;
	video_close(&video);
}

static void test_move_part(const void *max_order)
{
	const size_t from = 3 * 4096, bytes = CHUNK_BYTES + 5 * 4096;
	struct video video;
	uint8_t *start = begin(&video, max_order), *target;

	target = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(sys(mremap(start + from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target)));
	content_expect("moved part", target, bytes, 0, from);
	content_expect("in front of it", start, from, 0, 0);
	content_expect("behind it", start + from + bytes, BIG_BYTES - from - bytes, 0,
		       from + bytes);
	munmap(target, bytes);
	video_close(&video);
}

static void test_shrink(const void *max_order)
{
	const size_t kept = CHUNK_BYTES + 4096;
	struct video video;
	uint8_t *start = begin(&video, max_order);
	unsigned char seen;

	must(sys(mremap(start, BIG_BYTES, kept, 0)));
	content_expect("kept part", start, kept, 0, 0);
	must_refuse(ENOMEM, sys(mincore(start + kept, 4096, &seen)));
	video_close(&video);
}

static void test_grow_refused(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must_refuse(EFAULT, sys(mremap(start, BIG_BYTES, BIG_BYTES + 4096, 0)));
	must_refuse(EFAULT, sys(mremap(start, BIG_BYTES, BIG_BYTES + 4096, MREMAP_MAYMOVE)));
	expect_all("after the refusal", start);
	video_close(&video);
}

/* Not even into the room that munmap of its own tail has made. */
static void test_grow_back_refused(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(munmap(start + BIG_BYTES - 4096, 4096)));
	must_refuse(EFAULT, sys(mremap(start, BIG_BYTES - 4096, BIG_BYTES, 0)));
	video_close(&video);
}

static void test_duplicate_refused(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must_refuse(EFAULT, sys(mremap(start, 0, BIG_BYTES, MREMAP_MAYMOVE)));
	expect_all("after the refusal", start);
	video_close(&video);
}

static void test_dontunmap_refused(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must_refuse(EINVAL, sys(mremap(start, BIG_BYTES, BIG_BYTES,
				       MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL)));
	expect_all("after the refusal", start);
	video_close(&video);
}

static void test_dontneed(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(madvise(start, BIG_BYTES, MADV_DONTNEED)));
	tap_eq(0, page_frame(start));
	expect_all("after MADV_DONTNEED", start);
	video_close(&video);
}

static void test_dontneed_one_page(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(madvise(start + 33 * 4096, 4096, MADV_DONTNEED)));
	expect_all("after MADV_DONTNEED of one page", start);
	video_close(&video);
}

static void *write_back(void *arg)
{
	volatile uint8_t *start = arg;
	unsigned int seed = 1;
	size_t at;
	int i;

	for (i = 0; i < 100000; i++) {
		at = (size_t)rand_r(&seed) % BIG_BYTES;
		start[at] = start[at];
	}
	return NULL;
}

/* Two who write where PMDs and page tables come and go; the kernel's log is looked at, too. */
static void test_written_while_dropped(const void *max_order)
{
	struct dropper dropper;
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pthread_t other;

	dropper_start(&dropper, start, BIG_BYTES);
	tap_eq(0, pthread_create(&other, NULL, write_back, start));
	write_back(start);
	tap_eq(0, pthread_join(other, NULL));
	dropper_stop(&dropper);
	expect_all("after the writes", start);
	video_close(&video);
}

/* Each page is write-protected once more, if the kernel has that. */
static void test_soft_dirty(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	must(fd);
	if (write(fd, "4", 1) < 0)
		tap_eq(EINVAL, errno);
	close(fd);
	write_back(start);
	expect_all("after the writes", start);
	video_close(&video);
}

static void expect_no_fault(const uint8_t *start)
{
	long before = page_faults();

	content_touch(start, BIG_BYTES);
	tap_eq(0, page_faults() - before);
}

static void test_populate_flag(const void *max_order)
{
	struct video video;
	uint8_t *start;

	begin(&video, max_order);
	video_unmap(&video);
	start = mmap(NULL, BIG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, video.fd,
		     video.buffers[0].offset);
	tap_check(start != MAP_FAILED, "mmap: expected success, got %s", strerror(errno));
	expect_no_fault(start);
	expect_all("populated", start);
	munmap(start, BIG_BYTES);
	video_close(&video);
}

static void populate_by_advice(const void *max_order, int advice)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(madvise(start, BIG_BYTES, MADV_DONTNEED)));
	must(sys(madvise(start, BIG_BYTES, advice)));
	expect_no_fault(start);
	expect_all("populated", start);
	video_close(&video);
}

static void test_populate_read(const void *max_order)
{
	populate_by_advice(max_order, MADV_POPULATE_READ);
}

static void test_populate_write(const void *max_order)
{
	populate_by_advice(max_order, MADV_POPULATE_WRITE);
}

/*
 * The kernel faults every page in and leaves it at that: it marks no mapping of
 * this kind as locked (mlock_fixup() and VM_SPECIAL), for its pages never leave.
 */
static void test_mlock(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(madvise(start, BIG_BYTES, MADV_DONTNEED)));
	must(sys(mlock(start, BIG_BYTES)));
	expect_no_fault(start);
	expect_all("after mlock", start);
	must(sys(munlock(start, BIG_BYTES)));
	expect_all("after munlock", start);
	video_close(&video);
}

static void test_mlockall(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(madvise(start, BIG_BYTES, MADV_DONTNEED)));
	must(sys(mlockall(MCL_CURRENT)));
	expect_no_fault(start);
	must(sys(munlockall()));
	expect_all("after munlockall", start);
	video_close(&video);
}

static void test_mprotect(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);
	uint8_t *page = start + CHUNK_BYTES + 9 * 4096;

	must(sys(mprotect(page, 4096, PROT_READ)));
	tap_eq(0, content_access(page, false));
	tap_eq(SIGSEGV, content_access(page, true));
	tap_eq(0, content_access(page - 4096, true));
	tap_eq(0, content_access(page + 4096, true));
	must(sys(mprotect(start, BIG_BYTES, PROT_NONE)));
	tap_eq(SIGSEGV, content_access(start, false));
	must(sys(mprotect(start, BIG_BYTES, PROT_READ | PROT_WRITE)));
	tap_eq(0, content_access(page, true));
	expect_all("after mprotect", start);
	video_close(&video);
}

static void test_mprotect_exec_refused(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must_refuse(EACCES, sys(mprotect(start, 4096, PROT_READ | PROT_EXEC)));
	video_close(&video);
}

static void expect_swapped(const uint8_t *start, size_t a, size_t b)
{
	size_t page, shown;

	for (page = 0; page < PAGES; page++) {
		shown = page == a ? b : page == b ? a : page;
		content_expect("page after the swap", start + page * 4096, 4096, 0, shown * 4096);
	}
}

/* The offset counts pages of the buffer, from 0. */
static void test_remap_file_pages(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(remap_file_pages(start, 4096, 0, 1, 0)));
	must(sys(remap_file_pages(start + 4096, 4096, 0, 0, 0)));
	expect_swapped(start, 0, 1);
	video_close(&video);
}

static void test_remap_file_pages_across_chunks(const void *max_order)
{
	const size_t a = 3, b = 2 * CHUNK_PAGES + 11;
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must(sys(remap_file_pages(start + a * 4096, 4096, 0, b, 0)));
	must(sys(remap_file_pages(start + b * 4096, 4096, 0, a, 0)));
	expect_swapped(start, a, b);
	video_close(&video);
}

/* What was mapped where the refused pages should go may be gone, nothing else. */
static void test_remap_file_pages_bounds(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must_refuse(EINVAL, sys(remap_file_pages(start, 4096, 0, PAGES, 0)));
	must_refuse(EINVAL, sys(remap_file_pages(start + 4096, 2 * 4096, 0, PAGES - 1, 0)));
	must_refuse(EINVAL, sys(remap_file_pages(start + 3 * 4096, 4096, 0, -1ul >> 12, 0)));
	must_refuse(EINVAL, sys(remap_file_pages(start + 3 * 4096, 4096, 0, -2ul, 0)));
	content_expect("after the refusals", start + 4 * 4096, BIG_BYTES - 4 * 4096, 0, 4 * 4096);
	video_close(&video);
}

static void test_fixed_over_itself(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	tap_check(mmap(start, BIG_BYTES, PROT_READ, MAP_SHARED | MAP_FIXED, video.fd,
		       video.buffers[0].offset) == start,
		  "mmap over itself: expected success, got %s", strerror(errno));
	expect_all("after the replacement", start);
	tap_eq(SIGSEGV, content_access(start, true));
	video_close(&video);
}

/* Advice that makes no sense here: whatever the answer, the bytes stay. */
static void test_other_advice(const void *max_order)
{
	static const int advices[] = {
		MADV_NORMAL,	 MADV_RANDOM,	  MADV_SEQUENTIAL, MADV_WILLNEED,  MADV_FREE,
		MADV_REMOVE,	 MADV_DONTFORK,	  MADV_DOFORK,	   MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_HUGEPAGE,	 MADV_NOHUGEPAGE, MADV_DONTDUMP,   MADV_DODUMP,	   MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_COLD,	  MADV_PAGEOUT,	   MADV_COLLAPSE
	};
	struct video video;
	uint8_t *start = begin(&video, max_order);
	size_t i;

	for (i = 0; i < TAP_COUNT(advices); i++) {
		madvise(start, BIG_BYTES, advices[i]);
		madvise(start + 5 * 4096, 4096, advices[i]);
		expect_all("after advice", start);
	}
	video_close(&video);
}

static void test_wipe_on_fork_refused(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);

	must_refuse(EINVAL, sys(madvise(start, BIG_BYTES, MADV_FREE)));
	must_refuse(EINVAL, sys(madvise(start, BIG_BYTES, MADV_WIPEONFORK)));
	must_refuse(EINVAL, sys(madvise(start, BIG_BYTES, MADV_DODUMP)));
	video_close(&video);
}

/* One random operation on random pages; unmapped ones are remembered. */
static void random_operation(uint8_t *start, bool *gone)
{
	size_t page = rand() % PAGES, n = 1 + rand() % 8, i;

	if (page + n > PAGES)
		n = PAGES - page;
	switch (rand() % 5) {
	case 0:
		munmap(start + page * 4096, n * 4096);
		memset(gone + page, true, n);
		break;
	case 1:
		mprotect(start + page * 4096, n * 4096, PROT_READ);
		break;
	case 2:
		mprotect(start + page * 4096, n * 4096, PROT_READ | PROT_WRITE);
		break;
	case 3:
		madvise(start + page * 4096, n * 4096, MADV_DONTNEED);
		break;
	default:
		for (i = page; i < page + n; i++)
			if (!gone[i])
				content_expect("random page", start + i * 4096, 4096, 0, i * 4096);
	}
}

static void test_random_splits(const void *max_order)
{
	static bool gone[PAGES];
	struct video video;
	uint8_t *start;
	int round, i;

	for (round = 0; round < 10; round++) {
		start = begin(&video, max_order);
		memset(gone, 0, sizeof(gone));
		srand(round);
		for (i = 0; i < 500; i++)
			random_operation(start, gone);
		munmap(start, BIG_BYTES);
		video.buffers[0].start = NULL;
		must(video_map(&video, PROT_READ));
		expect_all("mapped again", video.buffers[0].start);
		video_close(&video);
	}
}

static void expect_flags(const char *what, const struct video *video)
{
	const uint8_t *start = video->buffers[0].start;
	const size_t bytes = buffers_mapped_bytes(&video->buffers[0]);

	tap_check(smaps_flag(start, bytes, "dd"), "%s: expected VM_DONTDUMP", what);
	tap_check(smaps_flag(start, bytes, "de"), "%s: expected VM_DONTEXPAND", what);
}

static void test_flags(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;

	begin(&video, max_order);
	expect_flags("capture", &video);
	video_close(&video);
	must(video_begin(&video, card.output, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 1));
	expect_flags("output", &video);
	video_close(&video);
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("a forked child reads the same", test_fork_child_reads),
	BUFFERS_BOTH("a forked child reads the same after its parent closed everything",
		     test_fork_child_outlives),
	BUFFERS_BOTH("what a forked child writes its parent reads", test_fork_shares),
	BUFFERS_BOTH("munmap of the first page leaves the rest", test_unmap_first),
	BUFFERS_BOTH("munmap of a page in the middle leaves the rest", test_unmap_middle),
	BUFFERS_BOTH("munmap of the last page leaves the rest", test_unmap_last),
	BUFFERS_BOTH("mremap moves a mapping with its bytes", test_move),
	BUFFERS_BOTH("mremap moves a part of a mapping with its bytes", test_move_part),
	BUFFERS_BOTH("mremap shrinks a mapping", test_shrink),
	BUFFERS_BOTH("mremap that would grow a mapping gives EFAULT", test_grow_refused),
	BUFFERS_BOTH("mremap that would grow a shrunk mapping gives EFAULT",
		     test_grow_back_refused),
	BUFFERS_BOTH("mremap that would duplicate a mapping gives EFAULT", test_duplicate_refused),
	BUFFERS_BOTH("mremap with MREMAP_DONTUNMAP gives EINVAL", test_dontunmap_refused),
	BUFFERS_BOTH("after MADV_DONTNEED the bytes are the same", test_dontneed),
	BUFFERS_BOTH("after MADV_DONTNEED of one page the bytes are the same",
		     test_dontneed_one_page),
	BUFFERS_BOTH("what is written while page tables come and go is right",
		     test_written_while_dropped),
	BUFFERS_BOTH("pages are written again after the soft-dirty bits were cleared",
		     test_soft_dirty),
	BUFFERS_BOTH("MAP_POPULATE leaves no fault to take", test_populate_flag),
	BUFFERS_BOTH("MADV_POPULATE_READ leaves no fault to take", test_populate_read),
	BUFFERS_BOTH("MADV_POPULATE_WRITE leaves no fault to take", test_populate_write),
	BUFFERS_BOTH("mlock faults every page in", test_mlock),
	BUFFERS_BOTH("mlockall faults every page in", test_mlockall),
	BUFFERS_BOTH("mprotect of one page and of all is obeyed and undone", test_mprotect),
	BUFFERS_BOTH("mprotect with PROT_EXEC gives EACCES", test_mprotect_exec_refused),
	BUFFERS_BOTH("remap_file_pages swaps two pages", test_remap_file_pages),
	BUFFERS_BOTH("remap_file_pages swaps pages of different chunks",
		     test_remap_file_pages_across_chunks),
	BUFFERS_BOTH("remap_file_pages beyond the buffer gives EINVAL",
		     test_remap_file_pages_bounds),
	BUFFERS_BOTH("MAP_FIXED over the mapping itself replaces it", test_fixed_over_itself),
	BUFFERS_BOTH("no other advice changes a byte", test_other_advice),
	BUFFERS_BOTH("a mapping is not dumped and does not grow: VmFlags dd and de", test_flags),
	BUFFERS_BOTH("MADV_FREE, WIPEONFORK and DODUMP give EINVAL", test_wipe_on_fork_refused),
	{ .claim = "5,000 random munmap, mprotect, madvise keep every byte (2 MiB chunks)",
	  .run_with = test_random_splits,
	  .arg = &fixture_huge,
	  .deadline_s = 240 },
	{ .claim = "5,000 random munmap, mprotect, madvise keep every byte (single pages)",
	  .run_with = test_random_splits,
	  .arg = &fixture_single,
	  .deadline_s = 240 },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
