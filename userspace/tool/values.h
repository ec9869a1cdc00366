/* SPDX-License-Identifier: MIT */
/*
 * What the values of options look like. The readers are in tool.h.
 */
#ifndef AVRING_TOOL_VALUES_H
#define AVRING_TOOL_VALUES_H

#include <stddef.h>

struct tool_option;

/* What an option takes, with its range: "a whole number from 1 to 10". */
void tool_value_describe(const struct tool_option *option, char *text, size_t size);

#endif
