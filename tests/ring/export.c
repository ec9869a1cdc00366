// SPDX-License-Identifier: MIT
/*
 * export: a range of the ring as a dma-buf: the same bytes, no right more, no byte more. What other
 * drivers may do with it: importers.c.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "content.h"
#include "module.h"
#include "ring.h"

#define LENGTH (4 * CHUNK_BYTES)
#define ODD_LENGTH (CHUNK_BYTES + 5 * PAGE_BYTES)

static uint8_t *map_export(int fd, size_t length, int prot)
{
	void *start = mmap(NULL, length, prot, MAP_SHARED, fd, 0);

	tap_check(start != MAP_FAILED, "mmap of a dma-buf: expected success, got %s",
		  strerror(errno));
	return start;
}

/* The range as the dma-buf shows it; the ring holds content of seed 0. */
static void expect_range(const struct ring *ring, uint64_t offset, uint64_t length)
{
	const uint64_t ring_length = ring->at.length, from = offset % ring_length;
	const size_t first = from + length > ring_length ? ring_length - from : length;
	int fd = must(ring_export(ring, offset, length));
	uint8_t *start = map_export(fd, length, PROT_READ);

	tap_eq(length, lseek(fd, 0, SEEK_END));
	content_expect("export", start, first, 0, from);
	content_expect("export behind the wrap", start + first, length - first, 0, 0);
	munmap(start, length);
	close(fd);
}

static void test_ranges(const void *length_of)
{
	const uint64_t length = *(const uint64_t *)length_of;
	struct ring ring = ring_frozen(length, fixture_huge);

	expect_range(&ring, 0, PAGE_BYTES);
	expect_range(&ring, 0, length);
	expect_range(&ring, length - PAGE_BYTES, 2 * PAGE_BYTES);
	expect_range(&ring, length / 2 / PAGE_BYTES * PAGE_BYTES, length);
	expect_range(&ring, length, length);
	expect_range(&ring, 2 * length - PAGE_BYTES, PAGE_BYTES);
	expect_range(&ring, 3 * PAGE_BYTES, CHUNK_BYTES);
	ring_close(&ring);
}

static void test_bounds(void)
{
	const uint64_t page = PAGE_BYTES, length = ODD_LENGTH;
	struct ring ring = ring_frozen(length, fixture_huge);

	must_refuse(EINVAL, ring_export(&ring, 0, length + page));
	must_refuse(EINVAL, ring_export(&ring, length + page, length));
	must_refuse(EINVAL, ring_export(&ring, 2 * length, page));
	must_refuse(EINVAL, ring_export(&ring, 2 * length - page, 2 * page));
	must_refuse(EINVAL, ring_export(&ring, 1, page));
	must_refuse(EINVAL, ring_export(&ring, page / 2, page));
	must_refuse(EINVAL, ring_export(&ring, 0, 0));
	must_refuse(EINVAL, ring_export(&ring, 0, page - 1));
	must_refuse(EINVAL, ring_export(&ring, ~0ull << 12, page));
	must_refuse(EINVAL, ring_export(&ring, ~0ull << 12, 2 * page));
	must_refuse(EINVAL, ring_export(&ring, page, ~0ull << 12));
	must_refuse(EINVAL, ring_export(&ring, 1ull << 44, page));
	must_refuse(EINVAL, ring_export(&ring, 1ull << 63, 1ull << 63));
	ring_close(&ring);
}

static long long try_map(int fd, size_t length, int prot, off_t offset)
{
	void *start = mmap(NULL, length, prot, MAP_SHARED, fd, offset);

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, length);
	return 0;
}

/* The dma-buf is a window: nothing beside it can be mapped through it. */
static void expect_window(const struct ring *ring, int prot)
{
	int fd = must(ring_export(ring, CHUNK_BYTES, 4 * PAGE_BYTES));
	uint8_t *start = map_export(fd, 4 * PAGE_BYTES, prot);

	must(try_map(fd, PAGE_BYTES, prot, 3 * PAGE_BYTES));
	must_refuse(EINVAL, try_map(fd, 5 * PAGE_BYTES, prot, 0));
	must_refuse(EINVAL, try_map(fd, PAGE_BYTES, prot, 4 * PAGE_BYTES));
	must_refuse(EINVAL, try_map(fd, 2 * PAGE_BYTES, prot, 3 * PAGE_BYTES));
	must_refuse(EFAULT, sys(mremap(start, 4 * PAGE_BYTES, 5 * PAGE_BYTES, MREMAP_MAYMOVE)));
	must_refuse(EINVAL, sys(remap_file_pages(start, PAGE_BYTES, 0, 0, 0)));
	must_refuse(EINVAL, sys(remap_file_pages(start, PAGE_BYTES, 0, 4, 0)));
	must_refuse(EINVAL, sys(remap_file_pages(start, PAGE_BYTES, 0, 2 * LENGTH / 4096, 0)));
	content_expect("window", start, 4 * PAGE_BYTES, 0, CHUNK_BYTES);
	munmap(start, 4 * PAGE_BYTES);
	close(fd);
}

static void test_window(void)
{
	struct ring ring = ring_frozen(LENGTH, fixture_huge);

	expect_window(&ring, PROT_READ);
	ring_close(&ring);
}

static void test_producer_window(void)
{
	struct ring ring;

	must(ring_setup(AVRING_STREAM_VIDEO, LENGTH, 0));
	ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	content_fill(ring.data, LENGTH, 0);
	expect_window(&ring, PROT_READ | PROT_WRITE);
	ring_close(&ring);
}

