// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: common part of the video nodes. See video/node.h.
 */
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-ioctl.h>
#include <uapi/linux/avring.h>

#include "compat.h"
#include "memory/store.h"
#include "ring/stream.h"
#include "video/change.h"
#include "video/counters.h"
#include "video/format.h"
#include "video/node.h"

/*
 * V4L2 offers drivers no get_unmapped_area, and without one an mmap() of 8 MiB
 * lands at an address that no PMD fits: 2048 faults instead of 4. So each open
 * file gets a copy of the core's file operations with that one entry set, as
 * chrdev_open() itself replaces the operations of a file while it is opened. The
 * copy keeps the core's owner, so module references stay balanced.
 */
static struct file_operations avring_node_file_ops;
static const struct file_operations *avring_node_core_file_ops;
static DEFINE_MUTEX(avring_node_file_ops_lock);

/* The offset is a cookie of vb2 here; a mapping always starts at page 0 of its store. */
static unsigned long avring_node_unmapped_area(struct file *file, unsigned long addr,
					       unsigned long len, unsigned long pgoff,
					       unsigned long flags)
{
	return avring_store_unmapped_area(file, addr, len, 0, flags);
}

static void avring_node_replace_file_ops(struct file *file)
{
	mutex_lock(&avring_node_file_ops_lock);
	if (!avring_node_core_file_ops) {
		avring_node_core_file_ops = file->f_op;
		avring_node_file_ops = *file->f_op;
		avring_node_file_ops.get_unmapped_area = avring_node_unmapped_area;
	}
	mutex_unlock(&avring_node_file_ops_lock);
	file->f_op = &avring_node_file_ops;
}

static int avring_node_open(struct file *file)
{
	struct avring_node_file *opened = kzalloc(sizeof(*opened), GFP_KERNEL);

	if (!opened)
		return -ENOMEM;
	v4l2_fh_init(&opened->fh, video_devdata(file));
	file->private_data = &opened->fh;
	avring_v4l2_fh_add(&opened->fh, file);
	avring_node_replace_file_ops(file);
	return 0;
}

/*
 * What was handed in with write() is a stream of bytes: its end is played too, as
 * with any pipe. Who queues buffers himself also counts them himself.
 */
static bool avring_node_writes(struct avring_node *node, struct file *file)
{
	struct vb2_queue *vq = &node->queue.vb2;
	bool writes;

	mutex_lock(&node->lock);
	writes = vq->is_output && vq->owner == file->private_data && vb2_fileio_is_active(vq);
	mutex_unlock(&node->lock);
	return writes && !(file->f_flags & O_NONBLOCK);
}

static int avring_node_release(struct file *file)
{
	struct avring_node *node = avring_node_of(file);

	mutex_lock(&node->lock);
	avring_node_forget(node, file);
	mutex_unlock(&node->lock);
	if (avring_node_writes(node, file))
		avring_queue_drain(&node->queue);
	/* The core looks at f_op once more when this module may be gone already. */
	file->f_op = avring_node_core_file_ops;
	return vb2_fop_release(file);
}

static int avring_node_try_adopt(struct file *file, void *arg, struct avring_spare *spare)
{
	struct avring_node *node = avring_node_of(file);

	return vb2_is_busy(&node->queue.vb2) ? 0 : node->adopt(file, spare);
}

/* Buffers are about to be made for this file. The node's lock is dropped while a ring is made. */
static void avring_node_adopt(struct avring_node *node, struct file *file)
{
	lockdep_assert_held(&node->lock);
	if (node->adopt)
		avring_change(file, avring_node_try_adopt, NULL);
}

/* The same for read() and poll(), which make them when there are none. */
static int avring_node_adopt_for_read(struct avring_node *node, struct file *file)
{
	if (!node->adopt || vb2_is_busy(&node->queue.vb2))
		return 0;
	if (mutex_lock_interruptible(&node->lock))
		return -ERESTARTSYS;
	avring_node_adopt(node, file);
	avring_node_forget(node, file);
	mutex_unlock(&node->lock);
	return 0;
}

/* vb2 wakes its waiters with EINVAL when unbind ends their stream; say what happened. */
static ssize_t avring_node_gone(struct avring_node *node, ssize_t result)
{
	if (result < 0 && (READ_ONCE(node->dead) || !video_is_registered(&node->vdev)))
		return -ENODEV;
	return result;
}

static ssize_t avring_node_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct avring_node *node = avring_node_of(file);
	int err = avring_node_adopt_for_read(node, file);

	return err ? err : avring_node_gone(node, vb2_fop_read(file, buf, count, pos));
}

