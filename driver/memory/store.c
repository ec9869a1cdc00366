// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: allocation and release of a store. See memory/store.h.
 *
 * Chunks are folios, the largest first: an order-9 chunk is mapped by one
 * fault and one PMD, and costs get_user_pages() one step instead of 512. A chunk
 * that cannot be had is replaced by smaller ones; the page table (sg_table, pages
 * array) hides the difference from everybody else.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "memory/store.h"
#include "memory/store_priv.h"

static unsigned int avring_max_order = AVRING_STORE_TOP_ORDER;
static atomic_t avring_live_stores;
static atomic_long_t avring_live_pages;

static int avring_max_order_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint_minmax(val, kp, 0, AVRING_STORE_TOP_ORDER);

	if (err)
		pr_err("avring: max_order=%s is not a number from 0 to %d\n", val,
		       AVRING_STORE_TOP_ORDER);
	return err;
}

static const struct kernel_param_ops avring_max_order_ops = {
	.set = avring_max_order_set,
	.get = param_get_uint,
};
module_param_cb(max_order, &avring_max_order_ops, &avring_max_order, 0644);
MODULE_PARM_DESC(max_order, "largest chunk that a buffer is built from, 2^n pages, 0 to 9 (default 9); where pages are larger than 4 KiB, 2 MiB at most");

static int avring_live_stores_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&avring_live_stores));
}

static const struct kernel_param_ops avring_live_stores_ops = {
	.get = avring_live_stores_get,
};
module_param_cb(live_stores, &avring_live_stores_ops, NULL, 0444);
MODULE_PARM_DESC(live_stores, "number of buffers alive (read-only)");

static int avring_live_pages_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%ld\n", atomic_long_read(&avring_live_pages));
}

static const struct kernel_param_ops avring_live_pages_ops = {
	.get = avring_live_pages_get,
};
module_param_cb(live_pages, &avring_live_pages_ops, NULL, 0444);
MODULE_PARM_DESC(live_pages, "number of pages in buffers alive (read-only)");

/*
 * Zeroed, charged to the caller's memory cgroup, highmem allowed. A chunk that one
 * PMD maps is worth one round of reclaim and compaction: it lasts long and saves
 * 511 faults each time it is mapped. The chunks between are had at once or not at
 * all. Where memory runs out the request fails: buffers are not worth the OOM
 * killer.
 */
static struct folio *avring_store_alloc_chunk(unsigned int order)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ACCOUNT | __GFP_ZERO | __GFP_NOWARN;

	if (!order)
		gfp |= __GFP_RETRY_MAYFAIL;
	else if (order == AVRING_STORE_TOP_ORDER)
		gfp |= __GFP_NORETRY;
	else
		gfp = (gfp | __GFP_NORETRY) & ~__GFP_RECLAIM;
	return avring_folio_alloc(gfp, order);
}

/* A failed order is not tried again for the same store: it would fail again. */
static struct folio *avring_store_next_chunk(unsigned long pages_left, unsigned int *order)
{
	struct folio *chunk;

	while (*order && BIT(*order) > pages_left)
		--*order;
	for (;; --*order) {
		chunk = avring_store_alloc_chunk(*order);
		if (chunk || !*order)
			return chunk;
	}
}

static void avring_store_free_pages(struct avring_store *store, unsigned long n_pages)
{
	unsigned long i = 0;

	while (i < n_pages) {
		struct folio *chunk = page_folio(store->pages[i]);

		i += folio_nr_pages(chunk);
		folio_put(chunk);
	}
}

/**
 * avring_store_askew() - does the second image show the pages off their 2 MiB boundaries?
 * @store: the store
 *
 * Return: true for a linear store whose length is no multiple of 2 MiB.
 */
bool avring_store_askew(const struct avring_store *store)
{
	return store->n_view > store->n_pages && store->n_pages % BIT(AVRING_STORE_TOP_ORDER);
}

/*
 * Kernels that take away page tables while faults run (CONFIG_PT_RECLAIM), and do not let us say
 * what a PMD maps, would map a chunk of order 9 askew in the second image after all; see
 * memory/vm.c.
 */
static unsigned int avring_store_first_order(const struct avring_store *store)
{
	unsigned int order = READ_ONCE(avring_max_order);

	if (!AVRING_HUGE_FAULT && IS_ENABLED(CONFIG_PT_RECLAIM) && avring_store_askew(store))
		order = min(order, AVRING_STORE_TOP_ORDER - 1U);
	return order;
}

static int avring_store_fill(struct avring_store *store)
{
	unsigned int order = avring_store_first_order(store);
	unsigned long i = 0, k;
	struct folio *chunk;

	while (i < store->n_pages) {
		chunk = NULL;
		if (!fatal_signal_pending(current))
			chunk = avring_store_next_chunk(store->n_pages - i, &order);
		if (!chunk) {
			avring_store_free_pages(store, i);
			return -ENOMEM;
		}
		/* Who had the page before left his index; 6.12 holds it against i_size. */
		chunk->index = i;
		for (k = 0; k < BIT(order); k++)
			store->pages[i++] = folio_page(chunk, k);
		cond_resched();
	}
	/* A linear store: the same pages once more. */
	for (; i < store->n_view; i++)
		store->pages[i] = store->pages[i - store->n_pages];
	return 0;
}

