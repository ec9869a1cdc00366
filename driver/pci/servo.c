// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a card's clock mapped to CLOCK_MONOTONIC. See pci/servo.h.
 *
 * The slope has two parts: how much the clocks have drifted apart since the first
 * reading, which gets better with time, and what makes good a quarter of the present
 * error by the next reading. More would follow the jitter of readings.
 */
#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/string.h>
#else
#include <string.h>
#endif

#include "pci/servo.h"

#ifndef __KERNEL__
#define write_seqlock(lock)
#define write_sequnlock(lock)

static s64 div_s64(s64 dividend, s32 divisor)
{
	return dividend / divisor;
}

static s64 div64_s64(s64 dividend, s64 divisor)
{
	return dividend / divisor;
}
#endif

/* Two quartzes are not further apart; and a bend is not sharper. */
#define AVRING_SERVO_MAX_PPB	1000000

/* More than a hundred days make of that; keeps products below 2^63. */
#define AVRING_SERVO_MAX_DRIFT_NS	9000000000000LL

/* Readings nearer to each other than this say more of themselves than of the clocks. */
#define AVRING_SERVO_MIN_NS	100000000ULL

/* Behind this the readings do not belong together: somebody stopped a clock. */
#define AVRING_SERVO_MAX_ERROR_NS	100000000LL

/* Nanoseconds in thousands first: no product overflows within a hundred days. */
static u64 avring_servo_at(const struct avring_servo_line *line, u64 card_ns)
{
	const s64 passed = card_ns - line->card_ns;

	return line->mono_ns + passed + div_s64(div_s64(passed, 1000) * line->ppb, 1000000);
}

static s64 avring_servo_limit(s64 value, s64 most)
{
	if (value < -most)
		return -most;
	return value > most ? most : value;
}

/* How much more of @mono_ns there is than of @card_ns, parts per 10^9 of the latter. */
static s32 avring_servo_ppb(s64 more_ns, s64 card_ns)
{
	const s64 thousands = div_s64(card_ns, 1000);

	if (thousands <= 0)
		return 0;
	more_ns = avring_servo_limit(more_ns, AVRING_SERVO_MAX_DRIFT_NS);
	return avring_servo_limit(div64_s64(more_ns * 1000000, thousands), AVRING_SERVO_MAX_PPB);
}

static void avring_servo_set(struct avring_servo *servo, const struct avring_servo_line *line)
{
	write_seqlock(&servo->seq);
	servo->line = *line;
	write_sequnlock(&servo->seq);
}

static void avring_servo_begin(struct avring_servo *servo, u64 card_ns, u64 mono_ns)
{
	servo->first = (struct avring_servo_line){ .card_ns = card_ns, .mono_ns = mono_ns };
	servo->known = true;
	avring_servo_set(servo, &servo->first);
}

/**
 * avring_servo_update() - take a reading of both clocks
 * @servo: the mapping; there is one caller at a time
 * @card_ns: card time, later than in the last reading
 * @mono_ns: CLOCK_MONOTONIC at that moment
 *
 * A reading that is too near to the last one is passed over. What lies before the reading
 * keeps its time; from there on the line has a new slope.
 * Readings that cannot be of the same two clocks begin a new line.
 */
void avring_servo_update(struct avring_servo *servo, u64 card_ns, u64 mono_ns)
{
	struct avring_servo_line next = { .card_ns = card_ns };
	s64 error, drift;

	if (!servo->known) {
		avring_servo_begin(servo, card_ns, mono_ns);
		return;
	}
	next.mono_ns = avring_servo_at(&servo->line, card_ns);
	error = mono_ns - next.mono_ns;
	if (card_ns <= servo->line.card_ns || error > AVRING_SERVO_MAX_ERROR_NS ||
	    error < -AVRING_SERVO_MAX_ERROR_NS) {
		avring_servo_begin(servo, card_ns, mono_ns);
		return;
	}
	if (card_ns - servo->line.card_ns < AVRING_SERVO_MIN_NS)
		return;
	drift = (mono_ns - servo->first.mono_ns) - (card_ns - servo->first.card_ns);
	next.ppb = avring_servo_ppb(drift, card_ns - servo->first.card_ns);
	next.ppb += avring_servo_ppb(error, card_ns - servo->line.card_ns) / 4;
	avring_servo_set(servo, &next);
}

/**
 * avring_servo_mono_ns() - a card time on CLOCK_MONOTONIC
 * @servo: the mapping
 * @card_ns: card time
 *
 * Context: any.
 *
 * Return: CLOCK_MONOTONIC in ns; @card_ns itself before the first reading.
 */
u64 avring_servo_mono_ns(const struct avring_servo *servo, u64 card_ns)
{
	struct avring_servo_line line;
#ifdef __KERNEL__
	unsigned int seq;

	do {
		seq = read_seqbegin(&servo->seq);
		line = servo->line;
	} while (read_seqretry(&servo->seq, seq));
#else
	line = servo->line;
#endif
	return avring_servo_at(&line, card_ns);
}

/**
 * avring_servo_forget() - the next reading begins a new line
 * @servo: the mapping; its readers are not disturbed
 */
void avring_servo_forget(struct avring_servo *servo)
{
	servo->known = false;
}

/**
 * avring_servo_init() - prepare a mapping without readings
 * @servo: the mapping; nobody reads it yet
 */
void avring_servo_init(struct avring_servo *servo)
{
	memset(servo, 0, sizeof(*servo));
#ifdef __KERNEL__
	seqlock_init(&servo->seq);
#endif
}
