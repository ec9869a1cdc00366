// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: PCM sample formats. See sound/samples.h.
 */
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <asm/byteorder.h>

#include "compat.h"
#include "sound/samples.h"

#define AVRING_FLOAT_SIGN	BIT(31)
#define AVRING_FLOAT_BIAS	127
#define AVRING_FLOAT_MANTISSA	23	/* bits that are stored; one more is implied */

/**
 * avring_samples_equal() - can frames be copied byte by byte?
 * @a: one layout
 * @b: the other
 *
 * Return: true if both describe the same bytes.
 */
bool avring_samples_equal(const struct avring_samples_layout *a,
			  const struct avring_samples_layout *b)
{
	return a->format == b->format && a->channels == b->channels;
}
EXPORT_SYMBOL_AVRING(avring_samples_equal);

/*
 * IEEE 754 single precision without a floating point unit: value = bits / 2^31.
 * Anything of magnitude 1.0 and above is full scale, a NaN is silence, and what
 * is below one step of 2^-31 is cut off.
 */
static s32 avring_samples_from_float(u32 bits)
{
	const bool negative = bits & AVRING_FLOAT_SIGN;
	const u32 fraction = bits & GENMASK(AVRING_FLOAT_MANTISSA - 1, 0);
	const int exponent = (bits >> AVRING_FLOAT_MANTISSA) & 0xff;
	const int shift = exponent - AVRING_FLOAT_BIAS + 31 - AVRING_FLOAT_MANTISSA;
	u32 magnitude = fraction | BIT(AVRING_FLOAT_MANTISSA);

	if (exponent == 0xff && fraction)
		return 0;
	if (exponent >= AVRING_FLOAT_BIAS)
		return negative ? S32_MIN : S32_MAX;
	if (shift < -AVRING_FLOAT_MANTISSA)
		return 0;
	magnitude = shift >= 0 ? magnitude << shift : magnitude >> -shift;
	return negative ? -(s32)magnitude : (s32)magnitude;
}

/* Exact for every value of 24 significant bits; lower bits are cut off. */
static u32 avring_samples_to_float(s32 value)
{
	const u32 magnitude = value < 0 ? -(u32)value : (u32)value;
	const int top = fls(magnitude) - 1;
	u32 mantissa;

	if (!magnitude)
		return 0;
	if (top > AVRING_FLOAT_MANTISSA)
		mantissa = magnitude >> (top - AVRING_FLOAT_MANTISSA);
	else
		mantissa = magnitude << (AVRING_FLOAT_MANTISSA - top);
	return (value < 0 ? AVRING_FLOAT_SIGN : 0) |
	       (u32)(top - 31 + AVRING_FLOAT_BIAS) << AVRING_FLOAT_MANTISSA |
	       (mantissa & GENMASK(AVRING_FLOAT_MANTISSA - 1, 0));
}

static s32 avring_samples_get24(const u8 *src)
{
	return (s32)((u32)src[0] << 8 | (u32)src[1] << 16 | (u32)src[2] << 24);
}

static void avring_samples_put24(s32 value, u8 *dst)
{
	dst[0] = value >> 8;
	dst[1] = value >> 16;
	dst[2] = value >> 24;
}

/**
 * avring_samples_load() - samples of a format as full-scale 32-bit numbers
 * @format: one of AVRING_SAMPLES_FORMATS
 * @src: samples, aligned as the format wants it
 * @dst: one number per sample
 * @samples: how many
 *
 * @src may be memory that user space writes at the same time: every sample is
 * read once.
 */
void avring_samples_load(snd_pcm_format_t format, const void *src, s32 *dst, u32 samples)
{
	const __le16 *src16 = src;
	const __le32 *src32 = src;
	const u8 *src8 = src;
	u32 i;

	for (i = 0; i < samples; i++) {
		switch (format) {
		case SNDRV_PCM_FORMAT_S16_LE:
			dst[i] = (s32)((u32)le16_to_cpu(READ_ONCE(src16[i])) << 16);
			break;
		case SNDRV_PCM_FORMAT_S24_LE:
			dst[i] = (s32)(le32_to_cpu(READ_ONCE(src32[i])) << 8);
			break;
		case SNDRV_PCM_FORMAT_S24_3LE:
			dst[i] = avring_samples_get24(src8 + 3 * i);
			break;
		case SNDRV_PCM_FORMAT_FLOAT_LE:
			dst[i] = avring_samples_from_float(le32_to_cpu(READ_ONCE(src32[i])));
			break;
		default:
			dst[i] = (s32)le32_to_cpu(READ_ONCE(src32[i]));
		}
	}
}

