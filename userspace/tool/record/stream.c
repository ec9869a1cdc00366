// SPDX-License-Identifier: MIT
/*
 * One stream of a recording. See stream.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "cut.h"
#include "stream.h"

/* Two times that differ by less are the same. */
#define RECORD_GRID_NS 1000

/* So many steps of a clock are told one by one. */
#define RECORD_STEPS_TOLD 5

int record_stream_open(struct record_stream *stream, const struct record_settings *settings,
		       uint32_t which)
{
	struct record_output *output = &stream->output;
	struct tool_wish wish = settings->wish;
	const char *refusal;
	int status;

	wish.device = settings->device;
	wish.stream = which;
	wish.tight = which == AVRING_STREAM_VIDEO;
	record_output_init(output);
	stream->device = settings->device;
	stream->frames_left = UINT64_MAX;
	output->settings = settings;
	output->path = settings->paths[which];
	output->sink.container = record_container_find(settings->format, output->path);
	output->sink.no_direct = settings->no_direct;
	/* Nobody asks other devices about their fields. */
	output->sink.is_progressive = tool_device_kind(settings->device) == TOOL_DEVICE_CARD;
	record_timeline_empty(&stream->timeline);
	status = tool_reader_open(&stream->reader, &wish);
	if (status)
		return status;
	stream->format = *avring_reader_format(stream->reader);
	output->reader = stream->reader;
	output->format = &stream->format;
	record_output_set_ring(output);
	refusal = output->sink.container->refuses(&stream->format);
	if (!refusal)
		return TOOL_OK;
	tool_error("%s: cannot hold %s: %s", output->path, tool_format_text(&stream->format).text,
		   refusal);
	return TOOL_FAILED;
}

static void record_stream_fail(struct record_stream *stream, int error, const char *what)
{
	/* A card that is gone is gone for both. */
	if (*stream->is_told)
		stream->output.status = stream->output.status ?: TOOL_FAILED;
	record_output_fail(&stream->output, error, stream->device, what);
	*stream->is_told = true;
	stream->is_done = true;
}

/* The same pictures or sound, perhaps in another ring. */
static bool record_same_format(const struct avring_stream_format *a,
			       const struct avring_stream_format *b)
{
	if (a->stream == AVRING_STREAM_AUDIO)
		return a->audio.format == b->audio.format && a->audio.rate == b->audio.rate &&
		       a->audio.channels == b->audio.channels;
	return a->video.pixelformat == b->video.pixelformat && a->video.width == b->video.width &&
	       a->video.height == b->video.height &&
	       a->video.bytesperline == b->video.bytesperline &&
	       a->video.sizeimage == b->video.sizeimage &&
	       (uint64_t)a->video.rate_num * b->video.rate_den ==
		       (uint64_t)b->video.rate_num * a->video.rate_den;
}

static bool record_same_colours(const struct avring_stream_format *a,
				const struct avring_stream_format *b)
{
	return a->stream == AVRING_STREAM_AUDIO || (a->video.colorspace == b->video.colorspace &&
						    a->video.xfer_func == b->video.xfer_func &&
						    a->video.ycbcr_enc == b->video.ycbcr_enc &&
						    a->video.quantization == b->video.quantization);
}

/* A producer that comes or goes begins a new ring; one file can hold what both have. */
static void record_stream_renew(struct record_stream *stream)
{
	const struct avring_stream_format *format;
	int error;

	record_output_flush(&stream->output);
	error = avring_reader_renew(stream->reader);
	if (error) {
		record_stream_fail(stream, error, "attach to the next ring");
		return;
	}
	format = avring_reader_format(stream->reader);
	if (record_same_format(&stream->format, format)) {
		if (!record_same_colours(&stream->format, format))
			tool_error("%s: range or colours have changed, %s says what they were",
				   stream->device, stream->output.path);
		record_output_set_ring(&stream->output);
		return;
	}
	if (stream->output.status == TOOL_OK)
		tool_error("%s: the format has changed to %s, the recording ends", stream->device,
			   tool_format_text(format).text);
	stream->output.status = TOOL_FAILED;
	stream->is_done = true;
}

/* So many bytes of sound may be taken at once: it stops where the next file begins. */
static size_t record_stream_room(const struct record_stream *stream)
{
	uint64_t bytes = stream->output.sink.chunk, end_ns = stream->output.end_ns, frames;

	if (!stream->is_begun || end_ns == UINT64_MAX || stream->next_ns >= end_ns)
		return bytes;
	frames = (unsigned __int128)(end_ns - stream->next_ns) * stream->format.audio.rate /
		 TOOL_NSEC_PER_SEC;
	frames *= stream->format.audio.frame_bytes;
	return frames < bytes ? frames : bytes;
}

/* Each picture has a time of its own; sound is what lies between two times. */
static int record_stream_next(struct record_stream *stream)
{
	if (stream->format.stream == AVRING_STREAM_VIDEO)
		return avring_reader_next(stream->reader, &stream->held);
	return avring_reader_next_run(stream->reader, &stream->held, record_stream_room(stream));
}

/* Bytes that a picture has at least; a device may end its frames with some more. */
static uint64_t record_stream_least_bytes(const struct record_stream *stream)
{
	const struct avring_video_format *video = &stream->format.video;
	uint64_t bytes = tool_picture_bytes(video->pixelformat,
					    (struct tool_size){ video->width, video->height });

	if (!bytes)
		bytes = (uint64_t)video->bytesperline * video->height;
	return bytes < video->sizeimage ? bytes : video->sizeimage;
}

