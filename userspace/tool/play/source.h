/* SPDX-License-Identifier: MIT */
/*
 * Files that are played: each is read straight into the memory of the ring.
 */
#ifndef AVRING_PLAY_SOURCE_H
#define AVRING_PLAY_SOURCE_H

#include "../reader.h"
#include "input.h"

struct play_source;

/**
 * struct play_container - a way to read frames out of a file
 * @name: as in --format
 * @suffixes: of file names, see tool_suffix_is()
 * @stream: AVRING_STREAM_*, or -1: either
 * @open: find out the format; what is known of it already was wished. Prints
 * @read: the next frame, or up to so many bytes of sound
 * @rewind: back to the first frame
 * @close: undo @open
 *
 * All are required. @open returns TOOL_*. @read returns bytes, less than asked for
 * at the end, or a negative errno; @rewind 0 or a negative errno.
 */
struct play_container {
	const char *name;
	const char *suffixes;
	int stream;
	int (*open)(struct play_source *source);
	ssize_t (*read)(struct play_source *source, void *data, size_t length);
	int (*rewind)(struct play_source *source);
	void (*close)(struct play_source *source);
};

/**
 * struct play_source - a file that is played
 * @container: how
 * @is_open: the container is to be closed
 * @path: of it; "stdin"
 * @fd: of it
 * @format: of the frames
 * @begin: of the first one
 * @sound: handle of libsndfile
 * @input: what that reads
 * @rest: bytes at the end of the file that are no whole frame, as far as they are not read
 * @rest_of: bytes that a frame has in the file
 */
struct play_source {
	const struct play_container *container;
	bool is_open;
	const char *path;
	int fd;
	struct avring_stream_format format;
	uint64_t begin;
	SNDFILE *sound;
	struct play_input input;
	size_t rest;
	uint32_t rest_of;
};

extern const struct play_container play_raw;
extern const struct play_container play_y4m;
extern const struct play_container play_sound;

/**
 * play_source_open() - open a file
 * @source: filled
 * @path: "-" is stdin; must live as long as the source
 * @container: name of one, or NULL: by the name of the file
 * @stream: AVRING_STREAM_*, or -1: by the container
 * @wish: how raw frames look
 *
 * Return: TOOL_*; all words were said.
 */
int play_source_open(struct play_source *source, const char *path, const char *container,
		     int stream, const struct tool_wish *wish);
void play_source_close(struct play_source *source);

/* A file cannot be opened. Return: TOOL_FAILED; after a signal TOOL_OK, for that is no fault. */
int play_source_fail(int error, const struct play_source *source);

#endif
