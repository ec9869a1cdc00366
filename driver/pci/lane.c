// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a channel that writes a ring. See pci/lane.h.
 *
 * The tail of the ring is given up some frames ahead of the card, because nobody asks it
 * when it begins to write one: a reader that looks at the tail after it has used a frame
 * knows whether that was intact.
 */
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "pci/lane.h"

static u64 avring_pci_lane_stride(const struct avring_ring *ring)
{
	return ALIGN((u64)ring->geometry.frame_bytes, (u64)ring->geometry.align);
}

/* Byte of the ring's first image where a position lies. */
static size_t avring_pci_lane_offset(const struct avring_ring *ring, u64 position)
{
	u64 offset;

	div64_u64_rem(position, ring->geometry.length, &offset);
	return offset;
}

/**
 * avring_pci_back() - let the card see a ring
 * @lane: that the ring is for
 * @ring: taken over, whether this succeeds or not
 * @backed: filled
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM, -EINVAL, -EIO.
 */
int avring_pci_back(struct avring_pci_lane *lane, struct avring_ring *ring,
		    struct avring_pci_backed *backed)
{
	int err = avring_dma_map(&backed->dma, &lane->ch->pci->pdev->dev, ring->data,
				 DMA_FROM_DEVICE);

	backed->ring = ring;
	if (err)
		avring_ring_put(ring);
	return err;
}

/**
 * avring_pci_unback() - undo avring_pci_back()
 * @backed: the card does not write to it; may have no ring
 */
void avring_pci_unback(struct avring_pci_backed *backed)
{
	if (!backed->ring)
		return;
	avring_dma_unmap(&backed->dma);
	avring_ring_put(backed->ring);
}

/**
 * avring_pci_lane_swap() - another ring, or none
 * @lane: tune lock and channel's lock are held, and the channel does not run
 * @backed: the new one, or without a ring; has the old one then, for avring_pci_unback()
 * @state: AVRING_STATE_* of the old one
 */
void avring_pci_lane_swap(struct avring_pci_lane *lane, struct avring_pci_backed *backed,
			  u32 state)
{
	const struct avring_dma dma = backed->dma;

	lockdep_assert_held(&lane->stream.tune);
	lockdep_assert_held(&lane->ch->lock);
	backed->dma = lane->dma;
	backed->ring = avring_stream_replace(&lane->stream, backed->ring, state);
	lane->dma = dma;
	if (!lane->stream.users)
		memset(&lane->count, 0, sizeof(lane->count));
}

/* Give up the tail, then let the card write @frames more. */
static void avring_pci_lane_grant(struct avring_pci_lane *lane, u32 frames)
{
	struct avring_ring *ring = lane->stream.ring;
	const u64 stride = avring_pci_lane_stride(ring);
	const u64 position = avring_ring_next_position(ring) + (lane->depth - frames) * stride;

	avring_ring_reserve(ring, lane->depth);
	avring_dma_sync_for_device(&lane->dma, avring_pci_lane_offset(ring, position),
				   frames * stride);
	lane->granted += frames;
	avring_pci_grant(lane->ch, lane->granted);
}

/* At most half of the ring: the rest is for the readers. */
static u32 avring_pci_lane_depth(const struct avring_pci_lane *lane)
{
	const struct avring_ring *ring = lane->stream.ring;
	const u64 room = div64_u64(ring->geometry.length, avring_pci_lane_stride(ring));

	return min_t(u64, lane->ahead, max_t(u64, room / 2, 1));
}

/**
 * avring_pci_lane_run() - let the channel write the ring
 * @lane: has a ring; the channel's lock is held, and it does not run
 *
 * Return: as avring_pci_start_cyclic().
 */
int avring_pci_lane_run(struct avring_pci_lane *lane)
{
	struct avring_ring *ring = lane->stream.ring;
	int err;

	lane->config.align = ring->geometry.align;
	lane->depth = avring_pci_lane_depth(lane);
	lane->granted = 0;
	err = avring_pci_start_cyclic(lane->ch, &lane->config, &lane->dma,
				      avring_ring_next_position(ring));
	if (!err)
		avring_pci_lane_grant(lane, lane->depth);
	return err;
}

/**
 * avring_pci_lane_expects() - is this frame where the next one is to be?
 * @lane: the channel's lock is held
 * @frame: that has landed
 *
 * Return: true if it is.
 */
bool avring_pci_lane_expects(const struct avring_pci_lane *lane,
			     const struct avring_pci_frame *frame)
{
	const struct avring_ring *ring = lane->stream.ring;

	return ring && frame->tag == avring_ring_next_position(ring);
}

/**
 * avring_pci_lane_publish() - show a frame to the readers of the ring
 * @lane: the channel's lock is held
 * @frame: where it was expected
 * @bytes: of it that count, not none
 * @units: so many events of the timeline are in them
 * @flags: AVRING_ENTRY_* but for AVRING_ENTRY_NO_SIGNAL, which the frame says
 */
void avring_pci_lane_publish(struct avring_pci_lane *lane, const struct avring_pci_frame *frame,
			     u32 bytes, u32 units, u32 flags)
{
	struct avring_ring *ring = lane->stream.ring;
	const struct avring_entry entry = {
		.time_ns = frame->mono_ns,
		.event = frame->event,
		.sequence = avring_pci_sequence(&lane->count, lane->config.rate, frame, units),
		.count = units,
		.length = bytes,
		.flags = flags |
			 (frame->flags & AVRING_PCI_DONE_NO_SIGNAL ? AVRING_ENTRY_NO_SIGNAL : 0),
	};

	avring_dma_sync_for_cpu(&lane->dma, avring_pci_lane_offset(ring, frame->tag), bytes);
	avring_ring_commit(ring, &entry);
}

/**
 * avring_pci_lane_next() - the card may write one more frame
 * @lane: the channel's lock is held
 * @frame: where it was expected, published or not. The card goes on where a whole one would
 *	have ended
 */
void avring_pci_lane_next(struct avring_pci_lane *lane, const struct avring_pci_frame *frame)
{
	avring_ring_skip(lane->stream.ring, frame->tag + lane->config.frame_bytes);
	avring_pci_lane_grant(lane, 1);
}
