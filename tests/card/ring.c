// SPDX-License-Identifier: MIT
/*
 * ring: the card writes the ring, round and round, and readers see what it wrote: every
 * frame right, none that was torn called good, what is missing counted. A V4L2 stream beside
 * them gets copies.
 */
#include <endian.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "camera.h"
#include "remote.h"

#define FRAMES 40

/* ---------------------------------------------------------------- readers */

static _Noreturn void read_frames(const struct camera_mode *mode)
{
	struct camera_watch watch = { .mode = mode };
	struct ring ring = camera_ring();

	camera_look_many(&ring, ring.at.next, FRAMES, &watch);
	tap_eq(0, watch.damaged);
	ring_close(&ring);
	_exit(0);
}

static void test_readers(const void *arg)
{
	const int readers = *(const int *)arg;
	pid_t children[3];
	int i;

	camera_set(&camera_small);
	for (i = 0; i < readers; i++) {
		children[i] = fork();
		if (!children[i])
			read_frames(&camera_small);
	}
	for (i = 0; i < readers; i++)
		tap_join(children[i]);
}

/**
 * struct packing - how a ring is packed
 * @mode: what is in it
 * @length: asked for
 * @align: asked for
 */
struct packing {
	struct camera_mode mode;
	uint64_t length;
	uint32_t align;
};

/**
 * struct losses - entries that a reader was too slow for
 * @between: frames that it saw
 * @since: the last of them
 * @first: number of the first entry that it saw
 * @last: of the last
 * @first_event: number on the card's timeline of the first frame that it saw
 * @last_event: of the last
 * @written: what the card had written before the first
 */
struct losses {
	uint64_t between, since;
	uint64_t first, last;
	uint64_t first_event, last_event;
	long written;
};

static void note_seen(struct losses *lost, uint64_t n, uint64_t event, bool is_first)
{
	if (is_first) {
		lost->first = n;
		lost->first_event = event;
	}
	lost->last = n;
	lost->last_event = event;
	lost->between += lost->since;
	lost->since = 0;
}

/* Reads on; where it was overtaken it goes on with the oldest there is. */
static uint64_t look_or_skip(const struct ring *ring, uint64_t n, struct camera_watch *watch,
			     struct losses *lost)
{
	const bool is_first = !watch->seen;
	struct avring_entry entry;
	uint64_t tail;

	ring_wait_head(ring, n + 1);
	if (ring_entry(ring, n, &entry) && camera_look(ring, n, watch)) {
		note_seen(lost, n, entry.event, is_first);
		return n + 1;
	}
	tail = ring_tail(ring);
	if (watch->seen)
		lost->since += tail - n;
	return tail;
}

/*
 * What is missing in the sequence is what was overtaken, and what is on the timeline of the
 * card but was never written; all that was written is an entry.
 */
static void expect_losses(const struct ring *ring, const struct camera_watch *watch,
			  const struct losses *lost)
{
	const uint64_t source = lost->last_event - lost->first_event - (lost->last - lost->first);

	tap_note("%llu frames right, %llu overtaken, %llu missing", (unsigned long long)watch->seen,
		 (unsigned long long)lost->between, (unsigned long long)watch->missing);
	tap_eq(lost->between + source, watch->missing);
	tap_eq(0, watch->restarts);
	camera_expect_published(ring, lost->written, 0);
}

/* What the sequence has lost is what was overtaken, and what the card did not send. */
static void test_packing(const void *arg)
{
	const struct packing *packing = arg;
	struct camera_watch watch = { .mode = &packing->mode };
	struct avring_entry entry;
	struct ring ring;
	struct losses lost = { 0 };
	uint64_t n;

	camera_set(&packing->mode);
	camera_setup(packing->length, packing->align);
	lost.written = remote_get("video-frames");
	ring = camera_ring();
	n = ring.at.next;
	tap_note("a ring of %llu bytes, frames of %u at multiples of %u",
		 (unsigned long long)ring.at.length, ring.at.frame_bytes, ring.at.align);
	while (watch.seen < FRAMES) {
		n = look_or_skip(&ring, n, &watch, &lost);
		if (ring_entry(&ring, n - 1, &entry))
			tap_eq(0, entry.position % ring.at.align);
	}
	expect_losses(&ring, &watch, &lost);
	ring_close(&ring);
}

