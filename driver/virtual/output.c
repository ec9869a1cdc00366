// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the V4L2 output node. See virtual/output.h.
 *
 * Its capabilities never change. A frame that is queued is taken at the next tick
 * of the node's own frame rate, so a producer is paced by the card's clock.
 */
#include <linux/module.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <uapi/linux/avring.h>

#include "video/change.h"
#include "video/format.h"
#include "video/import.h"
#include "virtual/engine.h"
#include "virtual/output.h"

#define AVRING_HOLD_MAX_MS	10000

static int avring_output_prepare(struct avring_queue *queue, struct avring_spare *spare)
{
	struct avring_node *node = avring_queue_node(queue);

	return avring_engine_prepare_output(node->engine, &node->pix, node->rate, spare);
}

static int avring_output_start(struct avring_queue *queue)
{
	struct avring_node *node = avring_queue_node(queue);
	int err = avring_node_alive(node);

	if (!err)
		err = avring_engine_start_output(node->engine, queue, &node->pix, node->rate);
	return err;
}

static void avring_output_stop(struct avring_queue *queue)
{
	avring_engine_stop_output(avring_queue_node(queue)->engine);
}

/* A frame is taken at a tick; there is nothing to do before. */
static void avring_output_queued(struct avring_queue *queue)
{
}

static const struct avring_queue_ops avring_output_queue_ops = {
	.alive = avring_node_queue_alive,
	.prepare = avring_output_prepare,
	.start = avring_output_start,
	.stop = avring_output_stop,
	.queued = avring_output_queued,
};

/*
 * ffmpeg does not look at what S_FMT has made of a format that we have not, and begins to
 * write. 32 bits a pixel are more than any such format has: no frame of it has the length of
 * one of ours, so the first write() fails.
 */
static int avring_output_try_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	struct v4l2_pix_format *pix = &format->fmt.pix;

	if (!avring_format_known(&avring_limits_virtual, pix->pixelformat))
		pix->pixelformat = V4L2_PIX_FMT_XRGB32;
	avring_format_try(&avring_limits_virtual, pix);
	return 0;
}

static int avring_output_s_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	avring_output_try_fmt(file, priv, format);
	return avring_node_set_format(avring_node_of(file), &format->fmt.pix);
}

static int avring_output_enum_framesizes(struct file *file, void *priv,
					 struct v4l2_frmsizeenum *size)
{
	return avring_format_size_range(&avring_limits_virtual, size);
}

static int avring_output_g_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	if (parm->type != V4L2_BUF_TYPE_VIDEO_OUTPUT)
		return -EINVAL;
	memset(&parm->parm, 0, sizeof(parm->parm));
	parm->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
	parm->parm.output.timeperframe = avring_rate_interval(avring_node_of(file)->rate);
	parm->parm.output.writebuffers = 1;
	return 0;
}

static int avring_output_s_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	int err;

	if (parm->type != V4L2_BUF_TYPE_VIDEO_OUTPUT)
		return -EINVAL;
	err = avring_node_set_rate(avring_node_of(file), &parm->parm.output.timeperframe);
	return err ? err : avring_output_g_parm(file, priv, parm);
}

static int avring_output_enum_output(struct file *file, void *priv, struct v4l2_output *output)
{
	if (output->index)
		return -EINVAL;
	strscpy(output->name, "Loopback", sizeof(output->name));
	output->type = V4L2_OUTPUT_TYPE_ANALOG;
	return 0;
}

static int avring_output_g_output(struct file *file, void *priv, unsigned int *index)
{
	*index = 0;
	return 0;
}

static int avring_output_s_output(struct file *file, void *priv, unsigned int index)
{
	return index ? -EINVAL : 0;
}

static int avring_output_reqbufs(struct file *file, void *priv, struct v4l2_requestbuffers *request)
{
	avring_node_file_of(file)->buffers = true;
	return vb2_ioctl_reqbufs(file, priv, request);
}

static int avring_output_create_bufs(struct file *file, void *priv,
				     struct v4l2_create_buffers *create)
{
	avring_node_file_of(file)->buffers = true;
	return vb2_ioctl_create_bufs(file, priv, create);
}

