// SPDX-License-Identifier: MIT
/*
 * times: what the PCM of the card says of time: the card's own clock, as CLOCK_MONOTONIC. The
 * position moves by chunks; where nothing is read, it is what is available.
 */
#include <stdlib.h>
#include <unistd.h>

#include "camera.h"
#include "sound.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define RATE 48000
#define CHUNK 480
#define FRAME_BYTES 4
#define RING_BYTES (8u << 20)
#define ROUNDS 50
/* The line between the two clocks is bent now and then; so much shows between two looks. */
#define BENT_NS 1000
/* A chunk, and what it takes to come from the card, in a guest that counts instructions. */
#define AGE_NS 50000000

static const struct sound_params stereo = { .format = SND_PCM_FORMAT_S16_LE,
					    .rate = RATE,
					    .channels = 2,
					    .period = CHUNK };

/**
 * struct report - a status
 * @system_ns: time of it
 * @audio_ns: what the type asks for
 * @avail: position
 * @type: that it is of
 */
struct report {
	uint64_t system_ns, audio_ns;
	uint64_t avail;
	unsigned int type;
};

static uint64_t time_ns(snd_htimestamp_t time)
{
	return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

static struct report report(snd_pcm_t *pcm, int type)
{
	snd_pcm_audio_tstamp_config_t config = { .type_requested = type };
	snd_pcm_audio_tstamp_report_t said;
	snd_htimestamp_t system, audio;
	snd_pcm_status_t *status;

	snd_pcm_status_alloca(&status);
	snd_pcm_status_set_audio_htstamp_config(status, &config);
	must(snd_pcm_status(pcm, status));
	snd_pcm_status_get_htstamp(status, &system);
	snd_pcm_status_get_audio_htstamp(status, &audio);
	snd_pcm_status_get_audio_htstamp_report(status, &said);
	return (struct report){ time_ns(system), time_ns(audio), snd_pcm_status_get_avail(status),
				said.actual_type };
}

static snd_pcm_t *capture_as(const struct sound_params *params)
{
	struct node node;
	snd_pcm_t *pcm;

	node_find(&node);
	must(sound_open(&pcm, node.alsa, SND_PCM_STREAM_CAPTURE, params));
	must(snd_pcm_start(pcm));
	return pcm;
}

static snd_pcm_t *capture(void)
{
	return capture_as(&stereo);
}

static bool has_two_more(void *pcm)
{
	return snd_pcm_avail(pcm) >= 3 * CHUNK;
}

/*
 * Before the first chunk has come there is no time. And ALSA keeps the time of a status for as
 * long as the time of the sound in it is the same, also where that was of another type: what
 * LINK says counts from the chunk on that comes after the first question.
 */
static snd_pcm_t *capture_chunks(void)
{
	snd_pcm_t *pcm = capture();

	tap_eq(1, must(snd_pcm_wait(pcm, 10000)));
	report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_LINK);
	tap_check(tap_eventually(has_two_more, pcm, 10), "sound: expected to go on");
	return pcm;
}

static uint64_t position_ns(uint64_t frames)
{
	return frames * NSEC_PER_SEC / RATE;
}

static void expect_near(const char *what, uint64_t expected, uint64_t got)
{
	tap_check(llabs((int64_t)(got - expected)) <= BENT_NS, "%s: expected %llu ns, got %llu",
		  what, (unsigned long long)expected, (unsigned long long)got);
}

static void test_no_time(void)
{
	snd_pcm_t *pcm = capture();
	struct report early = report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_LINK);

	if (!early.avail)
		tap_eq(SND_PCM_AUDIO_TSTAMP_TYPE_DEFAULT, early.type);
	tap_eq(1, must(snd_pcm_wait(pcm, 10000)));
	tap_eq(SND_PCM_AUDIO_TSTAMP_TYPE_LINK, report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_LINK).type);
	must(snd_pcm_close(pcm));
}

/* Nothing is lost in it while a test lasts. */
static struct ring listener(void)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO, .length = RING_BYTES };
	struct ring ring;
	struct node node;

	node_find(&node);
	must(ring_open(&ring, node.info.card));
	must(ring_call(&ring, AVRING_IOC_SET_SETUP, &setup));
	must(ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	must(ring_map(&ring));
	return ring;
}

/* Who reads the ring beside it sees the same chunk. */
static struct avring_entry first_in_ring(const struct ring *ring, uint64_t start_ns)
{
	struct avring_entry entry;
	uint64_t n;

