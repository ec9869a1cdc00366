// SPDX-License-Identifier: MIT
/*
 * speaker: what is played to the card, or written into the ring of the sound in
 * place, arrives sample by sample.
 */
#include <alsa/asoundlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "content.h"
#include "listen.h"

#define MS UINT64_C(1000000)

/* Samples that nobody makes by chance, none of them 0. */
static void make_noise(int16_t *samples, size_t n)
{
	uint32_t state = 1;

	while (n--) {
		state = state * 1664525 + 1013904223;
		*samples++ = state >> 16 | 1;
	}
}

/* Where the noise begins in the ring, in bytes. */
static size_t find_noise(const struct ring *ring, const int16_t *noise)
{
	const size_t bytes = ring->at.length;
	const uint8_t *found = memmem(ring->data, bytes, noise, 64);

	tap_check(found, "ring: expected the first 16 played frames, got none of them");
	return found - ring->data;
}

/* Plays all of it and returns when it has been heard. */
static void play(const int16_t *samples, snd_pcm_uframes_t frames)
{
	const struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
					     .rate = RATE,
					     .channels = 2,
					     .period = RATE / 100,
					     .buffer = RATE / 5 };
	struct card card = card_0();
	snd_pcm_sframes_t written;
	snd_pcm_t *pcm;

	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &params));
	written = must(snd_pcm_writei(pcm, samples, RATE / 5));
	must(snd_pcm_start(pcm));
	while ((snd_pcm_uframes_t)written < frames)
		written += must(snd_pcm_writei(pcm, samples + 2 * written, frames - written));
	must(snd_pcm_drain(pcm));
	snd_pcm_close(pcm);
}

static void test_loopback(void)
{
	static int16_t noise[2 * RATE];
	struct ring ring;
	struct avring_entry entry;
	size_t at;

	make_noise(noise, TAP_COUNT(noise));
	set_source(SOUND_SOURCE_LOOPBACK);
	ring = listener(4 * RATE * FRAME_BYTES, NULL);
	entry = entry_at(&ring, 0);
	tap_eq(AVRING_ENTRY_NO_SIGNAL, entry.flags);
	play(noise, RATE);
	ring_wait_head(&ring, ring_head(&ring) + 3);
	at = find_noise(&ring, noise);
	tap_check(!memcmp(ring.data + at, noise, sizeof(noise)),
		  "ring: expected what was played, got something else");
	entry = entry_at(&ring, at / FRAME_BYTES / PERIOD + 1);
	tap_eq(0, entry.flags);
	entry = entry_at(&ring, ring_head(&ring) - 1);
	tap_eq(AVRING_ENTRY_NO_SIGNAL, entry.flags);
	content_expect_zero("silence", ring_bytes(&ring, &entry), entry.length);
	ring_close(&ring);
}

static int produce(struct ring *ring, const struct avring_audio_format *format)
{
	memset(&ring->at, 0, sizeof(ring->at));
	ring->at.role = AVRING_ROLE_PRODUCER;
	ring->at.format.stream = AVRING_STREAM_AUDIO;
	if (format)
		ring->at.format.audio = *format;
	return ring_call(ring, AVRING_IOC_ATTACH, &ring->at);
}

static struct ring speaker(void)
{
	struct ring ring;

	set_source(SOUND_SOURCE_LOOPBACK);
	must(set_setup(8 * RATE * FRAME_BYTES, NULL));
	must(ring_open(&ring, 0));
	must(produce(&ring, NULL));
	must(ring_map(&ring));
	return ring;
}

static int send_at(struct ring *ring, const int16_t *samples, uint32_t frames, uint64_t time_ns,
		   uint64_t *sequence)
{
	struct avring_begin begin = { .length = frames * FRAME_BYTES };
	struct avring_commit commit = { .length = begin.length, .time_ns = time_ns };
	int error = ring_call(ring, AVRING_IOC_BEGIN, &begin);

	if (error)
		return error;
	memcpy(ring->data + begin.position % ring->at.length, samples, begin.length);
	error = ring_call(ring, AVRING_IOC_COMMIT, &commit);
	if (!error && sequence)
		*sequence = commit.sequence;
	return error;
}

static int send_chunk(struct ring *ring, const int16_t *samples, uint32_t frames)
{
	return send_at(ring, samples, frames, 0, NULL);
}

