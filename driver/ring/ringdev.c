// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the character device /dev/avringN: how it comes and goes. Who opens it: ring/file.h.
 */
#include <linux/fs.h>
#include <linux/module.h>

#include "memory/store.h"
#include "ring/file.h"
#include "ring/ringdev.h"

static struct class avring_ring_class = {
	.name = "avring",
};

static dev_t avring_ring_devt;
static unsigned int avring_ring_cards;

static void avring_ringdev_released(struct device *dev)
{
	struct avring_ringdev *ringdev = container_of(dev, struct avring_ringdev, dev);

	if (ringdev->window)
		avring_store_put(ringdev->window);
	mutex_destroy(&ringdev->files_lock);
	mutex_destroy(&ringdev->moving);
	ringdev->released(ringdev->data);
}

/**
 * avring_ringdev_init_class() - prepare for ring nodes
 * @cards: how many at most
 *
 * Return: 0 or a negative errno.
 */
int avring_ringdev_init_class(unsigned int cards)
{
	int err = class_register(&avring_ring_class);

	if (err)
		return err;
	err = alloc_chrdev_region(&avring_ring_devt, 0, cards, "avring");
	if (err)
		class_unregister(&avring_ring_class);
	else
		avring_ring_cards = cards;
	return err;
}

/**
 * avring_ringdev_exit_class() - undo avring_ringdev_init_class()
 */
void avring_ringdev_exit_class(void)
{
	unregister_chrdev_region(avring_ring_devt, avring_ring_cards);
	class_unregister(&avring_ring_class);
}

/**
 * avring_ringdev_init() - set up a node that nobody can see yet
 * @ringdev: zeroed but for @streams, and @released and @data, which will be called in any case
 *	once the caller has put @ringdev->dev
 * @parent: device of the card; what is open holds the module of its driver
 * @number: of the card
 */
void avring_ringdev_init(struct avring_ringdev *ringdev, struct device *parent, int number)
{
	struct device *dev = &ringdev->dev;

	init_rwsem(&ringdev->alive);
	mutex_init(&ringdev->moving);
	mutex_init(&ringdev->files_lock);
	INIT_LIST_HEAD(&ringdev->files);
	device_initialize(dev);
	dev->class = &avring_ring_class;
	dev->parent = parent;
	dev->devt = avring_ring_devt + number;
	dev->release = avring_ringdev_released;
	cdev_init(&ringdev->cdev, &avring_ring_fops);
	ringdev->cdev.owner = parent->driver->owner;
	ringdev->info.card = number;
	ringdev->info.features = AVRING_FEATURE_EXPORT;
	if (ringdev->streams[AVRING_STREAM_VIDEO])
		ringdev->info.features |= AVRING_FEATURE_VIDEO;
	if (ringdev->streams[AVRING_STREAM_AUDIO])
		ringdev->info.features |= AVRING_FEATURE_AUDIO;
}

/**
 * avring_ringdev_register() - show the node to user space
 * @ringdev: with its streams and info
 *
 * A 32-bit kernel cannot store a 64-bit position at once, and readers would see
 * halves of it: there are no ring nodes there.
 *
 * Return: 0 or a negative errno.
 */
int avring_ringdev_register(struct avring_ringdev *ringdev)
{
	int err;

	if (!IS_ENABLED(CONFIG_64BIT))
		return 0;
	if (ringdev->window) {
		ringdev->info.features |= AVRING_FEATURE_WINDOW;
		ringdev->info.window_offset = AVRING_WINDOW_OFFSET;
		ringdev->info.window_size = ringdev->window->size;
	}
	err = dev_set_name(&ringdev->dev, "avring%u", ringdev->info.card);
	if (!err)
		err = cdev_device_add(&ringdev->cdev, &ringdev->dev);
	ringdev->registered = !err;
	return err;
}

/**
 * avring_ringdev_unregister() - take the node away from user space
 * @ringdev: registered or not
 *
 * Rings end, who waits wakes up with ENODEV. Mappings of rings stay, the window is
 * revoked. When it returns no stream is called any more.
 */
void avring_ringdev_unregister(struct avring_ringdev *ringdev)
{
	unsigned int i;

	if (ringdev->registered)
		cdev_device_del(&ringdev->cdev, &ringdev->dev);
	down_write(&ringdev->alive);
	ringdev->gone = true;
	for (i = 0; i < AVRING_STREAMS; i++)
		if (ringdev->streams[i])
			avring_stream_gone(ringdev->streams[i]);
	up_write(&ringdev->alive);
	avring_ring_end_files(ringdev);
	if (ringdev->window)
		avring_store_revoke(ringdev->window);
}
