// SPDX-License-Identifier: MIT
/*
 * limits: nobody takes the machine. What stores are made of counts against all cards, the card and
 * the user who asked, for as long as it exists; so do readers.
 *
 * Limits are in MiB: a card may have 256 here, a user 128. A ring of 48 MiB takes a little
 * more, for its page table, its index and its control page.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

#define MIB (1ull << 20)
#define CARD_MIB 256
#define ALICE 1001
#define BOB 1002
#define READERS 16

/* As for members of group video; or as they were. */
static int nodes_mode(mode_t mode)
{
	struct card card;
	int error = card_find(0, &card);

	if (error)
		return error;
	return chmod("/dev/avring0", mode) || chmod(card.capture, mode) ||
			       (!access("/dev/avring1", F_OK) && chmod("/dev/avring1", mode)) ?
		       -errno :
		       0;
}

static void limit(long card_mib)
{
	must(nodes_mode(0666));
	must(card_parameter_set("max_card_memory", card_mib));
	ring_small_picture();
}

/* A ring of a card that its first reader wishes to be so long. Return: 0 or -errno. */
static int attach_to(struct ring *ring, unsigned int card, uint64_t length)
{
	int error = ring_setup(AVRING_STREAM_VIDEO, length, 0);

	if (error)
		return error;
	error = ring_open(ring, card);
	if (error)
		return error;
	error = ring_read(ring, AVRING_STREAM_VIDEO, 0);
	if (error)
		ring_close(ring);
	return error;
}

static int attach(struct ring *ring, uint64_t length)
{
	return attach_to(ring, 0, length);
}

/* A page of it stays mapped when its file is closed: so all of it does. */
static int leave_behind_on(unsigned int card, uint64_t length, void **page)
{
	struct ring ring;
	int error = attach_to(&ring, card, length);

	if (error)
		return error;
	*page = ring_window(&ring, 0, PAGE_BYTES, PROT_READ);
	tap_check(*page != MAP_FAILED, "a page of the ring: expected to map, got %s",
		  strerror(errno));
	ring_close(&ring);
	return 0;
}

static int leave_behind(uint64_t length, void **page)
{
	return leave_behind_on(0, length, page);
}

/* In a child that is another user: what it says with its exit status. */
static int as(uid_t uid, int (*run)(void))
{
	pid_t child = must(sys(fork()));
	int status;

	if (!child) {
		tap_become(uid, NULL, 0);
		_exit(-run());
	}
	must(sys(waitpid(child, &status, 0)));
	tap_check(WIFEXITED(status), "a child: expected to exit, got status %x", status);
	return -WEXITSTATUS(status);
}

static int takes_one(void)
{
	void *page;

	return leave_behind(48 * MIB, &page);
}

static int takes_two(void)
{
	return takes_one() ?: takes_one();
}

static int takes_one_of_each_card(void)
{
	void *page;

	return takes_one() ?: leave_behind_on(1, 48 * MIB, &page);
}

static int takes_three(void)
{
	return takes_two() ?: takes_one();
}

static void test_user(void)
{
	limit(CARD_MIB);
	tap_eq(0, as(ALICE, takes_two));
	must_refuse(ENOMEM, as(ALICE, takes_three));
}

static int takes_back(void)
{
	void *page[2];

	must(leave_behind(48 * MIB, &page[0]));
	must(leave_behind(48 * MIB, &page[1]));
	must_refuse(ENOMEM, takes_one());
	must(sys(munmap(page[0], PAGE_BYTES)));
	return takes_one();
}

static void test_given_back(void)
{
	limit(CARD_MIB);
	tap_eq(0, as(ALICE, takes_back));
}

static int takes_frames(void)
{
	struct card card;
	struct video video;

	must(card_find(0, &card));
	must(video_open(&video, card.capture));
	must(video_set_format(&video, V4L2_PIX_FMT_YUYV, 2048, 2048));
	must(video_request(&video, 8));
	tap_eq(3, video.n_buffers);
	video_close(&video);
	return 0;
}

static void test_frames(void)
{
	limit(64);
	tap_eq(0, as(ALICE, takes_frames));
}

