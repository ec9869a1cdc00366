// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the vb2 queue of a video node. See video/queue.h.
 */
#include "compat.h"
#include "video/format.h"
#include "video/memops.h"
#include "video/queue.h"

/* One is being filled, one waits, one is with the application. */
#define AVRING_MIN_BUFFERS	3U

static struct avring_queue *avring_queue_of(struct vb2_queue *vq)
{
	return container_of(vq, struct avring_queue, vb2);
}

static struct avring_buffer *avring_buffer_of(struct vb2_buffer *vb)
{
	return container_of(to_vb2_v4l2_buffer(vb), struct avring_buffer, vb);
}

static int avring_queue_setup(struct vb2_queue *vq, unsigned int *n_buffers,
			      unsigned int *n_planes, unsigned int sizes[],
			      struct device *alloc_devs[])
{
	struct avring_queue *queue = avring_queue_of(vq);

	if (queue->ops->alive(queue))
		return -ENODEV;
	if (*n_planes)
		return sizes[0] < queue->frame_size || sizes[0] > AVRING_MAX_FRAME ? -EINVAL : 0;
	*n_planes = 1;
	*n_buffers = max(*n_buffers, AVRING_MIN_BUFFERS);
	sizes[0] = queue->frame_size;
	return 0;
}

static int avring_buffer_out_validate(struct vb2_buffer *vb)
{
	to_vb2_v4l2_buffer(vb)->field = V4L2_FIELD_NONE;
	return 0;
}

/*
 * QBUF replaces a payload of 0 by the length; only write() comes in here with 0,
 * and with a whole frame. A kernel view that cannot be made is an error here, not
 * a lost frame later.
 */
static int avring_buffer_prepare(struct vb2_buffer *vb)
{
	struct avring_queue *queue = avring_queue_of(vb->vb2_queue);

	if (vb2_plane_size(vb, 0) < queue->frame_size)
		return -EINVAL;
	if (V4L2_TYPE_IS_CAPTURE(vb->type) || !vb2_get_plane_payload(vb, 0))
		vb2_set_plane_payload(vb, 0, queue->frame_size);
	else if (vb2_get_plane_payload(vb, 0) < queue->frame_size)
		return -EINVAL;
	if (!queue->dma && !vb2_plane_vaddr(vb, 0))
		return -ENOMEM;
	return avring_memops_may_prepare(vb);
}

/* The caller of DQBUF or STREAMOFF, and not who made the frame, ends the use of a dma-buf. */
static void avring_buffer_finish(struct vb2_buffer *vb)
{
	avring_memops_release(vb);
}

static void avring_buffer_queue(struct vb2_buffer *vb)
{
	struct avring_queue *queue = avring_queue_of(vb->vb2_queue);

	spin_lock(&queue->lock);
	avring_buffer_of(vb)->given = false;
	list_add_tail(&avring_buffer_of(vb)->node, &queue->ready);
	spin_unlock(&queue->lock);
	queue->ops->queued(queue);
}

static void avring_queue_return_all(struct avring_queue *queue, enum vb2_buffer_state state)
{
	struct avring_buffer *buf;

	while ((buf = avring_queue_first(queue))) {
		spin_lock(&queue->lock);
		list_del(&buf->node);
		spin_unlock(&queue->lock);
		vb2_buffer_done(&buf->vb.vb2_buf, state);
	}
}

static int avring_queue_start(struct vb2_queue *vq, unsigned int count)
{
	struct avring_queue *queue = avring_queue_of(vq);
	int err = queue->ops->start(queue);

	if (err)
		avring_queue_return_all(queue, VB2_BUF_STATE_QUEUED);
	return err;
}

