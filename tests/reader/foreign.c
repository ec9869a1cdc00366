// SPDX-License-Identifier: MIT
/*
 * foreign: what is peculiar to V4L2 and ALSA devices of other drivers. Needs vivid and
 * snd-aloop.
 *
 * The program has an ioctl() of its own, which can spoil what a driver says.
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "device.h"
#include "kinds.h"
#include "sound.h"
#include "tap.h"

/* SNDRV_PCM_IOCTL_XRUN of a header that does not go together with libasound's. */
#define PCM_IOCTL_XRUN _IO('A', 0x48)

/**
 * struct spoiler - what ioctl() does
 * @no_userptr: REQBUFS refuses it
 * @bad_userptr: QBUF does
 * @broken: each so-manieth frame is called broken; 0 is none
 * @frames: dequeued
 * @requests: all of them
 */
static struct {
	bool no_userptr;
	bool bad_userptr;
	unsigned int broken;
	unsigned int frames;
	unsigned int dmabufs;
} spoiler;

static int refuse(int error)
{
	errno = error;
	return -1;
}

static int spoil_dequeued(struct v4l2_buffer *buffer, int result)
{
	if (result)
		return result;
	spoiler.frames++;
	if (spoiler.broken && spoiler.frames % spoiler.broken == 0)
		buffer->flags |= V4L2_BUF_FLAG_ERROR;
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct v4l2_buffer *buffer;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	buffer = arg;
	if (request == VIDIOC_REQBUFS && spoiler.no_userptr &&
	    ((struct v4l2_requestbuffers *)arg)->memory == V4L2_MEMORY_USERPTR)
		return refuse(EINVAL);
	if (request == VIDIOC_QBUF && buffer->memory == V4L2_MEMORY_DMABUF)
		spoiler.dmabufs++;
	if (request == VIDIOC_QBUF && spoiler.bad_userptr && buffer->memory == V4L2_MEMORY_USERPTR)
		return refuse(EFAULT);
	if (request == VIDIOC_DQBUF)
		return spoil_dequeued(buffer, syscall(SYS_ioctl, fd, request, arg));
	return syscall(SYS_ioctl, fd, request, arg);
}

/* Opens the kind, or skips. */
static struct avring_reader *open_kind(const char *name, const struct avring_options *options)
{
	const struct kind *kind = kind_find(name);
	const char *missing = kind->missing();
	struct avring_options wishes = kind_options(kind);
	struct avring_reader *reader;

	if (missing)
		tap_skip("%s", missing);
	must(kind->open(&reader, options ?: &wishes));
	return reader;
}

static struct avring_span take(struct avring_reader *reader)
{
	struct avring_span span;
	int error;

	while ((error = avring_reader_next(reader, &span)) == -EAGAIN)
		must(avring_reader_wait(reader, AVRING_FOREVER));
	must(error);
	return span;
}

static uint64_t sum(const struct avring_span *span)
{
	const uint8_t *bytes = span->data;
	uint64_t total = 0;

	for (size_t i = 0; i < span->length; i++)
		total = total * 31 + bytes[i];
	return total;
}

