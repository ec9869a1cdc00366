// SPDX-License-Identifier: MIT
/*
 * The files of --max-file-time. See series.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "index.h"
#include "series.h"

/**
 * struct record_series - a name, in its parts
 * @folder: bytes of the path up to the name, the slash included
 * @stem: bytes of the path up to the suffix
 */
struct record_series {
	size_t folder;
	size_t stem;
};

static struct record_series record_series_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return (struct record_series){
		.folder = name - path,
		.stem = dot && dot != name ? (size_t)(dot - path) : strlen(path),
	};
}

char *record_series_path(const char *path, unsigned int number)
{
	const size_t stem = record_series_of(path).stem;
	char *out;

	return asprintf(&out, "%.*s-%04u%s", (int)stem, path, number, path + stem) < 0 ? NULL : out;
}

/* The number of a file by its name within the folder; 0: it is none of the series. */
static unsigned int record_series_number(const char *path, const char *name)
{
	const struct record_series series = record_series_of(path);
	const size_t stem = series.stem - series.folder;
	unsigned long number;
	char *again, *end;
	bool is_same;

	if (strncmp(name, path + series.folder, stem) || name[stem] != '-' ||
	    !isdigit((unsigned char)name[stem + 1]))
		return 0;
	number = strtoul(name + stem + 1, &end, 10);
	if (number > UINT32_MAX)
		return 0;
	/* As we write it, with neither more zeros nor fewer. */
	again = record_series_path(path, number);
	is_same = again && !strcmp(again + series.folder, name);
	free(again);
	return is_same ? number : 0;
}

static DIR *record_series_folder(const char *path)
{
	const size_t length = record_series_of(path).folder;
	char *folder = length ? strndup(path, length) : strdup(".");
	DIR *files = folder ? opendir(folder) : NULL;

	free(folder);
	return files;
}

/* The next file but the first: its path, allocated; NULL at the end. */
static char *record_series_next(DIR *files, const char *path)
{
	struct dirent *file;
	unsigned int number;

	while ((file = readdir(files))) {
		number = record_series_number(path, file->d_name);
		if (number > 1)
			return record_series_path(path, number);
	}
	return NULL;
}

static bool record_series_is_taken(const char *file)
{
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool is_taken = fd >= 0 && record_claim_lock(fd) < 0;

	if (fd >= 0)
		close(fd);
	return is_taken;
}

char *record_series_lock(const char *path)
{
	DIR *files = record_series_folder(path);
	char *file = NULL;

	if (!files)
		return NULL;
	while ((file = record_series_next(files, path)) && !record_series_is_taken(file))
		free(file);
	closedir(files);
	return file;
}

static int record_series_remove_one(const char *file)
{
	char *index = index_path(file);
	int error = index ? 0 : -ENOMEM;

	if (!error && (unlink(file) || (unlink(index) && errno != ENOENT)))
		error = -errno;
	free(index);
	return error;
}

int record_series_remove(const char *path)
{
	DIR *files = record_series_folder(path);
	int error = 0, removed = 0;
	char *file;

	/* A folder that cannot be listed has no files that anybody would take for new ones. */
	if (!files)
		return 0;
	while (!error && (file = record_series_next(files, path))) {
		error = record_series_remove_one(file);
		removed++;
		free(file);
	}
	closedir(files);
	return error ?: removed;
}
