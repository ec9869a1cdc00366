// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the capture node of the PCI card, as V4L2 sees it. See pci/video.h.
 */
#include <linux/string.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <uapi/linux/avring.h>

#include "pci/video.h"
#include "video/change.h"
#include "video/format.h"
#include "video/import.h"

static struct avring_pci_video *avring_pci_node_video(struct file *file)
{
	return avring_pci_video_of(avring_node_of(file));
}

/* A ring that is being read goes with the node. */
static int avring_pci_node_tune(struct avring_node *node, const struct v4l2_pix_format *pix,
				struct avring_rate rate, struct avring_spare *spare)
{
	struct avring_pci_video *v = avring_pci_video_of(node);
	int err;

	avring_stream_begin_change(&v->lane.stream, spare);
	err = avring_pci_video_tune(v, pix, rate);
	avring_stream_end_change(&v->lane.stream);
	return err;
}

static int avring_pci_node_change_format(struct file *file, void *arg, struct avring_spare *spare)
{
	struct avring_node *node = avring_node_of(file);
	struct v4l2_pix_format *pix = arg;
	int err;

	if (vb2_is_busy(&node->queue.vb2))
		return -EBUSY;
	avring_format_try(&avring_limits_board, pix);
	err = avring_pci_node_tune(node, pix, node->rate, spare);
	return err ? err : avring_node_set_format(node, pix);
}

static int avring_pci_node_s_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	return avring_change(file, avring_pci_node_change_format, &format->fmt.pix);
}

static int avring_pci_node_enum_framesizes(struct file *file, void *priv,
					   struct v4l2_frmsizeenum *size)
{
	return avring_format_frame_size(&avring_limits_board, size);
}

static int avring_pci_node_g_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	struct avring_node *node = avring_node_of(file);

	if (parm->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
		return -EINVAL;
	memset(&parm->parm, 0, sizeof(parm->parm));
	parm->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
	parm->parm.capture.timeperframe = avring_rate_interval(node->rate);
	parm->parm.capture.readbuffers = 1;
	return 0;
}

static int avring_pci_node_change_rate(struct file *file, void *arg, struct avring_spare *spare)
{
	struct avring_node *node = avring_node_of(file);
	const struct v4l2_streamparm *parm = arg;
	struct avring_rate rate;
	int err;

	if (vb2_is_streaming(&node->queue.vb2))
		return -EBUSY;
	rate = avring_rate_nearest(&parm->parm.capture.timeperframe);
	err = avring_pci_node_tune(node, &node->pix, rate, spare);
	if (!err)
		node->rate = rate;
	return err;
}

static int avring_pci_node_s_parm(struct file *file, void *priv, struct v4l2_streamparm *parm)
{
	int err = -EINVAL;

	if (parm->type == V4L2_BUF_TYPE_VIDEO_CAPTURE)
		err = avring_change(file, avring_pci_node_change_rate, parm);
	return err ?: avring_pci_node_g_parm(file, priv, parm);
}

static const char * const avring_pci_node_inputs[AVRING_PCI_INPUTS] = {
	[AVRING_PCI_INPUT_GENERATOR] = "Generator",
	[AVRING_PCI_INPUT_LINE] = "Line",
};

static int avring_pci_node_enum_input(struct file *file, void *priv, struct v4l2_input *input)
{
	if (input->index >= AVRING_PCI_INPUTS)
		return -EINVAL;
	strscpy(input->name, avring_pci_node_inputs[input->index], sizeof(input->name));
	input->type = V4L2_INPUT_TYPE_CAMERA;
	if (input->index == AVRING_PCI_INPUT_LINE &&
	    !avring_pci_signal(avring_pci_node_video(file)->pci))
		input->status = V4L2_IN_ST_NO_SIGNAL;
	return 0;
}

/* The numbers of inputs are those of the register. */
static int avring_pci_node_g_input(struct file *file, void *priv, unsigned int *index)
{
	*index = avring_pci_node_video(file)->lane.config.input;
	return 0;
}

static int avring_pci_node_s_input(struct file *file, void *priv, unsigned int index)
{
	struct avring_pci_video *v = avring_pci_node_video(file);

	if (index >= AVRING_PCI_INPUTS)
		return -EINVAL;
	if (index == v->lane.config.input)
		return 0;
	return avring_pci_video_select(v, index, v->lane.config.pattern);
}

