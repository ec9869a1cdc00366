// SPDX-License-Identifier: MIT
/*
 * twin-producer: writes a ring in memory. See twin.h.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "twin.h"

/**
 * struct avring_twin_producer - private part of a producer
 * @writer: of control page and index
 * @fd: memfd
 * @bell: the same file, opened once more
 * @data: the ring, writable
 * @room: bytes that begin() gave, 0 if none
 * @position: of them
 * @sequence: of the next frame or sample frame
 * @time_ns: of the last frame
 */
struct avring_twin_producer {
	struct avring_writer writer;
	int fd;
	int bell;
	unsigned char *data;
	uint64_t room;
	uint64_t position;
	uint64_t sequence;
	uint64_t time_ns;
};

static struct avring_twin_producer *avring_twin_of(const struct avring_producer *producer)
{
	return (struct avring_twin_producer *)producer->state;
}

static uint64_t avring_twin_entries(uint64_t length, uint64_t stride)
{
	uint64_t entries = 2;

	while (entries < length / avring_max(stride, 1))
		entries *= 2;
	return entries;
}

/* header | control, index | data */
static int avring_twin_layout(struct avring_twin_header *header,
			      const struct avring_stream_format *format,
			      const struct avring_options *options)
{
	const uint64_t page = avring_page_size();
	uint64_t stride;
	int error;

	*header = (struct avring_twin_header){
		.magic = AVRING_TWIN_MAGIC,
		.version = AVRING_TWIN_VERSION,
		.frame_bytes = avring_format_frame_bytes(format),
		.format = *format,
	};
	error = avring_format_ring(format, options, &header->align, &header->length);
	if (error)
		return error;
	stride = avring_align(header->frame_bytes, header->align);
	header->entries = avring_twin_entries(header->length, stride);
	header->control_offset = page;
	header->index_offset = page + sizeof(struct avring_control);
	header->data_offset =
		avring_align(header->index_offset + header->entries * sizeof(struct avring_entry),
			     header->length % AVRING_HUGE_PAGE ? page : AVRING_HUGE_PAGE);
	return 0;
}

/* The file with its header; its other pages are zero. */
static int avring_twin_create(const struct avring_twin_header *header)
{
	int fd = memfd_create("avring", MFD_CLOEXEC | MFD_ALLOW_SEALING), error = 0;

	if (fd < 0)
		return avring_errno();
	if (ftruncate(fd, header->data_offset + header->length))
		error = avring_errno();
	else if (pwrite(fd, header, sizeof(*header), 0) != sizeof(*header))
		error = avring_errno();
	if (error)
		close(fd);
	return error ?: fd;
}

static int avring_twin_map_producer(struct avring_producer *producer,
				    const struct avring_twin_header *header)
{
	struct avring_twin_producer *twin = avring_twin_of(producer);
	struct avring_view *view = avring_view_new();
	const int prot = PROT_READ | PROT_WRITE;
	void *start, *data;
	int error;

	if (!view)
		return -ENOMEM;
	producer->view = view;
	error = avring_view_map(view, twin->fd, 0, header->data_offset, prot, &start);
	if (!error)
		error = avring_view_mirror(view, twin->fd, header->data_offset, header->length,
					   prot, &data);
	if (error)
		return error;
	view->control = (void *)((unsigned char *)start + header->control_offset);
	view->index = (void *)((unsigned char *)start + header->index_offset);
	view->data = data;
	view->length = header->length;
	view->entries = header->entries;
	view->frame_bytes = header->frame_bytes;
	view->align = header->align;
	twin->data = data;
	avring_writer_begin(&twin->writer, view);
	return 0;
}

