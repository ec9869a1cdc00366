// SPDX-License-Identifier: MIT
/* What something has cost. See counter.h. */
#include <cpuid.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "counter.h"

/* Threads that stand for hardware. */
static const char *const generators[] = { "avring[0-9]*", "vivid-*-cap" };

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool emulated(void)
{
	unsigned int a, b, c, d;
	char name[13] = "";

	__cpuid(0x40000000, a, b, c, d);
	memcpy(name, &b, 4);
	memcpy(name + 4, &c, 4);
	memcpy(name + 8, &d, 4);
	return strcmp(name, "TCGTCGTCGTCG") == 0;
}

static __attribute__((noinline)) uint64_t loop(unsigned int rounds)
{
	uint64_t start = __rdtsc();

	for (unsigned int i = 0; i < rounds; i++)
		asm volatile("");
	return __rdtsc() - start;
}

/* The least of several is without interrupts. How many were the same, too. */
static uint64_t least_of_loops(unsigned int rounds, int *same)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 32; i++) {
		uint64_t cost = loop(rounds);

		if (cost < least)
			*same = 0;
		if (cost <= least) {
			least = cost;
			(*same)++;
		}
	}
	return least;
}

/* A thousand rounds more are a whole number of instructions each, and always the same. */
static bool counts_instructions(void)
{
	int same_short = 0, same_long = 0;
	uint64_t few = least_of_loops(1000, &same_short);
	uint64_t many = least_of_loops(2000, &same_long);

	return emulated() && same_short > 16 && same_long > 16 && many > few &&
	       (many - few) % 1000 == 0;
}

bool counter_counts_instructions(void)
{
	static int known = -1;

	if (known < 0)
		known = counts_instructions();
	return known;
}

const char *counter_unit(void)
{
	return counter_counts_instructions() ? "insn" : "ns";
}

uint64_t counter_now(void)
{
	return counter_counts_instructions() ? __rdtsc() : counter_process();
}

uint64_t counter_process(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* First line of a small file, without its end. */
static int read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	int err = 0;

	if (!file)
		return -errno;
	if (!fgets(line, size, file))
		err = -EIO;
	fclose(file);
	if (!err)
		line[strcspn(line, "\n")] = '\0';
	return err;
}

static uint64_t run_time(const char *task_dir)
{
	char path[300], line[100];

	snprintf(path, sizeof(path), "%s/schedstat", task_dir);
	return read_line(path, line, sizeof(line)) ? 0 : strtoull(line, NULL, 10);
}

static uint64_t switches(const char *task_dir)
{
	char path[300], line[100];
	uint64_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/status", task_dir);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &n) == 1)
			break;
	fclose(file);
	return n;
}

/* The sum of something over all threads of a process. */
static uint64_t sum_threads(pid_t pid, uint64_t (*of)(const char *task_dir))
{
	struct dirent *entry;
	char path[300];
	uint64_t sum = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s", pid, entry->d_name);
		sum += of(path);
	}
	closedir(dir);
	return sum;
}

uint64_t counter_of_process(pid_t pid)
{
	return sum_threads(pid, run_time);
}

uint64_t counter_switches(pid_t pid)
{
	return sum_threads(pid ? pid : getpid(), switches);
}

bool counter_is_generator(pid_t pid)
{
	char path[64], name[100];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (read_line(path, name, sizeof(name)))
		return false;
	for (size_t i = 0; i < sizeof(generators) / sizeof(generators[0]); i++)
		if (fnmatch(generators[i], name, 0) == 0)
			return true;
	return false;
}

static void open_generator(struct counter_watch *watch, pid_t pid)
{
	char path[64];
	int fd;

	if (pid <= 0 || watch->n_generators == COUNTER_GENERATORS || !counter_is_generator(pid))
		return;
	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		watch->generators[watch->n_generators++] = fd;
}

int counter_watch_open(struct counter_watch *watch)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		return -errno;
	watch->n_generators = 0;
	while ((entry = readdir(dir)))
		open_generator(watch, atoi(entry->d_name));
	closedir(dir);
	watch->processors = open("/proc/schedstat", O_RDONLY | O_CLOEXEC);
	if (watch->processors >= 0)
		return 0;
	counter_watch_close(watch);
	return -ENOENT;
}

void counter_watch_close(struct counter_watch *watch)
{
	for (unsigned int i = 0; i < watch->n_generators; i++)
		close(watch->generators[i]);
	if (watch->processors >= 0)
		close(watch->processors);
}

/* What a file says at this moment. */
static int read_now(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

/*
 * What the processors have spent on tasks: 7th figure of each line "cpuN" of
 * /proc/schedstat. Unlike a sum over /proc it has the tasks that have ended.
 */
static int sum_processors(const struct counter_watch *watch, uint64_t *sum)
{
	char text[16384], *line = text;
	uint64_t ns;
	int err = read_now(watch->processors, text, sizeof(text));

	*sum = 0;
	for (; !err && line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "cpu%*u %*u %*u %*u %*u %*u %*u %" SCNu64, &ns) == 1)
			*sum += ns;
	}
	if (err)
		return err;
	return *sum ? 0 : -ENODATA;
}

/* Of a thread that has ended meanwhile: nothing. */
static uint64_t sum_generators(const struct counter_watch *watch)
{
	uint64_t sum = 0;
	char text[100];

	for (unsigned int i = 0; i < watch->n_generators; i++)
		if (!read_now(watch->generators[i], text, sizeof(text)))
			sum += strtoull(text, NULL, 10);
	return sum;
}

/* A task's account is closed when it leaves the processor; so we leave it. */
int counter_system(const struct counter_watch *watch, struct counter_system *system)
{
	const struct timespec moment = { .tv_nsec = 1000 };
	uint64_t own;
	int err;

	nanosleep(&moment, NULL);
	own = counter_process();
	err = sum_processors(watch, &system->tasks);
	system->tasks -= own;
	system->generators = sum_generators(watch);
	return err;
}

uint64_t counter_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}
