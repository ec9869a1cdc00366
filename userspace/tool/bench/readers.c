// SPDX-License-Identifier: MIT
/*
 * B11: what one more reader costs the whole machine: itself, and to be woken by
 * the thread that stands for hardware. Otherwise that thread is left out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "counter.h"
#include "crowd.h"

/* Of a window: whole batches of readers that wait for 8. */
#define FRAMES 16

static const unsigned int counts[] = { 1, 2, 4, 8, 16 };

#define N_COUNTS (sizeof(counts) / sizeof(counts[0]))

/**
 * struct crowd_cost - of one frame
 * @all: readers and who feeds them, median of the windows
 * @generator: the thread that stands for hardware; the least, as now and then it
 *	draws a flash, which costs more
 */
struct crowd_cost {
	double all;
	double generator;
};

/**
 * struct crowd_state - at one moment
 * @system: what all tasks have cost
 * @frames: that there were
 */
struct crowd_state {
	struct counter_system system;
	unsigned int frames;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Not while a frame is on its way. */
static int take_state(struct crowd *crowd, const struct counter_watch *watch,
		      struct crowd_state *state)
{
	int err;

	crowd_nap();
	err = counter_system(watch, &state->system);

	state->frames = crowd_frames(crowd);
	return err;
}

static int measure_window(struct crowd *crowd, const struct counter_watch *watch, double *all,
			  double *generator)
{
	struct crowd_state before, after;
	unsigned int n;
	int err = take_state(crowd, watch, &before);

	if (!err)
		err = crowd_wait(crowd, before.frames + FRAMES);
	if (!err)
		err = take_state(crowd, watch, &after);
	if (err)
		return err;
	n = after.frames - before.frames;
	*generator = (double)(after.system.generators - before.system.generators) / n;
	*all = (double)(after.system.tasks - before.system.tasks) / n - *generator;
	return 0;
}

static int measure_windows(struct crowd *crowd, struct crowd_cost *cost)
{
	double all[BENCH_REPEATS], generator[BENCH_REPEATS];
	struct counter_watch watch;
	int err = counter_watch_open(&watch);

	if (err)
		return err;
	for (int i = 0; i < BENCH_REPEATS && !err; i++)
		err = measure_window(crowd, &watch, &all[i], &generator[i]);
	counter_watch_close(&watch);
	qsort(all, BENCH_REPEATS, sizeof(all[0]), compare);
	qsort(generator, BENCH_REPEATS, sizeof(generator[0]), compare);
	cost->all = all[BENCH_REPEATS / 2];
	cost->generator = generator[0];
	return err;
}

static int measure(const struct bench *bench, const struct crowd_maker *maker, unsigned int readers,
		   unsigned int watermark, struct crowd_cost *cost)
{
	struct crowd crowd;
	int err = crowd_start(&crowd, maker, bench, readers, watermark);

	if (err)
		return err;
	err = measure_windows(&crowd, cost);
	crowd_stop(&crowd);
	return err;
}

static void tell(struct bench *bench, const char *who, const char *format, unsigned int readers,
		 unsigned int watermark, double value)
{
	char what[80];

	snprintf(what, sizeof(what), format, watermark, readers);
	bench_value(bench, what, "*/frame", who, value);
}

/* @first: of one reader. */
static void tell_all(struct bench *bench, const char *who, unsigned int readers,
		     unsigned int watermark, const struct crowd_cost *cost,
		     const struct crowd_cost *first)
{
	double wake;

	tell(bench, who, "watermark %u, readers: %u", readers, watermark, cost->all);
	if (readers == 1)
		return;
	wake = (cost->generator - first->generator) / (readers - 1);
	tell(bench, who, "watermark %u, one more reader, up to %u", readers, watermark,
	     (cost->all - first->all) / (readers - 1) + wake);
	if (strcmp(who, BENCH_AVRING) == 0)
		tell(bench, who, "watermark %u, of that to wake it, up to %u", readers, watermark,
		     wake);
}

static int measure_maker(struct bench *bench, const struct crowd_maker *maker,
			 unsigned int watermark)
{
	struct crowd_cost cost, first = {};

	for (size_t i = 0; i < N_COUNTS; i++) {
		int err = measure(bench, maker, counts[i], watermark, &cost);

		if (err) {
			char what[80];

			snprintf(what, sizeof(what), "watermark %u, readers: %u", watermark,
				 counts[i]);
			bench_missing(bench, what, "*/frame", maker->who, "%s",
				      err == -ENODEV || err == -ENOENT ? maker->missing :
									 strerror(-err));
			return err;
		}
		if (!i)
			first = cost;
		tell_all(bench, maker->who, counts[i], watermark, &cost, &first);
	}
	return 0;
}

int bench_readers(struct bench *bench)
{
	int err = measure_maker(bench, &crowd_card, 1);

	measure_maker(bench, &crowd_card, 8);
	measure_maker(bench, &crowd_v4l2loopback, 1);
	return err;
}
