// SPDX-License-Identifier: MIT
/*
 * pcmio: see pcmio.h.
 */
#include <time.h>

#include "pcmio.h"
#include "tap.h"

const struct sound_params stereo = { .format = SND_PCM_FORMAT_S16_LE, .rate = RATE, .channels = 2 };
const struct sound_params short_buffer = { .format = SND_PCM_FORMAT_S16_LE,
					   .rate = RATE,
					   .channels = 2,
					   .period = RATE / 100,
					   .buffer = RATE / 25 };
const struct sound_params sleepless = { .format = SND_PCM_FORMAT_S16_LE,
					.sleepless = true,
					.rate = RATE,
					.channels = 2,
					.period = RATE / 100,
					.buffer = RATE / 10 };

uint8_t data[1 << 20];

uint64_t pcm_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

snd_pcm_t *pcm_open(snd_pcm_stream_t stream, const struct sound_params *params)
{
	struct card card;
	snd_pcm_t *pcm;

	must(card_find(0, &card));
	must(sound_open(&pcm, card.alsa, stream, params));
	return pcm;
}

snd_pcm_t *pcm_capture(const struct sound_params *params)
{
	snd_pcm_t *pcm = pcm_open(SND_PCM_STREAM_CAPTURE, params);

	must(snd_pcm_start(pcm));
	return pcm;
}

snd_pcm_t *pcm_playback(const struct sound_params *params, snd_pcm_uframes_t frames)
{
	snd_pcm_t *pcm = pcm_open(SND_PCM_STREAM_PLAYBACK, params);

	tap_eq(frames, must(snd_pcm_writei(pcm, data, frames)));
	must(snd_pcm_start(pcm));
	return pcm;
}
