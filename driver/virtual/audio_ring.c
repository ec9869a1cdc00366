// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the ring of the sound.
 *
 * While somebody is attached there is a ring in a format of its own, filled from the
 * same source and on the same timeline as the capture stream, and independent of it but
 * for the rate while the source is loopback (avring_audio_agreed_rate_locked()).
 * It moves whenever the streams move (virtual/audio_engine.c): frames go into the ring
 * as they happen, and are published a chunk at a time; the last chunk of a ring that is
 * ended in the middle of one is short.
 *
 * A producer writes the ring in place. Its frames follow each other without a gap in
 * time unless it says otherwise, and the capture stream hears them at their time if
 * its source is loopback.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "sound/sound.h"
#include "virtual/audio_priv.h"

/* A chunk is never published later than this after it is complete. */
#define AVRING_AUDIO_LAZY_NS		(10 * NSEC_PER_MSEC)

static size_t avring_audio_period_bytes(const struct avring_audio_ring *ring)
{
	return (size_t)ring->period_frames * ring->layout.frame_bytes;
}

/* What has been filled in of the chunk becomes visible: all of it, or the last of a ring. */
static void avring_audio_ring_publish_locked(struct avring_audio_ring *ring)
{
	const u64 event = ring->base + ring->chunk_pos;
	const u32 frames = ring->pos - ring->chunk_pos;
	const struct avring_entry entry = {
		.time_ns = avring_clock_event_ns(ring->rate, event),
		.event = event,
		.sequence = ring->stream.sequence,
		.count = frames,
		.length = frames * ring->layout.frame_bytes,
		.flags = ring->chunk_silent == frames ? AVRING_ENTRY_NO_SIGNAL : 0,
	};

	avring_ring_commit(ring->stream.ring, &entry);
	ring->stream.sequence += frames;
	ring->chunk_pos = ring->pos;
	ring->chunk = NULL;
	ring->chunk_silent = 0;
}

/* Frames that have happened and are not in the ring. */
static u64 avring_audio_ring_backlog(const struct avring_audio_ring *ring, u64 now)
{
	s64 frames = avring_clock_event_at(ring->rate, now) + 1 - ring->base - ring->pos;

	return max_t(s64, frames, 0);
}

/*
 * A backlog that the ring cannot hold, or that is longer than a second and two chunks
 * and would keep interrupts off for too long: the older frames are lost, and missed.
 */
static u64 avring_audio_ring_skip(struct avring_audio_ring *ring, u64 backlog)
{
	const u64 room = div_u64(ring->stream.ring->geometry.length, ring->layout.frame_bytes);
	const u64 most = max_t(u64, ring->rate.num, 2 * ring->period_frames);
	const u64 skipped = backlog - min3(backlog, room, most);

	if (skipped) {
		ring->pos += skipped;
		ring->stream.sequence += ring->pos - ring->chunk_pos;
		ring->chunk_pos = ring->pos;
		ring->chunk = NULL;
		ring->chunk_silent = 0;
	}
	return backlog - skipped;
}

/**
 * avring_audio_ring_advance_locked() - move the ring to the present
 * @audio: the sound card
 * @now: CLOCK_MONOTONIC in ns
 *
 * Context: any, avring_audio::lock held, before the playback position moves.
 */
void avring_audio_ring_advance_locked(struct avring_audio *audio, u64 now)
{
	struct avring_audio_ring *ring = &audio->ring;
	u64 backlog;

	if (!avring_stream_fills(&audio->ring.stream))
		return;
	backlog = avring_audio_ring_skip(ring, avring_audio_ring_backlog(ring, now));
	while (backlog) {
		const u32 filled = ring->pos - ring->chunk_pos;
		const u32 frames = min_t(u64, backlog, ring->period_frames - filled);

		if (!ring->chunk)
			ring->chunk = avring_ring_begin(ring->stream.ring,
							avring_audio_period_bytes(ring));
		ring->chunk_silent +=
			avring_audio_capture_frames(audio, &ring->layout, ring->rate,
						    ring->base + ring->pos,
						    ring->chunk + filled * ring->layout.frame_bytes,
						    frames);
		ring->pos += frames;
		backlog -= frames;
		if (filled + frames == ring->period_frames)
			avring_audio_ring_publish_locked(ring);
	}
}

