// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: an open file of /dev/avringN: what it is attached to, and what it maps and polls.
 *
 * It is attached to nothing, or to one ring of one stream. It holds a reference on that ring
 * until it detaches, so what it maps and waits for cannot go away under it, whatever becomes of
 * the stream and the card.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "compat.h"
#include "memory/store.h"
#include "ring/file.h"

/**
 * avring_ring_file_get() - what the file is attached to
 * @rf: the file; its lock need not be held
 *
 * Return: the ring with a reference for the caller, or NULL.
 */
struct avring_ring *avring_ring_file_get(struct avring_ring_file *rf)
{
	struct avring_ring *ring;

	spin_lock(&rf->ring_lock);
	ring = rf->ring;
	if (ring)
		avring_ring_get(ring);
	spin_unlock(&rf->ring_lock);
	return ring;
}

/**
 * avring_ring_file_set() - the file is attached to something else
 * @rf: the file
 * @ring: taken over with the caller's reference; or NULL. That on the old one is given back
 */
void avring_ring_file_set(struct avring_ring_file *rf, struct avring_ring *ring)
{
	struct avring_ring *old;

	spin_lock(&rf->ring_lock);
	old = rf->ring;
	rf->ring = ring;
	spin_unlock(&rf->ring_lock);
	avring_ring_put(old);
}

/**
 * avring_ring_file_stream() - the stream of its ring
 * @rf: a file that is attached, with ringdev->alive held, and the card is not gone
 *
 * Return: the stream.
 */
struct avring_stream *avring_ring_file_stream(const struct avring_ring_file *rf)
{
	return rf->ringdev->streams[rf->stream];
}

/**
 * avring_ring_file_leave() - the file is attached to nothing any more
 * @rf: a file that is attached, with ringdev->alive held
 *
 * Streams are not told of files that go after the card has.
 */
void avring_ring_file_leave(struct avring_ring_file *rf)
{
	if (rf->ringdev->gone)
		avring_ring_reader_leave(&rf->reader);
	else
		avring_stream_detach(avring_ring_file_stream(rf), &rf->reader);
	avring_ring_file_set(rf, NULL);
}

/**
 * avring_ring_file_sit() - count the file as a reader of the card
 * @rf: the file; may be counted already
 *
 * Return: 0, -EMFILE, -ENOMEM.
 */
int avring_ring_file_sit(struct avring_ring_file *rf)
{
	if (rf->seat.account)
		return 0;
	return avring_charge(&rf->seat, rf->ringdev->account, AVRING_READERS, 1);
}

/**
 * avring_ring_file_stand() - undo avring_ring_file_sit()
 * @rf: the file, which is attached to nothing
 */
void avring_ring_file_stand(struct avring_ring_file *rf)
{
	avring_uncharge(&rf->seat);
	rf->seat.account = NULL;
}

/**
 * avring_ring_file_detach() - both
 * @rf: a file that is attached, with ringdev->alive held
 */
void avring_ring_file_detach(struct avring_ring_file *rf)
{
	avring_ring_file_leave(rf);
	avring_ring_file_stand(rf);
}

/**
 * avring_ring_open() - see struct file_operations; so are the next three
 * @inode: of the node
 * @file: that is opened
 *
 * Return: 0, -ENOMEM.
 */
int avring_ring_open(struct inode *inode, struct file *file)
{
	struct avring_ringdev *ringdev = container_of(inode->i_cdev, struct avring_ringdev, cdev);
	struct avring_ring_file *rf = kzalloc(sizeof(*rf), GFP_KERNEL_ACCOUNT);

	if (!rf)
		return -ENOMEM;
	get_device(&ringdev->dev);
	rf->ringdev = ringdev;
	rf->writable = file->f_mode & FMODE_WRITE;
	mutex_init(&rf->lock);
	spin_lock_init(&rf->ring_lock);
	avring_ring_reader_init(&rf->reader);
	file->private_data = rf;
	mutex_lock(&ringdev->files_lock);
	list_add_tail(&rf->node, &ringdev->files);
	mutex_unlock(&ringdev->files_lock);
	return nonseekable_open(inode, file);
}

