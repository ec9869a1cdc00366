// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: videobuf2 memory operations on stores. See video/memops.h.
 *
 * One struct per plane and memory type: own pages (MMAP), a user's pinned pages
 * (USERPTR), or somebody else's dma-buf (DMABUF). vb2 serialises all calls for
 * one buffer under the queue lock.
 *
 * A plane belongs to the CPU or to a device. To a device it is mapped as long as it
 * exists (own and pinned pages) or is queued (dma-buf), and between prepare and finish
 * the device owns its bytes. A dma-buf for the CPU is begun before vb2 prepares it
 * (video/import.c) and ended when the buffer goes back to user space.
 */
#include <linux/dma-buf.h>
#include <linux/slab.h>
#include <media/videobuf2-core.h>

#include "compat.h"
#include "memory/dma.h"
#include "memory/store.h"
#include "video/memops.h"
#include "video/queue.h"

/**
 * struct avring_plane - memory of one plane of a vb2 buffer
 * @store: own or pinned pages; NULL for an imported dma-buf
 * @dbuf: imported dma-buf; NULL otherwise
 * @size: bytes that @dbuf must have
 * @importer: the device that is to use @dbuf; NULL if that is the CPU
 * @map: kernel view of @dbuf while it is mapped
 * @mapped: @map is valid
 * @peeked: and is not the dma-buf core's: @dbuf has no view for strangers
 * @begun: the CPU may look at @dbuf, until avring_memops_release()
 * @queue: that @dbuf is in; NULL without one
 * @dir: direction of the queue
 * @dma: @store for the device; @dma.dev is NULL if the CPU is the device
 * @attachment: of @importer to @dbuf, from the first mapping on; or NULL
 * @sgt: bus addresses, NULL while there are none
 */
struct avring_plane {
	struct avring_store *store;
	struct dma_buf *dbuf;
	unsigned long size;
	struct device *importer;
	struct iosys_map map;
	bool mapped;
	bool peeked;
	bool begun;
	struct avring_queue *queue;
	enum dma_data_direction dir;
	struct avring_dma dma;
	struct dma_buf_attachment *attachment;
	struct sg_table *sgt;
};

static struct avring_plane *avring_plane_new(struct vb2_buffer *vb)
{
	struct avring_plane *plane = kzalloc(sizeof(*plane), GFP_KERNEL);

	if (!plane)
		return ERR_PTR(-ENOMEM);
	plane->dir = vb->vb2_queue->dma_dir;
	return plane;
}

static bool avring_plane_is_dma(const struct vb2_buffer *vb)
{
	return vb->vb2_queue->mem_ops == &avring_dma_memops;
}

static void avring_plane_put_store(void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->sgt)
		avring_dma_unmap(&plane->dma);
	avring_store_put(plane->store);
	kfree(plane);
}

static int avring_plane_map_store(struct avring_plane *plane, struct device *dev)
{
	int err = avring_dma_map(&plane->dma, dev, plane->store, plane->dir);

	if (!err)
		plane->sgt = &plane->dma.sgt;
	return err;
}

static void *avring_plane_on_store(struct vb2_buffer *vb, struct device *dev,
				   struct avring_store *store)
{
	struct avring_plane *plane;
	int err;

	if (IS_ERR(store))
		return store;
	plane = avring_plane_new(vb);
	if (IS_ERR(plane)) {
		avring_store_put(store);
		return plane;
	}
	plane->store = store;
	err = avring_plane_is_dma(vb) ? avring_plane_map_store(plane, dev) : 0;
	if (err) {
		avring_plane_put_store(plane);
		return ERR_PTR(err);
	}
	return plane;
}

static void *avring_plane_alloc(struct vb2_buffer *vb, struct device *dev, unsigned long size)
{
	const struct avring_queue *queue = container_of(vb->vb2_queue, struct avring_queue, vb2);

	return avring_plane_on_store(vb, dev, avring_store_new(queue->account, size));
}

static void *avring_plane_get_userptr(struct vb2_buffer *vb, struct device *dev,
				      unsigned long vaddr, unsigned long size)
{
	bool device_writes = vb->vb2_queue->dma_dir != DMA_TO_DEVICE;

	return avring_plane_on_store(vb, dev, avring_store_pin(vaddr, size, device_writes));
}

