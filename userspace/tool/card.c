// SPDX-License-Identifier: MIT
/*
 * What a card is. See card.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "card.h"
#include "reader.h"

/* ---------------------------------------------------------------- which cards */

static int card_compare(const void *a, const void *b)
{
	const char *one = *(char *const *)a, *other = *(char *const *)b;

	/* avring10 comes after avring9. */
	if (strlen(one) != strlen(other))
		return strlen(one) < strlen(other) ? -1 : 1;
	return strcmp(one, other);
}

char **card_find_all(void)
{
	glob_t found = { 0 };
	char **paths;
	size_t i, n = 0;

	glob("/dev/avring[0-9]*", 0, NULL, &found);
	paths = calloc(found.gl_pathc + 1, sizeof(*paths));
	for (i = 0; paths && i < found.gl_pathc; i++)
		if (tool_device_kind(found.gl_pathv[i]) == TOOL_DEVICE_CARD)
			paths[n++] = strdup(found.gl_pathv[i]);
	globfree(&found);
	if (n)
		qsort(paths, n, sizeof(*paths), card_compare);
	return paths;
}

void card_free_all(char **paths)
{
	char **path;

	for (path = paths; path && *path; path++)
		free(*path);
	free(paths);
}

/* Several, or none, are said. */
static int card_cannot_choose(char **paths)
{
	char names[256] = "";
	size_t used = 0;

	for (; paths && *paths && used < sizeof(names); paths++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
				 *paths);
	if (used)
		return tool_usage("expected DEVICE: one of %s", names);
	return tool_usage("expected DEVICE: there is no card; is the driver loaded?");
}

int card_choose(const char **device)
{
	static char only[64];
	int status = TOOL_GO_ON;
	char **paths;

	if (*device)
		return TOOL_GO_ON;
	paths = card_find_all();
	if (paths && paths[0] && !paths[1]) {
		snprintf(only, sizeof(only), "%s", paths[0]);
		*device = only;
	} else {
		status = card_cannot_choose(paths);
	}
	card_free_all(paths);
	return status;
}

/* ---------------------------------------------------------------- which are missing */

#define CARD_VIRTUAL "/sys/bus/platform/devices/avring.[0-9]*"
#define CARD_PCI "/sys/bus/pci/devices/*"
/* As the driver's table of IDs has it. */
#define CARD_PCI_ALIAS "pci:v00001234d0000ACAD"

static bool card_is_board(const char *device)
{
	char path[256], alias[sizeof(CARD_PCI_ALIAS)] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/modalias", device);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(alias, sizeof(alias), file))
		alias[0] = '\0';
	fclose(file);
	return !strcmp(alias, CARD_PCI_ALIAS);
}

static bool card_is_virtual(const char *device)
{
	(void)device;
	return true;
}

static size_t card_tell_missing_of(const char *pattern, bool (*is_ours)(const char *device),
				   const char *driver, const char *module)
{
	const char *why = "the driver could not make it, or was unbound; see dmesg";
	glob_t found = { 0 };
	char path[256];
	size_t i, n = 0;

	if (access(driver, F_OK))
		why = module;
	glob(pattern, 0, NULL, &found);
	for (i = 0; i < found.gl_pathc; i++) {
		snprintf(path, sizeof(path), "%s/driver", found.gl_pathv[i]);
		if (!access(path, F_OK) || !is_ours(found.gl_pathv[i]))
			continue;
		tool_error("the card %s is missing: %s", strrchr(found.gl_pathv[i], '/') + 1, why);
		n++;
	}
	globfree(&found);
	return n;
}

size_t card_tell_missing(void)
{
	return card_tell_missing_of(CARD_VIRTUAL, card_is_virtual,
				    "/sys/bus/platform/drivers/avring",
				    "its module avring is not loaded") +
	       card_tell_missing_of(CARD_PCI, card_is_board, "/sys/bus/pci/drivers/avring-pci",
				    "its module avring-pci is not loaded");
}

/* ---------------------------------------------------------------- nodes */

static json_t *card_features(uint64_t features)
{
	static const char *const names[] = { "video",  "audio",	 "producer",
					     "export", "window", "card_clock" };
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (features & (UINT64_C(1) << i))
			json_array_append_new(list, json_string(names[i]));
	return list;
}

static void card_add_node(json_t *nodes, const char *name, struct avring_devnum devnum)
{
	char path[256];

	if (avring_devnum_path(devnum, path, sizeof(path)))
		json_object_set_new(nodes, name, json_null());
	else
		json_object_set_new(nodes, name, json_string(path));
}

