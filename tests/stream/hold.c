// SPDX-License-Identifier: MIT
/*
 * hold: "Reader Hold, ms" of the output node: so long a written frame waits for a reader who
 * streams and has no buffer queued. Times are of a clock that counts instructions.
 */
#include <linux/avring.h>
#include <time.h>

#include "fixture.h"
#include "flow.h"

#define BUFFERS 2
#define INTERVAL_MS 33
#define DEFAULT_MS 1000
#define MOST_MS 10000

static const struct v4l2_pix_format pix = { .pixelformat = V4L2_PIX_FMT_GREY,
					    .width = 160,
					    .height = 120 };
static const struct v4l2_fract rate = { 30, 1 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Streams, and keeps what comes. */
static void late_reader(struct flow *viewer)
{
	struct flow_frame frame;
	unsigned int i;

	must(flow_open(viewer, 0, CARD_INPUT_LOOPBACK, &pix, &rate));
	must(flow_allocate(viewer, FLOW_MMAP, BUFFERS, NULL));
	must(flow_start(viewer));
	for (i = 0; i < viewer->count; i++)
		must(flow_take(viewer, &frame, 3000));
}

static void reader_close(struct flow *viewer)
{
	must(flow_stop(viewer));
	must(flow_free(viewer));
	must(video_set_input(&viewer->video, CARD_INPUT_PATTERN));
	flow_close(viewer);
}

static struct video writer(void)
{
	struct video output;
	struct card card;

	must(card_find(0, &card));
	must(video_begin(&output, card.output, pix.pixelformat, pix.width, pix.height, 4));
	must(video_set_rate(&output, rate.numerator, rate.denominator));
	return output;
}

/* From STREAMON of the writer until its first frame comes back. */
static int64_t waited_ms(struct video *output)
{
	struct v4l2_buffer buffer;
	int64_t start;

	must(video_queue_all(output));
	start = now_ms();
	must(video_start(output));
	must(video_dequeue(output, &buffer));
	return now_ms() - start;
}

static void waits_so_long(const void *arg)
{
	const int64_t hold_ms = *(const int *)arg;
	struct video output = writer();
	struct flow viewer;
	int64_t waited;

	must(video_set_control(&output, V4L2_CID_AVRING_READER_HOLD, hold_ms));
	late_reader(&viewer);
	waited = waited_ms(&output);
	must(video_set_control(&output, V4L2_CID_AVRING_READER_HOLD, DEFAULT_MS));
	tap_check(waited >= hold_ms && waited <= hold_ms + 2 * INTERVAL_MS,
		  "a frame: expected to wait %lld to %lld ms, got %lld", (long long)hold_ms,
		  (long long)hold_ms + 2 * INTERVAL_MS, (long long)waited);
	reader_close(&viewer);
	video_close(&output);
}

static void is_a_second(void)
{
	struct video output = writer();
	int64_t value;

	must(video_get_control(&output, V4L2_CID_AVRING_READER_HOLD, &value));
	tap_eq(DEFAULT_MS, value);
	video_close(&output);
}

static void has_a_range(void)
{
	struct v4l2_queryctrl control = { .id = V4L2_CID_AVRING_READER_HOLD };
	struct video output = writer();

	must(video_ioctl(output.fd, VIDIOC_QUERYCTRL, &control));
	tap_check(!strcmp((const char *)control.name, "Reader Hold, ms"),
		  "name: expected \"Reader Hold, ms\", got \"%s\"", control.name);
	tap_eq(0, control.minimum);
	tap_eq(MOST_MS, control.maximum);
	video_close(&output);
}

static const int none = 0, short_ms = 250, long_ms = 3000;

static const struct tap_test tests[] = {
	{ .claim = "Reader Hold is a second by default", .run = is_a_second },
	{ .claim = "Reader Hold goes from 0 to 10 s", .run = has_a_range },
	{ .claim = "Reader Hold 0: a frame waits for nobody",
	  .run_with = waits_so_long,
	  .arg = &none },
	{ .claim = "Reader Hold 250: a frame waits 250 ms for a late reader",
	  .run_with = waits_so_long,
	  .arg = &short_ms },
	{ .claim = "Reader Hold 3000: a frame waits 3 s for a late reader",
	  .run_with = waits_so_long,
	  .arg = &long_ms },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
