// SPDX-License-Identifier: MIT
/*
 * others: what somebody does takes long, and nobody else waits for it. Times are judged, so it
 * needs a clock of instructions.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

static long long pages_allocated(void)
{
	long long sum = 0, number;
	char line[128];
	FILE *file = fopen("/proc/vmstat", "re");

	tap_check(file, "/proc/vmstat: %s", strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "pgalloc_%*[a-z0-9] %lld", &number) == 1)
			sum += number;
	fclose(file);
	return sum;
}

static int attach(struct ring *ring, uint64_t length)
{
	int error = ring_setup(AVRING_STREAM_VIDEO, length, 0);

	if (!error)
		error = ring_open(ring, 0);
	if (error)
		return error;
	error = ring_read(ring, AVRING_STREAM_VIDEO, 0);
	if (error)
		ring_close(ring);
	return error;
}

/* As much as root may have, again and again; each time it takes a while. */
static void allocate(unsigned int times)
{
	const uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE_BYTES;
	struct ring ring;

	while (times--) {
		must(attach(&ring, all * 9 / 20 & -CHUNK_BYTES));
		ring_close(&ring);
	}
}

static pid_t allocating_child(unsigned int times)
{
	pid_t child = must(sys(fork()));

	if (!child) {
		allocate(times);
		_exit(0);
	}
	return child;
}

/**
 * struct slowest - the longest that a call took, in ns
 * @setup: GET_SETUP of the same stream
 * @sound: ATTACH and DETACH of the other one
 * @streamon: STREAMON of the capture node
 */
struct slowest {
	uint64_t setup;
	uint64_t sound;
	uint64_t streamon;
};

static uint64_t longer(uint64_t longest, uint64_t begin)
{
	const uint64_t took = now_ns() - begin;

	return took > longest ? took : longest;
}

static void use_beside(struct slowest *slowest, struct video *video, struct ring *ring)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_VIDEO };
	uint64_t begin = now_ns();

	must(ring_call(ring, AVRING_IOC_GET_SETUP, &setup));
	slowest->setup = longer(slowest->setup, begin);
	begin = now_ns();
	must(ring_read(ring, AVRING_STREAM_AUDIO, 0));
	must(ring_call(ring, AVRING_IOC_DETACH, NULL));
	slowest->sound = longer(slowest->sound, begin);
	begin = now_ns();
	must(video_start(video));
	slowest->streamon = longer(slowest->streamon, begin);
	must(video_stop(video));
}

static bool has_ended(pid_t child)
{
	int status;

	if (must(sys(waitpid(child, &status, WNOHANG))) != child)
		return false;
	tap_check(WIFEXITED(status) && !WEXITSTATUS(status), "who allocates: got status %x",
		  status);
	return true;
}

/* Seen: 18 seconds, for 16 GiB. */
static void test_others_go_on(void)
{
	struct slowest slowest = { 0 };
	unsigned int turns = 0;
	struct video video;
	struct card card;
	struct ring ring;
	pid_t child;

	ring_small_picture();
	must(card_find(0, &card));
	must(video_begin(&video, card.capture, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 2));
	must(video_queue_all(&video));
	must(ring_open(&ring, 0));
	child = allocating_child(5);
	while (!has_ended(child)) {
		use_beside(&slowest, &video, &ring);
		turns++;
		must(video_queue_all(&video));
	}
	tap_note("%u turns; GET_SETUP %llu us, ATTACH %llu us, STREAMON %llu us", turns,
		 (unsigned long long)slowest.setup / 1000, (unsigned long long)slowest.sound / 1000,
		 (unsigned long long)slowest.streamon / 1000);
	tap_check(turns > 5, "turns beside who allocates: expected more than 5, got %u", turns);
	tap_check(slowest.setup < 100000000 && slowest.sound < 100000000 &&
			  slowest.streamon < 100000000,
		  "each call: expected less than 100 ms");
	ring_close(&ring);
	video_close(&video);
}

static bool allocates(void *arg)
{
	return pages_allocated() - *(const long long *)arg > 50000;
}

/* He hears that there is no card any more; a listener has heard it before. */
static void test_removal_goes_on(void)
{
	const uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE_BYTES;
	uint64_t *told = ring_shared(sizeof(*told)), begin, took;
	long long before;
	pid_t listener, child;
	struct ring sound, ring;
	struct card card;

	ring_small_picture();
	must(card_find(0, &card));
	sound = ring_reader(AVRING_STREAM_AUDIO);
	listener = must(sys(fork()));
	if (!listener) {
		must_refuse(ENODEV, ring_wait(&sound, ring_head(&sound), sound.at.entries,
					      AVRING_WAIT_FOREVER));
		*told = now_ns();
		_exit(0);
	}
	wait_asleep(listener);
	before = pages_allocated();
	child = must(sys(fork()));
	if (!child) {
		must_refuse(ENODEV, attach(&ring, all * 9 / 20 & -CHUNK_BYTES));
		_exit(0);
	}
	tap_check(tap_eventually(allocates, &before, 10), "expected a ring to be allocated");
	begin = now_ns();
	must(card_unbind(&card));
	took = now_ns() - begin;
	tap_join(listener);
	tap_note("unbind took %llu us, the listener was told after %llu us",
		 (unsigned long long)took / 1000, (unsigned long long)(*told - begin) / 1000);
	tap_check(took < 100000000 && *told - begin < 100000000, "expected less than 100 ms");
	tap_join(child);
	ring_close(&sound);
	must(card_bind(&card));
}

static const struct tap_test tests[] = {
	{ "while somebody allocates as much as there is, others' calls take less than 100 ms",
	  .run = test_others_go_on },
	{ "and so does removal, of which he hears when he has it: ENODEV",
	  .run = test_removal_goes_on },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
