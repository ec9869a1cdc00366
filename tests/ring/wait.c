// SPDX-License-Identifier: MIT
/*
 * wait: WAIT, poll and epoll return when the condition holds, and not before.
 *
 * The producer is the test itself, so it is known what has been published and when.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

#define MS UINT64_C(1000000)

/**
 * struct pair - a producer and a reader of one ring of 64 frames
 * @producer: sends what the test wants
 * @reader: waits for it
 * @next: number of the next frame to be sent
 */
struct pair {
	struct ring producer;
	struct ring reader;
	uint64_t next;
};

static struct pair pair_begin(void)
{
	struct pair pair = { .next = 0 };

	must(ring_setup(AVRING_STREAM_VIDEO, 64 * SMALL_STRIDE, 0));
	pair.producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	pair.reader = ring_reader(AVRING_STREAM_VIDEO);
	tap_eq(0, pair.reader.at.next);
	return pair;
}

static void pair_end(struct pair *pair)
{
	ring_close(&pair->reader);
	ring_close(&pair->producer);
}

static void pair_send(struct pair *pair, unsigned int frames)
{
	while (frames--)
		ring_send(&pair->producer, pair->next++, SMALL_BYTES);
}

/* The n-th frame is that many milliseconds later than the first. */
static void pair_send_at(struct pair *pair, uint64_t start_ns, uint64_t ms)
{
	struct avring_begin begin = { .length = SMALL_BYTES };
	struct avring_commit commit = { .length = SMALL_BYTES, .time_ns = start_ns + ms * MS };

	must(ring_call(&pair->producer, AVRING_IOC_BEGIN, &begin));
	must(ring_call(&pair->producer, AVRING_IOC_COMMIT, &commit));
	pair->next++;
}

static int wait_for(const struct ring *ring, const struct avring_wait *what)
{
	struct avring_wait wait = *what;

	return ring_call(ring, AVRING_IOC_WAIT, &wait);
}

static int wait_entries(const struct pair *pair, uint64_t next, uint64_t entries)
{
	return ring_wait(&pair->reader, next, entries, 0);
}

static void test_entries(void)
{
	struct pair pair = pair_begin();

	must_refuse(EAGAIN, wait_entries(&pair, 0, 1));
	pair_send(&pair, 1);
	must(wait_entries(&pair, 0, 1));
	must_refuse(EAGAIN, wait_entries(&pair, 0, 2));
	must_refuse(EAGAIN, wait_entries(&pair, 1, 1));
	pair_send(&pair, 9);
	must(wait_entries(&pair, 0, 10));
	must_refuse(EAGAIN, wait_entries(&pair, 0, 11));
	must(wait_entries(&pair, 9, 1));
	must_refuse(EAGAIN, wait_entries(&pair, 10, 1));
	must_refuse(EINVAL, wait_entries(&pair, 11, 1));
	must_refuse(EINVAL, wait_entries(&pair, ~0ull, 1));
	pair_end(&pair);
}

/* From the first byte of the first entry to the last byte of the last. */
static void test_bytes(void)
{
	struct avring_wait wait = { .entries = 1, .bytes = SMALL_BYTES };
	struct pair pair = pair_begin();

	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	pair_send(&pair, 1);
	must(wait_for(&pair.reader, &wait));
	wait.bytes = SMALL_BYTES + 1;
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	wait.bytes = 3 * SMALL_BYTES;
	pair_send(&pair, 1);
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	pair_send(&pair, 1);
	must(wait_for(&pair.reader, &wait));
	wait.entries = 4;
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	wait.bytes = pair.reader.at.length + 1;
	must_refuse(EINVAL, wait_for(&pair.reader, &wait));
	pair_end(&pair);
}

static void test_time(void)
{
	struct avring_wait wait = { .entries = 1, .time_ns = 100 * MS };
	const uint64_t start = now_ns();
	struct pair pair = pair_begin();

	pair_send_at(&pair, start, 1);
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	pair_send_at(&pair, start, 100);
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	pair_send_at(&pair, start, 101);
	must(wait_for(&pair.reader, &wait));
	wait.next = 1;
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	wait.time_ns = 1 * MS;
	must(wait_for(&pair.reader, &wait));
	wait.entries = 3;
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	pair_end(&pair);
}

