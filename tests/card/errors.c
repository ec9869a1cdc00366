// SPDX-License-Identifier: MIT
/*
 * errors: what happens on the bus while the card streams: an error that is reported, a
 * reset, bus mastering taken away, a driver that is exchanged. And an idle card sleeps.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "camera.h"
#include "hearing.h"
#include "remote.h"

#define BUFFERS 8
#define COMMAND 4
#define MASTER 4
#define SERR 0x100
/* The driver gives up after 3 s without a frame. */
#define GIVE_UP_MS 10000

static void attribute_path(char *path, size_t size, const char *name)
{
	struct node node;

	node_find(&node);
	snprintf(path, size, "/sys/bus/pci/devices/%s/%s", node.address, name);
}

static int open_attribute(const char *name, int flags)
{
	char path[128];

	attribute_path(path, sizeof(path), name);
	return must(sys(open(path, flags | O_CLOEXEC)));
}

static void reset_card(void)
{
	int fd = open_attribute("reset", O_WRONLY);

	tap_eq(1, sys(write(fd, "1", 1)));
	close(fd);
}

static void change_command(uint16_t clear, uint16_t set)
{
	int fd = open_attribute("config", O_RDWR);
	uint16_t command;

	tap_eq(2, sys(pread(fd, &command, 2, COMMAND)));
	command = (command & ~clear) | set;
	tap_eq(2, sys(pwrite(fd, &command, 2, COMMAND)));
	close(fd);
}

static void clear_master(void)
{
	change_command(MASTER, 0);
}

/* Looks at what the kernel says; the next line each time. */
static bool has_recovered(void *arg)
{
	char line[1024];
	ssize_t bytes = read(*(const int *)arg, line, sizeof(line) - 1);

	if (bytes < 0)
		return false;
	line[bytes] = '\0';
	return strstr(line, "device recovery successful");
}

/*
 * QEMU sends no message without SERR; firmware sets it for cards that are there at boot. The
 * kernel went through all the steps when it says so.
 */
static void report_error(void)
{
	int log = must(sys(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)));

	must(sys(lseek(log, 0, SEEK_END)));
	change_command(0, SERR);
	remote("aer card0 COMP_TIME");
	tap_check(tap_eventually(has_recovered, &log, 10),
		  "kernel log: expected \"device recovery successful\"");
	close(log);
}

/* What a suspend of the system does with the card, without the rest of the system. */
static void sleep_a_while(void)
{
	const char *folder = getenv("AVRING_SLEEPER");
	char command[400];
	struct utsname name;
	struct node node;
	int status;

	uname(&name);
	node_find(&node);
	snprintf(command, sizeof(command),
		 "insmod %s/modules/%s/avring_sleeper.ko address=%s ms=300 && rmmod avring_sleeper",
		 folder ?: "build/sleeper", name.release, node.address);
	status = system(command);
	tap_check(!status, "%s: expected status 0, got %#x", command, status);
}

static bool has_restarted(const struct camera_watch *watch)
{
	return watch->restarts;
}

/* ---------------------------------------------------------------- streams that go on */

/**
 * struct disturbance - something that a stream survives
 * @happen: it happens
 * @missing: so many frames are lost at least
 * @silent_ms: for so long there is no sound at least
 */
struct disturbance {
	void (*happen)(void);
	unsigned int missing;
	unsigned int silent_ms;
};

/* The card was started again, and the sequence tells what was lost meanwhile. */
static void test_goes_on(const void *arg)
{
	const struct disturbance *what = arg;
	struct camera_watch watch = { .mode = &camera_words };
	struct flow_frame frame;
	struct flow flow;
	unsigned int i;

	camera_start(&flow, &camera_words, FLOW_MMAP, BUFFERS);
	camera_take(&flow, &watch, 10);
	what->happen();
	camera_take_until(&flow, &watch, has_restarted);
	camera_take(&flow, &watch, 10);
	for (i = 0; i < flow.count; i++) {
		must(flow_take(&flow, &frame, 10000));
		camera_expect(&flow, &frame, &watch);
	}
	tap_note("%llu frames missing", (unsigned long long)watch.missing);
	tap_check(watch.missing >= what->missing, "missing: expected %u at least, got %llu",
		  what->missing, (unsigned long long)watch.missing);
	tap_eq(watch.missing, camera_counter(&flow, V4L2_CID_AVRING_FRAMES_DROPPED));
	tap_eq(0, watch.damaged);
	camera_end(&flow);
}

