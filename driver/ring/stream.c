// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the rings of a stream. See ring/stream.h.
 */
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "ring/stream.h"

/* The largest ring that may be asked for; it is also limited by memory. */
#define AVRING_MAX_RING	(16ULL * SZ_1G)

/**
 * avring_stream_new_ring() - make a ring as the stream wishes it
 * @stream: the stream
 * @format: what it will carry
 * @frame_bytes: of the largest frame
 * @default_length: if the stream has no wish; rounded up to whole 2 MiB
 * @default_align: if the stream has no wish
 *
 * The ring is not yet part of the stream. Context: process, may sleep.
 *
 * Return: a ring with one reference, or ERR_PTR(-ENOMEM), ERR_PTR(-EINVAL).
 */
struct avring_ring *avring_stream_new_ring(const struct avring_stream *stream,
					   const struct avring_stream_format *format,
					   u32 frame_bytes, u64 default_length, u32 default_align)
{
	struct avring_ring_geometry geometry = {
		.frame_bytes = frame_bytes,
		.align = stream->align ?: default_align,
	};
	const u64 frame = round_up((u64)frame_bytes, geometry.align);
	u64 length = stream->length ?: round_up(default_length, (u64)SZ_2M);

	length = round_up(max(length, 2 * frame), PAGE_SIZE);
	if (length > min_t(u64, AVRING_MAX_RING, SIZE_MAX / 2))
		return ERR_PTR(-EINVAL);
	geometry.length = length;
	return avring_ring_new(&geometry, format);
}

/**
 * avring_stream_replace() - begin a new generation, or end the stream
 * @stream: the stream; its owner's lock is held
 * @ring: becomes the current ring together with the caller's reference; or NULL
 * @state: AVRING_STATE_*: what is said of the old ring
 *
 * Context: any.
 *
 * Return: the old ring, for avring_ring_put() in process context; or NULL.
 */
struct avring_ring *avring_stream_replace(struct avring_stream *stream, struct avring_ring *ring,
					  u32 state)
{
	struct avring_ring *old = stream->ring;

	if (ring) {
		ring->generation = ++stream->generation;
		ring->control->generation = ring->generation;
	}
	stream->ring = ring;
	if (old)
		avring_ring_end(old, state);
	return old;
}

/**
 * avring_stream_join() - let somebody in
 * @stream: with a ring; its owner's lock is held
 * @reader: attached to nothing, or to an older ring of the stream
 * @oldest: begin with the oldest frame
 *
 * The reader keeps the ring by a reference that is taken here and is the caller's.
 */
void avring_stream_join(struct avring_stream *stream, struct avring_ring_reader *reader,
			bool oldest)
{
	if (reader->ring)
		avring_ring_reader_leave(reader);
	else
		stream->users++;
	avring_ring_get(stream->ring);
	avring_ring_reader_join(reader, stream->ring, oldest);
}

/**
 * avring_stream_leave() - undo avring_stream_join()
 * @stream: the stream; its owner's lock is held
 * @reader: it is the caller's to put the ring
 *
 * Return: true if that was the last user.
 */
bool avring_stream_leave(struct avring_stream *stream, struct avring_ring_reader *reader)
{
	avring_ring_reader_leave(reader);
	return !--stream->users;
}

/**
 * avring_stream_setup() - wishes for the rings to come
 * @stream: the stream; its owner's lock is held
 * @setup: length and alignment are taken
 *
 * Return: 0, -EBUSY while anybody is attached, -EINVAL out of range.
 */
int avring_stream_setup(struct avring_stream *stream, const struct avring_setup *setup)
{
	if (setup->length > AVRING_MAX_RING)
		return -EINVAL;
	if (setup->align && (!is_power_of_2(setup->align) || setup->align > PAGE_SIZE))
		return -EINVAL;
	if (stream->users)
		return -EBUSY;
	stream->length = round_up(setup->length, (u64)PAGE_SIZE);
	stream->align = setup->align;
	return 0;
}
