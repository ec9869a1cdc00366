/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: draws test pictures into memory.
 *
 * A thin cover of the kernel's own generator (v4l2-tpg) that adds the frame
 * number, the time and a machine-readable stamp. It has no lock; the engine calls
 * it under its own.
 */
#ifndef AVRING_PATTERN_H
#define AVRING_PATTERN_H

#include <linux/videodev2.h>

struct avring_pattern;

/**
 * struct avring_frame - which frame is being drawn
 * @sequence: V4L2 sequence number of the stream
 * @number: frame number on the card's timeline
 * @time_ns: CLOCK_MONOTONIC of the frame
 * @flash: draw a white frame
 */
struct avring_frame {
	u32 sequence;
	u64 number;
	u64 time_ns;
	bool flash;
};

/* Values that may be set while frames are drawn. */
enum avring_pattern_value {
	AVRING_PATTERN_BRIGHTNESS,
	AVRING_PATTERN_CONTRAST,
	AVRING_PATTERN_SATURATION,
	AVRING_PATTERN_HUE,
	AVRING_PATTERN_PICTURE,
	AVRING_PATTERN_STAMP,
};

struct avring_pattern *avring_pattern_new(void);
void avring_pattern_free(struct avring_pattern *pattern);
void avring_pattern_set(struct avring_pattern *pattern, enum avring_pattern_value value, s32 to);
void avring_pattern_format(struct avring_pattern *pattern, const struct v4l2_pix_format *pix);
void avring_pattern_draw(struct avring_pattern *pattern, void *dst,
			 const struct avring_frame *frame);
void avring_pattern_stamp(struct avring_pattern *pattern, void *dst,
			  const struct avring_frame *frame);
void avring_pattern_draw_no_signal(struct avring_pattern *pattern, void *dst);

#endif
