// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the V4L2 capture node. See virtual/capture.h.
 *
 * On the loopback input the node behaves like a receiver: while a producer
 * streams, its format and frame rate are the only ones. Without a producer the
 * choice is free, and what is seen is the no-signal picture.
 *
 * The format that a file has set is that of the buffers it then makes. Who has set none
 * gets the producer's, from the moment he makes buffers (avring_capture_adopt()); who only
 * asks changes nothing, and is told what buffers would hold if he made them now.
 */
#include <linux/module.h>
#include <media/tpg/v4l2-tpg.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <uapi/linux/avring.h>

#include "video/change.h"
#include "video/counters.h"
#include "video/format.h"
#include "video/import.h"
#include "virtual/capture.h"

static struct avring_capture *avring_capture_of(struct file *file)
{
	return container_of(avring_node_of(file), struct avring_capture, node);
}

static int avring_capture_prepare(struct avring_queue *queue, struct avring_spare *spare)
{
	struct avring_node *node = avring_queue_node(queue);

	return avring_engine_prepare_capture(node->engine, &node->pix, node->rate, spare);
}

static int avring_capture_start(struct avring_queue *queue)
{
	struct avring_node *node = avring_queue_node(queue);
	int err = avring_node_alive(node);

	if (!err)
		avring_engine_start_capture(node->engine, queue, &node->pix, node->rate);
	return err;
}

static void avring_capture_stop(struct avring_queue *queue)
{
	avring_engine_stop_capture(avring_queue_node(queue)->engine);
}

/* The reader may be owed a frame, and a producer wait for him. */
static void avring_capture_queued(struct avring_queue *queue)
{
	avring_engine_kick(avring_queue_node(queue)->engine);
}

static const struct avring_queue_ops avring_capture_queue_ops = {
	.alive = avring_node_queue_alive,
	.prepare = avring_capture_prepare,
	.start = avring_capture_start,
	.stop = avring_capture_stop,
	.queued = avring_capture_queued,
};

/* What the node must follow. Return: false if the choice is free. */
static bool avring_capture_producer(struct avring_capture *cap, struct v4l2_pix_format *pix,
				    struct avring_rate *rate)
{
	return cap->input == AVRING_INPUT_LOOPBACK &&
	       avring_engine_producer(cap->node.engine, pix, rate);
}

/* What buffers of @file hold, or would if he made them now, and how fast they come. */
static void avring_capture_coming(struct avring_capture *cap, struct file *file,
				  struct v4l2_pix_format *pix, struct avring_rate *rate)
{
	struct avring_node *node = &cap->node;
	struct v4l2_pix_format sent;
	struct avring_rate sent_rate;
	const bool sends = avring_capture_producer(cap, &sent, &sent_rate);

	*pix = node->pix;
	*rate = node->rate;
	if (!vb2_is_busy(&node->queue.vb2)) {
		if (node->chooser == file)
			*pix = node->chosen;
		else if (sends)
			*pix = sent;
	}
	if (sends && avring_format_equal(pix, &sent))
		*rate = sent_rate;
}

static int avring_capture_adopt(struct file *file, struct avring_spare *spare)
{
	struct avring_capture *cap = avring_capture_of(file);
	struct avring_node *node = &cap->node;
	struct v4l2_pix_format pix;
	struct avring_rate rate;
	int err;

	avring_capture_coming(cap, file, &pix, &rate);
	/* A ring has followed by itself; one to come shall know. */
	err = avring_engine_set_format(node->engine, &pix, rate, spare);
	if (err == -EAGAIN)
		return err;
	if (!avring_node_set_format(node, &pix))
		node->rate = rate;
	return err;
}

static int avring_capture_enum_fmt(struct file *file, void *priv, struct v4l2_fmtdesc *desc)
{
	struct v4l2_pix_format pix;
	struct avring_rate rate;

	if (!avring_capture_producer(avring_capture_of(file), &pix, &rate))
		return avring_node_enum_fmt(file, priv, desc);
	desc->pixelformat = pix.pixelformat;
	return desc->index ? -EINVAL : 0;
}