static struct dma_buf *avring_plane_export(struct vb2_buffer *vb, void *priv, unsigned long flags)
{
	struct avring_plane *plane = priv;

	return avring_store_export(plane->store, flags);
}

/*
 * Only remembers, and cannot fail: since 6.12 vb2 keeps its reference on the dma-buf for
 * ever when this does. What can go wrong goes wrong in map, which all kernels clean up
 * after.
 */
static void *avring_plane_attach(struct vb2_buffer *vb, struct device *dev,
				 struct dma_buf *dbuf, unsigned long size)
{
	struct avring_plane *plane = kzalloc(sizeof(*plane), GFP_KERNEL | __GFP_NOFAIL);

	plane->dir = vb->vb2_queue->dma_dir;
	plane->dbuf = dbuf;
	plane->queue = container_of(vb->vb2_queue, struct avring_queue, vb2);
	plane->size = size;
	plane->importer = avring_plane_is_dma(vb) ? dev : NULL;
	return plane;
}

static void avring_plane_unmap(void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->mapped && !plane->peeked)
		avring_dma_buf_vunmap(plane->dbuf, &plane->map);
	if (plane->attachment && plane->sgt)
		avring_dma_buf_unmap_attachment(plane->attachment, plane->sgt, plane->dir);
	plane->mapped = false;
	plane->peeked = false;
	plane->sgt = NULL;
}

static void avring_plane_release(struct avring_plane *plane)
{
	if (plane->begun)
		dma_buf_end_cpu_access(plane->dbuf, avring_queue_cpu_dir(plane->queue));
	plane->begun = false;
}

static void avring_plane_detach(void *priv)
{
	struct avring_plane *plane = priv;

	avring_plane_release(plane);
	avring_plane_unmap(plane);
	if (plane->attachment)
		dma_buf_detach(plane->dbuf, plane->attachment);
	kfree(plane);
}

/* A node of ours reads what others only may read, too. */
static int avring_plane_peek(struct avring_plane *plane)
{
	const void *vaddr = avring_dmabuf_peek(plane->dbuf);

	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(&plane->map, (void *)vaddr);
	plane->peeked = true;
	plane->mapped = true;
	return 0;
}

/* A view for the CPU; a plane that belongs to a device can do without. */
static int avring_plane_map_for_cpu(struct avring_plane *plane)
{
	int err;

	if (avring_dmabuf_guarded(plane->dbuf))
		return avring_plane_peek(plane);
	err = avring_dma_buf_vmap(plane->dbuf, &plane->map);
	if (err)
		return err == -ENOMEM ? err : -EFAULT;
	if (plane->map.is_iomem) {	/* not for memcpy() */
		avring_dma_buf_vunmap(plane->dbuf, &plane->map);
		return -EFAULT;
	}
	plane->mapped = true;
	return 0;
}

/* Where vb2 maps a buffer again it is attached already. */
static int avring_plane_attach_device(struct avring_plane *plane)
{
	struct dma_buf_attachment *attachment;

	if (plane->attachment)
		return 0;
	attachment = dma_buf_attach(plane->dbuf, plane->importer);
	if (IS_ERR(attachment))
		return PTR_ERR(attachment);
	plane->attachment = attachment;
	return 0;
}

static int avring_plane_map_for_device(struct avring_plane *plane)
{
	struct sg_table *sgt;
	int err = avring_plane_attach_device(plane);

	if (err)
		return err;
	sgt = avring_dma_buf_map_attachment(plane->attachment, plane->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	plane->sgt = sgt;
	avring_plane_map_for_cpu(plane);
	return 0;
}

/**
 * avring_memops_check() - may somebody else's dma-buf be a plane?
 * @dbuf: the dma-buf
 * @size: bytes that it must have
 * @writes: the plane is to be filled
 *
 * Return: 0, -EFAULT it is too short, -EACCES it is for reading only.
 */
int avring_memops_check(const struct dma_buf *dbuf, size_t size, bool writes)
{
	if (dbuf->size < size)
		return -EFAULT;
	return writes && avring_dmabuf_guarded(dbuf) ? -EACCES : 0;
}

static int avring_plane_map(void *priv)
{
	struct avring_plane *plane = priv;

	int err = avring_memops_check(plane->dbuf, plane->size, plane->dir != DMA_TO_DEVICE);

	if (err)
		return err;
	return plane->importer ? avring_plane_map_for_device(plane)
			       : avring_plane_map_for_cpu(plane);
}

/* Somebody else's memory, for the CPU. */
static bool avring_plane_is_foreign(const struct avring_plane *plane)
{
	return plane->dbuf && !plane->importer;
}

/*
 * Who of both is the device reads or writes between prepare and finish. A dma-buf that is
 * mapped for a device is in its exporter's care. None of this asks an exporter for anything.
 */
static void avring_plane_prepare(void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->dma.dev)
		avring_dma_sync_for_device(&plane->dma, 0, plane->store->size);
	if (!avring_plane_is_foreign(plane))
		return;
	plane->begun = true;
	plane->queue->begun = NULL;
}

