// SPDX-License-Identifier: MIT
/*
 * avring play: files into a card.
 */
#include <string.h>

#include "play/play.h"

struct play_line {
	struct play_settings settings;
	const char *video;
	const char *audio;
};

#define PLAY_SETS(member) TOOL_SETS(struct play_line, settings.member)
#define PLAY_DAYS_NS (365 * 24 * 3600 * TOOL_NSEC_PER_SEC)

const struct tool_option play_options[] = {
	{ 0, "video", "FILE", "send these pictures", tool_read_text,
	  TOOL_SETS(struct play_line, video) },
	{ 0, "audio", "FILE", "send this sound", tool_read_text,
	  TOOL_SETS(struct play_line, audio) },
	{ 'f', "format", "FORMAT", "raw, y4m or sound (default: what FILE is)", tool_read_word,
	  PLAY_SETS(container), .words = "raw y4m sound" },
	{ 'l', "loop", NULL, "begin again at the end", NULL, PLAY_SETS(is_loop) },
	{ 't', "time", "TIME", "end after TIME (seconds, or with ms, s, min, h)", tool_read_time,
	  PLAY_SETS(time_ns), .min = 1000000, .max = PLAY_DAYS_NS },
	{ 'n', "frames", "N", "end after N pictures, or N sample frames of sound alone",
	  tool_read_number, PLAY_SETS(frames), .min = 1, .max = INT64_MAX },
	{ 's', "size", "WxH", "size of raw pictures", tool_read_size, PLAY_SETS(wish.size),
	  .min = 1, .max = 65536 },
	{ 'p', "pixel-format", "FOURCC", "of raw pictures: YUYV, NV12, YUV420, RGB24, GREY, ...",
	  tool_read_pixel_format, PLAY_SETS(wish.pixel_format) },
	{ 0, "fps", "N[/D]", "pictures per second", tool_read_rate, PLAY_SETS(wish.rate), .min = 1,
	  .max = 120 },
	{ 'r', "rate", "HZ", "sample frames per second of raw sound", tool_read_number,
	  PLAY_SETS(wish.sample_rate), .min = 8000, .max = 192000,
	  .standard = TOOL_DEFAULT_SAMPLE_RATE },
	{ 'c', "channels", "N", "channels of raw sound", tool_read_number, PLAY_SETS(wish.channels),
	  .min = 1, .max = 8, .standard = TOOL_DEFAULT_CHANNELS },
	{ 0, "sample-format", "FORMAT", "of raw sound: S16_LE, S24_LE, S24_3LE, S32_LE or FLOAT_LE",
	  tool_read_sample_format, PLAY_SETS(wish.sample_format), .words = TOOL_SAMPLE_FORMATS },
	{ 0, "period", "N", "sample frames that are sent at once", tool_read_number,
	  PLAY_SETS(wish.period), .min = 16, .max = 65536, .standard = TOOL_DEFAULT_PERIOD },
	{ 0, "ring-length", "BYTES", "length of the ring (K, M, G)", tool_read_bytes,
	  PLAY_SETS(wish.ring_length.bytes), .min = 4096, .max = UINT64_C(1) << 40 },
	{ .name = "ready",
	  .help = "say 'ready' on standard error when streaming",
	  PLAY_SETS(is_ready_told) },
	{ .letter = 'q', .name = "quiet", .help = "say only what went wrong", PLAY_SETS(is_quiet) },
	{ 0 },
};

static int play_line_add(struct play_line *line, const char *path, int stream, int *n)
{
	struct play_settings *settings = &line->settings;

	if (!path)
		return TOOL_GO_ON;
	if (!strcmp(path, "-")) {
		if (settings->is_loop)
			return tool_usage("--loop: standard input cannot begin again");
		if (*n && !strcmp(settings->paths[0], "-"))
			return tool_usage("-: standard input is one file");
	}
	settings->paths[*n] = path;
	settings->streams[(*n)++] = stream;
	return TOOL_GO_ON;
}

/* A file without an option is what it says that it is. */
static int play_line_files(struct play_line *line, const char *file)
{
	int n = 0, status;

	if (file && (line->video || line->audio))
		return tool_usage("'%s': goes with neither --video nor --audio", file);
	if (!file && !line->video && !line->audio)
		return tool_usage("expected FILE DEVICE, or --video FILE, or --audio FILE");
	if (line->video && line->audio && line->settings.container)
		return tool_usage("--format: two files have their formats by their names");
	status = play_line_add(line, file, -1, &n);
	if (status == TOOL_GO_ON)
		status = play_line_add(line, line->video, AVRING_STREAM_VIDEO, &n);
	if (status == TOOL_GO_ON)
		status = play_line_add(line, line->audio, AVRING_STREAM_AUDIO, &n);
	return status;
}

int cmd_play(int argc, char **argv)
{
	struct play_line line = { 0 };
	char **operands;
	int status = tool_parse(argc, argv, &line, &operands);

	if (status != TOOL_GO_ON)
		return status;
	line.settings.device = operands[1] ?: operands[0];
	if (tool_device_kind(line.settings.device) != TOOL_DEVICE_CARD)
		return tool_usage("'%s': expected a card, such as /dev/avring0",
				  line.settings.device);
	status = play_line_files(&line, operands[1] ? operands[0] : NULL);
	return status == TOOL_GO_ON ? play_run(&line.settings) : status;
}
