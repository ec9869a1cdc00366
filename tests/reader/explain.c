// SPDX-License-Identifier: MIT
/*
 * explain: after a refusal the library says which wish was wrong and what is nearest, and
 * the device takes that. Needs the driver, vivid and snd-aloop.
 */
#include <alsa/asoundlib.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "device.h"
#include "kinds.h"
#include "tap.h"

#define RING "/dev/avring0"

static struct card the_card(void)
{
	struct card card;

	if (card_find(0, &card))
		tap_skip("no card");
	return card;
}

/* Refused with @error, and why. */
static struct avring_refusal refuse(int error, const char *device,
				    const struct avring_options *options)
{
	struct avring_refusal refusal = { .size = sizeof(refusal) };
	struct avring_reader *reader;

	must_refuse(error, avring_reader_open(&reader, device, options));
	must(avring_explain(device, options, -error, &refusal));
	tap_eq(sizeof(refusal), refusal.size);
	tap_note("%s: %s", device, refusal.text);
	return refusal;
}

static void says(const struct avring_refusal *refusal, const char *words)
{
	tap_check(strstr(refusal->text, words), "'%s' is not in '%s'", words, refusal->text);
}

/* @member was wrong, and with what is nearest the device can be had. */
static void check_nearest(const char *device, const struct avring_options *options,
			  const char *member)
{
	struct avring_refusal refusal = refuse(EINVAL, device, options);
	struct avring_reader *reader;

	tap_check(!strcmp(member, refusal.member), "expected %s, got %s", member, refusal.member);
	must(avring_reader_open(&reader, device, &refusal.nearest));
	avring_reader_close(reader);
}

static void check_pictures(const char *device, const char *node)
{
	struct avring_options options = common_options();
	struct v4l2_fmtdesc desc = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct avring_refusal refusal;
	char fourcc[5] = "";
	int fd;

	options.video = (struct avring_video_format){ .width = 641, .height = 480 };
	check_nearest(device, &options, "video.width");
	options.video.width = 640;
	options.video.height = 60001;
	check_nearest(device, &options, "video.height");
	options.video = (struct avring_video_format){ .width = 1, .height = 1 };
	check_nearest(device, &options, "video.width");
	options.video = (struct avring_video_format){ .rate_num = 29, .rate_den = 1 };
	check_nearest(device, &options, "video.rate_num");
	options.video = (struct avring_video_format){ .bytesperline = 3 };
	check_nearest(device, &options, "video.bytesperline");
	options.video = (struct avring_video_format){ .pixelformat = V4L2_PIX_FMT_H264 };
	check_nearest(device, &options, "video.pixelformat");
	refusal = refuse(EINVAL, device, &options);
	says(&refusal, "pixel format H264: not possible");
	fd = must(sys(open(node, O_RDWR | O_CLOEXEC)));
	for (; desc.index < 8 && !ioctl(fd, VIDIOC_ENUM_FMT, &desc); desc.index++) {
		memcpy(fourcc, &desc.pixelformat, 4);
		says(&refusal, strtok(fourcc, " "));
	}
	tap_check(desc.index, "%s has no formats", node);
	close(fd);
}

static void pictures_of_a_card(void)
{
	check_pictures(RING, the_card().capture);
}

static void pictures_of_a_node(void)
{
	const char *vivid = kind_vivid_path();

	if (!vivid)
		tap_skip("no vivid");
	check_pictures(vivid, vivid);
}

static void sizes_are_listed(void)
{
	struct avring_options options = common_options();
	struct avring_refusal refusal;

	the_card();
	options.video.width = 641;
	options.video.height = 480;
	refusal = refuse(EINVAL, RING, &options);
	says(&refusal, "size 641x480: not possible, nearest is 640x480; listed: 640x480, ");
	says(&refusal, "; listed: ");
	options.video = (struct avring_video_format){ .rate_num = 29, .rate_den = 1 };
	refusal = refuse(EINVAL, RING, &options);
	says(&refusal, "29 pictures per second: not possible, nearest is 30000/1001; possible at ");
}

static void check_sound(const char *device)
{
	struct avring_options options = common_options();
	struct avring_refusal refusal;

	if (!strcmp(device, RING))
		options.stream = AVRING_STREAM_AUDIO;
	options.audio.channels = 99;
	check_nearest(device, &options, "audio.channels");
	options.audio.channels = 0;
	options.audio.rate = 1000001;
	check_nearest(device, &options, "audio.rate");
	options.audio.rate = 0;
	options.audio.format = (uint32_t)SND_PCM_FORMAT_A_LAW;
	check_nearest(device, &options, "audio.format");
	refusal = refuse(EINVAL, device, &options);
	says(&refusal, "sample format A_LAW: not possible; possible: ");
	says(&refusal, "S16_LE");
}

static void sound_of_a_card(void)
{
	the_card();
	check_sound(RING);
}

static void sound_of_a_pcm(void)
{
	const char *missing = kind_find("aloop")->missing();

	if (missing)
		tap_skip("%s", missing);
	check_sound("hw:Loopback,1,0");
}

static void wishes_that_no_device_can_meet(void)
{
	struct avring_refusal refusal = { .size = sizeof(refusal) };
	struct avring_options options = common_options();

	options.align = 3;
	refusal = refuse(EINVAL, RING, &options);
	tap_check(!strcmp("align", refusal.member), "got %s", refusal.member);
	options = common_options();
	options.audio.rate = 48000;
	refusal = refuse(EINVAL, RING, &options);
	tap_check(!strcmp("audio", refusal.member), "got %s", refusal.member);
	options = common_options();
	options.ring_bytes = 17ULL << 30;
	refusal = refuse(EINVAL, RING, &options);
	tap_check(!strcmp("ring_bytes", refusal.member), "got %s", refusal.member);
	tap_eq(16ULL << 30, refusal.nearest.ring_bytes);
	refusal = refuse(EINVAL, RING, &(struct avring_options){ 0 });
	tap_check(!strcmp("size", refusal.member), "got %s", refusal.member);
}