static void test_out(void)
{
	struct avring_wait wait = { .entries = 1, .state = ~0u, .head_entry = ~0ull };
	struct pair pair = pair_begin();

	pair_send(&pair, 5);
	must(ring_call(&pair.reader, AVRING_IOC_WAIT, &wait));
	tap_eq(0, wait.state);
	tap_eq(5, wait.head_entry);
	tap_eq(0, wait.flags);
	tap_eq(0, wait.next);
	tap_eq(1, wait.entries);
	pair_end(&pair);
}

static int wait_relative(const struct pair *pair, uint64_t ns)
{
	return wait_for(&pair->reader, &(struct avring_wait){ .entries = 1,
							      .flags = AVRING_WAIT_RELATIVE,
							      .deadline_ns = ns });
}

static void test_relative(void)
{
	struct pair pair = pair_begin();
	const uint64_t begin = now_ns();

	must_refuse(ETIMEDOUT, wait_relative(&pair, 50 * MS));
	tap_check(now_ns() >= begin + 50 * MS, "ETIMEDOUT: expected not before 50 ms");
	must_refuse(EAGAIN, wait_relative(&pair, 0));
	pair_send(&pair, 1);
	must(wait_relative(&pair, 0));
	must(wait_relative(&pair, ~0ull - 1));
	must(wait_relative(&pair, AVRING_WAIT_FOREVER));
	pair_end(&pair);
}

/* Seen: 1.2 s instead of 0.3, with what had come meanwhile. */
static void test_time_namespace(void)
{
	const uint64_t outside = now_ns();
	struct pair pair = pair_begin();
	uint64_t begin;
	pid_t child;

	ring_enter_time_namespace();
	child = must(sys(fork()));
	if (!child) {
		begin = now_ns();
		tap_check(begin > outside + 99999000 * MS, "expected another clock");
		must_refuse(ETIMEDOUT, wait_relative(&pair, 300 * MS));
		tap_check(now_ns() >= begin + 300 * MS, "ETIMEDOUT: expected not before 300 ms");
		tap_check(now_ns() < begin + 5000 * MS, "ETIMEDOUT: expected after 300 ms");
		_exit(0);
	}
	tap_join(child);
	pair_end(&pair);
}

static void test_result_without_entries(void)
{
	struct avring_wait wait = { .next = 3, .entries = 5, .flags = AVRING_WAIT_RELATIVE };
	struct pair pair = pair_begin();

	pair_send(&pair, 3);
	must_refuse(EAGAIN, ring_call(&pair.reader, AVRING_IOC_WAIT, &wait));
	tap_eq(3, wait.head_entry);
	wait.head_entry = 0;
	wait.state = ~0u;
	wait.deadline_ns = MS;
	must_refuse(ETIMEDOUT, ring_call(&pair.reader, AVRING_IOC_WAIT, &wait));
	tap_eq(3, wait.head_entry);
	tap_eq(0, wait.state);
	pair_end(&pair);
}

static void test_deadline(void)
{
	struct pair pair = pair_begin();
	const uint64_t deadline = in_ms(50);

	must_refuse(ETIMEDOUT, ring_wait(&pair.reader, 0, 1, deadline));
	tap_check(now_ns() >= deadline,
		  "ETIMEDOUT: expected not before the deadline, %lld ns early",
		  (long long)(deadline - now_ns()));
	must_refuse(ETIMEDOUT, ring_wait(&pair.reader, 0, 1, 1));
	must_refuse(ETIMEDOUT, ring_wait(&pair.reader, 0, 1, now_ns()));
	pair_send(&pair, 1);
	must(ring_wait(&pair.reader, 0, 1, 1));
	must(ring_wait(&pair.reader, 0, 1, ~0ull - 1));
	pair_end(&pair);
}

/* Overtaken by a lap: what he waits for will not come, and he need not wait. */
static void test_overtaken(void)
{
	struct pair pair = pair_begin();
	const uint32_t entries = pair.reader.at.entries;

	tap_check(entries > 70, "entries: expected more than the ring holds, got %u", entries);
	pair_send(&pair, 64);
	must_refuse(EAGAIN, wait_entries(&pair, 0, entries));
	pair_send(&pair, 1);
	tap_eq(1, ring_tail(&pair.reader));
	must(wait_entries(&pair, 0, entries));
	must_refuse(EAGAIN, wait_entries(&pair, 1, entries));
	pair_end(&pair);
}

