// SPDX-License-Identifier: MIT
/*
 * setup: what a file wishes of its ring: size, packing, and of what sound it is. Nobody's wish
 * outlives his file, and nobody gets less than the default because of others.
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

static struct avring_setup setup_of(const struct ring *ring, uint32_t stream)
{
	struct avring_setup setup = { .stream = stream };

	must(ring_call(ring, AVRING_IOC_GET_SETUP, &setup));
	return setup;
}

/* A file that wishes this, and is attached to nothing yet. */
static struct ring wisher(const struct avring_setup *wish)
{
	struct avring_setup setup = *wish;
	struct ring ring;

	must(ring_open(&ring, 0));
	must(ring_call(&ring, AVRING_IOC_SET_SETUP, &setup));
	return ring;
}

static struct ring wisher_of_length(uint32_t stream, uint64_t length)
{
	return wisher(&(struct avring_setup){ .stream = stream, .length = length });
}

static struct ring wisher_of_sound(const struct avring_audio_format *audio)
{
	return wisher(&(struct avring_setup){ .stream = AVRING_STREAM_AUDIO, .audio = *audio });
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

static void test_format_changes(void)
{
	const struct avring_setup wish = { .stream = AVRING_STREAM_VIDEO,
					   .length = 3 * CHUNK_BYTES,
					   .align = 64 };
	struct ring ring;

	ring_small_picture();
	ring = wisher(&wish);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	ring_picture(V4L2_PIX_FMT_YUYV, 320, 240, 30);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	tap_eq(320, ring.at.format.video.width);
	tap_eq(3 * CHUNK_BYTES, ring.at.length);
	tap_eq(64, ring.at.align);
	ring_close(&ring);
}

/* Seen: one recording with a ring of a millisecond, and all later ones lost frames. */
static void test_ends_with_file(void)
{
	struct ring ring;

	ring_small_picture();
	ring = wisher_of_length(AVRING_STREAM_VIDEO, 1);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	tap_eq(2 * SMALL_STRIDE, ring.at.length);
	ring_close(&ring);
	tap_eq(CHUNK_BYTES, geometry(AVRING_STREAM_VIDEO).length);
}

static void test_belongs_to_file_and_stream(void)
{
	const uint32_t video = AVRING_STREAM_VIDEO, audio = AVRING_STREAM_AUDIO;
	struct ring ring = wisher(&(struct avring_setup){
		.stream = AVRING_STREAM_VIDEO, .length = 3 * CHUNK_BYTES, .align = 64 });
	struct ring other;

	must(ring_open(&other, 0));
	tap_eq(3 * CHUNK_BYTES, setup_of(&ring, video).length);
	tap_eq(64, setup_of(&ring, video).align);
	tap_eq(0, setup_of(&ring, audio).length);
	tap_eq(0, setup_of(&other, video).length);
	tap_eq(0, setup_of(&other, video).align);
	ring_close(&ring);
	ring_close(&other);
}

/* Who wishes as much, or less, reads the same ring. */
static void test_longer(void)
{
	struct ring ring, longer, shorter;

	ring_small_picture();
	ring = wisher_of_length(AVRING_STREAM_VIDEO, 3 * CHUNK_BYTES);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	longer = wisher_of_length(AVRING_STREAM_VIDEO, 3 * CHUNK_BYTES + 1);
	must_refuse(EBUSY, ring_read(&longer, AVRING_STREAM_VIDEO, 0));
	must_refuse(EINVAL, ring_call(&longer, AVRING_IOC_DETACH, NULL));
	shorter = wisher_of_length(AVRING_STREAM_VIDEO, 3 * CHUNK_BYTES);
	must(ring_read(&shorter, AVRING_STREAM_VIDEO, 0));
	tap_eq(ring.at.generation, shorter.at.generation);
	ring_close(&ring);
	ring_close(&shorter);
	must(ring_read(&longer, AVRING_STREAM_VIDEO, 0));
	tap_eq(3 * CHUNK_BYTES + PAGE_BYTES, longer.at.length);
	ring_close(&longer);
}

static void test_alignment(void)
{
	struct ring ring, coarser, finer;

	ring_small_picture();
	ring = wisher(&(struct avring_setup){ .align = 1024 });
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	coarser = wisher(&(struct avring_setup){ .align = 2048 });
	must_refuse(EBUSY, ring_read(&coarser, AVRING_STREAM_VIDEO, 0));
	finer = wisher(&(struct avring_setup){ .align = 64 });
	must(ring_read(&finer, AVRING_STREAM_VIDEO, 0));
	tap_eq(1024, finer.at.align);
	ring_close(&ring);
	ring_close(&coarser);
	ring_close(&finer);
}

/* He who wished it short moves, and the next one who wishes nothing finds all as it should be. */
static void test_default_replaces_short(void)
{
	struct ring first, second, third;

	ring_small_picture();
	first = wisher_of_length(AVRING_STREAM_VIDEO, 1);
	must(ring_read(&first, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&first));
	must(ring_open(&second, 0));
	must(ring_read(&second, AVRING_STREAM_VIDEO, 0));
	tap_eq(first.at.generation + 1, second.at.generation);
	tap_eq(CHUNK_BYTES, second.at.length);
	tap_eq(AVRING_STATE_STALE, ring_state(&first));
	ring_unmap(&first);
	must(ring_read(&first, AVRING_STREAM_VIDEO, 0));
	tap_eq(second.at.generation, first.at.generation);
	must(ring_open(&third, 0));
	must(ring_read(&third, AVRING_STREAM_VIDEO, 0));
	tap_eq(second.at.generation, third.at.generation);
	ring_close(&first);
	ring_close(&second);
	ring_close(&third);
}

static void test_default_replaces_long_chunks(void)
{
	const struct avring_audio_format wish = { .rate = 8000, .period_frames = 65536 };
	struct ring first = wisher_of_sound(&wish), second;

	must(ring_read(&first, AVRING_STREAM_AUDIO, 0));
	tap_eq(65536, first.at.format.audio.period_frames);
	must(ring_open(&second, 0));
	must(ring_read(&second, AVRING_STREAM_AUDIO, 0));
	tap_eq(first.at.generation + 1, second.at.generation);
	tap_eq(480, second.at.format.audio.period_frames);
	tap_eq(8000, second.at.format.audio.rate);
	must(ring_read(&first, AVRING_STREAM_AUDIO, 0));
	tap_eq(second.at.generation, first.at.generation);
	ring_close(&first);
	ring_close(&second);
}

/* As one who only looks: a program that shows what there is must not change it. */
static void test_as_is(void)
{
	struct ring first, second;

	ring_small_picture();
	first = wisher_of_length(AVRING_STREAM_VIDEO, 1);
	must(ring_read(&first, AVRING_STREAM_VIDEO, 0));
	second = wisher_of_length(AVRING_STREAM_VIDEO, CHUNK_BYTES);
	must(ring_read(&second, AVRING_STREAM_VIDEO, AVRING_ATTACH_AS_IS));
	tap_eq(first.at.generation, second.at.generation);
	tap_eq(2 * SMALL_STRIDE, second.at.length);
	ring_close(&first);
	ring_close(&second);
}

/* There is no room for two of them: who wishes nothing takes what there is. */
static void test_no_memory_for_default(void)
{
	const struct avring_audio_format long_chunks = { .period_frames = 65536 };
	struct avring_setup wish = { .stream = AVRING_STREAM_AUDIO,
				     .length = 40 * CHUNK_BYTES,
				     .audio = long_chunks };
	struct ring first = wisher(&wish), second;

	must(ring_read(&first, AVRING_STREAM_AUDIO, 0));
	must(card_parameter_set("max_memory", 100));
	must(ring_open(&second, 0));
	must(ring_read(&second, AVRING_STREAM_AUDIO, 0));
	tap_eq(first.at.generation, second.at.generation);
	tap_eq(65536, second.at.format.audio.period_frames);
	ring_close(&first);
	ring_close(&second);
}

/* When a producer goes all who read him need a ring, and one is made. */
static void test_movers_share(void)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT), readers[4];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		must(ring_open(&readers[i], 0));
		must(ring_read(&readers[i], AVRING_STREAM_VIDEO, 0));
	}
	ring_close(&producer);
	for (i = 0; i < 4; i++) {
		must(ring_read(&readers[i], AVRING_STREAM_VIDEO, 0));
		tap_eq(readers[0].at.generation, readers[i].at.generation);
	}
	tap_eq(4, setup_of(&readers[0], AVRING_STREAM_VIDEO).users);
	for (i = 0; i < 4; i++)
		ring_close(&readers[i]);
}

