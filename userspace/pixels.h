/* SPDX-License-Identifier: MIT */
/*
 * Formats of pixels that a card has, in the order of the driver's table, for library and tool.
 */
#ifndef AVRING_PIXELS_H
#define AVRING_PIXELS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/videodev2.h>

#define AVRING_N_PIXELS (sizeof(avring_pixels) / sizeof(avring_pixels[0]))

/**
 * struct avring_pixels - a format
 * @name: V4L2_PIX_FMT_<name>
 * @fourcc: the same as a number
 * @bytes: of a pixel in the first plane
 * @bits: of a pixel in all planes
 * @planes: of colour differences, behind the first one
 * @per_two: their bytes for two bytes of a line of the first
 * @lines: of the first for one of theirs
 */
static const struct avring_pixels {
	const char *name;
	uint32_t fourcc;
	uint8_t bytes;
	uint8_t bits;
	uint8_t planes;
	uint8_t per_two;
	uint8_t lines;
} avring_pixels[] = {
	{ "YUYV", V4L2_PIX_FMT_YUYV, 2, 16, 0, 0, 0 },
	{ "UYVY", V4L2_PIX_FMT_UYVY, 2, 16, 0, 0, 0 },
	{ "XRGB32", V4L2_PIX_FMT_XRGB32, 4, 32, 0, 0, 0 },
	{ "NV12", V4L2_PIX_FMT_NV12, 1, 12, 1, 2, 2 },
	{ "YUV420", V4L2_PIX_FMT_YUV420, 1, 12, 2, 1, 2 },
	{ "RGB24", V4L2_PIX_FMT_RGB24, 3, 24, 0, 0, 0 },
	{ "XBGR32", V4L2_PIX_FMT_XBGR32, 4, 32, 0, 0, 0 },
	{ "GREY", V4L2_PIX_FMT_GREY, 1, 8, 0, 0, 0 },
	{ "BGR24", V4L2_PIX_FMT_BGR24, 3, 24, 0, 0, 0 },
	{ "YVU420", V4L2_PIX_FMT_YVU420, 1, 12, 2, 1, 2 },
	{ "YUV422P", V4L2_PIX_FMT_YUV422P, 1, 16, 2, 1, 1 },
	{ "RGB565", V4L2_PIX_FMT_RGB565, 2, 16, 0, 0, 0 },
	{ "ARGB32", V4L2_PIX_FMT_ARGB32, 4, 32, 0, 0, 0 },
	{ "ABGR32", V4L2_PIX_FMT_ABGR32, 4, 32, 0, 0, 0 },
};

/* NULL: a card does not have it. */
static inline const struct avring_pixels *avring_pixels_find(uint32_t fourcc)
{
	for (size_t i = 0; i < AVRING_N_PIXELS; i++)
		if (avring_pixels[i].fourcc == fourcc)
			return &avring_pixels[i];
	return NULL;
}

#endif