/* From now on nobody else can write, and the bell tells whether we live. */
static int avring_twin_seal(struct avring_twin_producer *twin)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	char path[AVRING_TWIN_PATH_SIZE];

	if (fcntl(twin->fd, F_ADD_SEALS, seals))
		return avring_errno();
	avring_twin_path(twin->fd, path);
	twin->bell = open(path, O_RDONLY | O_CLOEXEC);
	if (twin->bell < 0 || fcntl(twin->bell, F_OFD_SETLK, &lock))
		return avring_errno();
	return 0;
}

static int avring_twin_open_producer(struct avring_producer *producer, const char *device,
				     const struct avring_options *options)
{
	struct avring_twin_producer *twin = avring_twin_of(producer);
	struct avring_twin_header header;
	int error;

	(void)device;
	twin->fd = -1;
	twin->bell = -1;
	error = avring_format_complete(&producer->format);
	if (!error)
		error = avring_twin_layout(&header, &producer->format, options);
	if (error)
		return error;
	twin->fd = avring_twin_create(&header);
	if (twin->fd < 0)
		return twin->fd;
	error = avring_twin_map_producer(producer, &header);
	return error ?: avring_twin_seal(twin);
}

static void avring_twin_ring(const struct avring_twin_producer *twin)
{
	char byte;
	ssize_t heard = pread(twin->bell, &byte, 1, 0);

	/* Somebody listens or nobody does. */
	(void)heard;
}

static void avring_twin_close_producer(struct avring_producer *producer)
{
	struct avring_twin_producer *twin = avring_twin_of(producer);

	if (twin->bell >= 0) {
		avring_writer_set_state(&twin->writer, AVRING_STATE_GONE);
		avring_twin_ring(twin);
		close(twin->bell);
	}
	if (twin->fd >= 0)
		close(twin->fd);
}

static int avring_twin_begin(struct avring_producer *producer, size_t length, void **data)
{
	struct avring_twin_producer *twin = avring_twin_of(producer);
	const struct avring_view *view = producer->view;
	uint64_t end;

	if (!length || length > view->frame_bytes)
		return -EINVAL;
	twin->position = avring_align(twin->writer.head, view->align);
	twin->room = length;
	end = twin->position + length;
	avring_writer_give_up(&twin->writer, end > view->length ? end - view->length : 0, 1);
	*data = twin->data + twin->position % view->length;
	return 0;
}

/* Later than the last one, whatever the caller says. */
static int avring_twin_time(struct avring_twin_producer *twin, uint64_t *time_ns)
{
	if (!*time_ns)
		*time_ns = avring_max(avring_now_ns(), twin->time_ns + 1);
	if (*time_ns <= twin->time_ns)
		return -EINVAL;
	twin->time_ns = *time_ns;
	return 0;
}

static int avring_twin_commit(struct avring_producer *producer, size_t length, uint64_t time_ns)
{
	struct avring_twin_producer *twin = avring_twin_of(producer);
	const struct avring_audio_format *audio = &producer->format.audio;
	bool sound = producer->format.stream == AVRING_STREAM_AUDIO;
	struct avring_entry entry = { .position = twin->position, .length = length };
	int error;

	if (!length || length > twin->room || (sound && length % audio->frame_bytes))
		return -EINVAL;
	error = avring_twin_time(twin, &time_ns);
	if (error)
		return error;
	entry.time_ns = time_ns;
	entry.event = twin->sequence;
	entry.sequence = twin->sequence;
	entry.count = sound ? length / audio->frame_bytes : 1;
	twin->sequence += entry.count;
	twin->room = 0;
	avring_writer_publish(&twin->writer, &entry);
	avring_twin_ring(twin);
	return 0;
}

static int avring_twin_producer_fd(const struct avring_producer *producer)
{
	return avring_twin_of(producer)->fd;
}

const struct avring_producer_backend avring_twin_producer = {
	.state_size = sizeof(struct avring_twin_producer),
	.open = avring_twin_open_producer,
	.close = avring_twin_close_producer,
	.begin = avring_twin_begin,
	.commit = avring_twin_commit,
	.fd = avring_twin_producer_fd,
};
