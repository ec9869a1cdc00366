// SPDX-License-Identifier: MIT
/*
 * Files that are complete. See closing.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "closing.h"

static void *record_closing_run(void *data)
{
	struct record_closing *closing = data;

	closing->error = record_file_close(&closing->file);
	return NULL;
}

/* Signals are for who waits for frames. */
static bool record_closing_begin(struct record_closing *closing)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&closing->thread, NULL, record_closing_run, closing);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !error;
}

int record_closing_start(struct record_closing **list, struct record_file *file, char *path)
{
	struct record_closing *closing = calloc(1, sizeof(*closing));
	int error;

	if (!closing) {
		error = record_file_close(file) ?: -ENOMEM;
		free(path);
		return error;
	}
	closing->file = *file;
	closing->path = path;
	file->fd = -1;
	/* The flush of a stream does nothing, and a thread may not be had. */
	closing->has_thread = !file->is_stream && record_closing_begin(closing);
	if (!closing->has_thread)
		record_closing_run(closing);
	closing->next = *list;
	*list = closing;
	return 0;
}

static bool record_closing_is_done(struct record_closing *closing, bool wait)
{
	if (!closing->has_thread)
		return true;
	return wait ? !pthread_join(closing->thread, NULL) :
		      !pthread_tryjoin_np(closing->thread, NULL);
}

struct record_closing *record_closing_take(struct record_closing **list, bool wait)
{
	struct record_closing *closing;

	for (; *list; list = &(*list)->next) {
		closing = *list;
		if (!record_closing_is_done(closing, wait))
			continue;
		*list = closing->next;
		return closing;
	}
	return NULL;
}

void record_closing_free(struct record_closing *closing)
{
	free(closing->path);
	free(closing);
}
