/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the sound half of a card in its media graph.
 *
 * V4L2 puts the video nodes into the graph by itself. This adds the mixer and the
 * two PCMs, so that an application which found one node of a card finds the rest.
 */
#ifndef AVRING_MEDIA_H
#define AVRING_MEDIA_H

#include <linux/types.h>
#include <media/media-device.h>
#include <media/media-entity.h>

enum avring_media_part {
	AVRING_MEDIA_MIXER,
	AVRING_MEDIA_CAPTURE,
	AVRING_MEDIA_PLAYBACK,
	AVRING_MEDIA_PARTS
};

/**
 * struct avring_media_entity - one sound entity and its device node
 * @entity: in the graph
 * @pads: only the mixer has two
 * @intf: the device node, NULL while it is not in the graph
 * @name: of @entity
 */
struct avring_media_entity {
	struct media_entity entity;
	struct media_pad pads[2];
	struct media_intf_devnode *intf;
	char name[48];
};

/**
 * struct avring_media - the sound entities of a card
 * @parts: by avring_media_part
 */
struct avring_media {
	struct avring_media_entity parts[AVRING_MEDIA_PARTS];
};

int avring_media_add(struct avring_media *media, struct media_device *mdev,
		     const dev_t devt[AVRING_MEDIA_PARTS]);
void avring_media_remove(struct avring_media *media);

#endif
