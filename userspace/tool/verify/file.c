// SPDX-License-Identifier: MIT
/*
 * Checking a recording: every frame that its index names. Pictures, raw or in Y4M, can
 * be checked without an index, by their stamps alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bytes.h"
#include "../index/reader.h"
#include "../suffix.h"
#include "../y4m.h"
#include "verify.h"

/* Sound is read in pieces of so many sample frames. */
#define VERIFY_PIECE 4096

/**
 * struct verify_reader - a recording that is checked
 * @settings: what to check
 * @path: of the recording
 * @fd: of it
 * @bytes: in it
 * @index: of it
 * @has_index: there is one
 * @is_y4m: there is none, and each frame has a line before it
 * @checked: account
 * @sync: flashes and beeps
 * @buffer: a frame, or a piece of sound
 * @stride: distance of frames
 */
struct verify_reader {
	const struct verify_settings *settings;
	const char *path;
	int fd;
	uint64_t bytes;
	struct index_reader index;
	bool has_index;
	bool is_y4m;
	struct verify_stream *checked;
	struct verify_sync *sync;
	unsigned char *buffer;
	uint32_t stride;
};

static int verify_read(struct verify_reader *reader, uint64_t offset, size_t length)
{
	size_t done = 0;
	ssize_t part;

	while (done < length) {
		part = pread(reader->fd, reader->buffer + done, length - done, offset + done);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return tool_fail(errno, "%s: read at byte %" PRIu64, reader->path,
					 offset + done);
		if (!part)
			break;
		done += part;
	}
	if (done == length)
		return TOOL_OK;
	tool_error("%s: ends at byte %" PRIu64 ", its index names a frame up to %" PRIu64,
		   reader->path, offset + done, offset + length);
	return TOOL_FAILED;
}

static void verify_frame_of_run(const struct verify_reader *reader, const struct index_run *run,
				uint64_t n, struct verify_frame *frame)
{
	struct tool_rate rate = tool_event_rate(&reader->checked->format);

	*frame = (struct verify_frame){
		.data = reader->buffer,
		.has_entry = true,
		.sequence = run->sequence + n,
		.event = run->event + n,
		/* The difference of two times on the grid: a run does not drift. */
		.time_ns = run->time_ns + tool_event_ns(run->event + n, rate.num, rate.den) -
			   tool_event_ns(run->event, rate.num, rate.den),
		.lost = n ? 0 : run->lost,
		.is_torn = run->is_torn,
		.is_no_signal = run->is_no_signal,
	};
}

/* One picture, or a piece of sound. */
static int verify_part_of_run(struct verify_reader *reader, const struct index_run *run, uint64_t n,
			      uint64_t count)
{
	const bool is_audio = reader->checked->format.stream == AVRING_STREAM_AUDIO;
	uint64_t offset = run->offset + n * reader->stride;
	size_t length = count * tool_frame_bytes(&reader->checked->format);
	struct verify_frame frame;
	char place[256];
	int status = verify_read(reader, offset, length);

	if (status)
		return status;
	snprintf(place, sizeof(place), "%s: frame %" PRIu64 " at byte %" PRIu64, reader->path,
		 run->sequence + n, offset);
	verify_frame_of_run(reader, run, n, &frame);
	frame.place = place;
	frame.count = count;
	frame.length = length;
	if (is_audio)
		verify_audio(reader->checked, reader->sync, &frame);
	else
		verify_video(reader->checked, reader->sync, &frame);
	return TOOL_OK;
}

static int verify_run(struct verify_reader *reader, const struct index_run *run)
{
	const bool is_audio = reader->checked->format.stream == AVRING_STREAM_AUDIO;
	uint64_t step = is_audio ? VERIFY_PIECE : 1, n, count;
	int status = TOOL_OK;

	for (n = 0; n < run->frames && !status && !tool_signals(); n += count) {
		count = run->frames - n < step ? run->frames - n : step;
		status = verify_part_of_run(reader, run, n, count);
	}
	return status;
}

