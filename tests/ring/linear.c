// SPDX-License-Identifier: MIT
/*
 * linear: whatever is taken out of the linear view, and however it is mapped, it is
 * what lies there in the ring; what lies outside cannot be mapped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "content.h"
#include "disk.h"
#include "ring.h"

#define SPANS 250000
#define WINDOWS 20000
#define SMALL_RING (19 * PAGE_BYTES)
#define ODD_RING (4 * CHUNK_BYTES + 3 * PAGE_BYTES)
#define WHOLE_RING (4 * CHUNK_BYTES)

/**
 * struct sort - a sort of ring
 * @length: of the ring
 * @max_order: of its chunks
 */
struct sort {
	uint64_t length;
	long max_order;
};

static const struct sort small_ring = { SMALL_RING, 9 }, whole_ring = { WHOLE_RING, 9 },
			 odd_ring = { ODD_RING, 9 }, single_ring = { ODD_RING, 0 };

/* The ring twice in a row, put together from a mapping of the first image alone. */
static uint8_t *reference(const struct ring *ring)
{
	const size_t length = ring->at.length;
	uint8_t *copy = malloc(2 * length), *image = ring_window(ring, 0, length, PROT_READ);

	tap_check(copy && image != MAP_FAILED, "first image: expected to map, got %s",
		  strerror(errno));
	memcpy(copy, image, length);
	memcpy(copy + length, image, length);
	munmap(image, length);
	content_expect("reference", copy, length, 0, 0);
	return copy;
}

/* Short ones mostly, so that the seam itself is what is tested. */
static size_t random_span(size_t most)
{
	size_t bytes = 1 + (size_t)rand() % (rand() % 64 ? 256 : 65536);

	return bytes < most ? bytes : most;
}

static void test_spans(const void *arg)
{
	const struct sort *sort = arg;
	struct ring ring = ring_frozen(sort->length, sort->max_order);
	const size_t length = sort->length;
	uint8_t *expected = reference(&ring);
	size_t i, bytes, before, at;

	srand(length);
	for (i = 0; i < SPANS; i++) {
		bytes = 1 + random_span(length - 1);
		before = 1 + (size_t)rand() % (bytes - 1);
		at = length - before;
		tap_check(!memcmp(ring.data + at, expected + at, bytes),
			  "%zu bytes at %zu: expected those of the ring, got others", bytes, at);
	}
	free(expected);
	ring_close(&ring);
}

/* A window, valid or not quite; in pages. */
static void random_window(uint64_t region_pages, uint64_t *offset, uint64_t *pages)
{
	*offset = (uint64_t)rand() % region_pages;
	*pages = 1 + (uint64_t)rand() % (region_pages - *offset);
	switch (rand() % 8) {
	case 0:
		*pages = region_pages - *offset + 1 + (uint64_t)rand() % 3;
		break;
	case 1:
		*offset += 1ull << rand() % 30;
		break;
	case 2:
		*pages = (1ull << rand() % 30) + (uint64_t)rand() % 3;
		break;
	case 3:
		*pages = 1;
		break;
	default:
		break;
	}
}

static bool window_valid(uint64_t region_pages, uint64_t offset, uint64_t pages)
{
	return pages <= region_pages && offset <= region_pages - pages;
}

/* All of a small window, the ends and the seam of a large one. */
static void expect_window(const uint8_t *window, uint64_t offset, uint64_t pages,
			  uint64_t ring_pages)
{
	uint64_t i;

	for (i = 0; i < pages; i++) {
		if (pages > 16 && i > 2 && i < pages - 2 && (offset + i + 1) % ring_pages > 2)
			continue;
		content_expect("page of a window", window + i * PAGE_BYTES, PAGE_BYTES, 0,
			       (offset + i) % ring_pages * PAGE_BYTES);
	}
}

