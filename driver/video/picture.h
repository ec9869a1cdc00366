/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: rings of pictures, whoever fills them.
 */
#ifndef AVRING_PICTURE_H
#define AVRING_PICTURE_H

#include "clock.h"

struct avring_limits;
struct avring_ring;
struct avring_stream;
struct avring_video_format;
struct v4l2_pix_format;

struct avring_ring *avring_picture_new_ring(const struct avring_stream *stream,
					    const struct v4l2_pix_format *pix,
					    struct avring_rate rate);
int avring_picture_read(const struct avring_video_format *video,
			const struct avring_limits *limits, struct v4l2_pix_format *pix,
			struct avring_rate *rate);

#endif
