// SPDX-License-Identifier: MIT
/*
 * generation: what begins a new ring, what becomes of the old one, and that no frame
 * is lost on the way; the capture node beside it; and that nobody attached costs
 * nothing.
 */
#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../stream/producer.h"
#include "content.h"
#include "ring.h"

static struct ring small_reader(void)
{
	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 0, 0));
	return ring_reader(AVRING_STREAM_VIDEO);
}

static void reattach(struct ring *ring)
{
	ring_unmap(ring);
	must(ring_read(ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(ring));
}

/* Entry @n, which is there. */
static struct avring_entry entry_at(const struct ring *ring, uint64_t n)
{
	struct avring_entry entry;

	tap_check(n < ring_head(ring), "entry %llu: expected published, got head %llu",
		  (unsigned long long)n, (unsigned long long)ring_head(ring));
	tap_check(ring_entry(ring, n, &entry), "entry %llu: expected intact, got overtaken",
		  (unsigned long long)n);
	return entry;
}

static struct avring_entry last_entry(const struct ring *ring)
{
	return entry_at(ring, ring_head(ring) - 1);
}

static short polled(const struct ring *ring)
{
	struct pollfd ready = { .fd = ring->fd, .events = POLLPRI };

	must(sys(poll(&ready, 1, 0)));
	return ready.revents;
}

static void expect_stale(const struct ring *ring)
{
	struct avring_wait wait = { .entries = 1, .deadline_ns = AVRING_WAIT_FOREVER };

	tap_eq(AVRING_STATE_STALE, ring_state(ring));
	tap_eq(POLLPRI, polled(ring));
	wait.next = ring_head(ring);
	must(ring_call(ring, AVRING_IOC_WAIT, &wait));
	tap_eq(AVRING_STATE_STALE, wait.state);
	tap_eq(ring_head(ring), wait.head_entry);
}

static void expect_current(const struct ring *ring)
{
	tap_eq(0, ring_state(ring));
	tap_eq(0, polled(ring));
	tap_eq(ring->at.generation, ring->control->generation);
}

/* Every frame that the ring still has is as it was drawn. */
static void expect_intact(const struct ring *ring)
{
	uint64_t n, head = ring_head(ring);
	struct avring_entry entry;

	for (n = ring_tail(ring); n < head; n++) {
		entry = entry_at(ring, n);
		ring_expect_stamped(ring, &entry);
	}
}

/* From the last frame of the old ring to the first of the new nothing is missing. */
static void expect_continued(const struct avring_entry *last, const struct ring *ring)
{
	struct avring_entry first;

	ring_wait_head(ring, ring->at.next + 1);
	first = entry_at(ring, ring->at.next);
	tap_eq(last->sequence + 1, first.sequence);
	tap_check(first.time_ns > last->time_ns, "time: expected later, got %lld ns",
		  (long long)(first.time_ns - last->time_ns));
}

static void test_format_change(void)
{
	struct ring ring = small_reader(), beside;
	struct avring_entry last;
	uint32_t generation = ring.at.generation;
	uint64_t head;

	ring_wait_head(&ring, 150);
	expect_current(&ring);
	ring_picture(V4L2_PIX_FMT_YUYV, 320, 240, SMALL_FPS);
	expect_stale(&ring);
	last = last_entry(&ring);
	head = ring_head(&ring);
	beside = ring_reader(AVRING_STREAM_VIDEO);
	ring_wait_head(&beside, 20);
	tap_eq(head, ring_head(&ring));
	expect_intact(&ring);
	reattach(&ring);
	expect_current(&ring);
	tap_check(ring.at.generation > generation, "generation: expected more than %u, got %u",
		  generation, ring.at.generation);
	tap_eq(V4L2_PIX_FMT_YUYV, ring.at.format.video.pixelformat);
	tap_eq(320 * 240 * 2, ring.at.frame_bytes);
	tap_eq(0, ring.at.next);
	expect_continued(&last, &ring);
	expect_intact(&ring);
	ring_close(&beside);
	ring_close(&ring);
}

static void test_rate_change(void)
{
	struct ring ring = small_reader();
	struct avring_entry last;

	ring_wait_head(&ring, 10);
	ring_picture(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 30);
	expect_stale(&ring);
	last = last_entry(&ring);
	reattach(&ring);
	tap_eq(30, ring.at.format.video.rate_num);
	expect_continued(&last, &ring);
	ring_close(&ring);
}

static void test_same_format(void)
{
	struct ring ring = small_reader();

	ring_wait_head(&ring, 10);
	ring_small_picture();
	expect_current(&ring);
	ring_wait_head(&ring, ring_head(&ring) + 10);
	ring_close(&ring);
}

/* Whoever has not moved yet can still read what he had, also after close. */
static void test_old_ring_lives_on(void)
{
	struct ring ring = small_reader();
	const struct avring_control *control = ring.control;
	const uint8_t *data = ring.data;
	uint64_t *copy = malloc(ring.at.length);

	ring_wait_head(&ring, 150);
	ring_picture(V4L2_PIX_FMT_YUYV, 320, 240, SMALL_FPS);
	memcpy(copy, data, ring.at.length);
	ring.control = NULL;
	ring.data = NULL;
	reattach(&ring);
	ring_wait_head(&ring, 20);
	tap_eq(AVRING_STATE_STALE, control->state);
	tap_check(!memcmp(copy, data, CHUNK_BYTES), "old ring: expected as it was");
	ring_close(&ring);
	tap_check(!memcmp(copy, data, CHUNK_BYTES), "old ring: expected as it was, after close");
	munmap((void *)control, PAGE_BYTES);
	munmap((void *)data, 2 * CHUNK_BYTES);
	free(copy);
}

/* Formats change under a reader who follows: every frame of all rings arrives. */
static void test_many_changes(void)
{
	struct ring ring = small_reader();
	struct avring_entry entry, last = { 0 };
	unsigned int change;
	uint64_t n;

	for (change = 0; change < 40; change++) {
		ring_wait_head(&ring, ring.at.next + 1 + change % 5);
		if (change % 2)
			ring_small_picture();
		else
			ring_picture(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT + 2, SMALL_FPS);
		expect_stale(&ring);
		for (n = ring.at.next; n < ring_head(&ring); n++) {
			entry = entry_at(&ring, n);
			ring_expect_stamped(&ring, &entry);
			tap_eq(last.count ? last.sequence + 1 : 0, entry.sequence);
			last = entry;
		}
		reattach(&ring);
		tap_eq(0, ring.at.next);
	}
	ring_close(&ring);
}

static void test_producer_comes_and_goes(void)
{
	struct ring reader, producer;
	struct avring_entry last;

	ring_small_picture();
	ring_input(CARD_INPUT_LOOPBACK);
	reader = ring_reader(AVRING_STREAM_VIDEO);
	ring_wait_head(&reader, 5);
	last = last_entry(&reader);
	tap_eq(AVRING_ENTRY_NO_SIGNAL, last.flags);
	producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	expect_stale(&reader);
	last = last_entry(&reader);
	reattach(&reader);
	tap_eq(producer.at.generation, reader.at.generation);
	ring_send(&producer, 1, SMALL_BYTES);
	expect_continued(&last, &reader);
	tap_eq(0, last_entry(&reader).flags);
	ring_send(&producer, 2, SMALL_BYTES);
	last = last_entry(&reader);
	must(ring_call(&producer, AVRING_IOC_DETACH, NULL));
	expect_stale(&reader);
	reattach(&reader);
	expect_continued(&last, &reader);
	tap_eq(AVRING_ENTRY_NO_SIGNAL, entry_at(&reader, reader.at.next).flags);
	ring_close(&producer);
	ring_close(&reader);
}

static void test_input_change(void)
{
	struct ring ring = small_reader();
	struct avring_entry last;
	uint64_t n;

	ring_wait_head(&ring, 5);
	ring_input(CARD_INPUT_LOOPBACK);
	n = ring_head(&ring);
	ring_wait_head(&ring, n + 5);
	expect_current(&ring);
	last = last_entry(&ring);
	tap_eq(AVRING_ENTRY_NO_SIGNAL, last.flags);
	ring_input(CARD_INPUT_PATTERN);
	ring_wait_head(&ring, ring_head(&ring) + 5);
	expect_current(&ring);
	last = last_entry(&ring);
	tap_eq(0, last.flags);
	ring_expect_stamped(&ring, &last);
	ring_close(&ring);
}

/* Frames of the output node reach the ring, one by one. */
static void test_output_node(void)
{
	struct v4l2_buffer buffer;
	struct video output;
	struct ring ring;
	struct card card;
	struct avring_entry entry;
	uint64_t n, first;

	must(card_find(0, &card));
	ring_picture(CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT, 30);
	must(ring_setup(AVRING_STREAM_VIDEO, 64 * CHUNK_BYTES, 0));
	ring_input(CARD_INPUT_LOOPBACK);
	must(video_begin(&output, card.output, CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT, 4));
	for (n = 0; n < 4; n++)
		content_fill(output.buffers[n].start, CHUNK_BYTES, n);
	must(video_queue_all(&output));
	must(video_start(&output));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	for (n = 0; n < 20; n++) {
		must(video_dequeue(&output, &buffer));
		must(video_queue(&output, buffer.index));
	}
	ring_wait_head(&ring, ring.at.next + 16);
	first = content_differs(ring.data, CHUNK_BYTES, 0, 0) == CHUNK_BYTES ? 0 : 1;
	while (first < 4 && content_differs(ring.data, CHUNK_BYTES, first, 0) < CHUNK_BYTES)
		first++;
	for (n = 0; n < 16; n++) {
		entry = entry_at(&ring, n);
		tap_eq(0, entry.flags);
		tap_eq(n, entry.sequence - entry_at(&ring, 0).sequence);
		content_expect("frame", ring_bytes(&ring, &entry), CHUNK_BYTES, (first + n) % 4, 0);
	}
	video_close(&output);
	ring_close(&ring);
}

/* The producer decides the format of the loopback input: readers follow him. */
static void test_output_node_decides(void)
{
	struct video output;
	struct ring ring;
	struct card card;

	must(card_find(0, &card));
	ring_small_picture();
	ring_input(CARD_INPUT_LOOPBACK);
	ring = ring_reader(AVRING_STREAM_VIDEO);
	ring_wait_head(&ring, 2);
	must(video_begin(&output, card.output, CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT, 4));
	content_fill(output.buffers[0].start, CHUNK_BYTES, 9);
	expect_current(&ring);
	must(video_queue(&output, 0));
	must(video_start(&output));
	expect_stale(&ring);
	reattach(&ring);
	tap_eq(CHUNK_FOURCC, ring.at.format.video.pixelformat);
	tap_eq(CHUNK_WIDTH, ring.at.format.video.width);
	do
		ring_wait_head(&ring, ring_head(&ring) + 1);
	while (last_entry(&ring).flags & AVRING_ENTRY_NO_SIGNAL);
	content_expect("frame", ring.data + last_entry(&ring).position % ring.at.length,
		       CHUNK_BYTES, 9, 0);
	video_close(&output);
	ring_close(&ring);
}

/* What G_FMT and G_PARM say is what the next one gets, whatever was sent to those before. */
static void test_format_goes_with_its_users(void)
{
	struct ring producer, reader;

	ring_small_picture();
	ring_input(CARD_INPUT_LOOPBACK);
	reader = ring_reader(AVRING_STREAM_VIDEO);
	producer = ring_producer(CHUNK_FOURCC, CHUNK_WIDTH, CHUNK_HEIGHT);
	reattach(&reader);
	tap_eq(CHUNK_WIDTH, reader.at.format.video.width);
	ring_close(&producer);
	ring_close(&reader);
	reader = ring_reader(AVRING_STREAM_VIDEO);
	tap_eq(SMALL_FOURCC, reader.at.format.video.pixelformat);
	tap_eq(SMALL_WIDTH, reader.at.format.video.width);
	tap_eq(SMALL_HEIGHT, reader.at.format.video.height);
	tap_eq(SMALL_FPS, reader.at.format.video.rate_num);
	ring_close(&reader);
}

/* The film has 15 frames a second, the node takes 30. A ring begins between two of them. */
static void test_first_pictures(void)
{
	static const struct v4l2_pix_format pix = { .pixelformat = SMALL_FOURCC,
						    .width = SMALL_WIDTH,
						    .height = SMALL_HEIGHT };
	static const struct v4l2_fract rate = { 30, 1 };
	struct ring ring;
	unsigned int i;
	pid_t film;

	ring_small_picture();
	ring_input(CARD_INPUT_LOOPBACK);
	film = producer_start(&pix, &rate, 1, 1000000 / 15);
	for (i = 0; i < 10; i++) {
		ring = ring_reader(AVRING_STREAM_VIDEO);
		ring_wait_head(&ring, 2);
		tap_eq(0, entry_at(&ring, 0).flags);
		tap_eq(0, entry_at(&ring, 1).flags);
		ring_close(&ring);
		usleep(7000);
	}
	producer_kill(film);
}

/* The node starts between two pictures of a producer of the ring. */
static void test_first_picture_of_node(void)
{
	struct v4l2_buffer buffer;
	struct video video;
	struct ring producer;
	struct card card;

	must(card_find(0, &card));
	ring_small_picture();
	ring_input(CARD_INPUT_LOOPBACK);
	producer = ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	must(video_begin(&video, card.capture, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 4));
	must(video_queue_all(&video));
	ring_send(&producer, 1, SMALL_BYTES);
	must(video_start(&video));
	usleep(100000);
	ring_send(&producer, 2, SMALL_BYTES);
	must(video_dequeue(&video, &buffer));
	content_expect("the first frame", video.buffers[buffer.index].start, SMALL_BYTES, 2, 0);
	video_close(&video);
	ring_close(&producer);
}

/**
 * struct node - the capture node, streaming beside the ring
 * @video: the node
 * @taken: frames
 * @last: sequence of the last
 */
struct node {
	struct video video;
	unsigned int taken;
	uint32_t last;
};

static void node_start(struct node *node)
{
	struct card card;

	must(card_find(0, &card));
	memset(node, 0, sizeof(*node));
	must(video_begin(&node->video, card.capture, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 8));
	must(video_set_rate(&node->video, SMALL_FPS, 1));
	must(video_queue_all(&node->video));
	must(video_start(&node->video));
}

/* The entry of the ring with this time; the ring is longer than the test. */
static bool find_entry(const struct ring *ring, uint64_t time_ns, struct avring_entry *entry)
{
	uint64_t n;

	for (n = ring_head(ring); n-- > ring_tail(ring);) {
		*entry = entry_at(ring, n);
		if (entry->time_ns == time_ns)
			return true;
	}
	return false;
}

/* The picture is the ring's; the stamp of each tells the sequence of its own. */
static void expect_same_picture(const struct ring *ring, const uint8_t *frame,
				const struct avring_frame_stamp *stamp)
{
	struct avring_entry entry;

	tap_check(find_entry(ring, le64toh(stamp->time_ns), &entry),
		  "time %llu: expected in the ring, too", (unsigned long long)stamp->time_ns);
	ring_expect_stamped(ring, &entry);
	tap_eq(entry.event, le64toh(stamp->frame));
	tap_check(!memcmp(frame + sizeof(*stamp), ring_bytes(ring, &entry) + sizeof(*stamp),
			  entry.length - sizeof(*stamp)),
		  "picture of event %llu: expected that of the ring, got another",
		  (unsigned long long)entry.event);
}

static void node_take(struct node *node, const struct ring *ring)
{
	struct avring_frame_stamp stamp;
	struct v4l2_buffer buffer;
	const uint8_t *frame;

	must(video_dequeue(&node->video, &buffer));
	frame = node->video.buffers[buffer.index].start;
	tap_eq(node->taken ? node->last + 1 : 0, buffer.sequence);
	must(frame_check(frame, SMALL_BYTES, &stamp));
	tap_eq(buffer.sequence, le32toh(stamp.sequence));
	tap_eq(le64toh(stamp.time_ns) / 1000,
	       buffer.timestamp.tv_sec * UINT64_C(1000000) + buffer.timestamp.tv_usec);
	expect_same_picture(ring, frame, &stamp);
	node->last = buffer.sequence;
	node->taken++;
	must(video_queue(&node->video, buffer.index));
}

static void node_take_many(struct node *node, const struct ring *ring, unsigned int frames)
{
	while (frames--)
		node_take(node, ring);
}

static void test_node_beside_ring(void)
{
	struct ring ring;
	struct node node;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 400 * SMALL_STRIDE, 0));
	ring = ring_reader(AVRING_STREAM_VIDEO);
	ring_wait_head(&ring, 10);
	node_start(&node);
	node_take_many(&node, &ring, 300);
	expect_current(&ring);
	video_close(&node.video);
	ring_wait_head(&ring, ring_head(&ring) + 10);
	expect_current(&ring);
	ring_close(&ring);
}

