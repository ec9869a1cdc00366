/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the ring node of a card, /dev/avringN. See the uapi header.
 */
#ifndef AVRING_RINGDEV_H
#define AVRING_RINGDEV_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <uapi/linux/avring.h>

#include "ring/stream.h"

struct avring_store;

/**
 * struct avring_ringdev - the node
 * @dev: parent of the character device; its last reference calls @released
 * @cdev: the character device
 * @info: what AVRING_IOC_INFO says; complete before registration but for the window
 * @window: memory of the card, or NULL; a reference that is given to the node before
 *	registration
 * @account: of the card, as long as the node
 * @streams: by AVRING_STREAM_*, or NULL; not looked at any more after @gone
 * @registered: the node is visible
 * @released: nobody can reach the node any more
 * @data: its argument
 * @alive: held for reading around calls of the streams, for writing while the card
 *	is removed; guards @gone. Outside of every lock of the streams
 * @gone: the card was removed
 * @moving: held while a file moves to another ring of its stream; inside of its own lock
 * @files_lock: guards @files; innermost but for locks of a ring
 * @files: open files
 */
struct avring_ringdev {
	struct device dev;
	struct cdev cdev;
	struct avring_info info;
	struct avring_store *window;
	struct avring_account *account;
	struct avring_stream *streams[AVRING_STREAMS];
	bool registered;
	void (*released)(void *data);
	void *data;

	struct rw_semaphore alive;
	bool gone;
	struct mutex moving;

	struct mutex files_lock;
	struct list_head files;
};

int avring_ringdev_init_class(unsigned int cards);
void avring_ringdev_exit_class(void);

void avring_ringdev_init(struct avring_ringdev *ringdev, struct device *parent, int number);
int avring_ringdev_register(struct avring_ringdev *ringdev);
void avring_ringdev_unregister(struct avring_ringdev *ringdev);

#endif
