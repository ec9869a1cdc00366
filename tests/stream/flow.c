// SPDX-License-Identifier: MIT
/*
 * flow: frames out of a capture node through any of V4L2's four ways.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow.h"

static const enum v4l2_memory flow_v4l2[] = {
	[FLOW_MMAP] = V4L2_MEMORY_MMAP,
	[FLOW_USERPTR] = V4L2_MEMORY_USERPTR,
	[FLOW_DMABUF] = V4L2_MEMORY_DMABUF,
};

static int flow_request(struct flow *flow, unsigned int count)
{
	struct v4l2_requestbuffers request = { .count = count,
					       .type = flow->video.type,
					       .memory = flow_v4l2[flow->io] };
	int error = video_ioctl(flow->video.fd, VIDIOC_REQBUFS, &request);

	if (error)
		return error;
	if (count && (request.count < count || request.count > VIDEO_BUFFERS))
		return -ENOBUFS;
	flow->count = request.count;
	return 0;
}

static int flow_map(struct flow_memory *memory, size_t length, int flags, int fd, off_t offset)
{
	void *data = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, offset);

	if (data == MAP_FAILED)
		return -errno;
	memory->data = data;
	memory->length = length;
	return 0;
}

static int flow_map_own(struct flow *flow, unsigned int index)
{
	struct v4l2_buffer buffer = { .index = index,
				      .type = flow->video.type,
				      .memory = V4L2_MEMORY_MMAP };
	int error = video_ioctl(flow->video.fd, VIDIOC_QUERYBUF, &buffer);

	if (error)
		return error;
	return flow_map(&flow->memory[index], buffer.length, MAP_SHARED, flow->video.fd,
			buffer.m.offset);
}

/* MADV_DONTDUMP in the middle makes three VMAs of the range. */
static int flow_map_user(struct flow *flow, unsigned int index)
{
	struct flow_memory *memory = &flow->memory[index];
	size_t page = sysconf(_SC_PAGESIZE);
	size_t length = (flow->video.pix.sizeimage + page - 1) / page * page;
	int error = flow_map(memory, length, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (error || length < 3 * page)
		return error;
	return madvise(memory->data + page, page, MADV_DONTDUMP) ? -errno : 0;
}

static int flow_export(const struct video *lender, unsigned int index, struct flow_memory *memory)
{
	struct v4l2_exportbuffer export = { .type = lender->type,
					    .index = index,
					    .flags = O_RDWR | O_CLOEXEC };
	int error = video_ioctl(lender->fd, VIDIOC_EXPBUF, &export);

	if (error)
		return error;
	memory->dmabuf = export.fd;
	return flow_map(memory, lender->buffers[index].length, MAP_SHARED, export.fd, 0);
}

/*
 * The lender is closed at once: an exported buffer lives as long as its dma-buf,
 * and a node that lends to itself needs its queue free again.
 */
static int flow_borrow(struct flow *flow, unsigned int count, const char *exporter)
{
	const struct v4l2_pix_format *pix = &flow->video.pix;
	struct video lender;
	unsigned int i;
	int error = video_open(&lender, exporter);

	if (error)
		return error;
	error = video_set_format(&lender, pix->pixelformat, pix->width, pix->height);
	if (!error)
		error = video_request(&lender, count);
	for (i = 0; !error && i < count; i++)
		error = flow_export(&lender, i, &flow->memory[i]);
	video_close(&lender);
	return error;
}

static int flow_fill(struct flow *flow, unsigned int count, const char *exporter)
{
	int (*map)(struct flow *, unsigned int) = flow->io == FLOW_MMAP ? flow_map_own :
									  flow_map_user;
	unsigned int i;
	int error = 0;

	if (flow->io == FLOW_DMABUF)
		error = flow_borrow(flow, count, exporter);
	if (!error && flow->io == FLOW_READ)
		flow->count = 1;
	else if (!error)
		error = flow_request(flow, count);
	for (i = 0; !error && flow->io != FLOW_DMABUF && i < flow->count; i++)
		error = map(flow, i);
	return error;
}

static void flow_begin(struct flow *flow, enum flow_io io)
{
	unsigned int i;

	flow->io = io;
	for (i = 0; i < VIDEO_BUFFERS; i++)
		flow->memory[i] = (struct flow_memory){ .dmabuf = -1 };
}

int flow_import(struct flow *flow, const int *dmabufs, unsigned int count, size_t length)
{
	unsigned int i;
	int error = 0;

	flow_begin(flow, FLOW_DMABUF);
	for (i = 0; i < count; i++)
		flow->memory[i].dmabuf = dmabufs[i];
	for (i = 0; !error && i < count; i++)
		error = flow_map(&flow->memory[i], length, MAP_SHARED, dmabufs[i], 0);
	if (!error)
		error = flow_request(flow, count);
	if (error)
		flow_free(flow);
	return error;
}

int flow_allocate(struct flow *flow, enum flow_io io, unsigned int count, const char *exporter)
{
	int error;

	if (count > VIDEO_BUFFERS)
		return -EINVAL;
	flow_begin(flow, io);
	error = flow_fill(flow, count, exporter);
	if (error)
		flow_free(flow);
	return error;
}

int flow_free(struct flow *flow)
{
	unsigned int i;

	for (i = 0; i < VIDEO_BUFFERS; i++) {
		struct flow_memory *memory = &flow->memory[i];

		if (memory->data)
			munmap(memory->data, memory->length);
		if (memory->dmabuf >= 0)
			close(memory->dmabuf);
		*memory = (struct flow_memory){ .dmabuf = -1 };
	}
	return flow->io == FLOW_READ ? 0 : flow_request(flow, 0);
}

/* The importer's CPU access to a dma-buf is told to its exporter. */
static int flow_sync(struct flow_memory *memory, bool open)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW };

	if (memory->dmabuf < 0 || memory->open == open)
		return 0;
	memory->open = open;
	sync.flags |= open ? DMA_BUF_SYNC_START : DMA_BUF_SYNC_END;
	return video_ioctl(memory->dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
}

