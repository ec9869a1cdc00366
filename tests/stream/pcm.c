// SPDX-License-Identifier: MIT
/*
 * pcm: the sound device behaves as ALSA's documentation says: formats, start,
 * pause, drain, overruns, refusals, and times that are exact.
 */
#include <alsa/asoundlib.h>
#include <poll.h>
#include <time.h>

#include "sound.h"
#include "tap.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define RATE 48000
#define TIMEOUT_MS 3000

static const struct sound_params stereo = { .format = SND_PCM_FORMAT_S16_LE,
					    .rate = RATE,
					    .channels = 2 };
static const struct sound_params short_buffer = { .format = SND_PCM_FORMAT_S16_LE,
						  .rate = RATE,
						  .channels = 2,
						  .period = RATE / 100,
						  .buffer = RATE / 25 };

static uint8_t data[1 << 20];

static uint64_t pcm_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static snd_pcm_t *pcm_open(snd_pcm_stream_t stream, const struct sound_params *params)
{
	struct card card;
	snd_pcm_t *pcm;

	must(card_find(0, &card));
	must(sound_open(&pcm, card.alsa, stream, params));
	return pcm;
}

static snd_pcm_t *pcm_capture(const struct sound_params *params)
{
	snd_pcm_t *pcm = pcm_open(SND_PCM_STREAM_CAPTURE, params);

	must(snd_pcm_start(pcm));
	return pcm;
}

/* Plays @frames of silence, all written at the start. */
static snd_pcm_t *pcm_playback(const struct sound_params *params, snd_pcm_uframes_t frames)
{
	snd_pcm_t *pcm = pcm_open(SND_PCM_STREAM_PLAYBACK, params);

	tap_eq(frames, must(snd_pcm_writei(pcm, data, frames)));
	must(snd_pcm_start(pcm));
	return pcm;
}

/*
 * Formats.
 */
static void pcm_try(snd_pcm_stream_t stream, const struct sound_params *params)
{
	snd_pcm_t *pcm = pcm_open(stream, params);
	snd_pcm_uframes_t frames = params->rate / 100;

	if (stream == SND_PCM_STREAM_PLAYBACK) {
		tap_eq(frames, must(snd_pcm_writei(pcm, data, frames)));
		must(snd_pcm_drain(pcm));
	} else {
		must(snd_pcm_start(pcm));
		tap_eq(frames, must(snd_pcm_readi(pcm, data, frames)));
	}
	must(snd_pcm_close(pcm));
}

static void pcm_try_rates(snd_pcm_stream_t stream, struct sound_params *params)
{
	static const unsigned int rates[] = { 8000, 44100, 48000, 88211, 192000 };
	size_t i;

	for (i = 0; i < TAP_COUNT(rates); i++) {
		params->rate = rates[i];
		params->channels = 1;
		pcm_try(stream, params);
		params->channels = 8;
		pcm_try(stream, params);
	}
}

static void pcm_corners(const void *arg)
{
	snd_pcm_stream_t stream = *(const snd_pcm_stream_t *)arg;
	struct sound_params params = { 0 };
	static const snd_pcm_format_t formats[] = {
		SND_PCM_FORMAT_S16_LE,
		SND_PCM_FORMAT_S24_LE,
		SND_PCM_FORMAT_S32_LE,
		SND_PCM_FORMAT_FLOAT_LE,
	};
	size_t i;

	for (i = 0; i < TAP_COUNT(formats); i++) {
		params.format = formats[i];
		pcm_try_rates(stream, &params);
	}
}

/**
 * struct pcm_refusal - a request that is valid but for one thing
 * @what: that thing
 * @params: the request
 */
struct pcm_refusal {
	const char *what;
	struct sound_params params;
};

#define REFUSAL(name, ...) \
	{ \
		name, \
		{ \
			.format = SND_PCM_FORMAT_S16_LE, .rate = RATE, .channels = 2, __VA_ARGS__ \
		} \
	}

