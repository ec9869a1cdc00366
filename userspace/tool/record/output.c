// SPDX-License-Identifier: MIT
/*
 * Where one stream goes. See output.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../card.h"
#include "output.h"

/* Larger writes cost no less per byte. */
#define RECORD_CHUNK (UINT64_C(4) << 20)
#define RECORD_CHUNK_STEP 4096

void record_output_fail(struct record_output *output, int error, const char *path, const char *what)
{
	/* What follows from the first error is not told. */
	if (output->status == TOOL_OK)
		output->status = tool_fail(error, "%s: %s", path, what);
}

static void record_output_fail_write(struct record_output *output, int error)
{
	char what[64];

	snprintf(what, sizeof(what), "write at byte %" PRIu64, output->sink.file.written);
	/* A pipe that is full, when the end has been asked for. */
	if (error == -ETIMEDOUT && output->status == TOOL_OK) {
		tool_error("%s: %s: nobody takes the rest of the frame", output->sink.file.path,
			   what);
		output->status = TOOL_FAILED;
	}
	record_output_fail(output, error, output->sink.file.path, what);
}

/* ---------------------------------------------------------------- accounts */

static struct record_run record_take_run(const struct record_take *take, bool is_torn)
{
	const struct avring_span *part = &take->part;

	return (struct record_run){
		.offset = take->offset,
		.length = part->length,
		.frames = part->count,
		.sequence = part->sequence,
		.event = part->event,
		.time_ns = part->time_ns,
		.lost = part->lost,
		.is_torn = is_torn,
		.is_no_signal = part->flags & AVRING_ENTRY_NO_SIGNAL,
	};
}

static void record_totals_add(struct record_totals *totals, const struct record_run *run,
			      uint64_t bytes)
{
	totals->frames += run->frames;
	totals->bytes += bytes;
	totals->lost += run->lost;
	totals->torn += run->is_torn ? run->frames : 0;
}

static void record_output_account(struct record_output *output, const struct record_take *take,
				  bool is_torn)
{
	struct record_run run = record_take_run(take, is_torn);
	int error;

	output->whole_bytes = take->offset + take->part.length;
	record_totals_add(&output->in_file, &run, take->part.length);
	record_totals_add(&output->total, &run, take->part.length);
	error = record_index_add(&output->index, &run);
	if (error)
		record_output_fail(output, error, output->index.path, "write");
}

/* ---------------------------------------------------------------- spans on their way */

static struct record_take *record_output_oldest(struct record_output *output)
{
	return &output->takes[output->first_take];
}

static void record_output_drop_oldest(struct record_output *output)
{
	output->first_take = (output->first_take + 1) % output->takes_room;
	output->n_takes--;
}

/* Spans that are all in the file: only now can it be said that they stayed intact. */
static void record_output_retire(struct record_output *output)
{
	struct record_take *take;
	int error;

	while (output->n_takes) {
		take = record_output_oldest(output);
		if (take->offset + take->part.length > output->sink.file.written)
			return;
		error = avring_reader_release(output->reader, &take->whole);
		record_output_account(output, take, error == -EOVERFLOW);
		record_output_drop_oldest(output);
	}
}

/* What could not be written goes back as it is. */
static void record_output_forget(struct record_output *output)
{
	while (output->n_takes) {
		avring_reader_release(output->reader, &record_output_oldest(output)->whole);
		record_output_drop_oldest(output);
	}
	output->sink.pending = 0;
}

static int record_output_make_room(struct record_output *output)
{
	size_t room = 2 * output->takes_room ?: 64, i;
	struct record_take *takes;

	if (output->n_takes < output->takes_room)
		return 0;
	takes = calloc(room, sizeof(*takes));
	if (!takes)
		return -ENOMEM;
	for (i = 0; i < output->n_takes; i++)
		takes[i] = output->takes[(output->first_take + i) % output->takes_room];
	free(output->takes);
	output->takes = takes;
	output->takes_room = room;
	output->first_take = 0;
	return 0;
}

/* ---------------------------------------------------------------- files */

/* film.raw: film-0001.raw, film-0002.raw, ... */
static char *record_numbered_path(const char *path, unsigned int number)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	size_t stem = dot && dot != name ? (size_t)(dot - path) : strlen(path);
	char *out;

	return asprintf(&out, "%.*s-%04u%s", (int)stem, path, number, path + stem) < 0 ? NULL : out;
}

static int record_output_open_sink(struct record_output *output)
{
	struct record_sink *sink = &output->sink;
	int error = record_file_open(&sink->file, output->file_path);

	if (error) {
		record_output_fail(output, error, sink->file.path, "open");
		return error;
	}
	output->is_open = true;
	error = sink->container->is_seekable && sink->file.is_stream ? -ESPIPE :
								       sink->container->open(sink);
	output->whole_bytes = error ? 0 : sink->begin;
	if (error)
		record_output_fail_write(output, error);
	return error;
}

