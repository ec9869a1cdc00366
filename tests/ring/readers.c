// SPDX-License-Identifier: MIT
/*
 * readers: 16 readers of one ring, of which one is stopped for a while, one is killed,
 * one is slow and one looks too long at each frame. Each frame is CRC-checked. None
 * that was torn may be called good, and each reader's losses are what the sequence
 * numbers in the pictures say.
 *
 * Arguments: -n FRAMES, of each reader that keeps up (default 8400: 10^5 in all).
 */
#include <endian.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

#define READERS 16
#define DISTURBED 4
#define FAST (READERS - DISTURBED)

enum { STOPPED = FAST, KILLED, SLOW, LATE };

/* Longer than the ring lasts: 102 frames at 120 a second. */
#define STOP_MS 3000
#define SLOW_MS 1500

static unsigned int frames_each = 8400;

/**
 * struct books - what a reader wrote down, for its parent
 * @good: frames that were intact after use, CRC-checked
 * @torn: frames that were overwritten in use, as the reader noticed
 * @overtaken: entries that it did not get, those torn included
 * @gaps: pictures that are missing between the sequence numbers of good ones
 * @first_entry: number of the first good entry
 * @last_entry: of the last
 * @first_sequence: stamp of the first good picture
 * @last_sequence: of the last
 */
struct books {
	volatile uint64_t good;
	uint64_t torn;
	uint64_t overtaken;
	uint64_t gaps;
	uint64_t first_entry, last_entry;
	uint64_t first_sequence, last_sequence;
};

/**
 * struct shared - between the readers and their parent
 * @books: by reader
 * @attached: readers that have begun
 * @enough: the readers that disturb may end
 */
struct shared {
	struct books books[READERS];
	volatile unsigned int attached;
	volatile bool enough;
};

static struct shared *shared;

static void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static void note_good(struct books *books, uint64_t n, uint64_t sequence)
{
	if (!books->good) {
		books->first_entry = n;
		books->first_sequence = sequence;
	} else {
		books->gaps += sequence - books->last_sequence - 1;
	}
	books->last_entry = n;
	books->last_sequence = sequence;
	books->good++;
}

/* Does the picture say what its entry says? Only a torn one may be wrong. */
static int look_at(const struct ring *ring, const struct avring_entry *entry, uint64_t *sequence)
{
	struct avring_frame_stamp stamp;
	int error;

	if (entry->length > ring->at.frame_bytes)
		return -EMSGSIZE;
	error = frame_check(ring_bytes(ring, entry), entry->length, &stamp);
	if (error)
		return error;
	*sequence = le32toh(stamp.sequence);
	if (*sequence != (uint32_t)entry->sequence || le64toh(stamp.time_ns) != entry->time_ns)
		return -EBADMSG;
	return 0;
}

/* Now and then he falls back to the oldest frame, and then hurries near the edge. */
static void dawdle(void)
{
	sleep_ms(rand() % 64 ? rand() % 12 : 1200);
}

/* Use entry @n; false if it was overwritten before the use had ended. */
static bool use_entry(const struct ring *ring, struct books *books, uint64_t n, bool late)
{
	struct avring_entry entry;
	uint64_t sequence = 0;
	int error;

	if (!ring_entry(ring, n, &entry))
		return false;
	if (late)
		dawdle();
	error = look_at(ring, &entry, &sequence);
	if (ring_tail(ring) > n) {
		books->torn += error != 0;
		return false;
	}
	tap_check(!error, "entry %llu called intact: expected the right CRC, got %s",
		  (unsigned long long)n, strerrorname_np(-error));
	note_good(books, n, sequence);
	return true;
}

/* Where to go on: behind @n, or with the oldest there is. */
static uint64_t skip_lost(const struct ring *ring, struct books *books, uint64_t n)
{
	uint64_t tail = ring_tail(ring);

	if (tail <= n)
		tail = n + 1;
	books->overtaken += tail - n;
	return tail;
}

static uint64_t read_ready(const struct ring *ring, struct books *books, uint64_t n, bool late)
{
	uint64_t head = ring_head(ring);

	while (n < head) {
		if (use_entry(ring, books, n, late))
			n++;
		else
			n = skip_lost(ring, books, n);
	}
	return n;
}

static bool has_finished(unsigned int who, const struct books *books)
{
	return who < FAST ? books->good >= frames_each : shared->enough;
}

