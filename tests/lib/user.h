/* SPDX-License-Identifier: MIT */
/*
 * user: somebody who uses card 0 while it goes away.
 *
 * A user is a forked child that does one thing until the device is gone and then
 * ends; within two seconds, or he has not been woken.
 */
#ifndef TEST_USER_H
#define TEST_USER_H

#include <sys/types.h>

#include "device.h"

#define USER_WAKE_SECONDS 2

/**
 * struct user - see above
 * @card: card 0
 * @ready: write a byte here when the use has begun
 * @gone: reads end of file when the device is gone
 * @child: the process
 */
struct user {
	struct card card;
	int ready[2];
	int gone[2];
	pid_t child;
};

typedef void (*user_fn)(const struct user *user);

/* In the child: the use has begun; wait until the device is gone. */
void user_ready(const struct user *user);
void user_wait_gone(const struct user *user);

/* Returns when @run has called user_ready(); ends the test where they fail. */
struct user user_start(user_fn run);
/* The device is gone, or the user may leave it anyway. */
void user_end(struct user *user);

/* @n times: the user has memory alone: his card goes, and avring_core is refused until he ends. */
void user_keeps_core(user_fn run, int n);

/* How often loops turn that the project promises to pass: $LOOPS or 50; a fifth of that. */
int user_loops(void);
int user_short_loops(void);

#endif
