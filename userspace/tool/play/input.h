/* SPDX-License-Identifier: MIT */
/*
 * Sound files that libsndfile can only read with some help: a WAV file that says that there is
 * nothing in it, as recorders leave it that were killed, and FLAC in a pipe, of which it wants
 * to read the first bytes twice.
 */
#ifndef AVRING_PLAY_INPUT_H
#define AVRING_PLAY_INPUT_H

#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct play_input - a sound file
 * @fd: of it
 * @is_stream: it has no places to go to
 * @is_opened: what is read is not read again, unless it is no stream
 * @begin: where it begins in @fd
 * @size: of it
 * @at: where libsndfile is
 * @head: of a stream, what was read while it was opened
 * @head_bytes: of that
 * @length_at: where it says how many bytes of sound there are
 * @length_bytes: in so many bytes; 0: it is right
 * @length: what it should say
 * @rest: bytes at the end that are no whole frame
 * @frame_bytes: of a frame
 */
struct play_input {
	int fd;
	bool is_stream;
	bool is_opened;
	uint64_t begin;
	uint64_t size;
	uint64_t at;
	unsigned char *head;
	size_t head_bytes;
	uint64_t length_at;
	uint32_t length_bytes;
	uint64_t length;
	uint32_t rest;
	uint32_t frame_bytes;
};

/**
 * play_input_open() - open a sound file
 * @input: filled; must stay where it is, and be released with play_input_close()
 * @fd: a file or a pipe
 * @info: filled by libsndfile
 *
 * Return: its handle, or NULL: sf_strerror(NULL) says why.
 */
SNDFILE *play_input_open(struct play_input *input, int fd, SF_INFO *info);

/* The handle is closed. */
void play_input_close(struct play_input *input);

#endif
