// SPDX-License-Identifier: MIT
/* Count system calls: perf events of the tracepoint raw_syscalls:sys_enter. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "tracefs.h"

static int event_number(uint64_t *number)
{
	FILE *file = tracefs_open("events/raw_syscalls/sys_enter/id");
	int err;

	if (!file)
		return -errno;
	err = fscanf(file, "%" SCNu64, number) == 1 ? 0 : -EIO;
	fclose(file);
	return err;
}

static int open_counter(uint64_t number, pid_t thread)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.config = number,
					.disabled = 1,
					.inherit = 1 };
	int fd = syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_counters(struct calls *calls, DIR *threads, uint64_t number)
{
	struct dirent *entry;

	while ((entry = readdir(threads))) {
		int fd;

		if (!isdigit(entry->d_name[0]) || calls->n == CALLS_THREADS)
			continue;
		fd = open_counter(number, atoi(entry->d_name));
		if (fd < 0)
			return fd;
		calls->fd[calls->n++] = fd;
	}
	return calls->n ? 0 : -ESRCH;
}

int calls_begin(struct calls *calls, pid_t pid)
{
	uint64_t number;
	char path[64];
	DIR *threads;
	int err = event_number(&number);

	calls->n = 0;
	calls->own = pid == getpid();
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	if (!threads)
		return -errno;
	err = open_counters(calls, threads, number);
	closedir(threads);
	if (err)
		calls_end(calls);
	else if (prctl(PR_TASK_PERF_EVENTS_ENABLE))
		err = -errno;
	return err;
}

/* The call that ends the count is the last that is counted. */
uint64_t calls_end(struct calls *calls)
{
	uint64_t sum = 0, count;

	prctl(PR_TASK_PERF_EVENTS_DISABLE);
	for (size_t i = 0; i < calls->n; i++) {
		if (read(calls->fd[i], &count, sizeof(count)) == sizeof(count))
			sum += count;
		close(calls->fd[i]);
	}
	calls->n = 0;
	return sum && calls->own ? sum - 1 : sum;
}
