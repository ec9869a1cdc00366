// SPDX-License-Identifier: MIT
/*
 * ring: reads the ring node of a card.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"

/**
 * struct avring_ring_state - private part of a reader
 * @fd: ring node
 */
struct avring_ring_state {
	int fd;
};

static struct avring_ring_state *avring_ring(const struct avring_reader *reader)
{
	return (struct avring_ring_state *)reader->state;
}

int avring_ring_open_node(const char *device, int flags)
{
	char path[32];
	int fd;

	if (!avring_card_path(device, path, sizeof(path)))
		return -EINVAL;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? avring_errno() : fd;
}

/* The three regions of what ATTACH reports. */
static int avring_ring_map(struct avring_view *view, int fd, const struct avring_attach *attach,
			   void **data)
{
	const bool writes = attach->role == AVRING_ROLE_PRODUCER;
	void *control, *index;
	int error;

	error = avring_view_map(view, fd, attach->control_offset, attach->control_size, PROT_READ,
				&control);
	if (!error)
		error = avring_view_map(view, fd, attach->index_offset, attach->index_size,
					PROT_READ, &index);
	/* The driver has both images in one mapping, and finds the address for large pages. */
	if (!error)
		error = avring_view_map(view, fd, attach->data_offset, attach->data_size,
					writes ? PROT_READ | PROT_WRITE : PROT_READ, data);
	if (error)
		return error;
	view->control = control;
	view->index = index;
	view->data = *data;
	return 0;
}

int avring_ring_attach(struct avring_view **out, int fd, struct avring_attach *attach, void **data)
{
	struct avring_view *view = avring_view_new();
	int error;

	if (!view)
		return -ENOMEM;
	error = avring_ioctl_retry(fd, AVRING_IOC_ATTACH, attach);
	if (!error)
		error = avring_ring_map(view, fd, attach, data);
	if (error) {
		avring_view_free(view);
		return error;
	}
	view->length = attach->length;
	view->entries = attach->entries;
	view->frame_bytes = attach->frame_bytes;
	view->generation = attach->generation;
	view->align = attach->align;
	*out = view;
	return 0;
}

static int avring_ring_join(struct avring_reader *reader, uint32_t flags)
{
	struct avring_attach attach = { .role = AVRING_ROLE_READER, .flags = flags };
	struct avring_view *view;
	void *data;
	int error;

	attach.format.stream = reader->options.stream;
	error = avring_ring_attach(&view, avring_ring(reader)->fd, &attach, &data);
	if (error)
		return error;
	error = avring_view_own_held(view);
	if (error) {
		avring_view_free(view);
		return error;
	}
	view->older = reader->view;
	reader->view = view;
	reader->format = attach.format;
	reader->next = attach.next;
	return 0;
}

static int avring_ring_open(struct avring_reader *reader, const char *device, int fd)
{
	const uint32_t flags = (reader->options.oldest ? AVRING_ATTACH_OLDEST : 0) |
			       (reader->options.keep_setup ? AVRING_ATTACH_AS_IS : 0);
	struct avring_ring_state *ring = avring_ring(reader);
	int error;

	(void)fd;
	ring->fd = avring_ring_open_node(device, O_RDONLY);
	if (ring->fd < 0)
		return ring->fd;
	error = avring_ring_set_up(ring->fd, &reader->options);
	if (!error)
		error = avring_ring_join(reader, flags);
	return error ?: avring_ring_check(&reader->options, &reader->format);
}

static void avring_ring_close(struct avring_reader *reader)
{
	struct avring_ring_state *ring = avring_ring(reader);

	if (ring->fd >= 0)
		close(ring->fd);
}

/* What is left until then: in a time namespace the kernel counts otherwise. */
static void avring_ring_until(struct avring_wait *wait, uint64_t deadline_ns)
{
	uint64_t now;

	wait->deadline_ns = deadline_ns;
	if (!deadline_ns || deadline_ns == AVRING_FOREVER)
		return;
	now = avring_now_ns();
	wait->flags = AVRING_WAIT_RELATIVE;
	wait->deadline_ns = deadline_ns > now ? deadline_ns - now : 0;
}

/* 0 there is something; -EAGAIN, -ETIMEDOUT, -EINTR. */
static int avring_ring_ask(struct avring_reader *reader, const struct avring_need *need,
			   uint64_t deadline_ns)
{
	struct avring_wait wait = {
		.next = need->next,
		.entries = need->entries,
		.bytes = need->bytes,
		.time_ns = need->time_ns,
	};
	int error;

	avring_ring_until(&wait, deadline_ns);
	error = avring_ioctl(avring_ring(reader)->fd, AVRING_IOC_WAIT, &wait);
	if (error != -ENODEV)
		return error;
	reader->gone |= AVRING_STATE_GONE;
	return 0;
}

static int avring_ring_wait(struct avring_reader *reader, const struct avring_need *need,
			    uint64_t deadline_ns)
{
	int error = avring_ring_ask(reader, need, deadline_ns);

	return error == -EAGAIN ? -ETIMEDOUT : error;
}

static int avring_ring_arm(struct avring_reader *reader, const struct avring_need *need)
{
	int error;

	/* Asked without sleeping, no signal is waited for. */
	do {
		error = avring_ring_ask(reader, need, 0);
	} while (error == -EINTR);
	if (!error)
		return 1;
	return error == -EAGAIN ? 0 : error;
}

static int avring_ring_fd(const struct avring_reader *reader)
{
	return avring_ring(reader)->fd;
}

static int avring_ring_renew(struct avring_reader *reader)
{
	return avring_ring_join(reader, 0);
}

const struct avring_backend avring_ring_backend = {
	.state_size = sizeof(struct avring_ring_state),
	.streams = 1 << AVRING_STREAM_VIDEO | 1 << AVRING_STREAM_AUDIO,
	.open = avring_ring_open,
	.close = avring_ring_close,
	.wait = avring_ring_wait,
	.arm = avring_ring_arm,
	.fd = avring_ring_fd,
	.renew = avring_ring_renew,
};
