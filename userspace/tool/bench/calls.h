/* SPDX-License-Identifier: MIT */
/* calls: count the system calls of a process, with all its threads and children to come. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CALLS_THREADS 64

/**
 * struct calls - a count
 * @fd: counter of each thread that was there when it began
 * @n: how many
 * @own: it is the process that counts
 */
struct calls {
	int fd[CALLS_THREADS];
	size_t n;
	bool own;
};

/* Needs root and tracefs. 0 or a negative errno. */
int calls_begin(struct calls *calls, pid_t pid);

/* How many since calls_begin(); the counter is gone then. */
uint64_t calls_end(struct calls *calls);

#endif
