// SPDX-License-Identifier: MIT
/*
 * avring verify: is a pattern stream what the card claims it is?
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "record/sink.h"
#include "verify/verify.h"

struct verify_line {
	struct verify_settings settings;
	const char *stream;
	const char *audio;
};

#define VERIFY_SETS(member) TOOL_SETS(struct verify_line, settings.member)
#define VERIFY_DAYS_NS (365 * 24 * 3600 * TOOL_NSEC_PER_SEC)

const struct tool_option verify_options[] = {
	{ 0, "stream", "STREAM", "of a card: only this stream; of a file: what it holds",
	  tool_read_word, TOOL_SETS(struct verify_line, stream), .words = "video audio" },
	{ 0, "audio", "FILE", "the sound that was recorded with FILE", tool_read_text,
	  TOOL_SETS(struct verify_line, audio) },
	{ 't', "time", "TIME", "end after TIME (seconds, or with ms, s, min, h)", tool_read_time,
	  VERIFY_SETS(time_ns), .min = 1000000, .max = VERIFY_DAYS_NS },
	{ 'n', "frames", "N", "end after N pictures", tool_read_number, VERIFY_SETS(frames),
	  .min = 1, .max = INT64_MAX },
	{ 's', "size", "WxH", "size of the pictures", tool_read_size, VERIFY_SETS(wish.size),
	  .min = 1, .max = 65536 },
	{ 'p', "pixel-format", "FOURCC", "YUYV, NV12, YUV420, RGB24, GREY, ...",
	  tool_read_pixel_format, VERIFY_SETS(wish.pixel_format) },
	{ 0, "fps", "N[/D]", "pictures per second", tool_read_rate, VERIFY_SETS(wish.rate),
	  .min = 1, .max = 1000 },
	{ .name = "ready",
	  .help = "say 'ready' on standard error when streaming",
	  VERIFY_SETS(is_ready_told) },
	{ .letter = 'j', .name = "json", .help = "one JSON object", VERIFY_SETS(is_json) },
	{ 0 },
};

static uint64_t verify_losses(const struct verify_result *result)
{
	uint64_t losses = 0;
	int i;

	for (i = 0; i < AVRING_STREAMS; i++)
		losses += result->streams[i].lost + result->streams[i].torn +
			  result->streams[i].damaged;
	return losses;
}

static uint64_t verify_wrong(const struct verify_result *result)
{
	return result->streams[AVRING_STREAM_VIDEO].bad + result->streams[AVRING_STREAM_AUDIO].bad;
}

static const char *verify_name(uint32_t stream)
{
	return stream == AVRING_STREAM_VIDEO ? "video" : "audio";
}

static json_t *verify_stream_json(const struct verify_stream *stream)
{
	json_t *out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "frames",
				(json_int_t)stream->frames, "missing", (json_int_t)stream->lost,
				"torn", (json_int_t)stream->torn, "damaged",
				(json_int_t)stream->damaged, "no_signal",
				(json_int_t)stream->no_signal, "wrong", (json_int_t)stream->bad);

	if (stream->bad)
		json_object_set_new(out, "first_wrong", json_string(stream->words));
	return out;
}

static void verify_print_json(const struct verify_result *result, int status)
{
	const struct verify_sync *sync = &result->sync;
	json_t *out = json_object();
	uint32_t i;

	for (i = 0; i < AVRING_STREAMS; i++)
		if (result->has[i])
			json_object_set_new(out, verify_name(i),
					    verify_stream_json(&result->streams[i]));
	if (sync->pairs)
		json_object_set_new(out, "sync",
				    json_pack("{s:I, s:I, s:I}", "beeps", (json_int_t)sync->pairs,
					      "min_ns", (json_int_t)sync->min_ns, "max_ns",
					      (json_int_t)sync->max_ns));
	json_object_set_new(out, "status", json_integer(status));
	tool_print_json(out, true);
}

static void verify_print_text(const struct verify_result *result)
{
	const struct verify_sync *sync = &result->sync;
	const struct verify_stream *stream;
	uint32_t i;

	for (i = 0; i < AVRING_STREAMS; i++) {
		stream = &result->streams[i];
		if (!result->has[i])
			continue;
		printf("%s: %" PRIu64 " frames, %" PRIu64 " missing, %" PRIu64 " torn, %" PRIu64
		       " wrong",
		       verify_name(i), stream->frames, stream->lost, stream->torn, stream->bad);
		if (stream->damaged)
			printf(", %" PRIu64 " damaged", stream->damaged);
		if (stream->no_signal)
			printf(", %" PRIu64 " without signal", stream->no_signal);
		putchar('\n');
	}
	if (sync->pairs)
		printf("sync: %" PRIu64 " beeps, %" PRId64 " to %" PRId64
		       " ns after their flashes\n",
		       sync->pairs, sync->min_ns, sync->max_ns);
}

static void verify_print_wrong(const struct verify_result *result)
{
	const struct verify_stream *stream;
	uint32_t i;

	for (i = 0; i < AVRING_STREAMS; i++) {
		stream = &result->streams[i];
		if (stream->bad)
			tool_error("%s (the first of %" PRIu64 ")", stream->words, stream->bad);
		if (stream->lost)
			tool_error("%s: %" PRIu64 " frames are missing", verify_name(i),
				   stream->lost);
		if (stream->torn)
			tool_error("%s: %" PRIu64 " frames were overwritten", verify_name(i),
				   stream->torn);
		if (stream->damaged)
			tool_error("%s: %" PRIu64 " frames are damaged", verify_name(i),
				   stream->damaged);
	}
}

static int verify_status(const struct verify_result *result)
{
	const struct verify_stream *stream;
	uint32_t i;

	for (i = 0; i < AVRING_STREAMS; i++) {
		stream = &result->streams[i];
		if (!result->has[i] ||
		    stream->frames > stream->torn + stream->damaged + stream->no_signal)
			continue;
		tool_error("%s: there is no frame to check", verify_name(i));
		return TOOL_FAILED;
	}
	if (verify_wrong(result))
		return TOOL_FAILED;
	return verify_losses(result) ? TOOL_LOST : TOOL_OK;
}

/* Two clocks that were set by the same one; they are read one after the other. */
#define VERIFY_BOOT_NS TOOL_NSEC_PER_SEC

