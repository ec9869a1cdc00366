// SPDX-License-Identifier: MIT
/*
 * wait: how the reader of a ring in memory waits, what it hears of the producer's end,
 * and what it may and leaves behind. Runs on any machine.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "tap.h"

static size_t page(void)
{
	return sysconf(_SC_PAGESIZE);
}

static void check_frame(const struct avring_span *span, uint64_t number)
{
	const uint8_t *bytes = span->data;

	tap_eq(number, span->sequence);
	tap_eq(number, span->entry);
	tap_eq(1, span->count);
	tap_eq(1, span->entries);
	tap_eq(page(), span->length);
	tap_eq(0, span->lost);
	for (size_t i = 0; i < span->length; i++)
		tap_check(bytes[i] == (uint8_t)number, "frame %llu byte %zu: expected %u, got %u",
			  (unsigned long long)number, i, (uint8_t)number, bytes[i]);
}

/* Waiting. */

static void send_one(void *arg)
{
	pair_send(arg, 0);
}

static void send_five(void *arg)
{
	struct timespec pause = { .tv_nsec = 5 * COMMON_MS };

	for (int i = 0; i < 5; i++) {
		pair_send(arg, i);
		nanosleep(&pause, NULL);
	}
}

static void wait_ends_with_a_frame(void)
{
	struct pair pair = pair_open(8);
	struct later *later = common_later(50, send_one, &pair);
	struct avring_span span;

	must_refuse(EAGAIN, avring_reader_next(pair.reader, &span));
	must(avring_reader_wait(pair.reader, AVRING_FOREVER));
	must(avring_reader_next(pair.reader, &span));
	must_refuse(EAGAIN, avring_reader_next(pair.reader, &span));
	common_join(later);
	pair_close(&pair);
}

static void wait_ends_at_the_deadline(void)
{
	struct pair pair = pair_open(8);
	uint64_t deadline = common_now_ns() + 30 * COMMON_MS;

	must_refuse(ETIMEDOUT, avring_reader_wait(pair.reader, deadline));
	tap_check(common_now_ns() >= deadline, "too early");
	must_refuse(ETIMEDOUT, avring_reader_wait(pair.reader, 0));
	must_refuse(ETIMEDOUT, avring_reader_wait(pair.reader, deadline));
	/* A deadline that has passed does not hide what is there. */
	pair_send(&pair, 0);
	must(avring_reader_wait(pair.reader, 0));
	pair_close(&pair);
}

static void wait_ends_with_a_signal(void)
{
	struct pair pair = pair_open(8);
	struct pest *pest = common_pester(SA_RESTART);
	struct avring_span span;
	struct later *later;

	must_refuse(EINTR, avring_reader_wait(pair.reader, AVRING_FOREVER));
	common_leave_alone(pest);
	/* Nothing was lost by that. */
	later = common_later(50, send_one, &pair);
	must(avring_reader_wait(pair.reader, AVRING_FOREVER));
	span = pair_next(&pair);
	check_frame(&span, 0);
	common_join(later);
	pair_close(&pair);
}

static void check_watermark(const struct avring_watermark *mark, unsigned int frames)
{
	struct pair pair = pair_open(16);
	struct later *later = common_later(20, send_five, &pair);
	struct avring_span span;
	unsigned int n = 0;

	must(avring_reader_set_watermark(pair.reader, mark));
	must(avring_reader_wait(pair.reader, AVRING_FOREVER));
	while (!avring_reader_next(pair.reader, &span))
		n++;
	tap_check(n >= frames, "expected %u frames or more, got %u", frames, n);
	common_join(later);
	pair_close(&pair);
}

static void watermark_of_frames(void)
{
	check_watermark(&(struct avring_watermark){ .entries = 4 }, 4);
}

static void watermark_of_bytes(void)
{
	check_watermark(&(struct avring_watermark){ .bytes = 3 * page() - 1 }, 3);
}

static void watermark_of_time(void)
{
	/* Frames are 5 ms apart or more. */
	check_watermark(&(struct avring_watermark){ .time_ns = COMMON_MS }, 2);
}

