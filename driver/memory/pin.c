// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a store made of a user's own pages (V4L2_MEMORY_USERPTR).
 *
 * The range may span several VMAs. Pages are pinned for DMA, marked dirty when a
 * device has written to them, and unpinned with the store; a range that cannot be
 * pinned whole leaves nothing pinned.
 */
#include <linux/mm.h>
#include <linux/overflow.h>

#include "memory/store.h"
#include "memory/store_priv.h"

static int avring_pin_all(struct avring_store *store, unsigned long uaddr, unsigned int gup)
{
	unsigned long done = 0;
	int n;

	while (done < store->n_pages) {
		n = pin_user_pages_fast(uaddr + done * PAGE_SIZE,
					min_t(unsigned long, store->n_pages - done, INT_MAX),
					gup, store->pages + done);
		if (n <= 0) {
			unpin_user_pages(store->pages, done);
			return n ? n : -EFAULT;
		}
		done += n;
	}
	return 0;
}

/**
 * avring_store_pin() - a store on user memory
 * @uaddr: first byte in the caller's address space
 * @size: bytes
 * @device_writes: the device fills the memory (capture), so it must be writable
 *	and is dirty when released
 *
 * Context: process of the owner of the memory, may sleep.
 *
 * Return: a store with one reference for the caller, or ERR_PTR(-EFAULT) for a
 * range that is not mapped, not writable or no ordinary memory, ERR_PTR(-EINVAL)
 * for one that wraps, ERR_PTR(-ENOMEM).
 */
struct avring_store *avring_store_pin(unsigned long uaddr, size_t size, bool device_writes)
{
	unsigned long end;
	struct avring_store *store;
	int err;

	if (check_add_overflow(uaddr, (unsigned long)size, &end))
		return ERR_PTR(-EINVAL);
	store = avring_store_init_pages(size, offset_in_page(uaddr), 1);
	if (IS_ERR(store))
		return store;
	store->pinned = true;
	store->dirty = device_writes;
	err = avring_pin_all(store, uaddr & PAGE_MASK,
			     FOLL_LONGTERM | (device_writes ? FOLL_WRITE : 0));
	if (err)
		goto free_table;
	err = avring_store_make_sgt(store);
	if (err)
		goto unpin;
	return store;

unpin:
	unpin_user_pages(store->pages, store->n_pages);
free_table:
	avring_store_free_table(store);
	return ERR_PTR(err);
}

/**
 * avring_store_unpin() - give a user's pages back
 * @store: a pinned store
 */
void avring_store_unpin(struct avring_store *store)
{
	unpin_user_pages_dirty_lock(store->pages, store->n_pages, store->dirty);
}
