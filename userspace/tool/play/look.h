/* SPDX-License-Identifier: MIT */
/*
 * What is in a file, by its first bytes, and by its name where they say nothing.
 */
#ifndef AVRING_PLAY_LOOK_H
#define AVRING_PLAY_LOOK_H

#include "source.h"

#define PLAY_LOOK_BYTES 16

/**
 * play_look() - the next bytes of a file, which stay there
 * @fd: a file or a pipe; of a pipe they are waited for
 * @bytes: filled
 * @length: no more than this
 *
 * Return: how many; 0 at the end, or where it cannot be seen; a negative errno.
 */
ssize_t play_look(int fd, void *bytes, size_t length);

/**
 * play_look_at() - what begins with these bytes?
 * @bytes: of the file
 * @length: how many there are
 * @foreign: what it is called, if it is nothing that can be played; or NULL
 *
 * Return: how it is played; NULL: in no way, or nobody knows.
 */
const struct play_container *play_look_at(const void *bytes, size_t length, const char **foreign);

/* Is this what programs for films and sound call files that cannot be played? */
bool play_look_is_foreign(const char *path);

#endif