static int avring_pci_node_log_status(struct file *file, void *priv)
{
	struct avring_pci_video *v = avring_pci_node_video(file);
	struct avring_counters counters;

	v4l2_ctrl_log_status(file, priv);
	avring_pci_video_counters(v, &counters);
	avring_node_log(&v->node, avring_pci_node_inputs[v->lane.config.input], &counters);
	return 0;
}

static const struct v4l2_ioctl_ops avring_pci_node_ioctl_ops = {
	.vidioc_querycap = avring_node_querycap,
	.vidioc_enum_fmt_vid_cap = avring_node_enum_fmt,
	.vidioc_g_fmt_vid_cap = avring_node_g_fmt,
	.vidioc_try_fmt_vid_cap = avring_node_try_fmt,
	.vidioc_s_fmt_vid_cap = avring_pci_node_s_fmt,
	.vidioc_enum_framesizes = avring_pci_node_enum_framesizes,
	.vidioc_enum_frameintervals = avring_node_enum_frameintervals,
	.vidioc_g_parm = avring_pci_node_g_parm,
	.vidioc_s_parm = avring_pci_node_s_parm,
	.vidioc_enum_input = avring_pci_node_enum_input,
	.vidioc_g_input = avring_pci_node_g_input,
	.vidioc_s_input = avring_pci_node_s_input,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_prepare_buf = avring_node_prepare_buf,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = avring_node_qbuf,
	.vidioc_dqbuf = avring_node_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
	.vidioc_log_status = avring_pci_node_log_status,
	.vidioc_subscribe_event = avring_node_subscribe_event,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};

static struct avring_pci_video *avring_pci_node_ctrl_video(const struct v4l2_ctrl *ctrl)
{
	return avring_pci_video_of(container_of(ctrl->handler, struct avring_node, ctrls));
}

/* The values of the menu are those of the register. */
static int avring_pci_node_s_ctrl(struct v4l2_ctrl *ctrl)
{
	struct avring_pci_video *v = avring_pci_node_ctrl_video(ctrl);

	return avring_pci_video_select(v, v->lane.config.input, ctrl->val);
}

static int avring_pci_node_g_volatile_ctrl(struct v4l2_ctrl *ctrl)
{
	struct avring_counters counters;

	avring_pci_video_counters(avring_pci_node_ctrl_video(ctrl), &counters);
	return avring_node_get_counter(ctrl, &counters);
}

static const struct v4l2_ctrl_ops avring_pci_node_ctrl_ops = {
	.s_ctrl = avring_pci_node_s_ctrl,
	.g_volatile_ctrl = avring_pci_node_g_volatile_ctrl,
};

static const char * const avring_pci_node_patterns[] = {
	[AVRING_PCI_PATTERN_REG_STAMPED] = "Bars, stamped",
	[AVRING_PCI_PATTERN_REG_WORDS] = "Words",
};

/**
 * avring_pci_node_init() - make the node, not yet registered
 * @v: the pictures
 * @v4l2_dev: of the card
 *
 * Return: 0 or a negative errno; then nothing is left to clean up.
 */
int avring_pci_node_init(struct avring_pci_video *v, struct v4l2_device *v4l2_dev)
{
	struct v4l2_ctrl_handler *ctrls = &v->node.ctrls;

	v4l2_ctrl_handler_init(ctrls, 1 + AVRING_NODE_COUNTERS);
	v4l2_ctrl_new_std_menu_items(ctrls, &avring_pci_node_ctrl_ops, V4L2_CID_TEST_PATTERN,
				     ARRAY_SIZE(avring_pci_node_patterns) - 1, 0,
				     AVRING_PCI_PATTERN_REG_STAMPED, avring_pci_node_patterns);
	avring_node_add_counters(ctrls, &avring_pci_node_ctrl_ops);
	return avring_node_init(&v->node, v4l2_dev, NULL, V4L2_BUF_TYPE_VIDEO_CAPTURE,
				&avring_pci_node_ioctl_ops, &avring_pci_video_queue_ops);
}

/**
 * avring_pci_video_signal() - the line has got or lost its signal
 * @v: the pictures
 *
 * Context: process.
 */
void avring_pci_video_signal(struct avring_pci_video *v)
{
	if (!avring_pci_signal(v->pci)) {
		mutex_lock(&v->lane.ch->lock);
		v->counters.losses++;
		mutex_unlock(&v->lane.ch->lock);
	}
	if (video_is_registered(&v->node.vdev))
		avring_node_source_change(&v->node);
}
