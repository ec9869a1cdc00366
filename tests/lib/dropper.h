/* SPDX-License-Identifier: MIT */
/* Somebody who takes the page tables of a mapping away, again and again. */
#ifndef TEST_DROPPER_H
#define TEST_DROPPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct dropper - a thread
 * @start: of the mapping
 * @bytes: its length
 * @stop: enough
 * @thread: what does it
 */
struct dropper {
	uint8_t *start;
	size_t bytes;
	atomic_bool stop;
	pthread_t thread;
};

/* What comes in is a PMD in turn with a page table; until dropper_stop(). */
void dropper_start(struct dropper *dropper, uint8_t *start, size_t bytes);
void dropper_stop(struct dropper *dropper);

#endif
