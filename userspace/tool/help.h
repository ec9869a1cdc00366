/* SPDX-License-Identifier: MIT */
/*
 * What the command table says to people and to the shell.
 */
#ifndef AVRING_TOOL_HELP_H
#define AVRING_TOOL_HELP_H

struct tool_command;

/* On stdout; the caller flushes. */
void tool_help_all(void);
void tool_help_command(const struct tool_command *command);
void tool_help_completion(void);

#endif
