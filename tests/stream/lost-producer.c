// SPDX-License-Identifier: MIT
/*
 * lost-producer: whoever feeds the loopback may die at any time. Capture goes on,
 * picture and sound, what it shows instead is counted, and the next producer gets
 * through.
 */
#include <alsa/asoundlib.h>
#include <unistd.h>
#include <zlib.h>

#include "fixture.h"
#include "flow.h"
#include "producer.h"
#include "sound.h"
#include "tap.h"

#define TIMEOUT_MS 3000
#define VOICE 0x1234
#define RATE 48000

static const struct v4l2_pix_format pix = { .pixelformat = V4L2_PIX_FMT_GREY,
					    .width = 160,
					    .height = 120 };
static const struct v4l2_fract rate = { 30, 1 };
static const struct sound_params voice = { .format = SND_PCM_FORMAT_S16_LE,
					   .rate = RATE,
					   .channels = 2,
					   .buffer = RATE / 2 };

/**
 * struct viewer - what came out of the capture node
 * @flow: the node
 * @seen: frames since STREAMON
 * @film: of these, frames of a producer that had not been seen before
 * @missing: sum of the sequence gaps
 * @counter: of the last film frame, 0 if there was none
 * @no_signal_crc: of the no-signal picture, 0 if there was none
 * @sequence: of the last frame
 * @time_us: of the last frame
 */
struct viewer {
	struct flow flow;
	unsigned int seen, film, missing;
	uint32_t counter;
	uint32_t no_signal_crc;
	uint32_t sequence;
	uint64_t time_us;
};

static pid_t start_film(uint32_t first)
{
	return producer_start(&pix, &rate, first, 0);
}

static void viewer_open(struct viewer *viewer)
{
	*viewer = (struct viewer){ 0 };
	must(flow_open(&viewer->flow, 0, CARD_INPUT_LOOPBACK, &pix, &rate));
	must(flow_allocate(&viewer->flow, FLOW_MMAP, 8, NULL));
	must(flow_start(&viewer->flow));
}

static void viewer_close(struct viewer *viewer)
{
	must(flow_stop(&viewer->flow));
	must(flow_free(&viewer->flow));
	must(video_set_input(&viewer->flow.video, CARD_INPUT_PATTERN));
	flow_close(&viewer->flow);
}

static void viewer_judge_no_signal(struct viewer *viewer, const struct flow_frame *frame)
{
	uint32_t crc = crc32(0, frame->data, frame->bytes);

	if (!viewer->no_signal_crc)
		viewer->no_signal_crc = crc;
	tap_check(crc == viewer->no_signal_crc,
		  "after frame %u of the film: expected the no-signal picture, got another one",
		  viewer->counter);
}

/*
 * A film frame comes once, and then again only where there is no signal. The
 * no-signal picture is always the same.
 */
static void viewer_judge(struct viewer *viewer, const struct flow_frame *frame)
{
	uint32_t counter = producer_number(frame->data);

	if (!counter) {
		viewer_judge_no_signal(viewer, frame);
	} else if (counter != viewer->counter) {
		tap_check(counter > viewer->counter, "film: expected a frame after %u, got %u",
			  viewer->counter, counter);
		viewer->counter = counter;
		viewer->film++;
	}
}

/* The frame stays with the viewer. */
static void viewer_take(struct viewer *viewer, struct flow_frame *frame)
{
	must(flow_take(&viewer->flow, frame, TIMEOUT_MS));
	tap_eq(pix.width * pix.height, frame->bytes);
	tap_check(frame->time_us > viewer->time_us, "timestamps: expected more than %llu, got %llu",
		  (long long)viewer->time_us, (long long)frame->time_us);
	if (viewer->seen)
		tap_check(frame->buffer.sequence > viewer->sequence,
			  "sequence: expected more than %u, got %u", viewer->sequence,
			  frame->buffer.sequence);
	viewer->missing += frame->buffer.sequence - (viewer->seen ? viewer->sequence + 1 : 0);
	viewer->sequence = frame->buffer.sequence;
	viewer->time_us = frame->time_us;
	viewer->seen++;
	viewer_judge(viewer, frame);
}

static void viewer_watch(struct viewer *viewer, unsigned int frames)
{
	struct flow_frame frame;

	while (frames--) {
		viewer_take(viewer, &frame);
		must(flow_give(&viewer->flow, &frame));
	}
}

