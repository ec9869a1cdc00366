/* SPDX-License-Identifier: MIT */
/*
 * ring: the ring node without the library, where the price of a single system
 * call is wanted.
 */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include <stdint.h>

#include <linux/avring.h>

/**
 * struct ring - an open ring node
 * @fd: file descriptor, -1 if it is closed
 * @attach: what ATTACH said
 */
struct ring {
	int fd;
	struct avring_attach attach;
};

/* Open without attaching. 0 or a negative errno, as all of these. */
int ring_open(struct ring *ring, const char *card);

/* Ask for a ring of @bytes, frames aligned to @align; -EBUSY while it is in use. */
int ring_setup(const struct ring *ring, uint32_t stream, uint64_t bytes, uint32_t align);

/* Attach as a reader. */
int ring_attach(struct ring *ring, uint32_t stream);
void ring_close(struct ring *ring);

#endif