/*
 * Producers for v4l2loopback (OBS) say STREAMON and then write(). A file that never
 * asked for buffers can mean nothing else, and its write() begins here, with no byte:
 * from now on the node is its own. Who did ask queues buffers, and is told that there
 * are none.
 */
static int avring_output_streamon(struct file *file, void *priv, enum v4l2_buf_type type)
{
	struct avring_node_file *opened = avring_node_file_of(file);
	struct vb2_queue *vq = &avring_node_of(file)->queue.vb2;
	const char __user *nothing = (const char __user *)PAGE_SIZE;
	loff_t pos = 0;
	long err;

	if (type == vq->type && opened->write_stream)
		return 0;
	if (type != vq->type || opened->buffers || vb2_is_busy(vq))
		return avring_change_streamon(file, priv, type);
	err = vb2_write(vq, nothing, 0, &pos, true);
	if (err < 0)
		return err;
	vq->owner = file->private_data;
	opened->write_stream = true;
	return 0;
}

/* What waits to be shown is dropped, as with buffers; who wants it shown just closes. */
static int avring_output_streamoff(struct file *file, void *priv, enum v4l2_buf_type type)
{
	struct avring_node_file *opened = avring_node_file_of(file);
	struct vb2_queue *vq = &avring_node_of(file)->queue.vb2;

	if (type != vq->type || !opened->write_stream)
		return vb2_ioctl_streamoff(file, priv, type);
	vb2_queue_release(vq);
	vq->owner = NULL;
	opened->write_stream = false;
	return 0;
}

static const struct v4l2_ioctl_ops avring_output_ioctl_ops = {
	.vidioc_querycap = avring_node_querycap,
	.vidioc_enum_fmt_vid_out = avring_node_enum_fmt,
	.vidioc_g_fmt_vid_out = avring_node_g_fmt,
	.vidioc_try_fmt_vid_out = avring_output_try_fmt,
	.vidioc_s_fmt_vid_out = avring_output_s_fmt,
	.vidioc_enum_framesizes = avring_output_enum_framesizes,
	.vidioc_enum_frameintervals = avring_node_enum_frameintervals,
	.vidioc_g_parm = avring_output_g_parm,
	.vidioc_s_parm = avring_output_s_parm,
	.vidioc_enum_output = avring_output_enum_output,
	.vidioc_g_output = avring_output_g_output,
	.vidioc_s_output = avring_output_s_output,
	.vidioc_reqbufs = avring_output_reqbufs,
	.vidioc_create_bufs = avring_output_create_bufs,
	.vidioc_prepare_buf = avring_node_prepare_buf,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = avring_node_qbuf,
	.vidioc_dqbuf = avring_node_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = avring_output_streamon,
	.vidioc_streamoff = avring_output_streamoff,
	.vidioc_log_status = v4l2_ctrl_log_status,
	.vidioc_subscribe_event = v4l2_ctrl_subscribe_event,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static int avring_output_s_ctrl(struct v4l2_ctrl *ctrl)
{
	avring_engine_set_hold(ctrl->priv, ctrl->val);
	return 0;
}

static const struct v4l2_ctrl_ops avring_output_ctrl_ops = {
	.s_ctrl = avring_output_s_ctrl,
};

static const struct v4l2_ctrl_config avring_output_hold = {
	.ops = &avring_output_ctrl_ops,
	.id = V4L2_CID_AVRING_READER_HOLD,
	.name = "Reader Hold, ms",
	.type = V4L2_CTRL_TYPE_INTEGER,
	.max = AVRING_HOLD_MAX_MS,
	.step = 1,
};

/**
 * avring_output_init() - make the output node of a card, not yet registered
 * @out: zeroed
 * @v4l2_dev: of the card
 * @engine: of the card
 *
 * Return: 0 or a negative errno; then nothing is left to clean up.
 */
int avring_output_init(struct avring_output *out, struct v4l2_device *v4l2_dev,
		       struct avring_engine *engine)
{
	struct v4l2_ctrl_handler *ctrls = &out->node.ctrls;

	v4l2_ctrl_handler_init(ctrls, 1);
	v4l2_ctrl_new_custom(ctrls, &avring_output_hold, engine);
	return avring_node_init(&out->node, v4l2_dev, engine, V4L2_BUF_TYPE_VIDEO_OUTPUT,
				&avring_output_ioctl_ops, &avring_output_queue_ops);
}
