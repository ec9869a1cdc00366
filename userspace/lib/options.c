// SPDX-License-Identifier: MIT
/*
 * options: struct avring_options of any release.
 */
#include "internal.h"

/* A caller that says more than this did not fill in the size. */
#define AVRING_OPTIONS_MAX 4096

static int avring_options_check(const struct avring_options *options)
{
	if (options->stream >= AVRING_STREAMS || options->reserved || options->reserved2 ||
	    options->oldest > 1 || options->keep_setup > 1)
		return -EINVAL;
	if (options->align &&
	    (!avring_is_power_of_two(options->align) || options->align > AVRING_MAX_ALIGN))
		return -EINVAL;
	if (avring_format_has_video_reserved(&options->video) ||
	    !options->video.rate_num != !options->video.rate_den ||
	    avring_format_has_reserved(&options->audio))
		return -EINVAL;
	if (options->audio.period_frames && (options->audio.period_frames < AVRING_PERIOD_MIN ||
					     options->audio.period_frames > AVRING_PERIOD_MAX))
		return -EINVAL;
	return 0;
}

int avring_options_read(struct avring_options *options, const struct avring_options *from)
{
	const unsigned char *bytes = (const void *)from;
	size_t size;

	memset(options, 0, sizeof(*options));
	if (!from)
		return 0;
	size = from->size;
	/* Not filled in: what else it says would be ignored. */
	if (size < sizeof(options->size))
		return -EINVAL;
	if (size > AVRING_OPTIONS_MAX)
		return -E2BIG;
	memcpy(options, from, avring_min(size, sizeof(*options)));
	for (size_t i = sizeof(*options); i < size; i++)
		if (bytes[i])
			return -E2BIG;
	options->size = sizeof(*options);
	return avring_options_check(options);
}

bool avring_options_stray(const struct avring_options *options, uint32_t stream)
{
	static const struct avring_video_format no_picture;
	static const struct avring_audio_format no_sound;

	if (options->keep_setup)
		return false;
	if (stream == AVRING_STREAM_VIDEO)
		return memcmp(&options->audio, &no_sound, sizeof(no_sound));
	return memcmp(&options->video, &no_picture, sizeof(no_picture));
}

bool avring_options_met(const struct avring_options *options,
			const struct avring_stream_format *format)
{
	if (options->stream && options->stream != format->stream)
		return false;
	if (options->keep_setup)
		return true;
	if (avring_options_stray(options, format->stream))
		return false;
	if (format->stream == AVRING_STREAM_VIDEO)
		return avring_picture_has(&options->video, &format->video);
	return avring_format_has_sound(&options->audio, &format->audio);
}
