// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a buffer that is somebody else's dma-buf is handed in. See video/import.h.
 *
 * Another device may still be at work on it, and says so with a fence; its exporter may have
 * to wait for that device before the CPU may look. Nobody knows for how long. So the caller
 * waits, with no lock of ours: others use the node meanwhile, a signal ends the wait, and so
 * does removal. What moves frames never asks a fence for more than whether it is over.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <media/videobuf2-v4l2.h>

#include "compat.h"
#include "ring/stream.h"
#include "video/change.h"
#include "video/import.h"
#include "video/memops.h"
#include "video/node.h"

/* So soon it is seen that the node has gone. */
#define AVRING_IMPORT_LOOK	(HZ / 10)

/* Is it for vb2 to prepare it? What that has prepared or refuses anyway waits for nothing. */
static bool avring_import_is_due(struct avring_node *node, struct file *file,
				 const struct v4l2_buffer *buf)
{
	struct vb2_queue *vq = &node->queue.vb2;
	const struct vb2_buffer *vb;

	if (buf->memory != V4L2_MEMORY_DMABUF || buf->type != vq->type || vq->error ||
	    vq->memory != VB2_MEMORY_DMABUF || vb2_queue_is_busy(vq, file))
		return false;
	vb = vb2_get_buffer(vq, buf->index);
	return vb && vb->state == VB2_BUF_STATE_DEQUEUED && !vb->prepared;
}

static int avring_import_wait(struct avring_node *node, struct dma_buf *dbuf)
{
	const bool writes = !node->queue.vb2.is_output;
	long left = 0;

	while (!left) {
		if (avring_node_alive(node))
			return -ENODEV;
		left = dma_resv_wait_timeout(dbuf->resv, dma_resv_usage_rw(writes), true,
					     AVRING_IMPORT_LOOK);
	}
	return min(left, 0L);
}

/* Where a device fills the buffers the exporter hears of it when vb2 maps them. */
static int avring_import_begin(struct avring_node *node, struct dma_buf *dbuf)
{
	int err = avring_import_wait(node, dbuf);

	if (err || node->queue.dma)
		return err;
	return dma_buf_begin_cpu_access(dbuf, avring_queue_cpu_dir(&node->queue));
}

/* What vb2 has not taken over is ended here. */
static int avring_import_hand_in(struct avring_node *node, struct dma_buf *dbuf,
				 int (*call)(struct file *, void *, struct v4l2_buffer *),
				 struct file *file, void *priv, struct v4l2_buffer *buf)
{
	struct avring_queue *queue = &node->queue;
	int err = avring_node_alive(node);

	queue->begun = queue->dma ? NULL : dbuf;
	if (!err)
		err = call(file, priv, buf);
	if (queue->begun)
		dma_buf_end_cpu_access(dbuf, avring_queue_cpu_dir(queue));
	queue->begun = NULL;
	return err;
}

static int avring_import(struct file *file, void *priv, struct v4l2_buffer *buf,
			 int (*call)(struct file *, void *, struct v4l2_buffer *))
{
	struct avring_node *node = avring_node_of(file);
	struct dma_buf *dbuf = NULL;
	int err;

	if (avring_import_is_due(node, file, buf))
		dbuf = dma_buf_get(buf->m.fd);
	if (IS_ERR_OR_NULL(dbuf))	/* vb2 says what is wrong with it */
		return call(file, priv, buf);
	/* One that mapping refuses shall not hear of us before. */
	if (!avring_memops_check(dbuf, node->queue.frame_size, !node->queue.vb2.is_output)) {
		mutex_unlock(&node->lock);
		err = avring_import_begin(node, dbuf);
		mutex_lock(&node->lock);
		if (!err)
			err = avring_import_hand_in(node, dbuf, call, file, priv, buf);
	} else {
		err = call(file, priv, buf);
	}
	dma_buf_put(dbuf);
	return err;
}

/**
 * avring_node_qbuf() - VIDIOC_QBUF
 * @file: open file
 * @priv: for vb2
 * @buf: the buffer; a dma-buf is waited for until no other device is at work on it, whether or
 *	not the file is open with O_NONBLOCK: V4L2 has no EAGAIN here
 *
 * After a STREAMON without buffers the first one starts the stream.
 *
 * Context: the node's lock is held, and dropped while the caller waits, or makes a ring.
 * Return: 0; -EINTR, -ENODEV while it waited; as avring_change_begin_start() or vb2_ioctl_qbuf().
 */
int avring_node_qbuf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	struct avring_spare spare = {};
	int err = 0;

	if (vb2_is_streaming(&avring_node_of(file)->queue.vb2))
		err = avring_change_begin_start(file, &spare);
	if (!err)
		err = avring_import(file, priv, buf, vb2_ioctl_qbuf);
	avring_change_end_start(file, &spare);
	return err;
}
EXPORT_SYMBOL_AVRING(avring_node_qbuf);

/**
 * avring_node_prepare_buf() - VIDIOC_PREPARE_BUF
 * @file: open file
 * @priv: for vb2
 * @buf: the buffer, as in avring_node_qbuf()
 *
 * Context: as avring_node_qbuf().
 * Return: as avring_node_qbuf().
 */
int avring_node_prepare_buf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	return avring_import(file, priv, buf, vb2_ioctl_prepare_buf);
}
EXPORT_SYMBOL_AVRING(avring_node_prepare_buf);
