// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: who reads a ring, and how he sleeps. See ring/ring.h.
 *
 * Barrier C: a sleeper enters his wait queue, then looks at the ring under its
 * lock; the writer changes the ring under that lock, then looks for sleepers.
 * One of them sees the other.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "ring/ring.h"

/**
 * avring_ring_reader_init() - prepare a reader that is attached to nothing
 * @reader: zeroed; lives as long as its file
 */
void avring_ring_reader_init(struct avring_ring_reader *reader)
{
	init_waitqueue_head(&reader->wait);
	INIT_LIST_HEAD(&reader->node);
	INIT_LIST_HEAD(&reader->waits);
	INIT_LIST_HEAD(&reader->member);
}

/**
 * avring_ring_reader_join() - attach
 * @reader: attached to nothing
 * @ring: to be read
 * @oldest: begin with the oldest frame, not with the next one
 *
 * The first entry to read is in @reader->target.next. Context: process.
 */
void avring_ring_reader_join(struct avring_ring_reader *reader, struct avring_ring *ring,
			     bool oldest)
{
	spin_lock_irq(&ring->lock);
	reader->target = (struct avring_ring_target){
		.next = oldest ? ring->tail_entry : ring->head_entry,
		.entries = 1,
	};
	reader->ring = ring;
	reader->joins++;
	list_add_tail(&reader->node, &ring->readers);
	list_add_tail(&reader->waits, &ring->waiting);
	spin_unlock_irq(&ring->lock);
}

/**
 * avring_ring_reader_leave() - detach
 * @reader: attached; the caller holds a reference on its ring. Who waits through
 *	it wakes up. Context: process.
 */
void avring_ring_reader_leave(struct avring_ring_reader *reader)
{
	struct avring_ring *ring = reader->ring;

	spin_lock_irq(&ring->lock);
	list_del_init(&reader->node);
	list_del_init(&reader->waits);
	reader->ring = NULL;
	spin_unlock_irq(&ring->lock);
	wake_up_all(&reader->wait);
}

static bool avring_ring_target_valid_locked(const struct avring_ring *ring,
					    const struct avring_ring_target *target)
{
	return target->next <= ring->head_entry && target->entries &&
	       target->entries <= ring->n_entries && target->bytes <= ring->geometry.length;
}

/* Return: 0 reached, -EAGAIN not yet, -ESTALE the reader has left this ring, -ENODEV. */
static int avring_ring_look_locked(const struct avring_ring_reader *reader,
				   const struct avring_ring *ring,
				   const struct avring_ring_target *target)
{
	if (ring->state & AVRING_STATE_GONE)
		return -ENODEV;
	if (reader->ring != ring)
		return -ESTALE;
	return avring_ring_reached_locked(ring, target) ? 0 : -EAGAIN;
}

/* What is asked for becomes what the writer, and poll(), look for. */
static int avring_ring_arm_locked(struct avring_ring_reader *reader, struct avring_ring *ring,
				  const struct avring_ring_target *target)
{
	int err = avring_ring_look_locked(reader, ring, target);

	if (err == -EAGAIN || !err) {
		reader->target = *target;
		list_move_tail(&reader->waits, &ring->waiting);
	}
	return err;
}

/* The first look. Who goes to sleep is counted. Return: as above, or -EINVAL. */
static int avring_ring_arm(struct avring_ring_reader *reader, struct avring_ring *ring,
			   const struct avring_ring_target *target, bool sleeps, u64 *joins)
{
	int err = -EINVAL;

	spin_lock_irq(&ring->lock);
	reader->several = atomic_read(&reader->sleepers);
	if (avring_ring_target_valid_locked(ring, target))
		err = avring_ring_arm_locked(reader, ring, target);
	if (err == -EAGAIN && sleeps)
		atomic_inc(&reader->sleepers);
	*joins = reader->joins;
	spin_unlock_irq(&ring->lock);
	return err;
}

/* Another look. Who has left and joined again since @joins was counted has left, too. */
static int avring_ring_look(struct avring_ring_reader *reader, struct avring_ring *ring,
			    const struct avring_ring_target *target, u64 joins)
{
	int err;

	spin_lock_irq(&ring->lock);
	if (reader->joins == joins)
		err = avring_ring_arm_locked(reader, ring, target);
	else
		err = ring->state & AVRING_STATE_GONE ? -ENODEV : -ESTALE;
	spin_unlock_irq(&ring->lock);
	return err;
}

/* Return: 0 woken, -ETIMEDOUT, -ERESTARTSYS. */
static int avring_ring_sleep(u64 deadline_ns)
{
	ktime_t expires = ns_to_ktime(min_t(u64, deadline_ns, KTIME_MAX));

	if (signal_pending(current))
		return -ERESTARTSYS;
	if (deadline_ns == AVRING_WAIT_FOREVER)
		schedule();
	else if (!schedule_hrtimeout_range(&expires, 0, HRTIMER_MODE_ABS))
		return -ETIMEDOUT;
	return 0;
}

/**
 * avring_ring_reader_wait() - sleep until the target is reached
 * @reader: attached to @ring, perhaps no longer
 * @ring: the caller holds a reference
 * @target: what for; stays what poll() waits for
 * @deadline_ns: CLOCK_MONOTONIC; 0 does not sleep; AVRING_WAIT_FOREVER
 *
 * Context: process, no lock held.
 *
 * Return: 0, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS, -EINVAL, -ENODEV, or -ESTALE if the file
 * is no longer attached to @ring.
 */
int avring_ring_reader_wait(struct avring_ring_reader *reader, struct avring_ring *ring,
			    const struct avring_ring_target *target, u64 deadline_ns)
{
	DEFINE_WAIT(wait);
	int slept = 0;
	u64 joins;
	int err;

	err = avring_ring_arm(reader, ring, target, deadline_ns, &joins);
	if (err != -EAGAIN || !deadline_ns)
		return err;
	for (;;) {
		prepare_to_wait(&reader->wait, &wait, TASK_INTERRUPTIBLE);
		err = avring_ring_look(reader, ring, target, joins);	/* C */
		if (err == -EAGAIN && slept)
			err = slept;
		if (err != -EAGAIN)
			break;
		slept = avring_ring_sleep(deadline_ns);
	}
	finish_wait(&reader->wait, &wait);
	atomic_dec(&reader->sleepers);
	return err;
}

/**
 * avring_ring_reader_ready() - need the reader not wait? For poll()
 * @reader: attached to @ring, perhaps no longer; already in its wait queue
 * @ring: the caller holds a reference
 * @state: AVRING_STATE_* of the ring
 *
 * Return: 0 what it waits for is there; -EAGAIN, -ENODEV, or -ESTALE if the file is no
 * longer attached to @ring.
 */
int avring_ring_reader_ready(struct avring_ring_reader *reader, struct avring_ring *ring,
			     u32 *state)
{
	int err;

	spin_lock_irq(&ring->lock);
	*state = ring->state;
	err = avring_ring_look_locked(reader, ring, &reader->target);	/* C */
	if (err == -EAGAIN)
		list_move_tail(&reader->waits, &ring->waiting);
	spin_unlock_irq(&ring->lock);
	return err;
}
