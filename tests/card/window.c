// SPDX-License-Identifier: MIT
/*
 * window: memory of the card, mapped: what can be done with it, what cannot, and that it
 * is taken away whole when the card goes.
 *
 * Environment: LOOPS, see user.h.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "content.h"
#include "device.h"
#include "disk.h"
#include "module.h"
#include "node.h"
#include "tap.h"
#include "user.h"

#define PAGE_BYTES 4096ul

/**
 * struct window - a card whose window is mapped
 * @node: the card
 * @fd: its ring node
 * @data: the window
 * @size: bytes
 */
struct window {
	struct node node;
	int fd;
	uint8_t *data;
	size_t size;
};

static void *window_try(const struct window *w, size_t at, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags, w->fd, w->node.info.window_offset + at);
}

static void window_open(struct window *w, int access)
{
	const int prot = access == O_RDWR ? PROT_READ | PROT_WRITE : PROT_READ;

	node_find(&w->node);
	w->fd = node_open(&w->node, access);
	w->size = w->node.info.window_size;
	w->data = window_try(w, 0, w->size, prot, MAP_SHARED);
	tap_check(w->data != MAP_FAILED, "mmap: expected success, got %s", strerror(errno));
}

static void window_close(struct window *w)
{
	munmap(w->data, w->size);
	close(w->fd);
}

static int window_refusal(const struct window *w, size_t at, size_t size, int prot, int flags)
{
	void *start = window_try(w, at, size, prot, flags);

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, size);
	return 0;
}

/* ---------------------------------------------------------------- what it is */

static uint64_t bar_size(const struct node *node)
{
	uint64_t first, last;
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", node->address);
	file = fopen(path, "re");
	tap_check(file, "%s: expected to open, got %s", path, strerror(errno));
	tap_eq(2, fscanf(file, "%*x %*x %*x %*x %*x %*x %lx %lx", &first, &last));
	fclose(file);
	return last - first + 1;
}

static void test_info(void)
{
	struct node node;

	node_find(&node);
	tap_eq(AVRING_FEATURE_WINDOW, node.info.features & AVRING_FEATURE_WINDOW);
	tap_eq(bar_size(&node), node.info.window_size);
	tap_check(node.info.window_offset && !(node.info.window_offset % PAGE_BYTES),
		  "window_offset: expected whole pages, got %#llx", node.info.window_offset);
}

