// SPDX-License-Identifier: MIT
/*
 * Wishes that nothing would come of. See wish.h.
 */
#include "wish.h"

int tool_wish_check(const struct tool_wish *wish, const bool has[AVRING_STREAMS], const char *done)
{
	const struct {
		const char *option;
		bool is_given;
		uint32_t stream;
	} options[] = {
		{ "--size", wish->size.width, AVRING_STREAM_VIDEO },
		{ "--pixel-format", wish->pixel_format, AVRING_STREAM_VIDEO },
		{ "--fps", wish->rate.num, AVRING_STREAM_VIDEO },
		{ "--rate", wish->sample_rate, AVRING_STREAM_AUDIO },
		{ "--channels", wish->channels, AVRING_STREAM_AUDIO },
		{ "--period", wish->period, AVRING_STREAM_AUDIO },
		{ "--sample-format", wish->sample_format, AVRING_STREAM_AUDIO },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i].is_given && !has[options[i].stream])
			return tool_usage("%s: no %s are %s", options[i].option,
					  options[i].stream == AVRING_STREAM_VIDEO ? "pictures" :
										     "samples",
					  done);
	return TOOL_GO_ON;
}
