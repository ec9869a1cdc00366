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
	    (!avring_is_power_of_two(options->align) || options->align > avring_page_size()))
		return -EINVAL;
	if (options->video.reserved || !options->video.rate_num != !options->video.rate_den ||
	    avring_format_has_reserved(&options->audio))
		return -EINVAL;
	if (options->audio.period_frames &&
	    (options->audio.period_frames < 16 || options->audio.period_frames > 65536))
		return -EINVAL;
	return 0;
}

int avring_options_read(struct avring_options *options, const struct avring_options *from)
{
	const unsigned char *bytes = (const void *)from;
	size_t size = from ? from->size : 0;

	memset(options, 0, sizeof(*options));
	if (!size)
		return 0;
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
