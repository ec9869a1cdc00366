/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the pictures of the PCI card: its V4L2 capture node and the picture stream of its
 * ring node, filled by one channel.
 *
 *   pci/video.c	what the channel writes to, and what becomes of its frames
 *   pci/node.c	the node, as V4L2 sees it
 *
 * While anybody is attached to the ring the channel writes that, round and round, and a
 * node that streams gets a copy. Else it writes to the buffers of the node.
 */
#ifndef AVRING_PCI_VIDEO_H
#define AVRING_PCI_VIDEO_H

#include "pci/lane.h"
#include "video/counters.h"
#include "video/courier.h"
#include "video/node.h"

enum avring_pci_input {
	AVRING_PCI_INPUT_GENERATOR,
	AVRING_PCI_INPUT_LINE,
	AVRING_PCI_INPUTS
};

/**
 * struct avring_pci_video - the pictures of a card
 * @node: the V4L2 node. Its lock is outside of all others
 * @pci: the card
 * @lane: its channel and its ring. Order: node lock -> tune lock -> channel lock -> buffer
 *	list lock, ring lock
 * @streaming: the node streams; both locks of the lane, as is @pix
 * @pix: format of what the channel captures, or will; the channel is told the same
 * @courier: takes frames of the ring into buffers of others; made and recalled under the tune
 *	lock, there while @streaming
 * @carried: the frame that is under way with it; the channel's lock
 * @node_count: sequence numbers of the node since STREAMON; this and @counters: the channel's
 *	lock
 * @counters: what the node counts
 */
struct avring_pci_video {
	struct avring_node node;
	struct avring_pci *pci;
	struct avring_pci_lane lane;

	bool streaming;
	struct v4l2_pix_format pix;
	struct avring_courier *courier;
	struct avring_pci_frame carried;
	struct avring_pci_count node_count;
	struct avring_counters counters;
};

int avring_pci_video_init(struct avring_pci_video *v, struct v4l2_device *v4l2_dev,
			  struct avring_pci *pci);
void avring_pci_video_cleanup(struct avring_pci_video *v);
void avring_pci_video_signal(struct avring_pci_video *v);

/* Shared by the files above, and for nobody else. */

/* pci/video.c */
extern const struct avring_queue_ops avring_pci_video_queue_ops;
extern const struct avring_pci_channel_ops avring_pci_video_channel_ops;

int avring_pci_video_tune(struct avring_pci_video *v, const struct v4l2_pix_format *pix,
			  struct avring_rate rate);
int avring_pci_video_select(struct avring_pci_video *v, u32 input, u32 pattern);
void avring_pci_video_counters(struct avring_pci_video *v, struct avring_counters *counters);

/* pci/node.c */
int avring_pci_node_init(struct avring_pci_video *v, struct v4l2_device *v4l2_dev);

static inline struct avring_pci_video *avring_pci_video_of(struct avring_node *node)
{
	return container_of(node, struct avring_pci_video, node);
}

#endif