static void nap_ns(uint64_t ns)
{
	struct timespec time = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* V4L2. */

static void check_frames(struct avring_reader *reader, unsigned int frames)
{
	struct avring_geometry geometry;
	uint64_t next = 0, first_sum = 0;
	unsigned int different = 0;

	avring_reader_geometry(reader, &geometry);
	for (unsigned int i = 0; i < frames; i++) {
		struct avring_span span = take(reader);

		tap_check(!i || span.sequence == next, "expected frame %llu, got %llu",
			  (unsigned long long)next, (unsigned long long)span.sequence);
		/* A picture that nobody wrote is black in all its bytes. */
		tap_check(memcmp(span.data, (uint8_t *)span.data + 1, span.length - 1),
			  "frame %u is empty", i);
		tap_check(!memcmp(span.data, (uint8_t *)span.data + geometry.length,
				  geometry.length - span.position % geometry.length < span.length ?
					  0 :
					  span.length),
			  "the images differ");
		next = span.sequence + 1;
		different += sum(&span) != first_sum;
		first_sum = sum(&span);
		must(avring_reader_release(reader, &span));
	}
	tap_check(different > frames / 2, "all frames are the same");
}

static void without_userptr(void)
{
	struct avring_reader *reader;

	if (access("/dev/udmabuf", F_OK))
		tap_skip("no /dev/udmabuf");
	spoiler.no_userptr = true;
	reader = open_kind("vivid", NULL);
	check_frames(reader, 50);
	tap_check(spoiler.dmabufs >= 50, "no dma-buf was queued");
	avring_reader_close(reader);
}

static void with_userptr_that_does_not_work(void)
{
	struct avring_reader *reader;

	if (access("/dev/udmabuf", F_OK))
		tap_skip("no /dev/udmabuf");
	spoiler.bad_userptr = true;
	reader = open_kind("vivid", NULL);
	check_frames(reader, 50);
	tap_check(spoiler.dmabufs >= 50, "no dma-buf was queued");
	avring_reader_close(reader);
}

static void with_neither(void)
{
	const struct kind *kind = kind_find("vivid");
	const char *missing = kind->missing();
	struct avring_reader *reader;

	if (missing)
		tap_skip("%s", missing);
	if (!access("/dev/udmabuf", F_OK))
		must(sys(unlink("/dev/udmabuf")));
	spoiler.no_userptr = true;
	must_refuse(EOPNOTSUPP, kind->open(&reader, NULL));
	spoiler.no_userptr = false;
	must(kind->open(&reader, NULL));
	avring_reader_close(reader);
}

static void broken_frames_are_lost(void)
{
	struct avring_reader *reader = open_kind("vivid", NULL);
	uint64_t next, lost = 0;
	struct avring_span span = take(reader);

	must(avring_reader_release(reader, &span));
	next = span.sequence + 1;
	spoiler.broken = 5;
	for (int i = 0; i < 80; i++) {
		span = take(reader);
		tap_eq(next + span.lost, span.sequence);
		tap_check(span.lost <= 1, "%llu lost at once", (unsigned long long)span.lost);
		next = span.sequence + 1;
		lost += span.lost;
		must(avring_reader_release(reader, &span));
	}
	tap_check(lost >= 16 && lost <= 21, "one in five: %llu lost", (unsigned long long)lost);
	tap_eq(lost, avring_reader_lost(reader));
	avring_reader_close(reader);
}

/* The number of a control, or 0. */
static uint32_t control_named(int fd, const char *name)
{
	struct v4l2_query_ext_ctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };

	while (!ioctl(fd, VIDIOC_QUERY_EXT_CTRL, &query)) {
		if (!strcmp(query.name, name))
			return query.id;
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	return 0;
}

static void set_control(struct video *node, const char *name, int64_t value)
{
	uint32_t id = control_named(node->fd, name);

	tap_check(id, "no control %s", name);
	must(video_set_control(node, id, value));
}

/* What ends it is not that the device is gone: it is there, and another reader can have it. */
static void broken_queue_is_told_as_it_is(void)
{
	struct avring_reader *reader = open_kind("vivid", NULL);
	struct avring_span span = take(reader);
	struct video node;
	int error;

	must(avring_reader_release(reader, &span));
	must(video_open(&node, kind_vivid_path()));
	set_control(&node, "Inject Fatal Streaming Error", 1);
	video_close(&node);
	do {
		error = avring_reader_wait(reader, AVRING_FOREVER);
		while (!error && !(error = avring_reader_next(reader, &span)))
			error = avring_reader_release(reader, &span);
	} while (error == -EAGAIN);
	must_refuse(EIO, error);
	must_refuse(EIO, avring_reader_wait(reader, AVRING_FOREVER));
	must_refuse(EIO, avring_reader_arm(reader));
	must_refuse(EIO, avring_reader_next(reader, &span));
	avring_reader_close(reader);
	reader = open_kind("vivid", NULL);
	check_frames(reader, 5);
	avring_reader_close(reader);
}

#define HELD_MAX 64

static void holding_all_buffers_is_told(void)
{
	struct avring_reader *reader = open_kind("vivid", NULL);
	struct avring_span held[HELD_MAX], span;
	unsigned int n = 0, i;
	int error;

	do {
		error = avring_reader_next(reader, &held[n]);
		if (!error)
			n++;
		else if (error == -EAGAIN)
			error = avring_reader_wait(reader, AVRING_FOREVER);
	} while (!error && n < HELD_MAX);
	must_refuse(ENOBUFS, error);
	must_refuse(ENOBUFS, avring_reader_arm(reader));
	/* In reverse order: they come back in the order of the ring. */
	for (i = n; i--;)
		must(avring_reader_release(reader, &held[i]));
	span = take(reader);
	tap_eq(held[n - 1].position + (held[1].position - held[0].position), span.position);
	must(avring_reader_release(reader, &span));
	tap_note("%u buffers", n);
	avring_reader_close(reader);
}

/* After any order of releases the frames lie in a row again. */
static void order_of_releases_does_not_matter(void)
{
	struct avring_reader *reader = open_kind("vivid", NULL);
	struct avring_span held[4], span;
	uint64_t stride = 0, position = 0;

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 4; i++) {
			held[i] = take(reader);
			tap_check(!stride || held[i].position == position + stride,
				  "round %d: frame %d is not behind the last one", round, i);
			if (i == 1 && !round)
				stride = held[1].position - held[0].position;
			position = held[i].position;
		}
		for (int i = 0; i < 4; i++)
			must(avring_reader_release(reader, &held[(i * 3 + round) % 4]));
	}
	must(avring_reader_set_watermark(reader, &(struct avring_watermark){ .entries = 3 }));
	must(avring_reader_wait(reader, AVRING_FOREVER));
	must(avring_reader_next_run(reader, &span, SIZE_MAX));
	tap_check(span.entries >= 3, "a run of %u", span.entries);
	avring_reader_close(reader);
}

