// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: picture formats and frame rates. See video/format.h.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <media/v4l2-common.h>

#include "compat.h"
#include "video/format.h"

/**
 * struct avring_format - one pixel format
 * @fourcc: V4L2_PIX_FMT_*
 * @bytes_per_pixel: of the first plane
 * @bits_per_pixel: of the whole frame
 * @rgb: full-range RGB, not limited-range YCbCr
 * @planes: of colour differences, behind the first one
 * @per_two: their bytes for two bytes of a line of the first
 * @lines: of the first for one of theirs
 */
struct avring_format {
	u32 fourcc;
	u8 bytes_per_pixel;
	u8 bits_per_pixel;
	bool rgb;
	u8 planes;
	u8 per_two;
	u8 lines;
};

/* The first AVRING_BOARD_FORMATS are those that a board is asked for. */
static const struct avring_format avring_formats[] = {
	{ V4L2_PIX_FMT_YUYV,	2, 16, false },
	{ V4L2_PIX_FMT_UYVY,	2, 16, false },
	{ V4L2_PIX_FMT_XRGB32,	4, 32, true },
	{ V4L2_PIX_FMT_NV12,	1, 12, false, 1, 2, 2 },
	{ V4L2_PIX_FMT_YUV420,	1, 12, false, 2, 1, 2 },
	{ V4L2_PIX_FMT_RGB24,	3, 24, true },
	{ V4L2_PIX_FMT_XBGR32,	4, 32, true },
	{ V4L2_PIX_FMT_GREY,	1,  8, false },
	{ V4L2_PIX_FMT_BGR24,	3, 24, true },
	{ V4L2_PIX_FMT_YVU420,	1, 12, false, 2, 1, 2 },
	{ V4L2_PIX_FMT_YUV422P,	1, 16, false, 2, 1, 1 },
	{ V4L2_PIX_FMT_RGB565,	2, 16, true },
	{ V4L2_PIX_FMT_ARGB32,	4, 32, true },
	{ V4L2_PIX_FMT_ABGR32,	4, 32, true },
};

#define AVRING_BOARD_FORMATS	8

const struct avring_limits avring_limits_virtual = {
	.n_formats = ARRAY_SIZE(avring_formats),
	.min_width = 16, .max_width = AVRING_MAX_WIDTH,
	.min_height = 16, .max_height = AVRING_MAX_HEIGHT,
};
EXPORT_SYMBOL_AVRING(avring_limits_virtual);

const struct avring_limits avring_limits_board = {
	.n_formats = AVRING_BOARD_FORMATS,
	.min_width = 160, .max_width = 4096,
	.min_height = 120, .max_height = 2160,
};
EXPORT_SYMBOL_AVRING(avring_limits_board);

/*
 * Any even size in between works too. The capture node offers a list, because
 * browsers look at discrete sizes only; the output node offers the range. Who asks for
 * nothing takes the first of a list, or the last. 3840x2160 is not in it: GStreamer takes
 * that, if it is offered, without having been asked for it.
 */
static const struct v4l2_frmsize_discrete avring_sizes[] = {
	{  640,  480 }, {  640,  360 }, {  800,  600 }, {  848,  480 },
	{  960,  540 }, { 1024,  768 }, { 1280,  720 }, { 1280,  960 },
	{ 1920, 1080 }, { 2560, 1440 },
	{  160,  120 }, {  320,  240 }, {  768,  576 },
};

/*
 * Frame intervals in seconds. The first one that a size is offered is the best for who
 * does not mind, and the last one does no harm either.
 */
static const struct v4l2_fract avring_intervals[] = {
	{ 1, 30 },	{ 1, 25 },	{ 1, 24 },	{ 1, 15 },
	{ 1, 10 },	{ 1, 1 },	{ 1, 5 },	{ 1, 50 },
	{ 1, 60 },	{ 1, 120 },	{ 1001, 120000 },	{ 1001, 60000 },
	{ 1001, 24000 },	{ 1001, 30000 },
};

/* What is offered to who takes the largest or the fastest; S_PARM takes any rate. */
#define AVRING_OFFERED_PIXELS	(1920ULL * 1080 * 60)

static const struct avring_format *avring_format_find(const struct avring_limits *limits,
						      u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < limits->n_formats; i++)
		if (avring_formats[i].fourcc == fourcc)
			return &avring_formats[i];
	return NULL;
}

/**
 * avring_format_fourcc() - enumerate pixel formats
 * @limits: of the card
 * @index: 0 and up
 *
 * Return: V4L2_PIX_FMT_*, or 0 behind the last.
 */
u32 avring_format_fourcc(const struct avring_limits *limits, unsigned int index)
{
	return index < limits->n_formats ? avring_formats[index].fourcc : 0;
}

/**
 * avring_format_known() - can a card do this pixel format?
 * @limits: of the card
 * @fourcc: V4L2_PIX_FMT_*
 *
 * Return: true if S_FMT leaves it as it is.
 */
bool avring_format_known(const struct avring_limits *limits, u32 fourcc)
{
	return avring_format_find(limits, fourcc);
}
EXPORT_SYMBOL_AVRING(avring_format_known);

/* The smallest and the largest of avring_sizes. */
#define AVRING_LEAST_WIDTH	160
#define AVRING_LEAST_HEIGHT	120
#define AVRING_MOST_WIDTH	2560
#define AVRING_MOST_HEIGHT	1440

/*
 * Even, and never more than was asked for. A wish that no size could fulfil (v4l2-compliance
 * asks for 1x1 and 16384x16384) becomes one that is listed.
 */
