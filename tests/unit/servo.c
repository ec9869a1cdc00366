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

static void look(struct avring_servo *servo, const struct quartz *quartz, uint64_t card_ns)
{
	int64_t jitter = quartz->jitter_ns ?
				 random() % (2 * quartz->jitter_ns + 1) - quartz->jitter_ns :
				 0;

	avring_servo_update(servo, card_ns, quartz_mono(quartz, card_ns) + jitter);
}

static int64_t error_of(const struct avring_servo *servo, const struct quartz *quartz,
			uint64_t card_ns)
{
	return avring_servo_mono_ns(servo, card_ns) - quartz_mono(quartz, card_ns);
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
			now = avring_servo_mono_ns(&servo, card_ns + part);
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
			tap_check(llabs((int64_t)(avring_servo_mono_ns(&servo, event) - before)) <
					  1000,
				  "look %d moves it by %" PRId64 " ns", n,
				  (int64_t)(avring_servo_mono_ns(&servo, event) - before));
		event = card_ns + LOOK_NS - SECOND_NS / 100;
		before = avring_servo_mono_ns(&servo, event);
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
};

int main(int argc, char **argv)
{
	static const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
