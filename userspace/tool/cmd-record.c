// SPDX-License-Identifier: MIT
/*
 * avring record: picture, sound or both into files.
 */
#include <string.h>
#include <unistd.h>

#include "card.h"
#include "record/record.h"
#include "record/sink.h"
#include "suffix.h"
#include "tool.h"
#include "wish.h"

/**
 * struct record_line - the command line
 * @settings: most of it
 * @output: -o
 */
struct record_line {
	struct record_settings settings;
	const char *output;
};

#define RECORD_SETS(member) TOOL_SETS(struct record_line, settings.member)
#define RECORD_NOT_WRITTEN \
	"'%s': .%s is not written: use .y4m, .wav, .rf64 or .raw (or --format), or pipe 'avring cat' into ffmpeg"
#define RECORD_TERMINAL "standard output is a terminal: send it to a file or a pipe, or use --force"
#define RECORD_DAYS_NS (365 * 24 * 3600 * TOOL_NSEC_PER_SEC)

const struct tool_option record_options[] = {
	{ 'o', "output", "FILE", "record one stream into FILE; - is standard output",
	  tool_read_text, TOOL_SETS(struct record_line, output) },
	{ 0, "video", "FILE", "record the pictures into FILE", tool_read_text,
	  RECORD_SETS(paths[AVRING_STREAM_VIDEO]) },
	{ 0, "audio", "FILE", "record the sound into FILE", tool_read_text,
	  RECORD_SETS(paths[AVRING_STREAM_AUDIO]) },
	{ 'f', "format", "FORMAT", "raw, y4m, wav or rf64 (default: by the name of the file)",
	  tool_read_word, RECORD_SETS(format), .words = "raw y4m wav rf64" },
	{ 't', "time", "TIME", "end after TIME (seconds, or with ms, s, min, h)", tool_read_time,
	  RECORD_SETS(time_ns), .min = 1000000, .max = RECORD_DAYS_NS },
	{ 'n', "frames", "N", "end after N pictures, or N sample frames of sound alone",
	  tool_read_number, RECORD_SETS(frames), .min = 1, .max = INT64_MAX },
	{ 's', "size", "WxH", "size of the pictures", tool_read_size, RECORD_SETS(wish.size),
	  .min = 1, .max = 65536 },
	{ 'p', "pixel-format", "FOURCC", "YUYV, NV12, YUV420, RGB24, GREY, ...",
	  tool_read_pixel_format, RECORD_SETS(wish.pixel_format) },
	{ 0, "fps", "N[/D]", "pictures per second", tool_read_rate, RECORD_SETS(wish.rate),
	  .min = 1, .max = 1000 },
	{ 'r', "rate", "HZ", "sample frames per second", tool_read_number,
	  RECORD_SETS(wish.sample_rate), .min = 8000, .max = 192000,
	  .standard = TOOL_DEFAULT_SAMPLE_RATE },
	{ 'c', "channels", "N", "channels of the sound", tool_read_number,
	  RECORD_SETS(wish.channels), .min = 1, .max = 8, .standard = TOOL_DEFAULT_CHANNELS },
	{ 0, "sample-format", "FORMAT", "S16_LE, S24_LE, S24_3LE, S32_LE or FLOAT_LE",
	  tool_read_sample_format, RECORD_SETS(wish.sample_format), .words = TOOL_SAMPLE_FORMATS },
	{ 0, "period", "N", "sample frames of a chunk of sound", tool_read_number,
	  RECORD_SETS(wish.period), .min = 16, .max = 65536, .standard = TOOL_DEFAULT_PERIOD },
	{ 0, "ring-length", "LENGTH", "length of the ring: bytes (K, M, G) or a time (ms, s)",
	  tool_read_ring_length, RECORD_SETS(wish.ring_length), .min = 4096,
	  .max = UINT64_C(1) << 40 },
	{ 0, "max-file-time", "TIME", "begin FILE-0002 after TIME, and so on", tool_read_time,
	  RECORD_SETS(file_time_ns), .min = 100000000, .max = RECORD_DAYS_NS },
	{ 0, "idle-timeout", "TIME", "fail when nothing comes for TIME", tool_read_time,
	  RECORD_SETS(idle_ns), .min = 1000000, .max = RECORD_DAYS_NS },
	{ .name = "force", .help = "write also to a terminal", RECORD_SETS(is_forced) },
	{ .name = "no-index", .help = "write no index (FILE.jsonl)", RECORD_SETS(no_index) },
	{ .name = "no-direct", .help = "write through the page cache", RECORD_SETS(no_direct) },
	{ .name = "ready",
	  .help = "say 'ready' on standard error when streaming",
	  RECORD_SETS(is_ready_told) },
	{ .letter = 'q',
	  .name = "quiet",
	  .help = "say only what went wrong",
	  RECORD_SETS(is_quiet) },
	{ .letter = 'j',
	  .name = "json",
	  .help = "one JSON object a second, and one at the end",
	  RECORD_SETS(is_json) },
	{ 0 },
};

