/* SPDX-License-Identifier: MIT */
/*
 * producer: a child that writes a film of numbered frames to the output node of card 0, for
 * as long as it lives.
 */
#ifndef STREAM_PRODUCER_H
#define STREAM_PRODUCER_H

#include <stdint.h>
#include <sys/types.h>

#include "device.h"

/*
 * The number of the first frame is @first. Returns when that is in the hands of the driver.
 * The node takes @rate frames per second; who writes fewer waits @pause_us before each one.
 */
pid_t producer_start(const struct v4l2_pix_format *pix, const struct v4l2_fract *rate,
		     uint32_t first, unsigned int pause_us);

/* SIGKILL; a producer that has ended by itself has failed. */
void producer_kill(pid_t child);

/* The number of a frame; 0 if it is none of a producer. */
uint32_t producer_number(const void *frame);

#endif
