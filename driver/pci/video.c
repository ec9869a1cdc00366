// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: what the picture channel writes to, and what becomes of its frames. See
 * pci/video.h.
 *
 * Sequence numbers are those of the card's timeline, counted from the first frame of a
 * stream: whatever loses a frame (no buffer, a restart, a suspend) leaves a gap, and
 * nothing has to be counted.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "pci/video.h"
#include "video/format.h"
#include "video/memops.h"
#include "video/picture.h"

/* So long may the driver take to notice that a frame has landed without losing one. */
#define AVRING_PCI_VIDEO_AHEAD_NS	(100 * NSEC_PER_MSEC)
#define AVRING_PCI_VIDEO_MAX_AHEAD	64

static struct avring_pci_config avring_pci_video_config(const struct avring_pci_video *v,
							const struct v4l2_pix_format *pix,
							struct avring_rate rate)
{
	return (struct avring_pci_config){
		.rate = rate,
		.frame_bytes = pix->sizeimage,
		.format = pix->pixelformat,
		.width = pix->width,
		.height = pix->height,
		.bytesperline = pix->bytesperline,
		.input = v->lane.config.input,
		.pattern = v->lane.config.pattern,
		.align = 1,
	};
}

/*
 * What there is no room for is given when a frame has landed, or when the courier has brought
 * back the first. A dma-buf that no frame fits into, or that is in too many pieces, comes back
 * with an error.
 */
static void avring_pci_video_give(struct avring_pci_video *v)
{
	struct avring_queue *queue = &v->node.queue;
	struct avring_buffer *buf;
	int err;

	if (avring_courier_busy(v->courier))
		return;
	while (v->lane.ch->running && (buf = avring_queue_next(queue))) {
		err = avring_pci_give(v->lane.ch, vb2_plane_cookie(&buf->vb.vb2_buf, 0),
				      v->lane.config.frame_bytes);
		if (err == -ENOSPC)
			return;
		if (err)
			avring_queue_error(queue, buf, v->node_count.next, ktime_get_ns());
		else
			buf->given = true;
	}
}

static int avring_pci_video_start_node(struct avring_pci_video *v)
{
	int err;

	v->lane.config.align = 1;
	err = avring_pci_start_queued(v->lane.ch, &v->lane.config);
	if (!err)
		avring_pci_video_give(v);
	return err;
}

/* The channel's lock is held, and it does not run. */
static int avring_pci_video_restart(void *data)
{
	struct avring_pci_video *v = data;

	/* When the ring of a card that is gone ends, the node is not told that it is back. */
	if (READ_ONCE(v->pci->state) != AVRING_PCI_GONE)
		WRITE_ONCE(v->node.dead, false);
	avring_queue_take_back(&v->node.queue);
	if (avring_stream_fills(&v->lane.stream))
		return avring_pci_lane_run(&v->lane);
	return v->streaming ? avring_pci_video_start_node(v) : 0;
}

/* Some part of what the channel works for has changed. The channel's lock is held. */
static int avring_pci_video_again(struct avring_pci_video *v)
{
	avring_pci_stop(v->lane.ch);
	return avring_pci_video_restart(v);
}

static void avring_pci_video_deliver(struct avring_pci_video *v, struct avring_buffer *buf,
				     const struct avring_pci_frame *frame)
{
	const u64 expected = v->node_count.next;
	const u64 sequence = avring_pci_sequence(&v->node_count, v->lane.config.rate, frame, 1);

	v->counters.dropped += sequence - expected;
	v->counters.delivered++;
	if (frame->flags & AVRING_PCI_DONE_NO_SIGNAL)
		v->counters.no_signal++;
	vb2_set_plane_payload(&buf->vb.vb2_buf, 0, frame->bytes);
	if (frame->bytes == v->lane.config.frame_bytes &&
	    !(frame->flags & AVRING_PCI_DONE_TRUNCATED)) {
		avring_queue_done(&v->node.queue, buf, sequence, frame->mono_ns);
		return;
	}
	v->counters.damaged++;
	avring_queue_error(&v->node.queue, buf, sequence, frame->mono_ns);
}

/* The channel's lock is held. */
static void avring_pci_video_carried(void *data, struct avring_buffer *buf, bool filled)
{
	struct avring_pci_video *v = data;

	if (filled)
		avring_pci_video_deliver(v, buf, &v->carried);
	if (v->lane.ch->running && !v->lane.ch->cyclic)
		avring_pci_video_give(v);
}

