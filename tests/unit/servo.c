// SPDX-License-Identifier: GPL-2.0-only
/*
 * servo: a card's clock mapped to CLOCK_MONOTONIC, on the host. The cards are made of
 * arithmetic: quartzes off by a rate, readings off by a jitter.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "driver/pci/servo.c" /* the driver's own source */
#include "tap.h"

#define LOOK_NS 250000000ULL /* between two readings */
#define SECOND_NS 1000000000ULL

/**
 * struct quartz - a card's clock
 * @start_ns: CLOCK_MONOTONIC when it shows @card_ns
 * @card_ns: what it shows then
 * @ppb: how much faster than it CLOCK_MONOTONIC runs
 * @jitter_ns: how far a reading may be off, either way
 */
struct quartz {
	uint64_t start_ns;
	uint64_t card_ns;
	int64_t ppb;
	int64_t jitter_ns;
};

static uint64_t quartz_mono(const struct quartz *quartz, uint64_t card_ns)
{
	int64_t passed = card_ns - quartz->card_ns;

	return quartz->start_ns + passed +
	       (int64_t)((__int128)passed * quartz->ppb / (int64_t)SECOND_NS);
}

/* Nothing slews the clock, and a read takes no time. */
static bool update(struct avring_servo *servo, uint64_t card_ns, uint64_t mono_ns)
{
	return avring_servo_update(servo,
				   &(struct avring_servo_reading){ card_ns, mono_ns, mono_ns, 0 });
}

static void look(struct avring_servo *servo, const struct quartz *quartz, uint64_t card_ns)
{
	int64_t jitter = quartz->jitter_ns ?
				 random() % (2 * quartz->jitter_ns + 1) - quartz->jitter_ns :
				 0;

	update(servo, card_ns, quartz_mono(quartz, card_ns) + jitter);
}

static int64_t error_of(const struct avring_servo *servo, const struct quartz *quartz,
			uint64_t card_ns)
{
	return avring_servo_mono_ns(&servo->line, card_ns) - quartz_mono(quartz, card_ns);
}

/* Look for @seconds. Return: the largest error between two looks from @settled on. */
static int64_t worst_error(const struct quartz *quartz, unsigned int seconds, unsigned int settled)
{
	uint64_t card_ns = quartz->card_ns, end = card_ns + seconds * SECOND_NS, part;
	struct avring_servo servo;
	int64_t worst = 0, error;

	avring_servo_init(&servo);
	for (; card_ns < end; card_ns += LOOK_NS) {
		look(&servo, quartz, card_ns);
		for (part = 0; part < LOOK_NS; part += LOOK_NS / 25) {
			error = llabs(error_of(&servo, quartz, card_ns + part));
			if (card_ns >= quartz->card_ns + settled * SECOND_NS && error > worst)
				worst = error;
		}
	}
	return worst;
}

static void a_quartz_that_is_off_is_followed(void)
{
	for (int64_t ppb = -500000; ppb <= 500000; ppb += 100000) {
		struct quartz quartz = { 7 * SECOND_NS, 123456789, ppb, 0 };
		int64_t worst = worst_error(&quartz, 100, 5);

		tap_check(worst < 1000, "%" PRId64 " ppb: %" PRId64 " ns off", ppb, worst);
	}
}

static void readings_may_jitter(void)
{
	struct quartz quartz = { 7 * SECOND_NS, 5 * SECOND_NS, 200000, 5000 };
	int64_t worst = worst_error(&quartz, 1000, 10);

	tap_check(worst < 4 * quartz.jitter_ns, "%" PRId64 " ns off", worst);
}

static void time_never_goes_back(void)
{
	struct quartz quartz = { 7 * SECOND_NS, 5 * SECOND_NS, -500000, 50000 };
	uint64_t card_ns = quartz.card_ns, last = 0, now, part;
	struct avring_servo servo;

	avring_servo_init(&servo);
	for (int n = 0; n < 4000; n++, card_ns += LOOK_NS) {
		look(&servo, &quartz, card_ns);
		for (part = 0; part < LOOK_NS; part += LOOK_NS / 2 - 1) {
			now = avring_servo_mono_ns(&servo.line, card_ns + part);
			tap_check(now > last, "%" PRIu64 " after %" PRIu64, now, last);
			last = now;
		}
	}
}