/**
 * struct waiter - a child that waits in WAIT, and what it came back with
 * @child: the process
 * @result: of WAIT; 1 while it waits
 * @head: head_entry that it saw then
 */
struct waiter {
	pid_t child;
	volatile int *result;
	volatile uint64_t *head;
};

static struct waiter waiter_start(const struct ring *ring, const struct avring_wait *wait)
{
	struct waiter waiter = { .result = ring_shared(sizeof(int)),
				 .head = ring_shared(sizeof(uint64_t)) };

	*waiter.result = 1;
	waiter.child = fork();
	if (!waiter.child) {
		int result = wait_for(ring, wait);

		*waiter.head = ring_head(ring);
		*waiter.result = result;
		_exit(0);
	}
	wait_asleep(waiter.child);
	return waiter;
}

static void waiter_end(struct waiter *waiter, int result)
{
	tap_join(waiter->child);
	tap_eq(result, *waiter->result);
	munmap((void *)waiter->result, sizeof(int));
	munmap((void *)waiter->head, sizeof(uint64_t));
}

/* One frame less than it waits for must leave it asleep: it would have ended. */
static void test_sleeper_wakes(void)
{
	const struct avring_wait wait = { .entries = 8, .deadline_ns = AVRING_WAIT_FOREVER };
	struct pair pair = pair_begin();
	struct waiter waiter = waiter_start(&pair.reader, &wait);

	pair_send(&pair, 7);
	wait_asleep(waiter.child);
	tap_eq(1, *waiter.result);
	pair_send(&pair, 1);
	waiter_end(&waiter, 0);
	pair_end(&pair);
}

static void test_sleeper_wakes_by_time(void)
{
	const struct avring_wait wait = { .entries = 1,
					  .time_ns = 20 * MS,
					  .deadline_ns = AVRING_WAIT_FOREVER };
	const uint64_t start = now_ns();
	struct pair pair = pair_begin();
	struct waiter waiter = waiter_start(&pair.reader, &wait);

	pair_send_at(&pair, start, 1);
	pair_send_at(&pair, start, 20);
	wait_asleep(waiter.child);
	tap_eq(1, *waiter.result);
	pair_send_at(&pair, start, 21);
	waiter_end(&waiter, 0);
	pair_end(&pair);
}

static void test_sleeper_wakes_when_overtaken(void)
{
	struct avring_wait wait = { .deadline_ns = AVRING_WAIT_FOREVER };
	struct pair pair = pair_begin();
	struct waiter waiter;

	wait.entries = pair.reader.at.entries;
	waiter = waiter_start(&pair.reader, &wait);
	pair_send(&pair, 64);
	wait_asleep(waiter.child);
	tap_eq(1, *waiter.result);
	pair_send(&pair, 1);
	waiter_end(&waiter, 0);
	pair_end(&pair);
}

static void test_sleeper_wakes_when_stale(void)
{
	const struct avring_wait wait = { .entries = 8, .deadline_ns = AVRING_WAIT_FOREVER };
	struct pair pair = pair_begin();
	struct waiter waiter = waiter_start(&pair.reader, &wait);

	must(ring_call(&pair.producer, AVRING_IOC_DETACH, NULL));
	waiter_end(&waiter, 0);
	tap_eq(AVRING_STATE_STALE, ring_state(&pair.reader));
	must(wait_entries(&pair, 0, 8));
	pair_end(&pair);
}

static void on_signal(int number)
{
	(void)number;
}

static struct waiter signalled_waiter(struct pair *pair, int flags)
{
	const struct avring_wait wait = { .entries = 1, .deadline_ns = AVRING_WAIT_FOREVER };
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
	struct waiter waiter;

	sigaction(SIGUSR1, &action, NULL);
	*pair = pair_begin();
	waiter = waiter_start(&pair->reader, &wait);
	kill(waiter.child, SIGUSR1);
	return waiter;
}

static void test_signal(void)
{
	struct pair pair;
	struct waiter waiter = signalled_waiter(&pair, 0);

	waiter_end(&waiter, -EINTR);
	pair_end(&pair);
}

