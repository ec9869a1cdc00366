// SPDX-License-Identifier: MIT
/*
 * The command line of a sub-command, read by the table of its options. getopt_long()
 * takes abbreviations of long options, which break scripts the day that an option
 * is added; names are exact here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "tool.h"
#include "values.h"

/**
 * struct tool_line - a command line that is being read
 * @command: whose
 * @argc: number of words
 * @argv: the words; operands move to the front
 * @next: word to read
 * @operands: how many were found
 * @target: what the options set
 */
struct tool_line {
	const struct tool_command *command;
	int argc;
	char **argv;
	int next;
	int operands;
	void *target;
};

static const struct tool_option *tool_option_by_letter(const struct tool_command *command,
						       char letter)
{
	const struct tool_option *option;

	for (option = command->options; option && option->name; option++)
		if (option->letter == letter)
			return option;
	return NULL;
}

static const struct tool_option *tool_option_by_name(const struct tool_command *command,
						     const char *name, size_t length)
{
	const struct tool_option *option;

	for (option = command->options; option && option->name; option++)
		if (strlen(option->name) == length && !memcmp(option->name, name, length))
			return option;
	return NULL;
}

/* @as: the option as it was typed, "-n" or "--frames". */
static int tool_option_set(const struct tool_line *line, const struct tool_option *option,
			   const char *as, const char *value)
{
	void *target = (char *)line->target + option->offset;
	char expected[160];

	if (!option->value) {
		*(bool *)target = true;
		return TOOL_GO_ON;
	}
	if (!option->read(option, value, target))
		return TOOL_GO_ON;
	tool_value_describe(option, expected, sizeof(expected));
	return tool_usage("%s '%s': expected %s", as, value, expected);
}

/* The value is the rest of the word, or the next word. */
static int tool_option_take(struct tool_line *line, const struct tool_option *option,
			    const char *as, const char *rest)
{
	if (option->value && !rest) {
		if (line->next == line->argc)
			return tool_usage("%s: needs a value: %s", as, option->value);
		rest = line->argv[line->next++];
	}
	return tool_option_set(line, option, as, rest);
}

static int tool_read_long(struct tool_line *line, const char *word)
{
	const char *name = word + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	const struct tool_option *option;
	char as[64];

	option = tool_option_by_name(line->command, name, length);
	if (!option)
		return tool_usage("%.*s: unknown option", (int)length + 2, word);
	if (value && !option->value)
		return tool_usage("--%s: takes no value, got '%s'", option->name, value);
	snprintf(as, sizeof(as), "--%s", option->name);
	return tool_option_take(line, option, as, value);
}

static int tool_read_letters(struct tool_line *line, const char *word)
{
	const struct tool_option *option;
	int status = TOOL_GO_ON;
	const char *letter;
	char as[3] = "-";

	for (letter = word + 1; *letter && status == TOOL_GO_ON; letter++) {
		as[1] = *letter;
		option = tool_option_by_letter(line->command, *letter);
		if (!option)
			return tool_usage("%s: unknown option", as);
		if (option->value)
			return tool_option_take(line, option, as, letter[1] ? letter + 1 : NULL);
		status = tool_option_set(line, option, as, NULL);
	}
	return status;
}

static bool tool_is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int tool_read_word_of_line(struct tool_line *line)
{
	char *word = line->argv[line->next++];

	if (!strcmp(word, "--")) {
		while (line->next < line->argc)
			line->argv[1 + line->operands++] = line->argv[line->next++];
		return TOOL_GO_ON;
	}
	if (tool_is_help(word)) {
		tool_help_command(line->command);
		return tool_flush(TOOL_OK);
	}
	if (!strncmp(word, "--", 2))
		return tool_read_long(line, word);
	if (word[0] == '-' && word[1])
		return tool_read_letters(line, word);
	line->argv[1 + line->operands++] = word;
	return TOOL_GO_ON;
}

static int tool_check_operands(const struct tool_line *line)
{
	const struct tool_command *command = line->command;

	if (line->operands < command->min_operands)
		return tool_usage("expected %s", command->operands);
	if (line->operands > command->max_operands)
		return tool_usage("'%s': one operand too many, expected %s",
				  line->argv[1 + command->max_operands],
				  command->max_operands ? command->operands : "none");
	return TOOL_GO_ON;
}

int tool_parse(int argc, char **argv, void *target, char ***operands)
{
	struct tool_line line = {
		.command = tool_command_find(argv[0]),
		.argc = argc,
		.argv = argv,
		.next = 1,
		.target = target,
	};
	int status = TOOL_GO_ON;

	while (line.next < argc && status == TOOL_GO_ON)
		status = tool_read_word_of_line(&line);
	if (status == TOOL_GO_ON)
		status = tool_check_operands(&line);
	/* argv[argc] is NULL, and operands never outrun the words. */
	argv[1 + line.operands] = NULL;
	*operands = argv + 1;
	return status;
}