/* Number and time of each frame are those of one timeline, before and after. */
static void test_timeline(const void *arg)
{
	const struct disturbance *what = arg;
	struct camera_watch watch = { .mode = &camera_small };
	struct flow flow;

	camera_start(&flow, &camera_small, FLOW_MMAP, BUFFERS);
	camera_take(&flow, &watch, 10);
	what->happen();
	camera_take(&flow, &watch, BUFFERS + 20);
	tap_note("times off by %lld us at most", (long long)watch.off_ns / 1000);
	camera_end(&flow);
}

static void test_ring_goes_on(const void *arg)
{
	const struct disturbance *what = arg;
	struct camera_watch watch = { .mode = &camera_words };
	uint64_t n, end_ns;
	struct ring ring;

	camera_set(&camera_words);
	ring = camera_ring();
	n = camera_follow(&ring, ring.at.next, 5, &watch);
	what->happen();
	for (end_ns = in_ms(20000); !watch.restarts;) {
		tap_check(now_ns() < end_ns, "in 20 s: expected a new start of the card");
		n = camera_follow(&ring, n, 1, &watch);
	}
	camera_follow(&ring, n, 10, &watch);
	tap_check(watch.missing >= what->missing, "missing: expected %u at least, got %llu",
		  what->missing, (unsigned long long)watch.missing);
	tap_eq(0, ring_state(&ring));
	ring_close(&ring);
}

static bool has_gap(const struct hearing *hearing)
{
	return hearing->gaps;
}

/* One gap in the sequence of the sound, as long as it is in its time. */
static void test_sound_goes_on(const void *arg)
{
	const struct disturbance *what = arg;
	struct hearing hearing;

	hearing_begin(&hearing);
	hearing_take(&hearing, 10);
	what->happen();
	hearing_take_until(&hearing, has_gap);
	hearing_take(&hearing, 100);
	tap_note("%llu sample frames missing", (unsigned long long)hearing.missing);
	tap_eq(1, hearing.gaps);
	tap_check(hearing.missing >= what->silent_ms * HEARING_RATE / 1000,
		  "missing: expected %u ms at least, got %llu sample frames", what->silent_ms,
		  (unsigned long long)hearing.missing);
	tap_eq(0, ring_state(&hearing.ring));
	hearing_end(&hearing);
}

/* ---------------------------------------------------------------- bus mastering */

static void expect_eio(struct flow *flow)
{
	struct flow_frame frame;
	int error;

	do {
		error = flow_take(flow, &frame, GIVE_UP_MS);
	} while (!error && !flow_give(flow, &frame));
	tap_eq(-EIO, error);
	must(flow_stop(flow));
}

static void expect_stream(struct flow *flow)
{
	must(flow_start(flow));
	camera_take(flow, &(struct camera_watch){ .mode = &camera_small }, 20);
}

static void test_master_reset(void)
{
	struct flow flow;

	camera_start(&flow, &camera_small, FLOW_MMAP, BUFFERS);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	clear_master();
	expect_eio(&flow);
	reset_card();
	expect_stream(&flow);
	camera_end(&flow);
}

static void test_master_bind(void)
{
	struct node node;
	struct flow flow;

	node_find(&node);
	camera_start(&flow, &camera_small, FLOW_MMAP, BUFFERS);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	clear_master();
	expect_eio(&flow);
	must(flow_free(&flow));
	flow_close(&flow);
	must(node_unbind(&node));
	must(node_bind(&node));
	camera_start(&flow, &camera_small, FLOW_MMAP, BUFFERS);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 20);
	camera_end(&flow);
}

