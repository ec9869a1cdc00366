// SPDX-License-Identifier: MIT
/* dropper: see dropper.h. */
#include <sys/mman.h>
#include <sys/prctl.h>

#include "dropper.h"
#include "tap.h"

/* Without huge pages a chunk comes in by a page table, with them by a PMD. */
static void *drop(void *arg)
{
	struct dropper *dropper = arg;
	bool small = false;

	while (!atomic_load(&dropper->stop)) {
		madvise(dropper->start, dropper->bytes, MADV_DONTNEED);
		prctl(PR_SET_THP_DISABLE, small, 0, 0, 0);
		small = !small;
	}
	return NULL;
}

void dropper_start(struct dropper *dropper, uint8_t *start, size_t bytes)
{
	dropper->start = start;
	dropper->bytes = bytes;
	atomic_init(&dropper->stop, false);
	tap_eq(0, pthread_create(&dropper->thread, NULL, drop, dropper));
}

void dropper_stop(struct dropper *dropper)
{
	atomic_store(&dropper->stop, true);
	tap_eq(0, pthread_join(dropper->thread, NULL));
}
