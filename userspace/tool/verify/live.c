// SPDX-License-Identifier: MIT
/*
 * Checking a stream while it runs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "../card.h"
#include "verify.h"

/* A signal that comes just before a wait is seen after this time. */
#define VERIFY_WAIT_NS TOOL_NSEC_PER_SEC

/* Sound comes in small chunks; one look at a tenth of a second is enough. */
#define VERIFY_SOUND_NS (TOOL_NSEC_PER_SEC / 10)

/**
 * struct verify_device - the streams of a card
 * @settings: what to check
 * @result: what was found
 * @readers: those that are attached
 * @streams: which they are
 * @n: how many
 * @end_ns: when to stop, UINT64_MAX
 */
struct verify_device {
	const struct verify_settings *settings;
	struct verify_result *result;
	struct avring_reader *readers[AVRING_STREAMS];
	uint32_t streams[AVRING_STREAMS];
	unsigned int n;
	uint64_t end_ns;
};

static int verify_attach(struct verify_device *device, uint32_t stream)
{
	const struct avring_watermark sound = { .entries = 1, .time_ns = VERIFY_SOUND_NS };
	struct tool_wish wish = device->settings->wish;
	struct avring_reader **reader = &device->readers[device->n];
	int status;

	wish.device = device->settings->device;
	wish.stream = stream;
	status = tool_reader_open(reader, &wish);
	if (status)
		return status;
	if (stream == AVRING_STREAM_AUDIO && avring_reader_set_watermark(*reader, &sound))
		avring_reader_set_watermark(*reader, NULL);
	device->result->streams[stream].format = *avring_reader_format(*reader);
	device->result->streams[stream].has_card_clock = tool_has_card_clock(wish.device);
	device->result->has[stream] = true;
	device->streams[device->n++] = stream;
	return TOOL_OK;
}

/* What was changed under our eyes is torn, whatever its CRC said. */
static void verify_span(struct verify_device *device, unsigned int i,
			const struct avring_span *span)
{
	uint32_t which = device->streams[i];
	struct verify_stream *stream = &device->result->streams[which];
	struct verify_sync *sync = &device->result->sync;
	struct verify_frame frame = {
		.data = span->data,
		.length = span->length,
		.has_entry = true,
		.sequence = span->sequence,
		.event = span->event,
		.time_ns = span->time_ns,
		.count = span->count,
		.lost = span->lost,
		.is_damaged = span->flags & AVRING_ENTRY_DAMAGED,
		.is_no_signal = span->flags & AVRING_ENTRY_NO_SIGNAL,
	};
	struct verify_stream before = *stream;
	struct verify_sync sync_before = *sync;
	char place[256];
	int round;

	snprintf(place, sizeof(place), "%s: frame %" PRIu64, device->settings->device,
		 span->sequence);
	frame.place = place;
	for (round = 0; round < 2; round++) {
		if (which == AVRING_STREAM_VIDEO)
			verify_video(stream, sync, &frame);
		else
			verify_audio(stream, sync, &frame);
		if (round || !avring_reader_release(device->readers[i], span))
			return;
		/* Once more, as if it had been known before. */
		frame.is_torn = true;
		*stream = before;
		sync->silent = sync_before.silent;
		sync->flashes.n = sync_before.flashes.n;
		sync->beeps.n = sync_before.beeps.n;
	}
}

static bool verify_has_enough(const struct verify_device *device)
{
	const struct verify_settings *settings = device->settings;
	uint64_t frames = device->result->streams[device->streams[0]].frames;

	return tool_signals() || tool_now_ns() >= device->end_ns ||
	       (settings->frames && frames >= settings->frames);
}

/* 1: nothing more for now; a negative errno: of which all words were said. */
static int verify_next(struct verify_device *device, unsigned int i)
{
	struct verify_stream *stream = &device->result->streams[device->streams[i]];
	struct avring_span span;
	int error = avring_reader_next(device->readers[i], &span);

	if (error == -EAGAIN)
		return 1;
	if (error == -ESTALE) {
		error = avring_reader_renew(device->readers[i]);
		verify_begin(stream, &device->result->sync,
			     avring_reader_format(device->readers[i]));
	} else if (!error) {
		verify_span(device, i, &span);
	}
	if (error)
		tool_fail(error, "%s: read", device->settings->device);
	return error;
}

static int verify_drain(struct verify_device *device)
{
	unsigned int i;
	int more;

	for (i = 0; i < device->n; i++) {
		do {
			more = verify_next(device, i);
		} while (!more && !verify_has_enough(device));
		if (more < 0)
			return TOOL_FAILED;
	}
	return TOOL_OK;
}

static int verify_loop(struct verify_device *device)
{
	int status = TOOL_OK, error;
	uint64_t deadline_ns;

	while (!status && !verify_has_enough(device)) {
		deadline_ns = tool_now_ns() + VERIFY_WAIT_NS;
		if (deadline_ns > device->end_ns)
			deadline_ns = device->end_ns;
		error = tool_readers_wait(device->readers, device->n, deadline_ns);
		if (error)
			return tool_fail(error, "%s: wait", device->settings->device);
		status = verify_drain(device);
	}
	return status;
}

int verify_live(const struct verify_settings *settings, struct verify_result *result)
{
	struct verify_device device = { .settings = settings,
					.result = result,
					.end_ns = UINT64_MAX };
	int status = TOOL_OK;
	uint32_t stream;

	for (stream = 0; stream < AVRING_STREAMS && !status; stream++)
		if (settings->streams & (1U << stream))
			status = verify_attach(&device, stream);
	if (!status && settings->is_ready_told)
		tool_error("ready");
	if (settings->time_ns)
		device.end_ns = tool_now_ns() + settings->time_ns;
	if (!status)
		status = verify_loop(&device);
	while (device.n)
		avring_reader_close(device.readers[--device.n]);
	return status;
}
