// SPDX-License-Identifier: MIT
/*
 * audio: the ring of the sound: every sample in its place and at its time, beside
 * picture and PCM.
 */
#include <alsa/asoundlib.h>
#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "content.h"
#include "listen.h"

static void expect_chunk(const struct ring *ring, const struct avring_entry *entry)
{
	const struct avring_audio_format *format = &ring->at.format.audio;

	tap_eq(format->period_frames, entry->count);
	tap_eq(format->period_frames * format->frame_bytes, entry->length);
	tap_eq(event_ns(format->rate, entry->event), entry->time_ns);
	tap_eq(0, entry->flags);
	tap_eq(0, entry->reserved0);
	content_expect_zero("entry.reserved", (const void *)entry->reserved, 16);
	tap_check(entry->time_ns < now_ns(), "time: expected in the past, got %llu",
		  (unsigned long long)entry->time_ns);
}

static const struct avring_audio_format formats[] = {
	{ .format = SND_PCM_FORMAT_S16_LE, .rate = 48000, .channels = 2, .period_frames = 480 },
	{ .format = SND_PCM_FORMAT_S24_LE, .rate = 44100, .channels = 3, .period_frames = 441 },
	{ .format = SND_PCM_FORMAT_S32_LE, .rate = 192000, .channels = 8, .period_frames = 1000 },
	{ .format = SND_PCM_FORMAT_FLOAT_LE, .rate = 8000, .channels = 1, .period_frames = 16 },
	{ .format = SND_PCM_FORMAT_S16_LE, .rate = 11025, .channels = 5, .period_frames = 65536 },
};

static void test_contiguous(const void *arg)
{
	const struct avring_audio_format *format = arg;
	struct ring ring = listener(1, format);
	unsigned int chunks = format->period_frames > 10000 ? 3 : 300;
	struct avring_entry entry, last = entry_at(&ring, 0);
	uint64_t n;

	tap_eq(0, ring.at.next);
	tap_eq(0, last.position);
	tap_eq(0, last.sequence);
	expect_chunk(&ring, &last);
	for (n = 1; n < chunks; n++) {
		entry = entry_at(&ring, n);
		expect_chunk(&ring, &entry);
		expect_follows(&last, &entry);
		last = entry;
	}
	ring_close(&ring);
}

/* Two chunks fit, and a rest: samples lie across the wrap, and are whole. */
static void test_across_the_wrap(void)
{
	const struct avring_audio_format format = { .format = SND_PCM_FORMAT_S32_LE,
						    .channels = 7,
						    .period_frames = 900 };
	struct ring ring = listener(1, &format);
	const uint32_t bytes = 7 * sizeof(int32_t);
	struct avring_entry entry;
	unsigned int heard = 0, i, channel;
	const int32_t *samples;
	uint64_t n;

	tap_check(ring.at.length % bytes, "length: expected no whole frames, got %llu",
		  (unsigned long long)ring.at.length);
	for (n = 0; n < 78; n++) {
		entry = entry_at(&ring, n);
		samples = (const int32_t *)ring_bytes(&ring, &entry);
		for (i = 0; i < entry.count; i++)
			for (channel = 0; channel < 7; channel++) {
				tap_eq(samples[i * 7], samples[i * 7 + channel]);
				heard += samples[i * 7] != 0;
			}
	}
	tap_check(heard, "beep: expected one in 1.4 s, got silence");
	ring_close(&ring);
}

static void test_watermark(void)
{
	struct avring_wait wait = { .entries = 1,
				    .bytes = 10 * PERIOD * FRAME_BYTES,
				    .deadline_ns = AVRING_WAIT_FOREVER };
	struct ring ring = listener(0, NULL);
	unsigned int i;

	for (i = 0; i < 20; i++) {
		wait.bytes += i % 2;
		must(ring_call(&ring, AVRING_IOC_WAIT, &wait));
		tap_check(wait.head_entry - wait.next >= (i ? 11 : 10) &&
				  wait.head_entry - wait.next <= 12,
			  "chunks of a watermark of %llu bytes: expected 10 or 11, got %llu",
			  (unsigned long long)wait.bytes,
			  (unsigned long long)(wait.head_entry - wait.next));
		wait.next = wait.head_entry;
	}
	ring_close(&ring);
}