static void test_signal_restart(void)
{
	struct pair pair;
	struct waiter waiter = signalled_waiter(&pair, SA_RESTART);

	wait_asleep(waiter.child);
	tap_eq(1, *waiter.result);
	pair_send(&pair, 1);
	waiter_end(&waiter, 0);
	pair_end(&pair);
}

/* A restarted sleep ends when it would have ended: the deadline is a point in time. */
static void test_restart_keeps_deadline(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	const struct itimerval storm = { { 0, 10000 }, { 0, 10000 } };
	struct pair pair = pair_begin();
	const uint64_t deadline = in_ms(200);

	sigaction(SIGALRM, &action, NULL);
	must(sys(setitimer(ITIMER_REAL, &storm, NULL)));
	must_refuse(ETIMEDOUT, ring_wait(&pair.reader, 0, 1, deadline));
	tap_check(now_ns() >= deadline, "ETIMEDOUT: expected not before the deadline");
	tap_check(now_ns() < deadline + 5000 * MS,
		  "ETIMEDOUT: expected at the deadline, %llu ms late",
		  (unsigned long long)((now_ns() - deadline) / MS));
	pair_end(&pair);
}

static void stop_and_continue(const struct avring_wait *wait)
{
	struct pair pair = pair_begin();
	struct waiter waiter = waiter_start(&pair.reader, wait);
	int status;

	kill(waiter.child, SIGSTOP);
	tap_eq(waiter.child, waitpid(waiter.child, &status, WUNTRACED));
	kill(waiter.child, SIGCONT);
	wait_asleep(waiter.child);
	tap_eq(1, *waiter.result);
	kill(waiter.child, SIGSTOP);
	tap_eq(waiter.child, waitpid(waiter.child, &status, WUNTRACED));
	pair_send(&pair, 1);
	kill(waiter.child, SIGCONT);
	waiter_end(&waiter, 0);
	pair_end(&pair);
}

static void test_stop_and_continue(void)
{
	const struct avring_wait wait = { .entries = 1, .deadline_ns = AVRING_WAIT_FOREVER };
	struct avring_wait relative = { .entries = 1, .deadline_ns = 3600000 * MS };

	relative.flags = AVRING_WAIT_RELATIVE;
	stop_and_continue(&wait);
	stop_and_continue(&relative);
}

/* Many sleepers with files of their own, each with another condition. */
static void test_many_sleepers(void)
{
	struct waiter waiters[16];
	struct ring rings[16];
	struct pair pair = pair_begin();
	unsigned int i;

	for (i = 0; i < 16; i++) {
		const struct avring_wait wait = { .entries = i + 1,
						  .deadline_ns = AVRING_WAIT_FOREVER };

		rings[i] = ring_reader(AVRING_STREAM_VIDEO);
		waiters[i] = waiter_start(&rings[i], &wait);
	}
	for (i = 0; i < 16; i++) {
		pair_send(&pair, 1);
		tap_join(waiters[i].child);
		tap_eq(0, *waiters[i].result);
		tap_eq(i + 1, *waiters[i].head);
		tap_eq(1, i < 15 ? *waiters[i + 1].result : 1);
		ring_close(&rings[i]);
	}
	pair_end(&pair);
}

/* Two processes that share one open file may wait for different things. */
static void test_two_sleepers_of_a_file(void)
{
	const struct avring_wait three = { .entries = 3, .deadline_ns = AVRING_WAIT_FOREVER };
	const struct avring_wait one = { .entries = 1, .deadline_ns = AVRING_WAIT_FOREVER };
	struct pair pair = pair_begin();
	struct waiter late = waiter_start(&pair.reader, &three);
	struct waiter early = waiter_start(&pair.reader, &one);

	pair_send(&pair, 1);
	waiter_end(&early, 0);
	pair_send(&pair, 2);
	waiter_end(&late, 0);
	pair_end(&pair);
}

/* Another thread asks for more than comes, and does not even sleep for it. */
static void test_asked_meanwhile(void)
{
	const struct avring_wait one = { .entries = 1, .deadline_ns = AVRING_WAIT_FOREVER };
	struct pair pair = pair_begin();
	struct waiter waiter = waiter_start(&pair.reader, &one);

	must_refuse(EAGAIN, wait_entries(&pair, 0, 100));
	pair_send(&pair, 1);
	waiter_end(&waiter, 0);
	pair_end(&pair);
}