/* What was stamped before a reading and is stamped again after it has the same time. */
static void a_reading_does_not_move_what_is_past(void)
{
	struct quartz quartz = { 7 * SECOND_NS, 5 * SECOND_NS, 200000, 0 };
	uint64_t card_ns = quartz.card_ns, event = 0, before = 0;
	struct avring_servo servo;

	avring_servo_init(&servo);
	for (int n = 0; n < 400; n++, card_ns += LOOK_NS) {
		look(&servo, &quartz, card_ns);
		if (n > 8)
			tap_check(llabs((int64_t)(avring_servo_mono_ns(&servo.line, event) -
						  before)) < 1000,
				  "look %d moves it by %" PRId64 " ns", n,
				  (int64_t)(avring_servo_mono_ns(&servo.line, event) - before));
		event = card_ns + LOOK_NS - SECOND_NS / 100;
		before = avring_servo_mono_ns(&servo.line, event);
	}
}

static void a_clock_that_was_stopped_begins_again(void)
{
	struct quartz quartz = { 7 * SECOND_NS, 5 * SECOND_NS, 0, 0 };
	struct avring_servo servo;

	avring_servo_init(&servo);
	look(&servo, &quartz, 5 * SECOND_NS);
	look(&servo, &quartz, 6 * SECOND_NS);
	quartz.start_ns += 3600 * SECOND_NS;
	look(&servo, &quartz, 7 * SECOND_NS);
	tap_eq(0, error_of(&servo, &quartz, 7 * SECOND_NS));
}

static void ten_years_do_not_overflow(void)
{
	struct quartz quartz = { 315360000 * SECOND_NS, SECOND_NS, 1000000, 0 };
	struct avring_servo servo;
	uint64_t card_ns = quartz.card_ns;

	avring_servo_init(&servo);
	for (int n = 0; n < 200; n++, card_ns += LOOK_NS)
		look(&servo, &quartz, card_ns);
	/* Nobody looks for ninety days. */
	card_ns += 90 * 86400 * SECOND_NS;
	tap_check(llabs(error_of(&servo, &quartz, card_ns)) < 90 * (int64_t)SECOND_NS,
		  "%" PRId64 " ns off", error_of(&servo, &quartz, card_ns));
}

/* Any bits, small and large numbers of either sign alike. */
static uint64_t hostile(void)
{
	uint64_t bits = (uint64_t)random() << 62 ^ (uint64_t)random() << 31 ^ (uint64_t)random();

	bits >>= random() % 64;
	return random() % 2 ? bits : -bits;
}

/* What is far away on the one clock is as far away on the other, in unsigned numbers. */
static void any_card_time_is_mapped_exactly(void)
{
	for (int n = 0; n < 1000000; n++) {
		struct avring_servo_line line = { hostile(), hostile(),
						  random() % 2500001 - 1250000, 0, 0 };
		uint64_t card_ns = hostile();
		int64_t passed = card_ns - line.card_ns;
		uint64_t exact = line.mono_ns + passed +
				 (uint64_t)((__int128)passed * line.ppb / (int64_t)SECOND_NS);

		/* Both parts of the product are cut off. */
		tap_check(avring_servo_mono_ns(&line, card_ns) == exact,
			  "%" PRIu64 " off %" PRIu64 " by %d ppb: expected %" PRIu64
			  ", got %" PRIu64,
			  card_ns, line.card_ns, line.ppb, exact,
			  avring_servo_mono_ns(&line, card_ns));
	}
}