static int avring_capture_g_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	struct avring_rate rate;

	avring_capture_coming(avring_capture_of(file), file, &format->fmt.pix, &rate);
	return 0;
}

static int avring_capture_try_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	struct avring_rate rate;

	if (!avring_capture_producer(avring_capture_of(file), &format->fmt.pix, &rate))
		avring_format_try(&avring_limits_virtual, &format->fmt.pix);
	return 0;
}

static int avring_capture_change_format(struct file *file, void *arg, struct avring_spare *spare)
{
	struct avring_node *node = avring_node_of(file);
	struct v4l2_format *format = arg;
	struct v4l2_pix_format pix = format->fmt.pix;
	struct avring_rate rate = node->rate;
	int err;

	if (vb2_is_busy(&node->queue.vb2))
		return -EBUSY;
	if (!avring_capture_producer(avring_capture_of(file), &pix, &rate))
		avring_format_try(&avring_limits_virtual, &pix);
	err = avring_engine_set_format(node->engine, &pix, rate, spare);
	if (err)
		return err;
	node->rate = rate;
	node->chooser = file;
	node->chosen = pix;
	format->fmt.pix = pix;
	return avring_node_set_format(node, &pix);
}

static int avring_capture_s_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	return avring_change(file, avring_capture_change_format, format);
}

static int avring_capture_enum_framesizes(struct file *file, void *priv,
					  struct v4l2_frmsizeenum *size)
{
	struct v4l2_pix_format pix;
	struct avring_rate rate;

	if (!avring_capture_producer(avring_capture_of(file), &pix, &rate))
		return avring_format_frame_size(&avring_limits_virtual, size);
	if (size->index || size->pixel_format != pix.pixelformat)
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
	size->discrete.width = pix.width;
	size->discrete.height = pix.height;
	return 0;
}

static int avring_capture_enum_frameintervals(struct file *file, void *priv,
					      struct v4l2_frmivalenum *ival)
{
	struct v4l2_pix_format pix;
	struct avring_rate rate;

	if (!avring_capture_producer(avring_capture_of(file), &pix, &rate))
		return avring_format_interval(&avring_limits_virtual, ival);
	if (ival->index || ival->pixel_format != pix.pixelformat ||
	    ival->width != pix.width || ival->height != pix.height)
		return -EINVAL;
	ival->type = V4L2_FRMIVAL_TYPE_DISCRETE;
	ival->discrete = avring_rate_interval(rate);
	return 0;
}

static int avring_capture_g_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	struct v4l2_pix_format pix;
	struct avring_rate rate;

	if (parm->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
		return -EINVAL;
	avring_capture_coming(avring_capture_of(file), file, &pix, &rate);
	memset(&parm->parm, 0, sizeof(parm->parm));
	parm->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
	parm->parm.capture.timeperframe = avring_rate_interval(rate);
	parm->parm.capture.readbuffers = 1;
	return 0;
}

static int avring_capture_change_rate(struct file *file, void *arg, struct avring_spare *spare)
{
	struct avring_capture *cap = avring_capture_of(file);
	const struct v4l2_streamparm *parm = arg;
	struct avring_node *node = &cap->node;
	struct v4l2_pix_format pix;
	struct avring_rate rate;
	int err;

	if (vb2_is_streaming(&node->queue.vb2))
		return -EBUSY;
	if (avring_capture_producer(cap, &pix, &rate))
		return 0;
	rate = avring_rate_nearest(&parm->parm.capture.timeperframe);
	err = avring_engine_set_format(node->engine, &node->pix, rate, spare);
	if (!err)
		node->rate = rate;
	return err;
}

static int avring_capture_s_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	int err = -EINVAL;

	if (parm->type == V4L2_BUF_TYPE_VIDEO_CAPTURE)
		err = avring_change(file, avring_capture_change_rate, parm);
	return err ?: avring_capture_g_parm(file, priv, parm);
}

