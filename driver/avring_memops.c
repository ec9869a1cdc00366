// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: videobuf2 memory operations on stores. See avring_memops.h.
 *
 * One struct per plane and memory type: own pages (MMAP), a user's pinned pages
 * (USERPTR), or somebody else's dma-buf (DMABUF). vb2 serialises all calls for
 * one buffer under the queue lock.
 */
#include <linux/dma-buf.h>
#include <linux/slab.h>
#include <media/videobuf2-core.h>

#include "avring_compat.h"
#include "avring_memops.h"
#include "avring_store.h"

/**
 * struct avring_plane - memory of one plane of a vb2 buffer
 * @store: own or pinned pages; NULL for an imported dma-buf
 * @dbuf: imported dma-buf; NULL otherwise
 * @map: kernel view of @dbuf while it is mapped
 * @mapped: @map is valid
 * @dir: direction of the queue
 */
struct avring_plane {
	struct avring_store *store;
	struct dma_buf *dbuf;
	struct iosys_map map;
	bool mapped;
	enum dma_data_direction dir;
};

static struct avring_plane *avring_plane_new(struct vb2_buffer *vb)
{
	struct avring_plane *plane = kzalloc(sizeof(*plane), GFP_KERNEL);

	if (!plane)
		return ERR_PTR(-ENOMEM);
	plane->dir = vb->vb2_queue->dma_dir;
	return plane;
}

static void *avring_plane_on_store(struct vb2_buffer *vb, struct avring_store *store)
{
	struct avring_plane *plane;

	if (IS_ERR(store))
		return store;
	plane = avring_plane_new(vb);
	if (IS_ERR(plane))
		avring_store_put(store);
	else
		plane->store = store;
	return plane;
}

static void avring_plane_put_store(void *priv)
{
	struct avring_plane *plane = priv;

	avring_store_put(plane->store);
	kfree(plane);
}

static void *avring_plane_alloc(struct vb2_buffer *vb, struct device *dev, unsigned long size)
{
	return avring_plane_on_store(vb, avring_store_new(size));
}

static void *avring_plane_get_userptr(struct vb2_buffer *vb, struct device *dev,
				      unsigned long vaddr, unsigned long size)
{
	bool device_writes = vb->vb2_queue->dma_dir != DMA_TO_DEVICE;

	return avring_plane_on_store(vb, avring_store_pin(vaddr, size, device_writes));
}

static struct dma_buf *avring_plane_export(struct vb2_buffer *vb, void *priv, unsigned long flags)
{
	struct avring_plane *plane = priv;

	return avring_store_export(plane->store, flags);
}

static void *avring_plane_attach(struct vb2_buffer *vb, struct device *dev,
				 struct dma_buf *dbuf, unsigned long size)
{
	struct avring_plane *plane;

	if (dbuf->size < size)
		return ERR_PTR(-EFAULT);
	plane = avring_plane_new(vb);
	if (!IS_ERR(plane))
		plane->dbuf = dbuf;
	return plane;
}

static void avring_plane_detach(void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->mapped)
		avring_dma_buf_vunmap(plane->dbuf, &plane->map);
	kfree(plane);
}

static int avring_plane_map(void *priv)
{
	struct avring_plane *plane = priv;

	/* Not in attach: vb2 of 6.12 leaks the dma-buf when that fails. */
	if (plane->dir != DMA_TO_DEVICE && avring_dmabuf_guarded(plane->dbuf))
		return -EACCES;
	if (avring_dma_buf_vmap(plane->dbuf, &plane->map))
		return -EFAULT;
	if (plane->map.is_iomem) {	/* not for memcpy() */
		avring_dma_buf_vunmap(plane->dbuf, &plane->map);
		return -EFAULT;
	}
	plane->mapped = true;
	return 0;
}

static void avring_plane_unmap(void *priv)
{
	struct avring_plane *plane = priv;

	avring_dma_buf_vunmap(plane->dbuf, &plane->map);
	plane->mapped = false;
}

/* The CPU is the device: it reads or writes between prepare and finish. */
static void avring_plane_prepare(void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->dbuf)
		dma_buf_begin_cpu_access(plane->dbuf, plane->dir);
}

static void avring_plane_finish(void *priv)
{
	struct avring_plane *plane = priv;

	if (plane->dbuf)
		dma_buf_end_cpu_access(plane->dbuf, plane->dir);
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

	return plane->store ? &plane->store->sgt : NULL;
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

const struct vb2_mem_ops avring_memops = {
	.alloc = avring_plane_alloc,
	.put = avring_plane_put_store,
	.get_dmabuf = avring_plane_export,
	.get_userptr = avring_plane_get_userptr,
	.put_userptr = avring_plane_put_store,
	.attach_dmabuf = avring_plane_attach,
	.detach_dmabuf = avring_plane_detach,
	.map_dmabuf = avring_plane_map,
	.unmap_dmabuf = avring_plane_unmap,
	.prepare = avring_plane_prepare,
	.finish = avring_plane_finish,
	.vaddr = avring_plane_vaddr,
	.cookie = avring_plane_cookie,
	.num_users = avring_plane_users,
	.mmap = avring_plane_mmap,
};
