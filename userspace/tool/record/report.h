/* SPDX-License-Identifier: MIT */
/*
 * What a recording says of itself: a line on a terminal, lines of JSON, and a
 * sentence at the end.
 */
#ifndef AVRING_RECORD_REPORT_H
#define AVRING_RECORD_REPORT_H

#include "stream.h"

/* Is there anybody who looks at it while it runs? */
bool record_report_is_wanted(const struct record_settings *settings);

/* What is recorded, and the ring that stands between the device and the disk. */
void record_report_begin(const struct record_stream *streams, unsigned int n);

/* While it runs. @time_ns: since it began. */
void record_report_progress(const struct record_settings *settings,
			    const struct record_stream *streams, unsigned int n, uint64_t time_ns);

/* In JSON only, also of a recording that did not begin. */
void record_report_summary(const struct record_settings *settings,
			   const struct record_stream *streams, unsigned int n, uint64_t time_ns,
			   int status);

/* At the end; the streams are closed. */
void record_report_end(const struct record_settings *settings, const struct record_stream *streams,
		       unsigned int n, uint64_t time_ns, int status);

#endif