static void wishes_of_pictures(void)
{
	struct avring_options options = kind_options(kind_find("vivid"));
	struct avring_reader *reader = open_kind("vivid", &options);
	const struct avring_video_format *video = &avring_reader_format(reader)->video;
	const struct kind *kind = kind_find("vivid");
	struct avring_geometry geometry;

	tap_eq(options.video.width, video->width);
	tap_eq(options.video.height, video->height);
	tap_eq(options.video.pixelformat, video->pixelformat);
	tap_eq(video->width * video->height * 2, video->sizeimage);
	avring_reader_close(reader);
	options.ring_bytes = 20 * video->sizeimage;
	reader = open_kind("vivid", &options);
	avring_reader_geometry(reader, &geometry);
	tap_check(geometry.length >= options.ring_bytes, "a shorter ring than wished");
	avring_reader_close(reader);
	options.video.width = 321;
	must_refuse(EINVAL, kind->open(&reader, &options));
	options.video.width = 0;
	options.video.pixelformat = v4l2_fourcc('A', 'B', 'C', 'D');
	must_refuse(EINVAL, kind->open(&reader, &options));
}

/* Our own capture node is a V4L2 device like others, and it tells when its source changes. */
static void new_format_of_the_source(void)
{
	struct avring_options options = common_options();
	struct avring_span span, held;
	struct avring_reader *reader;
	struct v4l2_buffer buffer;
	struct video output, node;
	struct card card;

	if (card_find(0, &card))
		tap_skip("no card");
	must(video_open(&node, card.capture));
	must(video_set_input(&node, CARD_INPUT_LOOPBACK));
	video_close(&node);
	options.video.pixelformat = V4L2_PIX_FMT_GREY;
	options.video.width = 320;
	options.video.height = 240;
	must(avring_reader_open(&reader, card.capture, &options));
	held = take(reader);
	must(video_begin(&output, card.output, V4L2_PIX_FMT_YUYV, 640, 480, 4));
	must(video_queue_all(&output));
	must(video_start(&output));
	for (;;) {
		int error = avring_reader_next(reader, &span);

		if (error == -EAGAIN)
			error = avring_reader_wait(reader, AVRING_FOREVER);
		else if (!error)
			must(avring_reader_release(reader, &span));
		if (error == -ESTALE)
			break;
		must(error);
	}
	must(avring_reader_renew(reader));
	tap_eq(640, avring_reader_format(reader)->video.width);
	tap_eq(V4L2_PIX_FMT_YUYV, avring_reader_format(reader)->video.pixelformat);
	must(avring_reader_release(reader, &held));
	must(video_dequeue(&output, &buffer));
	must(video_queue(&output, buffer.index));
	span = take(reader);
	tap_eq(640 * 480 * 2, span.length);
	avring_reader_close(reader);
	video_close(&output);
	must(video_open(&node, card.capture));
	must(video_set_input(&node, CARD_INPUT_PATTERN));
	video_close(&node);
}

