// SPDX-License-Identifier: MIT
/*
 * Parts of spans. See cut.h.
 */
#include "../reader.h"
#include "cut.h"

uint64_t record_span_ns(const struct avring_stream_format *format, const struct avring_span *span,
			uint64_t n)
{
	struct tool_rate rate = tool_event_rate(format);

	if (!rate.num || !rate.den)
		return span->time_ns;
	/* The difference of two times on the grid, so that no error adds up. */
	return span->time_ns + tool_event_ns(span->event + n, rate.num, rate.den) -
	       tool_event_ns(span->event, rate.num, rate.den);
}

/* How many of its frames happened before a time: the smallest n that did not. */
static uint64_t record_frames_before(const struct avring_stream_format *format,
				     const struct avring_span *span, uint64_t time_ns)
{
	uint64_t low = 0, high = span->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (record_span_ns(format, span, middle) < time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Without its first frames. */
static void record_skip(const struct avring_stream_format *format, struct avring_span *span,
			uint64_t frames)
{
	uint64_t bytes = frames * tool_frame_bytes(format);

	span->time_ns = record_span_ns(format, span, frames);
	span->data = (const char *)span->data + bytes;
	span->length -= bytes;
	span->position += bytes;
	span->sequence += frames;
	span->event += frames;
	span->count -= frames;
	span->lost = 0;
}

static void record_shorten(const struct avring_stream_format *format, struct avring_span *span,
			   uint64_t frames)
{
	span->count = frames;
	span->length = frames * tool_frame_bytes(format);
}

bool record_cut(const struct avring_stream_format *format, struct avring_span *span,
		uint64_t start_ns, uint64_t end_ns, uint64_t frames)
{
	uint64_t first = record_frames_before(format, span, start_ns);
	uint64_t end = record_frames_before(format, span, end_ns);

	if (end > first && end - first > frames)
		end = first + frames;
	if (end <= first)
		return false;
	/* Whole spans keep the length that they have: pictures may be compressed. */
	if (end < span->count)
		record_shorten(format, span, end);
	if (first)
		record_skip(format, span, first);
	return true;
}
