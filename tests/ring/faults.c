// SPDX-License-Identifier: MIT
/*
 * faults: what it costs to touch the linear view, and that its bytes are right
 * however they are mapped.
 *
 * One PMD maps a chunk only where virtual and physical address agree modulo 2 MiB.
 * A ring of whole chunks has that in both images. In any other ring the second image
 * lies askew to the chunks and must come in small pages, with the right bytes.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "content.h"
#include "dropper.h"
#include "pageinfo.h"
#include "ring.h"

#define WHOLE (64ul << 20)
#define ODD (WHOLE + 3 * PAGE_BYTES)

static long faults_of_touching(const uint8_t *start, size_t bytes)
{
	long before;

	content_touch(&before, 1);
	before = page_faults();
	content_touch(start, bytes);
	return page_faults() - before;
}

static long pmd_mapped(const struct ring *ring)
{
	return smaps_kb(ring->data, ring->at.data_size, "FilePmdMapped");
}

static struct ring reader_of(uint64_t length, long max_order)
{
	struct ring ring;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, length, 0));
	must(card_parameter_set("max_order", max_order));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	tap_eq(length, ring.at.length);
	tap_eq(2 * length, ring.at.data_size);
	return ring;
}

static void test_whole_chunks(void)
{
	struct ring ring = reader_of(WHOLE, fixture_huge);

	tap_eq(64, faults_of_touching(ring.data, 2 * WHOLE));
	tap_eq(131072, pmd_mapped(&ring));
	tap_eq(0, faults_of_touching(ring.data, 2 * WHOLE));
	ring_close(&ring);
}

/*
 * Three pages are a chunk of two and one of one. The tail is mapped chunk by chunk by some kernels,
 * by others page by page.
 */
static void test_odd_length(void)
{
	struct ring ring = reader_of(ODD, fixture_huge);
	long faults = faults_of_touching(ring.data, ODD);

	tap_check(faults == 32 + 3 || faults == 32 + 2,
		  "faults of the first image: expected 35 or 34, got %ld", faults);
	tap_eq(65536, pmd_mapped(&ring));
	tap_eq(16384 + 3, faults_of_touching(ring.data + ODD, ODD));
	tap_eq(65536, pmd_mapped(&ring));
	ring_close(&ring);
}

static void test_single_pages(void)
{
	struct ring ring = reader_of(WHOLE, fixture_single);

	tap_eq(32768, faults_of_touching(ring.data, 2 * WHOLE));
	tap_eq(0, pmd_mapped(&ring));
	ring_close(&ring);
}

/* The window of the second image alone. */
static void test_second_image_window(void)
{
	struct ring ring = reader_of(WHOLE, fixture_huge);
	uint8_t *window = ring_window(&ring, WHOLE, WHOLE, PROT_READ);

	tap_check(window != MAP_FAILED, "second image: expected to map, got %s", strerror(errno));
	tap_eq(32, faults_of_touching(window, WHOLE));
	tap_eq(65536, smaps_kb(window, WHOLE, "FilePmdMapped"));
	munmap(window, WHOLE);
	ring_close(&ring);
}

/* A page behind the start: the rest of the first chunk comes in small pages. */
static void test_window_within_a_chunk(void)
{
	const size_t bytes = WHOLE - PAGE_BYTES;
	struct ring ring = reader_of(WHOLE, fixture_huge);
	uint8_t *window = ring_window(&ring, PAGE_BYTES, bytes, PROT_READ);

	tap_check(window != MAP_FAILED, "window: expected to map, got %s", strerror(errno));
	content_touch(window, bytes);
	tap_eq(31 * 2048, smaps_kb(window, bytes, "FilePmdMapped"));
	munmap(window, bytes);
	ring_close(&ring);
}

static void test_producer_writes(void)
{
	struct ring ring;
	long before;
	size_t at;

	must(ring_setup(AVRING_STREAM_VIDEO, WHOLE, 0));
	ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	before = page_faults();
	for (at = 0; at < 2 * WHOLE; at += PAGE_BYTES)
		*(volatile uint8_t *)(ring.data + at) = 1;
	tap_eq(64, page_faults() - before);
	tap_eq(131072, pmd_mapped(&ring));
	ring_close(&ring);
}

/**
 * struct bytes - a ring whose bytes are looked at
 * @length: of the ring
 * @max_order: of its chunks
 */
struct bytes {
	uint64_t length;
	long max_order;
};

static const struct bytes whole = { WHOLE, 9 }, odd = { ODD, 9 }, single = { WHOLE, 0 },
			  odd_single = { ODD, 0 }, middle = { ODD, 5 },
			  short_of_a_chunk = { CHUNK_BYTES - PAGE_BYTES, 9 },
			  chunk_and_page = { CHUNK_BYTES + PAGE_BYTES, 9 };

static void test_bytes(const void *arg)
{
	const struct bytes *bytes = arg;
	struct ring ring = ring_frozen(bytes->length, bytes->max_order);

	content_expect("first image", ring.data, bytes->length, 0, 0);
	content_expect("second image", ring.data + bytes->length, bytes->length, 0, 0);
	ring_close(&ring);
}