/* Until @frames more of the film have come, or too many of something else. */
static void viewer_watch_film(struct viewer *viewer, unsigned int frames)
{
	unsigned int target = viewer->film + frames, patience = 900;

	while (viewer->film < target && patience--)
		viewer_watch(viewer, 1);
	tap_check(viewer->film == target, "film frames: expected %u more, got %u", frames,
		  frames - (target - viewer->film));
}

static int64_t viewer_control(struct viewer *viewer, uint32_t id)
{
	int64_t value;

	must(video_get_control(&viewer->flow.video, id, &value));
	return value;
}

/* Ends the watching: with no buffer left in the driver its counts stand still. */
static void viewer_check(struct viewer *viewer, unsigned int losses)
{
	struct flow_frame frame;
	unsigned int i;

	for (i = 0; i < viewer->flow.count; i++)
		viewer_take(viewer, &frame);
	tap_note("%u frames, %u of them film, %u missing", viewer->seen, viewer->film,
		 viewer->missing);
	tap_eq(losses, viewer_control(viewer, V4L2_CID_AVRING_SIGNAL_LOSSES));
	tap_eq(viewer->seen - viewer->film,
	       viewer_control(viewer, V4L2_CID_AVRING_NO_SIGNAL_FRAMES));
	tap_eq(viewer->missing, viewer_control(viewer, V4L2_CID_AVRING_FRAMES_DROPPED));
}

static void lost_never_there(void)
{
	struct viewer viewer;

	viewer_open(&viewer);
	viewer_watch(&viewer, 10);
	viewer_check(&viewer, 0);
	tap_eq(0, viewer.film);
	viewer_close(&viewer);
}

static void lost_killed(void)
{
	struct viewer viewer;
	pid_t producer;

	viewer_open(&viewer);
	viewer_watch(&viewer, 5);
	producer = start_film(1);
	viewer_watch_film(&viewer, 20);
	producer_kill(producer);
	viewer_watch(&viewer, 30);
	viewer_check(&viewer, 1);
	viewer_close(&viewer);
}

static void lost_and_back(void)
{
	struct viewer viewer;
	unsigned int i;
	pid_t producer;

	viewer_open(&viewer);
	for (i = 0; i < 3; i++) {
		producer = start_film(1 + i * 1000);
		viewer_watch_film(&viewer, 10);
		tap_check(viewer.counter > i * 1000, "film: expected producer %u, got frame %u", i,
			  viewer.counter);
		producer_kill(producer);
		viewer_watch(&viewer, 10);
	}
	viewer_check(&viewer, 3);
	viewer_close(&viewer);
}

/* A loss that was before STREAMON is none of this stream's. */
static void lost_between_streams(void)
{
	struct viewer viewer;
	pid_t producer;

	viewer_open(&viewer);
	producer = start_film(1);
	viewer_watch_film(&viewer, 5);
	must(flow_stop(&viewer.flow));
	producer_kill(producer);
	viewer.seen = 0;
	viewer.film = 0;
	viewer.missing = 0;
	must(flow_start(&viewer.flow));
	viewer_watch(&viewer, 5);
	viewer_check(&viewer, 0);
	tap_eq(0, viewer.film);
	viewer_close(&viewer);
}

static struct v4l2_capability capability(const char *node)
{
	struct v4l2_capability caps = { 0 };
	struct video video;

	must(video_open(&video, node));
	must(video_ioctl(video.fd, VIDIOC_QUERYCAP, &caps));
	video_close(&video);
	return caps;
}

static void expect_same(const char *when, const struct card *card,
			const struct v4l2_capability before[2])
{
	const struct v4l2_capability capture = capability(card->capture);
	const struct v4l2_capability output = capability(card->output);

	tap_check(!memcmp(&capture, &before[0], sizeof(capture)),
		  "capture %s: expected %s, %s, caps %#x, device %#x, got %s, %s, %#x, %#x", when,
		  before[0].driver, before[0].card, before[0].capabilities, before[0].device_caps,
		  capture.driver, capture.card, capture.capabilities, capture.device_caps);
	tap_check(!memcmp(&output, &before[1], sizeof(output)),
		  "output %s: expected caps %#x, device %#x, got %#x, %#x", when,
		  before[1].capabilities, before[1].device_caps, output.capabilities,
		  output.device_caps);
}

