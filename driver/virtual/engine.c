// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the thread that moves pictures. See virtual/engine.h.
 *
 * Barrier A: who calls avring_engine_kick() has changed something, under the engine's
 * or a queue's lock; that sets @kicked, then wakes (full barrier in wake_up_process()).
 * The thread clears @kicked, then looks, under the same lock. Either it sees the change
 * or it finds @kicked set and does not sleep. tests/barriers/kick.pml tries every order.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "virtual/engine_priv.h"

/*
 * A thread that is late delivers late: nothing is lost as long as buffers wait.
 * Behind this it skips to the present, and the skipped frames are counted.
 */
#define AVRING_MAX_LAG_NS	(250 * NSEC_PER_MSEC)

/* Time on one stream never stands still, whichever side drives it. */
static void avring_side_not_before(struct avring_side *side, u64 last_ns)
{
	if (avring_side_time(side) <= last_ns)
		side->next = avring_clock_event_after(side->rate, last_ns + 1);
}

static bool avring_side_due(const struct avring_side *side, u64 now)
{
	return avring_side_time(side) <= now;
}

/* Is anybody there for captured frames that the engine must make itself? */
static bool avring_engine_captures_locked(const struct avring_engine *e)
{
	return e->capture.queue || avring_stream_fills(&e->stream);
}

/* Return: the number of ticks that were skipped. */
static u64 avring_side_catch_up(struct avring_side *side, u64 now)
{
	u64 present, skipped;

	if (now - avring_side_time(side) <= AVRING_MAX_LAG_NS)
		return 0;
	present = avring_clock_event_at(side->rate, now);
	skipped = present - side->next;
	side->next = present;
	return skipped;
}

/* Frames that the capture node does not get. */
static void avring_engine_drop_locked(struct avring_engine *e, u64 frames)
{
	if (!e->capture.queue)
		return;
	e->sequence += frames;
}

static void avring_engine_deliver_locked(struct avring_engine *e, struct avring_buffer *buf,
					 u32 sequence, u64 ns)
{
	e->counters.dropped += sequence - e->expected;
	e->counters.delivered++;
	e->expected = sequence + 1;
	e->reader_late = false;
	avring_queue_done(e->capture.queue, buf, sequence, ns);
}

/* The reader of the capture node gets the oldest frame that he is owed, if he has a buffer. */
static bool avring_engine_pay_one_locked(struct avring_engine *e)
{
	const struct avring_owed_frame *frame = avring_owed_first(e->owed);
	struct avring_buffer *buf = frame ? avring_queue_first(e->capture.queue) : NULL;

	if (!buf)
		return false;
	memcpy(avring_buffer_vaddr(buf), frame->data, e->capture.pix.sizeimage);
	avring_engine_deliver_locked(e, buf, frame->sequence, frame->time_ns);
	avring_owed_settle(e->owed);
	return true;
}

static void avring_engine_pay_locked(struct avring_engine *e)
{
	while (avring_engine_pay_one_locked(e))
		;
}

/* A reader who is owed frames gets those first: what is made now finds no buffer. */
static struct avring_buffer *avring_engine_buffer_locked(struct avring_engine *e)
{
	if (!e->capture.queue || avring_owed_first(e->owed))
		return NULL;
	return avring_queue_first(e->capture.queue);
}

/*
 * One debt is paid, which makes room, and the thread pays the rest: who sends a frame does not
 * copy all that a reader has slept through.
 *
 * Return: false if the reader has no buffer, and is owed as much as there is room for.
 */
static bool avring_engine_give_locked(struct avring_engine *e, const void *frame, u64 ns)
{
	struct avring_buffer *buf;

	avring_engine_pay_one_locked(e);
	buf = avring_engine_buffer_locked(e);
	if (buf) {
		memcpy(avring_buffer_vaddr(buf), frame, e->capture.pix.sizeimage);
		avring_engine_deliver_locked(e, buf, e->sequence, ns);
	} else if (!avring_owed_add(e->owed, frame, e->sequence, ns)) {
		return false;
	}
	e->sequence++;
	e->last_ns = ns;
	return true;
}

/**
 * avring_engine_show_locked() - give a finished frame to the capture node, which streams
 * @e: the engine, locked
 * @frame: of the node's format
 * @ns: time of the frame
 */
void avring_engine_show_locked(struct avring_engine *e, const void *frame, u64 ns)
{
	if (!avring_engine_give_locked(e, frame, ns))
		avring_engine_drop_locked(e, 1);
}

