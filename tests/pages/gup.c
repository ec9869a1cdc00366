// SPDX-License-Identifier: MIT
/*
 * gup: whoever takes pages out of a mapping (get_user_pages) gets its bytes:
 * O_DIRECT, pipes, sockets, other processes, debuggers.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "disk.h"

/* One mapped buffer with content of seed 0, none of it faulted in yet. */
static uint8_t *begin(struct video *video, const void *max_order)
{
	buffers_begin_filled(video, *(const long *)max_order, 1);
	must(sys(madvise(video->buffers[0].start, BIG_BYTES, MADV_DONTNEED)));
	return video->buffers[0].start;
}

static uint8_t *memory(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tap_check(start != MAP_FAILED, "anonymous mmap: expected success, got %s", strerror(errno));
	return start;
}

/* All of it, in as many calls as it takes. */
static void write_all(int fd, const uint8_t *from, size_t bytes, off_t at)
{
	ssize_t n;

	for (; bytes; bytes -= n, from += n, at += n) {
		n = pwrite(fd, from, bytes, at);
		tap_check(n > 0, "O_DIRECT write of %zu bytes: expected success, got %zd (%s)",
			  bytes, n, strerror(errno));
	}
}

static void read_all(int fd, uint8_t *to, size_t bytes, off_t at)
{
	ssize_t n;

	for (; bytes; bytes -= n, to += n, at += n) {
		n = pread(fd, to, bytes, at);
		tap_check(n > 0, "O_DIRECT read of %zu bytes: expected success, got %zd (%s)",
			  bytes, n, strerror(errno));
	}
}

static void test_direct_write(const void *max_order)
{
	uint8_t *copy = memory(BIG_BYTES);
	int disk = disk_open();
	struct video video;

	write_all(disk, begin(&video, max_order), BIG_BYTES, 0);
	read_all(disk, copy, BIG_BYTES, 0);
	content_expect("disk", copy, BIG_BYTES, 0, 0);
	close(disk);
	video_close(&video);
}

/* A part that begins and ends within chunks. */
static void test_direct_write_part(const void *max_order)
{
	const size_t from = CHUNK_BYTES - 3 * 4096, bytes = CHUNK_BYTES + 7 * 4096;
	uint8_t *copy = memory(bytes);
	int disk = disk_open();
	struct video video;

	write_all(disk, begin(&video, max_order) + from, bytes, 512);
	read_all(disk, copy, bytes, 512);
	content_expect("disk", copy, bytes, 0, from);
	close(disk);
	video_close(&video);
}

static void test_direct_read(const void *max_order)
{
	uint8_t *source = memory(BIG_BYTES), *start;
	int disk = disk_open();
	struct video video;

	content_fill(source, BIG_BYTES, 5);
	write_all(disk, source, BIG_BYTES, 0);
	start = begin(&video, max_order);
	read_all(disk, start, BIG_BYTES, 0);
	content_expect("buffer read from the disk", start, BIG_BYTES, 5, 0);
	close(disk);
	video_close(&video);
}

static void test_vmsplice(const void *max_order)
{
	const size_t step = 256 * 1024;
	uint8_t *copy = memory(step), *start;
	struct video video;
	int ends[2];
	size_t at, got;
	ssize_t n;

	must(sys(pipe(ends)));
	must(sys(fcntl(ends[1], F_SETPIPE_SZ, step)));
	start = begin(&video, max_order);
	for (at = 0; at < BIG_BYTES; at += step) {
		struct iovec pages = { start + at, step };

		tap_eq(step, vmsplice(ends[1], &pages, 1, 0));
		for (got = 0; got < step; got += n) {
			n = read(ends[0], copy + got, step - got);
			tap_check(n > 0, "pipe: expected bytes, got %zd", n);
		}
		content_expect("pipe", copy, step, 0, at);
	}
	close(ends[0]);
	close(ends[1]);
	video_close(&video);
}

static void socket_pair(int *sender, int *receiver)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(sys(bind(listener, (struct sockaddr *)&address, length)));
	must(sys(listen(listener, 1)));
	must(sys(getsockname(listener, (struct sockaddr *)&address, &length)));
	*sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(sys(setsockopt(*sender, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one))));
	must(sys(connect(*sender, (struct sockaddr *)&address, length)));
	*receiver = must(sys(accept4(listener, NULL, NULL, SOCK_CLOEXEC)));
	close(listener);
}

static _Noreturn void receive(int receiver, size_t bytes)
{
	uint8_t *copy = memory(bytes);
	size_t got;
	ssize_t n;

	for (got = 0; got < bytes; got += n) {
		n = recv(receiver, copy + got, bytes - got, 0);
		tap_check(n > 0, "socket: expected %zu bytes, got %zu", bytes, got);
	}
	content_expect("socket", copy, bytes, 0, 0);
	_exit(0);
}

