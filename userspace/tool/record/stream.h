/* SPDX-License-Identifier: MIT */
/*
 * One stream of a recording: takes spans out of the ring and hands them on.
 */
#ifndef AVRING_RECORD_STREAM_H
#define AVRING_RECORD_STREAM_H

#include "output.h"
#include "timeline.h"

/**
 * struct record_stream - one stream of a recording
 * @device: for messages
 * @is_told: what went wrong with the device was said, of this stream or the other
 * @reader: where frames come from
 * @format: of them
 * @output: where they go
 * @timeline: their times
 * @held: the next span
 * @has_held: it was not taken yet
 * @is_begun: something was taken
 * @is_done: nothing more will be
 * @frames_left: so many may still be taken
 * @next_ns: time of what follows on that
 * @missing: frames that are, or were damaged, since the last one that was taken
 */
struct record_stream {
	const char *device;
	bool *is_told;
	struct avring_reader *reader;
	struct avring_stream_format format;
	struct record_output output;
	struct record_timeline timeline;
	struct avring_span held;
	bool has_held;
	bool is_begun;
	bool is_done;
	uint64_t frames_left;
	uint64_t next_ns;
	uint64_t missing;
};

/* Attach. Return: TOOL_OK or a status (all words were said). */
int record_stream_open(struct record_stream *stream, const struct record_settings *settings,
		       uint32_t which);

/**
 * record_stream_peek() - look at the next span
 * @stream: the stream
 *
 * Return: true if @stream.held is filled. Otherwise there is none, for now or,
 * if @stream.is_done, for ever.
 */
bool record_stream_peek(struct record_stream *stream);

/* Give the span back unused. */
void record_stream_drop(struct record_stream *stream);

/* Take what of the span lies in a time. Done when the span reaches the end of it. */
void record_stream_take(struct record_stream *stream, uint64_t start_ns, uint64_t end_ns);

/* How much must come before it is worth waking up. */
struct avring_watermark record_stream_watermark(const struct record_stream *stream);

/* Write what is left, close files, detach. */
void record_stream_close(struct record_stream *stream);

#endif
