// SPDX-License-Identifier: MIT
/*
 * counts: what reading costs, counted: system calls, sleeps, faults, memory. No clock
 * is asked, so the figures are the same on every machine.
 *
 * Arguments: -n FRAMES of the long run (default 100000).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "pageinfo.h"
#include "ring.h"

#define WAITS 10

static unsigned int long_run = 100000;

/**
 * struct calls - system calls of a process
 * @ioctls: WAIT is one
 * @others: all others
 */
struct calls {
	unsigned int ioctls;
	unsigned int others;
};

/* A system call that nobody makes by himself marks where counting begins and ends. */
static void mark(void)
{
	syscall(SYS_getsid, 0);
}

static long syscall_entered(pid_t child)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return -1;
	return info.entry.nr;
}

static void count_call(struct calls *calls, unsigned int marks, long number)
{
	if (marks != 1 || number < 0 || number == SYS_getsid)
		return;
	if (number == SYS_ioctl)
		calls->ioctls++;
	else
		calls->others++;
}

/* Lets the child run from stop to stop until it ends; its failure is the test's. */
static struct calls count_calls(pid_t child)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	struct calls calls = { 0 };
	unsigned int marks = 0;
	int status = 0;
	long number;

	tap_eq(child, waitpid(child, &status, 0));
	must(sys(ptrace(PTRACE_SETOPTIONS, child, NULL, options)));
	while (!WIFEXITED(status) && !WIFSIGNALED(status)) {
		number = syscall_entered(child);
		count_call(&calls, marks, number);
		marks += number == SYS_getsid;
		must(sys(ptrace(PTRACE_SYSCALL, child, NULL, NULL)));
		tap_eq(child, waitpid(child, &status, 0));
	}
	tap_check(WIFEXITED(status) && !WEXITSTATUS(status),
		  "counted process: expected exit 0, got status %x", status);
	tap_eq(2, marks);
	return calls;
}

/* Reads what there is up to entry @end, and looks at each page of it. */
static uint64_t read_up_to(const struct ring *ring, uint64_t n, uint64_t end)
{
	struct avring_entry entry;

	for (; n < end; n++) {
		tap_check(ring_entry(ring, n, &entry), "entry %llu: expected intact",
			  (unsigned long long)n);
		content_touch(ring_bytes(ring, &entry), entry.length);
		tap_check(ring_tail(ring) <= n, "entry %llu: expected intact after use",
			  (unsigned long long)n);
	}
	return n;
}

/* @waits times: wait for @batch frames, read them. */
static uint64_t read_batches(const struct ring *ring, uint64_t n, unsigned int batch,
			     unsigned int waits)
{
	while (waits--) {
		must(ring_wait(ring, n, batch, AVRING_WAIT_FOREVER));
		n = read_up_to(ring, n, n + batch);
	}
	return n;
}

static struct ring small_reader(void)
{
	struct ring ring;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 128 * SMALL_STRIDE, 0));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	content_touch(ring.data, ring.at.data_size);
	content_touch(ring.index, ring.at.index_size);
	content_touch(ring.control, ring.at.control_size);
	return ring;
}