static void other_sorts_of_devices(void)
{
	struct card card = the_card();
	struct avring_refusal refusal;
	char words[64];

	snprintf(words, sizeof(words), "beside it captures %s (", card.capture);
	refusal = refuse(EOPNOTSUPP, card.media, NULL);
	says(&refusal, "is a media controller");
	says(&refusal, words);
	refusal = refuse(EOPNOTSUPP, card.output, NULL);
	says(&refusal, "is an output");
	says(&refusal, words);
	refusal = refuse(EOPNOTSUPP, "/dev/null", NULL);
	says(&refusal, "is no device that captures pictures");
	refusal = refuse(EOPNOTSUPP, "null", NULL);
	says(&refusal, "; PCMs that capture: hw:");
}

static void devices_that_are_not_there(void)
{
	struct card card = the_card();
	struct avring_refusal refusal = refuse(ENOENT, "/dev/avring77", NULL);

	says(&refusal, "there is no such card; cards: /dev/avring0");
	refusal = refuse(ENOENT, "/dev/video99", NULL);
	says(&refusal, "there is no such device; what captures pictures: ");
	says(&refusal, card.capture);
	refusal = refuse(ENODEV, "hw:no_such_card", NULL);
	says(&refusal, "there is no such PCM; PCMs that capture: hw:");
}

/* This program and its number; the name is cut by the kernel. */
static void check_holder(const struct avring_refusal *refusal)
{
	char words[64];

	snprintf(words, sizeof(words), "busy: open in explain (pid %d, this process)", getpid());
	says(refusal, words);
}

static void busy_devices(void)
{
	struct avring_options options = common_options();
	const char *vivid = kind_vivid_path();
	struct avring_refusal refusal;
	struct avring_reader *reader;

	the_card();
	must(avring_reader_open(&reader, RING, NULL));
	options.ring_bytes = 64 << 20;
	refusal = refuse(EBUSY, RING, &options);
	check_holder(&refusal);
	avring_reader_close(reader);
	if (!vivid)
		tap_skip("no vivid");
	must(avring_reader_open(&reader, vivid, NULL));
	refusal = refuse(EBUSY, vivid, NULL);
	check_holder(&refusal);
	avring_reader_close(reader);
	must(avring_reader_open(&reader, "hw:Loopback,1,0", NULL));
	refusal = refuse(EBUSY, "hw:Loopback,1,0", NULL);
	check_holder(&refusal);
	avring_reader_close(reader);
}

/* As somebody who is in no group. */
static void check_permission(const char *path, const char *words)
{
	struct avring_refusal refusal;

	must(sys(setgroups(0, NULL)));
	must(sys(setresgid(65534, 65534, 65534)));
	must(sys(setresuid(65534, 65534, 65534)));
	refusal = refuse(EACCES, path, NULL);
	says(&refusal, words);
}

static void no_permission(void)
{
	struct card card = the_card();
	struct group *video = getgrnam("video");
	char words[160];
	int status;
	pid_t pid;

	if (!video)
		tap_skip("no group video");
	must(sys(chown(card.capture, 0, video->gr_gid)));
	must(sys(chmod(card.capture, 0660)));
	snprintf(words, sizeof(words),
		 "no permission to open %s (owner root, group video, mode 0660): join the group, 'usermod -aG video USER', and log in anew",
		 card.capture);
	pid = must(sys(fork()));
	if (!pid) {
		check_permission(card.capture, words);
		_exit(0);
	}
	must(sys(waitpid(pid, &status, 0)));
	tap_eq(0, status);
}

static void calls_that_are_wrong(void)
{
	struct avring_refusal refusal = { .size = sizeof(refusal) };
	struct {
		struct avring_refusal known;
		uint64_t unknown;
	} longer = { .known = { .size = sizeof(longer) }, .unknown = 1 };

	must_refuse(EINVAL, avring_explain(NULL, NULL, -EIO, &refusal));
	must_refuse(EINVAL, avring_explain(RING, NULL, 0, &refusal));
	must_refuse(EINVAL, avring_explain(RING, NULL, -EIO, NULL));
	refusal.size = 0;
	must_refuse(EINVAL, avring_explain(RING, NULL, -EIO, &refusal));
	must(avring_explain(RING, NULL, -EIO, &longer.known));
	tap_check(!strcmp(strerror(EIO), longer.known.text), "got '%s'", longer.known.text);
	tap_eq(0, longer.unknown);
	tap_eq(sizeof(longer), longer.known.size);
}

static const struct tap_test tests[] = {
	{ "what is wrong with the pictures of a card, and what is nearest",
	  .run = pictures_of_a_card },
	{ "what is wrong with the pictures of a V4L2 node, and what is nearest",
	  .run = pictures_of_a_node },
	{ "what is possible is listed", .run = sizes_are_listed },
	{ "what is wrong with the sound of a card, and what is nearest", .run = sound_of_a_card },
	{ "what is wrong with the sound of a PCM, and what is nearest", .run = sound_of_a_pcm },
	{ "wishes that no device can meet are named", .run = wishes_that_no_device_can_meet },
	{ "devices of other sorts, and what to read instead", .run = other_sorts_of_devices },
	{ "devices that are not there, and those that are", .run = devices_that_are_not_there },
	{ "who holds a busy device", .run = busy_devices },
	{ "which group may open a node", .run = no_permission },
	{ "calls that are wrong are refused", .run = calls_that_are_wrong },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
