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

/* What the card shall be set to; 1 if that is something new. */
static int avring_ring_wish(int fd, const struct avring_options *options,
			    struct avring_setup *setup)
{
	struct avring_setup have = { .stream = options->stream };
	int error = avring_ioctl_retry(fd, AVRING_IOC_GET_SETUP, &have);

	if (error)
		return error;
	*setup = have;
	if (options->ring_bytes > INT64_MAX)
		return -EFBIG;
	if (options->ring_bytes)
		setup->length = avring_ring_length(options->ring_bytes);
	if (options->stream == AVRING_STREAM_AUDIO) {
		avring_ring_wish_sound(&setup->audio, &options->audio);
		return setup->length != have.length ||
		       avring_ring_sound_differs(&setup->audio, &have.audio);
	}
	setup->align = options->align ?: have.align;
	return setup->length != have.length || setup->align != have.align;
}

/**
 * struct avring_ring_change - what avring_ring_forbids() asks about
 * @fd: ring node
 * @setup: that the card has or shall have
 */
struct avring_ring_change {
	int fd;
	struct avring_setup *setup;
};

/* The driver refuses a setup, be it the same, while somebody is attached. */
static int avring_ring_forbids(void *arg)
{
	struct avring_ring_change *change = arg;

	return avring_ioctl_retry(change->fd, AVRING_IOC_SET_SETUP, change->setup);
}

/* The picture's format is that of the card's capture node. */
static int avring_ring_set_picture(int fd, const struct avring_options *options,
				   struct avring_setup *setup)
{
	static const struct avring_video_format none;
	struct avring_ring_change change = { .fd = fd, .setup = setup };
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
	error = avring_picture_negotiate(node, &options->video, avring_ring_forbids, &change);
	close(node);
	return error;
}

int avring_ring_set_up(int fd, const struct avring_options *options)
{
	struct avring_setup setup;
	int changed, error = 0;

	if (options->keep_setup)
		return 0;
	changed = avring_ring_wish(fd, options, &setup);
	if (changed < 0)
		return changed;
	if (changed)
		error = avring_ioctl_retry(fd, AVRING_IOC_SET_SETUP, &setup);
	if (!error && options->stream == AVRING_STREAM_VIDEO)
		error = avring_ring_set_picture(fd, options, &setup);
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