/*
 * Chunks to be published at once. Sound is made of time alone, so nothing is lost if
 * that is done later, as long as nobody waits for it and it is a small part of the
 * ring.
 */
static u64 avring_audio_ring_chunks(const struct avring_audio_ring *ring)
{
	const u64 period_ns = avring_clock_event_ns(ring->rate, ring->period_frames);
	const u64 patience = avring_ring_patience(ring->stream.ring,
						  avring_audio_period_bytes(ring), period_ns);
	const u64 lazy = div64_u64(AVRING_AUDIO_LAZY_NS, period_ns);
	const u64 part = div64_u64(ring->stream.ring->geometry.length,
				   8 * avring_audio_period_bytes(ring));

	return max_t(u64, min3(patience, lazy, part), 1);
}

/**
 * avring_audio_ring_due_ns() - when the next chunks must be published
 * @audio: the sound card
 *
 * Context: any, avring_audio::lock held.
 * Return: CLOCK_MONOTONIC in ns, U64_MAX if there is nothing to wait for.
 */
u64 avring_audio_ring_due_ns(const struct avring_audio *audio)
{
	const struct avring_audio_ring *ring = &audio->ring;
	u64 end;

	if (!avring_stream_fills(&audio->ring.stream))
		return U64_MAX;
	end = ring->chunk_pos + avring_audio_ring_chunks(ring) * ring->period_frames;
	return avring_clock_event_ns(ring->rate, ring->base + end - 1);
}

static void avring_audio_ring_start_locked(struct avring_audio_ring *ring,
					   const struct avring_audio_format *format)
{
	ring->layout = (struct avring_samples_layout){
		.format = (__force snd_pcm_format_t)format->format,
		.channels = format->channels,
		.frame_bytes = format->frame_bytes,
	};
	ring->rate = (struct avring_rate){ .num = format->rate, .den = 1 };
	ring->period_frames = format->period_frames;
	ring->base = avring_clock_event_after(ring->rate, ktime_get_ns() + 1);
	ring->origin = 0;
	ring->pos = 0;
	ring->chunk_pos = 0;
	ring->chunk = NULL;
	ring->chunk_silent = 0;
	ring->begun = 0;
}

/* One player at a time, the source must be loopback, and who hears it have its rate. */
static bool avring_audio_ring_can_produce_locked(struct avring_audio *audio, u32 rate)
{
	return !avring_stream_producer(&audio->ring.stream) &&
	       audio->source == AVRING_AUDIO_LOOPBACK && !avring_audio_playback(audio)->substream &&
	       avring_audio_rate_fits_locked(audio, &audio->ring.claim, rate);
}

/* What has happened until now is in the old ring, though its last chunk be a short one. */
static struct avring_ring *avring_audio_ring_replace_locked(struct avring_audio *audio,
							    struct avring_ring *new, u32 state)
{
	struct avring_audio_ring *ring = &audio->ring;

	avring_audio_advance_locked(audio);
	if (avring_stream_fills(&audio->ring.stream) && ring->pos > ring->chunk_pos)
		avring_audio_ring_publish_locked(ring);
	return avring_stream_replace(&ring->stream, new, state);
}