/* Takes the frames that are older than the ring, unseen. */
static void node_skip_to(struct node *node, uint64_t first_ns)
{
	struct avring_frame_stamp stamp;
	struct v4l2_buffer buffer;

	do {
		must(video_dequeue(&node->video, &buffer));
		must(frame_check(node->video.buffers[buffer.index].start, SMALL_BYTES, &stamp));
		must(video_queue(&node->video, buffer.index));
		node->last = buffer.sequence;
		node->taken++;
	} while (le64toh(stamp.time_ns) < first_ns);
}

/* The other order: the node streams already, and the ring takes its format. */
static void test_ring_beside_node(void)
{
	struct ring ring;
	struct node node;

	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 400 * SMALL_STRIDE, 0));
	node_start(&node);
	node_skip_to(&node, now_ns());
	ring = ring_reader(AVRING_STREAM_VIDEO);
	tap_eq(SMALL_FOURCC, ring.at.format.video.pixelformat);
	ring_wait_head(&ring, 1);
	node_skip_to(&node, entry_at(&ring, 0).time_ns);
	node_take_many(&node, &ring, 100);
	ring_close(&ring);
	node_skip_to(&node, now_ns());
	video_close(&node.video);
}

/* A reader of the ring and its losses are nothing to the node, nor the other way. */
static void test_late_node(void)
{
	struct ring ring = small_reader();
	struct node node;
	struct avring_entry entry;
	uint64_t n;

	node_start(&node);
	for (n = 0; n < 60; n++) {
		ring_wait_head(&ring, n + 1);
		entry = entry_at(&ring, n);
		ring_expect_stamped(&ring, &entry);
		tap_eq(n, entry.sequence);
	}
	video_close(&node.video);
	ring_close(&ring);
}

