// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a card and its parts. See avring_card.h.
 *
 * Making a card has two steps. avring_card_new() builds everything and shows
 * nothing, so its error path frees directly. avring_card_register() shows the
 * nodes one by one; from the first one on somebody may have it open, so when it
 * fails the only way back is avring_card_remove(), the same as on unbind.
 */
#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <media/media-device.h>
#include <media/v4l2-device.h>

#include "avring_audio.h"
#include "avring_capture.h"
#include "avring_card.h"
#include "avring_engine.h"
#include "avring_media.h"
#include "avring_output.h"
#include "avring_ringdev.h"

/**
 * struct avring_card - the aggregate
 * @refs: driver, V4L2 device, sound card, ring node
 * @mdev: media device
 * @v4l2_dev: parent of the video nodes
 * @engine: moves pictures
 * @capture: video node
 * @output: video node
 * @audio: sound card, gone after avring_card_remove()
 * @media: sound in the media graph
 * @ringdev: ring node
 */
struct avring_card {
	struct kref refs;
	struct media_device mdev;
	struct v4l2_device v4l2_dev;
	struct avring_engine *engine;
	struct avring_capture capture;
	struct avring_output output;
	struct avring_audio *audio;
	struct avring_media media;
	struct avring_ringdev ringdev;
};

/* Cards that are not freed yet. */
static atomic_t avring_live_cards = ATOMIC_INIT(0);

static void avring_card_release(struct kref *refs)
{
	struct avring_card *card = container_of(refs, struct avring_card, refs);

	avring_output_cleanup(&card->output);
	avring_capture_cleanup(&card->capture);
	avring_engine_free(card->engine);
	media_device_cleanup(&card->mdev);
	kfree(card);
	if (atomic_dec_and_test(&avring_live_cards))
		wake_up_var(&avring_live_cards);
}

/**
 * avring_card_wait_released() - wait until no card is left
 *
 * ALSA drops its reference on the module before it frees a sound card, so the
 * module must not go away while the last close of a removed card is under way.
 */
void avring_card_wait_released(void)
{
	wait_var_event(&avring_live_cards, !atomic_read(&avring_live_cards));
}

static void avring_card_put(struct avring_card *card)
{
	kref_put(&card->refs, avring_card_release);
}

static void avring_card_v4l2_released(struct v4l2_device *v4l2_dev)
{
	v4l2_device_unregister(v4l2_dev);
	avring_card_put(container_of(v4l2_dev, struct avring_card, v4l2_dev));
}

static void avring_card_audio_released(void *card)
{
	avring_card_put(card);
}

static void avring_card_ringdev_released(void *card)
{
	avring_card_put(card);
}

static u64 avring_card_flash_at(void *data, u64 ns)
{
	const struct avring_card *card = data;

	return avring_engine_flash_at(card->engine, ns);
}

static void avring_card_init_media(struct avring_card *card, struct device *dev, int number)
{
	struct media_device *mdev = &card->mdev;

	mdev->dev = dev;
	snprintf(mdev->model, sizeof(mdev->model), "avring %d", number);
	snprintf(mdev->bus_info, sizeof(mdev->bus_info), "platform:%s", dev_name(dev));
	media_device_init(mdev);
}

static int avring_card_init_v4l2(struct avring_card *card, struct device *dev)
{
	strscpy(card->v4l2_dev.name, card->mdev.model, sizeof(card->v4l2_dev.name));
	card->v4l2_dev.mdev = &card->mdev;
	return v4l2_device_register(dev, &card->v4l2_dev);
}

/* The sound card takes its reference on success only. */
static int avring_card_init_audio(struct avring_card *card, struct device *dev,
				  const struct avring_card_config *config)
{
	char id[16];
	struct avring_audio_params params = {
		.dev = dev,
		.id = id,
		.number = config->number,
		.loopback = config->loopback,
		.flash_at = avring_card_flash_at,
		.released = avring_card_audio_released,
		.data = card,
	};
	int err;

	snprintf(id, sizeof(id), "avring%d", config->number);
	err = avring_audio_new(&params, &card->audio);
	if (!err)
		kref_get(&card->refs);
	return err;
}

