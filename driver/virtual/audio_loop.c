// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the loopback source: what is played at a time is captured at that time.
 *
 * Same format and channels: the bytes are copied. Another format or number of channels:
 * avring_samples_convert(), which says what is heard where. There is no other rate: see
 * avring_audio_agreed_rate_locked().
 *
 * Silence, and counted: no player, a paused one, frames that were never written.
 * The player is the playback stream, or a producer that writes the ring in place.
 *
 * What may be read of the playback buffer is a window of frames:
 * - not before what ALSA was last told as the position: the player may overwrite
 *   that
 * - not before the last start: while paused, nothing is heard
 * - not from the application pointer on. That lies in a page which user space
 *   writes: it is read once per step and bounded by the size of the buffer
 */
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "virtual/audio_priv.h"

/**
 * avring_audio_agreed_rate_locked() - the rate that the others have agreed on
 * @audio: the sound card
 * @claim: of the stream or ring that asks; does not count itself
 *
 * While the source is loopback all that is played and captured has one rate, that of who
 * came first: nothing here could convert it as well as who plays or records can. A claim
 * is laid, and the source chosen, only if that stays so.
 *
 * Context: any, avring_audio::lock held.
 * Return: frames per second; 0 if any rate will do.
 */
u32 avring_audio_agreed_rate_locked(const struct avring_audio *audio, const u32 *claim)
{
	const u32 *const claims[] = {
		&audio->streams[SNDRV_PCM_STREAM_PLAYBACK].claim,
		&audio->streams[SNDRV_PCM_STREAM_CAPTURE].claim,
		&audio->ring.claim,
	};
	unsigned int i;

	lockdep_assert_held(&audio->lock);
	if (audio->source != AVRING_AUDIO_LOOPBACK)
		return 0;
	for (i = 0; i < ARRAY_SIZE(claims); i++)
		if (claims[i] != claim && *claims[i])
			return *claims[i];
	return 0;
}

static bool avring_audio_is_one_rate(u32 a, u32 b)
{
	return !a || !b || a == b;
}

/**
 * avring_audio_rate_fits_locked() - may a claim be laid to a rate?
 * @audio: the sound card
 * @claim: of the stream or ring that asks; does not count itself
 * @rate: frames per second
 *
 * Context: any, avring_audio::lock held.
 * Return: false if the others have agreed on another one.
 */
bool avring_audio_rate_fits_locked(const struct avring_audio *audio, const u32 *claim, u32 rate)
{
	return avring_audio_is_one_rate(avring_audio_agreed_rate_locked(audio, claim), rate);
}

/**
 * avring_audio_rates_agree_locked() - may the source become loopback?
 * @audio: the sound card
 *
 * Context: any, avring_audio::lock held.
 * Return: false if there are two rates.
 */
bool avring_audio_rates_agree_locked(const struct avring_audio *audio)
{
	const u32 play = audio->streams[SNDRV_PCM_STREAM_PLAYBACK].claim;
	const u32 capture = audio->streams[SNDRV_PCM_STREAM_CAPTURE].claim;

	lockdep_assert_held(&audio->lock);
	return avring_audio_is_one_rate(play, capture) &&
	       avring_audio_is_one_rate(play, audio->ring.claim) &&
	       avring_audio_is_one_rate(capture, audio->ring.claim);
}

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

/**
 * struct avring_audio_player - who plays, as the loopback hears it at one moment
 * @layout: of its frames
 * @base: frame n happens at event @base + n of the one rate
 * @from: the first frame that may be read
 * @to: the first one behind those
 * @stream: the playback stream, or NULL if it is a producer that writes the ring
 * @ring: then that ring
 */
struct avring_audio_player {
	const struct avring_samples_layout *layout;
	u64 base;
	s64 from;
	s64 to;
	const struct avring_audio_stream *stream;
	const struct avring_audio_ring *ring;
};

static void avring_audio_hear_stream(const struct avring_audio_stream *play,
				     struct avring_audio_player *player)
{
	*player = (struct avring_audio_player){
		.layout = &play->layout,
		.base = play->base,
		.stream = play,
	};
	if (play->running) {
		player->from = max(play->seen, play->start_pos);
		player->to = play->written;
	}
}

/* Frames of the ring are counted from where its timeline was last set. */
static void avring_audio_hear_ring(const struct avring_audio_ring *ring,
				   struct avring_audio_player *player)
{
	const u32 frame_bytes = ring->layout.frame_bytes;
	const struct avring_ring *pages = ring->stream.ring;

	*player = (struct avring_audio_player){
		.layout = &ring->layout,
		.base = ring->base,
		.from = div_s64((s64)(pages->tail - ring->origin) + frame_bytes - 1, frame_bytes),
		.to = div_u64(pages->head - ring->origin, frame_bytes),
		.ring = ring,
	};
	player->from = max_t(s64, player->from, 0);
}