/* It is written in place, and the readers have come for it. */
static void test_of_a_producer_stays(void)
{
	struct ring producer, reader;

	ring_input(CARD_INPUT_LOOPBACK);
	producer = wisher_of_length(AVRING_STREAM_VIDEO, 1);
	must(ring_produce(&producer, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	tap_eq(2 * SMALL_STRIDE, producer.at.length);
	must(ring_open(&reader, 0));
	must(ring_read(&reader, AVRING_STREAM_VIDEO, 0));
	tap_eq(producer.at.generation, reader.at.generation);
	ring_close(&reader);
	reader = wisher_of_length(AVRING_STREAM_VIDEO, CHUNK_BYTES);
	must_refuse(EBUSY, ring_read(&reader, AVRING_STREAM_VIDEO, 0));
	ring_close(&reader);
	ring_close(&producer);
}

/* Each of them is another sound than the one that there is. */
static void test_other_sound(void)
{
	static const struct avring_audio_format is = { .format = SNDRV_PCM_FORMAT_S32_LE,
						       .rate = 44100,
						       .channels = 3,
						       .period_frames = 441 };
	const struct avring_audio_format others[] = {
		{ .format = SNDRV_PCM_FORMAT_S16_LE },
		{ .rate = 48000 },
		{ .channels = 2 },
		{ .period_frames = 480 },
	};
	struct ring ring = wisher_of_sound(&is), other;
	unsigned int i;

	must(ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	for (i = 0; i < TAP_COUNT(others); i++) {
		other = wisher_of_sound(&others[i]);
		must_refuse(EBUSY, ring_read(&other, AVRING_STREAM_AUDIO, 0));
		ring_close(&other);
	}
	other = wisher_of_sound(&is);
	must(ring_read(&other, AVRING_STREAM_AUDIO, 0));
	tap_eq(ring.at.generation, other.at.generation);
	ring_close(&other);
	ring_close(&ring);
}

static void test_users(void)
{
	struct ring first, second;

	must(ring_open(&first, 0));
	must(ring_open(&second, 0));
	tap_eq(0, setup_of(&first, AVRING_STREAM_VIDEO).users);
	must(ring_read(&first, AVRING_STREAM_VIDEO, 0));
	must(ring_read(&second, AVRING_STREAM_VIDEO, 0));
	tap_eq(2, setup_of(&first, AVRING_STREAM_VIDEO).users);
	tap_eq(0, setup_of(&first, AVRING_STREAM_AUDIO).users);
	ring_close(&second);
	tap_eq(1, setup_of(&first, AVRING_STREAM_VIDEO).users);
	ring_close(&first);
}

/* More than there is: refused, and no harm done. */
static void test_no_memory(void)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_VIDEO, .length = 8ull << 30 };
	struct ring ring;

	ring_small_picture();
	ring = wisher(&setup);
	must_refuse(ENOMEM, ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_DETACH, NULL));
	tap_eq(0, setup_of(&ring, AVRING_STREAM_VIDEO).users);
	setup.length = CHUNK_BYTES;
	must(ring_call(&ring, AVRING_IOC_SET_SETUP, &setup));
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
		must(ring_setup_as(&setup));
		at = geometry(AVRING_STREAM_AUDIO);
		expect_audio(&formats[i], &at.format.audio);
		tap_eq(1, at.align);
		tap_eq(at.format.audio.frame_bytes * formats[i].period_frames, at.frame_bytes);
		tap_check(at.length >= 2ull * at.frame_bytes,
			  "length: expected at least two chunks, got %llu",
			  (unsigned long long)at.length);
		setup.audio.frame_bytes = at.format.audio.frame_bytes;
		must(ring_setup_as(&setup));
	}
}

