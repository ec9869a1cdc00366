// SPDX-License-Identifier: MIT
/*
 * Y4M: planar pictures with one line of text before the film and one before each
 * frame. The line makes every frame begin at an odd place, so it cannot be written
 * with O_DIRECT.
 */
#include <linux/videodev2.h>
#include <stdio.h>

#include "../reader.h"
#include "sink.h"

#define RECORD_Y4M_FRAME "FRAME\n"
#define RECORD_Y4M_FRAME_BYTES (sizeof(RECORD_Y4M_FRAME) - 1)

static const char *record_y4m_colorspace(uint32_t pixelformat)
{
	switch (pixelformat) {
	case V4L2_PIX_FMT_YUV420:
		return "420jpeg";
	case V4L2_PIX_FMT_GREY:
		return "mono";
	default:
		return NULL;
	}
}

static const char *record_y4m_refuses(const struct avring_stream_format *format)
{
	struct tool_size size = { format->video.width, format->video.height };

	if (format->stream != AVRING_STREAM_VIDEO)
		return "Y4M holds pictures: use --format wav or raw for sound";
	if (!record_y4m_colorspace(format->video.pixelformat))
		return "pixels are not converted: use --pixel-format YUV420, or --format raw";
	if (format->video.bytesperline != format->video.width)
		return "Y4M holds lines without padding: use --format raw";
	if (format->video.sizeimage != tool_picture_bytes(format->video.pixelformat, size))
		return "Y4M holds pictures without padding: use --format raw";
	return NULL;
}

/* "mono" without a range is read as limited range by those who care. */
static int record_y4m_open(struct record_sink *sink)
{
	const struct avring_video_format *video = &sink->format->video;
	char line[128];
	int length;

	sink->stride = RECORD_Y4M_FRAME_BYTES + video->sizeimage;
	length = snprintf(line, sizeof(line), "YUV4MPEG2 W%u H%u F%u:%u I%c A1:1 C%s%s\n",
			  video->width, video->height, video->rate_num, video->rate_den,
			  sink->is_progressive ? 'p' : '?',
			  record_y4m_colorspace(video->pixelformat),
			  video->quantization == V4L2_QUANTIZATION_FULL_RANGE ?
				  " XCOLORRANGE=FULL" :
				  "");
	sink->begin = length;
	return record_file_write(&sink->file, line, length);
}

static int record_y4m_put(struct record_sink *sink, const struct avring_span *span,
			  uint64_t *offset)
{
	*offset = sink->file.written + RECORD_Y4M_FRAME_BYTES;
	return record_file_write_pair(&sink->file, RECORD_Y4M_FRAME, RECORD_Y4M_FRAME_BYTES,
				      span->data, span->length);
}

static int record_y4m_flush(struct record_sink *sink, bool is_end)
{
	(void)sink;
	(void)is_end;
	return 0;
}

static int record_y4m_close(struct record_sink *sink, uint64_t length)
{
	return record_file_cut(&sink->file, length);
}

const struct record_container record_y4m = {
	.name = "y4m",
	.suffixes = "y4m",
	.refuses = record_y4m_refuses,
	.open = record_y4m_open,
	.put = record_y4m_put,
	.flush = record_y4m_flush,
	.close = record_y4m_close,
};
