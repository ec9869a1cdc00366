// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the PCM device as ALSA sees it.
 *
 * The buffers are stores, not ALSA's managed buffers: the page operation hands
 * their pages to the core's own fault handler, so a mapping consists of ordinary
 * referenced pages. ALSA keeps hw_params, hw_free, close, prepare and mmap apart
 * (runtime->buffer_accessing). Only OSS emulation may change parameters of a
 * mapped stream, and there a mapping keeps its store until close.
 *
 * Time for user space. Ask for audio timestamps of type LINK: then htstamp is
 * the card time of the frame at the hardware position, and audio_htstamp the
 * time from frame 0 to that frame; their difference is the card time of frame 0,
 * constant to the nanosecond from start to pause or stop. Type LINK_ABSOLUTE
 * reports the card time itself, whatever clock the application has chosen for
 * htstamp. With CLOCK_MONOTONIC both are exact and avring_clock_event_at() of
 * htstamp is the number of the frame on the absolute timeline. trigger_htstamp is
 * the card time of the first frame after the start or the pause.
 */
#include <linux/err.h>
#include <sound/core.h>
#include <sound/pcm.h>
#include <sound/pcm_params.h>

#include "memory/store.h"
#include "sound/sound.h"
#include "virtual/audio_priv.h"

#define AVRING_PCM_MIN_PERIOD_FRAMES	32
#define AVRING_PCM_MAX_PERIODS		1024
#define AVRING_PCM_MAX_BUFFER_BYTES	(4 * 1024 * 1024)

static const struct snd_pcm_hardware avring_pcm_hardware = {
	.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID |
		SNDRV_PCM_INFO_INTERLEAVED | SNDRV_PCM_INFO_PAUSE |
		SNDRV_PCM_INFO_RESUME | SNDRV_PCM_INFO_SYNC_START |
		SNDRV_PCM_INFO_HAS_LINK_ATIME | SNDRV_PCM_INFO_HAS_LINK_ABSOLUTE_ATIME |
		SNDRV_PCM_INFO_DRAIN_TRIGGER | SNDRV_PCM_INFO_NO_PERIOD_WAKEUP,
	.formats = AVRING_SAMPLES_FORMATS,
	.rates = SNDRV_PCM_RATE_CONTINUOUS | SNDRV_PCM_RATE_8000_192000,
	.rate_min = 8000,
	.rate_max = 192000,
	.channels_min = 1,
	.channels_max = AVRING_SAMPLES_MAX_CHANNELS,
	.buffer_bytes_max = AVRING_PCM_MAX_BUFFER_BYTES,
	.period_bytes_min = AVRING_PCM_MIN_PERIOD_FRAMES * sizeof(s16),
	.period_bytes_max = AVRING_PCM_MAX_BUFFER_BYTES / 2,
	.periods_min = 2,
	.periods_max = AVRING_PCM_MAX_PERIODS,
};

static struct avring_audio *avring_pcm_audio(struct snd_pcm_substream *substream)
{
	return snd_pcm_substream_chip(substream);
}

static struct avring_audio_stream *avring_pcm_stream(struct snd_pcm_substream *substream)
{
	return &avring_pcm_audio(substream)->streams[substream->stream];
}

/* What is heard of each other has one rate: an application converts, or is refused. */
static int avring_pcm_agree_on_rate(struct snd_pcm_hw_params *params, struct snd_pcm_hw_rule *rule)
{
	struct snd_pcm_substream *substream = rule->private;
	struct avring_audio *audio = avring_pcm_audio(substream);
	struct snd_interval agreed = {};

	spin_lock_irq(&audio->lock);
	agreed.min = avring_audio_agreed_rate_locked(audio, &avring_pcm_stream(substream)->claim);
	spin_unlock_irq(&audio->lock);
	if (!agreed.min)
		return 0;
	agreed.max = agreed.min;
	return snd_interval_refine(hw_param_interval(params, rule->var), &agreed);
}