static const char * const avring_input_names[AVRING_INPUTS] = {
	[AVRING_INPUT_PATTERN] = "Pattern",
	[AVRING_INPUT_LOOPBACK] = "Loopback",
};

static int avring_capture_enum_input(struct file *file, void *priv, struct v4l2_input *input)
{
	struct v4l2_pix_format pix;
	struct avring_rate rate;

	if (input->index >= AVRING_INPUTS)
		return -EINVAL;
	strscpy(input->name, avring_input_names[input->index], sizeof(input->name));
	input->type = V4L2_INPUT_TYPE_CAMERA;
	if (input->index == AVRING_INPUT_LOOPBACK &&
	    !avring_engine_producer(avring_node_of(file)->engine, &pix, &rate))
		input->status = V4L2_IN_ST_NO_SIGNAL;
	return 0;
}

static int avring_capture_g_input(struct file *file, void *priv, unsigned int *index)
{
	*index = avring_capture_of(file)->input;
	return 0;
}

static int avring_capture_try_adopt(struct file *file, void *arg, struct avring_spare *spare)
{
	return avring_capture_adopt(file, spare);
}

static int avring_capture_s_input(struct file *file, void *priv, unsigned int index)
{
	struct avring_capture *cap = avring_capture_of(file);
	struct avring_node *node = &cap->node;
	int err;

	if (index >= AVRING_INPUTS)
		return -EINVAL;
	if (index == cap->input)
		return 0;
	err = avring_engine_set_input(node->engine, index);
	if (err)
		return err;
	cap->input = index;
	/* An input brings its format along: what this file has set before is over. */
	avring_node_forget(node, file);
	/* A ring that cannot have the node's format keeps its own. */
	avring_change(file, avring_capture_try_adopt, NULL);
	return 0;
}

static int avring_capture_log_status(struct file *file, void *priv)
{
	struct avring_capture *cap = avring_capture_of(file);
	struct avring_counters counters;

	v4l2_ctrl_log_status(file, priv);
	avring_engine_counters(cap->node.engine, &counters);
	avring_node_log(&cap->node, avring_input_names[cap->input], &counters);
	return 0;
}