/* The last initialiser of a field is the one that counts. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
static const struct pcm_refusal refusals[] = {
	REFUSAL("format U8", .format = SND_PCM_FORMAT_U8),
	REFUSAL("format S16_BE", .format = SND_PCM_FORMAT_S16_BE),
	REFUSAL("format FLOAT64_LE", .format = SND_PCM_FORMAT_FLOAT64_LE),
	REFUSAL("7999 Hz", .rate = 7999),
	REFUSAL("192001 Hz", .rate = 192001),
	REFUSAL("0 channels", .channels = 0),
	REFUSAL("9 channels", .channels = 9),
	REFUSAL("a period of 31 frames", .period = 31, .buffer = 31 * 8),
	REFUSAL("a buffer of 1.5 periods", .period = 1024, .buffer = 1536),
	REFUSAL("a buffer of 2^30 frames", .buffer = 1 << 30),
};

#pragma GCC diagnostic pop

static void pcm_refused(void)
{
	struct card card;
	snd_pcm_t *pcm;
	size_t i;
	int error;

	must(card_find(0, &card));
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &stereo));
	must(snd_pcm_close(pcm));
	for (i = 0; i < TAP_COUNT(refusals); i++) {
		error = sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &refusals[i].params);
		tap_check(error == -EINVAL, "%s: expected EINVAL, got %s", refusals[i].what,
			  error ? strerrorname_np(-error) : "success");
	}
}

/*
 * Waiting.
 */
static void pcm_poll(snd_pcm_t *pcm)
{
	unsigned short events = 0;
	struct pollfd pfd;

	tap_eq(1, snd_pcm_poll_descriptors(pcm, &pfd, 1));
	tap_eq(1, must(sys(poll(&pfd, 1, TIMEOUT_MS))));
	must(snd_pcm_poll_descriptors_revents(pcm, &pfd, 1, &events));
	tap_check(!(events & POLLERR), "poll: expected no POLLERR, got %#x", events);
}

static void pcm_short_period(void)
{
	const struct sound_params params = {
		.format = SND_PCM_FORMAT_S16_LE, .rate = RATE, .channels = 2, .period = 32
	};
	snd_pcm_t *pcm = pcm_capture(&params);
	snd_pcm_uframes_t buffer, period;
	int i;

	must(snd_pcm_get_params(pcm, &buffer, &period));
	tap_eq(32, period);
	for (i = 0; i < 100; i++) {
		pcm_poll(pcm);
		tap_eq(32, must(snd_pcm_readi(pcm, data, 32)));
	}
	must(snd_pcm_close(pcm));
}

/* Paused, or there would be a frame each 20 us. */
static void pcm_empty(void)
{
	struct card card;
	snd_pcm_t *pcm;

	must(card_find(0, &card));
	must(snd_pcm_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK));
	must(sound_set_hw(pcm, &stereo));
	must(sound_set_sw(pcm));
	must(snd_pcm_start(pcm));
	must(snd_pcm_pause(pcm, 1));
	if (must(snd_pcm_avail(pcm)))
		must(snd_pcm_readi(pcm, data, RATE));
	must_refuse(EAGAIN, snd_pcm_readi(pcm, data, RATE));
	must(snd_pcm_pause(pcm, 0));
	pcm_poll(pcm);
	tap_check(must(snd_pcm_readi(pcm, data, RATE)) > 0, "read after poll: expected frames");
	must(snd_pcm_close(pcm));
}

static void pcm_mmap(void)
{
	const struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
					     .mmap = true,
					     .rate = RATE,
					     .channels = 2,
					     .period = 480,
					     .buffer = RATE / 2 };
	snd_pcm_t *pcm = pcm_capture(&params);
	snd_pcm_uframes_t offset, frames, total = 0;
	const snd_pcm_channel_area_t *areas;

	while (total < RATE * 3 / 4) {
		must(snd_pcm_wait(pcm, TIMEOUT_MS));
		must(snd_pcm_avail_update(pcm));
		frames = 480;
		must(snd_pcm_mmap_begin(pcm, &areas, &offset, &frames));
		tap_eq(total % params.buffer, offset);
		memcpy(data, (uint8_t *)areas[0].addr + offset * 4, frames * 4);
		tap_eq(frames, must(snd_pcm_mmap_commit(pcm, offset, frames)));
		total += frames;
	}
	must(snd_pcm_close(pcm));
}

/*
 * States.
 */
/**
 * struct pcm_pause - when a stream ran
 * @start_ns: since when
 * @paused_ns: not after this
 * @resumed_ns: again, but not before this
 */
struct pcm_pause {
	uint64_t start_ns, paused_ns, resumed_ns;
};

