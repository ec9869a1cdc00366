// SPDX-License-Identifier: MIT
/*
 * late: a producer, a reader of the ring and a late reader of the capture node. See late.h.
 */
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "late.h"

#define LATE_NS 1010000000ull
#define AT_ONCE_NS 10000000ull
#define MEMBER 1000
#define GROUP_AUDIO 29
#define GROUP_VIDEO 44

uint32_t late_number(const uint8_t *frame)
{
	uint32_t number;
	size_t i;

	memcpy(&number, frame, sizeof(number));
	if (number >= LATE_MOST)
		return 0;
	for (i = sizeof(number); i < LATE_BYTES; i++)
		if (frame[i] != (uint8_t)~number)
			return 0;
	return number;
}

/* ---------------------------------------------------------------- who may */

static void nodes_of(gid_t group, mode_t mode)
{
	struct card card;
	unsigned int i;

	if (card_find(0, &card))
		return;
	const char *const nodes[] = { "/dev/avring0", card.capture, card.output };

	for (i = 0; i < TAP_COUNT(nodes); i++)
		if (chown(nodes[i], 0, group) || chmod(nodes[i], mode))
			perror(nodes[i]);
}

void late_become_member(void)
{
	const gid_t groups[] = { GROUP_VIDEO, GROUP_AUDIO };

	nodes_of(GROUP_VIDEO, 0660);
	tap_become(MEMBER, groups, TAP_COUNT(groups));
}

/* Return: 0 or -errno; where the card has gone there is nothing to set. */
static int set_hold(int hold_ms)
{
	struct video output;
	struct card card;
	int error = card_find(0, &card);

	if (!error)
		error = video_open(&output, card.output);
	if (error)
		return error;
	error = video_set_control(&output, V4L2_CID_AVRING_READER_HOLD, hold_ms);
	video_close(&output);
	return error;
}

void late_restore(void)
{
	nodes_of(0, 0600);
	set_hold(0);
	ring_restore();
}

/* ---------------------------------------------------------------- the producer */

static void queue_next(struct late *late, unsigned int index)
{
	const uint32_t number = ++late->queued;
	uint8_t *frame = late->output.buffers[index].start;

	memset(frame, (uint8_t)~number, LATE_BYTES);
	memcpy(frame, &number, sizeof(number));
	must(video_queue(&late->output, index));
}

void late_returned(struct late *late)
{
	struct v4l2_buffer buffer;

	must(video_dequeue(&late->output, &buffer));
	late->returned++;
	queue_next(late, buffer.index);
}

void late_not_returned(struct late *late)
{
	struct pollfd writable = { .fd = late->output.fd, .events = POLLOUT };

	tap_check(!poll(&writable, 1, 0), "frame %u: expected its producer to wait", late->held);
}

/* One frame is gone before anybody looks: a producer who sends is shown at once. */
static void begin_producer(struct late *late)
{
	struct card card;
	unsigned int i;

	must(card_find(0, &card));
	must(video_begin(&late->output, card.output, LATE_PIX, 8));
	must(video_set_rate(&late->output, 30, 1));
	for (i = 0; i < late->output.n_buffers; i++)
		queue_next(late, i);
	must(video_start(&late->output));
	late_returned(late);
}

/* ---------------------------------------------------------------- the reader of the ring */

/* At its tick, its number the next one; the next tick, too, unless the producer had to wait. */
static void expect_published(struct late *late)
{
	struct avring_entry entry;
	uint64_t now = now_ns();

	tap_check(ring_entry(&late->ring, late->entry, &entry), "entry %llu: expected intact",
		  (long long)late->entry);
	tap_check(now - entry.time_ns < LATE_INTERVAL_NS,
		  "frame %u: expected in the ring at its tick, got it %llu us later",
		  late->seen + 1, (long long)(now - entry.time_ns) / 1000);
	tap_eq(late->seen + 1, late_number(ring_bytes(&late->ring, &entry)));
	if (late->hold_ms)
		tap_check(entry.event > late->event, "event: expected more than %llu, got %llu",
			  (long long)late->event, (long long)entry.event);
	else if (late->event)
		tap_eq(late->event + 1, entry.event);
	tap_eq(0, entry.flags);
	late->seen++;
	late->entry++;
	late->event = entry.event;
	late->time_us[late->seen] = entry.time_ns / 1000;
}

/* He comes between two frames, right after one. */
static void begin_ring(struct late *late)
{
	struct avring_entry entry;

	late->ring = ring_reader(AVRING_STREAM_VIDEO);
	must(ring_wait(&late->ring, late->ring.at.next, 1, AVRING_WAIT_FOREVER));
	late->entry = ring_head(&late->ring);
	tap_check(ring_entry(&late->ring, late->entry - 1, &entry), "a frame: expected intact");
	late->seen = late_number(ring_bytes(&late->ring, &entry));
	late->event = entry.event;
	while (late->returned < late->seen)
		late_returned(late);
}

/* ---------------------------------------------------------------- the late reader */