/* What is behind the last frame of the index is not claimed by anybody. */
static int verify_index(struct verify_reader *reader)
{
	struct index_run run;
	int status = TOOL_OK, error;

	while (!status && !tool_signals()) {
		error = index_reader_next(&reader->index, &run);
		if (error == -ENODATA)
			break;
		if (error) {
			tool_error("%s: line %u is no run", reader->index.path, reader->index.line);
			return TOOL_FAILED;
		}
		status = verify_run(reader, &run);
	}
	if (!status && !reader->index.is_ended)
		tool_say("%s: was not closed; what it names was checked", reader->index.path);
	return status;
}

/* A picture of which only the bytes are known; it was read. */
static void verify_bare_frame(struct verify_reader *reader, uint64_t n, uint64_t offset)
{
	const uint32_t length = tool_frame_bytes(&reader->checked->format);
	struct verify_frame frame = { .data = reader->buffer, .length = length, .count = 1 };
	char place[256];

	snprintf(place, sizeof(place), "%s: frame %" PRIu64 " at byte %" PRIu64, reader->path, n,
		 offset);
	frame.place = place;
	verify_video(reader->checked, reader->sync, &frame);
}

static int verify_y4m_damaged(const struct verify_reader *reader, uint64_t n, const char *what)
{
	tool_error("%s: frame %" PRIu64 " %s", reader->path, n, what);
	return TOOL_FAILED;
}

static int verify_y4m(struct verify_reader *reader)
{
	const uint32_t length = tool_frame_bytes(&reader->checked->format);
	ssize_t done;
	uint64_t n;
	int error;

	for (n = 0; !tool_signals(); n++) {
		error = tool_y4m_frame(reader->fd);
		if (error == -ENODATA)
			break;
		if (error == -EBADMSG)
			return verify_y4m_damaged(reader, n, "does not begin with FRAME");
		done = error ? error : tool_bytes_read(reader->fd, reader->buffer, length);
		if (done < 0)
			return tool_fail(done, "%s: frame %" PRIu64, reader->path, n);
		if (done < length)
			return verify_y4m_damaged(reader, n, "is the last one, and not whole");
		verify_bare_frame(reader, n, lseek(reader->fd, 0, SEEK_CUR) - length);
	}
	return TOOL_OK;
}

static int verify_bare(struct verify_reader *reader)
{
	const uint32_t length = tool_frame_bytes(&reader->checked->format);
	uint64_t offset;
	int status;

	for (offset = 0; offset + length <= reader->bytes && !tool_signals(); offset += length) {
		status = verify_read(reader, offset, length);
		if (status)
			return status;
		verify_bare_frame(reader, offset / length, offset);
	}
	if (offset == reader->bytes)
		return TOOL_OK;
	tool_error("%s: the last %" PRIu64 " bytes are no whole frame of %u", reader->path,
		   reader->bytes - offset, length);
	return TOOL_FAILED;
}

/* ---------------------------------------------------------------- which format */

static int verify_wished_format(struct verify_reader *reader)
{
	const struct tool_wish *wish = &reader->settings->wish;
	struct avring_stream_format *format = &reader->checked->format;
	uint32_t bytes = tool_picture_bytes(wish->pixel_format, wish->size);

	if (format->stream == AVRING_STREAM_AUDIO) {
		tool_error("%s: sound needs its index, there is no %s", reader->path,
			   reader->index.path);
		return TOOL_FAILED;
	}
	if (!wish->pixel_format || !wish->size.width || !wish->rate.num)
		return tool_usage("%s: there is no %s, so --size, --pixel-format and --fps are needed",
				  reader->path, reader->index.path);
	if (!bytes)
		return tool_usage("--pixel-format %s: how large a frame is only an index can tell",
				  tool_fourcc(wish->pixel_format).text);
	format->video = (struct avring_video_format){
		.pixelformat = wish->pixel_format,
		.width = wish->size.width,
		.height = wish->size.height,
		.sizeimage = bytes,
		.rate_num = wish->rate.num,
		.rate_den = wish->rate.den,
	};
	return TOOL_OK;
}