	for (n = ring->at.next; n < ring_head(ring); n++) {
		tap_check(ring_entry(ring, n, &entry), "entry %llu: expected intact",
			  (unsigned long long)n);
		if (llabs((int64_t)(entry.time_ns - start_ns)) <= BENT_NS)
			return entry;
	}
	tap_check(false, "start: expected the time of a chunk, got %llu",
		  (unsigned long long)start_ns);
	return entry;
}

static void test_start(void)
{
	struct ring ring = listener();
	uint64_t start_ns, again_ns;
	snd_pcm_t *pcm;
	int i;

	pcm = capture_chunks();
	must(sound_start_ns(pcm, &start_ns));
	first_in_ring(&ring, start_ns);
	for (i = 0; i < ROUNDS; i++) {
		usleep(10000);
		must(sound_start_ns(pcm, &again_ns));
		tap_eq(start_ns, again_ns);
	}
	must(snd_pcm_close(pcm));
	ring_close(&ring);
}

static void test_position(void)
{
	snd_pcm_t *pcm = capture_chunks();
	struct report now;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		usleep(7000);
		now = report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_LINK);
		tap_eq(SND_PCM_AUDIO_TSTAMP_TYPE_LINK, now.type);
		tap_eq(0, now.avail % CHUNK);
		tap_eq(now.avail, (now.audio_ns * RATE + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
	}
	tap_check(now.avail >= 10 * CHUNK, "position: expected to move, got %llu",
		  (unsigned long long)now.avail);
	must(snd_pcm_close(pcm));
}

static void test_absolute(void)
{
	snd_pcm_t *pcm = capture_chunks();
	uint64_t start_ns, age_ns;
	struct report now;
	int i;

	must(sound_start_ns(pcm, &start_ns));
	for (i = 0; i < ROUNDS; i++) {
		usleep(7000);
		now = report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE);
		age_ns = now_ns() - now.system_ns;
		tap_eq(SND_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE, now.type);
		tap_eq(now.system_ns, now.audio_ns);
		tap_eq(now.avail,
		       ((now.audio_ns - start_ns) * RATE + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
		tap_check(age_ns < AGE_NS, "age of the position: expected up to %d ns, got %lld",
			  AGE_NS, (long long)age_ns);
	}
	must(snd_pcm_close(pcm));
}

/* The time when the position was looked at, which is not before it was reached. */
static void test_default(void)
{
	snd_pcm_t *pcm = capture_chunks();
	uint64_t start_ns;
	struct report now;
	int i;

	must(sound_start_ns(pcm, &start_ns));
	for (i = 0; i < ROUNDS; i++) {
		usleep(7000);
		now = report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_DEFAULT);
		tap_eq(SND_PCM_AUDIO_TSTAMP_TYPE_DEFAULT, now.type);
		tap_eq(position_ns(now.avail), now.audio_ns);
		tap_check(now.system_ns + BENT_NS >= start_ns + now.audio_ns &&
				  now.system_ns <= now_ns() && now_ns() - now.system_ns < AGE_NS,
			  "time: expected one behind the position's, got %lld ns behind it",
			  (long long)(now.system_ns - start_ns - now.audio_ns));
	}
	must(snd_pcm_close(pcm));
}

/* What applications get that know of no types. */
static void test_plain(void)
{
	snd_pcm_t *pcm = capture_chunks();
	struct report now;
	uint64_t start_ns;
	int i;

	must(sound_start_ns(pcm, &start_ns));
	for (i = 0; i < ROUNDS; i++) {
		usleep(7000);
		now = report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_COMPAT);
		expect_near("start", start_ns, now.system_ns - now.audio_ns);
	}
	must(snd_pcm_close(pcm));
}

/*
 * Without wake-ups, for who has a clock of his own.
 */
/* From the next one that is there: each is read as the ring has it, too. */
static uint64_t read_as_ring(snd_pcm_t *pcm, uint64_t frames, const struct ring *ring,
			     uint64_t position)
{
	static uint8_t heard[RING_BYTES];

	tap_check(frames * FRAME_BYTES <= sizeof(heard), "frames: expected less than %zu",
		  sizeof(heard) / FRAME_BYTES);
	tap_eq(frames, must(snd_pcm_readi(pcm, heard, frames)));
	tap_check(!memcmp(heard, ring->data + position % ring->at.length, frames * FRAME_BYTES),
		  "sound: expected what is in the ring from %llu on, got something else",
		  (unsigned long long)position);
	return frames * FRAME_BYTES;
}

