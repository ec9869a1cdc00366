// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: what every card has. See chassis.h.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/wait_bit.h>
#include <media/v4l2-dev.h>

#include "chassis.h"
#include "compat.h"
#include "memory/account.h"

/* How often a wait for them says why. */
#define AVRING_CHASSIS_PATIENCE		(5 * HZ)

static void avring_chassis_release(struct kref *refs)
{
	struct avring_chassis *chassis = container_of(refs, struct avring_chassis, refs);

	struct avring_kind *kind = chassis->kind;

	avring_account_put(chassis->account);
	media_device_cleanup(&chassis->mdev);
	kind->free(chassis);
	if (atomic_dec_and_test(&kind->live))
		wake_up_var(&kind->live);
}

/**
 * avring_chassis_put() - drop a reference
 * @chassis: gone for the caller. Context: process.
 */
void avring_chassis_put(struct avring_chassis *chassis)
{
	kref_put(&chassis->refs, avring_chassis_release);
}
EXPORT_SYMBOL_AVRING(avring_chassis_put);

/**
 * avring_chassis_wait_freed() - wait until no card of a module is left
 * @kind: of its cards
 *
 * ALSA drops its reference on the module before it frees a sound card, so the
 * module must not go away while the last close of a removed card is under way.
 * A wait that lasts says why. The way back through the last few instructions of that close
 * is not waited for; nobody can.
 */
void avring_chassis_wait_freed(struct avring_kind *kind)
{
	while (!wait_var_event_timeout(&kind->live, !atomic_read(&kind->live),
				       AVRING_CHASSIS_PATIENCE))
		pr_warn("avring: waits to be unloaded: %d card(s) removed and still held by the kernel\n",
			atomic_read(&kind->live));
}
EXPORT_SYMBOL_AVRING(avring_chassis_wait_freed);

static void avring_chassis_v4l2_released(struct v4l2_device *v4l2_dev)
{
	v4l2_device_unregister(v4l2_dev);
	avring_chassis_put(container_of(v4l2_dev, struct avring_chassis, v4l2_dev));
}

static void avring_chassis_ringdev_released(void *chassis)
{
	avring_chassis_put(chassis);
}

/**
 * avring_chassis_init() - set up what nobody can see yet
 * @chassis: zeroed
 * @kind: of the card; whatever has failed, its free() is not called for this one
 * @dev: device of the card
 * @number: that the card would like, see avring_names_claim()
 * @name: chosen by the user, or NULL
 *
 * Return: 0 or a negative errno; then nothing is left to clean up.
 */
int avring_chassis_init(struct avring_chassis *chassis, struct avring_kind *kind,
			struct device *dev, int number, const char *name)
{
	struct v4l2_device *v4l2_dev = &chassis->v4l2_dev;
	struct media_device *mdev = &chassis->mdev;
	int err;

	err = avring_names_claim(&chassis->names, number, name);
	if (err)
		return err;
	chassis->account = avring_account_new(chassis->names.card);
	if (!chassis->account) {
		avring_names_release(&chassis->names);
		return -ENOMEM;
	}
	kref_init(&chassis->refs);
	chassis->kind = kind;
	mdev->dev = dev;
	strscpy(mdev->model, chassis->names.card, sizeof(mdev->model));
	media_device_init(mdev);
	strscpy(v4l2_dev->name, mdev->model, sizeof(v4l2_dev->name));
	v4l2_dev->mdev = mdev;
	err = v4l2_device_register(dev, v4l2_dev);
	if (err) {
		media_device_cleanup(mdev);
		avring_account_put(chassis->account);
		avring_names_release(&chassis->names);
	}
	return err;
}
EXPORT_SYMBOL_AVRING(avring_chassis_init);

/**
 * avring_chassis_destroy() - undo avring_chassis_init(); before avring_chassis_live() only
 * @chassis: the chassis
 */
void avring_chassis_destroy(struct avring_chassis *chassis)
{
	v4l2_device_unregister(&chassis->v4l2_dev);
	media_device_cleanup(&chassis->mdev);
	avring_account_put(chassis->account);
	avring_names_release(&chassis->names);
}
EXPORT_SYMBOL_AVRING(avring_chassis_destroy);