static int set_format(struct node *node)
{
	return video_set_format(&node->video, V4L2_PIX_FMT_YUYV, 320, 240);
}

static void test_streaming_node_is_busy(void)
{
	struct ring ring = small_reader();
	struct node node;

	node_start(&node);
	must_refuse(EBUSY, set_format(&node));
	expect_current(&ring);
	video_close(&node.video);
	ring_close(&ring);
}

/* The card's thread; its name is that of the ring node. */
static int engine_thread(void)
{
	char path[64], line[64];
	int process, found = 0;
	FILE *file;

	for (process = 2; process < 32768 && !found; process++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", process);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(line, sizeof(line), file) && !strcmp(line, "avring0\n"))
			found = process;
		fclose(file);
	}
	tap_check(found, "thread avring0: expected to be there");
	return found;
}

/* How often it has gone to sleep: it runs, or it does not. */
static long engine_sleeps(void)
{
	char path[64], line[128];
	long sleeps = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", engine_thread());
	file = fopen(path, "re");
	tap_check(file, "%s: expected to open, got %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &sleeps) == 1)
			break;
	fclose(file);
	tap_check(sleeps >= 0, "%s: expected voluntary_ctxt_switches", path);
	return sleeps;
}

static void test_idle(void)
{
	struct ring ring = small_reader();
	long stores, sleeps;

	ring_wait_head(&ring, 10);
	must(card_parameter_get("live_stores", &stores));
	tap_eq(3, stores);
	sleeps = engine_sleeps();
	ring_wait_head(&ring, ring_head(&ring) + 30);
	tap_check(engine_sleeps() >= sleeps + 20, "engine: expected to run for its reader");
	ring_close(&ring);
	must(card_parameter_get("live_stores", &stores));
	tap_eq(0, stores);
	/* The kick of the detach, and what was due, may still be on its way. */
	usleep(50000);
	sleeps = engine_sleeps();
	usleep(1000000);
	tap_eq(sleeps, engine_sleeps());
}

/* The ring of who comes next is another one, and begins at its beginning. */
static void test_next_user(void)
{
	struct ring ring = small_reader();
	uint32_t generation = ring.at.generation;

	ring_wait_head(&ring, 10);
	ring_close(&ring);
	ring = ring_reader(AVRING_STREAM_VIDEO);
	tap_check(ring.at.generation > generation, "generation: expected more than %u, got %u",
		  generation, ring.at.generation);
	tap_eq(0, ring.at.next);
	ring_wait_head(&ring, 1);
	tap_eq(0, entry_at(&ring, 0).sequence);
	ring_close(&ring);
}

/* One reader goes, the other's ring goes on. */
static void test_one_of_two_goes(void)
{
	struct ring first = small_reader(), second = ring_reader(AVRING_STREAM_VIDEO);

	ring_wait_head(&first, 5);
	ring_close(&first);
	ring_wait_head(&second, ring_head(&second) + 10);
	expect_current(&second);
	ring_close(&second);
}

static const struct tap_test tests[] = {
	{ "S_FMT begins a generation: the old ring stops and stays, nothing is lost",
	  .run = test_format_change },
	{ "S_PARM begins a generation", .run = test_rate_change },
	{ "S_FMT and S_PARM to what is set already do not", .run = test_same_format },
	{ "an old ring stays as it was after ATTACH and close", .run = test_old_ring_lives_on },
	{ "40 changes of format: a reader who follows gets every frame", .run = test_many_changes },
	{ "a producer's coming and going begin generations, sequences go on",
	  .run = test_producer_comes_and_goes },
	{ "another input does not, and its frames are marked", .run = test_input_change },
	{ "frames of the output node come one by one", .run = test_output_node },
	{ "an output node of another format begins a generation", .run = test_output_node_decides },
	{ "the format of a producer goes with those who read it: the next ring is the node's",
	  .run = test_format_goes_with_its_users },
	{ "a ring beside a producer who writes has his pictures from the first on",
	  .run = test_first_pictures },
	{ "a node beside a producer of the ring has his pictures from the first on",
	  .run = test_first_picture_of_node },
	{ "the capture node gets 300 pictures of the ring", .run = test_node_beside_ring },
	{ "a ring beside a streaming node has the node's pictures", .run = test_ring_beside_node },
	{ "a node that takes nothing costs the ring nothing", .run = test_late_node },
	{ "S_FMT of a streaming node gives EBUSY and leaves the ring alone",
	  .run = test_streaming_node_is_busy },
	{ "with nobody attached there is no ring and no work", .run = test_idle },
	{ "the next user gets a new ring from its beginning", .run = test_next_user },
	{ "of two readers one goes and the other reads on", .run = test_one_of_two_goes },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
