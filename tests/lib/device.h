/* SPDX-License-Identifier: MIT */
/*
 * device: find a card's nodes by name, and stream from or to one of them.
 *
 * Every function returns 0 or -errno unless it says otherwise, and leaves the
 * verdict to the caller: must(video_open(...)), must_refuse(EBUSY, ...).
 */
#ifndef TEST_DEVICE_H
#define TEST_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/avring.h>
#include <linux/videodev2.h>

#define CARD_DRIVER_DIR "/sys/bus/platform/drivers/avring"
#define CARD_PARAMETER_DIR "/sys/module/avring_core/parameters"

/* Capture inputs, in the order of ENUMINPUT. */
enum { CARD_INPUT_PATTERN = 0, CARD_INPUT_LOOPBACK = 1 };

/**
 * struct card - the nodes of one card
 * @number: N of "avring N"
 * @platform: device name under /sys/bus/platform/devices, "avring.N"
 * @capture: video node "avring N capture"
 * @output: video node "avring N output"
 * @media: media node with model "avring N", empty if there is none
 * @alsa: PCM name "hw:avringN"
 */
struct card {
	unsigned int number;
	char platform[24];
	char capture[24];
	char output[24];
	char media[24];
	char alsa[24];
};

int card_find(unsigned int number, struct card *card);

/* The number of cards that are there. */
unsigned int card_count(void);

/* NULL, or why there is no card 0 to test: for tap_suite.missing. */
const char *card_missing(void);

/* Stores alive in the driver, -1 if it does not say: for tap_suite.residue. */
long card_live_stores(void);

/* Write the platform device's name to bind or unbind of the driver. */
int card_bind(const struct card *card);
int card_unbind(const struct card *card);

/* Module parameters as numbers. */
int card_parameter_get(const char *name, long *value);
int card_parameter_set(const char *name, long value);

#define VIDEO_BUFFERS 32

/**
 * struct video_buffer - one MMAP buffer
 * @start: mapping, NULL when not mapped
 * @length: bytes, as QUERYBUF says
 * @offset: mmap cookie, as QUERYBUF says
 */
struct video_buffer {
	uint8_t *start;
	size_t length;
	off_t offset;
};

/**
 * struct video - one open video node
 * @fd: file descriptor, blocking; -1 when closed
 * @type: V4L2_BUF_TYPE_VIDEO_CAPTURE or _OUTPUT, from QUERYCAP
 * @pix: format last set
 * @n_buffers: entries of @buffers in use
 * @buffers: what video_request() got
 */
struct video {
	int fd;
	uint32_t type;
	struct v4l2_pix_format pix;
	unsigned int n_buffers;
	struct video_buffer buffers[VIDEO_BUFFERS];
};

/* ioctl() as 0 or -errno, restarted on EINTR. */
int video_ioctl(int fd, unsigned long request, void *arg);

int video_open(struct video *video, const char *path);
/* Unmaps, closes; NULL-safe fields, may be called twice. */
void video_close(struct video *video);

/* Sets a format; -EINVAL if the driver made another one of it. */
int video_set_format(struct video *video, uint32_t fourcc, uint32_t width, uint32_t height);
/* Frames per second as num/den. */
int video_set_rate(struct video *video, uint32_t num, uint32_t den);
int video_set_input(struct video *video, int input);
int video_get_control(struct video *video, uint32_t id, int64_t *value);
int video_set_control(struct video *video, uint32_t id, int64_t value);

/* REQBUFS of MMAP buffers and QUERYBUF of each; 0 frees them (after unmapping). */
int video_request(struct video *video, unsigned int count);
/* QUERYBUF of one buffer that somebody has made. */
int video_query(struct video *video, unsigned int index);
int video_map(struct video *video, int prot);
void video_unmap(struct video *video);

/* For an output node the payload is the whole image. */
int video_queue(struct video *video, unsigned int index);
int video_queue_all(struct video *video);
/* REQBUFS for dma-bufs; QBUF of one of @length bytes as the first buffer. */
int video_request_dmabufs(struct video *video, unsigned int count);
int video_queue_dmabuf(struct video *video, int dmabuf, size_t length);
int video_dequeue(struct video *video, struct v4l2_buffer *buffer);
int video_start(struct video *video);
int video_stop(struct video *video);

/* open, format, @count buffers mapped read-write: the usual beginning. */
int video_begin(struct video *video, const char *path, uint32_t fourcc, uint32_t width,
		uint32_t height, unsigned int count);
/* Queue all, start, dequeue one frame, stop. Its index is in @buffer. */
int video_one_frame(struct video *video, struct v4l2_buffer *buffer);

/*
 * Check magic and CRC of a pattern frame: 0, -EILSEQ (no stamp) or -EBADMSG
 * (wrong CRC). The stamp is copied out if wanted.
 */
int frame_check(const void *frame, size_t bytes, struct avring_frame_stamp *stamp);

#endif
