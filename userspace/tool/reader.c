// SPDX-License-Identifier: MIT
/*
 * Opening a stream for reading, as the options of a command wish it.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "../pixels.h"
#include "card.h"
#include "reader.h"

const char *tool_device_path(const char *device)
{
	static char path[PATH_MAX];

	return !strncmp(device, "/dev/", 5) && realpath(device, path) ? path : device;
}

/* "avring0", but not "avring-film.raw". */
static bool tool_is_card(const char *path)
{
	const char *name = strncmp(path, "/dev/", 5) ? path : path + 5;
	size_t digits;

	if (strncmp(name, "avring", 6))
		return false;
	digits = strspn(name + 6, "0123456789");
	return digits && !name[6 + digits];
}

enum tool_device_kind tool_device_kind(const char *device)
{
	const char *path = tool_device_path(device);

	if (tool_is_card(path))
		return TOOL_DEVICE_CARD;
	return strncmp(path, "/dev/", 5) ? TOOL_DEVICE_ALSA : TOOL_DEVICE_V4L2;
}

uint32_t tool_frame_bytes(const struct avring_stream_format *format)
{
	return format->stream == AVRING_STREAM_VIDEO ? format->video.sizeimage :
						       format->audio.frame_bytes;
}

uint32_t tool_picture_bytes(uint32_t pixelformat, struct tool_size size)
{
	const struct avring_pixels *pixels = avring_pixels_find(pixelformat);
	const uint64_t n = (uint64_t)size.width * size.height;

	return pixels && n <= UINT32_MAX / 4 ? n * pixels->bits / 8 : 0;
}

struct tool_rate tool_event_rate(const struct avring_stream_format *format)
{
	if (format->stream == AVRING_STREAM_AUDIO)
		return (struct tool_rate){ format->audio.rate, 1 };
	return (struct tool_rate){ format->video.rate_num, format->video.rate_den };
}

uint64_t tool_bytes_per_second(const struct avring_stream_format *format)
{
	struct tool_rate rate = tool_event_rate(format);

	/* A device may know no rate. */
	return rate.den ? (uint64_t)tool_frame_bytes(format) * rate.num / rate.den : 0;
}

static void tool_rate_text(struct tool_rate rate, char *text, size_t size)
{
	if (rate.den == 1)
		snprintf(text, size, "%u fps", rate.num);
	else
		snprintf(text, size, "%u/%u fps", rate.num, rate.den);
}

struct tool_format_text tool_format_text(const struct avring_stream_format *format)
{
	const struct avring_video_format *video = &format->video;
	const struct avring_audio_format *audio = &format->audio;
	struct tool_format_text out;
	char rate[32];

	if (format->stream == AVRING_STREAM_AUDIO) {
		snprintf(out.text, sizeof(out.text), "%u Hz %s, %u channels, periods of %u",
			 audio->rate, tool_sample_format(audio->format), audio->channels,
			 audio->period_frames);
		return out;
	}
	tool_rate_text(tool_event_rate(format), rate, sizeof(rate));
	snprintf(out.text, sizeof(out.text), "%ux%u %s, %s", video->width, video->height,
		 tool_fourcc(video->pixelformat).text, rate);
	return out;
}

json_t *tool_format_json(const struct avring_stream_format *format)
{
	const struct avring_video_format *video = &format->video;
	const struct avring_audio_format *audio = &format->audio;

	if (format->stream == AVRING_STREAM_AUDIO)
		return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "stream", "audio",
				 "sample_format", tool_sample_format(audio->format), "rate",
				 audio->rate, "channels", audio->channels, "frame_bytes",
				 audio->frame_bytes, "period_frames", audio->period_frames);
	return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:[i, i]}", "stream", "video",
			 "pixel_format", tool_fourcc(video->pixelformat).text, "width",
			 video->width, "height", video->height, "bytes_per_line",
			 video->bytesperline, "frame_bytes", video->sizeimage, "rate",
			 video->rate_num, video->rate_den);
}

static struct avring_options tool_wish_options(const struct tool_wish *wish)
{
	struct avring_options options = {
		.size = sizeof(options),
		.stream = wish->stream,
		.oldest = wish->oldest,
		.ring_bytes = wish->ring_length.bytes,
	};

	if (wish->stream == AVRING_STREAM_VIDEO) {
		options.video.width = wish->size.width;
		options.video.height = wish->size.height;
		options.video.pixelformat = wish->pixel_format;
		options.video.rate_num = wish->rate.num;
		options.video.rate_den = wish->rate.den;
		options.align = wish->tight;
	} else {
		options.audio.rate = wish->sample_rate;
		options.audio.channels = wish->channels;
		options.audio.period_frames = wish->period;
		options.audio.format = wish->sample_format;
	}
	return options;
}

/* The ring as somebody else has set it up. */
static struct avring_options tool_keep_options(const struct tool_wish *wish)
{
	return (struct avring_options){
		.size = sizeof(struct avring_options),
		.stream = wish->stream,
		.oldest = wish->oldest,
		.keep_setup = 1,
	};
}

