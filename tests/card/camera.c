// SPDX-License-Identifier: MIT
/*
 * camera: the pictures of the first PCI card, and whether they are right. See camera.h.
 */
#include <endian.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "camera.h"
#include "module.h"
#include "remote.h"

#define CAMERA_NS INT64_C(1000000000)
/* How far from the card's grid a time may be, and how fast that may grow. */
#define CAMERA_OFF_NS 1000000
#define CAMERA_PPM 500
#define CAMERA_TIMEOUT_MS 10000

const struct camera_mode camera_small = { .pix = CAMERA_SMALL, .rate = { 30, 1 } };
const struct camera_mode camera_words = { .pix = CAMERA_SMALL,
					  .rate = { 30, 1 },
					  .pattern = CAMERA_WORDS };

/* ---------------------------------------------------------------- the node */

void camera_path(char *path, size_t size)
{
	char link[64], target[PATH_MAX];
	struct node node;
	ssize_t n;

	node_find(&node);
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u", node.info.capture.major,
		 node.info.capture.minor);
	n = must(sys(readlink(link, target, sizeof(target) - 1)));
	target[n] = '\0';
	snprintf(path, size, "/dev/%.20s", basename(target));
}

static void camera_tune(struct video *video, const struct camera_mode *mode)
{
	must(video_set_input(video, mode->input));
	must(video_set_format(video, mode->pix.pixelformat, mode->pix.width, mode->pix.height));
	must(video_set_rate(video, mode->rate.numerator, mode->rate.denominator));
	must(video_set_control(video, V4L2_CID_TEST_PATTERN, mode->pattern));
}

void camera_open(struct flow *flow, const struct camera_mode *mode)
{
	char path[32];

	memset(flow, 0, sizeof(*flow));
	camera_path(path, sizeof(path));
	must(video_open(&flow->video, path));
	camera_tune(&flow->video, mode);
}

void camera_start(struct flow *flow, const struct camera_mode *mode, enum flow_io io,
		  unsigned int buffers)
{
	char path[32];

	camera_open(flow, mode);
	camera_path(path, sizeof(path));
	must(flow_allocate(flow, io, buffers, path));
	must(flow_start(flow));
}

void camera_end(struct flow *flow)
{
	must(flow_stop(flow));
	must(flow_free(flow));
	flow_close(flow);
}

void camera_set(const struct camera_mode *mode)
{
	struct flow flow;

	camera_open(&flow, mode);
	flow_close(&flow);
}

int64_t camera_counter(struct flow *flow, uint32_t id)
{
	int64_t value;

	must(video_get_control(&flow->video, id, &value));
	return value;
}

/* ---------------------------------------------------------------- a frame */

/**
 * struct camera_shot - a frame, however it came
 * @data: its bytes
 * @bytes: how many
 * @whole: how many a whole frame has
 * @damaged: it says that it is not whole
 * @sequence: V4L2's or the ring's
 * @time_ns: CLOCK_MONOTONIC; 0: nobody said
 */
struct camera_shot {
	const uint8_t *data;
	size_t bytes, whole;
	bool damaged;
	uint32_t sequence;
	uint64_t time_ns;
};

static uint64_t camera_event_ns(struct v4l2_fract rate, uint64_t event)
{
	return (unsigned __int128)event * rate.denominator * CAMERA_NS / rate.numerator;
}

/* The time that V4L2 tells is the card's, on another clock. */
static int camera_check_time(struct camera_watch *watch, uint64_t card_ns, uint64_t time_ns)
{
	int64_t off, limit;

	if (!watch->seen) {
		watch->card_ns = card_ns;
		watch->offset_ns = time_ns - card_ns;
	}
	off = llabs((int64_t)(time_ns - card_ns) - watch->offset_ns);
	limit = CAMERA_OFF_NS + (int64_t)(card_ns - watch->card_ns) / 1000000 * CAMERA_PPM;
	if (off > watch->off_ns)
		watch->off_ns = off;
	return off > limit || (watch->seen && time_ns <= watch->time_ns) ? -ERANGE : 0;
}

