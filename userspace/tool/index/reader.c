// SPDX-License-Identifier: MIT
/*
 * The index of a recording, for reading. See reader.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

/* The readers of values want a row with a range; any will do here. */
static const struct tool_option index_any = { .max = UINT64_MAX };

/* The next line that is whole, as JSON; NULL and 0 or -EBADMSG. */
static json_t *index_reader_line(struct index_reader *reader, int *error)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t length = getline(&text, &room, reader->lines);
	json_t *line = NULL;

	*error = 0;
	if (length > 0) {
		reader->line++;
		/* What was being written when the power went has no end. */
		if (text[length - 1] == '\n')
			line = json_loads(text, 0, NULL);
		if (!json_is_object(line)) {
			json_decref(line);
			line = NULL;
			*error = -EBADMSG;
		}
	}
	free(text);
	return line;
}

/* Older indexes do not have them. */
static int index_read_colours(json_t *line, struct avring_video_format *video)
{
	json_t *colours = json_object_get(line, "colours");
	int colorspace, xfer_func, ycbcr_enc, quantization;

	if (!colours)
		return 0;
	if (json_unpack(colours, "{s:i, s:i, s:i, s:i}", "colorspace", &colorspace, "xfer_func",
			&xfer_func, "ycbcr_enc", &ycbcr_enc, "quantization", &quantization))
		return -EBADMSG;
	video->colorspace = colorspace;
	video->xfer_func = xfer_func;
	video->ycbcr_enc = ycbcr_enc;
	video->quantization = quantization;
	return 0;
}

static int index_read_video(json_t *line, struct avring_video_format *video)
{
	const char *pixel_format;
	int width, height, bytes_per_line, bytes, num, den;

	if (json_unpack(line, "{s:s, s:i, s:i, s:i, s:i, s:[i, i]}", "pixel_format", &pixel_format,
			"width", &width, "height", &height, "bytes_per_line", &bytes_per_line,
			"frame_bytes", &bytes, "rate", &num, &den))
		return -EBADMSG;
	if (width <= 0 || height <= 0 || bytes_per_line < 0 || bytes <= 0 || num <= 0 || den <= 0)
		return -EBADMSG;
	*video = (struct avring_video_format){ .width = width,
					       .height = height,
					       .bytesperline = bytes_per_line,
					       .sizeimage = bytes,
					       .rate_num = num,
					       .rate_den = den };
	if (tool_read_pixel_format(&index_any, pixel_format, &video->pixelformat))
		return -EBADMSG;
	return index_read_colours(line, video);
}

static int index_read_audio(json_t *line, struct avring_audio_format *audio)
{
	const char *sample_format;
	int rate, channels, bytes, period;

	if (json_unpack(line, "{s:s, s:i, s:i, s:i, s:i}", "sample_format", &sample_format, "rate",
			&rate, "channels", &channels, "frame_bytes", &bytes, "period_frames",
			&period))
		return -EBADMSG;
	if (rate <= 0 || channels <= 0 || bytes <= 0 || period < 0)
		return -EBADMSG;
	*audio = (struct avring_audio_format){
		.rate = rate, .channels = channels, .frame_bytes = bytes, .period_frames = period
	};
	if (tool_read_sample_format(&index_any, sample_format, &audio->format))
		return -EBADMSG;
	return (uint64_t)tool_sample_bytes(audio->format) * channels == (uint64_t)bytes ? 0 :
											  -EBADMSG;
}

static int index_read_header(struct index_reader *reader, json_t *line)
{
	struct avring_stream_format *format = &reader->format;
	const char *container, *stream;
	int version, stride;
	json_int_t offset;

	if (json_unpack(line, "{s:i, s:s, s:I, s:i, s:s}", "avring_index", &version, "container",
			&container, "offset", &offset, "stride", &stride, "stream", &stream))
		return -EBADMSG;
	if (version != 1 || offset < 0 || stride <= 0 ||
	    strlen(container) >= sizeof(reader->container))
		return -EBADMSG;
	strcpy(reader->container, container);
	reader->offset = offset;
	reader->stride = stride;
	/* Older ones do not have it. */
	reader->boot_ns = json_integer_value(json_object_get(line, "utc_ns")) -
			  json_integer_value(json_object_get(line, "monotonic_ns"));
	reader->has_card_clock = json_is_true(json_object_get(line, "card_clock"));
	if (!strcmp(stream, "audio")) {
		format->stream = AVRING_STREAM_AUDIO;
		return index_read_audio(line, &format->audio);
	}
	format->stream = AVRING_STREAM_VIDEO;
	return strcmp(stream, "video") ? -EBADMSG : index_read_video(line, &format->video);
}

int index_reader_open(struct index_reader *reader, const char *path)
{
	json_t *line;
	int error;

	*reader = (struct index_reader){ .path = index_path(path) };
	if (!reader->path)
		return -ENOMEM;
	reader->lines = fopen(reader->path, "re");
	if (!reader->lines)
		return -errno;
	line = index_reader_line(reader, &error);
	if (!line)
		return -EBADMSG;
	error = index_read_header(reader, line);
	json_decref(line);
	return error;
}

static int index_read_run(json_t *line, struct index_run *run)
{
	json_int_t offset, length, frames, sequence, event, time_ns, lost;
	int torn = 0, no_signal = 0;

	if (json_unpack(line, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s?b, s?b}", "offset", &offset,
			"length", &length, "frames", &frames, "sequence", &sequence, "event",
			&event, "time_ns", &time_ns, "lost", &lost, "torn", &torn, "no_signal",
			&no_signal))
		return -EBADMSG;
	if (offset < 0 || length <= 0 || frames <= 0 || lost < 0)
		return -EBADMSG;
	*run = (struct index_run){
		.offset = offset,
		.length = length,
		.frames = frames,
		.sequence = sequence,
		.event = event,
		.time_ns = time_ns,
		.lost = lost,
		.is_torn = torn,
		.is_no_signal = no_signal,
	};
	return 0;
}

int index_reader_next(struct index_reader *reader, struct index_run *run)
{
	json_t *line;
	int error;

	line = index_reader_line(reader, &error);
	if (!line)
		return error ?: -ENODATA;
	if (json_is_true(json_object_get(line, "end"))) {
		reader->is_ended = true;
		error = -ENODATA;
	} else {
		error = index_read_run(line, run);
	}
	json_decref(line);
	return error;
}

void index_reader_close(struct index_reader *reader)
{
	if (reader->lines)
		fclose(reader->lines);
	free(reader->path);
	reader->lines = NULL;
	reader->path = NULL;
}
