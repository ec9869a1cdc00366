/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: a vb2 queue and the list of buffers that wait in it.
 *
 * Either video node owns one. The node starts and stops it, the engine takes
 * buffers out of it.
 */
#ifndef AVRING_QUEUE_H
#define AVRING_QUEUE_H

#include <linux/dma-direction.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <media/videobuf2-v4l2.h>

/**
 * struct avring_buffer - one frame in a queue
 * @vb: must be first
 * @node: in avring_queue.ready
 * @given: a device has it
 */
struct avring_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head node;
	bool given;
};

struct avring_account;
struct avring_queue;
struct avring_spare;
struct dma_buf;

/**
 * struct avring_queue_ops - what the owner of a queue does; all but one are required
 * @alive: 0, or -ENODEV when the device has gone; no memory is taken for it then. Called
 *	under the node's lock
 * @prepare: would @start need a ring? 0 if not, or if @spare has it; -EAGAIN: now it says which.
 *	Any other errno fails the call that would start. NULL if a start never needs one. Same lock
 * @start: begin to take buffers. Called under the node's lock. A negative errno
 *	fails STREAMON. It allocates no ring: what is not in @spare of the queue is not there
 * @stop: take no more buffers; when it returns, none is in use. Same lock.
 * @queued: a buffer was added. Same lock; must not sleep on the engine.
 */
struct avring_queue_ops {
	int (*alive)(struct avring_queue *queue);
	int (*prepare)(struct avring_queue *queue, struct avring_spare *spare);
	int (*start)(struct avring_queue *queue);
	void (*stop)(struct avring_queue *queue);
	void (*queued)(struct avring_queue *queue);
};

/**
 * struct avring_queue - a vb2 queue with its waiting buffers
 * @vb2: the queue; its lock is the node's
 * @ops: the owner
 * @dma: @vb2.dev fills the buffers
 * @account: of the card; set before the node is registered
 * @frame_size: bytes of a frame; set while the queue is not busy, node's lock
 * @begun: the dma-buf that is being handed in and that the CPU may look at already; who prepares
 *	the buffer takes it over. Or NULL; node's lock
 * @spare: of a call that may start the stream, and on its stack; or NULL. Node's lock
 * @lock: guards @ready; any context, innermost
 * @ready: buffers in the order in which they were queued
 */
struct avring_queue {
	struct vb2_queue vb2;
	const struct avring_queue_ops *ops;
	bool dma;
	struct avring_account *account;
	size_t frame_size;
	struct dma_buf *begun;
	struct avring_spare *spare;
	spinlock_t lock;
	struct list_head ready;
};

int avring_queue_init(struct avring_queue *queue, enum v4l2_buf_type type,
		      const struct avring_queue_ops *ops, struct mutex *lock, struct device *dev,
		      bool dma);
struct avring_buffer *avring_queue_first(struct avring_queue *queue);
struct avring_buffer *avring_queue_next(struct avring_queue *queue);
void avring_queue_take_back(struct avring_queue *queue);
void avring_queue_done(struct avring_queue *queue, struct avring_buffer *buf,
		       u32 sequence, u64 time_ns);
void avring_queue_error(struct avring_queue *queue, struct avring_buffer *buf,
			u32 sequence, u64 time_ns);
void avring_queue_drain(struct avring_queue *queue);
void *avring_buffer_vaddr(struct avring_buffer *buf);

/* What the CPU does with somebody else's buffer. Behind the frame there is more: that stays. */
static inline enum dma_data_direction avring_queue_cpu_dir(const struct avring_queue *queue)
{
	return queue->vb2.is_output ? DMA_FROM_DEVICE : DMA_BIDIRECTIONAL;
}

#endif
