// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the rings of a stream. See ring/stream.h.
 */
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "compat.h"
#include "memory/account.h"
#include "ring/stream.h"

/* The largest ring that may be asked for; it is also limited by memory. */
#define AVRING_MAX_RING	(16ULL * SZ_1G)

/* Each member gets at least what it wishes; @length and @align are those of who wishes nothing. */
static void avring_stream_shape(const struct avring_stream *stream, u64 *length, u32 *align)
{
	const u64 default_length = *length;
	const u32 default_align = *align;
	const struct avring_ring_reader *member;

	if (list_empty(&stream->members))
		return;
	*length = 0;
	*align = 0;
	list_for_each_entry(member, &stream->members, member) {
		*length = max(*length, member->wish.length ?: default_length);
		*align = max(*align, member->wish.align ?: default_align);
	}
}

static bool avring_stream_fits(const struct avring_spare *spare,
			       const struct avring_ring_geometry *geometry,
			       const struct avring_stream_format *format)
{
	return spare->ring && !memcmp(&spare->geometry, geometry, sizeof(*geometry)) &&
	       !memcmp(&spare->format, format, sizeof(*format));
}

/* The one that was made before, if it is what is needed now; or say what is needed, but once. */
static struct avring_ring *avring_stream_take_spare(struct avring_spare *spare,
						    const struct avring_ring_geometry *geometry,
						    const struct avring_stream_format *format)
{
	struct avring_ring *ring = spare->ring;

	if (avring_stream_fits(spare, geometry, format)) {
		spare->ring = NULL;
		return ring;
	}
	if (spare->err)
		return ERR_PTR(spare->err);
	spare->geometry = *geometry;
	spare->format = *format;
	return ERR_PTR(-EAGAIN);
}

/**
 * avring_stream_new_ring() - make a ring as its stream's members wish it
 * @stream: the stream; its tune lock is held
 * @format: what it will carry
 * @frame_bytes: of the largest frame
 * @default_length: for who wishes none, if that is not too much; rounded up to whole 2 MiB
 * @default_align: for who wishes none
 *
 * The ring is not yet part of the stream. Context: process, may sleep.
 *
 * Return: a ring with one reference, or ERR_PTR(-ENOMEM), ERR_PTR(-EINVAL); ERR_PTR(-EAGAIN) for
 * who attaches or changes the stream: he makes it when no lock is held, and comes again.
 */
struct avring_ring *avring_stream_new_ring(const struct avring_stream *stream,
					   const struct avring_stream_format *format,
					   u32 frame_bytes, u64 default_length, u32 default_align)
{
	struct avring_ring_geometry geometry = {
		.frame_bytes = frame_bytes,
		.align = default_align,
		.least_length = round_up(min(default_length, avring_account_share()), (u64)SZ_2M),
	};
	u64 length = geometry.least_length, frame;

	avring_stream_shape(stream, &length, &geometry.align);
	frame = round_up((u64)frame_bytes, geometry.align);
	length = round_up(max(length, 2 * frame), PAGE_SIZE);
	if (length > min_t(u64, AVRING_MAX_RING, SIZE_MAX / 2))
		return ERR_PTR(-EINVAL);
	geometry.length = length;
	if (stream->spare && stream->spare->made < AVRING_STREAM_PATIENCE)
		return avring_stream_take_spare(stream->spare, &geometry, format);
	return avring_ring_new(stream->account, &geometry, format);
}

/**
 * avring_stream_begin_change() - the owner is about to change what he puts into the ring
 * @stream: the stream; its tune lock is held from now on
 * @spare: zeroed before the first attempt; where it has not the ring that is missing,
 *	avring_stream_new_ring() says -EAGAIN. It is the caller's to put a ring that is left in it
 *
 * After -EAGAIN and avring_stream_end_change() the caller makes the ring, with
 * avring_stream_make_spare(), and decides anew.
 */
void avring_stream_begin_change(struct avring_stream *stream, struct avring_spare *spare)
{
	mutex_lock(&stream->tune);
	stream->spare = spare;
}
EXPORT_SYMBOL_AVRING(avring_stream_begin_change);

/**
 * avring_stream_end_change() - undo avring_stream_begin_change()
 * @stream: the stream; its tune lock is dropped
 */
void avring_stream_end_change(struct avring_stream *stream)
{
	stream->spare = NULL;
	mutex_unlock(&stream->tune);
}
EXPORT_SYMBOL_AVRING(avring_stream_end_change);

/**
 * avring_stream_wished_audio() - the format of the sound of a ring to come
 * @stream: the stream; its tune lock is held
 * @audio: filled; a member that is left open is 0
 *
 * The format is that of the ring that there is: readers have come for it. Chunks are as short as
 * those whom who wishes them shortest wishes.
 */