/* Sound is never damaged: chunks end early, and the next one begins later. */
static bool record_stream_is_damaged(const struct record_stream *stream)
{
	const struct avring_span *held = &stream->held;

	if (held->flags & AVRING_ENTRY_DAMAGED)
		return true;
	/* Compressed pictures have any length, and no lines. */
	return stream->format.stream == AVRING_STREAM_VIDEO && stream->format.video.bytesperline &&
	       held->length < record_stream_least_bytes(stream);
}

/* A clock that jumps without end is told in numbers at the end. */
static void record_stream_tell_step(const struct record_stream *stream, int64_t step_ns)
{
	const double step = (double)step_ns / TOOL_NSEC_PER_SEC;

	if (!stream->timeline.steps)
		tool_say("%s: its clock is %.3f s %s ours; times are written on ours",
			 stream->device, fabs(step), step < 0 ? "behind" : "ahead of");
	else if (stream->timeline.steps <= RECORD_STEPS_TOLD)
		tool_error("%s: its clock jumps by %+.3f s at frame %" PRIu64
			   "; times go on without that",
			   stream->device, step, stream->held.sequence);
}

/* What was read is held, at its time. */
static void record_stream_hold(struct record_stream *stream)
{
	int64_t step_ns = record_timeline_take(&stream->timeline, &stream->format, &stream->held);

	stream->has_held = true;
	if (step_ns)
		record_stream_tell_step(stream, step_ns);
}

bool record_stream_peek(struct record_stream *stream)
{
	int error;

	while (!stream->has_held && !stream->is_done) {
		error = record_stream_next(stream);
		if (error == -EAGAIN) {
			record_timeline_empty(&stream->timeline);
			return false;
		}
		if (error == -ESTALE)
			record_stream_renew(stream);
		else if (error)
			record_stream_fail(stream, error, "read");
		else
			record_stream_hold(stream);
		/* A recording begins with a frame that is whole. */
		if (stream->has_held && !stream->is_begun && record_stream_is_damaged(stream))
			record_stream_drop(stream);
	}
	return stream->has_held;
}

void record_stream_drop(struct record_stream *stream)
{
	avring_reader_release(stream->reader, &stream->held);
	stream->has_held = false;
}

/* @part: what is kept of the span. */
static void record_stream_keep(struct record_stream *stream, struct avring_span *part,
			       uint64_t start_ns)
{
	part->lost += stream->missing;
	stream->missing = 0;
	if (!stream->is_begun) {
		/* What was missed before the beginning is not missing. */
		part->lost = 0;
		record_output_start(&stream->output, start_ns);
	}
	stream->is_begun = true;
	stream->has_held = false;
	stream->frames_left -= stream->frames_left == UINT64_MAX ? 0 : part->count;
	stream->next_ns = record_span_ns(&stream->format, part, part->count);
	record_output_put(&stream->output, &stream->held, part);
}

/* Of the frames that are missing before the next span: how many were before the end? */
static uint64_t record_stream_lost_before(const struct record_stream *stream, uint64_t end_ns)
{
	struct tool_rate rate = tool_event_rate(&stream->format);
	uint64_t second = rate.den * TOOL_NSEC_PER_SEC, lost;

	if (!stream->is_begun || !second || stream->next_ns + RECORD_GRID_NS >= end_ns)
		return 0;
	lost = ((end_ns - stream->next_ns - RECORD_GRID_NS) * (unsigned __int128)rate.num + second -
		1) /
	       second;
	return lost < stream->held.lost ? lost : stream->held.lost;
}

void record_stream_take(struct record_stream *stream, uint64_t start_ns, uint64_t end_ns)
{
	const struct avring_span *held = &stream->held;
	struct avring_span part = *held;
	uint64_t behind_ns = record_span_ns(&stream->format, held, held->count);

	/* A time that is a little wrong must not put a frame before the beginning. */
	if (stream->is_begun)
		start_ns = 0;
	if (!record_cut(&stream->format, &part, start_ns, end_ns, stream->frames_left)) {
		if (held->time_ns >= end_ns)
			stream->missing += record_stream_lost_before(stream, end_ns);
		record_stream_drop(stream);
	} else if (record_stream_is_damaged(stream)) {
		stream->missing += part.lost + part.count;
		record_stream_drop(stream);
		/* Who waits for a frame that follows on these would be overtaken. */
		record_output_flush(&stream->output);
	} else {
		record_stream_keep(stream, &part, start_ns);
	}
	if (behind_ns >= end_ns || !stream->frames_left || stream->output.status != TOOL_OK)
		stream->is_done = true;
}

struct avring_watermark record_stream_watermark(const struct record_stream *stream)
{
	const struct record_sink *sink = &stream->output.sink;
	uint64_t bytes = sink->chunk - sink->pending % sink->chunk;
	uint64_t frame = tool_frame_bytes(&stream->format);

	if (!stream->is_begun || sink->file.is_stream)
		return (struct avring_watermark){ .entries = 1 };
	if (stream->frames_left < bytes / frame + 1)
		bytes = stream->frames_left * frame;
	return (struct avring_watermark){ .entries = 1, .bytes = bytes };
}

void record_stream_close(struct record_stream *stream)
{
	if (stream->has_held)
		record_stream_drop(stream);
	record_output_miss(&stream->output, stream->missing);
	record_output_end(&stream->output);
	avring_reader_close(stream->reader);
	stream->reader = NULL;
}
