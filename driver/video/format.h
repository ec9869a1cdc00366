/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: picture formats and frame rates, shared by both video nodes.
 */
#ifndef AVRING_FORMAT_H
#define AVRING_FORMAT_H

#include <linux/videodev2.h>
#include <uapi/linux/avring.h>

#include "clock.h"

/* Frames are never larger than this in any direction. */
#define AVRING_MAX_WIDTH	8192
#define AVRING_MAX_HEIGHT	8192

/* Bytes of the largest frame, in whole pages. */
#define AVRING_MAX_FRAME	PAGE_ALIGN(4096 * 2160 * 4)

/**
 * struct avring_limits - what a kind of card can do
 * @n_formats: so many of the list of formats
 * @min_width: in pixels, even as are all
 * @max_width: in pixels
 * @min_height: in lines
 * @max_height: in lines; a frame has at most AVRING_MAX_FRAME bytes, too
 */
struct avring_limits {
	u32 n_formats;
	u32 min_width;
	u32 max_width;
	u32 min_height;
	u32 max_height;
};

extern const struct avring_limits avring_limits_virtual, avring_limits_board;

u32 avring_format_fourcc(const struct avring_limits *limits, unsigned int index);
bool avring_format_known(const struct avring_limits *limits, u32 fourcc);
void avring_format_try(const struct avring_limits *limits, struct v4l2_pix_format *pix);
void avring_format_planes(const struct v4l2_pix_format *pix, struct avring_video_format *video);
void avring_format_default(struct v4l2_pix_format *pix);
bool avring_format_equal(const struct v4l2_pix_format *a, const struct v4l2_pix_format *b);
int avring_format_frame_size(const struct avring_limits *limits, struct v4l2_frmsizeenum *size);
int avring_format_size_range(const struct avring_limits *limits, struct v4l2_frmsizeenum *size);
int avring_format_interval(const struct avring_limits *limits, struct v4l2_frmivalenum *ival);

struct avring_rate avring_rate_default(void);
struct avring_rate avring_rate_nearest(const struct v4l2_fract *interval);

static inline struct v4l2_fract avring_rate_interval(struct avring_rate rate)
{
	return (struct v4l2_fract){ .numerator = rate.den, .denominator = rate.num };
}

#endif
