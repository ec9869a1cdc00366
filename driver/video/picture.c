// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: rings of pictures. See video/picture.h.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/videodev2.h>
#include <media/v4l2-common.h>

#include "compat.h"
#include "ring/stream.h"
#include "video/format.h"
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
			.field = V4L2_FIELD_NONE,
		},
	};
	avring_format_planes(pix, &format->video);
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
				      avring_picture_default_length(pix, rate),
				      AVRING_RING_MAX_ALIGN);
}
EXPORT_SYMBOL_AVRING(avring_picture_new_ring);

/* All of them, or none. */
static int avring_picture_check_planes(const struct avring_video_format *video,
				       const struct v4l2_pix_format *pix)
{
	struct avring_video_format planes;

	if (video->field && video->field != V4L2_FIELD_NONE)
		return -EINVAL;
	if (!video->planes)
		return memchr_inv(video->plane, 0, sizeof(video->plane)) ? -EINVAL : 0;
	avring_format_planes(pix, &planes);
	if (video->planes != planes.planes ||
	    memcmp(video->plane, planes.plane, sizeof(planes.plane)))
		return -EINVAL;
	return 0;
}

/* 0 leaves it open. The generator has tables of them, for when the producer has gone. */
static int avring_picture_read_colours(const struct avring_video_format *video,
				       struct v4l2_pix_format *pix)
{
	if ((video->colorspace && !v4l2_is_colorspace_valid(video->colorspace)) ||
	    (video->xfer_func && !v4l2_is_xfer_func_valid(video->xfer_func)) ||
	    (video->ycbcr_enc && !v4l2_is_ycbcr_enc_valid(min(video->ycbcr_enc, U8_MAX))) ||
	    (video->quantization && !v4l2_is_quant_valid(min(video->quantization, U8_MAX))))
		return -EINVAL;
	pix->colorspace = video->colorspace ?: pix->colorspace;
	pix->xfer_func = video->xfer_func ?: pix->xfer_func;
	pix->ycbcr_enc = video->ycbcr_enc ?: pix->ycbcr_enc;
	pix->quantization = video->quantization ?: pix->quantization;
	return 0;
}

/**
 * avring_picture_read() - what a producer says of its pictures
 * @video: its words
 * @limits: of the card
 * @pix: filled
 * @rate: filled
 *
 * Its size, pixels, rate and colours are taken at its word or not at all; what it leaves open is
 * filled in.
 *
 * Return: 0, -EINVAL.
 */
int avring_picture_read(const struct avring_video_format *video,
			const struct avring_limits *limits, struct v4l2_pix_format *pix,
			struct avring_rate *rate)
{
	const struct v4l2_fract interval = {
		.numerator = video->rate_den, .denominator = video->rate_num,
	};

	*pix = (struct v4l2_pix_format){
		.pixelformat = video->pixelformat,
		.width = video->width,
		.height = video->height,
	};
	avring_format_try(limits, pix);
	*rate = avring_rate_nearest(&interval);
	if (pix->pixelformat != video->pixelformat || pix->width != video->width ||
	    pix->height != video->height ||
	    memchr_inv(video->reserved, 0, sizeof(video->reserved)))
		return -EINVAL;
	if (avring_picture_check_planes(video, pix))
		return -EINVAL;
	if ((video->bytesperline && video->bytesperline != pix->bytesperline) ||
	    (video->sizeimage && video->sizeimage != pix->sizeimage))
		return -EINVAL;
	if ((u64)rate->num * video->rate_den != (u64)rate->den * video->rate_num &&
	    (video->rate_num || video->rate_den))
		return -EINVAL;
	return avring_picture_read_colours(video, pix);
}
EXPORT_SYMBOL_AVRING(avring_picture_read);
