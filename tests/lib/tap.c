// SPDX-License-Identifier: MIT
/*
 * tap: tests as claims, each in a process of its own with a deadline.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

enum { TAP_OK = 0, TAP_NOT_OK = 1, TAP_SKIPPED = 4 };

#define TAP_DEADLINE_S 60
/* What a killed test may still take to leave the kernel. */
#define TAP_GRACE_S 5
/* What may still be released after a test ended. */
#define TAP_SETTLE_S 3

/* Where a test writes its diagnostics; the runner prints them after the verdict. */
static int tap_diagnostics = -1;

#define TAP_USER "TAP_USER"
#define TAP_MAX_GROUPS 8

struct tap_counts {
	unsigned int run, failed, skipped;
};

unsigned int tap_slower(void)
{
	const char *text = getenv("TAP_SLOWER");
	int factor = text ? atoi(text) : 1;

	return factor > 0 ? factor : 1;
}

static void tap_say(const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	dprintf(tap_diagnostics >= 0 ? tap_diagnostics : STDERR_FILENO, "%s\n", line);
}

void tap_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_say(format, args);
	va_end(args);
	_exit(TAP_NOT_OK);
}

void tap_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_say(format, args);
	va_end(args);
	_exit(TAP_SKIPPED);
}

void tap_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_say(format, args);
	va_end(args);
}

void tap_equal(long long expected, long long got, const char *what, const char *file, int line)
{
	if (expected != got)
		tap_fail("%s: expected %lld, got %lld (%s:%d)", what, expected, got, file, line);
}

long long tap_must(long long result, const char *what, const char *file, int line)
{
	if (result < 0)
		tap_fail("%s: expected success, got %s (%s:%d)", what,
			 strerrorname_np(-result) ?: "?", file, line);
	return result;
}

void tap_refused(int expected, long long result, const char *what, const char *file, int line)
{
	const char *got = result < 0 ? strerrorname_np(-result) : "success";

	if (result != -expected)
		tap_fail("%s: expected %s, got %s (%s:%d)", what, strerrorname_np(expected),
			 got ?: "?", file, line);
}

void tap_join(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		tap_fail("no child %d to wait for: %s", child, strerror(errno));
	if (WIFSIGNALED(status))
		tap_fail("forked child: expected exit 0, got signal %s",
			 sigabbrev_np(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
}

static double tap_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

bool tap_eventually(bool (*condition)(void *arg), void *arg, double seconds)
{
	double end = tap_now() + seconds * tap_slower();

	while (!condition(arg)) {
		if (tap_now() > end)
			return condition(arg);
		usleep(5000);
	}
	return true;
}

static bool is_asleep(void *arg)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", *(const pid_t *)arg);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'S';
}

void wait_asleep(pid_t child)
{
	tap_check(tap_eventually(is_asleep, &child, 10), "process %d: expected to sleep", child);
}

int tap_count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int n = 0;

	if (!folder)
		return -1;
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

/* The child's side: never returns. */
void tap_become(uid_t uid, const gid_t *groups, size_t n)
{
	must(sys(setgroups(n, groups)));
	must(sys(setresgid(uid, uid, uid)));
	must(sys(setresuid(uid, uid, uid)));
}

/* "1000:29,44": user, and the groups that he is in. */
static void tap_become_user(void)
{
	const char *text = getenv(TAP_USER);
	gid_t groups[TAP_MAX_GROUPS];
	size_t n = 0;
	char *end;
	uid_t uid;

	if (!text)
		return;
	uid = strtoul(text, &end, 10);
	while (*end && n < TAP_MAX_GROUPS)
		groups[n++] = strtoul(end + 1, &end, 10);
	tap_become(uid, groups, n);
	/* His own files in /proc are his. */
	must(sys(prctl(PR_SET_DUMPABLE, 1)));
}

static _Noreturn void tap_child(const struct tap_test *test, int diagnostics, unsigned int deadline)
{
	int fds;

	setpgid(0, 0);
	tap_diagnostics = diagnostics;
	alarm(deadline);
	tap_become_user();
	fds = tap_count_fds();
	if (test->run)
		test->run();
	else
		test->run_with(test->arg);
	if (tap_count_fds() != fds)
		tap_fail("open file descriptors: expected %d as before, got %d", fds,
			 tap_count_fds());
	_exit(TAP_OK);
}

/* Without a pidfd (valgrind has none) it is looked for again and again. */
static bool tap_ended(pid_t child, int pidfd, unsigned int seconds)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	double end = tap_now() + seconds;
	siginfo_t info = { 0 };

	if (pidfd >= 0)
		return poll(&ended, 1, seconds * 1000) == 1;
	while (!waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid &&
	       tap_now() < end)
		usleep(5000);
	return info.si_pid;
}

