// SPDX-License-Identifier: MIT
/*
 * Raw: the bytes of the frames and nothing else.
 *
 * Frames that lie tightly in the ring are one stream of bytes there, across the
 * wrap as well, for the ring is mapped twice in a row. So they are not written one
 * by one, but in chunks of whole blocks, wherever frames begin and end.
 */
#include <errno.h>
#include <string.h>

#include "sink.h"

static const char *record_raw_refuses(const struct avring_stream_format *format)
{
	(void)format;
	return NULL;
}

static void record_raw_tell(struct record_sink *sink, const char *why)
{
	if (!sink->was_told)
		tool_say("%s: written through the page cache, not with O_DIRECT: %s",
			 sink->file.path, why);
	sink->was_told = true;
}

static int record_raw_open(struct record_sink *sink)
{
	int error;

	sink->stride = sink->format->stream == AVRING_STREAM_VIDEO ?
			       sink->format->video.sizeimage :
			       sink->format->audio.frame_bytes;
	sink->pending = 0;
	sink->begin = 0;
	if (sink->file.is_stream || sink->no_direct)
		return 0;
	error = record_file_go_direct(&sink->file);
	if (error) {
		record_raw_tell(sink, strerror(-error));
	} else if (sink->file.block > sink->ring.length / 2) {
		record_raw_tell(sink, "the ring is too short for its blocks");
		record_file_go_buffered(&sink->file);
	}
	return 0;
}

static const void *record_raw_data(const struct record_sink *sink)
{
	return (const char *)sink->ring.data + sink->position % sink->ring.length;
}

static void record_raw_written(struct record_sink *sink, uint64_t before)
{
	sink->pending -= sink->file.written - before;
	sink->position += sink->file.written - before;
}

/* A file system may take the flag and refuse the write. */
static bool record_raw_give_up(struct record_sink *sink, int error)
{
	if (!record_file_is_refusal(error) || sink->file.block == 1)
		return false;
	record_raw_tell(sink, strerror(-error));
	record_file_go_buffered(&sink->file);
	return true;
}

/* @length: whole blocks, or anything if the file is buffered. */
static int record_raw_write(struct record_sink *sink, size_t length)
{
	uint64_t before = sink->file.written;
	int error;

	if (!length)
		return 0;
	if (!record_file_fits(&sink->file, record_raw_data(sink))) {
		record_raw_tell(sink,
				"frames do not lie in the ring as the file system wants them");
		record_file_go_buffered(&sink->file);
	}
	error = record_file_write(&sink->file, record_raw_data(sink), length);
	record_raw_written(sink, before);
	if (!record_raw_give_up(sink, error))
		return error;
	return record_raw_write(sink, length - (sink->file.written - before));
}

/* The last block is written whole if it is one, there is memory to its end, and a file to cut. */
static bool record_raw_can_overshoot(const struct record_sink *sink)
{
	uint64_t end = sink->position % sink->ring.length + sink->file.block;

	return sink->pending < sink->file.block && sink->file.is_regular &&
	       end <= 2 * sink->ring.length && record_file_fits(&sink->file, record_raw_data(sink));
}

static int record_raw_write_tail(struct record_sink *sink)
{
	uint64_t before = sink->file.written;
	int error;

	if (!record_raw_can_overshoot(sink)) {
		record_file_go_buffered(&sink->file);
		return record_raw_write(sink, sink->pending);
	}
	error = record_file_write_tail(&sink->file, record_raw_data(sink), sink->pending);
	record_raw_written(sink, before);
	return record_raw_give_up(sink, error) ? record_raw_write(sink, sink->pending) : error;
}

static int record_raw_flush(struct record_sink *sink, bool is_end)
{
	int error = record_raw_write(sink, sink->pending - sink->pending % sink->file.block);

	if (error || !sink->pending)
		return error;
	if (is_end)
		return record_raw_write_tail(sink);
	/* What follows lies elsewhere, so a block would have to be put together from two. */
	record_raw_tell(sink, "frames do not follow on each other in the ring");
	record_file_go_buffered(&sink->file);
	return record_raw_write(sink, sink->pending);
}

/* Whole blocks: as many as a chunk has, at least one. */
static size_t record_raw_step(const struct record_sink *sink)
{
	size_t step = sink->chunk - sink->chunk % sink->file.block;

	return step ?: sink->file.block;
}

static int record_raw_put(struct record_sink *sink, const struct avring_span *span,
			  uint64_t *offset)
{
	int error = 0;

	if (sink->pending && sink->position + sink->pending != span->position)
		error = record_raw_flush(sink, false);
	if (error)
		return error;
	if (!sink->pending)
		sink->position = span->position;
	*offset = sink->file.written + sink->pending;
	sink->pending += span->length;
	/* Whoever reads a pipe wants frames when they come. */
	if (sink->file.is_stream)
		return record_raw_write(sink, sink->pending);
	while (!error && sink->pending >= record_raw_step(sink))
		error = record_raw_write(sink, record_raw_step(sink));
	return error;
}

static int record_raw_close(struct record_sink *sink, uint64_t length)
{
	return record_file_cut(&sink->file, length);
}

const struct record_container record_raw = {
	.name = "raw",
	/* Pictures of MJPG and H264 are such files, one behind the other. */
	.suffixes =
		"raw yuv rgb bgr gray grey yuyv uyvy nv12 pcm s16 s24 s32 f32 bin dat data mjpeg mjpg h264 264 h265 hevc",
	.refuses = record_raw_refuses,
	.open = record_raw_open,
	.put = record_raw_put,
	.flush = record_raw_flush,
	.close = record_raw_close,
};