static __poll_t avring_node_poll(struct file *file, poll_table *wait)
{
	if (poll_requested_events(wait) & (EPOLLIN | EPOLLRDNORM) &&
	    avring_node_adopt_for_read(avring_node_of(file), file))
		return EPOLLERR;
	return vb2_fop_poll(file, wait);
}

/*
 * Whole frames only: who ignores what S_FMT made of his wish, as ffmpeg does, hears of it
 * here, with his first frame.
 */
static ssize_t avring_node_write_frame(struct file *file, const char __user *buf, size_t count,
				       loff_t *pos)
{
	struct avring_node *node = avring_node_of(file);
	struct vb2_queue *vq = &node->queue.vb2;
	ssize_t n = -EINVAL;

	if (vb2_queue_is_busy(vq, file))
		return -EBUSY;
	/* Beside buffers of his own vb2 refuses it with EBUSY. */
	if (vq->is_output && (count == node->queue.frame_size ||
			      (vb2_is_busy(vq) && !vb2_fileio_is_active(vq))))
		n = vb2_write(vq, buf, count, pos, file->f_flags & O_NONBLOCK);
	if (vb2_fileio_is_active(vq))
		vq->owner = file->private_data;
	return n;
}

static ssize_t avring_node_write(struct file *file, const char __user *buf, size_t count,
				 loff_t *pos)
{
	struct avring_node *node = avring_node_of(file);
	struct avring_spare spare = {};
	ssize_t n = 0;

	if (mutex_lock_interruptible(&node->lock))
		return -ERESTARTSYS;
	/* The first frame starts the stream. */
	if (node->queue.vb2.is_output && count == node->queue.frame_size)
		n = avring_change_begin_start(file, &spare);
	if (!n)
		n = avring_node_write_frame(file, buf, count, pos);
	avring_change_end_start(file, &spare);
	mutex_unlock(&node->lock);
	return avring_node_gone(node, n);
}

/* vb2 of newer kernels ignores the high bits of an offset that no buffer has. */
static int avring_node_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff > AVRING_OFFSET_MAX >> PAGE_SHIFT)
		return -EINVAL;
	return vb2_fop_mmap(file, vma);
}

static const struct v4l2_file_operations avring_node_fops = {
	.owner = THIS_MODULE,
	.open = avring_node_open,
	.release = avring_node_release,
	.read = avring_node_read,
	.write = avring_node_write,
	.poll = avring_node_poll,
	.mmap = avring_node_mmap,
	.unlocked_ioctl = video_ioctl2,
};

/**
 * avring_node_forget() - what a file has chosen is over
 * @node: the node; its lock is held
 * @file: open file
 */
void avring_node_forget(struct avring_node *node, struct file *file)
{
	if (node->chooser == file)
		node->chooser = NULL;
}
EXPORT_SYMBOL_AVRING(avring_node_forget);

/**
 * avring_node_init() - set up a node that nobody can see yet
 * @node: zeroed, but for @node->ctrls: those the caller has added, with or without success;
 *	it has no name yet
 * @v4l2_dev: of the card
 * @engine: of the card; NULL if the device of the card fills buffers by DMA
 * @type: V4L2_BUF_TYPE_VIDEO_CAPTURE or V4L2_BUF_TYPE_VIDEO_OUTPUT
 * @ioctl_ops: of the node
 * @queue_ops: of the node
 *
 * Return: 0 or a negative errno; then nothing is left to clean up.
 */
int avring_node_init(struct avring_node *node, struct v4l2_device *v4l2_dev,
		     struct avring_engine *engine, enum v4l2_buf_type type,
		     const struct v4l2_ioctl_ops *ioctl_ops,
		     const struct avring_queue_ops *queue_ops)
{
	bool capture = type == V4L2_BUF_TYPE_VIDEO_CAPTURE;
	struct video_device *vdev = &node->vdev;
	int err = node->ctrls.error;

	if (err)
		goto free_ctrls;
	mutex_init(&node->lock);
	node->engine = engine;
	node->limits = engine ? &avring_limits_virtual : &avring_limits_board;
	err = avring_queue_init(&node->queue, type, queue_ops, &node->lock, v4l2_dev->dev,
				!engine);
	if (err)
		goto destroy_lock;
	avring_format_default(&node->pix);
	node->queue.frame_size = node->pix.sizeimage;
	node->rate = avring_rate_default();

	vdev->v4l2_dev = v4l2_dev;
	vdev->fops = &avring_node_fops;
	vdev->ioctl_ops = ioctl_ops;
	vdev->release = video_device_release_empty;
	vdev->queue = &node->queue.vb2;
	vdev->lock = &node->lock;
	vdev->ctrl_handler = &node->ctrls;
	vdev->vfl_dir = capture ? VFL_DIR_RX : VFL_DIR_TX;
	vdev->device_caps = V4L2_CAP_STREAMING | V4L2_CAP_READWRITE |
			    (capture ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_VIDEO_OUTPUT);
	node->pad.flags = capture ? MEDIA_PAD_FL_SINK : MEDIA_PAD_FL_SOURCE;
	video_set_drvdata(vdev, node);
	err = media_entity_pads_init(&vdev->entity, 1, &node->pad);
	if (!err)
		return 0;
destroy_lock:
	mutex_destroy(&node->lock);
free_ctrls:
	v4l2_ctrl_handler_free(&node->ctrls);
	return err;
}
EXPORT_SYMBOL_AVRING(avring_node_init);