static void test_windows(const void *arg)
{
	const struct sort *sort = arg;
	struct ring ring = ring_frozen(sort->length, sort->max_order);
	const uint64_t ring_pages = sort->length / PAGE_BYTES;
	uint64_t offset, pages;
	unsigned int i, mapped = 0;
	uint8_t *window;

	srand(sort->length);
	for (i = 0; i < WINDOWS; i++) {
		random_window(2 * ring_pages, &offset, &pages);
		window = ring_window(&ring, offset * PAGE_BYTES, pages * PAGE_BYTES, PROT_READ);
		tap_check((window != MAP_FAILED) == window_valid(2 * ring_pages, offset, pages),
			  "%llu pages at page %llu of %llu: expected %s, got %s",
			  (unsigned long long)pages, (unsigned long long)offset,
			  (unsigned long long)(2 * ring_pages),
			  window == MAP_FAILED ? "a mapping" : "a refusal", strerror(errno));
		if (window == MAP_FAILED) {
			tap_check(errno == EINVAL, "window outside: expected EINVAL, got %s",
				  strerror(errno));
			continue;
		}
		expect_window(window, offset, pages, ring_pages);
		munmap(window, pages * PAGE_BYTES);
		mapped++;
	}
	tap_check(mapped > WINDOWS / 4, "windows: expected many to map, got %u", mapped);
	ring_close(&ring);
}

static long long try_map(const struct ring *ring, size_t length, uint64_t offset)
{
	void *start = mmap(NULL, length, PROT_READ, MAP_SHARED, ring->fd, offset);

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, length);
	return 0;
}

/* A region: its whole, its end, and what is just outside. */
static void expect_bounds(const struct ring *ring, uint64_t offset, uint64_t size)
{
	must(try_map(ring, size, offset));
	must(try_map(ring, PAGE_BYTES, offset + size - PAGE_BYTES));
	must_refuse(EINVAL, try_map(ring, size + 1, offset));
	must_refuse(EINVAL, try_map(ring, size, offset + PAGE_BYTES));
	must_refuse(EINVAL, try_map(ring, PAGE_BYTES, offset + size));
	must_refuse(EINVAL, try_map(ring, 1, offset + size));
	must_refuse(EINVAL, try_map(ring, 0, offset));
	must_refuse(EINVAL, try_map(ring, PAGE_BYTES, offset + 1));
	must_refuse(EINVAL, try_map(ring, PAGE_BYTES, offset + PAGE_BYTES / 2));
}

static void test_regions(void)
{
	struct ring ring = ring_frozen(ODD_RING, fixture_huge);

	expect_bounds(&ring, ring.at.control_offset, ring.at.control_size);
	expect_bounds(&ring, ring.at.index_offset, ring.at.index_size);
	expect_bounds(&ring, ring.at.data_offset, ring.at.data_size);
	ring_close(&ring);
}

static bool is_inside(const struct avring_attach *at, uint64_t offset)
{
	return offset - at->control_offset < at->control_size ||
	       offset - at->index_offset < at->index_size ||
	       offset - at->data_offset < at->data_size;
}

/* Nothing is mapped outside of the three regions, wherever it is looked for. */
static void test_between_regions(void)
{
	struct ring ring = ring_frozen(ODD_RING, fixture_huge);
	const struct avring_attach *at = &ring.at;
	unsigned int bit, refused = 0;
	uint64_t offset;

	for (bit = 12; bit < 126; bit++) {
		offset = bit < 63 ? 1ull << bit : at->data_offset ^ 1ull << (bit - 63);
		if (is_inside(at, offset) || offset % PAGE_BYTES || offset >> 63)
			continue;
		must_refuse(EINVAL, try_map(&ring, PAGE_BYTES, offset));
		refused++;
	}
	tap_check(refused > 60, "offsets outside: expected many, got %u", refused);
	must_refuse(EINVAL, try_map(&ring, at->data_offset + at->data_size, 0));
	must_refuse(EINVAL, try_map(&ring, PAGE_BYTES, at->index_offset - PAGE_BYTES));
	must_refuse(EINVAL, try_map(&ring, PAGE_BYTES, at->data_offset - PAGE_BYTES));
	must_refuse(EINVAL, try_map(&ring, 2 * PAGE_BYTES, at->index_offset - PAGE_BYTES));
	must_refuse(EINVAL, try_map(&ring, 2 * PAGE_BYTES, at->data_offset - PAGE_BYTES));
	must_refuse(EOVERFLOW, try_map(&ring, 2 * PAGE_BYTES, ~0ull << 12));
	must_refuse(EINVAL, try_map(&ring, PAGE_BYTES, (1ull << 63) - PAGE_BYTES));
	ring_close(&ring);
}

