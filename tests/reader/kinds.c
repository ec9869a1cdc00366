// SPDX-License-Identifier: MIT
/*
 * kinds: the devices that the reader's tests run on, and what feeds them.
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "device.h"
#include "kinds.h"
#include "sound.h"
#include "tap.h"

/* Lengths of the wrap and of a period do not divide each other. */
#define PICTURE_WIDTH 320
#define PICTURE_HEIGHT 180
#define PERIOD_FRAMES 240
#define RATE 48000

/* Something that sends runs in a thread of its own. */
static struct {
	pthread_t thread;
	bool stop;
} sender;

static bool sender_stopped(void)
{
	return __atomic_load_n(&sender.stop, __ATOMIC_RELAXED);
}

static void sender_start(void *(*run)(void *arg))
{
	sender.stop = false;
	tap_check(!pthread_create(&sender.thread, NULL, run, NULL), "no thread");
}

static void sender_stop(void)
{
	__atomic_store_n(&sender.stop, true, __ATOMIC_RELAXED);
	pthread_join(sender.thread, NULL);
}

/* A ring in memory: pictures of their own number, one every 5 ms. */

static struct avring_producer *memory;

static void *memory_run(void *arg)
{
	const struct avring_video_format *video = &avring_producer_format(memory)->video;
	struct timespec tick;
	void *data;

	clock_gettime(CLOCK_MONOTONIC, &tick);
	for (uint32_t n = 0; !sender_stopped(); n++) {
		must(avring_producer_begin(memory, video->sizeimage, &data));
		memset(data, n & 0xff, video->sizeimage);
		must(avring_producer_commit(memory, video->sizeimage, 0));
		tick.tv_nsec += 5 * COMMON_MS;
		if (tick.tv_nsec >= 1000000000) {
			tick.tv_nsec -= 1000000000;
			tick.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &tick, NULL);
	}
	return arg;
}

static void memory_start(void)
{
	struct avring_stream_format format = common_picture(3000);
	struct avring_options options = common_options();

	format.video.rate_num = 200;
	options.ring_bytes = 20 * sysconf(_SC_PAGESIZE);
	must(avring_producer_open(&memory, NULL, &format, &options));
	sender_start(memory_run);
}

static void memory_stop(void)
{
	sender_stop();
	avring_producer_close(memory);
}

static int memory_open(struct avring_reader **reader, const struct avring_options *options)
{
	return avring_reader_open_fd(reader, avring_producer_fd(memory), options);
}

static void memory_check(const struct avring_span *span)
{
	const uint8_t *bytes = span->data;

	tap_check(bytes[0] == (span->sequence & 0xff) &&
			  !memcmp(bytes, bytes + 1, span->length - 1),
		  "frame %llu has other bytes", (unsigned long long)span->sequence);
}

/* snd-aloop: sample frames of their own number. */

static const char *loop_missing(void)
{
	snd_pcm_info_t *info;
	snd_pcm_t *pcm;

	snd_pcm_info_alloca(&info);
	if (snd_pcm_open(&pcm, "hw:Loopback,1,0", SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK))
		return "no snd-aloop: modprobe snd-aloop";
	snd_pcm_close(pcm);
	return NULL;
}

static void *loop_run(void *arg)
{
	const struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
					     .rate = RATE,
					     .channels = 2,
					     .period = 480,
					     .buffer = 9600 };
	uint32_t samples[PERIOD_FRAMES], n = 1;
	snd_pcm_t *pcm;

	must(sound_open(&pcm, "hw:Loopback,0,0", SND_PCM_STREAM_PLAYBACK, &params));
	while (!sender_stopped()) {
		for (int i = 0; i < PERIOD_FRAMES; i++)
			samples[i] = htole32(n++);
		must(snd_pcm_writei(pcm, samples, PERIOD_FRAMES));
		if (snd_pcm_state(pcm) == SND_PCM_STATE_PREPARED && n > 4800)
			must(snd_pcm_start(pcm));
	}
	snd_pcm_close(pcm);
	return arg;
}