/* Number of zero-copy sends that one message of the error queue completes. */
static unsigned int read_completion(int sender)
{
	char control[256];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct pollfd ready = { .fd = sender };
	const struct sock_extended_err *error;

	must(sys(poll(&ready, 1, -1)));
	must(sys(recvmsg(sender, &message, MSG_ERRQUEUE)));
	tap_check(CMSG_FIRSTHDR(&message), "error queue: expected a control message, got none");
	error = (const void *)CMSG_DATA(CMSG_FIRSTHDR(&message));
	tap_eq(SO_EE_ORIGIN_ZEROCOPY, error->ee_origin);
	tap_eq(0, error->ee_errno);
	return error->ee_data - error->ee_info + 1;
}

static void test_zerocopy_send(const void *max_order)
{
	unsigned int sent = 0, completed = 0;
	int sender, receiver;
	struct video video;
	uint8_t *start;
	size_t at = 0;
	pid_t child;

	socket_pair(&sender, &receiver);
	child = fork();
	if (!child)
		receive(receiver, BIG_BYTES);
	close(receiver);
	start = begin(&video, max_order);
	while (at < BIG_BYTES) {
		at += must(sys(send(sender, start + at, BIG_BYTES - at, MSG_ZEROCOPY)));
		sent++;
	}
	while (completed < sent)
		completed += read_completion(sender);
	tap_eq(sent, completed);
	tap_join(child);
	close(sender);
	video_close(&video);
}

/* A child without the mapping reads its parent's. */
static void test_process_vm_readv(const void *max_order)
{
	uint8_t *copy = memory(BIG_BYTES);
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pid_t child = fork();

	if (!child) {
		struct iovec local = { copy, BIG_BYTES }, remote = { start, BIG_BYTES };

		video_close(&video);
		tap_eq(BIG_BYTES, process_vm_readv(getppid(), &local, 1, &remote, 1, 0));
		content_expect("process_vm_readv", copy, BIG_BYTES, 0, 0);
		_exit(0);
	}
	tap_join(child);
	video_close(&video);
}

static void test_process_vm_writev(const void *max_order)
{
	uint8_t *source = memory(BIG_BYTES);
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pid_t child = fork();

	if (!child) {
		struct iovec local = { source, BIG_BYTES }, remote = { start, BIG_BYTES };

		video_close(&video);
		content_fill(source, BIG_BYTES, 6);
		tap_eq(BIG_BYTES, process_vm_writev(getppid(), &local, 1, &remote, 1, 0));
		_exit(0);
	}
	tap_join(child);
	content_expect("process_vm_writev", start, BIG_BYTES, 6, 0);
	video_close(&video);
}

/* A forked child that stops; the mapping is in it, but nothing faulted in. */
static pid_t stopped_child(void)
{
	pid_t child = fork();

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	must(sys(waitpid(child, NULL, 0)));
	return child;
}

static void end_child(pid_t child)
{
	must(sys(ptrace(PTRACE_CONT, child, NULL, NULL)));
	tap_join(child);
}

static void test_ptrace_peek(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pid_t child = stopped_child();
	size_t at;
	long word;

	for (at = 0; at < BIG_BYTES; at += 97 * 4096 + 8) {
		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, child, start + at, NULL);
		tap_eq(0, errno);
		content_expect("PTRACE_PEEKDATA", &word, sizeof(word), 0, at);
	}
	end_child(child);
	video_close(&video);
}

static void test_ptrace_poke(const void *max_order)
{
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pid_t child = stopped_child();
	long word;

	content_fill(&word, sizeof(word), 9);
	must(sys(ptrace(PTRACE_POKEDATA, child, start + CHUNK_BYTES, word)));
	content_expect("word poked into the child", start + CHUNK_BYTES, sizeof(word), 9, 0);
	end_child(child);
	video_close(&video);
}

static void test_proc_mem(const void *max_order)
{
	uint8_t *copy = memory(BIG_BYTES);
	struct video video;
	uint8_t *start = begin(&video, max_order);
	pid_t child = stopped_child();
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	fd = must(sys(open(path, O_RDONLY | O_CLOEXEC)));
	read_all(fd, copy, BIG_BYTES, (off_t)(uintptr_t)start);
	content_expect("/proc/pid/mem", copy, BIG_BYTES, 0, 0);
	close(fd);
	end_child(child);
	video_close(&video);
}

static const struct tap_test tests[] = {
	BUFFERS_BOTH("an O_DIRECT write puts the buffer on the disk", test_direct_write),
	BUFFERS_BOTH("an O_DIRECT write of a part puts that part on the disk",
		     test_direct_write_part),
	BUFFERS_BOTH("an O_DIRECT read fills the buffer from the disk", test_direct_read),
	BUFFERS_BOTH("vmsplice puts the buffer into a pipe", test_vmsplice),
	BUFFERS_BOTH("MSG_ZEROCOPY sends the buffer and every send is completed",
		     test_zerocopy_send),
	BUFFERS_BOTH("process_vm_readv reads the buffer from another process",
		     test_process_vm_readv),
	BUFFERS_BOTH("process_vm_writev writes the buffer from another process",
		     test_process_vm_writev),
	BUFFERS_BOTH("PTRACE_PEEKDATA reads the buffer in a child", test_ptrace_peek),
	BUFFERS_BOTH("PTRACE_POKEDATA writes the buffer in a child", test_ptrace_poke),
	BUFFERS_BOTH("/proc/pid/mem reads the buffer in a child", test_proc_mem),
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
