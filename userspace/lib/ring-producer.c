// SPDX-License-Identifier: MIT
/*
 * ring-producer: writes into the ring of a card.
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <unistd.h>

#include "ring.h"

/* Inputs of the capture node, and the control that does the same for sound. */
#define AVRING_INPUT_LOOPBACK 1
#define AVRING_SOURCE_CONTROL "Capture Source"
#define AVRING_SOURCE_LOOPBACK "Loopback"

/**
 * struct avring_ring_producer - private part of a producer
 * @fd: ring node
 * @data: of the ring, writable
 */
struct avring_ring_producer {
	int fd;
	unsigned char *data;
};

static struct avring_ring_producer *avring_ring_of(const struct avring_producer *producer)
{
	return (struct avring_ring_producer *)producer->state;
}

static int avring_ring_switch_input(struct avring_devnum capture)
{
	int node = avring_card_open_node(capture, O_RDWR | O_NONBLOCK);
	int input, error;

	if (node < 0)
		return node;
	error = avring_ioctl_retry(node, VIDIOC_G_INPUT, &input);
	if (!error && input != AVRING_INPUT_LOOPBACK) {
		input = AVRING_INPUT_LOOPBACK;
		error = avring_ioctl_retry(node, VIDIOC_S_INPUT, &input);
	}
	close(node);
	return error;
}

/* The card captures what a producer sends only with its input on loopback. */
static int avring_ring_switch(int fd, uint32_t stream)
{
	struct avring_info info;
	int error = avring_ioctl_retry(fd, AVRING_IOC_INFO, &info);

	if (error)
		return error;
	/* Before anything is switched. */
	if (!(info.features & AVRING_FEATURE_PRODUCER))
		return -EOPNOTSUPP;
	if (stream == AVRING_STREAM_VIDEO)
		return info.capture.major ? avring_ring_switch_input(info.capture) : 0;
	if (!info.control.major)
		return 0;
	return avring_sound_set_control(info.alsa_card, AVRING_SOURCE_CONTROL,
					AVRING_SOURCE_LOOPBACK);
}

static int avring_ring_produce(struct avring_producer *producer)
{
	struct avring_ring_producer *ring = avring_ring_of(producer);
	struct avring_attach attach = { .role = AVRING_ROLE_PRODUCER, .format = producer->format };
	void *data;
	int error = avring_ring_attach(&producer->view, ring->fd, &attach, &data);

	if (error)
		return error;
	producer->format = attach.format;
	ring->data = data;
	return 0;
}

static int avring_ring_open_producer(struct avring_producer *producer, const char *device,
				     const struct avring_options *options)
{
	struct avring_ring_producer *ring = avring_ring_of(producer);
	struct avring_options wishes = *options;
	int error;

	/* The formats of a producer's ring are those that it sends. */
	wishes.stream = producer->format.stream;
	memset(&wishes.video, 0, sizeof(wishes.video));
	memset(&wishes.audio, 0, sizeof(wishes.audio));
	ring->fd = avring_ring_open_node(device, O_RDWR);
	if (ring->fd < 0)
		return ring->fd;
	error = avring_ring_set_up(ring->fd, &wishes);
	if (!error)
		error = avring_ring_switch(ring->fd, wishes.stream);
	return error ?: avring_ring_produce(producer);
}

static void avring_ring_close_producer(struct avring_producer *producer)
{
	struct avring_ring_producer *ring = avring_ring_of(producer);

	if (ring->fd >= 0)
		close(ring->fd);
}

static int avring_ring_begin(struct avring_producer *producer, size_t length, void **data)
{
	struct avring_ring_producer *ring = avring_ring_of(producer);
	struct avring_begin begin = { .length = length };
	int error = avring_ioctl_retry(ring->fd, AVRING_IOC_BEGIN, &begin);

	if (!error)
		*data = ring->data + begin.position % producer->view->length;
	return error;
}

static int avring_ring_commit(struct avring_producer *producer, size_t length, uint64_t time_ns)
{
	struct avring_commit commit = { .length = length, .time_ns = time_ns };

	return avring_ioctl_retry(avring_ring_of(producer)->fd, AVRING_IOC_COMMIT, &commit);
}

static int avring_ring_producer_fd(const struct avring_producer *producer)
{
	(void)producer;
	return -EOPNOTSUPP;
}

const struct avring_producer_backend avring_ring_producer = {
	.state_size = sizeof(struct avring_ring_producer),
	.open = avring_ring_open_producer,
	.close = avring_ring_close_producer,
	.begin = avring_ring_begin,
	.commit = avring_ring_commit,
	.fd = avring_ring_producer_fd,
};
