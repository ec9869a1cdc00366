// SPDX-License-Identifier: MIT
/*
 * device: find a card's nodes by name, and stream from or to one of them.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/media.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "device.h"

/* One line of a sysfs file without its newline. */
static int sysfs_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int sysfs_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* Find the video node of this name. */
static int card_find_video(const char *name, char *node, size_t size)
{
	DIR *folder = opendir("/sys/class/video4linux");
	struct dirent *entry;
	char path[320], text[128];
	int error = -ENODEV;

	if (!folder)
		return -ENODEV;
	while (error && (entry = readdir(folder))) {
		snprintf(path, sizeof(path), "/sys/class/video4linux/%s/name", entry->d_name);
		if (sysfs_read(path, text, sizeof(text)) || strcmp(text, name))
			continue;
		snprintf(node, size, "/dev/%.16s", entry->d_name);
		error = 0;
	}
	closedir(folder);
	return error;
}

static bool card_is_media(const char *node, const char *model)
{
	struct media_device_info info;
	int fd = open(node, O_RDWR | O_CLOEXEC);
	bool found;

	if (fd < 0)
		return false;
	found = !ioctl(fd, MEDIA_IOC_DEVICE_INFO, &info) && !strcmp(info.model, model);
	close(fd);
	return found;
}

static void card_find_media(const char *model, char *node, size_t size)
{
	int i;

	for (i = 0; i < 64; i++) {
		snprintf(node, size, "/dev/media%d", i);
		if (card_is_media(node, model))
			return;
	}
	node[0] = '\0';
}

int card_find(unsigned int number, struct card *card)
{
	char name[32];
	int error;

	memset(card, 0, sizeof(*card));
	card->number = number;
	snprintf(card->platform, sizeof(card->platform), "avring.%u", number);
	snprintf(card->alsa, sizeof(card->alsa), "hw:avring%u", number);
	snprintf(name, sizeof(name), "avring %u", number);
	card_find_media(name, card->media, sizeof(card->media));
	snprintf(name, sizeof(name), "avring %u capture", number);
	error = card_find_video(name, card->capture, sizeof(card->capture));
	if (error)
		return error;
	/* A PCI card has none. */
	snprintf(name, sizeof(name), "avring %u output", number);
	if (card_find_video(name, card->output, sizeof(card->output)))
		card->output[0] = '\0';
	return 0;
}

unsigned int card_count(void)
{
	struct card card;
	unsigned int n = 0;

	while (!card_find(n, &card))
		n++;
	return n;
}

const char *card_missing(void)
{
	struct card card;

	return card_find(0, &card) ? "no card: no video node \"avring 0 capture\"" : NULL;
}

long card_live_stores(void)
{
	long value;

	return card_parameter_get("live_stores", &value) ? -1 : value;
}

int card_bind(const struct card *card)
{
	return sysfs_write(CARD_DRIVER_DIR "/bind", card->platform);
}

int card_unbind(const struct card *card)
{
	return sysfs_write(CARD_DRIVER_DIR "/unbind", card->platform);
}

int card_parameter_get(const char *name, long *value)
{
	char path[128], text[64];
	int error;

	snprintf(path, sizeof(path), CARD_PARAMETER_DIR "/%s", name);
	error = sysfs_read(path, text, sizeof(text));
	if (!error)
		*value = strtol(text, NULL, 0);
	return error;
}

int card_parameter_set(const char *name, long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), CARD_PARAMETER_DIR "/%s", name);
	snprintf(text, sizeof(text), "%ld", value);
	return sysfs_write(path, text);
}

