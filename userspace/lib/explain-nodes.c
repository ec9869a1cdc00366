// SPDX-License-Identifier: MIT
/*
 * explain-nodes: the nodes behind the name of a device, and those that are there instead.
 */
#include <alsa/asoundlib.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <linux/videodev2.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "explain-nodes.h"

static void avring_nodes_add(struct avring_nodes *nodes, const char *path)
{
	if (nodes->n < AVRING_NODES_MAX)
		snprintf(nodes->paths[nodes->n++], AVRING_NODES_PATH, "%s", path);
}

/* "hw:1,0", "hw:CARD=avring0,DEV=0": the card and device of a PCM that is no plugin. */
static bool avring_nodes_pcm(const char *name, int *card, unsigned int *device)
{
	char id[32];

	*device = 0;
	if (sscanf(name, "hw:CARD=%31[^,],DEV=%u", id, device) < 1 &&
	    sscanf(name, "hw:%31[^,],%u", id, device) < 1)
		return false;
	*card = snd_card_get_index(id);
	return *card >= 0;
}

static void avring_nodes_find_sound(struct avring_nodes *nodes, const char *device)
{
	char path[AVRING_NODES_PATH];
	unsigned int number;
	int card;

	nodes->stream = AVRING_STREAM_AUDIO;
	snprintf(nodes->pcm, sizeof(nodes->pcm), "%s", device);
	if (!avring_nodes_pcm(device, &card, &number))
		return;
	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD%uc", card, number);
	avring_nodes_add(nodes, path);
	nodes->n_needed = nodes->n;
}

static void avring_nodes_find_ring(struct avring_nodes *nodes, const char *device)
{
	char path[AVRING_NODES_PATH];
	unsigned int card, number;
	struct avring_info info;

	if (avring_card_path(device, path, sizeof(path)))
		avring_nodes_add(nodes, path);
	nodes->n_needed = nodes->n;
	if (avring_card_info(device, &info) ||
	    avring_devnum_path(nodes->stream == AVRING_STREAM_VIDEO ? info.capture :
								      info.pcm_capture,
			       path, sizeof(path)))
		return;
	avring_nodes_add(nodes, path);
	if (nodes->stream == AVRING_STREAM_VIDEO)
		snprintf(nodes->picture, sizeof(nodes->picture), "%s", path);
	else if (sscanf(path, "/dev/snd/pcmC%uD%uc", &card, &number) == 2)
		snprintf(nodes->pcm, sizeof(nodes->pcm), "hw:%u,%u", card, number);
	nodes->n_needed = nodes->n;
	if (!avring_devnum_path(nodes->stream == AVRING_STREAM_VIDEO ? info.output :
								       info.pcm_playback,
				path, sizeof(path)))
		avring_nodes_add(nodes, path);
}

void avring_nodes_find(struct avring_nodes *nodes, const char *device, uint32_t stream)
{
	const struct avring_backend *backend = avring_reader_backend(device);

	*nodes = (struct avring_nodes){ .kind = AVRING_NODES_PICTURE };
	if (backend == &avring_ring_backend) {
		nodes->kind = AVRING_NODES_RING;
		nodes->stream = stream;
		avring_nodes_find_ring(nodes, device);
	} else if (backend == &avring_alsa_backend) {
		nodes->kind = AVRING_NODES_SOUND;
		avring_nodes_find_sound(nodes, device);
	} else {
		avring_nodes_add(nodes, device);
		nodes->n_needed = nodes->n;
		snprintf(nodes->picture, sizeof(nodes->picture), "%s", device);
	}
}

/* ---------------------------------------------------------------- rights */

bool avring_nodes_denied(const struct avring_nodes *nodes, unsigned int i)
{
	/* A ring is read; of other nodes something is asked. */
	int mode = nodes->kind == AVRING_NODES_RING && !i ? R_OK : R_OK | W_OK;

	return faccessat(AT_FDCWD, nodes->paths[i], mode, AT_EACCESS) && errno == EACCES;
}

int avring_nodes_owner(const char *path, struct avring_owner *owner)
{
	char buffer[1024];
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	struct stat file;

	if (stat(path, &file))
		return avring_errno();
	snprintf(owner->user, sizeof(owner->user), "%u", file.st_uid);
	snprintf(owner->group, sizeof(owner->group), "%u", file.st_gid);
	owner->mode = file.st_mode & 07777;
	if (!getpwuid_r(file.st_uid, &user, buffer, sizeof(buffer), &found_user) && found_user)
		snprintf(owner->user, sizeof(owner->user), "%s", user.pw_name);
	if (!getgrgid_r(file.st_gid, &group, buffer, sizeof(buffer), &found_group) && found_group)
		snprintf(owner->group, sizeof(owner->group), "%s", group.gr_name);
	return 0;
}

/* ---------------------------------------------------------------- what it is */

