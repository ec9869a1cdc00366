// SPDX-License-Identifier: MIT
/*
 * owed: what a V4L2 reader of the loopback has no buffer for waits in a store of his own. Neither
 * the producer nor the readers of the ring wait for him. Times are of a clock that counts
 * instructions.
 */
#include "content.h"
#include "late.h"

#define SECONDS 8

/* Until the reader has had his frame, and is owed as many as there is room for. */
static void fill_room(struct late *late)
{
	unsigned int i;

	for (i = 0; i < 1 + LATE_ROOM; i++)
		late_frame(late);
}

/* Row 5 of issue 10: each frame is looked at in late_frame(), who gets it and when. */
static void nobody_is_held_up(void)
{
	struct late late;
	uint32_t start;

	late_become_member();
	late_begin(&late, 0, CARD_INPUT_LOOPBACK);
	start = late.seen;
	while (late.seen < start + 30 * SECONDS)
		if (!late_frame_before_due(&late))
			late_give_back(&late);
	/* One at once, and one more for each second. */
	tap_eq(SECONDS, late.taken);
	late_expect_lost(&late, late.last - late.first + 1 - late.taken);
	tap_check(late.last - late.first > 30, "the last frame: expected one after a gap, got %u",
		  late.last - late.first);
	late_end(&late);
}