/* Wait for the child, kill what is left of its group, and return its verdict. */
static int tap_reap(pid_t child, unsigned int deadline)
{
	int pidfd = pidfd_open(child, 0), status = 0;
	bool ended = tap_ended(child, pidfd, deadline + TAP_GRACE_S);

	kill(-child, SIGKILL);
	if (!ended)
		ended = tap_ended(child, pidfd, TAP_GRACE_S);
	if (pidfd >= 0)
		close(pidfd);
	if (!ended) {
		dprintf(tap_diagnostics, "still in the kernel %d s after SIGKILL\n", TAP_GRACE_S);
		return TAP_NOT_OK;
	}
	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGALRM)
		dprintf(tap_diagnostics, "expected an end within %u s, got none\n", deadline);
	else
		dprintf(tap_diagnostics, "died of signal %s\n", sigabbrev_np(WTERMSIG(status)));
	return TAP_NOT_OK;
}

static long tap_residue(const struct tap_suite *suite)
{
	return suite->residue ? suite->residue() : -1;
}

static void tap_check_residue(const struct tap_suite *suite, long before, int *verdict)
{
	double end = tap_now() + TAP_SETTLE_S * tap_slower();
	long after;

	while ((after = tap_residue(suite)) > before && tap_now() < end)
		usleep(20000);
	if (before < 0 || after <= before)
		return;
	dprintf(tap_diagnostics, "alive in the kernel: expected %ld as before, got %ld\n", before,
		after);
	*verdict = TAP_NOT_OK;
}

/* Print what the test said, each line as a comment; for a skip the reason. */
static void tap_print(int diagnostics, const char *before_line, bool one_line)
{
	char text[8192];
	ssize_t n = read(diagnostics, text, sizeof(text) - 1);
	char *next, *line = text;

	text[n > 0 ? n : 0] = '\0';
	while ((next = strchr(line, '\n'))) {
		*next = '\0';
		printf("%s%s%s", before_line, line, one_line ? "" : "\n");
		line = next + 1;
		if (one_line)
			return;
	}
}

static void tap_report(const struct tap_test *test, int verdict, int diagnostics,
		       struct tap_counts *counts)
{
	bool failed = verdict != TAP_OK && verdict != TAP_SKIPPED;

	counts->run++;
	printf("%s %u - %s", failed ? "not ok" : "ok", counts->run, test->claim);
	if (verdict == TAP_SKIPPED) {
		counts->skipped++;
		tap_print(diagnostics, " # SKIP ", true);
		printf("\n");
	} else {
		counts->failed += failed;
		printf("\n");
		tap_print(diagnostics, "# ", false);
	}
	fflush(stdout);
}

static void tap_run(const struct tap_suite *suite, const struct tap_test *test,
		    struct tap_counts *counts)
{
	unsigned int deadline = (test->deadline_s ?: TAP_DEADLINE_S) * tap_slower();
	long residue = tap_residue(suite);
	int ends[2], verdict;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		perror("pipe2");
		exit(TAP_NOT_OK);
	}
	child = fork();
	if (!child)
		tap_child(test, ends[1], deadline);
	tap_diagnostics = ends[1];
	setpgid(child, child);
	verdict = tap_reap(child, deadline);
	if (suite->after)
		suite->after();
	tap_check_residue(suite, residue, &verdict);
	tap_report(test, verdict, ends[0], counts);
	tap_diagnostics = -1;
	close(ends[0]);
	close(ends[1]);
}

static bool tap_chosen(const struct tap_test *test, int argc, char **argv)
{
	int i;

	if (test->as_root && getenv(TAP_USER))
		return false;
	for (i = 1; i < argc; i++)
		if (strstr(test->claim, argv[i]))
			return true;
	return argc < 2;
}

static int tap_list(const struct tap_suite *suite)
{
	size_t i;

	for (i = 0; i < suite->n_tests; i++)
		printf("%s\n", suite->tests[i].claim);
	return TAP_OK;
}

int tap_main(const struct tap_suite *suite, int argc, char **argv)
{
	struct tap_counts counts = { 0 };
	const char *missing = suite->missing ? suite->missing() : NULL;
	size_t i;

	if (argc > 1 && !strcmp(argv[1], "-l"))
		return tap_list(suite);
	if (missing) {
		printf("1..0 # SKIP %s\n", missing);
		return TAP_SKIPPED;
	}
	for (i = 0; i < suite->n_tests; i++)
		if (tap_chosen(&suite->tests[i], argc, argv))
			tap_run(suite, &suite->tests[i], &counts);
	printf("1..%u\n", counts.run);
	if (counts.failed || !counts.run)
		return TAP_NOT_OK;
	return counts.skipped == counts.run ? TAP_SKIPPED : TAP_OK;
}