/* Sleeps with a frame in his hands for longer than the ring lasts, now and then. */
static void test_slow(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct losses lost = { 0 };
	uint64_t n;
	struct ring ring;
	unsigned int i;

	camera_set(&camera_small);
	camera_setup(8 * SMALL_STRIDE, 0);
	lost.written = remote_get("video-frames");
	ring = camera_ring();
	n = ring.at.next;
	for (i = 0; i < 60; i++) {
		usleep(rand() % (i % 16 ? 60000 : 500000));
		n = look_or_skip(&ring, n, &watch, &lost);
	}
	tap_check(lost.between, "a slow reader: expected to be overtaken, was not");
	expect_losses(&ring, &watch, &lost);
	ring_close(&ring);
}

/* What is not before the tail must not change, however long it takes to look at it. */
static void test_tail_first(void)
{
	const uint8_t *bytes;
	struct avring_entry entry;
	struct ring ring;
	uint64_t n, left;
	uint8_t copy[SMALL_BYTES];
	unsigned int i, changed = 0;

	camera_set(&camera_words);
	camera_setup(6 * SMALL_STRIDE, 0);
	ring = camera_ring();
	n = ring.at.next;
	for (i = 0; i < 12; i++) {
		ring_wait_head(&ring, n + 1);
		tap_check(ring_entry(&ring, n, &entry), "entry %llu: expected intact",
			  (unsigned long long)n);
		bytes = ring_bytes(&ring, &entry);
		memcpy(copy, bytes, SMALL_BYTES);
		while (!memcmp(bytes, copy, SMALL_BYTES))
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
		left = ring_tail(&ring);
		tap_check(left > n, "entry %llu: changed while the tail was %llu",
			  (unsigned long long)n, (unsigned long long)left);
		changed++;
		n = ring_head(&ring);
	}
	tap_eq(12, changed);
	ring_close(&ring);
}

/* ---------------------------------------------------------------- beside a stream */

/* The frame of a stream is the entry with the same number, byte for byte. */
static bool is_copy(const struct ring *ring, const struct flow_frame *frame, uint64_t from)
{
	const struct avring_frame_stamp *stamp = (const void *)frame->data;
	struct avring_entry entry;
	uint64_t n;
	bool same;

	for (n = from; n < ring_head(ring); n++) {
		if (!ring_entry(ring, n, &entry) || entry.event != le64toh(stamp->frame))
			continue;
		same = !memcmp(ring_bytes(ring, &entry), frame->data, entry.length);
		if (ring_tail(ring) > n)
			return false;
		tap_check(same, "frame %llu: expected the bytes of the ring, got others",
			  (unsigned long long)entry.event);
		tap_eq(entry.time_ns / 1000, frame->time_us);
		return true;
	}
	return false;
}

static void test_beside(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct flow_frame frame;
	unsigned int copies = 0;
	struct ring ring;
	struct flow flow;

	camera_set(&camera_small);
	ring = camera_ring();
	camera_start(&flow, &camera_small, FLOW_MMAP, 6);
	while (watch.seen < FRAMES) {
		must(flow_take(&flow, &frame, 10000));
		camera_expect(&flow, &frame, &watch);
		copies += is_copy(&ring, &frame, ring.at.next);
		must(flow_give(&flow, &frame));
	}
	camera_end(&flow);
	tap_check(copies > FRAMES / 2, "frames that are in the ring, too: expected most, got %u",
		  copies);
	camera_look_many(&ring, ring_head(&ring), 5,
			 &(struct camera_watch){ .mode = &camera_small });
	ring_close(&ring);
}

/* The stream goes on with the same sequence; what it lost is counted. */
static void test_come_and_go(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct ring ring;
	struct flow flow;
	unsigned int i;

	camera_start(&flow, &camera_small, FLOW_MMAP, 8);
	for (i = 0; i < 5; i++) {
		struct camera_watch look = { .mode = &camera_small };

		camera_take(&flow, &watch, 5);
		ring = camera_ring();
		camera_look_many(&ring, ring.at.next, 3, &look);
		camera_take(&flow, &watch, 5);
		ring_close(&ring);
	}
	for (i = 0; i < flow.count; i++) {
		struct flow_frame frame;

		must(flow_take(&flow, &frame, 10000));
		camera_expect(&flow, &frame, &watch);
	}
	tap_eq(watch.missing, camera_counter(&flow, V4L2_CID_AVRING_FRAMES_DROPPED));
	camera_end(&flow);
}

/* ---------------------------------------------------------------- generations */

