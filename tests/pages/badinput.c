// SPDX-License-Identifier: MIT
/*
 * badinput: what no sane program asks of a video node, and the documented errno.
 * Each request starts from a valid one and spoils one thing.
 */
#include <fcntl.h>
#include <linux/media.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"

/* ioctl without the restart of video_ioctl(), and with any pointer. */
static long long raw(int fd, unsigned long request, const void *arg)
{
	return sys(ioctl(fd, request, arg));
}

static int open_capture(void)
{
	struct card card = buffers_card();

	return must(sys(open(card.capture, O_RDWR | O_CLOEXEC | O_NONBLOCK)));
}

static int open_output(void)
{
	struct card card = buffers_card();

	return must(sys(open(card.output, O_RDWR | O_CLOEXEC | O_NONBLOCK)));
}

static int open_media(void)
{
	struct card card = buffers_card();

	return must(sys(open(card.media, O_RDWR | O_CLOEXEC | O_NONBLOCK)));
}

/* Every command number of an ioctl type, as some kernel header defines it. */
static const unsigned long video_requests[] = {
	VIDIOC_QUERYCAP,
	VIDIOC_ENUM_FMT,
	VIDIOC_G_FMT,
	VIDIOC_S_FMT,
	VIDIOC_REQBUFS,
	VIDIOC_QUERYBUF,
	VIDIOC_G_FBUF,
	VIDIOC_S_FBUF,
	VIDIOC_OVERLAY,
	VIDIOC_QBUF,
	VIDIOC_EXPBUF,
	VIDIOC_DQBUF,
	VIDIOC_STREAMON,
	VIDIOC_STREAMOFF,
	VIDIOC_G_PARM,
	VIDIOC_S_PARM,
	VIDIOC_G_STD,
	VIDIOC_S_STD,
	VIDIOC_ENUMSTD,
	VIDIOC_ENUMINPUT,
	VIDIOC_G_CTRL,
	VIDIOC_S_CTRL,
	VIDIOC_G_TUNER,
	VIDIOC_S_TUNER,
	VIDIOC_G_AUDIO,
	VIDIOC_S_AUDIO,
	VIDIOC_QUERYCTRL,
	VIDIOC_QUERYMENU,
	VIDIOC_G_INPUT,
	VIDIOC_S_INPUT,
	VIDIOC_G_EDID,
	VIDIOC_S_EDID,
	VIDIOC_G_OUTPUT,
	VIDIOC_S_OUTPUT,
	VIDIOC_ENUMOUTPUT,
	VIDIOC_G_AUDOUT,
	VIDIOC_S_AUDOUT,
	VIDIOC_G_MODULATOR,
	VIDIOC_S_MODULATOR,
	VIDIOC_G_FREQUENCY,
	VIDIOC_S_FREQUENCY,
	VIDIOC_CROPCAP,
	VIDIOC_G_CROP,
	VIDIOC_S_CROP,
	VIDIOC_G_JPEGCOMP,
	VIDIOC_S_JPEGCOMP,
	VIDIOC_QUERYSTD,
	VIDIOC_TRY_FMT,
	VIDIOC_ENUMAUDIO,
	VIDIOC_ENUMAUDOUT,
	VIDIOC_G_PRIORITY,
	VIDIOC_S_PRIORITY,
	VIDIOC_G_SLICED_VBI_CAP,
	VIDIOC_G_EXT_CTRLS,
	VIDIOC_S_EXT_CTRLS,
	VIDIOC_TRY_EXT_CTRLS,
	VIDIOC_ENUM_FRAMESIZES,
	VIDIOC_ENUM_FRAMEINTERVALS,
	VIDIOC_G_ENC_INDEX,
	VIDIOC_ENCODER_CMD,
	VIDIOC_TRY_ENCODER_CMD,
	VIDIOC_S_HW_FREQ_SEEK,
	VIDIOC_S_DV_TIMINGS,
	VIDIOC_G_DV_TIMINGS,
	VIDIOC_DQEVENT,
	VIDIOC_SUBSCRIBE_EVENT,
	VIDIOC_UNSUBSCRIBE_EVENT,
	VIDIOC_CREATE_BUFS,
	VIDIOC_PREPARE_BUF,
	VIDIOC_G_SELECTION,
	VIDIOC_S_SELECTION,
	VIDIOC_DECODER_CMD,
	VIDIOC_TRY_DECODER_CMD,
	VIDIOC_ENUM_DV_TIMINGS,
	VIDIOC_QUERY_DV_TIMINGS,
	VIDIOC_DV_TIMINGS_CAP,
	VIDIOC_ENUM_FREQ_BANDS,
	VIDIOC_QUERY_EXT_CTRL,
};

