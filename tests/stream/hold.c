// SPDX-License-Identifier: MIT
/*
 * hold: "Reader Hold, ms" of the output node: so long a producer waits for a reader who streams,
 * has no buffer queued, and is owed as many frames as there is room for. The readers of the ring
 * do not. Times are of a clock that counts instructions.
 */
#include "late.h"

#define MOST_MS 10000
#define LATER_MS 2000
#define BURST_MS 150
#define FRAMES 14

/* Frames until the reader is owed all that there is room for. */
static void fill_room(struct late *late)
{
	unsigned int i;

	for (i = 0; i < 1 + LATE_ROOM; i++)
		late_frame(late);
}

/* From the tick of the next frame until its producer has it back. */
static uint64_t waited_ns(struct late *late)
{
	struct v4l2_buffer buffer;

	must(video_dequeue(&late->output, &buffer));
	return now_ns() - (buffer.timestamp.tv_sec * UINT64_C(1000000000) +
			   buffer.timestamp.tv_usec * UINT64_C(1000));
}

static void waits_so_long(const void *arg)
{
	const int hold_ms = *(const int *)arg;
	const uint64_t hold_ns = hold_ms * UINT64_C(1000000);
	uint64_t waited, back;
	struct late late;

	late_begin(&late, hold_ms, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	waited = waited_ns(&late);
	back = now_ns();
	tap_check(waited >= hold_ns && waited < hold_ns + LATE_INTERVAL_NS,
		  "a frame: expected to wait %d ms, got %llu us", hold_ms,
		  (long long)waited / 1000);
	/* And not for each frame again. */
	waited_ns(&late);
	waited = now_ns() - back;
	tap_check(waited <= LATE_INTERVAL_NS + LATE_INTERVAL_NS / 100,
		  "the next frame: expected an interval, got %llu us", (long long)waited / 1000);
	late_end(&late);
}

/* Four frames were due meanwhile: the first is sent at once, and the others an interval apart. */
static void no_burst(void)
{
	struct late late;
	uint64_t back;
	int i;

	late_begin(&late, BURST_MS, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	waited_ns(&late);
	waited_ns(&late);
	waited_ns(&late);
	for (i = 0; i < 2; i++) {
		back = now_ns();
		waited_ns(&late);
		back = now_ns() - back;
		tap_check(back > LATE_INTERVAL_NS - LATE_INTERVAL_NS / 100,
			  "a frame: expected an interval after the last, got %llu us",
			  (long long)back / 1000);
	}
	late_end(&late);
}

static void is_none(void)
{
	struct video output;
	struct card card;
	int64_t value;

	must(card_find(0, &card));
	must(card_unbind(&card));
	must(card_bind(&card));
	must(card_find(0, &card));
	must(video_open(&output, card.output));
	must(video_get_control(&output, V4L2_CID_AVRING_READER_HOLD, &value));
	tap_eq(0, value);
	video_close(&output);
}

static void has_a_range(void)
{
	struct v4l2_queryctrl control = { .id = V4L2_CID_AVRING_READER_HOLD };
	struct video output;
	struct card card;

	must(card_find(0, &card));
	must(video_open(&output, card.output));
	must(video_ioctl(output.fd, VIDIOC_QUERYCTRL, &control));
	tap_check(!strcmp((const char *)control.name, "Reader Hold, ms"),
		  "name: expected \"Reader Hold, ms\", got \"%s\"", control.name);
	tap_eq(0, control.minimum);
	tap_eq(MOST_MS, control.maximum);
	tap_eq(0, control.default_value);
	video_close(&output);
}

/* The reader is later than a second, and the producer has more patience. */
static void loses_nothing(void)
{
	struct late late;
	uint32_t start;

	late_become_member();
	late_begin(&late, LATER_MS, CARD_INPUT_LOOPBACK);
	start = late.seen;
	while (late.seen < start + FRAMES)
		if (!late_frame_before_due(&late))
			late_give_back(&late);
	while (late.last < start + FRAMES)
		late_give_back(&late);
	tap_eq(FRAMES, late.taken);
	late_expect_lost(&late, 0);
	late_end(&late);
}

static void reader_stops(struct late *late)
{
	must(video_stop(&late->capture));
	late->buffer = true; /* nobody is owed anything */
}

static void hold_ends(struct late *late)
{
	must(video_set_control(&late->output, V4L2_CID_AVRING_READER_HOLD, 0));
}

static void expect_returned_since(struct late *late, uint64_t start)
{
	late_returned(late);
	tap_check(now_ns() - start < LATE_INTERVAL_NS, "the producer: expected to go on at once");
}

/* What ends the wait of a producer who has ten seconds; his frame is in the ring once. */
static void wait_ends(const void *arg)
{
	void (*const *end)(struct late *) = arg;
	struct avring_entry entry;
	struct late late;
	uint64_t start;

	late_begin(&late, MOST_MS, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	late_frame(&late);
	tap_eq(late.seen, late.held);
	start = now_ns();
	(*end)(&late);
	expect_returned_since(&late, start);
	must(ring_wait(&late.ring, late.entry, 1, AVRING_WAIT_FOREVER));
	tap_check(ring_entry(&late.ring, late.entry, &entry), "an entry: expected intact");
	tap_eq(late.seen + 1, late_number(ring_bytes(&late.ring, &entry)));
	late_end(&late);
}

/* The frame was sent, and is none of the pictures that come now. */
static void wait_ends_with_the_input(void)
{
	struct avring_entry entry;
	struct late late;
	uint64_t start;

	late_begin(&late, MOST_MS, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	late_frame(&late);
	start = now_ns();
	must(video_set_input(&late.capture, CARD_INPUT_PATTERN));
	expect_returned_since(&late, start);
	must(ring_wait(&late.ring, late.entry, 1, AVRING_WAIT_FOREVER));
	tap_check(ring_entry(&late.ring, late.entry, &entry), "an entry: expected intact");
	tap_eq(0, late_number(ring_bytes(&late.ring, &entry)));
	late_end(&late);
}

/* A frame that was sent and that nobody has taken is lost, and not forgotten. */
static void producer_goes_while_he_waits(void)
{
	struct late late;
	unsigned int i;

	late_begin(&late, MOST_MS, CARD_INPUT_LOOPBACK);
	fill_room(&late);
	late_frame(&late);
	late.held = 0;
	must(video_stop(&late.output));
	for (i = 0; i < LATE_ROOM; i++)
		late_give_back(&late);
	late_expect_lost(&late, 0);
	late_give_back(&late);
	late_take_after_film(&late, 1 + LATE_ROOM + 1);
	late_end(&late);
}

static const int none = 0, short_ms = 250, long_ms = 3000;
static void (*const by_streamoff)(struct late *) = reader_stops;
static void (*const by_control)(struct late *) = hold_ends;

static const struct tap_test tests[] = {
	{ .claim = "Reader Hold is 0 by default: nobody waits", .run = is_none },
	{ .claim = "Reader Hold goes from 0 to 10 s", .run = has_a_range },
	{ .claim = "Reader Hold 0: a producer waits for nobody",
	  .run_with = waits_so_long,
	  .arg = &none },
	{ .claim = "Reader Hold 250: a producer waits 250 ms for a late reader, once",
	  .run_with = waits_so_long,
	  .arg = &short_ms },
	{ .claim = "Reader Hold 3000: a producer waits 3 s for a late reader, once",
	  .run_with = waits_so_long,
	  .arg = &long_ms },
	{ .claim = "what was due while a producer waited does not come all at once",
	  .run = no_burst },
	{ .claim =
		  "with Reader Hold a late reader loses nothing, and the ring has each frame at its tick",
	  .run = loses_nothing },
	{ .claim = "a producer waits no more when the reader stops; his frame is in the ring once",
	  .run_with = wait_ends,
	  .arg = &by_streamoff },
	{ .claim = "a producer waits no more when Reader Hold is set to 0",
	  .run_with = wait_ends,
	  .arg = &by_control },
	{ .claim = "a producer waits no more when the input is another",
	  .run = wait_ends_with_the_input },
	{ .claim = "a producer who waits may stop: the frame is a gap, counted",
	  .run = producer_goes_while_he_waits },
};

int main(int argc, char **argv)
{
	return fixture_main(tests, TAP_COUNT(tests), late_restore, argc, argv);
}