static int avring_pcm_constrain(struct snd_pcm_substream *substream)
{
	int err = snd_pcm_hw_rule_add(substream->runtime, 0, SNDRV_PCM_HW_PARAM_RATE,
				      avring_pcm_agree_on_rate, substream,
				      SNDRV_PCM_HW_PARAM_RATE, -1);

	if (err < 0)
		return err;
	return avring_sound_constrain(substream->runtime, AVRING_PCM_MIN_PERIOD_FRAMES,
				      AVRING_PCM_MAX_BUFFER_BYTES / 2);
}

static int avring_pcm_open(struct snd_pcm_substream *substream)
{
	struct avring_audio *audio = avring_pcm_audio(substream);
	struct avring_audio_stream *stream = avring_pcm_stream(substream);
	int err;

	substream->runtime->hw = avring_pcm_hardware;
	snd_pcm_set_sync(substream);
	err = avring_pcm_constrain(substream);
	if (err < 0)
		return err;

	/* Somebody who writes the ring in place is the player. */
	err = 0;
	spin_lock_irq(&audio->lock);
	if (stream == avring_audio_playback(audio) && avring_stream_producer(&audio->ring.stream))
		err = -EBUSY;
	else
		stream->substream = substream;
	spin_unlock_irq(&audio->lock);
	return err;
}

/* Forget the buffer. The stream is stopped and what was due has been taken. */
static void avring_pcm_detach_buffer(struct snd_pcm_substream *substream)
{
	struct avring_audio *audio = avring_pcm_audio(substream);
	struct avring_audio_stream *stream = avring_pcm_stream(substream);

	spin_lock_irq(&audio->lock);
	stream->running = false;
	stream->area = NULL;
	stream->claim = 0;
	spin_unlock_irq(&audio->lock);
	substream->runtime->dma_area = NULL;
	substream->runtime->dma_bytes = 0;
}

static void avring_pcm_drop_store(struct avring_audio_stream *stream)
{
	if (stream->store)
		avring_store_put(stream->store);
	stream->store = NULL;
}

static int avring_pcm_close(struct snd_pcm_substream *substream)
{
	struct avring_audio *audio = avring_pcm_audio(substream);
	struct avring_audio_stream *stream = avring_pcm_stream(substream);

	avring_pcm_detach_buffer(substream);
	avring_pcm_drop_store(stream);
	spin_lock_irq(&audio->lock);
	stream->substream = NULL;
	spin_unlock_irq(&audio->lock);
	return 0;
}

static int avring_pcm_new_store(struct avring_audio *audio, struct avring_audio_stream *stream,
				size_t size)
{
	struct avring_store *store = avring_store_new(audio->ring.stream.account, size);

	if (IS_ERR(store))
		return PTR_ERR(store);
	if (!avring_store_vaddr(store)) {
		avring_store_put(store);
		return -ENOMEM;
	}
	stream->store = store;
	return 0;
}

/* The other side may have got its rate since ours was refined. */
static int avring_pcm_claim(struct snd_pcm_substream *substream, u32 rate)
{
	struct avring_audio *audio = avring_pcm_audio(substream);
	struct avring_audio_stream *stream = avring_pcm_stream(substream);
	bool fits;

	spin_lock_irq(&audio->lock);
	fits = avring_audio_rate_fits_locked(audio, &stream->claim, rate);
	if (fits)
		stream->claim = rate;
	spin_unlock_irq(&audio->lock);
	return fits ? 0 : -EINVAL;
}

static int avring_pcm_hw_params(struct snd_pcm_substream *substream,
				struct snd_pcm_hw_params *params)
{
	struct avring_audio_stream *stream = avring_pcm_stream(substream);
	const size_t size = params_buffer_bytes(params);
	int err;

