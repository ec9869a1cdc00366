// SPDX-License-Identifier: MIT
/*
 * hostile-time: a card that lies about time, in its completions or by its clock. Whoever looks
 * (a node that streams, readers of both rings, the PCM), the times that he sees go on, are those of
 * now and fit the numbers; and a card that goes on lying is a card that has failed.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>

#include "camera.h"
#include "remote.h"
#include "sound.h"

#define NSEC_PER_SEC INT64_C(1000000000)
/* What the driver grants: how far its idea of the card's clock may be off. */
#define OFF_NS 100000000
#define BUFFERS 16
#define PICTURE_RATE 30
#define SOUND_RATE 48000
#define CHUNK 480
/* Nobody is overtaken while he asks the host. */
#define PICTURE_RING (64 << 20)
#define SOUND_RING (32 << 20)
#define GIVE_UP_MS 10000
/* Jumps of the clock that the driver takes in a minute; with this one the card has failed. */
#define MAX_JUMPS 8
#define HOUR_MS 3600000

#define SAID_TIME "the card tells of a time before its start or in the future, too often"
#define SAID_OFTEN ", too often"
#define SAID_JUMP "the card's clock has jumped, by "
#define SAID_CLOCK "the card's clock cannot be followed"

enum who { NODE, PICTURES, SOUND };

/**
 * struct witness - somebody who looks, and what he has seen
 * @who: through what
 * @flow: of NODE
 * @ring: of the others
 * @next: number of the next entry
 * @rate: how many a second, of what @number counts
 * @unit: how many of them at once
 * @begun_ns: when he began
 * @seen: frames or chunks
 * @first_ns: CLOCK_MONOTONIC of the first
 * @first: and its number
 * @time_ns: of the last
 * @card_ns: and what its picture says of the card's clock, in a ring
 * @jumps: of the clock that he may have seen; for each a number may be off by two
 */
struct witness {
	enum who who;
	struct flow flow;
	struct ring ring;
	uint64_t next;
	unsigned int rate, unit;
	uint64_t begun_ns;
	uint64_t seen;
	uint64_t first_ns, first;
	uint64_t time_ns;
	uint64_t card_ns;
	unsigned int jumps;
};

static int begin_node(struct witness *witness)
{
	camera_open(&witness->flow, &camera_small);
	must(flow_allocate(&witness->flow, FLOW_MMAP, BUFFERS, NULL));
	return flow_start(&witness->flow);
}

static int begin_ring(struct witness *witness)
{
	const bool is_sound = witness->who == SOUND;
	struct avring_setup setup = { .stream = is_sound ? AVRING_STREAM_AUDIO :
							   AVRING_STREAM_VIDEO,
				      .length = is_sound ? SOUND_RING : PICTURE_RING };
	struct node node;
	int error;

	if (!is_sound)
		camera_set(&camera_small);
	node_find(&node);
	must(ring_open(&witness->ring, node.info.card));
	must(ring_call(&witness->ring, AVRING_IOC_SET_SETUP, &setup));
	error = ring_read(&witness->ring, setup.stream, 0) ?: ring_map(&witness->ring);
	witness->next = error ? 0 : witness->ring.at.next;
	return error;
}

/* 0, or what STREAMON or ATTACH says. */
static int try_begin(struct witness *witness, enum who who)
{
	memset(witness, 0, sizeof(*witness));
	witness->who = who;
	witness->rate = who == SOUND ? SOUND_RATE : PICTURE_RATE;
	witness->unit = who == SOUND ? CHUNK : 1;
	witness->begun_ns = now_ns();
	return who == NODE ? begin_node(witness) : begin_ring(witness);
}

static void begin(struct witness *witness, enum who who)
{
	must(try_begin(witness, who));
}

static void end(struct witness *witness)
{
	if (witness->who == NODE)
		camera_end(&witness->flow);
	else
		ring_close(&witness->ring);
}

static void expect_time(const struct witness *witness, uint64_t time_ns)
{
	const uint64_t now = now_ns();

	tap_check(time_ns <= now + OFF_NS && time_ns + OFF_NS >= witness->begun_ns,
		  "time of frame %llu: expected from %llu on until %llu, got %llu",
		  (unsigned long long)witness->seen, (unsigned long long)witness->begun_ns,
		  (unsigned long long)now, (unsigned long long)time_ns);
	tap_check(time_ns > witness->time_ns,
		  "time of frame %llu: expected more than %llu, got %llu",
		  (unsigned long long)witness->seen, (unsigned long long)witness->time_ns,
		  (unsigned long long)time_ns);
}

