/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the pages of a store as a device sees them.
 *
 * The page table of a store is made for the CPU. A device has limits of its own (how long a
 * segment may be, what it can address), so each mapping for a device has a table of its
 * own, cut to that device's limits.
 */
#ifndef AVRING_DMA_H
#define AVRING_DMA_H

#include <linux/dma-direction.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct avring_store;
struct device;

/**
 * struct avring_dma - a store mapped for a device
 * @dev: the device
 * @sgt: bus addresses of the first image of the store, in order
 * @dir: who writes
 * @synced: the CPU sees what the device wrote only after a sync, or the other way round
 */
struct avring_dma {
	struct device *dev;
	struct sg_table sgt;
	enum dma_data_direction dir;
	bool synced;
};

int avring_dma_map(struct avring_dma *dma, struct device *dev, struct avring_store *store,
		   enum dma_data_direction dir);
void avring_dma_unmap(struct avring_dma *dma);
void avring_dma_sync_for_cpu(const struct avring_dma *dma, size_t offset, size_t length);
void avring_dma_sync_for_device(const struct avring_dma *dma, size_t offset, size_t length);

#endif
