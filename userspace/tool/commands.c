// SPDX-License-Identifier: MIT
/*
 * The table of commands. Their options are in the cmd-*.c that read them.
 */
#include <string.h>

#include "help.h"
#include "tool.h"

const struct tool_command tool_commands[] = {
	{
		.name = "list",
		.summary = "list the cards and their device nodes",
		.options = list_options,
		.run = cmd_list,
	},
	{
		.name = "info",
		.summary = "show formats, ring and features of a card",
		.operands = "[DEVICE]",
		.max_operands = 1,
		.options = info_options,
		.notes = "Without DEVICE: all cards.",
		.run = cmd_info,
	},
	{
		.name = "record",
		.summary = "record picture, sound or both into files",
		.operands = "[DEVICE]",
		.max_operands = 1,
		.options = record_options,
		.notes =
			"DEVICE is a card (/dev/avring0), a V4L2 node (/dev/video0) or an ALSA PCM\n"
			"(hw:0,0). SIGINT and SIGTERM end a recording well: files are whole, status 0.\n"
			"Status 3: frames are missing or were overwritten while they were written.",
		.run = cmd_record,
	},
	{
		.name = "play",
		.summary = "send files into a card, in place and at their pace",
		.operands = "[FILE] DEVICE",
		.min_operands = 1,
		.max_operands = 2,
		.options = play_options,
		.notes = "FILE is raw, Y4M or a sound file; - is standard input.",
		.run = cmd_play,
	},
	{
		.name = "cat",
		.summary = "write the bytes of one stream to standard output",
		.operands = "[DEVICE]",
		.max_operands = 1,
		.options = cat_options,
		.run = cmd_cat,
	},
	{
		.name = "verify",
		.summary = "check the frames of a pattern stream, live or recorded",
		.operands = "DEVICE|FILE",
		.min_operands = 1,
		.max_operands = 1,
		.options = verify_options,
		.notes =
			"Status 1: a frame is wrong, the first one is named. 3: frames are missing.",
		.run = cmd_verify,
	},
	{
		.name = "reset",
		.summary = "set the pictures of a card back",
		.operands = "[DEVICE]",
		.max_operands = 1,
		.options = reset_options,
		.run = cmd_reset,
	},
	{
		.name = "bench",
		.summary = "measure what a stream costs",
		.operands = "[BENCHMARK]...",
		.max_operands = 64,
		.options = bench_options,
		.run = cmd_bench,
	},
	{
		.name = "version",
		.summary = "say version and features",
		.options = version_options,
		.run = cmd_version,
	},
	{
		.name = "help",
		.summary = "explain a command",
		.operands = "[COMMAND]",
		.max_operands = 1,
		.options = help_options,
		.run = cmd_help,
	},
	{ 0 },
};

const struct tool_command *tool_command_find(const char *name)
{
	const struct tool_command *command;

	for (command = tool_commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}
