// SPDX-License-Identifier: MIT
/*
 * pcm: the sound device behaves as ALSA's documentation says: formats, start,
 * pause, drain, overruns, refusals.
 */
#include <poll.h>

#include "fixture.h"
#include "pcmio.h"
#include "tap.h"

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

/*
 * Without wake-ups, for who has a clock of his own.
 */

/* Each frame has come at its time: that of the start is the same whenever one looks. */
static void pcm_sleepless_capture(void)
{
	struct sound_params params = sleepless;
	snd_pcm_t *pcm;
	uint64_t start_ns = 0, again_ns;
	snd_pcm_sframes_t frames;
	int i;

	params.buffer = 0;
	pcm = pcm_capture(&params);
	for (i = 0; i < 5; i++) {
		tap_eq(0, sound_poll(pcm, 50));
		must(sound_start_ns(pcm, &again_ns));
		start_ns = i ? start_ns : again_ns;
		tap_eq(start_ns, again_ns);
		frames = must(snd_pcm_avail(pcm));
		tap_check(frames >= RATE / 20, "50 ms: expected %d frames or more, got %ld",
			  RATE / 20, frames);
		tap_eq(frames, must(snd_pcm_readi(pcm, data, frames)));
	}
	must(snd_pcm_close(pcm));
}

static void pcm_sleepless_overrun(void)
{
	snd_pcm_t *pcm = pcm_capture(&sleepless);

	tap_eq(0, sound_poll(pcm, 120));
	must_refuse(EPIPE, snd_pcm_avail(pcm));
	must(snd_pcm_prepare(pcm));
	must(snd_pcm_close(pcm));
}

/* More than a lap of the buffer: what ALSA sees modulo its length looks well. */
static void pcm_sleepless_underrun(void)
{
	snd_pcm_t *pcm = pcm_playback(&sleepless, RATE / 10);

	tap_eq(0, sound_poll(pcm, 110));
	must_refuse(EPIPE, snd_pcm_avail(pcm));
	must(snd_pcm_prepare(pcm));
	must(snd_pcm_close(pcm));
}

static bool pcm_has_drained(void *pcm)
{
	return snd_pcm_state(pcm) == SND_PCM_STATE_SETUP;
}

/* The library waits for nobody here; the kernel ends the drain by itself. */
static void pcm_sleepless_drain(void)
{
	snd_pcm_t *pcm = pcm_playback(&sleepless, 1501);

	must_refuse(EAGAIN, snd_pcm_drain(pcm));
	tap_check(tap_eventually(pcm_has_drained, pcm, 2), "expected state SETUP, got %s",
		  snd_pcm_state_name(snd_pcm_state(pcm)));
	must(snd_pcm_close(pcm));
}

/* ALSA counts the laps of such a stream in jiffies. A kernel has 100 of them a second or more. */
static void pcm_sleepless_buffer(void)
{
	struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
				       .rate = RATE,
				       .channels = 2,
				       .period = 32,
				       .buffer = 32 * 15 };
	struct card card;
	snd_pcm_t *pcm;

	must(card_find(0, &card));
	params.sleepless = true;
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &params));
	must(snd_pcm_close(pcm));
	params.buffer = 32 * 2;
	must_refuse(EINVAL, sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &params));
	params.sleepless = false;
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &params));
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
 * Rates: of who hears what is played.
 */
static const struct sound_params at_44100 = { .format = SND_PCM_FORMAT_S16_LE,
					      .rate = 44100,
					      .channels = 2 };

static void pcm_set_source(unsigned int source)
{
	struct card card;

	must(card_find(0, &card));
	must(sound_set_source(&card, source));
}

/* Without parameters. */
static snd_pcm_t *pcm_open_bare(snd_pcm_stream_t stream)
{
	struct card card;
	snd_pcm_t *pcm;

	must(card_find(0, &card));
	must(snd_pcm_open(&pcm, card.alsa, stream, SND_PCM_NONBLOCK));
	return pcm;
}