/* Which stream is meant by -o. */
static uint32_t record_line_stream(const struct record_line *line)
{
	const struct record_container *container = record_container_find(line->settings.format,
									 line->output);

	switch (tool_device_kind(line->settings.device)) {
	case TOOL_DEVICE_ALSA:
		return AVRING_STREAM_AUDIO;
	case TOOL_DEVICE_V4L2:
		return AVRING_STREAM_VIDEO;
	default:
		return container->is_seekable ? AVRING_STREAM_AUDIO : AVRING_STREAM_VIDEO;
	}
}

/* Raw frames in a file that claims to be something else are good for nobody. */
static int record_line_check_name(const struct record_line *line, const char *path)
{
	if (!path || record_container_find(line->settings.format, path))
		return TOOL_GO_ON;
	return tool_usage(RECORD_NOT_WRITTEN, path, tool_suffix(path));
}

static int record_line_check_device(const struct record_line *line)
{
	const struct record_settings *settings = &line->settings;

	switch (tool_device_kind(settings->device)) {
	case TOOL_DEVICE_ALSA:
		if (settings->paths[AVRING_STREAM_VIDEO])
			return tool_usage("--video: %s has sound only", settings->device);
		return TOOL_GO_ON;
	case TOOL_DEVICE_V4L2:
		if (settings->paths[AVRING_STREAM_AUDIO])
			return tool_usage("--audio: %s has pictures only", settings->device);
		return TOOL_GO_ON;
	default:
		return TOOL_GO_ON;
	}
}

/* Bytes of pictures would be taken for orders there. */
int record_check_terminal(const struct record_settings *settings)
{
	if (settings->is_forced || !isatty(STDOUT_FILENO))
		return TOOL_GO_ON;
	return tool_usage(RECORD_TERMINAL);
}

static int record_line_check_stdout(const struct record_line *line)
{
	const struct record_settings *settings = &line->settings;
	const struct record_container *container;
	uint32_t i;

	for (i = 0; i < AVRING_STREAMS; i++) {
		if (!settings->paths[i] || strcmp(settings->paths[i], "-"))
			continue;
		container = record_container_find(settings->format, settings->paths[i]);
		if (settings->is_json)
			return tool_usage("--json: standard output is taken by the recording");
		if (settings->file_time_ns)
			return tool_usage("--max-file-time: standard output is one file");
		if (container->is_seekable)
			return tool_usage("--format %s: needs a file that can be rewound; use raw",
					  container->name);
		if (record_check_terminal(settings) == TOOL_USAGE)
			return TOOL_USAGE;
	}
	return TOOL_GO_ON;
}

/* What would be left out in silence. */
int record_check_wishes(const struct record_settings *settings)
{
	const bool has[] = { settings->paths[0], settings->paths[1] };

	return tool_wish_check(&settings->wish, has, "recorded");
}

static int record_line_check(struct record_line *line)
{
	const char **paths = line->settings.paths;
	const char *const names[] = { line->output, paths[0], paths[1] };
	int status = TOOL_GO_ON;
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names) && status == TOOL_GO_ON; i++)
		status = record_line_check_name(line, names[i]);
	if (status != TOOL_GO_ON)
		return status;
	if (line->output) {
		if (paths[0] || paths[1])
			return tool_usage("-o: not together with --video or --audio");
		paths[record_line_stream(line)] = line->output;
	}
	if (!paths[0] && !paths[1])
		return tool_usage("expected -o FILE, --video FILE or --audio FILE");
	if (paths[0] && paths[1]) {
		if (line->settings.format)
			return tool_usage("--format: two files have their formats by their names");
		if (!strcmp(paths[0], paths[1]))
			return tool_usage("--audio %s: the same file as --video", paths[1]);
	}
	status = record_line_check_device(line);
	if (status == TOOL_GO_ON)
		status = record_line_check_stdout(line);
	return status == TOOL_GO_ON ? record_check_wishes(&line->settings) : status;
}

int cmd_record(int argc, char **argv)
{
	struct record_line line = { 0 };
	char **operands;
	int status = tool_parse(argc, argv, &line, &operands);

	if (status != TOOL_GO_ON)
		return status;
	line.settings.device = operands[0];
	status = card_choose(&line.settings.device);
	if (status == TOOL_GO_ON)
		status = record_line_check(&line);
	return status == TOOL_GO_ON ? record_run(&line.settings) : status;
}
