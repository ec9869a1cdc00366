// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the ring of the pictures.
 *
 * While somebody is attached there is a ring, and each frame is made in it: by the
 * engine's thread, at the ticks of the capture node, or by a producer in place. The
 * capture node gets a copy. While a producer writes the ring the thread does not
 * touch it; what it then draws (no signal) is for the capture node alone.
 *
 * Rings are allocated under the tune lock only, so that frames go on moving
 * meanwhile; they are exchanged under both locks.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "video/picture.h"
#include "virtual/engine_priv.h"

static void avring_engine_end_ring(struct avring_engine *e, u32 state)
{
	struct avring_ring *old;

	mutex_lock(&e->lock);
	old = avring_stream_replace(&e->stream, NULL, state);
	e->producer = NULL;
	mutex_unlock(&e->lock);
	avring_ring_put(old);
}

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
 * Return: 0, or -ENOMEM; then nothing has changed.
 */
int avring_engine_renew(struct avring_engine *e, const struct v4l2_pix_format *pix,
			struct avring_rate rate, const struct avring_ring_reader *producer)
{
	struct avring_ring *ring, *old;

	lockdep_assert_held(&e->tune);
	ring = avring_picture_new_ring(&e->stream, pix, rate);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	ring->producer = producer;

	mutex_lock(&e->lock);
	old = avring_stream_replace(&e->stream, ring, AVRING_STATE_STALE);
	e->producer = producer;
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

	if (!e->stream.users)
		e->stream.sequence = 0;
	if (!e->capture.queue && e->output.queue && e->input == AVRING_INPUT_LOOPBACK)
		side = &e->output;
	return avring_engine_renew(e, &side->pix, side->rate, NULL);
}

/**
 * avring_engine_attach() - let a reader in, or let it move to the current ring
 * @e: the engine
 * @reader: attached to nothing, or to an older ring
 * @oldest: begin with the oldest frame of the ring
 *
 * Return: 0 with a reference on @reader->ring for the caller, or -ENOMEM, -EINVAL.
 */
int avring_engine_attach(struct avring_engine *e, struct avring_ring_reader *reader, bool oldest)
{
	int err = 0;

	mutex_lock(&e->tune);
	if (!e->stream.ring)
		err = avring_engine_begin_ring(e);
	if (!err)
		avring_stream_join(&e->stream, reader, oldest);
	mutex_unlock(&e->tune);
	avring_engine_kick(e);
	return err;
}

/* What the ring had followed goes with its last user: the next one begins as the node is set. */
static void avring_engine_leave(struct avring_engine *e, struct avring_ring_reader *reader)
{
	if (!avring_stream_leave(&e->stream, reader))
		return;
	avring_engine_end_ring(e, AVRING_STATE_STALE);
	mutex_lock(&e->lock);
	if (!e->capture.queue)
		avring_engine_retune_locked(e, &e->node_pix, e->node_rate);
	mutex_unlock(&e->lock);
}

/**
 * avring_engine_detach() - undo avring_engine_attach()
 * @e: the engine
 * @reader: the reader; it is the caller's to put the ring
 */
void avring_engine_detach(struct avring_engine *e, struct avring_ring_reader *reader)
{
	mutex_lock(&e->tune);
	avring_engine_leave(e, reader);
	mutex_unlock(&e->tune);
}

static bool avring_engine_can_produce(const struct avring_engine *e,
				      const struct v4l2_pix_format *pix)
{
	if (e->producer || e->output.queue || e->input != AVRING_INPUT_LOOPBACK)
		return false;
	return !e->capture.queue || avring_format_equal(&e->capture.pix, pix);
}

/**
 * avring_engine_attach_producer() - let somebody write the ring in place
 * @e: the engine
 * @reader: the producer, attached to nothing
 * @pix: what it will send
 * @rate: its frame rate
 *
 * Return: 0 with a reference on @reader->ring for the caller; -EBUSY there is a
 * producer, the input is not loopback, or the node streams in another format;
 * -ENOMEM, -EINVAL.
 */
int avring_engine_attach_producer(struct avring_engine *e, struct avring_ring_reader *reader,
				  const struct v4l2_pix_format *pix, struct avring_rate rate)
{
	int err = -EBUSY;
	bool news;

	mutex_lock(&e->tune);
	news = avring_engine_is_news(e, pix);
	if (avring_engine_can_produce(e, pix)) {
		if (!e->stream.users)
			e->stream.sequence = 0;
		err = avring_engine_renew(e, pix, rate, reader);
	}
	if (!err) {
		avring_stream_join(&e->stream, reader, false);
		avring_engine_tell_news(e, news);
	}
	mutex_unlock(&e->tune);
	return err;
}

/**
 * avring_engine_detach_producer() - undo avring_engine_attach_producer()
 * @e: the engine
 * @reader: the producer; it is the caller's to put the ring
 *
 * The producer may still have its memory mapped, so the readers go on in another
 * ring. The first of them who attaches makes it, on his account.
 */
void avring_engine_detach_producer(struct avring_engine *e, struct avring_ring_reader *reader)
{
	bool news;

	mutex_lock(&e->tune);
	news = avring_engine_is_news(e, &e->produced.pix);
	mutex_lock(&e->lock);
	if (e->locked)
		avring_engine_lose_locked(e);
	e->signal_end_ns = 0;
	mutex_unlock(&e->lock);
	avring_engine_end_ring(e, AVRING_STATE_STALE);
	avring_engine_tell_news(e, news);
	avring_engine_leave(e, reader);
	mutex_unlock(&e->tune);
	avring_engine_kick(e);
}

/**
 * avring_engine_begin() - see AVRING_IOC_BEGIN
 * @e: the engine
 * @reader: the producer
 * @begin: length in, position out
 *
 * Return: 0, -EINVAL, -ESTALE.
 */
int avring_engine_begin(struct avring_engine *e, const struct avring_ring_reader *reader,
			struct avring_begin *begin)
{
	struct avring_ring *ring;
	int err = 0;

	mutex_lock(&e->lock);
	ring = e->stream.ring;
	if (e->producer != reader) {
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
	if (e->producer != reader)
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

/**
 * avring_engine_commit() - see AVRING_IOC_COMMIT
 * @e: the engine
 * @reader: the producer
 * @commit: length and time in, sequence out
 *
 * Return: 0, -EINVAL, -ESTALE.
 */
int avring_engine_commit(struct avring_engine *e, const struct avring_ring_reader *reader,
			 struct avring_commit *commit)
{
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

/**
 * avring_engine_get_setup() - see AVRING_IOC_GET_SETUP
 * @e: the engine
 * @setup: filled
 */
void avring_engine_get_setup(struct avring_engine *e, struct avring_setup *setup)
{
	mutex_lock(&e->tune);
	setup->length = e->stream.length;
	setup->align = e->stream.align;
	mutex_unlock(&e->tune);
}

/**
 * avring_engine_set_setup() - see AVRING_IOC_SET_SETUP
 * @e: the engine
 * @setup: the wishes
 *
 * Return: 0, -EBUSY, -EINVAL.
 */
int avring_engine_set_setup(struct avring_engine *e, const struct avring_setup *setup)
{
	int err;

	mutex_lock(&e->tune);
	err = avring_stream_setup(&e->stream, setup);
	mutex_unlock(&e->tune);
	return err;
}

/**
 * avring_engine_gone() - end the ring, the card is removed
 * @e: the engine
 */
void avring_engine_gone(struct avring_engine *e)
{
	mutex_lock(&e->tune);
	e->stream.users = 0;
	avring_engine_end_ring(e, AVRING_STATE_GONE);
	mutex_unlock(&e->tune);
}