/**
 * avring_node_cleanup() - undo avring_node_init()
 * @node: a node that nobody can reach any more
 */
void avring_node_cleanup(struct avring_node *node)
{
	media_entity_cleanup(&node->vdev.entity);
	mutex_destroy(&node->lock);
	v4l2_ctrl_handler_free(&node->ctrls);
}
EXPORT_SYMBOL_AVRING(avring_node_cleanup);

/**
 * avring_node_register() - show a node to user space
 * @node: the node; what is open holds the module of its device's driver
 *
 * V4L2 shows a node without its entity where memory lacks for that, and reports success.
 * A link to that entity would be a BUG(), and the release of the node would remove an
 * interface that is not there, or was freed: but for one of a mem2mem device, whose
 * interfaces V4L2 leaves to others.
 *
 * Return: 0 or a negative errno; avring_node_unregister() is due in either case.
 */
int avring_node_register(struct avring_node *node)
{
	struct video_device *vdev = &node->vdev;
	int err = __video_register_device(vdev, VFL_TYPE_VIDEO, -1, 1,
					  vdev->v4l2_dev->dev->driver->owner);

	if (err || vdev->entity.graph_obj.mdev)
		return err;
	vdev->vfl_dir = VFL_DIR_M2M;
	return -ENOMEM;
}
EXPORT_SYMBOL_AVRING(avring_node_register);

/**
 * avring_node_unregister() - take a node away from user space
 * @node: the node
 *
 * Streaming stops, and who waits wakes up with ENODEV. The queue is released here
 * once more: 6.1 passes over a queue without an owner, and a first read() that
 * blocks has none yet.
 */
void avring_node_unregister(struct avring_node *node)
{
	vb2_video_unregister_device(&node->vdev);
	mutex_lock(&node->lock);
	vb2_queue_release(&node->queue.vb2);
	node->queue.vb2.owner = NULL;
	mutex_unlock(&node->lock);
}
EXPORT_SYMBOL_AVRING(avring_node_unregister);

/**
 * avring_node_alive() - may a stream begin?
 * @node: the node; its lock is held, so the answer stays true until it is dropped
 *
 * read(), write() and poll() look for themselves, but before they have the lock.
 *
 * Return: 0 or -ENODEV.
 */
int avring_node_alive(struct avring_node *node)
{
	return video_is_registered(&node->vdev) && !READ_ONCE(node->dead) ? 0 : -ENODEV;
}
EXPORT_SYMBOL_AVRING(avring_node_alive);

/**
 * avring_node_queue_alive() - avring_node_alive() for the queue of a node
 * @queue: the queue
 *
 * Return: 0 or -ENODEV.
 */
int avring_node_queue_alive(struct avring_queue *queue)
{
	return avring_node_alive(avring_queue_node(queue));
}
EXPORT_SYMBOL_AVRING(avring_node_queue_alive);

/**
 * avring_node_querycap() - VIDIOC_QUERYCAP
 * @file: open file
 * @priv: unused
 * @cap: filled
 *
 * All nodes of a card have its address, as v4l2-compliance wants them to have that of their media
 * device. Programs that list devices by address show the name of the first one for all.
 *
 * Return: 0.
 */
int avring_node_querycap(struct file *file, void *priv, struct v4l2_capability *cap)
{
	struct avring_node *node = avring_node_of(file);

	strscpy(cap->driver, "avring", sizeof(cap->driver));
	strscpy(cap->card, node->vdev.name, sizeof(cap->card));
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_node_querycap);

/**
 * avring_node_enum_fmt() - VIDIOC_ENUM_FMT with a free choice
 * @file: open file
 * @priv: unused
 * @desc: index in, format out
 *
 * Return: 0 or -EINVAL behind the last.
 */
