/* SPDX-License-Identifier: MIT */
/*
 * Y4M, for reading: a line of text before the film and one before each frame. The lines are
 * read byte by byte or by their length, so that each picture is read to where it is wanted.
 */
#ifndef AVRING_TOOL_Y4M_H
#define AVRING_TOOL_Y4M_H

#include "tool.h"

/* How each file begins. */
#define TOOL_Y4M_MAGIC "YUV4MPEG2"

/**
 * struct tool_y4m - what the first line says
 * @video: size, rate, pixels, range
 * @begin: where the line of the first frame is
 * @words: why the file cannot be read
 */
struct tool_y4m {
	struct avring_video_format video;
	uint64_t begin;
	char words[160];
};

/**
 * tool_y4m_open() - read the first line
 * @y4m: filled
 * @fd: stands at the begin of the file, then behind the line
 * @rate: of the film, whatever the line says; @rate.num 0: as it says
 *
 * Return: 0; -EBADMSG with @y4m.words; or another negative errno: it could not be read.
 */
int tool_y4m_open(struct tool_y4m *y4m, int fd, struct tool_rate rate);

/**
 * tool_y4m_frame() - read the line before a frame
 * @fd: then stands at the picture
 *
 * Return: 0; -ENODATA the film is over; -EBADMSG there is no such line; another negative errno.
 */
int tool_y4m_frame(int fd);

#endif
