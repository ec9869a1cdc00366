/* SPDX-License-Identifier: MIT */
/*
 * vgem: dma-bufs of another device, which is at work on them as long as a test likes.
 *
 * The kernel's vgem has no hardware: a fence that it attaches to a buffer is over when it is told,
 * and after ten seconds at the latest.
 */
#ifndef TEST_VGEM_H
#define TEST_VGEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct vgem_buffer - a buffer of that device
 * @handle: its name there
 * @dmabuf: file descriptor
 * @fence: what is attached to it, 0 if nothing is
 */
struct vgem_buffer {
	uint32_t handle;
	int dmabuf;
	uint32_t fence;
};

/* The device, a file descriptor; its module is loaded. Where there is none the test is skipped. */
int vgem_open(void);

/* These two end the test where they fail. */
struct vgem_buffer vgem_buffer_new(int vgem, size_t bytes);
/* The device writes to the buffer until it is told to stop. */
void vgem_begin(int vgem, struct vgem_buffer *buffer);

/* 0, or -ETIMEDOUT if the ten seconds have passed. */
int vgem_end(int vgem, struct vgem_buffer *buffer);
bool vgem_is_at_work(const struct vgem_buffer *buffer);

/* Somebody else's dma-buf: its handle there, or -errno; and whether it can be mapped by that. */
int vgem_import(int vgem, int dmabuf);
int vgem_map(int vgem, uint32_t handle);

#endif
