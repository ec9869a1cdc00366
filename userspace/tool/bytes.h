/* SPDX-License-Identifier: MIT */
/*
 * Reading from files and pipes, whoever has opened them and however.
 */
#ifndef AVRING_TOOL_BYTES_H
#define AVRING_TOOL_BYTES_H

#include <stddef.h>
#include <sys/types.h>

/* Wait until there is something to read. */
void tool_bytes_wait(int fd);

/* read() until there is so much, or the end, or a signal. Return: bytes, or a negative errno. */
ssize_t tool_bytes_read(int fd, void *data, size_t length);

#endif
