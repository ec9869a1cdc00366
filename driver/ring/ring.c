// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the ring and its writer. See ring/ring.h.
 *
 *	 tail_entry                       head_entry
 *	     v                                v
 *	..|given up| intact frames | intact ..|being written|..
 *	                                      ^
 *	                                    head
 *
 * The tail moves before the writer touches a byte of what it gives up: a reader
 * that looks at the tail after it has used a frame knows whether it was intact.
 */
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "compat.h"
#include "memory/store.h"
#include "ring/ring.h"

/* The index has a region of the node, which it must not outgrow. */
#define AVRING_RING_MAX_INDEX	SZ_1G

static void avring_ring_free(struct avring_ring *ring)
{
	if (ring->data)
		avring_store_put(ring->data);
	if (ring->index)
		avring_store_put(ring->index);
	if (ring->page)
		avring_store_put(ring->page);
	kfree(ring);
}

/* Return: the kernel view, or an ERR_PTR; the store is in @out as soon as it exists. */
static void *avring_ring_map(struct avring_store **out, struct avring_store *store)
{
	void *vaddr;

	if (IS_ERR(store))
		return store;
	*out = store;
	vaddr = avring_store_vaddr(store);
	return vaddr ?: ERR_PTR(-ENOMEM);
}

static int avring_ring_alloc(struct avring_ring *ring, struct avring_account *account)
{
	const struct avring_ring_geometry *geometry = &ring->geometry;

	ring->n_entries = roundup_pow_of_two(geometry->length / geometry->frame_bytes + 2);
	if ((u64)ring->n_entries * sizeof(*ring->entries) > AVRING_RING_MAX_INDEX)
		return -EINVAL;
	ring->base = avring_ring_map(&ring->data,
				     avring_store_new_linear(account, geometry->length));
	if (IS_ERR(ring->base))
		return PTR_ERR(ring->base);
	ring->entries = avring_ring_map(&ring->index,
					avring_store_new(account, ring->n_entries *
								  sizeof(*ring->entries)));
	if (IS_ERR(ring->entries))
		return PTR_ERR(ring->entries);
	ring->control = avring_ring_map(&ring->page, avring_store_new(account, PAGE_SIZE));
	return PTR_ERR_OR_ZERO(ring->control);
}

/**
 * avring_ring_new() - make an empty ring
 * @account: of the card
 * @geometry: its size
 * @format: what it will carry
 *
 * Context: process, may sleep; memory is charged as in avring_store_new().
 *
 * Return: a ring with one reference, or ERR_PTR(-ENOMEM), ERR_PTR(-EINVAL).
 */
struct avring_ring *avring_ring_new(struct avring_account *account,
				    const struct avring_ring_geometry *geometry,
				    const struct avring_stream_format *format)
{
	struct avring_ring *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	int err;

	if (!ring)
		return ERR_PTR(-ENOMEM);
	kref_init(&ring->refs);
	spin_lock_init(&ring->lock);
	INIT_LIST_HEAD(&ring->readers);
	INIT_LIST_HEAD(&ring->waiting);
	ring->geometry = *geometry;
	ring->format = *format;
	err = avring_ring_alloc(ring, account);
	if (err) {
		avring_ring_free(ring);
		return ERR_PTR(err);
	}
	return ring;
}

static void avring_ring_release(struct kref *refs)
{
	avring_ring_free(container_of(refs, struct avring_ring, refs));
}

/**
 * avring_ring_get() - take a reference
 * @ring: a ring that the caller has a reference on
 */
void avring_ring_get(struct avring_ring *ring)
{
	kref_get(&ring->refs);
}

/**
 * avring_ring_put() - drop a reference
 * @ring: gone for the caller; NULL is allowed. Context: process.
 */
void avring_ring_put(struct avring_ring *ring)
{
	if (ring)
		kref_put(&ring->refs, avring_ring_release);
}
EXPORT_SYMBOL_AVRING(avring_ring_put);

static struct avring_entry *avring_ring_entry(const struct avring_ring *ring, u64 number)
{
	return &ring->entries[number & (ring->n_entries - 1)];
}

/**
 * avring_ring_at() - where a position lies
 * @ring: the ring
 * @position: any
 *
 * Return: its byte in the first image; a ring's length of bytes follows in a row.
 */
void *avring_ring_at(const struct avring_ring *ring, u64 position)
{
	u64 offset;

	div64_u64_rem(position, ring->geometry.length, &offset);
	return ring->base + offset;
}
EXPORT_SYMBOL_AVRING(avring_ring_at);