static const unsigned long media_requests[] = {
	MEDIA_IOC_DEVICE_INFO, MEDIA_IOC_ENUM_ENTITIES, MEDIA_IOC_ENUM_LINKS,
	MEDIA_IOC_SETUP_LINK,  MEDIA_IOC_G_TOPOLOGY,
};

/*
 * With a bad pointer: EFAULT. But a call that only gives data out may first find
 * another reason to refuse, which it then says with a good pointer too.
 */
static void expect_fault(int fd, unsigned long request, const void *bad)
{
	char good[4096] = { 0 };
	long long valid = raw(fd, request, good), got = raw(fd, request, bad);

	if (_IOC_DIR(request) == _IOC_READ && valid < 0 && got == valid)
		return;
	if (valid == -ENOTTY && got == -ENOTTY)
		return;
	tap_check(got == -EFAULT, "ioctl %c %lu with pointer %p: expected EFAULT, got %s",
		  (int)_IOC_TYPE(request), (unsigned long)_IOC_NR(request), bad,
		  got < 0 ? strerrorname_np(-got) : "success");
}

/* The last bytes of a page; behind it there is nothing. */
static const void *end_of_page(void)
{
	uint8_t *room = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);

	tap_check(room != MAP_FAILED, "mmap: expected success, got %s", strerror(errno));
	munmap(room + 4096, 4096);
	return room + 4096 - 2;
}

static void expect_faults(int fd, const unsigned long *requests, size_t n)
{
	const void *bad[] = { NULL,
			      (void *)1,
			      (void *)0x7ffffffff000,
			      (void *)0x800000000000,
			      (void *)0xffff888000000000,
			      (void *)0xffffffff81000000,
			      (void *)-1l,
			      end_of_page() };
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < TAP_COUNT(bad); j++)
			expect_fault(fd, requests[i], bad[j]);
}

static void test_capture_pointers(void)
{
	int fd = open_capture();

	expect_faults(fd, video_requests, TAP_COUNT(video_requests));
	close(fd);
}

static void test_output_pointers(void)
{
	int fd = open_output();

	expect_faults(fd, video_requests, TAP_COUNT(video_requests));
	close(fd);
}

static void test_media_pointers(void)
{
	int fd = open_media();

	expect_faults(fd, media_requests, TAP_COUNT(media_requests));
	close(fd);
}

/* Memory that can be read but not written: the answer cannot be given. */
static void test_read_only_argument(void)
{
	struct v4l2_capability *cap = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
					   0);
	int fd = open_capture();

	must_refuse(EFAULT, raw(fd, VIDIOC_QUERYCAP, cap));
	close(fd);
}

static void test_nested_pointers(void)
{
	const void *bad[] = { NULL, (void *)0xffff888000000000, end_of_page() };
	struct v4l2_ext_controls controls = { .which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1 };
	int fd = open_capture();
	size_t i;

	for (i = 0; i < TAP_COUNT(bad); i++) {
		controls.controls = (void *)bad[i];
		must_refuse(EFAULT, raw(fd, VIDIOC_G_EXT_CTRLS, &controls));
		must_refuse(EFAULT, raw(fd, VIDIOC_S_EXT_CTRLS, &controls));
		must_refuse(EFAULT, raw(fd, VIDIOC_TRY_EXT_CTRLS, &controls));
	}
	controls.count = 0xffffffff;
	must_refuse(EINVAL, raw(fd, VIDIOC_G_EXT_CTRLS, &controls));
	close(fd);
}

