// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: frame, sample and nanosecond arithmetic. See clock.h.
 */
#include "clock.h"

#ifdef __KERNEL__
#include "compat.h"
#else
/* Nobody exports there: a declaration that says nothing new. */
#define EXPORT_SYMBOL_AVRING(symbol)	struct avring_rate

static u64 div64_u64_rem(u64 dividend, u64 divisor, u64 *remainder)
{
	*remainder = dividend % divisor;
	return dividend / divisor;
}

static u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}
#endif

/**
 * avring_clock_event_ns() - time of one event
 * @rate: events per second
 * @n: number of the event, counted from CLOCK_MONOTONIC 0
 *
 * Splits @n into whole seconds and a rest, so that no product overflows.
 *
 * Return: CLOCK_MONOTONIC in ns, rounded down.
 */
u64 avring_clock_event_ns(struct avring_rate rate, u64 n)
{
	u64 rest;
	u64 whole = div64_u64_rem(n, rate.num, &rest);

	return whole * rate.den * AVRING_NSEC_PER_SEC +
	       div64_u64(rest * rate.den * AVRING_NSEC_PER_SEC, rate.num);
}
EXPORT_SYMBOL_AVRING(avring_clock_event_ns);

/**
 * avring_clock_event_at() - the last event that is not later than a time
 * @rate: events per second
 * @ns: CLOCK_MONOTONIC in ns
 *
 * Exact inverse of avring_clock_event_ns(): the result n is the one with
 * event_ns(n) <= ns < event_ns(n + 1).
 *
 * Return: number of the event.
 */
u64 avring_clock_event_at(struct avring_rate rate, u64 ns)
{
	const u64 period = rate.den * AVRING_NSEC_PER_SEC;
	u64 rest;
	u64 whole = div64_u64_rem(ns, period, &rest);

	return whole * rate.num + div64_u64((rest + 1) * rate.num - 1, period);
}
EXPORT_SYMBOL_AVRING(avring_clock_event_at);

/**
 * avring_clock_event_after() - the first event that is not earlier than a time
 * @rate: events per second
 * @ns: CLOCK_MONOTONIC in ns
 *
 * Return: number of the event.
 */
u64 avring_clock_event_after(struct avring_rate rate, u64 ns)
{
	u64 n = avring_clock_event_at(rate, ns);

	return avring_clock_event_ns(rate, n) == ns ? n : n + 1;
}
EXPORT_SYMBOL_AVRING(avring_clock_event_after);

/**
 * avring_clock_flash_frames() - distance of two flashes
 * @video: frame rate
 *
 * Return: the number of frames from one flash to the next: the smallest that
 * takes at least one second.
 */
u32 avring_clock_flash_frames(struct avring_rate video)
{
	return (video.num + video.den - 1) / video.den;
}

/**
 * avring_clock_flash_at() - the last flash that is not later than a time
 * @video: frame rate
 * @ns: CLOCK_MONOTONIC in ns
 *
 * Frames whose number is a multiple of avring_clock_flash_frames() are flashes;
 * a beep starts at the same nanosecond.
 *
 * Return: CLOCK_MONOTONIC of that flash frame in ns.
 */
u64 avring_clock_flash_at(struct avring_rate video, u64 ns)
{
	u64 frame = avring_clock_event_at(video, ns);
	u64 rest;

	div64_u64_rem(frame, avring_clock_flash_frames(video), &rest);
	return avring_clock_event_ns(video, frame - rest);
}
EXPORT_SYMBOL_AVRING(avring_clock_flash_at);