/* The most that can have happened since the start. */
static snd_pcm_sframes_t pcm_pause_limit(const struct pcm_pause *pause)
{
	uint64_t ns = pause->paused_ns - pause->start_ns + pcm_now_ns() - pause->resumed_ns;

	return ns * RATE / NSEC_PER_SEC + 2;
}

/* 100 ms of it. */
static void pcm_pause(snd_pcm_t *pcm, struct pcm_pause *pause)
{
	must(sound_start_ns(pcm, &pause->start_ns));
	must(snd_pcm_pause(pcm, 1));
	pause->paused_ns = pcm_now_ns();
	tap_eq(SND_PCM_STATE_PAUSED, snd_pcm_state(pcm));
	usleep(100000);
	pause->resumed_ns = pcm_now_ns();
	must(snd_pcm_pause(pcm, 0));
	tap_eq(SND_PCM_STATE_RUNNING, snd_pcm_state(pcm));
}

static void pcm_pause_capture(void)
{
	snd_pcm_t *pcm = pcm_capture(&stereo);
	snd_pcm_sframes_t before, avail;
	struct pcm_pause pause;

	must(snd_pcm_wait(pcm, TIMEOUT_MS));
	before = must(snd_pcm_avail(pcm));
	pcm_pause(pcm, &pause);
	usleep(50000);
	avail = must(snd_pcm_avail(pcm));
	tap_check(avail >= before + RATE / 20,
		  "50 ms after the pause: expected %ld frames, got %ld", before + RATE / 20, avail);
	tap_check(avail <= pcm_pause_limit(&pause),
		  "with a pause: expected at most %ld frames, got %ld", pcm_pause_limit(&pause),
		  avail);
	must(snd_pcm_close(pcm));
}

static void pcm_pause_playback(void)
{
	snd_pcm_t *pcm = pcm_playback(&stereo, RATE / 2);
	struct pcm_pause pause;
	snd_pcm_sframes_t delay;

	usleep(20000);
	pcm_pause(pcm, &pause);
	must(snd_pcm_delay(pcm, &delay));
	tap_check(RATE / 2 - delay <= pcm_pause_limit(&pause),
		  "with a pause: expected at most %ld frames played, got %ld",
		  pcm_pause_limit(&pause), RATE / 2 - delay);
	must(snd_pcm_drain(pcm));
	must(snd_pcm_close(pcm));
}

/* @frames are no multiple of a period; drain starts them, and lasts as they do. */
static void pcm_drain_exactly(snd_pcm_uframes_t frames)
{
	snd_pcm_t *pcm = pcm_open(SND_PCM_STREAM_PLAYBACK, &short_buffer);
	uint64_t began_ns, took_ns;

	tap_eq(frames, must(snd_pcm_writei(pcm, data, frames)));
	began_ns = pcm_now_ns();
	must(snd_pcm_drain(pcm));
	took_ns = pcm_now_ns() - began_ns;
	tap_eq(SND_PCM_STATE_SETUP, snd_pcm_state(pcm));
	tap_check(took_ns >= (frames - 1) * NSEC_PER_SEC / RATE,
		  "drain of %lu frames: expected it to last, got %llu ns", frames,
		  (long long)took_ns);
	must(snd_pcm_close(pcm));
}

static void pcm_drain(void)
{
	pcm_drain_exactly(1);
	pcm_drain_exactly(333);
	pcm_drain_exactly(1501);
}

/* ALSA hands nothing out of a drained capture, with any driver. */
static void pcm_drain_capture(void)
{
	snd_pcm_t *pcm = pcm_capture(&stereo);
	snd_pcm_sframes_t avail;

	usleep(50000);
	must(snd_pcm_drain(pcm));
	avail = must(snd_pcm_avail_update(pcm));
	tap_eq(SND_PCM_STATE_DRAINING, snd_pcm_state(pcm));
	usleep(50000);
	tap_eq(avail, must(snd_pcm_avail_update(pcm)));
	must(snd_pcm_drop(pcm));
	tap_eq(SND_PCM_STATE_SETUP, snd_pcm_state(pcm));
	must(snd_pcm_close(pcm));
}

static bool pcm_is_xrun(void *pcm)
{
	snd_pcm_avail(pcm);
	return snd_pcm_state(pcm) == SND_PCM_STATE_XRUN;
}

