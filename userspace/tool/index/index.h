/* SPDX-License-Identifier: MIT */
/*
 * The index of a recording: a file beside it, one JSON object per line.
 *
 *	{"avring_index": 1, "file": "film.raw", "container": "raw", "offset": 0,
 *	 "stride": 614400, "stream": "video", "pixel_format": "YUYV", ...}
 *	{"offset": 0, "length": 184320000, "frames": 300, "sequence": 12, "event": 9120,
 *	 "time_ns": ..., "lost": 0}
 *	...
 *	{"end": true, "frames": 5400, "bytes": ..., "lost": 0, "torn": 0}
 *
 * The first line says what is in the file, the last one that it was closed well.
 * A line between them is a run: frames that follow on each other without a gap,
 * every @stride bytes from @offset. "lost" frames are missing before it; in the last line
 * they are all that are missing, with those behind the last run. Frames of
 * a run with "torn": true were overwritten in the ring while they were written.
 *
 * "colours" in the first line are those of pictures, as V4L2 numbers them.
 *
 * "utc" there is when the file was begun, "utc_ns" the same since 1970, and "monotonic_ns"
 * the same moment on the clock of "time_ns".
 *
 * With "card_clock": true in the first line the card has a clock of its own, and the
 * times within a run are right to a millisecond.
 */
#ifndef AVRING_INDEX_INDEX_H
#define AVRING_INDEX_INDEX_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct index_run - frames, or sample frames, that follow on each other
 * @offset: in the file, of the first byte
 * @length: bytes of the frames
 * @frames: how many
 * @sequence: of the first one
 * @event: number of the first one on the timeline
 * @time_ns: of the first one
 * @lost: frames that are missing before it
 * @is_torn: they were overwritten
 * @is_no_signal: nobody sent them
 */
struct index_run {
	uint64_t offset;
	uint64_t length;
	uint64_t frames;
	uint64_t sequence;
	uint64_t event;
	uint64_t time_ns;
	uint64_t lost;
	bool is_torn;
	bool is_no_signal;
};

/* Path of the index of @path: allocated, or NULL. */
char *index_path(const char *path);

#endif
