/* SPDX-License-Identifier: MIT */
/*
 * What the end of a file's name says of it.
 */
#ifndef AVRING_TOOL_SUFFIX_H
#define AVRING_TOOL_SUFFIX_H

#include <stdbool.h>

/* What is behind the last dot of the name, "" if there is none: "film.raw" "raw", ".film" "". */
const char *tool_suffix(const char *path);

/* Is it one of these words? They are separated by blanks; case does not matter. */
bool tool_suffix_is(const char *path, const char *words);

#endif
