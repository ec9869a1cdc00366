// SPDX-License-Identifier: MIT
/*
 * write-stream: VIDIOC_STREAMON on an output node before write(), as producers for
 * v4l2loopback do it. It begins write() for who never asked for buffers, and is refused
 * to everybody else.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "flow.h"

#define MARK 0xa7

static const struct v4l2_pix_format pix = { .pixelformat = V4L2_PIX_FMT_GREY,
					    .width = 160,
					    .height = 120 };
static const struct v4l2_fract rate = { 30, 1 };

static void open_output(struct video *video)
{
	struct card card;

	must(card_find(0, &card));
	must(video_open(video, card.output));
}

/* An output node that writes. */
static void begin(struct video *video)
{
	open_output(video);
	must(video_set_rate(video, rate.numerator, rate.denominator));
	must(video_set_format(video, pix.pixelformat, pix.width, pix.height));
	must(video_start(video));
}

static void write_frame(const struct video *video, int value)
{
	uint8_t frame[160 * 120];

	memset(frame, value, sizeof(frame));
	tap_eq(sizeof(frame), must(sys(write(video->fd, frame, sizeof(frame)))));
}

static int request(const struct video *video, unsigned int count)
{
	struct v4l2_requestbuffers request = {
		.type = video->type,
		.memory = V4L2_MEMORY_MMAP,
		.count = count,
	};

	return video_ioctl(video->fd, VIDIOC_REQBUFS, &request);
}

static void viewer_open(struct flow *viewer)
{
	must(flow_open(viewer, 0, CARD_INPUT_LOOPBACK, &pix, &rate));
	must(flow_allocate(viewer, FLOW_MMAP, 4, NULL));
	must(flow_start(viewer));
}

/* Frames pass until one is what was written. */
static void viewer_expect(struct flow *viewer, int value)
{
	struct flow_frame frame;
	unsigned int others;

	for (others = 0; others < 60; others++) {
		must(flow_take(viewer, &frame, 3000));
		if (frame.data[0] == value && !memcmp(frame.data, frame.data + 1, frame.bytes - 1))
			return;
		must(flow_give(viewer, &frame));
	}
	tap_fail("expected a frame of %d, got %u others", value, others);
}

static void viewer_close(struct flow *viewer)
{
	must(flow_stop(viewer));
	must(flow_free(viewer));
	must(video_set_input(&viewer->video, CARD_INPUT_PATTERN));
	flow_close(viewer);
}

static void test_what_is_written_comes_out(void)
{
	struct video output;
	struct flow viewer;

	viewer_open(&viewer);
	begin(&output);
	write_frame(&output, MARK);
	viewer_expect(&viewer, MARK);
	must(video_stop(&output));
	video_close(&output);
	viewer_close(&viewer);
}

static void test_close_plays_the_end(void)
{
	struct video output;
	struct flow viewer;
	int i;

	viewer_open(&viewer);
	begin(&output);
	for (i = 1; i <= 3; i++)
		write_frame(&output, MARK + i);
	video_close(&output);
	for (i = 1; i <= 3; i++)
		viewer_expect(&viewer, MARK + i);
	viewer_close(&viewer);
}

static void test_is_the_owner(void)
{
	struct video output, other;
	uint8_t byte = 0;

	begin(&output);
	open_output(&other);
	must_refuse(EBUSY, request(&other, 1));
	must_refuse(EBUSY, video_start(&other));
	must_refuse(EBUSY, sys(write(other.fd, &byte, 1)));
	must_refuse(EBUSY, video_set_rate(&other, 25, 1));
	must_refuse(EBUSY, request(&output, 1));
	must(video_start(&output));
	video_close(&other);
	video_close(&output);
}

static void test_streamoff_gives_back(void)
{
	struct video output, other;

	begin(&output);
	write_frame(&output, MARK);
	must(video_stop(&output));
	must(video_stop(&output));
	must(video_set_format(&output, pix.pixelformat, 2 * pix.width, pix.height));
	must(video_start(&output));
	must(video_stop(&output));
	open_output(&other);
	must(request(&other, 2));
	must(request(&other, 0));
	video_close(&other);
	video_close(&output);
}

/* Only STREAMON's own stream ends by STREAMOFF. */
static void test_plain_writer_stays(void)
{
	struct video output;

	open_output(&output);
	must(video_set_format(&output, pix.pixelformat, pix.width, pix.height));
	write_frame(&output, MARK);
	must_refuse(EBUSY, video_start(&output));
	must_refuse(EBUSY, video_stop(&output));
	video_close(&output);
}

static void test_who_asked_for_buffers(void)
{
	struct video output;

	open_output(&output);
	must(request(&output, 0));
	must_refuse(EINVAL, video_start(&output));
	must(video_stop(&output));
	must(request(&output, 2));
	must(request(&output, 0));
	must_refuse(EINVAL, video_start(&output));
	video_close(&output);
}

static void test_capture(void)
{
	struct video capture;
	struct card card;
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	must(card_find(0, &card));
	must(video_open(&capture, card.capture));
	must_refuse(EINVAL, video_start(&capture));
	video_close(&capture);
	open_output(&capture);
	must_refuse(EINVAL, video_ioctl(capture.fd, VIDIOC_STREAMON, &type));
	must_refuse(EINVAL, video_ioctl(capture.fd, VIDIOC_STREAMOFF, &type));
	video_close(&capture);
}

static void test_unbound(void)
{
	struct video output;
	struct card card;
	uint8_t frame[160 * 120] = { 0 };

	must(card_find(0, &card));
	begin(&output);
	write_frame(&output, MARK);
	must(card_unbind(&card));
	must_refuse(ENODEV, video_stop(&output));
	must_refuse(ENODEV, video_start(&output));
	must_refuse(ENODEV, sys(write(output.fd, frame, sizeof(frame))));
	video_close(&output);
	must(card_bind(&card));
}

static const struct tap_test tests[] = {
	{ .claim = "STREAMON, write(): what is written comes out",
	  .run = test_what_is_written_comes_out },
	{ .claim = "STREAMON, write(), close(): the end is played too",
	  .run = test_close_plays_the_end },
	{ .claim = "from STREAMON on the node is the writer's own", .run = test_is_the_owner },
	{ .claim = "STREAMOFF gives the node back", .run = test_streamoff_gives_back },
	{ .claim = "a write() without STREAMON does not end by STREAMOFF",
	  .run = test_plain_writer_stays },
	{ .claim = "STREAMON without buffers, of who asked for buffers: EINVAL",
	  .run = test_who_asked_for_buffers },
	{ .claim = "STREAMON of a capture node, or of another type: EINVAL", .run = test_capture },
	{ .claim = "STREAMON, unbind: ENODEV", .run = test_unbound },
};

int main(int argc, char **argv)
{
	return fixture_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