static _Noreturn void run_reader(unsigned int who)
{
	struct books *books = &shared->books[who];
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);
	uint64_t n = ring.at.next;

	srand(who);
	__atomic_add_fetch(&shared->attached, 1, __ATOMIC_RELEASE);
	while (!has_finished(who, books)) {
		must(ring_wait(&ring, n, 1, AVRING_WAIT_FOREVER));
		n = read_ready(&ring, books, n, who == LATE);
		if (who == SLOW)
			sleep_ms(SLOW_MS);
	}
	ring_close(&ring);
	_exit(0);
}

static void wait_good(unsigned int who, uint64_t frames)
{
	while (shared->books[who].good < frames)
		sleep_ms(20);
}

static void disturb(const pid_t *readers)
{
	int status;

	wait_good(STOPPED, frames_each / 8);
	kill(readers[STOPPED], SIGSTOP);
	sleep_ms(STOP_MS);
	kill(readers[STOPPED], SIGCONT);
	wait_good(KILLED, frames_each / 4);
	kill(readers[KILLED], SIGKILL);
	tap_eq(readers[KILLED], waitpid(readers[KILLED], &status, 0));
}

/* What the source itself has lost lies in the numbers of one who got everything. */
static uint64_t source_losses(const struct books *books)
{
	return (books->last_sequence - books->first_sequence) -
	       (books->last_entry - books->first_entry);
}

static void expect_kept_up(unsigned int who)
{
	const struct books *books = &shared->books[who];

	tap_check(books->good >= frames_each, "reader %u: expected %u frames, got %llu", who,
		  frames_each, (unsigned long long)books->good);
	tap_eq(0, books->overtaken);
	tap_eq(0, books->torn);
	tap_eq(source_losses(books), books->gaps);
	tap_eq(books->last_entry - books->first_entry + 1, books->good);
}

/* Entries that were lost after the last good one are in no gap. */
static void expect_losses_are_gaps(unsigned int who, const char *name)
{
	const struct books *books = &shared->books[who];
	const uint64_t entries = books->last_entry - books->first_entry + 1;

	tap_note("%s reader: %llu good, %llu overtaken, %llu seen torn", name,
		 (unsigned long long)books->good, (unsigned long long)books->overtaken,
		 (unsigned long long)books->torn);
	tap_check(books->good > 10, "%s reader: expected some frames, got %llu", name,
		  (unsigned long long)books->good);
	tap_check(books->overtaken > 0, "%s reader: expected to be overtaken, was not", name);
	tap_eq(entries - books->good + source_losses(books), books->gaps);
	tap_check(books->gaps - source_losses(books) <= books->overtaken,
		  "%s reader: expected its gaps in its losses: %llu of %llu", name,
		  (unsigned long long)books->gaps, (unsigned long long)books->overtaken);
}

static void run_readers(pid_t *readers)
{
	unsigned int i;

	for (i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (!readers[i])
			run_reader(i);
	}
	while (__atomic_load_n(&shared->attached, __ATOMIC_ACQUIRE) < READERS)
		sleep_ms(5);
}

static void test_readers(void)
{
	uint64_t checked = 0;
	pid_t readers[READERS];
	unsigned int i;

	ring_small_picture();
	shared = ring_shared(sizeof(*shared));
	run_readers(readers);
	disturb(readers);
	for (i = 0; i < FAST; i++)
		tap_join(readers[i]);
	shared->enough = true;
	tap_join(readers[STOPPED]);
	tap_join(readers[SLOW]);
	tap_join(readers[LATE]);
	for (i = 0; i < READERS; i++)
		checked += shared->books[i].good;
	for (i = 0; i < FAST; i++)
		expect_kept_up(i);
	expect_losses_are_gaps(STOPPED, "stopped");
	expect_losses_are_gaps(SLOW, "slow");
	expect_losses_are_gaps(LATE, "late");
	tap_check(shared->books[LATE].torn, "late reader: expected to see torn frames");
	tap_note("%llu frames checked", (unsigned long long)checked);
	tap_check(checked >= (uint64_t)FAST * frames_each, "frames: expected more, got %llu",
		  (unsigned long long)checked);
}

static const struct tap_test tests[] = {
	{ .claim =
		  "16 readers, one stopped, one killed, one slow, one late: no torn frame is called good, losses are gaps",
	  .run = test_readers,
	  .deadline_s = 900 },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "-n")) {
		frames_each = atoi(argv[2]);
		argc = 1;
	}
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
