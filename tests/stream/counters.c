// SPDX-License-Identifier: MIT
/*
 * counters: what the sound card of a virtual card counts is what has happened.
 */
#include "fixture.h"
#include "pcmio.h"
#include "tap.h"

#define PLAYED 1501

static const struct sound_params a_tenth = { .format = SND_PCM_FORMAT_S16_LE,
					     .rate = RATE,
					     .channels = 2,
					     .period = RATE / 100,
					     .buffer = RATE / 10 };

static long long counted(const char *name)
{
	struct card card;

	must(card_find(0, &card));
	return must(sound_counter(&card, name));
}

static void expect_counted(const char *name, long long before, long long frames)
{
	const long long got = counted(name) - before;

	tap_check(got == frames, "%s: expected %lld more, got %lld", name, frames, got);
}

/* What happens between ALSA's last look and the stop is counted, too. */
static void expect_counted_until_stop(const char *name, long long before, long long frames)
{
	const long long got = counted(name) - before;

	tap_check(got >= frames && got <= frames + RATE / 500,
		  "%s: expected %lld more and at most %d, got %lld", name, frames, RATE / 500, got);
}

static bool has_half(void *pcm)
{
	return snd_pcm_avail(pcm) >= RATE / 20;
}

/* A paused stream stands still, and says where. */
static void capture_counts_its_frames(void)
{
	const long long before = counted("Capture Frames");
	const long long skipped = counted("Capture Frames Skipped");
	snd_pcm_t *pcm = pcm_capture(&a_tenth);

	tap_check(tap_eventually(has_half, pcm, 2), "expected %d frames, got none", RATE / 20);
	must(snd_pcm_pause(pcm, 1));
	expect_counted_until_stop("Capture Frames", before, must(snd_pcm_avail(pcm)));
	expect_counted("Capture Frames Skipped", skipped, 0);
	must(snd_pcm_close(pcm));
}

static void playback_counts_its_frames(void)
{
	const long long before = counted("Playback Frames");
	const long long underruns = counted("Playback Underruns");
	snd_pcm_t *pcm = pcm_playback(&a_tenth, PLAYED);

	must(snd_pcm_drain(pcm));
	must(snd_pcm_close(pcm));
	expect_counted_until_stop("Playback Frames", before, PLAYED);
	expect_counted("Playback Underruns", underruns, 0);
}

static bool is_xrun(void *pcm)
{
	snd_pcm_avail(pcm);
	return snd_pcm_state(pcm) == SND_PCM_STATE_XRUN;
}

static void expect_xrun(snd_pcm_t *pcm)
{
	tap_check(tap_eventually(is_xrun, pcm, 2), "expected state XRUN, got %s",
		  snd_pcm_state_name(snd_pcm_state(pcm)));
	must(snd_pcm_close(pcm));
}

static void xruns_are_counted(void)
{
	const long long overruns = counted("Capture Overruns");
	const long long underruns = counted("Playback Underruns");
	int i;

	for (i = 0; i < 3; i++)
		expect_xrun(pcm_capture(&a_tenth));
	expect_counted("Capture Overruns", overruns, 3);
	expect_counted("Playback Underruns", underruns, 0);
	expect_xrun(pcm_playback(&a_tenth, RATE / 100));
	expect_counted("Capture Overruns", overruns, 3);
	expect_counted("Playback Underruns", underruns, 1);
}

/* Nobody looks for three buffers: the last of them is there, the others were never written. */
static void skipped_frames_are_counted(void)
{
	const long long before = counted("Capture Frames");
	const long long skipped = counted("Capture Frames Skipped");
	snd_pcm_t *pcm = pcm_capture(&sleepless);
	long long frames, lost;

	tap_eq(0, sound_poll(pcm, 300));
	must_refuse(EPIPE, snd_pcm_avail(pcm));
	must(snd_pcm_close(pcm));
	frames = counted("Capture Frames") - before;
	lost = counted("Capture Frames Skipped") - skipped;
	tap_check(frames >= 3 * RATE / 10, "Capture Frames: expected three buffers, got %lld",
		  frames);
	tap_check(frames - lost >= RATE / 10 && frames - lost <= RATE / 10 + RATE / 500,
		  "Capture Frames Skipped: expected all of %lld but a buffer, got %lld", frames,
		  lost);
}

static const struct tap_test tests[] = {
	{ .claim = "Capture Frames counts frames", .run = capture_counts_its_frames },
	{ .claim = "Playback Frames counts frames", .run = playback_counts_its_frames },
	{ .claim = "Capture Overruns and Playback Underruns count each", .run = xruns_are_counted },
	{ .claim = "Capture Frames Skipped counts what was never written",
	  .run = skipped_frames_are_counted },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
