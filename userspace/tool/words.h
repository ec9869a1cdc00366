/* SPDX-License-Identifier: MIT */
/*
 * The parts of stderr that commands have no use for, or only those with a
 * progress line.
 */
#ifndef AVRING_TOOL_WORDS_H
#define AVRING_TOOL_WORDS_H

struct tool_command;

/* From now on messages begin with the name of this command. */
void tool_set_name(const struct tool_command *command);
/* A line that the next one replaces. */
void tool_show_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tool_end_progress(void);

#endif
