// SPDX-License-Identifier: MIT
/* Pages of avring and of others. See memory.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "memory.h"

static void one_piece(struct memory *memory, int fd, size_t bytes, off_t offset)
{
	memory->fd = fd;
	memory->prot = PROT_READ;
	memory->flags = MAP_SHARED;
	memory->n_pieces = 1;
	memory->pieces[0].bytes = bytes;
	memory->pieces[0].offset = offset;
}

static int make_ring(struct memory *memory, const struct bench *bench, size_t bytes)
{
	int err = ring_open(&memory->ring, bench->card);

	if (err)
		return err;
	err = ring_setup(&memory->ring, AVRING_STREAM_VIDEO, bytes, 0);
	if (!err)
		err = ring_attach(&memory->ring, AVRING_STREAM_VIDEO);
	if (err)
		ring_close(&memory->ring);
	else
		one_piece(memory, memory->ring.fd, memory->ring.attach.length,
			  memory->ring.attach.data_offset);
	return err;
}

static int make_ring_linear(struct memory *memory, const struct bench *bench, size_t bytes)
{
	int err = make_ring(memory, bench, bytes);

	memory->pieces[0].bytes = memory->ring.attach.data_size;
	return err;
}

static void release_ring(struct memory *memory)
{
	ring_close(&memory->ring);
}

const struct memory_maker memory_ring = {
	.who = BENCH_AVRING,
	.missing = "no ring node",
	.make = make_ring,
	.release = release_ring,
};

const struct memory_maker memory_ring_linear = {
	.who = BENCH_AVRING,
	.missing = "no ring node",
	.make = make_ring_linear,
	.release = release_ring,
};

/* As many buffers as there may be: less than was asked for, and never one mapping. */
static int make_vivid(struct memory *memory, const struct bench *bench, size_t bytes)
{
	struct camera *camera = &memory->camera;
	size_t wanted = bytes / camera_frame_bytes(&camera_720p);
	char path[64];
	int err;

	(void)bench;
	err = camera_find("vivid-*-vid-cap", path, sizeof(path));
	if (!err)
		err = camera_open(camera, path, V4L2_BUF_TYPE_VIDEO_CAPTURE, &camera_720p, 0);
	if (err)
		return err;
	err = camera_request(camera, wanted < CAMERA_BUFFERS ? wanted + 1 : CAMERA_BUFFERS);
	if (err) {
		camera_close(camera);
		return err;
	}
	one_piece(memory, camera->fd, 0, 0);
	memory->n_pieces = camera->n_buffers;
	for (size_t i = 0; i < camera->n_buffers; i++) {
		memory->pieces[i].bytes = camera->lengths[i];
		memory->pieces[i].offset = camera->offsets[i];
	}
	return 0;
}

static void release_vivid(struct memory *memory)
{
	camera_close(&memory->camera);
}

const struct memory_maker memory_vivid = {
	.who = "vivid",
	.missing = "vivid is not loaded",
	.make = make_vivid,
	.release = release_vivid,
};

static int make_memfd(struct memory *memory, const struct bench *bench, size_t bytes)
{
	int fd = memfd_create("avring-bench", MFD_CLOEXEC);

	(void)bench;
	if (fd < 0)
		return -errno;
	/* All pages are there before anything is measured, as in a driver. */
	if (ftruncate(fd, bytes) || fallocate(fd, 0, 0, bytes)) {
		int err = -errno;

		close(fd);
		return err;
	}
	one_piece(memory, fd, bytes, 0);
	memory->twice = true;
	return 0;
}

static void release_memfd(struct memory *memory)
{
	close(memory->fd);
}

const struct memory_maker memory_twins = {
	.who = "memfd, MAP_FIXED twice",
	.missing = "no memfd",
	.make = make_memfd,
	.release = release_memfd,
};

static int make_anonymous(struct memory *memory, const struct bench *bench, size_t bytes)
{
	(void)bench;
	one_piece(memory, -1, bytes, 0);
	memory->prot = PROT_READ | PROT_WRITE;
	memory->flags = MAP_PRIVATE | MAP_ANONYMOUS;
	return 0;
}

static void release_nothing(struct memory *memory)
{
	(void)memory;
}

const struct memory_maker memory_anonymous = {
	.who = "anonymous THP",
	.missing = "no memory",
	.make = make_anonymous,
	.release = release_nothing,
};

static char *map_piece(const struct memory *memory, const struct memory_piece *piece, char *where)
{
	char *start = mmap(where, piece->bytes, memory->prot,
			   memory->flags | (where ? MAP_FIXED : 0), memory->fd, piece->offset);

	return start == MAP_FAILED ? NULL : start;
}

/* Reserve the range, then put both images into it. */
static int map_twice(const struct memory *memory, struct memory_piece *piece)
{
	char *start = mmap(NULL, 2 * piece->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		return -errno;
	if (map_piece(memory, piece, start) && map_piece(memory, piece, start + piece->bytes)) {
		piece->start = start;
		return 0;
	}
	munmap(start, 2 * piece->bytes);
	return -ENOMEM;
}

int memory_map(struct memory *memory)
{
	if (memory->twice)
		return map_twice(memory, &memory->pieces[0]);
	for (size_t i = 0; i < memory->n_pieces; i++) {
		memory->pieces[i].start = map_piece(memory, &memory->pieces[i], NULL);
		if (!memory->pieces[i].start)
			return -errno;
	}
	return 0;
}

static size_t piece_mapped(const struct memory *memory, size_t i)
{
	return memory->pieces[i].bytes * (memory->twice ? 2 : 1);
}

void memory_unmap(struct memory *memory)
{
	for (size_t i = 0; i < memory->n_pieces; i++) {
		if (memory->pieces[i].start)
			munmap(memory->pieces[i].start, piece_mapped(memory, i));
		memory->pieces[i].start = NULL;
	}
}

void memory_touch(const struct memory *memory)
{
	for (size_t i = 0; i < memory->n_pieces; i++) {
		const volatile char *start = memory->pieces[i].start;

		for (size_t at = 0; at < piece_mapped(memory, i); at += BENCH_PAGE)
			(void)start[at];
	}
}

size_t memory_mapped(const struct memory *memory)
{
	size_t bytes = 0;

	for (size_t i = 0; i < memory->n_pieces; i++)
		bytes += piece_mapped(memory, i);
	return bytes;
}
