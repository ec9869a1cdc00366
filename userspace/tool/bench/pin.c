// SPDX-License-Identifier: MIT
/*
 * B4: what it costs to hand memory to the kernel without a copy. The work is to
 * find the pages and to hold them, and depends on how they are mapped. Memory
 * of the kind that the kernel knows best, anonymous with huge pages, is the
 * floor.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "counter.h"
#include "disk.h"
#include "memory.h"

#define MEMORY_BYTES (16 * BENCH_MIB)

/**
 * struct sink - takes memory
 * @what: the way
 * @open: returns 0 or a negative errno
 * @give: hands over a MiB; what it does between @begin and @end is counted
 * @close: end
 */
struct sink {
	const char *what;
	int (*open)(struct sink *sink, const struct bench *bench);
	int (*give)(struct sink *sink, const void *data, uint64_t *cost);
	void (*close)(struct sink *sink);
	int fd[2];
};

static int open_disk(struct sink *sink, const struct bench *bench)
{
	sink->fd[0] = disk_open(bench->disk, O_DIRECT);
	return sink->fd[0] < 0 ? sink->fd[0] : 0;
}

static int give_disk(struct sink *sink, const void *data, uint64_t *cost)
{
	uint64_t start = counter_now();
	ssize_t n = pwrite(sink->fd[0], data, BENCH_MIB, 0);
	uint64_t end = counter_now();

	*cost = end - start;
	if (n < 0)
		return -errno;
	return n == BENCH_MIB ? 0 : -EIO;
}

static void close_disk(struct sink *sink)
{
	close(sink->fd[0]);
}

static int open_pipe(struct sink *sink, const struct bench *bench)
{
	(void)bench;
	if (pipe2(sink->fd, O_CLOEXEC))
		return -errno;
	if (fcntl(sink->fd[0], F_SETPIPE_SZ, BENCH_MIB) < 0) {
		int err = -errno;

		close(sink->fd[0]);
		close(sink->fd[1]);
		return err;
	}
	return 0;
}

/* Empty the pipe without a look at the pages. */
static int drain(struct sink *sink, size_t bytes)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (null < 0)
		return -errno;
	for (; bytes; bytes -= n) {
		n = splice(sink->fd[0], NULL, null, NULL, bytes, 0);
		if (n <= 0)
			break;
	}
	close(null);
	return bytes ? -EIO : 0;
}

static int give_pipe(struct sink *sink, const void *data, uint64_t *cost)
{
	const struct iovec piece = { .iov_base = (void *)data, .iov_len = BENCH_MIB };
	uint64_t start = counter_now();
	ssize_t n = vmsplice(sink->fd[1], &piece, 1, 0);
	uint64_t end = counter_now();

	*cost = end - start;
	if (n < 0)
		return -errno;
	return n == BENCH_MIB ? drain(sink, n) : -EIO;
}

static void close_pipe(struct sink *sink)
{
	close(sink->fd[0]);
	close(sink->fd[1]);
}

static struct sink sinks[] = {
	{ .what = "O_DIRECT write", .open = open_disk, .give = give_disk, .close = close_disk },
	{ .what = "vmsplice", .open = open_pipe, .give = give_pipe, .close = close_pipe },
};

/* A MiB that lies in one huge page, where the memory has such. */
static char *megabyte_of(const struct memory *memory)
{
	char *start = memory->pieces[0].start;
	size_t skip = -(uintptr_t)start % BENCH_HUGE_PAGE;

	return skip + BENCH_MIB <= memory->pieces[0].bytes ? start + skip : start;
}

static int least_cost(struct sink *sink, const struct bench *bench, const char *data,
		      uint64_t *least)
{
	uint64_t cost;
	int err = sink->open(sink, bench);

	if (err)
		return err;
	*least = UINT64_MAX;
	for (int i = 0; i < BENCH_REPEATS && !err; i++) {
		err = sink->give(sink, data, &cost);
		if (!err && cost < *least)
			*least = cost;
	}
	sink->close(sink);
	return err;
}

/* Every way for one kind of memory. */
static int give_all(struct bench *bench, const struct memory_maker *maker,
		    const struct memory *memory)
{
	const char *data = megabyte_of(memory);
	uint64_t least;
	int err, ret = 0;

	for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
		err = least_cost(&sinks[i], bench, data, &least);
		if (err)
			bench_missing(bench, sinks[i].what, "*/MiB", maker->who, "%s",
				      strerror(-err));
		else
			bench_value(bench, sinks[i].what, "*/MiB", maker->who, least);
		ret = ret ? ret : err;
	}
	return ret;
}

static void prepare(const struct memory *memory)
{
	if (memory->flags & MAP_ANONYMOUS) {
		madvise(memory->pieces[0].start, memory->pieces[0].bytes, MADV_HUGEPAGE);
		memset(memory->pieces[0].start, 1, memory->pieces[0].bytes);
	}
	memory_touch(memory);
}

static int measure(struct bench *bench, const struct memory_maker *maker)
{
	struct memory memory = { .fd = -1 };
	int err = maker->make(&memory, bench, MEMORY_BYTES);

	if (!err) {
		err = memory_map(&memory);
		if (!err) {
			prepare(&memory);
			err = give_all(bench, maker, &memory);
		}
		memory_unmap(&memory);
		maker->release(&memory);
		return err;
	}
	for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++)
		bench_missing(bench, sinks[i].what, "*/MiB", maker->who, "%s",
			      err == -ENODEV || err == -ENOENT ? maker->missing : strerror(-err));
	return err;
}

int bench_pin(struct bench *bench)
{
	int err = measure(bench, &memory_ring);

	measure(bench, &memory_anonymous);
	measure(bench, &memory_vivid);
	return err;
}
