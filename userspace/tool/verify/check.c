// SPDX-License-Identifier: MIT
/*
 * What must hold for the frames and the sound of a pattern stream. See check.h.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "../reader.h"
#include "check.h"

void verify_begin(struct verify_stream *stream, struct verify_sync *sync,
		  const struct avring_stream_format *format)
{
	struct tool_rate before = tool_event_rate(&stream->format);
	struct tool_rate now = tool_event_rate(format);

	stream->format = *format;
	if ((uint64_t)before.num * now.den == (uint64_t)now.num * before.den)
		return;
	stream->has_next = false;
	if (format->stream == AVRING_STREAM_AUDIO)
		sync->silent = 0;
}

void verify_bad(struct verify_stream *stream, const struct verify_frame *frame, const char *format,
		...)
{
	char words[VERIFY_WORDS / 2];
	va_list args;

	stream->bad++;
	if (stream->words[0])
		return;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	snprintf(stream->words, sizeof(stream->words), "%s: %s", frame->place, words);
}

static void verify_note(struct verify_times *times, uint64_t ns)
{
	size_t room = 2 * times->room ?: 64;
	uint64_t *more;

	if (times->n == times->room) {
		more = realloc(times->ns, room * sizeof(*more));
		/* Out of memory for a number a second: the pairs will not fit, and that is told. */
		if (!more)
			return;
		times->ns = more;
		times->room = room;
	}
	times->ns[times->n++] = ns;
}

static void verify_extend(uint64_t range_ns[2], uint64_t first_ns, uint64_t last_ns)
{
	if (!range_ns[1])
		range_ns[0] = first_ns;
	range_ns[1] = last_ns;
}

/* ---------------------------------------------------------------- pictures */

static uint32_t verify_crc(const void *data, size_t length)
{
	const size_t at = offsetof(struct avring_frame_stamp, crc);
	const unsigned char *bytes = data;
	uLong crc = crc32_z(0, bytes, at);

	return crc32_z(crc, bytes + at + 4, length - at - 4);
}

/* The stamp by itself: its content, its place on the grid. */
static bool verify_stamp(struct verify_stream *stream, const struct verify_frame *frame,
			 const struct avring_frame_stamp *stamp)
{
	struct tool_rate rate = tool_event_rate(&stream->format);
	uint64_t n = le64toh(stamp->frame), time_ns = le64toh(stamp->time_ns);
	uint32_t crc = verify_crc(frame->data, frame->length);
	bool is_flash = n % (((uint64_t)rate.num + rate.den - 1) / rate.den) == 0;

	if (le32toh(stamp->magic) != AVRING_FRAME_STAMP_MAGIC)
		verify_bad(stream, frame, "no stamp, it begins with %#010x", le32toh(stamp->magic));
	else if (le32toh(stamp->crc) != crc)
		verify_bad(stream, frame, "CRC %#010x, its stamp says %#010x", crc,
			   le32toh(stamp->crc));
	else if (time_ns != tool_event_ns(n, rate.num, rate.den))
		verify_bad(stream, frame, "time %" PRIu64 " ns is not that of frame %" PRIu64,
			   time_ns, n);
	else if (le32toh(stamp->flags) != (is_flash ? AVRING_FRAME_STAMP_FLASH : 0))
		verify_bad(stream, frame, "flags %#x, frame %" PRIu64 " is %s flash",
			   le32toh(stamp->flags), n, is_flash ? "a" : "no");
	else
		return true;
	return false;
}

/* Two quartzes: how far from each other they may be, and how far a reading may be off. */
#define VERIFY_CLOCK_PPM 1000
#define VERIFY_CLOCK_NS (2 * TOOL_NSEC_PER_SEC / 1000)

/* Does @time_ns pass as the time @card_ns of the card's own clock? */
static bool verify_clock(struct verify_stream *stream, uint64_t card_ns, uint64_t time_ns)
{
	int64_t passed, apart;

	if (!stream->first_ns) {
		stream->first_card_ns = card_ns;
		stream->first_ns = time_ns;
	}
	passed = card_ns - stream->first_card_ns;
	apart = time_ns - stream->first_ns - passed;
	return (uint64_t)llabs(apart) <=
	       VERIFY_CLOCK_NS + (uint64_t)llabs(passed) / 1000000 * VERIFY_CLOCK_PPM;
}

static bool verify_entry_of_card(struct verify_stream *stream, const struct verify_frame *frame,
				 const struct avring_frame_stamp *stamp)
{
	uint64_t time_ns = le64toh(stamp->time_ns), n = le64toh(stamp->frame);

	if (!frame->has_entry)
		return true;
	if (frame->event != n || (uint32_t)n != le32toh(stamp->sequence))
		verify_bad(stream, frame, "frame %" PRIu64 ", its stamp says %" PRIu64 " and %u",
			   frame->event, n, le32toh(stamp->sequence));
	else if (!verify_clock(stream, time_ns, frame->time_ns))
		verify_bad(stream, frame,
			   "time %" PRIu64 " ns is not that of %" PRIu64 " ns on the card's clock",
			   frame->time_ns, time_ns);
	else
		return true;
	return false;
}

