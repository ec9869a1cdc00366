// SPDX-License-Identifier: MIT
/*
 * common: what the tests of the library share.
 */
#include <linux/seccomp.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <signal.h>
#include <sound/asound.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "tap.h"

uint64_t common_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int common_count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int c, lines = 0;

	tap_check(maps, "no /proc/self/maps");
	while ((c = fgetc(maps)) != EOF)
		lines += c == '\n';
	fclose(maps);
	return lines;
}

long common_number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 0) : otherwise;
}

struct avring_stream_format common_picture(uint32_t bytes)
{
	struct avring_stream_format format = { .stream = AVRING_STREAM_VIDEO };

	format.video = (struct avring_video_format){ .pixelformat = V4L2_PIX_FMT_GREY,
						     .width = bytes,
						     .height = 1,
						     .rate_num = 25,
						     .rate_den = 1 };
	return format;
}

struct avring_stream_format common_sound(uint32_t period_frames)
{
	struct avring_stream_format format = { .stream = AVRING_STREAM_AUDIO };

	format.audio = (struct avring_audio_format){ .format = (uint32_t)SNDRV_PCM_FORMAT_S16_LE,
						     .rate = 48000,
						     .channels = 2,
						     .period_frames = period_frames };
	return format;
}

struct avring_options common_options(void)
{
	return (struct avring_options){ .size = sizeof(struct avring_options) };
}

struct pair pair_open_with(const struct avring_stream_format *format,
			   const struct avring_options *options)
{
	struct pair pair;

	must(avring_producer_open(&pair.producer, NULL, format, options));
	must(avring_reader_open_fd(&pair.reader, must(avring_producer_fd(pair.producer)), NULL));
	return pair;
}

struct pair pair_open(uint32_t frames)
{
	const uint32_t page = sysconf(_SC_PAGESIZE);
	struct avring_stream_format format = common_picture(page);
	struct avring_options options = common_options();

	options.ring_bytes = (uint64_t)frames * page;
	return pair_open_with(&format, &options);
}

void pair_close(struct pair *pair)
{
	avring_reader_close(pair->reader);
	avring_producer_close(pair->producer);
}

void pair_send_bytes(struct pair *pair, size_t length, uint8_t value)
{
	void *data;

	must(avring_producer_begin(pair->producer, length, &data));
	memset(data, value, length);
	must(avring_producer_commit(pair->producer, length, 0));
}

void pair_send(struct pair *pair, uint8_t value)
{
	const struct avring_stream_format *format = avring_producer_format(pair->producer);

	pair_send_bytes(pair,
			format->stream == AVRING_STREAM_VIDEO ?
				format->video.sizeimage :
				format->audio.period_frames * format->audio.frame_bytes,
			value);
}

struct avring_span pair_next(struct pair *pair)
{
	struct avring_span span;

	must(avring_reader_next(pair->reader, &span));
	return span;
}

void common_without_system_calls(void (*call)(void *arg), void *arg)
{
	pid_t child;

	/* valgrind makes system calls of its own. */
	if (getenv("UNDER_VALGRIND")) {
		call(arg);
		return;
	}
	child = must(sys(fork()));
	if (!child) {
		must(sys(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)));
		call(arg);
		syscall(SYS_exit, 0);
	}
	tap_join(child);
}

/**
 * struct later - a call to come
 * @thread: that makes it
 * @delay_ns: first
 * @call: what
 * @arg: for it
 */
struct later {
	pthread_t thread;
	uint64_t delay_ns;
	void (*call)(void *arg);
	void *arg;
};

static void *later_run(void *arg)
{
	struct later *later = arg;
	struct timespec delay = { .tv_sec = later->delay_ns / 1000000000,
				  .tv_nsec = later->delay_ns % 1000000000 };

	nanosleep(&delay, NULL);
	later->call(later->arg);
	return NULL;
}

struct later *common_later(unsigned int delay_ms, void (*call)(void *arg), void *arg)
{
	struct later *later = malloc(sizeof(*later));

	tap_check(later, "no memory");
	*later = (struct later){ .delay_ns = delay_ms * COMMON_MS, .call = call, .arg = arg };
	tap_check(!pthread_create(&later->thread, NULL, later_run, later), "no thread");
	return later;
}

void common_join(struct later *later)
{
	pthread_join(later->thread, NULL);
	free(later);
}

/**
 * struct pest - a thread that interrupts
 * @thread: it
 * @victim: that it interrupts
 * @stop: no more
 */
struct pest {
	pthread_t thread;
	pthread_t victim;
	bool stop;
};

static void pest_ignore(int signal)
{
	(void)signal;
}

static void *pest_run(void *arg)
{
	const struct timespec pause = { .tv_nsec = 10 * COMMON_MS };
	struct pest *pest = arg;

	while (!__atomic_load_n(&pest->stop, __ATOMIC_RELAXED)) {
		nanosleep(&pause, NULL);
		pthread_kill(pest->victim, SIGUSR1);
	}
	return NULL;
}

struct pest *common_pester(int sa_flags)
{
	const struct sigaction action = { .sa_handler = pest_ignore, .sa_flags = sa_flags };
	struct pest *pest = malloc(sizeof(*pest));

	tap_check(pest, "no memory");
	sigaction(SIGUSR1, &action, NULL);
	*pest = (struct pest){ .victim = pthread_self() };
	tap_check(!pthread_create(&pest->thread, NULL, pest_run, pest), "no thread");
	return pest;
}

void common_leave_alone(struct pest *pest)
{
	__atomic_store_n(&pest->stop, true, __ATOMIC_RELAXED);
	pthread_join(pest->thread, NULL);
	free(pest);
}