static void test_audio_default(void)
{
	static const struct avring_audio_format expected = { .format = SNDRV_PCM_FORMAT_S16_LE,
							     .rate = 48000,
							     .channels = 2,
							     .period_frames = 480 };
	struct avring_attach at = geometry(AVRING_STREAM_AUDIO);

	expect_audio(&expected, &at.format.audio);
	tap_eq(CHUNK_BYTES, at.length);
}

/* A refused wish leaves the one before as it was. */
static void test_refused_changes_nothing(void)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO,
				      .length = 3 * CHUNK_BYTES,
				      .audio = formats[1] };
	struct ring ring = wisher(&setup);

	setup.length = CHUNK_BYTES;
	setup.audio.channels = 9;
	must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_SET_SETUP, &setup));
	must(ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	tap_eq(3 * CHUNK_BYTES, ring.at.length);
	expect_audio(&formats[1], &ring.at.format.audio);
	ring_close(&ring);
}

static const struct tap_test tests[] = {
	{ "the ring is as long and as packed as asked, and holds two frames in any case",
	  .run = test_wishes },
	{ "by default it holds half a second and 8 frames, in whole 2 MiB", .run = test_default },
	{ "what a file wishes stays when the format changes", .run = test_format_changes },
	{ "and ends with the file: the next one has the default", .run = test_ends_with_file },
	{ "each file and each stream has its own", .run = test_belongs_to_file_and_stream },
	{ "who wishes a longer ring than others have gets EBUSY, until they go",
	  .run = test_longer },
	{ "a coarser alignment is EBUSY, a finer one is there already", .run = test_alignment },
	{ "who wishes nothing gets the default, though somebody wished a shorter ring: once",
	  .run = test_default_replaces_short },
	{ "who wishes nothing gets chunks of 480, though somebody wished longer ones",
	  .run = test_default_replaces_long_chunks },
	{ "who takes the ring as it is changes nothing", .run = test_as_is },
	{ "a ring that cannot be replaced stays, and who wishes nothing reads it",
	  .run = test_no_memory_for_default, .as_root = true },
	{ "readers of a producer who has gone all move to one ring", .run = test_movers_share },
	{ "what a producer writes stays as he wished it", .run = test_of_a_producer_stays },
	{ "a wish for another sound than others have is EBUSY", .run = test_other_sound },
	{ "GET_SETUP says how many use the stream", .run = test_users },
	{ "a ring larger than memory gives ENOMEM, and nothing is lost", .run = test_no_memory },
	{ "sound has the format that was asked for", .run = test_audio_formats },
	{ "sound is 48 kHz, 16 bits, stereo by default", .run = test_audio_default },
	{ "a wish that was refused changes nothing", .run = test_refused_changes_nothing },
};

static void restore(void)
{
	card_parameter_set("max_memory", 0);
	ring_restore();
}

int main(int argc, char **argv)
{
	return fixture_main(tests, TAP_COUNT(tests), restore, argc, argv);
}
