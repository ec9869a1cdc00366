// SPDX-License-Identifier: MIT
/*
 * alsa-params: hardware and software parameters of a PCM that is to be mapped.
 */
#include <unistd.h>

#include "alsa-params.h"
#include "internal.h"

/* A shorter buffer is mostly what the hardware is writing at the moment. */
#define AVRING_ALSA_MIN_PERIODS 4

/* So many pages up and down from the wished length. */
#define AVRING_ALSA_SEARCH 2048

static const snd_pcm_format_t avring_alsa_formats[] = {
	SND_PCM_FORMAT_S16_LE,	SND_PCM_FORMAT_S32_LE,	 SND_PCM_FORMAT_S24_LE,
	SND_PCM_FORMAT_S24_3LE, SND_PCM_FORMAT_FLOAT_LE,
};

static int avring_alsa_set_format(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, uint32_t wish)
{
	/* libasound aborts on what it does not know. */
	if (wish > SND_PCM_FORMAT_LAST)
		return -EINVAL;
	if (wish)
		return snd_pcm_hw_params_set_format(pcm, hw, (snd_pcm_format_t)wish);
	for (size_t i = 0; i < sizeof(avring_alsa_formats) / sizeof(avring_alsa_formats[0]); i++)
		if (!snd_pcm_hw_params_set_format(pcm, hw, avring_alsa_formats[i]))
			return 0;
	return -EINVAL;
}

static int avring_alsa_set_rate(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, uint32_t wish)
{
	unsigned int rate = 48000;

	if (wish)
		return snd_pcm_hw_params_set_rate(pcm, hw, wish, 0);
	return snd_pcm_hw_params_set_rate_near(pcm, hw, &rate, NULL);
}

static int avring_alsa_set_channels(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, uint32_t wish)
{
	unsigned int channels = 2;

	if (wish)
		return snd_pcm_hw_params_set_channels(pcm, hw, wish);
	return snd_pcm_hw_params_set_channels_near(pcm, hw, &channels);
}

static int avring_alsa_set_sound(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				 const struct avring_audio_format *wish,
				 struct avring_alsa_params *params)
{
	snd_pcm_format_t format;
	int error = avring_alsa_set_format(pcm, hw, wish->format);

	if (!error)
		error = avring_alsa_set_channels(pcm, hw, wish->channels);
	if (!error)
		error = avring_alsa_set_rate(pcm, hw, wish->rate);
	if (!error)
		error = snd_pcm_hw_params_get_format(hw, &format);
	if (!error)
		error = snd_pcm_hw_params_get_channels(hw, &params->channels);
	if (!error)
		error = snd_pcm_hw_params_get_rate(hw, &params->rate, NULL);
	if (error)
		return error;
	params->format = format;
	params->frame_bytes = snd_pcm_format_physical_width(format) / 8 * params->channels;
	return wish->frame_bytes && wish->frame_bytes != params->frame_bytes ? -EINVAL : 0;
}

static uint64_t avring_alsa_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Sample frames of a buffer of whole pages that the device takes, near to @target; or 0. */
static uint64_t avring_alsa_find_buffer(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, uint64_t unit,
					uint64_t target)
{
	uint64_t near = avring_align(target, unit), i;
	snd_pcm_uframes_t min, max;

	if (snd_pcm_hw_params_get_buffer_size_min(hw, &min) ||
	    snd_pcm_hw_params_get_buffer_size_max(hw, &max))
		return 0;
	near = avring_min(near, max / unit * unit);
	near = avring_max(near, avring_align(min, unit));
	for (i = 0; i < AVRING_ALSA_SEARCH; i++) {
		uint64_t more = near + i * unit, less = near - i * unit;

		if (more <= max && !snd_pcm_hw_params_test_buffer_size(pcm, hw, more))
			return more;
		if (less >= min && less < near &&
		    !snd_pcm_hw_params_test_buffer_size(pcm, hw, less))
			return less;
	}
	return 0;
}

