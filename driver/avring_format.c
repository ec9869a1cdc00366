// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: picture formats and frame rates. See avring_format.h.
 */
#include <linux/kernel.h>
#include <media/v4l2-common.h>

#include "avring_format.h"

#define AVRING_MIN_WIDTH	160
#define AVRING_MIN_HEIGHT	120

/**
 * struct avring_format - one pixel format
 * @fourcc: V4L2_PIX_FMT_*
 * @bytes_per_pixel: of the first plane
 * @bits_per_pixel: of the whole frame
 * @rgb: full-range RGB, not limited-range YCbCr
 */
struct avring_format {
	u32 fourcc;
	u8 bytes_per_pixel;
	u8 bits_per_pixel;
	bool rgb;
};

static const struct avring_format avring_formats[] = {
	{ V4L2_PIX_FMT_YUYV,	2, 16, false },
	{ V4L2_PIX_FMT_UYVY,	2, 16, false },
	{ V4L2_PIX_FMT_NV12,	1, 12, false },
	{ V4L2_PIX_FMT_YUV420,	1, 12, false },
	{ V4L2_PIX_FMT_RGB24,	3, 24, true },
	{ V4L2_PIX_FMT_XRGB32,	4, 32, true },
	{ V4L2_PIX_FMT_XBGR32,	4, 32, true },
	{ V4L2_PIX_FMT_GREY,	1,  8, false },
};

/*
 * Any even size in between works too. The capture node offers a list, because
 * browsers look at discrete sizes only; the output node offers the range.
 */
static const struct v4l2_frmsize_discrete avring_sizes[] = {
	{  160,  120 }, {  320,  240 }, {  640,  480 }, {  768,  576 },
	{ 1280,  720 }, { 1920, 1080 }, { 3840, 2160 }, { 4096, 2160 },
};

/* Frame intervals in seconds, longest first. */
static const struct v4l2_fract avring_intervals[] = {
	{ 1, 1 },	{ 1, 5 },	{ 1, 10 },	{ 1, 15 },
	{ 1001, 24000 },	{ 1, 24 },	{ 1, 25 },
	{ 1001, 30000 },	{ 1, 30 },	{ 1, 50 },
	{ 1001, 60000 },	{ 1, 60 },	{ 1001, 120000 },	{ 1, 120 },
};

static const struct avring_format *avring_format_find(u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(avring_formats); i++)
		if (avring_formats[i].fourcc == fourcc)
			return &avring_formats[i];
	return NULL;
}

/**
 * avring_format_fourcc() - enumerate pixel formats
 * @index: 0 and up
 *
 * Return: V4L2_PIX_FMT_*, or 0 behind the last.
 */
u32 avring_format_fourcc(unsigned int index)
{
	return index < ARRAY_SIZE(avring_formats) ? avring_formats[index].fourcc : 0;
}

/**
 * avring_format_try() - clamp a format to what the card can do
 * @pix: wish in, result out; every field is filled
 */
void avring_format_try(struct v4l2_pix_format *pix)
{
	const struct avring_format *fmt = avring_format_find(pix->pixelformat);

	if (!fmt)
		fmt = &avring_formats[0];
	pix->width &= ~1;	/* never more than was asked for */
	pix->height &= ~1;
	v4l_bound_align_image(&pix->width, AVRING_MIN_WIDTH, AVRING_MAX_WIDTH, 1,
			      &pix->height, AVRING_MIN_HEIGHT, AVRING_MAX_HEIGHT, 1, 0);
	pix->pixelformat = fmt->fourcc;
	pix->field = V4L2_FIELD_NONE;
	pix->bytesperline = pix->width * fmt->bytes_per_pixel;
	pix->sizeimage = pix->width * pix->height * fmt->bits_per_pixel / 8;
	pix->colorspace = V4L2_COLORSPACE_SRGB;
	pix->ycbcr_enc = V4L2_YCBCR_ENC_601;
	pix->quantization = fmt->rgb ? V4L2_QUANTIZATION_FULL_RANGE : V4L2_QUANTIZATION_LIM_RANGE;
	pix->xfer_func = V4L2_XFER_FUNC_SRGB;
	pix->priv = V4L2_PIX_FMT_PRIV_MAGIC;
	pix->flags = 0;
}

/**
 * avring_format_default() - what a fresh node is set to
 * @pix: filled
 */