static void loop_start(void)
{
	sender_start(loop_run);
}

static int loop_open(struct avring_reader **reader, const struct avring_options *options)
{
	return avring_reader_open(reader, "hw:Loopback,1,0", options);
}

/* Silence until the player is there, and then one after the other. */
static void loop_check(const struct avring_span *span)
{
	const uint32_t *samples = span->data;

	for (uint64_t i = 1; i < span->count; i++)
		tap_check(!samples[i - 1] || le32toh(samples[i]) == le32toh(samples[i - 1]) + 1,
			  "sample frame %llu: expected number %u, got %u",
			  (unsigned long long)(span->sequence + i), le32toh(samples[i - 1]) + 1,
			  le32toh(samples[i]));
}

/* vivid: its first capture node. */

static bool vivid_is_capture(const char *path)
{
	struct v4l2_capability cap = { 0 };
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	bool found = fd >= 0 && !ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
		     !strcmp((const char *)cap.driver, "vivid") &&
		     cap.device_caps & V4L2_CAP_VIDEO_CAPTURE;

	if (fd >= 0)
		close(fd);
	return found;
}

const char *kind_vivid_path(void)
{
	static char path[32];

	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		if (vivid_is_capture(path))
			return path;
	}
	return NULL;
}

static const char *vivid_missing(void)
{
	return kind_vivid_path() ? NULL : "no vivid: modprobe vivid";
}

static int vivid_open(struct avring_reader **reader, const struct avring_options *options)
{
	return avring_reader_open(reader, kind_vivid_path(), options);
}

/* A card. */

static const char *ring_missing(void)
{
	struct avring_info info;

	return avring_card_info("avring0", &info) ? "no card: no ring node avring0" : NULL;
}

static int ring_open(struct avring_reader **reader, const struct avring_options *options)
{
	return avring_reader_open(reader, "/dev/avring0", options);
}

static void ring_check_picture(const struct avring_span *span)
{
	struct avring_frame_stamp stamp;

	must(frame_check(span->data, span->length, &stamp));
	tap_eq(span->time_ns, le64toh(stamp.time_ns));
	tap_eq(span->event, le64toh(stamp.frame));
}

static const struct kind kinds[] = {
	{ .name = "memfd",
	  .overtakes = true,
	  .read_only = true,
	  .start = memory_start,
	  .stop = memory_stop,
	  .open = memory_open,
	  .check = memory_check },
	{ .name = "aloop",
	  .overtakes = true,
	  .missing = loop_missing,
	  .start = loop_start,
	  .stop = sender_stop,
	  .open = loop_open,
	  .check = loop_check },
	{ .name = "vivid", .missing = vivid_missing, .open = vivid_open },
	{ .name = "video",
	  .overtakes = true,
	  .read_only = true,
	  .missing = ring_missing,
	  .open = ring_open,
	  .check = ring_check_picture },
	{ .name = "audio",
	  .overtakes = true,
	  .read_only = true,
	  .missing = ring_missing,
	  .open = ring_open },
};

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < TAP_COUNT(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

struct avring_options kind_options(const struct kind *kind)
{
	struct avring_options options = common_options();

	if (kind->open == memory_open)
		return options;
	/* Lengths of which no frame is a divisor, and no huge page. */
	options.ring_bytes = 1200000;
	if (kind->open != loop_open && strcmp(kind->name, "audio")) {
		options.video.pixelformat = V4L2_PIX_FMT_YUYV;
		options.video.width = PICTURE_WIDTH;
		options.video.height = PICTURE_HEIGHT;
		return options;
	}
	options.ring_bytes = 50000;
	if (kind->open != loop_open)
		options.stream = AVRING_STREAM_AUDIO;
	options.audio.rate = RATE;
	options.audio.channels = 2;
	options.audio.period_frames = PERIOD_FRAMES;
	return options;
}
