/* SPDX-License-Identifier: MIT */
/*
 * tap: tests as claims, each in a process of its own with a deadline.
 *
 * A program lists its tests and calls tap_main(). Each test runs in a forked
 * child that leads a process group; a crash, a hang or a file descriptor left
 * open is a failed test, not a dead suite. TAP goes to stdout, the plan last.
 * Exit status: 0 passed, 1 failed, 4 everything skipped.
 *
 * Arguments of a program: `-l` lists the claims, any other argument runs only
 * the tests whose claim contains it.
 *
 * Environment: TAP_SLOWER=n multiplies every deadline (emulated machines).
 *	TAP_USER=1000:29,44 has each test run by that user, who is in these groups; tests that
 *	are said to be root's are left out. What stands around the tests remains root's.
 */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

/**
 * struct tap_test - one behaviour
 * @claim: what holds, in words; the name of the test
 * @run: the test; returning means it held
 * @run_with: used instead of @run where one body serves several claims
 * @arg: argument of @run_with
 * @deadline_s: seconds after which it has failed; 0 means 60
 * @as_root: it does what no ordinary user may, see TAP_USER
 */
struct tap_test {
	const char *claim;
	void (*run)(void);
	void (*run_with)(const void *arg);
	const void *arg;
	unsigned int deadline_s;
	bool as_root;
};

/**
 * struct tap_suite - the tests of one program
 * @tests: the tests, in order
 * @n_tests: how many
 * @missing: optional; returns why nothing can be tested here, or NULL
 * @residue: optional; a number of things alive in the kernel. It is taken
 *	before and after each test; a test that leaves more behind has failed.
 *	Time for late releases is given. Negative means unknown.
 * @after: optional; called in the runner after each test, to put back what a
 *	failed test left behind
 */
struct tap_suite {
	const struct tap_test *tests;
	size_t n_tests;
	const char *(*missing)(void);
	long (*residue)(void);
	void (*after)(void);
};

#define TAP_COUNT(array) (sizeof(array) / sizeof((array)[0]))

int tap_main(const struct tap_suite *suite, int argc, char **argv);

/* End the test from anywhere in it: any thread, any forked child. */
_Noreturn void tap_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void tap_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A diagnostic line that does not end the test. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Wait for a forked child; its failure is the test's. */
void tap_join(pid_t child);

/* How much longer everything takes on this machine: TAP_SLOWER, or 1. */
unsigned int tap_slower(void);

/* Wait until the condition holds, polling; false after @seconds (times TAP_SLOWER). */
bool tap_eventually(bool (*condition)(void *arg), void *arg, double seconds);

/* From now on the process is that user, and in these groups alone beside his own. */
void tap_become(uid_t uid, const gid_t *groups, size_t n);

/* Returns when the process sleeps in the kernel. */
void wait_asleep(pid_t child);

/* Number of open file descriptors of this process. */
int tap_count_fds(void);

void tap_equal(long long expected, long long got, const char *what, const char *file, int line);
long long tap_must(long long result, const char *what, const char *file, int line);
void tap_refused(int expected, long long result, const char *what, const char *file, int line);

/* A condition that must hold; the rest is printf-like and says expected and got. */
#define tap_check(condition, ...) \
	do { \
		if (!(condition)) \
			tap_fail(__VA_ARGS__); \
	} while (0)

/* Two integers are equal. */
#define tap_eq(expected, got) \
	tap_equal((long long)(expected), (long long)(got), #got, __FILE__, __LINE__)

/* 0 or -errno, as the helpers here return it. */
#define must(call) tap_must((call), #call, __FILE__, __LINE__)

/* -errno exactly, as the helpers here return it. */
#define must_refuse(error, call) tap_refused((error), (call), #call, __FILE__, __LINE__)

/* A system call result (-1 and errno) as result or -errno. */
#define sys(call) \
	({ \
		long long sys_result = (long long)(call); \
		sys_result == -1 ? -(long long)errno : sys_result; \
	})

#endif
