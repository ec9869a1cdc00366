// SPDX-License-Identifier: MIT
/*
 * v4l2: any V4L2 capture device, into a ring of the library's own memory.
 *
 * The ring is a memfd, cut into frames of whole pages, mapped twice in a row for the
 * reader. The frames are handed to the driver as buffers: by address (USERPTR), or
 * where it does not take that, as dma-bufs that /dev/udmabuf makes of the same pages.
 *
 * Frames are dequeued into slots, in order, and queued again in the same order as
 * soon as they and all before them are released. So a driver that fills its buffers
 * in order fills the ring in order, and a frame in use is never overwritten. A driver
 * without a buffer drops frames, which its sequence numbers show.
 */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"

/* Of a ring whose length nobody wished: half a second, within these. */
#define AVRING_V4L2_MIN_BUFFERS 8

/* Of all nodes of V4L2. */
#define AVRING_V4L2_MAJOR 81

/* A source that changes more often at a time is asked again by the next renew(). */
#define AVRING_V4L2_NEWS 4

/**
 * struct avring_v4l2_slot - a dequeued buffer
 * @buffer: its number
 * @released: nobody reads it any more
 * @entry: its entry, if it has one
 * @position: of its frame in the ring
 */
struct avring_v4l2_slot {
	uint32_t buffer;
	bool released;
	uint64_t entry;
	uint64_t position;
};

/**
 * struct avring_v4l2_state - private part of a reader
 * @fd: device
 * @type: V4L2_BUF_TYPE_*
 * @memory: V4L2_MEMORY_USERPTR or _DMABUF
 * @buffers: how many
 * @stride: bytes from frame to frame
 * @writer: of our control page and index
 * @memory_start: of the ring, writable, for the driver
 * @dmabuf: of each buffer, or -1
 * @slots: ring of dequeued buffers
 * @first_slot: oldest
 * @n_slots: how many
 * @sequence: of the last frame, without a wrap
 * @sequence_base: what is added to the driver's
 * @has_sequence: there was a frame
 * @has_events: changes of the source are told
 */
struct avring_v4l2_state {
	int fd;
	uint32_t type;
	uint32_t memory;
	uint32_t buffers;
	uint64_t stride;
	struct avring_writer writer;
	unsigned char *memory_start;
	int dmabuf[VIDEO_MAX_FRAME];
	struct avring_v4l2_slot slots[VIDEO_MAX_FRAME];
	uint32_t first_slot;
	uint32_t n_slots;
	uint64_t sequence;
	uint64_t sequence_base;
	bool has_sequence;
	bool has_events;
};

static struct avring_v4l2_state *avring_v4l2(const struct avring_reader *reader)
{
	return (struct avring_v4l2_state *)reader->state;
}

/* Buffers. */

static int avring_v4l2_request(struct avring_v4l2_state *v4l2, uint32_t memory, uint32_t *count)
{
	struct v4l2_requestbuffers request = { .count = *count,
					       .type = v4l2->type,
					       .memory = memory };
	int error = avring_ioctl_retry(v4l2->fd, VIDIOC_REQBUFS, &request);

	*count = request.count;
	return error;
}

/* A v4l2_buffer with its one plane, whichever way the device wants it. */
static void avring_v4l2_buffer(const struct avring_v4l2_state *v4l2, struct v4l2_buffer *buffer,
			       struct v4l2_plane *plane)
{
	*buffer = (struct v4l2_buffer){ .type = v4l2->type, .memory = v4l2->memory };
	*plane = (struct v4l2_plane){ 0 };
	if (v4l2->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE) {
		buffer->length = 1;
		buffer->m.planes = plane;
	}
}

static int avring_v4l2_queue(const struct avring_v4l2_state *v4l2, uint32_t number)
{
	unsigned char *start = v4l2->memory_start + number * v4l2->stride;
	struct v4l2_buffer buffer;
	struct v4l2_plane plane;

	avring_v4l2_buffer(v4l2, &buffer, &plane);
	buffer.index = number;
	plane.length = v4l2->stride;
	if (v4l2->memory == V4L2_MEMORY_USERPTR)
		plane.m.userptr = (unsigned long)start;
	else
		plane.m.fd = v4l2->dmabuf[number];
	if (v4l2->type == V4L2_BUF_TYPE_VIDEO_CAPTURE) {
		buffer.length = plane.length;
		if (v4l2->memory == V4L2_MEMORY_USERPTR)
			buffer.m.userptr = plane.m.userptr;
		else
			buffer.m.fd = plane.m.fd;
	}
	return avring_ioctl_retry(v4l2->fd, VIDIOC_QBUF, &buffer);
}

