/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the files of the engine share with each other and nobody else.
 *
 *   virtual/engine.c	the thread and its ticks
 *   virtual/engine_tune.c	the video nodes: who streams, and in what format
 *   virtual/engine_ring.c	the ring of the pictures: readers, generations, producer
 */
#ifndef AVRING_ENGINE_PRIV_H
#define AVRING_ENGINE_PRIV_H

#include <linux/ktime.h>
#include <linux/mutex.h>

#include "ring/stream.h"
#include "video/counters.h"
#include "video/format.h"
#include "video/queue.h"
#include "virtual/engine.h"
#include "virtual/owed.h"

/**
 * struct avring_side - one direction as the engine sees it
 * @queue: of the video node; NULL while it does not stream
 * @pix: format of its frames
 * @rate: frame rate
 * @next: number of the next tick on the card's timeline
 */
struct avring_side {
	struct avring_queue *queue;
	struct v4l2_pix_format pix;
	struct avring_rate rate;
	u64 next;
};

/**
 * struct avring_engine - see virtual/engine.h
 * @lock: guards all fields down to @counters; process context. What both locks guard is
 *	changed under both. Order: tune lock or control handler lock -> this -> queue
 *	list lock, ring lock
 * @capture: the capture node, and the ring while no producer writes that; both
 *	locks guard its @queue, @pix and @rate
 * @output: the output node, likewise
 * @node_pix: format that the capture node is set to, and in which a ring begins; tune lock
 * @node_rate: its frame rate
 * @stream: the ring. Its tune lock is taken under the node's, for what begins, ends and changes
 *	streams, too
 * @produced: format and rate of the ring's producer; both locks
 * @begun: bytes that the producer has asked for and not committed
 * @produced_ns: time of the last frame of the producer
 * @pattern: draws
 * @input: what capture shows; both locks
 * @locked: frames of the producer drive capture
 * @signal_end_ns: when the signal counts as lost; 0 while no producer has sent a frame
 * @sequence: of the next frame of the capture node
 * @expected: that its reader has not seen yet; what lies between two that he sees is lost
 * @output_sequence: of the next written frame
 * @last_ns: time of the last frame that the node or the ring got, or that the node's reader is
 *	owed; the next one is later
 * @owed: what the node's reader is owed; NULL where nothing can be. Changed under the node's lock,
 *	too
 * @hold_ns: how long a producer waits for a reader who is owed as much as there is room for
 * @held_since_ns: since when he waits, 0 if he does not. The frame at the head of the output queue
 *	is then in the ring already, and still to be given to the node
 * @reader_late: a producer has waited in vain; he does not wait for this reader again before
 *	that one has taken a frame
 * @counters: since STREAMON
 * @source_change: tells the capture node that the source's format is another
 * @source_change_data: its argument; both are set once, before the thread runs
 * @flash_rate: frame rate of the flashes for the tone, packed into one word that
 *	may be read at any time
 * @thread: the engine
 * @kicked: barrier A
 */
struct avring_engine {
	struct mutex lock;
	struct avring_side capture;
	struct avring_side output;
	struct v4l2_pix_format node_pix;
	struct avring_rate node_rate;
	struct avring_stream stream;
	struct avring_side produced;
	u64 begun;
	u64 produced_ns;
	struct avring_pattern *pattern;
	enum avring_input input;
	bool locked;
	u64 signal_end_ns;
	u32 sequence;
	u32 expected;
	u32 output_sequence;
	u64 last_ns;
	struct avring_owed *owed;
	u64 hold_ns;
	u64 held_since_ns;
	bool reader_late;
	struct avring_counters counters;

	void (*source_change)(void *data);
	void *source_change_data;
	u32 flash_rate;
	struct task_struct *thread;
	bool kicked;
};

static inline u64 avring_side_time(const struct avring_side *side)
{
	return avring_clock_event_ns(side->rate, side->next);
}

static inline void avring_side_start(struct avring_side *side, const struct v4l2_pix_format *pix,
				     struct avring_rate rate)
{
	side->pix = *pix;
	side->rate = rate;
	side->next = avring_clock_event_after(rate, ktime_get_ns());
}

static inline bool avring_rate_equal(struct avring_rate a, struct avring_rate b)
{
	return a.num == b.num && a.den == b.den;
}

/* virtual/engine.c */
void avring_engine_retune_locked(struct avring_engine *e, const struct v4l2_pix_format *pix,
				 struct avring_rate rate);
bool avring_engine_is_news(const struct avring_engine *e, const struct v4l2_pix_format *pix);
void avring_engine_tell_news(struct avring_engine *e, bool news);
void avring_engine_tell_mismatch_locked(const struct avring_engine *e);
void avring_engine_hear_locked(struct avring_engine *e, struct avring_rate rate, u64 now);
void avring_engine_look_locked(struct avring_engine *e);
void avring_engine_lose_locked(struct avring_engine *e);
void avring_engine_show_locked(struct avring_engine *e, const void *frame, u64 ns);
void avring_engine_wait_no_more_locked(struct avring_engine *e);

/* virtual/engine_ring.c */
extern const struct avring_stream_ops avring_engine_stream_ops;

void avring_engine_publish_locked(struct avring_engine *e, u64 event, u64 ns, u32 flags);
int avring_engine_renew(struct avring_engine *e, const struct v4l2_pix_format *pix,
			struct avring_rate rate, const struct avring_ring_reader *producer);

#endif
