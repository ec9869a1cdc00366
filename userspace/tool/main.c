// SPDX-License-Identifier: MIT
/*
 * avring: finds the command and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "tool.h"
#include "words.h"

/*
 * Where stdin, stdout or stderr is closed, the next file that is opened would take
 * its place, and messages would go into a recording. Put something there that
 * cannot be used in the direction it is for.
 */
static int tool_open_standard_files(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd)
			return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	const struct tool_command *command;

	if (tool_open_standard_files())
		return TOOL_FAILED;
	if (argc < 2)
		return tool_usage("no command");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		tool_help_all();
		return tool_flush(TOOL_OK);
	}
	command = tool_command_find(strcmp(argv[1], "--version") ? argv[1] : "version");
	if (!command)
		return tool_usage("'%s': unknown command", argv[1]);
	tool_set_name(command);
	argv[1] = (char *)command->name;
	return command->run(argc - 1, argv + 1);
}
