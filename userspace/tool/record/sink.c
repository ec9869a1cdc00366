// SPDX-License-Identifier: MIT
/*
 * Which container a file is written in.
 */
#include <string.h>
#include <sys/stat.h>

#include "../suffix.h"
#include "sink.h"

static const struct record_container *const record_containers[] = {
	&record_y4m,
	&record_wav,
	&record_rf64,
	&record_raw,
};

/* Is there something under this name that is what it is, however it is called? */
static bool record_is_device(const char *path)
{
	struct stat stat_of;

	return !strcmp(path, "-") || (!stat(path, &stat_of) && !S_ISREG(stat_of.st_mode));
}

/* "film", "film.2". */
static bool record_has_no_suffix(const char *path)
{
	const char *suffix = tool_suffix(path);

	return !suffix[strspn(suffix, "0123456789")];
}

const struct record_container *record_container_find(const char *format, const char *path)
{
	const struct record_container *container;
	size_t i;

	for (i = 0; i < sizeof(record_containers) / sizeof(*record_containers); i++) {
		container = record_containers[i];
		if (format ? !strcmp(format, container->name) :
			     tool_suffix_is(path, container->suffixes))
			return container;
	}
	return record_has_no_suffix(path) || record_is_device(path) ? &record_raw : NULL;
}
