// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the loopback source: what is played at a time is captured at that time.
 *
 * Same rate, format and channels: the bytes are copied. Another format or number
 * of channels: avring_samples_convert(). Another rate: the capture frame of the
 * instant t is the last playback frame not later than t (sample and hold); the
 * same sample numbers always give the same result.
 *
 * Silence, and counted: no player, a paused one, frames that were never written.
 *
 * What may be read of the playback buffer is a window of frames:
 * - not before what ALSA was last told as the position: the player may overwrite
 *   that; the one older frame that sample-and-hold needs is kept in held[]
 * - not before the last start: while paused, nothing is heard
 * - not from the application pointer on. That lies in a page which user space
 *   writes: it is read once per step and bounded by the size of the buffer
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "avring_audio_priv.h"

/*
 * A player that maps the buffer and asks never to be stopped owns all of it
 * whatever its application pointer says (dmix and OSS never move it): the ring
 * is played round and round, as hardware does.
 */
static bool avring_audio_free_running(const struct snd_pcm_runtime *runtime)
{
	return runtime->access == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED &&
	       READ_ONCE(runtime->stop_threshold) >= runtime->boundary &&
	       READ_ONCE(runtime->state) != SNDRV_PCM_STATE_DRAINING;
}

/**
 * avring_audio_written() - how far the playback stream is written
 * @play: the playback stream, open and prepared
 *
 * Counts the free space as snd_pcm_playback_avail() does, with one snapshot of
 * the application pointer; any value of it gives a result between the position
 * ALSA was told and one buffer more, or no limit for a free-running player.
 *
 * Context: any, avring_audio::lock held.
 * Return: number of the first frame that is not written.
 */
u64 avring_audio_written(const struct avring_audio_stream *play)
{
	const struct snd_pcm_runtime *runtime = play->substream->runtime;
	/*
	 * A: the samples are read after this. Partner: whoever moves it (ALSA's
	 * core, or the application through its mapping) wrote them before.
	 */
	const snd_pcm_uframes_t appl_ptr = smp_load_acquire(&runtime->control->appl_ptr);
	snd_pcm_sframes_t avail;

	if (avring_audio_free_running(runtime))
		return S64_MAX;
	avail = play->seen_hw_ptr + play->buffer_frames - appl_ptr;
	if (avail < 0)
		avail += runtime->boundary;
	else if ((snd_pcm_uframes_t)avail >= runtime->boundary)
		avail -= runtime->boundary;
	return play->seen + play->buffer_frames -
	       min_t(snd_pcm_uframes_t, avail, play->buffer_frames);
}

/* Frames [from, to) of the playback stream can be read. */
struct avring_audio_window {
	s64 from;
	s64 to;
};

static struct avring_audio_window avring_audio_window(const struct avring_audio_stream *play)
{
	struct avring_audio_window window = {};

	if (play->running) {
		window.from = max(play->seen, play->start_pos);
		window.to = play->written;
	}
	return window;
}

static bool avring_audio_readable(const struct avring_audio_window *window, s64 frame)
{
	return frame >= window->from && frame < window->to;
}

static void avring_audio_silence(struct avring_audio *audio, void *dst, u32 frames)
{
	memset(dst, 0, (size_t)frames * avring_audio_capture(audio)->layout.frame_bytes);
	audio->stats.silence_frames += frames;
}

/* Playback frames from @from on, all readable, byte by byte around the wrap. */
static void avring_audio_loop_copy(const struct avring_audio_stream *play, u64 from, void *dst,
				   u32 frames)
{
	const u32 frame_bytes = play->layout.frame_bytes;

	while (frames) {
		u32 offset, chunk;

		div_u64_rem(from, play->buffer_frames, &offset);
		chunk = min(frames, play->buffer_frames - offset);
		memcpy(dst, avring_audio_frame_at(play, from), (size_t)chunk * frame_bytes);
		dst += (size_t)chunk * frame_bytes;
		from += chunk;
		frames -= chunk;
	}
}

