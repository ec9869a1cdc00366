// SPDX-License-Identifier: MIT
/*
 * Files that are played, and those of raw frames. See source.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../record/recording.h"
#include "../suffix.h"
#include "source.h"

/* Sample frames that are sent at once. */
#define PLAY_PERIOD 480

/* Who gave us the file may not want to wait for it; we do. */
static void play_wait(int fd)
{
	struct pollfd file = { .fd = fd, .events = POLLIN };

	poll(&file, 1, -1);
}

ssize_t play_read(int fd, void *data, size_t length)
{
	size_t done = 0;
	ssize_t part;

	while (done < length) {
		part = read(fd, (char *)data + done, length - done);
		if (part < 0 && errno == EINTR && !tool_signals())
			continue;
		if (part < 0 && errno == EAGAIN) {
			play_wait(fd);
			continue;
		}
		if (part < 0)
			return -errno;
		if (!part)
			break;
		done += part;
	}
	return done;
}

int play_source_fail(int error, const struct play_source *source)
{
	return tool_signals() ? TOOL_OK : tool_fail(error, "%s", source->path);
}

/* ---------------------------------------------------------------- raw */

/* What the command line says goes before what an index says. */
static void play_merge_video(struct avring_video_format *video,
			     const struct avring_video_format *other)
{
	if (!video->pixelformat && !video->width) {
		video->pixelformat = other->pixelformat;
		video->width = other->width;
		video->height = other->height;
		video->bytesperline = other->bytesperline;
		video->sizeimage = other->sizeimage;
	}
	if (!video->rate_num) {
		video->rate_num = other->rate_num;
		video->rate_den = other->rate_den;
	}
}

static void play_merge_audio(struct avring_audio_format *audio,
			     const struct avring_audio_format *other)
{
	audio->format = audio->format ?: other->format;
	audio->rate = audio->rate ?: other->rate;
	audio->channels = audio->channels ?: other->channels;
}

/* What the index of raw frames says of them. */
static bool play_raw_index(const struct play_source *source, struct avring_stream_format *format)
{
	struct record_recording index;
	bool is_raw;

	if (source->fd == STDIN_FILENO)
		return false;
	is_raw = !record_recording_open(&index, source->path) && !strcmp(index.container, "raw");
	*format = index.format;
	record_recording_close(&index);
	return is_raw;
}

static void play_raw_ask_index(struct play_source *source)
{
	struct avring_stream_format format;

	if (!play_raw_index(source, &format) || format.stream != source->format.stream)
		return;
	if (format.stream == AVRING_STREAM_VIDEO)
		play_merge_video(&source->format.video, &format.video);
	else
		play_merge_audio(&source->format.audio, &format.audio);
}

static int play_raw_open(struct play_source *source)
{
	const struct avring_video_format *video = &source->format.video;
	const struct avring_audio_format *audio = &source->format.audio;
	const char *missing = "--size, --pixel-format and --fps";

	play_raw_ask_index(source);
	if (source->format.stream == AVRING_STREAM_VIDEO) {
		if (video->pixelformat && video->width && video->rate_num)
			return TOOL_OK;
	} else {
		if (audio->format && audio->rate && audio->channels)
			return TOOL_OK;
		missing = "--rate, --channels and --sample-format";
	}
	return tool_usage("%s: has no index, so it needs %s", source->path, missing);
}

static ssize_t play_raw_read(struct play_source *source, void *data, size_t length)
{
	return play_read(source->fd, data, length);
}

static int play_raw_rewind(struct play_source *source)
{
	return lseek(source->fd, source->begin, SEEK_SET) < 0 ? -errno : 0;
}

static void play_raw_close(struct play_source *source)
{
	(void)source;
}

const struct play_container play_raw = {
	.name = "raw",
	.suffixes = "raw",
	.stream = -1,
	.open = play_raw_open,
	.read = play_raw_read,
	.rewind = play_raw_rewind,
	.close = play_raw_close,
};

/* ---------------------------------------------------------------- any */

static const struct play_container *const play_containers[] = {
	&play_y4m,
	&play_sound,
	&play_raw,
};

static const struct play_container *play_container_find(const char *name, const char *path)
{
	const struct play_container *container;
	size_t i;

	for (i = 0; i < sizeof(play_containers) / sizeof(*play_containers); i++) {
		container = play_containers[i];
		if (name ? !strcmp(name, container->name) :
			   tool_suffix_is(path, container->suffixes))
			return container;
	}
	return &play_raw;
}

static void play_wished_format(struct avring_stream_format *format, const struct tool_wish *wish)
{
	if (format->stream == AVRING_STREAM_VIDEO) {
		format->video.pixelformat = wish->pixel_format;
		format->video.width = wish->size.width;
		format->video.height = wish->size.height;
		format->video.rate_num = wish->rate.num;
		format->video.rate_den = wish->rate.den;
		return;
	}
	format->audio.format = wish->sample_format;
	format->audio.rate = wish->sample_rate;
	format->audio.channels = wish->channels;
	format->audio.period_frames = wish->period ?: PLAY_PERIOD;
}

/* What is in it; pictures if nothing says so. */
static uint32_t play_source_stream(const struct play_source *source, int wished)
{
	struct avring_stream_format format;

	if (wished >= 0)
		return wished;
	if (source->container->stream >= 0)
		return source->container->stream;
	return play_raw_index(source, &format) ? format.stream : AVRING_STREAM_VIDEO;
}

int play_source_open(struct play_source *source, const char *path, const char *container,
		     int stream, const struct tool_wish *wish)
{
	bool is_stdin = !strcmp(path, "-");
	int status;

	*source = (struct play_source){
		.container = play_container_find(container, path),
		.path = is_stdin ? "stdin" : path,
		.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC),
	};
	if (source->fd < 0)
		return play_source_fail(errno, source);
	tool_end_on_signal(source->fd);
	if (stream >= 0 && source->container->stream >= 0 && stream != source->container->stream)
		return tool_usage("%s: has %s, not %s", source->path,
				  stream == AVRING_STREAM_VIDEO ? "sound" : "pictures",
				  stream == AVRING_STREAM_VIDEO ? "pictures" : "sound");
	source->format.stream = play_source_stream(source, stream);
	play_wished_format(&source->format, wish);
	status = source->container->open(source);
	if (status)
		source->container = NULL;
	return status;
}

void play_source_close(struct play_source *source)
{
	if (source->container)
		source->container->close(source);
	if (source->fd > STDIN_FILENO)
		close(source->fd);
	source->fd = -1;
}
