// SPDX-License-Identifier: MIT
/*
 * pairing: from a card's media device alone an application finds the video nodes
 * and the sound devices that belong together. Two cards make sure that it is not
 * luck: load with cards=2.
 */
#include <fcntl.h>
#include <linux/media.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device.h"
#include "fixture.h"
#include "tap.h"

/**
 * struct topology - what MEDIA_IOC_G_TOPOLOGY says
 * @n_entities: how many
 * @entities: functional blocks
 * @n_interfaces: how many
 * @interfaces: device nodes
 * @n_links: how many
 * @links: who is connected to whom
 */
struct topology {
	unsigned int n_entities, n_interfaces, n_links;
	struct media_v2_entity *entities;
	struct media_v2_interface *interfaces;
	struct media_v2_link *links;
};

static uint64_t pairing_address(void *pointer)
{
	return (uintptr_t)pointer;
}

/* Asked twice: for the numbers, then for the contents. */
static void topology_get(const char *node, struct topology *topology)
{
	struct media_v2_topology raw = { 0 };
	int fd = must(sys(open(node, O_RDWR | O_CLOEXEC)));

	must(video_ioctl(fd, MEDIA_IOC_G_TOPOLOGY, &raw));
	topology->n_entities = raw.num_entities;
	topology->n_interfaces = raw.num_interfaces;
	topology->n_links = raw.num_links;
	topology->entities = calloc(raw.num_entities + 1, sizeof(*topology->entities));
	topology->interfaces = calloc(raw.num_interfaces + 1, sizeof(*topology->interfaces));
	topology->links = calloc(raw.num_links + 1, sizeof(*topology->links));
	raw.ptr_entities = pairing_address(topology->entities);
	raw.ptr_interfaces = pairing_address(topology->interfaces);
	raw.ptr_links = pairing_address(topology->links);
	raw.num_pads = 0;
	must(video_ioctl(fd, MEDIA_IOC_G_TOPOLOGY, &raw));
	close(fd);
}

static void topology_free(struct topology *topology)
{
	free(topology->entities);
	free(topology->interfaces);
	free(topology->links);
}

static dev_t pairing_device(const char *node)
{
	struct stat info;

	must(sys(stat(node, &info)));
	return info.st_rdev;
}

static bool interface_is(const struct media_v2_interface *interface, uint32_t type, dev_t device)
{
	return interface->intf_type == type && interface->devnode.major == major(device) &&
	       interface->devnode.minor == minor(device);
}

static const struct media_v2_interface *find_interface(const struct topology *topology,
						       uint32_t type, const char *node)
{
	dev_t device = pairing_device(node);
	unsigned int i;

	for (i = 0; i < topology->n_interfaces; i++)
		if (interface_is(&topology->interfaces[i], type, device))
			return &topology->interfaces[i];
	return NULL;
}

/* The entity behind a device node. */
static const struct media_v2_entity *find_entity(const struct topology *topology,
						 uint32_t interface)
{
	uint32_t entity = 0;
	unsigned int i;

	for (i = 0; i < topology->n_links; i++)
		if ((topology->links[i].flags & MEDIA_LNK_FL_LINK_TYPE) ==
			    MEDIA_LNK_FL_INTERFACE_LINK &&
		    topology->links[i].source_id == interface)
			entity = topology->links[i].sink_id;
	for (i = 0; i < topology->n_entities; i++)
		if (topology->entities[i].id == entity)
			return &topology->entities[i];
	return NULL;
}

static void check_interface(const struct topology *topology, uint32_t type, const char *node)
{
	const struct media_v2_interface *interface = find_interface(topology, type, node);
	const struct media_v2_entity *entity;

	tap_check(interface, "interface of type %#x: expected %s, got none of its numbers", type,
		  node);
	entity = find_entity(topology, interface->id);
	tap_check(entity, "interface of %s: expected a link to an entity, got none", node);
	tap_note("%s is \"%s\"", node, entity->name);
}

/* ALSA numbers its cards by itself; the id leads to the number. */
static int sound_card_number(const struct card *card)
{
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/asound/avring%u", card->number);
	must(sys(readlink(path, target, sizeof(target) - 1)));
	tap_check(!strncmp(target, "card", 4), "%s: expected a link to cardN, got %s", path,
		  target);
	return atoi(target + 4);
}