/* Beside a regular file only: not beside stdout, and not beside a disk in /dev. */
static int record_output_open_index(struct record_output *output)
{
	struct record_sink *sink = &output->sink;
	int error;

	output->index.fd = -1;
	if (output->settings->no_index || sink->file.is_stream || !sink->file.is_regular)
		return 0;
	error = record_index_open(&output->index, output->file_path, sink->container->name,
				  output->format, sink->begin, sink->stride,
				  tool_has_card_clock(output->settings->device));
	if (error)
		record_output_fail(output, error, output->file_path, "index");
	return error;
}

static void record_output_begin_file(struct record_output *output)
{
	output->file_number++;
	output->in_file = (struct record_totals){ 0 };
	output->file_path = output->settings->file_time_ns ?
				    record_numbered_path(output->path, output->file_number) :
				    strdup(output->path);
	if (!output->file_path)
		record_output_fail(output, -ENOMEM, output->path, "open");
	else if (!record_output_open_sink(output))
		record_output_open_index(output);
}

/* Whatever has happened: the file is cut behind its last whole frame, then closed. */
static void record_output_close_file(struct record_output *output)
{
	struct record_sink *sink = &output->sink;
	int error;

	record_output_retire(output);
	record_output_forget(output);
	error = sink->container->close(sink, output->whole_bytes);
	error = record_file_close(&sink->file) ?: error;
	if (error)
		record_output_fail(output, error, sink->file.path, "close");
	error = record_index_close(&output->index, &output->in_file);
	if (error)
		record_output_fail(output, error, output->file_path, "index");
	output->is_open = false;
}

static void record_output_end_file(struct record_output *output)
{
	int error;

	if (output->is_open) {
		/* After an error another write would only say it again. */
		error = output->status ? 0 : output->sink.container->flush(&output->sink, true);
		if (error)
			record_output_fail_write(output, error);
		record_output_close_file(output);
	}
	free(output->file_path);
	output->file_path = NULL;
}

/* ---------------------------------------------------------------- for the stream */

static size_t record_chunk(const struct record_output *output)
{
	uint64_t chunk = RECORD_CHUNK, second = tool_bytes_per_second(output->format);

	if (chunk > output->sink.ring.length / 4)
		chunk = output->sink.ring.length / 4;
	/* Who streams little still wants to see it in the file. */
	if (second && chunk > second)
		chunk = second;
	chunk -= chunk % RECORD_CHUNK_STEP;
	return chunk ?: RECORD_CHUNK_STEP;
}

void record_output_set_ring(struct record_output *output)
{
	avring_reader_geometry(output->reader, &output->sink.ring);
	output->sink.format = output->format;
	output->sink.chunk = record_chunk(output);
}

void record_output_begin(struct record_output *output)
{
	output->end_ns = UINT64_MAX;
	record_output_begin_file(output);
}

void record_output_start(struct record_output *output, uint64_t start_ns)
{
	if (output->settings->file_time_ns)
		output->end_ns = start_ns + output->settings->file_time_ns;
}

static void record_output_next_file(struct record_output *output, uint64_t time_ns)
{
	record_output_end_file(output);
	while (time_ns >= output->end_ns)
		output->end_ns += output->settings->file_time_ns;
	if (output->status == TOOL_OK)
		record_output_begin_file(output);
}

void record_output_put(struct record_output *output, const struct avring_span *whole,
		       const struct avring_span *part)
{
	struct record_take take = { .whole = *whole, .part = *part, .offset = UINT64_MAX };
	struct record_sink *sink = &output->sink;
	int error;

	if (part->time_ns >= output->end_ns)
		record_output_next_file(output, part->time_ns);
	if (output->status != TOOL_OK)
		return;
	error = record_output_make_room(output);
	if (!error)
		error = sink->container->put(sink, part, &take.offset);
	/* What was written of it before an error is cut off again, if it is not all of it. */
	if (take.offset != UINT64_MAX)
		output->takes[(output->first_take + output->n_takes++) % output->takes_room] = take;
	record_output_retire(output);
	if (error)
		record_output_fail_write(output, error);
}

void record_output_flush(struct record_output *output)
{
	int error = output->is_open && output->status == TOOL_OK ?
			    output->sink.container->flush(&output->sink, false) :
			    0;

	if (error)
		record_output_fail_write(output, error);
	record_output_retire(output);
}

void record_output_checkpoint(struct record_output *output)
{
	const struct record_container *container = output->sink.container;
	int error;

	if (!output->is_open || output->status != TOOL_OK)
		return;
	error = container->checkpoint ? container->checkpoint(&output->sink) : 0;
	if (error)
		record_output_fail_write(output, error);
	error = record_index_flush(&output->index);
	if (error)
		record_output_fail(output, error, output->index.path, "write");
}

void record_output_end(struct record_output *output)
{
	record_output_end_file(output);
	free(output->takes);
	output->takes = NULL;
	output->n_takes = 0;
	output->takes_room = 0;
}
