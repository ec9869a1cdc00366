/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the files of the sound card share with each other and nobody else.
 *
 *   virtual/audio.c         card: made, registered, disconnected, freed
 *   virtual/pcm.c           ALSA's view: PCM operations, buffers, timestamps
 *   virtual/audio_engine.c  time: positions, timer, who moves when
 *   virtual/audio_ring.c    the ring: readers, producer, chunks
 *   virtual/audio_loop.c    source: what the playback stream plays; the one rate of both
 *   virtual/tone.c          source: the beep
 *   virtual/mixer.c         controls
 *
 *   stream lock	ALSA's, one per substream; trigger, pointer and time info are
 *			called with it held
 *   avring_audio::lock	every field in a group below that says so; taken with
 *			interrupts off, by PCM operations, controls and the timer
 *
 * snd_pcm_period_elapsed() and snd_ctl_notify() are called without our lock: the
 * first comes back through pointer and trigger. The fields that no group
 * names are written once, before the card is registered.
 */
#ifndef AVRING_AUDIO_PRIV_H
#define AVRING_AUDIO_PRIV_H

#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/spinlock.h>
#include <sound/pcm.h>

#include "clock.h"
#include "ring/stream.h"
#include "sound/samples.h"
#include "virtual/audio.h"
#include "virtual/tone.h"

struct avring_store;
struct snd_card;
struct snd_kcontrol;

/**
 * enum avring_audio_source - who fills the capture stream
 * @AVRING_AUDIO_TONE: virtual/tone.c
 * @AVRING_AUDIO_LOOPBACK: virtual/audio_loop.c
 * @AVRING_AUDIO_SOURCES: how many there are
 */
enum avring_audio_source {
	AVRING_AUDIO_TONE,
	AVRING_AUDIO_LOOPBACK,
	AVRING_AUDIO_SOURCES,
};

/**
 * struct avring_audio_source_ops - one source
 * @name: item of the control "Capture Source"
 * @fill: required; writes @frames frames of @layout to @dst, the first of which
 *	happens at event @first of @rate. Called with avring_audio::lock held, time
 *	running forward, before the playback position moves. Returns how many of them
 *	are silence because nobody plays
 */
struct avring_audio_source_ops {
	const char *name;
	u32 (*fill)(struct avring_audio *audio, const struct avring_samples_layout *layout,
		    struct avring_rate rate, u64 first, void *dst, u32 frames);
};

extern const struct avring_audio_source_ops avring_audio_sources[AVRING_AUDIO_SOURCES];

/**
 * struct avring_audio_stream - one direction of the PCM
 * @store: pages of the buffer. Written by hw_params, hw_free and close, which ALSA
 *	runs one at a time; never freed while a user mapping exists, so the fault
 *	handler reads it without a lock
 * @substream: NULL while closed. This group: under avring_audio::lock
 * @claim: rate of the hardware parameters, 0 if there are none: see
 *	avring_audio_agreed_rate_locked()
 * @area: kernel view of the buffer; NULL if there is none
 * @layout: of a frame
 * @rate: frames per second; set with the rest of the geometry by prepare
 * @buffer_frames: size of the buffer
 * @period_frames: size of a period, not larger than the buffer
 * @wakes: ALSA wants to hear of each period
 * @running: positions move with time
 * @base: frame n of the stream happens at event @base + n of @rate. Set at start
 *	and again when a pause ends; changes under the stream lock too
 * @pos: frames that have happened since prepare
 * @start_pos: @pos when the stream last started to run
 * @started_ns: the time when that was
 * @next_period: ALSA hears of it when @pos gets here
 * @end: what was written when the stream started or began to drain ends here: a
 *	drain is complete; 0 if that has been dealt with
 * @seen: what ALSA was last told as @pos. Frames before it may be overwritten by
 *	user space. Changes under the stream lock too
 * @seen_hw_ptr: the same position as ALSA counts it, below runtime->boundary
 * @xrun: the position has gone where ALSA cannot follow; stop at the next look
 * @written: playback only: the first frame that was not written when both streams
 *	last moved. One snapshot serves the whole step
 */
struct avring_audio_stream {
	struct avring_store *store;

	struct snd_pcm_substream *substream;
	u32 claim;
	void *area;
	struct avring_samples_layout layout;
	struct avring_rate rate;
	u32 buffer_frames;
	u32 period_frames;
	bool wakes;

	bool running;
	u64 base;
	u64 pos;
	u64 start_pos;
	u64 started_ns;
	u64 next_period;
	u64 end;

	u64 seen;
	snd_pcm_uframes_t seen_hw_ptr;
	bool xrun;

	u64 written;
};

