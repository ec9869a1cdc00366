/* SPDX-License-Identifier: MIT */
/*
 * remote: reach a card from outside of the guest, with tests/card/ctl. Ends the test where
 * that is refused.
 */
#ifndef TEST_REMOTE_H
#define TEST_REMOTE_H

#include <stdbool.h>

/* The words behind tests/card/ctl: "unplug card0". */
void remote(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Before all tests. */
void remote_prepare(void);

/* Properties of card0, which remote_restore() puts back. */
void remote_set(const char *property, int value);
void remote_flag(const char *property, bool value);
long remote_get(const char *property);

/* After a test: every fault that it set is off, and the clock is right. */
void remote_restore(void);
/* Another card takes the place of card0, if that is there. */
void remote_replace(void);

#endif