/**
 * avring_engine_hear_locked() - a producer has sent a frame, whether anybody sees it or not
 * @e: the engine, locked
 * @rate: of the producer
 * @now: CLOCK_MONOTONIC in ns
 */
void avring_engine_hear_locked(struct avring_engine *e, struct avring_rate rate, u64 now)
{
	e->signal_end_ns = now + 2 * avring_clock_event_ns(rate, 1) + AVRING_MAX_LAG_NS;
}

/**
 * avring_engine_lose_locked() - no producer any more
 * @e: the engine, locked
 */
void avring_engine_lose_locked(struct avring_engine *e)
{
	e->locked = false;
	e->counters.losses++;
}

/* A reader looks at the loopback input, and the output node streams into it. */
static bool avring_engine_looped_locked(const struct avring_engine *e)
{
	return avring_engine_captures_locked(e) && e->output.queue &&
	       e->input == AVRING_INPUT_LOOPBACK;
}

static bool avring_engine_linked_locked(const struct avring_engine *e)
{
	return avring_engine_looped_locked(e) &&
	       avring_format_equal(&e->capture.pix, &e->output.pix);
}

/* What the producer sends can be shown as it is. */
static bool avring_engine_receives_locked(const struct avring_engine *e)
{
	if (avring_stream_producer(&e->stream))
		return e->capture.queue && avring_format_equal(&e->capture.pix, &e->produced.pix);
	return avring_engine_linked_locked(e);
}

/**
 * avring_engine_look_locked() - capture has begun, or looks at another input
 * @e: the engine, locked
 *
 * A producer that sends has the grace that it would have in a running capture: the first
 * picture is its next one.
 */
void avring_engine_look_locked(struct avring_engine *e)
{
	if (avring_engine_receives_locked(e) && ktime_get_ns() < e->signal_end_ns)
		e->locked = true;
}

static bool avring_engine_mismatch_locked(const struct avring_engine *e)
{
	if (avring_stream_producer(&e->stream))
		return !avring_format_equal(&e->capture.pix, &e->produced.pix);
	return avring_engine_looped_locked(e) && !avring_engine_linked_locked(e);
}

/**
 * avring_engine_is_news() - would it surprise the node that this producer comes or goes?
 * @e: the engine; its tune lock is held, and no ring has followed yet
 * @pix: what the producer sends
 *
 * Where nobody streams the loopback input offers another format then. A ring that is read
 * has followed somebody, so its format says nothing of the node's.
 *
 * Return: true if who listens to the node must ask again.
 */
bool avring_engine_is_news(const struct avring_engine *e, const struct v4l2_pix_format *pix)
{
	lockdep_assert_held(&e->stream.tune);
	return e->input == AVRING_INPUT_LOOPBACK && !e->capture.queue &&
	       (e->stream.ring || !avring_format_equal(&e->capture.pix, pix));
}

/**
 * avring_engine_tell_news() - the producer has come or gone
 * @e: the engine; its tune lock is held
 * @news: what avring_engine_is_news() said before
 */
void avring_engine_tell_news(struct avring_engine *e, bool news)
{
	lockdep_assert_held(&e->stream.tune);
	if (!news)
		return;
	mutex_lock(&e->lock);
	e->source_change(e->source_change_data);
	mutex_unlock(&e->lock);
}

/**
 * avring_engine_tell_mismatch_locked() - the node has to ask for the producer's format
 * @e: the engine, locked
 */
void avring_engine_tell_mismatch_locked(const struct avring_engine *e)
{
	if (e->capture.queue && avring_engine_mismatch_locked(e))
		e->source_change(e->source_change_data);
}

/* The frame at the head of the output queue, into the ring: at its tick, whoever waits for it. */
static void avring_engine_copy_to_ring_locked(struct avring_engine *e, const void *frame)
{
	const u64 ns = avring_side_time(&e->output);

	if (!avring_stream_fills(&e->stream))
		return;
	memcpy(avring_ring_begin(e->stream.ring, e->capture.pix.sizeimage), frame,
	       e->capture.pix.sizeimage);
	avring_engine_publish_locked(e, avring_clock_event_at(e->capture.rate, ns), ns, 0);
}

/* Return: false if the reader cannot take the frame and its producer is to wait for him. */
static bool avring_engine_hand_over_locked(struct avring_engine *e, const void *frame, u64 now)
{
	e->locked = true;
	avring_engine_copy_to_ring_locked(e, frame);
	if (!e->capture.queue || avring_engine_give_locked(e, frame, avring_side_time(&e->output)))
		return true;
	if (e->hold_ns && !e->reader_late) {
		e->held_since_ns = now;
		return false;
	}
	avring_engine_drop_locked(e, 1);
	return true;
}