void avring_stream_wished_audio(const struct avring_stream *stream,
				struct avring_audio_format *audio)
{
	const struct avring_ring_reader *member;
	u32 period = U32_MAX;

	memset(audio, 0, sizeof(*audio));
	if (stream->ring)
		*audio = stream->ring->format.audio;
	list_for_each_entry(member, &stream->members, member) {
		audio->format = audio->format ?: member->wish.audio.format;
		audio->rate = audio->rate ?: member->wish.audio.rate;
		audio->channels = audio->channels ?: member->wish.audio.channels;
		period = min(period, member->wish.audio.period_frames ?: AVRING_STREAM_PERIOD);
	}
	audio->period_frames = period == U32_MAX ? 0 : period;
	audio->frame_bytes = 0;
}
EXPORT_SYMBOL_AVRING(avring_stream_wished_audio);

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

/* A member of a format that is not wished, or is the one that there is. */
static bool avring_stream_agrees(u32 wish, u32 is)
{
	return !wish || wish == is;
}

/* Does a ring have what a file asks for? What it leaves open is another matter. */
static bool avring_stream_meets(const struct avring_ring *ring, const struct avring_wish *wish)
{
	const struct avring_audio_format *is = &ring->format.audio;

	if (wish->length > ring->geometry.length ||
	    (wish->align && ring->geometry.align % wish->align))
		return false;
	return ring->format.stream == AVRING_STREAM_VIDEO ||
	       (avring_stream_agrees(wish->audio.format, is->format) &&
		avring_stream_agrees(wish->audio.rate, is->rate) &&
		avring_stream_agrees(wish->audio.channels, is->channels) &&
		avring_stream_agrees(wish->audio.period_frames, is->period_frames));
}

/* Is a ring as good as one that nobody has wished? */
static bool avring_stream_serves(const struct avring_ring *ring, const struct avring_wish *wish)
{
	if (!wish->length && ring->geometry.length < ring->geometry.least_length)
		return false;
	return ring->format.stream == AVRING_STREAM_VIDEO || wish->audio.period_frames ||
	       ring->format.audio.period_frames <= AVRING_STREAM_PERIOD;
}

/*
 * Will the ring that there is do? One that another file has wished short, or in long chunks, will
 * not do for who wishes nothing: he gets the default, and so that happens once. What a producer
 * writes stays as it is, and so does what cannot be replaced.
 *
 * Return: 0, -EAGAIN it is to be replaced, -EBUSY.
 */
static int avring_stream_accept(const struct avring_stream *stream,
				const struct avring_ring_reader *reader)
{
	const struct avring_ring *ring = stream->ring;

	if (reader->ring || reader->wish.any)
		return 0;
	if (!avring_stream_meets(ring, &reader->wish))
		return -EBUSY;
	if (ring->producer || stream->spare->err || avring_stream_serves(ring, &reader->wish))
		return 0;
	return -EAGAIN;
}

static bool avring_stream_is_live(const struct avring_stream *stream)
{
	return stream->ring && !READ_ONCE(stream->ring->state);
}

/* Make sure that there is a ring. Who others have made it for may have wished otherwise. */
static int avring_stream_provide(struct avring_stream *stream,
				 const struct avring_ring_reader *reader, bool *oldest)
{
	const struct avring_ring *before = stream->ring;
	int err = avring_stream_is_live(stream) ? avring_stream_accept(stream, reader) : -EAGAIN;

	if (err != -EAGAIN)
		return err;
	err = stream->spare->err ?: stream->ops->renew(stream, NULL, NULL);
	if (err)
		return err;
	if (stream->ring != before)
		*oldest = true;	/* it is made for him */
	if (stream->users && !reader->ring && !reader->wish.any &&
	    !avring_stream_meets(stream->ring, &reader->wish))
		return -EBUSY;
	return 0;
}

/* What he wishes counts from now on. */
static void avring_stream_enter(struct avring_stream *stream, struct avring_ring_reader *reader,
				const struct avring_wish *wish, struct avring_spare *spare)
{
	mutex_lock(&stream->tune);
	stream->spare = spare;
	if (!list_empty(&reader->member))
		return;
	reader->wish = *wish;
	list_add_tail(&reader->member, &stream->members);
}

/* He joins, or has not come at all. */
static void avring_stream_entered(struct avring_stream *stream, struct avring_ring_reader *reader,
				  bool oldest, int err)
{
	stream->spare = NULL;
	if (!err)
		avring_stream_join(stream, reader, oldest);
	else if (!reader->ring)
		list_del_init(&reader->member);
	mutex_unlock(&stream->tune);
}

