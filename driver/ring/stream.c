// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the rings of a stream. See ring/stream.h.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "compat.h"
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
 * @stream: the stream; its tune lock and the owner's lock are held
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
EXPORT_SYMBOL_AVRING(avring_stream_replace);

/* Somebody comes, or moves to the current ring, which there is. */
static void avring_stream_join(struct avring_stream *stream, struct avring_ring_reader *reader,
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
 * avring_stream_leave() - one user less
 * @stream: the stream; its tune lock is held
 */
void avring_stream_leave(struct avring_stream *stream)
{
	lockdep_assert_held(&stream->tune);
	if (!--stream->users)
		stream->ops->end(stream, AVRING_STATE_STALE);
}
EXPORT_SYMBOL_AVRING(avring_stream_leave);

/**
 * avring_stream_attach() - let a reader in, or let it move to the current ring
 * @stream: the stream
 * @reader: attached to nothing, or to an older ring of the stream
 * @oldest: begin with the oldest frame of the ring
 *
 * The reader keeps the ring by a reference that is the caller's from then on. That may end at any
 * time, and may have already if the owner has failed meanwhile.
 *
 * Return: 0, or what the owner says.
 */
int avring_stream_attach(struct avring_stream *stream, struct avring_ring_reader *reader,
			 bool oldest)
{
	int err = 0;

	mutex_lock(&stream->tune);
	if (!stream->ring || READ_ONCE(stream->ring->state)) {
		err = stream->ops->renew(stream, NULL, NULL);
		oldest = true;	/* it is made for him */
	}
	if (!err)
		avring_stream_join(stream, reader, oldest);
	mutex_unlock(&stream->tune);
	return err;
}

/**
 * avring_stream_produce() - let somebody in who writes the ring in place
 * @stream: the stream
 * @reader: the producer, attached to nothing
 * @format: what it will send; of that only the stream has been checked
 *
 * A reference on the ring is the caller's from then on.
 *
 * Return: 0; -EOPNOTSUPP nobody may write this stream; or what the owner says: -EBUSY, -EINVAL,
 * -ENOMEM.
 */
int avring_stream_produce(struct avring_stream *stream, struct avring_ring_reader *reader,
			  const struct avring_stream_format *format)
{
	int err;

	if (!stream->ops->begin)
		return -EOPNOTSUPP;
	mutex_lock(&stream->tune);
	err = stream->ops->renew(stream, format, reader);
	if (!err)
		avring_stream_join(stream, reader, false);
	mutex_unlock(&stream->tune);
	return err;
}

/**
 * avring_stream_detach() - somebody goes
 * @stream: the stream
 * @reader: attached; it is the caller's to put the ring
 *
 * A producer may still have its memory mapped, so the readers go on in another ring. The first
 * of them who attaches makes it, on his account.
 */
void avring_stream_detach(struct avring_stream *stream, struct avring_ring_reader *reader)
{
	mutex_lock(&stream->tune);
	if (avring_stream_producer(stream) == reader)
		stream->ops->end(stream, AVRING_STATE_STALE);
	avring_ring_reader_leave(reader);
	avring_stream_leave(stream);
	mutex_unlock(&stream->tune);
}

/**
 * avring_stream_get_setup() - see AVRING_IOC_GET_SETUP
 * @stream: the stream
 * @setup: filled, but for its stream
 */
void avring_stream_get_setup(struct avring_stream *stream, struct avring_setup *setup)
{
	mutex_lock(&stream->tune);
	setup->length = stream->length;
	setup->align = stream->align;
	setup->audio = stream->audio;
	mutex_unlock(&stream->tune);
}

/* What the owner knows of has been completed. */
static int avring_stream_check_setup(const struct avring_setup *setup)
{
	if (setup->length > AVRING_MAX_RING)
		return -EINVAL;
	if (setup->align && (!is_power_of_2(setup->align) || setup->align > PAGE_SIZE))
		return -EINVAL;
	return 0;
}

/**
 * avring_stream_set_setup() - wishes for the rings to come, see AVRING_IOC_SET_SETUP
 * @stream: the stream
 * @setup: the wishes
 *
 * Return: 0, -EBUSY while anybody is attached, -EINVAL out of range.
 */
int avring_stream_set_setup(struct avring_stream *stream, const struct avring_setup *setup)
{
	struct avring_setup complete = *setup;
	int err = stream->ops->wish ? stream->ops->wish(&complete) : 0;

	err = err ?: avring_stream_check_setup(&complete);
	if (err)
		return err;
	mutex_lock(&stream->tune);
	if (stream->users) {
		err = -EBUSY;
	} else {
		stream->length = round_up(complete.length, (u64)PAGE_SIZE);
		stream->align = complete.align;
		stream->audio = complete.audio;
	}
	mutex_unlock(&stream->tune);
	return err;
}

/**
 * avring_stream_gone() - the card is removed: the ring ends, for ever
 * @stream: the stream
 *
 * Who is attached leaves without telling the stream. May be called again.
 */
void avring_stream_gone(struct avring_stream *stream)
{
	mutex_lock(&stream->tune);
	stream->users = 0;
	stream->ops->end(stream, AVRING_STATE_GONE);
	mutex_unlock(&stream->tune);
}
EXPORT_SYMBOL_AVRING(avring_stream_gone);
