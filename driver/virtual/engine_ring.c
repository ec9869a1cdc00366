// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the ring of the pictures.
 *
 * While somebody is attached there is a ring, and each frame is made in it: by the
 * engine's thread, at the ticks of the capture node, or by a producer in place. The
 * capture node gets a copy. While a producer writes the ring the thread does not
 * touch it; what it then draws (no signal) is for the capture node alone.
 *
 * Rings are allocated under no lock, or under the tune lock at most, so that frames go on
 * moving meanwhile; they are exchanged under both locks.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "video/format.h"
#include "video/picture.h"
#include "virtual/engine_priv.h"

/**
 * avring_engine_renew() - begin a generation of the ring
 * @e: the engine, its tune lock is held
 * @pix: format of the ring
 * @rate: its frame rate
 * @producer: who will write it, or NULL for the engine
 *
 * The capture side is tuned to the same format unless the node streams: then it has
 * that format already, and its own pace.
 *
 * Return: 0, or as avring_stream_new_ring(); then nothing has changed.
 */
int avring_engine_renew(struct avring_engine *e, const struct v4l2_pix_format *pix,
			struct avring_rate rate, const struct avring_ring_reader *producer)
{
	struct avring_ring *ring, *old;

	lockdep_assert_held(&e->stream.tune);
	ring = avring_picture_new_ring(&e->stream, pix, rate);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	ring->producer = producer;

	mutex_lock(&e->lock);
	if (!e->stream.users)
		e->stream.sequence = 0;
	old = avring_stream_replace(&e->stream, ring, AVRING_STATE_STALE);
	e->produced.pix = *pix;
	e->produced.rate = rate;
	e->begun = 0;
	e->produced_ns = 0;
	if (producer)
		e->signal_end_ns = 0;
	if (!e->capture.queue)
		avring_engine_retune_locked(e, pix, rate);
	avring_engine_look_locked(e);
	mutex_unlock(&e->lock);
	avring_ring_put(old);
	return 0;
}

/**
 * avring_engine_publish_locked() - the frame that was begun in the ring is complete
 * @e: the engine, locked
 * @event: number of the frame on the card's timeline
 * @ns: time of the frame
 * @flags: AVRING_ENTRY_*
 */
void avring_engine_publish_locked(struct avring_engine *e, u64 event, u64 ns, u32 flags)
{
	const struct avring_entry entry = {
		.time_ns = ns,
		.event = event,
		.sequence = e->stream.sequence++,
		.count = 1,
		.length = e->capture.pix.sizeimage,
		.flags = flags,
	};

	e->last_ns = ns;
	avring_ring_commit(e->stream.ring, &entry);
}

/*
 * A stream begins with its first user. Where the node streams, it sets the pace; else
 * a producer on the loopback input does.
 */
static int avring_engine_begin_ring(struct avring_engine *e)
{
	const struct avring_side *side = &e->capture;

	if (!e->capture.queue && e->output.queue && e->input == AVRING_INPUT_LOOPBACK)
		side = &e->output;
	return avring_engine_renew(e, &side->pix, side->rate, NULL);
}

static bool avring_engine_can_produce(const struct avring_engine *e,
				      const struct v4l2_pix_format *pix)
{
	if (avring_stream_producer(&e->stream) || e->output.queue ||
	    e->input != AVRING_INPUT_LOOPBACK)
		return false;
	return !e->capture.queue || avring_format_equal(&e->capture.pix, pix);
}

static int avring_engine_let_produce(struct avring_engine *e,
				     const struct avring_video_format *format,
				     const struct avring_ring_reader *producer)
{
	struct v4l2_pix_format pix;
	struct avring_rate rate;
	bool news;
	int err;

	err = avring_picture_read(format, &avring_limits_virtual, &pix, &rate);
	if (err)
		return err;
	if (!avring_engine_can_produce(e, &pix))
		return -EBUSY;
	news = avring_engine_is_news(e, &pix);
	err = avring_engine_renew(e, &pix, rate, producer);
	if (!err)
		avring_engine_tell_news(e, news);
	return err;
}

static struct avring_engine *avring_engine_of(struct avring_stream *stream)
{
	return container_of(stream, struct avring_engine, stream);
}

static int avring_engine_stream_renew(struct avring_stream *stream,
				      const struct avring_stream_format *format,
				      const struct avring_ring_reader *producer)
{
	struct avring_engine *e = avring_engine_of(stream);
	int err;

	if (producer)
		err = avring_engine_let_produce(e, &format->video, producer);
	else
		err = avring_engine_begin_ring(e);
	avring_engine_kick(e);
	return err;
}