/* Root is not bound to half, and finds the end of the card. */
static void test_card(void)
{
	void *page;
	unsigned int i;

	limit(CARD_MIB);
	for (i = 0; i < 5; i++)
		must(leave_behind(48 * MIB, &page));
	must_refuse(ENOMEM, leave_behind(48 * MIB, &page));
}

static void test_all_cards(void)
{
	long value;

	must(card_parameter_set("max_memory", 64));
	must(card_parameter_get("max_card_memory", &value));
	tap_eq(64, value);
	must(card_parameter_set("max_card_memory", 1024));
	ring_small_picture();
	tap_eq(0, as(0, takes_one));
	must_refuse(ENOMEM, as(0, takes_one_of_each_card));
}

/* What he has of one card he has not of the other. */
static void test_user_of_two_cards(void)
{
	limit(128);
	tap_eq(0, as(ALICE, takes_one));
	must_refuse(ENOMEM, as(ALICE, takes_one_of_each_card));
}

static void test_default(void)
{
	const long half = sysconf(_SC_PHYS_PAGES) / 2 / (MIB / PAGE_BYTES);
	long value;

	must(card_parameter_get("max_memory", &value));
	tap_eq(half, value);
	must(card_parameter_get("max_card_memory", &value));
	tap_eq(half, value);
}

static void write_file(const char *path, const char *text)
{
	int fd = must(sys(open(path, O_WRONLY | O_CLOEXEC)));

	tap_eq(strlen(text), must(sys(write(fd, text, strlen(text)))));
	close(fd);
}

/*
 * One who is nobody's user outside, as those whom a container has; the parent lends him a number.
 * The memory of who made the namespace is his.
 */
static int take_as_number(int turn)
{
	char byte;

	must(sys(unshare(CLONE_NEWUSER)));
	must(sys(write(turn, "", 1)));
	tap_eq(1, read(turn, &byte, 1));
	must(sys(setresuid(0, 0, 0)));
	return takes_one();
}

static int in_a_namespace(void)
{
	int turn[2], status;
	char byte, path[64];
	pid_t child;

	must(sys(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, turn)));
	child = must(sys(fork()));
	if (!child) {
		tap_become(ALICE, NULL, 0);
		must(takes_two());
		must(sys(prctl(PR_SET_DUMPABLE, 1)));
		_exit(-take_as_number(turn[1]));
	}
	close(turn[1]);
	tap_eq(1, read(turn[0], &byte, 1));
	snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	write_file(path, "0 5000 1");
	must(sys(write(turn[0], "", 1)));
	must(sys(waitpid(child, &status, 0)));
	tap_check(WIFEXITED(status), "a child: expected to exit, got status %x", status);
	close(turn[0]);
	return -WEXITSTATUS(status);
}

static void test_namespace(void)
{
	const char *allowed = "/proc/sys/kernel/unprivileged_userns_clone";

	if (access("/proc/self/ns/user", F_OK))
		tap_skip("no user namespaces in this kernel");
	limit(CARD_MIB);
	if (!access(allowed, F_OK))
		write_file(allowed, "1");
	must_refuse(ENOMEM, in_a_namespace());
}

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

static long kills(void)
{
	long number = -1;
	char line[128];
	FILE *file = fopen("/proc/vmstat", "re");

	tap_check(file, "/proc/vmstat: %s", strerror(errno));
	while (number < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "oom_kill %ld", &number);
	fclose(file);
	return number;
}

/* More than is left, where a limit would allow it: not a page of it is taken first. */
static void test_beyond_the_machine(void)
{
	const uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE_BYTES;
	long long before, taken;
	struct ring ring;
	void *page;

	limit(1 << 20);
	must(card_parameter_set("max_memory", 1 << 20));
	must(leave_behind(all * 9 / 20, &page));
	before = pages_allocated();
	must_refuse(ENOMEM, attach(&ring, all * 12 / 20));
	taken = pages_allocated() - before;
	tap_check(taken < 20000, "pages taken: expected less than 20000, got %lld", taken);
}

