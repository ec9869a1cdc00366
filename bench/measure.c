// SPDX-License-Identifier: MIT
/*
 * measure: what it costs the whole machine to let a program record.
 *
 * usage: measure [--frame BYTES] [--frames N] [--warm N] [--windows N]
 *                [--disk PATH] [--soak] -- COMMAND [ARGUMENT]...
 *
 * Runs COMMAND, which writes a stream to PATH or to its stdout, and looks at it
 * from outside while the stream flows: its start and its end do not count, its
 * speed does not matter, and nothing in it is changed. A frame is as many bytes
 * as COMMAND has handed to write(). PATH is flushed at both ends of a window, so
 * that writing back is paid by who caused it. Prints one JSON object, figures
 * per frame:
 *
 *	system		cost of all tasks but the generators, median of the windows
 *	generators	cost of the threads that stand for hardware
 *	own		cost of COMMAND alone
 *	switches	voluntary context switches of COMMAND
 *	calls		system calls of COMMAND
 *
 * "system" has what is charged to tasks. With --soak it has interrupts that hit
 * an idle processor as well, less what those of a machine without COMMAND cost.
 *
 * "unit" is that of the costs. Exit status: 0; 1 with a message.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "counter.h"
#include "disk.h"
#include "soak.h"

#define NSEC_PER_MSEC 1000000
#define MAX_WINDOWS 99
/* Of virtual time; programs that are large need some to begin. */
#define DEADLINE_S 300

/**
 * struct job - the command line
 * @frame: bytes
 * @frames: of a window
 * @warm: frames before the first one
 * @windows: how many
 * @disk: is flushed, or NULL
 * @soak: see above
 * @command: to run
 */
struct job {
	double frame;
	double frames;
	double warm;
	unsigned int windows;
	const char *disk;
	bool soak;
	char **command;
};

/**
 * struct target - the program that is measured
 * @pid: of it
 * @account: of its reads and writes
 * @watch: of the machine
 */
struct target {
	pid_t pid;
	int account;
	struct counter_watch watch;
};

/**
 * struct state - all counters at one moment
 * @system: of the machine
 * @own: of the program
 * @switches: of the program
 * @written: bytes, by the program
 * @total: of the machine, with --soak
 * @flushed: cost of all flushing so far, which this process has done for the program
 */
struct state {
	struct counter_system system;
	uint64_t own;
	uint64_t switches;
	uint64_t written;
	uint64_t total;
	uint64_t flushed;
};

/* A figure per frame, for each window. */
struct figures {
	double system[MAX_WINDOWS];
	double generators[MAX_WINDOWS];
	double own[MAX_WINDOWS];
	double switches[MAX_WINDOWS];
};

static _Noreturn void die(int err, const char *what)
{
	fprintf(stderr, "measure: %s%s%s\n", what, err ? ": " : "", err ? strerror(abs(err)) : "");
	exit(1);
}

static void nap(long ms)
{
	const struct timespec time = { .tv_nsec = ms * NSEC_PER_MSEC };

	nanosleep(&time, NULL);
}