static short poll_in(const struct ring *ring, int ms)
{
	struct pollfd ready = { .fd = ring->fd, .events = POLLIN | POLLPRI };

	must(sys(poll(&ready, 1, ms)));
	return ready.revents;
}

static void test_poll_before_wait(void)
{
	struct pair pair = pair_begin();

	tap_eq(0, poll_in(&pair.reader, 0));
	pair_send(&pair, 1);
	tap_eq(POLLIN, poll_in(&pair.reader, 0));
	pair_end(&pair);
}

static void test_poll_watermark(void)
{
	struct pair pair = pair_begin();

	must_refuse(EAGAIN, wait_entries(&pair, 0, 4));
	tap_eq(0, poll_in(&pair.reader, 0));
	pair_send(&pair, 3);
	tap_eq(0, poll_in(&pair.reader, 20));
	pair_send(&pair, 1);
	tap_eq(POLLIN, poll_in(&pair.reader, -1));
	must_refuse(EAGAIN, wait_entries(&pair, 4, 4));
	tap_eq(0, poll_in(&pair.reader, 0));
	pair_end(&pair);
}

static void test_poll_watermark_bytes_and_time(void)
{
	struct avring_wait wait = { .entries = 1, .bytes = 2 * SMALL_BYTES };
	const uint64_t start = now_ns();
	struct pair pair = pair_begin();

	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	pair_send_at(&pair, start, 1);
	tap_eq(0, poll_in(&pair.reader, 0));
	pair_send_at(&pair, start, 2);
	tap_eq(POLLIN, poll_in(&pair.reader, 0));
	wait = (struct avring_wait){ .next = 2, .entries = 1, .time_ns = 10 * MS };
	must_refuse(EAGAIN, wait_for(&pair.reader, &wait));
	pair_send_at(&pair, start, 3);
	pair_send_at(&pair, start, 12);
	tap_eq(0, poll_in(&pair.reader, 0));
	pair_send_at(&pair, start, 13);
	tap_eq(POLLIN, poll_in(&pair.reader, 0));
	pair_end(&pair);
}

/* The poller sleeps before the frames come. */
static void test_poll_wakes(void)
{
	struct pair pair = pair_begin();
	pid_t child;

	must_refuse(EAGAIN, wait_entries(&pair, 0, 3));
	child = fork();
	if (!child) {
		tap_eq(POLLIN, poll_in(&pair.reader, -1));
		tap_eq(3, ring_head(&pair.reader));
		_exit(0);
	}
	wait_asleep(child);
	pair_send(&pair, 2);
	wait_asleep(child);
	pair_send(&pair, 1);
	tap_join(child);
	pair_end(&pair);
}

static void test_poll_stale(void)
{
	struct pair pair = pair_begin();
	pid_t child = fork();

	if (!child) {
		struct pollfd ready = { .fd = pair.reader.fd, .events = POLLPRI };

		must(sys(poll(&ready, 1, -1)));
		tap_eq(POLLPRI, ready.revents);
		_exit(0);
	}
	wait_asleep(child);
	must(ring_call(&pair.producer, AVRING_IOC_DETACH, NULL));
	tap_join(child);
	tap_check(poll_in(&pair.reader, 0) & POLLPRI, "poll: expected POLLPRI");
	must(ring_read(&pair.reader, AVRING_STREAM_VIDEO, 0));
	tap_eq(0, poll_in(&pair.reader, 0) & POLLPRI);
	pair_end(&pair);
}

static int epoll_of(const struct ring *ring, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = must(sys(epoll_create1(EPOLL_CLOEXEC)));

	must(sys(epoll_ctl(epoll, EPOLL_CTL_ADD, ring->fd, &event)));
	return epoll;
}

static uint32_t epoll_now(int epoll, int ms)
{
	struct epoll_event event = { .events = 0 };

	must(sys(epoll_wait(epoll, &event, 1, ms)));
	return event.events;
}