/**
 * avring_store_init_pages() - make an empty store with room for its page table
 * @size: bytes of data, not 0
 * @offset: byte offset of the data in the first page
 * @images: how often the view shows the pages, 1 or 2
 *
 * Return: the store with @pages allocated but empty, or ERR_PTR(-EINVAL) for a
 * size that cannot be addressed, ERR_PTR(-ENOMEM).
 */
struct avring_store *avring_store_init_pages(size_t size, unsigned long offset, int images)
{
	struct avring_store *store;

	if (!size || size > SIZE_MAX / images - PAGE_SIZE - offset)
		return ERR_PTR(-EINVAL);
	store = kzalloc(sizeof(*store), GFP_KERNEL_ACCOUNT);
	if (!store)
		return ERR_PTR(-ENOMEM);
	store->n_pages = DIV_ROUND_UP(offset + size, PAGE_SIZE);
	store->n_view = store->n_pages * images;
	store->offset = offset;
	store->size = size;
	store->pages = kvmalloc_array(store->n_view, sizeof(*store->pages),
				      GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!store->pages) {
		kfree(store);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&store->refs);
	mutex_init(&store->lock);
	return store;
}

/**
 * avring_store_free_table() - undo avring_store_init_pages()
 * @store: a store whose pages are already gone
 */
void avring_store_free_table(struct avring_store *store)
{
	mutex_destroy(&store->lock);
	kvfree(store->pages);
	kfree(store);
}

/**
 * avring_store_make_sgt() - build the DMA view
 * @store: a store whose page table is complete
 *
 * Return: 0 or -ENOMEM.
 */
int avring_store_make_sgt(struct avring_store *store)
{
	return sg_alloc_table_from_pages(&store->sgt, store->pages, store->n_pages,
					 store->offset, store->size, GFP_KERNEL_ACCOUNT);
}

/**
 * avring_store_max_segment() - how long a segment may be for a device
 * @dev: the device
 *
 * Where addresses are translated or bounced, it cannot be of any length.
 *
 * Return: bytes, whole pages.
 */
unsigned int avring_store_max_segment(struct device *dev)
{
	const size_t most = min_t(size_t, dma_max_mapping_size(dev), dma_get_max_seg_size(dev));

	return max_t(size_t, ALIGN_DOWN(most, PAGE_SIZE), PAGE_SIZE);
}

/*
 * Memory and its page table are charged. Who asks for more than there is must neither use all of
 * it up first nor wait for that; what is less than a chunk does no harm.
 */
static int avring_store_charge(struct avring_charge *charge, struct avring_account *account,
			       size_t size, int images)
{
	const unsigned long n_pages = DIV_ROUND_UP(size, PAGE_SIZE);
	const unsigned long table = DIV_ROUND_UP(images * n_pages,
						 PAGE_SIZE / sizeof(struct page *));

	if (n_pages > BIT(AVRING_STORE_TOP_ORDER) && n_pages + table > si_mem_available()) {
		pr_notice_ratelimited("avring: %zu bytes refused: the machine has not so much left\n",
				      size);
		return -ENOMEM;
	}
	return avring_charge(charge, account, AVRING_PAGES, n_pages + table);
}

static int avring_store_build(struct avring_store *store)
{
	int err = avring_store_fill(store);

	if (err)
		return err;
	err = avring_store_make_sgt(store);
	if (err)
		avring_store_free_pages(store, store->n_pages);
	return err;
}