/* What is missing is missing in the numbers, and nothing else; after a jump nearly so. */
static void expect_number(const struct witness *witness, uint64_t time_ns, uint64_t number)
{
	const int64_t passed = time_ns - witness->first_ns;
	const int64_t off = (number - witness->first) - passed * witness->rate / NSEC_PER_SEC;

	tap_check(llabs(off) <= 2 * (1 + witness->jumps) * witness->unit,
		  "number of frame %llu: expected that of its time, got %lld more",
		  (unsigned long long)witness->seen, (long long)off);
}

static void look(struct witness *witness, uint64_t time_ns, uint64_t number)
{
	expect_time(witness, time_ns);
	if (!witness->seen++) {
		witness->first_ns = time_ns;
		witness->first = number;
	}
	expect_number(witness, time_ns, number);
	witness->time_ns = time_ns;
}

static int next_frame(struct witness *witness)
{
	struct flow_frame frame;
	int error = flow_take(&witness->flow, &frame, GIVE_UP_MS);

	if (error)
		return error;
	look(witness, frame.time_us * 1000, frame.buffer.sequence);
	return flow_give(&witness->flow, &frame);
}

/* -EIO from a ring, too: it is stale, and everything in it was seen. */
static int next_entry(struct witness *witness)
{
	const struct avring_frame_stamp *stamp;
	struct ring *ring = &witness->ring;
	struct avring_entry entry;

	must(ring_wait(ring, witness->next, 1, in_ms(GIVE_UP_MS)));
	if (ring_head(ring) == witness->next) {
		tap_eq(AVRING_STATE_STALE, ring_state(ring));
		return -EIO;
	}
	tap_check(ring_entry(ring, witness->next, &entry), "entry %llu: expected intact",
		  (unsigned long long)witness->next);
	look(witness, entry.time_ns, entry.sequence);
	stamp = (const void *)ring_bytes(ring, &entry);
	if (witness->who == PICTURES)
		witness->card_ns = le64toh(stamp->time_ns);
	witness->next++;
	return 0;
}

static int next(struct witness *witness)
{
	return witness->who == NODE ? next_frame(witness) : next_entry(witness);
}

static void take(struct witness *witness, unsigned int frames)
{
	while (frames--)
		must(next(witness));
}

/* For two seconds, and a quarter. */
static void take_long(struct witness *witness)
{
	take(witness, 9 * witness->rate / witness->unit / 4);
}

/* Once, and no more. */
static void expect_said(int log, const char *text)
{
	tap_eq(1, node_said(log, text));
	close(log);
}

/* What was seen of its clock before is forgotten. */
static void reset(void)
{
	struct node node;

	node_find(&node);
	node_reset(&node);
}

static void expect_end(struct witness *witness)
{
	int error;

	do {
		error = next(witness);
	} while (!error);
	tap_eq(-EIO, error);
}

/* A card that has failed refuses everybody until it is reset; then all is well. */
static void expect_failed(enum who who)
{
	struct witness witness;

	must_refuse(EIO, try_begin(&witness, who));
	if (who == NODE) {
		must(flow_free(&witness.flow));
		flow_close(&witness.flow);
	} else {
		ring_close(&witness.ring);
	}
	remote_restore();
	reset();
	begin(&witness, who);
	take_long(&witness);
	end(&witness);
}

/* ---------------------------------------------------------------- the first frame */

/**
 * struct lie - a card of which the first frame is never right
 * @who: looks
 * @property: makes it so
 */
struct lie {
	enum who who;
	const char *property;
};

static void test_lie(const void *arg)
{
	const struct lie *lie = arg;
	const int log = node_log();
	struct witness witness;

	remote_set(lie->property, 1);
	begin(&witness, lie->who);
	tap_eq(-EIO, next(&witness));
	end(&witness);
	expect_said(log, SAID_TIME);
	remote_set(lie->property, 0);
	begin(&witness, lie->who);
	take_long(&witness);
	end(&witness);
}

/* Which one that is depends on who was there before. */
static void test_old_at_times(const void *arg)
{
	const enum who who = *(const enum who *)arg;
	struct witness witness;
	int i;

	remote_set("old-first-frame", 2);
	for (i = 0; i < 2; i++) {
		begin(&witness, who);
		take(&witness, 20);
		end(&witness);
	}
}

/* ---------------------------------------------------------------- the clock */

/**
 * struct jump - of the clock
 * @who: looks
 * @ms: how far
 */
struct jump {
	enum who who;
	int ms;
};

