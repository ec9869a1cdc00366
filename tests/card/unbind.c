// SPDX-License-Identifier: MIT
/*
 * unbind: the driver lets go of the card, and the module goes, while things are in use.
 *
 * Environment: LOOPS    (default 10)
 *              TOLD_MS  see people.h
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "camera.h"
#include "module.h"
#include "people.h"

static unsigned int loops(void)
{
	const char *text = getenv("LOOPS");

	return text && atoi(text) > 0 ? atoi(text) : 10;
}

static void test_everybody(void)
{
	unsigned int n = loops(), i;
	struct node node;

	for (i = 0; i < n; i++) {
		camera_set(&camera_small);
		node_find(&node);
		people_call();
		people_take_away();
		must(node_unbind(&node));
		people_end();
		must(node_bind(&node));
		people_expect_card();
	}
}

/* Opens, streams and closes as often as he can, whatever comes of it. */
static _Noreturn void come_and_go(const char *path)
{
	struct v4l2_buffer buffer;
	struct video video;

	for (;;) {
		if (!video_begin(&video, path, V4L2_PIX_FMT_GREY, 160, 120, 4))
			video_one_frame(&video, &buffer);
		video_close(&video);
	}
}

static _Noreturn void attach_and_detach(unsigned int card)
{
	struct ring ring;

	for (;;) {
		if (ring_open(&ring, card))
			continue;
		if (!ring_read(&ring, AVRING_STREAM_VIDEO, 0) && !ring_map(&ring))
			ring_wait(&ring, ring.at.next, 2, in_ms(100));
		ring_close(&ring);
	}
}

static void test_race(void)
{
	unsigned int n = 2 * loops(), i;
	pid_t children[2];
	struct node node;
	char path[32];

	node_find(&node);
	camera_path(path, sizeof(path));
	for (i = 0; i < 2; i++) {
		children[i] = fork();
		if (!children[i] && i)
			come_and_go(path);
		if (!children[i])
			attach_and_detach(node.info.card);
	}
	for (i = 0; i < n; i++) {
		usleep(rand() % 200000);
		must(node_unbind(&node));
		usleep(rand() % 50000);
		must(node_bind(&node));
	}
	for (i = 0; i < 2; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	people_expect_card();
}

/* ---------------------------------------------------------------- the module */

static bool is_unloaded(void *arg)
{
	(void)arg;
	return !module_unload();
}

static void expect_unload(void)
{
	tap_check(tap_eventually(is_unloaded, NULL, 3), "rmmod: expected success, was refused");
	must(module_load());
	people_expect_card();
}

static void test_rmmod_file(void)
{
	struct node node;
	struct flow flow;

	node_find(&node);
	camera_start(&flow, &camera_small, FLOW_MMAP, 4);
	must_refuse(EAGAIN, module_unload_one(MODULE_PCI));
	must(node_unbind(&node));
	must_refuse(EAGAIN, module_unload_one(MODULE_PCI));
	flow_stop(&flow);
	flow_free(&flow);
	flow_close(&flow);
	expect_unload();
}

static void test_rmmod_mapping(void)
{
	struct ring ring;

	camera_set(&camera_small);
	ring = camera_ring();
	ring_wait_head(&ring, ring.at.next + 2);
	close(ring.fd);
	ring.fd = -1;
	must(module_unload_one(MODULE_PCI));
	must_refuse(EAGAIN, module_unload());
	(void)*(volatile uint8_t *)ring.data;
	ring_close(&ring);
	expect_unload();
}

static void test_rmmod(void)
{
	unsigned int n = (loops() + 2) / 3;

	while (n--)
		expect_unload();
}

static const struct tap_test tests[] = {
	{ "unbind and bind under everybody, many times", .run = test_everybody, .deadline_s = 300 },
	{ "unbind and bind under who comes and goes", .run = test_race, .deadline_s = 300 },
	{ "rmmod is refused under a stream, unbound, too", .run = test_rmmod_file },
	{ "rmmod avring-core is refused under a mapping, whose card has gone",
	  .run = test_rmmod_mapping },
	{ "rmmod and modprobe, some times", .run = test_rmmod },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