int video_ioctl(int fd, unsigned long request, void *arg)
{
	int result;

	do {
		result = ioctl(fd, request, arg);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

int video_open(struct video *video, const char *path)
{
	struct v4l2_capability cap;
	int error;

	memset(video, 0, sizeof(*video));
	video->fd = open(path, O_RDWR | O_CLOEXEC);
	if (video->fd < 0)
		return -errno;
	error = video_ioctl(video->fd, VIDIOC_QUERYCAP, &cap);
	if (error) {
		video_close(video);
		return error;
	}
	video->type = cap.device_caps & V4L2_CAP_VIDEO_OUTPUT ? V4L2_BUF_TYPE_VIDEO_OUTPUT :
								V4L2_BUF_TYPE_VIDEO_CAPTURE;
	return 0;
}

void video_close(struct video *video)
{
	video_unmap(video);
	if (video->fd >= 0)
		close(video->fd);
	video->fd = -1;
	video->n_buffers = 0;
}

int video_set_format(struct video *video, uint32_t fourcc, uint32_t width, uint32_t height)
{
	struct v4l2_format format = { .type = video->type };
	int error;

	format.fmt.pix.pixelformat = fourcc;
	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	error = video_ioctl(video->fd, VIDIOC_S_FMT, &format);
	if (error)
		return error;
	video->pix = format.fmt.pix;
	if (video->pix.pixelformat != fourcc || video->pix.width != width ||
	    video->pix.height != height)
		return -EINVAL;
	return 0;
}

int video_set_rate(struct video *video, uint32_t num, uint32_t den)
{
	struct v4l2_streamparm parm = { .type = video->type };

	/* Capture and output parameters share their layout up to timeperframe. */
	parm.parm.capture.timeperframe.numerator = den;
	parm.parm.capture.timeperframe.denominator = num;
	return video_ioctl(video->fd, VIDIOC_S_PARM, &parm);
}

int video_set_input(struct video *video, int input)
{
	return video_ioctl(video->fd, VIDIOC_S_INPUT, &input);
}

static bool video_control_is_64(struct video *video, uint32_t id)
{
	struct v4l2_query_ext_ctrl query = { .id = id };

	return !video_ioctl(video->fd, VIDIOC_QUERY_EXT_CTRL, &query) &&
	       query.type == V4L2_CTRL_TYPE_INTEGER64;
}

static int video_control(struct video *video, unsigned long request, uint32_t id, int64_t *value)
{
	bool wide = video_control_is_64(video, id);
	struct v4l2_ext_control control = { .id = id };
	struct v4l2_ext_controls controls = { .which = V4L2_CTRL_WHICH_CUR_VAL,
					      .count = 1,
					      .controls = &control };
	int error;

	if (wide)
		control.value64 = *value;
	else
		control.value = *value;
	error = video_ioctl(video->fd, request, &controls);
	if (!error)
		*value = wide ? control.value64 : control.value;
	return error;
}

int video_get_control(struct video *video, uint32_t id, int64_t *value)
{
	*value = 0;
	return video_control(video, VIDIOC_G_EXT_CTRLS, id, value);
}

int video_set_control(struct video *video, uint32_t id, int64_t value)
{
	return video_control(video, VIDIOC_S_EXT_CTRLS, id, &value);
}

int video_query(struct video *video, unsigned int index)
{
	struct v4l2_buffer buffer = { .index = index,
				      .type = video->type,
				      .memory = V4L2_MEMORY_MMAP };
	int error = video_ioctl(video->fd, VIDIOC_QUERYBUF, &buffer);

	if (error)
		return error;
	video->buffers[index].start = NULL;
	video->buffers[index].length = buffer.length;
	video->buffers[index].offset = buffer.m.offset;
	return 0;
}

int video_request(struct video *video, unsigned int count)
{
	struct v4l2_requestbuffers request = { .count = count,
					       .type = video->type,
					       .memory = V4L2_MEMORY_MMAP };
	int error = video_ioctl(video->fd, VIDIOC_REQBUFS, &request);

	if (error)
		return error;
	if (request.count > VIDEO_BUFFERS)
		return -E2BIG;
	for (video->n_buffers = 0; video->n_buffers < request.count; video->n_buffers++) {
		error = video_query(video, video->n_buffers);
		if (error)
			return error;
	}
	return 0;
}

int video_map(struct video *video, int prot)
{
	unsigned int i;

	for (i = 0; i < video->n_buffers; i++) {
		struct video_buffer *buffer = &video->buffers[i];
		void *start = mmap(NULL, buffer->length, prot, MAP_SHARED, video->fd,
				   buffer->offset);

		if (start == MAP_FAILED)
			return -errno;
		buffer->start = start;
	}
	return 0;
}

void video_unmap(struct video *video)
{
	unsigned int i;

	for (i = 0; i < video->n_buffers; i++) {
		if (video->buffers[i].start)
			munmap(video->buffers[i].start, video->buffers[i].length);
		video->buffers[i].start = NULL;
	}
}

int video_queue(struct video *video, unsigned int index)
{
	struct v4l2_buffer buffer = { .index = index,
				      .type = video->type,
				      .memory = V4L2_MEMORY_MMAP,
				      .field = V4L2_FIELD_NONE,
				      .bytesused = video->pix.sizeimage };

	return video_ioctl(video->fd, VIDIOC_QBUF, &buffer);
}

int video_queue_all(struct video *video)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < video->n_buffers && !error; i++)
		error = video_queue(video, i);
	return error;
}

