/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the sound card of one avring card: a capture PCM, a playback PCM and
 * their controls, on the time of clock.h. Knows nothing of video.
 *
 * Lifetime: everything here lives in the snd_card and dies with it, which is
 * when the last open file of the card goes. That may be long after
 * avring_audio_disconnect(); the released() callback tells. Nothing is devm.
 */
#ifndef AVRING_AUDIO_H
#define AVRING_AUDIO_H

#include <linux/kdev_t.h>
#include <linux/types.h>

#include "sound/sound_node.h"

struct avring_audio;
struct avring_stream;
struct device;

/**
 * struct avring_audio_params - what avring_audio_new() builds
 * @dev: parent device; a reference is held until @released
 * @id: ALSA card id wish, for example "avring0"; ALSA changes it if it is taken
 * @name: of the card, for people; not needed once the card is made
 * @loopback: initial "Capture Source": false is Tone, true is Loopback
 * @flash_at: time of the last flash not later than @ns, both CLOCK_MONOTONIC in
 *	ns, flashes at least one second apart; a beep starts exactly there. Called
 *	with a spinlock held and interrupts off, until @released
 * @released: called once, last; the avring_audio is gone then. Any process context
 * @data: for the callbacks
 */
struct avring_audio_params {
	struct device *dev;
	const char *id;
	const char *name;
	bool loopback;
	u64 (*flash_at)(void *data, u64 ns);
	void (*released)(void *data);
	void *data;
};

/**
 * struct avring_audio_stats - counters since the card was made
 * @capture_frames: frames that the capture position moved over
 * @playback_frames: frames that the playback position moved over
 * @silence_frames: captured in loopback with nothing played at that time
 * @skipped_frames: never written to the capture buffer, which was overrun by more
 *	than its size; the stream is in XRUN
 * @source_losses: times the player stopped or paused while capture listened
 * @capture_xruns: overruns of the capture stream
 * @playback_xruns: underruns of the playback stream
 */
struct avring_audio_stats {
	u64 capture_frames;
	u64 playback_frames;
	u64 silence_frames;
	u64 skipped_frames;
	u64 source_losses;
	u64 capture_xruns;
	u64 playback_xruns;
};

int avring_audio_new(const struct avring_audio_params *params, struct avring_audio **out);
int avring_audio_register(struct avring_audio *audio);
void avring_audio_disconnect(struct avring_audio *audio);
int avring_audio_number(const struct avring_audio *audio);
dev_t avring_audio_devt(struct avring_audio *audio, enum avring_sound_node node);
struct avring_stream *avring_audio_stream(struct avring_audio *audio);

#endif
