/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the files of the store share with each other and nobody else.
 */
#ifndef AVRING_PAGES_H
#define AVRING_PAGES_H

#include <linux/rwsem.h>
#include <linux/types.h>

struct avring_store;
struct device;

/**
 * struct avring_window - memory of a card
 * @dev: the card, with a reference. It stays awake while it is mapped
 * @first_pfn: its first page frame
 * @lock: guards @gone; held for reading while a page is mapped. Below the mmap lock
 * @gone: nothing may be mapped any more
 * @maps: who needs the store's inode: files of mappings, and who revokes. Guarded by
 *	avring_store.lock
 */
struct avring_window {
	struct device *dev;
	unsigned long first_pfn;
	struct rw_semaphore lock;
	bool gone;
	unsigned int maps;
};

bool avring_store_askew(const struct avring_store *store);
struct avring_store *avring_store_init_pages(size_t size, unsigned long offset, int images);
void avring_store_free_table(struct avring_store *store);
int avring_store_make_sgt(struct avring_store *store);
void avring_store_unpin(struct avring_store *store);
void avring_vm_release(struct avring_store *store);

#endif