static void comes_in_order(void)
{
	struct late late;
	unsigned int i;

	late_begin(&late, 0, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	late_frame(&late);
	late_frame(&late);
	for (i = 0; i < LATE_ROOM; i++)
		late_give_back(&late);
	tap_eq(LATE_ROOM, late.last - late.first);
	late_expect_lost(&late, 0);
	late_give_back(&late);
	late_frame(&late);
	tap_eq(LATE_ROOM + 3, late.last - late.first);
	late_expect_lost(&late, 2);
	late_end(&late);
}

/* The end of a film is part of it. */
static void producer_stops(void)
{
	struct late late;
	unsigned int i;

	late_begin(&late, 0, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	must(video_stop(&late.output));
	for (i = 0; i < LATE_ROOM; i++)
		late_give_back(&late);
	late_expect_lost(&late, 0);
	late_give_back(&late);
	late_take_after_film(&late, 1 + LATE_ROOM);
	late_end(&late);
}

static void input_changes(void)
{
	struct avring_frame_stamp stamp;
	struct late late;
	unsigned int i;

	late_begin(&late, 0, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	must(video_set_input(&late.capture, CARD_INPUT_PATTERN));
	for (i = 0; i < LATE_ROOM; i++)
		late_give_back(&late);
	late_expect_lost(&late, 0);
	late_give_back(&late);
	late_take_after_film(&late, 1 + LATE_ROOM);
	must(frame_check(late.capture.buffers[0].start, LATE_BYTES, &stamp));
	late_end(&late);
}

static void stream_ends(void)
{
	struct late late;

	late_begin(&late, 0, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	must(video_stop(&late.capture));
	late_start(&late);
	late_frame(&late);
	tap_eq(0, late.last - late.first);
	late_expect_lost(&late, 0);
	late_end(&late);
}

/* The first frame of the film that the ring gets, and that the reader has no buffer for. */
static void meet_film(struct late *late)
{
	struct avring_entry entry;

	late->seen = 0;
	for (late->entry = ring_head(&late->ring); !late->seen; late->entry++) {
		must(ring_wait(&late->ring, late->entry, 1, AVRING_WAIT_FOREVER));
		tap_check(ring_entry(&late->ring, late->entry, &entry),
			  "an entry: expected intact");
		late->seen = late_number(ring_bytes(&late->ring, &entry));
	}
	late->event = entry.event;
	late->time_us[late->seen] = entry.time_ns / 1000;
	late->owed[late->n_owed++] = late->seen;
	while (late->returned < late->seen)
		late_returned(late);
}

/* Who streams the pattern is owed nothing before he looks at the producer. */
static void input_becomes_loopback(void)
{
	uint32_t sequence;
	struct late late;
	unsigned int i;

	late_begin(&late, 0, CARD_INPUT_PATTERN);
	sequence = late_take_other(&late);
	must(video_set_input(&late.capture, CARD_INPUT_LOOPBACK));
	meet_film(&late);
	for (i = 1; i < LATE_ROOM; i++)
		late_frame(&late);
	late.taken = 0;
	for (i = 0; i < LATE_ROOM; i++)
		late_give_back(&late);
	late_expect_lost(&late, late.last - late.first - LATE_ROOM - sequence);
	late_end(&late);
}

/* ---------------------------------------------------------------- a producer of the ring */

static void expect_content(struct video *capture, uint64_t seed, uint32_t sequence)
{
	struct v4l2_buffer buffer;

	must(video_dequeue(capture, &buffer));
	content_expect("frame", capture->buffers[0].start, LATE_BYTES, seed, 0);
	tap_eq(sequence, buffer.sequence);
}

static void ring_producer_waits_for_nobody(void)
{
	struct video capture;
	struct ring producer;
	struct card card;
	int64_t dropped;
	unsigned int n;

	must(card_find(0, &card));
	producer = ring_producer(LATE_PIX);
	must(video_begin(&capture, card.capture, LATE_PIX, 3));
	ring_send(&producer, 100, LATE_BYTES);
	must(video_queue(&capture, 0));
	must(video_start(&capture));
	for (n = 0; n < 1 + LATE_ROOM + 1; n++)
		ring_send(&producer, n, LATE_BYTES);
	for (n = 0; n < 1 + LATE_ROOM; n++) {
		expect_content(&capture, n, n);
		must(video_queue(&capture, 0));
	}
	ring_send(&producer, n + 1, LATE_BYTES);
	expect_content(&capture, n + 1, n + 1);
	must(video_get_control(&capture, V4L2_CID_AVRING_FRAMES_DROPPED, &dropped));
	tap_eq(1, dropped);
	video_close(&capture);
	ring_close(&producer);
}

/* ---------------------------------------------------------------- memory */

static long live_pages(void)
{
	long pages;

	must(card_parameter_get("live_pages", &pages));
	return pages;
}

/* Pages that STREAMON takes, and STREAMOFF gives back. */
static long pages_of_stream(struct video *capture)
{
	const long before = live_pages();
	long during;

	must(video_queue_all(capture));
	must(video_start(capture));
	during = live_pages();
	must(video_stop(capture));
	tap_eq(before, live_pages());
	return during - before;
}

static struct video loopback_reader(uint32_t fourcc, uint32_t width, uint32_t height)
{
	struct video capture;
	struct card card;

	must(card_find(0, &card));
	must(video_open(&capture, card.capture));
	must(video_set_input(&capture, CARD_INPUT_LOOPBACK));
	must(video_set_format(&capture, fourcc, width, height));
	must(video_request(&capture, 3));
	return capture;
}

static void takes_memory(void)
{
	static const struct {
		uint32_t fourcc, width, height;
		long pages;
	} sizes[] = {
		{ V4L2_PIX_FMT_GREY, 160, 120, 4 * 5 },
		{ V4L2_PIX_FMT_YUYV, 1920, 1080, 4 * 1013 },
		{ V4L2_PIX_FMT_YUYV, 2048, 2048, 4 * 2048 },
		{ V4L2_PIX_FMT_YUYV, 4096, 2048, 2 * 4096 },
		{ V4L2_PIX_FMT_GREY, 8192, 4176, 8352 },
	};
	struct video capture;
	size_t i;

	for (i = 0; i < TAP_COUNT(sizes); i++) {
		capture = loopback_reader(sizes[i].fourcc, sizes[i].width, sizes[i].height);
		tap_eq(sizes[i].pages, pages_of_stream(&capture));
		must(video_set_input(&capture, CARD_INPUT_PATTERN));
		tap_eq(0, pages_of_stream(&capture));
		video_close(&capture);
	}
}

/* A user may have 80 MiB here. Three buffers are 48, and 32 more and a page table are too much. */
static void is_the_readers_memory(void)
{
	struct video capture;

	must(card_parameter_set("max_card_memory", 160));
	capture = loopback_reader(V4L2_PIX_FMT_YUYV, 4096, 2048);
	tap_eq(2 * 4096, pages_of_stream(&capture));
	video_close(&capture);
	late_become_member();
	capture = loopback_reader(V4L2_PIX_FMT_YUYV, 4096, 2048);
	tap_eq(0, pages_of_stream(&capture));
	video_close(&capture);
}

static void does_without(void)
{
	struct late late;

	late_begin(&late, 0, CARD_INPUT_LOOPBACK);
	must(video_stop(&late.capture));
	must(card_parameter_set("max_card_memory", 1));
	late.room = 0;
	late_start(&late);
	late_frame(&late);
	late_frame(&late);
	late_frame(&late);
	late_give_back(&late);
	late_frame(&late);
	tap_eq(3, late.last - late.first);
	late_expect_lost(&late, 2);
	late_end(&late);
}

/* ---------------------------------------------------------------- removal */

static void card_goes(const void *hold_ms)
{
	struct late late;
	struct card card;
	unsigned int i;

	must(card_find(0, &card));
	late_begin(&late, *(const int *)hold_ms, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	late_frame(&late);
	must(card_unbind(&card));
	must_refuse(ENODEV, video_queue(&late.capture, 0));
	for (i = 0; i < late.output.n_buffers; i++)
		must_refuse(ENODEV, video_queue(&late.output, i));
	video_close(&late.output);
	video_close(&late.capture);
	ring_close(&late.ring);
}

static const int none = 0, long_ms = 10000;

static const struct tap_test tests[] = {
	{ .claim = "30 frames per second stay 30 for ring and producer beside a reader who is late",
	  .run = nobody_is_held_up },
	{ .claim = "four frames wait for a late reader, in order; more are a gap, counted",
	  .run = comes_in_order },
	{ .claim = "the last frames of a producer who stops are delivered", .run = producer_stops },
	{ .claim = "what a reader is owed comes before the frames of another input",
	  .run = input_changes },
	{ .claim = "what a reader was owed is none of the next stream's", .run = stream_ends },
	{ .claim = "who comes to the loopback while he streams may be late, too",
	  .run = input_becomes_loopback },
	{ .claim = "frames of a producer of the ring wait for a late reader, too",
	  .run = ring_producer_waits_for_nobody },
	{ .claim = "who streams the loopback takes memory for four frames, or 32 MiB, or one frame",
	  .run = takes_memory },
	{ .claim = "that memory counts against who streams", .run = is_the_readers_memory },
	{ .claim = "who may have no more memory streams without: each late frame is a gap, counted",
	  .run = does_without },
	{ .claim = "the card goes while a reader is owed frames",
	  .run_with = card_goes,
	  .arg = &none },
	{ .claim = "the card goes while a producer waits", .run_with = card_goes, .arg = &long_ms },
};

static void restore(void)
{
	card_parameter_set("max_card_memory", 0);
	late_restore();
}

int main(int argc, char **argv)
{
	return fixture_main(tests, TAP_COUNT(tests), restore, argc, argv);
}
