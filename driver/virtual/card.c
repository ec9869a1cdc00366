// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a card and its parts. See virtual/card.h.
 *
 * Making a card has two steps. avring_card_new() builds everything and shows
 * nothing, so its error path frees directly. avring_card_register() shows the
 * nodes one by one; from the first one on somebody may have it open, so when it
 * fails the only way back is avring_card_remove(), the same as on unbind.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "chassis.h"
#include "virtual/audio.h"
#include "virtual/capture.h"
#include "virtual/card.h"
#include "virtual/engine.h"
#include "virtual/output.h"

/**
 * struct avring_card - the aggregate
 * @chassis: what every card has; first to be made, and its references free the card
 * @engine: moves pictures
 * @capture: video node
 * @output: video node
 * @audio: sound card, gone after avring_card_remove()
 */
struct avring_card {
	struct avring_chassis chassis;
	struct avring_engine *engine;
	struct avring_capture capture;
	struct avring_output output;
	struct avring_audio *audio;
};

static void avring_card_free(struct avring_chassis *chassis)
{
	struct avring_card *card = container_of(chassis, struct avring_card, chassis);

	avring_node_cleanup(&card->output.node);
	avring_node_cleanup(&card->capture.node);
	avring_engine_free(card->engine);
	kfree(card);
}

struct avring_kind avring_virtual = {
	.free = avring_card_free,
};

static void avring_card_audio_released(void *card)
{
	avring_chassis_put(&((struct avring_card *)card)->chassis);
}

static u64 avring_card_flash_at(void *data, u64 ns)
{
	const struct avring_card *card = data;

	return avring_engine_flash_at(card->engine, ns);
}

/* The sound card takes its reference on success only. */
static int avring_card_init_audio(struct avring_card *card, struct device *dev,
				  const struct avring_card_config *config)
{
	char id[16];
	struct avring_audio_params params = {
		.dev = dev,
		.id = id,
		.name = card->chassis.mdev.model,
		.loopback = config->loopback,
		.flash_at = avring_card_flash_at,
		.released = avring_card_audio_released,
		.data = card,
	};
	int err;

	snprintf(id, sizeof(id), "avring%d", card->chassis.names.number);
	err = avring_audio_new(&params, &card->audio);
	if (!err)
		avring_chassis_get(&card->chassis);
	return err;
}

static void avring_card_live(struct avring_card *card, struct device *dev)
{
	struct avring_stream *const streams[AVRING_STREAMS] = {
		[AVRING_STREAM_VIDEO] = avring_engine_stream(card->engine),
		[AVRING_STREAM_AUDIO] = avring_audio_stream(card->audio),
	};

	card->capture.node.queue.account = card->chassis.account;
	card->output.node.queue.account = card->chassis.account;
	avring_chassis_live(&card->chassis, dev, streams);
	card->chassis.ringdev.info.features |= AVRING_FEATURE_PRODUCER;
}

/**
 * avring_card_new() - build a card, visible to nobody
 * @dev: its device
 * @config: how it starts
 *
 * Return: the card, or an ERR_PTR with nothing left behind.
 */
struct avring_card *avring_card_new(struct device *dev, const struct avring_card_config *config)
{
	enum avring_input input = config->loopback ? AVRING_INPUT_LOOPBACK : AVRING_INPUT_PATTERN;
	struct avring_card *card = kzalloc(sizeof(*card), GFP_KERNEL);
	const struct avring_names *names;
	int err;

	if (!card)
		return ERR_PTR(-ENOMEM);
	err = avring_chassis_init(&card->chassis, &avring_virtual, dev, config->number,
				  config->name);
	if (err)
		goto free_card;
	names = &card->chassis.names;
	card->engine = avring_engine_new(names->number, avring_capture_source_change,
					 &card->capture);
	if (IS_ERR(card->engine)) {
		err = PTR_ERR(card->engine);
		goto destroy_chassis;
	}
	err = avring_capture_init(&card->capture, &card->chassis.v4l2_dev, card->engine, input);
	if (err)
		goto free_engine;
	err = avring_output_init(&card->output, &card->chassis.v4l2_dev, card->engine);
	if (err)
		goto cleanup_capture;
	err = avring_card_init_audio(card, dev, config);
	if (err)
		goto cleanup_output;
	strscpy(card->capture.node.vdev.name, names->capture, sizeof(card->capture.node.vdev.name));
	strscpy(card->output.node.vdev.name, names->output, sizeof(card->output.node.vdev.name));
	avring_card_live(card, dev);
	return card;

cleanup_output:
	avring_node_cleanup(&card->output.node);
cleanup_capture:
	avring_node_cleanup(&card->capture.node);
free_engine:
	avring_engine_stop(card->engine);
	avring_engine_free(card->engine);
destroy_chassis:
	avring_chassis_destroy(&card->chassis);
free_card:
	kfree(card);
	return ERR_PTR(err);
}

static int avring_card_register_chassis(struct avring_card *card)
{
	struct avring_audio *audio = card->audio;
	const struct avring_chassis_nodes nodes = {
		.capture = &card->capture.node.vdev,
		.output = &card->output.node.vdev,
		.alsa_card = avring_audio_number(audio),
		.sound = {
			[AVRING_MEDIA_MIXER] = avring_audio_devt(audio, AVRING_SOUND_CONTROL),
			[AVRING_MEDIA_CAPTURE] = avring_audio_devt(audio, AVRING_SOUND_CAPTURE),
			[AVRING_MEDIA_PLAYBACK] = avring_audio_devt(audio, AVRING_SOUND_PLAYBACK),
		},
	};

	return avring_chassis_register(&card->chassis, &nodes);
}

/**
 * avring_card_register() - show a card to user space
 * @card: from avring_card_new()
 *
 * Return: 0, or a negative errno; then the card must be removed with
 * avring_card_remove().
 */
int avring_card_register(struct avring_card *card)
{
	int err = avring_audio_register(card->audio);

	if (!err)
		err = avring_node_register(&card->capture.node);
	if (!err)
		err = avring_node_register(&card->output.node);
	if (!err)
		err = avring_card_register_chassis(card);
	return err;
}

/**
 * avring_card_remove() - take a card away from user space
 * @card: registered whole, half or not at all
 *
 * Who waits wakes up with ENODEV. The card is freed when its last file is closed;
 * it is gone for the caller.
 */
void avring_card_remove(struct avring_card *card)
{
	avring_chassis_unregister(&card->chassis);
	avring_node_unregister(&card->output.node);
	avring_node_unregister(&card->capture.node);
	avring_engine_stop(card->engine);
	avring_audio_disconnect(card->audio);
	avring_chassis_drop(&card->chassis);
}
