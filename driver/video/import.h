/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the calls by which a program hands in a buffer that may be somebody else's dma-buf.
 */
#ifndef AVRING_IMPORT_H
#define AVRING_IMPORT_H

struct file;
struct v4l2_buffer;

int avring_node_qbuf(struct file *file, void *priv, struct v4l2_buffer *buf);
int avring_node_prepare_buf(struct file *file, void *priv, struct v4l2_buffer *buf);

#endif
