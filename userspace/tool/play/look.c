// SPDX-License-Identifier: MIT
/*
 * What is in a file. See look.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bytes.h"
#include "../suffix.h"
#include "../y4m.h"
#include "look.h"

/* Names of what ffmpeg reads. */
#define PLAY_FOREIGN \
	"mp4 m4v mov mkv webm avi wmv asf flv ts mts m2ts mpg mpeg vob ogv mxf nut 3gp m4a mka aac wma ac3 png jpg jpeg gif webp bmp"

/**
 * struct play_magic - how files of a kind begin
 * @bytes: these; ? is any
 * @container: how they are played, or NULL
 * @name: of the kind, if not
 */
struct play_magic {
	const char *bytes;
	const struct play_container *container;
	const char *name;
};

/* Long enough that no picture begins so. */
static const struct play_magic play_magics[] = {
	{ TOOL_Y4M_MAGIC, &play_y4m, NULL },
	{ "RIFF????WAVE", &play_sound, NULL },
	{ "RIFX????WAVE", &play_sound, NULL },
	{ "RF64????WAVE", &play_sound, NULL },
	{ "riff\x2e\x91\xcf\x11", &play_sound, NULL },
	{ "FORM????AIFF", &play_sound, NULL },
	{ "FORM????AIFC", &play_sound, NULL },
	{ ".snd", &play_sound, NULL },
	{ "caff", &play_sound, NULL },
	{ "fLaC", &play_sound, NULL },
	{ "OggS", &play_sound, NULL },
	{ "RIFF????AVI ", NULL, "AVI" },
	{ "RIFF????WEBP", NULL, "a WebP picture" },
	{ "\x1a\x45\xdf\xa3", NULL, "Matroska or WebM" },
	{ "????ftyp", NULL, "MP4 or QuickTime" },
	{ "????moov", NULL, "QuickTime" },
	{ "\x30\x26\xb2\x75\x8e\x66\xcf\x11", NULL, "ASF" },
	{ "\x06\x0e\x2b\x34\x02\x05\x01\x01", NULL, "MXF" },
	{ "FLV\x01", NULL, "FLV" },
	{ "\x89PNG\r\n\x1a\n", NULL, "a PNG picture" },
	{ "GIF87a", NULL, "a GIF picture" },
	{ "GIF89a", NULL, "a GIF picture" },
	{ "\xff\xd8\xff\xe0??JFIF", NULL, "a JPEG picture" },
	{ "\xff\xd8\xff\xe1??Exif", NULL, "a JPEG picture" },
};

/* A pipe is seen through another one: tee() takes nothing out of it. */
static ssize_t play_look_into_pipe(int fd, void *bytes, size_t length)
{
	ssize_t seen = -EMFILE;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	tool_bytes_wait(fd);
	seen = tee(fd, ends[1], length, 0);
	seen = seen < 0 ? -errno : seen ? read(ends[0], bytes, seen) : 0;
	close(ends[0]);
	close(ends[1]);
	return seen;
}

ssize_t play_look(int fd, void *bytes, size_t length)
{
	struct stat stat_of;
	ssize_t seen;

	if (fstat(fd, &stat_of))
		return -errno;
	if (S_ISFIFO(stat_of.st_mode))
		return play_look_into_pipe(fd, bytes, length);
	if (!S_ISREG(stat_of.st_mode))
		return 0;
	seen = pread(fd, bytes, length, lseek(fd, 0, SEEK_CUR));
	return seen < 0 ? -errno : seen;
}

static bool play_begins(const unsigned char *bytes, size_t length, const char *with)
{
	for (; *with && length; with++, bytes++, length--)
		if (*with != '?' && (unsigned char)*with != *bytes)
			return false;
	return !*with;
}

const struct play_container *play_look_at(const void *bytes, size_t length, const char **foreign)
{
	const struct play_magic *magic = play_magics;
	size_t left = sizeof(play_magics) / sizeof(*play_magics);

	*foreign = NULL;
	for (; left; magic++, left--) {
		if (!play_begins(bytes, length, magic->bytes))
			continue;
		*foreign = magic->name;
		return magic->container;
	}
	return NULL;
}

bool play_look_is_foreign(const char *path)
{
	return tool_suffix_is(path, PLAY_FOREIGN);
}
