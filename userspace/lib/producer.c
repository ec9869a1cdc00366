// SPDX-License-Identifier: MIT
/*
 * producer: the public calls of a producer. See internal.h for who does the work.
 */
#include <stdlib.h>

#include "internal.h"

/* A frame may be sent so long before it happens. */
#define AVRING_PRODUCER_AHEAD_NS (10 * AVRING_NSEC_PER_SEC)

static int avring_producer_backend(const char *device,
				   const struct avring_producer_backend **backend)
{
	char path[32];

	*backend = &avring_twin_producer;
	if (!device)
		return 0;
	*backend = &avring_ring_producer;
	return avring_card_path(device, path, sizeof(path)) ? 0 : -EOPNOTSUPP;
}

int avring_producer_open(struct avring_producer **out, const char *device,
			 const struct avring_stream_format *format,
			 const struct avring_options *options)
{
	const struct avring_producer_backend *backend;
	struct avring_producer *producer;
	struct avring_options wishes;
	int error;

	if (!out || !format)
		return -EINVAL;
	error = avring_producer_backend(device, &backend);
	if (!error)
		error = avring_options_read(&wishes, options);
	if (!error && !avring_options_met(&wishes, format))
		error = -EINVAL;
	if (error)
		return error;
	producer = calloc(1, sizeof(*producer) + backend->state_size);
	if (!producer)
		return -ENOMEM;
	producer->backend = backend;
	producer->format = *format;
	error = backend->open(producer, device, &wishes);
	if (error) {
		avring_producer_close(producer);
		return error;
	}
	*out = producer;
	return 0;
}

void avring_producer_close(struct avring_producer *producer)
{
	int kept = errno;

	if (!producer)
		return;
	producer->backend->close(producer);
	avring_view_free(producer->view);
	free(producer);
	errno = kept;
}

const struct avring_stream_format *avring_producer_format(const struct avring_producer *producer)
{
	return producer ? &producer->format : NULL;
}

void avring_producer_geometry(const struct avring_producer *producer,
			      struct avring_geometry *geometry)
{
	*geometry = (struct avring_geometry){ 0 };
	if (producer)
		avring_view_geometry(producer->view, geometry);
}

int avring_producer_begin(struct avring_producer *producer, size_t length, void **data)
{
	if (!producer || !data)
		return -EINVAL;
	return producer->backend->begin(producer, length, data);
}

int avring_producer_commit(struct avring_producer *producer, size_t length, uint64_t time_ns)
{
	if (!producer)
		return -EINVAL;
	/* A time of another clock: CLOCK_REALTIME is decades ahead. */
	if (time_ns && time_ns > avring_now_ns() + AVRING_PRODUCER_AHEAD_NS)
		return -EINVAL;
	return producer->backend->commit(producer, length, time_ns);
}

int avring_producer_fd(const struct avring_producer *producer)
{
	return producer ? producer->backend->fd(producer) : -EINVAL;
}
