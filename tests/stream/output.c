// SPDX-License-Identifier: MIT
/*
 * output: what the output node takes, and that it takes nothing else; what the capture node
 * offers to who has no wish.
 */
#include <stdlib.h>
#include <unistd.h>

#include "device.h"
#include "fixture.h"
#include "tap.h"

#define OFFERED_PIXELS (1920ull * 1080 * 60)

static struct video opened(bool output)
{
	struct video video;
	struct card card;

	must(card_find(0, &card));
	must(video_open(&video, output ? card.output : card.capture));
	return video;
}

/* What S_FMT makes of a wish, as a producer who does not look at it. */
static struct v4l2_pix_format wished(struct video *video, uint32_t fourcc, uint32_t width,
				     uint32_t height)
{
	struct v4l2_format format = { .type = video->type };

	format.fmt.pix.pixelformat = fourcc;
	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	must(video_ioctl(video->fd, VIDIOC_S_FMT, &format));
	return format.fmt.pix;
}

static void expect_refused(struct video *video, size_t length)
{
	void *frame = calloc(1, length);

	must_refuse(EINVAL, sys(write(video->fd, frame, length)));
	free(frame);
}

static void whole_frames_only(void)
{
	struct video video = opened(true);
	const struct v4l2_pix_format pix = wished(&video, V4L2_PIX_FMT_YUYV, 320, 240);
	uint8_t *frame = calloc(1, pix.sizeimage);

	expect_refused(&video, 1);
	expect_refused(&video, pix.sizeimage - 1);
	expect_refused(&video, pix.sizeimage + 1);
	expect_refused(&video, 2 * pix.sizeimage);
	tap_eq(pix.sizeimage, must(sys(write(video.fd, frame, pix.sizeimage))));
	expect_refused(&video, pix.sizeimage / 2);
	tap_eq(pix.sizeimage, must(sys(write(video.fd, frame, pix.sizeimage))));
	free(frame);
	video_close(&video);
}

static void unknown_formats_are_refused(void)
{
	static const struct {
		uint32_t fourcc;
		uint32_t bits;
	} unknown[] = {
		{ V4L2_PIX_FMT_YUV410, 9 }, { V4L2_PIX_FMT_YUV411P, 12 },
		{ V4L2_PIX_FMT_Y16, 16 },   { V4L2_PIX_FMT_RGB555, 16 },
		{ V4L2_PIX_FMT_SBGGR8, 8 }, { V4L2_PIX_FMT_RGB565X, 16 },
		{ V4L2_PIX_FMT_MJPEG, 2 },  { 0x12345678, 24 },
	};
	struct video video = opened(true);
	size_t i;

	for (i = 0; i < TAP_COUNT(unknown); i++) {
		wished(&video, unknown[i].fourcc, 640, 480);
		expect_refused(&video, 640 * 480 * unknown[i].bits / 8);
	}
	video_close(&video);
}

/* 4:2:0 pictures of an odd size have chroma planes that are rounded up. */
static void odd_sizes_are_refused(void)
{
	struct video video = opened(true);

	wished(&video, V4L2_PIX_FMT_YUV420, 321, 241);
	expect_refused(&video, 321 * 241 + 2 * 161 * 121);
	wished(&video, V4L2_PIX_FMT_RGB24, 321, 241);
	expect_refused(&video, 321 * 241 * 3);
	wished(&video, V4L2_PIX_FMT_YUYV, 8000, 8000);
	expect_refused(&video, 8000 * 8000 * 2);
	video_close(&video);
}

static const struct {
	uint32_t fourcc;
	uint32_t bits;
} taken[] = {
	{ V4L2_PIX_FMT_YUYV, 16 },   { V4L2_PIX_FMT_UYVY, 16 },	  { V4L2_PIX_FMT_NV12, 12 },
	{ V4L2_PIX_FMT_YUV420, 12 }, { V4L2_PIX_FMT_YVU420, 12 }, { V4L2_PIX_FMT_YUV422P, 16 },
	{ V4L2_PIX_FMT_RGB24, 24 },  { V4L2_PIX_FMT_BGR24, 24 },  { V4L2_PIX_FMT_RGB565, 16 },
	{ V4L2_PIX_FMT_XRGB32, 32 }, { V4L2_PIX_FMT_XBGR32, 32 }, { V4L2_PIX_FMT_ARGB32, 32 },
	{ V4L2_PIX_FMT_ABGR32, 32 }, { V4L2_PIX_FMT_GREY, 8 },
};

/* A phone held upright, two monitors side by side, a stamp. */
static void usual_pictures_are_taken(void)
{
	static const uint32_t sizes[][2] = {
		{ 1080, 2400 }, { 5120, 1440 }, { 100, 100 }, { 16, 16 }
	};
	struct video video = opened(true);
	struct v4l2_pix_format pix;
	size_t f, i;

	for (f = 0; f < TAP_COUNT(taken); f++)
		for (i = 0; i < TAP_COUNT(sizes); i++) {
			pix = wished(&video, taken[f].fourcc, sizes[i][0], sizes[i][1]);
			tap_eq(taken[f].fourcc, pix.pixelformat);
			tap_eq(sizes[i][0], pix.width);
			tap_eq(sizes[i][1], pix.height);
			tap_eq((uint64_t)pix.width * pix.height * taken[f].bits / 8, pix.sizeimage);
		}
	video_close(&video);
}

