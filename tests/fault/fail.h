/* SPDX-License-Identifier: MIT */
/*
 * fail: make allocations of this thread fail, through the module of tests/fault/module.
 */
#ifndef TEST_FAIL_H
#define TEST_FAIL_H

#include <stdbool.h>
#include <stddef.h>

/* Loads the module from the build folder $AVRING_FAIL; NULL, or why it cannot be used. */
const char *fail_missing(void);

/* Every place is new again. */
void fail_forget(void);

/* The next allocation in a new place fails. */
void fail_arm(void);

/* No more. Returns whether one has failed; then @path says where, innermost call first. */
bool fail_disarm(char *path, size_t size);

/* Hold an ALSA card, "card0", as a lost reference would; none if empty. */
void fail_hold(const char *card);

#endif
