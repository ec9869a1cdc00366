// SPDX-License-Identifier: MIT
/*
 * pinned: a page that somebody holds outlives mapping, buffer, file and device,
 * with its old bytes, and is freed when he lets go.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "module.h"
#include "pageinfo.h"

/* What a pipe of default size holds without copying. */
#define HELD_BYTES 65536
#define HELD_FROM (CHUNK_BYTES - 5 * 4096)

struct pipe {
	int ends[2];
};

/* Part of a filled buffer of seed 0, across two chunks, into a pipe. */
static struct pipe hold(const struct video *video)
{
	struct iovec pages = { video->buffers[0].start + HELD_FROM, HELD_BYTES };
	struct pipe pipe;

	must(sys(pipe2(pipe.ends, O_CLOEXEC)));
	tap_eq(HELD_BYTES, vmsplice(pipe.ends[1], &pages, 1, 0));
	return pipe;
}

static void expect_held(const struct pipe *pipe)
{
	static uint8_t copy[HELD_BYTES];

	tap_eq(HELD_BYTES, read(pipe->ends[0], copy, HELD_BYTES));
	content_expect("bytes that the pipe held", copy, HELD_BYTES, 0, HELD_FROM);
	close(pipe->ends[0]);
	close(pipe->ends[1]);
}

static void test_outlives_munmap(const void *max_order)
{
	struct video video;
	struct pipe pipe;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	pipe = hold(&video);
	video_unmap(&video);
	expect_held(&pipe);
	video_close(&video);
}

/* New buffers that are filled otherwise must not get the held pages. */
static void test_outlives_reqbufs(const void *max_order)
{
	struct video video;
	struct pipe pipe;
	unsigned int i;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	pipe = hold(&video);
	video_unmap(&video);
	must(video_request(&video, 0));
	must(video_request(&video, 4));
	must(video_map(&video, PROT_READ | PROT_WRITE));
	for (i = 0; i < video.n_buffers; i++)
		content_fill(video.buffers[i].start, BIG_BYTES, 100 + i);
	expect_held(&pipe);
	video_close(&video);
}

static void test_outlives_close(const void *max_order)
{
	struct video video;
	struct pipe pipe;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	pipe = hold(&video);
	video_close(&video);
	expect_held(&pipe);
}

static void test_outlives_unbind(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;
	struct pipe pipe;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	pipe = hold(&video);
	video_close(&video);
	must(card_unbind(&card));
	expect_held(&pipe);
	must(card_bind(&card));
}

static void test_outlives_unbind_in_use(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;
	struct pipe pipe;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	pipe = hold(&video);
	must(card_unbind(&card));
	expect_held(&pipe);
	video_close(&video);
	must(card_bind(&card));
}

/* The page needs nothing of ours any more: not even the module. */
static void test_outlives_module(const void *max_order)
{
	struct video video;
	struct pipe pipe;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	pipe = hold(&video);
	video_close(&video);
	must(module_unload());
	expect_held(&pipe);
	must(module_load());
}

static void test_freed_when_let_go(void)
{
	uint64_t head;
	struct video video;
	struct pipe pipe;

	buffers_begin_filled(&video, fixture_huge, 1);
	head = page_frame(video.buffers[0].start);
	pipe = hold(&video);
	video_close(&video);
	tap_eq(1, page_is_ownerless_compound(head));
	expect_held(&pipe);
	tap_eq(0, page_is_ownerless_compound(head));
}

/* A disk that takes two seconds for a write: null_blk, which keeps nothing. */
#define SLOW_DISK "/dev/nullb0"

#define SLOW_LOAD "modprobe -q null_blk nr_devices=1 irqmode=2 completion_nsec=2000000000"

static void slow_disk_begin(void)
{
	if (system(SLOW_LOAD) || access(SLOW_DISK, W_OK))
		tap_skip("no null_blk in this kernel");
}

static void slow_disk_end(void)
{
	if (system("modprobe -q -r null_blk"))
		tap_note("null_blk: could not be unloaded");
}

struct writer {
	pthread_t thread;
	const uint8_t *from;
	int fd;
	ssize_t result;
};

static void *writer_run(void *arg)
{
	struct writer *writer = arg;

	writer->result = sys(pwrite(writer->fd, writer->from, 1 << 20, 0));
	return NULL;
}

static bool write_is_in_flight(void *arg)
{
	unsigned int reads = 0, writes = 0;
	FILE *file = fopen("/sys/block/nullb0/inflight", "re");

	(void)arg;
	if (!file)
		return false;
	if (fscanf(file, "%u %u", &reads, &writes) != 2)
		writes = 0;
	fclose(file);
	return writes;
}

static void test_write_in_flight(const void *max_order)
{
	struct card card = buffers_card();
	struct writer writer;
	struct video video;
	uint64_t head;

	slow_disk_begin();
	buffers_begin_filled(&video, *(const long *)max_order, 1);
	writer.from = video.buffers[0].start;
	writer.fd = must(sys(open(SLOW_DISK, O_WRONLY | O_DIRECT | O_CLOEXEC)));
	head = page_frame(writer.from);
	tap_eq(0, pthread_create(&writer.thread, NULL, writer_run, &writer));
	tap_check(tap_eventually(write_is_in_flight, NULL, 1),
		  "O_DIRECT write: expected to be in flight, got none");
	video_close(&video);
	must(card_unbind(&card));
	tap_eq(1, write_is_in_flight(NULL));
	tap_eq(*(const long *)max_order == fixture_huge, page_is_ownerless_compound(head));
	pthread_join(writer.thread, NULL);
	tap_eq(1 << 20, writer.result);
	tap_eq(0, page_is_ownerless_compound(head));
	close(writer.fd);
	must(card_bind(&card));
	slow_disk_end();
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("pages in a pipe outlive munmap", test_outlives_munmap),
	BUFFERS_BOTH("pages in a pipe outlive REQBUFS 0 and are not used again",
		     test_outlives_reqbufs),
	BUFFERS_BOTH("pages in a pipe outlive close", test_outlives_close),
	BUFFERS_BOTH("pages in a pipe outlive unbind", test_outlives_unbind),
	BUFFERS_BOTH("pages in a pipe outlive unbind of a device in use",
		     test_outlives_unbind_in_use),
	BUFFERS_BOTH("pages in a pipe outlive the module", test_outlives_module),
	{ "a chunk is freed when the pipe that held it lets go", .run = test_freed_when_let_go },
	BUFFERS_BOTH("an O_DIRECT write in flight ends well after munmap, close and unbind",
		     test_write_in_flight),
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
