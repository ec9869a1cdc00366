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
#include "claim.h"
#include "output.h"
#include "series.h"

/* Larger writes cost no less per byte. */
#define RECORD_CHUNK (UINT64_C(4) << 20)
#define RECORD_CHUNK_STEP 4096

void record_output_fail(struct record_output *output, int error, const char *path, const char *what)
{
	/* What follows from the first error is not told. */
	if (output->status == TOOL_OK)
		output->status = tool_fail(error, "%s: %s", path, what);
}

static const char *record_write_words(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		/* A pipe that is full, when the end has been asked for. */
		return "nobody takes the rest of the frame";
	case -EOVERFLOW:
		return "a WAV file ends at 4 GiB; use a name that ends with .rf64";
	default:
		return strerror(-error);
	}
}

static void record_output_fail_write(struct record_output *output, int error)
{
	if (output->status == TOOL_OK)
		tool_error("%s: write at byte %" PRIu64 ": %s", output->sink.file.path,
			   output->sink.file.written, record_write_words(error));
	output->status = TOOL_FAILED;
	output->is_broken = true;
}

static void record_output_fail_index(struct record_output *output, int error)
{
	record_output_fail(output, error, output->index.path ?: output->file_path, "index");
	output->is_broken = true;
}

/* ---------------------------------------------------------------- accounts */

static struct index_run record_take_run(const struct record_take *take, bool is_torn)
{
	const struct avring_span *part = &take->part;

