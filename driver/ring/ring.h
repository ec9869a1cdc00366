/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: one generation of a stream as a ring in memory.
 *
 * A ring is a linear store for the data, a store for the index and a page that
 * tells readers what is published and what is given up; see the uapi header for
 * how they are used. It has one writer and any number of readers, and the writer
 * never waits. It knows nothing of V4L2 and ALSA.
 *
 * Barriers A and B stand in the uapi header, with their partners in user space.
 * The positions that the kernel itself relies on are in struct avring_ring, which no
 * user maps; of what users map it reads entries of the index, which nobody can write.
 *
 * Lifetime: reference counted; each file that is attached holds one, and the
 * stream holds one for its current ring. Mappings hold the stores.
 */
#ifndef AVRING_RING_H
#define AVRING_RING_H

#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/linux/avring.h>

struct avring_account;
struct avring_store;

/**
 * struct avring_wish - what a file wishes of the ring that it attaches to, see struct avring_setup
 * @length: bytes, 0 for the default
 * @align: of frames, 0 for the default
 * @audio: format of sound; 0 in a member for the default, or for what there is
 * @any: the ring that there is will do, AVRING_ATTACH_AS_IS
 */
struct avring_wish {
	u64 length;
	u32 align;
	struct avring_audio_format audio;
	bool any;
};

/* What a card can align frames to (ALIGN in pci/regs.h), and a page where pages are smallest. */
#define AVRING_RING_MAX_ALIGN	SZ_4K

/**
 * struct avring_ring_geometry - how large a ring is made
 * @length: bytes, whole pages
 * @frame_bytes: of the largest frame; at most half of @length
 * @align: frames begin at multiples of this power of two, at most AVRING_RING_MAX_ALIGN
 * @least_length: @length of a ring that nobody wished otherwise
 */
struct avring_ring_geometry {
	size_t length;
	u32 frame_bytes;
	u32 align;
	u64 least_length;
};

/**
 * struct avring_ring - see above
 * @refs: files and the stream
 * @data: linear
 * @index: of entries
 * @page: of struct avring_control
 * @geometry: as it was made
 * @n_entries: of the index, a power of two
 * @format: what the ring carries
 * @generation: set before anybody sees the ring
 * @producer: who writes the ring from user space, or NULL; set before anybody sees
 *	the ring, compared and never followed
 * @base: kernel view of @data
 * @entries: kernel view of @index
 * @control: kernel view of @page
 * @lock: guards the rest; any context, innermost but for wait queue locks
 * @readers: attached files
 * @waiting: those who wait for something, and perhaps sleep. The writer looks at no others
 * @state: AVRING_STATE_*
 * @tail: as in struct avring_control; so are the next three. Only the writer
 *	changes them, so it may read them without the lock
 * @tail_entry: see there
 * @head: see there
 * @head_entry: see there
 */
struct avring_ring {
	struct kref refs;
	struct avring_store *data;
	struct avring_store *index;
	struct avring_store *page;
	struct avring_ring_geometry geometry;
	u32 n_entries;
	struct avring_stream_format format;
	u32 generation;
	const struct avring_ring_reader *producer;
	void *base;
	struct avring_entry *entries;
	struct avring_control *control;

	spinlock_t lock;
	struct list_head readers;
	struct list_head waiting;
	u32 state;
	u64 tail;
	u64 tail_entry;
	u64 head;
	u64 head_entry;
};

/**
 * struct avring_ring_target - what a reader waits for; see struct avring_wait
 * @next: first entry that it has not read
 * @entries: so many of them
 * @bytes: and so many bytes
 * @time_ns: and so much time
 */
struct avring_ring_target {
	u64 next;
	u64 entries;
	u64 bytes;
	u64 time_ns;
};

/**
 * struct avring_ring_reader - an attached file, as the ring sees it
 * @wait: who sleeps in WAIT or polls
 * @node: in avring_ring.readers
 * @waits: in avring_ring.waiting, or empty
 * @ring: the ring it is attached to, or NULL. Changes under the lock of the ring
 *	that it names before or after
 * @joins: how often it has joined a ring, under the same lock
 * @wish: of a file that is attached; it and the next are the stream's, under its tune lock
 * @member: in avring_stream.members, or empty
 * @target: what it waits for. The lock of @ring guards this and @waits
 * @sleepers: threads in WAIT
 * @several: one of them slept when another one asked. Then @target is that of the last
 *	who asked, and all are woken at each frame to see for themselves
 */
struct avring_ring_reader {
	wait_queue_head_t wait;
	struct list_head node;
	struct list_head waits;
	struct avring_ring *ring;
	u64 joins;
	struct avring_wish wish;
	struct list_head member;
	struct avring_ring_target target;
	atomic_t sleepers;
	bool several;
};

struct avring_ring *avring_ring_new(struct avring_account *account,
				    const struct avring_ring_geometry *geometry,
				    const struct avring_stream_format *format);
void avring_ring_get(struct avring_ring *ring);
void avring_ring_put(struct avring_ring *ring);

void *avring_ring_at(const struct avring_ring *ring, u64 position);
void *avring_ring_begin(struct avring_ring *ring, size_t length);
void avring_ring_reserve(struct avring_ring *ring, u32 frames);
void avring_ring_commit(struct avring_ring *ring, const struct avring_entry *entry);
void avring_ring_skip(struct avring_ring *ring, u64 position);
void avring_ring_end(struct avring_ring *ring, u32 state);
u64 avring_ring_patience(struct avring_ring *ring, u32 bytes, u64 ns);
const void *avring_ring_last(const struct avring_ring *ring);
bool avring_ring_is_intact(struct avring_ring *ring, u64 position);
bool avring_ring_reached_locked(const struct avring_ring *ring,
				const struct avring_ring_target *target);

void avring_ring_reader_init(struct avring_ring_reader *reader);
void avring_ring_reader_join(struct avring_ring_reader *reader, struct avring_ring *ring,
			     bool oldest);
void avring_ring_reader_leave(struct avring_ring_reader *reader);
int avring_ring_reader_wait(struct avring_ring_reader *reader, struct avring_ring *ring,
			    const struct avring_ring_target *target, u64 deadline_ns);
int avring_ring_reader_ready(struct avring_ring_reader *reader, struct avring_ring *ring,
			     u32 *state);

/* Where the next frame begins; the caller is the writer. */
static inline u64 avring_ring_next_position(const struct avring_ring *ring)
{
	return ALIGN(ring->head, (u64)ring->geometry.align);
}

#endif
