// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a store as dma-buf.
 *
 * Every attached device gets a table and a DMA mapping of its own; CPU access is
 * bracketed with a sync for each of them. The dma-buf holds the store, not the
 * device.
 *
 * A dma-buf of what others rely upon is guarded: nobody writes through it, whatever the driver
 * that imports it. Its DMA is to the device only, its mappings are for reading, and a kernel
 * view, which has no direction, is not given at all, but to our own nodes that read.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "compat.h"
#include "memory/store.h"

AVRING_IMPORT_DMA_BUF();

/**
 * struct avring_dmabuf - an exported store
 * @store: the pages
 * @first: first page of the range in the store's view
 * @n_pages: number of pages
 * @writable: a CPU mapping may write
 * @lock: guards @attachments; taken under the reservation lock
 * @attachments: every attached device
 */
struct avring_dmabuf {
	struct avring_store *store;
	unsigned long first;
	unsigned long n_pages;
	bool writable;
	struct mutex lock;
	struct list_head attachments;
};

/**
 * struct avring_attachment - one attached device
 * @node: in avring_dmabuf.attachments
 * @dev: the device
 * @sgt: its view of the pages
 * @shown: a copy, which the importer has: what becomes of that (CONFIG_DMABUF_DEBUG takes the
 *	pages out of it) does not matter to syncs and unmapping
 * @dir: what @sgt is mapped for; DMA_NONE while it is not
 */
struct avring_attachment {
	struct list_head node;
	struct device *dev;
	struct sg_table sgt;
	struct sg_table shown;
	enum dma_data_direction dir;
};

static size_t avring_dmabuf_size(const struct avring_dmabuf *buf)
{
	return buf->n_pages << PAGE_SHIFT;
}

static int avring_dmabuf_make_tables(const struct avring_dmabuf *buf,
				     struct avring_attachment *att, struct device *dev)
{
	int err;

	err = sg_alloc_table_from_pages_segment(&att->sgt, buf->store->pages + buf->first,
						buf->n_pages, 0, avring_dmabuf_size(buf),
						avring_store_max_segment(dev), GFP_KERNEL);
	if (err)
		return err;
	err = sg_alloc_table(&att->shown, att->sgt.orig_nents, GFP_KERNEL);
	if (err)
		sg_free_table(&att->sgt);
	return err;
}

/* The DMA addresses of a mapping may be fewer than the pieces of memory. */
static void avring_dmabuf_show(struct avring_attachment *att)
{
	struct scatterlist *to = att->shown.sgl, *from;
	unsigned int i;

	for_each_sgtable_sg(&att->sgt, from, i) {
		sg_set_page(to, sg_page(from), from->length, from->offset);
		sg_dma_address(to) = sg_dma_address(from);
		sg_dma_len(to) = sg_dma_len(from);
		to = sg_next(to);
	}
	att->shown.nents = att->sgt.nents;
}

static int avring_dmabuf_attach(struct dma_buf *dbuf, struct dma_buf_attachment *dba)
{
	struct avring_dmabuf *buf = dbuf->priv;
	struct avring_attachment *att = kzalloc(sizeof(*att), GFP_KERNEL);
	int err;

	if (!att)
		return -ENOMEM;
	err = avring_dmabuf_make_tables(buf, att, dba->dev);
	if (err) {
		kfree(att);
		return err;
	}
	att->dev = dba->dev;
	att->dir = DMA_NONE;
	dba->priv = att;
	mutex_lock(&buf->lock);
	list_add(&att->node, &buf->attachments);
	mutex_unlock(&buf->lock);
	return 0;
}

static void avring_dmabuf_detach(struct dma_buf *dbuf, struct dma_buf_attachment *dba)
{
	struct avring_dmabuf *buf = dbuf->priv;
	struct avring_attachment *att = dba->priv;

	mutex_lock(&buf->lock);
	list_del(&att->node);
	mutex_unlock(&buf->lock);
	sg_free_table(&att->shown);
	sg_free_table(&att->sgt);
	kfree(att);
}

