// SPDX-License-Identifier: MIT
/*
 * card: what the library does with a card: wishes, generations, producers, removal.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common.h"
#include "device.h"
#include "fixture.h"
#include "sound.h"
#include "tap.h"

#define DEVICE "/dev/avring0"
#define WIDTH 320
#define HEIGHT 240

static struct card card_0(void)
{
	struct card card;

	must(card_find(0, &card));
	return card;
}

/* Small grey pictures, 50 a second, in a ring of 26. */
static struct avring_options small_picture(void)
{
	struct avring_options options = common_options();

	options.video.pixelformat = V4L2_PIX_FMT_GREY;
	options.video.width = WIDTH;
	options.video.height = HEIGHT;
	options.video.rate_num = 50;
	options.video.rate_den = 1;
	options.ring_bytes = 2 << 20;
	return options;
}

static struct avring_options small_sound(void)
{
	struct avring_options options = common_options();

	options.stream = AVRING_STREAM_AUDIO;
	options.audio.rate = 48000;
	options.audio.channels = 2;
	options.audio.format = (uint32_t)SND_PCM_FORMAT_S16_LE;
	options.audio.period_frames = 480;
	options.ring_bytes = 128 * 1024;
	return options;
}

static struct avring_reader *reader_open(const struct avring_options *options)
{
	struct avring_reader *reader;

	must(avring_reader_open(&reader, DEVICE, options));
	return reader;
}

