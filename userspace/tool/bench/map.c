// SPDX-License-Identifier: MIT
/*
 * B1, B2, B3: what it costs to map a ring and to touch each of its pages, once
 * and twice in a row, and to unmap it.
 *
 * The peers have their pages already when the counting begins, as a ring has.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "bench.h"
#include "counter.h"
#include "memory.h"

#define RING_BYTES (64 * BENCH_MIB)
/* No whole number of huge pages: the second image begins in the middle of one. */
#define ODD_BYTES (RING_BYTES - BENCH_MIB / 2)

/**
 * struct map_cost - the least of several attempts
 * @map: of mapping and touching
 * @unmap: of unmapping
 * @faults: of touching
 * @bytes: mapped
 */
struct map_cost {
	uint64_t map;
	uint64_t unmap;
	uint64_t faults;
	size_t bytes;
};

static void least(uint64_t *least, uint64_t value)
{
	if (value < *least)
		*least = value;
}

static int map_once(struct memory *memory, struct map_cost *cost)
{
	uint64_t faults = counter_faults();
	uint64_t start = counter_now();
	uint64_t mapped, unmapped;
	int err = memory_map(memory);

	if (err) {
		memory_unmap(memory);
		return err;
	}
	memory_touch(memory);
	mapped = counter_now();
	least(&cost->faults, counter_faults() - faults);
	cost->bytes = memory_mapped(memory);
	least(&cost->map, mapped - start);

	start = counter_now();
	memory_unmap(memory);
	unmapped = counter_now();
	least(&cost->unmap, unmapped - start);
	return 0;
}

static int measure(const struct bench *bench, const struct memory_maker *maker, size_t bytes,
		   struct map_cost *cost)
{
	struct memory memory = { .fd = -1 };
	int err = maker->make(&memory, bench, bytes);

	if (err)
		return err;
	memset(cost, 0xff, sizeof(*cost));
	for (int i = 0; i < BENCH_REPEATS && !err; i++)
		err = map_once(&memory, cost);
	maker->release(&memory);
	return err;
}

static const char *reason(const struct memory_maker *maker, int err)
{
	return err == -ENODEV || err == -ENOENT ? maker->missing : strerror(-err);
}

static double per_mib(uint64_t cost, size_t bytes)
{
	return (double)cost * BENCH_MIB / bytes;
}

/**
 * struct map_words - what a figure is called
 * @price: of mapping
 * @faults: of touching
 */
struct map_words {
	const char *price;
	const char *faults;
};

static const struct map_words plain = { "map and touch", "faults to touch all" };
static const struct map_words odd = { "map and touch, odd length",
				      "faults to touch all, odd length" };

static int tell_map(struct bench *bench, const struct memory_maker *maker, size_t bytes,
		    const struct map_words *words)
{
	struct map_cost cost;
	int err = measure(bench, maker, bytes, &cost);

	if (err) {
		bench_missing(bench, words->price, "*/MiB", maker->who, "%s", reason(maker, err));
		bench_missing(bench, words->faults, "faults/GiB", maker->who, "%s",
			      reason(maker, err));
		return err;
	}
	bench_value(bench, words->price, "*/MiB", maker->who, per_mib(cost.map, cost.bytes));
	bench_value(bench, words->faults, "faults/GiB", maker->who,
		    1024 * per_mib(cost.faults, cost.bytes));
	return 0;
}

static int tell_unmap(struct bench *bench, const struct memory_maker *maker)
{
	struct map_cost cost;
	int err = measure(bench, maker, RING_BYTES, &cost);

	if (err)
		bench_missing(bench, "unmap", "*/MiB", maker->who, "%s", reason(maker, err));
	else
		bench_value(bench, "unmap", "*/MiB", maker->who, per_mib(cost.unmap, cost.bytes));
	return err;
}

int bench_map(struct bench *bench)
{
	int err = tell_map(bench, &memory_ring, RING_BYTES, &plain);

	tell_map(bench, &memory_vivid, RING_BYTES, &plain);
	return err;
}

int bench_linear(struct bench *bench)
{
	int err = tell_map(bench, &memory_ring_linear, RING_BYTES, &plain);

	tell_map(bench, &memory_twins, RING_BYTES, &plain);
	tell_map(bench, &memory_ring_linear, ODD_BYTES, &odd);
	tell_map(bench, &memory_twins, ODD_BYTES, &odd);
	return err;
}

int bench_unmap(struct bench *bench)
{
	int err = tell_unmap(bench, &memory_ring);

	tell_unmap(bench, &memory_vivid);
	return err;
}