static void test_producer(void)
{
	static int16_t noise[2 * PERIOD];
	struct avring_entry entry, last;
	struct ring producer, reader;
	uint64_t n, sequence;

	make_noise(noise, TAP_COUNT(noise));
	producer = speaker();
	tap_eq(RATE, producer.at.format.audio.rate);
	tap_eq(FRAME_BYTES, producer.at.format.audio.frame_bytes);
	tap_eq(PERIOD * FRAME_BYTES, producer.at.frame_bytes);
	reader = ring_reader(AVRING_STREAM_AUDIO);
	for (n = 0; n < 200; n++) {
		const uint32_t frames = PERIOD - n % 3 * 7;

		must(send_at(&producer, noise + n, frames, 0, &sequence));
		entry = entry_at(&reader, n);
		tap_eq(sequence, entry.sequence);
		tap_eq(frames, entry.count);
		tap_eq(frames * FRAME_BYTES, entry.length);
		tap_eq(event_ns(RATE, entry.event), entry.time_ns);
		if (n)
			expect_follows(&last, &entry);
		tap_check(!memcmp(ring_bytes(&reader, &entry), noise + n, entry.length),
			  "chunk: expected what was written");
		last = entry;
	}
	ring_close(&reader);
	ring_close(&producer);
}

static void test_producer_limits(void)
{
	static const int16_t silence[2 * PERIOD];
	struct avring_begin begin = { .length = PERIOD * FRAME_BYTES };
	struct avring_commit commit = { .length = PERIOD * FRAME_BYTES - 1 };
	struct ring ring = speaker();
	const uint64_t start = in_ms(1000);

	must(ring_call(&ring, AVRING_IOC_BEGIN, &begin));
	must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_COMMIT, &commit));
	commit.length = 2;
	must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_COMMIT, &commit));
	commit.length = FRAME_BYTES;
	must(ring_call(&ring, AVRING_IOC_COMMIT, &commit));
	begin.length = PERIOD * FRAME_BYTES + 1;
	must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_BEGIN, &begin));
	must(send_at(&ring, silence, PERIOD, start, NULL));
	must_refuse(EINVAL, send_at(&ring, silence, PERIOD, start, NULL));
	must_refuse(EINVAL, send_at(&ring, silence, PERIOD, start + 4 * MS, NULL));
	must(send_at(&ring, silence, PERIOD, start + 10 * MS, NULL));
	must(send_at(&ring, silence, PERIOD, start + NSEC_PER_SEC, NULL));
	tap_eq(4, ring_head(&ring));
	ring_close(&ring);
}

/* What is said may be half a chunk off: sound follows sound without a seam. */
static void test_producer_follows(void)
{
	static const int off_ms[] = { 0, 4, -4, 1, -1, 4, 4, -4, -4 };
	static const int16_t silence[2 * PERIOD];
	struct ring ring = speaker();
	struct avring_entry entry, last;
	const uint64_t start = in_ms(1000);
	uint64_t n;

	for (n = 0; n < TAP_COUNT(off_ms); n++) {
		must(send_at(&ring, silence, PERIOD, start + 10 * n * MS + off_ms[n] * MS, NULL));
		entry = entry_at(&ring, n);
		if (n)
			expect_follows(&last, &entry);
		last = entry;
	}
	must(send_at(&ring, silence, PERIOD, start + 10 * n * MS + 6 * MS, NULL));
	entry = entry_at(&ring, n);
	tap_eq(last.sequence + last.count, entry.sequence);
	tap_eq(last.position + last.length, entry.position);
	tap_eq(event_after(RATE, start + 10 * n * MS + 6 * MS), entry.event);
	ring_close(&ring);
}

/* Who says nothing and is late begins again now: of the past nobody would hear. */
static void test_late_producer(void)
{
	static const int16_t silence[2 * PERIOD];
	struct ring ring = speaker();
	struct avring_entry first, second;
	uint64_t now;

	must(send_chunk(&ring, silence, PERIOD));
	first = entry_at(&ring, 0);
	usleep(100000);
	now = now_ns();
	must(send_chunk(&ring, silence, PERIOD));
	second = entry_at(&ring, 1);
	tap_check(second.time_ns + NSEC_PER_SEC / RATE >= now && second.time_ns <= now_ns() + MS,
		  "time: expected now, got %lld ns from it", (long long)(second.time_ns - now));
	tap_eq(first.sequence + PERIOD, second.sequence);
	ring_close(&ring);
}

/*
 * Chunks of one frame: the index is full long before the ring is, and what it has no
 * room for is given up, with its bytes still there.
 */
