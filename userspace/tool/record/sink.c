// SPDX-License-Identifier: MIT
/*
 * Which container a file is written in.
 */
#include <string.h>

#include "sink.h"

static const struct record_container *const record_containers[] = {
	&record_y4m,
	&record_wav,
	&record_rf64,
	&record_raw,
};

static bool record_ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && !strcmp(text + length - tail, end);
}

const struct record_container *record_container_find(const char *format, const char *path)
{
	const struct record_container *container;
	size_t i;

	for (i = 0; i < sizeof(record_containers) / sizeof(*record_containers); i++) {
		container = record_containers[i];
		if (format ? !strcmp(format, container->name) :
			     container->suffix && record_ends_with(path, container->suffix))
			return container;
	}
	return &record_raw;
}