/*
 * What the ring or the index says of the frame. A V4L2 node cuts times to a
 * microsecond, and knows no timeline.
 */
static bool verify_entry(struct verify_stream *stream, const struct verify_frame *frame,
			 const struct avring_frame_stamp *stamp)
{
	uint64_t time_ns = le64toh(stamp->time_ns), n = le64toh(stamp->frame);
	bool is_cut = frame->time_ns % 1000 == 0 && frame->time_ns == time_ns / 1000 * 1000;

	if (stream->has_card_clock)
		return verify_entry_of_card(stream, frame, stamp);
	if (!frame->has_entry)
		return true;
	if ((uint32_t)frame->sequence != le32toh(stamp->sequence))
		verify_bad(stream, frame, "sequence %u, its stamp says %u",
			   (uint32_t)frame->sequence, le32toh(stamp->sequence));
	else if (frame->time_ns != time_ns && !is_cut)
		verify_bad(stream, frame, "time %" PRIu64 " ns, its stamp says %" PRIu64,
			   frame->time_ns, time_ns);
	else if (frame->event != n && !is_cut)
		verify_bad(stream, frame, "frame %" PRIu64 ", its stamp says %" PRIu64,
			   frame->event, n);
	else
		return true;
	return false;
}

/* What time and sequence did since the last frame is the same number of frames. */
static void verify_advance(struct verify_stream *stream, const struct verify_frame *frame,
			   uint64_t sequence, uint64_t event)
{
	uint64_t gap = sequence - stream->next_sequence;

	if (!stream->has_next) {
		stream->has_next = true;
	} else if (gap > INT64_MAX) {
		verify_bad(stream, frame, "sequence %" PRIu64 " after %" PRIu64, sequence,
			   stream->next_sequence - 1);
	} else {
		stream->lost += gap;
		if (event - stream->next_event != gap)
			verify_bad(stream, frame,
				   "%" PRIu64 " missing by sequence, %" PRId64 " by time", gap,
				   (int64_t)(event - stream->next_event));
		else if (frame->has_entry && frame->lost != gap)
			verify_bad(stream, frame,
				   "%" PRIu64 " missing by sequence, %" PRIu64 " were told", gap,
				   frame->lost);
	}
	stream->next_sequence = sequence + frame->count;
	stream->next_event = event + frame->count;
}

/* A frame that is wrong is there all the same. */
static void verify_pass_over(struct verify_stream *stream, const struct verify_frame *frame)
{
	uint64_t gap = frame->sequence - stream->next_sequence;

	if (!frame->has_entry || gap > INT64_MAX) {
		stream->has_next = false;
	} else if (stream->has_next) {
		stream->lost += gap;
		stream->next_sequence += gap + 1;
		stream->next_event += gap + 1;
	}
}

void verify_video(struct verify_stream *stream, struct verify_sync *sync,
		  const struct verify_frame *frame)
{
	struct avring_frame_stamp stamp;

	stream->frames++;
	if (frame->is_torn || frame->is_damaged || frame->is_no_signal) {
		if (frame->is_torn)
			stream->torn++;
		else if (frame->is_damaged)
			stream->damaged++;
		else
			stream->no_signal++;
		verify_advance(stream, frame, frame->sequence, frame->event);
		return;
	}
	if (frame->length < sizeof(stamp)) {
		verify_bad(stream, frame, "%zu bytes, too short for a stamp", frame->length);
		return;
	}
	memcpy(&stamp, frame->data, sizeof(stamp));
	if (!verify_stamp(stream, frame, &stamp) || !verify_entry(stream, frame, &stamp)) {
		verify_pass_over(stream, frame);
		return;
	}
	verify_advance(stream, frame, frame->has_entry ? frame->sequence : le32toh(stamp.sequence),
		       le64toh(stamp.frame));
	if (le32toh(stamp.flags) & AVRING_FRAME_STAMP_FLASH)
		verify_note(&sync->flashes, le64toh(stamp.time_ns));
	verify_extend(sync->video_ns, le64toh(stamp.time_ns), le64toh(stamp.time_ns));
}

/* ---------------------------------------------------------------- sound */

/* Beeps begin with a full amplitude after at least so many of a second of silence. */
#define VERIFY_SILENCE 10

