// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the sound of the PCI card as a stream: the card writes chunks into a ring, round
 * and round, for as long as anybody uses the stream. Readers of the ring node see them
 * where they landed; the PCM is one more user and gets a copy.
 *
 * Who comes first decides on the format. What is lost on the way is missing in the sequence
 * of the entries, which are numbered by the card's timeline, and stops the PCM.
 */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pci/audio_priv.h"
#include "sound/sound.h"

/* The card may be ahead of us by so much sound; the readers miss it in the ring. */
#define AVRING_PCI_AHEAD_HZ	10

/* The card numbers its formats as ALSA does. */
static_assert((__force u32)SNDRV_PCM_FORMAT_S16_LE == AVRING_SAMPLE_S16_LE);
static_assert((__force u32)SNDRV_PCM_FORMAT_S24_LE == AVRING_SAMPLE_S24_LE);
static_assert((__force u32)SNDRV_PCM_FORMAT_S32_LE == AVRING_SAMPLE_S32_LE);

static u32 avring_pci_sound_chunk_bytes(const struct avring_pci_audio *audio)
{
	return audio->format.period_frames * audio->format.frame_bytes;
}

/* Byte of the ring's first image where a position lies. */
static size_t avring_pci_sound_offset(const struct avring_ring *ring, u64 position)
{
	u64 offset;

	div64_u64_rem(position, ring->geometry.length, &offset);
	return offset;
}

static u32 avring_pci_sound_depth(const struct avring_pci_audio *audio, size_t length)
{
	const struct avring_audio_format *format = &audio->format;
	const u32 ahead = format->rate / AVRING_PCI_AHEAD_HZ / format->period_frames;
	const u32 half = length / avring_pci_sound_chunk_bytes(audio) / 2;

	return min(max(ahead, 2U), half);
}

/*
 * Allow the card @chunks more. They are given up before it may write them: a reader that
 * looks at the tail after it has used a chunk knows whether it was intact.
 */
static void avring_pci_sound_grant(struct avring_pci_audio *audio, u32 chunks)
{
	struct avring_ring *ring = audio->stream.ring;
	const u32 bytes = avring_pci_sound_chunk_bytes(audio);
	const u64 first = avring_ring_next_position(ring) + (u64)(audio->depth - chunks) * bytes;

	avring_ring_reserve(ring, audio->depth);
	avring_dma_sync_for_device(&audio->dma, avring_pci_sound_offset(ring, first),
				   (size_t)chunks * bytes);
	audio->granted += chunks;
	avring_pci_grant(audio->ch, audio->granted);
}

/* There is a ring; the channel's lock is held. */
static int avring_pci_sound_run(struct avring_pci_audio *audio)
{
	const struct avring_audio_format *format = &audio->format;
	const struct avring_pci_config config = {
		.rate = { .num = format->rate, .den = 1 },
		.frame_bytes = avring_pci_sound_chunk_bytes(audio),
		.format = format->format,
		.channels = format->channels,
		.chunk_frames = format->period_frames,
		.input = audio->input,
		.pattern = AVRING_PATTERN_REG_STAMPED,
		.align = audio->stream.ring->geometry.align,
	};
	int err = avring_pci_start_cyclic(audio->ch, &config, &audio->dma,
					  avring_ring_next_position(audio->stream.ring));

	if (err)
		return err;
	audio->granted = 0;
	avring_pci_sound_grant(audio, audio->depth);
	avring_pci_pcm_feed(audio, true);
	return 0;
}

/*
 * Another ring, or none, instead of the one that there is: the card writes no more into that. The
 * channel's lock is held, and it does not run.
 */
static void avring_pci_sound_replace(struct avring_pci_audio *audio, struct avring_ring *ring,
				     const struct avring_dma *dma, u32 state)
{
	struct avring_ring *old = avring_stream_replace(&audio->stream, ring, state);

	avring_pci_pcm_feed(audio, false);
	if (old) {
		avring_dma_unmap(&audio->dma);
		avring_ring_put(old);
	}
	if (ring)
		audio->dma = *dma;
}

static struct avring_pci_audio *avring_pci_audio_of(struct avring_stream *stream)
{
	return container_of(stream, struct avring_pci_audio, stream);
}

static void avring_pci_sound_end(struct avring_stream *stream, u32 state)
{
	struct avring_pci_audio *audio = avring_pci_audio_of(stream);

	if (state == AVRING_STATE_GONE) {
		audio->gone = true;
		audio->pcm_uses = false;
	}
	mutex_lock(&audio->ch->lock);
	avring_pci_stop(audio->ch);
	avring_pci_sound_replace(audio, NULL, NULL, state);
	mutex_unlock(&audio->ch->lock);
}

