// SPDX-License-Identifier: MIT
/*
 * hostile-sound: a card that does with its sound what it must not, and who reads the ring of
 * it: every sample that he gets is right, what is missing is missing in the sequence, and when
 * the card behaves again nothing is missing any more.
 */
#include <stdlib.h>

#include "hearing.h"
#include "remote.h"

#define EVERY 4
/* Chunks that the card may be ahead of the driver, and one that it was just writing. */
#define IN_FLIGHT 12
/* The driver gives up after 3 s without a chunk. */
#define GIVE_UP_MS 10000

/**
 * struct fault - a fault that the sound survives
 * @property: of the card
 * @every: its value while it is on
 * @enough: when it has been seen
 * @whole: nothing may be missing
 */
struct fault {
	const char *property;
	int every;
	bool (*enough)(const struct hearing *hearing);
	bool whole;
};

static bool has_gaps(const struct hearing *hearing)
{
	return hearing->gaps >= 3;
}

static bool has_shortened(const struct hearing *hearing)
{
	return hearing->shortened >= 3;
}

static bool goes_on(const struct hearing *hearing)
{
	return hearing->chunks >= 100;
}

/* What is in the ring is of the old kind, and what was in flight. */
static void expect_well(struct hearing *hearing)
{
	uint64_t missing, shortened;

	hearing_catch_up(hearing);
	hearing_take(hearing, IN_FLIGHT);
	missing = hearing->missing;
	shortened = hearing->shortened;
	hearing_take(hearing, 50);
	tap_eq(missing, hearing->missing);
	tap_eq(shortened, hearing->shortened);
	tap_eq(0, ring_state(&hearing->ring));
}

static void test_ring(const void *arg)
{
	const struct fault *fault = arg;
	struct hearing hearing;

	hearing_begin(&hearing);
	hearing_take(&hearing, 10);
	remote_set(fault->property, fault->every);
	hearing_take_until(&hearing, fault->enough);
	remote_set(fault->property, 0);
	expect_well(&hearing);
	tap_note("%llu chunks, %llu of them short, %llu gaps, %llu sample frames missing",
		 (unsigned long long)hearing.chunks, (unsigned long long)hearing.shortened,
		 (unsigned long long)hearing.gaps, (unsigned long long)hearing.missing);
	tap_check(fault->enough == has_shortened || !hearing.shortened,
		  "short chunks: expected none, got %llu", (unsigned long long)hearing.shortened);
	tap_check(!fault->whole || !hearing.missing, "missing: expected nothing, got %llu",
		  (unsigned long long)hearing.missing);
	hearing_end(&hearing);
}

/* What a short chunk lacks is missing behind it, and nothing else. */
static void test_short(const void *arg)
{
	const struct fault *fault = arg;
	struct hearing hearing;

	hearing_begin(&hearing);
	remote_set(fault->property, fault->every);
	hearing_take_until(&hearing, fault->enough);
	remote_set(fault->property, 0);
	expect_well(&hearing);
	tap_eq(hearing.shortened, hearing.gaps);
	tap_eq(hearing.shortened * HEARING_CHUNK / 2, hearing.missing);
	hearing_end(&hearing);
}

static void test_double_irq(void)
{
	struct hearing hearing;

	hearing_begin(&hearing);
	remote_flag("dup-irq", true);
	hearing_take(&hearing, 100);
	remote_flag("dup-irq", false);
	tap_eq(0, hearing.missing);
	hearing_end(&hearing);
}

/* Readers see that the ring is stale, with what came; a new ATTACH begins another. */
static void expect_stale(struct hearing *hearing)
{
	struct ring *ring = &hearing->ring;

	while (!ring_state(ring))
		must(ring_wait(ring, ring_head(ring), 1, in_ms(GIVE_UP_MS)));
	tap_eq(AVRING_STATE_STALE, ring_state(ring));
	hearing_catch_up(hearing);
	hearing_end(hearing);
}

static void expect_new_sound(void)
{
	struct hearing hearing;

	hearing_begin(&hearing);
	hearing_take(&hearing, 50);
	tap_eq(0, hearing.missing);
	hearing_end(&hearing);
}

static void test_stall(void)
{
	struct hearing hearing;

	hearing_begin(&hearing);
	hearing_take(&hearing, 10);
	remote_flag("stall-dma", true);
	expect_stale(&hearing);
	remote_flag("stall-dma", false);
	expect_new_sound();
}

/* Each chunk is a breach: that is no stream. */
static void test_nothing_right(void)
{
	struct hearing hearing;

	hearing_begin(&hearing);
	hearing_take(&hearing, 10);
	remote_set("bad-bytes", 1);
	expect_stale(&hearing);
	remote_set("bad-bytes", 0);
	expect_new_sound();
}

#define FAULT(test, name, n, until, ...) \
	.run_with = test, .arg = &(const struct fault) \
	{ \
		.property = name, .every = n, .enough = until, __VA_ARGS__ \
	}

static const struct tap_test tests[] = {
	{ "a short chunk is as much less, and no more",
	  FAULT(test_short, "short-frame", EVERY, has_shortened) },
	{ "too many bytes are a gap", FAULT(test_ring, "bad-bytes", EVERY, has_gaps) },
	{ "a wrong position is a gap", FAULT(test_ring, "bad-position", EVERY, has_gaps) },
	{ "a leap of the sequence is a gap", FAULT(test_ring, "seq-jump", EVERY, has_gaps) },
	{ "a wrong time is a gap", FAULT(test_ring, "bad-time", EVERY, has_gaps) },
	{ "without any interrupt the sound comes", FAULT(test_ring, "drop-irq", 1, goes_on) },
	{ "without some interrupts nothing is missing",
	  FAULT(test_ring, "drop-irq", 3, goes_on, .whole = true) },
	{ "interrupts for nothing do nothing",
	  FAULT(test_ring, "spurious-irq", 500, goes_on, .whole = true) },
	{ "interrupts that come twice do nothing", .run = test_double_irq },
	{ "a card that sends nothing makes the ring stale", .run = test_stall },
	{ "a card of which nothing is right makes the ring stale", .run = test_nothing_right },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