static const struct v4l2_ioctl_ops avring_capture_ioctl_ops = {
	.vidioc_querycap = avring_node_querycap,
	.vidioc_enum_fmt_vid_cap = avring_capture_enum_fmt,
	.vidioc_g_fmt_vid_cap = avring_capture_g_fmt,
	.vidioc_try_fmt_vid_cap = avring_capture_try_fmt,
	.vidioc_s_fmt_vid_cap = avring_capture_s_fmt,
	.vidioc_enum_framesizes = avring_capture_enum_framesizes,
	.vidioc_enum_frameintervals = avring_capture_enum_frameintervals,
	.vidioc_g_parm = avring_capture_g_parm,
	.vidioc_s_parm = avring_capture_s_parm,
	.vidioc_enum_input = avring_capture_enum_input,
	.vidioc_g_input = avring_capture_g_input,
	.vidioc_s_input = avring_capture_s_input,
	.vidioc_reqbufs = avring_node_reqbufs,
	.vidioc_create_bufs = avring_node_create_bufs,
	.vidioc_prepare_buf = avring_node_prepare_buf,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = avring_node_qbuf,
	.vidioc_dqbuf = avring_node_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = avring_change_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
	.vidioc_log_status = avring_capture_log_status,
	.vidioc_subscribe_event = avring_node_subscribe_event,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static int avring_capture_s_ctrl(struct v4l2_ctrl *ctrl)
{
	static const struct {
		u32 id;
		enum avring_pattern_value value;
	} map[] = {
		{ V4L2_CID_BRIGHTNESS,		AVRING_PATTERN_BRIGHTNESS },
		{ V4L2_CID_CONTRAST,		AVRING_PATTERN_CONTRAST },
		{ V4L2_CID_SATURATION,		AVRING_PATTERN_SATURATION },
		{ V4L2_CID_HUE,			AVRING_PATTERN_HUE },
		{ V4L2_CID_TEST_PATTERN,	AVRING_PATTERN_PICTURE },
		{ V4L2_CID_AVRING_FRAME_STAMP,	AVRING_PATTERN_STAMP },
	};
	struct avring_node *node = container_of(ctrl->handler, struct avring_node, ctrls);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (map[i].id == ctrl->id)
			avring_engine_set_pattern(node->engine, map[i].value, ctrl->val);
	return 0;
}

static int avring_capture_g_volatile_ctrl(struct v4l2_ctrl *ctrl)
{
	struct avring_node *node = container_of(ctrl->handler, struct avring_node, ctrls);
	struct avring_counters counters;

	avring_engine_counters(node->engine, &counters);
	return avring_node_get_counter(ctrl, &counters);
}

static const struct v4l2_ctrl_ops avring_capture_ctrl_ops = {
	.s_ctrl = avring_capture_s_ctrl,
	.g_volatile_ctrl = avring_capture_g_volatile_ctrl,
};

static const struct v4l2_ctrl_config avring_capture_stamp = {
	.ops = &avring_capture_ctrl_ops,
	.id = V4L2_CID_AVRING_FRAME_STAMP,
	.name = "Frame Stamp",
	.type = V4L2_CTRL_TYPE_BOOLEAN,
	.max = 1,
	.step = 1,
	.def = 1,
};

static void avring_capture_init_ctrls(struct v4l2_ctrl_handler *ctrls)
{
	const struct v4l2_ctrl_ops *ops = &avring_capture_ctrl_ops;

	v4l2_ctrl_handler_init(ctrls, 6 + AVRING_NODE_COUNTERS);
	v4l2_ctrl_new_std(ctrls, ops, V4L2_CID_BRIGHTNESS, 0, 255, 1, 128);
	v4l2_ctrl_new_std(ctrls, ops, V4L2_CID_CONTRAST, 0, 255, 1, 128);
	v4l2_ctrl_new_std(ctrls, ops, V4L2_CID_SATURATION, 0, 255, 1, 128);
	v4l2_ctrl_new_std(ctrls, ops, V4L2_CID_HUE, -128, 128, 1, 0);
	v4l2_ctrl_new_std_menu_items(ctrls, ops, V4L2_CID_TEST_PATTERN, TPG_PAT_NOISE, 0,
				     TPG_PAT_75_COLORBAR, tpg_pattern_strings);
	v4l2_ctrl_new_custom(ctrls, &avring_capture_stamp, NULL);
	avring_node_add_counters(ctrls, ops);
}

/**
 * avring_capture_init() - make the capture node of a card, not yet registered
 * @cap: zeroed
 * @v4l2_dev: of the card
 * @engine: of the card
 * @input: what it shows first
 *
 * Return: 0 or a negative errno; then nothing is left to clean up.
 */
int avring_capture_init(struct avring_capture *cap, struct v4l2_device *v4l2_dev,
			struct avring_engine *engine, enum avring_input input)
{
	cap->input = input;
	cap->node.adopt = avring_capture_adopt;
	avring_engine_set_input(engine, input);
	avring_capture_init_ctrls(&cap->node.ctrls);
	return avring_node_init(&cap->node, v4l2_dev, engine, V4L2_BUF_TYPE_VIDEO_CAPTURE,
				&avring_capture_ioctl_ops, &avring_capture_queue_ops);
}

/**
 * avring_capture_source_change() - a producer sends another format than we show, or while
 *	nobody streams one has come or gone
 * @data: the capture node
 *
 * Context: any.
 */
void avring_capture_source_change(void *data)
{
	struct avring_capture *cap = data;

	if (video_is_registered(&cap->node.vdev))
		avring_node_source_change(&cap->node);
}