static void watermark_is_at_most_half_of_the_ring(void)
{
	const struct avring_watermark good[] = { { .entries = 8 },
						 { .bytes = 8 * page() },
						 { .time_ns = 8 * 40 * COMMON_MS } };
	const struct avring_watermark bad[] = { { .entries = 9 },
						{ .bytes = 8 * page() + 1 },
						{ .time_ns = 8 * 40 * COMMON_MS + 1 } };
	struct pair pair = pair_open(16);

	for (int i = 0; i < 3; i++) {
		must(avring_reader_set_watermark(pair.reader, &good[i]));
		must_refuse(EINVAL, avring_reader_set_watermark(pair.reader, &bad[i]));
	}
	must(avring_reader_set_watermark(pair.reader, &good[0]));
	pair_send(&pair, 0);
	must_refuse(ETIMEDOUT, avring_reader_wait(pair.reader, 0));
	must(avring_reader_set_watermark(pair.reader, NULL));
	must(avring_reader_wait(pair.reader, 0));
	/* A refused one leaves the one before in place. */
	must_refuse(EINVAL, avring_reader_set_watermark(pair.reader, &bad[0]));
	must(avring_reader_wait(pair.reader, 0));
	pair_close(&pair);
}

static void overtaken_reader_does_not_wait(void)
{
	struct pair pair = pair_open(16);

	must(avring_reader_set_watermark(pair.reader, &(struct avring_watermark){ .entries = 8 }));
	for (int i = 0; i < 20; i++)
		pair_send(&pair, i);
	must(avring_reader_wait(pair.reader, 0));
	pair_close(&pair);
}

static int readable(int fd, int timeout_ms)
{
	struct pollfd file = { .fd = fd, .events = POLLIN | POLLPRI };

	return must(sys(poll(&file, 1, timeout_ms)));
}

static void poll_wakes_an_armed_reader(void)
{
	struct pair pair = pair_open(8);
	struct avring_span span;
	struct later *later;
	int fd = must(avring_reader_fd(pair.reader));

	for (int i = 0; i < 10; i++) {
		tap_eq(0, avring_reader_arm(pair.reader));
		tap_eq(0, readable(fd, 0));
		later = common_later(10, send_one, &pair);
		tap_eq(1, readable(fd, -1));
		must(avring_reader_next(pair.reader, &span));
		common_join(later);
	}
	pair_send(&pair, 0);
	tap_eq(1, avring_reader_arm(pair.reader));
	pair_close(&pair);
}

/* The end of the producer. */

static void closed_producer_ends_the_ring(void)
{
	struct pair pair = pair_open(8);
	struct avring_span span;

	pair_send(&pair, 0);
	pair_send(&pair, 1);
	tap_eq(1, avring_reader_arm(pair.reader));
	avring_producer_close(pair.producer);
	must(avring_reader_wait(pair.reader, AVRING_FOREVER));
	for (int i = 0; i < 2; i++) {
		span = pair_next(&pair);
		check_frame(&span, i);
	}
	must_refuse(ENODEV, avring_reader_next(pair.reader, &span));
	must(avring_reader_wait(pair.reader, AVRING_FOREVER));
	tap_eq(1, avring_reader_arm(pair.reader));
	must_refuse(EOPNOTSUPP, avring_reader_renew(pair.reader));
	avring_reader_close(pair.reader);
}

static void close_producer(void *arg)
{
	avring_producer_close(arg);
}

static void sleeping_reader_sees_the_producer_close(void)
{
	struct pair pair = pair_open(8);
	struct later *later = common_later(50, close_producer, pair.producer);
	struct avring_span span;

	must(avring_reader_wait(pair.reader, AVRING_FOREVER));
	must_refuse(ENODEV, avring_reader_next(pair.reader, &span));
	common_join(later);
	avring_reader_close(pair.reader);
}

/* Sends a memfd over a socket, waits for a byte, sends a frame, and never ends by itself. */
static _Noreturn void produce_until_killed(int socket)
{
	struct avring_stream_format format = common_picture(page());
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct pair pair;

	must(avring_producer_open(&pair.producer, NULL, &format, NULL));
	control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
					   .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS };
	*(int *)CMSG_DATA(&control.header) = avring_producer_fd(pair.producer);
	must(sys(sendmsg(socket, &message, 0)));
	must(sys(read(socket, &byte, 1)));
	pair_send(&pair, 0);
	for (;;)
		pause();
}

static int receive_fd(int socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	must(sys(recvmsg(socket, &message, MSG_CMSG_CLOEXEC)));
	return *(int *)CMSG_DATA(&control.header);
}

static void kill_child(void *arg)
{
	kill(*(pid_t *)arg, SIGKILL);
}

