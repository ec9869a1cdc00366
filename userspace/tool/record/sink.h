/* SPDX-License-Identifier: MIT */
/*
 * Where frames of one stream go: a container in a file.
 */
#ifndef AVRING_RECORD_SINK_H
#define AVRING_RECORD_SINK_H

#include <sndfile.h>

#include "../tool.h"
#include "file.h"

struct record_sink;

/**
 * struct record_container - a way to write frames into a file
 * @name: as in --format
 * @suffixes: of file names, see tool_suffix_is()
 * @refuses: why it cannot hold this format, and what can; NULL if it can
 * @is_seekable: needs a file that it can go back in
 * @open: write what stands before the frames; sets @stride of the sink
 * @put: take a span: write it, or keep it in mind. Tells where in the file it begins
 * @flush: write all that was taken
 * @checkpoint: optional; make the file complete as it is, for the case of a crash
 * @close: make the file end at @length, with whatever that takes
 *
 * All but @checkpoint are required. Functions return 0 or a negative errno; @put -EOVERFLOW:
 * the container has no room for more.
 */
struct record_container {
	const char *name;
	const char *suffixes;
	const char *(*refuses)(const struct avring_stream_format *format);
	bool is_seekable;
	int (*open)(struct record_sink *sink);
	int (*put)(struct record_sink *sink, const struct avring_span *span, uint64_t *offset);
	int (*flush)(struct record_sink *sink, bool is_end);
	int (*checkpoint)(struct record_sink *sink);
	int (*close)(struct record_sink *sink, uint64_t length);
};

/**
 * struct record_sink - a container that is being written
 * @container: how
 * @format: of the frames
 * @ring: where the frames lie
 * @file: where they go
 * @stride: distance of the frames in the file
 * @chunk: bytes that are worth a write
 * @pending: bytes of the ring that were taken and not written
 * @position: of the first of them
 * @begin: of the first frame in the file
 * @sound: handle of libsndfile
 * @is_progressive: the lines of a picture are of one moment, as far as we know
 * @was_told: the message about the page cache was printed
 * @no_direct: O_DIRECT is not wanted
 */
struct record_sink {
	const struct record_container *container;
	const struct avring_stream_format *format;
	struct avring_geometry ring;
	struct record_file file;
	uint32_t stride;
	size_t chunk;
	size_t pending;
	uint64_t position;
	uint64_t begin;
	SNDFILE *sound;
	bool is_progressive;
	bool was_told;
	bool no_direct;
};

extern const struct record_container record_raw;
extern const struct record_container record_y4m;
extern const struct record_container record_wav;
extern const struct record_container record_rf64;

/*
 * By --format, or else by the end of the file's name. What has no such end is raw; NULL: it
 * has one, of something that is not written.
 */
const struct record_container *record_container_find(const char *format, const char *path);

#endif
