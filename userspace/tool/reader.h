/* SPDX-License-Identifier: MIT */
/*
 * Opening a stream for reading, as the options of a command wish it.
 */
#ifndef AVRING_TOOL_READER_H
#define AVRING_TOOL_READER_H

#include "tool.h"

enum tool_device_kind {
	TOOL_DEVICE_CARD,
	TOOL_DEVICE_V4L2,
	TOOL_DEVICE_ALSA,
};

/* What avring_reader_open() would take this name for. */
enum tool_device_kind tool_device_kind(const char *device);

/**
 * struct tool_wish - how a stream should be; what is 0 is left to the device
 * @device: as typed
 * @stream: AVRING_STREAM_*
 * @size: of a picture
 * @rate: of pictures
 * @pixel_format: V4L2_PIX_FMT_*
 * @sample_rate: of sound
 * @channels: of sound
 * @period: of sound, sample frames
 * @sample_format: SNDRV_PCM_FORMAT_*; 0 is one that nobody wishes (S8)
 * @ring_length: of the ring
 * @tight: frames without gaps between them, if it can be had
 * @oldest: begin with the oldest frame in the ring
 */
struct tool_wish {
	const char *device;
	uint32_t stream;
	struct tool_size size;
	struct tool_rate rate;
	uint32_t pixel_format;
	uint64_t sample_rate;
	uint64_t channels;
	uint64_t period;
	uint32_t sample_format;
	struct tool_ring_length ring_length;
	bool tight;
	bool oldest;
};

/**
 * tool_reader_open() - open a stream, and see that it is what was wished
 * @out: the handle
 * @wish: how it should be
 *
 * Where somebody else is attached, the stream is taken as it is, unless that
 * is not what was wished.
 *
 * Return: TOOL_OK, or a status (all words were said).
 */
int tool_reader_open(struct avring_reader **out, const struct tool_wish *wish);

/**
 * tool_readers_wait() - sleep until one of some readers has what its watermark asks for
 * @readers: the handles
 * @n: how many, 1 or 2
 * @deadline_ns: CLOCK_MONOTONIC
 *
 * Return: TOOL_OK, also at the deadline and after a signal; a negative errno.
 */
int tool_readers_wait(struct avring_reader *const *readers, unsigned int n, uint64_t deadline_ns);

/* Say why a device was refused. @options: or NULL. Return: TOOL_FAILED. */
int tool_refused(const char *device, const struct avring_options *options, int error);

/* "/dev/avring/by-id/..." becomes "/dev/avring0"; what is no link stays as it is. */
const char *tool_device_path(const char *device);

/* Bytes of a frame, or of a sample frame. */
uint32_t tool_frame_bytes(const struct avring_stream_format *format);
/* Bytes of a picture whose lines have no padding; 0 if that does not follow from its format. */
uint32_t tool_picture_bytes(uint32_t pixelformat, struct tool_size size);
/* Events per second: num / den. */
struct tool_rate tool_event_rate(const struct avring_stream_format *format);
uint64_t tool_bytes_per_second(const struct avring_stream_format *format);

/* "1280x720 YUYV, 30 fps" or "48000 Hz S16_LE, 2 channels". */
struct tool_format_text {
	char text[80];
};

struct tool_format_text tool_format_text(const struct avring_stream_format *format);
/* The same as members of a JSON object. */
json_t *tool_format_json(const struct avring_stream_format *format);

#endif