/**
 * avring_ring_close() - the last copy of an open file goes
 * @inode: of the node
 * @file: that is closed
 *
 * Return: 0.
 */
int avring_ring_close(struct inode *inode, struct file *file)
{
	struct avring_ring_file *rf = file->private_data;
	struct avring_ringdev *ringdev = rf->ringdev;

	mutex_lock(&ringdev->files_lock);
	list_del(&rf->node);
	mutex_unlock(&ringdev->files_lock);
	down_read(&ringdev->alive);
	if (rf->ring)
		avring_ring_file_detach(rf);
	up_read(&ringdev->alive);
	put_device(&ringdev->dev);
	mutex_destroy(&rf->lock);
	kfree(rf);
	return 0;
}

static int avring_ring_mmap_window(const struct avring_ring_file *rf, struct vm_area_struct *vma)
{
	struct avring_store *window = rf->ringdev->window;

	if (!window)
		return -EINVAL;
	vma->vm_pgoff -= AVRING_WINDOW_OFFSET >> PAGE_SHIFT;
	return avring_store_mmap(window, vma, rf->writable);
}

static int avring_ring_mmap_ring(struct avring_ring_file *rf, struct vm_area_struct *vma)
{
	struct avring_ring *ring = avring_ring_file_get(rf);
	int err;

	if (!ring)
		return -EINVAL;
	if (vma->vm_pgoff >= AVRING_DATA_OFFSET >> PAGE_SHIFT) {
		vma->vm_pgoff -= AVRING_DATA_OFFSET >> PAGE_SHIFT;
		err = avring_store_mmap(ring->data, vma, ring->producer == &rf->reader);
	} else if (vma->vm_pgoff >= AVRING_INDEX_OFFSET >> PAGE_SHIFT) {
		vma->vm_pgoff -= AVRING_INDEX_OFFSET >> PAGE_SHIFT;
		err = avring_store_mmap(ring->index, vma, false);
	} else {
		err = avring_store_mmap(ring->page, vma, false);
	}
	avring_ring_put(ring);
	return err;
}

/**
 * avring_ring_mmap() - map a region
 * @file: the open file
 * @vma: what and where
 *
 * Return: 0, -EINVAL, -EPERM, -ENOMEM, -ENODEV.
 */
int avring_ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff >= AVRING_WINDOW_OFFSET >> PAGE_SHIFT)
		return avring_ring_mmap_window(file->private_data, vma);
	return avring_ring_mmap_ring(file->private_data, vma);
}

/**
 * avring_ring_poll() - is there what the last WAIT asked for?
 * @file: the open file
 * @table: of who asks
 *
 * Return: EPOLL* as struct avring_wait says.
 */
__poll_t avring_ring_poll(struct file *file, poll_table *table)
{
	struct avring_ring_file *rf = file->private_data;
	struct avring_ring *ring;
	__poll_t events = 0;
	u32 state;
	int err;

	poll_wait(file, &rf->reader.wait, table);
	ring = avring_ring_file_get(rf);
	if (!ring)
		return READ_ONCE(rf->ringdev->gone) ? EPOLLERR | EPOLLHUP : EPOLLERR;
	err = avring_ring_reader_ready(&rf->reader, ring, &state);
	if (!err)
		events |= EPOLLIN | EPOLLRDNORM;
	else if (err == -ESTALE)
		events |= EPOLLERR;
	if (state & AVRING_STATE_STALE)
		events |= EPOLLPRI;
	if (state & AVRING_STATE_GONE)
		events |= EPOLLERR | EPOLLHUP;
	avring_ring_put(ring);
	return events;
}

/**
 * avring_ring_end_files() - the card is removed: whatever an open file is attached to ends
 * @ringdev: the node
 *
 * Streams end their current rings; a file may still be attached to an older one.
 */
void avring_ring_end_files(struct avring_ringdev *ringdev)
{
	struct avring_ring_file *rf;
	struct avring_ring *ring;

	mutex_lock(&ringdev->files_lock);
	list_for_each_entry(rf, &ringdev->files, node) {
		ring = avring_ring_file_get(rf);
		if (ring)
			avring_ring_end(ring, AVRING_STATE_GONE);
		avring_ring_put(ring);
	}
	mutex_unlock(&ringdev->files_lock);
}
