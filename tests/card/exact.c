// SPDX-License-Identifier: MIT
/*
 * exact: picture and sound for a long time from a card whose clock is 200 ppm off, in a
 * guest that counts instructions: no frame and no sample is lost, one interrupt comes for
 * each, every beep is where its flash is, and times are those of CLOCK_MONOTONIC to the end.
 *
 * Flash time is the V4L2 timestamp, beep time that of the ring of sound: both are
 * CLOCK_MONOTONIC.
 *
 * Arguments: -n FRAMES (default 100000)
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sound/asound.h>

#include "camera.h"
#include "remote.h"

#define NSEC_PER_SEC INT64_C(1000000000)
#define PPM 200
#define BUFFERS 16
#define RATE 48000
#define SAMPLE_NS (NSEC_PER_SEC / RATE + 1)
/* A V4L2 timestamp is cut off to a microsecond. */
#define CUT_NS 1000
#define SILENCE (RATE / 10)
/*
 * What has come is not older than this, and not from the future; but for the first quarter of a
 * second the driver knows nothing of the rate of the card's clock, which makes 50 us. Without a
 * servo times are 17 ms ahead after 10^4 frames.
 */
#define AGE_NS 20000000
#define AHEAD_NS 100000

static const struct camera_mode exact_mode = { .pix = CAMERA_SMALL, .rate = { 120, 1 } };
static unsigned int exact_frames = 100000;

/**
 * struct exact_age - how old is what has come, by its time, when it is seen
 * @known: has anything come?
 * @least_ns: the youngest
 * @most_ns: and the oldest
 */
struct exact_age {
	bool known;
	int64_t least_ns, most_ns;
};

/**
 * struct exact_sound - the sound so far
 * @ring: where it comes from
 * @next: number of the next entry
 * @sequence: of the next sample frame
 * @silent: samples of silence since the last other one
 * @beep_ns: when the last beep began; 0 none yet
 * @beeps: how many
 * @samples: sample frames
 * @age: of the end of the newest entry
 */
struct exact_sound {
	struct ring ring;
	uint64_t next;
	uint64_t sequence;
	unsigned int silent;
	uint64_t beep_ns;
	unsigned int beeps;
	uint64_t samples;
	struct exact_age age;
};

/**
 * struct exact_sync - flashes and beeps
 * @flash_ns: the last flash that has no beep yet; 0 none
 * @pairs: flashes with a beep
 * @least_ns: beep time less flash time
 * @most_ns: and the most
 */
struct exact_sync {
	uint64_t flash_ns;
	unsigned int pairs;
	int64_t least_ns, most_ns;
};

/**
 * struct exact_counts - what the card says of itself
 * @interrupts: sent
 * @frames: pictures written
 * @chunks: of sound
 */
struct exact_counts {
	long interrupts, frames, chunks;
};

static struct exact_counts exact_counts(void)
{
	return (struct exact_counts){ remote_get("interrupts"), remote_get("video-frames"),
				      remote_get("audio-chunks") };
}

/* The sound of a chunk: does a beep begin in it? */
static void exact_chunk(struct exact_sound *sound, const struct avring_entry *entry)
{
	const int16_t *samples = (const int16_t *)ring_bytes(&sound->ring, entry);
	unsigned int i;

	for (i = 0; i < entry->count; i++) {
		if (!samples[2 * i]) {
			sound->silent++;
			continue;
		}
		if (sound->silent >= SILENCE) {
			sound->beep_ns = entry->time_ns + i * NSEC_PER_SEC / RATE;
			sound->beeps++;
		}
		sound->silent = 0;
	}
	sound->samples += entry->count;
}

static void exact_age_is(struct exact_age *age, const char *what, uint64_t time_ns)
{
	const int64_t ns = now_ns() - time_ns;

	tap_check(ns >= -AHEAD_NS && ns < AGE_NS, "age of %s: expected %d to %d ns, got %lld", what,
		  -AHEAD_NS, AGE_NS, (long long)ns);
	if (!age->known || ns < age->least_ns)
		age->least_ns = ns;
	if (!age->known || ns > age->most_ns)
		age->most_ns = ns;
	age->known = true;
}

static void exact_listen(struct exact_sound *sound)
{
	struct avring_entry entry;
	uint64_t head = ring_head(&sound->ring);

	for (; sound->next < head; sound->next++) {
		tap_check(ring_entry(&sound->ring, sound->next, &entry),
			  "chunk %llu: expected intact, was overtaken",
			  (unsigned long long)sound->next);
		tap_check(!sound->samples || entry.sequence == sound->sequence,
			  "sample frames: expected %llu next, got %llu",
			  (unsigned long long)sound->sequence, (unsigned long long)entry.sequence);
		exact_chunk(sound, &entry);
		sound->sequence = entry.sequence + entry.count;
		if (sound->next + 1 == ring_head(&sound->ring))
			exact_age_is(&sound->age, "the newest sound",
				     entry.time_ns + entry.count * NSEC_PER_SEC / RATE);
	}
}

