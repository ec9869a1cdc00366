// SPDX-License-Identifier: MIT
/*
 * format: what follows from a format. Formats of pictures and sound that a card
 * has; for others a caller must say what cannot be computed.
 */
#include <linux/videodev2.h>
#include <sound/asound.h>

#include "../pixels.h"
#include "internal.h"

/* Of a ring whose length nobody wished. */
#define AVRING_DEFAULT_FRAMES 8

bool avring_format_has_video_reserved(const struct avring_video_format *video)
{
	for (size_t i = 0; i < sizeof(video->reserved) / sizeof(video->reserved[0]); i++)
		if (video->reserved[i])
			return true;
	return false;
}

void avring_format_fill_planes(struct avring_video_format *video)
{
	const struct avring_pixels *pixels = avring_pixels_find(video->pixelformat);
	uint32_t at = video->bytesperline * video->height, stride;

	if (!pixels || video->planes)
		return;
	stride = video->bytesperline * pixels->per_two / 2;
	video->planes = 1 + pixels->planes;
	video->plane[0] = (struct avring_video_plane){ .bytesperline = video->bytesperline };
	for (uint32_t i = 1; i < video->planes; i++) {
		video->plane[i] = (struct avring_video_plane){ at, stride };
		at += stride * (video->height / pixels->lines);
	}
}

static int avring_format_complete_video(struct avring_video_format *video)
{
	const struct avring_pixels *pixels = avring_pixels_find(video->pixelformat);
	uint64_t line, size;

	/* So that the product of a line and the height fits. */
	if (video->width > UINT16_MAX || video->height > UINT16_MAX)
		return -EINVAL;
	if (!video->width || !video->height || !video->rate_num || !video->rate_den ||
	    video->planes > AVRING_VIDEO_PLANES || avring_format_has_video_reserved(video))
		return -EINVAL;
	video->field = video->field ?: V4L2_FIELD_NONE;
	if (!pixels)
		return video->sizeimage ? 0 : -EINVAL;
	line = avring_max(video->bytesperline, (uint64_t)video->width * pixels->bytes);
	if (line * video->height > UINT32_MAX)
		return -EINVAL;
	size = avring_max(video->sizeimage,
			  line * video->height * pixels->bits / (8 * pixels->bytes));
	if (size > UINT32_MAX)
		return -EINVAL;
	video->bytesperline = line;
	video->sizeimage = size;
	avring_format_fill_planes(video);
	return 0;
}

uint32_t avring_format_sample_bytes(uint32_t format)
{
	switch (format) {
	case (uint32_t)SNDRV_PCM_FORMAT_S16_LE:
		return 2;
	case (uint32_t)SNDRV_PCM_FORMAT_S24_3LE:
		return 3;
	case (uint32_t)SNDRV_PCM_FORMAT_S24_LE:
	case (uint32_t)SNDRV_PCM_FORMAT_S32_LE:
	case (uint32_t)SNDRV_PCM_FORMAT_FLOAT_LE:
		return 4;
	}
	return 0;
}

bool avring_format_has_reserved(const struct avring_audio_format *audio)
{
	for (size_t i = 0; i < sizeof(audio->reserved) / sizeof(audio->reserved[0]); i++)
		if (audio->reserved[i])
			return true;
	return false;
}

bool avring_format_has_sound(const struct avring_audio_format *wish,
			     const struct avring_audio_format *got)
{
	return (!wish->format || wish->format == got->format) &&
	       (!wish->rate || wish->rate == got->rate) &&
	       (!wish->channels || wish->channels == got->channels) &&
	       (!wish->frame_bytes || wish->frame_bytes == got->frame_bytes) &&
	       (!wish->period_frames || wish->period_frames == got->period_frames);
}

static int avring_format_complete_audio(struct avring_audio_format *audio)
{
	uint32_t bytes;

	audio->format = audio->format ?: (uint32_t)SNDRV_PCM_FORMAT_S16_LE;
	audio->rate = audio->rate ?: 48000;
	audio->channels = audio->channels ?: 2;
	audio->period_frames = audio->period_frames ?: 480;
	bytes = avring_format_sample_bytes(audio->format) * audio->channels;
	if (avring_format_has_reserved(audio))
		return -EINVAL;
	if (!bytes || audio->channels > 8 || audio->rate < 8000 || audio->rate > 192000 ||
	    audio->period_frames < AVRING_PERIOD_MIN || audio->period_frames > AVRING_PERIOD_MAX)
		return -EINVAL;
	if (audio->frame_bytes && audio->frame_bytes != bytes)
		return -EINVAL;
	audio->frame_bytes = bytes;
	return 0;
}

int avring_format_complete(struct avring_stream_format *format)
{
	if (format->reserved)
		return -EINVAL;
	switch (format->stream) {
	case AVRING_STREAM_VIDEO:
		return avring_format_complete_video(&format->video);
	case AVRING_STREAM_AUDIO:
		return avring_format_complete_audio(&format->audio);
	}
	return -EINVAL;
}

uint64_t avring_format_frame_bytes(const struct avring_stream_format *format)
{
	if (format->stream == AVRING_STREAM_VIDEO)
		return format->video.sizeimage;
	return (uint64_t)format->audio.period_frames * format->audio.frame_bytes;
}

uint64_t avring_format_time_ns(const struct avring_stream_format *format, uint64_t count)
{
	uint64_t num = format->audio.rate, den = 1;

	if (format->stream == AVRING_STREAM_VIDEO) {
		num = format->video.rate_num;
		den = format->video.rate_den;
	}
	if (!num)
		return 0;
	return (double)count * den * AVRING_NSEC_PER_SEC / num;
}

/* Entries of half a second. */
static uint64_t avring_format_half_second(const struct avring_stream_format *format)
{
	const struct avring_audio_format *audio = &format->audio;
	const struct avring_video_format *video = &format->video;

	if (format->stream == AVRING_STREAM_AUDIO)
		return (audio->rate / 2 + audio->period_frames - 1) / audio->period_frames;
	return (video->rate_num + 2ULL * video->rate_den - 1) / (2ULL * video->rate_den);
}

int avring_format_ring(const struct avring_stream_format *format,
		       const struct avring_options *options, uint32_t *align, uint64_t *length)
{
	const size_t page = avring_page_size();
	uint64_t stride, frames;

	if (format->stream == AVRING_STREAM_AUDIO)
		*align = 1;
	else
		*align = options->align ?: page;
	stride = avring_align(avring_format_frame_bytes(format), *align);
	if (options->ring_bytes > INT64_MAX / 4)
		return -EFBIG;
	*length = avring_align(avring_max(options->ring_bytes, 2 * stride), page);
	if (options->ring_bytes)
		return 0;
	frames = avring_max(avring_format_half_second(format), AVRING_DEFAULT_FRAMES);
	if (frames > INT64_MAX / 4 / stride)
		return -EFBIG;
	*length = avring_align(frames * stride, AVRING_HUGE_PAGE);
	return 0;
}
