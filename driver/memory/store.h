/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the pages of one buffer.
 *
 * A store owns scatter-gather pages and shows them in four ways: as a page
 * table for DMA (sg_table), as one range in the vmalloc area for the CPU, as a
 * user mapping whose fault handler hands out ordinary page references, and as a
 * dma-buf. It knows nothing of V4L2, ALSA or time.
 *
 * A linear store shows its pages twice in a row to the CPU and to user space, so
 * that a ring in it has no wrap: what begins near the end goes on behind it.
 *
 * A window is a store without pages: a range of a card's memory, which user space maps
 * and which nobody else sees. It can be revoked, because the card can be pulled out.
 *
 * Lifetime: a store is reference counted. Its owner, each user mapping (through
 * the mapping's own file) and each exported dma-buf hold one reference. The
 * last one drops the store's own references on the pages; a page that is still
 * pinned, sits in a pipe or in an skb lives on until that holder lets go. No
 * device is held: what is mapped stays readable after unbind.
 */
#ifndef AVRING_STORE_H
#define AVRING_STORE_H

#include <linux/kref.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "memory/account.h"

struct avring_window;
struct device;
struct dma_buf;
struct file;
struct inode;
struct page;
struct vm_area_struct;

/*
 * The largest chunk is what one PMD maps where pages have 4 KiB. Where they have 16 or 64 KiB a PMD
 * maps 32 or 512 MiB, which a machine that has run for a while does not have in one piece, and
 * which a page in somebody's hands would keep; 2 MiB is there what arm64 maps by contiguous
 * entries.
 */
#define AVRING_STORE_TOP_ORDER	(ilog2(SZ_2M) - PAGE_SHIFT)

/**
 * struct avring_store - refcounted pages and the views on them
 * @refs: owner, mappings, dma-bufs
 * @window: a card's memory that takes the place of pages; else NULL
 * @pages: one entry per page of the view, in order of the buffer; the second half
 *	of a linear store repeats the first. NULL if it is a window
 * @n_pages: number of pages
 * @n_view: number of entries in @pages: @n_pages, or twice that if linear
 * @offset: byte offset of the data in the first page; 0 unless pinned
 * @size: bytes of data
 * @pinned: the pages are a user's, pinned, and not ours to map or export
 * @dirty: pinned pages that a device writes to: mark them dirty on release
 * @charge: for pages that are ours
 * @sgt: the same pages for DMA, physically contiguous neighbours merged
 * @lock: guards @vaddr and @inode while they are made; process context only,
 *	innermost: nothing of ours is taken under it
 * @vaddr: kernel view, made on first use, NULL until then
 * @inode: mapping identity, made on first user mapping, NULL until then
 */
struct avring_store {
	struct kref refs;
	struct avring_window *window;
	struct page **pages;
	unsigned long n_pages;
	unsigned long n_view;
	unsigned long offset;
	size_t size;
	bool pinned;
	bool dirty;
	struct avring_charge charge;
	struct sg_table sgt;

	struct mutex lock;
	void *vaddr;
	struct inode *inode;
};

struct avring_store *avring_store_new(struct avring_account *account, size_t size);
struct avring_store *avring_store_new_linear(struct avring_account *account, size_t size);
struct avring_store *avring_store_new_window(struct device *dev, phys_addr_t start, size_t size);
void avring_store_revoke(struct avring_store *store);
struct avring_store *avring_store_pin(unsigned long uaddr, size_t size, bool device_writes);
void avring_store_put(struct avring_store *store);
void avring_store_get(struct avring_store *store);
void *avring_store_vaddr(struct avring_store *store);
unsigned int avring_store_max_segment(struct device *dev);
struct page *avring_store_page(const struct avring_store *store, unsigned long pgoff);

int avring_store_mmap(struct avring_store *store, struct vm_area_struct *vma, bool writable);
int avring_store_mmap_part(struct avring_store *store, struct vm_area_struct *vma,
			   unsigned long first, unsigned long n_pages, bool writable);
unsigned long avring_store_unmapped_area(struct file *file, unsigned long addr,
					 unsigned long len, unsigned long pgoff,
					 unsigned long flags);
struct dma_buf *avring_store_export(struct avring_store *store, unsigned long flags);
struct dma_buf *avring_store_export_range(struct avring_store *store, unsigned long first,
					  unsigned long n_pages, unsigned long flags);
bool avring_dmabuf_guarded(const struct dma_buf *dbuf);
const void *avring_dmabuf_peek(const struct dma_buf *dbuf);

#endif
