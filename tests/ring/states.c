// SPDX-License-Identifier: MIT
/*
 * states: calls in the wrong order, by the wrong one, twice, or at the wrong time.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "ring.h"

static struct ring fresh(void)
{
	struct ring ring;

	ring_small_picture();
	must(ring_open(&ring, 0));
	return ring;
}

static struct ring small_producer(void)
{
	return ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
}

static int begin(const struct ring *ring, uint64_t length)
{
	struct avring_begin begin = { .length = length };

	return ring_call(ring, AVRING_IOC_BEGIN, &begin);
}

static int commit_at(const struct ring *ring, uint64_t time_ns)
{
	struct avring_commit commit = { .length = SMALL_BYTES, .time_ns = time_ns };

	return ring_call(ring, AVRING_IOC_COMMIT, &commit);
}

static int commit(const struct ring *ring)
{
	return commit_at(ring, 0);
}

static int export_page(const struct ring *ring)
{
	struct avring_export export = { .length = PAGE_BYTES, .flags = O_CLOEXEC };
	int error = ring_call(ring, AVRING_IOC_EXPORT, &export);

	if (!error)
		close(export.fd);
	return error;
}

static int map_control(const struct ring *ring)
{
	void *start = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, ring->fd,
			   ring->at.control_offset);

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, PAGE_BYTES);
	return 0;
}

static short poll_now(const struct ring *ring)
{
	struct pollfd ready = { .fd = ring->fd, .events = POLLIN | POLLPRI | POLLOUT };

	must(sys(poll(&ready, 1, 0)));
	return ready.revents;
}

static void expect_unattached(const struct ring *ring)
{
	must_refuse(EINVAL, ring_wait(ring, 0, 1, 0));
	must_refuse(EINVAL, begin(ring, SMALL_BYTES));
	must_refuse(EINVAL, commit(ring));
	must_refuse(EINVAL, export_page(ring));
	must_refuse(EINVAL, map_control(ring));
	must_refuse(EINVAL, sys(mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, ring->fd, 1l << 32)));
	must_refuse(EINVAL, ring_call(ring, AVRING_IOC_DETACH, NULL));
	tap_eq(POLLERR, poll_now(ring));
}

static void test_before_attach(void)
{
	struct ring ring = fresh();

	expect_unattached(&ring);
	ring_close(&ring);
}

static void test_after_detach(void)
{
	struct ring ring = fresh();

	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(map_control(&ring));
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	expect_unattached(&ring);
	must(ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	must(map_control(&ring));
	ring_close(&ring);
}

static void test_failed_attach(void)
{
	struct ring ring = fresh();

	must_refuse(EBUSY, ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	expect_unattached(&ring);
	ring_close(&ring);
}

static void test_attach_twice(void)
{
	struct ring ring = fresh();
	uint32_t generation;
	uint64_t first;

	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	generation = ring.at.generation;
	first = ring.at.next;
	ring_wait_head(&ring, first + 3);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	tap_eq(generation, ring.at.generation);
	tap_eq(first, ring.at.next);
	ring_wait_head(&ring, first + 6);
	ring_close(&ring);
}

static void test_attach_elsewhere(void)
{
	struct ring ring = fresh();

	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must_refuse(EBUSY, ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	ring_input(CARD_INPUT_LOOPBACK);
	must_refuse(EBUSY, ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(map_control(&ring));
	must(ring_wait(&ring, 0, 1, AVRING_WAIT_FOREVER));
	ring_close(&ring);
}

static void test_reader_writes(void)
{
	struct ring ring = fresh();

	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must_refuse(EPERM, begin(&ring, SMALL_BYTES));
	must_refuse(EPERM, commit(&ring));
	ring_close(&ring);
}

static void test_second_producer(void)
{
	struct ring first = small_producer(), second;

	must(ring_open(&second, 0));
	must_refuse(EBUSY, ring_produce(&second, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	ring_send(&first, 1, SMALL_BYTES);
	ring_close(&first);
	must(ring_produce(&second, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	ring_close(&second);
}

static void test_producer_without_loopback(void)
{
	struct ring ring = fresh();

	must_refuse(EBUSY, ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	ring_input(CARD_INPUT_LOOPBACK);
	must(ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	ring_close(&ring);
}

static void test_commit_needs_begin(void)
{
	struct ring ring = small_producer();

	must_refuse(EINVAL, commit(&ring));
	must(begin(&ring, SMALL_BYTES));
	must(commit(&ring));
	must_refuse(EINVAL, commit(&ring));
	must(begin(&ring, SMALL_BYTES));
	must(commit(&ring));
	ring_close(&ring);
}

/* Only what was begun last can be committed, and nothing was published before. */
static void test_begin_twice(void)
{
	struct ring ring = small_producer();
	struct avring_begin first = { .length = SMALL_BYTES };
	struct avring_begin second = { .length = SMALL_BYTES };
	struct avring_entry entry;

	must(ring_call(&ring, AVRING_IOC_BEGIN, &first));
	must(ring_call(&ring, AVRING_IOC_BEGIN, &second));
	tap_eq(first.position, second.position);
	tap_eq(0, ring_head(&ring));
	must(begin(&ring, 64));
	must_refuse(EINVAL, commit(&ring));
	must(begin(&ring, SMALL_BYTES));
	must(commit(&ring));
	tap_eq(1, ring_head(&ring));
	tap_check(ring_entry(&ring, 0, &entry), "first entry: expected intact");
	tap_eq(first.position, entry.position);
	ring_close(&ring);
}

