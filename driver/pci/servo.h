/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: a card's clock mapped to CLOCK_MONOTONIC.
 *
 * The card has a quartz of its own. Now and then somebody reads both clocks; between these
 * readings, and for a while after the last, the mapping is a straight line that never
 * jumps: a correction bends it. So times stay in order, and one card time is mapped to
 * the same moment for picture and sound, but for what a bend between two looks makes out
 * (nanoseconds).
 *
 * The card is not trusted: whatever it shows, no arithmetic here overflows, and what does not go
 * with CLOCK_MONOTONIC_RAW is a jump, behind which there is a new line. It is that clock which
 * judges, because CLOCK_MONOTONIC is slewed, by up to a tenth: that is no fault of the card's. So
 * there are two lines. Where the slew has taken the one that is shown too far from the one that
 * judges, it begins anew, and no jump is counted.
 *
 * Knows nothing of cards. Compiles in user space too (tests/unit).
 */
#ifndef AVRING_SERVO_H
#define AVRING_SERVO_H

#ifdef __KERNEL__
#include <linux/seqlock.h>
#else
#include <stdbool.h>
#endif

#include "clock.h"

/* Behind this the readings do not belong together: somebody stopped a clock, or set it. */
#define AVRING_SERVO_MAX_ERROR_NS	100000000LL

/*
 * So far a slew of CLOCK_MONOTONIC may take the line from it. With what the fastest adds until the
 * next reading it is well below AVRING_SERVO_MAX_ERROR_NS.
 */
#define AVRING_SERVO_MAX_SLEW_NS	25000000LL

/**
 * struct avring_servo_reading - all clocks at one moment
 * @card_ns: card time, as the card says
 * @mono_ns: CLOCK_MONOTONIC
 * @raw_ns: CLOCK_MONOTONIC_RAW
 * @off_ns: the moments of the others differ from the card's by that at most
 */
struct avring_servo_reading {
	u64 card_ns;
	u64 mono_ns;
	u64 raw_ns;
	u64 off_ns;
};

/**
 * struct avring_servo_line - a straight line
 * @card_ns: a card time
 * @mono_ns: CLOCK_MONOTONIC at that time; of a line that judges, CLOCK_MONOTONIC_RAW
 * @ppb: how much faster that clock runs than the card, parts per 10^9
 * @jumps: of the card's clock before it, since there is a card: times of lines that differ in
 *	this are not of one timeline
 * @number: of the line. From one to the next, times may go back by what the first was ahead
 */
struct avring_servo_line {
	u64 card_ns;
	u64 mono_ns;
	s32 ppb;
	u32 jumps;
	u32 number;
};

/**
 * struct avring_servo - the mapping
 * @seq: guards @line for readers; there is one writer at a time
 * @line: valid from its beginning on, and a little before
 * @first: where it began
 * @raw: the one that judges
 * @raw_first: the first reading
 * @known: there is one
 * @ahead_ns: how far the card was ahead of @raw in the last reading
 */
struct avring_servo {
#ifdef __KERNEL__
	seqlock_t seq;
#endif
	struct avring_servo_line line;
	struct avring_servo_line first;
	struct avring_servo_line raw;
	struct avring_servo_line raw_first;
	bool known;
	s64 ahead_ns;
};

void avring_servo_init(struct avring_servo *servo);
void avring_servo_forget(struct avring_servo *servo);
bool avring_servo_update(struct avring_servo *servo, const struct avring_servo_reading *now);
struct avring_servo_line avring_servo_line(const struct avring_servo *servo);
u64 avring_servo_mono_ns(const struct avring_servo_line *line, u64 card_ns);

#endif
