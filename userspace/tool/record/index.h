/* SPDX-License-Identifier: MIT */
/*
 * The index of a recording, for writing. See ../index/index.h for what is in it.
 *
 * A line is written only when its frames are in the file, where runs end and once a
 * second. So whatever happens, what the index names is there.
 */
#ifndef AVRING_RECORD_INDEX_H
#define AVRING_RECORD_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "../index/index.h"
#include "../tool.h"

/**
 * struct record_index - an index that is being written
 * @path: of it
 * @fd: or -1: there is none
 * @is_new: it was not there before
 * @is_unwanted: it is of an older recording, and goes when this one begins
 * @written: bytes in the file
 * @reserved: bytes that the file system keeps for it
 * @stride: distance of frames in the recording
 * @rate: of them
 * @off_grid_ns: so far the times of a run may be from what its first time and the rate say
 * @run: not yet written; none if it has no frames
 */
struct record_index {
	char *path;
	int fd;
	bool is_new;
	bool is_unwanted;
	uint64_t written;
	uint64_t reserved;
	uint32_t stride;
	struct tool_rate rate;
	uint64_t off_grid_ns;
	struct index_run run;
};

/**
 * record_index_open() - open or create the index of a recording; what is in it stays
 * @index: filled
 * @path: of the recording
 * @is_wanted: if not, one that is there is removed by record_index_begin()
 *
 * Return: 0, or a negative errno.
 */
int record_index_open(struct record_index *index, const char *path, bool is_wanted);

/* Nothing was written: close it, and remove it if it was not there before. */
void record_index_abandon(struct record_index *index);

/**
 * record_index_begin() - write the first line
 * @index: was opened
 * @path: of the recording
 * @container: "raw", "y4m", "wav"
 * @format: what is in it
 * @offset: of the first frame in the recording
 * @stride: distance of frames
 * @has_card_clock: times are of a clock of the card's own
 *
 * Return: 0, or a negative errno.
 */
int record_index_begin(struct record_index *index, const char *path, const char *container,
		       const struct avring_stream_format *format, uint64_t offset, uint32_t stride,
		       bool has_card_clock);

/* Add frames that are in the file; a line is written where a run ends. */
int record_index_add(struct record_index *index, const struct index_run *run);

/* Write what was added. */
int record_index_flush(struct record_index *index);

/* What the last line says. */
struct record_totals {
	uint64_t frames;
	uint64_t bytes;
	uint64_t lost;
	uint64_t torn;
};

/* Write the last line and close; with NULL: close only. */
int record_index_close(struct record_index *index, const struct record_totals *totals);

#endif
