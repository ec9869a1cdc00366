/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: a virtual card: a camera with its microphone, made of software.
 *
 * Lock order, outermost first:
 *
 *	ring node (avring_ringdev.alive), then its file (avring_ring_file.lock)
 *	  node lock (avring_node.lock)
 *	    tune lock of the pictures (avring_stream.tune)
 *	  control handler lock
 *	      engine lock (avring_engine.lock)
 *	        buffer list lock (avring_queue.lock)
 *	  tune lock of the sound
 *	PCM stream lock
 *	  sound lock (avring_audio.lock)
 *	    ring lock (avring_ring.lock), under the engine's lock too
 *	store lock (avring_store.lock), taken under any of the sleeping ones
 */
#ifndef AVRING_CARD_H
#define AVRING_CARD_H

struct avring_card;
struct avring_kind;
struct device;

extern struct avring_kind avring_virtual;

/**
 * struct avring_card_config - how a card starts
 * @number: that it would like, 0 and up
 * @name: chosen by the user, or NULL
 * @loopback: picture and sound come from the producer, not from the generators
 */
struct avring_card_config {
	int number;
	const char *name;
	bool loopback;
};

struct avring_card *avring_card_new(struct device *dev, const struct avring_card_config *config);
int avring_card_register(struct avring_card *card);
void avring_card_remove(struct avring_card *card);

#endif