static void avring_queue_stop(struct vb2_queue *vq)
{
	struct avring_queue *queue = avring_queue_of(vq);

	queue->ops->stop(queue);
	avring_queue_return_all(queue, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops avring_vb2_ops = {
	.queue_setup = avring_queue_setup,
	.buf_out_validate = avring_buffer_out_validate,
	.buf_prepare = avring_buffer_prepare,
	.buf_finish = avring_buffer_finish,
	.buf_queue = avring_buffer_queue,
	.start_streaming = avring_queue_start,
	.stop_streaming = avring_queue_stop,
	AVRING_VB2_WAIT_OPS
};

/**
 * avring_queue_init() - set up the queue of a node
 * @queue: zeroed
 * @type: V4L2_BUF_TYPE_VIDEO_CAPTURE or V4L2_BUF_TYPE_VIDEO_OUTPUT
 * @ops: the owner's operations
 * @lock: the node's lock, serialises all ioctls
 * @dev: for messages and imported buffers
 * @dma: @dev fills the buffers; else the CPU does
 *
 * Return: 0 or a negative errno.
 */
int avring_queue_init(struct avring_queue *queue, enum v4l2_buf_type type,
		      const struct avring_queue_ops *ops, struct mutex *lock, struct device *dev,
		      bool dma)
{
	struct vb2_queue *vq = &queue->vb2;

	queue->ops = ops;
	queue->dma = dma;
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->ready);
	vq->type = type;
	vq->io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	vq->io_modes |= V4L2_TYPE_IS_CAPTURE(type) ? VB2_READ : VB2_WRITE;
	vq->buf_struct_size = sizeof(struct avring_buffer);
	vq->ops = &avring_vb2_ops;
	vq->mem_ops = dma ? &avring_dma_memops : &avring_memops;
	/* The CPU may write in place of the device, whose copy of the memory must get it too. */
	vq->bidirectional = dma;
	vq->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	vq->avring_min_queued = 1;
	vq->lock = lock;
	vq->dev = dev;
	return vb2_queue_init(vq);
}

/**
 * avring_queue_first() - the buffer that waits longest
 * @queue: the queue
 *
 * Return: the buffer, still in the queue, or NULL. The engine keeps it from going
 * away by its own lock, which @stop takes.
 */
struct avring_buffer *avring_queue_first(struct avring_queue *queue)
{
	struct avring_buffer *buf;

	spin_lock(&queue->lock);
	buf = list_first_entry_or_null(&queue->ready, struct avring_buffer, node);
	spin_unlock(&queue->lock);
	return buf;
}
EXPORT_SYMBOL_AVRING(avring_queue_first);

/**
 * avring_queue_next() - the buffer that waits longest for a device
 * @queue: the queue
 *
 * Return: the buffer, still in the queue, or NULL if the device has them all.
 */
struct avring_buffer *avring_queue_next(struct avring_queue *queue)
{
	struct avring_buffer *buf, *next = NULL;

	spin_lock(&queue->lock);
	list_for_each_entry(buf, &queue->ready, node) {
		if (!buf->given) {
			next = buf;
			break;
		}
	}
	spin_unlock(&queue->lock);
	return next;
}
EXPORT_SYMBOL_AVRING(avring_queue_next);

/**
 * avring_queue_take_back() - the device has no buffer any more
 * @queue: the queue
 */
void avring_queue_take_back(struct avring_queue *queue)
{
	struct avring_buffer *buf;

	spin_lock(&queue->lock);
	list_for_each_entry(buf, &queue->ready, node)
		buf->given = false;
	spin_unlock(&queue->lock);
}
EXPORT_SYMBOL_AVRING(avring_queue_take_back);

static void avring_queue_finish(struct avring_queue *queue, struct avring_buffer *buf,
				u32 sequence, u64 time_ns, enum vb2_buffer_state state)
{
	spin_lock(&queue->lock);
	list_del(&buf->node);
	spin_unlock(&queue->lock);
	buf->vb.sequence = sequence;
	buf->vb.field = V4L2_FIELD_NONE;
	buf->vb.vb2_buf.timestamp = time_ns;
	vb2_buffer_done(&buf->vb.vb2_buf, state);
}

/**
 * avring_queue_done() - hand a finished buffer back to user space
 * @queue: the queue
 * @buf: the buffer, filled; from avring_queue_first()
 * @sequence: frame number of the stream
 * @time_ns: CLOCK_MONOTONIC of the frame
 *
 * The buffer leaves the list and is complete before it is handed over.
 */
void avring_queue_done(struct avring_queue *queue, struct avring_buffer *buf,
		       u32 sequence, u64 time_ns)
{
	avring_queue_finish(queue, buf, sequence, time_ns, VB2_BUF_STATE_DONE);
}
EXPORT_SYMBOL_AVRING(avring_queue_done);

/**
 * avring_queue_error() - hand a buffer back whose frame is not whole
 * @queue: the queue
 * @buf: the buffer, its payload set; from avring_queue_first()
 * @sequence: frame number of the stream
 * @time_ns: CLOCK_MONOTONIC of the frame
 *
 * User space gets it with V4L2_BUF_FLAG_ERROR.
 */
void avring_queue_error(struct avring_queue *queue, struct avring_buffer *buf,
			u32 sequence, u64 time_ns)
{
	avring_queue_finish(queue, buf, sequence, time_ns, VB2_BUF_STATE_ERROR);
}
EXPORT_SYMBOL_AVRING(avring_queue_error);

static bool avring_queue_empty(struct avring_queue *queue)
{
	return !avring_queue_first(queue);
}

/*
 * The last close of somebody who was killed, or of nobody: a wait there could not
 * be interrupted any more.
 */
static bool avring_queue_must_not_wait(void)
{
	if (current->flags & PF_KTHREAD)
		return true;
	return current->flags & PF_EXITING && current->exit_code & 0x7f;
}

/**
 * avring_queue_drain() - wait until every queued buffer was taken
 * @queue: the queue; the caller holds no lock
 *
 * A streaming engine takes a buffer per tick, and a stopping one returns them
 * all, so this ends. SIGKILL ends it earlier in close(), and a process that a
 * signal has killed does not wait at all; one that exits without close() waits to
 * the end.
 */
void avring_queue_drain(struct avring_queue *queue)
{
	if (avring_queue_must_not_wait())
		return;
	wait_event_killable(queue->vb2.done_wq,
			    avring_queue_empty(queue) || !vb2_is_streaming(&queue->vb2));
}

/**
 * avring_buffer_vaddr() - the kernel view of a frame
 * @buf: a prepared buffer
 *
 * Return: address of the first byte; never NULL, buf_prepare saw to that.
 */
void *avring_buffer_vaddr(struct avring_buffer *buf)
{
	return vb2_plane_vaddr(&buf->vb.vb2_buf, 0);
}
EXPORT_SYMBOL_AVRING(avring_buffer_vaddr);