/* The node gets a copy of the ring's last frame, if it has a buffer that we may write to. */
static void avring_pci_video_copy(struct avring_pci_video *v, const struct avring_pci_frame *frame)
{
	struct avring_ring *ring = v->lane.stream.ring;
	struct avring_buffer *buf = avring_queue_first(&v->node.queue);
	void *to = buf && !avring_courier_busy(v->courier) ? avring_buffer_vaddr(buf) : NULL;

	if (!to)
		return;
	if (avring_memops_dmabuf(&buf->vb.vb2_buf)) {
		v->carried = *frame;
		avring_courier_send(v->courier, buf, ring, frame->tag, frame->bytes);
		return;
	}
	memcpy(to, avring_ring_last(ring), frame->bytes);
	avring_memops_filled(&buf->vb.vb2_buf);
	avring_pci_video_deliver(v, buf, frame);
}

static int avring_pci_video_landed_in_ring(struct avring_pci_video *v,
					   const struct avring_pci_frame *frame)
{
	const bool damaged = frame->bytes != v->lane.config.frame_bytes ||
			     frame->flags & AVRING_PCI_DONE_TRUNCATED;

	if (!avring_pci_lane_expects(&v->lane, frame))
		return -EPROTO;
	/* A frame without a byte is one that is missing. */
	if (frame->bytes) {
		avring_pci_lane_publish(&v->lane, frame, frame->bytes, 1,
					damaged ? AVRING_ENTRY_DAMAGED : 0);
		if (v->streaming)
			avring_pci_video_copy(v, frame);
	}
	avring_pci_lane_next(&v->lane, frame);
	return 0;
}

/* The channel knows that the frame is in the buffer that was given first. */
static int avring_pci_video_landed(void *data, const struct avring_pci_frame *frame)
{
	struct avring_pci_video *v = data;
	struct avring_buffer *buf;

	if (v->lane.ch->cyclic)
		return avring_pci_video_landed_in_ring(v, frame);
	buf = avring_queue_first(&v->node.queue);
	if (WARN_ON(!buf || !buf->given))
		return -EPROTO;
	avring_pci_video_deliver(v, buf, frame);
	avring_pci_video_give(v);
	return 0;
}

/* Readers of the ring come back and are told why there is none. */
static void avring_pci_video_failed(void *data, int err)
{
	struct avring_pci_video *v = data;

	avring_queue_take_back(&v->node.queue);
	if (err == -ENODEV)
		WRITE_ONCE(v->node.dead, true);
	if (v->streaming)
		vb2_queue_error(&v->node.queue.vb2);
	if (v->lane.stream.ring)
		avring_ring_end(v->lane.stream.ring, err == -ENODEV ? AVRING_STATE_GONE
							       : AVRING_STATE_STALE);
}

const struct avring_pci_channel_ops avring_pci_video_channel_ops = {
	.landed = avring_pci_video_landed,
	.restart = avring_pci_video_restart,
	.failed = avring_pci_video_failed,
};

static void avring_pci_video_set_format(struct avring_pci_video *v,
					const struct v4l2_pix_format *pix,
					struct avring_rate rate)
{
	const u64 ahead = avring_clock_event_at(rate, AVRING_PCI_VIDEO_AHEAD_NS) + 2;

	v->pix = *pix;
	v->lane.config = avring_pci_video_config(v, pix, rate);
	v->lane.ahead = min_t(u64, ahead, AVRING_PCI_VIDEO_MAX_AHEAD);
}

/* Another ring in this format, or none. The tune lock is held. */
static int avring_pci_video_exchange(struct avring_pci_video *v, struct avring_pci_backed *next,
				     const struct v4l2_pix_format *pix, struct avring_rate rate,
				     u32 state)
{
	int err;

	mutex_lock(&v->lane.ch->lock);
	avring_pci_stop(v->lane.ch);
	avring_pci_lane_swap(&v->lane, next, state);
	avring_pci_video_set_format(v, pix, rate);
	err = avring_pci_video_restart(v);
	mutex_unlock(&v->lane.ch->lock);
	avring_pci_unback(next);
	return err;
}