static void check_sound(const struct topology *topology, const struct card *card, uint32_t type,
			const char *format)
{
	char node[64];

	snprintf(node, sizeof(node), format, sound_card_number(card));
	check_interface(topology, type, node);
}

static void get_card(unsigned int number, struct card *card)
{
	if (card_find(number, card))
		tap_skip("no card %u: modprobe avring cards=2", number);
	tap_check(card->media[0], "card %u: expected a media device, got none", number);
}

static void pairing_video(const void *number)
{
	struct topology topology;
	struct card card;

	get_card(*(const unsigned int *)number, &card);
	topology_get(card.media, &topology);
	check_interface(&topology, MEDIA_INTF_T_V4L_VIDEO, card.capture);
	check_interface(&topology, MEDIA_INTF_T_V4L_VIDEO, card.output);
	topology_free(&topology);
}

static void pairing_sound(const void *number)
{
	struct topology topology;
	struct card card;

	get_card(*(const unsigned int *)number, &card);
	topology_get(card.media, &topology);
	check_sound(&topology, &card, MEDIA_INTF_T_ALSA_PCM_CAPTURE, "/dev/snd/pcmC%dD0c");
	check_sound(&topology, &card, MEDIA_INTF_T_ALSA_PCM_PLAYBACK, "/dev/snd/pcmC%dD0p");
	check_sound(&topology, &card, MEDIA_INTF_T_ALSA_CONTROL, "/dev/snd/controlC%d");
	topology_free(&topology);
}

static bool is_shared(const struct topology *a, const struct media_v2_interface *interface)
{
	unsigned int i;

	for (i = 0; i < a->n_interfaces; i++)
		if (a->interfaces[i].devnode.major == interface->devnode.major &&
		    a->interfaces[i].devnode.minor == interface->devnode.minor)
			return true;
	return false;
}

static void pairing_apart(void)
{
	struct topology topologies[2];
	struct card card;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		get_card(i, &card);
		topology_get(card.media, &topologies[i]);
	}
	for (i = 0; i < topologies[1].n_interfaces; i++)
		tap_check(!is_shared(&topologies[0], &topologies[1].interfaces[i]),
			  "device %u:%u: expected it on one card, got it on both",
			  topologies[1].interfaces[i].devnode.major,
			  topologies[1].interfaces[i].devnode.minor);
	for (i = 0; i < 2; i++)
		topology_free(&topologies[i]);
}

static void check_link(const char *what, const char *platform, const char *format, ...)
{
	char path[96], target[512] = "";
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	must(sys(readlink(path, target, sizeof(target) - 1)));
	tap_check(!strcmp(strrchr(target, '/') + 1, platform), "parent of %s: expected %s, got %s",
		  what, platform, target);
}

/* Without the media controller: all have the same parent in sysfs. */
static void pairing_sysfs(const void *number)
{
	struct card card;

	get_card(*(const unsigned int *)number, &card);
	check_link("capture", card.platform, "/sys/class/video4linux/%s/device",
		   strrchr(card.capture, '/') + 1);
	check_link("output", card.platform, "/sys/class/video4linux/%s/device",
		   strrchr(card.output, '/') + 1);
	check_link("sound", card.platform, "/sys/class/sound/card%d/device",
		   sound_card_number(&card));
}

static const unsigned int numbers[] = { 0, 1 };

static const struct tap_test tests[] = {
	{ .claim = "card 0: topology names the video nodes",
	  .run_with = pairing_video,
	  .arg = &numbers[0] },
	{ .claim = "card 0: topology names the sound devices",
	  .run_with = pairing_sound,
	  .arg = &numbers[0] },
	{ .claim = "card 0: all nodes have one parent",
	  .run_with = pairing_sysfs,
	  .arg = &numbers[0] },
	{ .claim = "card 1: topology names the video nodes",
	  .run_with = pairing_video,
	  .arg = &numbers[1] },
	{ .claim = "card 1: topology names the sound devices",
	  .run_with = pairing_sound,
	  .arg = &numbers[1] },
	{ .claim = "card 1: all nodes have one parent",
	  .run_with = pairing_sysfs,
	  .arg = &numbers[1] },
	{ .claim = "two cards share no node", .run = pairing_apart },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
