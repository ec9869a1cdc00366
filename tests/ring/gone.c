// SPDX-License-Identifier: MIT
/*
 * gone: the card goes away under the users of its ring node (user.h), and comes back.
 *
 * Environment: LOOPS, see user.h.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "content.h"
#include "module.h"
#include "ring.h"
#include "user.h"

static int begin(const struct ring *ring)
{
	struct avring_begin begin = { .length = SMALL_BYTES };

	return ring_call(ring, AVRING_IOC_BEGIN, &begin);
}

static int commit(const struct ring *ring)
{
	struct avring_commit commit = { .length = SMALL_BYTES };

	return ring_call(ring, AVRING_IOC_COMMIT, &commit);
}

static int export_page(const struct ring *ring)
{
	struct avring_export export = { .length = PAGE_BYTES, .flags = O_CLOEXEC };
	int error = ring_call(ring, AVRING_IOC_EXPORT, &export);

	if (!error)
		close(export.fd);
	return error;
}

static int setup_call(const struct ring *ring, unsigned long request, uint32_t stream)
{
	struct avring_setup setup = { .stream = stream };

	return ring_call(ring, request, &setup);
}

static short polled(const struct ring *ring, int ms)
{
	struct pollfd ready = { .fd = ring->fd, .events = POLLIN | POLLPRI };

	must(sys(poll(&ready, 1, ms)));
	return ready.revents;
}

static struct ring small_reader(void)
{
	ring_small_picture();
	return ring_reader(AVRING_STREAM_VIDEO);
}

static void expect_gone(const struct ring *ring)
{
	short events = polled(ring, 0);

	tap_check(events & POLLERR && events & POLLHUP,
		  "poll: expected POLLERR and POLLHUP, got %x", events);
	must_refuse(ENODEV, ring_wait(ring, 0, 1, 0));
	must_refuse(ENODEV, ring_wait(ring, 0, 1, AVRING_WAIT_FOREVER));
}

static void follow(const struct user *user, uint32_t stream)
{
	struct ring ring;
	uint64_t n = 0;
	int error;

	ring_small_picture();
	ring = ring_reader(stream);
	ring_wait_head(&ring, 1);
	user_ready(user);
	do {
		error = ring_wait(&ring, n, 1, AVRING_WAIT_FOREVER);
		n = ring_head(&ring);
	} while (!error);
	must_refuse(ENODEV, error);
	expect_gone(&ring);
	tap_eq(AVRING_STATE_GONE, ring_state(&ring) & AVRING_STATE_GONE);
	ring_close(&ring);
}

static void user_follows(const struct user *user)
{
	follow(user, AVRING_STREAM_VIDEO);
}

static void user_listens(const struct user *user)
{
	follow(user, AVRING_STREAM_AUDIO);
}

/* Nothing will come: the producer sends nothing. */
static void user_sleeps(const struct user *user)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);

	user_ready(user);
	must_refuse(ENODEV, ring_wait(&ring, 0, 1, AVRING_WAIT_FOREVER));
	expect_gone(&ring);
	ring_close(&ring);
	ring_close(&producer);
}

static void user_sleeps_with_deadline(const struct user *user)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);

	user_ready(user);
	must_refuse(ENODEV, ring_wait(&ring, 0, 1, in_ms(3600 * 1000)));
	ring_close(&ring);
	ring_close(&producer);
}

static void user_polls(const struct user *user)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);
	short events;

	user_ready(user);
	events = polled(&ring, -1);
	tap_check(events & POLLERR && events & POLLHUP,
		  "poll: expected POLLERR and POLLHUP, got %x", events);
	ring_close(&ring);
	ring_close(&producer);
}

static void user_epolls(const struct user *user)
{
	struct ring producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = must(sys(epoll_create1(EPOLL_CLOEXEC)));

	must(sys(epoll_ctl(epoll, EPOLL_CTL_ADD, ring.fd, &event)));
	user_ready(user);
	tap_eq(1, epoll_wait(epoll, &event, 1, -1));
	tap_check(event.events & EPOLLERR && event.events & EPOLLHUP,
		  "epoll: expected EPOLLERR and EPOLLHUP, got %x", event.events);
	close(epoll);
	ring_close(&ring);
	ring_close(&producer);
}

static void user_produces(const struct user *user)
{
	struct ring ring = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	int error;

	must(begin(&ring));
	must(commit(&ring));
	user_ready(user);
	do {
		error = begin(&ring);
		if (!error)
			error = commit(&ring);
	} while (!error);
	must_refuse(ENODEV, error);
	must_refuse(ENODEV, begin(&ring));
	must_refuse(ENODEV, commit(&ring));
	content_fill(ring.data, 2 * ring.at.length, 0);
	ring_close(&ring);
}

