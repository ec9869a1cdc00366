// SPDX-License-Identifier: MIT
/*
 * avring cat: the bytes of one stream on standard output.
 *
 * They are written, not spliced: pages of the ring that wait in a pipe would be
 * overwritten there, and nobody could tell when.
 */
#include <string.h>

#include "card.h"
#include "record/record.h"
#include "tool.h"

struct cat_line {
	struct record_settings settings;
	const char *stream;
};

#define CAT_SETS(member) TOOL_SETS(struct cat_line, settings.member)
#define CAT_DAYS_NS (365 * 24 * 3600 * TOOL_NSEC_PER_SEC)

const struct tool_option cat_options[] = {
	{ 0, "stream", "STREAM", "video (default) or audio, of a card", tool_read_word,
	  TOOL_SETS(struct cat_line, stream), .words = "video audio" },
	{ 't', "time", "TIME", "end after TIME (seconds, or with ms, s, min, h)", tool_read_time,
	  CAT_SETS(time_ns), .min = 1000000, .max = CAT_DAYS_NS },
	{ 'n', "frames", "N", "end after N pictures or sample frames", tool_read_number,
	  CAT_SETS(frames), .min = 1, .max = INT64_MAX },
	{ 's', "size", "WxH", "size of the pictures", tool_read_size, CAT_SETS(wish.size), .min = 1,
	  .max = 65536 },
	{ 'p', "pixel-format", "FOURCC", "YUYV, NV12, YUV420, RGB24, GREY, ...",
	  tool_read_pixel_format, CAT_SETS(wish.pixel_format) },
	{ 0, "fps", "N[/D]", "pictures per second", tool_read_rate, CAT_SETS(wish.rate), .min = 1,
	  .max = 1000 },
	{ 'r', "rate", "HZ", "sample frames per second", tool_read_number,
	  CAT_SETS(wish.sample_rate), .min = 8000, .max = 192000,
	  .standard = TOOL_DEFAULT_SAMPLE_RATE },
	{ 'c', "channels", "N", "channels of the sound", tool_read_number, CAT_SETS(wish.channels),
	  .min = 1, .max = 8, .standard = TOOL_DEFAULT_CHANNELS },
	{ 0, "sample-format", "FORMAT", "S16_LE, S24_LE, S24_3LE, S32_LE or FLOAT_LE",
	  tool_read_sample_format, CAT_SETS(wish.sample_format), .words = TOOL_SAMPLE_FORMATS },
	{ 0, "period", "N", "sample frames of a chunk of sound", tool_read_number,
	  CAT_SETS(wish.period), .min = 16, .max = 65536, .standard = TOOL_DEFAULT_PERIOD },
	{ 0, "idle-timeout", "TIME", "fail when nothing comes for TIME", tool_read_time,
	  CAT_SETS(idle_ns), .min = 1000000, .max = CAT_DAYS_NS },
	{ .letter = 'f', .name = "force", .help = "write also to a terminal", CAT_SETS(is_forced) },
	{ .name = "ready",
	  .help = "say 'ready' on standard error when streaming",
	  CAT_SETS(is_ready_told) },
	{ 0 },
};

static int cat_stream(const struct cat_line *line, uint32_t *stream)
{
	bool is_audio = line->stream && !strcmp(line->stream, "audio");
	enum tool_device_kind kind = tool_device_kind(line->settings.device);

	if (line->stream && kind == (is_audio ? TOOL_DEVICE_V4L2 : TOOL_DEVICE_ALSA))
		return tool_usage("--stream %s: %s has none", line->stream, line->settings.device);
	if (kind == TOOL_DEVICE_ALSA)
		is_audio = true;
	*stream = is_audio ? AVRING_STREAM_AUDIO : AVRING_STREAM_VIDEO;
	return TOOL_GO_ON;
}

int cmd_cat(int argc, char **argv)
{
	struct cat_line line = { .settings = { .format = "raw", .is_quiet = true } };
	uint32_t stream = AVRING_STREAM_VIDEO;
	char **operands;
	int status = tool_parse(argc, argv, &line, &operands);

	if (status != TOOL_GO_ON)
		return status;
	line.settings.device = operands[0];
	status = card_choose(&line.settings.device);
	if (status == TOOL_GO_ON)
		status = cat_stream(&line, &stream);
	if (status != TOOL_GO_ON)
		return status;
	line.settings.paths[stream] = "-";
	status = record_check_wishes(&line.settings);
	if (status == TOOL_GO_ON)
		status = record_check_terminal(&line.settings);
	return status == TOOL_GO_ON ? record_run(&line.settings) : status;
}
