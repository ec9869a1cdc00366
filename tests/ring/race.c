// SPDX-License-Identifier: MIT
/*
 * race: many processors, no pause: who reads is overtaken all the time, who waits is
 * interrupted all the time, and threads share one file and do what they like.
 *
 * Environment: LOOPS, see user.h; 50 stands for the full length.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "ring.h"
#include "user.h"

#define READERS 3

/**
 * struct count - what a reader has seen
 * @intact: frames that were intact, and right
 * @torn: frames that were wrong, and known to be overwritten
 * @lost: frames that were overwritten before they were looked at, or right by luck
 */
struct count {
	volatile uint64_t intact, torn, lost;
};

/* Always the oldest frame: the one that is overwritten next. */
static void read_oldest(const struct ring *ring, struct count *count,
			bool (*is_right)(const struct ring *ring, const struct avring_entry *entry))
{
	uint64_t n = ring_tail(ring);
	struct avring_entry entry;
	bool right;

	if (n >= ring_head(ring))
		return;
	if (!ring_entry(ring, n, &entry)) {
		count->lost++;
		return;
	}
	right = is_right(ring, &entry);
	if (ring_tail(ring) <= n) {
		tap_check(right, "entry %llu called intact: expected its bytes, got others",
			  (unsigned long long)n);
		count->intact++;
	} else {
		count->torn += !right;
		count->lost += right;
	}
}

static bool is_content(const struct ring *ring, const struct avring_entry *entry)
{
	return entry->length == SMALL_BYTES && content_differs(ring_bytes(ring, entry), SMALL_BYTES,
							       entry->sequence, 0) == SMALL_BYTES;
}

static bool is_picture(const struct ring *ring, const struct avring_entry *entry)
{
	struct avring_frame_stamp stamp;

	return entry->length == SMALL_BYTES &&
	       !frame_check(ring_bytes(ring, entry), SMALL_BYTES, &stamp) &&
	       stamp.time_ns == entry->time_ns;
}

static void start_readers(pid_t *readers, struct count *counts,
			  bool (*is_right)(const struct ring *ring,
					   const struct avring_entry *entry))
{
	unsigned int i;

	for (i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (!readers[i]) {
			struct ring ring = ring_reader(AVRING_STREAM_VIDEO);

			while (!ring_state(&ring))
				read_oldest(&ring, &counts[i], is_right);
			_exit(0);
		}
	}
}

static void end_readers(const pid_t *readers, const struct count *counts)
{
	struct count sum = { 0 };
	unsigned int i;

	for (i = 0; i < READERS; i++) {
		tap_join(readers[i]);
		sum.intact += counts[i].intact;
		sum.torn += counts[i].torn;
		sum.lost += counts[i].lost;
	}
	tap_note("%llu intact, %llu torn and known, %llu lost", (unsigned long long)sum.intact,
		 (unsigned long long)sum.torn, (unsigned long long)sum.lost);
	tap_check(sum.intact > 100, "intact frames: expected many, got %llu",
		  (unsigned long long)sum.intact);
	tap_check(sum.torn + sum.lost > 0, "frames overwritten in use: expected some, got none");
}

static bool all_have_read(const struct count *counts)
{
	unsigned int i;

	for (i = 0; i < READERS; i++)
		if (!counts[i].intact)
			return false;
	return true;
}

/* Two frames fit: while one is written the other one is all there is. */
static void test_fast_producer(void)
{
	const uint64_t frames = user_loops() * 2000;
	struct count *counts = ring_shared(READERS * sizeof(*counts));
	pid_t readers[READERS];
	struct ring ring;
	uint64_t n;

	must(ring_setup(AVRING_STREAM_VIDEO, 1, 0));
	ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	start_readers(readers, counts, is_content);
	for (n = 0; n < frames || !all_have_read(counts); n++)
		tap_eq(n, ring_send(&ring, n, SMALL_BYTES));
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	end_readers(readers, counts);
	ring_close(&ring);
}

/* The kernel writes, at 120 frames a second. */
static void test_pattern(void)
{
	struct count *counts = ring_shared(READERS * sizeof(*counts));
	pid_t readers[READERS];
	struct ring ring;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 1, 0));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	start_readers(readers, counts, is_picture);
	ring_wait_head(&ring, user_loops() * 20);
	while (!all_have_read(counts))
		ring_wait_head(&ring, ring_head(&ring) + 1);
	ring_picture(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT + 2, SMALL_FPS);
	end_readers(readers, counts);
	ring_close(&ring);
}

/* Sleep until entry @n is there: in WAIT, or in poll() as WAIT has told it. */
static void sleep_for(const struct ring *ring, uint64_t n)
{
	struct pollfd ready = { .fd = ring->fd, .events = POLLIN };
	int error;

	if (n % 2) {
		must(ring_wait(ring, n, 1, in_ms(20000)));
		return;
	}
	error = ring_wait(ring, n, 1, 0);
	tap_check(!error || error == -EAGAIN, "WAIT: expected success or EAGAIN, got %s",
		  strerrorname_np(-error));
	if (error)
		tap_eq(1, poll(&ready, 1, 20000));
}