int avring_node_enum_fmt(struct file *file, void *priv, struct v4l2_fmtdesc *desc)
{
	desc->pixelformat = avring_format_fourcc(avring_node_of(file)->limits, desc->index);
	return desc->pixelformat ? 0 : -EINVAL;
}
EXPORT_SYMBOL_AVRING(avring_node_enum_fmt);

/**
 * avring_node_g_fmt() - VIDIOC_G_FMT
 * @file: open file
 * @priv: unused
 * @format: filled
 *
 * Return: 0.
 */
int avring_node_g_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	format->fmt.pix = avring_node_of(file)->pix;
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_node_g_fmt);

/**
 * avring_node_try_fmt() - VIDIOC_TRY_FMT with a free choice
 * @file: open file
 * @priv: unused
 * @format: wished format in, the nearest there is out
 *
 * Return: 0.
 */
int avring_node_try_fmt(struct file *file, void *priv, struct v4l2_format *format)
{
	avring_format_try(avring_node_of(file)->limits, &format->fmt.pix);
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_node_try_fmt);

/**
 * avring_node_enum_frameintervals() - VIDIOC_ENUM_FRAMEINTERVALS with a free choice
 * @file: open file
 * @priv: unused
 * @ival: index, format and size in, frame intervals out
 *
 * Return: 0, or -EINVAL behind the last or for what is no size of the format.
 */
int avring_node_enum_frameintervals(struct file *file, void *priv, struct v4l2_frmivalenum *ival)
{
	return avring_format_interval(avring_node_of(file)->limits, ival);
}
EXPORT_SYMBOL_AVRING(avring_node_enum_frameintervals);

/**
 * avring_node_reqbufs() - VIDIOC_REQBUFS of a node that can follow a source
 * @file: open file
 * @priv: unused
 * @request: filled
 *
 * Return: 0 or a negative errno, as vb2_ioctl_reqbufs().
 */
int avring_node_reqbufs(struct file *file, void *priv, struct v4l2_requestbuffers *request)
{
	struct avring_node *node = avring_node_of(file);
	int err;

	if (!request->count)
		return vb2_ioctl_reqbufs(file, priv, request);
	avring_node_adopt(node, file);
	err = vb2_ioctl_reqbufs(file, priv, request);
	if (!err)
		avring_node_forget(node, file);
	return err;
}
EXPORT_SYMBOL_AVRING(avring_node_reqbufs);

/**
 * avring_node_create_bufs() - VIDIOC_CREATE_BUFS of a node that can follow a source
 * @file: open file
 * @priv: unused
 * @create: filled
 *
 * Return: 0 or a negative errno, as vb2_ioctl_create_bufs().
 */
int avring_node_create_bufs(struct file *file, void *priv, struct v4l2_create_buffers *create)
{
	struct avring_node *node = avring_node_of(file);
	int err;

	if (!create->count)
		return vb2_ioctl_create_bufs(file, priv, create);
	avring_node_adopt(node, file);
	err = vb2_ioctl_create_bufs(file, priv, create);
	if (!err)
		avring_node_forget(node, file);
	return err;
}
EXPORT_SYMBOL_AVRING(avring_node_create_bufs);

/**
 * avring_node_dqbuf() - VIDIOC_DQBUF
 * @file: open file
 * @priv: unused
 * @buf: filled
 *
 * Return: 0, -ENODEV if the device went away while the caller waited, or another
 * negative errno as vb2_ioctl_dqbuf().
 */
int avring_node_dqbuf(struct file *file, void *priv, struct v4l2_buffer *buf)
{
	return avring_node_gone(avring_node_of(file), vb2_ioctl_dqbuf(file, priv, buf));
}
EXPORT_SYMBOL_AVRING(avring_node_dqbuf);

/**
 * avring_node_subscribe_event() - VIDIOC_SUBSCRIBE_EVENT of a capture node
 * @fh: open file
 * @sub: changes of the source, or of a control
 *
 * Return: 0 or a negative errno.
 */
int avring_node_subscribe_event(struct v4l2_fh *fh, const struct v4l2_event_subscription *sub)
{
	if (sub->type == V4L2_EVENT_SOURCE_CHANGE)
		return v4l2_src_change_event_subscribe(fh, sub);
	return v4l2_ctrl_subscribe_event(fh, sub);
}
EXPORT_SYMBOL_AVRING(avring_node_subscribe_event);

/**
 * avring_node_source_change() - tell who listens that the source has changed
 * @node: a capture node
 *
 * Context: any.
 */
