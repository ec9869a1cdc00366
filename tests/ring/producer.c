// SPDX-License-Identifier: MIT
/*
 * producer: what a producer writes in place is what every reader sees: not equal
 * bytes only, the same pages.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "pageinfo.h"
#include "ring.h"

#define READERS 3
#define FRAMES 300
#define LENGTH (4 * CHUNK_BYTES)
#define FRAME_BYTES (CHUNK_WIDTH * CHUNK_HEIGHT * 2ul)
#define VIEW_PAGES (2 * LENGTH / PAGE_BYTES)

/**
 * struct shared - between the producer and his readers
 * @ready: readers that have mapped the ring
 * @leave: readers may go
 * @frames: page frame numbers of the linear view, by reader
 * @next: of each reader
 */
struct shared {
	volatile unsigned int ready;
	volatile bool leave;
	uint64_t frames[READERS][VIEW_PAGES];
	volatile uint64_t next[READERS];
};

static struct ring chunk_producer(long max_order)
{
	must(card_parameter_set("max_order", max_order));
	must(ring_setup(AVRING_STREAM_VIDEO, LENGTH, 0));
	return ring_producer(CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT);
}

static void start_readers(struct shared *shared, pid_t *children,
			  void (*run)(struct shared *shared, unsigned int who))
{
	unsigned int i;

	for (i = 0; i < READERS; i++) {
		children[i] = fork();
		if (!children[i]) {
			run(shared, i);
			_exit(0);
		}
	}
	while (__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) < READERS)
		usleep(1000);
}

static void join_readers(const pid_t *children)
{
	unsigned int i;

	for (i = 0; i < READERS; i++)
		tap_join(children[i]);
}

static void wait_leave(const struct shared *shared)
{
	while (!shared->leave)
		usleep(1000);
}

/* Maps the view anew, in an address space of its own, and tells its page frames. */
static void tell_frames(struct shared *shared, unsigned int who)
{
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);

	content_touch(ring.data, 2 * LENGTH);
	page_frames(ring.data, VIEW_PAGES, shared->frames[who]);
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_RELEASE);
	wait_leave(shared);
	ring_close(&ring);
}

static void expect_same_frames(const uint64_t *expected, const uint64_t *got)
{
	size_t i;

	for (i = 0; i < VIEW_PAGES; i++)
		tap_check(expected[i] && expected[i] == got[i],
			  "page %zu: expected frame %llx, got %llx", i,
			  (unsigned long long)expected[i], (unsigned long long)got[i]);
}

static void expect_mapcounts(const uint64_t *frames, uint64_t expected)
{
	uint64_t count;
	size_t i;

	for (i = 0; i < VIEW_PAGES / 2; i++) {
		count = page_mapcount(frames[i]);
		tap_check(count == expected, "page %zu: expected map count %llu, got %llu", i,
			  (unsigned long long)expected, (unsigned long long)count);
	}
}

/* Everybody maps each page twice: the second image is the first once more. */
static void test_same_pages(const void *max_order)
{
	static uint64_t own[VIEW_PAGES];
	struct shared *shared = ring_shared(sizeof(*shared));
	struct ring ring;
	pid_t children[READERS];

	ring = chunk_producer(*(const long *)max_order);
	content_touch(ring.data, 2 * LENGTH);
	page_frames(ring.data, VIEW_PAGES, own);
	tap_check(!memcmp(own, own + VIEW_PAGES / 2, sizeof(own) / 2),
		  "second image: expected the page frames of the first");
	expect_mapcounts(own, 2);
	ring_unmap(&ring);
	expect_mapcounts(own, 0);
	start_readers(shared, children, tell_frames);
	expect_mapcounts(own, 2 * READERS);
	expect_same_frames(own, shared->frames[0]);
	expect_same_frames(own, shared->frames[1]);
	expect_same_frames(own, shared->frames[2]);
	shared->leave = true;
	join_readers(children);
	expect_mapcounts(own, 0);
	ring_close(&ring);
}

/* The first page frame of each chunk of the ring. */
static void chunk_heads(const struct ring *ring, uint64_t *heads)
{
	unsigned int i;

	for (i = 0; i < LENGTH / CHUNK_BYTES; i++) {
		heads[i] = page_frame(ring->data + i * CHUNK_BYTES);
		tap_check(page_is_ownerless_compound(heads[i]), "chunk %u: expected a chunk", i);
	}
}

