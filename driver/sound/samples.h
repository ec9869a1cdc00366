/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: PCM sample formats and the way from one to another, in integers.
 *
 * The common form is a signed 32-bit number, full scale. Widening is exact and
 * narrowing drops the low bits, so a sample that fits the narrower format comes
 * back as it was. Knows nothing of streams, buffers or time.
 */
#ifndef AVRING_SAMPLES_H
#define AVRING_SAMPLES_H

#include <sound/pcm.h>

#define AVRING_SAMPLES_MAX_CHANNELS	8
#define AVRING_SAMPLES_MAX_FRAME	(AVRING_SAMPLES_MAX_CHANNELS * 4)

#define AVRING_SAMPLES_FORMATS	(SNDRV_PCM_FMTBIT_S16_LE | SNDRV_PCM_FMTBIT_S24_LE | \
				 SNDRV_PCM_FMTBIT_S24_3LE | SNDRV_PCM_FMTBIT_S32_LE | \
				 SNDRV_PCM_FMTBIT_FLOAT_LE)

/**
 * struct avring_samples_layout - how one frame lies in memory
 * @format: one of AVRING_SAMPLES_FORMATS; zero bytes are silence in all of them
 * @channels: interleaved samples per frame, 1 to AVRING_SAMPLES_MAX_CHANNELS
 * @frame_bytes: bytes per frame, at most AVRING_SAMPLES_MAX_FRAME
 */
struct avring_samples_layout {
	snd_pcm_format_t format;
	u32 channels;
	u32 frame_bytes;
};

bool avring_samples_equal(const struct avring_samples_layout *a,
			  const struct avring_samples_layout *b);
void avring_samples_load(snd_pcm_format_t format, const void *src, s32 *dst, u32 samples);
void avring_samples_store(snd_pcm_format_t format, const s32 *src, void *dst, u32 samples);
void avring_samples_convert(const struct avring_samples_layout *from, const void *src,
			    const struct avring_samples_layout *to, void *dst);

#endif