#define STRADDLE (2ul << 20)

static uint8_t *disk_buffer(void)
{
	void *buffer = aligned_alloc(PAGE_BYTES, STRADDLE);

	tap_check(buffer, "%lu bytes: expected memory", STRADDLE);
	memset(buffer, 0, STRADDLE);
	return buffer;
}

/* The start of the span before the wrap; 512 is the smallest that O_DIRECT takes. */
static void expect_written(const struct ring *ring, int disk, size_t before,
			   const uint8_t *expected)
{
	const size_t at = ring->at.length - before;
	uint8_t *back = disk_buffer();

	tap_eq(STRADDLE, pwrite(disk, ring->data + at, STRADDLE, 0));
	tap_eq(STRADDLE, pread(disk, back, STRADDLE, 0));
	tap_check(!memcmp(back, expected + at, STRADDLE),
		  "O_DIRECT of %lu bytes, %zu before the wrap: expected them back, got others",
		  STRADDLE, before);
	free(back);
}

static void test_disk_write(const void *arg)
{
	const struct sort *sort = arg;
	int disk = disk_open();
	struct ring ring = ring_frozen(sort->length, sort->max_order);
	uint8_t *expected = reference(&ring);

	expect_written(&ring, disk, STRADDLE / 2, expected);
	expect_written(&ring, disk, PAGE_BYTES, expected);
	expect_written(&ring, disk, STRADDLE - PAGE_BYTES, expected);
	expect_written(&ring, disk, 512, expected);
	expect_written(&ring, disk, STRADDLE - 512, expected);
	free(expected);
	close(disk);
	ring_close(&ring);
}

/* The other way round: a disk read goes into the producer's ring, across the wrap. */
static void test_disk_read(const void *arg)
{
	const struct sort *sort = arg;
	int disk = disk_open();
	uint8_t *buffer = disk_buffer();
	struct ring ring;
	size_t at;

	content_fill(buffer, STRADDLE, 5);
	tap_eq(STRADDLE, pwrite(disk, buffer, STRADDLE, 0));
	must(ring_setup(AVRING_STREAM_VIDEO, sort->length, 0));
	must(card_parameter_set("max_order", sort->max_order));
	ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	at = ring.at.length - STRADDLE / 2;
	tap_eq(STRADDLE, pread(disk, ring.data + at, STRADDLE, 0));
	content_expect("before the wrap", ring.data + at, STRADDLE / 2, 5, 0);
	content_expect("behind the wrap", ring.data, STRADDLE / 2, 5, STRADDLE / 2);
	content_expect("across the wrap", ring.data + at, STRADDLE, 5, 0);
	ring_close(&ring);
	free(buffer);
	close(disk);
}

#define SORTS(words, test, seconds) \
	{ .claim = words " (whole chunks)", \
	  .run_with = test, \
	  .arg = &whole_ring, \
	  .deadline_s = seconds }, \
		{ .claim = words " (three pages more)", \
		  .run_with = test, \
		  .arg = &odd_ring, \
		  .deadline_s = seconds }, \
	{ \
		.claim = words " (single pages)", .run_with = test, .arg = &single_ring, \
		.deadline_s = seconds \
	}

static const struct tap_test tests[] = {
	SORTS("250,000 random spans across the wrap are those of the ring", test_spans, 300),
	{ "250,000 random spans across the wrap are those of the ring (19 pages)",
	  .run_with = test_spans, .arg = &small_ring, .deadline_s = 300 },
	SORTS("20,000 random windows show the ring or are refused", test_windows, 300),
	{ "20,000 random windows show the ring or are refused (19 pages)", .run_with = test_windows,
	  .arg = &small_ring, .deadline_s = 300 },
	{ "each region maps as a whole and not a byte more", .run = test_regions },
	{ "nothing is mapped outside of the regions", .run = test_between_regions },
	SORTS("O_DIRECT writes across the wrap read back identical", test_disk_write, 0),
	SORTS("an O_DIRECT read fills the producer's ring across the wrap", test_disk_read, 0),
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