static void verify_listen(const struct verify_stream *stream, struct verify_sync *sync,
			  const struct verify_frame *frame)
{
	const struct avring_audio_format *audio = &stream->format.audio;
	const unsigned char *data = frame->data;
	const size_t sample = audio->frame_bytes / audio->channels;
	static const unsigned char zero[8];
	uint64_t i;

	for (i = 0; i < frame->count; i++) {
		if (!memcmp(data + i * audio->frame_bytes, zero, sample)) {
			sync->silent++;
			continue;
		}
		if (sync->silent >= audio->rate / VERIFY_SILENCE)
			verify_note(&sync->beeps, tool_event_ns(frame->event + i, audio->rate, 1));
		sync->silent = 0;
	}
}

void verify_audio(struct verify_stream *stream, struct verify_sync *sync,
		  const struct verify_frame *frame)
{
	uint32_t rate = stream->format.audio.rate;
	uint64_t first_ns = tool_event_ns(frame->event, rate, 1);

	stream->frames += frame->count;
	if (frame->is_torn)
		stream->torn += frame->count;
	if (frame->is_no_signal)
		stream->no_signal += frame->count;
	if (frame->has_entry) {
		verify_advance(stream, frame, frame->sequence, frame->event);
		if (stream->has_card_clock ? !verify_clock(stream, first_ns, frame->time_ns) :
					     frame->time_ns != first_ns)
			verify_bad(stream, frame,
				   "time %" PRIu64 " ns is not that of sample %" PRIu64,
				   frame->time_ns, frame->event);
	}
	if (frame->lost || frame->is_torn)
		sync->silent = 0;
	if (frame->is_torn || !frame->has_entry)
		return;
	verify_listen(stream, sync, frame);
	verify_extend(sync->audio_ns, first_ns,
		      tool_event_ns(frame->event + frame->count, rate, 1));
}

/* ---------------------------------------------------------------- both */

/* What is farther from each other than this does not belong together. */
#define VERIFY_MARGIN_NS (TOOL_NSEC_PER_SEC / 5)

static bool verify_is_in(const uint64_t range_ns[2], uint64_t ns, uint64_t margin_ns)
{
	return ns >= range_ns[0] + margin_ns && ns + margin_ns <= range_ns[1];
}

/* The one of @times that is nearest; @at remembers where, for both lists are in order. */
static bool verify_partner(const struct verify_times *times, size_t *at, uint64_t ns,
			   int64_t *distance)
{
	if (!times->n)
		return false;
	while (*at + 1 < times->n &&
	       llabs((int64_t)(ns - times->ns[*at + 1])) <= llabs((int64_t)(ns - times->ns[*at])))
		++*at;
	*distance = ns - times->ns[*at];
	return llabs(*distance) < (int64_t)VERIFY_MARGIN_NS;
}

static void verify_pair(struct verify_sync *sync, struct verify_stream *audio,
			const struct verify_frame *place, uint64_t beep_ns, int64_t distance)
{
	if (!sync->pairs || distance < sync->min_ns)
		sync->min_ns = distance;
	if (!sync->pairs || distance > sync->max_ns)
		sync->max_ns = distance;
	sync->pairs++;
	/* The first sample of a beep is the first one at or after the flash. */
	if (distance < 0 || distance > (int64_t)(TOOL_NSEC_PER_SEC / audio->format.audio.rate + 1))
		verify_bad(audio, place, "beep at %" PRIu64 " ns is %" PRId64 " ns after its flash",
			   beep_ns, distance);
}

/* A flash or a beep that is missing is no fault of its own where frames are missing. */
void verify_sync_check(struct verify_sync *sync, struct verify_stream *audio, bool has_losses)
{
	const struct verify_frame place = { .place = "picture and sound" };
	int64_t distance;
	size_t i, at;

	for (i = 0, at = 0; i < sync->beeps.n; i++) {
		if (!verify_is_in(sync->video_ns, sync->beeps.ns[i], 0))
			continue;
		if (verify_partner(&sync->flashes, &at, sync->beeps.ns[i], &distance))
			verify_pair(sync, audio, &place, sync->beeps.ns[i], distance);
		else if (!has_losses)
			verify_bad(audio, &place, "beep at %" PRIu64 " ns has no flash",
				   sync->beeps.ns[i]);
	}
	for (i = 0, at = 0; i < sync->flashes.n && !has_losses; i++) {
		if (verify_is_in(sync->audio_ns, sync->flashes.ns[i], VERIFY_MARGIN_NS) &&
		    !verify_partner(&sync->beeps, &at, sync->flashes.ns[i], &distance))
			verify_bad(audio, &place, "flash at %" PRIu64 " ns has no beep",
				   sync->flashes.ns[i]);
	}
}

void verify_sync_free(struct verify_sync *sync)
{
	free(sync->flashes.ns);
	free(sync->beeps.ns);
}
