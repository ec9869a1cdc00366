/* SPDX-License-Identifier: MIT */
/*
 * flow: frames out of a capture node through any of V4L2's four ways.
 *
 * Adds USERPTR, DMABUF and read() to what device.h does with MMAP, behind one
 * pair of calls. Every function returns 0 or -errno.
 */
#ifndef STREAM_FLOW_H
#define STREAM_FLOW_H

#include <stdint.h>

#include "device.h"

enum flow_io { FLOW_MMAP, FLOW_USERPTR, FLOW_DMABUF, FLOW_READ };

/**
 * struct flow_memory - one buffer as user space sees it
 * @data: mapping, readable and writable
 * @length: bytes of @data
 * @dmabuf: the dma-buf of FLOW_DMABUF, else -1
 * @open: between DMA_BUF_SYNC_START and _END
 */
struct flow_memory {
	uint8_t *data;
	size_t length;
	int dmabuf;
	bool open;
};

/**
 * struct flow - frames that come out of one node
 * @video: the node; format, rate and controls are set through it
 * @io: how frames are moved
 * @count: entries of @memory in use; FLOW_READ has one
 * @memory: buffers
 */
struct flow {
	struct video video;
	enum flow_io io;
	unsigned int count;
	struct flow_memory memory[VIDEO_BUFFERS];
};

/**
 * struct flow_frame - a frame in the hands of user space
 * @data: its bytes
 * @bytes: how many of them are used
 * @buffer: what DQBUF said; zeroes with FLOW_READ
 * @time_us: V4L2 timestamp in microseconds
 */
struct flow_frame {
	const uint8_t *data;
	size_t bytes;
	struct v4l2_buffer buffer;
	uint64_t time_us;
};

/*
 * After the format is set. @exporter lends its buffers to FLOW_DMABUF and may be
 * the path of the node itself; others do not look at it.
 */
int flow_allocate(struct flow *flow, enum flow_io io, unsigned int count, const char *exporter);

/* FLOW_DMABUF with buffers of whoever: the descriptors, of @length bytes, are taken over. */
int flow_import(struct flow *flow, const int *dmabufs, unsigned int count, size_t length);

/* Unmaps and gives the buffers back; the node stays open. */
int flow_free(struct flow *flow);

/* Queues all buffers and starts. */
int flow_start(struct flow *flow);
int flow_stop(struct flow *flow);

/* -ETIMEDOUT if no frame comes within @timeout_ms. */
int flow_take(struct flow *flow, struct flow_frame *frame, int timeout_ms);
int flow_give(struct flow *flow, const struct flow_frame *frame);

/* A capture node of card @number on one of its inputs, format and rate set. */
int flow_open(struct flow *flow, unsigned int number, int input, const struct v4l2_pix_format *pix,
	      const struct v4l2_fract *rate);
void flow_close(struct flow *flow);

#endif
