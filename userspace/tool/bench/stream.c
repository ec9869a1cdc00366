// SPDX-License-Identifier: MIT
/* Frames from a card or a camera. See stream.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "calls.h"
#include "counter.h"
#include "disk.h"
#include "stream.h"

#define FPS 30
/* What is written by one system call, where frames lie in a row. */
#define RUN_BYTES (4 * BENCH_MIB)
/* The disk is written from its beginning to here, again and again. */
#define DISK_BYTES (256 * BENCH_MIB)
/* A ring holds twice as many frames as anybody waits for. */
#define RING_FRAMES 24
#define PEER_BUFFERS 4

/* As an ordinary recorder would: one call for one piece of memory. */
static int write_out(struct stream *stream, const void *data, size_t bytes)
{
	ssize_t n;

	if (stream->disk < 0)
		return 0;
	if (stream->at + bytes > DISK_BYTES)
		stream->at = 0;
	n = pwrite(stream->disk, data, bytes, stream->at);
	if (n < 0)
		return -errno;
	stream->at += n;
	return (size_t)n == bytes ? 0 : -EIO;
}

/* In whole huge pages, as is the default. */
static uint64_t ring_bytes(const struct camera_size *size)
{
	uint64_t bytes = RING_FRAMES * camera_frame_bytes(size);

	return (bytes + BENCH_HUGE_PAGE - 1) / BENCH_HUGE_PAGE * BENCH_HUGE_PAGE;
}

static int open_card(struct stream *stream, const struct bench *bench)
{
	const struct camera_size *size = stream->job->size;
	const struct avring_watermark watermark = { .entries = stream->job->watermark };
	struct avring_options options = { .size = sizeof(options) };
	int err;

	options.ring_bytes = ring_bytes(size);
	options.video.pixelformat = V4L2_PIX_FMT_YUYV;
	options.video.width = size->width;
	options.video.height = size->height;
	options.video.rate_num = FPS;
	options.video.rate_den = 1;
	err = avring_reader_open(&stream->reader, bench->card, &options);
	if (!err)
		err = avring_reader_set_watermark(stream->reader, &watermark);
	return err;
}

/* With a watermark, what lies in a row is used in one piece. */
static int take_card(struct stream *stream)
{
	size_t most = stream->job->watermark > 1 ? RUN_BYTES : 1;
	struct avring_span span;
	int err;

	while ((err = avring_reader_next_run(stream->reader, &span, most)) == -EAGAIN) {
		err = avring_reader_wait(stream->reader, AVRING_FOREVER);
		if (err)
			return err;
	}
	if (!err)
		err = write_out(stream, span.data, span.length);
	/* What it says of a frame that was overwritten meanwhile is of no interest here. */
	if (!err)
		avring_reader_release(stream->reader, &span);
	return err ? err : (int)span.entries;
}

static void close_card(struct stream *stream)
{
	avring_reader_close(stream->reader);
}

const struct stream_maker stream_card = {
	.who = BENCH_AVRING,
	.missing = "no ring node",
	.open = open_card,
	.take = take_card,
	.close = close_card,
};

static int open_vivid(struct stream *stream)
{
	char path[64];
	int err = camera_find("vivid-*-vid-cap", path, sizeof(path));

	return err ? err :
		     camera_open(&stream->camera, path, V4L2_BUF_TYPE_VIDEO_CAPTURE,
				 stream->job->size, FPS);
}

static int open_buffers(struct stream *stream, const struct bench *bench)
{
	int err = open_vivid(stream);

	(void)bench;
	if (err)
		return err;
	err = camera_request(&stream->camera, PEER_BUFFERS);
	if (!err)
		err = camera_start(&stream->camera);
	if (err)
		camera_close(&stream->camera);
	return err;
}

static int take_buffer(struct stream *stream)
{
	struct v4l2_buffer buffer;
	int err = camera_dequeue(&stream->camera, &buffer);

	if (!err)
		err = write_out(stream, stream->camera.buffers[buffer.index], buffer.bytesused);
	if (!err)
		err = camera_queue(&stream->camera, &buffer);
	return err ? err : 1;
}

static void close_vivid(struct stream *stream)
{
	camera_close(&stream->camera);
}