static bool verify_is_y4m(const struct verify_reader *reader)
{
	char bytes[sizeof(TOOL_Y4M_MAGIC) - 1];

	return tool_suffix_is(reader->path, "y4m") ||
	       (pread(reader->fd, bytes, sizeof(bytes), 0) == sizeof(bytes) &&
		!memcmp(bytes, TOOL_Y4M_MAGIC, sizeof(bytes)));
}

static int verify_y4m_format(struct verify_reader *reader)
{
	const struct tool_wish *wish = &reader->settings->wish;
	struct avring_video_format *video = &reader->checked->format.video;
	struct tool_y4m y4m;
	int error;

	if (wish->size.width || wish->pixel_format)
		return tool_usage("%s: says size and pixel format itself", reader->path);
	error = tool_y4m_open(&y4m, reader->fd, wish->rate);
	if (error == -EBADMSG) {
		tool_error("%s: %s", reader->path, y4m.words);
		return TOOL_FAILED;
	}
	if (error)
		return tool_fail(error, "%s", reader->path);
	reader->is_y4m = true;
	*video = y4m.video;
	video->sizeimage = tool_picture_bytes(video->pixelformat,
					      (struct tool_size){ video->width, video->height });
	return TOOL_OK;
}

static int verify_find_format(struct verify_reader *reader, uint32_t stream)
{
	int error = index_reader_open(&reader->index, reader->path);

	reader->checked->format.stream = stream;
	if (error == -ENOENT && stream == AVRING_STREAM_VIDEO && verify_is_y4m(reader))
		return verify_y4m_format(reader);
	if (error == -ENOENT)
		return verify_wished_format(reader);
	if (error == -EBADMSG) {
		tool_error("%s: is no index of a recording", reader->index.path);
		return TOOL_FAILED;
	}
	if (error)
		return tool_fail(error, "%s", reader->index.path);
	if (reader->index.format.stream != stream) {
		tool_error("%s: has %s", reader->path,
			   stream == AVRING_STREAM_VIDEO ? "sound, not pictures" :
							   "pictures, not sound");
		return TOOL_FAILED;
	}
	reader->has_index = true;
	reader->checked->format = reader->index.format;
	reader->checked->has_card_clock = reader->index.has_card_clock;
	reader->stride = reader->index.stride;
	return TOOL_OK;
}

static int verify_open(struct verify_reader *reader, uint32_t stream)
{
	const struct avring_stream_format *format = &reader->checked->format;
	struct stat stat;
	int status;

	reader->fd = open(reader->path, O_RDONLY | O_CLOEXEC);
	if (reader->fd < 0 || fstat(reader->fd, &stat))
		return tool_fail(errno, "%s", reader->path);
	reader->bytes = stat.st_size;
	status = verify_find_format(reader, stream);
	if (status)
		return status;
	reader->buffer = malloc((size_t)tool_frame_bytes(format) *
				(stream == AVRING_STREAM_AUDIO ? VERIFY_PIECE : 1));
	return reader->buffer ? TOOL_OK : tool_fail(ENOMEM, "%s", reader->path);
}

static int verify_frames(struct verify_reader *reader)
{
	if (reader->has_index)
		return verify_index(reader);
	return reader->is_y4m ? verify_y4m(reader) : verify_bare(reader);
}

int verify_file(const struct verify_settings *settings, uint32_t stream,
		struct verify_result *result)
{
	struct verify_reader reader = {
		.settings = settings,
		.path = settings->paths[stream],
		.fd = -1,
		.checked = &result->streams[stream],
		.sync = &result->sync,
	};
	int status = verify_open(&reader, stream);

	result->has[stream] = true;
	if (!status)
		status = verify_frames(&reader);
	result->boot_ns[stream] = reader.index.boot_ns;
	index_reader_close(&reader.index);
	free(reader.buffer);
	if (reader.fd >= 0)
		close(reader.fd);
	return status;
}
