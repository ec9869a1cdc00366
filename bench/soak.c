// SPDX-License-Identifier: MIT
/* Account for every instruction. See soak.h. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "counter.h"
#include "soak.h"

/* Of the loop below. */
#define INSTRUCTIONS 2

static volatile uint64_t *rounds;
static pid_t child;
static double idle_share;
static uint64_t start;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "measure: soak: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void soak(void)
{
	const struct sched_param param = {};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		fail("SCHED_IDLE");
	asm volatile("1: addq $1, (%0)\n\t"
		     "jmp 1b"
		     :
		     : "r"(rounds)
		     : "memory");
	__builtin_unreachable();
}

/* Busy with anything but the loop and this process. */
static uint64_t others(void)
{
	return __rdtsc() - INSTRUCTIONS * *rounds - counter_process();
}

/*
 * The timer ticks also when there is nothing to do. The least of several windows:
 * what happens now and then is not typical of an idle machine.
 */
static double measure_idle(void)
{
	const struct timespec window = { .tv_nsec = 300000000 };
	double least = 1;

	for (int i = 0; i < 6; i++) {
		uint64_t began = __rdtsc(), busy = others();
		double share;

		nanosleep(&window, NULL);
		share = (double)(others() - busy) / (__rdtsc() - began);
		least = share < least ? share : least;
	}
	return least;
}

void soak_begin(void)
{
	if (!counter_counts_instructions()) {
		errno = EOPNOTSUPP;
		fail("this machine does not count instructions");
	}
	rounds = mmap(NULL, sizeof(*rounds), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (rounds == MAP_FAILED)
		fail("mmap");
	child = fork();
	if (child < 0)
		fail("fork");
	if (!child)
		soak();
	idle_share = measure_idle();
	start = __rdtsc();
}

uint64_t soak_busy(void)
{
	return others() - (uint64_t)(idle_share * (__rdtsc() - start));
}

void soak_end(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
