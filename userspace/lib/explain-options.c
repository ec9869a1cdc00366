// SPDX-License-Identifier: MIT
/*
 * explain-options: wishes that no device can meet, in the order in which options.c
 * looks at them.
 */
#include "explain.h"

static bool avring_explain_range(struct avring_refusal *refusal, const char *member, uint64_t value,
				 const char *possible)
{
	avring_explain_member(refusal, member);
	avring_explain_say(refusal, "%s = %llu: not possible, expected %s", member,
			   (unsigned long long)value, possible);
	return true;
}

static bool avring_explain_reserved(struct avring_refusal *refusal,
				    const struct avring_options *options)
{
	if (options->reserved || options->reserved2)
		avring_explain_member(refusal, "reserved");
	else if (avring_format_has_video_reserved(&options->video))
		avring_explain_member(refusal, "video.reserved");
	else if (avring_format_has_reserved(&options->audio))
		avring_explain_member(refusal, "audio.reserved");
	else
		return false;
	avring_explain_say(refusal, "%s: must be 0", refusal->member);
	return true;
}

static bool avring_explain_formats(struct avring_refusal *refusal,
				   const struct avring_options *options)
{
	const uint32_t period = options->audio.period_frames;

	if (!options->video.rate_num != !options->video.rate_den) {
		avring_explain_member(refusal, "video.rate_num");
		avring_explain_say(refusal, "rate of %u/%u pictures per second: not possible",
				   options->video.rate_num, options->video.rate_den);
		return true;
	}
	if (period && (period < AVRING_PERIOD_MIN || period > AVRING_PERIOD_MAX))
		return avring_explain_range(refusal, "audio.period_frames", period, "16 to 65536");
	return false;
}

bool avring_explain_options(struct avring_refusal *refusal, const struct avring_options *options)
{
	if (options->size < sizeof(options->size))
		return avring_explain_range(refusal, "size", options->size,
					    "sizeof(struct avring_options)");
	if (options->stream >= AVRING_STREAMS)
		return avring_explain_range(refusal, "stream", options->stream,
					    "AVRING_STREAM_VIDEO or AVRING_STREAM_AUDIO");
	if (options->oldest > 1 || options->keep_setup > 1)
		return avring_explain_range(refusal, options->oldest > 1 ? "oldest" : "keep_setup",
					    options->oldest > 1 ? options->oldest :
								  options->keep_setup,
					    "0 or 1");
	if (options->align &&
	    (!avring_is_power_of_two(options->align) || options->align > AVRING_MAX_ALIGN))
		return avring_explain_range(refusal, "align", options->align,
					    "a power of two, at most 4096");
	return avring_explain_reserved(refusal, options) ||
	       avring_explain_formats(refusal, options);
}
