// SPDX-License-Identifier: MIT
/*
 * A file that grows by large writes. See file.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../tool.h"
#include "claim.h"
#include "file.h"

/* What O_DIRECT is satisfied with everywhere, for kernels that do not say. */
#define RECORD_FILE_BLOCK 4096

/* So long does a pipe that is full get to take the rest of a frame. */
#define RECORD_FILE_PATIENCE_MS 1000

/* Who appends stands at the end, wherever the file descriptor does. */
static int record_file_look(struct record_file *file, bool is_stdout)
{
	off_t begin = lseek(file->fd, 0, SEEK_CUR);
	int flags = fcntl(file->fd, F_GETFL);
	struct stat stat;

	if (flags < 0 || fstat(file->fd, &stat))
		return -errno;
	file->is_regular = S_ISREG(stat.st_mode);
	file->is_stream = begin < 0 || is_stdout;
	if (file->is_regular && flags & O_APPEND)
		begin = stat.st_size;
	file->begin = begin < 0 ? 0 : begin;
	return 0;
}

int record_file_open(struct record_file *file, const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	int fd;

	*file = (struct record_file){
		.path = is_stdout ? "stdout" : path,
		.fd = -1,
		.block = 1,
		.align = 1,
	};
	fd = is_stdout ? STDOUT_FILENO : record_claim_open(path, &file->is_new);
	if (fd < 0)
		return fd;
	file->fd = fd;
	return record_file_look(file, is_stdout);
}

int record_file_empty(struct record_file *file)
{
	if (file->is_stream || !file->is_regular)
		return 0;
	return ftruncate(file->fd, 0) ? -errno : 0;
}

void record_file_abandon(struct record_file *file)
{
	if (file->fd < 0)
		return;
	if (file->is_new)
		unlink(file->path);
	if (file->fd != STDOUT_FILENO)
		close(file->fd);
	file->fd = -1;
}

/*
 * EINVAL: not at such addresses or offsets after all. EFAULT: memory without pages that a
 * disk could write from, as that of some devices.
 */
bool record_file_is_refusal(int error)
{
	return error == -EINVAL || error == -EFAULT;
}

static int record_file_set_direct(struct record_file *file, bool direct)
{
	int flags = fcntl(file->fd, F_GETFL);

	if (flags < 0 || fcntl(file->fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT))
		return -errno;
	return 0;
}

int record_file_go_direct(struct record_file *file)
{
	uint32_t block = RECORD_FILE_BLOCK, align = RECORD_FILE_BLOCK;
	struct statx statx_;
	int error;

	if (file->is_stream)
		return -ESPIPE;
	/* Since Linux 6.1, where the file system has it; 0: this file cannot. */
	if (!statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &statx_) &&
	    (statx_.stx_mask & STATX_DIOALIGN)) {
		block = statx_.stx_dio_offset_align;
		align = statx_.stx_dio_mem_align;
	}
	if (!block || !align)
		return -EOPNOTSUPP;
	error = record_file_set_direct(file, true);
	if (error)
		return error;
	file->block = block;
	file->align = align;
	return 0;
}

void record_file_go_buffered(struct record_file *file)
{
	record_file_set_direct(file, false);
	file->block = 1;
	file->align = 1;
}

bool record_file_fits(const struct record_file *file, const void *data)
{
	return (uintptr_t)data % file->align == 0 && file->written % file->block == 0;
}

/*
 * The end was asked for while a pipe is full. What is left of the frame may
 * follow as long as somebody reads; poll() promises room for PIPE_BUF bytes, so
 * that the write does not block.
 */
static ssize_t record_file_write_patiently(struct record_file *file, const void *data,
					   size_t length)
{
	struct pollfd poll_ = { .fd = file->fd, .events = POLLOUT };
	int ready;

	do {
		ready = poll(&poll_, 1, RECORD_FILE_PATIENCE_MS);
	} while (ready < 0 && errno == EINTR && tool_signals() < 2);
	if (ready < 0)
		return -1;
	if (!ready) {
		errno = ETIMEDOUT;
		return -1;
	}
	return write(file->fd, data, length < PIPE_BUF ? length : PIPE_BUF);
}

static ssize_t record_file_write_once(struct record_file *file, const void *data, size_t length)
{
	if (!file->is_stream)
		return pwrite(file->fd, data, length, file->written);
	if (tool_signals())
		return record_file_write_patiently(file, data, length);
	return write(file->fd, data, length);
}

/* Somebody has left a pipe in non-blocking mode. */
static int record_file_wait(struct record_file *file)
{
	struct pollfd poll_ = { .fd = file->fd, .events = POLLOUT };

	return poll(&poll_, 1, RECORD_FILE_PATIENCE_MS) < 0 && errno != EINTR ? -errno : 0;
}

int record_file_write(struct record_file *file, const void *data, size_t length)
{
	const char *from = data;
	ssize_t done;
	int error = 0;

	while (length && !error) {
		done = record_file_write_once(file, from, length);
		if (done < 0) {
			if (errno == EAGAIN)
				error = record_file_wait(file);
			else if (errno != EINTR)
				error = -errno;
			continue;
		}
		/* Not even an error: a device that takes nothing more. */
		if (!done)
			return -ENOSPC;
		file->written += done;
		from += done;
		length -= done;
		/* A disk that is full may take less than whole blocks. */
		if (file->written % file->block)
			record_file_go_buffered(file);
	}
	return error;
}

/* What a full disk or a signal leaves over goes the way of single writes. */
int record_file_write_pair(struct record_file *file, const void *first, size_t first_length,
			   const void *second, size_t second_length)
{
	struct iovec parts[] = { { (void *)first, first_length },
				 { (void *)second, second_length } };
	ssize_t done = 0;
	size_t head;

	if (!file->is_stream)
		done = pwritev(file->fd, parts, 2, file->written);
	else if (!tool_signals())
		done = writev(file->fd, parts, 2);
	if (done < 0)
		done = 0;
	file->written += done;
	head = (size_t)done < first_length ? (size_t)done : first_length;
	done -= head;
	return record_file_write(file, (const char *)first + head, first_length - head) ?:
		       record_file_write(file, (const char *)second + done, second_length - done);
}

int record_file_write_tail(struct record_file *file, const void *data, size_t length)
{
	uint64_t end = file->written + length;
	int error = record_file_write(file, data, file->block);

	if (error && file->written < end)
		return error;
	file->written = end;
	return 0;
}

int record_file_cut(struct record_file *file, uint64_t length)
{
	struct stat stat;

	/* Behind what was written into stdout stands only what others have written. */
	if (!file->is_regular || (file->is_stream && file->written <= length))
		return 0;
	length += file->begin;
	if (fstat(file->fd, &stat))
		return -errno;
	if ((uint64_t)stat.st_size <= length)
		return 0;
	/* Whoever else has stdout open goes on behind the last frame. */
	if (ftruncate(file->fd, length) ||
	    (file->is_stream && lseek(file->fd, length, SEEK_SET) < 0))
		return -errno;
	return 0;
}

int record_file_close(struct record_file *file)
{
	int error = 0;

	if (file->fd < 0)
		return 0;
	/* A disk that fails says so for buffered writes only now. Pipes have no such thing. */
	if (!file->is_stream && fdatasync(file->fd) && errno != EINVAL && errno != EROFS)
		error = -errno;
	if (file->fd != STDOUT_FILENO && close(file->fd) && !error)
		error = -errno;
	file->fd = -1;
	return error;
}
