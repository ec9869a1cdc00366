// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the time engine of the sound card.
 *
 * Timeline. A frame is a number on the absolute timeline of its rate: frame n
 * of a stream happens at avring_clock_event_ns(rate, base + n), and base is chosen
 * when the stream starts: the first event later than that instant. The position
 * at a time t is the number of frames that have happened at or before t. It is
 * computed from t whenever somebody asks, never added up, so no timer latency,
 * however long, can make it drift. A pause stops the count and its end chooses
 * a new base.
 *
 * Advance. Both streams move in one step, under the lock, to one instant: first
 * capture takes what happened since its last step, out of the playback
 * buffer if it listens to that, then the playback position moves. The other
 * order would tell the player that a piece of the buffer is free which capture has
 * not taken yet. Everything that looks at a position or changes what can be
 * heard (pointer, trigger, controls, the timer) advances first. So a stop
 * delivers what was due, and forgetting the buffer afterwards loses nothing.
 *
 * Xrun. ALSA sees positions modulo the buffer, and only when it looks. A step of
 * a whole buffer would be invisible to it, and so would a short underrun that
 * the player has closed meanwhile, while capture has got the silence. Unless
 * the application has asked never to be stopped, both are reported as xrun at the
 * next look: what was lost is never lost silently.
 *
 * Timer. One per card. It fires at the next boundary of any running stream: end of
 * a period, or of the data in a drain. Whoever arms it holds the lock; the tick
 * takes its decisions under the lock and calls ALSA without it. A trigger cannot
 * wait for the tick; the tick sees that the stream is not running, or
 * calls snd_pcm_period_elapsed() once too often, which ALSA ignores. sync_stop
 * waits, before ALSA frees what the tick could reach. An application that has a clock of
 * its own and wants no wake-ups gets none, and costs no tick but that of a drain: whenever
 * it looks, both streams advance.
 */
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/ktime.h>

#include "compat.h"
#include "virtual/audio_priv.h"

static u32 avring_audio_tone_fill(struct avring_audio *audio,
				  const struct avring_samples_layout *layout,
				  struct avring_rate rate, u64 first, void *dst, u32 frames)
{
	avring_tone_fill(&audio->tone, layout, rate, first, dst, frames);
	return 0;
}

const struct avring_audio_source_ops avring_audio_sources[AVRING_AUDIO_SOURCES] = {
	[AVRING_AUDIO_TONE] = {
		.name = "Tone",
		.fill = avring_audio_tone_fill,
	},
	[AVRING_AUDIO_LOOPBACK] = {
		.name = "Loopback",
		.fill = avring_audio_loop_fill,
	},
};

/* Frames that have happened at @now and are not in the position yet. */
static u64 avring_audio_backlog(const struct avring_audio_stream *stream, u64 now)
{
	s64 frames;

	if (!stream->running)
		return 0;
	frames = avring_clock_event_at(stream->rate, now) + 1 - stream->base - stream->pos;
	return max_t(s64, frames, 0);
}

/* Read without the stream lock: it may change at any time. */
static snd_pcm_state_t avring_audio_state(const struct avring_audio_stream *stream)
{
	return READ_ONCE(stream->substream->runtime->state);
}

/* Something was lost that ALSA would not notice by itself. */
static void avring_audio_lose(struct avring_audio_stream *stream)
{
	if (READ_ONCE(stream->substream->runtime->stop_threshold) <= stream->buffer_frames)
		stream->xrun = true;
}

/**
 * avring_audio_capture_frames() - a run of frames from the source that is chosen
 * @audio: the sound card
 * @layout: of the frames
 * @rate: of the frames
 * @first: event of @rate at which the first one happens
 * @dst: where to put them
 * @frames: how many
 *
 * Context: any, avring_audio::lock held.
 * Return: how many of them are silence because nobody plays.
 */
u32 avring_audio_capture_frames(struct avring_audio *audio,
				const struct avring_samples_layout *layout,
				struct avring_rate rate, u64 first, void *dst, u32 frames)
{
	return avring_audio_sources[audio->source].fill(audio, layout, rate, first, dst, frames);
}

