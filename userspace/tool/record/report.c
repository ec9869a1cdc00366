// SPDX-License-Identifier: MIT
/*
 * What a recording says of itself. See report.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../words.h"
#include "report.h"

#define RECORD_MB 1e6
#define RECORD_TEXT 160
#define RECORD_NSEC_PER_MSEC 1000000

static const char *record_report_name(const struct record_stream *stream)
{
	return strcmp(stream->output.path, "-") ? stream->output.path : "stdout";
}

static const char *record_report_what(const struct record_stream *stream)
{
	return stream->format.stream == AVRING_STREAM_VIDEO ? "frames" : "samples";
}

static json_t *record_report_stream(const struct record_stream *stream)
{
	const struct record_totals *total = &stream->output.total;

	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I}", "stream",
			 stream->format.stream == AVRING_STREAM_VIDEO ? "video" : "audio", "file",
			 stream->output.path, "files", stream->output.file_number, "frames",
			 (json_int_t)total->frames, "bytes", (json_int_t)total->bytes, "lost",
			 (json_int_t)total->lost, "torn", (json_int_t)total->torn, "clock_steps",
			 (json_int_t)stream->timeline.steps);
}

static void record_report_json(const char *type, const struct record_stream *streams,
			       unsigned int n, uint64_t time_ns, int status)
{
	json_t *list = json_array();
	json_t *line;
	unsigned int i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, record_report_stream(&streams[i]));
	line = json_pack("{s:s, s:I, s:o}", "type", type, "time_ns", (json_int_t)time_ns, "streams",
			 list);
	if (status >= 0)
		json_object_set_new(line, "status", json_integer(status));
	tool_print_json(line, true);
}

/* "300 frames, 184.3 MB, 0 lost". Those that are torn are among the frames, and in the file. */
static void record_report_text(const struct record_stream *stream, char *text, size_t size)
{
	const struct record_totals *total = &stream->output.total;
	const char *what = record_report_what(stream);
	const uint64_t steps = stream->timeline.steps;
	int length = snprintf(text, size, "%" PRIu64 " %s, %.1f MB, %" PRIu64 " lost",
			      total->frames, what, total->bytes / RECORD_MB, total->lost);

	if (total->torn)
		length += snprintf(text + length, size - length, ", %" PRIu64 " torn", total->torn);
	if (steps)
		snprintf(text + length, size - length, ", %" PRIu64 " step%s of the clock", steps,
			 steps == 1 ? "" : "s");
}

/* "9216000 bytes, 15 frames, 500 ms": frames lie at multiples of something in it. */
static void record_report_ring(const struct record_stream *stream, char *text, size_t size)
{
	const uint64_t frame = tool_frame_bytes(&stream->format);
	const char *what = record_report_what(stream);
	struct tool_rate rate = tool_event_rate(&stream->format);
	struct avring_geometry ring;
	uint64_t frames;
	int length;

	avring_reader_geometry(stream->reader, &ring);
	frames = ring.length / ((frame + ring.align - 1) / ring.align * ring.align);
	length = snprintf(text, size, "%" PRIu64 " bytes, %" PRIu64 " %s", ring.length, frames,
			  what);
	if (rate.num && rate.den)
		snprintf(text + length, size - length, ", %" PRIu64 " ms",
			 tool_event_ns(frames, rate.num, rate.den) / RECORD_NSEC_PER_MSEC);
}

void record_report_begin(const struct record_stream *streams, unsigned int n)
{
	char text[RECORD_TEXT];
	unsigned int i;

	for (i = 0; i < n; i++) {
		record_report_ring(&streams[i], text, sizeof(text));
		tool_say("%s: %s, in a ring of %s", streams[i].device,
			 tool_format_text(&streams[i].format).text, text);
	}
}

static bool record_report_has_terminal(const struct record_settings *settings)
{
	static int is_terminal = -1;

	if (is_terminal < 0)
		is_terminal = isatty(STDERR_FILENO);
	return is_terminal && !settings->is_quiet;
}

bool record_report_is_wanted(const struct record_settings *settings)
{
	return settings->is_json || record_report_has_terminal(settings);
}

void record_report_progress(const struct record_settings *settings,
			    const struct record_stream *streams, unsigned int n, uint64_t time_ns)
{
	char text[2][RECORD_TEXT] = { "", "" };
	unsigned int i;

	if (settings->is_json)
		record_report_json("progress", streams, n, time_ns, -1);
	if (!record_report_has_terminal(settings))
		return;
	for (i = 0; i < n; i++)
		record_report_text(&streams[i], text[i], sizeof(text[i]));
	tool_show_progress("%.1f s: %s%s%s", (double)time_ns / TOOL_NSEC_PER_SEC, text[0],
			   n > 1 ? "; " : "", text[1]);
}

/* Losses are told also to those who want it quiet. */
static void record_report_lost(const struct record_stream *stream)
{
	const struct record_totals *total = &stream->output.total;
	const char *what = record_report_what(stream);

	if (total->lost)
		tool_error("%s: %" PRIu64 " %s are missing", record_report_name(stream),
			   total->lost, what);
	if (total->torn)
		tool_error("%s: %" PRIu64 " %s were overwritten while they were written",
			   record_report_name(stream), total->torn, what);
}

void record_report_summary(const struct record_settings *settings,
			   const struct record_stream *streams, unsigned int n, uint64_t time_ns,
			   int status)
{
	if (settings->is_json)
		record_report_json("summary", streams, n, time_ns, status);
}

void record_report_end(const struct record_settings *settings, const struct record_stream *streams,
		       unsigned int n, uint64_t time_ns, int status)
{
	char text[RECORD_TEXT];
	unsigned int i;

	for (i = 0; i < n; i++) {
		record_report_text(&streams[i], text, sizeof(text));
		tool_say("%s: %s in %.1f s", record_report_name(&streams[i]), text,
			 (double)time_ns / TOOL_NSEC_PER_SEC);
		record_report_lost(&streams[i]);
	}
	record_report_summary(settings, streams, n, time_ns, status);
}
