/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: what a video node changes, the ring of the pictures may have to follow.
 */
#ifndef AVRING_CHANGE_H
#define AVRING_CHANGE_H

#include <linux/videodev2.h>

struct avring_node;
struct avring_spare;
struct file;

int avring_change(struct file *file,
		  int (*change)(struct file *file, void *arg, struct avring_spare *spare),
		  void *arg);
int avring_change_begin_start(struct file *file, struct avring_spare *spare);
void avring_change_end_start(struct file *file, struct avring_spare *spare);
int avring_change_streamon(struct file *file, void *priv, enum v4l2_buf_type type);

#endif