/* Readings of a clock that lies, one time in four of one that does not. */
static void any_reading_is_a_jump_or_fits(void)
{
	struct avring_servo servo;
	uint64_t mono_ns = 7 * SECOND_NS, card_ns = hostile(), at;
	uint32_t jumps = 0;

	avring_servo_init(&servo);
	for (int n = 0; n < 1000000; n++) {
		mono_ns += LOOK_NS;
		card_ns = random() % 4 ? hostile() : card_ns + LOOK_NS;
		jumps += !update(&servo, card_ns, mono_ns);
		tap_eq(jumps, servo.line.jumps);
		at = avring_servo_mono_ns(&servo.line, card_ns);
		tap_check(at - (mono_ns - AVRING_SERVO_MAX_ERROR_NS) <=
				  2 * (uint64_t)AVRING_SERVO_MAX_ERROR_NS,
			  "%" PRIu64 " at %" PRIu64 ": mapped to %" PRIu64, card_ns, mono_ns, at);
	}
	tap_check(jumps > 400000, "jumps: expected most to be, got %u", jumps);
}

/* Of a card whose clock goes on by so much from one look to the next. */
static unsigned int jumps_of(uint64_t card_ns, int64_t step_ns, unsigned int seconds)
{
	uint64_t mono_ns = 7 * SECOND_NS, end = mono_ns + seconds * SECOND_NS;
	struct avring_servo servo;

	avring_servo_init(&servo);
	for (; mono_ns < end; mono_ns += LOOK_NS, card_ns += step_ns)
		update(&servo, card_ns, mono_ns);
	return servo.line.jumps;
}

static void a_clock_that_stands_still_jumps_each_time(void)
{
	tap_eq(7, jumps_of(5 * SECOND_NS, 0, 2));
	tap_eq(7, jumps_of(UINT64_MAX, 0, 2));
}

static void a_clock_that_goes_back_jumps_each_time(void)
{
	tap_eq(7, jumps_of(5 * SECOND_NS, -1, 2));
	tap_eq(7, jumps_of(5 * SECOND_NS, -(int64_t)LOOK_NS, 2));
	tap_eq(7, jumps_of(5 * SECOND_NS, INT64_MIN, 2));
}

static void a_rate_that_cannot_be_jumps_again_and_again(void)
{
	tap_check(jumps_of(5 * SECOND_NS, LOOK_NS / 10 * 11, 12) >= 8, "10 %% too fast: no jumps");
	tap_check(jumps_of(5 * SECOND_NS, LOOK_NS / 10 * 9, 12) >= 8, "10 %% too slow: no jumps");
	tap_eq(0, jumps_of(5 * SECOND_NS, LOOK_NS + LOOK_NS / 2000, 3600));
	tap_eq(0, jumps_of(5 * SECOND_NS, LOOK_NS - LOOK_NS / 2000, 3600));
}

static void no_border_of_numbers_is_a_jump_but_the_end(void)
{
	tap_eq(0, jumps_of((1ULL << 63) - 5 * SECOND_NS, LOOK_NS, 10));
	tap_eq(0, jumps_of(-20 * SECOND_NS, LOOK_NS, 10));
	tap_eq(1, jumps_of(-5 * SECOND_NS, LOOK_NS, 10));
}

/* Parts per million that CLOCK_MONOTONIC is faster; within a minute, and one after it. */
static void a_slewed_clock_is_followed_and_no_jump(void)
{
	for (int ppm = -90000; ppm <= 90000; ppm += 10000) {
		struct avring_servo_reading now = { 5 * SECOND_NS, 7 * SECOND_NS, 9 * SECOND_NS,
						    0 };
		struct avring_servo servo;
		int64_t step, off;

		avring_servo_init(&servo);
		for (int n = 0; n < 480; n++) {
			step = LOOK_NS + (n < 240 ? (int64_t)LOOK_NS / 1000000 * ppm : 0);
			tap_check(avring_servo_update(&servo, &now), "%d ppm: a jump", ppm);
			now.card_ns += LOOK_NS;
			now.raw_ns += LOOK_NS;
			now.mono_ns += step;
			off = avring_servo_mono_ns(&servo.line, now.card_ns) - now.mono_ns;
			tap_check(llabs(off) < 60000000, "%d ppm: %" PRId64 " ns off", ppm, off);
		}
		tap_eq(0, servo.line.jumps);
	}
}

