// SPDX-License-Identifier: MIT
/*
 * reader: the public calls of a reader. See internal.h for who does the work.
 */
#include <stdlib.h>

#include "internal.h"

const struct avring_backend *avring_reader_backend(const char *device)
{
	char path[32];

	if (avring_card_path(device, path, sizeof(path)))
		return &avring_ring_backend;
	if (device[0] == '/')
		return &avring_v4l2_backend;
	return &avring_alsa_backend;
}

/* What a device does not carry cannot be wished of it. */
static bool avring_reader_carries(const struct avring_backend *backend,
				  const struct avring_options *options)
{
	uint32_t stream = options->stream;

	if (!backend->streams)
		return true;
	if (backend->streams == 1 << AVRING_STREAM_AUDIO)
		stream = AVRING_STREAM_AUDIO;
	return backend->streams & 1U << stream && !avring_options_stray(options, stream);
}

static int avring_reader_attach(struct avring_reader **out, const struct avring_backend *backend,
				const char *device, int fd, const struct avring_options *options)
{
	struct avring_reader *reader;
	struct avring_options wishes;
	int error = avring_options_read(&wishes, options);

	if (!error && !avring_reader_carries(backend, &wishes))
		error = -EINVAL;
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
	return reader ? &reader->format : NULL;
}

void avring_reader_geometry(const struct avring_reader *reader, struct avring_geometry *geometry)
{
	*geometry = (struct avring_geometry){ 0 };
	if (reader)
		avring_view_geometry(reader->view, geometry);
}

static int avring_reader_update(struct avring_reader *reader)
{
	return reader->backend->update ? reader->backend->update(reader) : 0;
}

int avring_reader_next_run(struct avring_reader *reader, struct avring_span *span, size_t max_bytes)
{
	int error;

	if (!reader || !span)
		return -EINVAL;
	error = avring_reader_update(reader);
	return error ?: avring_walk_take(reader, span, max_bytes);
}

int avring_reader_next(struct avring_reader *reader, struct avring_span *span)
{
	return avring_reader_next_run(reader, span, 0);
}

/* Give back what is passed over; it was there to be read. */
static int avring_reader_pass(struct avring_reader *reader, const struct avring_span *span)
{
	const struct avring_backend *backend = reader->backend;
	const uint64_t lost = reader->lost;
	int error = avring_walk_check(reader, span);

	reader->lost = lost;
	if (backend->release && error != -EINVAL)
		return backend->release(reader, span);
	return 0;
}

int avring_reader_newest(struct avring_reader *reader, struct avring_span *span)
{
	struct avring_span newer;
	int error = avring_reader_next(reader, span);
	uint64_t left;

	if (error)
		return error;
	/* A writer that is faster than this is not followed for ever. */
	for (left = reader->view->entries; left; left--) {
		if (avring_reader_next(reader, &newer))
			break;
		error = avring_reader_pass(reader, span);
		newer.lost += span->lost;
		*span = newer;
		if (error)
			return error;
	}
	return 0;
}

int avring_reader_release(struct avring_reader *reader, const struct avring_span *span)
{
	const struct avring_backend *backend;
	int error, verdict;

	if (!reader || !span)
		return -EINVAL;
	backend = reader->backend;
	error = backend->settle ? backend->settle(reader, span) : 0;
	verdict = avring_walk_check(reader, span);
	if (backend->release && verdict != -EINVAL)
		error = backend->release(reader, span) ?: error;
	return verdict ?: error;
}

uint64_t avring_reader_lost(const struct avring_reader *reader)
{
	return reader ? reader->lost : 0;
}

int avring_reader_set_watermark(struct avring_reader *reader,
				const struct avring_watermark *watermark)
{
	struct avring_watermark before;
	struct avring_need need;

	if (!reader)
		return -EINVAL;
	before = reader->watermark;
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

	if (!reader)
		return -EINVAL;
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
	int found;

	if (!reader)
		return -EINVAL;
	found = avring_reader_look(reader, &need);
	return found ?: reader->backend->arm(reader, &need);
}

int avring_reader_fd(const struct avring_reader *reader)
{
	return reader ? reader->backend->fd(reader) : -EINVAL;
}

int avring_reader_renew(struct avring_reader *reader)
{
	if (!reader)
		return -EINVAL;
	return reader->backend->renew ? reader->backend->renew(reader) : -EOPNOTSUPP;
}