static void test_short_chunks(void)
{
	struct ring producer = speaker(), reader = ring_reader(AVRING_STREAM_AUDIO);
	const uint32_t entries = producer.at.entries;
	struct avring_entry entry;
	int16_t frame[2];
	uint64_t n, i;

	for (n = 0; n < 3 * entries; n++) {
		frame[0] = n;
		frame[1] = n >> 16;
		must(send_chunk(&producer, frame, 1));
		if (n % 64)
			continue;
		tap_check(ring_head(&reader) - ring_tail(&reader) <= entries,
			  "entries: expected at most %u, got %llu", entries,
			  (unsigned long long)(ring_head(&reader) - ring_tail(&reader)));
		for (i = ring_tail(&reader); i < ring_head(&reader); i++) {
			tap_check(ring_entry(&reader, i, &entry), "entry: expected intact");
			tap_eq(i * FRAME_BYTES, entry.position);
			tap_eq(i, entry.sequence);
		}
	}
	ring_close(&reader);
	ring_close(&producer);
}

/* BEGIN takes the slot of the oldest entry: it must be given up before COMMIT. */
static void test_begin_gives_up_an_entry(void)
{
	struct avring_begin begin = { .length = FRAME_BYTES };
	struct ring ring = speaker();
	const int16_t frame[2] = { 0 };
	uint64_t n;

	for (n = 0; n < ring.at.entries; n++)
		must(send_chunk(&ring, frame, 1));
	tap_eq(0, ring_tail(&ring));
	must(ring_call(&ring, AVRING_IOC_BEGIN, &begin));
	tap_eq(1, ring_tail(&ring));
	ring_close(&ring);
}

/* The first sample that is committed for a time happens at or after it, at most one later. */
static void test_producer_time(void)
{
	static const int16_t silence[2 * PERIOD];
	struct ring ring = speaker();
	uint64_t at = in_ms(100) | 1, n;
	struct avring_entry entry;

	for (n = 0; n < 5; n++, at += NSEC_PER_SEC / 10) {
		must(send_at(&ring, silence, PERIOD, at, NULL));
		entry = entry_at(&ring, n);
		tap_eq(event_after(RATE, at), entry.event);
		tap_eq(event_ns(RATE, entry.event), entry.time_ns);
	}
	ring_close(&ring);
}

static void test_producer_is_busy(void)
{
	const struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
					     .rate = RATE,
					     .channels = 2 };
	struct card card = card_0();
	struct ring ring, second;
	snd_pcm_t *pcm;

	must(ring_open(&ring, 0));
	must(ring_open(&second, 0));
	must_refuse(EBUSY, produce(&ring, NULL));
	set_source(SOUND_SOURCE_LOOPBACK);
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &params));
	must_refuse(EBUSY, produce(&ring, NULL));
	snd_pcm_close(pcm);
	must(produce(&ring, NULL));
	must_refuse(EBUSY, produce(&second, NULL));
	must_refuse(EBUSY, sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &params));
	must_refuse(EBUSY, sound_set_source(&card, SOUND_SOURCE_TONE));
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &params));
	snd_pcm_close(pcm);
	must(produce(&second, NULL));
	ring_close(&ring);
	ring_close(&second);
}

/* The union with the format of pictures is larger. */
static void test_producer_behind_format(void)
{
	struct avring_attach at = { .role = AVRING_ROLE_PRODUCER };
	const size_t first = sizeof(at.format.audio) / 4, end = sizeof(at.format.video) / 4;
	struct ring ring;
	size_t word;

	set_source(SOUND_SOURCE_LOOPBACK);
	must(ring_open(&ring, 0));
	at.format.stream = AVRING_STREAM_AUDIO;
	for (word = first; word < end; word++) {
		((uint32_t *)&at.format.video)[word] = 1;
		must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_ATTACH, &at));
		((uint32_t *)&at.format.video)[word] = 0;
	}
	must(ring_call(&ring, AVRING_IOC_ATTACH, &at));
	ring_close(&ring);
}

