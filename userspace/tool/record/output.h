/* SPDX-License-Identifier: MIT */
/*
 * Where one stream goes: a file, or one file after the other, each with its index.
 * Keeps account of what is in them.
 */
#ifndef AVRING_RECORD_OUTPUT_H
#define AVRING_RECORD_OUTPUT_H

#include "closing.h"
#include "index.h"
#include "record.h"
#include "sink.h"

/**
 * struct record_take - a span on its way into the file
 * @whole: as the reader gave it; to be released
 * @part: what is written of it
 * @offset: of the part in the file
 */
struct record_take {
	struct avring_span whole;
	struct avring_span part;
	uint64_t offset;
};

/**
 * struct record_output - where one stream goes
 * @settings: of the recording
 * @path: as it was asked for
 * @reader: where spans come from; they are released when they are in the file
 * @format: of them
 * @sink: container and file that is open
 * @is_open: it was begun
 * @is_broken: it takes no more
 * @file_path: of it
 * @file_number: counts the files from 1
 * @index: of the file
 * @takes: spans that are not all in the file: a queue
 * @first_take: oldest one
 * @n_takes: how many
 * @takes_room: of @takes
 * @whole_bytes: of the file, up to the last whole frame
 * @end_ns: frames from this time on go into the next file
 * @in_file: account of this file
 * @total: account of all files
 * @closing: files that go to the disk
 * @status: TOOL_OK, or TOOL_FAILED after the first error, of device or file, which was told
 */
struct record_output {
	const struct record_settings *settings;
	const char *path;
	struct avring_reader *reader;
	const struct avring_stream_format *format;
	struct record_sink sink;
	bool is_open;
	bool is_broken;
	char *file_path;
	unsigned int file_number;
	struct record_index index;
	struct record_take *takes;
	size_t first_take, n_takes, takes_room;
	uint64_t whole_bytes;
	uint64_t end_ns;
	struct record_totals in_file, total;
	struct record_closing *closing;
	int status;
};

/* Remember the first error, with the words for it. */
void record_output_fail(struct record_output *output, int error, const char *path,
			const char *what);

/* Before anything else. */
void record_output_init(struct record_output *output);

/* Open or create the first file and its index, and leave them as they are. */
void record_output_open(struct record_output *output);

/* Tell if one of the files is also one of another output's. */
void record_output_compare(struct record_output *output, const struct record_output *other);

/* Keep others from recording into them. */
void record_output_lock(struct record_output *output);

/* Empty them, and write what stands before the frames. */
void record_output_begin(struct record_output *output);

/* The recording begins at this time: files are counted from here. */
void record_output_start(struct record_output *output, uint64_t start_ns);

/* Hand over a span. It is in the file at some later time, and released then. */
void record_output_put(struct record_output *output, const struct avring_span *whole,
		       const struct avring_span *part);

/* So many frames of the source are missing behind the last one. */
void record_output_miss(struct record_output *output, uint64_t lost);

/* Write all that was handed over, because the ring changes. */
void record_output_flush(struct record_output *output);

/* Make file and index complete as they are, should this be the end. */
void record_output_checkpoint(struct record_output *output);

/* The ring behind the reader is this one from now on. */
void record_output_set_ring(struct record_output *output);

/* Write and close everything, after an error as far as whole frames go. */
void record_output_end(struct record_output *output);

#endif
