// SPDX-License-Identifier: MIT
/*
 * selftest: the runner sees every way in which a test can fail. Needs no card.
 *
 * A suite of bad tests runs in a child of each test; its output and exit status
 * are what is tested.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static long selftest_alive;

static void good(void)
{
	tap_note("a note");
}

static void wrong_value(void)
{
	tap_eq(1, 2);
}

static void wrong_errno(void)
{
	must_refuse(EINVAL, sys(close(-1)));
}

static void unexpected_success(void)
{
	must_refuse(EINVAL, 0);
}

static void unexpected_error(void)
{
	must(sys(close(-1)));
}

static void crash(void)
{
	raise(SIGSEGV);
}

static void hang(void)
{
	signal(SIGALRM, SIG_IGN);
	for (;;)
		pause();
}

static void late(void)
{
	for (;;)
		pause();
}

static void leak_fd(void)
{
	if (dup(0) < 0 && dup(1) < 0)
		tap_fail("dup");
}

static void skipped(void)
{
	tap_skip("a reason");
}

static void child_fails(void)
{
	pid_t child = fork();

	if (!child)
		tap_eq(3, 4);
	tap_join(child);
}

static void child_crashes(void)
{
	pid_t child = fork();

	if (!child)
		raise(SIGKILL);
	tap_join(child);
}

static void *thread_fails(void *arg)
{
	(void)arg;
	tap_fail("thread: expected 1, got 2");
}

static void thread_is_heard(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_fails, NULL);
	pthread_join(thread, NULL);
}

static const char *nothing_here(void)
{
	return "nothing here";
}

static long growing(void)
{
	return selftest_alive++;
}

/* One run of a suite of one test: exit status, and the text in @output. */
static int run_suite(const struct tap_suite *suite, char *output, size_t size)
{
	int ends[2], status;
	size_t got = 0;
	ssize_t n;
	pid_t child;
	char *no_arguments[] = { "suite", NULL };

	must(sys(pipe(ends)));
	child = fork();
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		exit(tap_main(suite, 1, no_arguments));
	}
	close(ends[1]);
	while ((n = read(ends[0], output + got, size - 1 - got)) > 0)
		got += n;
	output[got] = '\0';
	close(ends[0]);
	must(sys(waitpid(child, &status, 0)));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/**
 * struct verdict - what a suite of one test must come to
 * @test: the test
 * @missing: for the suite
 * @residue: for the suite
 * @status: exit status
 * @text: must be in the output
 */
struct verdict {
	struct tap_test test;
	const char *(*missing)(void);
	long (*residue)(void);
	int status;
	const char *text;
};

static void test_verdict(const void *arg)
{
	const struct verdict *verdict = arg;
	struct tap_suite suite = { .tests = &verdict->test,
				   .n_tests = 1,
				   .missing = verdict->missing,
				   .residue = verdict->residue };
	char output[4096];

	tap_eq(verdict->status, run_suite(&suite, output, sizeof(output)));
	tap_check(strstr(output, verdict->text), "output: expected \"%s\", got \"%s\"",
		  verdict->text, output);
}

static void test_empty_suite_fails(void)
{
	struct tap_suite suite = { .n_tests = 0 };
	char output[256];

	tap_eq(1, run_suite(&suite, output, sizeof(output)));
}

static void test_all_are_run(void)
{
	static const struct tap_test three[] = { { "a", .run = good },
						 { "b", .run = wrong_value },
						 { "c", .run = skipped } };
	struct tap_suite suite = { .tests = three, .n_tests = 3 };
	char output[4096];

	tap_eq(1, run_suite(&suite, output, sizeof(output)));
	tap_check(strstr(output, "ok 1 - a\n# a note\nnot ok 2 - b\n"),
		  "output: expected a passed and b failed, got \"%s\"", output);
	tap_check(strstr(output, "ok 3 - c # SKIP a reason\n1..3\n"),
		  "output: expected c skipped and the plan, got \"%s\"", output);
}

static const struct verdict verdicts[] = {
	{ { "x", .run = good }, .status = 0, .text = "ok 1 - x\n# a note\n1..1\n" },
	{ { "x", .run = wrong_value }, .status = 1, .text = "2: expected 1, got 2" },
	{ { "x", .run = wrong_errno }, .status = 1, .text = "expected EINVAL, got EBADF" },
	{ { "x", .run = unexpected_success }, .status = 1, .text = "expected EINVAL, got success" },
	{ { "x", .run = unexpected_error }, .status = 1, .text = "expected success, got EBADF" },
	{ { "x", .run = crash }, .status = 1, .text = "died of signal SEGV" },
	{ { "x", .run = late, .deadline_s = 1 }, .status = 1, .text = "expected an end within" },
	{ { "x", .run = hang, .deadline_s = 1 }, .status = 1, .text = "died of signal KILL" },
	{ { "x", .run = leak_fd }, .status = 1, .text = "open file descriptors: expected" },
	{ { "x", .run = skipped }, .status = 4, .text = "ok 1 - x # SKIP a reason" },
	{ { "x", .run = child_fails }, .status = 1, .text = "4: expected 3, got 4" },
	{ { "x", .run = child_crashes }, .status = 1, .text = "got signal KILL" },
	{ { "x", .run = thread_is_heard }, .status = 1, .text = "thread: expected 1, got 2" },
	{ { "x", .run = good },
	  .missing = nothing_here,
	  .status = 4,
	  .text = "1..0 # SKIP nothing here" },
	{ { "x", .run = good }, .residue = growing, .status = 1, .text = "alive in the kernel" },
};

#define VERDICT(n, words) \
	{ \
		.claim = words, .run_with = test_verdict, .arg = &verdicts[n] \
	}

static const struct tap_test tests[] = {
	VERDICT(0, "a good test passes"),
	VERDICT(1, "a wrong value fails"),
	VERDICT(2, "a wrong errno fails"),
	VERDICT(3, "success where an error must be fails"),
	VERDICT(4, "an error where success must be fails"),
	VERDICT(5, "a crash fails"),
	VERDICT(6, "a test that takes too long fails"),
	VERDICT(7, "a test that does not hear the alarm is killed and fails"),
	VERDICT(8, "a file descriptor left open fails"),
	VERDICT(9, "a suite of nothing but skipped tests exits 4"),
	VERDICT(10, "what a forked child finds wrong fails"),
	VERDICT(11, "a forked child that crashes fails"),
	VERDICT(12, "what a thread finds wrong fails"),
	VERDICT(13, "a suite that cannot run exits 4 with the reason"),
	VERDICT(14, "something left in the kernel fails"),
	{ "a suite without tests fails", .run = test_empty_suite_fails },
	{ "a failed test does not stop the others", .run = test_all_are_run },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
