// SPDX-License-Identifier: MIT
/*
 * The times of a stream, on our clock. See timeline.h.
 */
#include "../reader.h"
#include "cut.h"
#include "timeline.h"

/* What lies nearer may be a delay of the device, of its driver or of ours. */
#define RECORD_TIMELINE_SLACK_NS TOOL_NSEC_PER_SEC

void record_timeline_empty(struct record_timeline *timeline)
{
	timeline->empty_ns = tool_now_ns();
}

/* When @n frames are over; 0 if nobody knows how long they are. */
static uint64_t record_timeline_frames_ns(const struct avring_stream_format *format, uint64_t n)
{
	struct tool_rate rate = tool_event_rate(format);

	return rate.num && rate.den ? tool_event_ns(n, rate.num, rate.den) : 0;
}

/*
 * What was sent after an instant has no time long before that, nor after now. A device may
 * have two frames on their way.
 */
static int64_t record_timeline_lead(const struct record_timeline *timeline,
				    const struct avring_stream_format *format, uint64_t time_ns)
{
	const uint64_t slack_ns = RECORD_TIMELINE_SLACK_NS + record_timeline_frames_ns(format, 2);
	const uint64_t now_ns = tool_now_ns();

	if (time_ns > now_ns + slack_ns || time_ns + slack_ns < timeline->empty_ns)
		return time_ns - now_ns;
	return 0;
}

/* Time does not go back, nor on by more than ours has since the last span can have been sent. */
static int64_t record_timeline_step(const struct record_timeline *timeline,
				    const struct avring_stream_format *format,
				    const struct avring_span *span)
{
	const uint64_t passed_ns = tool_now_ns() - timeline->since_ns;

	if (span->time_ns + RECORD_TIMELINE_SLACK_NS >= timeline->last_ns &&
	    span->time_ns <= timeline->last_ns + passed_ns + RECORD_TIMELINE_SLACK_NS)
		return 0;
	return span->time_ns - timeline->next_ns - record_timeline_frames_ns(format, span->lost);
}

int64_t record_timeline_take(struct record_timeline *timeline,
			     const struct avring_stream_format *format, struct avring_span *span)
{
	int64_t step_ns;

	if (timeline->is_begun) {
		step_ns = record_timeline_step(timeline, format, span);
		timeline->steps += step_ns != 0;
	} else {
		step_ns = record_timeline_lead(timeline, format, span->time_ns);
		timeline->is_begun = true;
	}
	timeline->since_ns = timeline->empty_ns;
	timeline->last_ns = span->time_ns;
	timeline->next_ns = record_span_ns(format, span, span->count);
	timeline->shift_ns -= step_ns;
	span->time_ns += timeline->shift_ns;
	return step_ns;
}