	return (struct index_run){
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

static void record_totals_add(struct record_totals *totals, const struct index_run *run,
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
	struct index_run run = record_take_run(take, is_torn);
	int error;

	output->whole_bytes = take->offset + take->part.length;
	record_totals_add(&output->in_file, &run, take->part.length);
	record_totals_add(&output->total, &run, take->part.length);
	error = record_index_add(&output->index, &run);
	if (error)
		record_output_fail_index(output, error);
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

void record_output_open(struct record_output *output)
{
	struct record_sink *sink = &output->sink;
	int error;

	output->file_number++;
	output->in_file = (struct record_totals){ 0 };
	sink->file = (struct record_file){ .path = output->path, .fd = -1 };
	output->file_path = output->settings->file_time_ns ?
				    record_series_path(output->path, output->file_number) :
				    strdup(output->path);
	error = output->file_path ? record_file_open(&sink->file, output->file_path) : -ENOMEM;
	if (!error && sink->container->is_seekable && sink->file.is_stream)
		error = -ESPIPE;
	if (error) {
		record_output_fail(output, error, sink->file.path, "open");
		return;
	}
	/* Beside a regular file only: not beside stdout, and not beside a disk in /dev. */
	if (sink->file.is_regular && !sink->file.is_stream)
		error = record_index_open(&output->index, output->file_path,
					  !output->settings->no_index);
	if (error)
		record_output_fail(output, error, output->file_path, "index");
}

/* Is this the first file of some? Those that follow take the place of older ones. */
static bool record_output_begins_series(const struct record_output *output)
{
	return output->settings->file_time_ns && output->file_number == 1;
}

static void record_output_lock_series(struct record_output *output)
{
	char *taken = record_output_begins_series(output) ? record_series_lock(output->path) : NULL;

	if (!taken)
		return;
	tool_error("%s: somebody else records into it", taken);
	output->status = TOOL_FAILED;
	free(taken);
}

static void record_output_empty_series(struct record_output *output)
{
	int removed = record_output_begins_series(output) ? record_series_remove(output->path) : 0;

	if (removed < 0)
		record_output_fail(output, removed, output->path, "an older file of the series");
	else if (removed)
		tool_say("%s: %d more files of an older series were removed", output->path,
			 removed);
}

void record_output_lock(struct record_output *output)
{
	if (!output->sink.file.is_stream && record_claim_lock(output->sink.file.fd))
		tool_error("%s: somebody else records into it", output->file_path);
	else if (record_claim_lock(output->index.fd))
		tool_error("%s: somebody else records into it", output->index.path);
	else
		return record_output_lock_series(output);
	output->status = TOOL_FAILED;
}

static void record_output_begin_index(struct record_output *output)
{
	struct record_sink *sink = &output->sink;
	int error;

	if (!output->index.path)
		return;
	error = record_index_begin(&output->index, output->file_path, sink->container->name,
				   output->format, sink->begin, sink->stride,
				   tool_has_card_clock(output->settings->device));
	if (error)
		record_output_fail_index(output, error);
}

void record_output_begin(struct record_output *output)
{
	struct record_sink *sink = &output->sink;
	int error = record_file_empty(&sink->file);

	output->is_open = true;
	if (!error)
		error = sink->container->open(sink);
	output->whole_bytes = error ? 0 : sink->begin;
	/* What the index says of an older file is no longer there. */
	output->index.is_unwanted |= error != 0;
	record_output_begin_index(output);
	record_output_empty_series(output);
	if (error)
		record_output_fail_write(output, error);
}

/* What came of files that went to the disk beside the recording. */
static void record_output_reap(struct record_output *output, bool wait)
{
	struct record_closing *closing;

	while ((closing = record_closing_take(&output->closing, wait))) {
		if (closing->error)
			record_output_fail(output, closing->error, closing->file.path, "close");
		record_closing_free(closing);
	}
}

/* Whatever has happened: the file is cut behind its last whole frame, then closed. */
static void record_output_close_file(struct record_output *output)
{
	struct record_sink *sink = &output->sink;
	int error;

	record_output_retire(output);
	record_output_forget(output);
	error = sink->container->close(sink, output->whole_bytes);
	if (error)
		record_output_fail(output, error, sink->file.path, "close");
	error = record_index_close(&output->index, &output->in_file);
	if (error)
		record_output_fail(output, error, output->file_path, "index");
	error = record_closing_start(&output->closing, &sink->file, output->file_path);
	output->file_path = NULL;
	if (error)
		record_output_fail(output, error, output->path, "close");
	record_output_reap(output, false);
	output->is_open = false;
}

static void record_output_end_file(struct record_output *output)
{
	int error;

	if (output->is_open) {
		/* After an error another write would only say it again. */
		error = output->is_broken ? 0 : output->sink.container->flush(&output->sink, true);
		if (error)
			record_output_fail_write(output, error);
		record_output_close_file(output);
		return;
	}
	record_file_abandon(&output->sink.file);
	record_index_abandon(&output->index);
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

void record_output_init(struct record_output *output)
{
	output->sink.file.fd = -1;
	output->index.fd = -1;
	output->end_ns = UINT64_MAX;
}

void record_output_compare(struct record_output *output, const struct record_output *other)
{
	const int ours[] = { output->sink.file.fd, output->index.fd };
	const int theirs[] = { other->sink.file.fd, other->index.fd };
	static const char *const what[] = { "", "the index of " };
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			if (!record_claim_is_same(ours[i], theirs[j]))
				continue;
			tool_error("%s%s: the same file as %s%s", what[i], output->sink.file.path,
				   what[j], other->sink.file.path);
			output->status = TOOL_FAILED;
			return;
		}
	}
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
		record_output_open(output);
	if (output->status == TOOL_OK)
		record_output_lock(output);
	if (output->status == TOOL_OK)
		record_output_begin(output);
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
	int error = output->is_open && !output->is_broken ?
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
		record_output_fail_index(output, error);
	record_output_reap(output, false);
}

void record_output_miss(struct record_output *output, uint64_t lost)
{
	output->in_file.lost += lost;
	output->total.lost += lost;
}

void record_output_end(struct record_output *output)
{
	record_output_end_file(output);
	record_output_reap(output, true);
	free(output->takes);
	output->takes = NULL;
	output->n_takes = 0;
	output->takes_room = 0;
}
