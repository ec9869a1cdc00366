// SPDX-License-Identifier: MIT
/*
 * unplug: the card is pulled out of its slot, or dies in it, while everything is in use.
 * Everybody is told, what is mapped can still be read, and the next card works.
 *
 * Environment: LOOPS    unplug and plug cycles (default 12)
 *              TOLD_MS  see people.h
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "camera.h"
#include "people.h"
#include "remote.h"

static bool is_missing(void *arg)
{
	(void)arg;
	return node_missing();
}

static bool is_there(void *arg)
{
	return !is_missing(arg);
}

/* The card of before is gone in each sense; another one comes into its slot. */
static void plug(void)
{
	tap_check(tap_eventually(is_missing, NULL, 10), "the driver still has its card");
	remote("plug card0");
	tap_check(tap_eventually(is_there, NULL, 10), "the driver has no new card");
}

static void replace(void)
{
	remote("unplug card0");
	plug();
}

/* The link goes right before the driver's remove is called. */
static bool has_driver(const struct node *node)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", node->address);
	return !access(path, F_OK);
}

/* Of a card that is dead everything reads as all ones. */
static bool answers(const struct node *node)
{
	uint32_t id = 0;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", node->address);
	fd = must(sys(open(path, O_RDONLY | O_CLOEXEC)));
	tap_eq(sizeof(id), sys(read(fd, &id, sizeof(id))));
	close(fd);
	return id != UINT32_MAX;
}

/* ---------------------------------------------------------------- tests */

static unsigned int cycles(void)
{
	const char *text = getenv("LOOPS");

	return text && atoi(text) > 0 ? atoi(text) : 12;
}

static void test_unplug(void)
{
	unsigned int n = cycles(), i;
	uint64_t begin;

	for (i = 0; i < n; i++) {
		begin = now_ns();
		camera_set(&camera_small);
		people_call();
		people_watch_it_go("unplug card0", has_driver);
		people_end();
		plug();
		people_expect_card();
		tap_note("cycle %u took %llu ms", i,
			 (unsigned long long)(now_ns() - begin) / 1000000);
	}
	tap_check(people_spans(), "writes that the card's end fell into: expected some");
}

/* Nobody says that it is gone: each register reads as all ones. */
static void test_surprise(void)
{
	camera_set(&camera_small);
	people_call();
	people_watch_it_go("set card0 dead true", answers);
	people_end();
	replace();
	people_expect_card();
}

/* It dies in its sleep, with files open, and is noticed when somebody wants it. */
static void test_surprise_asleep(void)
{
	struct flow flow;
	struct node node;

	node_find(&node);
	camera_open(&flow, &camera_small);
	must(flow_allocate(&flow, FLOW_MMAP, 4, NULL));
	node_expect_power(&node, "suspended");
	remote("set card0 dead true");
	must_refuse(ENODEV, flow_start(&flow));
	flow_close(&flow);
	replace();
	people_expect_card();
}

static void test_unplug_idle(void)
{
	struct flow flow;

	camera_open(&flow, &camera_small);
	must(flow_allocate(&flow, FLOW_MMAP, 4, NULL));
	remote("unplug card0");
	must_refuse(ENODEV, flow_start(&flow));
	flow.memory[0].data[0] = 1;
	flow_close(&flow);
	remote("plug card0");
	tap_check(tap_eventually(is_there, NULL, 10), "the driver has no new card");
	people_expect_card();
}

static const struct tap_test tests[] = {
	{ "unplug and plug under everybody, 12 times", .run = test_unplug, .deadline_s = 600 },
	{ "a card that dies: everybody is told, and it can be replaced", .run = test_surprise,
	  .deadline_s = 120 },
	{ "a card that dies asleep is noticed, and can be replaced", .run = test_surprise_asleep },
	{ "a file of a card that was unplugged gives ENODEV", .run = test_unplug_idle },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