static void test_producer_format(void)
{
	struct avring_audio_format format;
	unsigned int word, bit;
	struct ring ring;

	set_source(SOUND_SOURCE_LOOPBACK);
	must(ring_open(&ring, 0));
	for (word = 0; word < TAP_COUNT(format.reserved); word++)
		for (bit = 0; bit < 32; bit++) {
			memset(&format, 0, sizeof(format));
			format.reserved[word] = 1u << bit;
			must_refuse(EINVAL, produce(&ring, &format));
		}
	format = (struct avring_audio_format){ .rate = 192001 };
	must_refuse(EINVAL, produce(&ring, &format));
	format = (struct avring_audio_format){ .channels = 9 };
	must_refuse(EINVAL, produce(&ring, &format));
	format = (struct avring_audio_format){ .period_frames = 65537 };
	must_refuse(EINVAL, produce(&ring, &format));
	format = (struct avring_audio_format){ .frame_bytes = 8 };
	must_refuse(EINVAL, produce(&ring, &format));
	format = (struct avring_audio_format){ .frame_bytes = 4 };
	must(produce(&ring, &format));
	ring_close(&ring);
}

/* A chunk in advance of time all along, as a player is. */
static void send_noise(struct ring *producer, const int16_t *noise, unsigned int frames)
{
	const uint64_t start = now_ns();
	unsigned int sent;

	for (sent = 0; sent < frames; sent += PERIOD) {
		must(send_chunk(producer, noise + 2 * sent, PERIOD));
		while (start + event_ns(RATE, sent) > now_ns() + NSEC_PER_SEC / 10)
			usleep(2000);
	}
}

/* What a producer writes in place is what the PCM records. */
static void test_producer_is_recorded(void)
{
	static int16_t noise[2 * RATE], recorded[2 * RATE * 2];
	const struct sound_params params = {
		.format = SND_PCM_FORMAT_S16_LE, .rate = RATE, .channels = 2, .buffer = 3 * RATE
	};
	struct card card = card_0();
	struct ring producer;
	const uint8_t *found;
	snd_pcm_t *pcm;

	make_noise(noise, TAP_COUNT(noise));
	producer = speaker();
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &params));
	must(snd_pcm_start(pcm));
	send_noise(&producer, noise, RATE);
	tap_eq(2 * RATE, must(snd_pcm_readi(pcm, recorded, 2 * RATE)));
	snd_pcm_close(pcm);
	found = memmem(recorded, sizeof(recorded), noise, 64);
	tap_check(found, "PCM: expected the first 16 frames of the producer");
	tap_check((const uint8_t *)recorded + sizeof(recorded) - found >= (ssize_t)sizeof(noise) &&
			  !memcmp(found, noise, sizeof(noise)),
		  "PCM: expected what the producer wrote, got something else");
	ring_close(&producer);
}

static void test_generations(void)
{
	static const int16_t silence[2 * PERIOD];
	const struct avring_audio_format mono = { .channels = 1, .rate = 16000 };
	struct ring reader, producer;
	struct avring_entry last, entry;
	uint32_t generation;
	uint64_t before;

	set_source(SOUND_SOURCE_LOOPBACK);
	reader = listener(0, NULL);
	generation = reader.at.generation;
	last = entry_at(&reader, 3);
	must(ring_open(&producer, 0));
	before = now_ns();
	must(produce(&producer, &mono));
	must(ring_map(&producer));
	tap_eq(AVRING_STATE_STALE, ring_state(&reader));
	last = entry_at(&reader, ring_head(&reader) - 1);
	tap_eq(last.count * FRAME_BYTES, last.length);
	tap_check(event_ns(RATE, last.event + last.count) > before,
		  "the old ring ends %llu ns before the producer comes",
		  (unsigned long long)(before - event_ns(RATE, last.event + last.count)));
	ring_unmap(&reader);
	must(ring_read(&reader, AVRING_STREAM_AUDIO, 0));
	must(ring_map(&reader));
	tap_check(reader.at.generation > generation, "generation: expected more than %u, got %u",
		  generation, reader.at.generation);
	tap_eq(16000, reader.at.format.audio.rate);
	tap_eq(2, reader.at.format.audio.frame_bytes);
	must(send_chunk(&producer, silence, 100));
	entry = entry_at(&reader, 0);
	tap_eq(last.sequence + last.count, entry.sequence);
	must(ring_call(&producer, AVRING_IOC_DETACH, NULL));
	tap_eq(AVRING_STATE_STALE, ring_state(&reader));
	ring_unmap(&reader);
	must(ring_read(&reader, AVRING_STREAM_AUDIO, 0));
	must(ring_map(&reader));
	tap_eq(RATE, reader.at.format.audio.rate);
	last = entry;
	entry = entry_at(&reader, 0);
	tap_eq(AVRING_ENTRY_NO_SIGNAL, entry.flags);
	tap_eq(last.sequence + last.count, entry.sequence);
	ring_close(&producer);
	ring_close(&reader);
}

