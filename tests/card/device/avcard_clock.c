// SPDX-License-Identifier: GPL-2.0-only
/*
 * avcard: the clock of the card, and what it can be made to do. See avcard.h.
 */
#include "avcard.h"

#define AVCARD_MILLION 1000000
#define AVCARD_NS_PER_MS 1000000

uint64_t avcard_now(struct avcard *card)
{
	uint64_t since = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - card->host_ns;

	return card->card_ns + muldiv64(since, AVCARD_MILLION + card->ppm, AVCARD_MILLION);
}

/* When QEMU's clock will have got there that the card says so much. */
int64_t avcard_host_time(struct avcard *card, uint64_t card_ns)
{
	int64_t left = card_ns - card->card_ns; /* the clock may go round */
	uint64_t since = MAX(left, 0);
	uint32_t speed = AVCARD_MILLION + card->ppm;

	return card->host_ns + muldiv64(since, AVCARD_MILLION, speed) + (card->ppm != 0);
}

/* What the register says. */
uint64_t avcard_shown_time(struct avcard *card)
{
	return card->faults.time_stop ? card->stopped_ns : avcard_now(card);
}

void avcard_kick(struct avcard *card)
{
	timer_mod_ns(&card->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
}

/* From now on the clock says @now, and goes on as the property has it. */
static void avcard_set_clock(struct avcard *card, uint64_t now)
{
	card->host_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
	card->card_ns = now;
	card->ppm = card->faults.clock_ppm;
	avcard_kick(card);
}

void avcard_set_ppm(struct avcard *card)
{
	avcard_set_clock(card, avcard_now(card));
}

/* Each time when the property is set. */
void avcard_jump(struct avcard *card)
{
	avcard_set_clock(card,
			 avcard_now(card) + (int64_t)card->faults.clock_jump_ms * AVCARD_NS_PER_MS);
}

void avcard_stop_time(struct avcard *card)
{
	card->stopped_ns = avcard_now(card);
}