static json_t *card_nodes(const struct avring_info *info)
{
	json_t *nodes = json_object();

	card_add_node(nodes, "capture", info->capture);
	card_add_node(nodes, "output", info->output);
	card_add_node(nodes, "pcm_capture", info->pcm_capture);
	card_add_node(nodes, "pcm_playback", info->pcm_playback);
	card_add_node(nodes, "control", info->control);
	card_add_node(nodes, "media", info->media);
	return nodes;
}

bool tool_has_card_clock(const char *device)
{
	struct avring_info info;

	return !avring_card_info(tool_device_path(device), &info) &&
	       info.features & AVRING_FEATURE_CARD_CLOCK;
}

/* What a card says, and its ring node whatever was typed. */
static int card_ask(const char *device, struct avring_info *info, char path[32])
{
	int error = avring_card_info(tool_device_path(device), info);

	if (!error)
		snprintf(path, 32, "/dev/avring%u", info->card);
	return error;
}

int card_nodes_json(const char *device, json_t **out)
{
	struct avring_info info;
	json_t *sound;
	char path[32];
	int error = card_ask(device, &info, path);

	if (error)
		return error;
	sound = info.control.major ? json_integer(info.alsa_card) : json_null();
	*out = json_pack("{s:s, s:i, s:o, s:o, s:I, s:o}", "device", path, "card", (int)info.card,
			 "alsa_card", sound, "features", card_features(info.features),
			 "window_size", (json_int_t)info.window_size, "nodes", card_nodes(&info));
	return *out ? 0 : -ENOMEM;
}

/* ---------------------------------------------------------------- formats */

static int card_ioctl(const char *path, unsigned long request, void *arg)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, request, arg))
		error = -errno;
	close(fd);
	return error;
}

/* What the V4L2 node is set to: null if it cannot be asked. */
static json_t *card_picture(const char *path)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	const struct v4l2_pix_format *pix = &format.fmt.pix;
	const struct v4l2_fract *interval = &parm.parm.capture.timeperframe;
	struct avring_stream_format out = { .stream = AVRING_STREAM_VIDEO };

	if (!path || card_ioctl(path, VIDIOC_G_FMT, &format) ||
	    card_ioctl(path, VIDIOC_G_PARM, &parm))
		return json_null();
	out.video = (struct avring_video_format){
		.pixelformat = pix->pixelformat,
		.width = pix->width,
		.height = pix->height,
		.bytesperline = pix->bytesperline,
		.sizeimage = pix->sizeimage,
		.rate_num = interval->denominator,
		.rate_den = interval->numerator,
	};
	return tool_format_json(&out);
}

static json_t *card_input(const char *path)
{
	struct v4l2_input input = { 0 };

	if (!path || card_ioctl(path, VIDIOC_G_INPUT, &input.index) ||
	    card_ioctl(path, VIDIOC_ENUMINPUT, &input))
		return json_null();
	return json_string((const char *)input.name);
}

/* Files that are attached, and a PCM. */
static json_t *card_users(const char *device, uint32_t stream)
{
	struct avring_setup setup = { .stream = stream };

	if (card_ioctl(device, AVRING_IOC_GET_SETUP, &setup))
		return json_null();
	return json_integer(setup.users);
}

/* Only an attached reader sees a ring: there is none while nobody is attached. */
static json_t *card_ring(const char *device, uint32_t stream)
{
	const struct avring_options options = {
		.size = sizeof(options),
		.stream = stream,
		.keep_setup = 1,
	};
	struct avring_geometry geometry;
	struct avring_reader *reader;
	json_t *out;

	if (avring_reader_open(&reader, device, &options))
		return json_null();
	avring_reader_geometry(reader, &geometry);
	out = json_pack("{s:i, s:I, s:I, s:i, s:o}", "generation", (int)geometry.generation,
			"length", (json_int_t)geometry.length, "entries",
			(json_int_t)geometry.entries, "align", (int)geometry.align, "format",
			tool_format_json(avring_reader_format(reader)));
	avring_reader_close(reader);
	return out;
}

int card_info_json(const char *device, bool rings, json_t **out)
{
	const char *capture, *path;
	json_t *video, *audio;
	int error = card_nodes_json(device, out);

	if (error)
		return error;
	path = json_string_value(json_object_get(*out, "device"));
	capture = json_string_value(json_object_get(json_object_get(*out, "nodes"), "capture"));
	video = json_pack("{s:o, s:o, s:o}", "input", card_input(capture), "format",
			  card_picture(capture), "users", card_users(path, AVRING_STREAM_VIDEO));
	audio = json_pack("{s:o}", "users", card_users(path, AVRING_STREAM_AUDIO));
	if (rings) {
		json_object_set_new(video, "ring", card_ring(path, AVRING_STREAM_VIDEO));
		json_object_set_new(audio, "ring", card_ring(path, AVRING_STREAM_AUDIO));
	}
	json_object_set_new(*out, "video", video);
	json_object_set_new(*out, "audio", audio);
	return 0;
}
