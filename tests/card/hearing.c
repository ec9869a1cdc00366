// SPDX-License-Identifier: MIT
/*
 * hearing: the sound of the first PCI card. See hearing.h.
 */
#include <endian.h>
#include <math.h>
#include <stdlib.h>

#include "hearing.h"

#define HEARING_NS INT64_C(1000000000)
#define HEARING_FRAME_BYTES 4
/* The clock of a guest that counts instructions may go on for seconds while one asks its host. */
#define HEARING_RING_BYTES (32u << 20)
/* How far from the card's timeline a time may be, and how fast that may grow. */
#define HEARING_OFF_NS 1000000
#define HEARING_PPM 500
/* The generator: with each second a beep begins. */
#define HEARING_BEEP_NS 100000000
#define HEARING_BEEP_HZ 1000
#define HEARING_BEEP_VOLUME 0.5

void hearing_begin(struct hearing *hearing)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_AUDIO, .length = HEARING_RING_BYTES };
	struct ring *ring = &hearing->ring;
	struct node node;

	memset(hearing, 0, sizeof(*hearing));
	node_find(&node);
	must(ring_open(ring, node.info.card));
	must(ring_call(ring, AVRING_IOC_SET_SETUP, &setup));
	must(ring_read(ring, AVRING_STREAM_AUDIO, 0));
	must(ring_map(ring));
	tap_eq(HEARING_RATE, ring->at.format.audio.rate);
	tap_eq(HEARING_FRAME_BYTES, ring->at.format.audio.frame_bytes);
	tap_eq(HEARING_CHUNK, ring->at.format.audio.period_frames);
	hearing->next = ring->at.next;
}

void hearing_end(struct hearing *hearing)
{
	ring_close(&hearing->ring);
}

static uint64_t hearing_event_ns(uint64_t event)
{
	return (unsigned __int128)event * HEARING_NS / HEARING_RATE;
}

static int16_t hearing_sample(uint64_t event)
{
	const uint64_t since = hearing_event_ns(event) % HEARING_NS;
	double volume = 0;

	if (since < HEARING_BEEP_NS)
		volume = HEARING_BEEP_VOLUME * cos(2 * M_PI * HEARING_BEEP_HZ * since / HEARING_NS);
	return lrint(volume * INT32_MAX) >> 16;
}

static void hearing_expect_samples(const struct ring *ring, const struct avring_entry *entry)
{
	const int16_t *samples = (const int16_t *)ring_bytes(ring, entry);
	unsigned int i;

	for (i = 0; i < 2 * entry->count; i++)
		tap_check((int16_t)le16toh(samples[i]) == hearing_sample(entry->event + i / 2),
			  "sample frame %llu: expected %d, got %d",
			  (unsigned long long)entry->event + i / 2,
			  hearing_sample(entry->event + i / 2), (int16_t)le16toh(samples[i]));
}

/* Times are the card's, on another clock. */
static void hearing_expect_time(struct hearing *hearing, const struct avring_entry *entry)
{
	const uint64_t card_ns = hearing_event_ns(entry->event);
	const int64_t offset = entry->time_ns - card_ns;
	int64_t limit;

	if (!hearing->chunks) {
		hearing->first = entry->event - entry->sequence;
		hearing->card_ns = card_ns;
		hearing->offset_ns = offset;
	}
	limit = HEARING_OFF_NS + (int64_t)(card_ns - hearing->card_ns) / 1000000 * HEARING_PPM;
	tap_eq(hearing->first, entry->event - entry->sequence);
	tap_check(llabs(offset - hearing->offset_ns) <= limit, "time: off by %lld ns of %lld",
		  (long long)(offset - hearing->offset_ns), (long long)limit);
	tap_check(entry->time_ns > hearing->time_ns, "time: expected to go on");
}

static void hearing_note(struct hearing *hearing, const struct avring_entry *entry)
{
	if (hearing->chunks++) {
		tap_check(entry->sequence >= hearing->sequence,
			  "sequence: expected %llu or more, got %llu",
			  (unsigned long long)hearing->sequence,
			  (unsigned long long)entry->sequence);
		hearing->gaps += entry->sequence > hearing->sequence;
		hearing->missing += entry->sequence - hearing->sequence;
	}
	hearing->shortened += entry->count < HEARING_CHUNK;
	hearing->sequence = entry->sequence + entry->count;
	hearing->time_ns = entry->time_ns;
}

static void hearing_look(struct hearing *hearing)
{
	const struct ring *ring = &hearing->ring;
	struct avring_entry entry;

	tap_check(ring_entry(ring, hearing->next, &entry), "chunk %llu: expected intact",
		  (unsigned long long)hearing->next);
	tap_eq(entry.count * HEARING_FRAME_BYTES, entry.length);
	tap_check(entry.count && entry.count <= HEARING_CHUNK,
		  "sample frames: expected 1 to %d, got %u", HEARING_CHUNK, entry.count);
	tap_eq(0, entry.flags);
	hearing_expect_time(hearing, &entry);
	hearing_expect_samples(ring, &entry);
	tap_check(ring_tail(ring) <= hearing->next, "chunk %llu: expected intact, was overtaken",
		  (unsigned long long)hearing->next);
	hearing_note(hearing, &entry);
	hearing->next++;
}

void hearing_take(struct hearing *hearing, unsigned int chunks)
{
	while (chunks--) {
		ring_wait_head(&hearing->ring, hearing->next + 1);
		hearing_look(hearing);
	}
}

void hearing_take_until(struct hearing *hearing, bool (*enough)(const struct hearing *hearing))
{
	uint64_t end_ns = in_ms(20000);

	while (!enough(hearing)) {
		tap_check(now_ns() < end_ns, "in 20 s: %llu chunks, %llu gaps: expected more",
			  (unsigned long long)hearing->chunks, (unsigned long long)hearing->gaps);
		hearing_take(hearing, 1);
	}
}

void hearing_catch_up(struct hearing *hearing)
{
	while (hearing->next < ring_head(&hearing->ring))
		hearing_look(hearing);
}
