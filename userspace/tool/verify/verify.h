/* SPDX-License-Identifier: MIT */
/*
 * Checking a stream that runs, or files.
 */
#ifndef AVRING_VERIFY_VERIFY_H
#define AVRING_VERIFY_VERIFY_H

#include "../reader.h"
#include "check.h"

/**
 * struct verify_settings - what to check
 * @device: card, or NULL
 * @paths: by AVRING_STREAM_*: file or NULL
 * @streams: which streams of the card, a mask of 1 << AVRING_STREAM_*
 * @wish: how the streams should be; the format of a file without index
 * @time_ns: end after this time; 0: no end
 * @frames: end after so many pictures; 0: no end
 * @is_ready_told: print a line when streaming
 * @is_json: print lines of JSON
 */
struct verify_settings {
	const char *device;
	const char *paths[AVRING_STREAMS];
	unsigned int streams;
	struct tool_wish wish;
	uint64_t time_ns;
	uint64_t frames;
	bool is_ready_told;
	bool is_json;
};

/**
 * struct verify_result - what was found
 * @streams: by AVRING_STREAM_*
 * @has: which of them there are
 * @boot_ns: by AVRING_STREAM_*: of their indexes, see struct index_reader
 * @sync: between them
 */
struct verify_result {
	struct verify_stream streams[AVRING_STREAMS];
	bool has[AVRING_STREAMS];
	int64_t boot_ns[AVRING_STREAMS];
	struct verify_sync sync;
};

/* Both return TOOL_OK, or a status if they could not look at all of it. */
int verify_live(const struct verify_settings *settings, struct verify_result *result);
int verify_file(const struct verify_settings *settings, uint32_t stream,
		struct verify_result *result);

#endif
