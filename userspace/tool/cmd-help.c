// SPDX-License-Identifier: MIT
/*
 * avring help: the command table, for people and for the shell.
 */
#include "help.h"
#include "tool.h"

struct help_settings {
	bool completion;
};

const struct tool_option help_options[] = {
	{ .name = "completion",
	  .help = "print a completion script for bash",
	  TOOL_SETS(struct help_settings, completion) },
	{ 0 },
};

int cmd_help(int argc, char **argv)
{
	struct help_settings settings = { 0 };
	const struct tool_command *command;
	char **operands;
	int status = tool_parse(argc, argv, &settings, &operands);

	if (status != TOOL_GO_ON)
		return status;
	if (settings.completion) {
		tool_help_completion();
	} else if (!operands[0]) {
		tool_help_all();
	} else {
		command = tool_command_find(operands[0]);
		if (!command)
			return tool_usage("'%s': unknown command", operands[0]);
		tool_help_command(command);
	}
	return tool_flush(TOOL_OK);
}
