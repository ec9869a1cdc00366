// SPDX-License-Identifier: MIT
/*
 * unbind: the device goes away under its users (user.h), and comes back, many times.
 *
 * Environment: LOOPS, how often the loops turn that the project promises to pass
 * (50); the others turn a fifth as often.
 */
#include <alsa/asoundlib.h>
#include <fcntl.h>
#include <linux/media.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "module.h"
#include "user.h"

static void begin_streaming(struct video *video, const char *node)
{
	must(video_begin(video, node, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 3));
	must(video_queue_all(video));
	must(video_start(video));
}

static void user_streams(const struct user *user)
{
	struct v4l2_buffer buffer;
	struct video video;
	int error;

	begin_streaming(&video, user->card.capture);
	must(video_dequeue(&video, &buffer));
	user_ready(user);
	do {
		error = video_queue(&video, buffer.index);
		if (!error)
			error = video_dequeue(&video, &buffer);
	} while (!error);
	must_refuse(ENODEV, error);
	video_close(&video);
}

/* All buffers are dequeued and none is queued: no frame can come. */
static void user_blocks(const struct user *user, const char *node)
{
	struct v4l2_buffer buffer;
	struct video video;
	unsigned int i;

	begin_streaming(&video, node);
	for (i = 0; i < video.n_buffers; i++)
		must(video_dequeue(&video, &buffer));
	user_ready(user);
	must_refuse(ENODEV, video_dequeue(&video, &buffer));
	video_close(&video);
}

static void user_blocks_capture(const struct user *user)
{
	user_blocks(user, user->card.capture);
}

static void user_blocks_output(const struct user *user)
{
	user_blocks(user, user->card.output);
}

