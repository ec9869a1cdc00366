// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a store mapped for a device. See memory/dma.h.
 */
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "compat.h"
#include "memory/dma.h"
#include "memory/store.h"

static bool avring_dma_needs_sync(const struct avring_dma *dma)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(&dma->sgt, sg, i)
		if (dma_need_sync(dma->dev, sg_dma_address(sg)))
			return true;
	return false;
}

/**
 * avring_dma_map() - let a device at the pages of a store
 * @dma: filled
 * @dev: the device
 * @store: outlives the mapping
 * @dir: who writes
 *
 * Context: process, may sleep.
 *
 * Return: 0, -ENOMEM, or -EIO if the device cannot reach the pages.
 */
int avring_dma_map(struct avring_dma *dma, struct device *dev, struct avring_store *store,
		   enum dma_data_direction dir)
{
	int err;

	dma->dev = dev;
	dma->dir = dir;
	err = sg_alloc_table_from_pages_segment(&dma->sgt, store->pages, store->n_pages,
						store->offset, store->size,
						avring_store_max_segment(dev), GFP_KERNEL);
	if (err)
		return err;
	err = dma_map_sgtable(dev, &dma->sgt, dir, DMA_ATTR_NO_WARN);
	if (err) {
		sg_free_table(&dma->sgt);
		return err;
	}
	dma->synced = avring_dma_needs_sync(dma);
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_dma_map);

/**
 * avring_dma_unmap() - undo avring_dma_map()
 * @dma: the device does not use it any more
 *
 * What the device wrote and was not synced is not to be had afterwards.
 */
void avring_dma_unmap(struct avring_dma *dma)
{
	dma_unmap_sgtable(dma->dev, &dma->sgt, dma->dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&dma->sgt);
}
EXPORT_SYMBOL_AVRING(avring_dma_unmap);

typedef void avring_dma_sync_t(struct device *dev, dma_addr_t addr, unsigned long offset,
			       size_t size, enum dma_data_direction dir);

/* Call @sync for the parts of segments that make up a range. Return: what is left of it. */
static size_t avring_dma_sync_range(const struct avring_dma *dma, size_t offset, size_t length,
				    avring_dma_sync_t *sync)
{
	struct scatterlist *sg;
	size_t part;
	int i;

	for_each_sgtable_dma_sg(&dma->sgt, sg, i) {
		if (!length)
			break;
		if (offset >= sg_dma_len(sg)) {
			offset -= sg_dma_len(sg);
			continue;
		}
		part = min_t(size_t, length, sg_dma_len(sg) - offset);
		sync(dma->dev, sg_dma_address(sg), offset, part, dma->dir);
		length -= part;
		offset = 0;
	}
	return length;
}

static void avring_dma_sync(const struct avring_dma *dma, size_t offset, size_t length,
			    avring_dma_sync_t *sync)
{
	if (!dma->synced)
		return;
	length = avring_dma_sync_range(dma, offset, length, sync);
	avring_dma_sync_range(dma, 0, length, sync);
}

static void avring_dma_range_for_cpu(struct device *dev, dma_addr_t addr, unsigned long offset,
				     size_t size, enum dma_data_direction dir)
{
	dma_sync_single_range_for_cpu(dev, addr, offset, size, dir);
}

static void avring_dma_range_for_device(struct device *dev, dma_addr_t addr,
					unsigned long offset, size_t size,
					enum dma_data_direction dir)
{
	dma_sync_single_range_for_device(dev, addr, offset, size, dir);
}

/**
 * avring_dma_sync_for_cpu() - the CPU is to see what the device has written
 * @dma: the mapping
 * @offset: byte of the store
 * @length: bytes, at most those of the store; behind its end the range goes on at its
 *	beginning, as in a linear view
 *
 * Costs nothing where device and CPU see the same memory. Context: any.
 */
void avring_dma_sync_for_cpu(const struct avring_dma *dma, size_t offset, size_t length)
{
	avring_dma_sync(dma, offset, length, avring_dma_range_for_cpu);
}
EXPORT_SYMBOL_AVRING(avring_dma_sync_for_cpu);

/**
 * avring_dma_sync_for_device() - the device may write again
 * @dma: the mapping
 * @offset: byte of the store
 * @length: bytes, at most those of the store; behind its end the range goes on at its
 *	beginning, as in a linear view
 *
 * Context: any.
 */
void avring_dma_sync_for_device(const struct avring_dma *dma, size_t offset, size_t length)
{
	avring_dma_sync(dma, offset, length, avring_dma_range_for_device);
}
EXPORT_SYMBOL_AVRING(avring_dma_sync_for_device);
