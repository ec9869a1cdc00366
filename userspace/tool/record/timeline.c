// SPDX-License-Identifier: MIT
/*
 * The times of a stream, made whole. See timeline.h.
 */
#include "../reader.h"
#include "cut.h"
#include "timeline.h"

/* A device, its driver and we may take so long, and two frames more. */
#define RECORD_TIMELINE_SLACK_NS TOOL_NSEC_PER_SEC

void record_timeline_empty(struct record_timeline *timeline)
{
	timeline->empty_ns = tool_now_ns();
}

static uint64_t record_timeline_slack(const struct avring_stream_format *format)
{
	struct tool_rate rate = tool_event_rate(format);

	if (!rate.num || !rate.den)
		return RECORD_TIMELINE_SLACK_NS;
	return RECORD_TIMELINE_SLACK_NS + tool_event_ns(2, rate.num, rate.den);
}

/* What was sent after an instant has no time long before that, nor after now. */
static int64_t record_timeline_lead(const struct record_timeline *timeline, uint64_t time_ns,
				    uint64_t slack_ns)
{
	uint64_t now_ns = tool_now_ns();

	if (time_ns > now_ns + slack_ns)
		return time_ns - now_ns;
	if (time_ns + slack_ns < timeline->empty_ns)
		return time_ns - timeline->empty_ns;
	return 0;
}

/* Time goes on, and not faster than ours has since the last span can have been sent. */
static bool record_timeline_jumps(const struct record_timeline *timeline, uint64_t time_ns,
				  uint64_t expected_ns, uint64_t slack_ns)
{
	if (time_ns <= timeline->last_ns)
		return true;
	return time_ns > expected_ns + slack_ns &&
	       time_ns - timeline->last_ns > tool_now_ns() - timeline->since_ns + slack_ns;
}

/* Where the span would be if the clock went on: behind the last one and what is missing. */
static uint64_t record_timeline_expected(const struct record_timeline *timeline,
					 const struct avring_stream_format *format,
					 const struct avring_span *span)
{
	struct tool_rate rate = tool_event_rate(format);

	if (!rate.num || !rate.den)
		return timeline->last_ns + 1;
	return timeline->next_ns + tool_event_ns(span->lost, rate.num, rate.den);
}

int64_t record_timeline_take(struct record_timeline *timeline,
			     const struct avring_stream_format *format, struct avring_span *span)
{
	const uint64_t time_ns = span->time_ns, slack_ns = record_timeline_slack(format);
	uint64_t expected_ns = record_timeline_expected(timeline, format, span);
	int64_t step_ns = 0;

	if (!timeline->is_begun)
		timeline->lead_ns = record_timeline_lead(timeline, time_ns, slack_ns);
	else if (record_timeline_jumps(timeline, time_ns, expected_ns, slack_ns))
		step_ns = time_ns - expected_ns;
	timeline->is_begun = true;
	timeline->steps += step_ns != 0;
	timeline->shift_ns -= step_ns;
	timeline->since_ns = timeline->empty_ns;
	timeline->last_ns = time_ns;
	timeline->next_ns = record_span_ns(format, span, span->count);
	span->time_ns += timeline->shift_ns;
	return step_ns;
}
