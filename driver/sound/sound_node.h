/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the character devices of a sound card, for who knows nothing of ALSA.
 */
#ifndef AVRING_SOUND_NODE_H
#define AVRING_SOUND_NODE_H

/**
 * enum avring_sound_node - the character devices of a sound card
 * @AVRING_SOUND_CONTROL: mixer
 * @AVRING_SOUND_PLAYBACK: PCM device 0, playback
 * @AVRING_SOUND_CAPTURE: PCM device 0, capture
 */
enum avring_sound_node {
	AVRING_SOUND_CONTROL,
	AVRING_SOUND_PLAYBACK,
	AVRING_SOUND_CAPTURE,
};

#endif