static u32 avring_format_side(u32 wish, u32 min, u32 least, u32 max, u32 most)
{
	if (wish < min)
		return least;
	return wish > max ? most : wish & ~1;
}

/* No frame is larger than AVRING_MAX_FRAME. */
static void avring_format_bound(const struct avring_limits *limits, struct v4l2_pix_format *pix,
				u32 bits_per_pixel)
{
	u32 lines;

	pix->width = avring_format_side(pix->width, limits->min_width, AVRING_LEAST_WIDTH,
					limits->max_width, AVRING_MOST_WIDTH);
	pix->height = avring_format_side(pix->height, limits->min_height, AVRING_LEAST_HEIGHT,
					 limits->max_height, AVRING_MOST_HEIGHT);
	lines = AVRING_MAX_FRAME * 8 / (pix->width * bits_per_pixel);
	pix->height = min(pix->height, lines & ~1);
}

/**
 * avring_format_try() - clamp a format to what the card can do
 * @limits: of the card
 * @pix: wish in, result out; every field is filled
 */
void avring_format_try(const struct avring_limits *limits, struct v4l2_pix_format *pix)
{
	const struct avring_format *fmt = avring_format_find(limits, pix->pixelformat);

	if (!fmt)
		fmt = &avring_formats[0];
	avring_format_bound(limits, pix, fmt->bits_per_pixel);
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
EXPORT_SYMBOL_AVRING(avring_format_try);

/**
 * avring_format_planes() - where the planes of a picture lie
 * @pix: a format that went through avring_format_try()
 * @video: its planes are filled, others than its are zero
 */
void avring_format_planes(const struct v4l2_pix_format *pix, struct avring_video_format *video)
{
	const struct avring_format *fmt = avring_format_find(&avring_limits_virtual,
							     pix->pixelformat);
	const u32 stride = pix->bytesperline * fmt->per_two / 2;
	u32 at = pix->bytesperline * pix->height, i;

	memset(video->plane, 0, sizeof(video->plane));
	video->planes = 1 + fmt->planes;
	video->plane[0].bytesperline = pix->bytesperline;
	for (i = 1; i < video->planes; i++) {
		video->plane[i].offset = at;
		video->plane[i].bytesperline = stride;
		at += stride * (pix->height / fmt->lines);
	}
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
	avring_format_try(&avring_limits_virtual, pix);
}
EXPORT_SYMBOL_AVRING(avring_format_default);

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
EXPORT_SYMBOL_AVRING(avring_format_equal);

/**
 * avring_format_frame_size() - VIDIOC_ENUM_FRAMESIZES as a list of common sizes
 * @limits: of the card
 * @size: index and pixel format in, size out
 *
 * Return: 0 or -EINVAL behind the last, or for an unknown pixel format.
 */
int avring_format_frame_size(const struct avring_limits *limits, struct v4l2_frmsizeenum *size)
{
	if (size->index >= ARRAY_SIZE(avring_sizes) ||
	    !avring_format_find(limits, size->pixel_format))
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
	size->discrete = avring_sizes[size->index];
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_format_frame_size);

/**
 * avring_format_size_range() - VIDIOC_ENUM_FRAMESIZES as one range
 * @limits: of the card
 * @size: index and pixel format in, range out
 *
 * Return: 0 or -EINVAL behind the first, or for an unknown pixel format.
 */
int avring_format_size_range(const struct avring_limits *limits, struct v4l2_frmsizeenum *size)
{
	if (size->index || !avring_format_find(limits, size->pixel_format))
		return -EINVAL;
	size->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	size->stepwise = (struct v4l2_frmsize_stepwise){
		.min_width = limits->min_width, .max_width = limits->max_width, .step_width = 2,
		.min_height = limits->min_height, .max_height = limits->max_height,
		.step_height = 2,
	};
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_format_size_range);

static bool avring_size_valid(const struct avring_limits *limits, u32 width, u32 height)
{
	return width >= limits->min_width && width <= limits->max_width && !(width & 1) &&
	       height >= limits->min_height && height <= limits->max_height && !(height & 1);
}

/* One frame a second is offered for any size. */
static bool avring_interval_offered(const struct v4l2_fract *interval, u32 width, u32 height)
{
	return interval->denominator == interval->numerator ||
	       (u64)width * height * interval->denominator <=
		       AVRING_OFFERED_PIXELS * interval->numerator;
}

static const struct v4l2_fract *avring_interval_find(u32 index, u32 width, u32 height)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(avring_intervals); i++)
		if (avring_interval_offered(&avring_intervals[i], width, height) && !index--)
			return &avring_intervals[i];
	return NULL;
}

/**
 * avring_format_interval() - VIDIOC_ENUM_FRAMEINTERVALS for a free choice of rate
 * @limits: of the card
 * @ival: index, pixel format and size in, interval out
 *
 * Return: 0 or -EINVAL behind the last, or for a format that TRY_FMT would change.
 */
int avring_format_interval(const struct avring_limits *limits, struct v4l2_frmivalenum *ival)
{
	const struct v4l2_fract *interval;

	if (!avring_format_find(limits, ival->pixel_format) ||
	    !avring_size_valid(limits, ival->width, ival->height))
		return -EINVAL;
	interval = avring_interval_find(ival->index, ival->width, ival->height);
	if (!interval)
		return -EINVAL;
	ival->type = V4L2_FRMIVAL_TYPE_DISCRETE;
	ival->discrete = *interval;
	return 0;
}
EXPORT_SYMBOL_AVRING(avring_format_interval);

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
EXPORT_SYMBOL_AVRING(avring_rate_default);

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
EXPORT_SYMBOL_AVRING(avring_rate_nearest);