/**
 * avring_samples_store() - full-scale 32-bit numbers as samples of a format
 * @format: one of AVRING_SAMPLES_FORMATS
 * @src: one number per sample
 * @dst: samples, aligned as the format wants it
 * @samples: how many
 */
void avring_samples_store(snd_pcm_format_t format, const s32 *src, void *dst, u32 samples)
{
	__le16 *dst16 = dst;
	__le32 *dst32 = dst;
	u8 *dst8 = dst;
	u32 i;

	for (i = 0; i < samples; i++) {
		switch (format) {
		case SNDRV_PCM_FORMAT_S16_LE:
			dst16[i] = cpu_to_le16(src[i] >> 16);
			break;
		case SNDRV_PCM_FORMAT_S24_LE:
			dst32[i] = cpu_to_le32(src[i] >> 8);
			break;
		case SNDRV_PCM_FORMAT_S24_3LE:
			avring_samples_put24(src[i], dst8 + 3 * i);
			break;
		case SNDRV_PCM_FORMAT_FLOAT_LE:
			dst32[i] = cpu_to_le32(avring_samples_to_float(src[i]));
			break;
		default:
			dst32[i] = cpu_to_le32(src[i]);
		}
	}
}
EXPORT_SYMBOL_AVRING(avring_samples_store);

/*
 * Between equal formats a sample goes through unchanged. Only a float loses
 * bits on the way through 32 bits, and as a plain word it does not.
 */
static snd_pcm_format_t avring_samples_carrier(snd_pcm_format_t format, snd_pcm_format_t other)
{
	if (format == SNDRV_PCM_FORMAT_FLOAT_LE && format == other)
		return SNDRV_PCM_FORMAT_S32_LE;
	return format;
}

/* One sound on every channel. */
static void avring_samples_spread(s32 *frame, u32 channels)
{
	u32 i;

	for (i = 1; i < channels; i++)
		frame[i] = frame[0];
}

/* All channels as one sound: their mean. */
static s32 avring_samples_mean(const s32 *frame, u32 channels)
{
	s64 sum = 0;
	u32 i;

	for (i = 0; i < channels; i++)
		sum += frame[i];
	return div_s64(sum, channels);
}

static void avring_samples_to_mono(const struct avring_samples_layout *from, const void *src,
				   const struct avring_samples_layout *to, void *dst)
{
	s32 frame[AVRING_SAMPLES_MAX_CHANNELS];

	avring_samples_load(from->format, src, frame, from->channels);
	frame[0] = avring_samples_mean(frame, from->channels);
	avring_samples_store(to->format, frame, dst, 1);
}

/**
 * avring_samples_convert() - one frame in another layout
 * @from: layout of @src
 * @src: one frame, or NULL for silence
 * @to: layout of @dst
 * @dst: one frame
 *
 * One channel goes to all channels; all channels go to one as their mean. Else channel n
 * goes to channel n; what @from has more is dropped, what @to has more is silent.
 */
void avring_samples_convert(const struct avring_samples_layout *from, const void *src,
			    const struct avring_samples_layout *to, void *dst)
{
	s32 frame[AVRING_SAMPLES_MAX_CHANNELS] = {};

	if (src && to->channels == 1 && from->channels > 1) {
		avring_samples_to_mono(from, src, to, dst);
		return;
	}
	if (src)
		avring_samples_load(avring_samples_carrier(from->format, to->format), src, frame,
				    min(from->channels, to->channels));
	if (from->channels == 1)
		avring_samples_spread(frame, to->channels);
	avring_samples_store(avring_samples_carrier(to->format, from->format), frame, dst,
			     to->channels);
}
EXPORT_SYMBOL_AVRING(avring_samples_convert);
