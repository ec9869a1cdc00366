// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: birth, death and controls of the PCI card's sound card. See pci/audio.h
 * for the contract and pci/audio_priv.h for the locks.
 *
 *   Capture Source     Generator or Line; a stream that runs goes on, with a gap
 *   Capture Overruns   read-only: how often the PCM was stopped because frames were lost
 */
#include <linux/device.h>
#include <linux/module.h>
#include <sound/control.h>
#include <sound/core.h>
#include <sound/initval.h>

#include "pci/audio_priv.h"
#include "sound/sound.h"

static int avring_pci_audio_source_info(struct snd_kcontrol *kcontrol,
					struct snd_ctl_elem_info *info)
{
	static const char *const names[] = {
		[AVRING_PCI_INPUT_REG_GENERATOR] = "Generator",
		[AVRING_PCI_INPUT_REG_LINE] = "Line",
	};

	return snd_ctl_enum_info(info, 1, ARRAY_SIZE(names), names);
}

static int avring_pci_audio_source_get(struct snd_kcontrol *kcontrol,
				       struct snd_ctl_elem_value *value)
{
	const struct avring_pci_audio *audio = snd_kcontrol_chip(kcontrol);

	value->value.enumerated.item[0] = READ_ONCE(audio->lane.config.input);
	return 0;
}

static int avring_pci_audio_source_put(struct snd_kcontrol *kcontrol,
				       struct snd_ctl_elem_value *value)
{
	const unsigned int source = value->value.enumerated.item[0];

	if (source > AVRING_PCI_INPUT_REG_LINE)
		return -EINVAL;
	return avring_pci_sound_set_input(snd_kcontrol_chip(kcontrol), source);
}

static int avring_pci_audio_overruns_info(struct snd_kcontrol *kcontrol,
					  struct snd_ctl_elem_info *info)
{
	info->type = SNDRV_CTL_ELEM_TYPE_INTEGER64;
	info->count = 1;
	info->value.integer64.min = 0;
	info->value.integer64.max = S64_MAX;
	return 0;
}

static int avring_pci_audio_overruns_get(struct snd_kcontrol *kcontrol,
					 struct snd_ctl_elem_value *value)
{
	struct avring_pci_audio *audio = snd_kcontrol_chip(kcontrol);

	spin_lock_irq(&audio->pcm.lock);
	value->value.integer64.value[0] = audio->pcm.overruns;
	spin_unlock_irq(&audio->pcm.lock);
	return 0;
}

static const struct snd_kcontrol_new avring_pci_audio_controls[] = {
	{
		.iface = SNDRV_CTL_ELEM_IFACE_MIXER,
		.name = "Capture Source",
		.info = avring_pci_audio_source_info,
		.get = avring_pci_audio_source_get,
		.put = avring_pci_audio_source_put,
	}, {
		.iface = SNDRV_CTL_ELEM_IFACE_PCM,
		.access = SNDRV_CTL_ELEM_ACCESS_READ | SNDRV_CTL_ELEM_ACCESS_VOLATILE,
		.name = "Capture Overruns",
		.info = avring_pci_audio_overruns_info,
		.get = avring_pci_audio_overruns_get,
	},
};

/* The last file is closed. ALSA frees the memory after this. */
static void avring_pci_audio_private_free(struct snd_card *card)
{
	struct avring_pci_audio *audio = card->private_data;

	avring_stream_destroy(&audio->lane.stream);
	put_device(audio->parent);
	if (audio->released)
		audio->released(audio->released_data);
}

/**
 * avring_pci_audio_new() - make a sound card that nobody sees yet
 * @params: what to make; not needed afterwards
 * @out: the card
 *
 * The channel has its owner then. Once this has succeeded, params->released will be called,
 * whichever way the card goes; if it fails, never.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int avring_pci_audio_new(const struct avring_pci_audio_params *params,
			 struct avring_pci_audio **out)
{
	struct avring_pci_audio *audio;
	struct snd_card *card;
	int err;

	err = snd_card_new(params->dev, SNDRV_DEFAULT_IDX1, params->id, THIS_MODULE,
			   sizeof(*audio), &card);
	if (err < 0)
		return err;
	audio = card->private_data;
	audio->card = card;
	audio->parent = get_device(params->dev);
	audio->lane.ch = params->channel;
	audio->released_data = params->data;
	card->private_free = avring_pci_audio_private_free;
	avring_sound_name_card(card, params->name);
	avring_pci_sound_init(audio, params->line);
	err = avring_pci_pcm_new(audio);
	if (!err)
		err = avring_sound_add_controls(card, avring_pci_audio_controls,
						ARRAY_SIZE(avring_pci_audio_controls), audio);
	if (err < 0) {
		snd_card_free(card);
		return err;
	}
	audio->released = params->released;
	*out = audio;
	return 0;
}

/**
 * avring_pci_audio_register() - show the card to user space
 * @audio: the sound card
 *
 * After a failure some nodes may be visible already; avring_pci_audio_disconnect() copes.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int avring_pci_audio_register(struct avring_pci_audio *audio)
{
	return avring_sound_register(audio->card);
}

/**
 * avring_pci_audio_suspend() - the card is about to be paused
 * @audio: the sound card
 *
 * A PCM that runs is suspended, and its application is told. Users of the sound card wait
 * for avring_pci_audio_resume().
 *
 * Context: process, no lock of the channel held.
 */
void avring_pci_audio_suspend(struct avring_pci_audio *audio)
{
	snd_power_change_state(audio->card, SNDRV_CTL_POWER_D3hot);
	snd_pcm_suspend_all(audio->substream->pcm);
}

/**
 * avring_pci_audio_resume() - undo avring_pci_audio_suspend()
 * @audio: the sound card; its channel has been restarted
 */
void avring_pci_audio_resume(struct avring_pci_audio *audio)
{
	snd_power_change_state(audio->card, SNDRV_CTL_POWER_D0);
}

/**
 * avring_pci_audio_disconnect() - take the card away from user space
 * @audio: the sound card; not to be touched afterwards
 *
 * Stops the stream and wakes who waits. Open files answer ENODEV from now on, and the
 * channel is not used any more. Does not wait for files: the card is freed, and
 * params->released called, when the last one is closed, possibly before this returns.
 *
 * Context: process, may sleep; no lock of the channel held.
 */
void avring_pci_audio_disconnect(struct avring_pci_audio *audio)
{
	struct snd_card *card = audio->card;

	snd_card_disconnect(card);
	avring_pci_sound_gone(audio);
	snd_card_free_when_closed(card);
}

/**
 * avring_pci_audio_number() - number of the card in ALSA
 * @audio: the sound card
 *
 * Return: N of "hw:N".
 */
int avring_pci_audio_number(const struct avring_pci_audio *audio)
{
	return audio->card->number;
}

/**
 * avring_pci_audio_devt() - device number of one node of the card
 * @audio: the sound card, registered
 * @node: which one
 *
 * Context: process, may sleep.
 * Return: the number, 0 if there is no such node.
 */
dev_t avring_pci_audio_devt(struct avring_pci_audio *audio, enum avring_sound_node node)
{
	return avring_sound_devt(audio->card, node);
}
