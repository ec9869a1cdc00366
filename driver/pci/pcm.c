// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the capture PCM of the PCI card as ALSA sees it.
 *
 * Chunks land in the ring of the stream and are copied from there into ALSA's buffer. The
 * channel runs from hw_params to hw_free; between start and stop the PCM takes what comes.
 * The position moves by chunks, whether or not the application wants to be woken for its
 * periods; who does not want to finds an overrun at the next look. Time for user space is
 * as in virtual/pcm.c, with the card's clock mapped to CLOCK_MONOTONIC; before the first
 * chunk has come there is none.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <sound/core.h>
#include <sound/pcm.h>
#include <sound/pcm_params.h>

#include "pci/audio_priv.h"
#include "sound/sound.h"

#define AVRING_PCI_PCM_MIN_PERIOD	AVRING_SOUND_MIN_PERIOD
#define AVRING_PCI_PCM_MAX_BUFFER	(4 * 1024 * 1024)

/* A chunk is not longer than this part of a second if the PCM decides. */
#define AVRING_PCI_PCM_CHUNK_HZ		100

static const struct snd_pcm_hardware avring_pci_pcm_hardware = {
	.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID | SNDRV_PCM_INFO_INTERLEAVED |
		SNDRV_PCM_INFO_BATCH | SNDRV_PCM_INFO_RESUME | SNDRV_PCM_INFO_HAS_LINK_ATIME |
		SNDRV_PCM_INFO_HAS_LINK_ABSOLUTE_ATIME | SNDRV_PCM_INFO_NO_PERIOD_WAKEUP,
	.formats = AVRING_PCI_SOUND_FORMATS,
	.rates = SNDRV_PCM_RATE_CONTINUOUS | SNDRV_PCM_RATE_8000_192000,
	.rate_min = AVRING_SOUND_MIN_RATE,
	.rate_max = AVRING_SOUND_MAX_RATE,
	.channels_min = 1,
	.channels_max = AVRING_SOUND_MAX_CHANNELS,
	.buffer_bytes_max = AVRING_PCI_PCM_MAX_BUFFER,
	.period_bytes_min = AVRING_PCI_PCM_MIN_PERIOD * sizeof(s16),
	.period_bytes_max = AVRING_PCI_PCM_MAX_BUFFER / 2,
	.periods_min = 2,
	.periods_max = 1024,
};

static struct avring_pci_audio *avring_pci_pcm_audio(struct snd_pcm_substream *substream)
{
	return snd_pcm_substream_chip(substream);
}

/* ---------------------------------------------------------------- chunks come in */

static void *avring_pci_pcm_at(const struct avring_pci_pcm *pcm, u64 frame, u32 *left)
{
	u32 offset;

	div_u64_rem(frame, pcm->buffer_frames, &offset);
	*left = pcm->buffer_frames - offset;
	return pcm->area + (size_t)offset * pcm->frame_bytes;
}

static void avring_pci_pcm_copy_locked(struct avring_pci_pcm *pcm, const void *data, u32 frames)
{
	u32 left, part;
	void *to;

	while (frames) {
		to = avring_pci_pcm_at(pcm, pcm->pos, &left);
		part = min(frames, left);
		memcpy(to, data, (size_t)part * pcm->frame_bytes);
		data += (size_t)part * pcm->frame_bytes;
		pcm->pos += part;
		frames -= part;
	}
}

/* Return: a period has elapsed, and ALSA wants to hear of it. */
static bool avring_pci_pcm_append_locked(struct avring_pci_pcm *pcm, const void *data, u32 frames)
{
	bool elapsed;

	avring_pci_pcm_copy_locked(pcm, data, frames);
	elapsed = pcm->wakes && pcm->pos >= pcm->next_period;
	while (pcm->pos >= pcm->next_period)
		pcm->next_period += pcm->period_frames;
	return elapsed;
}

