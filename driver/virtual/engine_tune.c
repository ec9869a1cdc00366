// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: who streams, and in what format.
 *
 * The capture node decides the format of the pictures, and a ring that is being read
 * follows it. On the loopback input a producer decides; a ring follows that at once, a
 * node that streams is told with an event.
 *
 * The ring that is needed then is made by who changes something, before, and under no lock
 * (video/change.h). What begins or ends a stream finds it made, or ends the one that there is: the
 * first of its readers who comes again makes another, as when a producer goes.
 */
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/string.h>

#include "video/picture.h"
#include "virtual/engine_priv.h"

/* Is the ring written at this moment just as the node wishes? */
static bool avring_engine_tuned(const struct avring_engine *e, const struct v4l2_pix_format *pix,
				struct avring_rate rate)
{
	return avring_stream_fills(&e->stream) && avring_format_equal(&e->capture.pix, pix) &&
	       avring_rate_equal(e->capture.rate, rate);
}

/* As avring_engine_renew(), but nothing changes yet: a ring that is there stays a spare one. */
static int avring_engine_look_for_ring(struct avring_engine *e, const struct v4l2_pix_format *pix,
				       struct avring_rate rate)
{
	struct avring_ring *ring = avring_picture_new_ring(&e->stream, pix, rate);

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	e->stream.spare->ring = ring;
	return 0;
}

/* There is no other ring for its readers at hand. */
static void avring_engine_give_up_ring(struct avring_engine *e)
{
	e->stream.ops->end(&e->stream, AVRING_STATE_STALE);
}

static int avring_engine_tune(struct avring_engine *e, const struct v4l2_pix_format *pix,
			      struct avring_rate rate)
{
	lockdep_assert_held(&e->stream.tune);
	if (avring_engine_tuned(e, pix, rate))
		return 0;
	if (avring_stream_fills(&e->stream))
		return avring_engine_renew(e, pix, rate, NULL);
	mutex_lock(&e->lock);
	avring_engine_retune_locked(e, pix, rate);
	mutex_unlock(&e->lock);
	return 0;
}

/*
 * Frames of producers come through the loopback input, and only those are owed. Called under the
 * node's lock, and under none that others wait for.
 */
static struct avring_owed *avring_engine_new_owed(struct avring_engine *e, enum avring_input input,
						  size_t frame_bytes)
{
	if (input != AVRING_INPUT_LOOPBACK)
		return NULL;
	return avring_owed_new(e->stream.account, frame_bytes);
}

static enum avring_input avring_engine_input(struct avring_engine *e)
{
	enum avring_input input;

	mutex_lock(&e->lock);
	input = e->input;
	mutex_unlock(&e->lock);
	return input;
}

/**
 * avring_engine_prepare_capture() - is there what avring_engine_start_capture() would need?
 * @e: the engine
 * @pix: format of the node's frames
 * @rate: its frame rate
 * @spare: as for avring_stream_begin_change()
 *
 * Nothing changes.
 *
 * Return: 0; -EAGAIN as there; or -ENOMEM, -EINVAL if the ring cannot follow the format.
 */
int avring_engine_prepare_capture(struct avring_engine *e, const struct v4l2_pix_format *pix,
				  struct avring_rate rate, struct avring_spare *spare)
{
	int err = 0;

	avring_stream_begin_change(&e->stream, spare);
	if (avring_stream_fills(&e->stream) && !avring_engine_tuned(e, pix, rate))
		err = avring_engine_look_for_ring(e, pix, rate);
	avring_stream_end_change(&e->stream);
	return err;
}

/**
 * avring_engine_start_capture() - begin to fill the buffers of the capture node
 * @e: the engine
 * @queue: the node's queue; what avring_engine_prepare_capture() has seen to is in its spare
 * @pix: format of its frames
 * @rate: its frame rate
 *
 * A ring that cannot follow at once ends.
 */