/*
 * The producer gets the buffer at the head of his queue back. If he has waited, what was due
 * meanwhile is not made good: frames that come late all at once would be late for the ring.
 */
static void avring_engine_give_back_locked(struct avring_engine *e, u64 now)
{
	const bool waited = e->held_since_ns;
	struct avring_side *out = &e->output;

	e->held_since_ns = 0;
	avring_engine_hear_locked(e, out->rate, now);
	avring_queue_done(out->queue, avring_queue_first(out->queue), e->output_sequence++,
			  avring_side_time(out));
	out->next++;
	if (waited)
		out->next = max(out->next, avring_clock_event_at(out->rate, now));
}

static void avring_engine_output_tick_locked(struct avring_engine *e, u64 now)
{
	struct avring_side *out = &e->output;
	struct avring_buffer *buf = avring_queue_first(out->queue);

	avring_side_catch_up(out, now);
	if (!buf)
		out->next++;
	else if (!avring_engine_linked_locked(e) ||
		 avring_engine_hand_over_locked(e, avring_buffer_vaddr(buf), now))
		avring_engine_give_back_locked(e, now);
}

/* Return: false if the reader has still no room. */
static bool avring_engine_give_held_locked(struct avring_engine *e)
{
	const void *frame = avring_buffer_vaddr(avring_queue_first(e->output.queue));

	return avring_engine_give_locked(e, frame, avring_side_time(&e->output));
}

/* Has the reader room at last, or has the producer waited long enough? */
static void avring_engine_look_after_held_locked(struct avring_engine *e, u64 now)
{
	if (!avring_engine_give_held_locked(e)) {
		if (now - e->held_since_ns < e->hold_ns)
			return;
		e->reader_late = true;
		avring_engine_drop_locked(e, 1);
	}
	avring_engine_give_back_locked(e, now);
}

/**
 * avring_engine_wait_no_more_locked() - whom a producer may be waiting for stops or looks away
 * @e: the engine, locked
 */
void avring_engine_wait_no_more_locked(struct avring_engine *e)
{
	if (!e->held_since_ns)
		return;
	if (!avring_engine_give_held_locked(e))
		avring_engine_drop_locked(e, 1);
	avring_engine_give_back_locked(e, ktime_get_ns());
}

static bool avring_engine_has_signal_locked(const struct avring_engine *e)
{
	return e->input != AVRING_INPUT_LOOPBACK;
}

static struct avring_frame avring_engine_frame_locked(const struct avring_engine *e, u32 sequence)
{
	struct avring_frame frame = {
		.sequence = sequence,
		.number = e->capture.next,
		.time_ns = avring_side_time(&e->capture),
	};

	frame.flash = avring_clock_flash_at(e->capture.rate, frame.time_ns) == frame.time_ns;
	return frame;
}

static void avring_engine_draw_locked(struct avring_engine *e, void *dst, u32 sequence)
{
	const struct avring_frame frame = avring_engine_frame_locked(e, sequence);

	if (avring_engine_has_signal_locked(e))
		avring_pattern_draw(e->pattern, dst, &frame);
	else
		avring_pattern_draw_no_signal(e->pattern, dst);
}

static void *avring_engine_draw_ring_locked(struct avring_engine *e)
{
	const u32 flags = avring_engine_has_signal_locked(e) ? 0 : AVRING_ENTRY_NO_SIGNAL;
	void *dst = avring_ring_begin(e->stream.ring, e->capture.pix.sizeimage);

	avring_engine_draw_locked(e, dst, e->stream.sequence);
	avring_engine_publish_locked(e, e->capture.next, avring_side_time(&e->capture), flags);
	return dst;
}

/* A frame that the ring has already got, with the sequence number of the node. */
static void avring_engine_copy_locked(struct avring_engine *e, void *dst, const void *src)
{
	const struct avring_frame frame = avring_engine_frame_locked(e, e->sequence);

	memcpy(dst, src, e->capture.pix.sizeimage);
	if (avring_engine_has_signal_locked(e))
		avring_pattern_stamp(e->pattern, dst, &frame);
}

/*
 * The next frame of our own: in the ring if anybody reads that, in the first buffer
 * that is queued, or both. Where nobody has queued a buffer the node sees a gap.
 */
