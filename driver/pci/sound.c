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
#include <linux/minmax.h>
#include <linux/string.h>

#include "pci/audio_priv.h"
#include "sound/sound.h"

/* The card may be ahead of us by so much sound; the readers miss it in the ring. */
#define AVRING_PCI_AHEAD_HZ	10

/* The card numbers its formats as ALSA does. */
static_assert((__force u32)SNDRV_PCM_FORMAT_S16_LE == AVRING_PCI_SAMPLE_S16_LE);
static_assert((__force u32)SNDRV_PCM_FORMAT_S24_LE == AVRING_PCI_SAMPLE_S24_LE);
static_assert((__force u32)SNDRV_PCM_FORMAT_S32_LE == AVRING_PCI_SAMPLE_S32_LE);

/* The channel's lock is held, and it does not run. */
static void avring_pci_sound_set_format(struct avring_pci_audio *audio,
					const struct avring_audio_format *format)
{
	const u32 ahead = format->rate / AVRING_PCI_AHEAD_HZ / format->period_frames;

	audio->format = *format;
	audio->lane.ahead = max(ahead, 2U);
	audio->lane.config = (struct avring_pci_config){
		.rate = { .num = format->rate, .den = 1 },
		.frame_bytes = format->period_frames * format->frame_bytes,
		.format = format->format,
		.channels = format->channels,
		.chunk_frames = format->period_frames,
		.input = audio->lane.config.input,
		.pattern = AVRING_PCI_PATTERN_REG_STAMPED,
	};
}

/* There is a ring; the channel's lock is held. */
static int avring_pci_sound_run(struct avring_pci_audio *audio)
{
	int err = avring_pci_lane_run(&audio->lane);

	if (!err)
		avring_pci_pcm_feed(audio, true);
	return err;
}

/*
 * Another ring, or none, instead of the one that there is: the card writes no more into that. The
 * channel's lock is held, and it does not run.
 */
static void avring_pci_sound_swap(struct avring_pci_audio *audio, struct avring_pci_backed *ring,
				  u32 state)
{
	avring_pci_lane_swap(&audio->lane, ring, state);
	avring_pci_pcm_feed(audio, false);
}

static struct avring_pci_audio *avring_pci_audio_of(struct avring_stream *stream)
{
	return container_of(stream, struct avring_pci_audio, lane.stream);
}

static void avring_pci_sound_end(struct avring_stream *stream, u32 state)
{
	struct avring_pci_audio *audio = avring_pci_audio_of(stream);
	struct avring_pci_backed ring = { };

	if (state == AVRING_STATE_GONE) {
		audio->gone = true;
		audio->pcm_uses = false;
	}
	mutex_lock(&audio->lane.ch->lock);
	avring_pci_stop(audio->lane.ch);
	avring_pci_sound_swap(audio, &ring, state);
	mutex_unlock(&audio->lane.ch->lock);
	avring_pci_unback(&ring);
}

/* Let the card write into a new ring. The tune lock is held. */
static int avring_pci_sound_begin(struct avring_pci_audio *audio,
				  const struct avring_audio_format *format)
{
	struct avring_ring *ring = avring_sound_new_ring(&audio->lane.stream, format);
	struct avring_pci_backed backed, none = { };
	int err;

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	err = avring_pci_back(&audio->lane, ring, &backed);
	if (err)
		return err;
	mutex_lock(&audio->lane.ch->lock);
	avring_pci_stop(audio->lane.ch);
	avring_pci_sound_set_format(audio, format);
	avring_pci_sound_swap(audio, &backed, AVRING_STATE_STALE);
	err = avring_pci_sound_run(audio);
	/* In one hold: nobody else finds a ring that could be started. */
	if (err)
		avring_pci_sound_swap(audio, &none, AVRING_STATE_STALE);
	mutex_unlock(&audio->lane.ch->lock);
	avring_pci_unback(&backed);
	avring_pci_unback(&none);
	return err;
}

static bool avring_pci_sound_runs(struct avring_pci_audio *audio)
{
	bool runs;

	mutex_lock(&audio->lane.ch->lock);
	runs = avring_stream_fills(&audio->lane.stream);
	mutex_unlock(&audio->lane.ch->lock);
	return runs;
}

/* Make sure that the card writes; @wish counts if nobody uses the stream yet. */
static int avring_pci_sound_ensure(struct avring_pci_audio *audio,
				   const struct avring_audio_format *wish)
{
	const struct avring_audio_format format = audio->lane.stream.users ? audio->format : *wish;

	lockdep_assert_held(&audio->lane.stream.tune);
	if (audio->gone)
		return -ENODEV;
	return avring_pci_sound_runs(audio) ? 0 : avring_pci_sound_begin(audio, &format);
}