/**
 * avring_stream_attach() - let a reader in, or let it move to the current ring
 * @stream: the stream
 * @reader: attached to nothing, or to an older ring of the stream
 * @wish: of the file, if it is attached to nothing
 * @oldest: begin with the oldest frame of the ring
 * @spare: zeroed; it is the caller's to put a ring that is left in it
 *
 * The reader keeps the ring by a reference that is the caller's from then on. That may end at any
 * time, and may have already if the owner has failed meanwhile.
 *
 * Return: 0; -EAGAIN after avring_stream_make_spare(); -EBUSY the ring that others use has not
 * what is wished; or what the owner says.
 */
int avring_stream_attach(struct avring_stream *stream, struct avring_ring_reader *reader,
			 const struct avring_wish *wish, bool oldest, struct avring_spare *spare)
{
	int err;

	avring_stream_enter(stream, reader, wish, spare);
	err = avring_stream_provide(stream, reader, &oldest);
	avring_stream_entered(stream, reader, oldest, err);
	return err;
}

/**
 * avring_stream_produce() - let somebody in who writes the ring in place
 * @stream: the stream
 * @reader: the producer, attached to nothing
 * @wish: of the file
 * @format: what it will send; of that only the stream has been checked
 * @spare: as in avring_stream_attach()
 *
 * A reference on the ring is the caller's from then on.
 *
 * Return: 0; -EAGAIN as there; -EOPNOTSUPP nobody may write this stream; or what the owner says:
 * -EBUSY, -EINVAL, -ENOMEM.
 */
int avring_stream_produce(struct avring_stream *stream, struct avring_ring_reader *reader,
			  const struct avring_wish *wish,
			  const struct avring_stream_format *format, struct avring_spare *spare)
{
	int err;

	if (!stream->ops->begin)
		return -EOPNOTSUPP;
	avring_stream_enter(stream, reader, wish, spare);
	err = spare->err ?: stream->ops->renew(stream, format, reader);
	avring_stream_entered(stream, reader, false, err);
	return err;
}

/**
 * avring_stream_make_spare() - make the ring that was missing
 * @account: of the card
 * @spare: what it must be like
 *
 * Context: process, may sleep for long, a fatal signal ends it; no lock of the stream or of
 * anything that removal waits for. When others have changed the stream again and again, what is
 * needed is allocated under its lock.
 */
void avring_stream_make_spare(struct avring_account *account, struct avring_spare *spare)
{
	struct avring_ring *ring;

	avring_ring_put(spare->ring);
	spare->ring = NULL;
	if (++spare->made == AVRING_STREAM_PATIENCE)
		return;
	ring = avring_ring_new(account, &spare->geometry, &spare->format);
	if (IS_ERR(ring))
		spare->err = PTR_ERR(ring);
	else
		spare->ring = ring;
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
	list_del_init(&reader->member);
	avring_stream_leave(stream);
	mutex_unlock(&stream->tune);
}

/**
 * avring_stream_users() - how many use the stream
 * @stream: the stream
 *
 * Return: files that are attached, and who else wants it filled.
 */
unsigned int avring_stream_users(struct avring_stream *stream)
{
	unsigned int users;

	mutex_lock(&stream->tune);
	users = stream->users;
	mutex_unlock(&stream->tune);
	return users;
}

/**
 * avring_stream_check_wish() - may this be wished of the stream?
 * @stream: the stream
 * @wish: the wish
 *
 * Return: 0, -EINVAL out of range.
 */
int avring_stream_check_wish(const struct avring_stream *stream, const struct avring_wish *wish)
{
	if (wish->length > AVRING_MAX_RING)
		return -EINVAL;
	if (wish->align && (!is_power_of_2(wish->align) || wish->align > AVRING_RING_MAX_ALIGN))
		return -EINVAL;
	return stream->ops->wish ? stream->ops->wish(wish) : 0;
}

/**
 * avring_stream_gone() - the card is removed: the ring ends, for ever
 * @stream: the stream
 *
 * Who is attached leaves without telling the stream. May be called again.
 */
void avring_stream_gone(struct avring_stream *stream)
{
	struct avring_ring_reader *member, *next;

	mutex_lock(&stream->tune);
	list_for_each_entry_safe(member, next, &stream->members, member)
		list_del_init(&member->member);
	stream->users = 0;
	stream->ops->end(stream, AVRING_STATE_GONE);
	mutex_unlock(&stream->tune);
}
EXPORT_SYMBOL_AVRING(avring_stream_gone);
