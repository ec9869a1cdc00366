// SPDX-License-Identifier: MIT
/*
 * The index of a recording. See index.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../reader.h"
#include "claim.h"
#include "index.h"

/*
 * When the disk is full the index must still be able to say what is on it, so it
 * has space ahead of need.
 */
#define RECORD_INDEX_RESERVE 65536
#define RECORD_INDEX_LINE 512

/* Times of a card's own clock are never on the grid; a run is as exact as this. */
#define RECORD_INDEX_OFF_GRID_NS (TOOL_NSEC_PER_SEC / 1000)

static void record_index_reserve(struct record_index *index)
{
	uint64_t wanted = index->written + RECORD_INDEX_RESERVE;

	if (index->written + 2 * RECORD_INDEX_LINE <= index->reserved)
		return;
	/* Where a file system cannot, the disk must not become full; nothing else is lost. */
	if (!fallocate(index->fd, FALLOC_FL_KEEP_SIZE, 0, wanted))
		index->reserved = wanted;
}

static int record_index_write(struct record_index *index, const char *text, size_t length)
{
	ssize_t done;

	while (length) {
		done = pwrite(index->fd, text, length, index->written);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -ENOSPC;
		index->written += done;
		text += done;
		length -= done;
	}
	return 0;
}

/* One line; @value is released. A line that does not fit leaves no half of it. */
static int record_index_line(struct record_index *index, json_t *value)
{
	uint64_t before = index->written;
	char *text = json_dumps(value, JSON_COMPACT);
	size_t length;
	int error;

	json_decref(value);
	if (!text)
		return -ENOMEM;
	record_index_reserve(index);
	/* The end of the line takes the place of the end of the string. */
	length = strlen(text);
	text[length] = '\n';
	error = record_index_write(index, text, length + 1);
	free(text);
	if (error && !ftruncate(index->fd, before))
		index->written = before;
	return error;
}

/* As V4L2 numbers them. */
static json_t *record_index_colours(const struct avring_video_format *video)
{
	return json_pack("{s:i, s:i, s:i, s:i}", "colorspace", video->colorspace, "xfer_func",
			 video->xfer_func, "ycbcr_enc", video->ycbcr_enc, "quantization",
			 video->quantization);
}

/* The same moment on the clock on the wall, and on that of the times of frames. */
static void record_index_add_clock(json_t *header)
{
	uint64_t monotonic_ns = tool_now_ns();
	struct timespec now;
	struct tm utc;
	char text[64];
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + length, sizeof(text) - length, ".%09ldZ", now.tv_nsec);
	json_object_set_new(header, "utc", json_string(text));
	json_object_set_new(header, "utc_ns",
			    json_integer(now.tv_sec * TOOL_NSEC_PER_SEC + now.tv_nsec));
	json_object_set_new(header, "monotonic_ns", json_integer(monotonic_ns));
}

static json_t *record_index_header(const char *path, const char *container,
				   const struct avring_stream_format *format, uint64_t offset,
				   uint32_t stride, bool has_card_clock)
{
	const char *name = strrchr(path, '/');
	json_t *header = json_pack("{s:i, s:s, s:s, s:I, s:i}", "avring_index", 1, "file",
				   name ? name + 1 : path, "container", container, "offset",
				   (json_int_t)offset, "stride", stride);
	json_t *members = tool_format_json(format);

	json_object_update(header, members);
	json_decref(members);
	if (format->stream == AVRING_STREAM_VIDEO)
		json_object_set_new(header, "colours", record_index_colours(&format->video));
	record_index_add_clock(header);
	if (has_card_clock)
		json_object_set_new(header, "card_clock", json_true());
	return header;
}

int record_index_open(struct record_index *index, const char *path, bool is_wanted)
{
	*index = (struct record_index){
		.path = index_path(path),
		.fd = -1,
		.is_unwanted = !is_wanted,
	};
	if (!index->path)
		return -ENOMEM;
	if (is_wanted)
		index->fd = record_claim_open(index->path, &index->is_new);
	else
		index->fd = open(index->path, O_WRONLY | O_CLOEXEC);
	return is_wanted && index->fd < 0 ? index->fd : 0;
}

