// SPDX-License-Identifier: MIT
/*
 * unplug: the card is pulled out of its slot, or dies in it, while everything is in use.
 * Everybody is told, what is mapped can still be read, and the next card works.
 *
 * Environment: LOOPS  unplug and plug cycles (default 12)
 */
#include <stdlib.h>
#include <unistd.h>

#include "camera.h"
#include "people.h"
#include "remote.h"

/* A second is promised; an emulated machine with others beside it is granted more. */
#define GRANTED_MS 5000

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
static void replace(void)
{
	remote("unplug card0");
	tap_check(tap_eventually(is_missing, NULL, 10), "the driver still has its card");
	remote("plug card0");
	tap_check(tap_eventually(is_there, NULL, 10), "the driver has no new card");
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
		people_take_away();
		replace();
		people_end();
		people_expect_card();
		tap_note("cycle %u took %llu ms", i,
			 (unsigned long long)(now_ns() - begin) / 1000000);
	}
}

/* Nobody says that it is gone: each register reads as all ones. */
static void test_surprise(void)
{
	uint64_t late;

	camera_set(&camera_small);
	people_call();
	people_take_away();
	remote("set card0 dead true");
	late = people_end();
	tap_check(late < GRANTED_MS, "expected everybody to be told within %d ms, got %llu",
		  GRANTED_MS, (unsigned long long)late);
	replace();
	people_expect_card();
}

/* It dies in its sleep, with files open, and is noticed when somebody wants it. */
static void test_surprise_asleep(void)
{
	struct flow flow;
	struct node node;
	int error;

	node_find(&node);
	camera_open(&flow, &camera_small);
	must(flow_allocate(&flow, FLOW_MMAP, 4, NULL));
	node_expect_power(&node, "suspended");
	remote("set card0 dead true");
	error = flow_start(&flow);
	tap_check(error == -ENODEV || error == -EIO, "STREAMON: expected ENODEV, got %s",
		  strerrorname_np(-error));
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
