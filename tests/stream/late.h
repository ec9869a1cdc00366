/* SPDX-License-Identifier: MIT */
/*
 * late: a V4L2 producer of numbered frames, a reader of the ring, and a V4L2 reader who has one
 * buffer and gives it back late; card 0. All in one process, which says who is to get what.
 */
#ifndef STREAM_LATE_H
#define STREAM_LATE_H

#include <stdbool.h>
#include <stdint.h>

#include "../ring/ring.h"

/* What is promised: so many frames wait for a reader, and so long is one of them. */
#define LATE_ROOM 4
#define LATE_INTERVAL_NS (1000000000ull / 30)
#define LATE_PIX V4L2_PIX_FMT_GREY, 160, 120
#define LATE_BYTES 19200u
#define LATE_MOST 400

/**
 * struct late - the three, and what the late one is owed
 * @output: the producer, 8 buffers at 30 frames per second
 * @queued: number of the frame that was queued last
 * @returned: number of the frame that came back last
 * @ring: its reader
 * @entry: of the ring, which he has not seen yet
 * @seen: number of the frame that he saw last
 * @event: of that frame, on the card's timeline
 * @time_us: by number of the frame
 * @capture: the late reader, three buffers of which he queues the first
 * @first: number of the frame with sequence 0
 * @buffer: he has queued it
 * @owed: numbers of the frames that wait for him
 * @n_owed: how many
 * @room: how many may
 * @hold_ms: how long the producer waits for him
 * @held: number of the frame with which he does, or 0
 * @taken: frames that he has got
 * @last: number of the last one
 * @due_ns: when he gives the buffer back
 */
struct late {
	struct video output;
	uint32_t queued, returned;
	struct ring ring;
	uint64_t entry, event;
	uint32_t seen;
	uint64_t time_us[LATE_MOST];
	struct video capture;
	uint32_t first;
	bool buffer;
	uint32_t owed[LATE_ROOM];
	unsigned int n_owed, room;
	int hold_ms;
	uint32_t held;
	unsigned int taken;
	uint32_t last;
	uint64_t due_ns;
};

/* The number of a frame of the film, whole; 0 if it is none. */
uint32_t late_number(const uint8_t *frame);

/* From now on this process is an ordinary user, of groups video and audio. */
void late_become_member(void);

/* The producer sends, the ring is read, and the capture node streams on @input, with one buffer. */
void late_begin(struct late *late, int hold_ms, int input);
void late_end(struct late *late);

/* The capture node alone. */
void late_start(struct late *late);

/* The next frame is in the ring at its tick, and whoever is to get it, or its buffer, has it. */
void late_frame(struct late *late);
/* Until the late reader has to give his buffer back. Return: false if nothing came by then. */
bool late_frame_before_due(struct late *late);

/* The late reader gives his buffer back, and takes what he is owed. */
void late_give_back(struct late *late);
/* He takes this frame. */
void late_take(struct late *late, uint32_t number);
/* He takes one that is none of the film; its sequence. */
uint32_t late_take_other(struct late *late);
/*
 * The film is over after @sent frames since sequence 0. He takes what comes then, and each frame
 * that the ring has got and he has not is a gap, counted.
 */
void late_take_after_film(struct late *late, uint32_t sent);

/* The producer gets his buffer back, and queues the next frame. */
void late_returned(struct late *late);
/* He does not. */
void late_not_returned(struct late *late);

/* What is lost to the late reader is @lost frames, and so the control says. */
void late_expect_lost(struct late *late, int64_t lost);

/* Input, hold and nodes as they were: for tap_suite.after. */
void late_restore(void);

#endif
