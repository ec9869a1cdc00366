// SPDX-License-Identifier: MIT
/*
 * pcm-time: the times of the sound device are exact, and what is played at a time
 * is captured at that time.
 */
#include "fixture.h"
#include "pcmio.h"
#include "tap.h"

/*
 * Times.
 */
static uint64_t pcm_ns(snd_htimestamp_t time)
{
	return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

static bool is_on_grid(uint64_t ns, unsigned int rate)
{
	unsigned __int128 event = ((unsigned __int128)ns * rate + NSEC_PER_SEC - 1) / NSEC_PER_SEC;

	return (uint64_t)(event * NSEC_PER_SEC / rate) == ns;
}

static void pcm_start_time(const void *arg)
{
	const struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
					     .channels = 1,
					     .rate = *(const unsigned int *)arg };
	uint64_t before = pcm_now_ns(), after, start_ns, again_ns;
	snd_pcm_t *pcm = pcm_capture(&params);
	int i;

	after = pcm_now_ns();
	must(sound_start_ns(pcm, &start_ns));
	tap_check(start_ns > before && start_ns <= after + NSEC_PER_SEC / params.rate,
		  "start: expected the first event after the call, got %lld ns after",
		  (long long)(start_ns - after));
	tap_check(is_on_grid(start_ns, params.rate), "start: expected an event of %u Hz, got %llu",
		  params.rate, (long long)start_ns);
	for (i = 0; i < 50; i++) {
		usleep(2000);
		must(sound_start_ns(pcm, &again_ns));
		tap_eq(start_ns, again_ns);
	}
	must(snd_pcm_close(pcm));
}

static void pcm_get_status(snd_pcm_t *pcm, snd_pcm_status_t *status, int type)
{
	snd_pcm_audio_tstamp_config_t config = { .type_requested = type };

	snd_pcm_status_set_audio_htstamp_config(status, &config);
	must(snd_pcm_status(pcm, status));
}

