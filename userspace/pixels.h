/* SPDX-License-Identifier: MIT */
/*
 * Formats of pixels that a card has, in the order of the driver's table, for library and tool.
 */
#ifndef AVRING_PIXELS_H
#define AVRING_PIXELS_H

#include <linux/videodev2.h>

/* V4L2_PIX_FMT_<name>, bytes of a pixel in the first plane, bits of a pixel in all planes. */
#define AVRING_PIXELS(row) \
	row(YUYV, 2, 16) row(UYVY, 2, 16) row(XRGB32, 4, 32) row(NV12, 1, 12) row(YUV420, 1, 12) \
		row(RGB24, 3, 24) row(XBGR32, 4, 32) row(GREY, 1, 8) row(BGR24, 3, 24) \
			row(YVU420, 1, 12) row(YUV422P, 1, 16) row(RGB565, 2, 16) \
				row(ARGB32, 4, 32) row(ABGR32, 4, 32)

#endif
