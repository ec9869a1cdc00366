// SPDX-License-Identifier: MIT
/*
 * clocks: a deadline may be on another clock than CLOCK_MONOTONIC. Times are judged, so it needs a
 * clock of instructions.
 */
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define MS 1000000ull

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	must(sys(clock_gettime(clock, &now)));
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int wait_until(const struct ring *ring, clockid_t clock, uint64_t deadline_ns)
{
	struct avring_wait wait = { .next = ring_head(ring),
				    .entries = 1,
				    .deadline_ns = deadline_ns,
				    .flags = AVRING_WAIT_CLOCK,
				    .clock = clock };

	return ring_call(ring, AVRING_IOC_WAIT, &wait);
}

/* Nothing comes; the deadline is in 200 ms. */
static void expect_deadline(const struct ring *ring, clockid_t clock)
{
	const uint64_t deadline = clock_ns(clock) + 200 * MS;
	uint64_t now;

	must_refuse(ETIMEDOUT, wait_until(ring, clock, deadline));
	now = clock_ns(clock);
	tap_check(now >= deadline && now < deadline + 100 * MS,
		  "clock %d: expected at most 100 ms behind the deadline, got %lld us", clock,
		  (long long)(now - deadline) / 1000);
}

static void expect_deadlines(const clockid_t *clock, const struct ring *ring)
{
	for (; *clock >= 0; clock++) {
		expect_deadline(ring, *clock);
		must_refuse(ETIMEDOUT, wait_until(ring, *clock, clock_ns(*clock) - 1));
		must_refuse(ETIMEDOUT, wait_until(ring, *clock, 1));
		must_refuse(EAGAIN, wait_until(ring, *clock, 0));
	}
}

static const clockid_t all[] = { CLOCK_REALTIME, CLOCK_TAI, CLOCK_BOOTTIME, CLOCK_MONOTONIC, -1 };
static const clockid_t everywhere[] = { CLOCK_REALTIME, CLOCK_TAI, -1 };

static void test_deadline(void)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);

	expect_deadlines(all, &ring);
	ring_close(&ring);
	ring_close(&producer);
}

static void test_time_namespace(void)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);
	pid_t child;

	ring_enter_time_namespace();
	child = must(sys(fork()));
	if (!child) {
		expect_deadlines(everywhere, &ring);
		_exit(0);
	}
	tap_join(child);
	ring_close(&ring);
	ring_close(&producer);
}

/* Set a minute ahead of the others, that clock is a minute further; it is put back. */
static void test_clock_of_its_own(void)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);
	struct timespec now;

	must(sys(clock_gettime(CLOCK_REALTIME, &now)));
	now.tv_sec += 60;
	must(sys(clock_settime(CLOCK_REALTIME, &now)));
	expect_deadline(&ring, CLOCK_REALTIME);
	must(sys(clock_gettime(CLOCK_REALTIME, &now)));
	now.tv_sec -= 60;
	must(sys(clock_settime(CLOCK_REALTIME, &now)));
	ring_close(&ring);
	ring_close(&producer);
}

static const struct tap_test tests[] = {
	{ "a deadline on CLOCK_REALTIME, _TAI, _BOOTTIME, _MONOTONIC passes when that clock says so",
	  .run = test_deadline },
	{ "on CLOCK_REALTIME and CLOCK_TAI also in a time namespace", .run = test_time_namespace },
	{ "and after that clock has been set", .run = test_clock_of_its_own },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