static struct avring_pci_video *avring_pci_video_of_stream(struct avring_stream *stream)
{
	return container_of(stream, struct avring_pci_video, lane.stream);
}

/* No ring any more; a node that streams goes on. */
static void avring_pci_video_withdraw(struct avring_pci_video *v,
				      const struct v4l2_pix_format *pix, struct avring_rate rate,
				      u32 state)
{
	struct avring_pci_backed none = { };
	int err = avring_pci_video_exchange(v, &none, pix, rate, state);

	if (err && v->streaming)
		vb2_queue_error(&v->node.queue.vb2);
}

static void avring_pci_video_end(struct avring_stream *stream, u32 state)
{
	struct avring_pci_video *v = avring_pci_video_of_stream(stream);

	if (stream->ring)
		avring_pci_video_withdraw(v, &v->pix, v->lane.config.rate, state);
}

/*
 * Begin a generation of the ring. Return: 0; or -ENOMEM, -EINVAL, -EIO, -ENODEV. If it is the
 * card that fails, there is no ring then, and the format is that of before.
 */
static int avring_pci_video_begin_ring(struct avring_pci_video *v,
				       const struct v4l2_pix_format *pix, struct avring_rate rate)
{
	struct avring_ring *ring = avring_picture_new_ring(&v->lane.stream, pix, rate);
	const struct avring_rate old_rate = v->lane.config.rate;
	const struct v4l2_pix_format old_pix = v->pix;
	struct avring_pci_backed next;
	int err;

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	err = avring_pci_back(&v->lane, ring, &next);
	if (err)
		return err;
	err = avring_pci_video_exchange(v, &next, pix, rate, AVRING_STATE_STALE);
	if (err)
		avring_pci_video_withdraw(v, &old_pix, old_rate, AVRING_STATE_STALE);
	return err;
}

static int avring_pci_video_renew(struct avring_stream *stream,
				  const struct avring_stream_format *format,
				  const struct avring_ring_reader *producer)
{
	struct avring_pci_video *v = avring_pci_video_of_stream(stream);

	return avring_pci_video_begin_ring(v, &v->pix, v->lane.config.rate);
}

static const struct avring_stream_ops avring_pci_video_stream_ops = {
	.renew = avring_pci_video_renew,
	.end = avring_pci_video_end,
};

static bool avring_pci_video_tuned(const struct avring_pci_video *v,
				   const struct v4l2_pix_format *pix, struct avring_rate rate)
{
	return avring_format_equal(&v->pix, pix) && v->lane.config.rate.num == rate.num &&
	       v->lane.config.rate.den == rate.den;
}

/**
 * avring_pci_video_tune() - the node has a format
 * @v: the pictures, their tune lock is held; the node does not stream
 * @pix: the format
 * @rate: and its rate
 *
 * A ring that is being read follows.
 *
 * Return: 0; or -ENOMEM, -EINVAL, -EIO, -ENODEV; if it is the card that fails, the ring has ended.
 */
int avring_pci_video_tune(struct avring_pci_video *v, const struct v4l2_pix_format *pix,
			  struct avring_rate rate)
{
	lockdep_assert_held(&v->lane.stream.tune);
	if (avring_pci_video_tuned(v, pix, rate))
		return 0;
	if (avring_stream_fills(&v->lane.stream))
		return avring_pci_video_begin_ring(v, pix, rate);
	mutex_lock(&v->lane.ch->lock);
	avring_pci_video_set_format(v, pix, rate);
	mutex_unlock(&v->lane.ch->lock);
	return 0;
}

/**
 * avring_pci_video_select() - choose what the card sends
 * @v: the pictures
 * @input: AVRING_PCI_INPUT_REG_*
 * @pattern: AVRING_PCI_PATTERN_REG_*
 *
 * Return: 0, or -EIO, -ENODEV, -ENOMEM.
 */
int avring_pci_video_select(struct avring_pci_video *v, u32 input, u32 pattern)
{
	int err = 0;

	mutex_lock(&v->lane.stream.tune);
	mutex_lock(&v->lane.ch->lock);
	v->lane.config.input = input;
	v->lane.config.pattern = pattern;
	if (v->lane.ch->running)
		err = avring_pci_video_again(v);
	if (err)
		avring_pci_video_failed(v, err);
	mutex_unlock(&v->lane.ch->lock);
	mutex_unlock(&v->lane.stream.tune);
	return err;
}