static void test_refused_commit_can_be_repeated(void)
{
	struct avring_commit too_long = { .length = SMALL_BYTES + 1 };
	struct ring ring = small_producer();

	must(begin(&ring, SMALL_BYTES));
	must_refuse(EINVAL, ring_call(&ring, AVRING_IOC_COMMIT, &too_long));
	tap_eq(0, ring_head(&ring));
	must(commit(&ring));
	tap_eq(1, ring_head(&ring));
	ring_close(&ring);
}

static void send_at(struct ring *ring, uint64_t time_ns)
{
	must(begin(ring, SMALL_BYTES));
	must(commit_at(ring, time_ns));
}

static void expect_time(const struct ring *ring, uint64_t n, uint64_t time_ns)
{
	struct avring_entry entry;

	tap_check(ring_entry(ring, n, &entry), "entry: expected intact");
	tap_eq(time_ns, entry.time_ns);
}

static void test_time_goes_forward(void)
{
	struct ring ring = small_producer();
	const uint64_t start = now_ns();

	send_at(&ring, start);
	must(begin(&ring, SMALL_BYTES));
	must_refuse(EINVAL, commit_at(&ring, start));
	must_refuse(EINVAL, commit_at(&ring, start - 1));
	must_refuse(EINVAL, commit_at(&ring, 1));
	must(commit_at(&ring, start + 1));
	send_at(&ring, start + 2);
	expect_time(&ring, 0, start);
	expect_time(&ring, 1, start + 1);
	expect_time(&ring, 2, start + 2);
	ring_close(&ring);
}

static void test_time_of_now(void)
{
	struct ring ring = small_producer();
	struct avring_entry entry;
	uint64_t before = now_ns(), last = 0, n;

	for (n = 0; n < 4; n++) {
		send_at(&ring, 0);
		tap_check(ring_entry(&ring, n, &entry), "entry: expected intact");
		tap_check(entry.time_ns >= before && entry.time_ns <= now_ns() &&
				  entry.time_ns > last,
			  "time: expected from %llu to %llu, got %llu", (unsigned long long)before,
			  (unsigned long long)now_ns(), (unsigned long long)entry.time_ns);
		last = entry.time_ns;
	}
	ring_close(&ring);
}

/* After a time in the future "now" would go backwards; it must not. */
static void test_now_after_the_future(void)
{
	struct ring ring = small_producer();
	const uint64_t future = in_ms(3600 * 1000);
	struct avring_entry entry;

	send_at(&ring, future);
	send_at(&ring, 0);
	tap_check(ring_entry(&ring, 1, &entry), "entry: expected intact");
	tap_check(entry.time_ns > future, "time: expected later than the last one, got %lld ns",
		  (long long)(entry.time_ns - future));
	ring_close(&ring);
}

static int set_input(int input)
{
	struct video video;
	struct card card;
	int error;

	must(card_find(0, &card));
	must(video_open(&video, card.capture));
	error = video_set_input(&video, input);
	video_close(&video);
	return error;
}