static pid_t start(const struct job *job)
{
	pid_t pid = fork();

	if (pid < 0)
		die(errno, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (job->disk) {
		int fd = disk_open(job->disk, 0);

		/* Words to stderr; a program that writes to stdout has the disk there. */
		if (fd >= 0)
			dup2(fd, STDOUT_FILENO);
	}
	execvp(job->command[0], job->command);
	die(errno, job->command[0]);
}

/* The program's account of reads and writes. It stays open, see counter.h. */
static int open_account(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(errno, path);
	return fd;
}

/* What the program has handed to write(). */
static uint64_t written(const struct target *target)
{
	char text[1000], *line;
	ssize_t n;

	if (waitpid(target->pid, NULL, WNOHANG) == target->pid)
		die(0, "the program ended before it was measured");
	n = pread(target->account, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	line = strstr(text, "wchar: ");
	return line ? strtoull(line + strlen("wchar: "), NULL, 10) : 0;
}

static void wait_for(const struct job *job, const struct target *target, uint64_t from,
		     double frames)
{
	time_t deadline = time(NULL) + DEADLINE_S;

	while (written(target) - from < frames * job->frame) {
		if (time(NULL) > deadline)
			die(ETIMEDOUT, job->command[0]);
		nap(50);
	}
}

static uint64_t flush(const struct job *job)
{
	static uint64_t flushed;
	uint64_t before = counter_process();
	int err = job->disk ? disk_sync(job->disk) : 0;

	if (err)
		die(err, job->disk);
	flushed += counter_process() - before;
	return flushed;
}

static void take_state(const struct job *job, const struct target *target, struct state *state)
{
	int err;

	state->flushed = flush(job);
	err = counter_system(&target->watch, &state->system);
	if (err)
		die(err, "/proc/schedstat");
	/* Quickly, before the stream goes on. */
	if (job->soak)
		state->total = soak_busy();
	state->own = counter_of_process(target->pid);
	state->written = written(target);
	state->switches = counter_switches(target->pid);
}

/* What a generator does while nobody else is there belongs to the idle machine. */
static void note(const struct job *job, struct figures *f, unsigned int i, const struct state *a,
		 const struct state *b)
{
	double frames = (b->written - a->written) / job->frame;
	uint64_t generators = b->system.generators - a->system.generators;
	uint64_t flushed = b->flushed - a->flushed;
	uint64_t tasks = b->system.tasks - a->system.tasks;

	f->generators[i] = generators / frames;
	if (job->soak)
		f->system[i] = ((double)b->total - a->total + flushed) / frames;
	else
		f->system[i] = (tasks - generators + flushed) / frames;
	f->own[i] = (b->own - a->own) / frames;
	f->switches[i] = (b->switches - a->switches) / frames;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static json_t *median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	return json_real(values[n / 2]);
}

static double count_calls(const struct job *job, const struct target *target)
{
	uint64_t from = written(target);
	struct calls calls;
	double n;
	int err = calls_begin(&calls, target->pid);

	if (err)
		die(err, "cannot count system calls");
	wait_for(job, target, from, job->frames);
	n = calls_end(&calls);
	return n * job->frame / (written(target) - from);
}

static void stop(pid_t pid)
{
	kill(pid, SIGINT);
	for (int i = 0; i < 500; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return;
		nap(10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void measure_windows(const struct job *job, struct target *target, struct figures *f)
{
	struct state before, after;
	int err;

	wait_for(job, target, 0, job->warm);
	/* Some generators are there only while there is a stream. */
	err = counter_watch_open(&target->watch);
	if (err)
		die(err, "/proc/schedstat");
	take_state(job, target, &before);
	for (unsigned int i = 0; i < job->windows; i++) {
		wait_for(job, target, before.written, job->frames);
		take_state(job, target, &after);
		note(job, f, i, &before, &after);
		before = after;
	}
	counter_watch_close(&target->watch);
}

static json_t *measure(const struct job *job, pid_t pid)
{
	struct target target = { .pid = pid, .account = open_account(pid) };
	unsigned int n = job->windows;
	struct figures f;

	measure_windows(job, &target, &f);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:f}", "unit", counter_unit(), "system",
			 median(f.system, n), "generators", median(f.generators, n), "own",
			 median(f.own, n), "switches", median(f.switches, n), "calls",
			 count_calls(job, &target));
}

static double number(const char *text, const char *option)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || value <= 0)
		die(EINVAL, option);
	return value;
}

static void parse(int argc, char **argv, struct job *job)
{
	static const struct option options[] = { { "frame", required_argument, NULL, 'b' },
						 { "frames", required_argument, NULL, 'n' },
						 { "warm", required_argument, NULL, 'w' },
						 { "windows", required_argument, NULL, 'r' },
						 { "disk", required_argument, NULL, 'd' },
						 { "soak", no_argument, NULL, 's' },
						 {} };
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			job->frame = number(optarg, "--frame");
			break;
		case 'n':
			job->frames = number(optarg, "--frames");
			break;
		case 'w':
			job->warm = number(optarg, "--warm");
			break;
		case 'r':
			job->windows = number(optarg, "--windows");
			break;
		case 'd':
			job->disk = optarg;
			break;
		case 's':
			job->soak = true;
			break;
		default:
			exit(1);
		}
	}
	job->command = argv + optind;
	if (!job->command[0] || job->windows > MAX_WINDOWS)
		die(EINVAL, "usage: see the top of measure.c");
}

int main(int argc, char **argv)
{
	struct job job = { .frame = 1843200, .frames = 20, .warm = 20, .windows = 9 };
	json_t *result;
	pid_t pid;

	parse(argc, argv, &job);
	if (job.soak)
		soak_begin();
	pid = start(&job);
	result = measure(&job, pid);
	stop(pid);
	if (job.soak)
		soak_end();
	json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(result);
	return 0;
}
