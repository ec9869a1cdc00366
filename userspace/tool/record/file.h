/* SPDX-License-Identifier: MIT */
/*
 * A file that grows by large writes: with O_DIRECT where the file system can, so
 * that the disk takes the bytes out of the ring itself.
 */
#ifndef AVRING_RECORD_FILE_H
#define AVRING_RECORD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct record_file - an open file
 * @path: for messages; "stdout"
 * @fd: or -1
 * @is_new: it was not there before
 * @is_regular: has a length that can be cut
 * @is_stream: stdout or a pipe: written where it stands; a reader may be slow
 * @begin: where it stood
 * @block: lengths and offsets of writes are multiples of this; 1 without O_DIRECT
 * @align: and addresses are of this
 * @written: bytes that are in the file
 */
struct record_file {
	const char *path;
	int fd;
	bool is_new;
	bool is_regular;
	bool is_stream;
	uint64_t begin;
	uint32_t block;
	uint32_t align;
	uint64_t written;
};

/**
 * record_file_open() - open or create a file; what is in it stays
 * @file: filled
 * @path: "-" is stdout; must live as long as the file
 *
 * Return: 0, or a negative errno.
 */
int record_file_open(struct record_file *file, const char *path);

/* What was in it is gone. Return: 0, or a negative errno. */
int record_file_empty(struct record_file *file);

/* Nothing was written: close it, and remove it if it was not there before. */
void record_file_abandon(struct record_file *file);

/* Is this how the memory or the place of a write is refused, and not the write? */
bool record_file_is_refusal(int error);

/**
 * record_file_go_direct() - write past the page cache from now on
 * @file: nothing was written to it yet
 *
 * Return: 0, or a negative errno: the file system cannot, nothing has changed.
 */
int record_file_go_direct(struct record_file *file);

/* Back to the page cache. */
void record_file_go_buffered(struct record_file *file);

/* Can these bytes be written as they lie there? */
bool record_file_fits(const struct record_file *file, const void *data);

/**
 * record_file_write() - append
 * @file: the file
 * @data: a multiple of @file.align
 * @length: a multiple of @file.block
 *
 * Return: 0, or a negative errno; @file.written counts also what was written before
 * the error.
 */
int record_file_write(struct record_file *file, const void *data, size_t length);

/* Append two pieces of memory, without O_DIRECT; with one call if all goes well. */
int record_file_write_pair(struct record_file *file, const void *first, size_t first_length,
			   const void *second, size_t second_length);

/**
 * record_file_write_tail() - append less than a block, with O_DIRECT
 * @file: a regular file
 * @data: a multiple of @file.align; a whole block of it is readable
 * @length: less than @file.block
 *
 * Writes a whole block; what is behind @length is for record_file_cut(). So the last
 * bytes are not copied either, and the page cache never has a part of the file.
 */
int record_file_write_tail(struct record_file *file, const void *data, size_t length);

/* Where a regular file is longer, cut it. */
int record_file_cut(struct record_file *file, uint64_t length);

/* Flush to the disk and close. Return: 0, or a negative errno. */
int record_file_close(struct record_file *file);

#endif