void avring_node_source_change(struct avring_node *node)
{
	static const struct v4l2_event event = {
		.type = V4L2_EVENT_SOURCE_CHANGE,
		.u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION,
	};

	v4l2_event_queue(&node->vdev, &event);
}
EXPORT_SYMBOL_AVRING(avring_node_source_change);

/**
 * avring_node_log() - what VIDIOC_LOG_STATUS says of a capture node besides its controls
 * @node: the node; its lock is held
 * @input: name of the selected input
 * @counters: of the stream
 */
void avring_node_log(struct avring_node *node, const char *input,
		     const struct avring_counters *counters)
{
	v4l2_info(node->vdev.v4l2_dev,
		  "input %s, %ux%u, %u/%u fps, delivered %llu, dropped %llu, damaged %llu, no signal %llu, losses %llu\n",
		  input, node->pix.width, node->pix.height, node->rate.num, node->rate.den,
		  counters->delivered, counters->dropped, counters->damaged,
		  counters->no_signal, counters->losses);
}
EXPORT_SYMBOL_AVRING(avring_node_log);

static const struct {
	u32 id;
	const char *name;
	size_t offset;
} avring_node_counters[AVRING_NODE_COUNTERS] = {
	{ V4L2_CID_AVRING_FRAMES_DROPPED, "Frames Dropped",
	  offsetof(struct avring_counters, dropped) },
	{ V4L2_CID_AVRING_NO_SIGNAL_FRAMES, "No Signal Frames",
	  offsetof(struct avring_counters, no_signal) },
	{ V4L2_CID_AVRING_SIGNAL_LOSSES, "Signal Losses",
	  offsetof(struct avring_counters, losses) },
	{ V4L2_CID_AVRING_FRAMES_DAMAGED, "Frames Damaged",
	  offsetof(struct avring_counters, damaged) },
};

/**
 * avring_node_add_counters() - give a capture node its counters
 * @ctrls: AVRING_NODE_COUNTERS controls are added; its error says whether that went well
 * @ops: whose g_volatile_ctrl asks avring_node_get_counter()
 */
void avring_node_add_counters(struct v4l2_ctrl_handler *ctrls, const struct v4l2_ctrl_ops *ops)
{
	struct v4l2_ctrl_config config = {
		.ops = ops,
		.type = V4L2_CTRL_TYPE_INTEGER64,
		.max = S64_MAX,
		.step = 1,
		.flags = V4L2_CTRL_FLAG_READ_ONLY | V4L2_CTRL_FLAG_VOLATILE,
	};
	unsigned int i;

	for (i = 0; i < AVRING_NODE_COUNTERS; i++) {
		config.id = avring_node_counters[i].id;
		config.name = avring_node_counters[i].name;
		v4l2_ctrl_new_custom(ctrls, &config, NULL);
	}
}
EXPORT_SYMBOL_AVRING(avring_node_add_counters);

/**
 * avring_node_get_counter() - the value of a counter
 * @ctrl: one of those that avring_node_add_counters() made; takes the new value
 * @counters: as they are now
 *
 * Return: 0, or -EINVAL if it is another control.
 */
int avring_node_get_counter(struct v4l2_ctrl *ctrl, const struct avring_counters *counters)
{
	unsigned int i;

	for (i = 0; i < AVRING_NODE_COUNTERS; i++) {
		if (avring_node_counters[i].id != ctrl->id)
			continue;
		*ctrl->p_new.p_s64 = *(const u64 *)((const char *)counters +
						    avring_node_counters[i].offset);
		return 0;
	}
	return -EINVAL;
}
EXPORT_SYMBOL_AVRING(avring_node_get_counter);

/**
 * avring_node_set_format() - change the format of a node
 * @node: the node; its lock is held
 * @pix: a format that went through TRY_FMT
 *
 * Return: 0, or -EBUSY while buffers are allocated.
 */
int avring_node_set_format(struct avring_node *node, const struct v4l2_pix_format *pix)
{
	if (vb2_is_busy(&node->queue.vb2))
		return -EBUSY;
	node->pix = *pix;
	node->queue.frame_size = pix->sizeimage;
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_node_set_format);

/**
 * avring_node_set_rate() - change the frame rate of a node
 * @node: the node; its lock is held
 * @interval: wished seconds per frame; the nearest is taken
 *
 * Return: 0, or -EBUSY while it streams.
 */
int avring_node_set_rate(struct avring_node *node, const struct v4l2_fract *interval)
{
	if (vb2_is_streaming(&node->queue.vb2))
		return -EBUSY;
	node->rate = avring_rate_nearest(interval);
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_node_set_rate);