/* Same rate and layout: silence, a run of played frames, silence. */
static void avring_audio_loop_exact(struct avring_audio *audio, u64 first, void *dst, u32 frames)
{
	const struct avring_audio_stream *play = avring_audio_playback(audio);
	const struct avring_audio_window window = avring_audio_window(play);
	const u32 frame_bytes = play->layout.frame_bytes;
	const s64 from = first - play->base;
	const u32 lead = clamp_t(s64, window.from - from, 0, frames);
	const u32 end = clamp_t(s64, window.to - from, lead, frames);

	avring_audio_silence(audio, dst, lead);
	avring_audio_loop_copy(play, from + lead, dst + (size_t)lead * frame_bytes, end - lead);
	avring_audio_silence(audio, dst + (size_t)end * frame_bytes, frames - end);
}

/* The playback frame that is heard at event @event of @rate; NULL if none is. */
static const void *avring_audio_loop_frame(const struct avring_audio_stream *play,
					   const struct avring_audio_window *window,
					   struct avring_rate rate, u64 event)
{
	const u64 ns = avring_clock_event_ns(rate, event);
	const s64 frame = avring_clock_event_at(play->rate, ns) - play->base;

	if (avring_audio_readable(window, frame))
		return avring_audio_frame_at(play, frame);
	if (play->running && play->held_pos && frame + 1 == play->held_pos)
		return play->held;
	return NULL;
}

/* Anything else: frame by frame. */
static void avring_audio_loop_convert(struct avring_audio *audio, u64 first, void *dst, u32 frames)
{
	const struct avring_audio_stream *play = avring_audio_playback(audio);
	const struct avring_audio_stream *capture = avring_audio_capture(audio);
	const struct avring_audio_window window = avring_audio_window(play);
	u32 i;

	for (i = 0; i < frames; i++) {
		const void *src = avring_audio_loop_frame(play, &window, capture->rate, first + i);

		avring_samples_convert(&play->layout, src, &capture->layout, dst);
		audio->stats.silence_frames += !src;
		dst += capture->layout.frame_bytes;
	}
}

/**
 * avring_audio_loop_converts() - is each frame worked on, not only copied?
 * @audio: the sound card
 *
 * Context: any, avring_audio::lock held.
 * Return: true if two running streams differ in rate or layout.
 */
bool avring_audio_loop_converts(struct avring_audio *audio)
{
	const struct avring_audio_stream *play = avring_audio_playback(audio);
	const struct avring_audio_stream *capture = avring_audio_capture(audio);

	return play->running && capture->running &&
	       (play->rate.num != capture->rate.num ||
		!avring_samples_equal(&play->layout, &capture->layout));
}

/**
 * avring_audio_loop_fill() - what is played, as a run of capture frames
 * @audio: the sound card
 * @first: event of the capture rate at which the first frame happens
 * @dst: where to put them
 * @frames: how many
 *
 * Context: any, avring_audio::lock held, before the playback position moves.
 */
void avring_audio_loop_fill(struct avring_audio *audio, u64 first, void *dst, u32 frames)
{
	if (!avring_audio_playback(audio)->running)
		avring_audio_silence(audio, dst, frames);
	else if (avring_audio_loop_converts(audio))
		avring_audio_loop_convert(audio, first, dst, frames);
	else
		avring_audio_loop_exact(audio, first, dst, frames);
}

/**
 * avring_audio_loop_hold() - keep the frame before the playback position
 * @audio: the sound card
 *
 * Called when that position has moved, before ALSA is told: a capture stream of
 * a higher rate hears this frame until the next one.
 * Context: any, avring_audio::lock held.
 */
void avring_audio_loop_hold(struct avring_audio *audio)
{
	struct avring_audio_stream *play = avring_audio_playback(audio);
	const struct avring_audio_window window = avring_audio_window(play);

	play->held_pos = 0;
	if (!avring_audio_readable(&window, play->pos - 1))
		return;
	memcpy(play->held, avring_audio_frame_at(play, play->pos - 1), play->layout.frame_bytes);
	play->held_pos = play->pos;
}
