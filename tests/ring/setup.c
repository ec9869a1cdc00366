// SPDX-License-Identifier: MIT
/*
 * setup: the size and the packing of the ring to come, and of what sound it is.
 */
#include <sound/asound.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"

/* A ring that is attached to as it is now set up; its geometry. */
static struct avring_attach geometry(uint32_t stream)
{
	struct avring_attach at;
	struct ring ring;

	must(ring_open(&ring, 0));
	must(ring_read(&ring, stream, 0));
	at = ring.at;
	ring_close(&ring);
	return at;
}

static struct avring_setup get_setup(uint32_t stream)
{
	struct avring_setup setup = { .stream = stream };
	struct ring ring;

	must(ring_open(&ring, 0));
	must(ring_call(&ring, AVRING_IOC_GET_SETUP, &setup));
	ring_close(&ring);
	return setup;
}

static int set_setup(const struct avring_setup *wish)
{
	struct avring_setup setup = *wish;
	struct ring ring;
	int error;

	must(ring_open(&ring, 0));
	error = ring_call(&ring, AVRING_IOC_SET_SETUP, &setup);
	ring_close(&ring);
	return error;
}

/**
 * struct wish - what is asked for, and what must come
 * @length: asked for
 * @align: asked for
 * @got_length: of the ring
 * @got_align: of its frames
 */
struct wish {
	uint64_t length;
	uint32_t align;
	uint64_t got_length;
	uint32_t got_align;
};

/* Small pictures: a stride of 20,480 at page alignment, 19,200 when tight. */
static const struct wish wishes[] = {
	{ 0, 0, CHUNK_BYTES, PAGE_BYTES },
	{ 1, 0, 2 * SMALL_STRIDE, PAGE_BYTES },
	{ 2 * SMALL_STRIDE - 1, 0, 2 * SMALL_STRIDE, PAGE_BYTES },
	{ 2 * SMALL_STRIDE + 1, 0, 2 * SMALL_STRIDE + PAGE_BYTES, PAGE_BYTES },
	{ 1, 1, 10 * PAGE_BYTES, 1 },
	{ 1, 64, 10 * PAGE_BYTES, 64 },
	{ 1, 1024, 10 * PAGE_BYTES, 1024 },
	{ 1, 2048, 10 * PAGE_BYTES, 2048 },
	{ 1000000, 2, 245 * PAGE_BYTES, 2 },
	{ CHUNK_BYTES, 4096, CHUNK_BYTES, 4096 },
	{ CHUNK_BYTES + 1, 4096, CHUNK_BYTES + PAGE_BYTES, 4096 },
	{ 100 * CHUNK_BYTES, 0, 100 * CHUNK_BYTES, PAGE_BYTES },
};

static void test_wishes(void)
{
	struct avring_attach at;
	unsigned int i;

	ring_small_picture();
	for (i = 0; i < TAP_COUNT(wishes); i++) {
		tap_note("length %llu, align %u", (unsigned long long)wishes[i].length,
			 wishes[i].align);
		must(ring_setup(AVRING_STREAM_VIDEO, wishes[i].length, wishes[i].align));
		at = geometry(AVRING_STREAM_VIDEO);
		tap_eq(wishes[i].got_length, at.length);
		tap_eq(wishes[i].got_align, at.align);
		tap_eq(2 * at.length, at.data_size);
		tap_check(at.entries >= at.length / at.frame_bytes,
			  "entries: expected one for each of %llu frames, got %u",
			  (unsigned long long)(at.length / at.frame_bytes), at.entries);
	}
}

static void expect_default(uint32_t width, uint32_t height, uint32_t fps, uint64_t length)
{
	ring_picture(V4L2_PIX_FMT_YUYV, width, height, fps);
	tap_eq(length, geometry(AVRING_STREAM_VIDEO).length);
}

