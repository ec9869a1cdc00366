/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: a virtual card: a camera with its microphone, made of software.
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