/* Some loopback drivers show a capture device while there is a producer only. */
static void lost_same_caps(void)
{
	struct v4l2_capability before[2];
	struct viewer viewer;
	struct card card;
	pid_t producer;

	must(card_find(0, &card));
	before[0] = capability(card.capture);
	before[1] = capability(card.output);
	tap_check(before[0].device_caps & V4L2_CAP_VIDEO_CAPTURE, "capture: expected to capture");
	tap_check(!(before[0].device_caps & V4L2_CAP_VIDEO_OUTPUT), "capture: expected no output");
	viewer_open(&viewer);
	expect_same("before a producer", &card, before);
	producer = start_film(1);
	viewer_watch_film(&viewer, 5);
	expect_same("with a producer", &card, before);
	producer_kill(producer);
	viewer_watch(&viewer, 5);
	expect_same("after a producer", &card, before);
	viewer_close(&viewer);
}

static _Noreturn void produce_voice(void)
{
	static int16_t samples[2 * RATE / 10];
	struct card card;
	snd_pcm_t *pcm;
	size_t i;

	for (i = 0; i < TAP_COUNT(samples); i++)
		samples[i] = VOICE;
	must(card_find(0, &card));
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_PLAYBACK, &voice));
	for (i = 0; i < 3; i++)
		must(snd_pcm_writei(pcm, samples, RATE / 10));
	must(snd_pcm_start(pcm));
	for (;;)
		must(snd_pcm_writei(pcm, samples, RATE / 10));
}

static pid_t start_voice(void)
{
	pid_t child = fork();

	if (!child)
		produce_voice();
	return child;
}

static snd_pcm_t *listener_open(void)
{
	struct card card;
	snd_pcm_t *pcm;

	must(card_find(0, &card));
	must(sound_set_source(&card, SOUND_SOURCE_LOOPBACK));
	must(sound_open(&pcm, card.alsa, SND_PCM_STREAM_CAPTURE, &voice));
	must(snd_pcm_start(pcm));
	return pcm;
}

static void listener_close(snd_pcm_t *pcm)
{
	struct card card;

	must(snd_pcm_close(pcm));
	must(card_find(0, &card));
	must(sound_set_source(&card, SOUND_SOURCE_TONE));
}

/* 10 ms; true if each sample is @value. */
static bool listener_hears(snd_pcm_t *pcm, int16_t value)
{
	int16_t samples[2 * RATE / 100];
	size_t i;

	tap_eq(RATE / 100, must(snd_pcm_readi(pcm, samples, RATE / 100)));
	for (i = 0; i < TAP_COUNT(samples); i++) {
		tap_check(!samples[i] || samples[i] == VOICE, "sound: expected %#x or 0, got %#x",
			  VOICE, samples[i]);
		if (samples[i] != value)
			return false;
	}
	return true;
}

/* @value within 30 s, and then for @hundredths without a break. */
static void listener_expects(snd_pcm_t *pcm, int16_t value, unsigned int hundredths)
{
	unsigned int patience = 3000, i;

	while (!listener_hears(pcm, value) && --patience)
		;
	tap_check(patience, "sound: expected %#x within 30 s, got something else", value);
	for (i = 0; i < hundredths; i++)
		tap_check(listener_hears(pcm, value), "sound: expected %#x to last, got %u ms",
			  value, i * 10);
}

static void lost_voice(void)
{
	snd_pcm_t *pcm = listener_open();
	long long losses, silence;
	struct card card;
	pid_t producer;
	unsigned int i;

	must(card_find(0, &card));
	losses = must(sound_counter(&card, "Loopback Signal Losses"));
	silence = must(sound_counter(&card, "Loopback Silence Frames"));
	listener_expects(pcm, 0, 10);
	for (i = 0; i < 3; i++) {
		producer = start_voice();
		listener_expects(pcm, VOICE, 20);
		producer_kill(producer);
		listener_expects(pcm, 0, 50);
	}
	tap_eq(SND_PCM_STATE_RUNNING, snd_pcm_state(pcm));
	tap_eq(losses + 3, must(sound_counter(&card, "Loopback Signal Losses")));
	silence = must(sound_counter(&card, "Loopback Silence Frames")) - silence;
	tap_check(silence >= 160 * RATE / 100, "silence frames: expected 1.6 s at least, got %lld",
		  silence);
	listener_close(pcm);
}

static const struct tap_test tests[] = {
	{ .claim = "before a producer: no-signal frames, all counted", .run = lost_never_there },
	{ .claim = "producer killed: capture goes on without a signal, counted",
	  .run = lost_killed },
	{ .claim = "three producers killed: each one gets through", .run = lost_and_back },
	{ .claim = "counts start again at STREAMON", .run = lost_between_streams },
	{ .claim = "the nodes are the same by QUERYCAP before, with and after a producer",
	  .run = lost_same_caps },
	{ .claim = "player killed: silence, counted, and each next one gets through",
	  .run = lost_voice },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
