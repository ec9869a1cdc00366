/* SPDX-License-Identifier: MIT */
/*
 * alsa-params: hardware and software parameters of a PCM that is to be mapped.
 */
#ifndef AVRING_ALSA_PARAMS_H
#define AVRING_ALSA_PARAMS_H

#include <alsa/asoundlib.h>
#include <stdint.h>

struct avring_options;

/**
 * struct avring_alsa_params - what a PCM was set to
 * @format: SNDRV_PCM_FORMAT_*
 * @rate: sample frames per second
 * @channels: interleaved
 * @frame_bytes: bytes of a sample frame
 * @period_frames: sample frames of a period
 * @buffer_frames: sample frames of the buffer, which has whole pages
 */
struct avring_alsa_params {
	uint32_t format;
	uint32_t rate;
	uint32_t channels;
	uint32_t frame_bytes;
	uint32_t period_frames;
	uint32_t buffer_frames;
};

/*
 * Format, rate and channels as wished, or refused with -EINVAL; period and length of
 * the ring as near as the device can. -EOPNOTSUPP if it cannot be mapped.
 */
int avring_alsa_negotiate(snd_pcm_t *pcm, const struct avring_options *options,
			  struct avring_alsa_params *params);

/* Run freely, and wake when so many sample frames have not been read. */
int avring_alsa_set_wakeup(snd_pcm_t *pcm, uint64_t avail_min);

#endif