/* Half a second; where that is less than 8 frames, 8. In whole 2 MiB. */
static void test_default(void)
{
	must(ring_setup(AVRING_STREAM_VIDEO, 0, 0));
	expect_default(1280, 720, 30, 14 * CHUNK_BYTES);
	expect_default(1280, 720, 60, 27 * CHUNK_BYTES);
	expect_default(1280, 720, 1, 8 * CHUNK_BYTES);
	expect_default(1280, 720, 10, 8 * CHUNK_BYTES);
	expect_default(160, 120, 1, CHUNK_BYTES);
}

static void test_stays(void)
{
	struct avring_setup setup;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 3 * CHUNK_BYTES, 64));
	geometry(AVRING_STREAM_VIDEO);
	ring_picture(V4L2_PIX_FMT_YUYV, 320, 240, 30);
	tap_eq(3 * CHUNK_BYTES, geometry(AVRING_STREAM_VIDEO).length);
	tap_eq(64, geometry(AVRING_STREAM_VIDEO).align);
	setup = get_setup(AVRING_STREAM_VIDEO);
	tap_eq(AVRING_STREAM_VIDEO, setup.stream);
	tap_eq(0, setup.flags);
	tap_eq(3 * CHUNK_BYTES, setup.length);
	tap_eq(64, setup.align);
	tap_eq(0, setup.audio.rate | setup.audio.channels | setup.audio.period_frames);
	must(set_setup(&setup));
}

/* What one card and stream are set to is nothing to another. */
static void test_belongs_to_card_and_stream(void)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_VIDEO };
	struct ring other;

	if (ring_open(&other, 1))
		tap_skip("only one card: load with cards=2");
	must(ring_setup(AVRING_STREAM_VIDEO, 3 * CHUNK_BYTES, 64));
	must(ring_call(&other, AVRING_IOC_GET_SETUP, &setup));
	tap_eq(0, setup.length);
	tap_eq(0, get_setup(AVRING_STREAM_AUDIO).length);
	ring_close(&other);
}

static int set_length(uint32_t stream, uint64_t length)
{
	return ring_setup(stream, length, 0);
}

static void test_busy(void)
{
	const uint32_t video = AVRING_STREAM_VIDEO, audio = AVRING_STREAM_AUDIO;
	struct ring first, second;

	ring_small_picture();
	first = ring_reader(video);
	second = ring_reader(video);
	must_refuse(EBUSY, set_length(video, CHUNK_BYTES));
	must_refuse(EBUSY, set_length(video, 0));
	must(set_length(audio, CHUNK_BYTES));
	must(ring_call(&first, AVRING_IOC_DETACH, NULL));
	must_refuse(EBUSY, set_length(video, CHUNK_BYTES));
	ring_close(&second);
	must(set_length(video, CHUNK_BYTES));
	ring_unmap(&first);
	must(ring_read(&first, audio, 0));
	must_refuse(EBUSY, set_length(audio, 0));
	must(set_length(video, 0));
	ring_close(&first);
	must(set_length(audio, 0));
}

static void test_busy_by_producer(void)
{
	struct ring ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);

	must_refuse(EBUSY, set_length(AVRING_STREAM_VIDEO, CHUNK_BYTES));
	ring_close(&ring);
	must(set_length(AVRING_STREAM_VIDEO, CHUNK_BYTES));
}

/* An old mapping is nobody's business: it has its memory. */
static void test_not_busy_by_mapping(void)
{
	struct ring ring;

	ring_small_picture();
	ring = ring_reader(AVRING_STREAM_VIDEO);
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	must(set_length(AVRING_STREAM_VIDEO, 5 * CHUNK_BYTES));
	tap_eq(5 * CHUNK_BYTES, geometry(AVRING_STREAM_VIDEO).length);
	ring_close(&ring);
}

/* More than there is: refused, and no harm done. */
static void test_no_memory(void)
{
	struct ring ring;

	ring_small_picture();
	must(set_length(AVRING_STREAM_VIDEO, 8ull << 30));
	must(ring_open(&ring, 0));
	must_refuse(ENOMEM, ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_DETACH, NULL));
	must(set_length(AVRING_STREAM_VIDEO, CHUNK_BYTES));
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	ring_wait_head(&ring, 1);
	ring_close(&ring);
}