#define VIVID_INPUT_HDMI 3
#define VIVID_SELECTED_TIMINGS 4
#define VIVID_TIMINGS_720X480P 2

/* The plug of an HDMI camera is put into another computer. */
static void new_timings_of_the_source(void)
{
	const struct kind *kind = kind_find("vivid");
	const char *missing = kind->missing();
	struct avring_reader *reader;
	struct avring_span span;
	uint32_t width, height;
	struct video node;
	int error;

	if (missing)
		tap_skip("%s", missing);
	must(video_open(&node, kind_vivid_path()));
	must(video_set_input(&node, VIVID_INPUT_HDMI));
	must(kind->open(&reader, NULL));
	span = take(reader);
	width = avring_reader_format(reader)->video.width;
	height = avring_reader_format(reader)->video.height;
	must(avring_reader_release(reader, &span));
	set_control(&node, "DV Timings", VIVID_TIMINGS_720X480P);
	set_control(&node, "DV Timings Signal Mode", VIVID_SELECTED_TIMINGS);
	do {
		error = avring_reader_next(reader, &span);
		if (!error)
			error = avring_reader_release(reader, &span);
		else if (error == -EAGAIN)
			error = avring_reader_wait(reader, AVRING_FOREVER);
	} while (!error);
	must_refuse(ESTALE, error);
	must(avring_reader_renew(reader));
	tap_note("%ux%u became %ux%u", width, height, avring_reader_format(reader)->video.width,
		 avring_reader_format(reader)->video.height);
	tap_check(width != avring_reader_format(reader)->video.width ||
			  height != avring_reader_format(reader)->video.height,
		  "the size is the same");
	span = take(reader);
	tap_eq(avring_reader_format(reader)->video.sizeimage, span.length);
	avring_reader_close(reader);
	set_control(&node, "DV Timings Signal Mode", 0);
	must(video_set_input(&node, 0));
	video_close(&node);
}

/* ALSA. */

static void check_sound(const struct avring_options *options, uint32_t frame_bytes)
{
	struct avring_reader *reader = open_kind("aloop", options);
	const struct avring_audio_format *audio = &avring_reader_format(reader)->audio;
	struct avring_geometry geometry;
	struct avring_span span;

	avring_reader_geometry(reader, &geometry);
	tap_eq(options->audio.format, audio->format);
	tap_eq(options->audio.rate, audio->rate);
	tap_eq(options->audio.channels, audio->channels);
	tap_eq(options->audio.period_frames, audio->period_frames);
	tap_eq(frame_bytes, audio->frame_bytes);
	tap_eq(0, geometry.length % sysconf(_SC_PAGESIZE));
	tap_eq(0, geometry.length % frame_bytes);
	tap_check(geometry.length >= options->ring_bytes, "ring: expected %llu bytes, got %llu",
		  (unsigned long long)options->ring_bytes, (unsigned long long)geometry.length);
	for (int i = 0; i < 20; i++) {
		span = take(reader);
		tap_eq(audio->period_frames, span.count);
		must(avring_reader_release(reader, &span));
	}
	avring_reader_close(reader);
}

