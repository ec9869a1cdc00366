/* SPDX-License-Identifier: MIT */
/*
 * A recording and its index, for reading. See index.h for what is in an index.
 */
#ifndef AVRING_RECORD_RECORDING_H
#define AVRING_RECORD_RECORDING_H

#include <stdio.h>

#include "index.h"

/**
 * struct record_recording - an index that is being read
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
struct record_recording {
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
 * record_recording_open() - open the index of a recording
 * @recording: filled; to be closed also after an error
 * @path: of the recording
 *
 * Return: 0; -ENOENT there is no index; -EBADMSG its first line is none of ours;
 * or another negative errno.
 */
int record_recording_open(struct record_recording *recording, const char *path);

/**
 * record_recording_next() - the next run
 * @recording: the index
 * @run: filled
 *
 * Return: 0; -ENODATA the index ends here (well, if @recording.is_ended); -EBADMSG
 * @recording.line is no run, or half a line.
 */
int record_recording_next(struct record_recording *recording, struct record_run *run);

void record_recording_close(struct record_recording *recording);

#endif