/* Fill frames [@from, @to) of the capture stream, at most one buffer. */
static void avring_audio_fill(struct avring_audio *audio, u64 from, u64 to)
{
	struct avring_audio_stream *capture = avring_audio_capture(audio);
	u64 silent;

	while (from < to) {
		u32 offset, frames;

		div_u64_rem(from, capture->buffer_frames, &offset);
		frames = min_t(u64, to - from, capture->buffer_frames - offset);
		silent = avring_audio_capture_frames(audio, &capture->layout, capture->rate,
						     capture->base + from,
						     avring_audio_frame_at(capture, from), frames);
		audio->stats.silence_frames += silent;
		from += frames;
	}
}

static void avring_audio_advance_capture(struct avring_audio *audio, u64 now)
{
	struct avring_audio_stream *capture = avring_audio_capture(audio);
	const u64 frames = avring_audio_backlog(capture, now);
	u64 skipped = 0;

	if (frames > capture->buffer_frames)
		skipped = frames - capture->buffer_frames;
	avring_audio_fill(audio, capture->pos + skipped, capture->pos + frames);
	capture->pos += frames;
	audio->stats.capture_frames += frames;
	audio->stats.skipped_frames += skipped;
}

static void avring_audio_advance_playback(struct avring_audio *audio, u64 now)
{
	struct avring_audio_stream *play = avring_audio_playback(audio);
	const u64 frames = avring_audio_backlog(play, now);

	if (!frames)
		return;
	play->pos += frames;
	audio->stats.playback_frames += frames;
	if (play->pos > play->written && avring_audio_state(play) == SNDRV_PCM_STATE_RUNNING)
		avring_audio_lose(play);
}

static void avring_audio_advance_to_locked(struct avring_audio *audio, u64 now)
{
	struct avring_audio_stream *play = avring_audio_playback(audio);

	lockdep_assert_held(&audio->lock);
	if (play->running)
		play->written = avring_audio_written(play);
	avring_audio_advance_capture(audio, now);
	avring_audio_ring_advance_locked(audio, now);
	avring_audio_advance_playback(audio, now);
}

/**
 * avring_audio_advance_locked() - move both streams to the present
 * @audio: the sound card
 *
 * Context: any, avring_audio::lock held.
 */
void avring_audio_advance_locked(struct avring_audio *audio)
{
	avring_audio_advance_to_locked(audio, ktime_get_ns());
}

/* When ALSA must hear of the stream next: never is U64_MAX. The boundary is its last frame. */
static u64 avring_audio_due_ns(const struct avring_audio_stream *stream)
{
	u64 boundary = stream->wakes ? stream->next_period : U64_MAX;

	if (stream->end)
		boundary = min(boundary, stream->end);
	if (boundary == U64_MAX)
		return U64_MAX;
	return avring_clock_event_ns(stream->rate, stream->base + boundary - 1);
}

/* Conversion is slow and runs with interrupts off: a period at a time may be long. */
#define AVRING_AUDIO_CONVERT_NS	(10 * NSEC_PER_MSEC)

static bool avring_audio_converts_locked(struct avring_audio *audio)
{
	const struct avring_audio_stream *capture = avring_audio_capture(audio);
	const struct avring_audio_ring *ring = &audio->ring;

	if (audio->source != AVRING_AUDIO_LOOPBACK)
		return false;
	return (capture->running &&
		avring_audio_loop_converts(audio, &capture->layout)) ||
	       (avring_stream_fills(&audio->ring.stream) &&
		avring_audio_loop_converts(audio, &ring->layout));
}

/* When the timer must fire next; U64_MAX if nothing runs. */
static u64 avring_audio_next_ns(struct avring_audio *audio)
{
	u64 due_ns = avring_audio_ring_due_ns(audio);
	unsigned int i;

	lockdep_assert_held(&audio->lock);
	for (i = 0; i < ARRAY_SIZE(audio->streams); i++)
		if (audio->streams[i].running)
			due_ns = min(due_ns, avring_audio_due_ns(&audio->streams[i]));
	if (avring_audio_converts_locked(audio))
		due_ns = min(due_ns, ktime_get_ns() + AVRING_AUDIO_CONVERT_NS);
	return due_ns;
}

/**
 * avring_audio_arm_locked() - set the timer to what happens next
 * @audio: the sound card
 *
 * Context: any, avring_audio::lock held.
 */
void avring_audio_arm_locked(struct avring_audio *audio)
{
	const u64 due_ns = avring_audio_next_ns(audio);

	if (due_ns != U64_MAX)
		hrtimer_start(&audio->timer, ns_to_ktime(due_ns), HRTIMER_MODE_ABS_SOFT);
}