static void wishes_of_sound(void)
{
	struct avring_options options = common_options();

	options.ring_bytes = 100000;
	options.audio.format = (uint32_t)SND_PCM_FORMAT_S16_LE;
	options.audio.rate = 44100;
	options.audio.channels = 3; /* six bytes do not divide a page */
	options.audio.period_frames = 512;
	check_sound(&options, 6);
	options.audio.format = (uint32_t)SND_PCM_FORMAT_S32_LE;
	options.audio.rate = 96000;
	options.audio.channels = 8;
	options.audio.period_frames = 1000;
	check_sound(&options, 32);
}

static void sound_devices_that_do_not_fit(void)
{
	struct avring_options options = common_options();
	struct avring_reader *reader = open_kind("aloop", NULL), *second;
	const struct kind *kind = kind_find("aloop");

	must_refuse(EBUSY, kind->open(&second, NULL));
	avring_reader_close(reader);
	must_refuse(EOPNOTSUPP, avring_reader_open(&reader, "null", NULL));
	must_refuse(EOPNOTSUPP, avring_reader_open(&reader, "plughw:Loopback,1,0", NULL));
	options.audio.channels = 99;
	must_refuse(EINVAL, kind->open(&reader, &options));
	options.audio.channels = 0;
	options.audio.rate = 48001;
	options.audio.format = 99;
	must_refuse(EINVAL, kind->open(&reader, &options));
}

/* Time and sequence keep step when the PCM was stopped. */
static void stopped_pcm_is_started_again(void)
{
	struct avring_reader *reader = open_kind("aloop", NULL);
	struct avring_span before = take(reader), span;
	uint64_t lost, ns;

	must(sys(ioctl(avring_reader_fd(reader), PCM_IOCTL_XRUN, 0)));
	nap_ns(200 * COMMON_MS);
	span = take(reader);
	tap_eq(before.sequence + before.count + span.lost, span.sequence);
	tap_check(span.lost >= 48000 / 5, "%llu sample frames in 200 ms",
		  (unsigned long long)span.lost);
	tap_eq(span.lost, avring_reader_lost(reader));
	lost = span.sequence - before.sequence;
	ns = span.time_ns - before.time_ns;
	tap_check(llabs((long long)(ns * 48 / 1000000) - (long long)lost) < 960,
		  "%llu ns are %llu sample frames", (unsigned long long)ns,
		  (unsigned long long)lost);
	for (int i = 0; i < 50; i++) {
		before = span;
		span = take(reader);
		tap_eq(0, span.lost);
		tap_eq(before.position + before.length, span.position);
		must(avring_reader_release(reader, &span));
	}
	avring_reader_close(reader);
}

