// SPDX-License-Identifier: MIT
/*
 * lifetime: what keeps the module in memory, and what a mapping is worth without
 * its device.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "module.h"

/* delete_module() says EWOULDBLOCK where modprobe -r prints "in use". */
static void expect_card_in_use(void)
{
	must_refuse(EWOULDBLOCK, module_unload_one(MODULE_VIRTUAL));
}

static bool module_can_go(void *arg)
{
	(void)arg;
	return !module_unload();
}

static void expect_module_free(void)
{
	tap_check(tap_eventually(module_can_go, NULL, 2), "delete_module: expected success, got %s",
		  strerror(-module_unload()));
	must(module_load());
}

/* A mapping of seed 0, the file closed. */
static uint8_t *mapping_alone(const void *max_order)
{
	struct video video;
	uint8_t *start;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	start = video.buffers[0].start;
	video.buffers[0].start = NULL;
	video_close(&video);
	return start;
}

static void test_mapping_holds_module(const void *max_order)
{
	uint8_t *start = mapping_alone(max_order);

	module_expect_core_in_use();
	content_expect("mapping", start, BIG_BYTES, 0, 0);
	munmap(start, BIG_BYTES);
	expect_module_free();
}

/* One page of it is enough. */
static void test_one_page_holds_module(const void *max_order)
{
	uint8_t *start = mapping_alone(max_order), *page = start + CHUNK_BYTES + 7 * 4096;

	munmap(start, page - start);
	munmap(page + 4096, BIG_BYTES - (page + 4096 - start));
	module_expect_core_in_use();
	content_expect("last page that is mapped", page, 4096, 0, page - start);
	munmap(page, 4096);
	expect_module_free();
}

static void test_mapping_holds_module_after_unbind(const void *max_order)
{
	struct card card = buffers_card();
	uint8_t *start = mapping_alone(max_order);

	must(card_unbind(&card));
	module_expect_core_in_use();
	content_expect("mapping", start, BIG_BYTES, 0, 0);
	munmap(start, BIG_BYTES);
	expect_module_free();
}

static void test_childs_mapping_holds_module(const void *max_order)
{
	uint8_t *start = mapping_alone(max_order);
	int ends[2];
	char byte;
	pid_t child;

	must(sys(pipe(ends)));
	child = fork();
	if (!child) {
		close(ends[1]);
		tap_eq(0, read(ends[0], &byte, 1));
		content_expect("child's mapping", start, BIG_BYTES, 0, 0);
		_exit(0);
	}
	munmap(start, BIG_BYTES);
	module_expect_core_in_use();
	close(ends[1]);
	tap_join(child);
	close(ends[0]);
	expect_module_free();
}

static void test_open_node_holds_module(void)
{
	struct card card = buffers_card();
	const char *nodes[] = { card.capture, card.output, card.media };
	size_t i;
	int fd;

	for (i = 0; i < TAP_COUNT(nodes); i++) {
		fd = must(sys(open(nodes[i], O_RDWR | O_CLOEXEC)));
		expect_card_in_use();
		close(fd);
	}
	expect_module_free();
}

static void test_open_node_holds_module_after_unbind(void)
{
	struct card card = buffers_card();
	const char *nodes[] = { card.capture, card.output, card.media };
	int fds[3];
	size_t i;

	for (i = 0; i < TAP_COUNT(nodes); i++)
		fds[i] = must(sys(open(nodes[i], O_RDWR | O_CLOEXEC)));
	must(card_unbind(&card));
	for (i = 0; i < TAP_COUNT(nodes); i++) {
		expect_card_in_use();
		close(fds[i]);
	}
	expect_module_free();
}

static void test_dmabuf_holds_module(const void *max_order)
{
	struct v4l2_exportbuffer export = { .flags = O_RDWR | O_CLOEXEC };
	struct video video;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	export.type = video.type;
	must(video_ioctl(video.fd, VIDIOC_EXPBUF, &export));
	video_close(&video);
	module_expect_core_in_use();
	close(export.fd);
	expect_module_free();
}

