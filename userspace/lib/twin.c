// SPDX-License-Identifier: MIT
/*
 * twin: reads a ring in memory. See twin.h.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "twin.h"

/* More is not a ring but a broken header. */
#define AVRING_TWIN_MAX_ENTRIES (1ULL << 24)

/**
 * struct avring_twin_state - private part of a reader
 * @fd: our own descriptor of the memfd
 * @bell: inotify, or -errno
 */
struct avring_twin_state {
	int fd;
	int bell;
};

static struct avring_twin_state *avring_twin(const struct avring_reader *reader)
{
	return (struct avring_twin_state *)reader->state;
}

void avring_twin_path(int fd, char path[AVRING_TWIN_PATH_SIZE])
{
	snprintf(path, AVRING_TWIN_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* Is [offset, offset + size) within @end? Never adds. */
static bool avring_twin_within(uint64_t offset, uint64_t size, uint64_t end)
{
	return offset <= end && size <= end - offset;
}

/* All that is used of the header later; nothing of it is trusted. */
static int avring_twin_check(const struct avring_twin_header *header, uint64_t file_size)
{
	const uint64_t page = avring_page_size();
	uint64_t index_size = header->entries * sizeof(struct avring_entry);
	struct avring_stream_format format = header->format;

	if (header->magic != AVRING_TWIN_MAGIC || header->version != AVRING_TWIN_VERSION)
		return -EPROTO;
	if (!avring_is_power_of_two(header->entries) || header->entries > AVRING_TWIN_MAX_ENTRIES)
		return -EPROTO;
	if (!avring_is_power_of_two(header->align) || header->align > page)
		return -EPROTO;
	if (!header->length || header->length % page || header->data_offset % page ||
	    header->control_offset % page || header->index_offset % sizeof(uint64_t) ||
	    !avring_twin_within(header->data_offset, header->length, file_size) ||
	    !avring_twin_within(header->index_offset, index_size, header->data_offset) ||
	    !avring_twin_within(header->control_offset, sizeof(struct avring_control),
				header->index_offset))
		return -EPROTO;
	if (header->frame_bytes > header->length || avring_format_complete(&format) ||
	    avring_format_frame_bytes(&format) != header->frame_bytes)
		return -EPROTO;
	return 0;
}

/* A file that can shrink would end us with SIGBUS. */
static int avring_twin_size(int fd, uint64_t *size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat stat;

	if (seals < 0)
		return errno == EBADF ? -EBADF : -EOPNOTSUPP;
	if (!(seals & F_SEAL_SHRINK))
		return -EPERM;
	if (fstat(fd, &stat))
		return avring_errno();
	*size = stat.st_size;
	return 0;
}

static int avring_twin_header(int fd, struct avring_twin_header *header)
{
	uint64_t size;
	ssize_t got;
	int error = avring_twin_size(fd, &size);

	if (error)
		return error;
	got = pread(fd, header, sizeof(*header), 0);
	if (got < 0)
		return avring_errno();
	return got == sizeof(*header) ? avring_twin_check(header, size) : -EPROTO;
}

static int avring_twin_map(struct avring_reader *reader, int fd,
			   const struct avring_twin_header *header)
{
	struct avring_view *view = avring_view_new();
	void *start, *data;
	int error;

	if (!view)
		return -ENOMEM;
	reader->view = view;
	error = avring_view_map(view, fd, 0, header->data_offset, PROT_READ, &start);
	if (!error)
		error = avring_view_mirror(view, fd, header->data_offset, header->length, PROT_READ,
					   &data);
	if (error)
		return error;
	view->control = (void *)((unsigned char *)start + header->control_offset);
	view->index = (void *)((unsigned char *)start + header->index_offset);
	view->data = data;
	view->length = header->length;
	view->entries = header->entries;
	view->frame_bytes = header->frame_bytes;
	view->generation = view->control->generation;
	view->align = header->align;
	return avring_view_own_held(view);
}

/* The lock goes with the producer. */
static bool avring_twin_has_producer(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) || lock.l_type != F_UNLCK;
}

static int avring_twin_listen(int fd)
{
	char path[AVRING_TWIN_PATH_SIZE];
	int bell = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), error;

	if (bell < 0)
		return avring_errno();
	avring_twin_path(fd, path);
	if (inotify_add_watch(bell, path, IN_ACCESS | IN_CLOSE_NOWRITE) < 0) {
		error = avring_errno();
		close(bell);
		return error;
	}
	return bell;
}

static int avring_twin_open(struct avring_reader *reader, const char *device, int fd)
{
	struct avring_twin_state *twin = avring_twin(reader);
	struct avring_twin_header header;
	const struct avring_control *control;
	int error;

	(void)device;
	twin->bell = -EBADF;
	twin->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (twin->fd < 0)
		return avring_errno();
	error = avring_twin_header(twin->fd, &header);
	if (!error && !avring_options_met(&reader->options, &header.format))
		error = -EINVAL;
	if (!error)
		error = avring_twin_map(reader, twin->fd, &header);
	if (error)
		return error;
	reader->format = header.format;
	control = reader->view->control;
	reader->next = reader->options.oldest ? avring_load_acquire(&control->tail_entry) :
						avring_load_acquire(&control->head_entry);
	/* Without a bell there is still reading, but no waiting. */
	twin->bell = avring_twin_listen(twin->fd);
	if (!avring_twin_has_producer(twin->fd))
		reader->gone |= AVRING_STATE_GONE;
	return 0;
}

static void avring_twin_close(struct avring_reader *reader)
{
	struct avring_twin_state *twin = avring_twin(reader);

	if (twin->bell >= 0)
		close(twin->bell);
	if (twin->fd >= 0)
		close(twin->fd);
}

/* Forget what rang up to now; what it rang for is looked at afterwards. */
static int avring_twin_hush(struct avring_reader *reader)
{
	struct avring_twin_state *twin = avring_twin(reader);
	struct inotify_event events[16];
	uint32_t heard = 0;
	ssize_t got;

	if (twin->bell < 0)
		return twin->bell;
	while ((got = read(twin->bell, events, sizeof(events))) > 0)
		for (size_t i = 0; i < got / sizeof(events[0]); i++)
			heard |= events[i].mask;
	if (got < 0 && errno != EAGAIN)
		return avring_errno();
	if (heard & (IN_CLOSE_NOWRITE | IN_Q_OVERFLOW) && !avring_twin_has_producer(twin->fd))
		reader->gone |= AVRING_STATE_GONE;
	return 0;
}

static int avring_twin_wait(struct avring_reader *reader, const struct avring_need *need,
			    uint64_t deadline_ns)
{
	int result = avring_twin_hush(reader);

	if (result)
		return result;
	if (avring_walk_ready(reader, need))
		return 0;
	result = avring_poll_until(avring_twin(reader)->bell, POLLIN, deadline_ns);
	return result < 0 ? result : 1;
}

static int avring_twin_arm(struct avring_reader *reader, const struct avring_need *need)
{
	int error = avring_twin_hush(reader);

	return error ?: avring_walk_ready(reader, need);
}

static int avring_twin_fd(const struct avring_reader *reader)
{
	return avring_twin(reader)->bell;
}

const struct avring_backend avring_twin_backend = {
	.state_size = sizeof(struct avring_twin_state),
	.open = avring_twin_open,
	.close = avring_twin_close,
	.wait = avring_twin_wait,
	.arm = avring_twin_arm,
	.fd = avring_twin_fd,
};
