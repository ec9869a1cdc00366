/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the reader of the capture node is owed.
 *
 * Frames that somebody has sent and that the reader has had no buffer for, oldest first, each
 * with its own time and number. So a reader may be late by some frames, and neither who sent
 * them nor the readers of the ring wait for that.
 *
 * They are copies. Where there is a ring it has the same frames, but for how long is up to
 * others: a file may wish a ring of two frames, its readers come and go, and a producer may
 * change what it has written. The copy is made for who is late, and for nobody else.
 *
 * The memory is the reader's: it is there from his STREAMON on, or from the moment when somebody
 * gives him the loopback input, and on the account of who asked for that. It never grows. No
 * V4L2, no time; the owner's lock guards all of it.
 */
#ifndef AVRING_OWED_H
#define AVRING_OWED_H

#include <linux/types.h>

struct avring_account;
struct avring_store;

/* As many as most readers have buffers: the oldest must not be old, and a frame may be large. */
#define AVRING_OWED_FRAMES	4U

/**
 * struct avring_owed_frame - a frame that waits for a buffer
 * @data: its bytes
 * @time_ns: when it was
 * @sequence: its number
 */
struct avring_owed_frame {
	void *data;
	u64 time_ns;
	u32 sequence;
};

/**
 * struct avring_owed - frames that wait, a queue
 * @store: their memory
 * @frame_bytes: of each
 * @most: frames that it has room for, 1 to AVRING_OWED_FRAMES
 * @first: which of @frames is the oldest
 * @count: frames that wait
 * @frames: places; where the data lies never changes
 */
struct avring_owed {
	struct avring_store *store;
	size_t frame_bytes;
	unsigned int most;
	unsigned int first;
	unsigned int count;
	struct avring_owed_frame frames[AVRING_OWED_FRAMES];
};

struct avring_owed *avring_owed_new(struct avring_account *account, size_t frame_bytes);
void avring_owed_free(struct avring_owed *owed);
bool avring_owed_add(struct avring_owed *owed, const void *data, u32 sequence, u64 time_ns);
const struct avring_owed_frame *avring_owed_first(const struct avring_owed *owed);
void avring_owed_settle(struct avring_owed *owed);

#endif