/* With nothing read the position is what is available. */
static void pcm_position(void)
{
	snd_pcm_t *pcm = pcm_capture(&stereo);
	snd_htimestamp_t audio;
	snd_pcm_status_t *status;
	int i;

	snd_pcm_status_alloca(&status);
	for (i = 0; i < 50; i++) {
		usleep(2000);
		pcm_get_status(pcm, status, SND_PCM_AUDIO_TSTAMP_TYPE_LINK);
		snd_pcm_status_get_audio_htstamp(status, &audio);
		tap_eq(snd_pcm_status_get_avail(status),
		       (pcm_ns(audio) * RATE + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
	}
	must(snd_pcm_close(pcm));
}

static void pcm_absolute(void)
{
	snd_pcm_t *pcm = pcm_capture(&stereo);
	snd_htimestamp_t system, audio, trigger;
	snd_pcm_status_t *status;
	uint64_t start_ns;

	snd_pcm_status_alloca(&status);
	usleep(20000);
	must(sound_start_ns(pcm, &start_ns));
	pcm_get_status(pcm, status, SND_PCM_AUDIO_TSTAMP_TYPE_LINK_ABSOLUTE);
	snd_pcm_status_get_htstamp(status, &system);
	snd_pcm_status_get_audio_htstamp(status, &audio);
	snd_pcm_status_get_trigger_htstamp(status, &trigger);
	tap_eq(pcm_ns(system), pcm_ns(audio));
	tap_eq(start_ns, pcm_ns(trigger));
	tap_check(is_on_grid(pcm_ns(audio), RATE), "position: expected an event of the rate");
	must(snd_pcm_close(pcm));
}

/* The time of the question, and the position over the rate. */
static void pcm_expect_now(snd_pcm_t *pcm, snd_pcm_status_t *status, int type)
{
	uint64_t before = pcm_now_ns(), now;
	snd_htimestamp_t system, audio;

	pcm_get_status(pcm, status, type);
	snd_pcm_status_get_htstamp(status, &system);
	snd_pcm_status_get_audio_htstamp(status, &audio);
	now = pcm_ns(system);
	tap_check(now >= before && now <= pcm_now_ns(),
		  "htstamp: expected the time of the call, got %lld ns before it",
		  (long long)(before - now));
	tap_eq(snd_pcm_status_get_avail(status) * NSEC_PER_SEC / RATE, pcm_ns(audio));
}

/* Also after somebody asked for another type. */
static void pcm_default_time(void)
{
	snd_pcm_t *pcm = pcm_capture(&stereo);
	snd_pcm_status_t *status;
	int i;

	snd_pcm_status_alloca(&status);
	for (i = 0; i < 10; i++) {
		usleep(2000);
		pcm_expect_now(pcm, status, SND_PCM_AUDIO_TSTAMP_TYPE_DEFAULT);
		pcm_get_status(pcm, status, SND_PCM_AUDIO_TSTAMP_TYPE_LINK);
	}
	must(snd_pcm_close(pcm));
}

/* What applications get that know of no types. */
static void pcm_plain_time(void)
{
	snd_pcm_t *pcm = pcm_capture(&stereo);
	snd_htimestamp_t system, audio;
	snd_pcm_status_t *status;
	uint64_t start_ns;
	int i;

	snd_pcm_status_alloca(&status);
	must(sound_start_ns(pcm, &start_ns));
	for (i = 0; i < 10; i++) {
		usleep(2000);
		pcm_get_status(pcm, status, SND_PCM_AUDIO_TSTAMP_TYPE_COMPAT);
		snd_pcm_status_get_htstamp(status, &system);
		snd_pcm_status_get_audio_htstamp(status, &audio);
		tap_eq(start_ns, pcm_ns(system) - pcm_ns(audio));
	}
	must(snd_pcm_close(pcm));
}

static void pcm_linked(void)
{
	snd_pcm_t *capture = pcm_open(SND_PCM_STREAM_CAPTURE, &stereo);
	snd_pcm_t *playback = pcm_open(SND_PCM_STREAM_PLAYBACK, &stereo);
	uint64_t capture_ns, playback_ns;

	must(snd_pcm_link(capture, playback));
	must(snd_pcm_writei(playback, data, RATE / 2));
	must(snd_pcm_start(capture));
	tap_eq(SND_PCM_STATE_RUNNING, snd_pcm_state(playback));
	must(sound_start_ns(capture, &capture_ns));
	must(sound_start_ns(playback, &playback_ns));
	tap_eq(capture_ns, playback_ns);
	must(snd_pcm_unlink(capture));
	must(snd_pcm_close(capture));
	must(snd_pcm_close(playback));
}

/* Frame n of both happens at one time. */
static void pcm_loop(void)
{
	static int16_t played[RATE], heard[RATE];
	snd_pcm_t *capture = pcm_open(SND_PCM_STREAM_CAPTURE, &stereo);
	snd_pcm_t *playback = pcm_open(SND_PCM_STREAM_PLAYBACK, &stereo);
	struct card card;
	int i;

	must(card_find(0, &card));
	must(sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	for (i = 0; i < RATE; i++)
		played[i] = i + 1;
	must(snd_pcm_link(capture, playback));
	tap_eq(RATE / 2, must(snd_pcm_writei(playback, played, RATE / 2)));
	must(snd_pcm_start(capture));
	tap_eq(RATE / 4, must(snd_pcm_readi(capture, heard, RATE / 4)));
	for (i = 0; i < RATE / 2; i++)
		tap_check(heard[i] == played[i], "sample %d: expected %d as played, got %d", i,
			  played[i], heard[i]);
	must(sound_set_source(&card, SOUND_SOURCE_TONE));
	must(snd_pcm_close(capture));
	must(snd_pcm_close(playback));
}

/* A run of @frames from @played on, zeroes before and behind it. */
static void pcm_expect_run(const int16_t *heard, size_t n_heard, const int16_t *played,
			   size_t frames)
{
	size_t from = 0, i;

	while (from < n_heard && !heard[2 * from])
		from++;
	tap_check(from + frames <= n_heard, "what was played: expected %zu frames, got %zu", frames,
		  n_heard - from);
	for (i = 0; i < 2 * frames; i++)
		tap_check(heard[2 * from + i] == played[i], "sample %zu: expected %d, got %d", i,
			  played[i], heard[2 * from + i]);
	for (i = 2 * (from + frames); i < 2 * n_heard; i++)
		tap_check(!heard[i], "behind the end: expected silence, got %d", heard[i]);
}

/* From the first frame to the last, and nothing else. */
static void pcm_loop_whole(void)
{
	static int16_t played[2 * 1501], heard[2 * RATE];
	snd_pcm_t *capture, *playback;
	snd_pcm_sframes_t frames;
	struct card card;
	size_t i;

	for (i = 0; i < TAP_COUNT(played); i++)
		played[i] = i + 1;
	must(card_find(0, &card));
	must(sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	playback = pcm_open(SND_PCM_STREAM_PLAYBACK, &stereo);
	capture = pcm_capture(&stereo);
	tap_eq(1501, must(snd_pcm_writei(playback, played, 1501)));
	must(snd_pcm_drain(playback));
	usleep(20000);
	frames = must(snd_pcm_avail(capture));
	tap_check(frames <= RATE, "frames meanwhile: expected at most %d, got %ld", RATE, frames);
	tap_eq(frames, must(snd_pcm_readi(capture, heard, frames)));
	must(sound_set_source(&card, SOUND_SOURCE_TONE));
	must(snd_pcm_close(capture));
	must(snd_pcm_close(playback));
	pcm_expect_run(heard, frames, played, 1501);
}

/**
 * struct pcm_mix - channels that are played, and what is heard of them
 * @played: how many, with 1000, 2000, 3000, ...
 * @heard: how many are captured
 * @expected: on each
 */
struct pcm_mix {
	unsigned int played, heard;
	int16_t expected[4];
};

static const struct pcm_mix mixes[] = {
	{ 1, 2, { 1000, 1000 } }, { 1, 4, { 1000, 1000, 1000, 1000 } }, { 2, 1, { 1500 } },
	{ 4, 1, { 2500 } },	  { 2, 4, { 1000, 2000, 0, 0 } },	{ 4, 2, { 1000, 2000 } },
};

static void pcm_try_mix(const struct pcm_mix *mix, snd_pcm_format_t format)
{
	struct sound_params play = { .format = format, .rate = RATE, .channels = mix->played };
	struct sound_params hear = { .format = format, .rate = RATE, .channels = mix->heard };
	snd_pcm_t *playback = pcm_open(SND_PCM_STREAM_PLAYBACK, &play);
	snd_pcm_t *capture = pcm_open(SND_PCM_STREAM_CAPTURE, &hear);
	const bool is_float = format == SND_PCM_FORMAT_FLOAT_LE;
	int16_t *words = (int16_t *)data;
	float *floats = (float *)data;
	unsigned int i;
	int heard;

	for (i = 0; i < RATE / 10 * mix->played; i++)
		if (is_float)
			floats[i] = (i % mix->played + 1) * 1000 / 32768.0f;
		else
			words[i] = (i % mix->played + 1) * 1000;
	must(snd_pcm_link(capture, playback));
	tap_eq(RATE / 10, must(snd_pcm_writei(playback, data, RATE / 10)));
	must(snd_pcm_start(capture));
	tap_eq(RATE / 20, must(snd_pcm_readi(capture, data, RATE / 20)));
	for (i = 0; i < mix->heard; i++) {
		heard = is_float ? (int)(floats[i] * 32768) : words[i];
		tap_check(heard == mix->expected[i],
			  "%u channels of %s, %u heard: expected %d on channel %u, got %d",
			  mix->played, snd_pcm_format_name(format), mix->heard, mix->expected[i], i,
			  heard);
	}
	must(snd_pcm_close(capture));
	must(snd_pcm_close(playback));
}

static void pcm_mixes(void)
{
	struct card card;
	size_t i;

	must(card_find(0, &card));
	must(sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	for (i = 0; i < TAP_COUNT(mixes); i++) {
		pcm_try_mix(&mixes[i], SND_PCM_FORMAT_S16_LE);
		pcm_try_mix(&mixes[i], SND_PCM_FORMAT_FLOAT_LE);
	}
	must(sound_set_source(&card, SOUND_SOURCE_TONE));
}

/* How much is captured follows from time alone. */
static void pcm_pace(void)
{
	snd_pcm_t *pcm = pcm_capture(&stereo);
	uint64_t start_ns, before, after;
	snd_pcm_sframes_t avail;

	must(sound_start_ns(pcm, &start_ns));
	usleep(300000);
	before = pcm_now_ns();
	avail = must(snd_pcm_avail(pcm));
	after = pcm_now_ns();
	tap_check(avail >= (snd_pcm_sframes_t)((before - start_ns) * RATE / NSEC_PER_SEC) &&
			  avail <=
				  (snd_pcm_sframes_t)((after - start_ns) * RATE / NSEC_PER_SEC) + 1,
		  "frames after %lld ns: expected one per event, got %ld",
		  (long long)(before - start_ns), avail);
	must(snd_pcm_close(pcm));
}

static const unsigned int rate_48000 = 48000, rate_44100 = 44100, rate_88211 = 88211;

static const struct tap_test tests[] = {
	{ .claim = "start time is an exact event at 48000 Hz",
	  .run_with = pcm_start_time,
	  .arg = &rate_48000 },
	{ .claim = "start time is an exact event at 44100 Hz",
	  .run_with = pcm_start_time,
	  .arg = &rate_44100 },
	{ .claim = "start time is an exact event at 88211 Hz",
	  .run_with = pcm_start_time,
	  .arg = &rate_88211 },
	{ .claim = "time and position of a status are one", .run = pcm_position },
	{ .claim = "absolute time is the card's", .run = pcm_absolute },
	{ .claim = "default time is the time of the call", .run = pcm_default_time },
	{ .claim = "time without a type is the exact one", .run = pcm_plain_time },
	{ .claim = "linked streams start at one instant", .run = pcm_linked },
	{ .claim = "what is played at a time is captured at that time", .run = pcm_loop },
	{ .claim = "what is played is captured whole, with silence around it",
	  .run = pcm_loop_whole },
	{ .claim = "mono is heard on all channels, all channels in mono, the others where they are",
	  .run = pcm_mixes },
	{ .claim = "frames come at the rate", .run = pcm_pace },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
