/* SPDX-License-Identifier: MIT */
/*
 * The index of a recording, for reading. See index.h for what is in an index.
 */
#ifndef AVRING_INDEX_READER_H
#define AVRING_INDEX_READER_H

#include <stdio.h>

#include "../tool.h"
#include "index.h"

/**
 * struct index_reader - an index that is being read
 * @path: of it
 * @lines: of it
 * @format: of the recording
 * @container: "raw", "y4m", "wav", "rf64"
 * @offset: of the first frame
 * @stride: distance of frames
 * @has_card_clock: times are of a clock of the card's own
 * @boot_ns: when CLOCK_MONOTONIC was 0, since 1970; 0: nobody knows
 * @is_ended: the last line was there
 * @line: number of the line that was read last
 */
struct index_reader {
	char *path;
	FILE *lines;
	struct avring_stream_format format;
	char container[8];
	uint64_t offset;
	uint32_t stride;
	bool has_card_clock;
	int64_t boot_ns;
	bool is_ended;
	unsigned int line;
};

/**
 * index_reader_open() - open the index of a recording
 * @reader: filled; to be closed also after an error
 * @path: of the recording
 *
 * Return: 0; -ENOENT there is no index; -EBADMSG its first line is none of ours;
 * or another negative errno.
 */
int index_reader_open(struct index_reader *reader, const char *path);

/**
 * index_reader_next() - the next run
 * @reader: the index
 * @run: filled
 *
 * Return: 0; -ENODATA the index ends here (well, if @reader.is_ended); -EBADMSG
 * @reader.line is no run, or half a line.
 */
int index_reader_next(struct index_reader *reader, struct index_run *run);

void index_reader_close(struct index_reader *reader);

#endif
