/* SPDX-License-Identifier: MIT */
/*
 * sound: a PCM of a card, opened with exact parameters.
 *
 * Inline, so that programs without sound need no ALSA library. Every function
 * returns 0 or -errno.
 */
#ifndef TEST_SOUND_H
#define TEST_SOUND_H

#include <alsa/asoundlib.h>
#include <poll.h>
#include <stdint.h>

#include "device.h"

/**
 * struct sound_params - what hw_params must give, exactly
 * @format: sample format
 * @sleepless: no period wakes anybody
 * @mmap: interleaved access by mmap instead of read and write
 * @rate: frames per second
 * @channels: samples in a frame
 * @period: frames; 0 leaves it to the driver
 * @buffer: frames; 0 means the largest
 */
struct sound_params {
	snd_pcm_format_t format;
	bool mmap;
	bool sleepless;
	unsigned int rate;
	unsigned int channels;
	snd_pcm_uframes_t period;
	snd_pcm_uframes_t buffer;
};

static inline int sound_set_sizes(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				  const struct sound_params *params)
{
	snd_pcm_uframes_t largest;
	int error = 0;

	if (params->period)
		error = snd_pcm_hw_params_set_period_size(pcm, hw, params->period, 0);
	if (error < 0)
		return error;
	if (params->buffer)
		return snd_pcm_hw_params_set_buffer_size(pcm, hw, params->buffer);
	error = snd_pcm_hw_params_get_buffer_size_max(hw, &largest);
	return error ?: snd_pcm_hw_params_set_buffer_size_near(pcm, hw, &largest);
}

static inline int sound_set_hw(snd_pcm_t *pcm, const struct sound_params *params)
{
	snd_pcm_access_t access = params->mmap ? SND_PCM_ACCESS_MMAP_INTERLEAVED :
						 SND_PCM_ACCESS_RW_INTERLEAVED;
	snd_pcm_hw_params_t *hw;
	int error;

	snd_pcm_hw_params_alloca(&hw);
	error = snd_pcm_hw_params_any(pcm, hw);
	if (error >= 0)
		error = snd_pcm_hw_params_set_access(pcm, hw, access);
	if (error >= 0)
		error = snd_pcm_hw_params_set_format(pcm, hw, params->format);
	if (error >= 0)
		error = snd_pcm_hw_params_set_channels(pcm, hw, params->channels);
	if (error >= 0)
		error = snd_pcm_hw_params_set_rate(pcm, hw, params->rate, 0);
	if (error >= 0 && params->sleepless)
		error = snd_pcm_hw_params_set_period_wakeup(pcm, hw, 0);
	if (error >= 0)
		error = sound_set_sizes(pcm, hw, params);
	return error < 0 ? error : snd_pcm_hw_params(pcm, hw);
}

/* Timestamps of CLOCK_MONOTONIC; nothing starts by itself. */
static inline int sound_set_sw(snd_pcm_t *pcm)
{
	snd_pcm_sw_params_t *sw;
	snd_pcm_uframes_t boundary;
	int error;

	snd_pcm_sw_params_alloca(&sw);
	error = snd_pcm_sw_params_current(pcm, sw);
	if (!error)
		error = snd_pcm_sw_params_set_tstamp_mode(pcm, sw, SND_PCM_TSTAMP_ENABLE);
	if (!error)
		error = snd_pcm_sw_params_set_tstamp_type(pcm, sw, SND_PCM_TSTAMP_TYPE_MONOTONIC);
	if (!error)
		error = snd_pcm_sw_params_get_boundary(sw, &boundary);
	if (!error)
		error = snd_pcm_sw_params_set_start_threshold(pcm, sw, boundary);
	return error ?: snd_pcm_sw_params(pcm, sw);
}

static inline int sound_open(snd_pcm_t **pcm, const char *name, snd_pcm_stream_t stream,
			     const struct sound_params *params)
{
	/* The library disables wake-ups only of who does not block. */
	int error = snd_pcm_open(pcm, name, stream, params->sleepless ? SND_PCM_NONBLOCK : 0);

	if (error)
		return error;
	error = sound_set_hw(*pcm, params);
	if (!error)
		error = sound_set_sw(*pcm);
	if (error)
		snd_pcm_close(*pcm);
	return error;
}

/* Return: how many events poll saw before so much time had passed. */
static inline int sound_poll(snd_pcm_t *pcm, int ms)
{
	struct pollfd pfd;

	if (snd_pcm_poll_descriptors(pcm, &pfd, 1) != 1)
		return -EINVAL;
	return poll(&pfd, 1, ms);
}

/*
 * CLOCK_MONOTONIC of the first sample of a running stream, from a status of the
 * type LINK; -ENOTSUP if the driver has no such type.
 */
static inline int sound_start_ns(snd_pcm_t *pcm, uint64_t *ns)
{
	snd_pcm_audio_tstamp_config_t link = {
		.type_requested = SND_PCM_AUDIO_TSTAMP_TYPE_LINK,
	};
	snd_pcm_audio_tstamp_report_t report;
	snd_htimestamp_t system, audio;
	snd_pcm_status_t *status;
	int error;

	snd_pcm_status_alloca(&status);
	snd_pcm_status_set_audio_htstamp_config(status, &link);
	/* ALSA gives no new time before the position has moved. */
	do {
		error = snd_pcm_status(pcm, status);
		if (error)
			return error;
		snd_pcm_status_get_audio_htstamp_report(status, &report);
		if (report.actual_type != SND_PCM_AUDIO_TSTAMP_TYPE_LINK)
			return -ENOTSUP;
		snd_pcm_status_get_htstamp(status, &system);
		snd_pcm_status_get_audio_htstamp(status, &audio);
	} while (!audio.tv_sec && !audio.tv_nsec);
	*ns = (system.tv_sec - audio.tv_sec) * UINT64_C(1000000000) + system.tv_nsec -
	      audio.tv_nsec;
	return 0;
}

enum { SOUND_SOURCE_TONE, SOUND_SOURCE_LOOPBACK };

/* What the capture PCM of a card records. */
static inline int sound_set_source(const struct card *card, unsigned int source)
{
	snd_ctl_elem_value_t *element;
	snd_ctl_t *control;
	int error = snd_ctl_open(&control, card->alsa, 0);

	if (error)
		return error;
	snd_ctl_elem_value_alloca(&element);
	snd_ctl_elem_value_set_interface(element, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_value_set_name(element, "Capture Source");
	snd_ctl_elem_value_set_enumerated(element, 0, source);
	error = snd_ctl_elem_write(control, element);
	snd_ctl_close(control);
	return error < 0 ? error : 0;
}

/* One of the card's read-only counters, or -errno. */
static inline long long sound_counter(const struct card *card, const char *name)
{
	snd_ctl_elem_value_t *element;
	snd_ctl_t *control;
	int error = snd_ctl_open(&control, card->alsa, 0);

	if (error)
		return error;
	snd_ctl_elem_value_alloca(&element);
	snd_ctl_elem_value_set_interface(element, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_value_set_name(element, name);
	error = snd_ctl_elem_read(control, element);
	snd_ctl_close(control);
	return error < 0 ? error : snd_ctl_elem_value_get_integer64(element, 0);
}

#endif
