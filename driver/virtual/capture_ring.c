// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the ring of the pictures, as the ring node reaches it. Its format and rate
 * are those of the capture node.
 */
#include <media/v4l2-common.h>

#include "video/format.h"
#include "virtual/capture.h"

static int avring_capture_attach(void *data, struct avring_ring_reader *reader, bool oldest)
{
	struct avring_capture *cap = data;

	return avring_engine_attach(cap->node.engine, reader, oldest);
}

static void avring_capture_detach(void *data, struct avring_ring_reader *reader)
{
	struct avring_capture *cap = data;

	avring_engine_detach(cap->node.engine, reader);
}

/* 0 leaves it open. The generator has tables of them, for when the producer has gone. */
static int avring_capture_read_colours(const struct avring_video_format *video,
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

/*
 * A producer's size, pixels, rate and colours are taken at its word or not at all; what it
 * leaves open is filled in.
 */
static int avring_capture_read_format(const struct avring_video_format *video,
				      struct v4l2_pix_format *pix, struct avring_rate *rate)
{
	const struct v4l2_fract interval = {
		.numerator = video->rate_den, .denominator = video->rate_num,
	};

	*pix = (struct v4l2_pix_format){
		.pixelformat = video->pixelformat,
		.width = video->width,
		.height = video->height,
	};
	avring_format_try(&avring_limits_virtual, pix);
	*rate = avring_rate_nearest(&interval);
	if (pix->pixelformat != video->pixelformat || pix->width != video->width ||
	    pix->height != video->height || video->reserved)
		return -EINVAL;
	if ((video->bytesperline && video->bytesperline != pix->bytesperline) ||
	    (video->sizeimage && video->sizeimage != pix->sizeimage))
		return -EINVAL;
	if ((u64)rate->num * video->rate_den != (u64)rate->den * video->rate_num &&
	    (video->rate_num || video->rate_den))
		return -EINVAL;
	return avring_capture_read_colours(video, pix);
}

static int avring_capture_attach_producer(void *data, struct avring_ring_reader *reader,
					  const struct avring_stream_format *format)
{
	struct avring_capture *cap = data;
	struct v4l2_pix_format pix;
	struct avring_rate rate;
	int err = avring_capture_read_format(&format->video, &pix, &rate);

	return err ? err : avring_engine_attach_producer(cap->node.engine, reader, &pix, rate);
}

static void avring_capture_detach_producer(void *data, struct avring_ring_reader *reader)
{
	struct avring_capture *cap = data;

	avring_engine_detach_producer(cap->node.engine, reader);
}

static int avring_capture_begin(void *data, struct avring_ring_reader *reader,
				struct avring_begin *begin)
{
	struct avring_capture *cap = data;

	return avring_engine_begin(cap->node.engine, reader, begin);
}

static int avring_capture_commit(void *data, struct avring_ring_reader *reader,
				 struct avring_commit *commit)
{
	struct avring_capture *cap = data;

	return avring_engine_commit(cap->node.engine, reader, commit);
}

static void avring_capture_get_setup(void *data, struct avring_setup *setup)
{
	struct avring_capture *cap = data;

	avring_engine_get_setup(cap->node.engine, setup);
}

static int avring_capture_set_setup(void *data, const struct avring_setup *setup)
{
	struct avring_capture *cap = data;

	return avring_engine_set_setup(cap->node.engine, setup);
}

static void avring_capture_gone(void *data)
{
	struct avring_capture *cap = data;

	avring_engine_gone(cap->node.engine);
}

const struct avring_source_ops avring_capture_ring_ops = {
	.attach = avring_capture_attach,
	.detach = avring_capture_detach,
	.attach_producer = avring_capture_attach_producer,
	.detach_producer = avring_capture_detach_producer,
	.begin = avring_capture_begin,
	.commit = avring_capture_commit,
	.get_setup = avring_capture_get_setup,
	.set_setup = avring_capture_set_setup,
	.gone = avring_capture_gone,
};
