// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock: frame, sample and nanosecond arithmetic of the driver, on the host.
 * The reference is 128-bit arithmetic.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "driver/clock.c" /* the driver's own source */
#include "tap.h"

#define YEAR_NS (365ULL * 24 * 3600 * AVRING_NSEC_PER_SEC)

static const struct avring_rate rates[] = {
	{ 1, 1 },	 { 30, 1 },	  { 60, 1 },	    { 120, 1 },	 { 24000, 1001 },
	{ 30000, 1001 }, { 60000, 1001 }, { 120000, 1001 }, { 8000, 1 }, { 11025, 1 },
	{ 44100, 1 },	 { 48000, 1 },	  { 192000, 1 },
};

static uint64_t reference_ns(struct avring_rate rate, uint64_t n)
{
	return (unsigned __int128)n * rate.den * AVRING_NSEC_PER_SEC / rate.num;
}

/* Values up to ten years, all magnitudes alike. */
static uint64_t random_below_ten_years(void)
{
	uint64_t r = (uint64_t)random() << 31 | (uint64_t)random();

	return (r % (10 * YEAR_NS)) >> (random() % 58);
}

static void event_time_is_exact(void)
{
	for (size_t r = 0; r < TAP_COUNT(rates); r++)
		for (int i = 0; i < 100000; i++) {
			uint64_t n = avring_clock_event_at(rates[r], random_below_ten_years());

			tap_check(avring_clock_event_ns(rates[r], n) == reference_ns(rates[r], n),
				  "%u/%u event %" PRIu64, rates[r].num, rates[r].den, n);
		}
}

static void event_at_is_the_inverse(void)
{
	for (size_t r = 0; r < TAP_COUNT(rates); r++)
		for (int i = 0; i < 100000; i++) {
			uint64_t ns = random_below_ten_years();
			uint64_t n = avring_clock_event_at(rates[r], ns);

			tap_check(reference_ns(rates[r], n) <= ns &&
					  ns < reference_ns(rates[r], n + 1),
				  "%u/%u at %" PRIu64 " ns: event %" PRIu64, rates[r].num,
				  rates[r].den, ns, n);
		}
}

static void event_after_is_the_first_not_earlier(void)
{
	for (size_t r = 0; r < TAP_COUNT(rates); r++)
		for (int i = 0; i < 100000; i++) {
			uint64_t ns = random_below_ten_years();
			uint64_t n = avring_clock_event_after(rates[r], ns);

			tap_check(reference_ns(rates[r], n) >= ns &&
					  (!n || reference_ns(rates[r], n - 1) < ns),
				  "%u/%u after %" PRIu64 " ns: event %" PRIu64, rates[r].num,
				  rates[r].den, ns, n);
		}
}

static void flashes_are_at_least_a_second_apart(void)
{
	for (size_t r = 0; r < TAP_COUNT(rates); r++) {
		uint32_t frames = avring_clock_flash_frames(rates[r]);

		tap_check((uint64_t)frames * rates[r].den >= rates[r].num, "%u frames", frames);
		tap_check((uint64_t)(frames - 1) * rates[r].den < rates[r].num, "%u frames",
			  frames);
	}
}

static void flash_at_is_the_last_flash_frame(void)
{
	for (size_t r = 0; r < TAP_COUNT(rates); r++)
		for (int i = 0; i < 100000; i++) {
			uint64_t ns = random_below_ten_years();
			uint64_t flash = avring_clock_flash_at(rates[r], ns);
			uint64_t n = avring_clock_event_at(rates[r], flash);

			tap_check(flash <= ns, "%" PRIu64 " is later than %" PRIu64, flash, ns);
			tap_eq(reference_ns(rates[r], n), flash);
			tap_eq(0, n % avring_clock_flash_frames(rates[r]));
			tap_check(avring_clock_event_at(rates[r], ns) - n <
					  avring_clock_flash_frames(rates[r]),
				  "a later flash was passed over at %" PRIu64, ns);
		}
}

static const struct tap_test tests[] = {
	{ .claim = "an event's time is exact to the nanosecond for ten years",
	  .run = event_time_is_exact },
	{ .claim = "event_at is the exact inverse of event_ns", .run = event_at_is_the_inverse },
	{ .claim = "event_after is the first event that is not earlier",
	  .run = event_after_is_the_first_not_earlier },
	{ .claim = "flashes are a second apart, rounded up to a frame",
	  .run = flashes_are_at_least_a_second_apart },
	{ .claim = "flash_at is the last flash frame that is not later",
	  .run = flash_at_is_the_last_flash_frame },
};

int main(int argc, char **argv)
{
	static const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