static void expect_unknown(int fd)
{
	char argument[16384] = { 0 };
	unsigned int number;

	for (number = 192; number < 256; number++)
		must_refuse(ENOTTY, raw(fd, _IOWR('V', number, int), argument));
	for (number = 0; number < 256; number += 5)
		must_refuse(ENOTTY, raw(fd, _IOWR('Z', number, int), argument));
	must_refuse(ENOTTY, raw(fd, _IOWR('V', 250, char[8000]), argument));
	must_refuse(ENOTTY, raw(fd, 0, argument));
	must_refuse(ENOTTY, raw(fd, 0xffffffff, argument));
}

static void test_unknown_requests(void)
{
	int capture = open_capture(), output = open_output(), media = open_media();

	expect_unknown(capture);
	expect_unknown(output);
	must_refuse(ENOTTY, raw(media, _IOWR('|', 0x7f, int), NULL));
	must_refuse(ENOTTY, raw(media, VIDIOC_QUERYCAP, NULL));
	close(capture);
	close(output);
	close(media);
}

/* A known number with another size is another command. */
static void test_wrong_argument_size(void)
{
	char argument[4096] = { 0 };
	int fd = open_capture();

	must_refuse(ENOTTY, raw(fd, _IOR('V', 0, char[103]), argument));
	must_refuse(ENOTTY, raw(fd, _IOR('V', 0, char[105]), argument));
	must_refuse(ENOTTY, raw(fd, _IOWR('V', 8, char[21]), argument));
	close(fd);
}

static const uint32_t wrong_types[] = {
	0,
	V4L2_BUF_TYPE_VIDEO_OVERLAY,
	V4L2_BUF_TYPE_VBI_CAPTURE,
	V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE,
	V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE,
	V4L2_BUF_TYPE_SDR_CAPTURE,
	V4L2_BUF_TYPE_META_CAPTURE,
	0x7f,
	0x80,
	0xffffffff,
};

static void expect_type_refused(int fd, uint32_t type)
{
	struct v4l2_format format = { .type = type };
	struct v4l2_streamparm parm = { .type = type };
	struct v4l2_buffer buffer = { .type = type, .memory = V4L2_MEMORY_MMAP };
	struct v4l2_exportbuffer export = { .type = type };
	struct v4l2_fmtdesc description = { .type = type };
	struct v4l2_create_buffers create = { .memory = V4L2_MEMORY_MMAP, .count = 1 };

	create.format.type = type;
	must_refuse(EINVAL, raw(fd, VIDIOC_G_FMT, &format));
	must_refuse(EINVAL, raw(fd, VIDIOC_S_FMT, &format));
	must_refuse(EINVAL, raw(fd, VIDIOC_TRY_FMT, &format));
	must_refuse(EINVAL, raw(fd, VIDIOC_G_PARM, &parm));
	must_refuse(EINVAL, raw(fd, VIDIOC_S_PARM, &parm));
	must_refuse(EINVAL, raw(fd, VIDIOC_QUERYBUF, &buffer));
	must_refuse(EINVAL, raw(fd, VIDIOC_QBUF, &buffer));
	must_refuse(EINVAL, raw(fd, VIDIOC_DQBUF, &buffer));
	must_refuse(EINVAL, raw(fd, VIDIOC_PREPARE_BUF, &buffer));
	must_refuse(EINVAL, raw(fd, VIDIOC_EXPBUF, &export));
	must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FMT, &description));
	must_refuse(EINVAL, raw(fd, VIDIOC_CREATE_BUFS, &create));
	must_refuse(EINVAL, raw(fd, VIDIOC_STREAMON, &type));
	must_refuse(EINVAL, raw(fd, VIDIOC_STREAMOFF, &type));
}

static void test_wrong_types(void)
{
	int capture = open_capture(), output = open_output();
	size_t i;

	for (i = 0; i < TAP_COUNT(wrong_types); i++) {
		expect_type_refused(capture, wrong_types[i]);
		expect_type_refused(output, wrong_types[i]);
	}
	expect_type_refused(capture, V4L2_BUF_TYPE_VIDEO_OUTPUT);
	expect_type_refused(output, V4L2_BUF_TYPE_VIDEO_CAPTURE);
	close(capture);
	close(output);
}

static const uint32_t beyond[] = { 1000, 0x7fffffff, 0x80000000, 0xffffffff };

