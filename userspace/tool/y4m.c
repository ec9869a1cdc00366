// SPDX-License-Identifier: MIT
/*
 * Y4M, for reading. See y4m.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/videodev2.h>

#include "bytes.h"
#include "y4m.h"

/* No line is so long; who says what one may be says nothing of this. */
#define TOOL_Y4M_LINE 65536
#define TOOL_Y4M_PIXELS \
	"its first line says '%.40s': expected C420 with 8 bits, or Cmono; ffmpeg -pix_fmt yuv420p converts it"
#define TOOL_Y4M_FRAME "FRAME"
#define TOOL_Y4M_FULL "COLORRANGE=FULL"
#define TOOL_Y4M_LIMITED "COLORRANGE=LIMITED"

/*
 * Up to the end of the line, which is not kept: how many bytes it took, or a negative errno,
 * -E2BIG: there is no end of it. @line may be NULL.
 */
static ssize_t tool_y4m_line(int fd, char *line)
{
	size_t length = 0;
	ssize_t part;
	char byte;

	while (length < TOOL_Y4M_LINE) {
		part = tool_bytes_read(fd, &byte, 1);
		if (part < 0)
			return part;
		if (!part)
			return length ? -EBADMSG : -ENODATA;
		if (line)
			line[length] = byte == '\n' ? '\0' : byte;
		length++;
		if (byte != '\n')
			continue;
		/* As a program wrote it that thought it was text. */
		if (line && length > 1 && line[length - 2] == '\r')
			line[length - 2] = '\0';
		return length;
	}
	return -E2BIG;
}

static int tool_y4m_bad(struct tool_y4m *y4m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(y4m->words, sizeof(y4m->words), format, args);
	va_end(args);
	return -EBADMSG;
}

static int tool_y4m_number(const char **text, uint32_t *value)
{
	unsigned long number;
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	number = strtoul(*text, &end, 10);
	if (errno || number > INT32_MAX)
		return -EINVAL;
	*value = number;
	*text = end;
	return 0;
}

static int tool_y4m_size(struct tool_y4m *y4m, const char *word, uint32_t *value)
{
	const char *text = word + 1;

	if (!tool_y4m_number(&text, value) && !*text && *value)
		return 0;
	return tool_y4m_bad(y4m, "its first line says '%.40s': expected a number from 1 to %d",
			    word, INT32_MAX);
}

/* 0:0 says that the rate is not known. */
static int tool_y4m_rate(struct tool_y4m *y4m, const char *word)
{
	struct avring_video_format *video = &y4m->video;
	const char *text = word + 1;

	if (!tool_y4m_number(&text, &video->rate_num) && *text++ == ':' &&
	    !tool_y4m_number(&text, &video->rate_den) && !*text &&
	    !video->rate_num == !video->rate_den)
		return 0;
	return tool_y4m_bad(y4m,
			    "its first line says '%.40s': expected a rate such as F30:1; use --fps",
			    word);
}

static int tool_y4m_pixels(struct tool_y4m *y4m, const char *word)
{
	static const char *const same[] = { "C420", "C420jpeg", "C420mpeg2", "C420paldv" };
	size_t i;

	y4m->video.pixelformat = V4L2_PIX_FMT_GREY;
	if (!strcmp(word, "Cmono"))
		return 0;
	y4m->video.pixelformat = V4L2_PIX_FMT_YUV420;
	for (i = 0; i < sizeof(same) / sizeof(*same); i++)
		if (!strcmp(word, same[i]))
			return 0;
	return tool_y4m_bad(y4m, TOOL_Y4M_PIXELS, word);
}

static int tool_y4m_fields(struct tool_y4m *y4m, const char *word)
{
	if (!strcmp(word, "Ip") || !strcmp(word, "I?"))
		return 0;
	return tool_y4m_bad(y4m, "its first line says '%.40s': expected progressive pictures, Ip",
			    word);
}