	avring_pcm_detach_buffer(substream);
	err = avring_pcm_claim(substream, params_rate(params));
	if (err)
		return err;
	if (!stream->store || stream->store->size != size) {
		if (atomic_read(&substream->mmap_count))
			return -EBUSY;
		avring_pcm_drop_store(stream);
		err = avring_pcm_new_store(avring_pcm_audio(substream), stream, size);
		if (err)
			return err;
	}
	substream->runtime->dma_area = avring_store_vaddr(stream->store);
	substream->runtime->dma_bytes = size;
	return 0;
}

static int avring_pcm_hw_free(struct snd_pcm_substream *substream)
{
	avring_pcm_detach_buffer(substream);
	if (!atomic_read(&substream->mmap_count))
		avring_pcm_drop_store(avring_pcm_stream(substream));
	return 0;
}

static void avring_pcm_set_geometry(struct avring_audio_stream *stream,
				    const struct snd_pcm_runtime *runtime)
{
	stream->area = runtime->dma_area;
	stream->layout.format = runtime->format;
	stream->layout.channels = runtime->channels;
	stream->layout.frame_bytes = runtime->frame_bits / BITS_PER_BYTE;
	stream->rate.num = runtime->rate;
	stream->rate.den = 1;
	stream->buffer_frames = runtime->buffer_size;
	stream->period_frames = runtime->period_size;
	stream->wakes = !runtime->no_period_wakeup;
}

static int avring_pcm_prepare(struct snd_pcm_substream *substream)
{
	struct avring_audio *audio = avring_pcm_audio(substream);
	struct avring_audio_stream *stream = avring_pcm_stream(substream);

	spin_lock_irq(&audio->lock);
	avring_pcm_set_geometry(stream, substream->runtime);
	stream->running = false;
	stream->base = 0;
	stream->pos = 0;
	stream->start_pos = 0;
	stream->next_period = stream->period_frames;
	stream->end = 0;
	stream->seen = 0;
	stream->seen_hw_ptr = 0;
	stream->xrun = false;
	stream->written = 0;
	spin_unlock_irq(&audio->lock);
	return 0;
}

static u64 avring_pcm_frame_ns(const struct avring_audio_stream *stream, u64 frame)
{
	return avring_clock_event_ns(stream->rate, stream->base + frame);
}

/* Start or go on; ALSA would stamp the call, the first frame is what counts. */
static void avring_pcm_start(struct snd_pcm_substream *substream)
{
	struct avring_audio_stream *stream = avring_pcm_stream(substream);
	struct snd_pcm_runtime *runtime = substream->runtime;

	avring_audio_start(avring_pcm_audio(substream), stream);
	runtime->trigger_tstamp =
		avring_sound_stamp(runtime, avring_pcm_frame_ns(stream, stream->start_pos));
	runtime->trigger_tstamp_latched = true;
}

static void avring_pcm_stop(struct snd_pcm_substream *substream)
{
	avring_audio_stop(avring_pcm_audio(substream), avring_pcm_stream(substream));
	substream->runtime->trigger_tstamp_latched = false;
}

/* ALSA does not say why it stops a stream; look at what made it do so. */
static bool avring_pcm_is_xrun(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_uframes_t avail;

	if (avring_pcm_stream(substream)->xrun)
		return true;
	if (runtime->state != SNDRV_PCM_STATE_RUNNING)
		return false;
	if (substream->stream == SNDRV_PCM_STREAM_CAPTURE)
		avail = snd_pcm_capture_avail(runtime);
	else
		avail = snd_pcm_playback_avail(runtime);
	return avail >= runtime->stop_threshold;
}

static void avring_pcm_count_xrun(struct snd_pcm_substream *substream)
{
	struct avring_audio *audio = avring_pcm_audio(substream);
	unsigned long flags;

	spin_lock_irqsave(&audio->lock, flags);
	if (substream->stream == SNDRV_PCM_STREAM_CAPTURE)
		audio->stats.capture_xruns++;
	else
		audio->stats.playback_xruns++;
	spin_unlock_irqrestore(&audio->lock, flags);
}