void avring_format_default(struct v4l2_pix_format *pix)
{
	*pix = (struct v4l2_pix_format){
		.width = 640, .height = 480, .pixelformat = V4L2_PIX_FMT_YUYV,
	};
	avring_format_try(pix);
}

/**
 * avring_format_equal() - same bytes in memory?
 * @a: a format that went through avring_format_try()
 * @b: another
 *
 * Return: true if a frame of @a can be handed on as a frame of @b unchanged.
 */
bool avring_format_equal(const struct v4l2_pix_format *a, const struct v4l2_pix_format *b)
{
	return a->pixelformat == b->pixelformat && a->width == b->width && a->height == b->height;
}

/**
 * avring_format_frame_size() - VIDIOC_ENUM_FRAMESIZES as a list of common sizes
 * @size: index and pixel format in, size out
 *
 * Return: 0 or -EINVAL behind the last, or for an unknown pixel format.
 */
int avring_format_frame_size(struct v4l2_frmsizeenum *size)
{
	if (size->index >= ARRAY_SIZE(avring_sizes) || !avring_format_find(size->pixel_format))
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
	size->discrete = avring_sizes[size->index];
	return 0;
}

/**
 * avring_format_size_range() - VIDIOC_ENUM_FRAMESIZES as one range
 * @size: index and pixel format in, range out
 *
 * Return: 0 or -EINVAL behind the first, or for an unknown pixel format.
 */
int avring_format_size_range(struct v4l2_frmsizeenum *size)
{
	if (size->index || !avring_format_find(size->pixel_format))
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	size->stepwise = (struct v4l2_frmsize_stepwise){
		.min_width = AVRING_MIN_WIDTH, .max_width = AVRING_MAX_WIDTH, .step_width = 2,
		.min_height = AVRING_MIN_HEIGHT, .max_height = AVRING_MAX_HEIGHT, .step_height = 2,
	};
	return 0;
}

static bool avring_size_valid(u32 width, u32 height)
{
	return width >= AVRING_MIN_WIDTH && width <= AVRING_MAX_WIDTH && !(width & 1) &&
	       height >= AVRING_MIN_HEIGHT && height <= AVRING_MAX_HEIGHT && !(height & 1);
}

/**
 * avring_format_interval() - VIDIOC_ENUM_FRAMEINTERVALS for a free choice of rate
 * @ival: index, pixel format and size in, interval out
 *
 * Return: 0 or -EINVAL behind the last, or for a format that TRY_FMT would change.
 */
int avring_format_interval(struct v4l2_frmivalenum *ival)
{
	if (ival->index >= ARRAY_SIZE(avring_intervals) ||
	    !avring_format_find(ival->pixel_format) ||
	    !avring_size_valid(ival->width, ival->height))
		return -EINVAL;
	ival->type = V4L2_FRMIVAL_TYPE_DISCRETE;
	ival->discrete = avring_intervals[ival->index];
	return 0;
}

static struct avring_rate avring_rate_of(const struct v4l2_fract *interval)
{
	return (struct avring_rate){ .num = interval->denominator, .den = interval->numerator };
}

/**
 * avring_rate_default() - frame rate of a fresh node
 *
 * Return: 30 frames per second.
 */
struct avring_rate avring_rate_default(void)
{
	return (struct avring_rate){ .num = 30, .den = 1 };
}

/* Length of an interval in ns, enough to tell any two of the list apart. */
static u64 avring_interval_ns(const struct v4l2_fract *interval)
{
	return div_u64((u64)interval->numerator * AVRING_NSEC_PER_SEC, interval->denominator);
}

static u64 avring_distance(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/**
 * avring_rate_nearest() - the rate that is nearest to a wished interval
 * @interval: seconds per frame, any values; 0 in either part asks for the default
 *
 * Return: a rate of the list.
 */
struct avring_rate avring_rate_nearest(const struct v4l2_fract *interval)
{
	const struct v4l2_fract *best = &avring_intervals[0];
	u64 wish, distance, least = U64_MAX;
	unsigned int i;

	if (!interval->numerator || !interval->denominator)
		return avring_rate_default();
	wish = avring_interval_ns(interval);
	for (i = 0; i < ARRAY_SIZE(avring_intervals); i++) {
		distance = avring_distance(wish, avring_interval_ns(&avring_intervals[i]));
		if (distance < least) {
			least = distance;
			best = &avring_intervals[i];
		}
	}
	return avring_rate_of(best);
}
