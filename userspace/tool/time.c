// SPDX-License-Identifier: MIT
/*
 * Time and signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static volatile sig_atomic_t tool_signal_count;

/* Files that are at their end after a signal, and one that is always. */
static volatile sig_atomic_t tool_inputs[TOOL_INPUTS];
static volatile sig_atomic_t tool_n_inputs;
static volatile sig_atomic_t tool_nothing;

uint64_t tool_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * TOOL_NSEC_PER_SEC + now.tv_nsec;
}

uint64_t tool_event_ns(uint64_t n, uint64_t num, uint64_t den)
{
	return (unsigned __int128)n * den * TOOL_NSEC_PER_SEC / num;
}

static void tool_on_signal(int signal)
{
	int before = errno, i;

	(void)signal;
	tool_signal_count = tool_signal_count + 1;
	for (i = 0; i < tool_n_inputs; i++)
		dup2(tool_nothing, tool_inputs[i]);
	errno = before;
}

void tool_end_on_signal(int fd)
{
	if (!tool_n_inputs)
		tool_nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (tool_nothing < 0 || tool_n_inputs == TOOL_INPUTS)
		return;
	tool_inputs[tool_n_inputs] = fd;
	tool_n_inputs = tool_n_inputs + 1;
	/* One that came before. */
	if (tool_signals())
		dup2(tool_nothing, fd);
}

void tool_catch_signals(void)
{
	struct sigaction end = { .sa_handler = tool_on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction old;

	sigemptyset(&end.sa_mask);
	sigemptyset(&ignore.sa_mask);
	/*
	 * Also where the shell ignores SIGINT for a command in the background: whoever
	 * sends it to a recording means its end.
	 */
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* A limit on the size of files is an error like a full disk. */
	sigaction(SIGXFSZ, &ignore, NULL);
	/* Under nohup a recording outlives the terminal. */
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &end, NULL);
}

int tool_signals(void)
{
	return tool_signal_count;
}