static void test_touched_pages_survive_unbind(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	must(card_unbind(&card));
	content_expect("mapping after unbind", video.buffers[0].start, BIG_BYTES, 0, 0);
	content_fill(video.buffers[0].start, BIG_BYTES, 3);
	content_expect("written after unbind", video.buffers[0].start, BIG_BYTES, 3, 0);
	video_close(&video);
	must(card_bind(&card));
}

/* A page that was not touched before shows its bytes or gives SIGBUS. */
static void expect_bytes_or_sigbus(uint8_t *start)
{
	size_t at;
	int signal;

	for (at = 0; at < BIG_BYTES; at += 4096) {
		signal = content_access(start + at, false);
		tap_check(!signal || signal == SIGBUS,
			  "page %zu: expected its bytes or SIGBUS, got signal %d", at / 4096,
			  signal);
		if (!signal)
			content_expect("untouched page", start + at, 4096, 0, at);
	}
}

static void test_untouched_pages_after_unbind(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;
	uint8_t *start;

	buffers_begin_filled(&video, *(const long *)max_order, 1);
	start = video.buffers[0].start;
	must(sys(madvise(start, BIG_BYTES, MADV_DONTNEED)));
	must(card_unbind(&card));
	expect_bytes_or_sigbus(start);
	video_close(&video);
	must(card_bind(&card));
}

/* The frame that was captured is not lost with the device. */
static void test_frame_survives_unbind(const void *max_order)
{
	struct card card = buffers_card();
	struct v4l2_buffer buffer;
	struct video video;

	buffers_begin(&video, *(const long *)max_order, TAIL_WIDTH, TAIL_HEIGHT, 3);
	must(video_queue_all(&video));
	must(video_start(&video));
	must(video_dequeue(&video, &buffer));
	must(card_unbind(&card));
	must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
	video_close(&video);
	must(card_bind(&card));
}

static void test_unmap_after_unbind_frees(const void *max_order)
{
	struct card card = buffers_card();
	struct video video;
	long before = card_live_stores();

	buffers_begin_filled(&video, *(const long *)max_order, 2);
	must(card_unbind(&card));
	video_close(&video);
	tap_eq(before, card_live_stores());
	must(card_bind(&card));
}

static void test_new_module_is_clean(void)
{
	uint8_t *start = mapping_alone(&fixture_huge);
	struct v4l2_buffer buffer;
	struct video video;

	munmap(start, BIG_BYTES);
	expect_module_free();
	tap_eq(0, card_live_stores());
	buffers_begin(&video, fixture_huge, SMALL_WIDTH, SMALL_HEIGHT, 3);
	must(video_one_frame(&video, &buffer));
	must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
	video_close(&video);
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("rmmod avring-core is refused while a mapping lives, though the card goes",
		     test_mapping_holds_module),
	BUFFERS_BOTH("rmmod avring-core is refused while one page is mapped",
		     test_one_page_holds_module),
	BUFFERS_BOTH("rmmod avring-core is refused while a mapping lives after unbind",
		     test_mapping_holds_module_after_unbind),
	BUFFERS_BOTH("rmmod avring-core is refused while a forked child holds the mapping",
		     test_childs_mapping_holds_module),
	{ "rmmod is refused while a video or media node is open",
	  .run = test_open_node_holds_module },
	{ "rmmod is refused while a node is open after unbind",
	  .run = test_open_node_holds_module_after_unbind },
	BUFFERS_BOTH("rmmod avring-core is refused while an exported dma-buf lives",
		     test_dmabuf_holds_module),
	BUFFERS_BOTH("touched pages keep their bytes after unbind and can be written",
		     test_touched_pages_survive_unbind),
	BUFFERS_BOTH("untouched pages show their bytes after unbind, or SIGBUS",
		     test_untouched_pages_after_unbind),
	BUFFERS_BOTH("a captured frame is whole after unbind", test_frame_survives_unbind),
	BUFFERS_BOTH("munmap and close after unbind free the buffers",
		     test_unmap_after_unbind_frees),
	{ "a module that was loaded again streams", .run = test_new_module_is_clean },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