/* The other order, and from the end to the start: who faults first must not matter. */
static void test_bytes_backwards(const void *arg)
{
	const struct bytes *bytes = arg;
	struct ring ring = ring_frozen(bytes->length, bytes->max_order);
	size_t at;

	for (at = bytes->length; at; at -= PAGE_BYTES)
		content_expect("page of the second image",
			       ring.data + bytes->length + at - PAGE_BYTES, PAGE_BYTES, 0,
			       at - PAGE_BYTES);
	content_expect("first image", ring.data, bytes->length, 0, 0);
	ring_close(&ring);
}

/* What is dropped comes back the same, in both images. */
static void test_bytes_after_dontneed(const void *arg)
{
	const struct bytes *bytes = arg;
	struct ring ring = ring_frozen(bytes->length, bytes->max_order);

	content_touch(ring.data, 2 * bytes->length);
	must(sys(madvise(ring.data, 2 * bytes->length, MADV_DONTNEED)));
	content_expect("second image", ring.data + bytes->length, bytes->length, 0, 0);
	content_expect("first image", ring.data, bytes->length, 0, 0);
	ring_close(&ring);
}

/* A page table that a fault has found may be gone when it comes to use it. */
static void test_bytes_while_dropped(const void *arg)
{
	const struct bytes *bytes = arg;
	struct ring ring = ring_frozen(bytes->length, bytes->max_order);
	struct dropper dropper;
	size_t page;
	int i;

	dropper_start(&dropper, ring.data, ring.at.data_size);
	for (i = 0; i < 20000; i++) {
		page = rand() % (ring.at.data_size / PAGE_BYTES);
		content_expect("random page", ring.data + page * PAGE_BYTES, PAGE_BYTES, 0,
			       page * PAGE_BYTES % bytes->length);
	}
	dropper_stop(&dropper);
	ring_close(&ring);
}

/* At an address that is off the 2 MiB grid as the mapping is not: small pages. */
static void test_bytes_off_the_grid(const void *arg)
{
	const struct bytes *bytes = arg;
	struct ring ring = ring_frozen(bytes->length, bytes->max_order);
	const size_t view = 2 * bytes->length;
	uint8_t *room = mmap(NULL, view + 2 * CHUNK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	uint8_t *at = (uint8_t *)(((uintptr_t)room | (CHUNK_BYTES - 1)) + 1 + PAGE_BYTES);

	at = mmap(at, view, PROT_READ, MAP_SHARED | MAP_FIXED, ring.fd, ring.at.data_offset);
	tap_check(at != MAP_FAILED, "mmap off the grid: expected success, got %s", strerror(errno));
	content_expect("first image", at, bytes->length, 0, 0);
	content_expect("second image", at + bytes->length, bytes->length, 0, 0);
	munmap(room, view + 2 * CHUNK_BYTES);
	ring_close(&ring);
}

#define BYTES(words, test, of) \
	{ \
		.claim = words, .run_with = test, .arg = &(of) \
	}

static const struct tap_test tests[] = {
	{ "128 MiB of a ring of 64 MiB take 64 faults, and all of it is PMD-mapped",
	  .run = test_whole_chunks },
	{ "three pages more: 512 faults a GiB and the tail for the first image, the second by pages",
	  .run = test_odd_length },
	{ "single pages take 32,768 faults", .run = test_single_pages },
	{ "a window of the second image is PMD-mapped, too", .run = test_second_image_window },
	{ "a window that begins within a chunk has small pages there only",
	  .run = test_window_within_a_chunk },
	{ "the producer writes 128 MiB with 64 faults", .run = test_producer_writes },
	BYTES("both images show the ring (whole chunks)", test_bytes, whole),
	BYTES("both images show the ring (three pages more)", test_bytes, odd),
	BYTES("both images show the ring (single pages)", test_bytes, single),
	BYTES("both images show the ring (three pages more, single pages)", test_bytes, odd_single),
	BYTES("both images show the ring (three pages more, chunks of 32 pages)", test_bytes,
	      middle),
	BYTES("both images show the ring (a page less than a chunk)", test_bytes, short_of_a_chunk),
	BYTES("both images show the ring (a chunk and a page)", test_bytes, chunk_and_page),
	BYTES("both images show the ring, touched from the end (whole chunks)",
	      test_bytes_backwards, whole),
	BYTES("both images show the ring, touched from the end (three pages more)",
	      test_bytes_backwards, odd),
	BYTES("both images are the same after MADV_DONTNEED (whole chunks)",
	      test_bytes_after_dontneed, whole),
	BYTES("both images are the same after MADV_DONTNEED (three pages more)",
	      test_bytes_after_dontneed, odd),
	BYTES("both images are right while their page tables come and go (whole chunks)",
	      test_bytes_while_dropped, whole),
	BYTES("both images are right while their page tables come and go (three pages more)",
	      test_bytes_while_dropped, odd),
	BYTES("both images show the ring at an address off the grid (whole chunks)",
	      test_bytes_off_the_grid, whole),
	BYTES("both images show the ring at an address off the grid (three pages more)",
	      test_bytes_off_the_grid, odd),
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