/* The nearer to the end of a lap, the harder to say; content decides. */
static void held_sound_is_never_torn_and_called_good(void)
{
	const struct kind *kind = kind_find("aloop");
	struct avring_options options = kind_options(kind);
	unsigned int good = 0, overwritten = 0, changed = 0;
	struct avring_reader *reader;
	struct avring_geometry geometry;

	options.ring_bytes = 32 * 1024;
	if (kind->missing())
		tap_skip("%s", kind->missing());
	kind->start();
	must(kind->open(&reader, &options));
	avring_reader_geometry(reader, &geometry);
	/* Past the silence at the beginning. */
	for (int i = 0; i < 100; i++)
		take(reader);
	for (int i = 0; i < 100; i++) {
		struct avring_span span = take(reader);
		uint64_t before = sum(&span), lap_ns = geometry.length / 4 * 1000000 / 48;
		bool same;
		int error;

		nap_ns(lap_ns * (80 + i % 25) / 100);
		same = sum(&span) == before;
		error = avring_reader_release(reader, &span);
		tap_check(same || error == -EOVERFLOW, "held %d %% of a lap: torn and called good",
			  80 + i % 25);
		good += !error;
		overwritten += !!error;
		changed += !same;
		while (!avring_reader_next(reader, &span))
			;
	}
	tap_note("%u good, %u overwritten (%u seen)", good, overwritten, changed);
	tap_check(good && changed, "%u good, %u changed", good, changed);
	avring_reader_close(reader);
	kind->stop();
}

/* Devices that go away. */

static void write_to(const char *path, const char *text)
{
	int fd = must(sys(open(path, O_WRONLY | O_CLOEXEC)));

	must(sys(write(fd, text, strlen(text))));
	close(fd);
}

static void unplug(void *arg)
{
	const char *const *names = arg;
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/unbind", names[0]);
	write_to(path, names[1]);
}

static void check_unplugged(const char *kind_name, const char *const names[2])
{
	struct avring_reader *reader = open_kind(kind_name, NULL);
	struct avring_span held = take(reader), span;
	uint64_t before = sum(&held);
	struct later *later = common_later(50, unplug, (void *)names);
	char path[128];
	int error;

	do {
		error = avring_reader_next(reader, &span);
		if (!error)
			error = avring_reader_release(reader, &span);
		else if (error == -EAGAIN)
			error = avring_reader_wait(reader, AVRING_FOREVER);
	} while (!error || error == -EOVERFLOW);
	must_refuse(ENODEV, error);
	must(avring_reader_wait(reader, AVRING_FOREVER));
	tap_eq(1, avring_reader_arm(reader));
	if (!strcmp(kind_name, "vivid"))
		tap_check(sum(&held) == before, "the held frame changed");
	avring_reader_close(reader);
	common_join(later);
	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/bind", names[0]);
	write_to(path, names[1]);
}

static void unplugged_camera(void)
{
	static const char *const names[2] = { "vivid", "vivid.0" };

	check_unplugged("vivid", names);
}

static void unplugged_sound_card(void)
{
	static const char *const names[2] = { "snd_aloop", "snd_aloop.0" };

	check_unplugged("aloop", names);
}

static const struct tap_test tests[] = {
	{ "a camera that refuses USERPTR gets dma-bufs", .run = without_userptr },
	{ "a camera that cannot use USERPTR gets dma-bufs",
	  .run = with_userptr_that_does_not_work },
	{ "a camera that takes neither is not supported", .run = with_neither },
	{ "frames that the driver calls broken are lost", .run = broken_frames_are_lost },
	{ "a queue that fails is told as what it is, and the device is there",
	  .run = broken_queue_is_told_as_it_is },
	{ "holding all buffers is told", .run = holding_all_buffers_is_told },
	{ "the order of releases does not matter", .run = order_of_releases_does_not_matter },
	{ "pictures are as wished or refused", .run = wishes_of_pictures },
	{ "a new format of the source begins a generation", .run = new_format_of_the_source },
	{ "new timings of the source begin a generation", .run = new_timings_of_the_source },
	{ "sound is as wished, in whole pages", .run = wishes_of_sound },
	{ "sound devices that do not fit are refused", .run = sound_devices_that_do_not_fit },
	{ "a PCM that was stopped is started again, and the pause is lost",
	  .run = stopped_pcm_is_started_again },
	{ "held sound is never torn and called good",
	  .run = held_sound_is_never_torn_and_called_good },
	{ "an unplugged camera ends the stream", .run = unplugged_camera },
	{ "an unplugged sound card ends the stream", .run = unplugged_sound_card },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