static uint32_t avring_v4l2_wished_buffers(const struct avring_reader *reader, uint64_t stride)
{
	const struct avring_video_format *video = &reader->format.video;
	uint64_t count = AVRING_V4L2_MIN_BUFFERS;

	if (reader->options.ring_bytes)
		count = avring_max((reader->options.ring_bytes + stride - 1) / stride, 2);
	else if (video->rate_den)
		count = avring_max(count, video->rate_num / 2 / video->rate_den);
	return avring_min(count, VIDEO_MAX_FRAME);
}

static void avring_v4l2_drop_dmabufs(struct avring_v4l2_state *v4l2)
{
	for (int i = 0; i < VIDEO_MAX_FRAME; i++) {
		if (v4l2->dmabuf[i] >= 0)
			close(v4l2->dmabuf[i]);
		v4l2->dmabuf[i] = -1;
	}
}

static int avring_v4l2_make_dmabufs(struct avring_v4l2_state *v4l2, int memfd)
{
	int maker = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), error = 0;

	if (maker < 0)
		return -EOPNOTSUPP;
	for (uint32_t i = 0; i < v4l2->buffers && !error; i++) {
		struct udmabuf_create create = { .memfd = memfd,
						 .flags = UDMABUF_FLAGS_CLOEXEC,
						 .offset = i * v4l2->stride,
						 .size = v4l2->stride };

		v4l2->dmabuf[i] = ioctl(maker, UDMABUF_CREATE, &create);
		if (v4l2->dmabuf[i] < 0)
			error = avring_errno();
	}
	close(maker);
	return error;
}

/* The kernel makes dma-bufs only of files that do not shrink. */
static int avring_v4l2_make_memory(uint64_t length)
{
	int fd = memfd_create("avring-v4l2", MFD_CLOEXEC | MFD_ALLOW_SEALING), error;

	if (fd < 0)
		return avring_errno();
	if (!ftruncate(fd, length) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		return fd;
	error = avring_errno();
	close(fd);
	return error;
}

static int avring_v4l2_map(struct avring_v4l2_state *v4l2, struct avring_view *view, int memfd)
{
	uint64_t entries = 2;
	void *start, *data;
	int error;

	while (entries < 2 * v4l2->buffers)
		entries *= 2;
	view->length = v4l2->buffers * v4l2->stride;
	view->align = avring_page_size();
	error = avring_view_own_index(view, entries);
	if (!error)
		error = avring_view_mirror(view, memfd, 0, view->length, PROT_READ, &data);
	if (!error)
		error = avring_view_map(view, memfd, 0, view->length, PROT_READ | PROT_WRITE,
					&start);
	if (error)
		return error;
	view->data = data;
	v4l2->memory_start = start;
	return 0;
}

static int avring_v4l2_allocate(struct avring_v4l2_state *v4l2, struct avring_view *view)
{
	int memfd = avring_v4l2_make_memory(v4l2->buffers * v4l2->stride), error;

	if (memfd < 0)
		return memfd;
	error = avring_v4l2_map(v4l2, view, memfd);
	if (!error && v4l2->memory == V4L2_MEMORY_DMABUF)
		error = avring_v4l2_make_dmabufs(v4l2, memfd);
	close(memfd);
	return error;
}

static int avring_v4l2_stream(const struct avring_v4l2_state *v4l2)
{
	uint32_t type = v4l2->type;
	int error = 0;

	for (uint32_t i = 0; i < v4l2->buffers && !error; i++)
		error = avring_v4l2_queue(v4l2, i);
	return error ?: avring_ioctl_retry(v4l2->fd, VIDIOC_STREAMON, &type);
}

static void avring_v4l2_stop(struct avring_v4l2_state *v4l2)
{
	uint32_t type = v4l2->type, none = 0;

	avring_ioctl_retry(v4l2->fd, VIDIOC_STREAMOFF, &type);
	if (v4l2->buffers)
		avring_v4l2_request(v4l2, v4l2->memory, &none);
	v4l2->buffers = 0;
	avring_v4l2_drop_dmabufs(v4l2);
}

static int avring_v4l2_start_with(struct avring_reader *reader, uint32_t memory)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	uint32_t count = avring_v4l2_wished_buffers(reader, v4l2->stride);
	struct avring_view *view;
	int error = avring_v4l2_request(v4l2, memory, &count);

	if (error)
		return error == -EINVAL ? -EOPNOTSUPP : error;
	v4l2->memory = memory;
	v4l2->buffers = avring_min(count, VIDEO_MAX_FRAME);
	view = avring_view_new();
	if (!view)
		return -ENOMEM;
	view->frame_bytes = reader->format.video.sizeimage;
	error = avring_v4l2_allocate(v4l2, view);
	if (!error)
		error = avring_v4l2_stream(v4l2);
	if (error) {
		avring_v4l2_stop(v4l2);
		avring_view_free(view);
		return error;
	}
	view->older = reader->view;
	view->generation = reader->view ? reader->view->generation + 1 : 0;
	reader->view = view;
	avring_writer_begin(&v4l2->writer, view);
	return 0;
}