/*
 * Take note that a boundary has been crossed; true if ALSA is to hear of it. The
 * end of the data matters unless the stream simply runs: it drains, or its
 * start is still under way and may be that of a drain.
 */
static bool avring_audio_crossed_locked(struct avring_audio_stream *stream)
{
	bool crossed = stream->xrun;
	u32 rest;

	if (!stream->running)
		return false;
	if (stream->end && stream->pos >= stream->end) {
		stream->end = 0;
		crossed |= avring_audio_state(stream) != SNDRV_PCM_STATE_RUNNING;
	}
	if (stream->wakes && stream->pos >= stream->next_period) {
		div_u64_rem(stream->pos, stream->period_frames, &rest);
		stream->next_period = stream->pos - rest + stream->period_frames;
		crossed = true;
	}
	return crossed;
}

/*
 * At the end of a tick: let the timer go on, which is cheaper than to start it, unless
 * somebody has started it meanwhile.
 */
static enum hrtimer_restart avring_audio_rearm_locked(struct avring_audio *audio)
{
	const u64 due_ns = avring_audio_next_ns(audio);

	if (due_ns == U64_MAX || hrtimer_is_queued(&audio->timer))
		return HRTIMER_NORESTART;
	hrtimer_set_expires(&audio->timer, ns_to_ktime(due_ns));
	return HRTIMER_RESTART;
}

static enum hrtimer_restart avring_audio_tick(struct hrtimer *timer)
{
	struct avring_audio *audio = container_of(timer, struct avring_audio, timer);
	struct snd_pcm_substream *elapsed[ARRAY_SIZE(audio->streams)] = {};
	enum hrtimer_restart restart;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&audio->lock, flags);
	avring_audio_advance_locked(audio);
	for (i = 0; i < ARRAY_SIZE(elapsed); i++)
		if (avring_audio_crossed_locked(&audio->streams[i]))
			elapsed[i] = audio->streams[i].substream;
	restart = avring_audio_rearm_locked(audio);
	spin_unlock_irqrestore(&audio->lock, flags);

	for (i = 0; i < ARRAY_SIZE(elapsed); i++)
		if (elapsed[i])
			snd_pcm_period_elapsed(elapsed[i]);
	return restart;
}

/**
 * avring_audio_engine_init() - prepare timer and lock
 * @audio: the sound card
 */
void avring_audio_engine_init(struct avring_audio *audio)
{
	spin_lock_init(&audio->lock);
	avring_hrtimer_setup(&audio->timer, avring_audio_tick, CLOCK_MONOTONIC,
			     HRTIMER_MODE_ABS_SOFT);
}

/**
 * avring_audio_engine_sync() - wait until no tick uses a stream that was stopped
 * @audio: the sound card
 *
 * If another stream runs, the timer is armed again for it.
 * Context: process, may sleep, no lock held.
 */
void avring_audio_engine_sync(struct avring_audio *audio)
{
	unsigned long flags;

	hrtimer_cancel(&audio->timer);
	spin_lock_irqsave(&audio->lock, flags);
	avring_audio_arm_locked(audio);
	spin_unlock_irqrestore(&audio->lock, flags);
}

/*
 * Linked streams are triggered one after the other with all their stream locks
 * held. A peer that runs here and not yet for ALSA was started by the same
 * action, a moment ago: unless the timer has moved it since, both start at
 * that instant.
 */
static bool avring_audio_starts_with(const struct avring_audio_stream *stream,
				     const struct avring_audio_stream *peer)
{
	return peer->running && peer->pos == peer->start_pos &&
	       snd_pcm_stream_linked(stream->substream) &&
	       stream->substream->group == peer->substream->group &&
	       !snd_pcm_running(peer->substream);
}

static u64 avring_audio_start_ns(struct avring_audio *audio,
				 const struct avring_audio_stream *stream)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(audio->streams); i++)
		if (&audio->streams[i] != stream &&
		    avring_audio_starts_with(stream, &audio->streams[i]))
			return audio->streams[i].started_ns;
	return ktime_get_ns();
}

/**
 * avring_audio_start() - let a stream run, at its start or after a pause
 * @audio: the sound card
 * @stream: prepared and open
 *
 * The next frame of the stream is the first event strictly later than now: what
 * happens at now itself has already been taken by the other stream.
 * Context: atomic, stream lock held.
 */