/*
 * Who produced is lost at once. What the ring had followed goes with its last user: the next one
 * begins as the node is set.
 */
static void avring_engine_end_ring(struct avring_engine *e, u32 state)
{
	struct avring_ring *old;

	mutex_lock(&e->lock);
	if (avring_stream_producer(&e->stream) && state == AVRING_STATE_STALE) {
		if (e->locked)
			avring_engine_lose_locked(e);
		e->signal_end_ns = 0;
	}
	old = avring_stream_replace(&e->stream, NULL, state);
	if (!e->stream.users && !e->capture.queue)
		avring_engine_retune_locked(e, &e->node_pix, e->node_rate);
	mutex_unlock(&e->lock);
	avring_ring_put(old);
}

static void avring_engine_stream_end(struct avring_stream *stream, u32 state)
{
	struct avring_engine *e = avring_engine_of(stream);
	const bool news = avring_stream_producer(stream) && state == AVRING_STATE_STALE &&
			  avring_engine_is_news(e, &e->produced.pix);

	avring_engine_end_ring(e, state);
	avring_engine_tell_news(e, news);
	avring_engine_kick(e);
}

static int avring_engine_stream_begin(struct avring_stream *stream,
				      const struct avring_ring_reader *reader,
				      struct avring_begin *begin)
{
	struct avring_engine *e = avring_engine_of(stream);
	struct avring_ring *ring;
	int err = 0;

	mutex_lock(&e->lock);
	ring = stream->ring;
	if (avring_stream_producer(stream) != reader) {
		err = -ESTALE;
	} else if (!begin->length || begin->length > ring->geometry.frame_bytes) {
		err = -EINVAL;
	} else {
		e->begun = begin->length;
		begin->position = avring_ring_next_position(ring);
		avring_ring_begin(ring, begin->length);
	}
	mutex_unlock(&e->lock);
	return err;
}

/* A picture is whole or it is none. */
static int avring_engine_check_commit_locked(const struct avring_engine *e,
					     const struct avring_ring_reader *reader,
					     const struct avring_commit *commit, u64 ns)
{
	if (avring_stream_producer(&e->stream) != reader)
		return -ESTALE;
	if (commit->length > e->begun || commit->length != e->produced.pix.sizeimage ||
	    ns <= e->produced_ns)
		return -EINVAL;
	return 0;
}

/* The capture node cannot be given a time that has not come, or one that has been. */
static void avring_engine_show_produced_locked(struct avring_engine *e, u64 ns, u64 now)
{
	if (!e->capture.queue || !avring_format_equal(&e->capture.pix, &e->produced.pix))
		return;
	e->locked = true;
	avring_engine_show_locked(e, avring_ring_last(e->stream.ring),
				  max(min(ns, now), e->last_ns + 1));
}

static void avring_engine_commit_locked(struct avring_engine *e, struct avring_commit *commit,
					u64 ns)
{
	const struct avring_entry entry = {
		.time_ns = ns,
		.event = avring_clock_event_at(e->produced.rate, ns),
		.sequence = e->stream.sequence++,
		.count = 1,
		.length = commit->length,
	};

	commit->sequence = entry.sequence;
	e->produced_ns = ns;
	e->begun = 0;
	avring_ring_commit(e->stream.ring, &entry);
}

static int avring_engine_stream_commit(struct avring_stream *stream,
				       const struct avring_ring_reader *reader,
				       struct avring_commit *commit)
{
	struct avring_engine *e = avring_engine_of(stream);
	u64 now, ns;
	int err;

	mutex_lock(&e->lock);
	now = ktime_get_ns();
	ns = commit->time_ns ?: max(now, e->produced_ns + 1);
	err = avring_engine_check_commit_locked(e, reader, commit, ns);
	if (!err) {
		avring_engine_commit_locked(e, commit, ns);
		avring_engine_hear_locked(e, e->produced.rate, now);
		avring_engine_show_produced_locked(e, ns, now);
	}
	mutex_unlock(&e->lock);
	return err;
}

const struct avring_stream_ops avring_engine_stream_ops = {
	.renew = avring_engine_stream_renew,
	.end = avring_engine_stream_end,
	.begin = avring_engine_stream_begin,
	.commit = avring_engine_stream_commit,
};

/**
 * avring_engine_stream() - the stream of the pictures, for the ring node
 * @e: the engine
 *
 * Return: it lives as long as the engine.
 */
struct avring_stream *avring_engine_stream(struct avring_engine *e)
{
	return &e->stream;
}