static int avring_pcm_trigger(struct snd_pcm_substream *substream, int cmd)
{
	const bool playback = substream->stream == SNDRV_PCM_STREAM_PLAYBACK;

	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
	case SNDRV_PCM_TRIGGER_PAUSE_RELEASE:
	case SNDRV_PCM_TRIGGER_RESUME:
		avring_pcm_start(substream);
		break;
	case SNDRV_PCM_TRIGGER_STOP:
		if (avring_pcm_is_xrun(substream))
			avring_pcm_count_xrun(substream);
		fallthrough;
	case SNDRV_PCM_TRIGGER_PAUSE_PUSH:
	case SNDRV_PCM_TRIGGER_SUSPEND:
		avring_pcm_stop(substream);
		break;
	case SNDRV_PCM_TRIGGER_DRAIN:
		if (playback)
			avring_audio_drain(avring_pcm_audio(substream),
					   avring_pcm_stream(substream));
		return 0;
	default:
		return -EINVAL;
	}
	if (playback)
		avring_mixer_signal_changed(avring_pcm_audio(substream));
	return 0;
}

static int avring_pcm_sync_stop(struct snd_pcm_substream *substream)
{
	avring_audio_engine_sync(avring_pcm_audio(substream));
	return 0;
}

static snd_pcm_uframes_t avring_pcm_pointer(struct snd_pcm_substream *substream)
{
	avring_sound_forget_time_type(substream->runtime);
	return avring_audio_pointer(avring_pcm_audio(substream), avring_pcm_stream(substream));
}

/*
 * ALSA calls this right after pointer, in the same hold of the stream lock, under
 * which alone seen and base change: the times belong to that very position.
 */
static int avring_pcm_get_time_info(struct snd_pcm_substream *substream,
				    struct timespec64 *system_ts, struct timespec64 *audio_ts,
				    struct snd_pcm_audio_tstamp_config *config,
				    struct snd_pcm_audio_tstamp_report *report)
{
	const struct avring_audio_stream *stream = avring_pcm_stream(substream);
	u64 ns;

	if (!avring_sound_wants_time(config, report))
		return 0;
	ns = avring_pcm_frame_ns(stream, stream->seen);
	*system_ts = avring_sound_stamp(substream->runtime, ns);
	avring_sound_tell_time(config, ns, avring_pcm_frame_ns(stream, 0), audio_ts, report);
	return 0;
}

/* Only a mapping asks, and as long as there is one the store stays. */
static struct page *avring_pcm_page(struct snd_pcm_substream *substream, unsigned long offset)
{
	const struct avring_audio_stream *stream = avring_pcm_stream(substream);

	return stream->store ? avring_store_page(stream->store, offset >> PAGE_SHIFT) : NULL;
}

/* No mmap: the core's own keeps mmap_count and asks for the pages one by one. */
static const struct snd_pcm_ops avring_pcm_ops = {
	.open = avring_pcm_open,
	.close = avring_pcm_close,
	.hw_params = avring_pcm_hw_params,
	.hw_free = avring_pcm_hw_free,
	.prepare = avring_pcm_prepare,
	.trigger = avring_pcm_trigger,
	.sync_stop = avring_pcm_sync_stop,
	.pointer = avring_pcm_pointer,
	.get_time_info = avring_pcm_get_time_info,
	.page = avring_pcm_page,
};

/**
 * avring_pcm_new() - add PCM device 0 to the card
 * @audio: the sound card
 *
 * Return: 0 or a negative errno.
 */
int avring_pcm_new(struct avring_audio *audio)
{
	int err;

	err = snd_pcm_new(audio->card, "avring", 0, 1, 1, &audio->pcm);
	if (err < 0)
		return err;
	audio->pcm->private_data = audio;
	avring_sound_name_pcm(audio->pcm);
	snd_pcm_set_ops(audio->pcm, SNDRV_PCM_STREAM_PLAYBACK, &avring_pcm_ops);
	snd_pcm_set_ops(audio->pcm, SNDRV_PCM_STREAM_CAPTURE, &avring_pcm_ops);
	return 0;
}