static void a_slew_hides_no_jump(void)
{
	struct avring_servo_reading now = { 5 * SECOND_NS, 7 * SECOND_NS, 9 * SECOND_NS, 0 };
	struct avring_servo servo;

	avring_servo_init(&servo);
	tap_check(avring_servo_update(&servo, &now), "the first reading: a jump");
	now.card_ns += LOOK_NS + 150000000;
	now.raw_ns += LOOK_NS;
	now.mono_ns += LOOK_NS + 150000000;
	tap_check(!avring_servo_update(&servo, &now), "150 ms: no jump");
	tap_eq(1, servo.line.jumps);
}

/* A reading of a moment that is known to @off_ns, and that is off by @error_ns. */
static bool reads(uint64_t off_ns, int64_t error_ns)
{
	struct avring_servo_reading now = { 5 * SECOND_NS, 7 * SECOND_NS, 9 * SECOND_NS, 0 };
	struct avring_servo servo;

	avring_servo_init(&servo);
	avring_servo_update(&servo, &now);
	now.card_ns += LOOK_NS;
	now.raw_ns += LOOK_NS + error_ns;
	now.mono_ns += LOOK_NS + error_ns;
	now.off_ns = off_ns;
	return avring_servo_update(&servo, &now);
}

static void what_a_reading_may_be_off_is_no_jump(void)
{
	const int64_t most = AVRING_SERVO_MAX_ERROR_NS;

	tap_check(reads(40000000, most + 40000000), "within: a jump");
	tap_check(reads(40000000, -most - 40000000), "within: a jump");
	tap_check(!reads(40000000, most + 40000001), "beyond: no jump");
	tap_check(!reads(40000000, -most - 40000001), "beyond: no jump");
}

static void a_reading_that_took_too_long_tells_nothing(void)
{
	tap_check(reads(50000001, (int64_t)SECOND_NS), "too long: a jump");
	tap_check(!reads(50000000, (int64_t)SECOND_NS), "not too long: no jump");
}

static const struct tap_test tests[] = {
	{ .claim = "a quartz that is 500 ppm off is followed to a microsecond",
	  .run = a_quartz_that_is_off_is_followed },
	{ .claim = "readings may jitter", .run = readings_may_jitter },
	{ .claim = "time never goes back", .run = time_never_goes_back },
	{ .claim = "a reading does not move what is past",
	  .run = a_reading_does_not_move_what_is_past },
	{ .claim = "a clock that was stopped begins again",
	  .run = a_clock_that_was_stopped_begins_again },
	{ .claim = "ten years do not overflow", .run = ten_years_do_not_overflow },
	{ .claim = "any card time is mapped as 128 bits say",
	  .run = any_card_time_is_mapped_exactly },
	{ .claim = "any reading is a jump or fits, and is mapped to now",
	  .run = any_reading_is_a_jump_or_fits },
	{ .claim = "a clock that stands still jumps each time",
	  .run = a_clock_that_stands_still_jumps_each_time },
	{ .claim = "a clock that goes back jumps each time",
	  .run = a_clock_that_goes_back_jumps_each_time },
	{ .claim = "a rate that cannot be jumps again and again",
	  .run = a_rate_that_cannot_be_jumps_again_and_again },
	{ .claim = "no border of numbers is a jump but the end",
	  .run = no_border_of_numbers_is_a_jump_but_the_end },
	{ .claim = "a slewed CLOCK_MONOTONIC is followed, and no jump",
	  .run = a_slewed_clock_is_followed_and_no_jump },
	{ .claim = "a slew hides no jump of the card", .run = a_slew_hides_no_jump },
	{ .claim = "what a reading may be off is no jump",
	  .run = what_a_reading_may_be_off_is_no_jump },
	{ .claim = "a reading that took too long tells nothing",
	  .run = a_reading_that_took_too_long_tells_nothing },
};

int main(int argc, char **argv)
{
	static const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
