// SPDX-License-Identifier: MIT
/* Many readers. See crowd.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "camera.h"
#include "crowd.h"

#define FPS 30
#define NSEC_PER_SEC 1000000000L
#define RING_FRAMES 24
#define PEER_BUFFERS 4
/* A reader that took so many is in full swing. */
#define SETTLED 3

static void video_options(struct avring_options *options)
{
	memset(options, 0, sizeof(*options));
	options->size = sizeof(*options);
	options->ring_bytes = RING_FRAMES * camera_frame_bytes(&camera_720p);
	options->video.pixelformat = V4L2_PIX_FMT_YUYV;
	options->video.width = camera_720p.width;
	options->video.height = camera_720p.height;
	options->video.rate_num = FPS;
	options->video.rate_den = 1;
}

/* One more reader, which never sleeps in the driver, counts the frames. */
static int open_card(struct crowd *crowd, const struct bench *bench)
{
	struct avring_options options;

	crowd->card = bench->card;
	video_options(&options);
	return avring_reader_open(&crowd->reader, crowd->card, &options);
}

static int read_card(struct crowd *crowd, atomic_uint *taken)
{
	const struct avring_watermark watermark = { .entries = crowd->watermark };
	struct avring_options options = { .size = sizeof(options), .keep_setup = 1 };
	struct avring_reader *reader;
	struct avring_span span;
	int err = avring_reader_open(&reader, crowd->card, &options);

	if (!err)
		err = avring_reader_set_watermark(reader, &watermark);
	while (!err || err == -EAGAIN) {
		err = avring_reader_next(reader, &span);
		if (err == -EAGAIN)
			err = avring_reader_wait(reader, AVRING_FOREVER);
		else if (!err && !avring_reader_release(reader, &span))
			(*taken)++;
	}
	return err;
}

static unsigned int frames_of_card(struct crowd *crowd)
{
	struct avring_span span;

	while (!avring_reader_next(crowd->reader, &span)) {
		avring_reader_release(crowd->reader, &span);
		crowd->seen++;
	}
	return crowd->seen;
}

static void close_card(struct crowd *crowd)
{
	avring_reader_close(crowd->reader);
}

const struct crowd_maker crowd_card = {
	.who = BENCH_AVRING,
	.missing = "no ring node",
	.open = open_card,
	.read = read_card,
	.frames = frames_of_card,
	.close = close_card,
};

static int open_loopback(struct crowd *crowd, const struct bench *bench)
{
	(void)bench;
	return camera_find("*[Ll]oopback*", crowd->path, sizeof(crowd->path));
}

static void add_interval(struct timespec *t)
{
	t->tv_nsec += NSEC_PER_SEC / FPS;
	if (t->tv_nsec >= NSEC_PER_SEC) {
		t->tv_nsec -= NSEC_PER_SEC;
		t->tv_sec++;
	}
}

static int feed_loopback(struct crowd *crowd)
{
	struct camera camera;
	struct timespec next;
	char *frame;
	int err = camera_open(&camera, crowd->path, V4L2_BUF_TYPE_VIDEO_OUTPUT, &camera_720p, 0);

	if (err)
		return err;
	frame = calloc(1, camera.frame_bytes);
	if (!frame)
		return -ENOMEM;
	memset(frame, 1, camera.frame_bytes);
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (write(camera.fd, frame, camera.frame_bytes) == (ssize_t)camera.frame_bytes) {
		crowd->shared->fed++;
		add_interval(&next);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return -errno;
}

static int open_reading(struct crowd *crowd, struct camera *camera)
{
	/* There is nothing to open before the first frame was written. */
	while (!crowd->shared->fed && !crowd->shared->error)
		usleep(1000);
	return camera_open(camera, crowd->path, V4L2_BUF_TYPE_VIDEO_CAPTURE, &camera_720p, 0);
}

static int read_loopback(struct crowd *crowd, atomic_uint *taken)
{
	struct v4l2_buffer buffer;
	struct camera camera;
	int err = open_reading(crowd, &camera);

	if (!err)
		err = camera_request(&camera, PEER_BUFFERS);
	if (!err)
		err = camera_start(&camera);
	while (!err) {
		err = camera_dequeue(&camera, &buffer);
		if (!err)
			err = camera_queue(&camera, &buffer);
		(*taken)++;
	}
	return err;
}

static unsigned int frames_of_loopback(struct crowd *crowd)
{
	return crowd->shared->fed;
}

static void close_loopback(struct crowd *crowd)
{
	(void)crowd;
}

const struct crowd_maker crowd_v4l2loopback = {
	.who = "v4l2loopback",
	.missing = "v4l2loopback is not loaded",
	.open = open_loopback,
	.feed = feed_loopback,
	.read = read_loopback,
	.frames = frames_of_loopback,
	.close = close_loopback,
};

/* @taken: of a reader; NULL: of who feeds. */
static int start_child(struct crowd *crowd, atomic_uint *taken)
{
	pid_t pid = fork();
	int err;

	if (pid < 0)
		return -errno;
	if (pid) {
		crowd->children[crowd->n_children++] = pid;
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = taken ? crowd->maker->read(crowd, taken) : crowd->maker->feed(crowd);
	crowd->shared->error = err ? err : -EIO;
	_exit(1);
}

void crowd_nap(void)
{
	const struct timespec time = { .tv_nsec = NSEC_PER_SEC / 100 };

	nanosleep(&time, NULL);
}

static int wait_settled(struct crowd *crowd, unsigned int readers)
{
	for (unsigned int i = 0; i < readers; i++) {
		while (crowd->shared->taken[i] < SETTLED) {
			if (crowd->shared->error)
				return crowd->shared->error;
			/* Keeps up with the ring meanwhile. */
			crowd->maker->frames(crowd);
			crowd_nap();
		}
	}
	return 0;
}

static int start_all(struct crowd *crowd, unsigned int readers)
{
	int err = crowd->maker->feed ? start_child(crowd, NULL) : 0;

	for (unsigned int i = 0; i < readers && !err; i++)
		err = start_child(crowd, &crowd->shared->taken[i]);
	return err ? err : wait_settled(crowd, readers);
}

int crowd_start(struct crowd *crowd, const struct crowd_maker *maker, const struct bench *bench,
		unsigned int readers, unsigned int watermark)
{
	int err;

	memset(crowd, 0, sizeof(*crowd));
	crowd->maker = maker;
	crowd->watermark = watermark;
	crowd->shared = mmap(NULL, sizeof(*crowd->shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crowd->shared == MAP_FAILED)
		return -errno;
	err = maker->open(crowd, bench);
	if (err) {
		munmap(crowd->shared, sizeof(*crowd->shared));
		return err;
	}
	err = start_all(crowd, readers);
	if (err)
		crowd_stop(crowd);
	return err;
}

unsigned int crowd_frames(struct crowd *crowd)
{
	return crowd->maker->frames(crowd);
}

int crowd_wait(struct crowd *crowd, unsigned int frames)
{
	while ((int)(crowd_frames(crowd) - frames) < 0) {
		if (crowd->shared->error)
			return crowd->shared->error;
		crowd_nap();
	}
	return 0;
}

void crowd_stop(struct crowd *crowd)
{
	for (unsigned int i = 0; i < crowd->n_children; i++)
		kill(crowd->children[i], SIGKILL);
	for (unsigned int i = 0; i < crowd->n_children; i++)
		waitpid(crowd->children[i], NULL, 0);
	crowd->maker->close(crowd);
	munmap(crowd->shared, sizeof(*crowd->shared));
}