/* The first chunk after a start says when it is; the others must follow on. */
static bool avring_pci_pcm_follows_locked(struct avring_pci_pcm *pcm,
					  const struct avring_pci_frame *chunk)
{
	if (!pcm->joined) {
		pcm->joined = true;
		pcm->base = chunk->event - pcm->pos;
		pcm->first_ns = chunk->mono_ns - avring_clock_event_ns(pcm->rate, pcm->pos);
		pcm->jumps = chunk->jumps;
	}
	return chunk->event == pcm->base + pcm->pos && chunk->jumps == pcm->jumps;
}

/**
 * avring_pci_pcm_take() - a chunk has landed
 * @audio: the sound card; the lock of its channel is held
 * @chunk: says when it is, and where on the card's timeline
 * @data: its bytes
 * @frames: sample frames
 */
void avring_pci_pcm_take(struct avring_pci_audio *audio, const struct avring_pci_frame *chunk,
			 const void *data, u32 frames)
{
	struct avring_pci_pcm *pcm = &audio->pcm;
	bool elapsed = false, lost = false;

	spin_lock_irq(&pcm->lock);
	if (pcm->running) {
		lost = !avring_pci_pcm_follows_locked(pcm, chunk);
		pcm->xrun |= lost;
		if (!lost)
			elapsed = avring_pci_pcm_append_locked(pcm, data, frames);
	}
	spin_unlock_irq(&pcm->lock);
	if (lost)
		snd_pcm_stop_xrun(audio->substream);
	if (elapsed)
		snd_pcm_period_elapsed(audio->substream);
}

/**
 * avring_pci_pcm_feed() - will chunks come?
 * @audio: the sound card; the lock of its channel is held
 * @fed: they will
 */
void avring_pci_pcm_feed(struct avring_pci_audio *audio, bool fed)
{
	spin_lock_irq(&audio->pcm.lock);
	audio->pcm.fed = fed;
	spin_unlock_irq(&audio->pcm.lock);
}

/**
 * avring_pci_pcm_fail() - no more chunks come
 * @audio: the sound card; the lock of its channel is held
 * @err: -ENODEV if the card is gone
 *
 * Who waits for sound wakes up.
 */
void avring_pci_pcm_fail(struct avring_pci_audio *audio, int err)
{
	struct avring_pci_pcm *pcm = &audio->pcm;
	bool running;

	spin_lock_irq(&pcm->lock);
	running = pcm->running;
	pcm->xrun |= running && err != -ENODEV;
	spin_unlock_irq(&pcm->lock);
	if (!running)
		return;
	if (err != -ENODEV) {
		snd_pcm_stop_xrun(audio->substream);
		return;
	}
	snd_pcm_stream_lock_irq(audio->substream);
	if (snd_pcm_running(audio->substream))
		snd_pcm_stop(audio->substream, SNDRV_PCM_STATE_DISCONNECTED);
	snd_pcm_stream_unlock_irq(audio->substream);
}

/* ---------------------------------------------------------------- operations */

static int avring_pci_pcm_open(struct snd_pcm_substream *substream)
{
	substream->runtime->hw = avring_pci_pcm_hardware;
	return avring_sound_constrain(substream->runtime, AVRING_PCI_PCM_MIN_PERIOD,
				      AVRING_PCI_PCM_MAX_BUFFER / 2);
}

static int avring_pci_pcm_close(struct snd_pcm_substream *substream)
{
	avring_pci_sound_unuse(avring_pci_pcm_audio(substream));
	return 0;
}

/*
 * The longest chunk that finds room. Without wake-ups ALSA compares the position with the
 * time that has passed, and takes it for a lap of the buffer if it lags by half of that:
 * chunks stay well below.
 */
static u32 avring_pci_pcm_most(const struct snd_pcm_hw_params *params)
{
	const bool wakes = !(params->flags & SNDRV_PCM_HW_PARAMS_NO_PERIOD_WAKEUP);

	return max_t(u32, params_buffer_size(params) / (wakes ? 2 : 8), AVRING_SOUND_MIN_PERIOD);
}

