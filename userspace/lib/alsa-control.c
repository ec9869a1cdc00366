// SPDX-License-Identifier: MIT
/*
 * alsa-control: an enumerated control of a sound card, set by name.
 */
#include <alsa/asoundlib.h>

#include "alsa.h"
#include "internal.h"

/* Index of an item, or -EINVAL. */
static int avring_sound_item(snd_ctl_t *ctl, snd_ctl_elem_info_t *info, const char *item)
{
	unsigned int count, i;
	int error = snd_ctl_elem_info(ctl, info);

	if (error)
		return error;
	if (snd_ctl_elem_info_get_type(info) != SND_CTL_ELEM_TYPE_ENUMERATED)
		return -EINVAL;
	count = snd_ctl_elem_info_get_items(info);
	for (i = 0; i < count; i++) {
		snd_ctl_elem_info_set_item(info, i);
		error = snd_ctl_elem_info(ctl, info);
		if (error)
			return error;
		if (!strcmp(snd_ctl_elem_info_get_item_name(info), item))
			return i;
	}
	return -EINVAL;
}

static int avring_sound_write(snd_ctl_t *ctl, const char *name, const char *item)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;
	int index;

	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_id_set_name(id, name);
	snd_ctl_elem_info_set_id(info, id);
	index = avring_sound_item(ctl, info, item);
	if (index < 0)
		return index;
	snd_ctl_elem_value_set_id(value, id);
	snd_ctl_elem_value_set_enumerated(value, 0, index);
	index = snd_ctl_elem_write(ctl, value);
	return index < 0 ? index : 0;
}

int avring_sound_set_control(unsigned int card, const char *name, const char *item)
{
	snd_local_error_handler_t before = avring_alsa_quiet();
	char device[16];
	snd_ctl_t *ctl;
	int error;

	snprintf(device, sizeof(device), "hw:%u", card);
	error = snd_ctl_open(&ctl, device, 0);
	if (!error) {
		error = avring_sound_write(ctl, name, item);
		snd_ctl_close(ctl);
	}
	snd_lib_error_set_local(before);
	return error;
}
