// SPDX-License-Identifier: MIT
/*
 * uring: io_uring takes pages out of a mapping as others do (see gup.c), and keeps them
 * where buffers are registered. System calls only: no library is needed.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "disk.h"

#define URING_ENTRIES 4

/**
 * struct uring - one io_uring, one request at a time
 * @fd: its file descriptor
 * @params: offsets in @rings
 * @rings: both rings; the kernel maps them as one
 * @bytes: of @rings
 * @requests: submission entries
 */
struct uring {
	int fd;
	struct io_uring_params params;
	uint8_t *rings;
	size_t bytes;
	struct io_uring_sqe *requests;
};

/* Where an administrator has turned it off; older kernels have no such file. */
static void uring_allow(void)
{
	int fd = open("/proc/sys/kernel/io_uring_disabled", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	tap_eq(1, write(fd, "0", 1));
	close(fd);
}

static void *uring_map(const struct uring *uring, size_t bytes, off_t offset)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			   uring->fd, offset);

	tap_check(start != MAP_FAILED, "io_uring mmap: expected success, got %s", strerror(errno));
	return start;
}

static struct uring uring_open(void)
{
	struct uring uring = { 0 };
	const struct io_uring_params *params = &uring.params;
	size_t sq, cq;

	uring_allow();
	uring.fd = must(sys(syscall(SYS_io_uring_setup, URING_ENTRIES, &uring.params)));
	tap_check(params->features & IORING_FEAT_SINGLE_MMAP, "io_uring: expected one mapping");
	sq = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
	cq = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	uring.bytes = sq > cq ? sq : cq;
	uring.rings = uring_map(&uring, uring.bytes, IORING_OFF_SQ_RING);
	uring.requests = uring_map(&uring, params->sq_entries * sizeof(*uring.requests),
				   IORING_OFF_SQES);
	return uring;
}

static void uring_close(struct uring *uring)
{
	munmap(uring->requests, uring->params.sq_entries * sizeof(*uring->requests));
	munmap(uring->rings, uring->bytes);
	close(uring->fd);
}

static uint32_t *uring_word(const struct uring *uring, uint32_t offset)
{
	return (uint32_t *)(uring->rings + offset);
}

static void uring_submit(const struct uring *uring, const struct io_uring_sqe *request)
{
	const struct io_sqring_offsets *at = &uring->params.sq_off;
	const uint32_t tail = *uring_word(uring, at->tail);
	const uint32_t slot = tail & *uring_word(uring, at->ring_mask);

	uring->requests[slot] = *request;
	uring_word(uring, at->array)[slot] = slot;
	__atomic_store_n(uring_word(uring, at->tail), tail + 1, __ATOMIC_RELEASE);
	tap_eq(1, must(sys(syscall(SYS_io_uring_enter, uring->fd, 1, 1, IORING_ENTER_GETEVENTS,
				   NULL, 0))));
}

/* What came of the request: a number of bytes or -errno. */
static int uring_result(const struct uring *uring)
{
	const struct io_cqring_offsets *at = &uring->params.cq_off;
	const uint32_t head = *uring_word(uring, at->head);
	const struct io_uring_cqe *done = (const void *)(uring->rings + at->cqes);
	int result;

	tap_check(__atomic_load_n(uring_word(uring, at->tail), __ATOMIC_ACQUIRE) != head,
		  "io_uring: expected a completion, got none");
	result = done[head & *uring_word(uring, at->ring_mask)].res;
	__atomic_store_n(uring_word(uring, at->head), head + 1, __ATOMIC_RELEASE);
	return result;
}

/* All of it, in as many requests as it takes. */
static void uring_move(const struct uring *uring, uint8_t opcode, int disk, const uint8_t *start)
{
	struct io_uring_sqe request = { .opcode = opcode, .fd = disk };
	size_t at;
	int n;

	for (at = 0; at < BIG_BYTES; at += n) {
		request.addr = (uintptr_t)start + at;
		request.len = BIG_BYTES - at;
		request.off = at;
		uring_submit(uring, &request);
		n = uring_result(uring);
		tap_check(n > 0, "request %u at %zu: expected bytes, got %s", opcode, at,
			  n ? strerrorname_np(-n) : "none");
	}
}

static int uring_register(const struct uring *uring, uint8_t *start)
{
	struct iovec buffer = { start, BIG_BYTES };

	return sys(syscall(SYS_io_uring_register, uring->fd, IORING_REGISTER_BUFFERS, &buffer, 1));
}