/* The same bytes that sysfs shows of the BAR while there is no driver. */
static void expect_in_bar(const struct window *w, uint64_t seed)
{
	char path[96];
	void *bar;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", w->node.address);
	fd = must(sys(open(path, O_RDWR | O_SYNC | O_CLOEXEC)));
	bar = mmap(NULL, w->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	tap_check(bar != MAP_FAILED, "%s: expected to map, got %s", path, strerror(errno));
	content_expect("BAR", bar, w->size, seed, 0);
	content_fill(bar, w->size, seed + 1);
	munmap(bar, w->size);
}

static void test_is_the_bar(void)
{
	struct window w, again;

	window_open(&w, O_RDWR);
	content_fill(w.data, w.size, 1);
	must(node_unbind(&w.node));
	expect_in_bar(&w, 1);
	must(node_bind(&w.node));
	window_open(&again, O_RDONLY);
	content_expect("window", again.data, again.size, 2, 0);
	window_close(&again);
	window_close(&w);
}

static void test_shared(void)
{
	struct window w, other;
	pid_t child;

	window_open(&w, O_RDWR);
	window_open(&other, O_RDONLY);
	content_fill(w.data, w.size, 3);
	content_expect("other file", other.data, other.size, 3, 0);
	child = fork();
	if (!child) {
		content_expect("child", w.data, w.size, 3, 0);
		content_fill(w.data, w.size, 4);
		_exit(0);
	}
	tap_join(child);
	content_expect("window", w.data, w.size, 4, 0);
	window_close(&other);
	window_close(&w);
}

static void test_parts(void)
{
	struct window w;
	uint8_t *last;

	window_open(&w, O_RDWR);
	content_fill(w.data, w.size, 5);
	last = window_try(&w, w.size - PAGE_BYTES, PAGE_BYTES, PROT_READ, MAP_SHARED);
	tap_check(last != MAP_FAILED, "last page: expected success, got %s", strerror(errno));
	content_expect("last page", last, PAGE_BYTES, 5, w.size - PAGE_BYTES);
	munmap(last, PAGE_BYTES);
	must(sys(munmap(w.data, w.size / 2)));
	content_expect("second half", w.data + w.size / 2, w.size / 2, 5, w.size / 2);
	must_refuse(EINVAL, window_refusal(&w, 0, w.size + PAGE_BYTES, PROT_READ, MAP_SHARED));
	must_refuse(EINVAL, window_refusal(&w, PAGE_BYTES, w.size, PROT_READ, MAP_SHARED));
	must_refuse(EINVAL, window_refusal(&w, w.size, PAGE_BYTES, PROT_READ, MAP_SHARED));
	must_refuse(EINVAL, window_refusal(&w, -PAGE_BYTES, PAGE_BYTES, PROT_READ, MAP_SHARED));
	must_refuse(EINVAL, window_refusal(&w, -PAGE_BYTES, 2 * PAGE_BYTES, PROT_READ, MAP_SHARED));
	window_close(&w);
}

/* ---------------------------------------------------------------- what is refused */

static void test_rights(void)
{
	struct window w;

	window_open(&w, O_RDONLY);
	must_refuse(EACCES, window_refusal(&w, 0, w.size, PROT_READ | PROT_WRITE, MAP_SHARED));
	must_refuse(EACCES, sys(mprotect(w.data, w.size, PROT_READ | PROT_WRITE)));
	tap_eq(SIGSEGV, content_access(w.data, true));
	tap_eq(0, content_access(w.data, false));
	window_close(&w);
	window_open(&w, O_RDWR);
	must(sys(mprotect(w.data, w.size, PROT_READ)));
	tap_eq(SIGSEGV, content_access(w.data, true));
	must(sys(mprotect(w.data, w.size, PROT_READ | PROT_WRITE)));
	tap_eq(0, content_access(w.data, true));
	window_close(&w);
}

static void test_never_code_never_private(void)
{
	struct window w;

	window_open(&w, O_RDWR);
	must_refuse(EPERM, window_refusal(&w, 0, w.size, PROT_READ | PROT_EXEC, MAP_SHARED));
	must_refuse(EACCES, sys(mprotect(w.data, PAGE_BYTES, PROT_READ | PROT_EXEC)));
	must_refuse(EINVAL, window_refusal(&w, 0, w.size, PROT_READ | PROT_WRITE, MAP_PRIVATE));
	must_refuse(EINVAL, window_refusal(&w, 0, w.size, PROT_READ, MAP_PRIVATE));
	window_close(&w);
}

static void test_does_not_grow(void)
{
	struct window w;
	uint8_t *page;

	window_open(&w, O_RDWR);
	page = window_try(&w, 0, PAGE_BYTES, PROT_READ, MAP_SHARED);
	tap_check(page != MAP_FAILED, "first page: expected success, got %s", strerror(errno));
	must_refuse(EFAULT, sys(mremap(page, PAGE_BYTES, 2 * PAGE_BYTES, MREMAP_MAYMOVE)));
	must(sys(remap_file_pages(page, PAGE_BYTES, 0, w.size / PAGE_BYTES - 1, 0)));
	must_refuse(EINVAL, sys(remap_file_pages(page, PAGE_BYTES, 0, w.size / PAGE_BYTES, 0)));
	munmap(page, PAGE_BYTES);
	window_close(&w);
}

/* ---------------------------------------------------------------- no pages */

static void test_direct_io(void)
{
	int disk = disk_open();
	struct window w;

	window_open(&w, O_RDWR);
	content_fill(w.data, w.size, 6);
	must_refuse(EFAULT, sys(pwrite(disk, w.data, PAGE_BYTES, 0)));
	must_refuse(EFAULT, sys(pread(disk, w.data, PAGE_BYTES, 0)));
	content_expect("window", w.data, w.size, 6, 0);
	window_close(&w);
	close(disk);
}

static void test_pinned_otherwise(void)
{
	struct iovec theirs, ours = { .iov_len = PAGE_BYTES };
	uint8_t page[PAGE_BYTES];
	struct window w;
	int fds[2];

	must(sys(pipe(fds)));
	window_open(&w, O_RDWR);
	theirs = (struct iovec){ .iov_base = w.data, .iov_len = PAGE_BYTES };
	ours.iov_base = page;
	must_refuse(EFAULT, sys(vmsplice(fds[1], &theirs, 1, 0)));
	must_refuse(EFAULT, sys(process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0)));
	window_close(&w);
	close(fds[0]);
	close(fds[1]);
}

