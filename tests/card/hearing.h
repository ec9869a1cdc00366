/* SPDX-License-Identifier: MIT */
/*
 * hearing: the sound of the first PCI card's generator through its ring, and whether it is
 * right: each sample is that of its time on the card's timeline, so what is missing is known
 * without asking the driver.
 */
#ifndef TEST_HEARING_H
#define TEST_HEARING_H

#include "camera.h"

#define HEARING_RATE 48000
/* Sample frames of a chunk. */
#define HEARING_CHUNK 480

/**
 * struct hearing - what was heard so far
 * @ring: of 174 s
 * @next: number of the next entry
 * @chunks: entries seen
 * @shortened: of these, with less than a chunk
 * @gaps: how often something was missing between two of them
 * @missing: sample frames that are
 * @sequence: of the next sample frame, if nothing is missing
 * @first: number on the card's timeline of the sample frame with sequence 0
 * @time_ns: CLOCK_MONOTONIC of the last entry
 * @card_ns: card time of the first entry
 * @offset_ns: CLOCK_MONOTONIC less card time, of the first entry
 */
struct hearing {
	struct ring ring;
	uint64_t next;
	uint64_t chunks, shortened, gaps, missing;
	uint64_t sequence, first;
	uint64_t time_ns, card_ns;
	int64_t offset_ns;
};

/* Attach and map. */
void hearing_begin(struct hearing *hearing);
/* So many entries more, each of them right and none overtaken. */
void hearing_take(struct hearing *hearing, unsigned int chunks);
/* Entries until the condition holds; ends the test after 20 s without. */
void hearing_take_until(struct hearing *hearing, bool (*enough)(const struct hearing *hearing));
/* All that are there by now. */
void hearing_catch_up(struct hearing *hearing);
void hearing_end(struct hearing *hearing);

#endif