static void pcm_expect_rates(snd_pcm_t *pcm, unsigned int least, unsigned int most)
{
	snd_pcm_hw_params_t *hw;
	unsigned int min, max;

	snd_pcm_hw_params_alloca(&hw);
	must(snd_pcm_hw_params_any(pcm, hw));
	must(snd_pcm_hw_params_get_rate_min(hw, &min, NULL));
	must(snd_pcm_hw_params_get_rate_max(hw, &max, NULL));
	tap_eq(least, min);
	tap_eq(most, max);
}

/* @arg: who comes second; it is open already when the first one gets his rate. */
static void pcm_one_rate(const void *arg)
{
	const snd_pcm_stream_t late = *(const snd_pcm_stream_t *)arg;
	const snd_pcm_stream_t early = late == SND_PCM_STREAM_CAPTURE ? SND_PCM_STREAM_PLAYBACK :
									SND_PCM_STREAM_CAPTURE;
	snd_pcm_t *first, *second;

	pcm_set_source(SOUND_SOURCE_LOOPBACK);
	second = pcm_open_bare(late);
	pcm_expect_rates(second, 8000, 192000);
	first = pcm_open(early, &at_44100);
	pcm_expect_rates(second, 44100, 44100);
	must_refuse(EINVAL, sound_set_hw(second, &stereo));
	must(sound_set_hw(second, &at_44100));
	must(snd_pcm_close(second));
	must(snd_pcm_close(first));
	pcm_set_source(SOUND_SOURCE_TONE);
}

/* Also in the midst of it: what a player does who tries one rate after the other. */
static void pcm_rate_given_back(void)
{
	snd_pcm_t *first, *second;

	pcm_set_source(SOUND_SOURCE_LOOPBACK);
	first = pcm_open(SND_PCM_STREAM_PLAYBACK, &at_44100);
	second = pcm_open_bare(SND_PCM_STREAM_CAPTURE);
	must(snd_pcm_hw_free(first));
	pcm_expect_rates(second, 8000, 192000);
	must(sound_set_hw(second, &stereo));
	must_refuse(EINVAL, sound_set_hw(first, &at_44100));
	must(snd_pcm_close(second));
	must(sound_set_hw(first, &at_44100));
	must(snd_pcm_close(first));
	first = pcm_open(SND_PCM_STREAM_PLAYBACK, &stereo);
	must(snd_pcm_close(first));
	pcm_set_source(SOUND_SOURCE_TONE);
}

static void pcm_tone_rates(void)
{
	snd_pcm_t *player = pcm_open(SND_PCM_STREAM_PLAYBACK, &at_44100);
	snd_pcm_t *recorder = pcm_capture(&stereo);
	struct card card;

	tap_eq(480, must(snd_pcm_readi(recorder, data, 480)));
	must(card_find(0, &card));
	must_refuse(EBUSY, sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	must(snd_pcm_close(player));
	must(sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	must(sound_set_source(&card, SOUND_SOURCE_TONE));
	must(snd_pcm_close(recorder));
}

static const snd_pcm_stream_t capture = SND_PCM_STREAM_CAPTURE, playback = SND_PCM_STREAM_PLAYBACK;

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
	{ .claim = "without wake-ups nobody is woken, and each frame comes at its time",
	  .run = pcm_sleepless_capture },
	{ .claim = "without wake-ups an overrun is EPIPE", .run = pcm_sleepless_overrun },
	{ .claim = "without wake-ups an underrun is EPIPE", .run = pcm_sleepless_underrun },
	{ .claim = "without wake-ups a drain comes to its end", .run = pcm_sleepless_drain },
	{ .claim = "without wake-ups a buffer shorter than a jiffy is EINVAL, with them it is not",
	  .run = pcm_sleepless_buffer },
	{ .claim = "playback of nothing does not start", .run = pcm_start_empty },
	{ .claim = "a second open of a direction is EBUSY", .run = pcm_busy },
	{ .claim = "loopback: capture has the rate of playback, another is EINVAL",
	  .run_with = pcm_one_rate,
	  .arg = &capture },
	{ .claim = "loopback: playback has the rate of capture, another is EINVAL",
	  .run_with = pcm_one_rate,
	  .arg = &playback },
	{ .claim = "loopback: who frees its parameters, or closes, leaves the rate to others",
	  .run = pcm_rate_given_back },
	{ .claim = "tone: each has its own rate, and with two of them loopback is EBUSY",
	  .run = pcm_tone_rates },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
