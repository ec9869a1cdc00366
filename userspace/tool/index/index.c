// SPDX-License-Identifier: MIT
/*
 * The index of a recording. See index.h.
 */
#include <stdio.h>

#include "index.h"

char *index_path(const char *path)
{
	char *out;

	return asprintf(&out, "%s.jsonl", path) < 0 ? NULL : out;
}