static int avring_pci_sound_renew(struct avring_stream *stream,
				  const struct avring_stream_format *format,
				  const struct avring_ring_reader *producer)
{
	struct avring_pci_audio *audio = avring_pci_audio_of(stream);
	struct avring_audio_format wished, complete;
	int err;

	/* The PCM could not follow, nor go on without a gap. */
	if (audio->pcm_uses)
		return avring_pci_sound_ensure(audio, &audio->format);
	if (audio->gone)
		return -ENODEV;
	avring_stream_wished_audio(stream, &wished);
	err = avring_sound_complete(&wished, AVRING_PCI_SOUND_FORMATS, &complete);
	return err ?: avring_pci_sound_begin(audio, &complete);
}

static int avring_pci_sound_wish(const struct avring_wish *wish)
{
	return avring_sound_wish(wish, AVRING_PCI_SOUND_FORMATS);
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
	return &audio->lane.stream;
}

/* ---------------------------------------------------------------- the channel */

/* Return: bytes of whole sample frames, or -EPROTO for a chunk that was not asked for. */
static int avring_pci_sound_check(const struct avring_pci_audio *audio,
				  const struct avring_pci_frame *frame)
{
	const u32 wanted = audio->lane.config.frame_bytes;
	const bool shortened = frame->flags & (AVRING_PCI_DONE_SHORT | AVRING_PCI_DONE_TRUNCATED);

	if (!avring_pci_lane_expects(&audio->lane, frame))
		return -EPROTO;
	if (shortened ? frame->bytes > wanted : frame->bytes != wanted)
		return -EPROTO;
	return rounddown(frame->bytes, audio->format.frame_bytes);
}

/* A chunk of less than one sample frame is as good as lost. */
static int avring_pci_sound_landed(void *data, const struct avring_pci_frame *frame)
{
	struct avring_pci_audio *audio = data;
	const u32 frame_bytes = audio->format.frame_bytes;
	int bytes = avring_pci_sound_check(audio, frame);

	if (bytes < 0)
		return bytes;
	if (bytes) {
		avring_pci_lane_publish(&audio->lane, frame, bytes, bytes / frame_bytes, 0);
		avring_pci_pcm_take(audio, frame, avring_ring_last(audio->lane.stream.ring),
				    bytes / frame_bytes);
	}
	avring_pci_lane_next(&audio->lane, frame);
	return 0;
}

static int avring_pci_sound_restart(void *data)
{
	struct avring_pci_audio *audio = data;

	return avring_stream_fills(&audio->lane.stream) ? avring_pci_sound_run(audio) : 0;
}

/* Users stay, and find that nothing comes: a reader attaches anew, the PCM prepares. */
static void avring_pci_sound_failed(void *data, int err)
{
	struct avring_pci_audio *audio = data;

	if (audio->lane.stream.ring)
		avring_ring_end(audio->lane.stream.ring, AVRING_STATE_STALE);
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
	avring_stream_leave(&audio->lane.stream);
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

	mutex_lock(&audio->lane.stream.tune);
	avring_pci_sound_leave(audio);
	if (!audio->lane.stream.users || avring_pci_sound_agrees(audio, format, most_frames))
		err = avring_pci_sound_ensure(audio, format);
	if (!err) {
		audio->pcm_uses = true;
		audio->lane.stream.users++;
	}
	mutex_unlock(&audio->lane.stream.tune);
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

	mutex_lock(&audio->lane.stream.tune);
	if (audio->pcm_uses)
		err = avring_pci_sound_ensure(audio, &audio->format);
	mutex_unlock(&audio->lane.stream.tune);
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
	mutex_lock(&audio->lane.stream.tune);
	avring_pci_sound_leave(audio);
	mutex_unlock(&audio->lane.stream.tune);
}

/**
 * avring_pci_sound_set_input() - where the sound comes from
 * @audio: the sound card
 * @input: AVRING_PCI_INPUT_REG_*
 *
 * A stream that runs goes on, with a gap. Context: process, may sleep.
 *
 * Return: 0 nothing has changed, 1, or as for a channel that starts; then it has failed.
 */
int avring_pci_sound_set_input(struct avring_pci_audio *audio, u32 input)
{
	int err = 0;
	bool changed;

	mutex_lock(&audio->lane.ch->lock);
	changed = audio->lane.config.input != input;
	audio->lane.config.input = input;
	if (changed && avring_stream_fills(&audio->lane.stream)) {
		avring_pci_stop(audio->lane.ch);
		err = avring_pci_sound_run(audio);
		if (err)
			avring_pci_sound_failed(audio, err);
	}
	mutex_unlock(&audio->lane.ch->lock);
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
	avring_stream_gone(&audio->lane.stream);
}

/**
 * avring_pci_sound_init() - prepare the stream that nobody uses
 * @audio: with its channel, which gets its owner here
 * @line: the sound comes from the line
 */
void avring_pci_sound_init(struct avring_pci_audio *audio, bool line)
{
	avring_stream_init(&audio->lane.stream, &avring_pci_sound_stream_ops);
	audio->lane.config.input = line ? AVRING_PCI_INPUT_REG_LINE :
					  AVRING_PCI_INPUT_REG_GENERATOR;
	audio->lane.ch->ops = &avring_pci_sound_channel_ops;
	audio->lane.ch->data = audio;
}
