/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the files of the store share with each other and nobody else.
 */
#ifndef AVRING_PAGES_H
#define AVRING_PAGES_H

#include <linux/types.h>

struct avring_store;

bool avring_store_askew(const struct avring_store *store);
struct avring_store *avring_store_init_pages(size_t size, unsigned long offset, int images);
void avring_store_free_table(struct avring_store *store);
int avring_store_make_sgt(struct avring_store *store);
void avring_store_unpin(struct avring_store *store);
void avring_vm_release(struct avring_store *store);

#endif