static _Noreturn void take_one_by_one(volatile uint64_t *taken, uint64_t frames)
{
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);
	uint64_t n;

	*taken = 0;
	for (n = 0; n < frames; n++) {
		sleep_for(&ring, n);
		tap_eq(n + 1, ring_head(&ring));
		*taken = n + 1;
	}
	_exit(0);
}

/*
 * Each frame is sent when the one before has been taken, so the sleeper goes to sleep
 * just when the next one comes. One missed wake-up is the end.
 */
static void test_hand_over(void)
{
	const uint64_t frames = user_loops() * 400;
	volatile uint64_t *taken = ring_shared(sizeof(*taken));
	struct ring ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct avring_begin begin = { .length = SMALL_BYTES };
	struct avring_commit commit = { .length = SMALL_BYTES };
	pid_t child;
	uint64_t n;

	*taken = ~UINT64_C(0);
	child = fork();
	if (!child)
		take_one_by_one(taken, frames);
	for (n = 0; n < frames; n++) {
		while (*taken != n)
			sched_yield();
		must(ring_call(&ring, AVRING_IOC_BEGIN, &begin));
		must(ring_call(&ring, AVRING_IOC_COMMIT, &commit));
	}
	tap_join(child);
	ring_close(&ring);
}

static void on_alarm(int number)
{
	(void)number;
}

/* A signal every 200 microseconds; the sleeper misses none of the frames for it. */
static void test_signal_storm(void)
{
	const struct itimerval storm = { { 0, 200 }, { 0, 200 } }, calm = { { 0, 0 }, { 0, 0 } };
	const struct sigaction action = { .sa_handler = on_alarm };
	unsigned int interrupted = 0;
	struct ring ring;
	uint64_t n;
	int error;

	ring_small_picture();
	ring = ring_reader(AVRING_STREAM_VIDEO);
	sigaction(SIGALRM, &action, NULL);
	alarm(0);
	must(sys(setitimer(ITIMER_REAL, &storm, NULL)));
	for (n = 0; n < 200;) {
		error = ring_wait(&ring, n, 1, in_ms(5000));
		tap_check(!error || error == -EINTR, "WAIT: expected success or EINTR, got %s",
			  strerrorname_np(-error));
		interrupted += error == -EINTR;
		n = error ? n : ring_head(&ring);
	}
	must(sys(setitimer(ITIMER_REAL, &calm, NULL)));
	tap_check(interrupted > 10, "interruptions: expected many, got %u", interrupted);
	ring_close(&ring);
}

/**
 * struct shared_file - one open file and the threads that use it
 * @ring: the file
 * @rounds: of each thread
 */
struct shared_file {
	struct ring ring;
	unsigned int rounds;
};

static bool among(int error, const int *allowed)
{
	for (; *allowed; allowed++)
		if (error == -*allowed)
			return true;
	return !error;
}

static void expect_among(const char *what, int error, const int *allowed)
{
	tap_check(among(error, allowed), "%s: expected success or a documented error, got %s", what,
		  strerrorname_np(-error));
}

static void attach_somehow(const struct shared_file *file, unsigned int *seed)
{
	static const int allowed[] = { EBUSY, 0 };
	struct ring ring = file->ring;

	if (rand_r(seed) % 4)
		expect_among("ATTACH", ring_read(&ring, rand_r(seed) % 2, rand_r(seed) % 2),
			     allowed);
	else
		expect_among("ATTACH", ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT),
			     allowed);
}

static void map_somehow(const struct shared_file *file, unsigned int *seed)
{
	static const uint64_t offsets[] = { 0, 1ull << 30, 1ull << 32 };
	uint8_t *start = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, file->ring.fd,
			      offsets[rand_r(seed) % 3]);

	if (start == MAP_FAILED) {
		tap_eq(EINVAL, errno);
		return;
	}
	content_touch(start, PAGE_BYTES);
	munmap(start, PAGE_BYTES);
}

static void write_somehow(const struct shared_file *file, unsigned int *seed)
{
	static const int allowed[] = { EPERM, EINVAL, ESTALE, 0 };
	struct avring_begin begin = { .length = rand_r(seed) % 2 ? SMALL_BYTES : 64 };
	struct avring_commit commit = { .length = SMALL_BYTES };

	expect_among("BEGIN", ring_call(&file->ring, AVRING_IOC_BEGIN, &begin), allowed);
	expect_among("COMMIT", ring_call(&file->ring, AVRING_IOC_COMMIT, &commit), allowed);
}

static void wait_somehow(const struct shared_file *file, unsigned int *seed)
{
	static const int allowed[] = { EAGAIN, ETIMEDOUT, EINVAL, ESTALE, 0 };
	struct pollfd ready = { .fd = file->ring.fd, .events = POLLIN | POLLPRI };
	uint64_t deadline = rand_r(seed) % 2 ? 0 : in_ms(1);

	expect_among("WAIT", ring_wait(&file->ring, rand_r(seed) % 3, 1, deadline), allowed);
	must(sys(poll(&ready, 1, 0)));
}

