/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the V4L2 capture node.
 */
#ifndef AVRING_CAPTURE_H
#define AVRING_CAPTURE_H

#include "ring/stream.h"
#include "video/node.h"
#include "virtual/engine.h"

/**
 * struct avring_capture - the capture node of a card
 * @node: common part
 * @input: what it shows; guarded by the node's lock
 */
struct avring_capture {
	struct avring_node node;
	enum avring_input input;
};

int avring_capture_init(struct avring_capture *cap, struct v4l2_device *v4l2_dev,
			struct avring_engine *engine, enum avring_input input);
void avring_capture_source_change(void *cap);

#endif
