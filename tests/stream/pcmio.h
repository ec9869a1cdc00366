/* SPDX-License-Identifier: MIT */
/*
 * pcmio: open and start the PCMs of card 0, for the programs that test them.
 */
#ifndef STREAM_PCMIO_H
#define STREAM_PCMIO_H

#include <alsa/asoundlib.h>
#include <stdint.h>

#include "sound.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define RATE 48000
#define TIMEOUT_MS 3000

/* 48 kHz; the same with 40 ms of buffer; with 100 ms and without wake-ups. */
extern const struct sound_params stereo, short_buffer, sleepless;

/* Scratch for samples; silence until something is read. */
extern uint8_t data[1 << 20];

uint64_t pcm_now_ns(void);
snd_pcm_t *pcm_open(snd_pcm_stream_t stream, const struct sound_params *params);
snd_pcm_t *pcm_capture(const struct sound_params *params);

/* Plays @frames of silence, all written at the start. */
snd_pcm_t *pcm_playback(const struct sound_params *params, snd_pcm_uframes_t frames);

#endif
