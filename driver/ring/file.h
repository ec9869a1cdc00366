/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: an open file of the ring node.
 *
 *	ring/ringdev.c	the node
 *	ring/calls.c	what a file asks for: ioctls
 *	ring/file.c	what it is attached to, maps and polls
 *
 * Locks, outermost first: avring_ring_file.lock, avring_ringdev.moving, avring_ringdev.alive, then
 * those of the streams. mmap() runs under the mmap lock, which streams may take under theirs, so it
 * looks at the ring under avring_ring_file.ring_lock alone. No lock is held while user memory is
 * copied, nor while somebody waits; while a ring is made, that of its file alone, and @moving if it
 * moves.
 */
#ifndef AVRING_FILE_H
#define AVRING_FILE_H

#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/poll.h>

#include "memory/account.h"
#include "ring/ringdev.h"

/* Regions of the node, far enough from each other and within 44 bits for 32-bit callers. */
#define AVRING_CONTROL_OFFSET	0ULL
#define AVRING_INDEX_OFFSET	BIT_ULL(30)
#define AVRING_DATA_OFFSET	BIT_ULL(32)
#define AVRING_WINDOW_OFFSET	BIT_ULL(40)

/**
 * struct avring_ring_file - an open file
 * @ringdev: the node
 * @node: in avring_ringdev.files
 * @writable: it was opened for writing
 * @reader: its place in a ring
 * @lock: serialises its calls but for WAIT and EXPORT; guards @stream, @role, @wishes and @seat
 * @stream: AVRING_STREAM_*, what @ring belongs to
 * @role: AVRING_ROLE_*
 * @wishes: of the file, by stream: AVRING_IOC_SET_SETUP
 * @seat: what it costs to be attached; while it is, there is an account
 * @ring_lock: guards @ring, innermost
 * @ring: what it is attached to, with a reference, or NULL. Changed with @lock held, too
 */
struct avring_ring_file {
	struct avring_ringdev *ringdev;
	struct list_head node;
	bool writable;
	struct avring_ring_reader reader;
	struct mutex lock;
	u32 stream;
	u32 role;
	struct avring_wish wishes[AVRING_STREAMS];
	struct avring_charge seat;
	spinlock_t ring_lock;
	struct avring_ring *ring;
};

extern const struct file_operations avring_ring_fops;

struct avring_ring *avring_ring_file_get(struct avring_ring_file *rf);
void avring_ring_file_set(struct avring_ring_file *rf, struct avring_ring *ring);
struct avring_stream *avring_ring_file_stream(const struct avring_ring_file *rf);
void avring_ring_file_leave(struct avring_ring_file *rf);
int avring_ring_file_sit(struct avring_ring_file *rf);
void avring_ring_file_stand(struct avring_ring_file *rf);
int avring_ring_open(struct inode *inode, struct file *file);
int avring_ring_close(struct inode *inode, struct file *file);
int avring_ring_mmap(struct file *file, struct vm_area_struct *vma);
__poll_t avring_ring_poll(struct file *file, poll_table *table);
void avring_ring_file_detach(struct avring_ring_file *rf);
void avring_ring_end_files(struct avring_ringdev *ringdev);

#endif
