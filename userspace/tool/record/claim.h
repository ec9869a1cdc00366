/* SPDX-License-Identifier: MIT */
/*
 * Files that nobody else writes to while they are written. What is in them stays until all
 * files of a recording are known to be there, and to be different ones.
 */
#ifndef AVRING_RECORD_CLAIM_H
#define AVRING_RECORD_CLAIM_H

#include <stdbool.h>

/**
 * record_claim_open() - open a file for writing, as it is, or create it
 * @path: of it
 * @is_new: it was not there before
 *
 * Return: a file descriptor, or a negative errno.
 */
int record_claim_open(const char *path, bool *is_new);

/* Are both open, and the same file? What keeps nothing may be used twice, as /dev/null. */
bool record_claim_is_same(int fd, int other);

/* Return: 0, or -EWOULDBLOCK: somebody else has claimed it. */
int record_claim_lock(int fd);

#endif
