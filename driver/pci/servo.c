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

static s64 div_s64_rem(s64 dividend, s32 divisor, s32 *remainder)
{
	*remainder = dividend % divisor;
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

/* A new line that is shown. */
static void avring_servo_show(struct avring_servo *servo, u64 card_ns, u64 mono_ns, u32 jumps)
{
	servo->first = (struct avring_servo_line){
		.card_ns = card_ns,
		.mono_ns = mono_ns,
		.jumps = jumps,
		.number = servo->line.number + 1,
	};
	avring_servo_set(servo, &servo->first);
}

/* After a jump, if there was a line. */
static void avring_servo_begin(struct avring_servo *servo, const struct avring_servo_reading *now)
{
	servo->raw_first = (struct avring_servo_line){
		.card_ns = now->card_ns,
		.mono_ns = now->raw_ns,
	};
	servo->raw = servo->raw_first;
	avring_servo_show(servo, now->card_ns, now->mono_ns, servo->line.jumps + servo->known);
	servo->known = true;
}

/**
 * avring_servo_mono_ns() - a card time on CLOCK_MONOTONIC
 * @line: the mapping
 * @card_ns: card time, any
 *
 * Whole seconds first: no product overflows, and what is far away on the one clock, on either
 * side, is as far away on the other, in unsigned numbers.
 *
 * Context: any.
 *
 * Return: CLOCK_MONOTONIC in ns; @card_ns itself before the first reading.
 */
u64 avring_servo_mono_ns(const struct avring_servo_line *line, u64 card_ns)
{
	const s64 passed = card_ns - line->card_ns;
	s32 rest;
	const s64 seconds = div_s64_rem(passed, AVRING_NSEC_PER_SEC, &rest);

	return line->mono_ns + passed + seconds * line->ppb +
	       div_s64((s64)rest * line->ppb, AVRING_NSEC_PER_SEC);
}

/* Where the line goes on that began with @first, if @mono_ns is right. */
static struct avring_servo_line avring_servo_bend(const struct avring_servo_line *line,
						  const struct avring_servo_line *first,
						  u64 card_ns, u64 mono_ns)
{
	const s64 drift = (mono_ns - first->mono_ns) - (card_ns - first->card_ns);
	struct avring_servo_line next = *line;

	next.card_ns = card_ns;
	next.mono_ns = avring_servo_mono_ns(line, card_ns);
	next.ppb = avring_servo_ppb(drift, card_ns - first->card_ns);
	next.ppb += avring_servo_ppb(mono_ns - next.mono_ns, card_ns - line->card_ns) / 4;
	return next;
}

static bool avring_servo_is_within(s64 value, u64 most)
{
	return value <= (s64)most && value >= -(s64)most;
}

/**
 * avring_servo_update() - take a reading of the clocks
 * @servo: the mapping; there is one caller at a time
 * @now: the reading
 *
 * A reading that is too near to the last one is passed over, and one that is too uncertain. What
 * lies before the reading keeps its time; from there on the line has a new slope.
 *
 * A reading that cannot be of the same two clocks begins a new line: one that is earlier than the
 * last, or off the line that judges by more than AVRING_SERVO_MAX_ERROR_NS and what is uncertain.
 * So a clock that stands still, or whose rate is impossible, jumps again and again. Where only
 * CLOCK_MONOTONIC has gone off, the new line is as wrong as the one that judges, not more.
 *
 * Return: true; false if the card's clock has jumped.
 */
bool avring_servo_update(struct avring_servo *servo, const struct avring_servo_reading *now)
{
	struct avring_servo_line next;
	s64 error, slew;

	if (!servo->known) {
		avring_servo_begin(servo, now);
		return true;
	}
	if (now->off_ns > AVRING_SERVO_MAX_ERROR_NS / 2)
		return true;
	error = now->raw_ns - avring_servo_mono_ns(&servo->raw, now->card_ns);
	servo->ahead_ns = -(u64)error;
	if (now->card_ns < servo->raw.card_ns ||
	    !avring_servo_is_within(error, AVRING_SERVO_MAX_ERROR_NS + now->off_ns)) {
		avring_servo_begin(servo, now);
		return false;
	}
	if (now->card_ns - servo->raw.card_ns < AVRING_SERVO_MIN_NS)
		return true;
	slew = now->mono_ns - error - avring_servo_mono_ns(&servo->line, now->card_ns);
	servo->raw = avring_servo_bend(&servo->raw, &servo->raw_first, now->card_ns, now->raw_ns);
	if (!avring_servo_is_within(slew, AVRING_SERVO_MAX_SLEW_NS + 2 * now->off_ns)) {
		avring_servo_show(servo, now->card_ns, now->mono_ns - error, servo->line.jumps);
		return true;
	}
	next = avring_servo_bend(&servo->line, &servo->first, now->card_ns, now->mono_ns);
	avring_servo_set(servo, &next);
	return true;
}

/**
 * avring_servo_line() - the mapping as it is now
 * @servo: the mapping
 *
 * Context: any.
 *
 * Return: the line, for avring_servo_mono_ns().
 */
struct avring_servo_line avring_servo_line(const struct avring_servo *servo)
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
	return line;
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