/* Let the card write into a new ring. The tune lock is held, and no ring is written. */
static int avring_pci_sound_begin(struct avring_pci_audio *audio,
				  const struct avring_audio_format *format)
{
	struct avring_ring *ring = avring_sound_new_ring(&audio->stream, format);
	struct avring_dma dma;
	int err;

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	err = avring_dma_map(&dma, audio->parent, ring->data, DMA_FROM_DEVICE);
	if (err) {
		avring_ring_put(ring);
		return err;
	}
	mutex_lock(&audio->ch->lock);
	audio->format = *format;
	audio->depth = avring_pci_sound_depth(audio, ring->geometry.length);
	if (!audio->stream.users)
		memset(&audio->count, 0, sizeof(audio->count));
	avring_pci_sound_replace(audio, ring, &dma, AVRING_STATE_STALE);
	err = avring_pci_sound_run(audio);
	if (err)
		avring_pci_sound_replace(audio, NULL, NULL, AVRING_STATE_STALE);
	mutex_unlock(&audio->ch->lock);
	return err;
}

static bool avring_pci_sound_runs(struct avring_pci_audio *audio)
{
	bool runs;

	mutex_lock(&audio->ch->lock);
	runs = avring_stream_fills(&audio->stream);
	mutex_unlock(&audio->ch->lock);
	return runs;
}

/* Make sure that the card writes; @wish counts if nobody uses the stream yet. */
static int avring_pci_sound_ensure(struct avring_pci_audio *audio,
				   const struct avring_audio_format *wish)
{
	const struct avring_audio_format format = audio->stream.users ? audio->format : *wish;

	lockdep_assert_held(&audio->stream.tune);
	if (audio->gone)
		return -ENODEV;
	return avring_pci_sound_runs(audio) ? 0 : avring_pci_sound_begin(audio, &format);
}

static int avring_pci_sound_renew(struct avring_stream *stream,
				  const struct avring_stream_format *format,
				  const struct avring_ring_reader *producer)
{
	return avring_pci_sound_ensure(avring_pci_audio_of(stream), &stream->audio);
}

static int avring_pci_sound_wish(struct avring_setup *setup)
{
	return avring_sound_wish(setup, AVRING_PCI_SOUND_FORMATS);
}

static const struct avring_stream_ops avring_pci_sound_stream_ops = {
	.renew = avring_pci_sound_renew,
	.end = avring_pci_sound_end,
	.wish = avring_pci_sound_wish,
};

/**
 * avring_pci_audio_stream() - the stream of the sound, for the ring node
 * @audio: the sound card
 *
 * Return: it lives as long as the sound card.
 */
struct avring_stream *avring_pci_audio_stream(struct avring_pci_audio *audio)
{
	return &audio->stream;
}

/* ---------------------------------------------------------------- the channel */

/* Return: bytes of whole sample frames, or -EPROTO for a chunk that was not asked for. */
static int avring_pci_sound_check(const struct avring_pci_audio *audio,
				  const struct avring_pci_frame *frame)
{
	const u32 wanted = avring_pci_sound_chunk_bytes(audio);
	const bool shortened = frame->flags & (AVRING_DONE_SHORT | AVRING_DONE_TRUNCATED);

	if (!audio->stream.ring || frame->tag != avring_ring_next_position(audio->stream.ring))
		return -EPROTO;
	if (shortened ? frame->bytes > wanted : frame->bytes != wanted)
		return -EPROTO;
	return rounddown(frame->bytes, audio->format.frame_bytes);
}

static void avring_pci_sound_publish(struct avring_pci_audio *audio,
				     const struct avring_pci_frame *frame, u32 bytes)
{
	const struct avring_rate rate = { .num = audio->format.rate, .den = 1 };
	const u32 count = bytes / audio->format.frame_bytes;
	struct avring_ring *ring = audio->stream.ring;
	const struct avring_entry entry = {
		.time_ns = avring_pci_mono_ns(audio->ch->pci, frame->time_ns),
		.event = frame->event,
		.sequence = avring_pci_sequence(&audio->count, rate, frame->event, count),
		.count = count,
		.length = bytes,
		.flags = frame->flags & AVRING_DONE_NO_SIGNAL ? AVRING_ENTRY_NO_SIGNAL : 0,
	};

	avring_dma_sync_for_cpu(&audio->dma, avring_pci_sound_offset(ring, frame->tag), bytes);
	avring_ring_commit(ring, &entry);
	avring_pci_pcm_take(audio, entry.event, avring_ring_last(ring), entry.count);
}

/*
 * A chunk of less than one sample frame is as good as lost. Behind one that is short the
 * card leaves the room that a whole one takes.
 */
static int avring_pci_sound_landed(void *data, const struct avring_pci_frame *frame)
{
	struct avring_pci_audio *audio = data;
	int bytes = avring_pci_sound_check(audio, frame);

	if (bytes < 0)
		return bytes;
	if (bytes)
		avring_pci_sound_publish(audio, frame, bytes);
	avring_ring_skip(audio->stream.ring, frame->tag + avring_pci_sound_chunk_bytes(audio));
	avring_pci_sound_grant(audio, 1);
	return 0;
}

static int avring_pci_sound_restart(void *data)
{
	struct avring_pci_audio *audio = data;

	return avring_stream_fills(&audio->stream) ? avring_pci_sound_run(audio) : 0;
}