/* A frame that is short has lost its end; its stamp is there. */
static int camera_check_stamp(const struct camera_shot *shot, struct camera_watch *watch)
{
	struct avring_frame_stamp stamp;
	uint64_t event;
	int error = frame_check(shot->data, shot->bytes, &stamp);

	if (error && !(shot->damaged && error == -EBADMSG))
		return error;
	event = le64toh(stamp.frame);
	if (le32toh(stamp.sequence) != (uint32_t)event ||
	    le64toh(stamp.time_ns) != camera_event_ns(watch->mode->rate, event))
		return -EPROTO;
	if (!watch->seen)
		watch->first = event - shot->sequence;
	if (event - watch->first != shot->sequence)
		return -ECHRNG;
	return shot->time_ns ? camera_check_time(watch, le64toh(stamp.time_ns), shot->time_ns) : 0;
}

static int camera_check_words(const struct camera_shot *shot, struct camera_watch *watch)
{
	const uint64_t *words = (const uint64_t *)shot->data;
	const uint64_t first = le64toh(words[0]);
	uint32_t ahead;
	size_t i;

	for (i = 0; i < shot->bytes / 8; i++)
		if (le64toh(words[i]) != first + i)
			return -EBADMSG;
	if ((uint32_t)first)
		return -EILSEQ;
	ahead = (first >> 32) - shot->sequence;
	watch->restarts += watch->seen && ahead != watch->ahead;
	watch->ahead = ahead;
	return 0;
}

/* 0; -EBADMSG wrong bytes, -EILSEQ no frame, -ECHRNG wrong number, -ERANGE wrong time. */
static int camera_check(const struct camera_shot *shot, struct camera_watch *watch)
{
	if (shot->damaged ? shot->bytes >= shot->whole : shot->bytes != shot->whole)
		return -EMSGSIZE;
	if (watch->seen && shot->sequence <= watch->sequence)
		return -ECHRNG;
	if (watch->mode->pattern == CAMERA_WORDS)
		return camera_check_words(shot, watch);
	return camera_check_stamp(shot, watch);
}

static void camera_note(const struct camera_shot *shot, struct camera_watch *watch)
{
	if (watch->seen)
		watch->missing += shot->sequence - watch->sequence - 1;
	watch->seen++;
	watch->damaged += shot->damaged;
	watch->sequence = shot->sequence;
	watch->time_ns = shot->time_ns;
}

static void camera_judge(const struct camera_shot *shot, struct camera_watch *watch, int error)
{
	tap_check(!error,
		  "frame %u after %llu: expected a right one, got %s; %zu of %zu bytes, first word %#llx, off by %lld ns",
		  shot->sequence, (unsigned long long)watch->seen, strerrorname_np(-error),
		  shot->bytes, shot->whole, *(const unsigned long long *)shot->data,
		  (long long)watch->off_ns);
	camera_note(shot, watch);
}

/* ---------------------------------------------------------------- through V4L2 */

/* read() tells nothing but the bytes: its sequence is that of the stamp. */
static uint32_t camera_number(const struct camera_watch *watch, const struct flow_frame *frame)
{
	const struct avring_frame_stamp *stamp = (const void *)frame->data;

	return watch->seen ? le64toh(stamp->frame) - watch->first : 0;
}

void camera_expect(const struct flow *flow, const struct flow_frame *frame,
		   struct camera_watch *watch)
{
	const struct v4l2_buffer *buffer = &frame->buffer;
	const struct camera_shot shot = {
		.data = frame->data,
		.bytes = frame->bytes,
		.whole = flow->video.pix.sizeimage,
		.damaged = buffer->flags & V4L2_BUF_FLAG_ERROR,
		.sequence = flow->io == FLOW_READ ? camera_number(watch, frame) : buffer->sequence,
		.time_ns = frame->time_us * 1000,
	};

	if (flow->io != FLOW_READ) {
		tap_eq(V4L2_FIELD_NONE, buffer->field);
		tap_eq(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
		       buffer->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK);
	}
	camera_judge(&shot, watch, camera_check(&shot, watch));
}

static void camera_take_frame(struct flow *flow, struct camera_watch *watch)
{
	struct flow_frame frame;

	must(flow_take(flow, &frame, CAMERA_TIMEOUT_MS));
	camera_expect(flow, &frame, watch);
	must(flow_give(flow, &frame));
}

void camera_take(struct flow *flow, struct camera_watch *watch, unsigned int frames)
{
	while (frames--)
		camera_take_frame(flow, watch);
}

