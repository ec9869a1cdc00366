// SPDX-License-Identifier: MIT
/*
 * ring-setup: wishes about the ring of a card.
 */
#include <fcntl.h>
#include <unistd.h>

#include "ring.h"

static void avring_ring_wish_sound(struct avring_audio_format *have,
				   const struct avring_audio_format *wish)
{
	have->format = wish->format ?: have->format;
	have->rate = wish->rate ?: have->rate;
	have->channels = wish->channels ?: have->channels;
	have->period_frames = wish->period_frames ?: have->period_frames;
	/* It follows from the others. */
	have->frame_bytes = wish->frame_bytes;
}

static bool avring_ring_sound_differs(const struct avring_audio_format *a,
				      const struct avring_audio_format *b)
{
	return a->format != b->format || a->rate != b->rate || a->channels != b->channels ||
	       a->period_frames != b->period_frames ||
	       (a->frame_bytes && a->frame_bytes != b->frame_bytes);
}

/* Whole chunks map by PMD in both images; a ring shorter than one has none. */
static uint64_t avring_ring_length(uint64_t wish)
{
	return avring_align(wish, wish < AVRING_HUGE_PAGE ? avring_page_size() : AVRING_HUGE_PAGE);
}

/* What this file wishes; nothing of it outlives the file. */
static int avring_ring_wish(int fd, const struct avring_options *options)
{
	struct avring_setup setup = { .stream = options->stream };

	if (options->ring_bytes > INT64_MAX)
		return -EFBIG;
	if (options->ring_bytes)
		setup.length = avring_ring_length(options->ring_bytes);
	if (options->stream == AVRING_STREAM_AUDIO)
		setup.audio = options->audio;
	else
		setup.align = options->align;
	return avring_ioctl_retry(fd, AVRING_IOC_SET_SETUP, &setup);
}

/* The format is the card's, and others must not lose theirs. */
static int avring_ring_forbids(void *arg)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_VIDEO };
	int error = avring_ioctl_retry(*(const int *)arg, AVRING_IOC_GET_SETUP, &setup);

	return error ?: setup.users ? -EBUSY : 0;
}

/* The picture's format is that of the card's capture node. */
static int avring_ring_set_picture(int fd, const struct avring_options *options)
{
	static const struct avring_video_format none;
	struct avring_info info;
	int node, error;

	if (!memcmp(&options->video, &none, sizeof(none)))
		return 0;
	error = avring_ioctl_retry(fd, AVRING_IOC_INFO, &info);
	if (error)
		return error;
	if (!info.capture.major)
		return -EOPNOTSUPP;
	node = avring_card_open_node(info.capture, O_RDWR | O_NONBLOCK);
	if (node < 0)
		return node;
	error = avring_picture_negotiate(node, &options->video, avring_ring_forbids, &fd);
	close(node);
	return error;
}

int avring_ring_set_up(int fd, const struct avring_options *options)
{
	int error;

	if (options->keep_setup)
		return 0;
	error = avring_ring_wish(fd, options);
	if (!error && options->stream == AVRING_STREAM_VIDEO)
		error = avring_ring_set_picture(fd, options);
	return error;
}

/* A producer may have come meanwhile, and what it sends is what there is. */
int avring_ring_check(const struct avring_options *options,
		      const struct avring_stream_format *format)
{
	struct avring_audio_format sound = format->audio;

	if (options->keep_setup)
		return 0;
	if (options->stream == AVRING_STREAM_VIDEO)
		return avring_picture_has(&options->video, &format->video) ? 0 : -EBUSY;
	avring_ring_wish_sound(&sound, &options->audio);
	return avring_ring_sound_differs(&sound, &format->audio) ? -EBUSY : 0;
}