/* What copies by the CPU works. */
static void test_copied(void)
{
	uint8_t page[PAGE_BYTES];
	struct window w;
	int fds[2];

	must(sys(pipe(fds)));
	window_open(&w, O_RDWR);
	content_fill(w.data, w.size, 7);
	tap_eq(PAGE_BYTES, must(sys(write(fds[1], w.data + PAGE_BYTES, PAGE_BYTES))));
	tap_eq(PAGE_BYTES, must(sys(read(fds[0], page, PAGE_BYTES))));
	content_expect("pipe", page, PAGE_BYTES, 7, PAGE_BYTES);
	window_close(&w);
	close(fds[0]);
	close(fds[1]);
}

/* ---------------------------------------------------------------- the card sleeps */

/* It goes to sleep at once when nothing keeps it awake. */
static void test_keeps_awake(void)
{
	char path[112];
	struct window w;
	int fd;

	node_find(&w.node);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/autosuspend_delay_ms",
		 w.node.address);
	fd = must(sys(open(path, O_WRONLY | O_CLOEXEC)));
	tap_eq(1, write(fd, "0", 1));
	close(fd);
	node_expect_power(&w.node, "suspended");
	window_open(&w, O_RDWR);
	close(w.fd);
	content_fill(w.data, w.size, 9);
	tap_check(node_has_power(&w.node, "active"), "mapped card: expected to be active");
	content_expect("window", w.data, w.size, 9, 0);
	munmap(w.data, w.size);
	node_expect_power(&w.node, "suspended");
	must(node_unbind(&w.node));
	must(node_bind(&w.node));
}

/* ---------------------------------------------------------------- the card goes */

static void expect_revoked(const struct window *w)
{
	size_t at;

	for (at = 0; at < w->size; at += w->size / 8) {
		tap_eq(SIGBUS, content_access(w->data + at, false));
		tap_eq(SIGBUS, content_access(w->data + at, true));
	}
}

static void test_unbind(void)
{
	struct window w;

	window_open(&w, O_RDWR);
	content_touch(w.data, w.size / 2);
	must(node_unbind(&w.node));
	expect_revoked(&w);
	must_refuse(ENODEV, window_refusal(&w, 0, w.size, PROT_READ, MAP_SHARED));
	must(node_bind(&w.node));
	expect_revoked(&w);
	must_refuse(ENODEV, window_refusal(&w, 0, w.size, PROT_READ, MAP_SHARED));
	window_close(&w);
}

/**
 * struct line - between a test and its children
 * @ready: each child writes a byte
 * @gone: reads end of file when the card is gone
 */
struct line {
	int ready[2];
	int gone[2];
};

static struct line line_open(void)
{
	struct line line;

	must(sys(pipe(line.ready)));
	must(sys(pipe(line.gone)));
	return line;
}

/* In the parent: the card is gone. */
static void line_close(struct line *line)
{
	close(line->ready[0]);
	close(line->ready[1]);
	close(line->gone[0]);
	close(line->gone[1]);
}

static void line_wait_ready(const struct line *line)
{
	char byte;

	tap_eq(1, read(line->ready[0], &byte, 1));
}

static void line_say_ready(const struct line *line)
{
	tap_eq(1, write(line->ready[1], "", 1));
}

/* In a child, before it waits or asks. */
static void line_listen(const struct line *line)
{
	close(line->gone[1]);
}

static void line_wait_gone(const struct line *line)
{
	char byte;

	tap_eq(0, read(line->gone[0], &byte, 1));
}

static bool line_is_gone(const struct line *line)
{
	struct pollfd ready = { .fd = line->gone[0], .events = POLLIN };

	return must(sys(poll(&ready, 1, 0)));
}

static void child_holds(const struct window *w, const struct line *line)
{
	line_listen(line);
	content_touch(w->data, w->size);
	line_say_ready(line);
	line_wait_gone(line);
	expect_revoked(w);
}