/* Users stay, and find that nothing comes: a reader attaches anew, the PCM prepares. */
static void avring_pci_sound_failed(void *data, int err)
{
	struct avring_pci_audio *audio = data;

	if (audio->stream.ring)
		avring_ring_end(audio->stream.ring, AVRING_STATE_STALE);
	avring_pci_pcm_feed(audio, false);
	avring_pci_pcm_fail(audio, err);
}

static const struct avring_pci_channel_ops avring_pci_sound_channel_ops = {
	.landed = avring_pci_sound_landed,
	.restart = avring_pci_sound_restart,
	.failed = avring_pci_sound_failed,
};

/* ---------------------------------------------------------------- the PCM as a user */

static void avring_pci_sound_leave(struct avring_pci_audio *audio)
{
	if (!audio->pcm_uses)
		return;
	audio->pcm_uses = false;
	avring_stream_leave(&audio->stream);
}

/* Others have decided; a chunk must find room, or ALSA cannot follow. */
static bool avring_pci_sound_agrees(const struct avring_pci_audio *audio,
				    const struct avring_audio_format *format, u32 most_frames)
{
	return audio->format.format == format->format && audio->format.rate == format->rate &&
	       audio->format.channels == format->channels &&
	       most_frames >= audio->format.period_frames;
}

/**
 * avring_pci_sound_use() - the PCM wants sound
 * @audio: the sound card
 * @format: complete; its period counts if the PCM comes first
 * @most_frames: the longest chunk that finds room in the PCM's buffer
 *
 * Context: process, may sleep.
 * Return: 0; -EBUSY the stream is in use in a way that the PCM cannot follow; -ENOMEM,
 * -EIO, -ENODEV.
 */
int avring_pci_sound_use(struct avring_pci_audio *audio, const struct avring_audio_format *format,
			 u32 most_frames)
{
	int err = -EBUSY;

	mutex_lock(&audio->stream.tune);
	avring_pci_sound_leave(audio);
	if (!audio->stream.users || avring_pci_sound_agrees(audio, format, most_frames))
		err = avring_pci_sound_ensure(audio, format);
	if (!err) {
		audio->pcm_uses = true;
		audio->stream.users++;
	}
	mutex_unlock(&audio->stream.tune);
	return err;
}

/**
 * avring_pci_sound_revive() - the PCM, which uses the stream, wants it to run
 * @audio: the sound card
 *
 * It runs, unless the channel has failed. Context: process, may sleep.
 *
 * Return: 0, -ENOMEM, -EIO, -ENODEV.
 */
int avring_pci_sound_revive(struct avring_pci_audio *audio)
{
	int err = -ENODEV;

	mutex_lock(&audio->stream.tune);
	if (audio->pcm_uses)
		err = avring_pci_sound_ensure(audio, &audio->format);
	mutex_unlock(&audio->stream.tune);
	return err;
}

/**
 * avring_pci_sound_unuse() - the PCM does not want sound any more
 * @audio: the sound card; need not be in use
 *
 * Context: process, may sleep.
 */
void avring_pci_sound_unuse(struct avring_pci_audio *audio)
{
	mutex_lock(&audio->stream.tune);
	avring_pci_sound_leave(audio);
	mutex_unlock(&audio->stream.tune);
}

/**
 * avring_pci_sound_set_input() - where the sound comes from
 * @audio: the sound card
 * @input: AVRING_INPUT_REG_*
 *
 * A stream that runs goes on, with a gap. Context: process, may sleep.
 *
 * Return: 0 nothing has changed, 1, or as for a channel that starts; then it has failed.
 */
int avring_pci_sound_set_input(struct avring_pci_audio *audio, u32 input)
{
	int err = 0;
	bool changed;

	mutex_lock(&audio->ch->lock);
	changed = audio->input != input;
	audio->input = input;
	if (changed && avring_stream_fills(&audio->stream)) {
		avring_pci_stop(audio->ch);
		err = avring_pci_sound_run(audio);
		if (err)
			avring_pci_sound_failed(audio, err);
	}
	mutex_unlock(&audio->ch->lock);
	return err ?: changed;
}

/**
 * avring_pci_sound_gone() - end everything, the card is removed
 * @audio: the sound card
 *
 * Who uses the stream gets no more, and is told by others. May be called again.
 */
void avring_pci_sound_gone(struct avring_pci_audio *audio)
{
	avring_stream_gone(&audio->stream);
}

/**
 * avring_pci_sound_init() - prepare the stream that nobody uses
 * @audio: with its channel, which gets its owner here
 * @line: the sound comes from the line
 */
void avring_pci_sound_init(struct avring_pci_audio *audio, bool line)
{
	avring_stream_init(&audio->stream, &avring_pci_sound_stream_ops);
	avring_sound_wish_default(&audio->stream);
	audio->input = line ? AVRING_INPUT_REG_LINE : AVRING_INPUT_REG_GENERATOR;
	audio->ch->ops = &avring_pci_sound_channel_ops;
	audio->ch->data = audio;
}
