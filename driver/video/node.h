/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what both video nodes of a card have in common.
 */
#ifndef AVRING_NODE_H
#define AVRING_NODE_H

#include <linux/mutex.h>
#include <linux/videodev2.h>
#include <media/media-entity.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-fh.h>

#include "clock.h"
#include "video/queue.h"

/* Controls that avring_node_add_counters() adds. */
#define AVRING_NODE_COUNTERS	4

struct avring_counters;
struct avring_engine;
struct avring_limits;
struct avring_spare;
struct v4l2_device;

/**
 * struct avring_node - one video node
 * @vdev: the node; its driver data is this struct
 * @ctrls: its controls, freed with the node
 * @pad: its end in the media graph
 * @engine: moves its frames, NULL if a device does
 * @limits: what the card can do
 * @dead: the device does not answer any more
 * @lock: serialises all ioctls of the node and guards the fields below; outermost,
 *	taken before the engine's lock
 * @queue: its buffers
 * @pix: format of its frames
 * @rate: its frame rate
 * @chooser: the open file that has set a format and made no buffers since, or NULL
 * @chosen: that format: what the buffers of @chooser will hold, whatever others do
 * @adopt: optional; buffers are about to be made for this file where there are none, so
 *	@pix and @rate may still become those of a source. -EAGAIN is that of avring_change(); any
 *	other errno changes nothing for who makes buffers. Set once
 */
struct avring_node {
	struct video_device vdev;
	struct v4l2_ctrl_handler ctrls;
	struct media_pad pad;
	struct avring_engine *engine;
	const struct avring_limits *limits;
	bool dead;

	struct mutex lock;
	struct avring_queue queue;
	struct v4l2_pix_format pix;
	struct avring_rate rate;
	struct file *chooser;
	struct v4l2_pix_format chosen;
	int (*adopt)(struct file *file, struct avring_spare *spare);
};

/**
 * struct avring_node_file - an open file of a node
 * @fh: what the core knows of it; first, because the core frees it
 * @buffers: has asked for buffers, with whatever count: it queues them itself
 * @write_stream: VIDIOC_STREAMON has begun its write()
 *
 * The lock of the node guards it.
 */
struct avring_node_file {
	struct v4l2_fh fh;
	bool buffers;
	bool write_stream;
};

int avring_node_init(struct avring_node *node, struct v4l2_device *v4l2_dev,
		     struct avring_engine *engine, enum v4l2_buf_type type,
		     const struct v4l2_ioctl_ops *ioctl_ops,
		     const struct avring_queue_ops *queue_ops);
void avring_node_cleanup(struct avring_node *node);
void avring_node_forget(struct avring_node *node, struct file *file);
int avring_node_alive(struct avring_node *node);
int avring_node_queue_alive(struct avring_queue *queue);
int avring_node_register(struct avring_node *node);
void avring_node_unregister(struct avring_node *node);

int avring_node_querycap(struct file *file, void *priv, struct v4l2_capability *cap);
int avring_node_enum_fmt(struct file *file, void *priv, struct v4l2_fmtdesc *desc);
int avring_node_g_fmt(struct file *file, void *priv, struct v4l2_format *format);
int avring_node_try_fmt(struct file *file, void *priv, struct v4l2_format *format);
int avring_node_enum_frameintervals(struct file *file, void *priv, struct v4l2_frmivalenum *ival);
int avring_node_reqbufs(struct file *file, void *priv, struct v4l2_requestbuffers *request);
int avring_node_create_bufs(struct file *file, void *priv, struct v4l2_create_buffers *create);
int avring_node_dqbuf(struct file *file, void *priv, struct v4l2_buffer *buf);
int avring_node_subscribe_event(struct v4l2_fh *fh, const struct v4l2_event_subscription *sub);
void avring_node_source_change(struct avring_node *node);
void avring_node_log(struct avring_node *node, const char *input,
		     const struct avring_counters *counters);
void avring_node_add_counters(struct v4l2_ctrl_handler *ctrls, const struct v4l2_ctrl_ops *ops);
int avring_node_get_counter(struct v4l2_ctrl *ctrl, const struct avring_counters *counters);
int avring_node_set_format(struct avring_node *node, const struct v4l2_pix_format *pix);
int avring_node_set_rate(struct avring_node *node, const struct v4l2_fract *interval);

static inline struct avring_node *avring_node_of(struct file *file)
{
	return video_drvdata(file);
}

static inline struct avring_node_file *avring_node_file_of(struct file *file)
{
	return container_of((struct v4l2_fh *)file->private_data, struct avring_node_file, fh);
}

static inline struct avring_node *avring_queue_node(struct avring_queue *queue)
{
	return container_of(queue, struct avring_node, queue);
}

#endif