static void test_capture_indices(void)
{
	int fd = open_capture(), input;
	size_t i;

	for (i = 0; i < TAP_COUNT(beyond); i++) {
		struct v4l2_fmtdesc format = { .index = beyond[i],
					       .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
		struct v4l2_frmsizeenum size = { .index = beyond[i],
						 .pixel_format = V4L2_PIX_FMT_YUYV };
		struct v4l2_frmivalenum interval = { .index = beyond[i],
						     .pixel_format = V4L2_PIX_FMT_YUYV,
						     .width = 640,
						     .height = 480 };
		struct v4l2_input description = { .index = beyond[i] };

		must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FMT, &format));
		must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FRAMESIZES, &size));
		must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval));
		must_refuse(EINVAL, raw(fd, VIDIOC_ENUMINPUT, &description));
		input = beyond[i];
		must_refuse(EINVAL, raw(fd, VIDIOC_S_INPUT, &input));
	}
	input = 2;
	must_refuse(EINVAL, raw(fd, VIDIOC_S_INPUT, &input));
	must(raw(fd, VIDIOC_G_INPUT, &input));
	close(fd);
}

static void test_output_indices(void)
{
	int fd = open_output(), output;
	size_t i;

	for (i = 0; i < TAP_COUNT(beyond); i++) {
		struct v4l2_fmtdesc format = { .index = beyond[i],
					       .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
		struct v4l2_output description = { .index = beyond[i] };

		must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FMT, &format));
		must_refuse(EINVAL, raw(fd, VIDIOC_ENUMOUTPUT, &description));
		output = beyond[i];
		must_refuse(EINVAL, raw(fd, VIDIOC_S_OUTPUT, &output));
	}
	close(fd);
}

static void test_enumeration_of_no_format(void)
{
	struct v4l2_frmsizeenum size = { .pixel_format = V4L2_PIX_FMT_MJPEG };
	struct v4l2_frmivalenum interval = { .pixel_format = V4L2_PIX_FMT_MJPEG,
					     .width = 640,
					     .height = 480 };
	int fd = open_capture();

	must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FRAMESIZES, &size));
	must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval));
	interval.pixel_format = V4L2_PIX_FMT_YUYV;
	must(raw(fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval));
	interval.width = 641;
	must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval));
	interval.width = 8194;
	must_refuse(EINVAL, raw(fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval));
	close(fd);
}

/* An unknown pixel format is replaced, as TRY_FMT documents. */
static void test_unknown_format_replaced(void)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	int fd = open_capture();

	format.fmt.pix.pixelformat = 0x12345678;
	format.fmt.pix.width = 640;
	format.fmt.pix.height = 480;
	format.fmt.pix.field = 0xffff;
	must(raw(fd, VIDIOC_TRY_FMT, &format));
	tap_check(format.fmt.pix.pixelformat != 0x12345678,
		  "TRY_FMT: expected a known format, got the unknown one");
	tap_eq(640, format.fmt.pix.width);
	tap_eq(V4L2_FIELD_NONE, format.fmt.pix.field);
	close(fd);
}

static void test_wrong_rates_replaced(void)
{
	static const uint32_t wrong[][2] = { { 0, 0 },		{ 1, 0 },
					     { 0, 1 },		{ 1, 0xffffffff },
					     { 0xffffffff, 1 }, { 0xffffffff, 0xffffffff } };
	int fd = open_capture();
	size_t i;

	for (i = 0; i < TAP_COUNT(wrong); i++) {
		struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
		const struct v4l2_fract *interval = &parm.parm.capture.timeperframe;

		parm.parm.capture.timeperframe.numerator = wrong[i][0];
		parm.parm.capture.timeperframe.denominator = wrong[i][1];
		must(raw(fd, VIDIOC_S_PARM, &parm));
		tap_check(interval->numerator && interval->denominator >= interval->numerator &&
				  interval->denominator / interval->numerator <= 120,
			  "S_PARM %u/%u: expected 1 to 120 fps, got %u/%u", wrong[i][0],
			  wrong[i][1], interval->numerator, interval->denominator);
	}
	must(raw(fd, VIDIOC_S_PARM,
		 &(struct v4l2_streamparm){ .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
					    .parm.capture.timeperframe = { 1, 30 } }));
	close(fd);
}