static struct avring_store *avring_store_alloc(struct avring_account *account, size_t size,
					       int images)
{
	struct avring_store *store;
	struct avring_charge charge;
	int err;

	if (!size || size > SIZE_MAX / images - PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	err = avring_store_charge(&charge, account, size, images);
	if (err)
		return ERR_PTR(err);
	store = avring_store_init_pages(size, 0, images);
	if (IS_ERR(store)) {
		avring_uncharge(&charge);
		return store;
	}
	err = avring_store_build(store);
	if (err) {
		avring_store_free_table(store);
		avring_uncharge(&charge);
		return ERR_PTR(err);
	}
	store->charge = charge;
	atomic_inc(&avring_live_stores);
	atomic_long_add(store->n_pages, &avring_live_pages);
	return store;
}

/**
 * avring_store_new() - allocate zeroed memory for one buffer
 * @account: of the card that it is for
 * @size: bytes, rounded up to whole pages for mapping
 *
 * The pages are scatter-gather, the largest chunks that can be had, zeroed and
 * charged to the caller's memory cgroup, to the caller and to the card. Context: process,
 * may sleep.
 *
 * Return: a store with one reference for the caller, or ERR_PTR(-EINVAL) for a
 * size of 0 or beyond the address space, ERR_PTR(-ENOMEM).
 */
struct avring_store *avring_store_new(struct avring_account *account, size_t size)
{
	return avring_store_alloc(account, size, 1);
}
EXPORT_SYMBOL_AVRING(avring_store_new);

/**
 * avring_store_new_linear() - allocate zeroed memory that is seen twice in a row
 * @account: of the card that it is for
 * @size: bytes, rounded up to whole pages
 *
 * As avring_store_new(). If @size is a multiple of 2 MiB both images are mapped by
 * PMD; if not, the second one is askew to its chunks and mapped page by page.
 *
 * Return: as avring_store_new().
 */
struct avring_store *avring_store_new_linear(struct avring_account *account, size_t size)
{
	return avring_store_alloc(account, size, 2);
}

static struct avring_window *avring_store_make_window(struct device *dev, phys_addr_t start)
{
	struct avring_window *window = kzalloc(sizeof(*window), GFP_KERNEL);

	if (window) {
		window->dev = get_device(dev);
		window->first_pfn = PHYS_PFN(start);
		init_rwsem(&window->lock);
	}
	return window;
}

/**
 * avring_store_new_window() - a store that shows memory of a card
 * @dev: the card; it is kept awake while the window is mapped
 * @start: physical address, at the beginning of a page
 * @size: bytes, whole pages
 *
 * User space can map it, and nothing else can be done with it: there are no pages to
 * pin, to hand to another device or to show to the kernel.
 *
 * Return: a store with one reference for the caller, who revokes it before the card
 * goes; ERR_PTR(-EINVAL) for a range that is not of whole pages, ERR_PTR(-ENOMEM).
 */
struct avring_store *avring_store_new_window(struct device *dev, phys_addr_t start, size_t size)
{
	struct avring_store *store;

	if (!size || !PAGE_ALIGNED(start) || !PAGE_ALIGNED(size))
		return ERR_PTR(-EINVAL);
	store = kzalloc(sizeof(*store), GFP_KERNEL);
	if (!store)
		return ERR_PTR(-ENOMEM);
	store->window = avring_store_make_window(dev, start);
	if (!store->window) {
		kfree(store);
		return ERR_PTR(-ENOMEM);
	}
	store->n_pages = size >> PAGE_SHIFT;
	store->n_view = store->n_pages;
	store->size = size;
	kref_init(&store->refs);
	mutex_init(&store->lock);
	return store;
}
EXPORT_SYMBOL_AVRING(avring_store_new_window);

/* Undo what gave the store its memory. */
static void avring_store_drop_memory(struct avring_store *store)
{
	if (store->window) {
		put_device(store->window->dev);
		kfree(store->window);
	} else if (store->pinned) {
		avring_store_unpin(store);
	} else {
		avring_store_free_pages(store, store->n_pages);
		atomic_dec(&avring_live_stores);
		atomic_long_sub(store->n_pages, &avring_live_pages);
		avring_uncharge(&store->charge);
	}
}

static void avring_store_release(struct kref *refs)
{
	struct avring_store *store = container_of(refs, struct avring_store, refs);

	avring_vm_release(store);
	if (store->vaddr)
		vunmap(store->vaddr);
	sg_free_table(&store->sgt);
	avring_store_drop_memory(store);
	avring_store_free_table(store);
}

/**
 * avring_store_get() - take a reference
 * @store: a store that the caller already has a reference on
 */
void avring_store_get(struct avring_store *store)
{
	kref_get(&store->refs);
}

/**
 * avring_store_put() - drop a reference
 * @store: the store; gone for the caller afterwards. Context: process.
 */
void avring_store_put(struct avring_store *store)
{
	kref_put(&store->refs, avring_store_release);
}
EXPORT_SYMBOL_AVRING(avring_store_put);

/**
 * avring_store_vaddr() - the kernel view
 * @store: the store
 *
 * Maps the pages into the vmalloc area on first use; the view lives as long as
 * the store. On 32-bit kernels that area is scarce and the call may fail while
 * everything else goes on working.
 *
 * Return: address of the first data byte, or NULL; always for a window.
 */
void *avring_store_vaddr(struct avring_store *store)
{
	void *vaddr;

	mutex_lock(&store->lock);
	if (!store->vaddr && !store->window)
		store->vaddr = vmap(store->pages, store->n_view, VM_MAP, PAGE_KERNEL);
	vaddr = store->vaddr;
	mutex_unlock(&store->lock);
	return vaddr ? vaddr + store->offset : NULL;
}
EXPORT_SYMBOL_AVRING(avring_store_vaddr);

/**
 * avring_store_page() - one page of the view
 * @store: the store
 * @pgoff: page number, any value
 *
 * Return: the page without a reference taken, or NULL outside of the view and for a
 * window.
 */
struct page *avring_store_page(const struct avring_store *store, unsigned long pgoff)
{
	if (store->window || pgoff >= store->n_view)
		return NULL;
	return store->pages[array_index_nospec(pgoff, store->n_view)];
}
EXPORT_SYMBOL_AVRING(avring_store_page);
