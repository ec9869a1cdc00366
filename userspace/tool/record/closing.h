/* SPDX-License-Identifier: MIT */
/*
 * Files that are complete go to the disk and are closed beside the recording, which would
 * miss frames while it waits for that.
 */
#ifndef AVRING_RECORD_CLOSING_H
#define AVRING_RECORD_CLOSING_H

#include <pthread.h>

#include "file.h"

/**
 * struct record_closing - a file that is being closed
 * @next: in the list
 * @file: the file
 * @path: of it, allocated
 * @thread: who closes it
 * @has_thread: there is one
 * @error: what came of it
 */
struct record_closing {
	struct record_closing *next;
	struct record_file file;
	char *path;
	pthread_t thread;
	bool has_thread;
	int error;
};

/**
 * record_closing_start() - begin to close a file
 * @list: it is added here
 * @file: is taken over
 * @path: is taken over: allocated
 *
 * Return: 0, or a negative errno: it could not be added, and was closed.
 */
int record_closing_start(struct record_closing **list, struct record_file *file, char *path);

/**
 * record_closing_take() - one that is closed
 * @list: it is taken out of this
 * @wait: until there is one
 *
 * Return: to be freed with record_closing_free(); NULL: there is none, or none yet.
 */
struct record_closing *record_closing_take(struct record_closing **list, bool wait);

void record_closing_free(struct record_closing *closing);

#endif