static void test_controls(void)
{
	struct v4l2_control control = { .id = V4L2_CID_USER_BASE | 0xfff };
	struct v4l2_queryctrl query = { .id = V4L2_CID_USER_BASE | 0xfff };
	struct v4l2_ext_control item = { .id = V4L2_CID_AVRING_FRAMES_DROPPED };
	struct v4l2_ext_controls controls = { .which = V4L2_CTRL_WHICH_CUR_VAL,
					      .count = 1,
					      .controls = &item };
	int fd = open_capture();

	must_refuse(EINVAL, raw(fd, VIDIOC_G_CTRL, &control));
	must_refuse(EINVAL, raw(fd, VIDIOC_S_CTRL, &control));
	must_refuse(EINVAL, raw(fd, VIDIOC_QUERYCTRL, &query));
	must(raw(fd, VIDIOC_G_EXT_CTRLS, &controls));
	must_refuse(EACCES, raw(fd, VIDIOC_S_EXT_CTRLS, &controls));
	controls.which = V4L2_CTRL_WHICH_DEF_VAL;
	must_refuse(EINVAL, raw(fd, VIDIOC_S_EXT_CTRLS, &controls));
	close(fd);
}

static void test_events(void)
{
	struct v4l2_event_subscription subscription = { .type = V4L2_EVENT_SOURCE_CHANGE };
	struct v4l2_event event;
	int fd = open_capture();

	must(raw(fd, VIDIOC_SUBSCRIBE_EVENT, &subscription));
	subscription.type = 0x1234;
	must_refuse(EINVAL, raw(fd, VIDIOC_SUBSCRIBE_EVENT, &subscription));
	subscription.type = V4L2_EVENT_CTRL;
	subscription.id = V4L2_CID_USER_BASE | 0xfff;
	must_refuse(EINVAL, raw(fd, VIDIOC_SUBSCRIBE_EVENT, &subscription));
	must_refuse(ENOENT, raw(fd, VIDIOC_DQEVENT, &event));
	close(fd);
}

/* Wrong order of calls on a queue. */
static void test_wrong_order(void)
{
	struct v4l2_buffer buffer;
	struct video video, other;
	struct card card = buffers_card();

	buffers_begin(&video, fixture_huge, SMALL_WIDTH, SMALL_HEIGHT, 3);
	must_refuse(EINVAL, video_dequeue(&video, &buffer));
	must(video_queue(&video, 0));
	must_refuse(EINVAL, video_queue(&video, 0));
	must_refuse(EBUSY, video_set_format(&video, SMALL_FOURCC, 640, 480));
	must(video_open(&other, card.capture));
	other.pix = video.pix;
	must_refuse(EBUSY, video_request(&other, 2));
	must_refuse(EBUSY, video_start(&other));
	must_refuse(EBUSY, video_set_format(&other, SMALL_FOURCC, 640, 480));
	must_refuse(EBUSY, sys(read(other.fd, &buffer, sizeof(buffer))));
	must_refuse(EBUSY, sys(read(video.fd, &buffer, sizeof(buffer))));
	must(video_queue(&video, 1));
	must(video_queue(&video, 2));
	must(video_start(&video));
	must(video_start(&video));
	must_refuse(EBUSY, video_request(&video, 2));
	video_close(&other);
	video_close(&video);
}

static void test_wrong_buffer_fields(void)
{
	struct v4l2_buffer buffer;
	struct video video;

	buffers_begin(&video, fixture_huge, SMALL_WIDTH, SMALL_HEIGHT, 2);
	buffer = (struct v4l2_buffer){ .type = video.type, .memory = V4L2_MEMORY_USERPTR };
	must_refuse(EINVAL, raw(video.fd, VIDIOC_QBUF, &buffer));
	buffer.memory = V4L2_MEMORY_DMABUF;
	must_refuse(EINVAL, raw(video.fd, VIDIOC_QBUF, &buffer));
	buffer.memory = 0x55;
	must_refuse(EINVAL, raw(video.fd, VIDIOC_QBUF, &buffer));
	buffer.memory = V4L2_MEMORY_MMAP;
	buffer.flags = V4L2_BUF_FLAG_REQUEST_FD;
	buffer.request_fd = -1;
	must_refuse(EBADR, raw(video.fd, VIDIOC_QBUF, &buffer));
	video_close(&video);
}

