/* SPDX-License-Identifier: MIT */
/*
 * Parts of spans, by time and by number.
 */
#ifndef AVRING_RECORD_CUT_H
#define AVRING_RECORD_CUT_H

#include "../tool.h"

/* Time of the frame or sample frame that is @n after the first one of a span. */
uint64_t record_span_ns(const struct avring_stream_format *format, const struct avring_span *span,
			uint64_t n);

/**
 * record_cut() - keep what of a span happened in a time, and no more than so many
 * @format: of the span
 * @span: is cut
 * @start_ns: first time that is kept
 * @end_ns: first time that is not
 * @frames: no more than this
 *
 * A picture is whole or not there; sound is cut to the sample.
 *
 * Return: true if anything is left.
 */
bool record_cut(const struct avring_stream_format *format, struct avring_span *span,
		uint64_t start_ns, uint64_t end_ns, uint64_t frames);

#endif
