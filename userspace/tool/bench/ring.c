// SPDX-License-Identifier: MIT
/* The ring node without the library. See ring.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ring.h"

static int ring_ioctl(const struct ring *ring, unsigned long request, void *arg)
{
	return ioctl(ring->fd, request, arg) < 0 ? -errno : 0;
}

int ring_open(struct ring *ring, const char *card)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = open(card, O_RDWR | O_CLOEXEC);
	return ring->fd < 0 ? -errno : 0;
}

int ring_setup(const struct ring *ring, uint32_t stream, uint64_t bytes, uint32_t align)
{
	struct avring_setup setup = { .stream = stream };
	int err = ring_ioctl(ring, AVRING_IOC_GET_SETUP, &setup);

	if (err)
		return err;
	setup.length = bytes;
	setup.align = align;
	return ring_ioctl(ring, AVRING_IOC_SET_SETUP, &setup);
}

int ring_attach(struct ring *ring, uint32_t stream)
{
	memset(&ring->attach, 0, sizeof(ring->attach));
	ring->attach.role = AVRING_ROLE_READER;
	ring->attach.format.stream = stream;
	return ring_ioctl(ring, AVRING_IOC_ATTACH, &ring->attach);
}

void ring_close(struct ring *ring)
{
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
}
