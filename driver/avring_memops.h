/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: adapter from videobuf2 memory operations to stores.
 */
#ifndef AVRING_MEMOPS_H
#define AVRING_MEMOPS_H

struct vb2_mem_ops;

extern const struct vb2_mem_ops avring_memops;

#endif