static void user_reads(const struct user *user)
{
	static uint8_t frame[SMALL_WIDTH * SMALL_HEIGHT * 2];
	struct video video;
	long long got;

	must(video_open(&video, user->card.capture));
	must(video_set_format(&video, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	tap_eq(sizeof(frame), read(video.fd, frame, sizeof(frame)));
	user_ready(user);
	do {
		got = sys(read(video.fd, frame, sizeof(frame)));
	} while (got == sizeof(frame));
	must_refuse(ENODEV, got);
	video_close(&video);
}

/* The first read() of a file starts the stream itself; a frame per second is slow enough. */
static void user_reads_first(const struct user *user)
{
	static uint8_t frame[SMALL_WIDTH * SMALL_HEIGHT * 2];
	struct video video;
	long long got;

	must(video_open(&video, user->card.capture));
	must(video_set_format(&video, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(video_set_rate(&video, 1, 1));
	user_ready(user);
	do {
		got = sys(read(video.fd, frame, sizeof(frame)));
	} while (got == sizeof(frame));
	must_refuse(ENODEV, got);
	video_close(&video);
}

/* Readable once the device is gone, and with an error. */
static void user_polls(const struct user *user)
{
	struct pollfd ready = { .events = POLLIN };
	struct v4l2_buffer buffer;
	struct video video;
	unsigned int i;

	begin_streaming(&video, user->card.capture);
	for (i = 0; i < video.n_buffers; i++)
		must(video_dequeue(&video, &buffer));
	ready.fd = video.fd;
	user_ready(user);
	must(sys(poll(&ready, 1, -1)));
	tap_check(ready.revents & POLLERR, "poll: expected POLLERR, got %x", ready.revents);
	user_wait_gone(user);
	must_refuse(ENODEV, video_dequeue(&video, &buffer));
	video_close(&video);
}

static void user_waits_for_events(const struct user *user)
{
	struct v4l2_event_subscription subscription = { .type = V4L2_EVENT_SOURCE_CHANGE };
	struct pollfd ready = { .events = POLLPRI };
	struct v4l2_event event;
	struct video video;

	must(video_open(&video, user->card.capture));
	must(video_ioctl(video.fd, VIDIOC_SUBSCRIBE_EVENT, &subscription));
	ready.fd = video.fd;
	user_ready(user);
	must(sys(poll(&ready, 1, -1)));
	tap_check(ready.revents & POLLPRI, "poll: expected POLLPRI, got %x", ready.revents);
	user_wait_gone(user);
	must_refuse(ENODEV, video_ioctl(video.fd, VIDIOC_DQEVENT, &event));
	video_close(&video);
}

static void user_maps(const struct user *user)
{
	struct video video;
	uint8_t *start;

	must(video_begin(&video, user->card.capture, BIG_FOURCC, BIG_WIDTH, BIG_HEIGHT, 1));
	start = video.buffers[0].start;
	content_fill(start, BIG_BYTES, 0);
	must(sys(madvise(start, BIG_BYTES / 2, MADV_DONTNEED)));
	user_ready(user);
	user_wait_gone(user);
	content_expect("mapping", start, BIG_BYTES, 0, 0);
	video_close(&video);
}

static void user_keeps_mapping_only(const struct user *user)
{
	struct video video;

	must(video_begin(&video, user->card.capture, BIG_FOURCC, BIG_WIDTH, BIG_HEIGHT, 1));
	content_fill(video.buffers[0].start, BIG_BYTES, 0);
	close(video.fd);
	user_ready(user);
	user_wait_gone(user);
	content_expect("mapping", video.buffers[0].start, BIG_BYTES, 0, 0);
}

/* The error of a PCM whose card is gone: ENODEV of the file, EBADFD of a waiter. */
static void expect_pcm_gone(long got)
{
	tap_check(got == -ENODEV || got == -EBADFD, "PCM: expected ENODEV or EBADFD, got %s",
		  got < 0 ? snd_strerror(got) : "frames");
}

static snd_pcm_t *open_pcm(const struct user *user, snd_pcm_stream_t stream)
{
	snd_pcm_t *pcm;

	must(snd_pcm_open(&pcm, user->card.alsa, stream, 0));
	must(snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE, SND_PCM_ACCESS_RW_INTERLEAVED, 2, 48000,
				0, 200000));
	return pcm;
}

static void user_records(const struct user *user)
{
	snd_pcm_t *pcm = open_pcm(user, SND_PCM_STREAM_CAPTURE);
	static int16_t samples[2 * 4800];
	long got;

	must(snd_pcm_start(pcm));
	got = must(snd_pcm_readi(pcm, samples, 480));
	user_ready(user);
	while (got >= 0 || got == -EPIPE) {
		if (got == -EPIPE)
			got = snd_pcm_prepare(pcm) ?: snd_pcm_start(pcm);
		else
			got = snd_pcm_readi(pcm, samples, 4800);
	}
	expect_pcm_gone(got);
	snd_pcm_close(pcm);
}

static void user_plays(const struct user *user)
{
	snd_pcm_t *pcm = open_pcm(user, SND_PCM_STREAM_PLAYBACK);
	static int16_t samples[2 * 4800];
	long got = must(snd_pcm_writei(pcm, samples, 4800));

	user_ready(user);
	while (got >= 0 || got == -EPIPE) {
		if (got == -EPIPE)
			got = snd_pcm_prepare(pcm);
		else
			got = snd_pcm_writei(pcm, samples, 4800);
	}
	expect_pcm_gone(got);
	snd_pcm_close(pcm);
}

/* Everything is open and nothing runs; afterwards everything says so. */
static void user_holds_nodes(const struct user *user)
{
	int capture = must(sys(open(user->card.capture, O_RDWR | O_CLOEXEC)));
	int output = must(sys(open(user->card.output, O_RDWR | O_CLOEXEC)));
	int media = must(sys(open(user->card.media, O_RDWR | O_CLOEXEC)));
	struct media_device_info info;
	struct v4l2_capability cap;
	snd_ctl_t *control;
	uint8_t byte;

	must(snd_ctl_open(&control, user->card.alsa, 0));
	user_ready(user);
	user_wait_gone(user);
	must_refuse(ENODEV, video_ioctl(capture, VIDIOC_QUERYCAP, &cap));
	must_refuse(ENODEV, video_ioctl(output, VIDIOC_QUERYCAP, &cap));
	must_refuse(ENODEV, sys(read(capture, &byte, 1)));
	must_refuse(ENODEV, sys(write(output, &byte, 1)));
	must_refuse(ENODEV, sys(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, capture, 0)));
	must_refuse(EIO, video_ioctl(media, MEDIA_IOC_DEVICE_INFO, &info));
	close(capture);
	close(output);
	close(media);
	snd_ctl_close(control);
}

/* Let a user who is about to sleep get there. */
static void settle(void)
{
	usleep(100000);
}

static void expect_working(void)
{
	struct v4l2_buffer buffer;
	struct video video;

	buffers_begin(&video, fixture_huge, SMALL_WIDTH, SMALL_HEIGHT, 3);
	must(video_one_frame(&video, &buffer));
	must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
	video_close(&video);
}

static void test_unbind_once(const void *run)
{
	struct user user = user_start(*(const user_fn *)run);

	settle();
	must(card_unbind(&user.card));
	user_end(&user);
	must(card_bind(&user.card));
	expect_working();
}

/* The user may be anywhere in his loop: no settling. */
static void unbind_loop(const void *run, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct user user = user_start(*(const user_fn *)run);

		must(card_unbind(&user.card));
		user_end(&user);
		must(card_bind(&user.card));
	}
	expect_working();
}

static void test_unbind_loop(const void *run)
{
	unbind_loop(run, user_loops());
}

static void test_unbind_short_loop(const void *run)
{
	unbind_loop(run, user_short_loops());
}

static void rmmod_loop(const void *run, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct user user = user_start(*(const user_fn *)run);

		must_refuse(EWOULDBLOCK, module_unload_one(MODULE_VIRTUAL));
		must(card_unbind(&user.card));
		user_end(&user);
		must(module_unload());
		must(module_load());
	}
	expect_working();
}

