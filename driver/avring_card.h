/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: one card: a camera with its microphone.
 *
 * Lock order, outermost first:
 *
 *	node lock (avring_node.lock), or control handler lock
 *	  engine lock (avring_engine.lock)
 *	    buffer list lock (avring_queue.lock)
 *	PCM stream lock
 *	  sound lock (in avring_audio)
 *	store lock (avring_store.lock), taken under any of the sleeping ones
 *
 * Lifetime: one kref. The driver holds one reference from probe to remove, the
 * V4L2 device one until its last node is closed, the sound card one until its
 * last file is closed. The last one frees the card. Mappings hold stores, not
 * cards.
 */
#ifndef AVRING_CARD_H
#define AVRING_CARD_H

struct avring_card;
struct device;

/**
 * struct avring_card_config - how a card starts
 * @number: 0 and up; names the card
 * @loopback: picture and sound come from the producer, not from the generators
 */
struct avring_card_config {
	int number;
	bool loopback;
};

struct avring_card *avring_card_new(struct device *dev, const struct avring_card_config *config);
int avring_card_register(struct avring_card *card);
void avring_card_remove(struct avring_card *card);
void avring_card_wait_released(void);

#endif