void record_index_abandon(struct record_index *index)
{
	if (index->fd >= 0) {
		if (index->is_new)
			unlink(index->path);
		close(index->fd);
	}
	index->fd = -1;
	free(index->path);
	index->path = NULL;
}

/* It would be taken for the index of the new recording. */
static int record_index_remove(struct record_index *index)
{
	int error = index->fd >= 0 && unlink(index->path) ? -errno : 0;

	record_index_abandon(index);
	return error;
}

int record_index_begin(struct record_index *index, const char *path, const char *container,
		       const struct avring_stream_format *format, uint64_t offset, uint32_t stride,
		       bool has_card_clock)
{
	int error;

	if (index->is_unwanted)
		return record_index_remove(index);
	index->stride = stride;
	index->rate = tool_event_rate(format);
	index->off_grid_ns = has_card_clock ? RECORD_INDEX_OFF_GRID_NS : 0;
	error = ftruncate(index->fd, 0) ? -errno : 0;
	if (!error)
		error = record_index_line(index,
					  record_index_header(path, container, format, offset,
							      stride, has_card_clock));
	if (error)
		record_index_close(index, NULL);
	return error;
}

/* How far @run is from where the rate says that it should be, if @old is right. */
static uint64_t record_index_off_grid_ns(const struct record_index *index,
					 const struct index_run *old, const struct index_run *run)
{
	struct tool_rate rate = index->rate;
	uint64_t expected = tool_event_ns(run->event, rate.num, rate.den) -
			    tool_event_ns(old->event, rate.num, rate.den);

	return llabs((int64_t)(run->time_ns - old->time_ns - expected));
}

/* Everything about @run follows from the run that is there. */
static bool record_index_continues(const struct record_index *index, const struct index_run *run)
{
	const struct index_run *old = &index->run;

	return old->frames && !run->lost && run->is_torn == old->is_torn &&
	       run->is_no_signal == old->is_no_signal &&
	       run->offset == old->offset + old->frames * index->stride &&
	       run->sequence == old->sequence + old->frames &&
	       run->event == old->event + old->frames && index->rate.den &&
	       record_index_off_grid_ns(index, old, run) <= index->off_grid_ns;
}

int record_index_flush(struct record_index *index)
{
	const struct index_run *run = &index->run;
	json_t *line;
	int error;

	if (!run->frames || index->fd < 0)
		return 0;
	line = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "offset", (json_int_t)run->offset,
			 "length", (json_int_t)run->length, "frames", (json_int_t)run->frames,
			 "sequence", (json_int_t)run->sequence, "event", (json_int_t)run->event,
			 "time_ns", (json_int_t)run->time_ns, "lost", (json_int_t)run->lost);
	if (run->is_torn)
		json_object_set_new(line, "torn", json_true());
	if (run->is_no_signal)
		json_object_set_new(line, "no_signal", json_true());
	error = record_index_line(index, line);
	if (!error)
		index->run.frames = 0;
	return error;
}

int record_index_add(struct record_index *index, const struct index_run *run)
{
	int error;

	if (index->fd < 0)
		return 0;
	if (record_index_continues(index, run)) {
		index->run.frames += run->frames;
		index->run.length += run->length;
		return 0;
	}
	error = record_index_flush(index);
	index->run = *run;
	return error;
}

static json_t *record_index_end(const struct record_totals *totals)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I}", "end", 1, "frames",
			 (json_int_t)totals->frames, "bytes", (json_int_t)totals->bytes, "lost",
			 (json_int_t)totals->lost, "torn", (json_int_t)totals->torn);
}

int record_index_close(struct record_index *index, const struct record_totals *totals)
{
	int error = 0;

	if (index->fd >= 0) {
		if (totals)
			error = record_index_flush(index) ?:
					record_index_line(index, record_index_end(totals));
		/* Gives back what was reserved. */
		if (ftruncate(index->fd, index->written) && !error)
			error = -errno;
		if (close(index->fd) && !error)
			error = -errno;
	}
	index->fd = -1;
	free(index->path);
	index->path = NULL;
	return error;
}