/**
 * struct avring_audio_ring - the ring of the sound
 * @stream: the ring; its owner's lock is avring_audio::lock. The rest is under that one, and
 *	changed under both if attach and detach change it
 * @claim: rate of the ring that there is or is being made, 0 if none: see
 *	avring_audio_agreed_rate_locked()
 * @layout: of the ring's frames
 * @rate: frames per second
 * @period_frames: of a chunk
 * @base: frame n since @origin happens at event @base + n of @rate
 * @origin: position in the ring of the first frame of the timeline that @base begins
 * @pos: frames since @origin that have been filled in, or written by a producer
 * @chunk_pos: @pos at the beginning of the chunk that is being filled
 * @chunk: where that chunk lies; NULL before its first frame
 * @chunk_silent: frames in it that nobody played
 * @begun: bytes that the producer has asked for and not committed
 */
struct avring_audio_ring {
	struct avring_stream stream;
	u32 claim;
	struct avring_samples_layout layout;
	struct avring_rate rate;
	u32 period_frames;
	u64 base;
	u64 origin;
	u64 pos;
	u64 chunk_pos;
	void *chunk;
	u32 chunk_silent;
	u64 begun;
};

/**
 * struct avring_audio - the private data of the snd_card
 * @card: whose memory this is
 * @pcm: device 0
 * @parent: a reference on the parent device
 * @released: see struct avring_audio_params; NULL until avring_audio_new() succeeds
 * @released_data: its argument
 * @signal: the control "Loopback Signal"
 * @timer: fires at the next boundary of any running stream; armed under @lock
 * @lock: see above
 * @streams: by SNDRV_PCM_STREAM_*. This group: under @lock
 * @ring: for readers of the ring node
 * @source: enum avring_audio_source
 * @tone: the tone and its controls
 * @stats: counters
 */
struct avring_audio {
	struct snd_card *card;
	struct snd_pcm *pcm;
	struct device *parent;
	void (*released)(void *data);
	void *released_data;
	struct snd_kcontrol *signal;
	struct hrtimer timer;

	spinlock_t lock; /* see above */
	struct avring_audio_stream streams[SNDRV_PCM_STREAM_LAST + 1];
	struct avring_audio_ring ring;
	u32 source;
	struct avring_tone tone;
	struct avring_audio_stats stats;
};

/* virtual/pcm.c */
int avring_pcm_new(struct avring_audio *audio);

/* virtual/mixer.c */
int avring_mixer_new(struct avring_audio *audio);
void avring_mixer_signal_changed(struct avring_audio *audio);

/* virtual/audio_loop.c */
u32 avring_audio_loop_fill(struct avring_audio *audio, const struct avring_samples_layout *layout,
			   struct avring_rate rate, u64 first, void *dst, u32 frames);
bool avring_audio_loop_converts(struct avring_audio *audio,
				const struct avring_samples_layout *layout);
u32 avring_audio_agreed_rate_locked(const struct avring_audio *audio, const u32 *claim);
bool avring_audio_rate_fits_locked(const struct avring_audio *audio, const u32 *claim, u32 rate);
bool avring_audio_rates_agree_locked(const struct avring_audio *audio);
u64 avring_audio_written(const struct avring_audio_stream *play);

/* virtual/audio_ring.c */
void avring_audio_ring_init(struct avring_audio *audio);
void avring_audio_ring_destroy(struct avring_audio *audio);
void avring_audio_ring_advance_locked(struct avring_audio *audio, u64 now);
u64 avring_audio_ring_due_ns(const struct avring_audio *audio);

/* virtual/audio_engine.c */
void avring_audio_stats(struct avring_audio *audio, struct avring_audio_stats *out);
u32 avring_audio_capture_frames(struct avring_audio *audio,
				const struct avring_samples_layout *layout,
				struct avring_rate rate, u64 first, void *dst, u32 frames);
void avring_audio_arm_locked(struct avring_audio *audio);
void avring_audio_engine_init(struct avring_audio *audio);
void avring_audio_engine_sync(struct avring_audio *audio);
void avring_audio_advance_locked(struct avring_audio *audio);
void avring_audio_start(struct avring_audio *audio, struct avring_audio_stream *stream);
void avring_audio_stop(struct avring_audio *audio, struct avring_audio_stream *stream);
void avring_audio_drain(struct avring_audio *audio, struct avring_audio_stream *stream);
snd_pcm_uframes_t avring_audio_pointer(struct avring_audio *audio,
				       struct avring_audio_stream *stream);

static inline struct avring_audio_stream *avring_audio_playback(struct avring_audio *audio)
{
	return &audio->streams[SNDRV_PCM_STREAM_PLAYBACK];
}

static inline struct avring_audio_stream *avring_audio_capture(struct avring_audio *audio)
{
	return &audio->streams[SNDRV_PCM_STREAM_CAPTURE];
}

static inline void *avring_audio_frame_at(const struct avring_audio_stream *stream, u64 frame)
{
	u32 offset;

	div_u64_rem(frame, stream->buffer_frames, &offset);
	return stream->area + (size_t)offset * stream->layout.frame_bytes;
}

#endif