static void test_jump(const void *arg)
{
	const struct jump *jump = arg;
	const int log = node_log();
	struct witness witness;

	reset();
	begin(&witness, jump->who);
	take(&witness, 20);
	witness.jumps = 1;
	remote_set("clock-jump", jump->ms);
	take_long(&witness);
	expect_said(log, SAID_JUMP);
	end(&witness);
}

static void test_jumps(const void *arg)
{
	const enum who who = *(const enum who *)arg;
	const int log = node_log();
	struct witness witness;
	int i;

	reset();
	begin(&witness, who);
	take(&witness, 5);
	for (i = 1; i < MAX_JUMPS; i++) {
		witness.jumps++;
		remote_set("clock-jump", HOUR_MS);
		take_long(&witness);
	}
	remote_set("clock-jump", HOUR_MS);
	expect_end(&witness);
	expect_said(log, SAID_CLOCK);
	end(&witness);
	expect_failed(who);
}

/* Times that came before were right. */
static void test_clock(enum who who, const char *property, int value)
{
	const int log = node_log();
	struct witness witness;

	reset();
	begin(&witness, who);
	take(&witness, 5);
	witness.jumps = MAX_JUMPS;
	remote_set(property, value);
	expect_end(&witness);
	expect_said(log, SAID_CLOCK);
	end(&witness);
	expect_failed(who);
}

static void test_rate(const void *arg)
{
	test_clock(*(const enum who *)arg, "clock-ppm", 100000);
}

static void test_slow(const void *arg)
{
	test_clock(*(const enum who *)arg, "clock-ppm", -100000);
}

/* What the card writes cannot be of that time: that is found out, or the clock given up, before. */
static void test_stop(const void *arg)
{
	const enum who who = *(const enum who *)arg;
	const int log = node_log(), clock = node_log();
	struct witness witness;

	reset();
	begin(&witness, who);
	take(&witness, 5);
	witness.jumps = MAX_JUMPS;
	remote_flag("time-stop", true);
	expect_end(&witness);
	tap_eq(1, node_said(log, SAID_OFTEN) + node_said(clock, SAID_CLOCK));
	close(log);
	close(clock);
	end(&witness);
	remote_flag("time-stop", false);
	reset();
	begin(&witness, who);
	take_long(&witness);
	end(&witness);
}

/* Another card in the place of this one, an hour before its clock gets there. Return: when. */
static uint64_t plug_before(uint64_t card_ns)
{
	const uint64_t since_ns = now_ns();

	remote("unplug card0");
	remote("plug card0 \"$(. \"$OUT/.vm/env\" && echo \"$CARD_ARGS\"),clock-start=%llu\"",
	       (unsigned long long)(card_ns - HOUR_MS * UINT64_C(1000000)));
	node_restore();
	return since_ns;
}

/* The last seconds before that while somebody looks: so there is one jump at least. */
static void test_border(uint64_t card_ns, unsigned int jumps)
{
	const int log = node_log();
	const uint64_t since_ns = plug_before(card_ns);
	uint64_t before = 0;
	struct witness witness;

	begin(&witness, PICTURES);
	witness.jumps = jumps;
	remote_set("clock-jump", HOUR_MS - 2000 - (now_ns() - since_ns) / 1000000);
	/* Unsigned: so small is what is left of the hour, or what is behind it. */
	do {
		must(next(&witness));
		before += card_ns - witness.card_ns < HOUR_MS / 2 * UINT64_C(1000000);
	} while (witness.card_ns - card_ns > 3 * UINT64_C(1000000000));
	take(&witness, 2 * PICTURE_RATE);
	tap_check(before > 0, "frames before the border: expected some");
	tap_eq(jumps, node_said(log, SAID_JUMP));
	close(log);
	end(&witness);
	remote_replace();
}

static void test_half(void)
{
	test_border(UINT64_C(1) << 63, 1);
}

static void test_end(void)
{
	test_border(0, 2);
}

/* ---------------------------------------------------------------- the other clock */

/**
 * struct slew - of CLOCK_MONOTONIC
 * @who: looks
 * @tick: microseconds that a hundredth of a second counts for
 */
struct slew {
	enum who who;
	long tick;
};

static void set_tick(long tick)
{
	struct timex timex = { .modes = ADJ_TICK, .tick = tick };

	must(sys(adjtimex(&timex)));
}

/* Numbers are those of the card's clock, which is right. */
static void test_slew(const void *arg)
{
	const struct slew *slew = arg;
	const int jumped = node_log(), breached = node_log();
	struct witness witness;
	int error = 0, i;

	reset();
	begin(&witness, slew->who);
	witness.jumps = 40;
	set_tick(slew->tick);
	for (i = 0; !error && i < 4 * (int)(witness.rate / witness.unit); i++)
		error = next(&witness);
	set_tick(10000);
	tap_eq(0, error);
	tap_eq(0, node_said(jumped, SAID_JUMP));
	tap_eq(0, node_said(breached, "the card tells of "));
	close(jumped);
	close(breached);
	end(&witness);
}

