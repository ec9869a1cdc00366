// SPDX-License-Identifier: MIT
/*
 * B5, B7 to B10: what a frame costs who takes it: processor time, copies, system
 * calls, wake-ups.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "counter.h"
#include "memory.h"
#include "stream.h"

static const struct camera_size size_2160p = { "3840x2160 YUYV", 3840, 2160 };

/* Frames of a window: few of the large ones, which take their time to be drawn. */
#define FRAMES_720P 10
#define FRAMES_2160P 3

static const struct stream_maker *const makers[] = { &stream_card, &stream_vivid };

static bool is_avring(const struct stream_maker *maker)
{
	return strcmp(maker->who, BENCH_AVRING) == 0;
}

static int tell_process(struct bench *bench, const struct stream_job *job, unsigned int frames,
			const char *what)
{
	struct stream_cost cost;
	int err, ret = 0;

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		err = stream_measure(bench, makers[i], job, frames, &cost);
		if (err)
			bench_missing(bench, what, "*/frame", makers[i]->who, "%s",
				      stream_reason(makers[i], err));
		else
			bench_value(bench, what, "*/frame", makers[i]->who, cost.process);
		if (is_avring(makers[i]))
			ret = err;
	}
	return ret;
}

int bench_direct(struct bench *bench)
{
	const struct stream_job small = { &camera_720p, 1, true };
	const struct stream_job run = { &camera_720p, 8, true };
	const struct stream_job large = { &size_2160p, 1, true };
	int err = tell_process(bench, &small, FRAMES_720P, "wait and write O_DIRECT, 720p");

	tell_process(bench, &run, 2 * FRAMES_720P, "the same, watermark 8, writes of 4 MiB");
	tell_process(bench, &large, FRAMES_2160P, "wait and write O_DIRECT, 2160p");
	return err;
}

/* Nobody who waits for something can pay less than who just sleeps. */
static void tell_floor(struct bench *bench, const char *what)
{
	const struct timespec moment = { .tv_nsec = 100000 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < BENCH_REPEATS; i++) {
		uint64_t before = counter_process(), cost;

		for (int n = 0; n < FRAMES_720P; n++)
			nanosleep(&moment, NULL);
		cost = counter_process() - before;
		least = cost < least ? cost : least;
	}
	bench_value(bench, what, "*/frame", "a mere nanosleep()", (double)least / FRAMES_720P);
}

int bench_wake(struct bench *bench)
{
	static const char what[] = "wait, nothing else";
	const struct stream_job one = { &camera_720p, 1, false };
	const struct stream_job many = { &camera_720p, 8, false };
	int err = tell_process(bench, &one, FRAMES_720P, what);

	tell_floor(bench, what);
	tell_process(bench, &many, 2 * FRAMES_720P, "wait, nothing else, watermark 8");
	return err;
}

/* Processor time per byte of the frames: from the difference of two sizes. */
static int slope(const struct bench *bench, const struct stream_maker *maker, bool write,
		 double *per_byte)
{
	const struct stream_job small = { &camera_720p, 1, write };
	const struct stream_job large = { &size_2160p, 1, write };
	struct stream_cost few, many;
	int err = stream_measure(bench, maker, &small, FRAMES_720P, &few);

	if (!err)
		err = stream_measure(bench, maker, &large, FRAMES_2160P, &many);
	if (!err)
		*per_byte = (many.process - few.process) /
			    (camera_frame_bytes(&size_2160p) - camera_frame_bytes(&camera_720p));
	return err;
}

/* Processor time per byte of the cheapest copy there is: memcpy(). */
static int copy_price(double *per_byte)
{
	char *from = malloc(BENCH_MIB), *to = malloc(BENCH_MIB);
	uint64_t least = UINT64_MAX;

	if (!from || !to) {
		free(from);
		free(to);
		return -ENOMEM;
	}
	memset(from, 1, BENCH_MIB);
	for (int i = 0; i < BENCH_REPEATS + 1; i++) {
		uint64_t start = counter_now(), cost;

		memcpy(to, from, BENCH_MIB);
		asm volatile("" : : "r"(to) : "memory");
		cost = counter_now() - start;
		least = cost < least ? cost : least;
	}
	free(from);
	free(to);
	*per_byte = (double)least / BENCH_MIB;
	return 0;
}

/*
 * If all that the slope says were copying, and by the cheapest copy, so many
 * copies of each byte would be made: an upper bound.
 */
int bench_copies(struct bench *bench)
{
	static const char what[] = "copies at most, by the slope; wait only";
	const struct stream_maker *const all[] = { &stream_card, &stream_vivid,
						   &stream_vivid_read };
	double price, per_byte;
	int ret = copy_price(&price), err;

	if (ret)
		return ret;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		err = slope(bench, all[i], false, &per_byte);
		if (err)
			bench_missing(bench, what, "copies", all[i]->who, "%s",
				      stream_reason(all[i], err));
		else
			bench_value(bench, what, "copies", all[i]->who, per_byte / price);
		if (is_avring(all[i]))
			ret = err;
	}
	return ret;
}

/**
 * struct kind - calls or switches: both are counts per frame
 * @what: with %u for the watermark
 * @unit: of it
 * @write: frames are written
 * @of: which of the costs
 */
struct kind {
	const char *what;
	const char *unit;
	bool write;
	double (*of)(const struct stream_cost *cost);
};

static int tell_count(struct bench *bench, const struct kind *kind, unsigned int watermark)
{
	const struct stream_job job = { &camera_720p, watermark, kind->write };
	struct stream_cost cost;
	char what[80];
	int err, ret = 0;

	snprintf(what, sizeof(what), kind->what, watermark);
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		err = stream_measure(bench, makers[i], &job, 8 * watermark, &cost);
		if (!err && kind->of(&cost) < 0)
			err = -EOPNOTSUPP;
		if (err)
			bench_missing(bench, what, kind->unit, makers[i]->who, "%s",
				      stream_reason(makers[i], err));
		else
			bench_value(bench, what, kind->unit, makers[i]->who, kind->of(&cost));
		if (is_avring(makers[i]))
			ret = err;
	}
	return ret;
}

static double of_calls(const struct stream_cost *cost)
{
	return cost->calls;
}

static double of_switches(const struct stream_cost *cost)
{
	return cost->switches;
}

int bench_calls(struct bench *bench)
{
	const struct kind kind = { "wait and write, watermark %u", "calls/frame", true, of_calls };
	int err = tell_count(bench, &kind, 1);

	tell_count(bench, &kind, 8);
	return err;
}

int bench_switches(struct bench *bench)
{
	const struct kind kind = { "wait, watermark %u", "switches/frame", false, of_switches };
	int err = tell_count(bench, &kind, 1);

	tell_count(bench, &kind, 8);
	return err;
}
