/* SPDX-License-Identifier: MIT */
/*
 * people: everybody who can use a card at once, each a process: who waits in DQBUF, in
 * poll(), in WAIT for pictures and for sound, in ALSA, and who writes the ring to a disk.
 * Each ends when he is told that the card is gone, the way that he ought to be told.
 *
 * Environment: TOLD_MS  how long that may take (default 5000)
 */
#ifndef TEST_PEOPLE_H
#define TEST_PEOPLE_H

#include <stdbool.h>

#include "node.h"

/* Returns when all have something to wait for. */
void people_call(void);
/* The card will be taken away now. */
void people_take_away(void);
/* tests/card/ctl takes it away; it goes at the moment when it is not there any more. */
void people_watch_it_go(const char *command, bool (*is_there)(const struct node *node));
/* Returns when all have ended; the last of them was told in time. */
void people_end(void);
/* How many writes to the disk there have been in the middle of which the card went. */
unsigned int people_spans(void);
/* The card that is there now streams. */
void people_expect_card(void);

#endif