/* ---------------------------------------------------------------- the PCM */

static const struct sound_params stereo = { .format = SND_PCM_FORMAT_S16_LE,
					    .rate = SOUND_RATE,
					    .channels = 2,
					    .period = CHUNK };

/* Time of the position, if the driver knows it. */
static bool pcm_time(snd_pcm_t *pcm, uint64_t *ns)
{
	snd_pcm_audio_tstamp_config_t config = {
		.type_requested = SND_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE,
	};
	snd_pcm_audio_tstamp_report_t said;
	snd_pcm_status_t *status;
	snd_htimestamp_t time;

	snd_pcm_status_alloca(&status);
	snd_pcm_status_set_audio_htstamp_config(status, &config);
	must(snd_pcm_status(pcm, status));
	snd_pcm_status_get_audio_htstamp_report(status, &said);
	snd_pcm_status_get_audio_htstamp(status, &time);
	*ns = time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
	return said.actual_type == SND_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE &&
	       snd_pcm_status_get_state(status) == SND_PCM_STATE_RUNNING;
}

/* Read a chunk, and look at the clock. Return: 0 or -EPIPE. */
static int hear(snd_pcm_t *pcm, struct witness *witness)
{
	static int16_t chunk[2 * CHUNK];
	long frames = snd_pcm_readi(pcm, chunk, CHUNK);
	uint64_t ns;

	if (frames < 0)
		return frames;
	tap_eq(CHUNK, frames);
	/* A status may be that of the chunk before. */
	if (pcm_time(pcm, &ns) && ns != witness->time_ns) {
		expect_time(witness, ns);
		witness->time_ns = ns;
	}
	witness->seen++;
	return 0;
}

static snd_pcm_t *hear_begin(struct witness *witness)
{
	struct node node;
	snd_pcm_t *pcm;

	memset(witness, 0, sizeof(*witness));
	node_find(&node);
	must(sound_open(&pcm, node.alsa, SND_PCM_STREAM_CAPTURE, &stereo));
	witness->begun_ns = now_ns();
	must(snd_pcm_start(pcm));
	return pcm;
}

static void hear_on(snd_pcm_t *pcm, struct witness *witness)
{
	int i;

	must(snd_pcm_prepare(pcm));
	must(snd_pcm_start(pcm));
	for (i = 0; i < 100; i++)
		must(hear(pcm, witness));
}

static void test_pcm_times(void)
{
	struct witness witness;
	snd_pcm_t *pcm = hear_begin(&witness);
	int error, overruns;

	remote_set("bad-time", 7);
	for (overruns = 0; overruns < 10; overruns++) {
		while (!(error = hear(pcm, &witness)))
			;
		tap_eq(-EPIPE, error);
		must(snd_pcm_prepare(pcm));
		must(snd_pcm_start(pcm));
	}
	remote_set("bad-time", 0);
	must(snd_pcm_drop(pcm));
	hear_on(pcm, &witness);
	must(snd_pcm_close(pcm));
}

static void test_pcm_old(void)
{
	struct witness witness;
	snd_pcm_t *pcm;

	remote_set("old-first-frame", 1);
	pcm = hear_begin(&witness);
	tap_eq(-EPIPE, hear(pcm, &witness));
	remote_set("old-first-frame", 0);
	hear_on(pcm, &witness);
	must(snd_pcm_close(pcm));
}

static void test_pcm_jump(const void *arg)
{
	struct witness witness;
	snd_pcm_t *pcm;
	int error, i;

	reset();
	pcm = hear_begin(&witness);
	for (i = 0; i < 20; i++)
		must(hear(pcm, &witness));
	remote_set("clock-jump", *(const int *)arg);
	while (!(error = hear(pcm, &witness)))
		;
	tap_eq(-EPIPE, error);
	hear_on(pcm, &witness);
	must(snd_pcm_close(pcm));
}

/* ---------------------------------------------------------------- the flood */

/* Times that go on and fit the numbers are not more than time has room for. */
static void test_flood(const void *arg)
{
	const enum who who = *(const enum who *)arg;
	const int log = node_log();
	struct witness witness;

	begin(&witness, who);
	take(&witness, 5);
	remote_flag("completion-flood", true);
	expect_end(&witness);
	end(&witness);
	expect_said(log, SAID_OFTEN);
	remote_flag("completion-flood", false);
	begin(&witness, who);
	take_long(&witness);
	end(&witness);
}