/* A producer is not thrown out, and not left writing what nobody looks at. */
static void test_input_stays(void)
{
	struct ring producer = small_producer();

	ring_send(&producer, 1, SMALL_BYTES);
	must_refuse(EBUSY, set_input(CARD_INPUT_PATTERN));
	must(set_input(CARD_INPUT_LOOPBACK));
	ring_send(&producer, 2, SMALL_BYTES);
	tap_eq(0, ring_state(&producer));
	ring_close(&producer);
	must(set_input(CARD_INPUT_PATTERN));
}

/* Data of the producer is not published by being written. */
static void test_written_is_not_published(void)
{
	struct ring producer = small_producer();
	struct ring reader = ring_reader(AVRING_STREAM_VIDEO);

	content_fill(producer.data, SMALL_BYTES, 1);
	must(begin(&producer, SMALL_BYTES));
	tap_eq(0, ring_head(&reader));
	must_refuse(EAGAIN, ring_wait(&reader, 0, 1, 0));
	must(commit(&producer));
	tap_eq(1, ring_head(&reader));
	must(ring_wait(&reader, 0, 1, 0));
	ring_close(&producer);
	ring_close(&reader);
}

/* A file that fork() has doubled is one file: it stays attached until both are gone. */
static void test_fork_keeps_the_file(void)
{
	struct ring ring = small_producer(), second;
	pid_t child;

	must(ring_open(&second, 0));
	child = fork();
	if (!child) {
		ring_close(&ring);
		_exit(0);
	}
	tap_join(child);
	ring_send(&ring, 1, SMALL_BYTES);
	must_refuse(EBUSY, ring_produce(&second, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	ring_close(&ring);
	must(ring_produce(&second, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	ring_close(&second);
}

/* A producer that is killed makes room for the next one. */
static void test_killed_producer(void)
{
	int *ready = ring_shared(sizeof(*ready));
	struct ring ring;
	pid_t child = fork();
	int status;

	if (!child) {
		ring = small_producer();
		must(begin(&ring, SMALL_BYTES));
		__atomic_store_n(ready, 1, __ATOMIC_RELEASE);
		pause();
	}
	while (!__atomic_load_n(ready, __ATOMIC_ACQUIRE))
		usleep(1000);
	kill(child, SIGKILL);
	tap_eq(child, waitpid(child, &status, 0));
	ring = small_producer();
	ring_send(&ring, 1, SMALL_BYTES);
	ring_close(&ring);
}

static const struct tap_test tests[] = {
	{ "before ATTACH everything gives EINVAL, poll POLLERR", .run = test_before_attach },
	{ "after DETACH, too, and the file can attach elsewhere", .run = test_after_detach },
	{ "after a failed ATTACH, too", .run = test_failed_attach },
	{ "ATTACH again stays in the ring and begins with the oldest", .run = test_attach_twice },
	{ "ATTACH to another stream or role without DETACH gives EBUSY",
	  .run = test_attach_elsewhere },
	{ "BEGIN and COMMIT of a reader give EPERM", .run = test_reader_writes },
	{ "a second producer gets EBUSY until the first has gone", .run = test_second_producer },
	{ "a producer gets EBUSY unless the input is loopback",
	  .run = test_producer_without_loopback },
	{ "each COMMIT needs a BEGIN of its own", .run = test_commit_needs_begin },
	{ "a second BEGIN takes the place of the first", .run = test_begin_twice },
	{ "a COMMIT that was refused publishes nothing and can be repeated",
	  .run = test_refused_commit_can_be_repeated },
	{ "COMMIT refuses a time that is not later than the last", .run = test_time_goes_forward },
	{ "COMMIT with time 0 takes the time of now", .run = test_time_of_now },
	{ "COMMIT with time 0 after a time in the future is later still",
	  .run = test_now_after_the_future },
	{ "nothing is published before COMMIT", .run = test_written_is_not_published },
	{ "the input cannot be changed under a producer", .run = test_input_stays },
	{ "a file is attached until its last copy is closed", .run = test_fork_keeps_the_file },
	{ "a killed producer makes room for the next", .run = test_killed_producer },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
