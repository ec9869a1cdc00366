/* SPDX-License-Identifier: MIT */
/*
 * listen: the sound of card 0, as a ring.
 *
 * Inline, so that programs without sound need no ALSA library. What does not say
 * otherwise ends the test where it fails.
 */
#ifndef RING_LISTEN_H
#define RING_LISTEN_H

#include "ring.h"
#include "sound.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define RATE 48000
#define FRAME_BYTES 4
#define PERIOD 480

static inline struct card card_0(void)
{
	struct card card;

	must(card_find(0, &card));
	return card;
}

static inline void set_source(unsigned int source)
{
	struct card card = card_0();

	must(sound_set_source(&card, source));
}

static inline int set_setup(uint64_t length, const struct avring_audio_format *format)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO, .length = length };

	if (format)
		setup.audio = *format;
	return ring_setup_as(&setup);
}

static inline struct ring listener(uint64_t length, const struct avring_audio_format *format)
{
	must(set_setup(length, format));
	return ring_reader(AVRING_STREAM_AUDIO);
}

static inline struct avring_entry entry_at(const struct ring *ring, uint64_t n)
{
	struct avring_entry entry;

	ring_wait_head(ring, n + 1);
	tap_check(ring_entry(ring, n, &entry), "entry %llu: expected intact, got overtaken",
		  (unsigned long long)n);
	return entry;
}

static inline uint64_t event_ns(uint32_t rate, uint64_t event)
{
	return event / rate * NSEC_PER_SEC + event % rate * NSEC_PER_SEC / rate;
}

/* The first event that is not earlier than a time. */
static inline uint64_t event_after(uint32_t rate, uint64_t ns)
{
	uint64_t event = ns / NSEC_PER_SEC * rate + ns % NSEC_PER_SEC * rate / NSEC_PER_SEC;

	while (event_ns(rate, event) < ns)
		event++;
	return event;
}

static inline void expect_follows(const struct avring_entry *last, const struct avring_entry *entry)
{
	tap_eq(last->position + last->length, entry->position);
	tap_eq(last->sequence + last->count, entry->sequence);
	tap_eq(last->event + last->count, entry->event);
}

static inline void audio_restore(void)
{
	struct card card;

	if (!card_find(0, &card))
		sound_set_source(&card, SOUND_SOURCE_TONE);
	ring_restore();
}

#endif
