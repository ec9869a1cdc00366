/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: one timebase for picture and sound, in pure integers.
 *
 * Card time is CLOCK_MONOTONIC in nanoseconds. Event n of a rate of num/den
 * events per second happens at floor(n * den * 10^9 / num) ns of that clock, for
 * video frames and audio samples alike. Nothing is accumulated, so nothing
 * drifts: frame 10^9 is as exact as frame 1, and anybody who knows the rate can
 * check a timestamp without asking the driver.
 *
 * This pair of files knows nothing of video, audio or devices, and compiles in
 * user space too (tests/unit).
 */
#ifndef AVRING_CLOCK_H
#define AVRING_CLOCK_H

#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/types.h>
#else
#include <stdint.h>
typedef int32_t s32;
typedef int64_t s64;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#define AVRING_NSEC_PER_SEC	1000000000ULL

/**
 * struct avring_rate - events per second as a fraction
 * @num: numerator, 1 to 192000
 * @den: denominator, 1 to 1001
 *
 * The ranges keep every intermediate product below 2^64.
 */
struct avring_rate {
	u32 num;
	u32 den;
};

u64 avring_clock_event_ns(struct avring_rate rate, u64 n);
u64 avring_clock_event_at(struct avring_rate rate, u64 ns);
u64 avring_clock_event_after(struct avring_rate rate, u64 ns);
u32 avring_clock_flash_frames(struct avring_rate video);
u64 avring_clock_flash_at(struct avring_rate video, u64 ns);

#endif
