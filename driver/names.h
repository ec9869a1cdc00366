/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what a card and its nodes are called. The user may choose, with the module
 * parameter "names"; nothing else in the driver depends on it.
 */
#ifndef AVRING_NAMES_H
#define AVRING_NAMES_H

/**
 * struct avring_names - names of one card, each below the 32 bytes that V4L2 and ALSA have
 * @card: media model, sound card
 * @capture: V4L2 node that captures
 * @output: V4L2 node that is written to
 */
struct avring_names {
	char card[32];
	char capture[32];
	char output[32];
};

void avring_names_of(int number, struct avring_names *names);

#endif
