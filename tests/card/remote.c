// SPDX-License-Identifier: MIT
/*
 * remote: reach a card from outside of the guest. See remote.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "remote.h"
#include "tap.h"

#define REMOTE_CTL "tests/card/ctl"
#define REMOTE_MAX 16

void remote(const char *format, ...)
{
	char words[160], command[200];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	snprintf(command, sizeof(command), REMOTE_CTL " %s", words);
	status = system(command);
	tap_check(!status, "%s: expected status 0, got %#x", command, status);
}

/* Written by the tests, which are children, for the one that puts back. */
struct remote_changed {
	unsigned int count;
	char commands[REMOTE_MAX][64];
};

static struct remote_changed *remote_changed;

void remote_prepare(void)
{
	remote_changed = mmap(NULL, sizeof(*remote_changed), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (remote_changed == MAP_FAILED)
		abort();
}

static void remote_remember(const char *property, const char *normal)
{
	char command[64];
	unsigned int i;

	snprintf(command, sizeof(command), "set card0 %s %s", property, normal);
	for (i = 0; i < remote_changed->count; i++)
		if (!strcmp(command, remote_changed->commands[i]))
			return;
	tap_check(i < REMOTE_MAX, "%s: expected less than %d changes", property, REMOTE_MAX);
	strcpy(remote_changed->commands[i], command);
	remote_changed->count++;
}

void remote_set(const char *property, int value)
{
	remote_remember(property, "0");
	remote("set card0 %s %d", property, value);
}

void remote_flag(const char *property, bool value)
{
	remote_remember(property, "false");
	remote("set card0 %s %s", property, value ? "true" : "false");
}

long remote_get(const char *property)
{
	char command[100], line[100] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), REMOTE_CTL " get card0 %s", property);
	pipe = popen(command, "r");
	tap_check(pipe && fgets(line, sizeof(line), pipe) && !pclose(pipe),
		  "%s: expected a value, got none", command);
	return strtol(line, NULL, 10);
}

void remote_restore(void)
{
	char command[100];

	while (remote_changed->count) {
		remote_changed->count--;
		snprintf(command, sizeof(command), REMOTE_CTL " %s",
			 remote_changed->commands[remote_changed->count]);
		if (system(command))
			tap_note("cannot put back: %s", command);
	}
}

void remote_replace(void)
{
	if (system("[ ! \"$(" REMOTE_CTL " address card0)\" ] || " REMOTE_CTL " unplug card0") ||
	    system(REMOTE_CTL " plug card0"))
		tap_note("cannot replace card0");
}