/* ---------------------------------------------------------------- what is offered */

static bool offered_interval(struct video *video, struct v4l2_frmivalenum *interval)
{
	if (video_ioctl(video->fd, VIDIOC_ENUM_FRAMEINTERVALS, interval))
		return false;
	tap_eq(V4L2_FRMIVAL_TYPE_DISCRETE, interval->type);
	return true;
}

/* The first is the nearest to 30 frames a second that is no faster; none is too much. */
static void expect_intervals(struct video *video, uint32_t fourcc, uint32_t width, uint32_t height)
{
	struct v4l2_frmivalenum interval = { .pixel_format = fourcc,
					     .width = width,
					     .height = height };
	const uint64_t pixels = (uint64_t)width * height;
	const struct v4l2_fract *is = &interval.discrete;

	for (; offered_interval(video, &interval); interval.index++) {
		tap_check(is->numerator == is->denominator ||
				  pixels * is->denominator <= OFFERED_PIXELS * is->numerator,
			  "%ux%u: offered with %u/%u frames per second", width, height,
			  is->denominator, is->numerator);
		if (interval.index)
			continue;
		tap_eq(1, is->numerator);
		tap_eq(pixels * 30 <= OFFERED_PIXELS ? 30 :
		       pixels * 15 <= OFFERED_PIXELS ? 15 :
						       10,
		       is->denominator);
	}
	tap_check(interval.index, "%ux%u: expected intervals, got none", width, height);
}

static void offers_can_be_carried(void)
{
	struct v4l2_fmtdesc format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct video video = opened(false);
	struct v4l2_frmsizeenum size;

	for (; !video_ioctl(video.fd, VIDIOC_ENUM_FMT, &format); format.index++) {
		size = (struct v4l2_frmsizeenum){ .pixel_format = format.pixelformat };
		for (; !video_ioctl(video.fd, VIDIOC_ENUM_FRAMESIZES, &size); size.index++) {
			tap_eq(V4L2_FRMSIZE_TYPE_DISCRETE, size.type);
			if (!size.index) {
				tap_eq(640, size.discrete.width);
				tap_eq(480, size.discrete.height);
			}
			/* GStreamer would take it without having been asked to. */
			tap_check(size.discrete.width < 3840 || size.discrete.height < 2160,
				  "%ux%u: expected less", size.discrete.width,
				  size.discrete.height);
			expect_intervals(&video, format.pixelformat, size.discrete.width,
					 size.discrete.height);
		}
		tap_check(size.discrete.width <= 1920,
			  "the last size: expected 1920 at most, got %u", size.discrete.width);
	}
	tap_eq(TAP_COUNT(taken), format.index);
	video_close(&video);
}

static void usual_sizes_are_offered(void)
{
	static const uint32_t usual[][2] = {
		{ 640, 360 },  { 800, 600 },  { 848, 480 },   { 960, 540 }, { 1024, 768 },
		{ 1280, 720 }, { 1280, 960 }, { 1920, 1080 }, { 320, 240 },
	};
	struct video video = opened(false);
	struct v4l2_frmsizeenum size;
	size_t i;

	for (i = 0; i < TAP_COUNT(usual); i++) {
		size = (struct v4l2_frmsizeenum){ .pixel_format = V4L2_PIX_FMT_YUYV };
		while (!video_ioctl(video.fd, VIDIOC_ENUM_FRAMESIZES, &size) &&
		       (size.discrete.width != usual[i][0] || size.discrete.height != usual[i][1]))
			size.index++;
		tap_check(size.discrete.width == usual[i][0] && size.discrete.height == usual[i][1],
			  "%ux%u: expected in the list", usual[i][0], usual[i][1]);
	}
	video_close(&video);
}

/* The list is for who has no wish. */
static void any_rate_can_be_set(void)
{
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct video video = opened(false);

	must(video_set_format(&video, V4L2_PIX_FMT_YUYV, 3840, 2160));
	must(video_set_rate(&video, 120, 1));
	must(video_ioctl(video.fd, VIDIOC_G_PARM, &parm));
	tap_eq(1, parm.parm.capture.timeperframe.numerator);
	tap_eq(120, parm.parm.capture.timeperframe.denominator);
	must(video_set_format(&video, V4L2_PIX_FMT_YUYV, 640, 480));
	must(video_set_rate(&video, 30, 1));
	video_close(&video);
}

static const struct tap_test tests[] = {
	{ .claim = "write() takes one whole frame, anything else gives EINVAL",
	  .run = whole_frames_only },
	{ .claim = "the first frame of a format that is not there gives EINVAL",
	  .run = unknown_formats_are_refused },
	{ .claim = "the first frame of a size that is not there gives EINVAL",
	  .run = odd_sizes_are_refused },
	{ .claim = "portrait, wide and small pictures are taken in every format",
	  .run = usual_pictures_are_taken },
	{ .claim =
		  "640x480 and 30 frames per second are offered first, and nothing that is too much",
	  .run = offers_can_be_carried },
	{ .claim = "usual sizes are offered", .run = usual_sizes_are_offered },
	{ .claim = "S_PARM takes a rate that is not offered for the size",
	  .run = any_rate_can_be_set },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
