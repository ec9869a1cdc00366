/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the test tone. Silence, and a beep that starts with every flash of the
 * picture, computed from absolute time alone.
 */
#ifndef AVRING_TONE_H
#define AVRING_TONE_H

#include "clock.h"
#include "sound/samples.h"

#define AVRING_TONE_MAX_VOLUME	100	/* linear amplitude in percent */

/**
 * struct avring_tone - what the beep sounds like and when it starts
 * @flash_at: time of the last flash not later than a time, in ns; flashes are at
 *	least one second apart; called with a spinlock held
 * @data: for @flash_at
 * @volume: amplitude in percent of full scale, at most AVRING_TONE_MAX_VOLUME
 * @on: 0 for silence
 *
 * The owner's lock guards @volume and @on; the rest is constant.
 */
struct avring_tone {
	u64 (*flash_at)(void *data, u64 ns);
	void *data;
	u32 volume;
	u32 on;
};

void avring_tone_fill(const struct avring_tone *tone, const struct avring_samples_layout *layout,
		      struct avring_rate rate, u64 first, void *dst, u32 frames);

#endif