static void uring_unregister(const struct uring *uring)
{
	must(sys(syscall(SYS_io_uring_register, uring->fd, IORING_UNREGISTER_BUFFERS, NULL, 0)));
}

/* Linux 6.5 has left the question to get_user_pages; before, a file had to be one of shmem. */
static bool registers_files(void)
{
	struct utsname name;
	int major, minor;

	must(sys(uname(&name)));
	tap_eq(2, sscanf(name.release, "%d.%d", &major, &minor));
	return major > 6 || (major == 6 && minor >= 5);
}

/* One mapped buffer with content of @seed, none of it faulted in yet. */
static uint8_t *begin(struct video *video, const void *max_order, uint64_t seed)
{
	buffers_begin(video, *(const long *)max_order, BIG_WIDTH, BIG_HEIGHT, 1);
	content_fill(video->buffers[0].start, BIG_BYTES, seed);
	must(sys(madvise(video->buffers[0].start, BIG_BYTES, MADV_DONTNEED)));
	return video->buffers[0].start;
}

/* Aligned for O_DIRECT. */
static uint8_t *memory(void)
{
	uint8_t *start = mmap(NULL, BIG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);

	tap_check(start != MAP_FAILED, "anonymous mmap: expected success, got %s", strerror(errno));
	return start;
}

static void expect_disk(int disk, uint64_t seed)
{
	uint8_t *copy = memory();
	size_t at;
	ssize_t n;

	for (at = 0; at < BIG_BYTES; at += n) {
		n = pread(disk, copy + at, BIG_BYTES - at, at);
		tap_check(n > 0, "disk: expected bytes, got %zd (%s)", n, strerror(errno));
	}
	content_expect("disk", copy, BIG_BYTES, seed, 0);
	munmap(copy, BIG_BYTES);
}

static void test_write(const void *max_order)
{
	struct uring uring = uring_open();
	int disk = disk_open();
	struct video video;

	uring_move(&uring, IORING_OP_WRITE, disk, begin(&video, max_order, 11));
	expect_disk(disk, 11);
	video_close(&video);
	close(disk);
	uring_close(&uring);
}

static void test_read(const void *max_order)
{
	struct uring uring = uring_open();
	int disk = disk_open();
	uint8_t *source = memory(), *start;
	struct video video;

	content_fill(source, BIG_BYTES, 12);
	tap_eq(BIG_BYTES, pwrite(disk, source, BIG_BYTES, 0));
	start = begin(&video, max_order, 13);
	uring_move(&uring, IORING_OP_READ, disk, start);
	content_expect("buffer read from the disk", start, BIG_BYTES, 12, 0);
	video_close(&video);
	munmap(source, BIG_BYTES);
	close(disk);
	uring_close(&uring);
}

/* @later: when neither the mapping nor the file is there any more. */
static void write_fixed(const void *max_order, uint64_t seed, bool later)
{
	struct uring uring = uring_open();
	int disk = disk_open();
	struct video video;
	uint8_t *start = begin(&video, max_order, seed);
	const int error = uring_register(&uring, start);

	if (registers_files())
		must(error);
	else
		must_refuse(EOPNOTSUPP, error);
	if (later)
		video_close(&video);
	if (!error) {
		uring_move(&uring, IORING_OP_WRITE_FIXED, disk, start);
		expect_disk(disk, seed);
	}
	if (!error && !later)
		uring_unregister(&uring);
	if (!later)
		video_close(&video);
	close(disk);
	uring_close(&uring);
}

static void test_write_fixed(const void *max_order)
{
	write_fixed(max_order, 14, false);
}

/* The pages are the ring's; that they are freed in the end is seen by the runner. */
static void test_write_fixed_later(const void *max_order)
{
	write_fixed(max_order, 15, true);
}

static void test_read_only(const void *max_order)
{
	struct uring uring = uring_open();
	struct video video;

	begin(&video, max_order, 16);
	video_unmap(&video);
	must(video_map(&video, PROT_READ));
	must_refuse(EFAULT, uring_register(&uring, video.buffers[0].start));
	video_close(&video);
	uring_close(&uring);
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("IORING_OP_WRITE puts the buffer on the disk", test_write),
	BUFFERS_BOTH("IORING_OP_READ fills the buffer from the disk", test_read),
	BUFFERS_BOTH("a registered buffer goes to the disk; before Linux 6.5 it is EOPNOTSUPP",
		     test_write_fixed),
	BUFFERS_BOTH("a registered buffer outlives its mapping and its file; from Linux 6.5 on",
		     test_write_fixed_later),
	BUFFERS_BOTH("to register a read-only mapping gives EFAULT", test_read_only),
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
