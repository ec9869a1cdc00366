// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: sound entities of the media graph. See media.h.
 *
 *	playback --> [0] mixer [1] --> capture
 */
#include <linux/kernel.h>

#include "media.h"

static const struct {
	const char *name;
	u32 function;
	u32 intf_type;
	u16 n_pads;
	unsigned long pad_flags[2];
} avring_media_parts[AVRING_MEDIA_PARTS] = {
	[AVRING_MEDIA_MIXER] = {
		"mixer", MEDIA_ENT_F_AUDIO_MIXER, MEDIA_INTF_T_ALSA_CONTROL,
		2, { MEDIA_PAD_FL_SINK, MEDIA_PAD_FL_SOURCE },
	},
	[AVRING_MEDIA_CAPTURE] = {
		"sound capture", MEDIA_ENT_F_AUDIO_CAPTURE, MEDIA_INTF_T_ALSA_PCM_CAPTURE,
		1, { MEDIA_PAD_FL_SINK },
	},
	[AVRING_MEDIA_PLAYBACK] = {
		"sound playback", MEDIA_ENT_F_AUDIO_PLAYBACK, MEDIA_INTF_T_ALSA_PCM_PLAYBACK,
		1, { MEDIA_PAD_FL_SOURCE },
	},
};

static int avring_media_add_part(struct avring_media *media, struct media_device *mdev,
				 enum avring_media_part which, dev_t devt)
{
	struct avring_media_entity *part = &media->parts[which];
	struct media_entity *entity = &part->entity;
	unsigned int i;
	int err;

	snprintf(part->name, sizeof(part->name), "%s %s", mdev->model,
		 avring_media_parts[which].name);
	entity->name = part->name;
	entity->function = avring_media_parts[which].function;
	for (i = 0; i < avring_media_parts[which].n_pads; i++)
		part->pads[i].flags = avring_media_parts[which].pad_flags[i];
	err = media_entity_pads_init(entity, avring_media_parts[which].n_pads, part->pads);
	if (!err)
		err = media_device_register_entity(mdev, entity);
	if (err)
		return err;
	part->intf = media_devnode_create(mdev, avring_media_parts[which].intf_type, 0,
					  MAJOR(devt), MINOR(devt));
	if (!part->intf)
		return -ENOMEM;
	if (!media_create_intf_link(entity, &part->intf->intf,
				    MEDIA_LNK_FL_ENABLED | MEDIA_LNK_FL_IMMUTABLE))
		return -ENOMEM;
	return 0;
}

static int avring_media_link(struct avring_media *media, enum avring_media_part source, u16 pad,
			     enum avring_media_part sink)
{
	return media_create_pad_link(&media->parts[source].entity, pad,
				     &media->parts[sink].entity, 0,
				     MEDIA_LNK_FL_ENABLED | MEDIA_LNK_FL_IMMUTABLE);
}

/**
 * avring_media_add() - put the sound of a card into its graph
 * @media: zeroed
 * @mdev: the card's media device, initialised
 * @devt: device numbers of control, capture and playback; 0 if there is none
 *
 * Return: 0 or a negative errno; call avring_media_remove() in either case.
 */
int avring_media_add(struct avring_media *media, struct media_device *mdev,
		     const dev_t devt[AVRING_MEDIA_PARTS])
{
	enum avring_media_part which;
	int err;

	for (which = 0; which < AVRING_MEDIA_PARTS; which++) {
		err = devt[which] ? avring_media_add_part(media, mdev, which, devt[which]) : 0;
		if (err)
			return err;
	}
	if (devt[AVRING_MEDIA_PLAYBACK])
		err = avring_media_link(media, AVRING_MEDIA_PLAYBACK, 0, AVRING_MEDIA_MIXER);
	if (!err && devt[AVRING_MEDIA_CAPTURE])
		err = avring_media_link(media, AVRING_MEDIA_MIXER, 1, AVRING_MEDIA_CAPTURE);
	return err;
}

/**
 * avring_media_remove() - undo avring_media_add(), whole or half done
 * @media: the sound entities; the media device may be unregistered already
 */
void avring_media_remove(struct avring_media *media)
{
	enum avring_media_part which;

	for (which = 0; which < AVRING_MEDIA_PARTS; which++) {
		struct avring_media_entity *part = &media->parts[which];

		if (part->intf)
			media_devnode_remove(part->intf);
		part->intf = NULL;
		media_device_unregister_entity(&part->entity);
		media_entity_cleanup(&part->entity);
	}
}