static void pcm_overrun(void)
{
	snd_pcm_t *pcm = pcm_capture(&short_buffer);

	tap_check(tap_eventually(pcm_is_xrun, pcm, 2), "nobody reads: expected state XRUN, got %s",
		  snd_pcm_state_name(snd_pcm_state(pcm)));
	must_refuse(EPIPE, snd_pcm_readi(pcm, data, 1));
	must(snd_pcm_prepare(pcm));
	must(snd_pcm_start(pcm));
	tap_eq(480, must(snd_pcm_readi(pcm, data, 480)));
	must(snd_pcm_close(pcm));
}

static void pcm_underrun(void)
{
	snd_pcm_t *pcm = pcm_playback(&short_buffer, 480);

	tap_check(tap_eventually(pcm_is_xrun, pcm, 2), "nobody writes: expected state XRUN, got %s",
		  snd_pcm_state_name(snd_pcm_state(pcm)));
	must_refuse(EPIPE, snd_pcm_writei(pcm, data, 1));
	must(snd_pcm_prepare(pcm));
	tap_eq(480, must(snd_pcm_writei(pcm, data, 480)));
	must(snd_pcm_start(pcm));
	must(snd_pcm_drain(pcm));
	must(snd_pcm_close(pcm));
}

static void pcm_start_empty(void)
{
	snd_pcm_t *pcm = pcm_open(SND_PCM_STREAM_PLAYBACK, &stereo);

	must_refuse(EPIPE, snd_pcm_start(pcm));
	must(snd_pcm_close(pcm));
}

static void pcm_busy(void)
{
	snd_pcm_t *capture = pcm_open(SND_PCM_STREAM_CAPTURE, &stereo);
	snd_pcm_t *playback = pcm_open(SND_PCM_STREAM_PLAYBACK, &stereo);
	struct card card;
	snd_pcm_t *pcm;

	must(card_find(0, &card));
	must_refuse(EBUSY, snd_pcm_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK));
	must_refuse(EBUSY,
		    snd_pcm_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK));
	must(snd_pcm_close(capture));
	must(snd_pcm_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK));
	must(snd_pcm_close(pcm));
	must(snd_pcm_close(playback));
}

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
	capture = pcm_capture(&stereo);
	playback = pcm_open(SND_PCM_STREAM_PLAYBACK, &stereo);
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

static const snd_pcm_stream_t capture = SND_PCM_STREAM_CAPTURE, playback = SND_PCM_STREAM_PLAYBACK;
static const unsigned int rate_48000 = 48000, rate_44100 = 44100, rate_88211 = 88211;

static const struct tap_test tests[] = {
	{ .claim = "capture: each format from 8 to 192 kHz, 1 and 8 channels",
	  .run_with = pcm_corners,
	  .arg = &capture },
	{ .claim = "playback: each format from 8 to 192 kHz, 1 and 8 channels",
	  .run_with = pcm_corners,
	  .arg = &playback },
	{ .claim = "parameters that are out of range are EINVAL", .run = pcm_refused },
	{ .claim = "periods of 32 frames wake the reader", .run = pcm_short_period },
	{ .claim = "nothing captured is EAGAIN, then poll wakes", .run = pcm_empty },
	{ .claim = "mmap access follows the ring", .run = pcm_mmap },
	{ .claim = "a paused capture stands still", .run = pcm_pause_capture },
	{ .claim = "a paused playback stands still", .run = pcm_pause_playback },
	{ .claim = "drain plays all frames, whole period or not", .run = pcm_drain },
	{ .claim = "a drained capture stands still", .run = pcm_drain_capture },
	{ .claim = "an overrun is EPIPE and prepare recovers", .run = pcm_overrun },
	{ .claim = "an underrun is EPIPE and prepare recovers", .run = pcm_underrun },
	{ .claim = "playback of nothing does not start", .run = pcm_start_empty },
	{ .claim = "a second open of a direction is EBUSY", .run = pcm_busy },
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
	{ .claim = "frames come at the rate", .run = pcm_pace },
};

static const struct tap_suite suite = {
	.tests = tests,
	.n_tests = TAP_COUNT(tests),
	.missing = card_missing,
	.residue = card_live_stores,
};

int main(int argc, char **argv)
{
	return tap_main(&suite, argc, argv);
}