/* The one rate of who hears what is played. */
static const struct sound_params at_44100 = { .format = SND_PCM_FORMAT_S16_LE,
					      .rate = 44100,
					      .channels = 2 };

static void test_reader_gets_rate(void)
{
	const struct avring_audio_format wish = { .rate = 16000, .channels = 1 };
	struct card card = card_0();
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO };
	struct avring_entry entry;
	struct ring ring;
	snd_pcm_t *pcm;

	set_source(SOUND_SOURCE_LOOPBACK);
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &at_44100));
	ring = listener(0, &wish);
	tap_eq(44100, ring.at.format.audio.rate);
	tap_eq(1, ring.at.format.audio.channels);
	entry = entry_at(&ring, 2);
	tap_eq(event_ns(44100, entry.event), entry.time_ns);
	must(ring_call(&ring, AVRING_IOC_GET_SETUP, &setup));
	tap_eq(16000, setup.audio.rate);
	snd_pcm_close(pcm);
	ring_close(&ring);
	must(ring_setup(AVRING_STREAM_AUDIO, 0, 0));
	ring = ring_reader(AVRING_STREAM_AUDIO);
	tap_eq(48000, ring.at.format.audio.rate);
	ring_close(&ring);
}

static void test_player_gets_rate(void)
{
	struct ring ring;
	struct card card = card_0();
	snd_pcm_t *pcm;

	set_source(SOUND_SOURCE_LOOPBACK);
	ring = listener(0, NULL);
	must_refuse(EINVAL, sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &at_44100));
	must_refuse(EINVAL, sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &at_44100));
	ring_close(&ring);
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &at_44100));
	snd_pcm_close(pcm);
}

static void test_producer_rate(void)
{
	const struct avring_audio_format same = { .rate = 44100 };
	struct card card = card_0();
	struct ring ring;
	snd_pcm_t *pcm;

	set_source(SOUND_SOURCE_LOOPBACK);
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &at_44100));
	must(ring_open(&ring, 0));
	must_refuse(EBUSY, produce(&ring, NULL));
	must(produce(&ring, &same));
	snd_pcm_close(pcm);
	ring_close(&ring);
}

static void test_source_rate(void)
{
	struct card card = card_0();
	struct ring ring;
	snd_pcm_t *pcm;

	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &at_44100));
	ring = listener(0, NULL);
	tap_eq(RATE, ring.at.format.audio.rate);
	must_refuse(EBUSY, sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	ring_close(&ring);
	must(sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	snd_pcm_close(pcm);
}

static const struct tap_test tests[] = {
	{ "what is played to the card is in the ring, bit by bit", .run = test_loopback },
	{ "200 chunks of a producer follow each other as written", .run = test_producer },
	{ "short chunks fill the index before the ring, and are given up in time",
	  .run = test_short_chunks },
	{ "BEGIN gives up the entry whose place it takes", .run = test_begin_gives_up_an_entry },
	{ "a producer commits whole frames, at most a chunk, and not into the past",
	  .run = test_producer_limits },
	{ "a producer's time may be half a chunk off", .run = test_producer_follows },
	{ "a producer that says no time and is late begins again now", .run = test_late_producer },
	{ "a producer's time is rounded up to a sample", .run = test_producer_time },
	{ "a producer's format is checked, its reserved fields, too", .run = test_producer_format },
	{ "what is behind it must be 0", .run = test_producer_behind_format },
	{ "one producer, one player: the second gets EBUSY", .run = test_producer_is_busy },
	{ "the PCM records what a producer writes, bit by bit", .run = test_producer_is_recorded },
	{ "a producer's coming and going begin generations, and no sample is missed",
	  .run = test_generations },
	{ "loopback: a reader gets the rate of the PCM, and his own when that is closed",
	  .run = test_reader_gets_rate },
	{ "loopback: beside a reader another rate of the PCM is EINVAL",
	  .run = test_player_gets_rate },
	{ "loopback: a producer of another rate than the PCM's is EBUSY",
	  .run = test_producer_rate },
	{ "tone: reader and PCM have their own rates, and with two of them loopback is EBUSY",
	  .run = test_source_rate },
};

int main(int argc, char **argv)
{
	return fixture_main(tests, TAP_COUNT(tests), audio_restore, argc, argv);
}