static void test_output_payload(void)
{
	struct card card = buffers_card();
	struct v4l2_buffer buffer;
	struct video video;

	must(video_begin(&video, card.output, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 2));
	buffer = (struct v4l2_buffer){ .type = video.type,
				       .memory = V4L2_MEMORY_MMAP,
				       .field = V4L2_FIELD_NONE };
	buffer.bytesused = video.buffers[0].length + 1;
	must_refuse(EINVAL, raw(video.fd, VIDIOC_QBUF, &buffer));
	buffer.bytesused = video.pix.sizeimage;
	buffer.field = V4L2_FIELD_ALTERNATE;
	must_refuse(EINVAL, raw(video.fd, VIDIOC_QBUF, &buffer));
	video_close(&video);
}

static void test_wrong_direction(void)
{
	int capture = open_capture(), output = open_output();
	char bytes[64] = { 0 };

	must_refuse(EINVAL, sys(write(capture, bytes, sizeof(bytes))));
	must_refuse(EINVAL, sys(read(output, bytes, sizeof(bytes))));
	close(capture);
	close(output);
}

static void test_read_to_bad_memory(void)
{
	int fd = open_capture();
	struct video video = { .fd = fd, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	long long got;

	must(video_set_format(&video, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(sys(fcntl(fd, F_SETFL, 0)));
	got = sys(read(fd, (void *)0x1000, SMALL_WIDTH * SMALL_HEIGHT * 2));
	must_refuse(EFAULT, got);
	got = sys(read(fd, (void *)0xffff888000000000, SMALL_WIDTH * SMALL_HEIGHT * 2));
	must_refuse(EFAULT, got);
	close(fd);
}

static void test_hundred_opens(void)
{
	int fds[100];
	size_t i;

	for (i = 0; i < TAP_COUNT(fds); i++)
		fds[i] = open_capture();
	for (i = 0; i < TAP_COUNT(fds); i++)
		close(fds[i]);
}

static const struct tap_test tests[] = {
	{ "every capture ioctl with a bad pointer gives EFAULT", .run = test_capture_pointers },
	{ "every output ioctl with a bad pointer gives EFAULT", .run = test_output_pointers },
	{ "every media ioctl with a bad pointer gives EFAULT", .run = test_media_pointers },
	{ "an answer into read-only memory gives EFAULT", .run = test_read_only_argument },
	{ "a bad pointer within the argument gives EFAULT", .run = test_nested_pointers },
	{ "unknown ioctls give ENOTTY", .run = test_unknown_requests },
	{ "known ioctls of another size give ENOTTY", .run = test_wrong_argument_size },
	{ "a wrong buffer type gives EINVAL everywhere", .run = test_wrong_types },
	{ "a wrong index gives EINVAL on the capture node", .run = test_capture_indices },
	{ "a wrong index gives EINVAL on the output node", .run = test_output_indices },
	{ "sizes and rates of a format that is not there give EINVAL",
	  .run = test_enumeration_of_no_format },
	{ "TRY_FMT replaces an unknown format", .run = test_unknown_format_replaced },
	{ "S_PARM replaces an impossible rate", .run = test_wrong_rates_replaced },
	{ "unknown controls give EINVAL, read-only ones EACCES", .run = test_controls },
	{ "unknown events give EINVAL", .run = test_events },
	{ "calls in the wrong order give EINVAL or EBUSY", .run = test_wrong_order },
	{ "a buffer of the wrong memory gives EINVAL, with a request EBADR",
	  .run = test_wrong_buffer_fields },
	{ "an output buffer with a wrong payload or field gives EINVAL",
	  .run = test_output_payload },
	{ "write() to capture and read() from output give EINVAL", .run = test_wrong_direction },
	{ "read() into bad memory gives EFAULT", .run = test_read_to_bad_memory },
	{ "a node can be opened a hundred times", .run = test_hundred_opens },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