void avring_engine_start_capture(struct avring_engine *e, struct avring_queue *queue,
				 const struct v4l2_pix_format *pix, struct avring_rate rate)
{
	struct avring_owed *owed = avring_engine_new_owed(e, avring_engine_input(e),
							  pix->sizeimage);
	struct avring_spare none = {};

	avring_stream_begin_change(&e->stream, queue->spare ?: &none);
	if (avring_engine_tune(e, pix, rate)) {
		avring_engine_give_up_ring(e);
		avring_engine_tune(e, pix, rate);
	}
	mutex_lock(&e->lock);
	e->capture.queue = queue;
	swap(e->owed, owed);
	e->reader_late = false;
	e->sequence = 0;
	e->expected = 0;
	memset(&e->counters, 0, sizeof(e->counters));
	avring_engine_look_locked(e);
	avring_engine_tell_mismatch_locked(e);
	mutex_unlock(&e->lock);
	avring_engine_kick(e);
	avring_stream_end_change(&e->stream);
	avring_owed_free(owed);
}

/* Must the ring follow the producer? Its readers look at the loopback input then. */
static bool avring_engine_is_led(const struct avring_engine *e, const struct v4l2_pix_format *pix,
				 struct avring_rate rate)
{
	return !e->capture.queue && e->input == AVRING_INPUT_LOOPBACK &&
	       avring_stream_fills(&e->stream) && !avring_engine_tuned(e, pix, rate);
}

/**
 * avring_engine_stop_capture() - fill no more buffers of the capture node
 * @e: the engine
 *
 * When it returns no buffer of the node is in use. Nobody is owed anything any more, and no
 * producer waits.
 */
void avring_engine_stop_capture(struct avring_engine *e)
{
	struct avring_owed *owed = NULL;

	mutex_lock(&e->stream.tune);
	mutex_lock(&e->lock);
	avring_engine_wait_no_more_locked(e);
	e->capture.queue = NULL;
	swap(e->owed, owed);
	if (!avring_stream_fills(&e->stream))
		e->locked = false;
	mutex_unlock(&e->lock);
	/* The ring need not agree with the node any more. Who stops does not wait for another. */
	if (e->output.queue && avring_engine_is_led(e, &e->output.pix, e->output.rate))
		avring_engine_give_up_ring(e);
	mutex_unlock(&e->stream.tune);
	avring_owed_free(owed);
	avring_engine_kick(e);
}

/**
 * avring_engine_prepare_output() - is there what avring_engine_start_output() would need?
 * @e: the engine
 * @pix: format of the node's frames
 * @rate: its frame rate
 * @spare: as for avring_stream_begin_change()
 *
 * Return: as avring_engine_prepare_capture().
 */
int avring_engine_prepare_output(struct avring_engine *e, const struct v4l2_pix_format *pix,
				 struct avring_rate rate, struct avring_spare *spare)
{
	int err = 0;

	avring_stream_begin_change(&e->stream, spare);
	if (avring_engine_is_led(e, pix, rate))
		err = avring_engine_look_for_ring(e, pix, rate);
	avring_stream_end_change(&e->stream);
	return err;
}

/**
 * avring_engine_start_output() - begin to take the frames of the output node
 * @e: the engine
 * @queue: the node's queue; what avring_engine_prepare_output() has seen to is in its spare
 * @pix: format of its frames
 * @rate: its frame rate
 *
 * A ring that cannot follow at once ends.
 *
 * Return: 0; -EBUSY while a producer writes the ring.
 */
int avring_engine_start_output(struct avring_engine *e, struct avring_queue *queue,
			       const struct v4l2_pix_format *pix, struct avring_rate rate)
{
	struct avring_spare none = {};
	bool news;
	int err = 0;

	avring_stream_begin_change(&e->stream, queue->spare ?: &none);
	if (avring_stream_producer(&e->stream)) {
		err = -EBUSY;
		goto end_change;
	}
	news = avring_engine_is_news(e, pix);
	if (avring_engine_is_led(e, pix, rate) && avring_engine_renew(e, pix, rate, NULL))
		avring_engine_give_up_ring(e);
	mutex_lock(&e->lock);
	avring_side_start(&e->output, pix, rate);
	e->output.queue = queue;
	e->output_sequence = 0;
	e->signal_end_ns = 0;
	avring_engine_tell_mismatch_locked(e);
	mutex_unlock(&e->lock);
	avring_engine_tell_news(e, news);
	avring_engine_kick(e);
end_change:
	avring_stream_end_change(&e->stream);
	return err;
}