void late_take(struct late *late, uint32_t number)
{
	struct v4l2_buffer buffer;
	uint64_t time_us, start = now_ns();

	must(video_dequeue(&late->capture, &buffer));
	tap_check(now_ns() - start < AT_ONCE_NS, "frame %u: expected at once, got it after %llu us",
		  number, (long long)(now_ns() - start) / 1000);
	tap_eq(number, late_number(late->capture.buffers[0].start));
	if (!late->taken)
		late->first = number - buffer.sequence;
	tap_eq(number - late->first, buffer.sequence);
	time_us = buffer.timestamp.tv_sec * UINT64_C(1000000) + buffer.timestamp.tv_usec;
	tap_eq(late->time_us[number], time_us);
	late->buffer = false;
	late->taken++;
	late->last = number;
	late->due_ns = now_ns() + LATE_NS;
}

static struct v4l2_buffer take_other(struct late *late)
{
	struct v4l2_buffer buffer;

	must(video_dequeue(&late->capture, &buffer));
	tap_eq(0, late_number(late->capture.buffers[0].start));
	late->buffer = false;
	late->taken++;
	return buffer;
}

uint32_t late_take_other(struct late *late)
{
	return take_other(late).sequence;
}

void late_take_after_film(struct late *late, uint32_t sent)
{
	const struct v4l2_buffer buffer = take_other(late);
	const uint64_t time_us = buffer.timestamp.tv_sec * UINT64_C(1000000) +
				 buffer.timestamp.tv_usec;
	struct avring_entry entry;

	do {
		must(ring_wait(&late->ring, late->entry, 1, AVRING_WAIT_FOREVER));
		tap_check(ring_entry(&late->ring, late->entry++, &entry), "expected intact");
		sent++;
	} while (entry.time_ns / 1000 < time_us);
	tap_eq(time_us, entry.time_ns / 1000);
	tap_eq(sent - 1, buffer.sequence);
	late_expect_lost(late, sent - late->taken);
}

void late_start(struct late *late)
{
	late->buffer = true;
	late->due_ns = AVRING_WAIT_FOREVER;
	late->taken = 0;
	late->n_owed = 0;
	must(video_queue(&late->capture, 0));
	must(video_start(&late->capture));
}

static void begin_late(struct late *late, int input)
{
	struct card card;

	must(card_find(0, &card));
	must(video_open(&late->capture, card.capture));
	must(video_set_input(&late->capture, input));
	must(video_set_format(&late->capture, LATE_PIX));
	must(video_set_rate(&late->capture, 30, 1));
	must(video_request(&late->capture, 3));
	must(video_map(&late->capture, PROT_READ));
}

void late_expect_lost(struct late *late, int64_t lost)
{
	int64_t dropped;

	must(video_get_control(&late->capture, V4L2_CID_AVRING_FRAMES_DROPPED, &dropped));
	tap_eq(lost, dropped);
}

/* ---------------------------------------------------------------- all three */

void late_begin(struct late *late, int hold_ms, int input)
{
	memset(late, 0, sizeof(*late));
	late->hold_ms = hold_ms;
	late->room = LATE_ROOM;
	must(set_hold(hold_ms));
	begin_late(late, CARD_INPUT_LOOPBACK);
	begin_producer(late);
	begin_ring(late);
	if (input != CARD_INPUT_LOOPBACK)
		must(video_set_input(&late->capture, input));
	late_start(late);
}

void late_end(struct late *late)
{
	must(video_stop(&late->output));
	video_close(&late->output);
	video_close(&late->capture);
	ring_close(&late->ring);
}

static uint32_t next_owed(struct late *late)
{
	uint32_t number = late->owed[0];

	late->n_owed--;
	memmove(late->owed, late->owed + 1, late->n_owed * sizeof(late->owed[0]));
	return number;
}

/* Who is to get the frame that the ring has just got? */
static void hand_over(struct late *late)
{
	const bool full = !late->buffer && late->n_owed == late->room;

	if (full && late->hold_ms) {
		late->held = late->seen;
		late_not_returned(late);
		return;
	}
	if (late->buffer)
		late_take(late, late->seen);
	else if (!full)
		late->owed[late->n_owed++] = late->seen;
	late_returned(late);
	tap_check(now_ns() / 1000 - late->time_us[late->seen] < LATE_INTERVAL_NS / 1000,
		  "frame %u: expected its buffer back at its tick", late->seen);
}

bool late_frame_before_due(struct late *late)
{
	int error = ring_wait(&late->ring, late->entry, 1, late->due_ns);

	if (error == -ETIMEDOUT)
		return false;
	must(error);
	expect_published(late);
	hand_over(late);
	return true;
}

void late_frame(struct late *late)
{
	must(ring_wait(&late->ring, late->entry, 1, AVRING_WAIT_FOREVER));
	expect_published(late);
	hand_over(late);
}

void late_give_back(struct late *late)
{
	late->buffer = true;
	must(video_queue(&late->capture, 0));
	if (!late->n_owed)
		return;
	late_take(late, next_owed(late));
	if (!late->held)
		return;
	late->owed[late->n_owed++] = late->held;
	late->held = 0;
	late_returned(late);
}