static int try_open(const struct avring_options *options)
{
	struct avring_reader *reader;
	int error = avring_reader_open(&reader, DEVICE, options);

	if (!error)
		avring_reader_close(reader);
	return error;
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

/* Until the reader says something else than a frame or "not yet". */
static int take_all(struct avring_reader *reader)
{
	struct avring_span span;
	int error;

	do {
		error = avring_reader_next(reader, &span);
		if (error == -EAGAIN)
			error = avring_reader_wait(reader, AVRING_FOREVER);
	} while (!error);
	return error;
}

/* What the library says about a card. */

static void expect_node(struct avring_devnum devnum, const char *expected)
{
	char path[64];
	struct stat stat_of;

	must(avring_devnum_path(devnum, path, sizeof(path)));
	tap_check(!expected || !strcmp(path, expected), "expected %s, got %s", expected, path);
	must(sys(stat(path, &stat_of)));
	tap_eq(devnum.major, major(stat_of.st_rdev));
	tap_eq(devnum.minor, minor(stat_of.st_rdev));
}

static void info_names_the_nodes(void)
{
	struct card card = card_0();
	struct avring_info info;

	must(avring_card_info(DEVICE, &info));
	tap_eq(0, info.card);
	expect_node(info.capture, card.capture);
	expect_node(info.output, card.output);
	expect_node(info.media, card.media);
	expect_node(info.pcm_capture, NULL);
	expect_node(info.pcm_playback, NULL);
	expect_node(info.control, NULL);
	must(avring_card_info("avring0", &info));
}

/* Wishes. */

static void picture_is_as_wished(void)
{
	struct avring_options options = small_picture();
	struct avring_reader *reader = reader_open(&options);
	const struct avring_video_format *video = &avring_reader_format(reader)->video;
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct card card = card_0();
	struct video node;

	tap_eq(V4L2_PIX_FMT_GREY, video->pixelformat);
	tap_eq(WIDTH, video->width);
	tap_eq(HEIGHT, video->height);
	tap_eq(WIDTH * HEIGHT, video->sizeimage);
	tap_eq(50 * video->rate_den, video->rate_num);
	must(video_open(&node, card.capture));
	must(video_ioctl(node.fd, VIDIOC_G_FMT, &format));
	tap_eq(V4L2_PIX_FMT_GREY, format.fmt.pix.pixelformat);
	tap_eq(WIDTH, format.fmt.pix.width);
	video_close(&node);
	avring_reader_close(reader);
	/* It belongs to the card and stays. */
	reader = reader_open(NULL);
	tap_eq(HEIGHT, avring_reader_format(reader)->video.height);
	avring_reader_close(reader);
}

static void ring_is_as_wished(void)
{
	struct avring_options options = small_picture();
	struct avring_reader *reader;
	struct avring_geometry geometry;

	options.ring_bytes = 999999;
	options.align = 1;
	reader = reader_open(&options);
	avring_reader_geometry(reader, &geometry);
	tap_eq(1003520, geometry.length);
	tap_eq(1, geometry.align);
	avring_reader_close(reader);
	options.ring_bytes = (2 << 20) + 1;
	reader = reader_open(&options);
	avring_reader_geometry(reader, &geometry);
	tap_eq(4 << 20, geometry.length);
	avring_reader_close(reader);
	options.align = sysconf(_SC_PAGESIZE);
	options.ring_bytes = 1;
	reader = reader_open(&options);
	avring_reader_geometry(reader, &geometry);
	tap_eq(options.align, geometry.align);
	tap_check(geometry.length >= 2 * WIDTH * HEIGHT, "less than two frames");
	avring_reader_close(reader);
}

static void sound_is_as_wished(void)
{
	struct avring_options options = small_sound();
	const struct avring_audio_format *audio;
	struct avring_reader *reader;
	struct avring_span span;

	options.audio.format = (uint32_t)SND_PCM_FORMAT_S32_LE;
	options.audio.rate = 96000;
	options.audio.channels = 8;
	options.audio.period_frames = 64;
	reader = reader_open(&options);
	audio = &avring_reader_format(reader)->audio;
	tap_eq((uint32_t)SND_PCM_FORMAT_S32_LE, audio->format);
	tap_eq(96000, audio->rate);
	tap_eq(8, audio->channels);
	tap_eq(32, audio->frame_bytes);
	tap_eq(64, audio->period_frames);
	span = take(reader);
	tap_eq(64, span.count);
	tap_eq(64 * 32, span.length);
	avring_reader_close(reader);
}

static void refused_without_effect(const struct avring_options *options)
{
	const struct avring_stream_format *format;
	struct avring_reader *reader;

	must_refuse(EINVAL, try_open(options));
	reader = reader_open(NULL);
	format = avring_reader_format(reader);
	tap_eq(WIDTH, format->video.width);
	tap_eq(V4L2_PIX_FMT_GREY, format->video.pixelformat);
	tap_eq(50 * format->video.rate_den, format->video.rate_num);
	avring_reader_close(reader);
}

static void wishes_that_cannot_be_met_change_nothing(void)
{
	struct avring_options options = small_picture(), bad;

	must(try_open(&options));
	bad = options;
	bad.video.width = WIDTH + 1;
	bad.video.pixelformat = V4L2_PIX_FMT_YUYV;
	refused_without_effect(&bad);
	bad = options;
	bad.video.pixelformat = v4l2_fourcc('A', 'B', 'C', 'D');
	bad.video.width = 2 * WIDTH;
	refused_without_effect(&bad);
	bad = small_sound();
	bad.audio.channels = 9;
	refused_without_effect(&bad);
}

static void rate_that_cannot_be_had_is_refused(void)
{
	struct avring_options options = small_picture();

	options.video.rate_num = 100000;
	must_refuse(EINVAL, try_open(&options));
}

static void rings_longer_than_the_machine_are_refused(void)
{
	struct avring_options options = small_picture();
	int error;

	options.ring_bytes = 1ULL << 40;
	error = try_open(&options);
	tap_check(error == -ENOMEM || error == -EFBIG || error == -EINVAL,
		  "a ring of 2^40 bytes: %s", strerror(-error));
	options.ring_bytes = UINT64_MAX;
	must_refuse(EFBIG, try_open(&options));
	options.ring_bytes = 1 << 20;
	must(try_open(&options));
}

static void wishes_against_another_reader_are_refused(void)
{
	struct avring_options options = small_picture(), other;
	struct avring_reader *reader = reader_open(&options), *second;
	struct avring_geometry geometry;

	must(try_open(NULL));
	must(try_open(&options));
	other = options;
	other.video.width = 640;
	must_refuse(EBUSY, try_open(&other));
	other = options;
	other.ring_bytes *= 2;
	must_refuse(EBUSY, try_open(&other));
	/* Who takes what there is gets it. */
	other.keep_setup = 1;
	other.video.width = 640;
	must(avring_reader_open(&second, DEVICE, &other));
	tap_eq(WIDTH, avring_reader_format(second)->video.width);
	avring_reader_geometry(second, &geometry);
	tap_eq(options.ring_bytes, geometry.length);
	avring_reader_close(second);
	avring_reader_close(reader);
}

static void sound_wishes_against_another_reader_are_refused(void)
{
	struct avring_options options = small_sound(), other = options;
	struct avring_reader *reader = reader_open(&options);

	must(try_open(&options));
	other.audio.rate = 44100;
	must_refuse(EBUSY, try_open(&other));
	other.keep_setup = 1;
	must(try_open(&other));
	avring_reader_close(reader);
}

/* Reading. */

static void read_what_is_there(void *arg)
{
	struct avring_reader *reader = arg;
	struct avring_span span;

	must(avring_reader_wait(reader, AVRING_FOREVER));
	must(avring_reader_next(reader, &span));
	must(avring_reader_release(reader, &span));
	must(avring_reader_next_run(reader, &span, SIZE_MAX));
	tap_check(span.entries >= 7, "a run of %u", span.entries);
	must(avring_reader_release(reader, &span));
}

static void check_reading(const struct avring_options *options)
{
	struct avring_reader *reader = reader_open(options);

	must(avring_reader_set_watermark(reader, &(struct avring_watermark){ .entries = 8 }));
	must(avring_reader_wait(reader, AVRING_FOREVER));
	common_without_system_calls(read_what_is_there, reader);
	avring_reader_close(reader);
}

static void reading_makes_no_system_call(void)
{
	struct avring_options picture = small_picture(), sound = small_sound();

	check_reading(&picture);
	check_reading(&sound);
}

/* Generations. */

static void set_format(uint32_t width)
{
	struct card card = card_0();
	struct video node;

	must(video_open(&node, card.capture));
	must(video_set_format(&node, V4L2_PIX_FMT_GREY, width, HEIGHT));
	video_close(&node);
}

static void reader_follows_a_new_format(void)
{
	struct avring_options options = small_picture();
	struct avring_reader *reader = reader_open(&options);
	struct avring_geometry before, after;
	struct avring_span held, span;
	uint64_t expected, lost = 0;
	int error;

	avring_reader_geometry(reader, &before);
	held = take(reader);
	set_format(640);
	expected = held.sequence + 1;
	while (!(error = avring_reader_next(reader, &span))) {
		tap_eq(WIDTH * HEIGHT, span.length);
		expected = span.sequence + 1;
	}
	must_refuse(ESTALE, error);
	must(avring_reader_wait(reader, AVRING_FOREVER));
	tap_eq(1, avring_reader_arm(reader));
	must(frame_check(held.data, held.length, NULL));
	must(avring_reader_renew(reader));
	tap_eq(640, avring_reader_format(reader)->video.width);
	avring_reader_geometry(reader, &after);
	tap_check(after.generation > before.generation, "the generation is the same");
	/* More than one lap of the new ring. */
	for (int i = 0; i < 60; i++) {
		span = take(reader);
		tap_eq(640 * HEIGHT, span.length);
		tap_eq(expected + span.lost, span.sequence);
		must(frame_check(span.data, span.length, NULL));
		must(avring_reader_release(reader, &span));
		expected = span.sequence + 1;
		lost += span.lost;
	}
	tap_eq(lost, avring_reader_lost(reader));
	/* What is held of the old ring nobody overwrites. */
	must(frame_check(held.data, held.length, NULL));
	must(avring_reader_release(reader, &held));
	avring_reader_close(reader);
}

static void change_format(void *arg)
{
	(void)arg;
	set_format(640);
}

static void sleeping_reader_sees_a_new_format(void)
{
	struct avring_options options = small_picture();
	struct avring_reader *reader = reader_open(&options);
	struct later *later;

	must(avring_reader_set_watermark(reader, &(struct avring_watermark){ .entries = 12 }));
	later = common_later(40, change_format, NULL);
	must_refuse(ESTALE, take_all(reader));
	common_join(later);
	avring_reader_close(reader);
}

/* Producers. */

static struct avring_producer *producer_open(const struct avring_stream_format *format)
{
	struct avring_producer *producer;

	must(avring_producer_open(&producer, DEVICE, format, NULL));
	return producer;
}

static struct avring_stream_format picture_to_send(void)
{
	struct avring_stream_format format = common_picture(WIDTH);

	format.video.height = HEIGHT;
	return format;
}

static void send(struct avring_producer *producer, size_t length, uint8_t value)
{
	void *data;

	must(avring_producer_begin(producer, length, &data));
	memset(data, value, length);
	must(avring_producer_commit(producer, length, 0));
}

/* The first frame of a producer after whatever was there before. */
static void follow(struct avring_reader *reader)
{
	must_refuse(ESTALE, take_all(reader));
	must(avring_reader_renew(reader));
}

static void expect_bytes(struct avring_reader *reader, size_t length, uint8_t value)
{
	struct avring_span span = take(reader);
	const uint8_t *bytes = span.data;

	tap_eq(length, span.length);
	tap_eq(0, span.flags);
	for (size_t i = 0; i < length; i++)
		tap_check(bytes[i] == value, "byte %zu of frame %llu: expected %u, got %u", i,
			  (unsigned long long)span.sequence, value, bytes[i]);
	must(avring_reader_release(reader, &span));
}

static void check_three_readers(const struct avring_options *options,
				const struct avring_stream_format *format, size_t length)
{
	struct avring_reader *readers[3];
	struct avring_producer *producer;

	for (int i = 0; i < 3; i++)
		readers[i] = reader_open(options);
	producer = producer_open(format);
	for (int i = 0; i < 3; i++)
		follow(readers[i]);
	for (int n = 0; n < 100; n++) {
		send(producer, length, n + 1);
		for (int i = 0; i < 3; i++)
			expect_bytes(readers[i], length, n + 1);
	}
	avring_producer_close(producer);
	for (int i = 0; i < 3; i++) {
		follow(readers[i]);
		take(readers[i]);
		avring_reader_close(readers[i]);
	}
}

static void three_readers_get_the_pictures_of_a_producer(void)
{
	struct avring_options options = small_picture();
	struct avring_stream_format format = picture_to_send();

	check_three_readers(&options, &format, WIDTH * HEIGHT);
}

static void three_readers_get_the_sound_of_a_producer(void)
{
	struct avring_options options = small_sound();
	struct avring_stream_format format = common_sound(480);

	check_three_readers(&options, &format, 480 * 4);
}

/* What the producer writes is what is read: no copy was made. */
static void producer_and_readers_share_their_pages(void)
{
	struct avring_stream_format format = picture_to_send();
	struct avring_producer *producer = producer_open(&format);
	struct avring_reader *reader = reader_open(NULL);
	struct avring_geometry theirs, ours;
	volatile uint8_t *writes;
	struct avring_span span;
	void *data;

	avring_producer_geometry(producer, &ours);
	avring_reader_geometry(reader, &theirs);
	tap_eq(ours.generation, theirs.generation);
	tap_eq(ours.length, theirs.length);
	must(avring_producer_begin(producer, WIDTH * HEIGHT, &data));
	must(avring_producer_commit(producer, WIDTH * HEIGHT, 0));
	span = take(reader);
	writes = data;
	for (int i = 0; i < WIDTH * HEIGHT; i += 100) {
		writes[i] = i / 100 + 1;
		tap_eq((uint8_t)(i / 100 + 1), ((const volatile uint8_t *)span.data)[i]);
	}
	tap_eq((uint8_t *)data - (uint8_t *)ours.data,
	       (uint8_t *)span.data - (uint8_t *)theirs.data);
	avring_reader_close(reader);
	avring_producer_close(producer);
}

static void producer_is_told_what_it_may_not(void)
{
	struct avring_stream_format format = picture_to_send();
	struct avring_producer *producer = producer_open(&format), *second;
	void *data;

	must_refuse(EBUSY, avring_producer_open(&second, DEVICE, &format, NULL));
	must_refuse(EOPNOTSUPP, avring_producer_fd(producer));
	must_refuse(EINVAL, avring_producer_commit(producer, 1, 0));
	must_refuse(EINVAL, avring_producer_begin(producer, 0, &data));
	must_refuse(EINVAL, avring_producer_begin(producer, WIDTH * HEIGHT + 1, &data));
	must(avring_producer_begin(producer, WIDTH * HEIGHT, &data));
	must_refuse(EINVAL, avring_producer_commit(producer, WIDTH * HEIGHT + 1, 0));
	must(avring_producer_commit(producer, WIDTH * HEIGHT, common_now_ns()));
	avring_producer_close(producer);
	format.video.width = 0;
	must_refuse(EINVAL, avring_producer_open(&producer, DEVICE, &format, NULL));
	format.stream = AVRING_STREAMS;
	must_refuse(EINVAL, avring_producer_open(&producer, DEVICE, &format, NULL));
}

static void times_of_a_producer_arrive(void)
{
	struct avring_stream_format format = picture_to_send();
	struct avring_producer *producer = producer_open(&format);
	struct avring_reader *reader = reader_open(NULL);
	uint64_t start = common_now_ns(), sequence = 0;

	for (int i = 0; i < 20; i++) {
		struct avring_span span;
		void *data;

		must(avring_producer_begin(producer, WIDTH * HEIGHT, &data));
		must(avring_producer_commit(producer, WIDTH * HEIGHT, start + i * 1234567));
		span = take(reader);
		tap_eq(start + i * 1234567, span.time_ns);
		tap_check(!i || span.sequence == sequence + 1, "the sequence has a gap");
		sequence = span.sequence;
	}
	avring_reader_close(reader);
	avring_producer_close(producer);
}

/* Removal. */

static void unbind(void *arg)
{
	must(card_unbind(arg));
}

static void removed_card_ends_the_stream(void)
{
	struct avring_options options = small_picture();
	struct avring_reader *reader = reader_open(&options);
	struct card card = card_0();
	struct avring_span span;
	struct later *later;

	span = take(reader);
	must(avring_reader_set_watermark(reader, &(struct avring_watermark){ .entries = 12 }));
	later = common_later(50, unbind, &card);
	must_refuse(ENODEV, take_all(reader));
	common_join(later);
	must(avring_reader_wait(reader, AVRING_FOREVER));
	tap_eq(1, avring_reader_arm(reader));
	must_refuse(ENODEV, avring_reader_renew(reader));
	must_refuse(ENODEV, avring_reader_next(reader, &span));
	must(avring_reader_release(reader, &span));
	must(frame_check(span.data, span.length, NULL));
	avring_reader_close(reader);
	must_refuse(ENOENT, try_open(NULL));
	must(card_bind(&card));
}

static void removed_card_wakes_poll(void)
{
	struct avring_options options = small_picture();
	struct avring_reader *reader = reader_open(&options);
	struct pollfd file = { .fd = avring_reader_fd(reader), .events = POLLIN | POLLPRI };
	struct card card = card_0();
	struct later *later;

	must(avring_reader_set_watermark(reader, &(struct avring_watermark){ .entries = 12 }));
	tap_eq(0, avring_reader_arm(reader));
	later = common_later(50, unbind, &card);
	tap_eq(1, must(sys(poll(&file, 1, -1))));
	common_join(later);
	must_refuse(ENODEV, take_all(reader));
	avring_reader_close(reader);
	must(card_bind(&card));
}

static void producer_sees_the_card_go(void)
{
	struct avring_stream_format format = picture_to_send();
	struct avring_producer *producer = producer_open(&format);
	struct card card = card_0();
	void *data;

	must(card_unbind(&card));
	must_refuse(ENODEV, avring_producer_begin(producer, 100, &data));
	avring_producer_close(producer);
	must(card_bind(&card));
}

static const struct tap_test tests[] = {
	{ "the nodes of a card are named", .run = info_names_the_nodes },
	{ "pictures are as wished, and stay so", .run = picture_is_as_wished },
	{ "the ring is as long and as dense as wished", .run = ring_is_as_wished },
	{ "sound is as wished", .run = sound_is_as_wished },
	{ "wishes that cannot be met change nothing",
	  .run = wishes_that_cannot_be_met_change_nothing },
	{ "a rate that cannot be had is refused", .run = rate_that_cannot_be_had_is_refused },
	{ "rings longer than the machine are refused",
	  .run = rings_longer_than_the_machine_are_refused },
	{ "wishes against another reader are refused",
	  .run = wishes_against_another_reader_are_refused },
	{ "wishes for sound against another reader are refused",
	  .run = sound_wishes_against_another_reader_are_refused },
	{ "reading makes no system call", .run = reading_makes_no_system_call },
	{ "a reader follows a new format and counts what it missed",
	  .run = reader_follows_a_new_format },
	{ "a sleeping reader sees a new format", .run = sleeping_reader_sees_a_new_format },
	{ "three readers get the pictures of a producer",
	  .run = three_readers_get_the_pictures_of_a_producer },
	{ "three readers get the sound of a producer",
	  .run = three_readers_get_the_sound_of_a_producer },
	{ "a producer and its readers share their pages",
	  .run = producer_and_readers_share_their_pages },
	{ "a producer is told what it may not", .run = producer_is_told_what_it_may_not },
	{ "times of a producer arrive", .run = times_of_a_producer_arrive },
	{ "a removed card ends the stream after its last frame",
	  .run = removed_card_ends_the_stream },
	{ "a removed card wakes poll", .run = removed_card_wakes_poll },
	{ "a producer sees the card go", .run = producer_sees_the_card_go },
};

/* The inputs as they were when the card was made. */
static void after(void)
{
	struct card card;
	struct video node;

	if (card_find(0, &card) || video_open(&node, card.capture))
		return;
	video_set_input(&node, CARD_INPUT_PATTERN);
	video_close(&node);
	sound_set_source(&card, SOUND_SOURCE_TONE);
}

int main(int argc, char **argv)
{
	return fixture_main(tests, TAP_COUNT(tests), after, argc, argv);
}