static unsigned int chunks_alive(const uint64_t *heads)
{
	unsigned int i, alive = 0;

	for (i = 0; i < LENGTH / CHUNK_BYTES; i++)
		alive += page_is_ownerless_compound(heads[i]);
	return alive;
}

/*
 * Each chunk has the ring's reference and no other: it is freed with the ring. One
 * that a pipe holds is not, which shows that a reference too many would be seen.
 */
static void test_references(void)
{
	struct shared *shared = ring_shared(sizeof(*shared));
	struct iovec page = { .iov_len = PAGE_BYTES };
	uint64_t heads[LENGTH / CHUNK_BYTES];
	struct ring ring = chunk_producer(fixture_huge);
	pid_t children[READERS];
	int ends[2];

	content_touch(ring.data, 2 * LENGTH);
	chunk_heads(&ring, heads);
	must(sys(pipe(ends)));
	page.iov_base = ring.data + LENGTH + CHUNK_BYTES + PAGE_BYTES;
	tap_eq(PAGE_BYTES, vmsplice(ends[1], &page, 1, 0));
	start_readers(shared, children, tell_frames);
	shared->leave = true;
	join_readers(children);
	tap_eq(LENGTH / CHUNK_BYTES, chunks_alive(heads));
	ring_close(&ring);
	tap_eq(1, chunks_alive(heads));
	tap_eq(1, page_is_ownerless_compound(heads[1]));
	close(ends[0]);
	close(ends[1]);
	tap_eq(0, chunks_alive(heads));
}

static const uint8_t *entry_bytes(const struct ring *ring, uint64_t n)
{
	struct avring_entry entry;

	tap_check(ring_entry(ring, n, &entry), "entry %llu: expected intact",
		  (unsigned long long)n);
	tap_eq(FRAME_BYTES, entry.length);
	tap_eq(n, entry.sequence);
	return ring_bytes(ring, &entry);
}

static void read_frames(struct shared *shared, unsigned int who)
{
	struct ring ring = ring_reader(AVRING_STREAM_VIDEO);
	uint64_t n;

	tap_eq(0, ring.at.next);
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_RELEASE);
	for (n = 0; n < FRAMES; n++) {
		must(ring_wait(&ring, n, 1, AVRING_WAIT_FOREVER));
		content_expect("frame", entry_bytes(&ring, n), FRAME_BYTES, n, 0);
		tap_check(ring_tail(&ring) <= n, "frame %llu: expected intact after use",
			  (unsigned long long)n);
		shared->next[who] = n + 1;
	}
	ring_close(&ring);
}

static uint64_t slowest(const struct shared *shared)
{
	uint64_t least = shared->next[0];
	unsigned int i;

	for (i = 1; i < READERS; i++)
		if (shared->next[i] < least)
			least = shared->next[i];
	return least;
}

/* The producer gives them time: four frames fit, and he writes one of them. */
static void test_same_bytes(void)
{
	struct shared *shared = ring_shared(sizeof(*shared));
	struct ring ring = chunk_producer(fixture_huge);
	pid_t children[READERS];
	uint64_t n;

	start_readers(shared, children, read_frames);
	for (n = 0; n < FRAMES; n++) {
		while (n - slowest(shared) > 2)
			usleep(200);
		tap_eq(n, ring_send(&ring, n, FRAME_BYTES));
	}
	join_readers(children);
	ring_close(&ring);
}

/* What is written after COMMIT is seen as well: there is no copy anywhere. */
static void test_late_scribble_is_seen(void)
{
	struct ring producer = chunk_producer(fixture_huge), reader;
	struct avring_entry entry;

	reader = ring_reader(AVRING_STREAM_VIDEO);
	ring_send(&producer, 7, FRAME_BYTES);
	tap_check(ring_entry(&reader, 0, &entry), "entry: expected intact");
	content_expect("frame", ring_bytes(&reader, &entry), FRAME_BYTES, 7, 0);
	producer.data[entry.position % LENGTH] ^= 0xff;
	tap_eq(producer.data[entry.position % LENGTH],
	       *(const volatile uint8_t *)ring_bytes(&reader, &entry));
	ring_close(&reader);
	ring_close(&producer);
}