static int tool_y4m_extension(struct tool_y4m *y4m, const char *word)
{
	if (!strcasecmp(word + 1, TOOL_Y4M_FULL))
		y4m->video.quantization = V4L2_QUANTIZATION_FULL_RANGE;
	else if (!strcasecmp(word + 1, TOOL_Y4M_LIMITED))
		y4m->video.quantization = V4L2_QUANTIZATION_LIM_RANGE;
	return 0;
}

/* One word of the first line; those that say nothing about the picture are left out. */
static int tool_y4m_word(struct tool_y4m *y4m, const char *word)
{
	switch (word[0]) {
	case 'W':
		return tool_y4m_size(y4m, word, &y4m->video.width);
	case 'H':
		return tool_y4m_size(y4m, word, &y4m->video.height);
	case 'F':
		return y4m->video.rate_num ? 0 : tool_y4m_rate(y4m, word);
	case 'I':
		return tool_y4m_fields(y4m, word);
	case 'C':
		return tool_y4m_pixels(y4m, word);
	case 'X':
		return tool_y4m_extension(y4m, word);
	default:
		return 0;
	}
}

static int tool_y4m_header(struct tool_y4m *y4m, char *line)
{
	const struct avring_video_format *video = &y4m->video;
	char *word, *rest;
	int error = 0;

	word = strtok_r(line, " ", &rest);
	if (!word || strcmp(word, TOOL_Y4M_MAGIC))
		return tool_y4m_bad(y4m, "is no Y4M file");
	while (!error && (word = strtok_r(NULL, " ", &rest)))
		error = tool_y4m_word(y4m, word);
	if (error || (video->width && video->height && video->rate_num))
		return error;
	return tool_y4m_bad(y4m, "its first line lacks %s",
			    !video->width  ? "the width" :
			    !video->height ? "the height" :
					     "the rate; use --fps");
}

static int tool_y4m_begin(struct tool_y4m *y4m, int fd, char *line)
{
	ssize_t length = tool_y4m_line(fd, line);

	if (length == -ENODATA)
		return tool_y4m_bad(y4m, "is no Y4M file");
	if ((length == -E2BIG || length == -EBADMSG) &&
	    strncmp(line, TOOL_Y4M_MAGIC, sizeof(TOOL_Y4M_MAGIC) - 1))
		return tool_y4m_bad(y4m, "is no Y4M file");
	if (length == -E2BIG)
		return tool_y4m_bad(y4m, "its first line has more than %d bytes", TOOL_Y4M_LINE);
	if (length == -EBADMSG)
		return tool_y4m_bad(y4m, "it ends within its first line");
	if (length < 0)
		return length;
	y4m->begin = length;
	return tool_y4m_header(y4m, line);
}

int tool_y4m_open(struct tool_y4m *y4m, int fd, struct tool_rate rate)
{
	/* One that ends early is a string, too. */
	char *line = calloc(1, TOOL_Y4M_LINE + 1);
	int error;

	*y4m = (struct tool_y4m){ .video = {
					  .pixelformat = V4L2_PIX_FMT_YUV420,
					  .rate_num = rate.num,
					  .rate_den = rate.den,
				  } };
	if (!line)
		return -ENOMEM;
	error = tool_y4m_begin(y4m, fd, line);
	free(line);
	return error;
}

int tool_y4m_frame(int fd)
{
	const size_t length = sizeof(TOOL_Y4M_FRAME) - 1;
	char line[sizeof(TOOL_Y4M_FRAME)];
	ssize_t done = tool_bytes_read(fd, line, length + 1);

	if (done < 0)
		return done;
	if (!done)
		return -ENODATA;
	if ((size_t)done < length + 1 || memcmp(line, TOOL_Y4M_FRAME, length))
		return -EBADMSG;
	if (line[length] == '\n')
		return 0;
	/* Words about the frame alone, or the other way to end a line. */
	if (line[length] != ' ' && line[length] != '\r')
		return -EBADMSG;
	done = tool_y4m_line(fd, NULL);
	return done < 0 ? -EBADMSG : 0;
}