static u32 avring_pci_pcm_chunk(const struct snd_pcm_hw_params *params)
{
	const u32 most = min(params_rate(params) / AVRING_PCI_PCM_CHUNK_HZ,
			     avring_pci_pcm_most(params));

	return max_t(u32, min(params_period_size(params), most), AVRING_SOUND_MIN_PERIOD);
}

static int avring_pci_pcm_hw_params(struct snd_pcm_substream *substream,
				    struct snd_pcm_hw_params *params)
{
	const struct avring_audio_format wish = {
		.format = (__force u32)params_format(params),
		.rate = params_rate(params),
		.channels = params_channels(params),
		.period_frames = avring_pci_pcm_chunk(params),
	};
	struct avring_audio_format format;
	int err = avring_sound_complete(&wish, AVRING_PCI_SOUND_FORMATS, &format);

	if (err)
		return err;
	return avring_pci_sound_use(avring_pci_pcm_audio(substream), &format,
				    avring_pci_pcm_most(params));
}

static int avring_pci_pcm_hw_free(struct snd_pcm_substream *substream)
{
	avring_pci_sound_unuse(avring_pci_pcm_audio(substream));
	return 0;
}

static void avring_pci_pcm_reset_locked(struct avring_pci_pcm *pcm,
					const struct snd_pcm_runtime *runtime)
{
	pcm->area = runtime->dma_area;
	pcm->rate = (struct avring_rate){ .num = runtime->rate, .den = 1 };
	pcm->frame_bytes = runtime->frame_bits / BITS_PER_BYTE;
	pcm->buffer_frames = runtime->buffer_size;
	pcm->period_frames = runtime->period_size;
	pcm->wakes = !runtime->no_period_wakeup;
	pcm->joined = false;
	pcm->xrun = false;
	pcm->pos = 0;
	pcm->seen = 0;
	pcm->next_period = pcm->period_frames;
}

static int avring_pci_pcm_prepare(struct snd_pcm_substream *substream)
{
	struct avring_pci_audio *audio = avring_pci_pcm_audio(substream);
	int err = avring_pci_sound_revive(audio);

	if (err)
		return err;
	spin_lock_irq(&audio->pcm.lock);
	avring_pci_pcm_reset_locked(&audio->pcm, substream->runtime);
	spin_unlock_irq(&audio->pcm.lock);
	return 0;
}

/* The first sample is that of the next chunk that lands. */
static int avring_pci_pcm_start_locked(struct avring_pci_pcm *pcm)
{
	if (!pcm->fed)
		return -EIO;
	pcm->joined = false;
	pcm->running = true;
	return 0;
}

/* ALSA does not say why it stops a stream; look at what made it do so. */
static bool avring_pci_pcm_is_xrun(const struct avring_pci_pcm *pcm,
				   struct snd_pcm_runtime *runtime)
{
	return pcm->xrun || (runtime->state == SNDRV_PCM_STATE_RUNNING &&
			     snd_pcm_capture_avail(runtime) >= runtime->stop_threshold);
}

static int avring_pci_pcm_trigger(struct snd_pcm_substream *substream, int cmd)
{
	struct avring_pci_pcm *pcm = &avring_pci_pcm_audio(substream)->pcm;
	int err = 0;

	spin_lock(&pcm->lock);
	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
	case SNDRV_PCM_TRIGGER_RESUME:
		err = avring_pci_pcm_start_locked(pcm);
		break;
	case SNDRV_PCM_TRIGGER_STOP:
		pcm->overruns += avring_pci_pcm_is_xrun(pcm, substream->runtime);
		fallthrough;
	case SNDRV_PCM_TRIGGER_SUSPEND:
		pcm->running = false;
		break;
	default:
		err = -EINVAL;
	}
	spin_unlock(&pcm->lock);
	return err;
}

/* Whoever was about to use the stream when it stopped has done so. */
static int avring_pci_pcm_sync_stop(struct snd_pcm_substream *substream)
{
	struct avring_pci_channel *ch = avring_pci_pcm_audio(substream)->lane.ch;

	mutex_lock(&ch->lock);
	mutex_unlock(&ch->lock);
	return 0;
}

