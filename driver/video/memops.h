/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: adapter from videobuf2 memory operations to stores. The cookie of a plane is its
 * sg_table for the device, with avring_dma_memops.
 */
#ifndef AVRING_MEMOPS_H
#define AVRING_MEMOPS_H

#include <linux/types.h>

struct dma_buf;
struct vb2_buffer;
struct vb2_mem_ops;

/* The CPU fills the buffers. */
extern const struct vb2_mem_ops avring_memops;

/* The device of the queue fills them by DMA. */
extern const struct vb2_mem_ops avring_dma_memops;

int avring_memops_check(const struct dma_buf *dbuf, size_t size, bool writes);
int avring_memops_may_prepare(struct vb2_buffer *vb);
void avring_memops_release(struct vb2_buffer *vb);
struct dma_buf *avring_memops_dmabuf(const struct vb2_buffer *vb);
void avring_memops_filled(struct vb2_buffer *vb);

#endif