static void avring_engine_generate_locked(struct avring_engine *e)
{
	const u64 ns = avring_side_time(&e->capture);
	const void *shared = NULL;
	struct avring_buffer *buf;

	if (avring_stream_fills(&e->stream))
		shared = avring_engine_draw_ring_locked(e);
	avring_engine_pay_locked(e);
	buf = avring_engine_buffer_locked(e);
	if (!buf) {
		avring_engine_drop_locked(e, 1);
		return;
	}
	if (shared)
		avring_engine_copy_locked(e, avring_buffer_vaddr(buf), shared);
	else
		avring_engine_draw_locked(e, avring_buffer_vaddr(buf), e->sequence);
	if (!avring_engine_has_signal_locked(e))
		e->counters.no_signal++;
	avring_engine_deliver_locked(e, buf, e->sequence++, ns);
	e->last_ns = ns;
}

static void avring_engine_capture_tick_locked(struct avring_engine *e, u64 now)
{
	struct avring_side *cap = &e->capture;
	u64 skipped = avring_side_catch_up(cap, now);

	/* A producer who waits for this reader is a signal too. */
	if (e->locked && !e->held_since_ns && now >= e->signal_end_ns)
		avring_engine_lose_locked(e);
	if (!e->locked && !e->held_since_ns) {
		avring_engine_drop_locked(e, skipped);
		if (avring_stream_fills(&e->stream))
			e->stream.sequence += skipped;
		avring_engine_generate_locked(e);
	}
	cap->next++;
}

static u64 avring_engine_next_locked(const struct avring_engine *e)
{
	u64 next = U64_MAX;

	if (e->held_since_ns)
		next = e->held_since_ns + e->hold_ns;
	else if (e->output.queue)
		next = avring_side_time(&e->output);
	if (avring_engine_captures_locked(e))
		next = min(next, avring_side_time(&e->capture));
	return next;
}

static void avring_engine_look_at_output_locked(struct avring_engine *e, u64 now)
{
	if (e->held_since_ns) {
		avring_engine_look_after_held_locked(e, now);
		return;
	}
	if (avring_engine_linked_locked(e))
		avring_side_not_before(&e->output, e->last_ns);
	if (e->output.queue && avring_side_due(&e->output, now))
		avring_engine_output_tick_locked(e, now);
}

/* One look at both nodes. Return: when to look again, CLOCK_MONOTONIC in ns. */
static u64 avring_engine_step(struct avring_engine *e)
{
	u64 now, next;

	mutex_lock(&e->lock);
	now = ktime_get_ns();
	avring_engine_look_at_output_locked(e, now);
	if (avring_engine_captures_locked(e)) {
		avring_side_not_before(&e->capture, e->last_ns);
		if (avring_side_due(&e->capture, now))
			avring_engine_capture_tick_locked(e, now);
	}
	/* Last: no frame of the ring waits for what a reader has slept through. */
	avring_engine_pay_locked(e);
	next = avring_engine_next_locked(e);
	mutex_unlock(&e->lock);
	return next;
}

static void avring_engine_sleep(struct avring_engine *e, u64 until)
{
	ktime_t expires = ns_to_ktime(until);

	set_current_state(TASK_INTERRUPTIBLE);
	if (!READ_ONCE(e->kicked) && !kthread_should_stop())
		schedule_hrtimeout_range(until == U64_MAX ? NULL : &expires, 0, HRTIMER_MODE_ABS);
	__set_current_state(TASK_RUNNING);
}

static int avring_engine_thread(void *data)
{
	struct avring_engine *e = data;
	u64 next;

	while (!kthread_should_stop()) {
		smp_store_mb(e->kicked, false);		/* barrier A */
		next = avring_engine_step(e);
		avring_engine_sleep(e, next);
	}
	return 0;
}

/* Frame rates have at most 17 bits of numerator and 10 of denominator. */
#define AVRING_FLASH_DEN_SHIFT	20

static void avring_engine_set_flash_rate(struct avring_engine *e, struct avring_rate rate)
{
	WRITE_ONCE(e->flash_rate, rate.num | rate.den << AVRING_FLASH_DEN_SHIFT);
}

/**
 * avring_engine_retune_locked() - capture begins with another format
 * @e: the engine, locked
 * @pix: format of the frames to come
 * @rate: their rate
 */
void avring_engine_retune_locked(struct avring_engine *e, const struct v4l2_pix_format *pix,
				 struct avring_rate rate)
{
	avring_pattern_format(e->pattern, pix);
	avring_side_start(&e->capture, pix, rate);
	avring_engine_set_flash_rate(e, rate);
	e->locked = false;
}

