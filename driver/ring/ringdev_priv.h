/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what the node and its open files share with each other and nobody else.
 */
#ifndef AVRING_RINGDEV_PRIV_H
#define AVRING_RINGDEV_PRIV_H

#include <linux/bits.h>
#include <linux/fs.h>

struct avring_ringdev;

/* Where the window lies; regions of rings come before it. Within 44 bits for 32-bit callers. */
#define AVRING_WINDOW_OFFSET	BIT_ULL(40)

extern const struct file_operations avring_ring_fops;

void avring_ring_end_files(struct avring_ringdev *ringdev);

#endif