/* Give up what is not behind @position, and the slot of the next entry. */
static void avring_ring_give_up_locked(struct avring_ring *ring, u64 position)
{
	u64 first = ring->tail_entry;

	if (ring->head_entry >= ring->n_entries)
		first = max(first, ring->head_entry - ring->n_entries + 1);
	while (first < ring->head_entry && avring_ring_entry(ring, first)->position < position)
		first++;
	ring->tail_entry = first;
	ring->tail = max(ring->tail, position);
	WRITE_ONCE(ring->control->tail, ring->tail);
	WRITE_ONCE(ring->control->tail_entry, ring->tail_entry);
}

/* Give up what lies where something up to @end will be written. */
static void avring_ring_make_room(struct avring_ring *ring, u64 end)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	if (end > ring->geometry.length)
		avring_ring_give_up_locked(ring, end - ring->geometry.length);
	else
		avring_ring_give_up_locked(ring, 0);
	spin_unlock_irqrestore(&ring->lock, flags);
	smp_wmb();	/* A: the tail before the data. Partner: the reader's second look at it */
}

/**
 * avring_ring_begin() - make room for the next frame
 * @ring: the ring; the caller is its writer
 * @length: bytes, at most those of the largest frame
 *
 * Context: any.
 *
 * Return: where to write; contiguous.
 */
void *avring_ring_begin(struct avring_ring *ring, size_t length)
{
	const u64 position = avring_ring_next_position(ring);

	avring_ring_make_room(ring, position + length);
	return avring_ring_at(ring, position);
}
EXPORT_SYMBOL_AVRING(avring_ring_begin);

/**
 * avring_ring_reserve() - make room for frames that come by themselves
 * @ring: the ring; the caller is its writer
 * @frames: how many, of the largest size; at most half of those that the ring holds
 *
 * A device writes them whenever they come, so they are given up before it may. Barrier A
 * is completed by the one before the register that allows it.
 *
 * Context: any.
 */
void avring_ring_reserve(struct avring_ring *ring, u32 frames)
{
	const u64 frame = ALIGN((u64)ring->geometry.frame_bytes, (u64)ring->geometry.align);

	avring_ring_make_room(ring, avring_ring_next_position(ring) + frames * frame);
}
EXPORT_SYMBOL_AVRING(avring_ring_reserve);

static u64 avring_ring_bytes_from(const struct avring_ring *ring, u64 number)
{
	if (number == ring->head_entry)
		return 0;
	return ring->head - avring_ring_entry(ring, number)->position;
}

static u64 avring_ring_time_from(const struct avring_ring *ring, u64 number)
{
	if (number == ring->head_entry)
		return 0;
	return avring_ring_entry(ring, ring->head_entry - 1)->time_ns -
	       avring_ring_entry(ring, number)->time_ns;
}

/**
 * avring_ring_reached_locked() - is there what a reader waits for?
 * @ring: the ring, locked
 * @target: what he waits for
 *
 * A reader that was overtaken, or whose ring has ended, need not wait either.
 *
 * Return: true if so.
 */
bool avring_ring_reached_locked(const struct avring_ring *ring,
				const struct avring_ring_target *target)
{
	lockdep_assert_held(&ring->lock);
	if (ring->state || target->next < ring->tail_entry)
		return true;
	if (ring->head_entry < target->next || ring->head_entry - target->next < target->entries)
		return false;
	return avring_ring_bytes_from(ring, target->next) >= target->bytes &&
	       avring_ring_time_from(ring, target->next) >= target->time_ns;
}

/* Entries of @bytes each, one each @ns, until a reader has what it last waited for. */
static u64 avring_ring_missing_locked(const struct avring_ring *ring,
				      const struct avring_ring_target *target, u32 bytes, u64 ns)
{
	const u64 entries = max3(target->entries, DIV_ROUND_UP_ULL(target->bytes, bytes),
				 div64_u64(target->time_ns, ns) + !!target->time_ns);
	const u64 ready = ring->head_entry - target->next;

	/* It has, or has been overtaken: it will ask for as much again. */
	return ready < entries ? entries - ready : entries;
}

/**
 * avring_ring_patience() - how long nobody will miss new entries
 * @ring: the ring; the caller is its writer
 * @bytes: of each entry
 * @ns: time from one entry to the next
 *
 * A writer who can make entries later without losing any need not be punctual for
 * readers who ask for many at a time.
 *
 * Context: any.
 *
 * Return: number of entries until the first reader has what it waits for, at least 1;
 * U64_MAX if there is no reader.
 */