static bool avring_v4l2_refused(int error)
{
	return error == -EOPNOTSUPP || error == -EINVAL || error == -EFAULT || error == -ENOTTY;
}

/* From the format that the device has now. */
static int avring_v4l2_start(struct avring_reader *reader)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	int error = avring_picture_get(v4l2->fd, &reader->format.video);

	if (error)
		return error;
	if (!reader->format.video.sizeimage)
		return -EOPNOTSUPP;
	v4l2->stride = avring_align(reader->format.video.sizeimage, avring_page_size());
	v4l2->first_slot = 0;
	v4l2->n_slots = 0;
	v4l2->sequence_base = v4l2->has_sequence ? v4l2->sequence + 1 : 0;
	error = avring_v4l2_start_with(reader, V4L2_MEMORY_USERPTR);
	if (avring_v4l2_refused(error))
		error = avring_v4l2_start_with(reader, V4L2_MEMORY_DMABUF);
	if (avring_v4l2_refused(error))
		return -EOPNOTSUPP;
	reader->next = 0;
	return error;
}

/* The number of such an event is that of the input, or 0 where a driver has but one. */
static void avring_v4l2_listen(struct avring_v4l2_state *v4l2)
{
	struct v4l2_event_subscription source = { .type = V4L2_EVENT_SOURCE_CHANGE };
	int input;

	v4l2->has_events = !avring_ioctl_retry(v4l2->fd, VIDIOC_SUBSCRIBE_EVENT, &source);
	if (avring_ioctl_retry(v4l2->fd, VIDIOC_G_INPUT, &input) || !input)
		return;
	source.id = input;
	if (!avring_ioctl_retry(v4l2->fd, VIDIOC_SUBSCRIBE_EVENT, &source))
		v4l2->has_events = true;
}

/* To open what is something else may do something. */
static int avring_v4l2_open_node(const char *device)
{
	struct stat file;
	int fd;

	if (stat(device, &file))
		return avring_errno();
	if (!S_ISCHR(file.st_mode) || major(file.st_rdev) != AVRING_V4L2_MAJOR)
		return -EOPNOTSUPP;
	fd = open(device, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? avring_errno() : fd;
}

static int avring_v4l2_open(struct avring_reader *reader, const char *device, int fd)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	int error;

	(void)fd;
	memset(v4l2->dmabuf, 0xff, sizeof(v4l2->dmabuf));
	v4l2->fd = avring_v4l2_open_node(device);
	if (v4l2->fd < 0)
		return v4l2->fd;
	error = avring_picture_type(v4l2->fd, &v4l2->type);
	if (!error)
		error = avring_picture_negotiate(v4l2->fd, &reader->options.video, NULL, NULL);
	if (error)
		return error;
	reader->format.stream = AVRING_STREAM_VIDEO;
	avring_v4l2_listen(v4l2);
	return avring_v4l2_start(reader);
}

static void avring_v4l2_close(struct avring_reader *reader)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);

	if (v4l2->fd < 0)
		return;
	avring_v4l2_stop(v4l2);
	close(v4l2->fd);
}

/* Frames. */

static struct avring_v4l2_slot *avring_v4l2_slot(struct avring_v4l2_state *v4l2, uint32_t i)
{
	return &v4l2->slots[(v4l2->first_slot + i) % VIDEO_MAX_FRAME];
}

/* Memory that the processor's cache may not know; nothing to do on most machines. */
static void avring_v4l2_sync(const struct avring_v4l2_state *v4l2, uint32_t number, uint64_t flag)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_READ | flag };

	if (v4l2->memory == V4L2_MEMORY_DMABUF)
		avring_ioctl_retry(v4l2->dmabuf[number], DMA_BUF_IOCTL_SYNC, &sync);
}

