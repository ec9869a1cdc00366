// SPDX-License-Identifier: MIT
/*
 * hostile: a card that does what it must not. What the driver makes of it: a frame is
 * marked, a gap is counted, or the stream ends with an error; no byte beside a buffer is
 * touched; and when the card behaves again, so does the stream.
 *
 * Buffers are USERPTR in the middle of a larger area, which is looked at afterwards.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "camera.h"
#include "content.h"
#include "remote.h"

#define BUFFERS 16
#define GUARD PAGE_BYTES
#define EVERY 4
/* How many frames of the old kind may be in flight when a fault is switched off. */
#define IN_FLIGHT (BUFFERS + 2)
/* 109 s: nobody is overtaken while he asks the host; and frames that the card may be ahead. */
#define RING_BYTES (64 << 20)
#define RING_IN_FLIGHT 8
/* The driver gives up after 3 s without a frame. */
#define GIVE_UP_MS 10000

static uint8_t *areas[BUFFERS];

static size_t area_bytes(const struct flow *flow)
{
	return 2 * GUARD + (flow->video.pix.sizeimage + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* The frame's last page has a rest, which is no part of the buffer either. */
static void put_guards(struct flow *flow)
{
	struct flow_memory *memory;
	unsigned int i;

	for (i = 0; i < flow->count; i++) {
		memory = &flow->memory[i];
		munmap(memory->data, memory->length);
		areas[i] = mmap(NULL, area_bytes(flow), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		tap_check(areas[i] != MAP_FAILED, "no memory: %s", strerror(errno));
		content_fill(areas[i], area_bytes(flow), i);
		memory->data = areas[i] + GUARD;
		memory->length = flow->video.pix.sizeimage;
	}
}

static void expect_guards(const struct flow *flow)
{
	const size_t behind = GUARD + flow->video.pix.sizeimage;
	unsigned int i;

	for (i = 0; i < flow->count; i++) {
		content_expect("before a frame", areas[i], GUARD, i, 0);
		content_expect("behind a frame", areas[i] + behind, area_bytes(flow) - behind, i,
			       behind);
	}
}

static void begin(struct flow *flow)
{
	camera_open(flow, &camera_small);
	must(flow_allocate(flow, FLOW_USERPTR, BUFFERS, NULL));
	put_guards(flow);
	must(flow_start(flow));
}

/* The guards themselves go with the process. */
static void end(struct flow *flow)
{
	must(flow_stop(flow));
	expect_guards(flow);
	must(flow_free(flow));
	flow_close(flow);
}

/* Right frames, none marked, after what was in flight. */
static void expect_well(struct flow *flow, struct camera_watch *watch)
{
	uint64_t damaged;

	camera_take(flow, watch, IN_FLIGHT);
	damaged = watch->damaged;
	camera_take(flow, watch, 10);
	tap_eq(damaged, watch->damaged);
}

static bool has_damaged(const struct camera_watch *watch)
{
	return watch->damaged >= 3;
}

static bool has_gaps(const struct camera_watch *watch)
{
	return watch->missing >= 3;
}

/* ---------------------------------------------------------------- streams that go on */

/**
 * struct fault - a fault that a stream survives
 * @property: of the card
 * @every: its value while it is on
 * @enough: NULL: 20 frames, and nothing is seen of it
 */
struct fault {
	const char *property;
	int every;
	bool (*enough)(const struct camera_watch *watch);
};

static void test_stream(const void *arg)
{
	const struct fault *fault = arg;
	struct camera_watch watch = { .mode = &camera_small };
	struct flow flow;

	begin(&flow);
	camera_take(&flow, &watch, 5);
	remote_set(fault->property, fault->every);
	if (fault->enough)
		camera_take_until(&flow, &watch, fault->enough);
	else
		camera_take(&flow, &watch, 20);
	remote_set(fault->property, 0);
	expect_well(&flow, &watch);
	tap_note("%llu frames, %llu missing, %llu damaged", (unsigned long long)watch.seen,
		 (unsigned long long)watch.missing, (unsigned long long)watch.damaged);
	tap_check(fault->enough == has_damaged || !watch.damaged,
		  "damaged frames: expected none, got %llu", (unsigned long long)watch.damaged);
	camera_drain(&flow, &watch);
	end(&flow);
}

/* Each frame that is in the ring is looked at. What is missing is what the card wrote wrong. */
static void test_ring(const void *arg)
{
	const struct fault *fault = arg;
	struct camera_watch watch = { .mode = &camera_small };
	struct ring ring;
	uint64_t n, end_ns, damaged, missing;
	long written = remote_get("video-frames");

	camera_set(&camera_small);
	camera_setup(RING_BYTES, 0);
	ring = camera_ring();
	n = camera_look_many(&ring, ring.at.next, 5, &watch);
	remote_set(fault->property, fault->every);
	end_ns = in_ms(30000);
	while (fault->enough ? !fault->enough(&watch) : watch.seen < 25) {
		tap_check(now_ns() < end_ns, "%s: expected to be seen in the ring",
			  fault->property);
		n = camera_look_many(&ring, n, 1, &watch);
	}
	remote_set(fault->property, 0);
	/* What is in the ring is of the old kind, and what was in flight. */
	n = camera_look_many(&ring, n, ring_head(&ring) - n + RING_IN_FLIGHT, &watch);
	damaged = watch.damaged;
	missing = watch.missing;
	camera_look_many(&ring, n, 10, &watch);
	tap_eq(damaged, watch.damaged);
	tap_eq(missing, watch.missing);
	tap_eq(0, ring_state(&ring));
	camera_expect_published(&ring, written, fault->enough == has_gaps ? missing : 0);
	ring_close(&ring);
}

/* The stream gets copies of what is in the ring: of what is there, and no more. */
static void test_copies(const void *arg)
{
	const struct fault *fault = arg;
	struct camera_watch copies = { .mode = &camera_small }, watch = { .mode = &camera_small };
	struct ring ring;
	struct flow flow;
	uint64_t n, end_ns;

	camera_set(&camera_small);
	ring = camera_ring();
	begin(&flow);
	n = camera_follow(&ring, ring.at.next, 5, &watch);
	remote_set(fault->property, fault->every);
	end_ns = in_ms(30000);
	while (!fault->enough(&watch) || !fault->enough(&copies)) {
		tap_check(now_ns() < end_ns, "%s: expected to be seen in both", fault->property);
		camera_take(&flow, &copies, 1);
		n = camera_follow(&ring, n, 1, &watch);
	}
	remote_set(fault->property, 0);
	expect_well(&flow, &copies);
	tap_check(fault->enough == has_damaged || !copies.damaged,
		  "damaged frames: expected none, got %llu", (unsigned long long)copies.damaged);
	camera_drain(&flow, &copies);
	end(&flow);
	tap_eq(0, ring_state(&ring));
	ring_close(&ring);
}

static void test_double_irq(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct flow flow;

	begin(&flow);
	remote_flag("dup-irq", true);
	camera_take(&flow, &watch, 20);
	remote_flag("dup-irq", false);
	tap_eq(0, watch.damaged);
	camera_drain(&flow, &watch);
	end(&flow);
}

/*
 * A buffer that is written twice: its owner may see that, if the driver lets the card.
 * What it must not do is to tell of frames that are none.
 */
static void test_loop(void)
{
	struct flow_frame frame;
	struct flow flow;
	uint32_t last = 0, gaps = 0;
	uint64_t end_ns = in_ms(20000);

	begin(&flow);
	remote_set("desc-loop", EVERY);
	while (gaps < 3) {
		tap_check(now_ns() < end_ns, "gaps: expected 3, got %u", gaps);
		must(flow_take(&flow, &frame, 10000));
		tap_check(!last || frame.buffer.sequence > last, "sequence %u after %u",
			  frame.buffer.sequence, last);
		gaps += last && frame.buffer.sequence > last + 1;
		last = frame.buffer.sequence;
		must(flow_give(&flow, &frame));
	}
	remote_set("desc-loop", 0);
	must(flow_stop(&flow));
	must(flow_start(&flow));
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 20);
	end(&flow);
}

/* ---------------------------------------------------------------- streams that end */

/* Frames that were captured come first; then the error, and nothing but it. */
static void expect_end(struct flow *flow, int error)
{
	struct flow_frame frame;
	int got;

	do {
		got = flow_take(flow, &frame, GIVE_UP_MS);
	} while (!got && !flow_give(flow, &frame));
	tap_eq(-error, got);
	must_refuse(error, flow_take(flow, &frame, GIVE_UP_MS));
}

static void expect_new_stream(struct flow *flow)
{
	struct camera_watch watch = { .mode = &camera_small };

	must(flow_start(flow));
	camera_take(flow, &watch, 20);
	tap_eq(0, watch.damaged);
}

static void test_stall(void)
{
	struct flow flow;

	begin(&flow);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	remote_flag("stall-dma", true);
	expect_end(&flow, EIO);
	must(flow_stop(&flow));
	remote_flag("stall-dma", false);
	expect_new_stream(&flow);
	end(&flow);
}

/* A ring is as good as ended: readers see that it is stale, and a new ATTACH begins another. */
static void test_stall_ring(void)
{
	struct ring ring;

	camera_set(&camera_small);
	ring = camera_ring();
	ring_wait_head(&ring, ring.at.next + 3);
	remote_flag("stall-dma", true);
	while (!ring_state(&ring))
		must(ring_wait(&ring, ring_head(&ring), 1, in_ms(GIVE_UP_MS)));
	tap_eq(AVRING_STATE_STALE, ring_state(&ring));
	remote_flag("stall-dma", false);
	ring_unmap(&ring);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	camera_look_many(&ring, ring.at.next, 5, &(struct camera_watch){ .mode = &camera_small });
	ring_close(&ring);
}

/* Each frame is a breach: that is no stream. */
static void test_nothing_right(void)
{
	struct flow flow;

	begin(&flow);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	remote_set("bad-bytes", 1);
	expect_end(&flow, EIO);
	must(flow_stop(&flow));
	remote_set("bad-bytes", 0);
	expect_new_stream(&flow);
	end(&flow);
}

/* A card that does not come to rest gets no memory any more, until it is reset. */
static void test_hang(void)
{
	struct node node;
	struct flow flow;

	begin(&flow);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	remote_flag("hang-busy", true);
	must(flow_stop(&flow));
	must_refuse(EIO, flow_start(&flow));
	remote_flag("hang-busy", false);
	must(flow_stop(&flow));
	node_find(&node);
	node_reset(&node);
	expect_new_stream(&flow);
	end(&flow);
}

/* ---------------------------------------------------------------- no signal */

static const struct camera_mode line = { .pix = CAMERA_SMALL,
					 .rate = { 30, 1 },
					 .input = CAMERA_LINE };

static void test_no_signal(void)
{
	struct camera_watch watch = { .mode = &line };
	struct flow_frame frame;
	struct flow flow;
	unsigned int i;

	remote_flag("no-signal", true);
	camera_start(&flow, &line, FLOW_MMAP, 4);
	camera_take(&flow, &watch, 10);
	for (i = 0; i < flow.count; i++) {
		must(flow_take(&flow, &frame, 10000));
		camera_expect(&flow, &frame, &watch);
	}
	tap_eq(watch.seen, camera_counter(&flow, V4L2_CID_AVRING_NO_SIGNAL_FRAMES));
	camera_end(&flow);
}

static void test_no_signal_ring(void)
{
	struct avring_entry entry;
	struct ring ring;

	remote_flag("no-signal", true);
	camera_set(&line);
	ring = camera_ring();
	ring_wait_head(&ring, ring.at.next + 3);
	tap_check(ring_entry(&ring, ring.at.next + 2, &entry), "the entry was overtaken");
	tap_eq(AVRING_ENTRY_NO_SIGNAL, entry.flags);
	ring_close(&ring);
}

/* Frames must go on coming: with them the card notices. */
static void expect_event(struct flow *flow)
{
	struct pollfd ready = { .fd = flow->video.fd, .events = POLLPRI | POLLIN };
	struct v4l2_event event;
	struct flow_frame frame;

	while (!(ready.revents & POLLPRI)) {
		tap_eq(1, sys(poll(&ready, 1, GIVE_UP_MS)));
		if (ready.revents & POLLIN)
			must(flow_take(flow, &frame, 0) ?: flow_give(flow, &frame));
	}
	must(video_ioctl(flow->video.fd, VIDIOC_DQEVENT, &event));
	tap_eq(V4L2_EVENT_SOURCE_CHANGE, event.type);
}

static void test_signal_event(void)
{
	struct v4l2_event_subscription events = { .type = V4L2_EVENT_SOURCE_CHANGE };
	struct flow flow;

	if (!getenv("AVRING_CARD_FILM"))
		tap_skip("no film on the line, whose signal could be lost: AVRING_CARD_FILM");
	camera_start(&flow, &line, FLOW_MMAP, 4);
	must(video_ioctl(flow.video.fd, VIDIOC_SUBSCRIBE_EVENT, &events));
	remote_flag("no-signal", true);
	expect_event(&flow);
	tap_eq(1, camera_counter(&flow, V4L2_CID_AVRING_SIGNAL_LOSSES));
	remote_flag("no-signal", false);
	expect_event(&flow);
	tap_eq(1, camera_counter(&flow, V4L2_CID_AVRING_SIGNAL_LOSSES));
	camera_end(&flow);
}

/* Begins again whenever it has ended, until there is no card. */
static void insist(uint32_t stream, volatile unsigned int *ends)
{
	struct ring ring;
	struct node node;

	node_find(&node);
	while (!ring_open(&ring, node.info.card)) {
		if (!ring_read(&ring, stream, 0) && !ring_map(&ring)) {
			while (!ring_state(&ring))
				ring_wait(&ring, ring_head(&ring), 1, in_ms(100));
			__atomic_add_fetch(ends, 1, __ATOMIC_RELAXED);
		}
		ring_close(&ring);
	}
}

static pid_t start_insisting(uint32_t stream, volatile unsigned int *ends)
{
	pid_t child = must(sys(fork()));

	if (child)
		return child;
	insist(stream, ends);
	_exit(0);
}

static bool have_ended(void *arg)
{
	const volatile unsigned int *ends = arg;

	return ends[0] >= 10 && ends[1] >= 10;
}

/* How long it takes others to do what they do. */
static void time_others(struct node *node, uint64_t took_ns[2])
{
	const uint64_t since_ns = now_ns();

	tap_eq(0, system("ls / >/dev/null"));
	took_ns[0] = now_ns() - since_ns;
	must(node_unbind(node));
	took_ns[1] = now_ns() - since_ns - took_ns[0];
}

static void expect_soon(const char *what, uint64_t took_ns, uint64_t alone_ns)
{
	tap_check(took_ns < UINT64_C(1000000000) + 4 * alone_ns,
		  "%s: took %llu ms, without a flood %llu", what,
		  (unsigned long long)took_ns / 1000000, (unsigned long long)alone_ns / 1000000);
}

static void test_others(void)
{
	unsigned int *ends = ring_shared(2 * sizeof(*ends));
	uint64_t alone_ns[2], took_ns[2];
	struct node node;
	pid_t insisting[2];

	camera_set(&camera_small);
	node_find(&node);
	time_others(&node, alone_ns);
	must(node_bind(&node));
	node_find(&node);
	remote_flag("completion-flood", true);
	insisting[0] = start_insisting(AVRING_STREAM_VIDEO, &ends[0]);
	insisting[1] = start_insisting(AVRING_STREAM_AUDIO, &ends[1]);
	tap_check(tap_eventually(have_ended, ends, 20), "streams: expected to begin and end");
	time_others(&node, took_ns);
	expect_soon("a command", took_ns[0], alone_ns[0]);
	expect_soon("unbind", took_ns[1], alone_ns[1]);
	tap_join(insisting[0]);
	tap_join(insisting[1]);
	remote_flag("completion-flood", false);
	must(node_bind(&node));
}

#define FAULT(test, name, n, until) \
	.run_with = test, .arg = &(const struct fault) \
	{ \
		.property = name, .every = n, .enough = until \
	}

static const struct tap_test tests[] = {
	{ "a short frame is marked and counted",
	  FAULT(test_stream, "short-frame", EVERY, has_damaged) },
	{ "a short frame is marked in the ring",
	  FAULT(test_ring, "short-frame", EVERY, has_damaged) },
	{ "the copy of a short frame is marked and counted",
	  FAULT(test_copies, "short-frame", EVERY, has_damaged) },
	{ "too many bytes are a gap in the copies",
	  FAULT(test_copies, "bad-bytes", EVERY, has_gaps) },
	{ "a wrong cookie is a gap", FAULT(test_stream, "bad-cookie", EVERY, has_gaps) },
	{ "too many bytes are a gap", FAULT(test_stream, "bad-bytes", EVERY, has_gaps) },
	{ "too many bytes are a gap in the ring", FAULT(test_ring, "bad-bytes", EVERY, has_gaps) },
	{ "a wrong position is a gap in the ring",
	  FAULT(test_ring, "bad-position", EVERY, has_gaps) },
	{ "a wrong position is nothing to a stream",
	  FAULT(test_stream, "bad-position", EVERY, NULL) },
	{ "a leap of the sequence is a gap", FAULT(test_stream, "seq-jump", EVERY, has_gaps) },
	{ "a leap of the sequence is a gap in the ring",
	  FAULT(test_ring, "seq-jump", EVERY, has_gaps) },
	{ "a wrong time is a gap", FAULT(test_stream, "bad-time", EVERY, has_gaps) },
	{ "a wrong time is a gap in the ring", FAULT(test_ring, "bad-time", EVERY, has_gaps) },
	{ "a wrong time is a gap in the copies", FAULT(test_copies, "bad-time", EVERY, has_gaps) },
	{ "a buffer written twice is a gap", .run = test_loop },
	{ "without any interrupt the frames come", FAULT(test_stream, "drop-irq", 1, NULL) },
	{ "without any interrupt they come in the ring", FAULT(test_ring, "drop-irq", 1, NULL) },
	{ "without some interrupts the frames come", FAULT(test_stream, "drop-irq", 3, NULL) },
	{ "interrupts for nothing do nothing", FAULT(test_stream, "spurious-irq", 500, NULL) },
	{ "interrupts that come twice do nothing", .run = test_double_irq },
	{ "a card that sends nothing ends the stream with EIO", .run = test_stall },
	{ "a card that sends nothing makes the ring stale", .run = test_stall_ring },
	{ "a card of which nothing is right ends the stream with EIO", .run = test_nothing_right },
	{ "a card that does not stop gives EIO until it is reset", .run = test_hang },
	{ "a line without a signal is counted", .run = test_no_signal },
	{ "a line without a signal is marked in the ring", .run = test_no_signal_ring },
	{ "the loss of the signal is an event, and is counted", .run = test_signal_event },
	{ "beside a flood others go on, and the driver can be taken away", .run = test_others },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
