// SPDX-License-Identifier: MIT
/* A V4L2 node with MMAP buffers. See camera.h. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "camera.h"

const struct camera_size camera_720p = { "1280x720 YUYV", 1280, 720 };

static int camera_ioctl(const struct camera *camera, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(camera->fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

static bool has_name(const char *path, const char *pattern)
{
	char name[100] = "";
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	return fnmatch(pattern, name, 0) == 0;
}

int camera_find(const char *pattern, char *path, size_t bytes)
{
	const char *node = NULL;
	glob_t names;
	int n;

	if (glob("/sys/class/video4linux/video*/name", 0, NULL, &names))
		return -ENODEV;
	for (size_t i = 0; i < names.gl_pathc && !node; i++)
		if (has_name(names.gl_pathv[i], pattern))
			node = names.gl_pathv[i] + strlen("/sys/class/video4linux/");
	n = node ? snprintf(path, bytes, "/dev/%.*s", (int)strcspn(node, "/"), node) : 0;
	globfree(&names);
	return n > 0 && (size_t)n < bytes ? 0 : -ENODEV;
}

static int set_format(struct camera *camera, const struct camera_size *size)
{
	struct v4l2_format format = { .type = camera->type };
	int err;

	format.fmt.pix.width = size->width;
	format.fmt.pix.height = size->height;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	err = camera_ioctl(camera, VIDIOC_S_FMT, &format);
	camera->frame_bytes = format.fmt.pix.sizeimage;
	if (!err && (format.fmt.pix.width != size->width || format.fmt.pix.height != size->height ||
		     format.fmt.pix.pixelformat != V4L2_PIX_FMT_YUYV))
		err = -EINVAL;
	return err;
}

static int set_rate(struct camera *camera, unsigned int fps)
{
	struct v4l2_streamparm parm = { .type = camera->type };

	parm.parm.capture.timeperframe.numerator = 1;
	parm.parm.capture.timeperframe.denominator = fps;
	return camera_ioctl(camera, VIDIOC_S_PARM, &parm);
}

int camera_open(struct camera *camera, const char *path, uint32_t type,
		const struct camera_size *size, unsigned int fps)
{
	int err;

	memset(camera, 0, sizeof(*camera));
	camera->type = type;
	camera->fd = open(path, O_RDWR | O_CLOEXEC);
	if (camera->fd < 0)
		return -errno;
	err = set_format(camera, size);
	if (!err && fps)
		err = set_rate(camera, fps);
	if (err)
		camera_close(camera);
	return err;
}

int camera_request(struct camera *camera, unsigned int buffers)
{
	struct v4l2_requestbuffers request = { .count = buffers,
					       .type = camera->type,
					       .memory = V4L2_MEMORY_MMAP };
	int err = camera_ioctl(camera, VIDIOC_REQBUFS, &request);

	for (uint32_t i = 0; !err && i < request.count && i < CAMERA_BUFFERS; i++) {
		struct v4l2_buffer buffer = { .index = i, .type = camera->type };

		err = camera_ioctl(camera, VIDIOC_QUERYBUF, &buffer);
		camera->lengths[i] = buffer.length;
		camera->offsets[i] = buffer.m.offset;
		camera->n_buffers = i + 1;
	}
	return err;
}

int camera_map(struct camera *camera)
{
	for (unsigned int i = 0; i < camera->n_buffers; i++) {
		void *start = mmap(NULL, camera->lengths[i], PROT_READ | PROT_WRITE, MAP_SHARED,
				   camera->fd, camera->offsets[i]);

		if (start == MAP_FAILED)
			return -errno;
		camera->buffers[i] = start;
	}
	return 0;
}

int camera_start(struct camera *camera)
{
	int type = camera->type;
	int err = camera_map(camera);

	for (uint32_t i = 0; !err && i < camera->n_buffers; i++) {
		struct v4l2_buffer buffer = { .index = i,
					      .type = camera->type,
					      .memory = V4L2_MEMORY_MMAP,
					      .bytesused = camera->frame_bytes };

		if (camera->type == V4L2_BUF_TYPE_VIDEO_CAPTURE)
			err = camera_queue(camera, &buffer);
	}
	return err ? err : camera_ioctl(camera, VIDIOC_STREAMON, &type);
}

int camera_dequeue(struct camera *camera, struct v4l2_buffer *buffer)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->type = camera->type;
	buffer->memory = V4L2_MEMORY_MMAP;
	return camera_ioctl(camera, VIDIOC_DQBUF, buffer);
}

int camera_queue(struct camera *camera, struct v4l2_buffer *buffer)
{
	return camera_ioctl(camera, VIDIOC_QBUF, buffer);
}

void camera_close(struct camera *camera)
{
	for (unsigned int i = 0; i < camera->n_buffers; i++)
		if (camera->buffers[i])
			munmap(camera->buffers[i], camera->lengths[i]);
	if (camera->fd >= 0)
		close(camera->fd);
	memset(camera, 0, sizeof(*camera));
	camera->fd = -1;
}