/* 64 bits of the driver's 32; one that does not count gets a count. */
static uint64_t avring_v4l2_sequence(struct avring_v4l2_state *v4l2, uint32_t sequence)
{
	uint64_t last = v4l2->sequence - v4l2->sequence_base;
	int32_t step = sequence - (uint32_t)last;

	if (v4l2->has_sequence && v4l2->sequence >= v4l2->sequence_base)
		v4l2->sequence += step > 0 ? step : 1;
	else
		v4l2->sequence = v4l2->sequence_base + sequence;
	v4l2->has_sequence = true;
	return v4l2->sequence;
}

static uint64_t avring_v4l2_time_ns(const struct v4l2_buffer *buffer)
{
	uint32_t clock = buffer->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK;

	if (clock != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
		return avring_now_ns();
	return buffer->timestamp.tv_sec * AVRING_NSEC_PER_SEC + buffer->timestamp.tv_usec * 1000ULL;
}

/* The next position at which a buffer lies. */
static uint64_t avring_v4l2_position(const struct avring_v4l2_state *v4l2, uint32_t number)
{
	uint64_t after = avring_align(v4l2->writer.head, v4l2->stride);
	uint64_t place = after % v4l2->writer.length, wanted = number * v4l2->stride;

	return after + (wanted + v4l2->writer.length - place) % v4l2->writer.length;
}

static void avring_v4l2_publish(struct avring_v4l2_state *v4l2, struct avring_v4l2_slot *slot,
				const struct v4l2_buffer *buffer, uint32_t length)
{
	struct avring_entry entry = {
		.position = slot->position,
		.time_ns = avring_v4l2_time_ns(buffer),
		.sequence = avring_v4l2_sequence(v4l2, buffer->sequence),
		.count = 1,
		.length = length,
	};

	entry.event = entry.sequence;
	slot->entry = v4l2->writer.head_entry;
	avring_writer_publish(&v4l2->writer, &entry);
}

/* Queue again, in order, what nobody reads. */
static int avring_v4l2_recycle(struct avring_v4l2_state *v4l2)
{
	while (v4l2->n_slots && avring_v4l2_slot(v4l2, 0)->released) {
		struct avring_v4l2_slot slot = *avring_v4l2_slot(v4l2, 0);
		int error;

		v4l2->first_slot = (v4l2->first_slot + 1) % VIDEO_MAX_FRAME;
		v4l2->n_slots--;
		avring_writer_give_up(&v4l2->writer, slot.position + v4l2->stride, 0);
		avring_v4l2_sync(v4l2, slot.buffer, DMA_BUF_SYNC_END);
		error = avring_v4l2_queue(v4l2, slot.buffer);
		if (error)
			return error;
	}
	return 0;
}

/* A frame that the driver calls broken takes its place but is not shown: it is lost. */
static void avring_v4l2_take(struct avring_v4l2_state *v4l2, const struct v4l2_buffer *buffer,
			     uint32_t length)
{
	struct avring_v4l2_slot *slot = avring_v4l2_slot(v4l2, v4l2->n_slots++);

	*slot = (struct avring_v4l2_slot){
		.buffer = buffer->index,
		.released = buffer->flags & V4L2_BUF_FLAG_ERROR || length > v4l2->stride,
		.entry = UINT64_MAX,
		.position = avring_v4l2_position(v4l2, buffer->index),
	};
	avring_v4l2_sync(v4l2, slot->buffer, DMA_BUF_SYNC_START);
	if (!slot->released)
		avring_v4l2_publish(v4l2, slot, buffer, length);
}

/* One buffer: 0 taken, -EAGAIN, or what the driver says. */
static int avring_v4l2_dequeue(struct avring_v4l2_state *v4l2)
{
	struct v4l2_buffer buffer;
	struct v4l2_plane plane;
	int error;

	if (v4l2->n_slots == v4l2->buffers)
		return -EAGAIN;
	avring_v4l2_buffer(v4l2, &buffer, &plane);
	error = avring_ioctl_retry(v4l2->fd, VIDIOC_DQBUF, &buffer);
	if (error)
		return error;
	avring_v4l2_take(v4l2, &buffer,
			 v4l2->type == V4L2_BUF_TYPE_VIDEO_CAPTURE ? buffer.bytesused :
								     plane.bytesused);
	return avring_v4l2_recycle(v4l2);
}

static int avring_v4l2_fill(struct avring_reader *reader)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	int error = 0;

	while (!error && !reader->gone)
		error = avring_v4l2_dequeue(v4l2);
	if (error == -ENODEV || error == -EPIPE) {
		reader->gone |= AVRING_STATE_GONE;
		return 0;
	}
	return error == -EAGAIN ? 0 : error;
}

