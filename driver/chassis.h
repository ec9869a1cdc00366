/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what every card has, whatever its frames come from: a V4L2 device, a media
 * graph, a ring node, and a life.
 *
 * Lifetime: one kref. The driver holds one reference from probe to remove, the
 * V4L2 device one until its last node is closed, the sound card one until its
 * last file is closed, the ring node likewise. The last one frees the card. Mappings
 * hold stores, not cards. What is open holds the module of the card, which is the one of
 * the device's driver; what is mapped or exported holds avring-core alone.
 */
#ifndef AVRING_CHASSIS_H
#define AVRING_CHASSIS_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <media/media-device.h>
#include <media/v4l2-device.h>

#include "media.h"
#include "names.h"
#include "ring/ringdev.h"

struct avring_account;
struct avring_chassis;

/**
 * struct avring_kind - what the cards of one module have in common
 * @free: frees the card that a chassis is a part of
 * @live: cards that are not freed yet
 */
struct avring_kind {
	void (*free)(struct avring_chassis *chassis);
	atomic_t live;
};

/**
 * struct avring_chassis - part of a card
 * @kind: of the card
 * @refs: driver, V4L2 device, sound card, ring node
 * @account: of its memory
 * @names: until the driver lets go of the card
 * @mdev: media device
 * @v4l2_dev: parent of the video nodes
 * @media: sound in the media graph
 * @ringdev: ring node
 */
struct avring_chassis {
	struct avring_kind *kind;
	struct kref refs;
	struct avring_account *account;
	struct avring_names names;
	struct media_device mdev;
	struct v4l2_device v4l2_dev;
	struct avring_media media;
	struct avring_ringdev ringdev;
};

/**
 * struct avring_chassis_nodes - what the nodes of a card are
 * @capture: V4L2 node that captures, or NULL
 * @output: V4L2 node that is written to, or NULL; only with @capture
 * @alsa_card: number of the sound card, if there is one
 * @sound: its nodes by AVRING_MEDIA_*, 0 if there is none
 */
struct avring_chassis_nodes {
	struct video_device *capture;
	struct video_device *output;
	int alsa_card;
	dev_t sound[AVRING_MEDIA_PARTS];
};

int avring_chassis_init(struct avring_chassis *chassis, struct avring_kind *kind,
			struct device *dev, int number, const char *name);
void avring_chassis_destroy(struct avring_chassis *chassis);
void avring_chassis_live(struct avring_chassis *chassis, struct device *dev,
			 struct avring_stream *const streams[AVRING_STREAMS]);
int avring_chassis_register(struct avring_chassis *chassis,
			    const struct avring_chassis_nodes *nodes);
void avring_chassis_unregister(struct avring_chassis *chassis);
void avring_chassis_drop(struct avring_chassis *chassis);
void avring_chassis_put(struct avring_chassis *chassis);
void avring_chassis_wait_freed(struct avring_kind *kind);

static inline void avring_chassis_get(struct avring_chassis *chassis)
{
	kref_get(&chassis->refs);
}

#endif