static struct sg_table *avring_dmabuf_map(struct dma_buf_attachment *dba,
					  enum dma_data_direction dir)
{
	struct avring_dmabuf *buf = dba->dmabuf->priv;
	struct avring_attachment *att = dba->priv;
	int err = dma_map_sgtable(att->dev, &att->sgt, dir, 0);

	if (err)
		return ERR_PTR(err);
	avring_dmabuf_show(att);
	mutex_lock(&buf->lock);
	att->dir = dir;
	mutex_unlock(&buf->lock);
	return &att->shown;
}

static struct sg_table *avring_dmabuf_map_guarded(struct dma_buf_attachment *dba,
						  enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		return ERR_PTR(-EACCES);
	return avring_dmabuf_map(dba, dir);
}

static void avring_dmabuf_unmap(struct dma_buf_attachment *dba, struct sg_table *sgt,
				enum dma_data_direction dir)
{
	struct avring_dmabuf *buf = dba->dmabuf->priv;
	struct avring_attachment *att = dba->priv;

	mutex_lock(&buf->lock);
	att->dir = DMA_NONE;
	mutex_unlock(&buf->lock);
	dma_unmap_sgtable(att->dev, &att->sgt, dir, 0);
}

/*
 * Synced is what a device is mapped for, not what the caller is going to do: where memory is
 * bounced, "for reading" would put the old copy of a device that only reads over the pages.
 */
static int avring_dmabuf_begin_cpu(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	struct avring_dmabuf *buf = dbuf->priv;
	struct avring_attachment *att;

	mutex_lock(&buf->lock);
	list_for_each_entry(att, &buf->attachments, node)
		if (att->dir != DMA_NONE)
			dma_sync_sgtable_for_cpu(att->dev, &att->sgt, att->dir);
	mutex_unlock(&buf->lock);
	return 0;
}

static int avring_dmabuf_begin_cpu_guarded(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		return -EACCES;
	return avring_dmabuf_begin_cpu(dbuf, dir);
}

static int avring_dmabuf_end_cpu(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	struct avring_dmabuf *buf = dbuf->priv;
	struct avring_attachment *att;

	mutex_lock(&buf->lock);
	list_for_each_entry(att, &buf->attachments, node)
		if (att->dir != DMA_NONE)
			dma_sync_sgtable_for_device(att->dev, &att->sgt, att->dir);
	mutex_unlock(&buf->lock);
	return 0;
}

static int avring_dmabuf_mmap(struct dma_buf *dbuf, struct vm_area_struct *vma)
{
	struct avring_dmabuf *buf = dbuf->priv;

	return avring_store_mmap_part(buf->store, vma, buf->first, buf->n_pages,
				      buf->writable);
}

static void *avring_dmabuf_vaddr(const struct avring_dmabuf *buf)
{
	void *vaddr = avring_store_vaddr(buf->store);

	return vaddr ? vaddr + (buf->first << PAGE_SHIFT) : NULL;
}

