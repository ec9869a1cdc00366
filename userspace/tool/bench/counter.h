/* SPDX-License-Identifier: MIT */
/*
 * counter: what something has cost.
 *
 * A machine that counts instructions (QEMU with -icount shift=0) shows them in
 * its clocks: one instruction is one nanosecond, the time stamp counter counts
 * them one by one, and the figures come out the same each time. Elsewhere the
 * same clocks tell nanoseconds of processor time.
 */
#ifndef BENCH_COUNTER_H
#define BENCH_COUNTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Does this machine count instructions? Found out once. */
bool counter_counts_instructions(void);

/* "insn" or "ns". */
const char *counter_unit(void);

/* Cost so far of whatever runs; for pieces that do not sleep. */
uint64_t counter_now(void);

/* Cost so far of this process, all its threads. */
uint64_t counter_process(void);

/* Cost so far of process @pid, all its threads; 0 if there is none. */
uint64_t counter_of_process(pid_t pid);

/* Is this thread one that stands for hardware: an engine of avring or vivid? */
bool counter_is_generator(pid_t pid);

#define COUNTER_GENERATORS 32

/**
 * struct counter_watch - open accounts. To open and close files of /proc is work
 * that the kernel finishes later, so it is not done while something is measured
 * @processors: of the processors, /proc/schedstat
 * @generators: of the threads that stand for hardware, as far as there were any
 * @n_generators: how many
 */
struct counter_watch {
	int processors;
	int generators[COUNTER_GENERATORS];
	unsigned int n_generators;
};

/* 0 or a negative errno. */
int counter_watch_open(struct counter_watch *watch);
void counter_watch_close(struct counter_watch *watch);

/**
 * struct counter_system - cost so far of the whole machine
 * @tasks: of all tasks that ever ran, kernel threads too, ended ones too, but
 *	without this process. What interrupts do is charged to the task that they
 *	interrupt; what they do to an idle processor is in nobody's account
 * @generators: share of the generators
 */
struct counter_system {
	uint64_t tasks;
	uint64_t generators;
};

/* 0 or a negative errno. Sleeps for a moment, so that all accounts are closed. */
int counter_system(const struct counter_watch *watch, struct counter_system *system);

/* Voluntary context switches of process @pid (all its threads); 0: this one. */
uint64_t counter_switches(pid_t pid);

/* Minor page faults of this process. */
uint64_t counter_faults(void);

#endif
