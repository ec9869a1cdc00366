// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: rings of pictures. See video/picture.h.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/videodev2.h>

#include "ring/stream.h"
#include "video/picture.h"

/* The default ring: half a second, but no monster, and never less than 8 frames. */
#define AVRING_PICTURE_FRAMES	8
#define AVRING_PICTURE_MAX	SZ_256M

static u64 avring_picture_default_length(const struct v4l2_pix_format *pix, struct avring_rate rate)
{
	const u64 frame = PAGE_ALIGN(pix->sizeimage);
	const u64 half_second = frame * (rate.num / (2 * rate.den));

	return max_t(u64, min_t(u64, half_second, AVRING_PICTURE_MAX),
		     AVRING_PICTURE_FRAMES * frame);
}

static void avring_picture_describe(struct avring_stream_format *format,
				    const struct v4l2_pix_format *pix, struct avring_rate rate)
{
	*format = (struct avring_stream_format){
		.stream = AVRING_STREAM_VIDEO,
		.video = {
			.pixelformat = pix->pixelformat,
			.width = pix->width,
			.height = pix->height,
			.bytesperline = pix->bytesperline,
			.sizeimage = pix->sizeimage,
			.colorspace = pix->colorspace,
			.xfer_func = pix->xfer_func,
			.ycbcr_enc = pix->ycbcr_enc,
			.quantization = pix->quantization,
			.rate_num = rate.num,
			.rate_den = rate.den,
		},
	};
}

/**
 * avring_picture_new_ring() - make a ring for pictures
 * @stream: its length and alignment if it has wishes
 * @pix: format of the pictures
 * @rate: their rate
 *
 * The ring is not yet part of the stream. Context: process, may sleep.
 *
 * Return: a ring with one reference, or ERR_PTR(-ENOMEM), ERR_PTR(-EINVAL).
 */
struct avring_ring *avring_picture_new_ring(const struct avring_stream *stream,
					    const struct v4l2_pix_format *pix,
					    struct avring_rate rate)
{
	struct avring_stream_format format;

	avring_picture_describe(&format, pix, rate);
	return avring_stream_new_ring(stream, &format, pix->sizeimage,
				      avring_picture_default_length(pix, rate), PAGE_SIZE);
}