static void avring_plane_finish(void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->dma.dev)
		avring_dma_sync_for_cpu(&plane->dma, 0, plane->store->size);
}

static void *avring_plane_vaddr(struct vb2_buffer *vb, void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->store)
		return avring_store_vaddr(plane->store);
	return plane->mapped ? plane->map.vaddr : NULL;
}

static void *avring_plane_cookie(struct vb2_buffer *vb, void *priv)
{
	struct avring_plane *plane = priv;

	return plane->sgt;
}

static unsigned int avring_plane_users(void *priv)
{
	struct avring_plane *plane = priv;

	return plane->store ? kref_read(&plane->store->refs) : 0;
}

static int avring_plane_mmap(void *priv, struct vm_area_struct *vma)
{
	struct avring_plane *plane = priv;

	return avring_store_mmap(plane->store, vma, true);
}

/**
 * avring_memops_may_prepare() - has a buffer been begun for the CPU, if it needs that?
 * @vb: vb2 is about to prepare it
 *
 * Return: 0, or -EINVAL: its descriptor has come to be another dma-buf than the one that was
 * waited for.
 */
int avring_memops_may_prepare(struct vb2_buffer *vb)
{
	const struct avring_plane *plane = vb->planes[0].mem_priv;

	return avring_plane_is_foreign(plane) && plane->queue->begun != plane->dbuf ? -EINVAL : 0;
}

/**
 * avring_memops_release() - the CPU is done with a buffer
 * @vb: goes back to user space
 *
 * Context: process; the exporter of a dma-buf may sleep.
 */
void avring_memops_release(struct vb2_buffer *vb)
{
	avring_plane_release(vb->planes[0].mem_priv);
}

/**
 * avring_memops_dmabuf() - is a buffer somebody else's dma-buf?
 * @vb: a prepared buffer
 *
 * Return: the dma-buf, or NULL.
 */
struct dma_buf *avring_memops_dmabuf(const struct vb2_buffer *vb)
{
	const struct avring_plane *plane = vb->planes[0].mem_priv;

	return plane->dbuf;
}
EXPORT_SYMBOL_AVRING(avring_memops_dmabuf);

/**
 * avring_memops_filled() - the CPU has filled a buffer that a device was to fill
 * @vb: a prepared buffer of a queue with avring_dma_memops that is no dma-buf
 *
 * Where the device has a copy of the memory of its own, that becomes the same: vb2 takes the
 * frame back from there.
 */
void avring_memops_filled(struct vb2_buffer *vb)
{
	struct avring_plane *plane = vb->planes[0].mem_priv;

	avring_dma_sync_for_device(&plane->dma, 0, plane->store->size);
}
EXPORT_SYMBOL_AVRING(avring_memops_filled);

#define AVRING_MEMOPS {					\
	.alloc = avring_plane_alloc,			\
	.put = avring_plane_put_store,			\
	.get_dmabuf = avring_plane_export,		\
	.get_userptr = avring_plane_get_userptr,	\
	.put_userptr = avring_plane_put_store,		\
	.attach_dmabuf = avring_plane_attach,		\
	.detach_dmabuf = avring_plane_detach,		\
	.map_dmabuf = avring_plane_map,			\
	.unmap_dmabuf = avring_plane_unmap,		\
	.prepare = avring_plane_prepare,		\
	.finish = avring_plane_finish,			\
	.vaddr = avring_plane_vaddr,			\
	.cookie = avring_plane_cookie,			\
	.num_users = avring_plane_users,		\
	.mmap = avring_plane_mmap,			\
}

const struct vb2_mem_ops avring_memops = AVRING_MEMOPS;
const struct vb2_mem_ops avring_dma_memops = AVRING_MEMOPS;