static void test_generation(void)
{
	static const struct camera_mode other = {
		.pix = { .pixelformat = V4L2_PIX_FMT_YUYV, .width = 320, .height = 240 },
		.rate = { 25, 1 },
	};
	struct camera_watch watch = { .mode = &camera_small }, after = { .mode = &other };
	struct avring_attach was;
	struct ring ring;

	camera_set(&camera_small);
	ring = camera_ring();
	camera_look_many(&ring, ring.at.next, 4, &watch);
	was = ring.at;
	camera_set(&other);
	tap_eq(AVRING_STATE_STALE, ring_state(&ring));
	/* What was captured can still be read. */
	tap_check(camera_look(&ring, ring_head(&ring) - 1,
			      &(struct camera_watch){ .mode = &camera_small }),
		  "the last frame: expected intact");
	ring_unmap(&ring);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	tap_check(ring.at.generation > was.generation, "generation: expected more than %u, got %u",
		  was.generation, ring.at.generation);
	tap_eq(320 * 240 * 2, ring.at.format.video.sizeimage);
	camera_look_many(&ring, ring.at.next, 5, &after);
	ring_close(&ring);
}

static void test_input_stays(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct ring ring;
	uint64_t n;

	camera_set(&camera_small);
	ring = camera_ring();
	n = camera_look_many(&ring, ring.at.next, 4, &watch);
	camera_set(&camera_words);
	n = ring_head(&ring) + 2;
	camera_look_many(&ring, n, 4, &(struct camera_watch){ .mode = &camera_words });
	tap_eq(0, ring_state(&ring));
	ring_close(&ring);
}

/* ---------------------------------------------------------------- nobody */

static bool has_come_to_rest(void *arg)
{
	long *last = arg, now = remote_get("video-frames");
	bool same = now == *last;

	*last = now;
	return same;
}

static void test_nobody(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct ring ring;
	long frames = -1;

	camera_set(&camera_small);
	ring = camera_ring();
	camera_look_many(&ring, ring.at.next, 3, &watch);
	ring_close(&ring);
	tap_check(tap_eventually(has_come_to_rest, &frames, 5), "frames: expected none any more");
	sleep(1);
	tap_eq(frames, remote_get("video-frames"));
}

static void test_no_producer(void)
{
	struct ring ring;
	struct node node;

	node_find(&node);
	must(ring_open(&ring, node.info.card));
	must_refuse(EOPNOTSUPP, ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	tap_eq(0, node.info.features & AVRING_FEATURE_PRODUCER);
	tap_eq(AVRING_FEATURE_CARD_CLOCK, node.info.features & AVRING_FEATURE_CARD_CLOCK);
	ring_close(&ring);
}

/* 162 x 122 are 19,764 bytes: no multiple of anything a frame may be aligned to but 4. */
#define PACKING(w, h, len, al, what) \
	.run_with = test_packing, .arg = &(const struct packing) \
	{ \
		.mode = { .pix = { .pixelformat = V4L2_PIX_FMT_GREY, .width = w, .height = h }, \
			  .rate = { 30, 1 }, \
			  .pattern = what }, \
		.length = len, .align = al \
	}

static const struct tap_test tests[] = {
	{ "a reader sees every frame", .run_with = test_readers, .arg = &(const int){ 1 } },
	{ "two readers see every frame", .run_with = test_readers, .arg = &(const int){ 2 } },
	{ "three readers see every frame", .run_with = test_readers, .arg = &(const int){ 3 } },
	{ "every word is right in a ring of two frames", PACKING(160, 120, 4096, 0, CAMERA_WORDS) },
	{ "frames are right in a ring of two frames", PACKING(160, 120, 4096, 0, CAMERA_STAMPED) },
	{ "frames are right in a ring of odd length, packed tightly",
	  PACKING(162, 122, 23 * 4096, 1, CAMERA_STAMPED) },
	{ "every word is right in a ring of odd length, packed by 64",
	  PACKING(162, 122, 23 * 4096, 64, CAMERA_WORDS) },
	{ "a slow reader never calls a torn frame good", .run = test_slow },
	{ "the tail moves before old bytes are touched", .run = test_tail_first },
	{ "a stream beside the ring gets the same frames", .run = test_beside },
	{ "readers come and go, a stream goes on", .run = test_come_and_go },
	{ "another format begins a generation", .run = test_generation },
	{ "another pattern does not", .run = test_input_stays },
	{ "with nobody attached the card rests", .run = test_nobody },
	{ "there is no producer", .run = test_no_producer },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