/* A ring of 1.5 frames more than two: the third frame lies across the wrap. */
static void test_in_place_across_the_wrap(void)
{
	const uint64_t length = 5 * CHUNK_BYTES / 2 + PAGE_BYTES;
	struct ring producer, reader;
	struct avring_entry entry;
	unsigned int wrapped = 0;
	uint64_t n;

	must(ring_setup(AVRING_STREAM_VIDEO, length, 0));
	producer = ring_producer(CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT);
	reader = ring_reader(AVRING_STREAM_VIDEO);
	for (n = 0; n < 12; n++) {
		ring_send(&producer, n, FRAME_BYTES);
		tap_check(ring_entry(&reader, n, &entry), "entry: expected intact");
		wrapped += entry.position % producer.at.length + FRAME_BYTES > producer.at.length;
		content_expect("frame", ring_bytes(&reader, &entry), FRAME_BYTES, n, 0);
	}
	tap_check(wrapped >= 3, "frames across the wrap: expected some, got %u", wrapped);
	ring_close(&reader);
	ring_close(&producer);
}

/* BEGIN gives up what it overlaps before the producer can write a byte of it. */
static void test_begin_gives_up(void)
{
	struct avring_begin begin = { .length = FRAME_BYTES };
	struct ring producer = chunk_producer(fixture_huge), reader;
	uint64_t n;

	reader = ring_reader(AVRING_STREAM_VIDEO);
	for (n = 0; n < 4; n++)
		ring_send(&producer, n, FRAME_BYTES);
	tap_eq(0, ring_tail(&reader));
	tap_eq(0, __atomic_load_n(&reader.control->tail, __ATOMIC_RELAXED));
	must(ring_call(&producer, AVRING_IOC_BEGIN, &begin));
	tap_eq(1, ring_tail(&reader));
	tap_eq(FRAME_BYTES, __atomic_load_n(&reader.control->tail, __ATOMIC_RELAXED));
	tap_eq(4 * FRAME_BYTES, begin.position);
	content_expect("frame 1", entry_bytes(&reader, 1), FRAME_BYTES, 1, 0);
	content_expect("frame 3", entry_bytes(&reader, 3), FRAME_BYTES, 3, 0);
	ring_close(&reader);
	ring_close(&producer);
}

/*
 * The capture node shows what the producer writes, copied once. At one frame a second a busy
 * machine may stop this test for seconds before the node takes the producer for lost and fills
 * all buffers with what it draws then.
 */
static void test_capture_node(void)
{
	struct ring producer;
	struct v4l2_buffer buffer;
	struct video video;
	struct card card;
	uint64_t n;

	must(card_find(0, &card));
	must(ring_setup(AVRING_STREAM_VIDEO, LENGTH, 0));
	ring_input(CARD_INPUT_LOOPBACK);
	must(ring_open(&producer, 0));
	must(ring_produce_at(&producer, CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT, 1));
	must(ring_map(&producer));
	must(video_begin(&video, card.capture, CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT, 4));
	must(video_queue_all(&video));
	must(video_start(&video));
	for (n = 0; n < 30; n++) {
		ring_send(&producer, n, FRAME_BYTES);
		do {
			must(video_dequeue(&video, &buffer));
			must(video_queue(&video, buffer.index));
		} while (content_differs(video.buffers[buffer.index].start, FRAME_BYTES, n, 0) <
			 FRAME_BYTES);
	}
	video_close(&video);
	ring_close(&producer);
}

#define BOTH(words, test) \
	{ .claim = words " (2 MiB chunks)", .run_with = test, .arg = &fixture_huge }, \
	{ \
		.claim = words " (single pages)", .run_with = test, .arg = &fixture_single \
	}

static const struct tap_test tests[] = {
	BOTH("producer and three processes map the same pages, each twice", test_same_pages),
	{ "each chunk is freed with the ring, but for one that a pipe holds",
	  .run = test_references },
	{ .claim = "300 frames written in place arrive in three processes as they are",
	  .run = test_same_bytes,
	  .deadline_s = 300 },
	{ "what the producer changes after COMMIT is seen: nothing was copied",
	  .run = test_late_scribble_is_seen },
	{ "frames are written in place across the wrap", .run = test_in_place_across_the_wrap },
	{ "BEGIN moves the tail before the producer can write", .run = test_begin_gives_up },
	{ "the capture node shows every frame of the producer", .run = test_capture_node },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