/**
 * avring_chassis_live() - from here on the card is freed by its last reference
 * @chassis: the chassis; the rest of the card is complete
 * @dev: device of the card
 * @streams: of the ring node, NULL where there is none; they live as long as they can be
 *	reached, see avring_ringdev
 *
 * Ends with avring_chassis_drop(), whether the card is shown to anybody or not.
 */
void avring_chassis_live(struct avring_chassis *chassis, struct device *dev,
			 struct avring_stream *const streams[AVRING_STREAMS])
{
	struct avring_ringdev *ringdev = &chassis->ringdev;
	unsigned int i;

	for (i = 0; i < AVRING_STREAMS; i++)
		if (streams[i])
			streams[i]->account = chassis->account;
	ringdev->account = chassis->account;
	memcpy(ringdev->streams, streams, sizeof(ringdev->streams));
	ringdev->released = avring_chassis_ringdev_released;
	ringdev->data = chassis;
	avring_chassis_get(chassis);
	avring_ringdev_init(ringdev, dev, chassis->names.number);
	chassis->v4l2_dev.release = avring_chassis_v4l2_released;
	avring_chassis_get(chassis);
	atomic_inc(&chassis->kind->live);
}
EXPORT_SYMBOL_AVRING(avring_chassis_live);

static struct avring_devnum avring_chassis_devnum(dev_t devt)
{
	return (struct avring_devnum){ .major = MAJOR(devt), .minor = MINOR(devt) };
}

/* Who sees the ring node can be told of all others. */
static void avring_chassis_describe(struct avring_chassis *chassis,
				    const struct avring_chassis_nodes *nodes)
{
	struct avring_info *info = &chassis->ringdev.info;

	info->alsa_card = nodes->alsa_card;
	if (nodes->capture)
		info->capture = avring_chassis_devnum(nodes->capture->dev.devt);
	if (nodes->output)
		info->output = avring_chassis_devnum(nodes->output->dev.devt);
	info->pcm_capture = avring_chassis_devnum(nodes->sound[AVRING_MEDIA_CAPTURE]);
	info->pcm_playback = avring_chassis_devnum(nodes->sound[AVRING_MEDIA_PLAYBACK]);
	info->control = avring_chassis_devnum(nodes->sound[AVRING_MEDIA_MIXER]);
	info->media = avring_chassis_devnum(chassis->mdev.devnode->dev.devt);
}

/**
 * avring_chassis_register() - show media graph and ring node to user space
 * @chassis: the chassis
 * @nodes: all other nodes, registered
 *
 * Return: 0, or a negative errno; avring_chassis_unregister() is due in either case.
 */
int avring_chassis_register(struct avring_chassis *chassis,
			    const struct avring_chassis_nodes *nodes)
{
	int err = avring_media_add(&chassis->media, &chassis->mdev, nodes->sound);

	if (!err && nodes->output)
		err = media_create_pad_link(&nodes->output->entity, 0, &nodes->capture->entity, 0,
					    MEDIA_LNK_FL_ENABLED | MEDIA_LNK_FL_IMMUTABLE);
	if (!err)
		err = __media_device_register(&chassis->mdev, chassis->mdev.dev->driver->owner);
	if (err)
		return err;
	avring_chassis_describe(chassis, nodes);
	return avring_ringdev_register(&chassis->ringdev);
}
EXPORT_SYMBOL_AVRING(avring_chassis_register);

/**
 * avring_chassis_unregister() - take ring node and graph away from user space
 * @chassis: registered whole, half or not at all
 */
void avring_chassis_unregister(struct avring_chassis *chassis)
{
	avring_ringdev_unregister(&chassis->ringdev);
	media_device_unregister(&chassis->mdev);
	avring_media_remove(&chassis->media);
}
EXPORT_SYMBOL_AVRING(avring_chassis_unregister);

/**
 * avring_chassis_drop() - the driver lets go of the card
 * @chassis: unregistered, as are all nodes; it is gone for the caller
 */
void avring_chassis_drop(struct avring_chassis *chassis)
{
	avring_names_release(&chassis->names);
	v4l2_device_disconnect(&chassis->v4l2_dev);
	v4l2_device_put(&chassis->v4l2_dev);
	put_device(&chassis->ringdev.dev);
	avring_chassis_put(chassis);
}
EXPORT_SYMBOL_AVRING(avring_chassis_drop);
