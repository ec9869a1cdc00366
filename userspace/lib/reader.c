// SPDX-License-Identifier: MIT
/*
 * reader: the public calls of a reader. See internal.h for who does the work.
 */
#include <stdlib.h>

#include "internal.h"

static const struct avring_backend *avring_reader_backend(const char *device)
{
	char path[32];

	if (avring_card_path(device, path, sizeof(path)))
		return &avring_ring_backend;
	if (!strncmp(device, "/dev/video", 10) || !strncmp(device, "/dev/v4l/", 9))
		return &avring_v4l2_backend;
	return &avring_alsa_backend;
}

static int avring_reader_attach(struct avring_reader **out, const struct avring_backend *backend,
				const char *device, int fd, const struct avring_options *options)
{
	struct avring_reader *reader;
	struct avring_options wishes;
	int error = avring_options_read(&wishes, options);

	if (error)
		return error;
	reader = calloc(1, sizeof(*reader) + backend->state_size);
	if (!reader)
		return -ENOMEM;
	reader->backend = backend;
	reader->options = wishes;
	error = backend->open(reader, device, fd);
	if (error) {
		avring_reader_close(reader);
		return error;
	}
	avring_walk_start(reader);
	*out = reader;
	return 0;
}

int avring_reader_open(struct avring_reader **out, const char *device,
		       const struct avring_options *options)
{
	if (!out || !device)
		return -EINVAL;
	return avring_reader_attach(out, avring_reader_backend(device), device, -1, options);
}

int avring_reader_open_fd(struct avring_reader **out, int fd, const struct avring_options *options)
{
	if (!out)
		return -EINVAL;
	if (fd < 0)
		return -EBADF;
	return avring_reader_attach(out, &avring_twin_backend, NULL, fd, options);
}

void avring_reader_close(struct avring_reader *reader)
{
	int kept = errno;

	if (!reader)
		return;
	reader->backend->close(reader);
	avring_view_free(reader->view);
	free(reader);
	errno = kept;
}

const struct avring_stream_format *avring_reader_format(const struct avring_reader *reader)
{
	return &reader->format;
}

void avring_reader_geometry(const struct avring_reader *reader, struct avring_geometry *geometry)
{
	avring_view_geometry(reader->view, geometry);
}

static int avring_reader_update(struct avring_reader *reader)
{
	return reader->backend->update ? reader->backend->update(reader) : 0;
}

int avring_reader_next_run(struct avring_reader *reader, struct avring_span *span, size_t max_bytes)
{
	int error = avring_reader_update(reader);

	return error ?: avring_walk_take(reader, span, max_bytes);
}

int avring_reader_next(struct avring_reader *reader, struct avring_span *span)
{
	return avring_reader_next_run(reader, span, 0);
}

int avring_reader_release(struct avring_reader *reader, const struct avring_span *span)
{
	const struct avring_backend *backend = reader->backend;
	int error = backend->settle ? backend->settle(reader, span) : 0;
	int verdict = avring_walk_check(reader, span);

	if (backend->release && verdict != -EINVAL)
		error = backend->release(reader, span) ?: error;
	return verdict ?: error;
}

uint64_t avring_reader_lost(const struct avring_reader *reader)
{
	return reader->lost;
}

int avring_reader_set_watermark(struct avring_reader *reader,
				const struct avring_watermark *watermark)
{
	const struct avring_watermark before = reader->watermark;
	struct avring_need need;

	reader->watermark = watermark ? *watermark : (struct avring_watermark){ 0 };
	avring_walk_need(reader, &need);
	if (need.entries >= reader->watermark.entries && need.bytes == reader->watermark.bytes &&
	    need.time_ns == reader->watermark.time_ns)
		return 0;
	reader->watermark = before;
	return -EINVAL;
}

/* 1 there is something, 0 not yet, or -errno. */
static int avring_reader_look(struct avring_reader *reader, struct avring_need *need)
{
	int error = avring_reader_update(reader);

	avring_walk_need(reader, need);
	return error ?: avring_walk_ready(reader, need);
}

int avring_reader_wait(struct avring_reader *reader, uint64_t deadline_ns)
{
	struct avring_need need;
	int found, result;

	for (;;) {
		found = avring_reader_look(reader, &need);
		if (found)
			return found < 0 ? found : 0;
		result = reader->backend->wait(reader, &need, deadline_ns);
		if (result <= 0)
			return result;
	}
}

int avring_reader_arm(struct avring_reader *reader)
{
	struct avring_need need;
	int found = avring_reader_look(reader, &need);

	return found ?: reader->backend->arm(reader, &need);
}

int avring_reader_fd(const struct avring_reader *reader)
{
	return reader->backend->fd(reader);
}

int avring_reader_renew(struct avring_reader *reader)
{
	return reader->backend->renew ? reader->backend->renew(reader) : -EOPNOTSUPP;
}