void avring_audio_start(struct avring_audio *audio, struct avring_audio_stream *stream)
{
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&audio->lock, flags);
	now = avring_audio_start_ns(audio, stream);
	avring_audio_advance_to_locked(audio, now);
	stream->started_ns = now;
	stream->base = avring_clock_event_after(stream->rate, now + 1) - stream->pos;
	stream->start_pos = stream->pos;
	if (stream == avring_audio_playback(audio) && !stream->pos)
		stream->end = avring_audio_written(stream);
	stream->running = true;
	avring_audio_arm_locked(audio);
	spin_unlock_irqrestore(&audio->lock, flags);
}

/**
 * avring_audio_stop() - freeze a stream, for good or for a pause
 * @audio: the sound card
 * @stream: open
 *
 * What is due until now is delivered first. The timer is not touched: a tick that
 * finds nothing running does nothing.
 * Context: atomic, stream lock held.
 */
void avring_audio_stop(struct avring_audio *audio, struct avring_audio_stream *stream)
{
	unsigned long flags;

	spin_lock_irqsave(&audio->lock, flags);
	avring_audio_advance_locked(audio);
	if (stream == avring_audio_playback(audio) && stream->running &&
	    audio->source == AVRING_AUDIO_LOOPBACK && avring_audio_capture(audio)->running)
		audio->stats.source_losses++;
	stream->running = false;
	spin_unlock_irqrestore(&audio->lock, flags);
}

/**
 * avring_audio_drain() - the playback data ends with what is written now
 * @audio: the sound card
 * @stream: playback, running
 *
 * The end need not be the end of a period; the timer fires there.
 * Context: atomic, stream lock held.
 */
void avring_audio_drain(struct avring_audio *audio, struct avring_audio_stream *stream)
{
	unsigned long flags;

	spin_lock_irqsave(&audio->lock, flags);
	stream->end = avring_audio_written(stream);
	avring_audio_arm_locked(audio);
	spin_unlock_irqrestore(&audio->lock, flags);
}

/*
 * Follow ALSA: the position it is told is one in the buffer, and it moves its
 * hw_ptr forward to the next place that has this position.
 */
static u32 avring_audio_tell_locked(struct avring_audio_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	snd_pcm_uframes_t hw_ptr = runtime->status->hw_ptr;
	u32 old_offset = hw_ptr % stream->buffer_frames;
	u32 offset;

	div_u64_rem(stream->pos, stream->buffer_frames, &offset);
	if (offset < old_offset)
		hw_ptr += stream->buffer_frames;
	hw_ptr += offset;
	hw_ptr -= old_offset;
	if (hw_ptr >= runtime->boundary)
		hw_ptr -= runtime->boundary;
	stream->seen = stream->pos;
	stream->seen_hw_ptr = hw_ptr;
	return offset;
}

/**
 * avring_audio_pointer() - position in the buffer at this moment
 * @audio: the sound card
 * @stream: prepared and open
 *
 * Context: atomic, stream lock held.
 * Return: frames, below the size of the buffer, or SNDRV_PCM_POS_XRUN.
 */
snd_pcm_uframes_t avring_audio_pointer(struct avring_audio *audio,
				       struct avring_audio_stream *stream)
{
	snd_pcm_uframes_t offset = SNDRV_PCM_POS_XRUN;
	unsigned long flags;

	spin_lock_irqsave(&audio->lock, flags);
	avring_audio_advance_locked(audio);
	if (stream->pos - stream->seen >= stream->buffer_frames)
		avring_audio_lose(stream);
	if (!stream->xrun)
		offset = avring_audio_tell_locked(stream);
	spin_unlock_irqrestore(&audio->lock, flags);
	return offset;
}

/**
 * avring_audio_stats() - counters of the card
 * @audio: the sound card
 * @out: one consistent copy
 *
 * Does not advance the streams: the counters are as of the last tick.
 *
 * Context: any but hard interrupts.
 */
void avring_audio_stats(struct avring_audio *audio, struct avring_audio_stats *out)
{
	unsigned long flags;

	spin_lock_irqsave(&audio->lock, flags);
	*out = audio->stats;
	spin_unlock_irqrestore(&audio->lock, flags);
}
