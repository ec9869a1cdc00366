/* SPDX-License-Identifier: MIT */
/*
 * The files of --max-file-time: film.raw is film-0001.raw, film-0002.raw and so on. A recording
 * takes the place of the older one under that name, also where that one was longer.
 */
#ifndef AVRING_RECORD_SERIES_H
#define AVRING_RECORD_SERIES_H

/* Path of a file of the series: allocated, or NULL. */
char *record_series_path(const char *path, unsigned int number);

/**
 * record_series_lock() - does somebody record into the files of a series?
 * @path: of the series
 *
 * Return: the path of such a file but the first: allocated; or NULL.
 */
char *record_series_lock(const char *path);

/**
 * record_series_remove() - remove the files of a series but the first, with their indexes
 * @path: of the series
 *
 * Return: how many files, without their indexes; or a negative errno.
 */
int record_series_remove(const char *path);

#endif