static void test_watermark_in_time(void)
{
	struct avring_wait wait = { .entries = 1,
				    .time_ns = NSEC_PER_SEC / 10,
				    .deadline_ns = AVRING_WAIT_FOREVER };
	struct ring ring = listener(0, NULL);
	struct avring_entry first, last;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		must(ring_call(&ring, AVRING_IOC_WAIT, &wait));
		first = entry_at(&ring, wait.next);
		last = entry_at(&ring, wait.head_entry - 1);
		tap_check(last.time_ns - first.time_ns >= wait.time_ns,
			  "time: expected at least %llu ns, got %llu",
			  (unsigned long long)wait.time_ns,
			  (unsigned long long)(last.time_ns - first.time_ns));
		wait.next = wait.head_entry;
	}
	ring_close(&ring);
}

static void test_poll(void)
{
	struct ring ring = listener(0, NULL);
	struct pollfd ready = { .fd = ring.fd, .events = POLLIN };
	uint64_t next = 0;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		must_refuse(EAGAIN, ring_wait(&ring, next, 5, 0));
		must(sys(poll(&ready, 1, -1)));
		tap_eq(POLLIN, ready.revents);
		next = ring_head(&ring);
		tap_check(next >= 5 * (i + 1), "chunks: expected %u, got %llu", 5 * (i + 1),
			  (unsigned long long)next);
	}
	ring_close(&ring);
}

/* Who comes back late has lost what the numbers say, and no more. */
static void test_overrun(void)
{
	struct ring ring = listener(1, NULL);
	struct avring_entry first = entry_at(&ring, 0), late;
	uint64_t n;

	usleep(500000);
	ring_wait_head(&ring, 30);
	n = ring_tail(&ring);
	tap_check(n > 10, "tail: expected to have moved, got %llu", (unsigned long long)n);
	late = entry_at(&ring, ring_tail(&ring) + 1);
	n = (late.sequence - first.sequence) / PERIOD;
	tap_eq(first.sequence + n * PERIOD, late.sequence);
	tap_eq(late.event - first.event, late.sequence - first.sequence);
	ring_close(&ring);
}

/* Sample @i of the ring's first channel. The ring must not have wrapped. */
static int16_t sample_at(const struct ring *ring, uint64_t i)
{
	const int16_t *samples = (const int16_t *)ring->data;

	return samples[2 * i];
}

/* The next sample at or after @from that breaks a silence of 100 ms, or @to. */
static uint64_t next_beep(const struct ring *ring, uint64_t from, uint64_t to)
{
	uint64_t silent = 0;

	for (; from < to; from++) {
		if (sample_at(ring, from) && silent >= RATE / 10)
			break;
		silent = sample_at(ring, from) ? 0 : silent + 1;
	}
	return from;
}

/* The times of the flashes that the stamps tell. */
static unsigned int find_flashes(const struct ring *video, uint64_t *flashes, unsigned int room)
{
	struct avring_frame_stamp stamp;
	struct avring_entry entry;
	unsigned int found = 0;
	uint64_t n;

	for (n = 0; n < ring_head(video) && found < room; n++) {
		tap_check(ring_entry(video, n, &entry), "entry: expected intact");
		must(frame_check(ring_bytes(video, &entry), entry.length, &stamp));
		if (le32toh(stamp.flags) & AVRING_FRAME_STAMP_FLASH)
			flashes[found++] = entry.time_ns;
	}
	return found;
}

#define FLASHES 4

/* The first sample at or after the flash is the first of the beep. */
static void test_beep_at_flash(const void *arg)
{
	const uint32_t fps = *(const uint32_t *)arg;
	struct avring_entry first;
	uint64_t flashes[FLASHES], to, beep = 0;
	struct ring video, audio;
	unsigned int i, found;

	ring_picture(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, fps);
	must(ring_setup(AVRING_STREAM_VIDEO, 8 * fps * SMALL_STRIDE, 0));
	must(set_setup(8 * RATE * FRAME_BYTES, NULL));
	audio = ring_reader(AVRING_STREAM_AUDIO);
	first = entry_at(&audio, 10);
	first = entry_at(&audio, 0);
	video = ring_reader(AVRING_STREAM_VIDEO);
	ring_wait_head(&video, 4 * fps);
	found = find_flashes(&video, flashes, FLASHES);
	tap_check(found >= 3, "flashes in 4 s: expected 3 at least, got %u", found);
	/* The first second is no silence for sure: another rate may have been set then. */
	beep = event_after(RATE, flashes[0]) - first.event;
	for (i = 0; i < found; i++) {
		to = event_after(RATE, flashes[i]) - first.event;
		ring_wait_head(&audio, to / PERIOD + 2);
		if (i)
			tap_eq(to, next_beep(&audio, beep + RATE / 2, to + RATE / 10));
		else
			tap_check(sample_at(&audio, to), "flash: expected a sound, got silence");
		beep = to;
	}
	ring_close(&video);
	ring_close(&audio);
}