/* The tune lock is held. Return: 0, -EBUSY, -ENOMEM, -EINVAL; then nothing has changed. */
static int avring_audio_ring_renew(struct avring_audio *audio,
				   const struct avring_audio_format *format,
				   const struct avring_ring_reader *producer)
{
	struct avring_audio_ring *ring = &audio->ring;
	struct avring_ring *new = avring_sound_new_ring(&ring->stream, format);
	struct avring_ring *old;
	int err = 0;

	if (IS_ERR(new))
		return PTR_ERR(new);
	new->producer = producer;
	spin_lock_irq(&audio->lock);
	if (producer && !avring_audio_ring_can_produce_locked(audio, format->rate)) {
		err = -EBUSY;
		old = new;
	} else {
		if (!ring->stream.users)
			ring->stream.sequence = 0;
		old = avring_audio_ring_replace_locked(audio, new, AVRING_STATE_STALE);
		ring->claim = format->rate;
		avring_audio_ring_start_locked(ring, format);
		avring_audio_arm_locked(audio);
	}
	spin_unlock_irq(&audio->lock);
	avring_ring_put(old);
	return err;
}

static struct avring_audio *avring_audio_of(struct avring_stream *stream)
{
	return container_of(stream, struct avring_audio, ring.stream);
}

static void avring_audio_stream_end(struct avring_stream *stream, u32 state)
{
	struct avring_audio *audio = avring_audio_of(stream);
	struct avring_ring *old;

	spin_lock_irq(&audio->lock);
	old = avring_audio_ring_replace_locked(audio, NULL, state);
	audio->ring.claim = 0;
	avring_audio_arm_locked(audio);
	spin_unlock_irq(&audio->lock);
	avring_ring_put(old);
}

/*
 * As was wished, but for the rate if others have agreed on one. The tune lock is held. Return: as
 * avring_stream_new_ring(), or -EINVAL.
 */
static int avring_audio_ring_make(struct avring_audio *audio)
{
	struct avring_audio_ring *ring = &audio->ring;
	struct avring_audio_format wished, format;
	u32 claim;
	int err;

	avring_stream_wished_audio(&ring->stream, &wished);
	err = avring_sound_complete(&wished, AVRING_SAMPLES_FORMATS, &format);
	if (err)
		return err;
	spin_lock_irq(&audio->lock);
	claim = ring->claim;
	format.rate = avring_audio_agreed_rate_locked(audio, &ring->claim) ?: format.rate;
	ring->claim = format.rate;
	spin_unlock_irq(&audio->lock);
	err = avring_audio_ring_renew(audio, &format, NULL);
	if (err) {
		spin_lock_irq(&audio->lock);
		ring->claim = claim;
		spin_unlock_irq(&audio->lock);
	}
	return err;
}

static int avring_audio_stream_renew(struct avring_stream *stream,
				     const struct avring_stream_format *format,
				     const struct avring_ring_reader *producer)
{
	struct avring_audio *audio = avring_audio_of(stream);
	struct avring_audio_format complete;
	int err;

	if (!producer)
		return avring_audio_ring_make(audio);
	err = avring_sound_complete(&format->audio, AVRING_SAMPLES_FORMATS, &complete);
	if (err || memchr_inv(complete.reserved, 0, sizeof(complete.reserved)))
		return -EINVAL;
	return avring_audio_ring_renew(audio, &complete, producer);
}

static int avring_audio_stream_begin(struct avring_stream *stream,
				     const struct avring_ring_reader *reader,
				     struct avring_begin *begin)
{
	struct avring_audio *audio = avring_audio_of(stream);
	struct avring_audio_ring *ring = &audio->ring;
	int err = 0;

	spin_lock_irq(&audio->lock);
	if (avring_stream_producer(stream) != reader) {
		err = -ESTALE;
	} else if (!begin->length || begin->length > avring_audio_period_bytes(ring)) {
		err = -EINVAL;
	} else {
		ring->begun = begin->length;
		begin->position = avring_ring_next_position(ring->stream.ring);
		avring_ring_begin(ring->stream.ring, begin->length);
	}
	spin_unlock_irq(&audio->lock);
	return err;
}

/*
 * When the next frame happens. Sound follows sound: what the producer says may be half
 * a chunk off, in either direction. If it says nothing and is more than a chunk late,
 * it begins again now: frames of the past would never be heard.
 */