static void export_somehow(const struct shared_file *file, unsigned int *seed)
{
	static const int allowed[] = { EINVAL, 0 };
	struct avring_export export = { .offset = rand_r(seed) % 4 * PAGE_BYTES,
					.length = PAGE_BYTES };
	int error = ring_call(&file->ring, AVRING_IOC_EXPORT, &export);

	expect_among("EXPORT", error, allowed);
	if (!error)
		close(export.fd);
}

static void *use_file(void *arg)
{
	static void (*const uses[])(const struct shared_file *file, unsigned int *seed) = {
		attach_somehow, map_somehow, write_somehow, wait_somehow, export_somehow,
	};
	const struct shared_file *file = arg;
	unsigned int seed = (uintptr_t)&seed, i;

	for (i = 0; i < file->rounds; i++) {
		if (rand_r(&seed) % 16)
			uses[rand_r(&seed) % TAP_COUNT(uses)](file, &seed);
		else
			ring_call(&file->ring, AVRING_IOC_DETACH, NULL);
	}
	return NULL;
}

/* Meanwhile formats change, and others attach and detach. */
static void test_threads_of_a_file(void)
{
	struct shared_file file = { .rounds = user_loops() * 100 };
	pthread_t threads[4];
	unsigned int i;

	ring_input(CARD_INPUT_LOOPBACK);
	must(ring_setup(AVRING_STREAM_VIDEO, 1, 0));
	must(ring_open(&file.ring, 0));
	for (i = 0; i < 4; i++)
		tap_eq(0, pthread_create(&threads[i], NULL, use_file, &file));
	for (i = 0; i < 4; i++)
		tap_eq(0, pthread_join(threads[i], NULL));
	ring_close(&file.ring);
}

static void change_formats(volatile bool *enough)
{
	unsigned int i;

	for (i = 0; !*enough; i++)
		ring_picture(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT + i % 8 * 2, SMALL_FPS);
	_exit(0);
}

static void come_and_go(volatile bool *enough, unsigned int who)
{
	struct ring ring;

	while (!*enough) {
		must(ring_open(&ring, 0));
		must(ring_read(&ring, who % 2, 0));
		must(ring_map(&ring));
		content_touch(ring.data, 8 * PAGE_BYTES);
		ring_close(&ring);
	}
	_exit(0);
}

/* A ring of two frames soon overtakes who looks at it: what counts is a copy that was intact. */
static bool expect_good_if_intact(const struct ring *ring, uint64_t n,
				  const struct avring_entry *entry)
{
	struct avring_frame_stamp stamp;
	uint8_t *copy = malloc(entry->length);
	bool intact;

	memcpy(copy, ring_bytes(ring, entry), entry->length);
	intact = n >= ring_tail(ring);
	if (intact) {
		must(frame_check(copy, entry->length, &stamp));
		tap_eq((uint32_t)entry->sequence, le32toh(stamp.sequence));
	}
	free(copy);
	return intact;
}

/* Whoever moves on at each change sees good pictures only. */
static void test_generations(void)
{
	volatile bool *enough = ring_shared(sizeof(*enough));
	unsigned int moves = 0, good = 0, i;
	struct avring_entry entry;
	pid_t others[4];
	struct ring ring;
	uint64_t n;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 1, 0));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	for (i = 0; i < 4; i++) {
		others[i] = fork();
		if (!others[i])
			i ? come_and_go(enough, i) : change_formats(enough);
	}
	while (moves < (unsigned int)user_loops() * 4 || !good) {
		must(ring_wait(&ring, ring_head(&ring), 1, AVRING_WAIT_FOREVER));
		n = ring_head(&ring);
		if (n && ring_entry(&ring, n - 1, &entry))
			good += expect_good_if_intact(&ring, n - 1, &entry);
		if (!ring_state(&ring))
			continue;
		ring_unmap(&ring);
		must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
		must(ring_map(&ring));
		moves++;
	}
	*enough = true;
	for (i = 0; i < 4; i++)
		tap_join(others[i]);
	tap_note("%u generations, %u pictures", moves, good);
	ring_close(&ring);
}

static const struct tap_test tests[] = {
	{ .claim = "a producer without a pause: what readers call intact is right",
	  .run = test_fast_producer,
	  .deadline_s = 600 },
	{ .claim = "pictures in a ring of two: what readers call intact is right",
	  .run = test_pattern,
	  .deadline_s = 600 },
	{ .claim = "frames handed over one by one: no wake-up is missed, of WAIT or poll",
	  .run = test_hand_over,
	  .deadline_s = 600 },
	{ "a storm of signals costs no frame", .run = test_signal_storm },
	{ .claim = "four threads do everything at once through one file",
	  .run = test_threads_of_a_file,
	  .deadline_s = 600 },
	{ .claim = "a reader follows while formats change and others come and go",
	  .run = test_generations,
	  .deadline_s = 600 },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
