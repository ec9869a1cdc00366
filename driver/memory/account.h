/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: who has how much, and may have: all cards, each card, each user.
 *
 * Memory is counted for as long as it exists: whoever keeps that of a ring which has ended, or of
 * a file which was closed, has it still.
 *
 * Lifetime: a card holds a reference on its account, and each charge does, for stores outlive
 * cards.
 */
#ifndef AVRING_ACCOUNT_H
#define AVRING_ACCOUNT_H

#include <linux/types.h>

struct avring_account;
struct avring_payer;

/**
 * enum avring_resource - what is counted
 * @AVRING_PAGES: that stores are made of
 * @AVRING_READERS: files that are attached to a ring
 * @AVRING_RESOURCES: number of these
 */
enum avring_resource {
	AVRING_PAGES,
	AVRING_READERS,
	AVRING_RESOURCES
};

/**
 * struct avring_charge - what one store, or one file, costs
 * @account: of the card
 * @payer: the user who asked for it
 * @resource: what
 * @amount: how much
 */
struct avring_charge {
	struct avring_account *account;
	struct avring_payer *payer;
	enum avring_resource resource;
	unsigned long amount;
};

struct avring_account *avring_account_new(const char *card);
void avring_account_put(struct avring_account *account);

int avring_charge(struct avring_charge *charge, struct avring_account *account,
		  enum avring_resource resource, unsigned long amount);
void avring_uncharge(const struct avring_charge *charge);
u64 avring_account_share(void);

#endif
