/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the V4L2 output node, where a producer hands its pictures in.
 */
#ifndef AVRING_OUTPUT_H
#define AVRING_OUTPUT_H

#include "video/node.h"

/**
 * struct avring_output - the output node of a card
 * @node: common part
 */
struct avring_output {
	struct avring_node node;
};

int avring_output_init(struct avring_output *out, struct v4l2_device *v4l2_dev,
		       struct avring_engine *engine);

#endif
