/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the engine that moves pictures.
 *
 * One thread per card wakes at the ticks of both video nodes. It draws pattern
 * frames, and hands frames from the output node to the capture node. It knows
 * queues and formats, no ioctls and no sound.
 *
 * Capture with the loopback input has two states:
 *
 *	no signal --- a frame of the right format arrives ---> locked
 *	locked ------ the producer stops, changes its format, or
 *		      is silent for two intervals and 250 ms -> no signal
 *
 * Locked, the producer's ticks drive capture: one written frame is one captured
 * frame. Without a signal the capture node's own ticks do.
 */
#ifndef AVRING_ENGINE_H
#define AVRING_ENGINE_H

#include <linux/videodev2.h>

#include "clock.h"
#include "virtual/pattern.h"

struct avring_counters;
struct avring_engine;
struct avring_queue;
struct avring_spare;
struct avring_stream;

enum avring_input {
	AVRING_INPUT_PATTERN,
	AVRING_INPUT_LOOPBACK,
	AVRING_INPUTS
};

struct avring_engine *avring_engine_new(int number, void (*source_change)(void *data), void *data);
void avring_engine_stop(struct avring_engine *engine);
void avring_engine_free(struct avring_engine *engine);

int avring_engine_prepare_capture(struct avring_engine *engine, const struct v4l2_pix_format *pix,
				  struct avring_rate rate, struct avring_spare *spare);
void avring_engine_start_capture(struct avring_engine *engine, struct avring_queue *queue,
				 const struct v4l2_pix_format *pix, struct avring_rate rate);
void avring_engine_stop_capture(struct avring_engine *engine);
int avring_engine_prepare_output(struct avring_engine *engine, const struct v4l2_pix_format *pix,
				 struct avring_rate rate, struct avring_spare *spare);
int avring_engine_start_output(struct avring_engine *engine, struct avring_queue *queue,
			       const struct v4l2_pix_format *pix, struct avring_rate rate);
void avring_engine_stop_output(struct avring_engine *engine);
int avring_engine_set_format(struct avring_engine *engine, const struct v4l2_pix_format *pix,
			     struct avring_rate rate, struct avring_spare *spare);
int avring_engine_set_input(struct avring_engine *engine, enum avring_input input);
void avring_engine_kick(struct avring_engine *engine);

bool avring_engine_producer(struct avring_engine *engine, struct v4l2_pix_format *pix,
			    struct avring_rate *rate);
void avring_engine_set_pattern(struct avring_engine *engine, enum avring_pattern_value value,
			       s32 to);
void avring_engine_set_hold(struct avring_engine *engine, u32 hold_ms);
void avring_engine_counters(struct avring_engine *engine, struct avring_counters *counters);
u64 avring_engine_flash_at(const struct avring_engine *engine, u64 ns);
struct avring_stream *avring_engine_stream(struct avring_engine *engine);

#endif