u64 avring_ring_patience(struct avring_ring *ring, u32 bytes, u64 ns)
{
	const struct avring_ring_reader *reader;
	u64 patience = U64_MAX;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	list_for_each_entry(reader, &ring->readers, node) {
		patience = min(patience,
			       avring_ring_missing_locked(ring, &reader->target, bytes, ns));
		if (patience == 1)
			break;
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	return patience;
}
EXPORT_SYMBOL_AVRING(avring_ring_patience);

/*
 * Barrier C: who goes to sleep enters the wait queue and then looks at the ring under the
 * lock that is held here.
 */
static void avring_ring_wake_reader_locked(const struct avring_ring *ring,
					   struct avring_ring_reader *reader)
{
	const __poll_t events = EPOLLIN | EPOLLRDNORM | (ring->state ? EPOLLPRI : 0) |
				(ring->state & AVRING_STATE_GONE ? EPOLLERR | EPOLLHUP : 0);

	if (waitqueue_active(&reader->wait))			/* C */
		wake_up_interruptible_poll(&reader->wait, events);
}

/*
 * After each frame. Who has got what he waits for is told so once, and not looked at again
 * before he asks for more, or looks himself and finds that it is not there.
 */
static void avring_ring_wake_locked(struct avring_ring *ring)
{
	struct avring_ring_reader *reader, *next;

	list_for_each_entry_safe(reader, next, &ring->waiting, waits) {
		if (avring_ring_reached_locked(ring, &reader->target))
			list_del_init(&reader->waits);
		else if (!reader->several)
			continue;
		avring_ring_wake_reader_locked(ring, reader);
	}
}

/**
 * avring_ring_commit() - publish the frame that was begun
 * @ring: the ring; the caller is its writer
 * @entry: describes it; its position is filled in here
 *
 * Context: any.
 */
void avring_ring_commit(struct avring_ring *ring, const struct avring_entry *entry)
{
	struct avring_entry *slot = avring_ring_entry(ring, ring->head_entry);
	const u64 position = avring_ring_next_position(ring);
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	*slot = *entry;
	slot->position = position;
	ring->head = position + entry->length;
	ring->head_entry++;
	WRITE_ONCE(ring->control->head, ring->head);
	/* B: frame and entry before the number. Partner: the reader's first look at it. */
	smp_wmb();
	WRITE_ONCE(ring->control->head_entry, ring->head_entry);
	avring_ring_wake_locked(ring);
	spin_unlock_irqrestore(&ring->lock, flags);
}
EXPORT_SYMBOL_AVRING(avring_ring_commit);

/**
 * avring_ring_skip() - leave room behind the last frame
 * @ring: the ring; the caller is its writer
 * @position: where the next frame begins, before it is aligned; not before the end of the
 *	last one
 *
 * Context: any.
 */
void avring_ring_skip(struct avring_ring *ring, u64 position)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	ring->head = position;
	WRITE_ONCE(ring->control->head, position);
	spin_unlock_irqrestore(&ring->lock, flags);
}
EXPORT_SYMBOL_AVRING(avring_ring_skip);

/**
 * avring_ring_last() - the frame that was published last
 * @ring: the ring; the caller is its writer and has committed
 *
 * Return: its first byte; intact until the next avring_ring_begin().
 */
const void *avring_ring_last(const struct avring_ring *ring)
{
	return avring_ring_at(ring, avring_ring_entry(ring, ring->head_entry - 1)->position);
}
EXPORT_SYMBOL_AVRING(avring_ring_last);

/**
 * avring_ring_is_intact() - was a frame not overwritten until now?
 * @ring: the ring; the caller is not its writer and has read the frame
 * @position: of the frame
 *
 * Context: any.
 *
 * Return: true if what was read is the frame.
 */
bool avring_ring_is_intact(struct avring_ring *ring, u64 position)
{
	unsigned long flags;
	u64 tail;

	smp_rmb();	/* barrier A: the frame, then the tail */
	spin_lock_irqsave(&ring->lock, flags);
	tail = ring->tail;
	spin_unlock_irqrestore(&ring->lock, flags);
	return tail <= position;
}
EXPORT_SYMBOL_AVRING(avring_ring_is_intact);

/**
 * avring_ring_end() - the ring gets no more frames
 * @ring: the ring
 * @state: AVRING_STATE_*, why
 *
 * Everybody who waits wakes up. Context: any.
 */
void avring_ring_end(struct avring_ring *ring, u32 state)
{
	struct avring_ring_reader *reader;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	ring->state |= state;
	WRITE_ONCE(ring->control->state, ring->state);
	list_for_each_entry(reader, &ring->readers, node)
		avring_ring_wake_reader_locked(ring, reader);
	spin_unlock_irqrestore(&ring->lock, flags);
}
EXPORT_SYMBOL_AVRING(avring_ring_end);
