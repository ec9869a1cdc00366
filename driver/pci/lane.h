/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: a channel of the PCI card that writes the ring of a stream, round and round, for
 * pictures and sound alike. Its owner decides when, in which format, and what else becomes
 * of a frame.
 */
#ifndef AVRING_PCI_LANE_H
#define AVRING_PCI_LANE_H

#include "memory/dma.h"
#include "pci/pci.h"
#include "ring/stream.h"

/**
 * struct avring_pci_backed - a ring and its data as the card sees it
 * @ring: or NULL
 * @dma: mapped, if there is a ring
 */
struct avring_pci_backed {
	struct avring_ring *ring;
	struct avring_dma dma;
};

/**
 * struct avring_pci_lane - the part of an owner
 * @ch: the channel
 * @stream: the ring; its owner's lock is the channel's, and its tune lock is outside of it
 * @dma: the ring as the card sees it, if there is one. This and the rest: under the
 *	channel's lock
 * @config: what the channel captures, or will; its format and rate change under the tune lock,
 *	too
 * @ahead: frames that the card would like to write without asking
 * @depth: that it may, in this ring
 * @granted: frames since the start of the channel
 * @count: sequence numbers since the stream got its first user
 */
struct avring_pci_lane {
	struct avring_pci_channel *ch;
	struct avring_stream stream;

	struct avring_dma dma;
	struct avring_pci_config config;
	u32 ahead;
	u32 depth;
	u32 granted;
	struct avring_pci_count count;
};

int avring_pci_back(struct avring_pci_lane *lane, struct avring_ring *ring,
		    struct avring_pci_backed *backed);
void avring_pci_unback(struct avring_pci_backed *backed);

void avring_pci_lane_swap(struct avring_pci_lane *lane, struct avring_pci_backed *backed,
			  u32 state);
int avring_pci_lane_run(struct avring_pci_lane *lane);
bool avring_pci_lane_expects(const struct avring_pci_lane *lane,
			     const struct avring_pci_frame *frame);
void avring_pci_lane_publish(struct avring_pci_lane *lane, const struct avring_pci_frame *frame,
			     u32 bytes, u32 units, u32 flags);
void avring_pci_lane_next(struct avring_pci_lane *lane, const struct avring_pci_frame *frame);

#endif
