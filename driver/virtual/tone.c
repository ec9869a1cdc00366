// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the test tone. See virtual/tone.h.
 *
 * The sample of the instant t has the phase t - flash. A cosine, so the first
 * sample of a beep is already at full amplitude and a reader finds the edge to
 * the sample: it is the first sample that is not earlier than the flash.
 */
#include <linux/bug.h>
#include <linux/fixp-arith.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "virtual/tone.h"

#define AVRING_TONE_PERIOD_NS	(NSEC_PER_SEC / 1000)		/* 1 kHz */
#define AVRING_TONE_BEEP_NS	(50 * NSEC_PER_MSEC)
/*
 * The full circle as fixp-arith.h wants it: at most 2^18, and a multiple of 360 so
 * that its interpolation does not overshoot. One unit is 50/9 ns.
 */
#define AVRING_TONE_TWO_PI	180000
#define AVRING_TONE_UNITS(ns)	((ns) * 9 / 50)

static s32 avring_tone_sample(const struct avring_tone *tone, u64 since_flash_ns)
{
	u32 phase_ns;
	s32 cosine;

	div_u64_rem(since_flash_ns, AVRING_TONE_PERIOD_NS, &phase_ns);
	cosine = fixp_cos32_rad(AVRING_TONE_UNITS(phase_ns), AVRING_TONE_TWO_PI);
	return div_s64((s64)cosine * tone->volume, AVRING_TONE_MAX_VOLUME);
}

static void avring_tone_beep(const struct avring_tone *tone,
			     const struct avring_samples_layout *layout, struct avring_rate rate,
			     u64 flash_ns, u64 first, void *dst, u32 frames)
{
	s32 frame[AVRING_SAMPLES_MAX_CHANNELS];
	u32 i, channel;

	for (i = 0; i < frames; i++) {
		u64 ns = avring_clock_event_ns(rate, first + i);
		s32 sample = avring_tone_sample(tone, ns - flash_ns);

		for (channel = 0; channel < layout->channels; channel++)
			frame[channel] = sample;
		avring_samples_store(layout->format, frame, dst + i * layout->frame_bytes,
				     layout->channels);
	}
}

/* Frames from @first on, at most @frames, that come before the event at @end_ns. */
static u32 avring_tone_frames_before(struct avring_rate rate, u64 first, u32 frames, u64 end_ns)
{
	return min_t(u64, avring_clock_event_after(rate, end_ns) - first, frames);
}

/* Length of the silence at @first; at least one frame whatever flash_at() says. */
static u32 avring_tone_silence(const struct avring_tone *tone, struct avring_rate rate,
			       u64 first, u32 frames)
{
	u64 flash_ns;

	/* Look ahead less than the distance of two flashes, to miss none. */
	frames = min(frames, rate.num / 2);
	flash_ns = tone->flash_at(tone->data, avring_clock_event_ns(rate, first + frames - 1));
	if (flash_ns <= avring_clock_event_ns(rate, first))
		return frames;
	return avring_tone_frames_before(rate, first, frames, flash_ns);
}

/* One stretch that is all beep or all silence; returns its length. */
static u32 avring_tone_stretch(const struct avring_tone *tone,
			       const struct avring_samples_layout *layout,
			       struct avring_rate rate, u64 first, void *dst, u32 frames)
{
	const u64 ns = avring_clock_event_ns(rate, first);
	const u64 flash_ns = tone->flash_at(tone->data, ns);

	if (ns >= flash_ns && ns - flash_ns < AVRING_TONE_BEEP_NS) {
		frames = avring_tone_frames_before(rate, first, frames,
						   flash_ns + AVRING_TONE_BEEP_NS);
		avring_tone_beep(tone, layout, rate, flash_ns, first, dst, frames);
	} else {
		frames = avring_tone_silence(tone, rate, first, frames);
		memset(dst, 0, frames * layout->frame_bytes);
	}
	return frames;
}

/**
 * avring_tone_fill() - the tone as a run of frames
 * @tone: what to play
 * @layout: of the frames
 * @rate: of the frames
 * @first: number of the first frame since CLOCK_MONOTONIC 0
 * @dst: where to put them
 * @frames: how many
 *
 * All channels carry the same signal. Context: any, the caller's lock held.
 */
void avring_tone_fill(const struct avring_tone *tone, const struct avring_samples_layout *layout,
		      struct avring_rate rate, u64 first, void *dst, u32 frames)
{
	if (!tone->on || !tone->volume) {
		memset(dst, 0, frames * layout->frame_bytes);
		return;
	}
	while (frames) {
		u32 done = avring_tone_stretch(tone, layout, rate, first, dst, frames);

		first += done;
		dst += done * layout->frame_bytes;
		frames -= done;
	}
}