/* The ring node takes its reference at once. */
static void avring_card_init_ringdev(struct avring_card *card, struct device *dev, int number)
{
	struct avring_ringdev *ringdev = &card->ringdev;

	ringdev->sources[AVRING_STREAM_VIDEO] = (struct avring_source){
		&avring_capture_ring_ops, &card->capture,
	};
	ringdev->sources[AVRING_STREAM_AUDIO] = (struct avring_source){
		&avring_audio_ring_ops, card->audio,
	};
	ringdev->released = avring_card_ringdev_released;
	ringdev->data = card;
	kref_get(&card->refs);
	avring_ringdev_init(ringdev, dev, number);
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
	int err;

	if (!card)
		return ERR_PTR(-ENOMEM);
	kref_init(&card->refs);
	avring_card_init_media(card, dev, config->number);
	err = avring_card_init_v4l2(card, dev);
	if (err)
		goto cleanup_media;
	card->engine = avring_engine_new(config->number, avring_capture_source_change,
					 &card->capture);
	if (IS_ERR(card->engine)) {
		err = PTR_ERR(card->engine);
		goto unregister_v4l2;
	}
	err = avring_capture_init(&card->capture, &card->v4l2_dev, card->engine, input);
	if (err)
		goto free_engine;
	err = avring_output_init(&card->output, &card->v4l2_dev, card->engine);
	if (err)
		goto cleanup_capture;
	err = avring_card_init_audio(card, dev, config);
	if (err)
		goto cleanup_output;
	avring_card_init_ringdev(card, dev, config->number);
	card->v4l2_dev.release = avring_card_v4l2_released;
	kref_get(&card->refs);
	atomic_inc(&avring_live_cards);
	return card;

cleanup_output:
	avring_output_cleanup(&card->output);
cleanup_capture:
	avring_capture_cleanup(&card->capture);
free_engine:
	avring_engine_stop(card->engine);
	avring_engine_free(card->engine);
unregister_v4l2:
	v4l2_device_unregister(&card->v4l2_dev);
cleanup_media:
	media_device_cleanup(&card->mdev);
	kfree(card);
	return ERR_PTR(err);
}

static int avring_card_register_graph(struct avring_card *card)
{
	dev_t devt[AVRING_MEDIA_PARTS] = {
		[AVRING_MEDIA_MIXER] = avring_audio_devt(card->audio, AVRING_AUDIO_CONTROL),
		[AVRING_MEDIA_CAPTURE] = avring_audio_devt(card->audio, AVRING_AUDIO_CAPTURE),
		[AVRING_MEDIA_PLAYBACK] = avring_audio_devt(card->audio, AVRING_AUDIO_PLAYBACK),
	};
	int err = avring_media_add(&card->media, &card->mdev, devt);

	if (!err)
		err = media_create_pad_link(&card->output.node.vdev.entity, 0,
					    &card->capture.node.vdev.entity, 0,
					    MEDIA_LNK_FL_ENABLED | MEDIA_LNK_FL_IMMUTABLE);
	return err;
}

static struct avring_devnum avring_card_devnum(dev_t devt)
{
	return (struct avring_devnum){ .major = MAJOR(devt), .minor = MINOR(devt) };
}

static struct avring_devnum avring_card_audio_devnum(struct avring_card *card,
						     enum avring_audio_node node)
{
	return avring_card_devnum(avring_audio_devt(card->audio, node));
}

/* The last node: who sees it can be told of all others. */
static int avring_card_register_ringdev(struct avring_card *card)
{
	struct avring_info *info = &card->ringdev.info;

	info->alsa_card = avring_audio_number(card->audio);
	info->capture = avring_card_devnum(card->capture.node.vdev.dev.devt);
	info->output = avring_card_devnum(card->output.node.vdev.dev.devt);
	info->pcm_capture = avring_card_audio_devnum(card, AVRING_AUDIO_CAPTURE);
	info->pcm_playback = avring_card_audio_devnum(card, AVRING_AUDIO_PLAYBACK);
	info->control = avring_card_audio_devnum(card, AVRING_AUDIO_CONTROL);
	info->media = avring_card_devnum(card->mdev.devnode->dev.devt);
	return avring_ringdev_register(&card->ringdev);
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
		err = avring_card_register_graph(card);
	if (!err)
		err = media_device_register(&card->mdev);
	if (!err)
		err = avring_card_register_ringdev(card);
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
	avring_ringdev_unregister(&card->ringdev);
	media_device_unregister(&card->mdev);
	avring_media_remove(&card->media);
	avring_node_unregister(&card->output.node);
	avring_node_unregister(&card->capture.node);
	avring_engine_stop(card->engine);
	avring_audio_disconnect(card->audio);
	v4l2_device_disconnect(&card->v4l2_dev);
	v4l2_device_put(&card->v4l2_dev);
	put_device(&card->ringdev.dev);
	avring_card_put(card);
}
