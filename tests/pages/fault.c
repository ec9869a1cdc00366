// SPDX-License-Identifier: MIT
/*
 * fault: how many faults a mapping costs, and that the memory is the same however
 * it was mapped.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "pageinfo.h"

#define N_BUFFERS 8

static long faults_of_touching(const struct video *video, unsigned int n)
{
	long before;
	unsigned int i;

	content_touch(&before, 1);
	before = page_faults();
	for (i = 0; i < n; i++)
		content_touch(video->buffers[i].start, video->buffers[i].length);
	return page_faults() - before;
}

static long pmd_mapped_kb(const struct video *video, unsigned int n)
{
	long sum = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		sum += smaps_kb(video->buffers[i].start, buffers_mapped_bytes(&video->buffers[i]),
				"FilePmdMapped");
	return sum;
}

static void test_chunks_fault_once(void)
{
	struct video video;

	buffers_begin(&video, fixture_huge, BIG_WIDTH, BIG_HEIGHT, N_BUFFERS);
	tap_eq(32, faults_of_touching(&video, N_BUFFERS));
	tap_eq(65536, pmd_mapped_kb(&video, N_BUFFERS));
	video_close(&video);
}

static void test_meminfo_counts_chunks(void)
{
	long before = meminfo_kb("FilePmdMapped");
	struct video video;

	tap_check(before >= 0, "/proc/meminfo: expected a line FilePmdMapped, got none");
	buffers_begin(&video, fixture_huge, BIG_WIDTH, BIG_HEIGHT, N_BUFFERS);
	faults_of_touching(&video, N_BUFFERS);
	tap_eq(65536, meminfo_kb("FilePmdMapped") - before);
	video_close(&video);
	tap_eq(0, meminfo_kb("FilePmdMapped") - before);
}

static void test_single_pages_fault_each(void)
{
	struct video video;

	buffers_begin(&video, fixture_single, BIG_WIDTH, BIG_HEIGHT, N_BUFFERS);
	tap_eq(16384, faults_of_touching(&video, N_BUFFERS));
	tap_eq(0, pmd_mapped_kb(&video, N_BUFFERS));
	video_close(&video);
}

/*
 * What no PMD fits is mapped page by page, or, by newer kernels (seen on 7.2, not
 * yet on 6.12), chunk by chunk.
 */
static void expect_faults_of_parts(const struct video *video, long pages, long chunks)
{
	long faults = faults_of_touching(video, 1);

	tap_check(faults == pages || faults == chunks, "faults: expected %ld or %ld, got %ld",
		  pages, chunks, faults);
}

static void test_smaller_chunks_fault_in_parts(void)
{
	struct video video;

	buffers_begin(&video, 8, BIG_WIDTH, BIG_HEIGHT, 1);
	expect_faults_of_parts(&video, BIG_BYTES / 4096, BIG_BYTES / (CHUNK_BYTES / 2));
	tap_eq(0, pmd_mapped_kb(&video, 1));
	video_close(&video);
}

/* 1013 pages are 512 + 256 + 128 + 64 + 32 + 16 + 4 + 1. */
static void test_tail_faults(void)
{
	struct video video;

	buffers_begin(&video, fixture_huge, TAIL_WIDTH, TAIL_HEIGHT, 1);
	tap_eq(TAIL_BYTES, video.buffers[0].length);
	expect_faults_of_parts(&video, 1 + TAIL_PAGES - CHUNK_PAGES, 8);
	tap_eq(2048, pmd_mapped_kb(&video, 1));
	video_close(&video);
}

static void test_write_faults_once(void)
{
	struct video video;
	size_t i;
	long before;

	buffers_begin(&video, fixture_huge, BIG_WIDTH, BIG_HEIGHT, 1);
	before = page_faults();
	for (i = 0; i < BIG_BYTES; i += 4096)
		*(volatile uint8_t *)(video.buffers[0].start + i) = 1;
	tap_eq(BIG_BYTES / CHUNK_BYTES, page_faults() - before);
	video_close(&video);
}

/* Write after read: the first fault maps writable, so the second costs none. */
static void test_write_after_read_is_free(const void *max_order)
{
	struct video video;
	size_t i;
	long before;

	buffers_begin(&video, *(const long *)max_order, BIG_WIDTH, BIG_HEIGHT, 1);
	content_touch(video.buffers[0].start, BIG_BYTES);
	before = page_faults();
	for (i = 0; i < BIG_BYTES; i += 4096)
		*(volatile uint8_t *)(video.buffers[0].start + i) = 1;
	tap_eq(0, page_faults() - before);
	video_close(&video);
}

