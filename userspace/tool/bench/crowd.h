/* SPDX-License-Identifier: MIT */
/* crowd: several processes that read the same pictures, and whoever feeds them. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdatomic.h>
#include <sys/types.h>

#include <avring/avring.h>

struct bench;
struct crowd;

#define CROWD_READERS 16

/**
 * struct crowd_maker - one way to let many read
 * @who: name in the results
 * @missing: what it means if @open says -ENODEV or -ENOENT
 * @open: make ready; 0 or a negative errno
 * @feed: child that feeds until it is killed, or NULL if nobody needs to
 * @read: child that takes frame after frame until it is killed and counts them in
 *	*@taken; returns only to say what went wrong
 * @frames: frames that there were so far
 * @close: undo @open
 */
struct crowd_maker {
	const char *who;
	const char *missing;
	int (*open)(struct crowd *crowd, const struct bench *bench);
	int (*feed)(struct crowd *crowd);
	int (*read)(struct crowd *crowd, atomic_uint *taken);
	unsigned int (*frames)(struct crowd *crowd);
	void (*close)(struct crowd *crowd);
};

/**
 * struct crowd_shared - what the processes tell each other
 * @fed: frames fed
 * @taken: frames taken by each reader
 * @error: negative errno of a child that has failed
 */
struct crowd_shared {
	atomic_uint fed;
	atomic_uint taken[CROWD_READERS];
	atomic_int error;
};

/**
 * struct crowd - see above
 * @maker: how
 * @card: ring node
 * @watermark: readers wait for so many frames; who cannot do that waits for each
 * @path: of another device
 * @shared: memory of all processes
 * @children: all of them
 * @n_children: how many
 * @reader: of who counts the frames of a card
 * @seen: by it
 */
struct crowd {
	const struct crowd_maker *maker;
	const char *card;
	unsigned int watermark;
	char path[64];
	struct crowd_shared *shared;
	pid_t children[CROWD_READERS + 1];
	unsigned int n_children;
	struct avring_reader *reader;
	unsigned int seen;
};

extern const struct crowd_maker crowd_card;
extern const struct crowd_maker crowd_v4l2loopback;

/* Start @readers readers, and return when each has taken some frames. 0 or a negative errno. */
int crowd_start(struct crowd *crowd, const struct crowd_maker *maker, const struct bench *bench,
		unsigned int readers, unsigned int watermark);

/* Frames that there were so far. */
unsigned int crowd_frames(struct crowd *crowd);

/* Wait until there were so many frames. 0 or a negative errno. */
int crowd_wait(struct crowd *crowd, unsigned int frames);
/* Sleep for a third of a frame. */
void crowd_nap(void);
void crowd_stop(struct crowd *crowd);

#endif
