/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: a stream and its rings, one after the other.
 *
 * A stream has a current ring while anybody is attached to it. When its format or its
 * writer changes it gets a new one (a generation); who is attached to the old one
 * is told. Picture and sound both own a stream and decide what is written to it and
 * when; struct avring_source is how the ring node reaches them.
 */
#ifndef AVRING_STREAM_H
#define AVRING_STREAM_H

#include "ring/ring.h"

/**
 * struct avring_stream - a stream
 * @ring: the current generation, NULL while nobody is attached
 * @users: attached files
 * @generation: of @ring; goes on when there is none
 * @sequence: of the next frame, or sample frame
 * @length: wished bytes of a ring, 0 for the default
 * @align: wished alignment of frames, 0 for the default
 *
 * Guarded by a lock of the owner.
 */
struct avring_stream {
	struct avring_ring *ring;
	unsigned int users;
	u32 generation;
	u64 sequence;
	u64 length;
	u32 align;
};

struct avring_ring *avring_stream_new_ring(const struct avring_stream *stream,
					   const struct avring_stream_format *format,
					   u32 frame_bytes, u64 default_length, u32 default_align);
struct avring_ring *avring_stream_replace(struct avring_stream *stream, struct avring_ring *ring,
					  u32 state);
void avring_stream_join(struct avring_stream *stream, struct avring_ring_reader *reader,
			bool oldest);
bool avring_stream_leave(struct avring_stream *stream, struct avring_ring_reader *reader);
int avring_stream_setup(struct avring_stream *stream, const struct avring_setup *setup);

/**
 * struct avring_source_ops - how the ring node reaches the owner of a stream
 * @attach: begin to fill, or join what is filled; a reader that is attached already
 *	moves to the current ring. @oldest: begin there with the oldest frame
 * @detach: undo it
 * @attach_producer: begin a generation that the reader writes; @format is what it
 *	will send; of that only the stream has been checked
 * @detach_producer: undo it
 * @begin: see AVRING_IOC_BEGIN; reserved fields have been checked, here and below
 * @commit: see AVRING_IOC_COMMIT
 * @get_setup: see AVRING_IOC_GET_SETUP
 * @set_setup: see AVRING_IOC_SET_SETUP
 * @gone: the card is removed: end the ring with AVRING_STATE_GONE
 *
 * A source that nobody may write to leaves out the two of producers, @begin and @commit.
 * All others are required. They run in process context, under locks of the ring node only.
 * None is called after @gone. While attached, a
 * reader's ring is kept by a reference that belongs to the caller from then on.
 */
struct avring_source_ops {
	int (*attach)(void *data, struct avring_ring_reader *reader, bool oldest);
	void (*detach)(void *data, struct avring_ring_reader *reader);
	int (*attach_producer)(void *data, struct avring_ring_reader *reader,
			       const struct avring_stream_format *format);
	void (*detach_producer)(void *data, struct avring_ring_reader *reader);
	int (*begin)(void *data, struct avring_ring_reader *reader, struct avring_begin *begin);
	int (*commit)(void *data, struct avring_ring_reader *reader, struct avring_commit *commit);
	void (*get_setup)(void *data, struct avring_setup *setup);
	int (*set_setup)(void *data, const struct avring_setup *setup);
	void (*gone)(void *data);
};

/**
 * struct avring_source - a stream, as the ring node sees it
 * @ops: of the owner
 * @data: its argument
 */
struct avring_source {
	const struct avring_source_ops *ops;
	void *data;
};

#endif