/* Set a period, exactly or nearly, and then a buffer. */
static int avring_alsa_set_sizes(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw, bool exact,
				 uint64_t period, uint64_t target, uint64_t unit)
{
	snd_pcm_uframes_t near = period;
	uint64_t buffer;
	int error;

	if (exact) {
		error = snd_pcm_hw_params_set_period_size(pcm, hw, period, 0);
		if (error)
			return error;
	}
	buffer = avring_alsa_find_buffer(pcm, hw, unit, target);
	if (!buffer)
		return -EOPNOTSUPP;
	error = snd_pcm_hw_params_set_buffer_size(pcm, hw, buffer);
	if (!error && !exact)
		error = snd_pcm_hw_params_set_period_size_near(pcm, hw, &near, NULL);
	return error;
}

static int avring_alsa_choose_sizes(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				    const struct avring_options *options,
				    const struct avring_alsa_params *params)
{
	const uint64_t page = avring_page_size();
	uint64_t unit = page / avring_alsa_divisor(page, params->frame_bytes);
	uint64_t period = options->audio.period_frames ?: avring_max(params->rate / 100, 16);
	uint64_t target = avring_max(params->rate / 2, 2 * AVRING_ALSA_MIN_PERIODS * period);
	snd_pcm_hw_params_t *copy;
	int error;

	if (options->ring_bytes > INT32_MAX)
		return -EFBIG;
	if (options->ring_bytes)
		target = options->ring_bytes / params->frame_bytes;
	target = avring_max(target, AVRING_ALSA_MIN_PERIODS * period);
	snd_pcm_hw_params_alloca(&copy);
	snd_pcm_hw_params_copy(copy, hw);
	error = avring_alsa_set_sizes(pcm, hw, true, period, target, unit);
	if (!error)
		return 0;
	snd_pcm_hw_params_copy(hw, copy);
	return avring_alsa_set_sizes(pcm, hw, false, period, target, unit);
}

static int avring_alsa_set_hardware(snd_pcm_t *pcm, snd_pcm_hw_params_t *hw,
				    const struct avring_options *options,
				    struct avring_alsa_params *params)
{
	snd_pcm_uframes_t buffer, period;
	int error = snd_pcm_hw_params_any(pcm, hw);

	if (error < 0)
		return error;
	if (snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_MMAP_INTERLEAVED))
		return -EOPNOTSUPP;
	error = avring_alsa_set_sound(pcm, hw, &options->audio, params);
	if (!error)
		error = avring_alsa_choose_sizes(pcm, hw, options, params);
	if (!error)
		error = snd_pcm_hw_params(pcm, hw);
	if (!error)
		error = snd_pcm_hw_params_get_buffer_size(hw, &buffer);
	if (!error)
		error = snd_pcm_hw_params_get_period_size(hw, &period, NULL);
	if (error)
		return error;
	params->buffer_frames = buffer;
	params->period_frames = period;
	return 0;
}

int avring_alsa_negotiate(snd_pcm_t *pcm, const struct avring_options *options,
			  struct avring_alsa_params *params)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	return avring_alsa_set_hardware(pcm, hw, options, params);
}

int avring_alsa_set_wakeup(snd_pcm_t *pcm, uint64_t avail_min)
{
	snd_pcm_sw_params_t *sw;
	snd_pcm_uframes_t boundary;
	int error;

	snd_pcm_sw_params_alloca(&sw);
	error = snd_pcm_sw_params_current(pcm, sw);
	if (!error)
		error = snd_pcm_sw_params_get_boundary(sw, &boundary);
	if (!error)
		error = snd_pcm_sw_params_set_stop_threshold(pcm, sw, boundary);
	if (!error)
		error = snd_pcm_sw_params_set_avail_min(pcm, sw, avail_min);
	if (!error)
		error = snd_pcm_sw_params_set_tstamp_mode(pcm, sw, SND_PCM_TSTAMP_ENABLE);
	if (!error)
		error = snd_pcm_sw_params_set_tstamp_type(pcm, sw, SND_PCM_TSTAMP_TYPE_MONOTONIC);
	return error ?: snd_pcm_sw_params(pcm, sw);
}