static bool verify_is_apart(const struct verify_result *result)
{
	const int64_t *boot_ns = result->boot_ns;
	const struct verify_sync *sync = &result->sync;

	if (boot_ns[0] && boot_ns[1] && (uint64_t)llabs(boot_ns[0] - boot_ns[1]) > VERIFY_BOOT_NS)
		return true;
	/* 0: there was nothing whose time is known. */
	return sync->video_ns[1] && sync->audio_ns[1] &&
	       (sync->video_ns[1] < sync->audio_ns[0] || sync->audio_ns[1] < sync->video_ns[0]);
}

/* Flashes and beeps of other times say nothing of each other. */
static int verify_together(const struct verify_settings *settings, struct verify_result *result)
{
	if (settings->device || !verify_is_apart(result)) {
		verify_sync_check(&result->sync, &result->streams[AVRING_STREAM_AUDIO],
				  verify_losses(result) > 0);
		return TOOL_OK;
	}
	tool_error("%s, %s: were not recorded together, their times have nothing in common",
		   settings->paths[AVRING_STREAM_VIDEO], settings->paths[AVRING_STREAM_AUDIO]);
	return TOOL_FAILED;
}

static int verify_look(const struct verify_settings *settings, struct verify_result *result)
{
	int status = TOOL_OK;
	uint32_t stream;

	if (settings->device)
		status = verify_live(settings, result);
	for (stream = 0; stream < AVRING_STREAMS && !status; stream++)
		if (settings->paths[stream])
			status = verify_file(settings, stream, result);
	if (!status && result->has[0] && result->has[1])
		status = verify_together(settings, result);
	return status;
}

static int verify_all(const struct verify_settings *settings)
{
	struct verify_result result = { 0 };
	int status = verify_look(settings, &result);

	if (status != TOOL_USAGE) {
		verify_print_wrong(&result);
		status = status ?: verify_status(&result);
		if (settings->is_json)
			verify_print_json(&result, status);
		else
			verify_print_text(&result);
		status = tool_flush(status);
	}
	verify_sync_free(&result.sync);
	return status;
}

static int verify_line_streams(struct verify_line *line)
{
	struct verify_settings *settings = &line->settings;

	settings->streams = 3;
	if (line->stream)
		settings->streams = 1U << (strcmp(line->stream, "audio") ? AVRING_STREAM_VIDEO :
									   AVRING_STREAM_AUDIO);
	if (line->audio)
		return tool_usage("--audio: goes with a file; --stream is for a card");
	return TOOL_GO_ON;
}

/* Of a device node even the length is not what is in it. */
static int verify_line_is_file(const char *path)
{
	struct stat stat_of;

	if (stat(path, &stat_of) || S_ISREG(stat_of.st_mode))
		return TOOL_GO_ON;
	return tool_usage("'%s': expected a card, such as /dev/avring0, or a recording", path);
}

static int verify_line_files(struct verify_line *line, const char *path)
{
	struct verify_settings *settings = &line->settings;
	const struct record_container *container = record_container_find(NULL, path);
	bool is_audio = line->stream ? !strcmp(line->stream, "audio") :
				       container && container->is_seekable;

	if (is_audio && line->audio)
		return tool_usage("--audio %s: there are no pictures that it belongs to",
				  line->audio);
	if (settings->time_ns || settings->frames)
		return tool_usage("%s: a file is checked to its end, without -t and -n", path);
	if (verify_line_is_file(path) == TOOL_USAGE ||
	    (line->audio && verify_line_is_file(line->audio) == TOOL_USAGE))
		return TOOL_USAGE;
	settings->paths[is_audio ? AVRING_STREAM_AUDIO : AVRING_STREAM_VIDEO] = path;
	if (line->audio)
		settings->paths[AVRING_STREAM_AUDIO] = line->audio;
	return TOOL_GO_ON;
}

int cmd_verify(int argc, char **argv)
{
	struct verify_line line = { 0 };
	char **operands;
	int status = tool_parse(argc, argv, &line, &operands);

	if (status != TOOL_GO_ON)
		return status;
	if (tool_device_kind(operands[0]) == TOOL_DEVICE_CARD) {
		line.settings.device = operands[0];
		status = verify_line_streams(&line);
	} else {
		status = verify_line_files(&line, operands[0]);
	}
	if (status != TOOL_GO_ON)
		return status;
	tool_catch_signals();
	return verify_all(&line.settings);
}