static snd_pcm_uframes_t avring_pci_pcm_pointer(struct snd_pcm_substream *substream)
{
	struct avring_pci_pcm *pcm = &avring_pci_pcm_audio(substream)->pcm;
	struct snd_pcm_runtime *runtime = substream->runtime;
	bool xrun;
	u32 offset;

	avring_sound_forget_time_type(runtime);
	spin_lock(&pcm->lock);
	/* ALSA sees positions modulo the buffer, and counts laps in jiffies. */
	pcm->xrun |= pcm->pos - pcm->seen >= pcm->buffer_frames &&
		     runtime->stop_threshold <= pcm->buffer_frames;
	xrun = pcm->xrun;
	pcm->seen = pcm->pos;
	div_u64_rem(pcm->pos, pcm->buffer_frames, &offset);
	spin_unlock(&pcm->lock);
	return xrun ? SNDRV_PCM_POS_XRUN : offset;
}

/*
 * ALSA calls this right after pointer, in the same hold of the stream lock, under which
 * alone seen changes. The time of frame 0 was read once: read again, off a line that has
 * been bent since, it would wander. After a jump of the card's clock nobody knows the time of
 * what came before, until the next chunk does not follow.
 */
static int avring_pci_pcm_get_time_info(struct snd_pcm_substream *substream,
					struct timespec64 *system_ts, struct timespec64 *audio_ts,
					struct snd_pcm_audio_tstamp_config *config,
					struct snd_pcm_audio_tstamp_report *report)
{
	struct avring_pci_audio *audio = avring_pci_pcm_audio(substream);
	const struct avring_servo_line line = avring_servo_line(&audio->lane.ch->pci->servo);
	struct avring_pci_pcm *pcm = &audio->pcm;
	u64 ns, base, first_ns;
	bool known;

	spin_lock(&pcm->lock);
	known = pcm->joined && pcm->jumps == line.jumps;
	base = pcm->base;
	first_ns = pcm->first_ns;
	spin_unlock(&pcm->lock);
	if (!avring_sound_wants_time(config, report))
		return 0;
	if (!known) {
		report->actual_type = SNDRV_PCM_AUDIO_TSTAMP_TYPE_DEFAULT;
		return 0;
	}
	ns = avring_servo_mono_ns(&line, avring_clock_event_ns(pcm->rate, base + pcm->seen));
	*system_ts = avring_sound_stamp(substream->runtime, ns);
	avring_sound_tell_time(config, ns, first_ns, audio_ts, report);
	return 0;
}

static const struct snd_pcm_ops avring_pci_pcm_ops = {
	.open = avring_pci_pcm_open,
	.close = avring_pci_pcm_close,
	.hw_params = avring_pci_pcm_hw_params,
	.hw_free = avring_pci_pcm_hw_free,
	.prepare = avring_pci_pcm_prepare,
	.trigger = avring_pci_pcm_trigger,
	.sync_stop = avring_pci_pcm_sync_stop,
	.pointer = avring_pci_pcm_pointer,
	.get_time_info = avring_pci_pcm_get_time_info,
};

/**
 * avring_pci_pcm_new() - add PCM device 0 to the card
 * @audio: the sound card
 *
 * Its buffer is ordinary memory: what the card writes to is the ring.
 *
 * Return: 0 or a negative errno.
 */
int avring_pci_pcm_new(struct avring_pci_audio *audio)
{
	struct snd_pcm *pcm;
	int err;

	spin_lock_init(&audio->pcm.lock);
	err = snd_pcm_new(audio->card, "avring", 0, 0, 1, &pcm);
	if (err < 0)
		return err;
	pcm->private_data = audio;
	avring_sound_name_pcm(pcm);
	snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_CAPTURE, &avring_pci_pcm_ops);
	audio->substream = pcm->streams[SNDRV_PCM_STREAM_CAPTURE].substream;
	return snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_VMALLOC, NULL, 0, 0);
}
