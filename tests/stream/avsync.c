// SPDX-License-Identifier: MIT
/*
 * avsync: the white flash and the beep happen at one instant. Both are looked for
 * in the captured data alone; the frame stamp is switched off, or passed over. Flash time is
 * the V4L2 timestamp, beep time is the start time of the PCM plus samples.
 *
 * A PCI card (it has no output node) has a clock of its own, and who reads that off may be
 * some microseconds off, the first sample's time included.
 */
#include <alsa/asoundlib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"
#include "flow.h"
#include "sound.h"
#include "tap.h"

#define NSEC_PER_SEC INT64_C(1000000000)
#define AVSYNC_EVENTS 16
#define AVSYNC_SECONDS 4.6
#define AVSYNC_FLASHES 3
#define AVSYNC_LIMIT_NS 1000000
/* White is 255, or 235 where the range is limited. */
#define AVSYNC_WHITE 235
#define AVSYNC_CARD_NS 15000

/**
 * struct avsync_run - what to record
 * @video: frames per second
 * @audio: samples
 */
struct avsync_run {
	struct v4l2_fract video;
	struct sound_params audio;
};

/**
 * struct avsync_record - what was recorded
 * @flow: video
 * @card: what is recorded from
 * @slack_ns: how far times may be off
 * @pcm: audio
 * @samples: first channel, scaled to 32 bit
 * @n_samples: how many
 * @room: of @samples
 * @start_ns: CLOCK_MONOTONIC of the first sample
 * @first_ns: of the first video frame
 * @last_ns: of the last video frame
 * @flash_ns: times of the white frames
 * @n_flashes: how many
 */
struct avsync_record {
	struct flow flow;
	struct card card;
	int64_t slack_ns;
	snd_pcm_t *pcm;
	int32_t *samples;
	size_t n_samples, room;
	uint64_t start_ns;
	int64_t first_ns, last_ns;
	int64_t flash_ns[AVSYNC_EVENTS];
	unsigned int n_flashes;
};

static bool avsync_has_stamp_control(const struct avsync_record *record)
{
	return record->card.output[0];
}

static bool avsync_is_white(const struct avsync_record *record, const struct flow_frame *frame)
{
	size_t from = avsync_has_stamp_control(record) ? 0 : sizeof(struct avring_frame_stamp);

	return frame->data[from] >= AVSYNC_WHITE &&
	       !memcmp(frame->data + from, frame->data + from + 1, frame->bytes - from - 1);
}

static void avsync_open(const struct avsync_run *run, struct avsync_record *record)
{
	const struct v4l2_pix_format pix = { .pixelformat = V4L2_PIX_FMT_GREY,
					     .width = 160,
					     .height = 120 };

	must(card_find(0, &record->card));
	if (avsync_has_stamp_control(record))
		must(sound_set_source(&record->card, SOUND_SOURCE_TONE));
	else
		record->slack_ns = AVSYNC_CARD_NS;
	must(sound_open(&record->pcm, record->card.alsa, SND_PCM_STREAM_CAPTURE, &run->audio));
	must(flow_open(&record->flow, 0, CARD_INPUT_PATTERN, &pix, &run->video));
	if (avsync_has_stamp_control(record))
		must(video_set_control(&record->flow.video, V4L2_CID_AVRING_FRAME_STAMP, 0));
	must(flow_allocate(&record->flow, FLOW_MMAP, 8, NULL));
	record->room = run->audio.rate * (AVSYNC_SECONDS + 20);
	record->samples = calloc(record->room, sizeof(*record->samples));
}

static void avsync_close(struct avsync_record *record)
{
	must(flow_stop(&record->flow));
	must(flow_free(&record->flow));
	if (avsync_has_stamp_control(record))
		must(video_set_control(&record->flow.video, V4L2_CID_AVRING_FRAME_STAMP, 1));
	flow_close(&record->flow);
	must(snd_pcm_close(record->pcm));
	free(record->samples);
}

/* Keeps the first channel. */
static void avsync_keep(const struct avsync_run *run, struct avsync_record *record,
			const void *data, size_t frames)
{
	const int16_t *s16 = data;
	const int32_t *s32 = data;
	bool wide = run->audio.format == SND_PCM_FORMAT_S32_LE;
	size_t i;

	tap_check(record->n_samples + frames <= record->room, "%zu samples: expected less",
		  record->n_samples + frames);
	for (i = 0; i < frames; i++) {
		size_t from = i * run->audio.channels;

		record->samples[record->n_samples++] = wide ? s32[from] : s16[from] * 65536;
	}
}

/* Takes what is there; the buffer is larger than the time between two calls. */
static void avsync_listen(const struct avsync_run *run, struct avsync_record *record)
{
	static uint8_t data[65536];
	snd_pcm_sframes_t room = snd_pcm_bytes_to_frames(record->pcm, sizeof(data));
	snd_pcm_sframes_t frames;

	while ((frames = must(snd_pcm_avail_update(record->pcm))) > 0) {
		frames = must(snd_pcm_readi(record->pcm, data, frames < room ? frames : room));
		avsync_keep(run, record, data, frames);
	}
}

static void avsync_look(struct avsync_record *record)
{
	struct flow_frame frame;

	must(flow_take(&record->flow, &frame, 5000));
	record->last_ns = frame.time_us * 1000;
	if (!record->first_ns)
		record->first_ns = record->last_ns;
	if (avsync_is_white(record, &frame)) {
		tap_check(record->n_flashes < AVSYNC_EVENTS, "white frames: expected few");
		record->flash_ns[record->n_flashes++] = record->last_ns;
	}
	must(flow_give(&record->flow, &frame));
}