static int flow_queue(struct flow *flow, unsigned int index)
{
	struct flow_memory *memory = &flow->memory[index];
	struct v4l2_buffer buffer = { .index = index,
				      .type = flow->video.type,
				      .memory = flow_v4l2[flow->io],
				      .length = memory->length };
	int error = flow_sync(memory, false);

	if (flow->io == FLOW_USERPTR)
		buffer.m.userptr = (unsigned long)memory->data;
	if (flow->io == FLOW_DMABUF)
		buffer.m.fd = memory->dmabuf;
	return error ?: video_ioctl(flow->video.fd, VIDIOC_QBUF, &buffer);
}

int flow_start(struct flow *flow)
{
	unsigned int i;
	int error = 0;

	if (flow->io == FLOW_READ)
		return 0;
	for (i = 0; !error && i < flow->count; i++)
		error = flow_queue(flow, i);
	return error ?: video_start(&flow->video);
}

int flow_stop(struct flow *flow)
{
	return flow->io == FLOW_READ ? 0 : video_stop(&flow->video);
}

static int flow_wait(const struct flow *flow, int timeout_ms)
{
	struct pollfd readable = { .fd = flow->video.fd, .events = POLLIN };
	int n = poll(&readable, 1, timeout_ms);

	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int flow_read(struct flow *flow, struct flow_frame *frame)
{
	ssize_t n = read(flow->video.fd, flow->memory[0].data, flow->video.pix.sizeimage);

	if (n < 0)
		return -errno;
	*frame = (struct flow_frame){ .data = flow->memory[0].data, .bytes = n };
	return 0;
}

static int flow_dequeue(struct flow *flow, struct flow_frame *frame)
{
	struct v4l2_buffer buffer = { .type = flow->video.type, .memory = flow_v4l2[flow->io] };
	int error = video_ioctl(flow->video.fd, VIDIOC_DQBUF, &buffer);

	if (error)
		return error;
	*frame = (struct flow_frame){ .data = flow->memory[buffer.index].data,
				      .bytes = buffer.bytesused,
				      .buffer = buffer,
				      .time_us = buffer.timestamp.tv_sec * UINT64_C(1000000) +
						 buffer.timestamp.tv_usec };
	return flow_sync(&flow->memory[buffer.index], true);
}

int flow_take(struct flow *flow, struct flow_frame *frame, int timeout_ms)
{
	int error = flow_wait(flow, timeout_ms);

	if (error)
		return error;
	return flow->io == FLOW_READ ? flow_read(flow, frame) : flow_dequeue(flow, frame);
}

int flow_give(struct flow *flow, const struct flow_frame *frame)
{
	return flow->io == FLOW_READ ? 0 : flow_queue(flow, frame->buffer.index);
}

int flow_open(struct flow *flow, unsigned int number, int input, const struct v4l2_pix_format *pix,
	      const struct v4l2_fract *rate)
{
	struct card card;
	int error = card_find(number, &card);

	if (!error)
		error = video_open(&flow->video, card.capture);
	if (error)
		return error;
	error = video_set_input(&flow->video, input);
	if (!error)
		error = video_set_format(&flow->video, pix->pixelformat, pix->width, pix->height);
	if (!error)
		error = video_set_rate(&flow->video, rate->numerator, rate->denominator);
	if (error)
		video_close(&flow->video);
	return error;
}

void flow_close(struct flow *flow)
{
	video_close(&flow->video);
}
