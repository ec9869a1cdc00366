// SPDX-License-Identifier: MIT
/*
 * Y4M: a line of text before the film and one before each frame. The lines are
 * read byte by byte or by their length, so that each picture is read to where it
 * is wanted.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "source.h"

#define PLAY_Y4M_LINE 256
#define PLAY_Y4M_FRAME "FRAME"

/* Up to the end of the line, which is not kept: its length, or a negative errno. */
static ssize_t play_y4m_line(struct play_source *source, char *line, size_t size)
{
	size_t length = 0;
	ssize_t part;

	while (length < size) {
		part = play_read(source->fd, line + length, 1);
		if (part < 0)
			return part;
		if (!part)
			return length ? -EBADMSG : -ENODATA;
		if (line[length] == '\n') {
			line[length] = '\0';
			return length;
		}
		length++;
	}
	return -EBADMSG;
}

static int play_y4m_colorspace(const char *name, uint32_t *pixelformat)
{
	static const char *const same[] = { "420", "420jpeg", "420mpeg2", "420paldv" };
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(*same); i++)
		if (!strcmp(name, same[i])) {
			*pixelformat = V4L2_PIX_FMT_YUV420;
			return 0;
		}
	if (strcmp(name, "mono"))
		return -EINVAL;
	*pixelformat = V4L2_PIX_FMT_GREY;
	return 0;
}

static int play_y4m_number(const char **text, uint32_t min, uint32_t *value)
{
	unsigned long number;
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	number = strtoul(*text, &end, 10);
	if (errno || number < min || number > INT32_MAX)
		return -EINVAL;
	*value = number;
	*text = end;
	return 0;
}

/* One word of the first line; those that say nothing about the memory are left out. */
static int play_y4m_word(struct avring_video_format *video, const char *word)
{
	const char *value = word + 1;
	int error = 0;

	switch (word[0]) {
	case 'W':
		error = play_y4m_number(&value, 1, &video->width);
		return error || *value ? -EINVAL : 0;
	case 'H':
		error = play_y4m_number(&value, 1, &video->height);
		return error || *value ? -EINVAL : 0;
	case 'F':
		/* 0:0 says that the rate is not known. */
		if (play_y4m_number(&value, 0, &video->rate_num) || *value++ != ':' ||
		    play_y4m_number(&value, 0, &video->rate_den) || *value)
			return -EINVAL;
		return !video->rate_num == !video->rate_den ? 0 : -EINVAL;
	case 'I':
		return strcmp(value, "p") && strcmp(value, "?") ? -EINVAL : 0;
	case 'C':
		return play_y4m_colorspace(value, &video->pixelformat);
	default:
		return 0;
	}
}

static int play_y4m_header(struct play_source *source, char *line)
{
	struct avring_video_format *video = &source->format.video;
	struct avring_video_format wish = *video;
	char *word, *rest;

	*video = (struct avring_video_format){ .pixelformat = V4L2_PIX_FMT_YUV420 };
	strtok_r(line, " ", &rest);
	while ((word = strtok_r(NULL, " ", &rest))) {
		if (!play_y4m_word(video, word))
			continue;
		tool_error("%s: cannot play Y4M with '%s': expected progressive C420 or Cmono",
			   source->path, word);
		return TOOL_FAILED;
	}
	/* A rate may be given to play faster or slower; without any there is no pace. */
	if (wish.rate_num) {
		video->rate_num = wish.rate_num;
		video->rate_den = wish.rate_den;
	}
	if (video->width && video->height && video->rate_num)
		return TOOL_OK;
	tool_error("%s: its first line lacks %s", source->path,
		   !video->width  ? "the width" :
		   !video->height ? "the height" :
				    "the rate; use --fps");
	return TOOL_FAILED;
}

static int play_y4m_open(struct play_source *source)
{
	const struct avring_video_format *wish = &source->format.video;
	char line[PLAY_Y4M_LINE];
	ssize_t length;

	if (wish->width || wish->pixelformat)
		return tool_usage("%s: says size and pixel format itself", source->path);
	length = play_y4m_line(source, line, sizeof(line));
	if (length < 0 && length != -EBADMSG && length != -ENODATA)
		return play_source_fail(length, source);
	if (length < 0 && tool_signals())
		return TOOL_OK;
	if (length < 0 || strncmp(line, "YUV4MPEG2 ", 10)) {
		tool_error("%s: is no Y4M file", source->path);
		return TOOL_FAILED;
	}
	source->begin = length + 1;
	return play_y4m_header(source, line);
}

/* The end of the film, or -EBADMSG where it is no frame. */
static int play_y4m_frame_line(struct play_source *source)
{
	const size_t length = sizeof(PLAY_Y4M_FRAME) - 1;
	char line[PLAY_Y4M_LINE];
	ssize_t done = play_read(source->fd, line, length + 1);

	if (done < 0)
		return done;
	if (!done)
		return -ENODATA;
	if ((size_t)done < length + 1 || memcmp(line, PLAY_Y4M_FRAME, length))
		return -EBADMSG;
	if (line[length] == '\n')
		return 0;
	/* Words about the frame alone. */
	done = line[length] == ' ' ? play_y4m_line(source, line, sizeof(line)) : -EBADMSG;
	return done < 0 ? -EBADMSG : 0;
}

static ssize_t play_y4m_read(struct play_source *source, void *data, size_t length)
{
	int error = play_y4m_frame_line(source);

	if (error)
		return error == -ENODATA ? 0 : error;
	return play_read(source->fd, data, length);
}

static int play_y4m_rewind(struct play_source *source)
{
	return lseek(source->fd, source->begin, SEEK_SET) < 0 ? -errno : 0;
}

static void play_y4m_close(struct play_source *source)
{
	(void)source;
}

const struct play_container play_y4m = {
	.name = "y4m",
	.suffixes = "y4m",
	.stream = AVRING_STREAM_VIDEO,
	.open = play_y4m_open,
	.read = play_y4m_read,
	.rewind = play_y4m_rewind,
	.close = play_y4m_close,
};
