/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: takes frames from a ring into buffers that are somebody else's dma-buf.
 *
 * Before the CPU may write there the exporter is asked, who may sleep, and wait for a fence for
 * ever. So the one who makes frames does not ask: he hands frame and buffer to the courier, which
 * has a thread of its own, and while that is under way the node gets no other frame. A buffer
 * that another device is still at work on comes back as it was, and gets the next frame.
 *
 * A courier serves one stream and is recalled at its end, whatever it waits for: then it looks
 * at nothing any more but its own references. An exporter that waits with its reservation lock
 * held keeps that from whoever unmaps the buffer, too; nothing here can mend that.
 */
#ifndef AVRING_COURIER_H
#define AVRING_COURIER_H

#include <linux/types.h>

struct avring_buffer;
struct avring_courier;
struct avring_ring;
struct mutex;

/**
 * typedef avring_courier_arrived - a buffer comes back from the courier
 * @data: of the owner
 * @buf: the buffer, still in its queue
 * @filled: it has the frame; else it was in use, or the frame was overwritten
 *
 * The owner's lock is held.
 */
typedef void (*avring_courier_arrived)(void *data, struct avring_buffer *buf, bool filled);

struct avring_courier *avring_courier_new(struct mutex *owner, avring_courier_arrived arrived,
					  void *data);
bool avring_courier_busy(const struct avring_courier *courier);
void avring_courier_send(struct avring_courier *courier, struct avring_buffer *buf,
			 struct avring_ring *ring, u64 position, size_t length);
void avring_courier_recall(struct avring_courier *courier);

int avring_courier_init(void);
void avring_courier_exit(void);

#endif