int video_request_dmabufs(struct video *video, unsigned int count)
{
	struct v4l2_requestbuffers request = { .count = count,
					       .type = video->type,
					       .memory = V4L2_MEMORY_DMABUF };

	return video_ioctl(video->fd, VIDIOC_REQBUFS, &request);
}

int video_queue_dmabuf(struct video *video, int dmabuf, size_t length)
{
	struct v4l2_buffer buffer = { .type = video->type,
				      .memory = V4L2_MEMORY_DMABUF,
				      .m.fd = dmabuf,
				      .field = V4L2_FIELD_NONE,
				      .bytesused = video->pix.sizeimage,
				      .length = length };

	return video_ioctl(video->fd, VIDIOC_QBUF, &buffer);
}

int video_dequeue(struct video *video, struct v4l2_buffer *buffer)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->type = video->type;
	buffer->memory = V4L2_MEMORY_MMAP;
	return video_ioctl(video->fd, VIDIOC_DQBUF, buffer);
}

int video_start(struct video *video)
{
	return video_ioctl(video->fd, VIDIOC_STREAMON, &video->type);
}

int video_stop(struct video *video)
{
	return video_ioctl(video->fd, VIDIOC_STREAMOFF, &video->type);
}

int video_begin(struct video *video, const char *path, uint32_t fourcc, uint32_t width,
		uint32_t height, unsigned int count)
{
	int error = video_open(video, path);

	if (!error)
		error = video_set_format(video, fourcc, width, height);
	if (!error)
		error = video_request(video, count);
	if (!error)
		error = video_map(video, PROT_READ | PROT_WRITE);
	return error;
}

int video_one_frame(struct video *video, struct v4l2_buffer *buffer)
{
	int error = video_queue_all(video);

	if (!error)
		error = video_start(video);
	if (!error)
		error = video_dequeue(video, buffer);
	if (!error)
		error = video_stop(video);
	return error;
}

int frame_check(const void *frame, size_t bytes, struct avring_frame_stamp *stamp)
{
	const size_t at = offsetof(struct avring_frame_stamp, crc);
	const uint8_t *data = frame;
	struct avring_frame_stamp copy;
	uLong crc;

	if (bytes < sizeof(copy))
		return -EILSEQ;
	memcpy(&copy, data, sizeof(copy));
	if (stamp)
		*stamp = copy;
	if (le32toh(copy.magic) != AVRING_FRAME_STAMP_MAGIC)
		return -EILSEQ;
	crc = crc32(0, data, at);
	crc = crc32(crc, data + at + 4, bytes - at - 4);
	return crc == le32toh(copy.crc) ? 0 : -EBADMSG;
}
