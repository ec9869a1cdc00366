/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: picture formats and frame rates, shared by both video nodes.
 */
#ifndef AVRING_FORMAT_H
#define AVRING_FORMAT_H

#include <linux/videodev2.h>

#include "avring_clock.h"

/* Frames are never larger than this in any direction. */
#define AVRING_MAX_WIDTH	4096
#define AVRING_MAX_HEIGHT	2160

/* Bytes of the largest frame, in whole pages. */
#define AVRING_MAX_FRAME	PAGE_ALIGN(AVRING_MAX_WIDTH * AVRING_MAX_HEIGHT * 4)

u32 avring_format_fourcc(unsigned int index);
void avring_format_try(struct v4l2_pix_format *pix);
void avring_format_default(struct v4l2_pix_format *pix);
bool avring_format_equal(const struct v4l2_pix_format *a, const struct v4l2_pix_format *b);
int avring_format_frame_size(struct v4l2_frmsizeenum *size);
int avring_format_size_range(struct v4l2_frmsizeenum *size);
int avring_format_interval(struct v4l2_frmivalenum *ival);

struct avring_rate avring_rate_default(void);
struct avring_rate avring_rate_nearest(const struct v4l2_fract *interval);

static inline struct v4l2_fract avring_rate_interval(struct avring_rate rate)
{
	return (struct v4l2_fract){ .numerator = rate.den, .denominator = rate.num };
}

#endif