/**
 * avring_engine_stop_output() - take no more frames of the output node
 * @e: the engine
 *
 * When it returns no buffer of the node is in use. What the reader of the capture node is owed he
 * gets all the same.
 */
void avring_engine_stop_output(struct avring_engine *e)
{
	bool news;

	mutex_lock(&e->stream.tune);
	news = avring_engine_is_news(e, &e->output.pix);
	mutex_lock(&e->lock);
	avring_engine_wait_no_more_locked(e);
	e->output.queue = NULL;
	e->signal_end_ns = 0;
	if (e->locked)
		avring_engine_lose_locked(e);
	mutex_unlock(&e->lock);
	avring_engine_tell_news(e, news);
	mutex_unlock(&e->stream.tune);
}

/**
 * avring_engine_set_format() - the node is set to another format while it does not stream
 * @e: the engine
 * @pix: format
 * @rate: frame rate
 * @spare: as for avring_stream_begin_change()
 *
 * A ring that the engine fills follows; one that begins later has this format.
 *
 * Return: 0; -EAGAIN as there; -ENOMEM, -EINVAL. With any of these nothing has changed.
 */
int avring_engine_set_format(struct avring_engine *e, const struct v4l2_pix_format *pix,
			     struct avring_rate rate, struct avring_spare *spare)
{
	int err = 0;

	avring_stream_begin_change(&e->stream, spare);
	if (!e->capture.queue && !avring_stream_producer(&e->stream))
		err = avring_engine_tune(e, pix, rate);
	if (!err) {
		e->node_pix = *pix;
		e->node_rate = rate;
	}
	avring_stream_end_change(&e->stream);
	avring_engine_kick(e);
	return err;
}

/* For a reader who streams and has looked at another input so far. */
static struct avring_owed *avring_engine_missing_owed(struct avring_engine *e,
						      enum avring_input input)
{
	size_t frame_bytes = 0;

	mutex_lock(&e->lock);
	if (e->capture.queue && !e->owed)
		frame_bytes = e->capture.pix.sizeimage;
	mutex_unlock(&e->lock);
	return frame_bytes ? avring_engine_new_owed(e, input, frame_bytes) : NULL;
}

/**
 * avring_engine_set_input() - choose what capture shows
 * @e: the engine; the capture node's lock is held
 * @input: what to show, from the next frame on, in the format that capture has
 *
 * What a reader is owed of the input before he gets first.
 *
 * Return: 0, or -EBUSY if a producer that writes the ring would lose it.
 */
int avring_engine_set_input(struct avring_engine *e, enum avring_input input)
{
	struct avring_owed *owed = avring_engine_missing_owed(e, input);
	int err = 0;

	mutex_lock(&e->stream.tune);
	mutex_lock(&e->lock);
	if (owed)
		swap(e->owed, owed);
	if (avring_stream_producer(&e->stream) && input != AVRING_INPUT_LOOPBACK) {
		err = -EBUSY;
	} else {
		avring_engine_wait_no_more_locked(e);
		e->input = input;
		e->locked = false;
		avring_engine_look_locked(e);
		avring_engine_tell_mismatch_locked(e);
	}
	mutex_unlock(&e->lock);
	mutex_unlock(&e->stream.tune);
	avring_engine_kick(e);
	return err;
}

/**
 * avring_engine_producer() - is there a producer, and what does it send?
 * @e: the engine
 * @pix: its format, filled if there is one
 * @rate: its frame rate, filled if there is one
 *
 * Return: true if the output node streams, or somebody writes the ring.
 */
bool avring_engine_producer(struct avring_engine *e, struct v4l2_pix_format *pix,
			    struct avring_rate *rate)
{
	const struct avring_side *side = NULL;

	mutex_lock(&e->lock);
	if (avring_stream_producer(&e->stream))
		side = &e->produced;
	else if (e->output.queue)
		side = &e->output;
	if (side) {
		*pix = side->pix;
		*rate = side->rate;
	}
	mutex_unlock(&e->lock);
	return side;
}