static bool tool_wish_video(const struct tool_wish *wish, const struct avring_video_format *video)
{
	if (wish->size.width &&
	    (wish->size.width != video->width || wish->size.height != video->height))
		return false;
	if (wish->rate.num && (uint64_t)wish->rate.num * video->rate_den !=
				      (uint64_t)video->rate_num * wish->rate.den)
		return false;
	return !wish->pixel_format || wish->pixel_format == video->pixelformat;
}

static bool tool_wish_audio(const struct tool_wish *wish, const struct avring_audio_format *audio)
{
	return (!wish->sample_rate || wish->sample_rate == audio->rate) &&
	       (!wish->channels || wish->channels == audio->channels) &&
	       (!wish->period || wish->period == audio->period_frames) &&
	       (!wish->sample_format || wish->sample_format == audio->format);
}

static bool tool_wish_granted(const struct tool_wish *wish, struct avring_reader *reader)
{
	const struct avring_stream_format *format = avring_reader_format(reader);

	if (wish->stream == AVRING_STREAM_VIDEO)
		return tool_wish_video(wish, &format->video);
	return tool_wish_audio(wish, &format->audio);
}

/* A device rounds what it cannot do; a recording of another size is no answer. */
static int tool_wish_check(const struct tool_wish *wish, struct avring_reader **reader, bool shared)
{
	struct avring_geometry ring;

	avring_reader_geometry(*reader, &ring);
	if (!tool_wish_granted(wish, *reader))
		tool_error("%s: %s %s, which is not what was asked for", wish->device,
			   shared ? "is in use with" : "the device can only give",
			   tool_format_text(avring_reader_format(*reader)).text);
	else if (ring.length < wish->ring_length.bytes)
		tool_error("%s: a ring of %" PRIu64 " bytes: not possible, %s %" PRIu64,
			   wish->device, wish->ring_length.bytes,
			   shared ? "it is in use with" : "at most", ring.length);
	else
		return TOOL_OK;
	avring_reader_close(*reader);
	*reader = NULL;
	return TOOL_FAILED;
}

int tool_refused(const char *device, const struct avring_options *options, int error)
{
	struct avring_refusal refusal = { .size = sizeof(refusal) };

	if (avring_explain(tool_device_path(device), options, error, &refusal))
		return tool_fail(error, "%s", device);
	tool_error("%s: %s", device, refusal.text);
	return TOOL_FAILED;
}

static int tool_reader_open_bytes(struct avring_reader **out, const struct tool_wish *wish)
{
	struct avring_options options = tool_wish_options(wish);
	bool shared = false;
	int error;

	error = avring_reader_open(out, tool_device_path(wish->device), &options);
	if (error == -EBUSY) {
		options = tool_keep_options(wish);
		shared = true;
		error = avring_reader_open(out, tool_device_path(wish->device), &options);
	}
	if (error) {
		options = tool_wish_options(wish);
		return tool_refused(wish->device, &options, error);
	}
	return tool_wish_check(wish, out, shared);
}

/* How many bytes a time is depends on the format, which the device knows. */
int tool_reader_open(struct avring_reader **out, const struct tool_wish *wish)
{
	struct tool_wish exact = *wish;
	uint64_t rate;
	int status;

	status = tool_reader_open_bytes(out, wish);
	if (status || !wish->ring_length.time_ns)
		return status;
	rate = tool_bytes_per_second(avring_reader_format(*out));
	exact.ring_length.bytes = (unsigned __int128)rate * wish->ring_length.time_ns /
				  TOOL_NSEC_PER_SEC;
	avring_reader_close(*out);
	*out = NULL;
	return tool_reader_open_bytes(out, &exact);
}

static int tool_ppoll_until(struct pollfd *polls, unsigned int n, uint64_t deadline_ns)
{
	uint64_t now_ns = tool_now_ns();
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	struct timespec timeout = { .tv_sec = left_ns / TOOL_NSEC_PER_SEC,
				    .tv_nsec = left_ns % TOOL_NSEC_PER_SEC };

	return ppoll(polls, n, &timeout, NULL) < 0 ? -errno : 0;
}

static int tool_readers_poll(struct avring_reader *const *readers, unsigned int n,
			     uint64_t deadline_ns)
{
	struct pollfd polls[AVRING_STREAMS];
	unsigned int i;
	int armed;

	for (i = 0; i < n; i++) {
		armed = avring_reader_arm(readers[i]);
		if (armed)
			return armed < 0 ? armed : 0;
		polls[i] = (struct pollfd){ .fd = avring_reader_fd(readers[i]),
					    .events = POLLIN | POLLPRI };
	}
	return tool_ppoll_until(polls, n, deadline_ns);
}

int tool_readers_wait(struct avring_reader *const *readers, unsigned int n, uint64_t deadline_ns)
{
	int error = n == 1 ? avring_reader_wait(readers[0], deadline_ns) :
			     tool_readers_poll(readers, n, deadline_ns);

	return error == -ETIMEDOUT || error == -EINTR ? 0 : error;
}