#define WHO(test, name) \
	.run_with = test, .arg = &(const enum who) \
	{ \
		name \
	}
#define LIE(name, of) \
	.run_with = test_lie, .arg = &(const struct lie) \
	{ \
		name, of \
	}
#define JUMP(name, by) \
	.run_with = test_jump, .arg = &(const struct jump) \
	{ \
		name, by \
	}

#define SLEW(name, by) \
	.run_with = test_slew, .arg = &(const struct slew) \
	{ \
		name, by \
	}

static const struct tap_test tests[] = {
	{ "a first frame from before the start is never seen, and ends the stream with EIO",
	  LIE(NODE, "old-first-frame") },
	{ "a first frame from before the start is never in the ring",
	  LIE(PICTURES, "old-first-frame") },
	{ "a first chunk from before the start is never in the ring",
	  LIE(SOUND, "old-first-frame") },
	{ "frames of no right time are never seen, and end the stream with EIO",
	  LIE(NODE, "bad-time") },
	{ "frames of no right time are never in the ring", LIE(PICTURES, "bad-time") },
	{ "chunks of no right time are never in the ring", LIE(SOUND, "bad-time") },
	{ "a first chunk from before the start is never heard", .run = test_pcm_old },
	{ "at every second start it is a gap", WHO(test_old_at_times, NODE) },
	{ "at every second start it is a gap in the ring", WHO(test_old_at_times, PICTURES) },
	{ "at every second start it is a gap in the sound", WHO(test_old_at_times, SOUND) },
	{ "sound with wrong times is EPIPE, and what is said of time is right",
	  .run = test_pcm_times },
	{ "a clock that jumps ahead is a gap", JUMP(NODE, HOUR_MS) },
	{ "a clock that jumps ahead is a gap in the ring", JUMP(PICTURES, HOUR_MS) },
	{ "a clock that jumps ahead is a gap in the sound", JUMP(SOUND, HOUR_MS) },
	{ "a clock that jumps ahead is EPIPE", .run_with = test_pcm_jump,
	  .arg = &(int){ HOUR_MS } },
	{ "a clock that goes back is a gap", JUMP(NODE, -HOUR_MS) },
	{ "a clock that goes back is a gap in the ring", JUMP(PICTURES, -HOUR_MS) },
	{ "a clock that goes back is a gap in the sound", JUMP(SOUND, -HOUR_MS) },
	{ "a clock that goes back is EPIPE", .run_with = test_pcm_jump, .arg = &(int){ -HOUR_MS } },
	{ "with the eighth jump the card has failed: EIO until it is reset",
	  WHO(test_jumps, NODE) },
	{ "with the eighth jump the ring ends", WHO(test_jumps, PICTURES) },
	{ "with the eighth jump the ring of the sound ends", WHO(test_jumps, SOUND) },
	{ "a clock that stands still ends the stream with EIO", WHO(test_stop, NODE) },
	{ "a clock that stands still ends the ring", WHO(test_stop, PICTURES) },
	{ "a clock that stands still ends the ring of the sound", WHO(test_stop, SOUND) },
	{ "a clock that is too fast is a card that has failed", WHO(test_rate, NODE) },
	{ "a clock that is too fast ends the ring of the sound", WHO(test_rate, SOUND) },
	{ "a clock that is too slow is a card that has failed", WHO(test_slow, PICTURES) },
	{ "a flood ends the stream, and nothing came faster than time", WHO(test_flood, NODE) },
	{ "a flood ends the ring, and nothing came faster than time", WHO(test_flood, PICTURES) },
	{ "a flood ends the ring of the sound, and nothing came faster than time",
	  WHO(test_flood, SOUND) },
	{ "a clock of ours that is 8 % faster is no fault of the card's", SLEW(NODE, 10800) },
	{ "a clock of ours that is 8 % faster is none in the ring", SLEW(PICTURES, 10800) },
	{ "a clock of ours that is 8 % faster is none in the sound", SLEW(SOUND, 10800) },
	{ "a clock of ours that is 8 % slower is no fault of the card's", SLEW(NODE, 9200) },
	{ "a clock of ours that is 8 % slower is none in the ring", SLEW(PICTURES, 9200) },
	{ "a clock of ours that is 8 % slower is none in the sound", SLEW(SOUND, 9200) },
	{ "a clock beyond 2^63 is a clock", .run = test_half },
	{ "a clock that begins anew behind 2^64 is a gap", .run = test_end },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