const struct stream_maker stream_vivid = {
	.who = "vivid, DQBUF loop",
	.missing = "vivid is not loaded",
	.open = open_buffers,
	.take = take_buffer,
	.close = close_vivid,
};

static int open_read(struct stream *stream, const struct bench *bench)
{
	int err = open_vivid(stream);

	(void)bench;
	if (err)
		return err;
	stream->memory = aligned_alloc(BENCH_PAGE, stream->camera.frame_bytes);
	if (stream->memory)
		return 0;
	camera_close(&stream->camera);
	return -ENOMEM;
}

static int take_read(struct stream *stream)
{
	size_t bytes = stream->camera.frame_bytes;
	ssize_t n = read(stream->camera.fd, stream->memory, bytes);
	int err = n < 0 ? -errno : 0;

	if (!err)
		err = write_out(stream, stream->memory, bytes);
	return err ? err : 1;
}

static void close_read(struct stream *stream)
{
	camera_close(&stream->camera);
	free(stream->memory);
}

const struct stream_maker stream_vivid_read = {
	.who = "vivid, read()",
	.missing = "vivid is not loaded",
	.open = open_read,
	.take = take_read,
	.close = close_read,
};

/* At least so many frames: how many, or a negative errno. */
static int take_frames(struct stream *stream, unsigned int frames)
{
	unsigned int n = 0;

	while (n < frames) {
		int taken = stream->maker->take(stream);

		if (taken < 0)
			return taken;
		n += taken;
	}
	stream->taken += n;
	return n;
}

static int open_stream(struct stream *stream, const struct bench *bench)
{
	int err = 0;

	stream->disk = -1;
	if (stream->job->write) {
		stream->disk = disk_open(bench->disk, O_DIRECT);
		if (stream->disk < 0)
			return stream->disk;
	}
	err = stream->maker->open(stream, bench);
	if (err && stream->disk >= 0)
		close(stream->disk);
	return err;
}

static void close_stream(struct stream *stream)
{
	stream->maker->close(stream);
	if (stream->disk >= 0)
		close(stream->disk);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static uint64_t own_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw;
}

/*
 * The median, not the least: in one window of fifty Linux 6.12 forgets to charge
 * a millisecond of system time.
 */
static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static int measure_window(struct stream *stream, unsigned int frames, double *process)
{
	uint64_t before = counter_process();
	int n = take_frames(stream, frames);

	if (n < 0)
		return n;
	*process = (double)(counter_process() - before) / n;
	return 0;
}

static int measure_windows(struct stream *stream, unsigned int frames, struct stream_cost *cost)
{
	uint64_t switches = own_switches();
	uint64_t taken = stream->taken;
	double process[BENCH_REPEATS];
	int err = 0;

	for (int i = 0; i < BENCH_REPEATS && !err; i++)
		err = measure_window(stream, frames, &process[i]);
	if (err)
		return err;
	cost->process = median(process, BENCH_REPEATS);
	cost->switches = (double)(own_switches() - switches) / (stream->taken - taken);
	return 0;
}

/* In a window of its own: to be counted costs a system call something. */
static int measure_calls(struct stream *stream, unsigned int frames, struct stream_cost *cost)
{
	struct calls calls;
	int n, err = calls_begin(&calls, getpid());

	if (err) {
		cost->calls = -1;
		return 0;
	}
	n = take_frames(stream, frames);
	cost->calls = (double)calls_end(&calls) / n;
	return n < 0 ? n : 0;
}

int stream_measure(const struct bench *bench, const struct stream_maker *maker,
		   const struct stream_job *job, unsigned int frames, struct stream_cost *cost)
{
	struct stream stream = { .maker = maker, .job = job };
	int err = open_stream(&stream, bench);

	if (err)
		return err;
	/* The first frames pay for page faults. */
	err = take_frames(&stream, 2 * RING_FRAMES);
	err = err < 0 ? err : measure_windows(&stream, frames, cost);
	if (!err)
		err = measure_calls(&stream, frames, cost);
	close_stream(&stream);
	return err;
}

const char *stream_reason(const struct stream_maker *maker, int err)
{
	return err == -ENODEV || err == -ENOENT ? maker->missing : strerror(-err);
}