/**
 * avring_engine_new() - make the engine of a card
 * @number: number of the card, for the name of the thread
 * @source_change: called when both nodes stream and the producer's format is not
 *	the reader's, and when a producer comes or goes and no reader streams; under the
 *	engine's lock, must not sleep
 * @data: its argument
 *
 * Return: an idle engine, or an ERR_PTR.
 */
struct avring_engine *avring_engine_new(int number, void (*source_change)(void *data), void *data)
{
	struct avring_engine *e = kzalloc(sizeof(*e), GFP_KERNEL);
	int err;

	if (!e)
		return ERR_PTR(-ENOMEM);
	avring_stream_init(&e->stream, &avring_engine_stream_ops);
	mutex_init(&e->lock);
	e->source_change = source_change;
	e->source_change_data = data;
	e->pattern = avring_pattern_new();
	if (IS_ERR(e->pattern)) {
		err = PTR_ERR(e->pattern);
		goto free_engine;
	}
	avring_format_default(&e->node_pix);
	e->node_rate = avring_rate_default();
	avring_engine_retune_locked(e, &e->node_pix, e->node_rate);
	e->output.rate = avring_rate_default();
	e->thread = kthread_run(avring_engine_thread, e, "avring%d", number);
	if (IS_ERR(e->thread)) {
		err = PTR_ERR(e->thread);
		goto free_pattern;
	}
	/* A late kick must find a task, even one that has ended. */
	get_task_struct(e->thread);
	return e;

free_pattern:
	avring_pattern_free(e->pattern);
free_engine:
	mutex_destroy(&e->lock);
	avring_stream_destroy(&e->stream);
	kfree(e);
	return ERR_PTR(err);
}

/**
 * avring_engine_stop() - end the thread
 * @e: the engine; both nodes have been unregistered and do not stream
 */
void avring_engine_stop(struct avring_engine *e)
{
	kthread_stop(e->thread);
}

/**
 * avring_engine_free() - undo avring_engine_new()
 * @e: a stopped engine that nobody can reach any more
 */
void avring_engine_free(struct avring_engine *e)
{
	put_task_struct(e->thread);
	avring_pattern_free(e->pattern);
	mutex_destroy(&e->lock);
	avring_stream_destroy(&e->stream);
	kfree(e);
}

/**
 * avring_engine_kick() - make the engine look again at once
 * @e: the engine
 */
void avring_engine_kick(struct avring_engine *e)
{
	WRITE_ONCE(e->kicked, true);			/* barrier A */
	wake_up_process(e->thread);
}

/**
 * avring_engine_set_pattern() - change the pattern from the next frame on
 * @e: the engine
 * @value: what to change
 * @to: the new value
 */
void avring_engine_set_pattern(struct avring_engine *e, enum avring_pattern_value value, s32 to)
{
	mutex_lock(&e->lock);
	avring_pattern_set(e->pattern, value, to);
	mutex_unlock(&e->lock);
}

/**
 * avring_engine_set_hold() - how long a producer waits for a late reader
 * @e: the engine
 * @hold_ms: milliseconds, 0 for a live camera
 */
void avring_engine_set_hold(struct avring_engine *e, u32 hold_ms)
{
	mutex_lock(&e->lock);
	e->hold_ns = (u64)hold_ms * NSEC_PER_MSEC;
	mutex_unlock(&e->lock);
	avring_engine_kick(e);
}

/**
 * avring_engine_counters() - read the counters
 * @e: the engine
 * @counters: filled
 */
void avring_engine_counters(struct avring_engine *e, struct avring_counters *counters)
{
	mutex_lock(&e->lock);
	*counters = e->counters;
	mutex_unlock(&e->lock);
}

/**
 * avring_engine_flash_at() - the last flash that is not later than a time
 * @e: the engine
 * @ns: CLOCK_MONOTONIC in ns
 *
 * Context: any; takes no lock.
 *
 * Return: CLOCK_MONOTONIC of the flash in ns.
 */
u64 avring_engine_flash_at(const struct avring_engine *e, u64 ns)
{
	u32 packed = READ_ONCE(e->flash_rate);
	struct avring_rate rate = {
		.num = packed & (BIT(AVRING_FLASH_DEN_SHIFT) - 1),
		.den = packed >> AVRING_FLASH_DEN_SHIFT,
	};

	return avring_clock_flash_at(rate, ns);
}