static int uses_the_card(void)
{
	struct v4l2_buffer buffer;
	struct card card;
	struct video video;
	struct ring ring;

	must(card_find(0, &card));
	must(video_begin(&video, card.capture, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 4));
	must(video_one_frame(&video, &buffer));
	video_close(&video);
	must(attach(&ring, 0));
	must(ring_map(&ring));
	ring_wait_head(&ring, 1);
	ring_close(&ring);
	return 0;
}

static int take_until_refused(uint64_t length)
{
	void *page;
	int error;

	do
		error = leave_behind(length, &page);
	while (!error);
	return error;
}

/*
 * Seen: an endless loop of such rings took all the memory of the machine, with one file open, and a
 * process of root's was killed for it. Bob comes while all that is mapped.
 */
static void test_attacker(void)
{
	const long before = kills();
	int turn[2], status;
	pid_t child;
	char byte;

	limit(0);
	must(sys(pipe2(turn, O_CLOEXEC)));
	child = must(sys(fork()));
	if (!child) {
		tap_become(ALICE, NULL, 0);
		must_refuse(ENOMEM, take_until_refused(64 * MIB));
		must_refuse(ENOMEM, take_until_refused(MIB));
		must(sys(write(turn[1], "", 1)));
		pause();
		_exit(0);
	}
	close(turn[1]);
	tap_check(read(turn[0], &byte, 1) == 1, "the attacker: expected to meet his limit");
	tap_eq(0, as(BOB, uses_the_card));
	must(sys(kill(child, SIGKILL)));
	must(sys(waitpid(child, &status, 0)));
	tap_eq(before, kills());
	close(turn[0]);
}

static int readers_until(int wanted)
{
	struct ring ring;
	int error = 0, n;

	for (n = 0; n <= wanted && !error; n++) {
		error = ring_open(&ring, 0);
		error = error ?: ring_read(&ring, AVRING_STREAM_VIDEO, 0);
	}
	tap_eq(wanted, n - 1);
	return error;
}

static int eight_readers(void)
{
	return readers_until(READERS / 2);
}

static void test_readers_of_a_user(void)
{
	limit(0);
	must(card_parameter_set("max_readers", READERS));
	must_refuse(EMFILE, as(ALICE, eight_readers));
}

static int sixteen_readers(void)
{
	return readers_until(READERS);
}

static void test_readers_of_a_card(void)
{
	limit(0);
	must(card_parameter_set("max_readers", READERS));
	must_refuse(EMFILE, as(0, sixteen_readers));
	tap_eq(0, as(ALICE, uses_the_card));
}

/* The thread that stands for the card's hardware, and draws the pattern. */
static pid_t engine_of(const char *name)
{
	char path[64], comm[32];
	pid_t pid;
	FILE *file;

	for (pid = 2; pid < 32768; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%31s", comm) != 1)
			comm[0] = '\0';
		fclose(file);
		if (!strcmp(comm, name))
			return pid;
	}
	tap_fail("expected a thread %s", name);
}

