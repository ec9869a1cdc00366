/* SPDX-License-Identifier: MIT */
/*
 * bench: what every benchmark relies on. A benchmark is a row of the table in
 * cmd-bench.c. It measures avring and what else does the same job here (its
 * peers), and tells each figure to bench_value(). It judges nothing: targets
 * belong to who reads the figures.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MIB (UINT64_C(1) << 20)
#define BENCH_HUGE_PAGE (2 * BENCH_MIB)
#define BENCH_PAGE 4096

/* Whoever is short is measured so often, and the smallest figure counts. */
#define BENCH_REPEATS 9

/* Who a figure belongs to; everybody else is a peer. */
#define BENCH_AVRING "avring"

/**
 * struct bench - one run of benchmarks
 * @id: of the benchmark that runs, "B1"
 * @name: of it, "map-gib"
 * @card: ring node, "/dev/avring0"
 * @disk: block device or file that is written to; everything on it is lost
 * @cost: unit of cost on this machine: "insn" or "ns"
 * @json: one object per line
 * @values: how many figures were told
 */
struct bench {
	const char *id;
	const char *name;
	const char *card;
	const char *disk;
	const char *cost;
	bool json;
	unsigned int values;
};

/**
 * bench_value() - tell a figure
 * @bench: the run
 * @what: what was done, the same words for everybody who did it
 * @unit: of @value; a "*" stands for the unit of cost
 * @who: BENCH_AVRING or the name of a peer
 * @value: the figure
 */
void bench_value(struct bench *bench, const char *what, const char *unit, const char *who,
		 double value);

/* The same for somebody who could not do it, with the reason. */
void bench_missing(struct bench *bench, const char *what, const char *unit, const char *who,
		   const char *reason, ...) __attribute__((format(printf, 5, 6)));

/*
 * The benchmarks. Each returns 0 when avring could be measured, else a negative
 * errno after bench_missing().
 */
int bench_map(struct bench *bench);
int bench_linear(struct bench *bench);
int bench_unmap(struct bench *bench);
int bench_pin(struct bench *bench);
int bench_direct(struct bench *bench);
int bench_copies(struct bench *bench);
int bench_calls(struct bench *bench);
int bench_switches(struct bench *bench);
int bench_wake(struct bench *bench);
int bench_readers(struct bench *bench);
int bench_wrap(struct bench *bench);

#endif
