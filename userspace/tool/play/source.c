// SPDX-License-Identifier: MIT
/*
 * Files that are played, and those of raw frames. See source.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../bytes.h"
#include "../index/reader.h"
#include "../suffix.h"
#include "look.h"
#include "source.h"

/* Sample frames that are sent at once. */
#define PLAY_PERIOD 480

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
		video->colorspace = other->colorspace;
		video->xfer_func = other->xfer_func;
		video->ycbcr_enc = other->ycbcr_enc;
		video->quantization = other->quantization;
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

/* What the index says of the frames. */
static bool play_index(const struct play_source *source, struct index_reader *index)
{
	bool is_there = source->fd != STDIN_FILENO && !index_reader_open(index, source->path);

	if (source->fd != STDIN_FILENO)
		index_reader_close(index);
	return is_there;
}

static bool play_raw_index(const struct play_source *source, struct avring_stream_format *format)
{
	struct index_reader index;

	if (!play_index(source, &index) || strcmp(index.container, play_raw.name))
		return false;
	*format = index.format;
	return true;
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
	return tool_bytes_read(source->fd, data, length);
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

static const struct play_container *play_container_named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(play_containers) / sizeof(*play_containers); i++)
		if (!strcmp(name, play_containers[i]->name))
			return play_containers[i];
	/* The others that the recorder writes. */
	return &play_sound;
}

static const struct play_container *play_container_by_suffix(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(play_containers) / sizeof(*play_containers); i++)
		if (tool_suffix_is(path, play_containers[i]->suffixes))
			return play_containers[i];
	return NULL;
}

static int play_refuse_foreign(const struct play_source *source, const char *what)
{
	tool_error("%s: is %s, which is not played; have it read by ffmpeg: ffmpeg -v error -i FILE -pix_fmt yuv420p -f yuv4mpegpipe - | avring play -f y4m - DEVICE, or for its sound -f wav - | avring play -f sound - DEVICE",
		   source->path, what);
	return TOOL_FAILED;
}

/* Of a pipe the bytes have to be waited for, and raw frames may take their time. */
static ssize_t play_source_look(const struct play_source *source, const struct tool_wish *wish,
				void *bytes)
{
	bool is_raw = wish->size.width || wish->pixel_format || wish->sample_rate ||
		      wish->channels || wish->sample_format;

	if (lseek(source->fd, 0, SEEK_CUR) < 0 && (source->container || is_raw))
		return 0;
	return play_look(source->fd, bytes, PLAY_LOOK_BYTES);
}

/* What the file is: its index knows, then its first bytes, then its name. */
static int play_source_find(struct play_source *source, const struct tool_wish *wish)
{
	const struct play_container *container;
	struct index_reader index;
	char bytes[PLAY_LOOK_BYTES];
	const char *foreign;
	ssize_t length;

	source->container = play_container_by_suffix(source->path);
	if (play_index(source, &index)) {
		source->container = play_container_named(index.container);
		return TOOL_OK;
	}
	length = play_source_look(source, wish, bytes);
	if (length < 0)
		return play_source_fail(length, source);
	container = play_look_at(bytes, length, &foreign);
	if (!container && !foreign && !source->container && play_look_is_foreign(source->path))
		foreign = tool_suffix(source->path);
	source->container = container ?: source->container ?: &play_raw;
	return foreign ? play_refuse_foreign(source, foreign) : TOOL_OK;
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

static int play_source_open_file(struct play_source *source, const char *path)
{
	struct stat stat_of;
	bool is_stdin = !strcmp(path, "-");

	*source = (struct play_source){
		.path = is_stdin ? "stdin" : path,
		.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC),
	};
	if (source->fd < 0 || fstat(source->fd, &stat_of))
		return play_source_fail(errno, source);
	tool_end_on_signal(source->fd);
	if (!S_ISDIR(stat_of.st_mode))
		return TOOL_OK;
	tool_error("%s: is a directory; expected a film or a sound file in it", source->path);
	return TOOL_FAILED;
}

static int play_source_begin(struct play_source *source, int stream, const struct tool_wish *wish)
{
	if (stream >= 0 && source->container->stream >= 0 && stream != source->container->stream)
		return tool_usage("%s: has %s, not %s", source->path,
				  stream == AVRING_STREAM_VIDEO ? "sound" : "pictures",
				  stream == AVRING_STREAM_VIDEO ? "pictures" : "sound");
	source->format.stream = play_source_stream(source, stream);
	play_wished_format(&source->format, wish);
	return source->container->open(source);
}

int play_source_open(struct play_source *source, const char *path, const char *container,
		     int stream, const struct tool_wish *wish)
{
	int status = play_source_open_file(source, path);

	if (!status && container)
		source->container = play_container_named(container);
	else if (!status)
		status = play_source_find(source, wish);
	if (!status && !tool_signals()) {
		status = play_source_begin(source, stream, wish);
		source->is_open = !status;
	}
	return status;
}

void play_source_close(struct play_source *source)
{
	if (source->is_open)
		source->container->close(source);
	source->is_open = false;
	if (source->fd > STDIN_FILENO)
		close(source->fd);
	source->fd = -1;
}
