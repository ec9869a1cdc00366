// SPDX-License-Identifier: MIT
/*
 * Words on stderr, data on stdout.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"
#include "words.h"

static const char *tool_name = "avring";
static char tool_full_name[64];
static const char *tool_help_words = "avring help";
static bool tool_is_quiet;

/* A progress line stands on the terminal; words begin on a line of their own. */
static bool tool_has_progress;

void tool_set_name(const struct tool_command *command)
{
	static char help_words[64];

	snprintf(tool_full_name, sizeof(tool_full_name), "avring %s", command->name);
	snprintf(help_words, sizeof(help_words), "avring help %s", command->name);
	tool_name = tool_full_name;
	tool_help_words = help_words;
}

void tool_set_quiet(bool quiet)
{
	tool_is_quiet = quiet;
}

static void tool_print(const char *format, va_list words, const char *end)
{
	tool_end_progress();
	fprintf(stderr, "%s: ", tool_name);
	vfprintf(stderr, format, words);
	fputs(end, stderr);
}

void tool_error(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	tool_print(format, words, "\n");
	va_end(words);
}

int tool_usage(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	tool_print(format, words, "");
	va_end(words);
	fprintf(stderr, "; see '%s'\n", tool_help_words);
	return TOOL_USAGE;
}

int tool_fail(int error, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	tool_print(format, words, ": ");
	va_end(words);
	fprintf(stderr, "%s\n", strerror(abs(error)));
	return TOOL_FAILED;
}

void tool_say(const char *format, ...)
{
	va_list words;

	if (tool_is_quiet)
		return;
	va_start(words, format);
	tool_print(format, words, "\n");
	va_end(words);
}

void tool_show_progress(const char *format, ...)
{
	va_list words;

	va_start(words, format);
	fputs("\r", stderr);
	vfprintf(stderr, format, words);
	/* Erases what is left of a longer line. */
	fputs("\033[K", stderr);
	va_end(words);
	tool_has_progress = true;
}

void tool_end_progress(void)
{
	if (tool_has_progress)
		fputs("\n", stderr);
	tool_has_progress = false;
}

/* The first error of stdout; stdio only remembers that there was one. */
static int tool_stdout_error;

static void tool_push_stdout(void)
{
	errno = 0;
	if ((fflush(stdout) || ferror(stdout)) && !tool_stdout_error)
		tool_stdout_error = errno ?: EIO;
}

void tool_print_json(json_t *value, bool line)
{
	json_dumpf(value, stdout, line ? JSON_COMPACT : JSON_INDENT(2));
	putchar('\n');
	/* Whoever reads lines wants them when they happen. */
	if (line)
		tool_push_stdout();
	json_decref(value);
}

int tool_flush(int status)
{
	tool_push_stdout();
	if (!tool_stdout_error)
		return status;
	tool_error("stdout: %s", strerror(tool_stdout_error));
	return status ?: TOOL_FAILED;
}
