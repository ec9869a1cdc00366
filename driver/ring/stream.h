/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: a stream and its rings, one after the other; and its doors: how the ring node comes
 * in and goes, whatever is streamed.
 *
 * A stream has a current ring while anybody is attached to it. When its format or its
 * writer changes it gets a new one (a generation); who is attached to the old one
 * is told. An owner decides what is written to it and when, and is asked for it by a table of
 * struct avring_stream_ops.
 */
#ifndef AVRING_STREAM_H
#define AVRING_STREAM_H

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "ring/ring.h"

struct avring_account;
struct avring_stream;

/* Sample frames of a chunk for who does not wish otherwise. */
#define AVRING_STREAM_PERIOD	480

/* So many rings are made for somebody while others change what is needed. */
#define AVRING_STREAM_PATIENCE	8

/**
 * struct avring_stream_ops - what the owner of a stream does for it
 * @renew: begin a generation of the ring. @format and @producer: who will write it in place, and
 *	what; of the format only the stream has been checked. Both are NULL for a ring that the
 *	owner fills, in the format that he has. Return: 0, or an errno with nothing changed, but
 *	that a ring which has ended may be gone; -EAGAIN is that of avring_stream_new_ring()
 * @end: end the ring, if there is one, and say @state of it. With no users left nothing is to be
 *	written any more; after AVRING_STATE_GONE nothing is ever, and an owner who is a user
 *	himself is none any more
 * @wish: look at a wish: 0, or -EINVAL; NULL if any will do
 * @begin: see AVRING_IOC_BEGIN; reserved fields have been checked, here and below. -ESTALE for
 *	who is not the producer. NULL for a stream that nobody else may write; so is
 * @commit: see AVRING_IOC_COMMIT
 *
 * @renew and @end are called with avring_stream.tune held, the others with no lock but those of
 * the ring node; all may sleep.
 */
struct avring_stream_ops {
	int (*renew)(struct avring_stream *stream, const struct avring_stream_format *format,
		     const struct avring_ring_reader *producer);
	void (*end)(struct avring_stream *stream, u32 state);
	int (*wish)(const struct avring_wish *wish);
	int (*begin)(struct avring_stream *stream, const struct avring_ring_reader *reader,
		     struct avring_begin *begin);
	int (*commit)(struct avring_stream *stream, const struct avring_ring_reader *reader,
		      struct avring_commit *commit);
};

/**
 * struct avring_spare - a ring that is made while no lock is held, for who attaches, or who changes
 *	what the owner puts into it
 * @geometry: of the ring that was missing
 * @format: of it
 * @ring: one that was made so, or NULL
 * @made: how often one was made: in vain, if the stream had changed meanwhile
 * @err: why there is none
 */
struct avring_spare {
	struct avring_ring_geometry geometry;
	struct avring_stream_format format;
	struct avring_ring *ring;
	unsigned int made;
	int err;
};

/**
 * struct avring_stream - a stream
 * @ops: of the owner
 * @account: of the card; before anybody can come
 * @tune: serialises what begins, ends and changes rings, so that they can be allocated while
 *	frames go on moving. Guards the rest but for @sequence; outside of the owner's lock
 * @users: attached files, and who else of the owner wants it filled
 * @members: attached files, struct avring_ring_reader. A ring that is made is as long, as
 *	aligned and as finely divided as each of them wishes; nothing else stays of wishes
 * @spare: of who attaches or changes the stream at this moment, or NULL: then a ring is allocated
 *	under @tune
 * @generation: of @ring; goes on when there is none
 * @ring: the current generation, or NULL. Changed under a lock of the owner, too
 * @sequence: of the next frame, or sample frame; under the owner's lock
 */
struct avring_stream {
	const struct avring_stream_ops *ops;
	struct avring_account *account;
	struct mutex tune;
	unsigned int users;
	struct list_head members;
	struct avring_spare *spare;
	u32 generation;
	struct avring_ring *ring;
	u64 sequence;
};

/* Streams of different owners nest under different locks. */
#define avring_stream_init(stream, table) \
do { \
	static struct lock_class_key key; \
	(stream)->ops = (table); \
	INIT_LIST_HEAD(&(stream)->members); \
	__mutex_init(&(stream)->tune, #stream ".tune", &key); \
} while (0)

static inline void avring_stream_destroy(struct avring_stream *stream)
{
	mutex_destroy(&stream->tune);
}

/* Who writes the ring in place, or NULL; either lock of the ring is held. */
static inline const struct avring_ring_reader *
avring_stream_producer(const struct avring_stream *stream)
{
	return stream->ring ? stream->ring->producer : NULL;
}

/* Does the owner write a ring? A ring that a failure has ended is not written. */
static inline bool avring_stream_fills(const struct avring_stream *stream)
{
	return stream->ring && !stream->ring->producer && !stream->ring->state;
}

/* For the ring node. */
int avring_stream_check_wish(const struct avring_stream *stream, const struct avring_wish *wish);
unsigned int avring_stream_users(struct avring_stream *stream);
int avring_stream_attach(struct avring_stream *stream, struct avring_ring_reader *reader,
			 const struct avring_wish *wish, bool oldest, struct avring_spare *spare);
int avring_stream_produce(struct avring_stream *stream, struct avring_ring_reader *reader,
			  const struct avring_wish *wish,
			  const struct avring_stream_format *format, struct avring_spare *spare);
void avring_stream_make_spare(struct avring_account *account, struct avring_spare *spare);
void avring_stream_detach(struct avring_stream *stream, struct avring_ring_reader *reader);
void avring_stream_gone(struct avring_stream *stream);

/* For owners. */
void avring_stream_begin_change(struct avring_stream *stream, struct avring_spare *spare);
void avring_stream_end_change(struct avring_stream *stream);
struct avring_ring *avring_stream_new_ring(const struct avring_stream *stream,
					   const struct avring_stream_format *format,
					   u32 frame_bytes, u64 default_length, u32 default_align);
void avring_stream_wished_audio(const struct avring_stream *stream,
				struct avring_audio_format *audio);
struct avring_ring *avring_stream_replace(struct avring_stream *stream, struct avring_ring *ring,
					  u32 state);
void avring_stream_leave(struct avring_stream *stream);

#endif
