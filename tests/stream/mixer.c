// SPDX-License-Identifier: MIT
/*
 * mixer: the controls of the tone do what their names say to what is captured.
 */
#include <stdlib.h>

#include "fixture.h"
#include "pcmio.h"
#include "tap.h"

#define VOLUME "Tone Capture Volume"
#define SWITCH "Tone Capture Switch"

/* A beep a second, so that one of them is whole in it. */
#define LISTEN_FRAMES (RATE * 11 / 10)

static const struct sound_params mono = { .format = SND_PCM_FORMAT_S32_LE,
					  .rate = RATE,
					  .channels = 1 };

static int mixer_write(const char *name, long value)
{
	snd_ctl_elem_value_t *element;
	snd_ctl_t *control;
	struct card card;
	int error;

	must(card_find(0, &card));
	must(snd_ctl_open(&control, card.alsa, 0));
	snd_ctl_elem_value_alloca(&element);
	snd_ctl_elem_value_set_interface(element, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_value_set_name(element, name);
	snd_ctl_elem_value_set_integer(element, 0, value);
	error = snd_ctl_elem_write(control, element);
	snd_ctl_close(control);
	return error;
}

static long mixer_read(const char *name)
{
	snd_ctl_elem_value_t *element;
	snd_ctl_t *control;
	struct card card;

	must(card_find(0, &card));
	must(snd_ctl_open(&control, card.alsa, 0));
	snd_ctl_elem_value_alloca(&element);
	snd_ctl_elem_value_set_interface(element, SND_CTL_ELEM_IFACE_MIXER);
	snd_ctl_elem_value_set_name(element, name);
	must(snd_ctl_elem_read(control, element));
	snd_ctl_close(control);
	return snd_ctl_elem_value_get_integer(element, 0);
}

/* The loudest of the next samples, whatever its sign. */
static long long mixer_peak(void)
{
	static int32_t samples[LISTEN_FRAMES];
	snd_pcm_t *pcm = pcm_capture(&mono);
	long long peak = 0;
	size_t i;

	tap_eq(LISTEN_FRAMES, must(snd_pcm_readi(pcm, samples, LISTEN_FRAMES)));
	must(snd_pcm_close(pcm));
	for (i = 0; i < LISTEN_FRAMES; i++)
		if (llabs(samples[i]) > peak)
			peak = llabs(samples[i]);
	return peak;
}

/* The samples need not be where the tone has its peaks: one in a hundred is allowed. */
static void expect_peak(long percent)
{
	const long long whole = INT32_MAX, expected = whole * percent / 100, peak = mixer_peak();

	tap_check(llabs(peak - expected) <= expected / 100,
		  "volume %ld: expected a peak of %lld, got %lld", percent, expected, peak);
}

static void test_volume(void)
{
	static const long volumes[] = { 100, 50, 10, 1, 0 };
	size_t i;

	for (i = 0; i < TAP_COUNT(volumes); i++) {
		must(mixer_write(VOLUME, volumes[i]));
		expect_peak(volumes[i]);
	}
}

static void test_switch(void)
{
	must(mixer_write(VOLUME, 100));
	must(mixer_write(SWITCH, 0));
	tap_eq(0, mixer_peak());
	must(mixer_write(SWITCH, 1));
	expect_peak(100);
}

/* The switch has no say in the volume. */
static void test_apart(void)
{
	must(mixer_write(SWITCH, 0));
	must(mixer_write(VOLUME, 25));
	tap_eq(0, mixer_peak());
	must(mixer_write(SWITCH, 1));
	expect_peak(25);
}

static snd_ctl_t *mixer_listen(void)
{
	snd_ctl_t *control;
	struct card card;

	must(card_find(0, &card));
	must(snd_ctl_open(&control, card.alsa, SND_CTL_NONBLOCK));
	must(snd_ctl_subscribe_events(control, 1));
	return control;
}

/* Who listens is told once of a new value, and not of the old one. */
static void expect_told(snd_ctl_t *control, const char *name, long value)
{
	snd_ctl_event_t *event;

	snd_ctl_event_alloca(&event);
	must(mixer_write(name, value));
	tap_eq(value, mixer_read(name));
	tap_eq(1, must(snd_ctl_read(control, event)));
	tap_check(!strcmp(name, snd_ctl_event_elem_get_name(event)),
		  "event: expected one of %s, got %s", name, snd_ctl_event_elem_get_name(event));
	must(mixer_write(name, value));
	must_refuse(EAGAIN, snd_ctl_read(control, event));
}

static void test_read_back(void)
{
	snd_ctl_t *control = mixer_listen();

	expect_told(control, VOLUME, 37);
	expect_told(control, VOLUME, 0);
	expect_told(control, SWITCH, 0);
	expect_told(control, SWITCH, 1);
	must(snd_ctl_close(control));
}

static void test_range(void)
{
	must(mixer_write(VOLUME, 99));
	must_refuse(EINVAL, mixer_write(VOLUME, 101));
	must_refuse(EINVAL, mixer_write(VOLUME, -1));
	must_refuse(EINVAL, mixer_write(SWITCH, 2));
	tap_eq(99, mixer_read(VOLUME));
	tap_eq(1, mixer_read(SWITCH));
}

static const struct tap_test tests[] = {
	{ .claim = "the peak of the tone follows the volume, 0 is silence", .run = test_volume },
	{ .claim = "switched off there are zeroes, then the tone again", .run = test_switch },
	{ .claim = "a volume set while switched off is heard later", .run = test_apart },
	{ .claim = "volume and switch read back, and who listens is told of a change",
	  .run = test_read_back },
	{ .claim = "a volume or switch out of range is EINVAL and changes nothing",
	  .run = test_range },
};

/* As a card begins. */
static void mixer_after(void)
{
	mixer_write(VOLUME, 50);
	mixer_write(SWITCH, 1);
}

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), mixer_after, argc, argv);
}
