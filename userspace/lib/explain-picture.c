// SPDX-License-Identifier: MIT
/*
 * explain-picture: what a V4L2 capture node can do. Lists are what the node enumerates;
 * the nearest size is what it would make of the wish. Nothing is set.
 */
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "explain.h"

/**
 * struct avring_node - a capture node that is asked
 * @fd: of it
 * @type: V4L2_BUF_TYPE_*
 * @have: what it is set to
 */
struct avring_node {
	int fd;
	uint32_t type;
	struct avring_video_format have;
};

static void avring_explain_fourcc(uint32_t fourcc, char text[5])
{
	for (int i = 0; i < 4; i++) {
		char c = fourcc >> 8 * i;

		text[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	text[4] = '\0';
	for (int i = 3; i && text[i] == ' '; i--)
		text[i] = '\0';
}

static bool avring_explain_pixels(struct avring_refusal *refusal, const struct avring_node *node,
				  uint32_t wish)
{
	struct v4l2_fmtdesc desc = { .type = node->type };
	unsigned int n = 0;
	char text[5];

	for (; wish && !avring_ioctl_retry(node->fd, VIDIOC_ENUM_FMT, &desc); desc.index++)
		if (desc.pixelformat == wish)
			return false;
	if (!wish || !desc.index)
		return false;
	avring_explain_fourcc(wish, text);
	avring_explain_member(refusal, "video.pixelformat");
	avring_explain_say(refusal, "pixel format %s: not possible; possible: ", text);
	for (desc.index = 0; !avring_ioctl_retry(node->fd, VIDIOC_ENUM_FMT, &desc); desc.index++) {
		avring_explain_fourcc(desc.pixelformat, text);
		avring_explain_item(refusal, &n, "%s", text);
	}
	refusal->nearest.video.pixelformat = node->have.pixelformat;
	return true;
}

static void avring_explain_size_list(struct avring_refusal *refusal, const struct avring_node *node,
				     uint32_t pixelformat)
{
	struct v4l2_frmsizeenum size = { .pixel_format = pixelformat };
	const struct v4l2_frmsize_stepwise *range = &size.stepwise;
	unsigned int n = 0;

	for (; !avring_ioctl_retry(node->fd, VIDIOC_ENUM_FRAMESIZES, &size); size.index++) {
		if (!n)
			avring_explain_say(refusal, "; listed: ");
		if (size.type == V4L2_FRMSIZE_TYPE_DISCRETE)
			avring_explain_item(refusal, &n, "%ux%u", size.discrete.width,
					    size.discrete.height);
		else
			avring_explain_item(refusal, &n, "%ux%u to %ux%u in steps of %ux%u",
					    range->min_width, range->min_height, range->max_width,
					    range->max_height, range->step_width,
					    range->step_height);
	}
}

/* What would come of a size. */
static bool avring_explain_try_size(const struct avring_node *node, uint32_t pixelformat,
				    uint32_t width, uint32_t height,
				    struct avring_video_format *got)
{
	const struct avring_video_format wish = { .pixelformat = pixelformat,
						  .width = width,
						  .height = height };

	return !avring_picture_would(node->fd, &wish, got);
}

/* A card takes sizes beyond those that it makes of nonsense: then these are no range. */
static bool avring_explain_is_bound(const struct avring_node *node,
				    const struct avring_video_format *bound, int beyond)
{
	struct avring_video_format got;

	return !avring_explain_try_size(node, bound->pixelformat, bound->width + beyond,
					bound->height + beyond, &got) ||
	       (got.width == bound->width && got.height == bound->height);
}

static void avring_explain_size_range(struct avring_refusal *refusal,
				      const struct avring_node *node, uint32_t pixelformat)
{
	struct avring_video_format least, most;

	if (avring_explain_try_size(node, pixelformat, 1, 1, &least) &&
	    avring_explain_try_size(node, pixelformat, UINT16_MAX, UINT16_MAX, &most) &&
	    avring_explain_is_bound(node, &least, -2) && avring_explain_is_bound(node, &most, 2))
		avring_explain_say(refusal, "; from %ux%u to %ux%u", least.width, least.height,
				   most.width, most.height);
}

static bool avring_explain_size(struct avring_refusal *refusal, const struct avring_node *node,
				const struct avring_video_format *wish)
{
	uint32_t pixelformat = wish->pixelformat ?: node->have.pixelformat;
	struct avring_video_format near;
	uint32_t width = wish->width ?: node->have.width;
	uint32_t height = wish->height ?: node->have.height;

	if (!avring_explain_try_size(node, pixelformat, width, height, &near) ||
	    (near.width == width && near.height == height))
		return false;
	avring_explain_member(refusal, near.width == width ? "video.height" : "video.width");
	avring_explain_say(refusal, "size %ux%u: not possible, nearest is %ux%u", width, height,
			   near.width, near.height);
	avring_explain_size_range(refusal, node, pixelformat);
	avring_explain_size_list(refusal, node, pixelformat);
	refusal->nearest.video.width = near.width;
	refusal->nearest.video.height = near.height;
	return true;
}

/* What follows from format and size, and cannot be chosen or only in part. */
static bool avring_explain_layout(struct avring_refusal *refusal, const struct avring_node *node,
				  const struct avring_video_format *wish)
{
	static const struct {
		const char *member;
		size_t offset;
	} rows[] = {
		{ "bytesperline", offsetof(struct avring_video_format, bytesperline) },
		{ "sizeimage", offsetof(struct avring_video_format, sizeimage) },
		{ "colorspace", offsetof(struct avring_video_format, colorspace) },
		{ "xfer_func", offsetof(struct avring_video_format, xfer_func) },
		{ "ycbcr_enc", offsetof(struct avring_video_format, ycbcr_enc) },
		{ "quantization", offsetof(struct avring_video_format, quantization) },
	};
	struct avring_video_format got;
	char member[32];

	if (avring_picture_would(node->fd, wish, &got))
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t wished, given;

		memcpy(&wished, (const char *)wish + rows[i].offset, sizeof(wished));
		memcpy(&given, (const char *)&got + rows[i].offset, sizeof(given));
		if (!wished || wished == given)
			continue;
		snprintf(member, sizeof(member), "video.%s", rows[i].member);
		avring_explain_member(refusal, member);
		avring_explain_say(refusal, "%s %u: not possible, nearest is %u", rows[i].member,
				   wished, given);
		memcpy((char *)&refusal->nearest.video + rows[i].offset, &given, sizeof(given));
		return true;
	}
	return false;
}

static void avring_explain_rate_text(struct v4l2_fract interval, char *text, size_t size)
{
	if (interval.numerator == 1)
		snprintf(text, size, "%u", interval.denominator);
	else
		snprintf(text, size, "%u/%u", interval.denominator, interval.numerator);
}

/* How far an interval is from a wished rate, in pictures per second. */
static double avring_explain_distance(struct v4l2_fract interval,
				      const struct avring_video_format *wish)
{
	double rate = interval.numerator ? (double)interval.denominator / interval.numerator : 0;
	double distance = rate - (double)wish->rate_num / wish->rate_den;

	return distance < 0 ? -distance : distance;
}

/* Of a list the nearest one; of a range one of its ends. */
static struct v4l2_fract avring_explain_interval(const struct v4l2_frmivalenum *row,
						 const struct avring_video_format *wish)
{
	if (row->type == V4L2_FRMIVAL_TYPE_DISCRETE)
		return row->discrete;
	return avring_explain_distance(row->stepwise.min, wish) <
			       avring_explain_distance(row->stepwise.max, wish) ?
		       row->stepwise.min :
		       row->stepwise.max;
}

/* The nearest rate for a format; false if the node has no list of rates. */
static bool avring_explain_nearest_rate(const struct avring_node *node,
					struct v4l2_frmivalenum *row,
					const struct avring_video_format *wish,
					struct v4l2_fract *near)
{
	for (row->index = 0; !avring_ioctl_retry(node->fd, VIDIOC_ENUM_FRAMEINTERVALS, row);
	     row->index++) {
		struct v4l2_fract interval = avring_explain_interval(row, wish);

		if (!row->index ||
		    avring_explain_distance(interval, wish) < avring_explain_distance(*near, wish))
			*near = interval;
	}
	return row->index;
}

static void avring_explain_rate_list(struct avring_refusal *refusal, const struct avring_node *node,
				     struct v4l2_frmivalenum *row)
{
	unsigned int n = 0;
	char least[24], most[24];

	for (row->index = 0; !avring_ioctl_retry(node->fd, VIDIOC_ENUM_FRAMEINTERVALS, row);
	     row->index++) {
		if (row->type == V4L2_FRMIVAL_TYPE_DISCRETE) {
			avring_explain_rate_text(row->discrete, most, sizeof(most));
			avring_explain_item(refusal, &n, "%s", most);
		} else {
			avring_explain_rate_text(row->stepwise.max, least, sizeof(least));
			avring_explain_rate_text(row->stepwise.min, most, sizeof(most));
			avring_explain_item(refusal, &n, "%s to %s", least, most);
		}
	}
}

static bool avring_explain_rate(struct avring_refusal *refusal, const struct avring_node *node,
				const struct avring_video_format *wish)
{
	struct v4l2_frmivalenum row = { .pixel_format = wish->pixelformat ?: node->have.pixelformat,
					.width = wish->width ?: node->have.width,
					.height = wish->height ?: node->have.height };
	struct v4l2_fract near = { node->have.rate_den, node->have.rate_num };
	char asked[24], text[24];
	bool has_list;

	if (!wish->rate_num || avring_picture_has_rate(wish, &node->have))
		return false;
	has_list = avring_explain_nearest_rate(node, &row, wish, &near);
	avring_explain_rate_text((struct v4l2_fract){ wish->rate_den, wish->rate_num }, asked,
				 sizeof(asked));
	avring_explain_rate_text(near, text, sizeof(text));
	avring_explain_member(refusal, "video.rate_num");
	refusal->nearest.video.rate_num = near.denominator;
	refusal->nearest.video.rate_den = near.numerator;
	if (!near.numerator) {
		avring_explain_say(refusal, "%s pictures per second: the device takes no rate",
				   asked);
		return true;
	}
	avring_explain_say(refusal, "%s pictures per second: not possible, nearest is %s", asked,
			   text);
	if (has_list) {
		avring_explain_say(refusal, "; possible at %ux%u: ", row.width, row.height);
		avring_explain_rate_list(refusal, node, &row);
	}
	return true;
}

bool avring_explain_picture(struct avring_refusal *refusal, const char *path,
			    const struct avring_video_format *wish)
{
	struct avring_node node = { .fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK) };
	bool said = false;

	if (node.fd < 0)
		return false;
	if (!avring_picture_type(node.fd, &node.type) && !avring_picture_get(node.fd, &node.have))
		said = avring_explain_pixels(refusal, &node, wish->pixelformat) ||
		       avring_explain_size(refusal, &node, wish) ||
		       avring_explain_layout(refusal, &node, wish) ||
		       avring_explain_rate(refusal, &node, wish);
	close(node.fd);
	return said;
}
