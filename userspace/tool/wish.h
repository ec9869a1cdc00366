/* SPDX-License-Identifier: MIT */
/*
 * Wishes that nothing would come of.
 */
#ifndef AVRING_TOOL_WISH_H
#define AVRING_TOOL_WISH_H

#include "reader.h"

/**
 * tool_wish_check() - refuse a wish about a stream that is not there
 * @wish: what was asked for
 * @has: by AVRING_STREAM_*: it is there
 * @done: what is done with it: "recorded"
 *
 * Return: TOOL_GO_ON, or TOOL_USAGE: the words were said.
 */
int tool_wish_check(const struct tool_wish *wish, const bool has[AVRING_STREAMS], const char *done);

#endif