static void test_sleepless(void)
{
	struct sound_params params = stereo;
	struct ring ring = listener();
	uint64_t start_ns, first = 0, heard = 0;
	struct report now;
	snd_pcm_t *pcm;
	int i;

	params.sleepless = true;
	pcm = capture_as(&params);
	for (i = 0; i < ROUNDS; i++) {
		tap_eq(0, sound_poll(pcm, 30));
		now = report(pcm, SND_PCM_AUDIO_TSTAMP_TYPE_LINK);
		start_ns = now.system_ns - now.audio_ns;
		first = i ? first : first_in_ring(&ring, start_ns).position;
		tap_check(now.avail >= CHUNK, "30 ms: expected a chunk or more, got %llu frames",
			  (unsigned long long)now.avail);
		tap_eq(0, now.avail % CHUNK);
		tap_eq(heard / FRAME_BYTES + now.avail,
		       (now.audio_ns * RATE + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
		tap_check(now_ns() - now.system_ns < AGE_NS,
			  "age of the position: expected up to %d ns, got %lld", AGE_NS,
			  (long long)(now_ns() - now.system_ns));
		heard += read_as_ring(pcm, now.avail, &ring, first + heard);
	}
	must(snd_pcm_close(pcm));
	ring_close(&ring);
}

/* Twice less than the buffer, with a look in between: what is in it is not read. */
static void test_sleepless_unread(void)
{
	struct sound_params params = stereo;
	snd_pcm_t *pcm;

	params.sleepless = true;
	params.buffer = RATE;
	pcm = capture_as(&params);
	usleep(600000);
	tap_check(must(snd_pcm_avail(pcm)) >= RATE / 4, "600 ms: expected a quarter of a second");
	usleep(600000);
	must_refuse(EPIPE, snd_pcm_avail(pcm));
	tap_eq(SND_PCM_STATE_XRUN, snd_pcm_state(pcm));
	must(snd_pcm_close(pcm));
}

/*
 * ALSA counts laps in jiffies. This buffer has two of them, and ALSA alone may take a lap and a
 * half for a half.
 */
static void test_sleepless_lap(void)
{
	struct sound_params params = stereo;
	snd_pcm_t *pcm;
	int i;

	params.sleepless = true;
	params.period = RATE / 500;
	params.buffer = RATE / 125;
	pcm = capture_as(&params);
	for (i = 0; i < ROUNDS; i++) {
		usleep(13000);
		must_refuse(EPIPE, snd_pcm_avail(pcm));
		must(snd_pcm_prepare(pcm));
		must(snd_pcm_start(pcm));
	}
	must(snd_pcm_close(pcm));
}

/* Who came first has chosen chunks that are half of the buffer. */
static void test_sleepless_chunks(void)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO,
				      .audio.period_frames = 10 * CHUNK };
	struct sound_params params = stereo;
	struct ring ring;
	struct node node;
	snd_pcm_t *pcm;

	node_find(&node);
	must(ring_open(&ring, node.info.card));
	must(ring_call(&ring, AVRING_IOC_SET_SETUP, &setup));
	must(ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	params.buffer = 20 * CHUNK;
	must(sound_open(&pcm, node.alsa, SND_PCM_STREAM_CAPTURE, &params));
	must(snd_pcm_close(pcm));
	params.sleepless = true;
	must_refuse(EBUSY, sound_open(&pcm, node.alsa, SND_PCM_STREAM_CAPTURE, &params));
	params.buffer = 80 * CHUNK;
	must(sound_open(&pcm, node.alsa, SND_PCM_STREAM_CAPTURE, &params));
	must(snd_pcm_close(pcm));
	ring_close(&ring);
}

static const struct tap_test tests[] = {
	{ "before the first chunk there is no exact time, then there is", .run = test_no_time },
	{ "start time is that of a chunk of the ring, and stays", .run = test_start },
	{ "time and position of a status are one, by chunks", .run = test_position },
	{ "absolute time is that of the position, and not old", .run = test_absolute },
	{ "default time is when the position was looked at", .run = test_default },
	{ "time without a type is the exact one", .run = test_plain },
	{ "without wake-ups nobody is woken, position and time are one, and each sample comes",
	  .run = test_sleepless },
	{ "without wake-ups what is not read in time is EPIPE", .run = test_sleepless_unread },
	{ "without wake-ups a lap of a short buffer is EPIPE", .run = test_sleepless_lap },
	{ "without wake-ups a ring's chunks above an eighth of the buffer are EBUSY",
	  .run = test_sleepless_chunks },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
