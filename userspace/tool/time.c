// SPDX-License-Identifier: MIT
/*
 * Time and signals.
 */
#include <signal.h>
#include <time.h>

#include "tool.h"

static volatile sig_atomic_t tool_signal_count;

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
	(void)signal;
	tool_signal_count = tool_signal_count + 1;
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
	/* Under nohup a recording outlives the terminal. */
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &end, NULL);
}

int tool_signals(void)
{
	return tool_signal_count;
}
