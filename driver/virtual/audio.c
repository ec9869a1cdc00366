// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: birth and death of the sound card. See virtual/audio.h for the contract,
 * virtual/audio_priv.h for the locks and virtual/audio_engine.c for the time.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <sound/core.h>
#include <sound/initval.h>

#include "sound/sound.h"
#include "virtual/audio_priv.h"

#define AVRING_AUDIO_DEFAULT_VOLUME	50

/*
 * The last file is closed and the devices of the card are freed. ALSA frees the
 * memory after this, so the callback must not look back.
 */
static void avring_audio_private_free(struct snd_card *card)
{
	struct avring_audio *audio = card->private_data;

	hrtimer_cancel(&audio->timer);
	avring_audio_ring_destroy(audio);
	put_device(audio->parent);
	if (audio->released)
		audio->released(audio->released_data);
}

static void avring_audio_init(struct avring_audio *audio, struct snd_card *card,
			      const struct avring_audio_params *params)
{
	audio->card = card;
	audio->parent = get_device(params->dev);
	audio->released_data = params->data;
	audio->source = params->loopback ? AVRING_AUDIO_LOOPBACK : AVRING_AUDIO_TONE;
	audio->tone.flash_at = params->flash_at;
	audio->tone.data = params->data;
	audio->tone.volume = AVRING_AUDIO_DEFAULT_VOLUME;
	audio->tone.on = true;
	avring_audio_engine_init(audio);
	avring_audio_ring_init(audio);
	card->private_free = avring_audio_private_free;
}

/**
 * avring_audio_new() - make a sound card that nobody sees yet
 * @params: what to make; not needed afterwards
 * @out: the card
 *
 * Once this has succeeded, params->released will be called, whichever way the card
 * goes; if it fails, never.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int avring_audio_new(const struct avring_audio_params *params, struct avring_audio **out)
{
	struct avring_audio *audio;
	struct snd_card *card;
	int err;

	err = snd_card_new(params->dev, SNDRV_DEFAULT_IDX1, params->id, THIS_MODULE,
			   sizeof(*audio), &card);
	if (err < 0)
		return err;
	audio = card->private_data;
	avring_audio_init(audio, card, params);
	avring_sound_name_card(card, params->name);

	err = avring_pcm_new(audio);
	if (err < 0)
		goto free_card;
	err = avring_mixer_new(audio);
	if (err < 0)
		goto free_card;
	audio->released = params->released;
	*out = audio;
	return 0;

free_card:
	snd_card_free(card);
	return err;
}

/**
 * avring_audio_register() - show the card to user space
 * @audio: the sound card
 *
 * After a failure some nodes may be visible already; avring_audio_disconnect() copes.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int avring_audio_register(struct avring_audio *audio)
{
	return avring_sound_register(audio->card);
}

/**
 * avring_audio_disconnect() - take the card away from user space
 * @audio: the sound card; not to be touched afterwards
 *
 * Stops the streams, wakes who waits in read, write, poll or drain, and lets go.
 * Open files answer ENODEV from now on. Does not wait for them: the card is freed,
 * and params->released called, when the last one is closed, possibly before this
 * returns.
 *
 * Context: process, may sleep.
 */
void avring_audio_disconnect(struct avring_audio *audio)
{
	struct snd_card *card = audio->card;

	snd_card_disconnect(card);
	hrtimer_cancel(&audio->timer);
	snd_card_free_when_closed(card);
}

/**
 * avring_audio_number() - number of the card in ALSA
 * @audio: the sound card
 *
 * Return: N of "hw:N".
 */
int avring_audio_number(const struct avring_audio *audio)
{
	return audio->card->number;
}

/**
 * avring_audio_devt() - device number of one node of the card
 * @audio: the sound card, registered
 * @node: which one
 *
 * Context: process, may sleep.
 * Return: the number, 0 if there is no such node.
 */
dev_t avring_audio_devt(struct avring_audio *audio, enum avring_sound_node node)
{
	return avring_sound_devt(audio->card, node);
}
