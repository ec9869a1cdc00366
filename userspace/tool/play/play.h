/* SPDX-License-Identifier: MIT */
/*
 * Sending files into a card.
 */
#ifndef AVRING_PLAY_PLAY_H
#define AVRING_PLAY_PLAY_H

#include "../reader.h"

#define PLAY_FILES 2

/**
 * struct play_settings - what to send
 * @device: the card
 * @paths: files, or NULL
 * @streams: AVRING_STREAM_* of each, or -1: what is in it
 * @container: name of one, or NULL: by the names of the files
 * @wish: format of raw frames
 * @is_loop: begin again at the end
 * @time_ns: end after this time; 0: no end
 * @frames: end after so many frames of the first file; 0: no end
 * @is_ready_told: print a line when streaming
 * @is_quiet: print only what went wrong
 */
struct play_settings {
	const char *device;
	const char *paths[PLAY_FILES];
	int streams[PLAY_FILES];
	const char *container;
	struct tool_wish wish;
	bool is_loop;
	uint64_t time_ns;
	uint64_t frames;
	bool is_ready_told;
	bool is_quiet;
};

/* Return: an exit status; all words were said. */
int play_run(const struct play_settings *settings);

#endif