/* The node has its format, and a courier. */
static int avring_pci_video_go(struct avring_pci_video *v)
{
	int err = 0;

	mutex_lock(&v->lane.ch->lock);
	memset(&v->counters, 0, sizeof(v->counters));
	memset(&v->node_count, 0, sizeof(v->node_count));
	v->streaming = true;
	if (!v->lane.ch->running)
		err = avring_pci_video_restart(v);
	if (err)
		v->streaming = false;
	mutex_unlock(&v->lane.ch->lock);
	return err;
}

static int avring_pci_video_begin(struct avring_pci_video *v, struct avring_node *node)
{
	int err = avring_pci_video_tune(v, &node->pix, node->rate);

	if (err)
		return err;
	v->courier = avring_courier_new(&v->lane.ch->lock, avring_pci_video_carried, v);
	if (IS_ERR(v->courier))
		return PTR_ERR(v->courier);
	err = avring_pci_video_go(v);
	if (err)
		avring_courier_recall(v->courier);
	return err;
}

static int avring_pci_video_start(struct avring_queue *queue)
{
	struct avring_node *node = avring_queue_node(queue);
	struct avring_pci_video *v = avring_pci_video_of(node);
	int err = avring_node_alive(node);

	if (err)
		return err;
	mutex_lock(&v->lane.stream.tune);
	err = avring_pci_video_begin(v, node);
	mutex_unlock(&v->lane.stream.tune);
	return err;
}

static void avring_pci_video_stop(struct avring_queue *queue)
{
	struct avring_pci_video *v = avring_pci_video_of(avring_queue_node(queue));

	mutex_lock(&v->lane.stream.tune);
	mutex_lock(&v->lane.ch->lock);
	v->streaming = false;
	if (!avring_stream_fills(&v->lane.stream))
		avring_pci_stop(v->lane.ch);
	mutex_unlock(&v->lane.ch->lock);
	avring_courier_recall(v->courier);
	mutex_unlock(&v->lane.stream.tune);
}

static void avring_pci_video_queued(struct avring_queue *queue)
{
	struct avring_pci_video *v = avring_pci_video_of(avring_queue_node(queue));

	mutex_lock(&v->lane.ch->lock);
	if (v->streaming && v->lane.ch->running && !v->lane.ch->cyclic)
		avring_pci_video_give(v);
	mutex_unlock(&v->lane.ch->lock);
}

const struct avring_queue_ops avring_pci_video_queue_ops = {
	.alive = avring_node_queue_alive,
	.start = avring_pci_video_start,
	.stop = avring_pci_video_stop,
	.queued = avring_pci_video_queued,
};

/**
 * avring_pci_video_counters() - read the counters
 * @v: the pictures
 * @counters: filled
 */
void avring_pci_video_counters(struct avring_pci_video *v, struct avring_counters *counters)
{
	mutex_lock(&v->lane.ch->lock);
	*counters = v->counters;
	mutex_unlock(&v->lane.ch->lock);
}

/**
 * avring_pci_video_init() - make the pictures of a card, not yet registered
 * @v: zeroed
 * @v4l2_dev: of the card
 * @pci: of the card
 *
 * Return: 0 or a negative errno; then nothing is left to clean up.
 */
int avring_pci_video_init(struct avring_pci_video *v, struct v4l2_device *v4l2_dev,
			  struct avring_pci *pci)
{
	int err;

	v->pci = pci;
	v->lane.ch = &pci->channels[AVRING_PCI_VIDEO];
	v->lane.ch->ops = &avring_pci_video_channel_ops;
	v->lane.ch->data = v;
	avring_stream_init(&v->lane.stream, &avring_pci_video_stream_ops);
	err = avring_pci_node_init(v, v4l2_dev);
	if (err) {
		avring_stream_destroy(&v->lane.stream);
		return err;
	}
	avring_pci_video_set_format(v, &v->node.pix, v->node.rate);
	return 0;
}

/**
 * avring_pci_video_cleanup() - undo avring_pci_video_init()
 * @v: nobody can reach it any more
 */
void avring_pci_video_cleanup(struct avring_pci_video *v)
{
	avring_node_cleanup(&v->node);
	avring_stream_destroy(&v->lane.stream);
}
