/* SPDX-License-Identifier: MIT */
/*
 * camera: a V4L2 capture node with MMAP buffers, used as one uses it without
 * avring: DQBUF, do something, QBUF.
 */
#ifndef BENCH_CAMERA_H
#define BENCH_CAMERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/videodev2.h>

#define CAMERA_BUFFERS 32

/* A picture format of the benchmarks: YUYV. */
struct camera_size {
	const char *name;
	uint32_t width;
	uint32_t height;
};

extern const struct camera_size camera_720p;

static inline size_t camera_frame_bytes(const struct camera_size *size)
{
	return (size_t)size->width * size->height * 2;
}

/**
 * struct camera - an open node
 * @fd: file descriptor, -1 if it is closed
 * @type: V4L2_BUF_TYPE_VIDEO_CAPTURE or _OUTPUT
 * @frame_bytes: of a frame
 * @n_buffers: how many
 * @buffers: their mappings, NULL if not mapped
 * @lengths: their bytes
 * @offsets: their offsets for mmap()
 */
struct camera {
	int fd;
	uint32_t type;
	size_t frame_bytes;
	unsigned int n_buffers;
	char *buffers[CAMERA_BUFFERS];
	size_t lengths[CAMERA_BUFFERS];
	uint32_t offsets[CAMERA_BUFFERS];
};

/*
 * Path of the first node whose name in sysfs matches the shell pattern; -ENODEV.
 * Functions return 0 or a negative errno.
 */
int camera_find(const char *pattern, char *path, size_t bytes);

/* Open, set YUYV of this size and @fps frames per second (0: leave the rate). */
int camera_open(struct camera *camera, const char *path, uint32_t type,
		const struct camera_size *size, unsigned int fps);
int camera_request(struct camera *camera, unsigned int buffers);
int camera_map(struct camera *camera);
/* Map all, queue all (of a capture node), stream. */
int camera_start(struct camera *camera);
int camera_dequeue(struct camera *camera, struct v4l2_buffer *buffer);
int camera_queue(struct camera *camera, struct v4l2_buffer *buffer);
void camera_close(struct camera *camera);

#endif