/* Instructions, where each is a nanosecond. */
static long long work_of(pid_t pid)
{
	struct timespec time;
	clockid_t clock;

	must(-clock_getcpuclockid(pid, &clock));
	must(sys(clock_gettime(clock, &time)));
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Of @FRAMES frames, the least of several such runs: interrupts hit this thread, too. */
#define FRAMES 100

static long long work_per_frame(const struct ring *ring)
{
	const pid_t engine = engine_of("avring0");
	long long least = 0, before, work;
	uint64_t next;
	int run;

	for (run = 0; run < 7; run++) {
		next = ring_head(ring);
		must(ring_wait(ring, next, 1, AVRING_WAIT_FOREVER));
		before = work_of(engine);
		must(ring_wait(ring, next + 1, FRAMES, AVRING_WAIT_FOREVER));
		work = work_of(engine) - before;
		if (!run || work < least)
			least = work;
	}
	return least / FRAMES;
}

static void test_work_of_the_writer(void)
{
	const struct rlimit files = { 2048, 2048 };
	struct ring ring, others[999];
	long long alone, crowded;
	unsigned int i;

	must(sys(setrlimit(RLIMIT_NOFILE, &files)));
	limit(0);
	must(ring_setup(AVRING_STREAM_VIDEO, 4 * FRAMES * SMALL_STRIDE, 0));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	alone = work_per_frame(&ring);
	for (i = 0; i < TAP_COUNT(others); i++) {
		must(ring_open(&others[i], 0));
		must(ring_read(&others[i], AVRING_STREAM_VIDEO, 0));
	}
	crowded = work_per_frame(&ring);
	tap_note("1 reader: %lld, 1000: %lld", alone, crowded);
	tap_check(crowded - alone < alone / 50,
		  "a frame for 1000 readers: expected %lld and 2 %%, got %lld", alone, crowded);
	for (i = 0; i < TAP_COUNT(others); i++)
		ring_close(&others[i]);
	ring_close(&ring);
}

/* Whatever a file has done, its seat is one, and is given back once. */
static void use_seats(unsigned int turn)
{
	struct ring ring;

	must(ring_open(&ring, 0));
	if (turn % 2)
		must_refuse(EBUSY, ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must_refuse(EBUSY, ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	if (turn % 3)
		must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	ring_close(&ring);
}

static void test_seats_are_given_back(void)
{
	unsigned int i;

	limit(0);
	must(card_parameter_set("max_readers", READERS));
	for (i = 0; i < 4 * READERS; i++)
		use_seats(i);
	must_refuse(EMFILE, as(0, sixteen_readers));
}

static void test_producer_keeps_his_seat(void)
{
	struct ring producer, reader;

	limit(0);
	must(card_parameter_set("max_readers", 2));
	producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	must(ring_open(&reader, 0));
	must(ring_read(&reader, AVRING_STREAM_VIDEO, 0));
	must(ring_produce(&producer, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(ring_read(&reader, AVRING_STREAM_VIDEO, 0));
	ring_close(&reader);
	ring_close(&producer);
}

static void test_bad_limits(void)
{
	must_refuse(EINVAL, card_parameter_set("max_memory", -1));
	must_refuse(EINVAL, card_parameter_set("max_readers", 1));
	must_refuse(EINVAL, card_parameter_set("max_readers", (1 << 20) + 1));
}

static const struct tap_test tests[] = {
	{ "a user gets no more than half of what a card may have, ENOMEM beyond",
	  .run = test_user },
	{ "what a user unmaps he may have again", .run = test_given_back },
	{ "half of one card is all that he gets of two", .run = test_user_of_two_cards },
	{ "buffers of the capture node count, too: REQBUFS gives as many as fit",
	  .run = test_frames },
	{ "root may have more than half of a card, and no more than all of it", .run = test_card },
	{ "all cards together get no more than max_memory, of which one may have all",
	  .run = test_all_cards },
	{ "by default all cards together may have half of the memory", .run = test_default },
	{ "in a user namespace a user has no second half", .run = test_namespace },
	{ "more than the machine has is refused before any of it is taken",
	  .run = test_beyond_the_machine },
	{ "a user who takes rings for ever gets ENOMEM, nobody is killed, and others use the card",
	  .run = test_attacker },
	{ "a user gets half of the readers that a card may have, EMFILE beyond",
	  .run = test_readers_of_a_user },
	{ "a card has no more readers than max_readers; who closes makes room",
	  .run = test_readers_of_a_card },
	{ "a seat is taken once and given back once, however a file attaches and detaches",
	  .run = test_seats_are_given_back },
	{ "a producer or a reader who attaches again keeps his seat",
	  .run = test_producer_keeps_his_seat },
	{ "1000 readers who do not sleep cost the writer no more than one: 2 % of a frame",
	  .run = test_work_of_the_writer },
	{ "a limit out of range is EINVAL", .run = test_bad_limits },
};

static void restore(void)
{
	nodes_mode(0600);
	card_parameter_set("max_memory", 0);
	card_parameter_set("max_card_memory", 0);
	card_parameter_set("max_readers", 1024);
	ring_restore();
}

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), restore, argc, argv);
}