/* next() dequeues only when it has nothing left. */
static int avring_v4l2_update(struct avring_reader *reader)
{
	if (reader->next < avring_v4l2(reader)->writer.head_entry)
		return 0;
	return avring_v4l2_fill(reader);
}

static int avring_v4l2_release(struct avring_reader *reader, const struct avring_span *span)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);

	if ((uintptr_t)span->data - (uintptr_t)reader->view->data >= reader->view->length)
		return 0; /* of a generation that the driver does not write any more */
	for (uint32_t i = 0; i < v4l2->n_slots; i++) {
		struct avring_v4l2_slot *slot = avring_v4l2_slot(v4l2, i);

		if (slot->entry - span->entry < span->entries)
			slot->released = true;
	}
	if (reader->gone)
		return 0;
	return avring_v4l2_recycle(v4l2);
}

static void avring_v4l2_hear(struct avring_reader *reader)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	struct v4l2_event event;

	while (v4l2->has_events && !avring_ioctl_retry(v4l2->fd, VIDIOC_DQEVENT, &event))
		if (event.type == V4L2_EVENT_SOURCE_CHANGE &&
		    event.u.src_change.changes & V4L2_EVENT_SRC_CH_RESOLUTION)
			reader->gone |= AVRING_STATE_STALE;
}

/* All that the driver has; -ENOBUFS if it cannot have more because the reader holds all. */
static int avring_v4l2_collect(struct avring_reader *reader)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	int error = avring_v4l2_fill(reader);

	if (!error && !reader->gone && v4l2->n_slots == v4l2->buffers)
		return -ENOBUFS;
	return error;
}

/* Nothing to dequeue and nothing to hear. DQBUF says what it is: gone, or broken. */
static int avring_v4l2_failed(struct avring_reader *reader)
{
	int error = avring_v4l2_fill(reader);

	if (error)
		return error;
	/* It would be polled for ever, were there nothing now either. */
	return reader->gone || reader->next < avring_v4l2(reader)->writer.head_entry ? 1 : -EIO;
}

static int avring_v4l2_wait(struct avring_reader *reader, const struct avring_need *need,
			    uint64_t deadline_ns)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	int result = avring_v4l2_collect(reader);

	if (avring_walk_ready(reader, need))
		return 0;
	if (result)
		return result;
	result = avring_poll_until(v4l2->fd, POLLIN | POLLPRI, deadline_ns);
	if (result < 0)
		return result;
	if (result & POLLPRI)
		avring_v4l2_hear(reader);
	return result & POLLERR && !(result & POLLIN) ? avring_v4l2_failed(reader) : 1;
}

static int avring_v4l2_arm(struct avring_reader *reader, const struct avring_need *need)
{
	int error = avring_v4l2_collect(reader);

	avring_v4l2_hear(reader);
	if (avring_walk_ready(reader, need))
		return 1;
	return error;
}

static int avring_v4l2_fd(const struct avring_reader *reader)
{
	return avring_v4l2(reader)->fd;
}

/*
 * Take what the source gives now, until it has no news: taking it over may be news
 * itself, and it may change again meanwhile.
 */
static int avring_v4l2_follow(struct avring_reader *reader)
{
	struct avring_v4l2_state *v4l2 = avring_v4l2(reader);
	int error;

	for (int i = 0; i < AVRING_V4L2_NEWS; i++) {
		avring_v4l2_hear(reader);
		reader->gone &= ~AVRING_STATE_STALE;
		error = avring_picture_refresh(v4l2->fd);
		avring_v4l2_hear(reader);
		if (error || !(reader->gone & AVRING_STATE_STALE))
			return error;
	}
	return 0;
}

/* What was held of the old memory stays readable; the driver has let it go. */
static int avring_v4l2_renew(struct avring_reader *reader)
{
	int error;

	avring_v4l2_stop(avring_v4l2(reader));
	error = avring_v4l2_follow(reader);
	return error ?: avring_v4l2_start(reader);
}

const struct avring_backend avring_v4l2_backend = {
	.state_size = sizeof(struct avring_v4l2_state),
	.streams = 1 << AVRING_STREAM_VIDEO,
	.open = avring_v4l2_open,
	.close = avring_v4l2_close,
	.update = avring_v4l2_update,
	.release = avring_v4l2_release,
	.wait = avring_v4l2_wait,
	.arm = avring_v4l2_arm,
	.fd = avring_v4l2_fd,
	.renew = avring_v4l2_renew,
};