static void test_reader_cannot_write(void)
{
	struct ring ring = ring_frozen(LENGTH, fixture_huge);
	int fd = must(ring_export(&ring, 0, PAGE_BYTES));
	uint8_t *start = map_export(fd, PAGE_BYTES, PROT_READ);

	must_refuse(EACCES, try_map(fd, PAGE_BYTES, PROT_READ | PROT_WRITE, 0));
	must_refuse(EPERM, try_map(fd, PAGE_BYTES, PROT_READ | PROT_EXEC, 0));
	must_refuse(EACCES, sys(mprotect(start, PAGE_BYTES, PROT_READ | PROT_WRITE)));
	must_refuse(EACCES, sys(mprotect(start, PAGE_BYTES, PROT_READ | PROT_EXEC)));
	munmap(start, PAGE_BYTES);
	close(fd);
	ring_close(&ring);
}

static void test_producer_writes(void)
{
	struct ring producer, reader;
	uint8_t *start;
	int fd;

	must(ring_setup(AVRING_STREAM_VIDEO, LENGTH, 0));
	producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	reader = ring_reader(AVRING_STREAM_VIDEO);
	fd = must(ring_export(&producer, LENGTH - PAGE_BYTES, 2 * PAGE_BYTES));
	start = map_export(fd, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE);
	content_fill(start, 2 * PAGE_BYTES, 3);
	content_expect("across the wrap", reader.data + LENGTH - PAGE_BYTES, 2 * PAGE_BYTES, 3, 0);
	munmap(start, 2 * PAGE_BYTES);
	close(fd);
	ring_close(&reader);
	ring_close(&producer);
}

static int sync_for(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return sys(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync));
}

static void test_reader_syncs(void)
{
	struct ring ring = ring_frozen(LENGTH, fixture_huge);
	int fd = must(ring_export(&ring, 0, PAGE_BYTES));

	must(sync_for(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
	must(sync_for(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	must_refuse(EACCES, sync_for(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	must_refuse(EACCES, sync_for(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	close(fd);
	ring_close(&ring);
}

static void test_producer_syncs(void)
{
	struct ring ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	int fd = must(ring_export(&ring, 0, PAGE_BYTES));

	must(sync_for(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	must(sync_for(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	close(fd);
	ring_close(&ring);
}

static void test_flags(void)
{
	struct avring_export export = { .length = PAGE_BYTES, .fd = -1 };
	struct ring ring = ring_frozen(LENGTH, fixture_huge);

	must(ring_call(&ring, AVRING_IOC_EXPORT, &export));
	tap_eq(0, fcntl(export.fd, F_GETFD) & FD_CLOEXEC);
	close(export.fd);
	export.flags = O_CLOEXEC;
	must(ring_call(&ring, AVRING_IOC_EXPORT, &export));
	tap_eq(FD_CLOEXEC, fcntl(export.fd, F_GETFD) & FD_CLOEXEC);
	close(export.fd);
	ring_close(&ring);
}

/* A frame that is exported shows what the reader sees, and the next lap as well. */
static void test_live_frame(void)
{
	struct avring_entry entry;
	struct ring ring;
	uint8_t *start;
	int fd;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 0, 0));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	ring_wait_head(&ring, ring.at.next + 1);
	tap_check(ring_entry(&ring, ring.at.next, &entry), "entry: expected intact");
	fd = must(ring_export(&ring, entry.position % ring.at.length, SMALL_STRIDE));
	start = map_export(fd, SMALL_STRIDE, PROT_READ);
	must(frame_check(start, entry.length, NULL));
	tap_check(!memcmp(start, ring_bytes(&ring, &entry), entry.length),
		  "exported frame: expected the bytes of the ring");
	munmap(start, SMALL_STRIDE);
	close(fd);
	ring_close(&ring);
}

/* The dma-buf alone keeps memory and avring-core, neither device nor card. */
static void test_outlives(void)
{
	struct ring ring = ring_frozen(LENGTH, fixture_huge);
	int fd = must(ring_export(&ring, CHUNK_BYTES, CHUNK_BYTES));
	uint8_t *start;
	struct card card;

	ring_close(&ring);
	must(card_find(0, &card));
	must(card_unbind(&card));
	start = map_export(fd, CHUNK_BYTES, PROT_READ);
	content_expect("export", start, CHUNK_BYTES, 0, CHUNK_BYTES);
	module_expect_core_in_use();
	close(fd);
	must_refuse(EWOULDBLOCK, module_unload_one(MODULE_CORE));
	munmap(start, CHUNK_BYTES);
	must(module_unload_one(MODULE_CORE));
	must(module_load());
}

static const uint64_t whole = LENGTH, odd = ODD_LENGTH;

static const struct tap_test tests[] = {
	{ "ranges of a ring of whole chunks show its bytes, across the wrap, too",
	  .run_with = test_ranges, .arg = &whole },
	{ "ranges of a ring of odd length show its bytes", .run_with = test_ranges, .arg = &odd },
	{ "ranges off the pages or outside of the ring give EINVAL", .run = test_bounds },
	{ "a reader's dma-buf shows its range and nothing beside it", .run = test_window },
	{ "a producer's dma-buf shows its range and nothing beside it",
	  .run = test_producer_window },
	{ "a reader's dma-buf cannot be written", .run = test_reader_cannot_write },
	{ "a producer's dma-buf can, and his readers see it", .run = test_producer_writes },
	{ "DMA_BUF_IOCTL_SYNC of a reader's dma-buf is for reading: EACCES",
	  .run = test_reader_syncs },
	{ "that of a producer's for both", .run = test_producer_syncs },
	{ "O_CLOEXEC is as asked for", .run = test_flags },
	{ "an exported frame is that frame", .run = test_live_frame },
	{ "a dma-buf outlives file, device and card, and keeps avring-core", .run = test_outlives },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
