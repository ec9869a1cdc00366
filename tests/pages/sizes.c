// SPDX-License-Identifier: MIT
/*
 * sizes: what a format says is what a frame takes.
 *
 * A size of the image that is a few bytes short lets the generator write behind
 * the buffer; where the image ends with a page, into nothing.
 */
#include "buffers.h"
#include "tap.h"

static const struct {
	uint32_t fourcc;
	uint32_t bytes_per_pixel;
	uint32_t eighths;
} formats[] = {
	{ V4L2_PIX_FMT_YUYV, 2, 16 },	{ V4L2_PIX_FMT_UYVY, 2, 16 },
	{ V4L2_PIX_FMT_NV12, 1, 12 },	{ V4L2_PIX_FMT_YUV420, 1, 12 },
	{ V4L2_PIX_FMT_RGB24, 3, 24 },	{ V4L2_PIX_FMT_XRGB32, 4, 32 },
	{ V4L2_PIX_FMT_XBGR32, 4, 32 }, { V4L2_PIX_FMT_GREY, 1, 8 },
	{ V4L2_PIX_FMT_BGR24, 3, 24 },	{ V4L2_PIX_FMT_YVU420, 1, 12 },
	{ V4L2_PIX_FMT_RGB565, 2, 16 }, { V4L2_PIX_FMT_YUV422P, 1, 16 },
	{ V4L2_PIX_FMT_ARGB32, 4, 32 }, { V4L2_PIX_FMT_ABGR32, 4, 32 },
};

/* Height by height for some widths, odd multiples of two among them. */
static void every_size_is_exact(void)
{
	struct card card = buffers_card();
	struct v4l2_format format;
	struct video video;
	size_t f;

	must(video_open(&video, card.capture));
	for (f = 0; f < TAP_COUNT(formats); f++)
		for (uint32_t width = 160; width <= 4096; width += 194)
			for (uint32_t height = 120; height <= 2160; height += 2) {
				format = (struct v4l2_format){ .type = video.type };
				format.fmt.pix.width = width;
				format.fmt.pix.height = height;
				format.fmt.pix.pixelformat = formats[f].fourcc;
				must(video_ioctl(video.fd, VIDIOC_TRY_FMT, &format));
				tap_eq(width, format.fmt.pix.width);
				tap_eq(height, format.fmt.pix.height);
				tap_eq(width * formats[f].bytes_per_pixel,
				       format.fmt.pix.bytesperline);
				tap_eq((uint64_t)width * height * formats[f].eighths / 8,
				       format.fmt.pix.sizeimage);
			}
	video_close(&video);
}

static void one_frame_of_each_format(uint32_t width, uint32_t height)
{
	struct card card = buffers_card();
	struct v4l2_buffer buffer;
	struct video video;
	size_t f;

	for (f = 0; f < TAP_COUNT(formats); f++) {
		must(video_begin(&video, card.capture, formats[f].fourcc, width, height, 4));
		must(video_one_frame(&video, &buffer));
		tap_eq((uint64_t)width * height * formats[f].eighths / 8, buffer.bytesused);
		must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
		video_close(&video);
	}
}

/* 56 pages of XRGB32 and 16 bytes. */
static void a_frame_that_just_misses_a_page_is_whole(void)
{
	one_frame_of_each_format(162, 354);
}

/* 256 bytes of GREY: the stamp fits, a text does not. */
static void the_smallest_frame_is_whole(void)
{
	one_frame_of_each_format(16, 16);
}

static const struct tap_test tests[] = {
	{ .claim = "stride and size of every format are exact for every height",
	  .run = every_size_is_exact },
	{ .claim = "the smallest frame of every format is whole",
	  .run = the_smallest_frame_is_whole },
	{ .claim = "a frame that just misses the end of a page is whole",
	  .run = a_frame_that_just_misses_a_page_is_whole },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