static void killed_producer_ends_the_ring(void)
{
	struct avring_reader *reader;
	struct avring_span span;
	struct later *later;
	int ends[2], fd;
	pid_t child;

	must(sys(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)));
	child = must(sys(fork()));
	if (!child)
		produce_until_killed(ends[1]);
	fd = receive_fd(ends[0]);
	must(avring_reader_open_fd(&reader, fd, NULL));
	must(sys(write(ends[0], "", 1)));
	must(avring_reader_wait(reader, AVRING_FOREVER));
	must(avring_reader_next(reader, &span));
	check_frame(&span, 0);
	later = common_later(50, kill_child, &child);
	must(avring_reader_wait(reader, AVRING_FOREVER));
	must_refuse(ENODEV, avring_reader_next(reader, &span));
	common_join(later);
	waitpid(child, NULL, 0);
	check_frame(&span, 0);
	must(avring_reader_release(reader, &span));
	avring_reader_close(reader);
	/* One that comes too late is told at once. */
	must(avring_reader_open_fd(&reader, fd, NULL));
	must_refuse(ENODEV, avring_reader_next(reader, &span));
	avring_reader_close(reader);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

/* Rights and resources. */

static void reader_cannot_write(void)
{
	struct pair pair = pair_open(8);
	struct avring_geometry geometry;
	int fd = avring_producer_fd(pair.producer);

	avring_reader_geometry(pair.reader, &geometry);
	must_refuse(EACCES, sys(mprotect((void *)geometry.data, page(), PROT_READ | PROT_WRITE)));
	tap_check(mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED &&
			  errno == EPERM,
		  "the ring can be mapped writable once more");
	must_refuse(EPERM, sys(pwrite(fd, "", 1, 0)));
	must_refuse(EPERM, sys(ftruncate(fd, 0)));
	pair_close(&pair);
}

static void closing_leaves_nothing_behind(void)
{
	int fds, mappings;
	struct pair pair = pair_open(8);

	pair_close(&pair);
	fds = tap_count_fds();
	mappings = common_count_mappings();
	for (int i = 0; i < 50; i++) {
		pair = pair_open(8);
		pair_send(&pair, 0);
		must(avring_reader_wait(pair.reader, 0));
		pair_close(&pair);
	}
	tap_eq(fds, tap_count_fds());
	tap_eq(mappings, common_count_mappings());
}

static void close_keeps_errno_and_takes_null(void)
{
	struct pair pair = pair_open(8);

	/* So that close() fails. */
	close(avring_reader_fd(pair.reader));
	errno = ENOTTY;
	pair_close(&pair);
	tap_eq(ENOTTY, errno);
	avring_reader_close(NULL);
	avring_producer_close(NULL);
	tap_eq(ENOTTY, errno);
}

static void forked_child_reads_on(void)
{
	struct pair pair = pair_open(8);
	struct avring_span span;
	pid_t child;

	pair_send(&pair, 0);
	child = must(sys(fork()));
	if (!child) {
		span = pair_next(&pair);
		check_frame(&span, 0);
		must(avring_reader_wait(pair.reader, AVRING_FOREVER));
		span = pair_next(&pair);
		check_frame(&span, 1);
		_exit(0);
	}
	pair_send(&pair, 1);
	tap_join(child);
	pair_close(&pair);
}

static const struct tap_test tests[] = {
	{ "wait ends with a frame", .run = wait_ends_with_a_frame },
	{ "wait ends at the deadline", .run = wait_ends_at_the_deadline },
	{ "wait ends with a signal, whatever SA_RESTART says", .run = wait_ends_with_a_signal },
	{ "a watermark of frames is waited for", .run = watermark_of_frames },
	{ "a watermark of bytes is waited for", .run = watermark_of_bytes },
	{ "a watermark of time is waited for", .run = watermark_of_time },
	{ "a watermark is at most half of the ring", .run = watermark_is_at_most_half_of_the_ring },
	{ "an overtaken reader does not wait for its watermark",
	  .run = overtaken_reader_does_not_wait },
	{ "poll wakes an armed reader, and not before", .run = poll_wakes_an_armed_reader },
	{ "a closed producer ends the ring after its last frame",
	  .run = closed_producer_ends_the_ring },
	{ "a sleeping reader sees the producer close",
	  .run = sleeping_reader_sees_the_producer_close },
	{ "a killed producer ends the ring", .run = killed_producer_ends_the_ring },
	{ "a reader cannot write, shrink or remap the ring", .run = reader_cannot_write },
	{ "closing leaves neither files nor mappings behind",
	  .run = closing_leaves_nothing_behind },
	{ "closing keeps errno and takes NULL", .run = close_keeps_errno_and_takes_null },
	{ "a forked child reads on", .run = forked_child_reads_on },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