/* Attached, idle; afterwards each call says what has happened. */
static void user_holds(const struct user *user)
{
	struct ring fresh, ring = small_reader();

	must(ring_open(&fresh, 0));
	user_ready(user);
	user_wait_gone(user);
	expect_gone(&ring);
	must_refuse(ENODEV, setup_call(&ring, AVRING_IOC_GET_SETUP, AVRING_STREAM_VIDEO));
	must_refuse(ENODEV, setup_call(&ring, AVRING_IOC_GET_SETUP, AVRING_STREAM_AUDIO));
	must_refuse(ENODEV, setup_call(&ring, AVRING_IOC_SET_SETUP, AVRING_STREAM_VIDEO));
	must_refuse(ENODEV, setup_call(&ring, AVRING_IOC_SET_SETUP, AVRING_STREAM_AUDIO));
	must_refuse(ENODEV, ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must_refuse(ENODEV, ring_read(&fresh, AVRING_STREAM_VIDEO, 0));
	must_refuse(ENODEV, ring_read(&fresh, AVRING_STREAM_AUDIO, 0));
	must_refuse(ENODEV, ring_produce(&fresh, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	ring_close(&fresh);
	close(ring.fd);
}

/* His ring was stale before; he learns of the end all the same. */
static void user_is_stale(const struct user *user)
{
	struct ring ring = small_reader();

	ring_wait_head(&ring, 3);
	ring_picture(V4L2_PIX_FMT_YUYV, 320, 240, SMALL_FPS);
	tap_eq(AVRING_STATE_STALE, ring_state(&ring));
	user_ready(user);
	user_wait_gone(user);
	expect_gone(&ring);
	ring_close(&ring);
}

static void user_waits_stale(const struct user *user)
{
	struct pollfd ready = { .events = 0 };
	struct ring ring = small_reader();

	ring_wait_head(&ring, 3);
	ring_picture(V4L2_PIX_FMT_YUYV, 320, 240, SMALL_FPS);
	ready.fd = ring.fd;
	user_ready(user);
	must(sys(poll(&ready, 1, -1)));
	tap_eq(POLLERR | POLLHUP, ready.revents);
	ring_close(&ring);
}

static void expect_frozen(const struct ring *ring)
{
	must(sys(madvise(ring->data, CHUNK_BYTES, MADV_DONTNEED)));
	content_expect("first image", ring->data, CHUNK_BYTES, 0, 0);
	content_expect("second image", ring->data + CHUNK_BYTES, CHUNK_BYTES, 0, 0);
}

/* An open file still maps, exports and shows its ring: that is memory, not a device. */
static void user_maps(const struct user *user)
{
	struct ring ring = ring_frozen(CHUNK_BYTES, fixture_huge);

	user_ready(user);
	user_wait_gone(user);
	expect_frozen(&ring);
	ring_unmap(&ring);
	must(ring_map(&ring));
	expect_frozen(&ring);
	must(export_page(&ring));
	ring_close(&ring);
}

static void user_keeps_mapping_only(const struct user *user)
{
	struct ring ring = ring_frozen(CHUNK_BYTES, fixture_huge);

	close(ring.fd);
	user_ready(user);
	user_wait_gone(user);
	expect_frozen(&ring);
	tap_eq(AVRING_STATE_STALE, ring_state(&ring) & AVRING_STATE_STALE);
}

/* In a hurry: never where the unbind expects him. */
static void user_comes_and_goes(const struct user *user)
{
	uint32_t stream = 0;
	struct ring ring;
	int error;

	must(ring_open(&ring, 0));
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	user_ready(user);
	do {
		ring_call(&ring, AVRING_IOC_DETACH, NULL);
		stream = !stream;
		error = ring_read(&ring, stream, 0);
		if (!error)
			must(ring_map(&ring));
		ring_unmap(&ring);
	} while (!error);
	must_refuse(ENODEV, error);
	ring_close(&ring);
}

static void user_opens_and_closes(const struct user *user)
{
	struct ring ring;
	int error, began = 0;

	do {
		error = ring_open(&ring, 0);
		if (!error)
			error = ring_read(&ring, AVRING_STREAM_VIDEO, 0);
		ring_close(&ring);
		if (!error && !began++)
			user_ready(user);
	} while (!error);
	tap_check(error == -ENODEV || error == -ENXIO || error == -ENOENT,
		  "open of a node that goes: expected ENODEV, ENXIO or ENOENT, got %s",
		  strerrorname_np(-error));
}

static void expect_working(void)
{
	struct ring ring = small_reader();
	struct avring_entry entry;

	ring_wait_head(&ring, 1);
	tap_check(ring_entry(&ring, 0, &entry), "first entry: expected intact");
	ring_expect_stamped(&ring, &entry);
	ring_close(&ring);
}

static void unbind_loop(const void *run, int n)
{
	while (n--) {
		struct user user = user_start(*(const user_fn *)run);

		must(card_unbind(&user.card));
		user_end(&user);
		must(card_bind(&user.card));
	}
	expect_working();
}

static void test_unbind_once(const void *run)
{
	struct user user = user_start(*(const user_fn *)run);

	wait_asleep(user.child);
	must(card_unbind(&user.card));
	user_end(&user);
	must(card_bind(&user.card));
	expect_working();
}

static void test_unbind_many(const void *run)
{
	unbind_loop(run, user_loops());
}

static void test_unbind_some(const void *run)
{
	unbind_loop(run, user_short_loops());
}

static void rmmod_loop(user_fn run, bool stays)
{
	int n = user_short_loops();

	while (n--) {
		struct user user = user_start(run);

		must_refuse(EWOULDBLOCK, module_unload_one(MODULE_VIRTUAL));
		must(card_unbind(&user.card));
		if (stays)
			must_refuse(EWOULDBLOCK, module_unload_one(MODULE_VIRTUAL));
		user_end(&user);
		must(module_unload());
		must(module_load());
	}
	expect_working();
}

static void test_rmmod(const void *run)
{
	rmmod_loop(*(const user_fn *)run, false);
}

/* Without the device, too: by the file alone. */
static void test_rmmod_after_unbind(const void *run)
{
	rmmod_loop(*(const user_fn *)run, true);
}

static void test_rmmod_core(const void *run)
{
	user_keeps_core(*(const user_fn *)run, user_short_loops());
	expect_working();
}

static void test_node_is_gone(void)
{
	struct ring ring;
	struct card card;

	must(card_find(0, &card));
	must(card_unbind(&card));
	must_refuse(ENOENT, ring_open(&ring, 0));
	must(card_bind(&card));
	must(ring_open(&ring, 0));
	ring_close(&ring);
}

/* One card goes, the ring of the other goes on. */
static void test_other_card(void)
{
	struct card card, other;
	struct ring ring;
	uint64_t n;

	must(card_find(0, &card));
	if (card_find(1, &other))
		tap_skip("only one card: load with cards=2");
	must(ring_open(&ring, 1));
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	ring_wait_head(&ring, 3);
	must(card_unbind(&card));
	n = ring_head(&ring);
	ring_wait_head(&ring, n + 3);
	must(card_bind(&card));
	tap_eq(0, ring_state(&ring));
	ring_close(&ring);
}

static const user_fn follows = user_follows, listens = user_listens, sleeps = user_sleeps,
		     sleeps_with_deadline = user_sleeps_with_deadline, polls = user_polls,
		     epolls = user_epolls, produces = user_produces, holds = user_holds,
		     is_stale = user_is_stale, waits_stale = user_waits_stale, maps = user_maps,
		     keeps_mapping_only = user_keeps_mapping_only,
		     comes_and_goes = user_comes_and_goes, opens_and_closes = user_opens_and_closes;

#define LOOP_S 900
#define ONCE(words, of) \
	{ \
		.claim = words, .run_with = test_unbind_once, .arg = &(of) \
	}
#define LOOP(words, test, of) \
	{ \
		.claim = words, .run_with = test, .arg = &(of), .deadline_s = LOOP_S \
	}

static const struct tap_test tests[] = {
	ONCE("unbind wakes WAIT with ENODEV", sleeps),
	ONCE("unbind wakes WAIT with a deadline with ENODEV", sleeps_with_deadline),
	ONCE("unbind wakes poll with POLLERR and POLLHUP", polls),
	ONCE("unbind wakes epoll with EPOLLERR and EPOLLHUP", epolls),
	ONCE("after unbind every call of an open file gives ENODEV, DETACH works", holds),
	ONCE("after unbind a reader of a stale ring gets ENODEV, too", is_stale),
	ONCE("unbind wakes poll for a stale ring with POLLERR and POLLHUP", waits_stale),
	ONCE("after unbind the ring is still mapped, maps and exports", maps),
	ONCE("after close and unbind a mapping shows what it did", keeps_mapping_only),
	{ "after unbind there is no node, after bind there is", .run = test_node_is_gone },
	{ "unbind of one card leaves the other's ring running", .run = test_other_card },
	LOOP("unbind and bind under a reader of pictures, many times", test_unbind_many, follows),
	LOOP("unbind and bind under a reader of sound, some times", test_unbind_some, listens),
	LOOP("unbind and bind under a producer, many times", test_unbind_many, produces),
	LOOP("unbind and bind under a sleeper, some times", test_unbind_some, sleeps),
	LOOP("unbind and bind under a poller, some times", test_unbind_some, polls),
	LOOP("unbind and bind under who attaches and detaches, many times", test_unbind_many,
	     comes_and_goes),
	LOOP("unbind and bind under who opens and closes, many times", test_unbind_many,
	     opens_and_closes),
	LOOP("unbind and bind under a mapping, some times", test_unbind_some, maps),
	LOOP("rmmod is refused under a reader, some times", test_rmmod, follows),
	LOOP("rmmod is refused under a producer, some times", test_rmmod, produces),
	LOOP("rmmod is refused under an open file, after unbind, too, some times",
	     test_rmmod_after_unbind, holds),
	LOOP("rmmod avring-core is refused under a mapping alone, though the card goes, some times",
	     test_rmmod_core, keeps_mapping_only),
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