void camera_take_until(struct flow *flow, struct camera_watch *watch,
		       bool (*enough)(const struct camera_watch *watch))
{
	uint64_t end = in_ms(20000);

	while (!enough(watch)) {
		tap_check(now_ns() < end,
			  "in 20 s: %llu frames seen, %llu missing, %llu damaged: expected more",
			  (unsigned long long)watch->seen, (unsigned long long)watch->missing,
			  (unsigned long long)watch->damaged);
		camera_take_frame(flow, watch);
	}
}

/* ---------------------------------------------------------------- through the ring */

static void camera_ring_node(struct ring *ring)
{
	struct node node;

	node_find(&node);
	must(ring_open(ring, node.info.card));
}

void camera_drain(struct flow *flow, struct camera_watch *watch)
{
	struct flow_frame frame;
	unsigned int i;

	for (i = 0; i < flow->count; i++) {
		must(flow_take(flow, &frame, 10000));
		camera_expect(flow, &frame, watch);
	}
	tap_eq(watch->missing, camera_counter(flow, V4L2_CID_AVRING_FRAMES_DROPPED));
	tap_eq(watch->damaged, camera_counter(flow, V4L2_CID_AVRING_FRAMES_DAMAGED));
}

struct ring camera_ring(void)
{
	struct ring ring;

	camera_ring_node(&ring);
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	return ring;
}

void camera_setup(uint64_t length, uint32_t align)
{
	must(ring_setup(AVRING_STREAM_VIDEO, length, align));
}

/* What is called wrong must still be there after it was looked at. */
bool camera_look(const struct ring *ring, uint64_t n, struct camera_watch *watch)
{
	struct camera_watch before = *watch;
	struct avring_entry entry;
	struct camera_shot shot;
	int error;

	if (!ring_entry(ring, n, &entry))
		return false;
	shot = (struct camera_shot){
		.data = ring_bytes(ring, &entry),
		.bytes = entry.length,
		.whole = ring->at.format.video.sizeimage,
		.damaged = entry.flags & AVRING_ENTRY_DAMAGED,
		.sequence = entry.sequence,
		.time_ns = entry.time_ns,
	};
	error = camera_check(&shot, watch);
	if (ring_tail(ring) > n) {
		*watch = before;
		return false;
	}
	camera_judge(&shot, watch, error);
	return true;
}

uint64_t camera_look_many(const struct ring *ring, uint64_t n, unsigned int frames,
			  struct camera_watch *watch)
{
	while (frames--) {
		ring_wait_head(ring, n + 1);
		tap_check(camera_look(ring, n, watch), "entry %llu: expected intact, was overtaken",
			  (unsigned long long)n);
		n++;
	}
	return n;
}

uint64_t camera_follow(const struct ring *ring, uint64_t n, unsigned int frames,
		       struct camera_watch *watch)
{
	while (frames) {
		ring_wait_head(ring, n + 1);
		if (camera_look(ring, n, watch)) {
			frames--;
			n++;
		} else {
			n = ring_tail(ring);
		}
	}
	return n;
}

/**
 * struct camera_balance - what the card has written, and what is in the ring
 * @ring: the ring
 * @before: pictures that the card had written when its first frame began
 * @written: since then
 * @published: entries
 * @refused: pictures that are rightly no entries
 */
struct camera_balance {
	const struct ring *ring;
	long before;
	uint64_t written, published, refused;
};

static bool camera_is_balanced(void *arg)
{
	struct camera_balance *balance = arg;

	balance->written = remote_get("video-frames") - balance->before;
	balance->published = ring_head(balance->ring) - balance->ring->at.next;
	return balance->written == balance->published + balance->refused;
}

void camera_expect_published(const struct ring *ring, long written, uint64_t refused)
{
	struct camera_balance balance = { .ring = ring, .before = written, .refused = refused };

	remote_flag("stall-dma", true);
	tap_check(tap_eventually(camera_is_balanced, &balance, 5),
		  "%llu written, %llu refused: expected the others in the ring, got %llu",
		  (unsigned long long)balance.written, (unsigned long long)refused,
		  (unsigned long long)balance.published);
}

/* ---------------------------------------------------------------- around a test */

static void camera_restore(void)
{
	remote_restore();
	node_restore();
	if (node_missing())
		remote_replace();
}

int camera_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests,
					 .n_tests = n_tests,
					 .missing = node_missing,
					 .residue = card_live_stores,
					 .after = camera_restore };

	module_remember();
	remote_prepare();
	return tap_main(&suite, argc, argv);
}
