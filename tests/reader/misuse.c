// SPDX-License-Identifier: MIT
/*
 * misuse: calls that would be answered by something that was not asked for are refused.
 * Runs on any machine.
 */
#include <alsa/asoundlib.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "tap.h"

static size_t page(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Who forgets it would get pictures where sound was wished. */
static void options_without_a_size_are_refused(void)
{
	struct avring_stream_format format = common_picture(page());
	struct avring_options options = { .stream = AVRING_STREAM_AUDIO };
	struct avring_producer *producer;
	struct avring_reader *reader;
	int fd;

	must(avring_producer_open(&producer, NULL, &format, NULL));
	fd = avring_producer_fd(producer);
	must_refuse(EINVAL, avring_reader_open_fd(&reader, fd, &options));
	options.stream = AVRING_STREAM_VIDEO;
	must_refuse(EINVAL, avring_reader_open_fd(&reader, fd, &options));
	avring_producer_close(producer);
	must_refuse(EINVAL, avring_producer_open(&producer, NULL, &format, &options));
}

/* What would be ignored is refused. */
static void wishes_for_another_stream(void)
{
	struct avring_stream_format picture = common_picture(page()), sound = common_sound(480);
	struct avring_options options = common_options();
	struct avring_producer *producer, *speaker;
	struct avring_reader *reader;
	int fd;

	must(avring_producer_open(&producer, NULL, &picture, NULL));
	must(avring_producer_open(&speaker, NULL, &sound, NULL));
	fd = avring_producer_fd(producer);
	options.video.width = picture.video.width;
	must(avring_reader_open_fd(&reader, fd, &options));
	avring_reader_close(reader);
	must_refuse(EINVAL, avring_reader_open_fd(&reader, avring_producer_fd(speaker), &options));
	options.video.width++;
	must_refuse(EINVAL, avring_reader_open_fd(&reader, fd, &options));
	options.keep_setup = 1;
	must(avring_reader_open_fd(&reader, fd, &options));
	avring_reader_close(reader);
	options = common_options();
	options.audio.rate = 48000;
	must_refuse(EINVAL, avring_reader_open_fd(&reader, fd, &options));
	must(avring_reader_open_fd(&reader, avring_producer_fd(speaker), &options));
	avring_reader_close(reader);
	must_refuse(EINVAL, avring_reader_open(&reader, "/dev/avring4294967295", &options));
	must_refuse(EINVAL, avring_reader_open(&reader, "/dev/video999999", &options));
	must_refuse(EINVAL, avring_producer_open(&producer, NULL, &picture, &options));
	options = common_options();
	options.stream = AVRING_STREAM_AUDIO;
	must_refuse(EINVAL, avring_reader_open(&reader, "/dev/video999999", &options));
	must_refuse(EINVAL, avring_reader_open_fd(&reader, fd, &options));
	options.video.height = 480;
	must_refuse(EINVAL, avring_reader_open(&reader, "hw:no_such_card", &options));
	must_refuse(EINVAL, avring_reader_open(&reader, "/dev/avring4294967295", &options));
	avring_producer_close(producer);
	avring_producer_close(speaker);
}

static void without_a_handle(void)
{
	struct avring_geometry geometry;
	struct avring_span span = { 0 };
	void *data;

	must_refuse(EINVAL, avring_reader_next(NULL, &span));
	must_refuse(EINVAL, avring_reader_next_run(NULL, &span, 1));
	must_refuse(EINVAL, avring_reader_release(NULL, &span));
	must_refuse(EINVAL, avring_reader_set_watermark(NULL, NULL));
	must_refuse(EINVAL, avring_reader_wait(NULL, 0));
	must_refuse(EINVAL, avring_reader_arm(NULL));
	must_refuse(EINVAL, avring_reader_fd(NULL));
	must_refuse(EINVAL, avring_reader_renew(NULL));
	must_refuse(EINVAL, avring_producer_begin(NULL, 1, &data));
	must_refuse(EINVAL, avring_producer_commit(NULL, 1, 0));
	must_refuse(EINVAL, avring_producer_fd(NULL));
	tap_check(!avring_reader_format(NULL) && !avring_producer_format(NULL),
		  "a format of nothing");
	tap_eq(0, avring_reader_lost(NULL));
	avring_reader_geometry(NULL, &geometry);
	tap_eq(0, geometry.length);
	avring_producer_geometry(NULL, &geometry);
	tap_eq(0, geometry.length);
	avring_reader_close(NULL);
	avring_producer_close(NULL);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	must(sys(clock_gettime(clock, &now)));
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void times_of_another_clock(void)
{
	struct avring_stream_format format = common_picture(page());
	struct avring_producer *producer;
	void *data;

	must(avring_producer_open(&producer, NULL, &format, NULL));
	must(avring_producer_begin(producer, page(), &data));
	must_refuse(EINVAL, avring_producer_commit(producer, page(), clock_ns(CLOCK_REALTIME)));
	must_refuse(EINVAL, avring_producer_commit(producer, page(),
						   clock_ns(CLOCK_MONOTONIC) + 11000000000ULL));
	must_refuse(EINVAL, avring_producer_commit(producer, page(), UINT64_MAX));
	must(avring_producer_commit(producer, page(), clock_ns(CLOCK_MONOTONIC) + 1000000000));
	avring_producer_close(producer);
}

static const struct tap_test tests[] = {
	{ "options without a size are refused", .run = options_without_a_size_are_refused },
	{ "wishes for another stream are refused", .run = wishes_for_another_stream },
	{ "calls without a handle are refused", .run = without_a_handle },
	{ "times of another clock are refused", .run = times_of_another_clock },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