static void test_rmmod_core_loop(const void *run)
{
	user_keeps_core(*(const user_fn *)run, user_loops());
	expect_working();
}

static void test_rmmod_loop(const void *run)
{
	rmmod_loop(run, user_loops());
}

static void test_rmmod_short_loop(const void *run)
{
	rmmod_loop(run, user_short_loops());
}

static void test_unused_rmmod_loop(void)
{
	int i, n = user_short_loops();

	for (i = 0; i < n; i++) {
		must(module_unload());
		must(module_load());
	}
	expect_working();
}

static void test_unused_unbind_loop(void)
{
	struct card card = buffers_card();
	int i, n = user_loops();

	for (i = 0; i < n; i++) {
		must(card_unbind(&card));
		must_refuse(ENODEV, card_unbind(&card));
		must_refuse(ENODEV, card_find(0, &card));
		must(card_bind(&card));
		must(card_find(0, &card));
	}
	expect_working();
}

/* One card goes, the others stay. */
static void test_other_card_streams_on(void)
{
	struct card card = buffers_card(), other;
	struct v4l2_buffer buffer;
	struct video video;

	if (card_find(1, &other))
		tap_skip("only one card: load with cards=2");
	begin_streaming(&video, other.capture);
	must(video_dequeue(&video, &buffer));
	must(card_unbind(&card));
	must(video_queue(&video, buffer.index));
	must(video_dequeue(&video, &buffer));
	must(frame_check(video.buffers[buffer.index].start, buffer.bytesused, NULL));
	must(card_bind(&card));
	video_close(&video);
}

static const user_fn streams = user_streams, blocks_capture = user_blocks_capture,
		     blocks_output = user_blocks_output, reads = user_reads,
		     reads_first = user_reads_first, polls = user_polls,
		     waits_for_events = user_waits_for_events, maps = user_maps,
		     keeps_mapping_only = user_keeps_mapping_only, records = user_records,
		     plays = user_plays, holds_nodes = user_holds_nodes;