static void test_master_ring(void)
{
	struct ring ring;

	camera_set(&camera_small);
	ring = camera_ring();
	ring_wait_head(&ring, ring.at.next + 3);
	clear_master();
	while (!ring_state(&ring))
		must(ring_wait(&ring, ring_head(&ring), 1, in_ms(GIVE_UP_MS)));
	tap_eq(AVRING_STATE_STALE, ring_state(&ring));
	reset_card();
	ring_unmap(&ring);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	camera_look_many(&ring, ring.at.next, 5, &(struct camera_watch){ .mode = &camera_small });
	ring_close(&ring);
}

/* ---------------------------------------------------------------- power */

static void expect_status(const char *status)
{
	struct node node;

	node_find(&node);
	node_expect_power(&node, status);
}

static void test_sleeps(void)
{
	struct flow flow;

	expect_status("suspended");
	camera_open(&flow, &camera_small);
	must(flow_allocate(&flow, FLOW_MMAP, BUFFERS, NULL));
	expect_status("suspended");
	must(flow_start(&flow));
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	expect_status("active");
	must(flow_stop(&flow));
	expect_status("suspended");
	must(flow_start(&flow));
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	camera_end(&flow);
	expect_status("suspended");
}

static void test_sleeps_ring(void)
{
	struct ring ring;

	camera_set(&camera_small);
	expect_status("suspended");
	ring = camera_ring();
	camera_look_many(&ring, ring.at.next, 5, &(struct camera_watch){ .mode = &camera_small });
	expect_status("active");
	ring_close(&ring);
	expect_status("suspended");
}

static void test_suspend_asleep(void)
{
	struct flow flow;

	expect_status("suspended");
	sleep_a_while();
	camera_start(&flow, &camera_small, FLOW_MMAP, BUFFERS);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 10);
	camera_end(&flow);
}

/* A reset of a card that sleeps leaves one that works. */
static void test_reset_asleep(void)
{
	struct flow flow;

	expect_status("suspended");
	reset_card();
	camera_start(&flow, &camera_small, FLOW_MMAP, BUFFERS);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 10);
	camera_end(&flow);
}

static const struct disturbance aer = { report_error, 0, 0 }, flr = { reset_card, 1, 30 },
				suspend = { sleep_a_while, 5, 300 };

static const struct tap_test tests[] = {
	{ "a stream goes on after an error of the bus", .run_with = test_goes_on, .arg = &aer },
	{ "on the same timeline", .run_with = test_timeline, .arg = &aer },
	{ "a ring goes on after an error of the bus", .run_with = test_ring_goes_on, .arg = &aer },
	{ "sound goes on after an error of the bus, with a gap", .run_with = test_sound_goes_on,
	  .arg = &aer },
	{ "a stream goes on after a reset, with a gap", .run_with = test_goes_on, .arg = &flr },
	{ "on the same timeline after a reset", .run_with = test_timeline, .arg = &flr },
	{ "a ring goes on after a reset, with a gap", .run_with = test_ring_goes_on, .arg = &flr },
	{ "sound goes on after a reset, with a gap", .run_with = test_sound_goes_on, .arg = &flr },
	{ "a stream goes on after a suspend, with a gap", .run_with = test_goes_on,
	  .arg = &suspend },
	{ "on the same timeline after a suspend", .run_with = test_timeline, .arg = &suspend },
	{ "a ring goes on after a suspend, with a gap", .run_with = test_ring_goes_on,
	  .arg = &suspend },
	{ "sound goes on after a suspend, with a gap", .run_with = test_sound_goes_on,
	  .arg = &suspend },
	{ "a card that is suspended in its sleep wakes up", .run = test_suspend_asleep },
	{ "without bus mastering a stream ends with EIO; a reset mends it",
	  .run = test_master_reset },
	{ "without bus mastering a stream ends with EIO; unbind and bind mend it",
	  .run = test_master_bind },
	{ "without bus mastering a ring is stale; a reset mends it", .run = test_master_ring },
	{ "a card sleeps unless it streams", .run = test_sleeps },
	{ "a card sleeps unless its ring is read", .run = test_sleeps_ring },
	{ "a card that was reset in its sleep wakes up", .run = test_reset_asleep },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
