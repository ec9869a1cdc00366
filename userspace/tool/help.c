// SPDX-License-Identifier: MIT
/*
 * What the command table says to people and to the shell.
 */
#include <stdio.h>
#include <string.h>

#include "help.h"
#include "tool.h"
#include "values.h"

#define TOOL_COLUMN 28

static void tool_synopsis(const struct tool_command *command)
{
	printf("avring %s", command->name);
	if (command->options && command->options->name)
		fputs(" [OPTION]...", stdout);
	if (command->operands)
		printf(" %s", command->operands);
	putchar('\n');
}

void tool_help_all(void)
{
	const struct tool_command *command;

	puts("usage: avring COMMAND [OPTION]... [DEVICE]\n");
	for (command = tool_commands; command->name; command++)
		printf("  %-9s %s\n", command->name, command->summary);
	puts("\n'avring help COMMAND' explains a command; 'avring --version' says the version.\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the stream has gaps.");
}

static void tool_help_option(const struct tool_option *option)
{
	char left[80] = "    ";

	if (option->letter)
		snprintf(left, sizeof(left), "-%c, ", option->letter);
	snprintf(left + 4, sizeof(left) - 4, "--%s%s%s", option->name, option->value ? " " : "",
		 option->value ?: "");
	printf("  %-*s %s\n", TOOL_COLUMN, left, option->help);
}

void tool_help_command(const struct tool_command *command)
{
	const struct tool_option *option;

	fputs("usage: ", stdout);
	tool_synopsis(command);
	printf("\n%s\n\n", command->summary);
	for (option = command->options; option && option->name; option++)
		tool_help_option(option);
	printf("  %-*s %s\n", TOOL_COLUMN, "-h, --help", "this text");
	if (command->notes)
		printf("\n%s\n", command->notes);
}

static void tool_completion_options(const struct tool_command *command)
{
	const struct tool_option *option;

	printf("\t%s) words=\"--help", command->name);
	for (option = command->options; option && option->name; option++)
		printf(" --%s", option->name);
	puts("\" ;;");
}

/* Values are words, files or devices: the options with words say which. */
static void tool_completion_words(const struct tool_command *command)
{
	const struct tool_option *option;

	for (option = command->options; option && option->name; option++)
		if (option->words)
			printf("\t%s:--%s) COMPREPLY=($(compgen -W \"%s\" -- \"$word\")); return ;;\n",
			       command->name, option->name, option->words);
}

void tool_help_completion(void)
{
	const struct tool_command *command;

	puts("# bash completion of avring, made by 'avring help --completion'\n"
	     "_avring() {\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} words=\n"
	     "\tlocal command=${COMP_WORDS[1]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n");
	puts("\tif ((COMP_CWORD == 1)); then");
	fputs("\t\tCOMPREPLY=($(compgen -W \"", stdout);
	for (command = tool_commands; command->name; command++)
		printf("%s%s", command == tool_commands ? "" : " ", command->name);
	puts("\" -- \"$word\"))\n\t\treturn\n\tfi\n\tcase $command:$previous in");
	for (command = tool_commands; command->name; command++)
		tool_completion_words(command);
	puts("\tesac\n\tcase $command in");
	for (command = tool_commands; command->name; command++)
		tool_completion_options(command);
	puts("\tesac\n"
	     "\tif [[ $word == -* ]]; then\n"
	     "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	     "\telse\n"
	     "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	     "\tfi\n"
	     "}\n"
	     "complete -o filenames -F _avring avring");
}
