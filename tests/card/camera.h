/* SPDX-License-Identifier: MIT */
/*
 * camera: the pictures of the first PCI card, and whether they are right.
 *
 * Frames come through tests/stream/flow.h or tests/ring/ring.h. Each one tells its number on
 * the card's timeline, so what is missing is known without asking the driver.
 */
#ifndef TEST_CAMERA_H
#define TEST_CAMERA_H

#include <stdint.h>

#include "../ring/ring.h"
#include "../stream/flow.h"
#include "node.h"

/* Values of the control "Test Pattern". */
enum { CAMERA_STAMPED, CAMERA_WORDS };
/* Inputs. */
enum { CAMERA_GENERATOR, CAMERA_LINE };

/**
 * struct camera_mode - what the card is to send
 * @pix: fourcc and size
 * @rate: frames per second
 * @input: CAMERA_GENERATOR or CAMERA_LINE
 * @pattern: CAMERA_STAMPED or CAMERA_WORDS
 */
struct camera_mode {
	struct v4l2_pix_format pix;
	struct v4l2_fract rate;
	int input;
	int pattern;
};

#define CAMERA_SMALL \
	{ \
		.pixelformat = V4L2_PIX_FMT_GREY, .width = 160, .height = 120 \
	}

/* 19,200 bytes, which is no whole number of pages; 30 a second. */
extern const struct camera_mode camera_small, camera_words;

/* The capture node, as "/dev/videoN". */
void camera_path(char *path, size_t size);
/* The node, open, set to @mode; no buffers yet. */
void camera_open(struct flow *flow, const struct camera_mode *mode);
/* The same, with buffers, streaming. */
void camera_start(struct flow *flow, const struct camera_mode *mode, enum flow_io io,
		  unsigned int buffers);
/* Stops, frees, closes. */
void camera_end(struct flow *flow);
/* Format, rate, input and pattern of the card, for readers of its ring. */
void camera_set(const struct camera_mode *mode);
int64_t camera_counter(struct flow *flow, uint32_t id);

/**
 * struct camera_watch - what a stream was seen to be so far
 * @mode: what it should be; the rest begins with zeroes
 * @seen: frames
 * @missing: sum of the gaps between them
 * @damaged: frames that said that they are
 * @sequence: V4L2's or the ring's, of the last frame
 * @first: number on the card's timeline of the frame with sequence 0
 * @time_ns: CLOCK_MONOTONIC of the last frame
 * @card_ns: card time of the first frame
 * @offset_ns: CLOCK_MONOTONIC less card time, of the first frame
 * @off_ns: how far that has been off at most
 * @ahead: CAMERA_WORDS: number of a frame since RUN less @sequence
 * @restarts: CAMERA_WORDS: how often that has changed: there was another RUN
 */
struct camera_watch {
	const struct camera_mode *mode;
	uint64_t seen, missing, damaged;
	uint32_t sequence;
	uint64_t first;
	uint64_t time_ns, card_ns;
	int64_t offset_ns, off_ns;
	uint32_t ahead, restarts;
};

/* A frame that was dequeued: everything that can be known of it. */
void camera_expect(const struct flow *flow, const struct flow_frame *frame,
		   struct camera_watch *watch);
/* Dequeue, check, queue again; so many times. */
void camera_take(struct flow *flow, struct camera_watch *watch, unsigned int frames);
/* Take frames until the condition holds; ends the test after 20 s without. */
void camera_take_until(struct flow *flow, struct camera_watch *watch,
		       bool (*enough)(const struct camera_watch *watch));

/*
 * Take every buffer, and no more: with none left in the driver its counters stand still, and
 * must say what was seen.
 */
void camera_drain(struct flow *flow, struct camera_watch *watch);

/* Attach to the pictures of the card, and map. */
struct ring camera_ring(void);
/* Length and packing of the rings to come. */
void camera_setup(uint64_t length, uint32_t align);
/* An entry of a ring; false if it was overtaken while it was looked at. */
bool camera_look(const struct ring *ring, uint64_t n, struct camera_watch *watch);
/* The next @frames entries from @n on, none lost; returns the number of the one behind. */
uint64_t camera_look_many(const struct ring *ring, uint64_t n, unsigned int frames,
			  struct camera_watch *watch);

/* So many good ones; where it was overtaken it goes on with the oldest there is. */
uint64_t camera_follow(const struct ring *ring, uint64_t n, unsigned int frames,
		       struct camera_watch *watch);

/*
 * All that the card has written since it had written @written is in the ring, but for @refused:
 * no frame is lost between the two, and none invented. Then the card rests, as good as broken.
 */
void camera_expect_published(const struct ring *ring, long written, uint64_t refused);

/* tap_main() for tests of a card with its driver; puts back what they change. */
int camera_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv);

#endif