/* Return: false if nobody plays. */
static bool avring_audio_hear(struct avring_audio *audio, struct avring_audio_player *player)
{
	if (avring_stream_producer(&audio->ring.stream))
		avring_audio_hear_ring(&audio->ring, player);
	else
		avring_audio_hear_stream(avring_audio_playback(audio), player);
	return avring_stream_producer(&audio->ring.stream) || player->stream->running;
}

static bool avring_audio_readable(const struct avring_audio_player *player, s64 frame)
{
	return frame >= player->from && frame < player->to;
}

/* A frame that may be read. Return: it, with @run frames in a row from there on. */
static const void *avring_audio_player_at(const struct avring_audio_player *player, u64 frame,
					  u32 *run)
{
	const struct avring_audio_ring *ring = player->ring;
	u32 offset;

	if (ring) {
		*run = U32_MAX;
		return avring_ring_at(ring->stream.ring,
				      ring->origin + frame * ring->layout.frame_bytes);
	}
	div_u64_rem(frame, player->stream->buffer_frames, &offset);
	*run = player->stream->buffer_frames - offset;
	return avring_audio_frame_at(player->stream, frame);
}

static void avring_audio_silence(const struct avring_samples_layout *layout, void *dst, u32 frames)
{
	memset(dst, 0, (size_t)frames * layout->frame_bytes);
}

/* Played frames from @from on, all readable, byte by byte around the wrap. */
static void avring_audio_loop_copy(const struct avring_audio_player *player, u64 from, void *dst,
				   u32 frames)
{
	const u32 frame_bytes = player->layout->frame_bytes;

	while (frames) {
		const void *src;
		u32 chunk;

		src = avring_audio_player_at(player, from, &chunk);
		chunk = min(frames, chunk);
		memcpy(dst, src, (size_t)chunk * frame_bytes);
		dst += (size_t)chunk * frame_bytes;
		from += chunk;
		frames -= chunk;
	}
}

/* Same layout: silence, a run of played frames, silence. */
static u32 avring_audio_loop_exact(const struct avring_audio_player *player, u64 first, void *dst,
				   u32 frames)
{
	const u32 frame_bytes = player->layout->frame_bytes;
	const s64 from = first - player->base;
	const u32 lead = clamp_t(s64, player->from - from, 0, frames);
	const u32 end = clamp_t(s64, player->to - from, lead, frames);

	avring_audio_silence(player->layout, dst, lead);
	avring_audio_loop_copy(player, from + lead, dst + (size_t)lead * frame_bytes, end - lead);
	avring_audio_silence(player->layout, dst + (size_t)end * frame_bytes, frames - end);
	return frames - (end - lead);
}

/* The played frame that is heard at an event; NULL if none is. */
static const void *avring_audio_loop_frame(const struct avring_audio_player *player, u64 event)
{
	const s64 frame = event - player->base;
	u32 run;

	return avring_audio_readable(player, frame) ? avring_audio_player_at(player, frame, &run) :
						      NULL;
}

/* Anything else: frame by frame. */
static u32 avring_audio_loop_convert(const struct avring_audio_player *player,
				     const struct avring_samples_layout *layout, u64 first,
				     void *dst, u32 frames)
{
	u32 silent = 0;
	u32 i;

	for (i = 0; i < frames; i++) {
		const void *src = avring_audio_loop_frame(player, first + i);

		avring_samples_convert(player->layout, src, layout, dst);
		silent += !src;
		dst += layout->frame_bytes;
	}
	return silent;
}

/**
 * avring_audio_loop_converts() - would each frame be worked on, not only copied?
 * @audio: the sound card
 * @layout: of the frames that are captured
 *
 * Context: any, avring_audio::lock held.
 * Return: true if somebody plays in another layout.
 */
bool avring_audio_loop_converts(struct avring_audio *audio,
				const struct avring_samples_layout *layout)
{
	struct avring_audio_player player;

	return avring_audio_hear(audio, &player) && !avring_samples_equal(player.layout, layout);
}

/**
 * avring_audio_loop_fill() - what is played, as a run of captured frames
 * @audio: the sound card
 * @layout: of the frames
 * @rate: of the frames, and of the player
 * @first: event of @rate at which the first frame happens
 * @dst: where to put them
 * @frames: how many
 *
 * Context: any, avring_audio::lock held, before the playback position moves.
 * Return: how many of them are silence that nobody played.
 */
u32 avring_audio_loop_fill(struct avring_audio *audio, const struct avring_samples_layout *layout,
			   struct avring_rate rate, u64 first, void *dst, u32 frames)
{
	struct avring_audio_player player;

	if (!avring_audio_hear(audio, &player)) {
		avring_audio_silence(layout, dst, frames);
		return frames;
	}
	if (!avring_samples_equal(player.layout, layout))
		return avring_audio_loop_convert(&player, layout, first, dst, frames);
	return avring_audio_loop_exact(&player, first, dst, frames);
}
