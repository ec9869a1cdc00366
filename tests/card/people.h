/* SPDX-License-Identifier: MIT */
/*
 * people: everybody who can use a card at once, each a process: who waits in DQBUF, in
 * poll(), in WAIT for pictures and for sound, in ALSA, and who writes frames of the ring to a
 * disk. Each ends when he is told that the card is gone, the way that he ought to be told.
 */
#ifndef TEST_PEOPLE_H
#define TEST_PEOPLE_H

#include <stdint.h>

/* Returns when all have something to wait for. */
void people_call(void);
/* The card will be taken away now. */
void people_take_away(void);
/* Returns when all have ended: how many ms after that the last was told. */
uint64_t people_end(void);
/* The card that is there now streams. */
void people_expect_card(void);

#endif
