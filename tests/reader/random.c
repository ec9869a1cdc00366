// SPDX-License-Identifier: MIT
/*
 * random: spans of any length at any place of the ring are what was written there,
 * and torn ones are never called good.
 *
 * Environment: SPANS  how many (default 1000000)
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common.h"
#include "tap.h"

/* Content is a function of the position alone; the period has no factor of the ring's. */
#define PERIOD 8191
#define LONGEST 3000

static uint8_t reference[PERIOD + 64 * 1024];

static void reference_make(void)
{
	for (size_t i = 0; i < sizeof(reference); i++)
		reference[i] = i < PERIOD ? random() >> 7 : reference[i - PERIOD];
}

static const uint8_t *reference_at(uint64_t position)
{
	return reference + position % PERIOD;
}

/**
 * struct walk - what was written and read
 * @pair: the ring
 * @length: of it
 * @written: bytes
 * @read: bytes
 * @frames: written
 * @across: spans that cross the wrap
 */
struct walk {
	struct pair pair;
	uint64_t length;
	uint64_t written;
	uint64_t read;
	uint64_t frames;
	long across;
};

static void walk_write(struct walk *walk, size_t length)
{
	void *data;

	must(avring_producer_begin(walk->pair.producer, length, &data));
	memcpy(data, reference_at(walk->written), length);
	must(avring_producer_commit(walk->pair.producer, length, 0));
	walk->written += length;
	walk->frames++;
}

static void walk_check(struct walk *walk, const struct avring_span *span)
{
	tap_eq(walk->read, span->position);
	tap_eq(0, span->lost);
	tap_check(!memcmp(span->data, reference_at(span->position), span->length),
		  "%zu bytes at %llu differ", span->length, (unsigned long long)span->position);
	walk->across += span->position % walk->length + span->length > walk->length;
	walk->read += span->length;
}

/* Some frames in, some spans out; a run now and then has several of the same length. */
static long walk_round(struct walk *walk)
{
	int frames = random() % 4 + 1, length = random() % LONGEST + 1;
	size_t most = random() % 2 ? SIZE_MAX : (size_t)random() % (4 * LONGEST);
	struct avring_span span;
	long spans = 0;

	while (frames--) {
		walk_write(walk, length);
		if (random() % 2)
			length = random() % LONGEST + 1;
	}
	while (!avring_reader_next_run(walk->pair.reader, &span, most)) {
		walk_check(walk, &span);
		must(avring_reader_release(walk->pair.reader, &span));
		spans++;
	}
	return spans;
}

static void spans_equal_the_reference(void)
{
	long wanted = common_number("SPANS", 1000000), spans = 0;
	struct avring_stream_format format = common_picture(LONGEST);
	struct avring_options options = common_options();
	struct avring_geometry geometry;
	struct walk walk = { 0 };

	reference_make();
	options.align = 1;
	options.ring_bytes = 5 * sysconf(_SC_PAGESIZE);
	walk.pair = pair_open_with(&format, &options);
	avring_reader_geometry(walk.pair.reader, &geometry);
	walk.length = geometry.length;
	while (spans < wanted)
		spans += walk_round(&walk);
	tap_eq(walk.written, walk.read);
	tap_eq(0, avring_reader_lost(walk.pair.reader));
	tap_note("%ld spans, %ld of them across the wrap", spans, walk.across);
	tap_check(walk.across > spans / 20, "too few spans across the wrap: %ld", walk.across);
	pair_close(&walk.pair);
}

/* A writer that never stops, and readers that are too slow for it. */

#define WORDS 2048
#define TORN_FRAMES 9

struct race {
	struct pair pair;
	bool stop;
	uint64_t written;
};

/* So that the reader keeps up at times. */
static void race_dawdle(unsigned int *seed)
{
	volatile int left = rand_r(seed) % 30000;

	while (left > 0)
		left = left - 1;
}