static int avring_nodes_sysfs(const char *path, const char *file, char *out, size_t size)
{
	struct stat node;

	if (stat(path, &node))
		return avring_errno();
	if (!S_ISCHR(node.st_mode))
		return -ENOTTY;
	snprintf(out, size, "/sys/dev/char/%u:%u/%s", major(node.st_rdev), minor(node.st_rdev),
		 file);
	return 0;
}

/* "media", "video4linux", "sound" */
static void avring_nodes_subsystem(const char *path, char *name, size_t size)
{
	char link[AVRING_NODES_PATH], target[256];
	const char *base;
	ssize_t got;

	*name = '\0';
	if (avring_nodes_sysfs(path, "subsystem", link, sizeof(link)))
		return;
	got = readlink(link, target, sizeof(target) - 1);
	if (got <= 0)
		return;
	target[got] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	memcpy(name, base, avring_min(strlen(base) + 1, size));
	name[size - 1] = '\0';
}

static bool avring_nodes_captures_pictures(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	uint32_t type;
	bool yes;

	if (fd < 0)
		return false;
	yes = !avring_picture_type(fd, &type);
	close(fd);
	return yes;
}

/* Of a node of V4L2 that does not capture. */
static const char *avring_nodes_v4l2(const char *path)
{
	struct v4l2_capability cap = { 0 };
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return "a V4L2 node that captures no pictures";
	avring_ioctl_retry(fd, VIDIOC_QUERYCAP, &cap);
	close(fd);
	if (cap.device_caps & (V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE))
		return "an output: pictures are written to it, not read";
	if (cap.device_caps & (V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE))
		return "a converter from memory to memory";
	return "a V4L2 node that captures no pictures";
}

int avring_nodes_what(const char *path, char *what, size_t size)
{
	static const struct {
		const char *subsystem;
		const char *what;
	} kinds[] = {
		{ "media", "a media controller, which says what belongs together" },
		{ "sound", "a node of ALSA, which has other names: hw:CARD,DEVICE" },
	};
	char subsystem[32];
	struct stat file;

	avring_nodes_subsystem(path, subsystem, sizeof(subsystem));
	snprintf(what, size, "no device that captures pictures");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].subsystem, subsystem))
			snprintf(what, size, "%s", kinds[i].what);
	if (!stat(path, &file) && !S_ISCHR(file.st_mode))
		snprintf(what, size, "%s", S_ISDIR(file.st_mode) ? "a directory" : "a file");
	if (strcmp(subsystem, "video4linux"))
		return 0;
	if (avring_nodes_captures_pictures(path))
		return -ENOENT;
	snprintf(what, size, "%s", avring_nodes_v4l2(path));
	return 0;
}

/* ---------------------------------------------------------------- what there is */

/* The first line of a file of sysfs. */
static void avring_nodes_read(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	*line = '\0';
	if (!file)
		return;
	if (fgets(line, size, file))
		line[strcspn(line, "\n")] = '\0';
	fclose(file);
}

static void avring_nodes_list_add(struct avring_nodes_list *list, const char *path)
{
	char name[AVRING_NODES_PATH];

	if (list->n == AVRING_NODES_ROWS)
		return;
	snprintf(list->rows[list->n].path, sizeof(list->rows[0].path), "%s", path);
	list->rows[list->n].name[0] = '\0';
	if (!avring_nodes_sysfs(path, "name", name, sizeof(name)))
		avring_nodes_read(name, list->rows[list->n].name, sizeof(list->rows[0].name));
	list->n++;
}

/* Nodes by a pattern of names; those of V4L2 only if they capture. */
static void avring_nodes_list_all(struct avring_nodes_list *list, const char *pattern,
				  bool captures)
{
	char path[AVRING_NODES_PATH];
	glob_t found = { 0 };

	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		snprintf(path, sizeof(path), "/dev/%s", strrchr(found.gl_pathv[i], '/') + 1);
		if (!captures || avring_nodes_captures_pictures(path))
			avring_nodes_list_add(list, path);
	}
	globfree(&found);
}

void avring_nodes_cards(struct avring_nodes_list *list)
{
	avring_nodes_list_all(list, "/dev/avring[0-9]*", false);
}

void avring_nodes_captures(struct avring_nodes_list *list)
{
	avring_nodes_list_all(list, "/dev/video[0-9]*", true);
}

void avring_nodes_siblings(const char *path, struct avring_nodes_list *list)
{
	char pattern[AVRING_NODES_PATH];

	if (avring_nodes_sysfs(path, "device/video4linux/video*", pattern, sizeof(pattern)))
		return;
	avring_nodes_list_all(list, pattern, true);
	/* A media controller lies beside them, not among them. */
	if (!list->n &&
	    !avring_nodes_sysfs(path, "../video4linux/video*", pattern, sizeof(pattern)))
		avring_nodes_list_all(list, pattern, true);
}