/* Edge triggered: one event for each call of WAIT, however many frames come. */
static void test_epoll_edges(void)
{
	struct pair pair = pair_begin();
	int epoll;
	uint64_t next;

	must_refuse(EAGAIN, wait_entries(&pair, 0, 2));
	epoll = epoll_of(&pair.reader, EPOLLIN | EPOLLET);
	for (next = 0; next < 40; next += 10) {
		must_refuse(EAGAIN, wait_entries(&pair, next, 2));
		tap_eq(0, epoll_now(epoll, 0));
		pair_send(&pair, 1);
		tap_eq(0, epoll_now(epoll, 0));
		pair_send(&pair, 1);
		tap_eq(EPOLLIN, epoll_now(epoll, -1));
		pair_send(&pair, 8);
		tap_eq(0, epoll_now(epoll, 0));
	}
	close(epoll);
	pair_end(&pair);
}

static void test_epoll_levels(void)
{
	struct pair pair = pair_begin();
	int epoll = epoll_of(&pair.reader, EPOLLIN | EPOLLPRI);

	must_refuse(EAGAIN, wait_entries(&pair, 0, 2));
	pair_send(&pair, 2);
	tap_eq(EPOLLIN, epoll_now(epoll, -1));
	tap_eq(EPOLLIN, epoll_now(epoll, 0));
	must_refuse(EAGAIN, wait_entries(&pair, 2, 2));
	tap_eq(0, epoll_now(epoll, 0));
	ring_close(&pair.producer);
	tap_check(epoll_now(epoll, -1) & EPOLLPRI, "epoll: expected EPOLLPRI");
	close(epoll);
	ring_close(&pair.reader);
}

/* What polls and what waits through one file do not disturb each other's sleep. */
static void test_poll_beside_wait(void)
{
	const struct avring_wait five = { .entries = 5, .deadline_ns = AVRING_WAIT_FOREVER };
	struct pair pair = pair_begin();
	struct waiter waiter = waiter_start(&pair.reader, &five);
	pid_t child = fork();

	if (!child) {
		tap_eq(POLLIN, poll_in(&pair.reader, -1));
		_exit(0);
	}
	wait_asleep(child);
	pair_send(&pair, 5);
	tap_join(child);
	waiter_end(&waiter, 0);
	pair_end(&pair);
}

static const struct tap_test tests[] = {
	{ "WAIT counts entries", .run = test_entries },
	{ "WAIT counts bytes", .run = test_bytes },
	{ "WAIT measures time from the first to the last entry", .run = test_time },
	{ "WAIT tells state and head", .run = test_out },
	{ "WAIT ends at its deadline, not before", .run = test_deadline },
	{ "and as long after now as was said, with AVRING_WAIT_RELATIVE", .run = test_relative },
	{ "also in a time namespace", .run = test_time_namespace, .as_root = true },
	{ "EAGAIN and ETIMEDOUT say how far the ring is", .run = test_result_without_entries },
	{ "WAIT ends at once for who was overtaken", .run = test_overtaken },
	{ "a sleeper wakes for the last of the frames that it waits for",
	  .run = test_sleeper_wakes },
	{ "a sleeper wakes when the time has come", .run = test_sleeper_wakes_by_time },
	{ "a sleeper wakes when he is overtaken", .run = test_sleeper_wakes_when_overtaken },
	{ "a sleeper wakes when the ring is stale", .run = test_sleeper_wakes_when_stale },
	{ "a signal handler ends the sleep with EINTR", .run = test_signal },
	{ "a signal handler with SA_RESTART does not", .run = test_signal_restart },
	{ "nor does it put off the deadline", .run = test_restart_keeps_deadline },
	{ "a sleeper that was stopped and continued sleeps on", .run = test_stop_and_continue },
	{ "16 sleepers wake one by one, each at his own number", .run = test_many_sleepers },
	{ "two sleepers through one file wake each at his own number",
	  .run = test_two_sleepers_of_a_file },
	{ "a sleeper wakes although another thread has asked for more meanwhile",
	  .run = test_asked_meanwhile },
	{ "poll before the first WAIT waits for any frame", .run = test_poll_before_wait },
	{ "poll waits for the entries of the last WAIT", .run = test_poll_watermark },
	{ "poll waits for its bytes and its time", .run = test_poll_watermark_bytes_and_time },
	{ "poll sleeps until then", .run = test_poll_wakes },
	{ "poll tells a stale ring by POLLPRI until ATTACH", .run = test_poll_stale },
	{ "epoll with EPOLLET tells once for each WAIT", .run = test_epoll_edges },
	{ "epoll without it tells as long as it holds", .run = test_epoll_levels },
	{ "poll and WAIT through one file both wake", .run = test_poll_beside_wait },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
