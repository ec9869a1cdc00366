// SPDX-License-Identifier: MIT
/*
 * nextuser: a mapping keeps its memory, not the device. Whoever comes next can use
 * the device although an old mapping still lives, and neither sees the other.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"

/* A mapping of seed 0 whose file is closed. */
static uint8_t *old_mapping(long max_order)
{
	struct video video;
	uint8_t *start;
	unsigned int i;

	buffers_begin_filled(&video, max_order, 2);
	start = video.buffers[0].start;
	for (i = 1; i < video.n_buffers; i++)
		munmap(video.buffers[i].start, BIG_BYTES);
	close(video.fd);
	return start;
}

static void expect_old(const uint8_t *start)
{
	content_expect("old mapping", start, BIG_BYTES, 0, 0);
}

/* Another format, streamed: @frames right frames. */
static void stream_as_next_user(uint32_t width, uint32_t height, unsigned int frames)
{
	struct card card = buffers_card();
	struct v4l2_buffer buffer;
	struct video video;

	must(video_begin(&video, card.capture, V4L2_PIX_FMT_YUYV, width, height, 3));
	must(video_queue_all(&video));
	must(video_start(&video));
	for (; frames; frames--) {
		must(video_dequeue(&video, &buffer));
		must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
		must(video_queue(&video, buffer.index));
	}
	must(video_stop(&video));
	video_close(&video);
}

static void test_next_user_streams(const void *max_order)
{
	uint8_t *start = old_mapping(*(const long *)max_order);

	stream_as_next_user(640, 480, 5);
	expect_old(start);
	munmap(start, BIG_BYTES);
}

static void test_next_user_same_format(const void *max_order)
{
	uint8_t *start = old_mapping(*(const long *)max_order);

	stream_as_next_user(BIG_WIDTH, BIG_HEIGHT, 3);
	expect_old(start);
	munmap(start, BIG_BYTES);
}

/* The old mapping is another process's, as it is in life. */
static void test_next_process_streams(const void *max_order)
{
	int ready[2], go[2];
	char byte;
	pid_t child;

	must(sys(pipe(ready)));
	must(sys(pipe(go)));
	child = fork();
	if (!child) {
		uint8_t *start = old_mapping(*(const long *)max_order);

		close(go[1]);
		tap_eq(1, write(ready[1], "", 1));
		tap_eq(0, read(go[0], &byte, 1));
		expect_old(start);
		_exit(0);
	}
	close(ready[1]);
	tap_eq(1, read(ready[0], &byte, 1));
	stream_as_next_user(640, 480, 5);
	close(go[1]);
	tap_join(child);
	close(ready[0]);
	close(go[0]);
}

static void test_reader_next_user(const void *max_order)
{
	uint8_t *start = old_mapping(*(const long *)max_order);
	static uint8_t frame[SMALL_WIDTH * SMALL_HEIGHT * 2];
	struct card card = buffers_card();
	struct video video;

	must(video_open(&video, card.capture));
	must(video_set_format(&video, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	tap_eq(sizeof(frame), read(video.fd, frame, sizeof(frame)));
	must(frame_check(frame, sizeof(frame), NULL));
	video_close(&video);
	expect_old(start);
	munmap(start, BIG_BYTES);
}

/* The same user: buffers are orphaned by REQBUFS, as their capability says. */
static void test_reqbufs_orphans(const void *max_order)
{
	struct v4l2_requestbuffers request = { .memory = V4L2_MEMORY_MMAP };
	struct v4l2_buffer buffer;
	struct video video;
	uint8_t *start;

	buffers_begin_filled(&video, *(const long *)max_order, 2);
	start = video.buffers[0].start;
	video.buffers[0].start = NULL;
	request.type = video.type;
	must(video_ioctl(video.fd, VIDIOC_REQBUFS, &request));
	tap_check(request.capabilities & V4L2_BUF_CAP_SUPPORTS_ORPHANED_BUFS,
		  "capabilities: expected orphaned buffers, got %x", request.capabilities);
	video_unmap(&video);
	must(video_set_format(&video, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(video_request(&video, 3));
	must(video_map(&video, PROT_READ | PROT_WRITE));
	must(video_one_frame(&video, &buffer));
	must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
	expect_old(start);
	munmap(start, BIG_BYTES);
	video_close(&video);
}

static bool is_mapped(const struct video *video, unsigned int index)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = video->type,
		.memory = V4L2_MEMORY_MMAP,
	};

	must(video_ioctl(video->fd, VIDIOC_QUERYBUF, &buffer));
	return buffer.flags & V4L2_BUF_FLAG_MAPPED;
}

static void test_querybuf_tells_mapped(const void *max_order)
{
	struct video video;

	buffers_begin(&video, *(const long *)max_order, BIG_WIDTH, BIG_HEIGHT, 2);
	tap_eq(1, is_mapped(&video, 0));
	munmap(video.buffers[0].start, BIG_BYTES - 4096);
	tap_eq(1, is_mapped(&video, 0));
	munmap(video.buffers[0].start + BIG_BYTES - 4096, 4096);
	video.buffers[0].start = NULL;
	tap_eq(0, is_mapped(&video, 0));
	tap_eq(1, is_mapped(&video, 1));
	video_close(&video);
}

/* Many users in a row, each leaving a mapping behind. */
static void test_many_old_mappings(const void *max_order)
{
	uint8_t *starts[12];
	size_t i;

	for (i = 0; i < TAP_COUNT(starts); i++) {
		starts[i] = old_mapping(*(const long *)max_order);
		content_fill(starts[i], BIG_BYTES, 1000 + i);
	}
	stream_as_next_user(640, 480, 2);
	for (i = 0; i < TAP_COUNT(starts); i++) {
		content_expect("old mapping", starts[i], BIG_BYTES, 1000 + i, 0);
		munmap(starts[i], BIG_BYTES);
	}
}

static void test_old_output_mapping(const void *max_order)
{
	struct card card = buffers_card();
	struct v4l2_buffer buffer;
	struct video video;
	uint8_t *start;

	must(card_parameter_set("max_order", *(const long *)max_order));
	must(video_begin(&video, card.output, BIG_FOURCC, BIG_WIDTH, BIG_HEIGHT, 1));
	start = video.buffers[0].start;
	content_fill(start, BIG_BYTES, 0);
	video.buffers[0].start = NULL;
	video_close(&video);
	must(video_begin(&video, card.output, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 2));
	must(video_one_frame(&video, &buffer));
	video_close(&video);
	expect_old(start);
	munmap(start, BIG_BYTES);
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("the next user sets another format and streams while an old mapping lives",
		     test_next_user_streams),
	BUFFERS_BOTH("the next user streams the same format while an old mapping lives",
		     test_next_user_same_format),
	BUFFERS_BOTH("the next user streams while another process holds an old mapping",
		     test_next_process_streams),
	BUFFERS_BOTH("the next user reads with read() while an old mapping lives",
		     test_reader_next_user),
	BUFFERS_BOTH("REQBUFS 0 orphans a mapped buffer and new buffers stream",
		     test_reqbufs_orphans),
	BUFFERS_BOTH("QUERYBUF tells which buffers are mapped", test_querybuf_tells_mapped),
	BUFFERS_BOTH("twelve old mappings keep their bytes", test_many_old_mappings),
	BUFFERS_BOTH("the next user writes to the output node while an old mapping lives",
		     test_old_output_mapping),
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
