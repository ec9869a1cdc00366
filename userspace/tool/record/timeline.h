/* SPDX-License-Identifier: MIT */
/*
 * The times of a stream, on our clock and without its jumps: a device whose clock is another
 * one, or is set while it runs, ends a recording neither early nor never.
 */
#ifndef AVRING_RECORD_TIMELINE_H
#define AVRING_RECORD_TIMELINE_H

#include "../tool.h"

/**
 * struct record_timeline - what is known of the clock of a device
 * @empty_ns: of our clock: the reader had nothing then; all that came later was sent later
 * @since_ns: the same before the last span was taken
 * @is_begun: there was a span
 * @last_ns: time of the last span, as the device said it
 * @next_ns: and of what follows on that
 * @shift_ns: what is added to its times
 * @steps: how often it has jumped
 */
struct record_timeline {
	uint64_t empty_ns;
	uint64_t since_ns;
	bool is_begun;
	uint64_t last_ns;
	uint64_t next_ns;
	int64_t shift_ns;
	uint64_t steps;
};

/* There is nothing to be read now. */
void record_timeline_empty(struct record_timeline *timeline);

/**
 * record_timeline_take() - put a span where it belongs
 * @timeline: of its stream
 * @format: of the stream
 * @span: in order; its time becomes ours
 *
 * Return: by how much the clock of the device is ahead of what it was before, in ns; mostly
 * 0. Before the first span it was ours.
 */
int64_t record_timeline_take(struct record_timeline *timeline,
			     const struct avring_stream_format *format, struct avring_span *span);

#endif