/* Either may be seen first. */
static void exact_compare(struct exact_sync *sync, struct exact_sound *sound)
{
	int64_t offset = sound->beep_ns - sync->flash_ns;

	if (!sync->flash_ns || !sound->beep_ns || llabs(offset) > NSEC_PER_SEC / 2)
		return;
	tap_check(offset >= -CUT_NS && offset <= SAMPLE_NS + CUT_NS,
		  "beep %u: expected within a sample of its flash, got %lld ns", sound->beeps,
		  (long long)offset);
	if (!sync->pairs || offset < sync->least_ns)
		sync->least_ns = offset;
	if (!sync->pairs || offset > sync->most_ns)
		sync->most_ns = offset;
	sync->pairs++;
	sync->flash_ns = 0;
}

static void exact_look(struct flow *flow, struct camera_watch *watch, struct exact_sync *sync,
		       struct exact_age *age)
{
	const struct avring_frame_stamp *stamp;
	struct flow_frame frame;

	must(flow_take(flow, &frame, 10000));
	exact_age_is(age, "a picture", frame.time_us * 1000);
	camera_expect(flow, &frame, watch);
	stamp = (const void *)frame.data;
	if (le32toh(stamp->flags) & AVRING_FRAME_STAMP_FLASH)
		sync->flash_ns = frame.time_us * 1000;
	must(flow_give(flow, &frame));
}

static struct ring exact_sound_ring(void)
{
	struct ring ring;
	struct node node;

	node_find(&node);
	must(ring_open(&ring, node.info.card));
	must(ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	must(ring_map(&ring));
	tap_eq(RATE, ring.at.format.audio.rate);
	tap_eq(2, ring.at.format.audio.channels);
	tap_eq(SNDRV_PCM_FORMAT_S16_LE, ring.at.format.audio.format);
	return ring;
}

/* The last frames of the card may have had nobody any more to take them. */
static void exact_expect_counts(const struct exact_counts *before, const struct camera_watch *watch)
{
	const struct exact_counts now = exact_counts();
	const long frames = now.frames - before->frames, chunks = now.chunks - before->chunks;
	const long interrupts = now.interrupts - before->interrupts;

	tap_note("%ld frames, %ld chunks, %ld interrupts", frames, chunks, interrupts);
	tap_eq(frames + chunks, interrupts);
	tap_check(frames >= (long)watch->seen && frames <= (long)watch->seen + BUFFERS,
		  "frames of the card: expected the %llu that were seen and %d more at most, got %ld",
		  (unsigned long long)watch->seen, BUFFERS, frames);
}

/* A driver that is new to the card, and its clock. */
static void exact_clock(void)
{
	struct node node;

	remote_set("clock-ppm", PPM);
	node_find(&node);
	must(node_unbind(&node));
	must(node_bind(&node));
}

static void exact_test(void)
{
	struct camera_watch watch = { .mode = &exact_mode };
	struct exact_sound sound = { 0 };
	struct exact_sync sync = { 0 };
	struct exact_age age = { 0 };
	struct exact_counts before;
	struct flow flow;

	exact_clock();
	before = exact_counts();
	sound.ring = exact_sound_ring();
	sound.next = sound.ring.at.next;
	camera_start(&flow, &exact_mode, FLOW_MMAP, BUFFERS);
	while (watch.seen < exact_frames) {
		exact_look(&flow, &watch, &sync, &age);
		exact_listen(&sound);
		exact_compare(&sync, &sound);
	}
	tap_eq(0, watch.missing);
	tap_eq(0, camera_counter(&flow, V4L2_CID_AVRING_FRAMES_DROPPED));
	camera_end(&flow);
	ring_close(&sound.ring);
	exact_expect_counts(&before, &watch);
	tap_note("%llu frames, %llu sample frames, %u flashes with a beep %lld to %lld ns later",
		 (unsigned long long)watch.seen, (unsigned long long)sound.samples, sync.pairs,
		 (long long)sync.least_ns, (long long)sync.most_ns);
	tap_note("pictures %lld to %lld ns old, sound %lld to %lld ns", (long long)age.least_ns,
		 (long long)age.most_ns, (long long)sound.age.least_ns,
		 (long long)sound.age.most_ns);
	tap_check(sync.pairs + 2 >= exact_frames / 120,
		  "flashes with a beep: expected %u or a few less, got %u", exact_frames / 120,
		  sync.pairs);
}

static void exact_few(struct exact_age *age)
{
	struct camera_watch watch = { .mode = &exact_mode };
	struct exact_sync sync = { 0 };
	struct flow flow;

	camera_start(&flow, &exact_mode, FLOW_MMAP, BUFFERS);
	while (watch.seen < 30)
		exact_look(&flow, &watch, &sync, age);
	camera_end(&flow);
}

/* 70 ms in this time: the clock of an idle guest leaps over it. */
static void exact_idle(void)
{
	struct exact_age before = { 0 }, after = { 0 };

	exact_clock();
	exact_few(&before);
	remote_set("clock-ppm", PPM - 700);
	sleep(100);
	exact_few(&after);
	tap_note("pictures %lld to %lld ns old", (long long)after.least_ns,
		 (long long)after.most_ns);
}

static const struct tap_test tests[] = {
	{ "after a long rest the first picture has the time that it should", .run = exact_idle },
	{ "200 ppm off: no frame, sample or interrupt too few or too many, flash and beep coincide, times are ours",
	  .run = exact_test, .deadline_s = 300 },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-n")) {
		exact_frames = atoi(argv[2]);
		argc = 1;
	}
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