static pid_t traced_child(void)
{
	pid_t child = fork();

	if (!child) {
		must(sys(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
		raise(SIGSTOP);
	}
	return child;
}

static void test_no_call_while_there_is_data(void)
{
	struct ring ring = small_reader();
	struct calls calls;
	pid_t child;

	ring_wait_head(&ring, 64);
	child = traced_child();
	if (!child) {
		mark();
		read_up_to(&ring, ring_head(&ring) - 64, ring_head(&ring));
		mark();
		_exit(0);
	}
	calls = count_calls(child);
	tap_eq(0, calls.ioctls);
	tap_eq(0, calls.others);
	ring_close(&ring);
}

static void test_calls_with_watermark(const void *arg)
{
	const unsigned int batch = *(const unsigned int *)arg;
	struct ring ring = small_reader();
	struct calls calls;
	pid_t child = traced_child();

	if (!child) {
		must(ring_wait(&ring, 0, 1, AVRING_WAIT_FOREVER));
		mark();
		read_batches(&ring, ring_head(&ring), batch, WAITS);
		mark();
		_exit(0);
	}
	calls = count_calls(child);
	tap_eq(WAITS, calls.ioctls);
	tap_eq(0, calls.others);
	ring_close(&ring);
}

static struct rusage usage(void)
{
	struct rusage usage;

	must(sys(getrusage(RUSAGE_THREAD, &usage)));
	return usage;
}

/* He sleeps once for each batch, never for a lock or for a fault. */
static void test_sleeps_with_watermark(const void *arg)
{
	const unsigned int batch = *(const unsigned int *)arg;
	struct ring ring = small_reader();
	struct rusage before;

	must(ring_wait(&ring, 0, 1, AVRING_WAIT_FOREVER));
	before = usage();
	read_batches(&ring, ring_head(&ring), batch, WAITS);
	tap_eq(WAITS, usage().ru_nvcsw - before.ru_nvcsw);
	tap_eq(0, usage().ru_minflt - before.ru_minflt);
	ring_close(&ring);
}

/* Bytes of the process in memory; exact, unlike VmRSS of newer kernels. */
static long resident_kb(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	long kb = -1;

	tap_check(file, "/proc/self/smaps_rollup: expected to open, got %s", strerror(errno));
	while (kb < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "Rss: %ld kB", &kb) != 1)
			kb = -1;
	fclose(file);
	return kb;
}

static void test_long_run(void)
{
	const unsigned int batch = 100;
	struct ring ring = small_reader();
	long resident, faults, pages, pages_now;
	uint64_t n;

	must(ring_wait(&ring, 0, 1, AVRING_WAIT_FOREVER));
	n = read_batches(&ring, ring_head(&ring), batch, WAITS);
	resident_kb();
	must(card_parameter_get("live_pages", &pages));
	resident = resident_kb();
	faults = page_faults();
	n = read_batches(&ring, n, batch, long_run / batch);
	tap_eq(faults, page_faults());
	tap_eq(resident, resident_kb());
	must(card_parameter_get("live_pages", &pages_now));
	tap_eq(pages, pages_now);
	tap_check(n >= long_run, "frames: expected %u, got %llu", long_run, (unsigned long long)n);
	ring_close(&ring);
}

static void make_rings(unsigned int n)
{
	struct ring ring;

	while (n--) {
		ring = small_reader();
		must(ring_wait(&ring, 0, 2, AVRING_WAIT_FOREVER));
		ring_close(&ring);
	}
}

static void test_kernel_memory(void)
{
	long before;

	make_rings(10);
	before = available_kb();
	make_rings(100);
	expect_available(before - 4 * 1024);
}

static const unsigned int batches[] = { 1, 8, 100 };

static const struct tap_test tests[] = {
	{ "64 frames that are there are read without a system call",
	  .run = test_no_call_while_there_is_data },
	{ "10 frames with a watermark of 1 take 10 system calls",
	  .run_with = test_calls_with_watermark, .arg = &batches[0] },
	{ "80 frames with a watermark of 8 take 10 system calls",
	  .run_with = test_calls_with_watermark, .arg = &batches[1] },
	{ "1000 frames with a watermark of 100 take 10 system calls",
	  .run_with = test_calls_with_watermark, .arg = &batches[2] },
	{ "10 frames with a watermark of 1 take 10 sleeps and no fault",
	  .run_with = test_sleeps_with_watermark, .arg = &batches[0] },
	{ "80 frames with a watermark of 8 take 10 sleeps and no fault",
	  .run_with = test_sleeps_with_watermark, .arg = &batches[1] },
	{ "1000 frames with a watermark of 100 take 10 sleeps and no fault",
	  .run_with = test_sleeps_with_watermark, .arg = &batches[2] },
	{ .claim = "many frames take no fault and no memory more, in the process or the driver",
	  .run = test_long_run,
	  .deadline_s = 900 },
	{ "100 rings, one after the other, take no memory away", .run = test_kernel_memory },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-n")) {
		long_run = atoi(argv[2]);
		argc = 1;
	}
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