/* Each frame consists of its number. */
static void *race_write(void *arg)
{
	struct race *race = arg;
	unsigned int seed = 1;
	void *data;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		volatile uint64_t *words;

		must(avring_producer_begin(race->pair.producer, WORDS * sizeof(uint64_t), &data));
		words = data;
		for (int i = 0; i < WORDS; i++)
			words[i] = race->written;
		must(avring_producer_commit(race->pair.producer, WORDS * sizeof(uint64_t), 0));
		race->written++;
		if (race->written / 256 % 2)
			race_dawdle(&seed);
	}
	return NULL;
}

/* Sums up, in both directions, so that a writer on its way is met. */
static bool race_is_whole(const struct avring_span *span)
{
	const volatile uint64_t *words = span->data;
	bool whole = true;

	for (int i = 0; i < WORDS; i++)
		whole &= words[i] == span->sequence && words[WORDS - 1 - i] == span->sequence;
	return whole;
}

/**
 * struct verdicts - what a reader found
 * @good: released as intact
 * @torn: released as overwritten
 * @torn_seen: of them, really torn
 * @first: sequence
 * @next: sequence after the last
 */
struct verdicts {
	uint64_t good;
	uint64_t torn;
	uint64_t torn_seen;
	uint64_t first;
	uint64_t next;
};

static void race_read(struct race *race, struct verdicts *verdicts)
{
	struct avring_span span;
	bool whole;
	int error = avring_reader_next(race->pair.reader, &span);

	if (error == -EAGAIN)
		return;
	must(error);
	tap_eq(span.entry, span.sequence);
	tap_eq(WORDS * sizeof(uint64_t), span.length);
	tap_eq(span.sequence, verdicts->next + span.lost);
	verdicts->next = span.sequence + span.count;
	whole = race_is_whole(&span);
	if (random() % 64 == 0)
		usleep(random() % 500);
	whole &= race_is_whole(&span);
	error = avring_reader_release(race->pair.reader, &span);
	tap_check(error == 0 || error == -EOVERFLOW, "release: %s", strerror(-error));
	tap_check(whole || error, "frame %llu was torn and called good",
		  (unsigned long long)span.sequence);
	verdicts->good += !error;
	verdicts->torn += !!error;
	verdicts->torn_seen += !whole;
}

static void race_run(struct race *race, uint64_t frames)
{
	struct verdicts verdicts = { 0 };
	pthread_t writer;

	tap_check(!pthread_create(&writer, NULL, race_write, race), "no thread");
	while (verdicts.good + verdicts.torn < frames || !verdicts.torn_seen || !verdicts.good)
		race_read(race, &verdicts);
	__atomic_store_n(&race->stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
	tap_note("%llu good, %llu overwritten (%llu seen torn), %llu lost in all",
		 (unsigned long long)verdicts.good, (unsigned long long)verdicts.torn,
		 (unsigned long long)verdicts.torn_seen,
		 (unsigned long long)avring_reader_lost(race->pair.reader));
	tap_eq(verdicts.next, verdicts.good + avring_reader_lost(race->pair.reader));
}

static void torn_spans_are_never_called_good(void)
{
	struct avring_stream_format format = common_picture(WORDS * sizeof(uint64_t));
	struct avring_options options = common_options();
	struct race race = { 0 };

	options.ring_bytes = TORN_FRAMES * WORDS * sizeof(uint64_t);
	race.pair = pair_open_with(&format, &options);
	race_run(&race, common_number("SPANS", 1000000) / 50);
	pair_close(&race.pair);
}

/* Two frames only: the writer is nearly always in one of them. */
static void shortest_ring_is_never_torn_either(void)
{
	struct avring_stream_format format = common_picture(WORDS * sizeof(uint64_t));
	struct avring_options options = common_options();
	struct race race = { 0 };

	options.ring_bytes = 1;
	race.pair = pair_open_with(&format, &options);
	race_run(&race, common_number("SPANS", 1000000) / 100);
	pair_close(&race.pair);
}

static const struct tap_test tests[] = {
	{ "random spans, also across the wrap, equal the reference",
	  .run = spans_equal_the_reference, .deadline_s = 600 },
	{ "torn spans are never called good, and every frame is accounted for",
	  .run = torn_spans_are_never_called_good, .deadline_s = 600 },
	{ "a ring of two frames is never torn either", .run = shortest_ring_is_never_torn_either,
	  .deadline_s = 600 },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
