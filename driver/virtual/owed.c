// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: what the reader of the capture node is owed. See virtual/owed.h.
 */
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "memory/store.h"
#include "virtual/owed.h"

/* Large frames are fewer; one there always is. */
#define AVRING_OWED_BYTES	SZ_32M

static int avring_owed_alloc(struct avring_owed *owed, struct avring_account *account)
{
	const size_t stride = PAGE_ALIGN(owed->frame_bytes);
	struct avring_store *store;
	unsigned int i;
	void *vaddr;

	owed->most = clamp_t(size_t, AVRING_OWED_BYTES / stride, 1, AVRING_OWED_FRAMES);
	store = avring_store_new(account, owed->most * stride);
	if (IS_ERR(store))
		return PTR_ERR(store);
	vaddr = avring_store_vaddr(store);
	if (!vaddr) {
		avring_store_put(store);
		return -ENOMEM;
	}
	owed->store = store;
	for (i = 0; i < owed->most; i++)
		owed->frames[i].data = vaddr + i * stride;
	return 0;
}

/**
 * avring_owed_new() - make an empty queue
 * @account: of the card
 * @frame_bytes: of each frame
 *
 * Context: process, may sleep; memory is charged as in avring_store_new().
 *
 * Return: the queue; or NULL, which is one that has no room: a reader who finds no memory for
 * being late must be punctual.
 */
struct avring_owed *avring_owed_new(struct avring_account *account, size_t frame_bytes)
{
	struct avring_owed *owed = kzalloc(sizeof(*owed), GFP_KERNEL_ACCOUNT);

	if (!owed)
		return NULL;
	owed->frame_bytes = frame_bytes;
	if (avring_owed_alloc(owed, account)) {
		kfree(owed);
		return NULL;
	}
	return owed;
}

/**
 * avring_owed_free() - undo avring_owed_new()
 * @owed: the queue, with whatever is in it; NULL is allowed. Context: process, may sleep.
 */
void avring_owed_free(struct avring_owed *owed)
{
	if (!owed)
		return;
	avring_store_put(owed->store);
	kfree(owed);
}

/**
 * avring_owed_add() - a frame that the reader has no buffer for
 * @owed: the queue, or NULL
 * @data: the frame, is copied
 * @sequence: its number
 * @time_ns: its time
 *
 * Return: false if there is no room.
 */
bool avring_owed_add(struct avring_owed *owed, const void *data, u32 sequence, u64 time_ns)
{
	struct avring_owed_frame *frame;

	if (!owed || owed->count == owed->most)
		return false;
	frame = &owed->frames[(owed->first + owed->count++) % owed->most];
	memcpy(frame->data, data, owed->frame_bytes);
	frame->sequence = sequence;
	frame->time_ns = time_ns;
	return true;
}

/**
 * avring_owed_first() - the oldest frame
 * @owed: the queue, or NULL
 *
 * Return: the frame, still in the queue, or NULL if none waits.
 */
const struct avring_owed_frame *avring_owed_first(const struct avring_owed *owed)
{
	return owed && owed->count ? &owed->frames[owed->first] : NULL;
}

/**
 * avring_owed_settle() - the reader has got the oldest frame
 * @owed: the queue, not empty
 */
void avring_owed_settle(struct avring_owed *owed)
{
	owed->first = (owed->first + 1) % owed->most;
	owed->count--;
}
