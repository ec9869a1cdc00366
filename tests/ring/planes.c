// SPDX-License-Identifier: MIT
/*
 * planes: what ATTACH says of the planes of a picture, and what a producer may say.
 */
#include <stddef.h>

#include "ring.h"

#define WIDTH 160
#define HEIGHT 120
#define PIXELS (WIDTH * HEIGHT)

/**
 * struct expected - a format as it lies in memory
 * @fourcc: V4L2_PIX_FMT_*
 * @planes: how many
 * @plane: where
 */
static const struct expected {
	uint32_t fourcc;
	uint32_t planes;
	struct avring_video_plane plane[AVRING_VIDEO_PLANES];
} formats[] = {
	{ V4L2_PIX_FMT_YUYV, 1, { { 0, 2 * WIDTH } } },
	{ V4L2_PIX_FMT_UYVY, 1, { { 0, 2 * WIDTH } } },
	{ V4L2_PIX_FMT_RGB565, 1, { { 0, 2 * WIDTH } } },
	{ V4L2_PIX_FMT_RGB24, 1, { { 0, 3 * WIDTH } } },
	{ V4L2_PIX_FMT_BGR24, 1, { { 0, 3 * WIDTH } } },
	{ V4L2_PIX_FMT_XRGB32, 1, { { 0, 4 * WIDTH } } },
	{ V4L2_PIX_FMT_XBGR32, 1, { { 0, 4 * WIDTH } } },
	{ V4L2_PIX_FMT_ARGB32, 1, { { 0, 4 * WIDTH } } },
	{ V4L2_PIX_FMT_ABGR32, 1, { { 0, 4 * WIDTH } } },
	{ V4L2_PIX_FMT_GREY, 1, { { 0, WIDTH } } },
	{ V4L2_PIX_FMT_NV12, 2, { { 0, WIDTH }, { PIXELS, WIDTH } } },
	{ V4L2_PIX_FMT_YUV420,
	  3,
	  { { 0, WIDTH }, { PIXELS, WIDTH / 2 }, { PIXELS * 5 / 4, WIDTH / 2 } } },
	{ V4L2_PIX_FMT_YVU420,
	  3,
	  { { 0, WIDTH }, { PIXELS, WIDTH / 2 }, { PIXELS * 5 / 4, WIDTH / 2 } } },
	{ V4L2_PIX_FMT_YUV422P,
	  3,
	  { { 0, WIDTH }, { PIXELS, WIDTH / 2 }, { PIXELS * 3 / 2, WIDTH / 2 } } },
};

static void expect_planes(const struct expected *expected, const struct avring_video_format *got)
{
	unsigned int i;

	tap_eq(expected->fourcc, got->pixelformat);
	tap_eq(V4L2_FIELD_NONE, got->field);
	tap_eq(expected->planes, got->planes);
	for (i = 0; i < AVRING_VIDEO_PLANES; i++) {
		tap_eq(expected->plane[i].offset, got->plane[i].offset);
		tap_eq(expected->plane[i].bytesperline, got->plane[i].bytesperline);
	}
	tap_eq(got->bytesperline, got->plane[0].bytesperline);
	for (i = 0; i < sizeof(got->reserved) / sizeof(got->reserved[0]); i++)
		tap_eq(0, got->reserved[i]);
}

static void test_reader_is_told(void)
{
	struct ring ring;
	size_t i;

	for (i = 0; i < TAP_COUNT(formats); i++) {
		ring_picture(formats[i].fourcc, WIDTH, HEIGHT, SMALL_FPS);
		ring = ring_reader(AVRING_STREAM_VIDEO);
		expect_planes(&formats[i], &ring.at.format.video);
		ring_close(&ring);
	}
}

static void test_producer_is_told(void)
{
	struct ring ring;
	size_t i;

	for (i = 0; i < TAP_COUNT(formats); i++) {
		ring = ring_producer(formats[i].fourcc, WIDTH, HEIGHT);
		expect_planes(&formats[i], &ring.at.format.video);
		ring_close(&ring);
	}
}

/* As the card says it, with what lies at byte @spoilt of the argument spoilt; 0: nothing. */
static int produce(const struct expected *expected, size_t spoilt, uint32_t value)
{
	struct ring ring;
	int error;

	must(ring_open(&ring, 0));
	ring.at = (struct avring_attach){ .role = AVRING_ROLE_PRODUCER };
	ring.at.format.video = (struct avring_video_format){
		.pixelformat = expected->fourcc,
		.width = WIDTH,
		.height = HEIGHT,
		.rate_num = 30,
		.rate_den = 1,
		.field = V4L2_FIELD_NONE,
		.planes = expected->planes,
	};
	memcpy(ring.at.format.video.plane, expected->plane, sizeof(expected->plane));
	if (spoilt)
		memcpy((uint8_t *)&ring.at + spoilt, &value, sizeof(value));
	error = ring_call(&ring, AVRING_IOC_ATTACH, &ring.at);
	ring_close(&ring);
	return error;
}

#define SPOILT(field) offsetof(struct avring_attach, format.video.field)

static void test_producer_says(void)
{
	size_t i;

	ring_input(CARD_INPUT_LOOPBACK);
	for (i = 0; i < TAP_COUNT(formats); i++) {
		must(produce(&formats[i], 0, 0));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(planes), formats[i].planes + 1));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(planes), 0));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(plane[0].offset), 2));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(plane[0].bytesperline), 4096));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(plane[1].offset), 4096));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(plane[2].bytesperline), 4096));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(plane[3].offset), 4096));
		must_refuse(EINVAL, produce(&formats[i], SPOILT(field), V4L2_FIELD_TOP));
	}
}

static const struct tap_test tests[] = {
	{ "a reader is told where the planes of each format lie", .run = test_reader_is_told },
	{ "and so is a producer who leaves it open", .run = test_producer_is_told },
	{ "one who says it must be right: EINVAL", .run = test_producer_says },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