static void test_frame_is_exact(uint32_t width, uint32_t height, long max_order)
{
	struct v4l2_buffer buffer;
	struct video video;

	buffers_begin(&video, max_order, width, height, 2);
	must(video_one_frame(&video, &buffer));
	tap_eq(video.pix.sizeimage, buffer.bytesused);
	must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
	video_close(&video);
}

static void test_big_frame_is_exact(const void *max_order)
{
	test_frame_is_exact(BIG_WIDTH, BIG_HEIGHT, *(const long *)max_order);
}

static void test_tail_frame_is_exact(const void *max_order)
{
	test_frame_is_exact(TAIL_WIDTH, TAIL_HEIGHT, *(const long *)max_order);
}

/* The kernel writes the frame, not what lies behind it in the last page. */
static void test_rest_of_last_page_is_zero(const void *max_order)
{
	struct v4l2_buffer buffer;
	struct video video;

	buffers_begin(&video, *(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT, 2);
	must(video_one_frame(&video, &buffer));
	content_expect_zero("rest of the last page", video.buffers[buffer.index].start + TAIL_BYTES,
			    TAIL_PAGES * 4096 - TAIL_BYTES);
	video_close(&video);
}

/* What is written through one mapping is read through another at any alignment. */
static void test_second_mapping_shows_the_same(const void *max_order)
{
	struct video video;
	uint8_t *room, *second;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	room = mmap(NULL, BIG_BYTES + 2 * CHUNK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	second = mmap((void *)(((uintptr_t)room | (CHUNK_BYTES - 1)) + 1 + 4096), BIG_BYTES,
		      PROT_READ, MAP_SHARED | MAP_FIXED, video.fd, video.buffers[0].offset);
	tap_check(second != MAP_FAILED, "mmap at a page after 2 MiB: expected success, got %s",
		  strerror(errno));
	content_expect("second mapping", second, BIG_BYTES, 0, 0);
	tap_eq(0, smaps_kb(second, BIG_BYTES, "FilePmdMapped"));
	munmap(room, BIG_BYTES + 2 * CHUNK_BYTES);
	video_close(&video);
}

/* A mapping of less than a chunk must not show more than was asked for. */
static void test_short_mapping_ends(const void *max_order)
{
	struct video video;
	uint8_t *room, *part;
	unsigned char seen;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	video_unmap(&video);
	room = mmap(NULL, 2 * CHUNK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	part = (uint8_t *)(((uintptr_t)room | (CHUNK_BYTES - 1)) + 1);
	munmap(room, 2 * CHUNK_BYTES);
	part = mmap(part, 3 * 4096, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, video.fd,
		    video.buffers[0].offset);
	tap_check(part != MAP_FAILED, "mmap of 3 pages: expected success, got %s", strerror(errno));
	content_expect("3 pages", part, 3 * 4096, 0, 0);
	must_refuse(ENOMEM, sys(mincore(part + 3 * 4096, 4096, &seen)));
	munmap(part, 3 * 4096);
	video_close(&video);
}

static const struct tap_test tests[] = {
	{ "64 MiB of buffers made of 2 MiB chunks take 32 faults, and smaps says so",
	  .run = test_chunks_fault_once },
	{ "/proc/meminfo counts 64 MiB as FilePmdMapped, and none after munmap",
	  .run = test_meminfo_counts_chunks },
	{ "64 MiB of buffers made of single pages take 16,384 faults",
	  .run = test_single_pages_fault_each },
	{ "chunks of 1 MiB take a fault per page or per chunk",
	  .run = test_smaller_chunks_fault_in_parts },
	{ "a buffer with a tail takes one fault for its 2 MiB chunk", .run = test_tail_faults },
	{ "writing first takes no more faults than reading", .run = test_write_faults_once },
	BUFFERS_BOTH("writing after reading takes no fault", test_write_after_read_is_free),
	BUFFERS_BOTH("an 8 MiB frame has the right CRC", test_big_frame_is_exact),
	BUFFERS_BOTH("a frame that ends within a page has the right CRC", test_tail_frame_is_exact),
	BUFFERS_BOTH("behind the frame the last page is zero", test_rest_of_last_page_is_zero),
	BUFFERS_BOTH("a second mapping off the 2 MiB grid shows the same bytes",
		     test_second_mapping_shows_the_same),
	BUFFERS_BOTH("a mapping of three pages shows three pages", test_short_mapping_ends),
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