static int avring_dmabuf_vmap(struct dma_buf *dbuf, struct iosys_map *map)
{
	void *vaddr = avring_dmabuf_vaddr(dbuf->priv);

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void avring_dmabuf_release(struct dma_buf *dbuf)
{
	struct avring_dmabuf *buf = dbuf->priv;

	avring_store_put(buf->store);
	mutex_destroy(&buf->lock);
	kfree(buf);
}

static const struct dma_buf_ops avring_dmabuf_ops = {
	.attach = avring_dmabuf_attach,
	.detach = avring_dmabuf_detach,
	.map_dma_buf = avring_dmabuf_map,
	.unmap_dma_buf = avring_dmabuf_unmap,
	.begin_cpu_access = avring_dmabuf_begin_cpu,
	.end_cpu_access = avring_dmabuf_end_cpu,
	.mmap = avring_dmabuf_mmap,
	.vmap = avring_dmabuf_vmap,
	.release = avring_dmabuf_release,
};

/* No vmap: the core would warn about one that fails, and says EINVAL where there is none. */
static const struct dma_buf_ops avring_dmabuf_guarded_ops = {
	.attach = avring_dmabuf_attach,
	.detach = avring_dmabuf_detach,
	.map_dma_buf = avring_dmabuf_map_guarded,
	.unmap_dma_buf = avring_dmabuf_unmap,
	.begin_cpu_access = avring_dmabuf_begin_cpu_guarded,
	.end_cpu_access = avring_dmabuf_end_cpu,
	.mmap = avring_dmabuf_mmap,
	.release = avring_dmabuf_release,
};

static struct dma_buf *avring_dmabuf_new(struct avring_store *store, unsigned long first,
					 unsigned long n_pages, unsigned long flags,
					 const struct dma_buf_ops *ops)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct avring_dmabuf *buf;
	struct dma_buf *dbuf;

	if (store->window)
		return ERR_PTR(-EOPNOTSUPP);
	buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	mutex_init(&buf->lock);
	INIT_LIST_HEAD(&buf->attachments);
	buf->store = store;
	buf->first = first;
	buf->n_pages = n_pages;
	buf->writable = (flags & O_ACCMODE) == O_RDWR;
	info.ops = ops;
	info.size = avring_dmabuf_size(buf);
	info.flags = flags;
	info.priv = buf;
	dbuf = dma_buf_export(&info);
	if (IS_ERR(dbuf)) {
		mutex_destroy(&buf->lock);
		kfree(buf);
		return dbuf;
	}
	avring_store_get(store);
	return dbuf;
}

/**
 * avring_store_export() - make a dma-buf of a store
 * @store: the store, not a pinned one
 * @flags: file flags, O_CLOEXEC and the access mode of CPU mappings
 *
 * Return: a dma-buf that holds a reference on @store, or an ERR_PTR; -EOPNOTSUPP for a
 * window.
 */
struct dma_buf *avring_store_export(struct avring_store *store, unsigned long flags)
{
	return avring_dmabuf_new(store, 0, store->n_pages, flags, &avring_dmabuf_ops);
}

/**
 * avring_store_export_range() - make a dma-buf of a part of a store that others read
 * @store: the store, not a pinned one
 * @first: first page in the store's view
 * @n_pages: number of pages, in the view and at most the pages of the store
 * @flags: file flags, O_CLOEXEC and the access mode; without O_RDWR it is guarded: nobody can
 *	write through it, be it a CPU, a node of ours or the driver of another device
 *
 * Return: a dma-buf that holds a reference on @store, or ERR_PTR(-EINVAL) for a
 * range outside of the view, ERR_PTR(-ENOMEM).
 */
struct dma_buf *avring_store_export_range(struct avring_store *store, unsigned long first,
					  unsigned long n_pages, unsigned long flags)
{
	const bool writable = (flags & O_ACCMODE) == O_RDWR;

	if (!n_pages || n_pages > store->n_pages || first > store->n_view - n_pages)
		return ERR_PTR(-EINVAL);
	return avring_dmabuf_new(store, first, n_pages, flags,
				 writable ? &avring_dmabuf_ops : &avring_dmabuf_guarded_ops);
}

/**
 * avring_dmabuf_guarded() - must nobody write to this?
 * @dbuf: a dma-buf, anybody's
 *
 * Return: true if it is one of ours that is for reading only.
 */
bool avring_dmabuf_guarded(const struct dma_buf *dbuf)
{
	return dbuf->ops == &avring_dmabuf_guarded_ops;
}

/**
 * avring_dmabuf_peek() - the kernel view of a guarded dma-buf, for who only reads
 * @dbuf: a dma-buf for which avring_dmabuf_guarded() is true
 *
 * Context: process; may sleep.
 * Return: the view, valid as long as the caller holds @dbuf; NULL if there is no memory.
 */
const void *avring_dmabuf_peek(const struct dma_buf *dbuf)
{
	return avring_dmabuf_vaddr(dbuf->priv);
}
