/* SPDX-License-Identifier: MIT */
/*
 * Recording one or two streams of a device. cmd-record.c and cmd-cat.c fill in the
 * settings; the rest happens here.
 *
 *	session		begins the streams at one instant, ends them at one, knows why
 *	  stream	one stream: takes frames, counts what is lost
 *	    timeline	  puts its times on our clock
 *	    cut		  where within a span a recording begins or ends
 *	    output	  where the frames go: one file after the other, or a pipe
 *	      series	    names them, for --max-file-time
 *	      sink	    writes a container: sink-raw, sink-wav, sink-y4m
 *	      index	    writes down what is where (read: ../index)
 *	      file	    grows by large writes, with O_DIRECT where that can be
 *	        claim	      is written by nobody else
 *	      closing	    makes complete files safe on the disk, beside the recording
 *	report		says of all that what the user wants to know
 *
 * Each knows those that stand below and further in, and nobody else.
 */
#ifndef AVRING_RECORD_RECORD_H
#define AVRING_RECORD_RECORD_H

#include "../reader.h"
#include "../tool.h"

/**
 * struct record_settings - what to record
 * @device: as typed
 * @paths: by AVRING_STREAM_*: file, "-", or NULL: not this stream
 * @format: name of a container, or NULL: by the names of the files
 * @wish: how the streams should be
 * @time_ns: end after this time; 0: no end
 * @frames: end after so many; 0: no end
 * @file_time_ns: begin another file after this time; 0: never
 * @idle_ns: fail when nothing comes for this time; 0: wait for ever
 * @is_ready_told: print a line when streaming
 * @is_quiet: print only what went wrong
 * @is_json: print what happens on stdout
 * @is_forced: write to a terminal, too
 * @no_index: write no index
 * @no_direct: do not try O_DIRECT
 */
struct record_settings {
	const char *device;
	const char *paths[AVRING_STREAMS];
	const char *format;
	struct tool_wish wish;
	uint64_t time_ns;
	uint64_t frames;
	uint64_t file_time_ns;
	uint64_t idle_ns;
	bool is_ready_told;
	bool is_quiet;
	bool is_json;
	bool is_forced;
	bool no_index;
	bool no_direct;
};

/* Is standard output no terminal, or meant to be? Return: TOOL_GO_ON, or TOOL_USAGE. */
int record_check_terminal(const struct record_settings *settings);

/* Is nothing asked of a stream that is not recorded? Return: TOOL_GO_ON, or TOOL_USAGE. */
int record_check_wishes(const struct record_settings *settings);

/* Return: an exit status; all words were said. */
int record_run(const struct record_settings *settings);

#endif