/* What the PCM records meanwhile is the same, sample for sample. */
static void test_beside_pcm(void)
{
	static int16_t recorded[2 * RATE * 3 / 2];
	const struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
					     .rate = RATE,
					     .channels = 2 };
	struct ring ring = listener(4 * RATE * FRAME_BYTES, NULL);
	struct avring_entry first = entry_at(&ring, 0);
	struct card card = card_0();
	snd_pcm_sframes_t frames = RATE * 3 / 2;
	uint64_t start_ns, offset;
	snd_pcm_t *pcm;

	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &params));
	must(snd_pcm_start(pcm));
	must(sound_start_ns(pcm, &start_ns));
	tap_eq(frames, must(snd_pcm_readi(pcm, recorded, frames)));
	snd_pcm_close(pcm);
	offset = event_after(RATE, start_ns) - first.event;
	ring_wait_head(&ring, (offset + frames) / PERIOD + 1);
	tap_check(!memcmp(recorded, ring.data + offset * FRAME_BYTES, sizeof(recorded)),
		  "PCM: expected the samples of the ring from %llu on, got others",
		  (unsigned long long)offset);
	tap_check(next_beep(&ring, offset, offset + frames) < offset + frames,
		  "beep: expected one in 1.5 s, got silence");
	ring_close(&ring);
}

/* Nobody listens: no ring, and no timer that fills one. */
static void test_idle(void)
{
	struct ring ring = listener(0, NULL);
	long stores;

	ring_wait_head(&ring, 3);
	must(card_parameter_get("live_stores", &stores));
	tap_eq(3, stores);
	ring_close(&ring);
	must(card_parameter_get("live_stores", &stores));
	tap_eq(0, stores);
}

static const uint32_t rates[] = { 30, 60, 24 };

#define EACH(words, test, of) \
	{ \
		.claim = words, .run_with = test, .arg = &(of) \
	}

static const struct tap_test tests[] = {
	EACH("48 kHz 16 bit stereo: chunks follow each other in place, number and time",
	     test_contiguous, formats[0]),
	EACH("44.1 kHz 24 bit 3 channels: the same", test_contiguous, formats[1]),
	EACH("192 kHz 32 bit 8 channels: the same", test_contiguous, formats[2]),
	EACH("8 kHz float mono, 16 frames: the same", test_contiguous, formats[3]),
	EACH("11.025 kHz 16 bit 5 channels, 65536 frames: the same", test_contiguous, formats[4]),
	{ "sample frames across the wrap are whole", .run = test_across_the_wrap },
	{ "WAIT with a watermark in bytes returns when they are there", .run = test_watermark },
	{ "WAIT with a watermark in time returns when it is there", .run = test_watermark_in_time },
	{ "poll returns when the chunks are there", .run = test_poll },
	{ "who is late finds what he lost in the sequence", .run = test_overrun },
	EACH("each beep begins at the first sample after a flash, 30 frames a second",
	     test_beep_at_flash, rates[0]),
	EACH("each beep begins at the first sample after a flash, 60 frames a second",
	     test_beep_at_flash, rates[1]),
	EACH("each beep begins at the first sample after a flash, 24 frames a second",
	     test_beep_at_flash, rates[2]),
	{ "the PCM records the samples of the ring meanwhile", .run = test_beside_pcm },
	{ "with nobody attached there is no ring", .run = test_idle },
};

int main(int argc, char **argv)
{
	return fixture_main(tests, TAP_COUNT(tests), audio_restore, argc, argv);
}