/* The start time must not depend on when it is asked for. */
static void avsync_record(const struct avsync_run *run, struct avsync_record *record)
{
	uint64_t start_ns;

	must(snd_pcm_start(record->pcm));
	must(flow_start(&record->flow));
	/* A PCI card knows it when the first sound has come. */
	if (record->slack_ns)
		must(snd_pcm_wait(record->pcm, 5000));
	must(sound_start_ns(record->pcm, &record->start_ns));
	do {
		avsync_look(record);
		avsync_listen(run, record);
		must(sound_start_ns(record->pcm, &start_ns));
		tap_check(llabs((int64_t)(start_ns - record->start_ns)) <= record->slack_ns,
			  "start time: %" PRIu64 ", then %" PRIu64, record->start_ns, start_ns);
	} while (record->last_ns - record->first_ns < AVSYNC_SECONDS * NSEC_PER_SEC);
}

static int64_t avsync_sample_ns(const struct avsync_run *run, const struct avsync_record *record,
				size_t sample)
{
	return record->start_ns + (int64_t)sample * NSEC_PER_SEC / run->audio.rate;
}

static int32_t avsync_peak(const struct avsync_record *record)
{
	int32_t peak = 0;
	size_t i;

	for (i = 0; i < record->n_samples; i++)
		if (record->samples[i] > peak)
			peak = record->samples[i];
	return peak;
}

/*
 * The next sample at or after @from that breaks a silence of 100 ms; n_samples if
 * there is none.
 */
static size_t avsync_next_beep(const struct avsync_run *run, const struct avsync_record *record,
			       size_t from)
{
	size_t silent = 0;

	for (; from < record->n_samples; from++) {
		if (record->samples[from] && silent >= run->audio.rate / 10)
			break;
		silent = record->samples[from] ? 0 : silent + 1;
	}
	return from;
}

static int64_t avsync_nearest_flash(const struct avsync_record *record, int64_t beep_ns)
{
	int64_t nearest = 0;
	unsigned int i;

	for (i = 0; i < record->n_flashes; i++)
		if (llabs(record->flash_ns[i] - beep_ns) < llabs(nearest - beep_ns))
			nearest = record->flash_ns[i];
	return nearest;
}

/*
 * The beep's first sample is the first at or after the flash; the V4L2 timestamp
 * is rounded down to a microsecond.
 */
static void avsync_check_beep(const struct avsync_run *run, const struct avsync_record *record,
			      size_t sample)
{
	int64_t beep_ns = avsync_sample_ns(run, record, sample);
	int64_t offset = beep_ns - avsync_nearest_flash(record, beep_ns);

	tap_note("beep at sample %zu is %" PRId64 " ns after its flash", sample, offset);
	tap_check(llabs(offset) < AVSYNC_LIMIT_NS,
		  "flash and beep: expected less than %d ns, got %" PRId64, AVSYNC_LIMIT_NS,
		  offset);
	tap_check(offset >= -1 - record->slack_ns &&
			  offset <= NSEC_PER_SEC / run->audio.rate + 1001 + record->slack_ns,
		  "first sample after the flash: expected it within a sample, got %" PRId64 " ns",
		  offset);
	tap_check(abs(record->samples[sample]) >= avsync_peak(record) / 2,
		  "first sample of the beep: expected full amplitude, got %d of %d",
		  record->samples[sample], avsync_peak(record));
}

static bool avsync_is_seen(const struct avsync_run *run, const struct avsync_record *record,
			   size_t sample)
{
	int64_t beep_ns = avsync_sample_ns(run, record, sample);

	return beep_ns >= record->first_ns && beep_ns <= record->last_ns;
}

/* Each beep that video was there to see has its flash. */
static unsigned int avsync_compare(const struct avsync_run *run, const struct avsync_record *record)
{
	unsigned int pairs = 0;
	size_t sample = 0;

	while ((sample = avsync_next_beep(run, record, sample)) < record->n_samples) {
		if (avsync_is_seen(run, record, sample)) {
			avsync_check_beep(run, record, sample);
			pairs++;
		}
		sample += run->audio.rate / 10;
	}
	return pairs;
}

static void avsync_run(const void *arg)
{
	const struct avsync_run *run = arg;
	struct avsync_record record = { 0 };
	unsigned int pairs;

	avsync_open(run, &record);
	avsync_record(run, &record);
	pairs = avsync_compare(run, &record);
	tap_check(pairs >= AVSYNC_FLASHES && pairs <= record.n_flashes,
		  "flashes with a beep: expected %d or more, got %u beeps for %u flashes",
		  AVSYNC_FLASHES, pairs, record.n_flashes);
	avsync_close(&record);
}

#define SYNC(name, num, den, sample, hz) \
	{ \
		.claim = "flash and beep coincide at " name, .run_with = avsync_run, \
		.arg = &(const struct avsync_run) \
		{ \
			.video = { num, den }, .audio = { \
				.format = SND_PCM_FORMAT_##sample, \
				.rate = hz, \
				.channels = 2 \
			} \
		} \
	}

static const struct tap_test tests[] = {
	SYNC("30 fps and 48000 Hz S16_LE", 30, 1, S16_LE, 48000),
	SYNC("30 fps and 44100 Hz S32_LE", 30, 1, S32_LE, 44100),
	SYNC("59.94 fps and 48000 Hz S16_LE", 60000, 1001, S16_LE, 48000),
	SYNC("59.94 fps and 44100 Hz S32_LE", 60000, 1001, S32_LE, 44100),
	SYNC("60 fps and 48000 Hz S16_LE", 60, 1, S16_LE, 48000),
	SYNC("60 fps and 44100 Hz S32_LE", 60, 1, S32_LE, 44100),
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