static u64 avring_audio_ring_event(const struct avring_audio_ring *ring, u64 time_ns)
{
	const u64 follows = ring->base + ring->pos;
	const u64 now = avring_clock_event_after(ring->rate, ktime_get_ns());
	u64 said;

	if (!time_ns)
		return ring->pos && follows + ring->period_frames >= now ? follows : now;
	said = avring_clock_event_after(ring->rate, time_ns);
	if (ring->pos && said + ring->period_frames / 2 >= follows &&
	    follows + ring->period_frames / 2 >= said)
		return follows;
	return said;
}

static int avring_audio_ring_check_commit(const struct avring_audio_ring *ring,
					  const struct avring_ring_reader *reader,
					  const struct avring_commit *commit, u64 event)
{
	u32 rest;

	if (avring_stream_producer(&ring->stream) != reader)
		return -ESTALE;
	div_u64_rem(commit->length, ring->layout.frame_bytes, &rest);
	if (!commit->length || commit->length > ring->begun || rest)
		return -EINVAL;
	return ring->pos && event < ring->base + ring->pos ? -EINVAL : 0;
}

/* A jump in time begins another timeline at this place of the ring. */
static void avring_audio_ring_jump(struct avring_audio_ring *ring, u64 event)
{
	if (ring->pos && event == ring->base + ring->pos)
		return;
	ring->origin = avring_ring_next_position(ring->stream.ring);
	ring->base = event;
	ring->pos = 0;
}

static void avring_audio_ring_append(struct avring_audio_ring *ring, struct avring_commit *commit,
				     u64 event)
{
	const u32 frames = div_u64(commit->length, ring->layout.frame_bytes);
	const struct avring_entry entry = {
		.time_ns = avring_clock_event_ns(ring->rate, event),
		.event = event,
		.sequence = ring->stream.sequence,
		.count = frames,
		.length = commit->length,
	};

	avring_audio_ring_jump(ring, event);
	avring_ring_commit(ring->stream.ring, &entry);
	commit->sequence = ring->stream.sequence;
	ring->stream.sequence += frames;
	ring->pos += frames;
	ring->begun = 0;
}

static int avring_audio_stream_commit(struct avring_stream *stream,
				      const struct avring_ring_reader *reader,
				      struct avring_commit *commit)
{
	struct avring_audio *audio = avring_audio_of(stream);
	struct avring_audio_ring *ring = &audio->ring;
	u64 event;
	int err;

	spin_lock_irq(&audio->lock);
	avring_audio_advance_locked(audio);
	event = avring_audio_ring_event(ring, commit->time_ns);
	err = avring_audio_ring_check_commit(ring, reader, commit, event);
	if (!err)
		avring_audio_ring_append(ring, commit, event);
	spin_unlock_irq(&audio->lock);
	return err;
}

static int avring_audio_stream_wish(const struct avring_wish *wish)
{
	return avring_sound_wish(wish, AVRING_SAMPLES_FORMATS);
}

static const struct avring_stream_ops avring_audio_stream_ops = {
	.renew = avring_audio_stream_renew,
	.end = avring_audio_stream_end,
	.wish = avring_audio_stream_wish,
	.begin = avring_audio_stream_begin,
	.commit = avring_audio_stream_commit,
};

/**
 * avring_audio_stream() - the stream of the sound, for the ring node
 * @audio: the sound card
 *
 * Return: it lives as long as the sound card.
 */
struct avring_stream *avring_audio_stream(struct avring_audio *audio)
{
	return &audio->ring.stream;
}

/**
 * avring_audio_ring_destroy() - undo avring_audio_ring_init()
 * @audio: the sound card
 */
void avring_audio_ring_destroy(struct avring_audio *audio)
{
	avring_stream_destroy(&audio->ring.stream);
}

/**
 * avring_audio_ring_init() - prepare the ring that nobody is attached to
 * @audio: the sound card
 */
void avring_audio_ring_init(struct avring_audio *audio)
{
	avring_stream_init(&audio->ring.stream, &avring_audio_stream_ops);
}