/* In a child, in a part that was split off and moved, without the file. */
static void test_unbind_copies(void)
{
	struct line line = line_open();
	struct window w;
	uint8_t *moved;
	pid_t child;

	window_open(&w, O_RDWR);
	content_touch(w.data, w.size);
	close(w.fd);
	child = fork();
	if (!child) {
		child_holds(&w, &line);
		_exit(0);
	}
	moved = mremap(w.data, PAGE_BYTES, PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
		       w.data + (UINT64_C(1) << 32));
	tap_check(moved != MAP_FAILED, "mremap: expected success, got %s", strerror(errno));
	content_touch(moved, PAGE_BYTES);
	line_wait_ready(&line);
	must(node_unbind(&w.node));
	line_close(&line);
	tap_join(child);
	tap_eq(SIGBUS, content_access(moved, false));
	tap_eq(SIGBUS, content_access(w.data + PAGE_BYTES, true));
	munmap(moved, PAGE_BYTES);
	munmap(w.data, w.size);
	must(node_bind(&w.node));
}

static void test_holds_module(void)
{
	struct window w;

	window_open(&w, O_RDWR);
	content_touch(w.data, w.size);
	window_close(&w);
	must(module_unload());
	must(module_load());
	window_open(&w, O_RDWR);
	close(w.fd);
	must(module_unload_one(MODULE_PCI));
	must_refuse(EWOULDBLOCK, module_unload());
	munmap(w.data, w.size);
	must(module_unload());
	must(module_load());
}

static sigjmp_buf escape;

static void on_bus_error(int signal)
{
	siglongjmp(escape, signal);
}

/*
 * Fault all pages in, look at them and forget them (remap_file_pages() maps them anew), over
 * and over. What is read is right until the first SIGBUS; once the unbind has returned there
 * is nothing else.
 */
static void fault_until_revoked(const struct window *w, const struct line *line)
{
	struct sigaction catch = { .sa_handler = on_bus_error };
	volatile int began = 0;

	line_listen(line);
	sigaction(SIGBUS, &catch, NULL);
	while (!sigsetjmp(escape, 1) && !line_is_gone(line)) {
		content_expect("window", w->data, w->size, 8, 0);
		if (!began++)
			line_say_ready(line);
		must(sys(remap_file_pages(w->data, w->size, 0, 0, 0)));
	}
	line_wait_gone(line);
	expect_revoked(w);
}

static pid_t start_faulting(const struct window *w, const struct line *line)
{
	pid_t child = fork();

	if (!child) {
		fault_until_revoked(w, line);
		_exit(0);
	}
	return child;
}

/* Several who fault, each in an address space of his own. */
static void race_once(void)
{
	struct line line = line_open();
	pid_t children[3];
	struct window w;
	size_t i;

	window_open(&w, O_RDWR);
	content_fill(w.data, w.size, 8);
	for (i = 0; i < TAP_COUNT(children); i++)
		children[i] = start_faulting(&w, &line);
	for (i = 0; i < TAP_COUNT(children); i++)
		line_wait_ready(&line);
	must(node_unbind(&w.node));
	line_close(&line);
	for (i = 0; i < TAP_COUNT(children); i++)
		tap_join(children[i]);
	must(node_bind(&w.node));
	window_close(&w);
}

static void test_race(void)
{
	int n = user_short_loops();

	while (n--)
		race_once();
}

static const struct tap_test tests[] = {
	{ "INFO tells of the window, which is as large as the BAR", .run = test_info },
	{ "the window is the BAR: unbound, sysfs shows the same", .run = test_is_the_bar },
	{ "files and processes share the window", .run = test_shared },
	{ "any part of the window can be mapped, and nothing beyond it", .run = test_parts },
	{ "a file that is open for reading cannot write", .run = test_rights },
	{ "no code and no private copies", .run = test_never_code_never_private },
	{ "a mapping does not grow and does not lead out", .run = test_does_not_grow },
	{ "O_DIRECT from and to the window fails with EFAULT", .run = test_direct_io },
	{ "vmsplice() and process_vm_readv() fail with EFAULT", .run = test_pinned_otherwise },
	{ "write() copies out of the window", .run = test_copied },
	{ "the card does not sleep while it is mapped", .run = test_keeps_awake },
	{ "unbind takes the window away for good", .run = test_unbind },
	{ "unbind takes it from children and from mappings without a file",
	  .run = test_unbind_copies },
	{ "a mapping holds the module, and nothing else does", .run = test_holds_module },
	{ "who faults while the card goes sees the window or SIGBUS", .run = test_race,
	  .deadline_s = 600 },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = {
		.tests = tests,
		.n_tests = TAP_COUNT(tests),
		.missing = node_missing,
		.residue = card_live_stores,
		.after = node_restore,
	};

	module_remember();
	return tap_main(&suite, argc, argv);
}
