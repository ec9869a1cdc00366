/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the sound card of one PCI card: a capture PCM and its controls, and the sound
 * for the ring node. Knows nothing of pictures.
 *
 * Lifetime: everything here lives in the snd_card and dies with it, which is when the last
 * open file of the card goes; the released() callback tells. Nothing is devm.
 */
#ifndef AVRING_PCI_AUDIO_H
#define AVRING_PCI_AUDIO_H

#include <linux/kdev_t.h>
#include <linux/types.h>

#include "sound/sound_node.h"

struct avring_pci_audio;
struct avring_pci_channel;
struct avring_stream;
struct device;

/**
 * struct avring_pci_audio_params - what avring_pci_audio_new() builds
 * @dev: parent device; a reference is held until @released
 * @id: ALSA card id wish, for example "avring0"; ALSA changes it if it is taken
 * @name: of the card, for people; not needed once the card is made
 * @line: initial "Capture Source": false is Generator, true is Line
 * @channel: of the card; lives until @released
 * @released: called once, last; the avring_pci_audio is gone then. Any process context
 * @data: its argument
 */
struct avring_pci_audio_params {
	struct device *dev;
	const char *id;
	const char *name;
	bool line;
	struct avring_pci_channel *channel;
	void (*released)(void *data);
	void *data;
};

int avring_pci_audio_new(const struct avring_pci_audio_params *params,
			 struct avring_pci_audio **out);
int avring_pci_audio_register(struct avring_pci_audio *audio);
void avring_pci_audio_suspend(struct avring_pci_audio *audio);
void avring_pci_audio_resume(struct avring_pci_audio *audio);
void avring_pci_audio_disconnect(struct avring_pci_audio *audio);
int avring_pci_audio_number(const struct avring_pci_audio *audio);
struct avring_stream *avring_pci_audio_stream(struct avring_pci_audio *audio);
dev_t avring_pci_audio_devt(struct avring_pci_audio *audio, enum avring_sound_node node);

#endif
