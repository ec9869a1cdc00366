// SPDX-License-Identifier: MIT
/*
 * picture: formats of V4L2 capture nodes.
 *
 * A wish is met exactly or refused; what a node would make of it is found out
 * before anything is changed.
 */
#include <linux/videodev2.h>

#include "internal.h"

/**
 * struct avring_picture - a format on its way
 * @fd: capture node
 * @format: as V4L2 has it; its type says whether there are planes
 */
struct avring_picture {
	int fd;
	struct v4l2_format format;
};

static bool avring_picture_has_planes(const struct avring_picture *picture)
{
	return picture->format.type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

int avring_picture_type(int fd, uint32_t *type)
{
	struct v4l2_capability cap;
	int error = avring_ioctl_retry(fd, VIDIOC_QUERYCAP, &cap);
	uint32_t caps;

	if (error)
		return error == -ENOTTY ? -EOPNOTSUPP : error;
	caps = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps : cap.capabilities;
	if (!(caps & V4L2_CAP_STREAMING))
		return -EOPNOTSUPP;
	if (caps & V4L2_CAP_VIDEO_CAPTURE)
		*type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	else if (caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE)
		*type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	else
		return -EOPNOTSUPP;
	return 0;
}

static void avring_picture_from_planes(const struct v4l2_pix_format_mplane *pix,
				       struct avring_video_format *format)
{
	*format = (struct avring_video_format){
		.pixelformat = pix->pixelformat,
		.width = pix->width,
		.height = pix->height,
		.bytesperline = pix->plane_fmt[0].bytesperline,
		.sizeimage = pix->plane_fmt[0].sizeimage,
		.colorspace = pix->colorspace,
		.xfer_func = pix->xfer_func,
		.ycbcr_enc = pix->ycbcr_enc,
		.quantization = pix->quantization,
		.field = pix->field,
	};
	avring_format_fill_planes(format);
}

static void avring_picture_from_pix(const struct v4l2_pix_format *pix,
				    struct avring_video_format *format)
{
	*format = (struct avring_video_format){
		.pixelformat = pix->pixelformat,
		.width = pix->width,
		.height = pix->height,
		.bytesperline = pix->bytesperline,
		.sizeimage = pix->sizeimage,
		.colorspace = pix->colorspace,
		.xfer_func = pix->xfer_func,
		.ycbcr_enc = pix->ycbcr_enc,
		.quantization = pix->quantization,
		.field = pix->field,
	};
	avring_format_fill_planes(format);
}

/* Without the rate. */
static int avring_picture_convert(const struct avring_picture *picture,
				  struct avring_video_format *format)
{
	if (!avring_picture_has_planes(picture)) {
		avring_picture_from_pix(&picture->format.fmt.pix, format);
		return 0;
	}
	avring_picture_from_planes(&picture->format.fmt.pix_mp, format);
	/* A frame is one range of memory here. */
	return picture->format.fmt.pix_mp.num_planes == 1 ? 0 : -EOPNOTSUPP;
}

static void avring_picture_wish_planes(struct v4l2_pix_format_mplane *pix,
				       const struct avring_video_format *wish)
{
	pix->pixelformat = wish->pixelformat ?: pix->pixelformat;
	pix->width = wish->width ?: pix->width;
	pix->height = wish->height ?: pix->height;
	pix->num_planes = 1;
	pix->plane_fmt[0].bytesperline = wish->bytesperline;
	pix->plane_fmt[0].sizeimage = wish->sizeimage;
}

/* Sizes that are not wished follow from the rest. */
static void avring_picture_wish(struct avring_picture *picture,
				const struct avring_video_format *wish)
{
	struct v4l2_pix_format *pix = &picture->format.fmt.pix;

	if (avring_picture_has_planes(picture)) {
		avring_picture_wish_planes(&picture->format.fmt.pix_mp, wish);
		return;
	}
	pix->pixelformat = wish->pixelformat ?: pix->pixelformat;
	pix->width = wish->width ?: pix->width;
	pix->height = wish->height ?: pix->height;
	pix->bytesperline = wish->bytesperline;
	pix->sizeimage = wish->sizeimage;
}

static bool avring_picture_meets(uint32_t wish, uint32_t got)
{
	return !wish || wish == got;
}

static bool avring_picture_has_format(const struct avring_video_format *wish,
				      const struct avring_video_format *got)
{
	return avring_picture_meets(wish->pixelformat, got->pixelformat) &&
	       avring_picture_meets(wish->width, got->width) &&
	       avring_picture_meets(wish->height, got->height) &&
	       avring_picture_meets(wish->bytesperline, got->bytesperline) &&
	       avring_picture_meets(wish->sizeimage, got->sizeimage) &&
	       avring_picture_meets(wish->colorspace, got->colorspace) &&
	       avring_picture_meets(wish->xfer_func, got->xfer_func) &&
	       avring_picture_meets(wish->ycbcr_enc, got->ycbcr_enc) &&
	       avring_picture_meets(wish->quantization, got->quantization);
}

bool avring_picture_has_rate(const struct avring_video_format *wish,
			     const struct avring_video_format *got)
{
	return !wish->rate_num ||
	       (uint64_t)wish->rate_num * got->rate_den == (uint64_t)got->rate_num * wish->rate_den;
}

bool avring_picture_has(const struct avring_video_format *wish,
			const struct avring_video_format *got)
{
	return avring_picture_has_format(wish, got) && avring_picture_has_rate(wish, got);
}

/* A node without a rate has 0/0. */
static int avring_picture_rate(const struct avring_picture *picture,
			       struct avring_video_format *format)
{
	struct v4l2_streamparm parm = { .type = picture->format.type };
	int error = avring_ioctl_retry(picture->fd, VIDIOC_G_PARM, &parm);

	if (error)
		return error == -ENOTTY || error == -EINVAL ? 0 : error;
	if (!(parm.parm.capture.capability & V4L2_CAP_TIMEPERFRAME))
		return 0;
	format->rate_num = parm.parm.capture.timeperframe.denominator;
	format->rate_den = parm.parm.capture.timeperframe.numerator;
	return 0;
}

static int avring_picture_load(struct avring_picture *picture, int fd,
			       struct avring_video_format *format)
{
	int error;

	*picture = (struct avring_picture){ .fd = fd };
	error = avring_picture_type(fd, &picture->format.type);
	if (!error)
		error = avring_ioctl_retry(fd, VIDIOC_G_FMT, &picture->format);
	if (!error)
		error = avring_picture_convert(picture, format);
	return error ?: avring_picture_rate(picture, format);
}

int avring_picture_get(int fd, struct avring_video_format *format)
{
	struct avring_picture picture;

	return avring_picture_load(&picture, fd, format);
}

/* What the node makes of the format. */
static int avring_picture_ask(struct avring_picture *picture,
			      const struct avring_video_format *wish,
			      struct avring_video_format *got)
{
	int error;

	avring_picture_wish(picture, wish);
	error = avring_ioctl_retry(picture->fd, VIDIOC_TRY_FMT, &picture->format);
	return error ?: avring_picture_convert(picture, got);
}

int avring_picture_would(int fd, const struct avring_video_format *wish,
			 struct avring_video_format *got)
{
	struct avring_picture picture;
	int error = avring_picture_load(&picture, fd, got);

	return error ?: avring_picture_ask(&picture, wish, got);
}

/* Refused if that is not what was wished. */
static int avring_picture_try(struct avring_picture *picture,
			      const struct avring_video_format *wish)
{
	struct avring_video_format got;
	int error = avring_picture_ask(picture, wish, &got);

	if (error)
		return error;
	return avring_picture_has_format(wish, &got) ? 0 : -EINVAL;
}

static int avring_picture_set_rate(const struct avring_picture *picture,
				   const struct avring_video_format *wish)
{
	struct v4l2_streamparm parm = { .type = picture->format.type };
	int error;

	parm.parm.capture.timeperframe.numerator = wish->rate_den;
	parm.parm.capture.timeperframe.denominator = wish->rate_num;
	error = avring_ioctl_retry(picture->fd, VIDIOC_S_PARM, &parm);
	return error == -ENOTTY ? -EINVAL : error;
}

static int avring_picture_change(struct avring_picture *picture,
				 const struct avring_video_format *wish,
				 const struct avring_video_format *have)
{
	struct avring_video_format got;
	int error = 0;

	if (!avring_picture_has_format(wish, have))
		error = avring_ioctl_retry(picture->fd, VIDIOC_S_FMT, &picture->format);
	/* A format may bring a rate with it. */
	if (!error)
		error = avring_picture_get(picture->fd, &got);
	if (!error && !avring_picture_has_rate(wish, &got)) {
		error = avring_picture_set_rate(picture, wish);
		if (!error)
			error = avring_picture_get(picture->fd, &got);
	}
	if (error)
		return error;
	return avring_picture_has(wish, &got) ? 0 : -EINVAL;
}

int avring_picture_negotiate(int fd, const struct avring_video_format *wish,
			     int (*may_change)(void *arg), void *arg)
{
	struct avring_picture picture;
	struct avring_video_format have;
	int error;

	if (avring_format_has_video_reserved(wish) || !wish->rate_num != !wish->rate_den)
		return -EINVAL;
	error = avring_picture_load(&picture, fd, &have);
	if (error || avring_picture_has(wish, &have))
		return error;
	error = avring_picture_try(&picture, wish);
	if (!error && may_change)
		error = may_change(arg);
	return error ?: avring_picture_change(&picture, wish, &have);
}

/* A receiver takes over what it sees on its input; others have nothing of that. */
static void avring_picture_follow_input(int fd)
{
	struct v4l2_dv_timings timings = { 0 };
	v4l2_std_id std;

	if (!avring_ioctl_retry(fd, VIDIOC_QUERY_DV_TIMINGS, &timings))
		avring_ioctl_retry(fd, VIDIOC_S_DV_TIMINGS, &timings);
	else if (!avring_ioctl_retry(fd, VIDIOC_QUERYSTD, &std) && std)
		avring_ioctl_retry(fd, VIDIOC_S_STD, &std);
}

int avring_picture_refresh(int fd)
{
	struct avring_video_format format;
	struct avring_picture picture;
	int error;

	avring_picture_follow_input(fd);
	error = avring_picture_load(&picture, fd, &format);
	return error ?: avring_ioctl_retry(fd, VIDIOC_S_FMT, &picture.format);
}
