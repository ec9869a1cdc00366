// SPDX-License-Identifier: MIT
/*
 * What the end of a file's name says of it. See suffix.h.
 */
#include <string.h>

#include "suffix.h"

const char *tool_suffix(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? dot + 1 : "";
}

bool tool_suffix_is(const char *path, const char *words)
{
	const char *suffix = tool_suffix(path);
	size_t length = strlen(suffix);

	while (*words && length) {
		if (!strncasecmp(words, suffix, length) && (words[length] == ' ' || !words[length]))
			return true;
		words += strcspn(words, " ");
		words += strspn(words, " ");
	}
	return false;
}
