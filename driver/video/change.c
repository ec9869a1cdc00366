// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a ring that is being read follows the node. See video/change.h.
 *
 * Another format, or a stream that begins, may need another ring, and that takes long if it is
 * large. So who wants it makes it, as who attaches does: with no lock of ours, so that others use
 * node and ring meanwhile, and removal does not wait. While the node's lock is dropped anything
 * may happen but the release of this file: other formats, buffers, streams, removal. So nothing
 * is remembered: the call begins again, and what has been made is used if it is still what is
 * needed.
 */
#include <media/videobuf2-v4l2.h>

#include "compat.h"
#include "ring/stream.h"
#include "video/change.h"
#include "video/node.h"

/* Return: 0, or -ENODEV if the node has gone meanwhile. */
static int avring_change_make(struct avring_node *node, struct avring_spare *spare)
{
	mutex_unlock(&node->lock);
	avring_stream_make_spare(node->queue.account, spare);
	mutex_lock(&node->lock);
	return node->queue.ops->alive(&node->queue);
}

/**
 * avring_change() - change what the ring may have to follow
 * @file: open file
 * @change: decides and does it, each time from the beginning. -EAGAIN: nothing has changed, and
 *	the spare says what is missing
 * @arg: of @change
 *
 * Context: the node's lock is held, and dropped while a ring is made; a fatal signal ends that.
 * When others have changed the stream again and again, it is allocated under the locks.
 *
 * Return: as @change; -ENODEV if the node went meanwhile.
 */
int avring_change(struct file *file,
		  int (*change)(struct file *file, void *arg, struct avring_spare *spare),
		  void *arg)
{
	struct avring_node *node = avring_node_of(file);
	struct avring_spare spare = {};
	int err = change(file, arg, &spare);

	while (err == -EAGAIN)
		err = avring_change_make(node, &spare) ?: change(file, arg, &spare);
	avring_ring_put(spare.ring);
	return err;
}
EXPORT_SYMBOL_AVRING(avring_change);

/* May this file start the stream? vb2 refuses anybody else. */
static bool avring_change_may_start(struct avring_queue *queue, struct file *file)
{
	return queue->ops->prepare && !vb2_start_streaming_called(&queue->vb2) &&
	       !vb2_queue_is_busy(&queue->vb2, file);
}

/**
 * avring_change_begin_start() - a call is about to start the stream
 * @file: open file
 * @spare: zeroed; the queue's until avring_change_end_start(), which is due whatever this returns
 *
 * If others change the stream again and again the start does without, and the ring ends.
 *
 * Context: as avring_change(). The caller decides nothing before.
 *
 * Return: 0; -ENODEV if the node went meanwhile; -ENOMEM, -EINVAL if the ring cannot follow.
 */
int avring_change_begin_start(struct file *file, struct avring_spare *spare)
{
	struct avring_node *node = avring_node_of(file);
	struct avring_queue *queue = &node->queue;
	int err = 0;

	while (!err && spare->made < AVRING_STREAM_PATIENCE) {
		if (!avring_change_may_start(queue, file))
			return 0;
		err = queue->ops->prepare(queue, spare);
		if (!err) {
			queue->spare = spare;
			return 0;
		}
		if (err == -EAGAIN)
			err = avring_change_make(node, spare);
	}
	return err;
}

/**
 * avring_change_end_start() - the stream has started, or has not
 * @file: open file
 * @spare: of avring_change_begin_start()
 */
void avring_change_end_start(struct file *file, struct avring_spare *spare)
{
	avring_node_of(file)->queue.spare = NULL;
	avring_ring_put(spare->ring);
}

/**
 * avring_change_streamon() - VIDIOC_STREAMON of a node whose ring may have to follow
 * @file: open file
 * @priv: for vb2
 * @type: of the queue
 *
 * Without a buffer it is the first QBUF that starts.
 *
 * Context: as avring_change().
 * Return: as avring_change_begin_start(), or vb2_ioctl_streamon().
 */
int avring_change_streamon(struct file *file, void *priv, enum v4l2_buf_type type)
{
	struct vb2_queue *vq = &avring_node_of(file)->queue.vb2;
	struct avring_spare spare = {};
	int err;

	if (type != vq->type || !vq->queued_count)
		return vb2_ioctl_streamon(file, priv, type);
	err = avring_change_begin_start(file, &spare) ?: vb2_ioctl_streamon(file, priv, type);
	avring_change_end_start(file, &spare);
	return err;
}
EXPORT_SYMBOL_AVRING(avring_change_streamon);