static const struct avring_audio_format formats[] = {
	{ .format = SNDRV_PCM_FORMAT_S16_LE, .rate = 8000, .channels = 1, .period_frames = 16 },
	{ .format = SNDRV_PCM_FORMAT_S24_LE, .rate = 44100, .channels = 3, .period_frames = 441 },
	{ .format = SNDRV_PCM_FORMAT_S32_LE, .rate = 192000, .channels = 8, .period_frames = 9999 },
	{ .format = SNDRV_PCM_FORMAT_FLOAT_LE, .rate = 48000, .channels = 2, .period_frames = 480 },
};

static void expect_audio(const struct avring_audio_format *expected,
			 const struct avring_audio_format *got)
{
	const uint32_t width = expected->format == SNDRV_PCM_FORMAT_S16_LE ? 2 : 4;

	tap_eq(expected->format, got->format);
	tap_eq(expected->rate, got->rate);
	tap_eq(expected->channels, got->channels);
	tap_eq(expected->period_frames, got->period_frames);
	tap_eq(width * expected->channels, got->frame_bytes);
}

static void test_audio_formats(void)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO };
	struct avring_attach at;
	unsigned int i;

	for (i = 0; i < TAP_COUNT(formats); i++) {
		setup.audio = formats[i];
		must(set_setup(&setup));
		at = geometry(AVRING_STREAM_AUDIO);
		expect_audio(&formats[i], &at.format.audio);
		tap_eq(1, at.align);
		tap_eq(at.format.audio.frame_bytes * formats[i].period_frames, at.frame_bytes);
		tap_check(at.length >= 2ull * at.frame_bytes,
			  "length: expected at least two chunks, got %llu",
			  (unsigned long long)at.length);
		setup.audio.frame_bytes = at.format.audio.frame_bytes;
		must(set_setup(&setup));
	}
}

static void test_audio_default(void)
{
	static const struct avring_audio_format expected = { .format = SNDRV_PCM_FORMAT_S16_LE,
							     .rate = 48000,
							     .channels = 2,
							     .period_frames = 480 };
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO };
	struct avring_attach at;

	must(set_setup(&setup));
	at = geometry(AVRING_STREAM_AUDIO);
	expect_audio(&expected, &at.format.audio);
	tap_eq(CHUNK_BYTES, at.length);
	setup = get_setup(AVRING_STREAM_AUDIO);
	must(set_setup(&setup));
	at = geometry(AVRING_STREAM_AUDIO);
	expect_audio(&expected, &at.format.audio);
}

/* A refused wish leaves the one before as it was. */
static void test_refused_changes_nothing(void)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO,
				      .length = 3 * CHUNK_BYTES,
				      .audio = formats[1] };
	struct avring_attach at;

	must(set_setup(&setup));
	setup.length = CHUNK_BYTES;
	setup.audio.rate = 44100;
	setup.audio.channels = 9;
	must_refuse(EINVAL, set_setup(&setup));
	at = geometry(AVRING_STREAM_AUDIO);
	tap_eq(3 * CHUNK_BYTES, at.length);
	expect_audio(&formats[1], &at.format.audio);
}

static const struct tap_test tests[] = {
	{ "the ring is as long and as packed as asked, and holds two frames in any case",
	  .run = test_wishes },
	{ "by default it holds half a second and 8 frames, in whole 2 MiB", .run = test_default },
	{ "the setup stays when everybody has gone and the format changes", .run = test_stays },
	{ "each card and each stream has its own", .run = test_belongs_to_card_and_stream },
	{ "SET_SETUP gives EBUSY while a reader is attached to that stream", .run = test_busy },
	{ "SET_SETUP gives EBUSY while a producer is attached", .run = test_busy_by_producer },
	{ "a mapping does not keep the setup", .run = test_not_busy_by_mapping },
	{ "a ring larger than memory gives ENOMEM, and nothing is lost", .run = test_no_memory },
	{ "sound has the format that was asked for", .run = test_audio_formats },
	{ "sound is 48 kHz, 16 bits, stereo by default", .run = test_audio_default },
	{ "a wish that was refused changes nothing", .run = test_refused_changes_nothing },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