#define LOOP_S 900

static const struct tap_test tests[] = {
	{ "unbind wakes a blocked capture DQBUF with ENODEV", .run_with = test_unbind_once,
	  .arg = &blocks_capture },
	{ "unbind wakes a blocked output DQBUF with ENODEV", .run_with = test_unbind_once,
	  .arg = &blocks_output },
	{ "unbind ends a stream with ENODEV", .run_with = test_unbind_once, .arg = &streams },
	{ "unbind ends read() with ENODEV", .run_with = test_unbind_once, .arg = &reads },
	{ "unbind ends a first read() that waits with ENODEV", .run_with = test_unbind_once,
	  .arg = &reads_first },
	{ "unbind wakes poll() for frames with POLLERR", .run_with = test_unbind_once,
	  .arg = &polls },
	{ "unbind wakes poll() for events, and DQEVENT gives ENODEV", .run_with = test_unbind_once,
	  .arg = &waits_for_events },
	{ "unbind leaves mapped memory as it is", .run_with = test_unbind_once, .arg = &maps },
	{ "unbind wakes a PCM reader with an error", .run_with = test_unbind_once,
	  .arg = &records },
	{ "unbind wakes a PCM writer with an error", .run_with = test_unbind_once, .arg = &plays },
	{ "after unbind every open video node gives ENODEV, the media node EIO",
	  .run_with = test_unbind_once, .arg = &holds_nodes },
	{ "unbind of one card leaves the other streaming", .run = test_other_card_streams_on },
	{ "unbind and bind, many times", .run = test_unused_unbind_loop, .deadline_s = LOOP_S },
	{ "unbind and bind while streaming, many times", .run_with = test_unbind_loop,
	  .arg = &streams, .deadline_s = LOOP_S },
	{ "unbind and bind while blocked in capture DQBUF, many times",
	  .run_with = test_unbind_loop, .arg = &blocks_capture, .deadline_s = LOOP_S },
	{ "unbind and bind while blocked in output DQBUF, some times",
	  .run_with = test_unbind_short_loop, .arg = &blocks_output, .deadline_s = LOOP_S },
	{ "unbind and bind while in read(), some times", .run_with = test_unbind_short_loop,
	  .arg = &reads, .deadline_s = LOOP_S },
	{ "unbind and bind while mapped, many times", .run_with = test_unbind_loop, .arg = &maps,
	  .deadline_s = LOOP_S },
	{ "unbind and bind while recording, some times", .run_with = test_unbind_short_loop,
	  .arg = &records, .deadline_s = LOOP_S },
	{ "unbind and bind while playing, some times", .run_with = test_unbind_short_loop,
	  .arg = &plays, .deadline_s = LOOP_S },
	{ "unbind and bind while all nodes are open, some times",
	  .run_with = test_unbind_short_loop, .arg = &holds_nodes, .deadline_s = LOOP_S },
	{ "rmmod and modprobe, some times", .run = test_unused_rmmod_loop, .deadline_s = LOOP_S },
	{ "rmmod is refused while streaming and works after unbind, many times",
	  .run_with = test_rmmod_loop, .arg = &streams, .deadline_s = LOOP_S },
	{ "rmmod is refused while blocked in DQBUF and works after unbind, many times",
	  .run_with = test_rmmod_loop, .arg = &blocks_capture, .deadline_s = LOOP_S },
	{ "rmmod avring-core is refused while mapped and works after munmap, many times",
	  .run_with = test_rmmod_core_loop, .arg = &keeps_mapping_only, .deadline_s = LOOP_S },
	{ "rmmod is refused while recording and works after unbind, some times",
	  .run_with = test_rmmod_short_loop, .arg = &records, .deadline_s = LOOP_S },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
