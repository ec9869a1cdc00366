/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avcard: what a frame of the card is made of. Knows nothing of QEMU.
 *
 * A frame is never put together in memory: the stamp, the picture that is drawn once
 * and the mapped file stay where they are, and are asked for piece by piece.
 */
#ifndef AVCARD_SOURCE_H
#define AVCARD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AVCARD_PIECE 65536 /* bytes that are asked for at once, at most */
#define AVCARD_STAMP_BYTES 32

/* Events per second as a fraction. */
struct avcard_rate {
	uint32_t num;
	uint32_t den;
};

uint64_t avcard_event_ns(struct avcard_rate rate, uint64_t n);
uint64_t avcard_event_at(struct avcard_rate rate, uint64_t ns);
uint64_t avcard_event_after(struct avcard_rate rate, uint64_t ns);
uint32_t avcard_flash_frames(struct avcard_rate rate);

/*
 * What a channel sends. sample_bytes is 0 for a picture; flash is the rate of the
 * picture also in the sound, whose tone goes with it.
 */
struct avcard_format {
	uint32_t frame_bytes;
	struct avcard_rate rate;
	uint32_t format;
	uint32_t width;
	uint32_t height;
	uint32_t bytesperline;
	uint32_t sample_bytes;
	uint32_t channels;
	uint32_t chunk_frames;
	uint32_t pattern;
	struct avcard_rate flash;
};

/* A file that plays on the line input. */
struct avcard_line {
	const uint8_t *data;
	size_t bytes;
	bool loop;
	bool ended;
	uint64_t played; /* frames since the start */
};

enum avcard_body { AVCARD_BODY_BYTES, AVCARD_BODY_WHITE, AVCARD_BODY_WORDS };

struct avcard_source {
	struct avcard_format format;
	uint8_t *own; /* the bars, drawn once; or room for one chunk of sound */
	uint32_t drawn_crc; /* of all behind the stamp */
	uint32_t white_crc;
	bool crc_known;

	/* the frame at hand */
	enum avcard_body body;
	const uint8_t *bytes;
	uint32_t stamp_bytes;
	uint32_t sequence;
	uint8_t stamp[AVCARD_STAMP_BYTES];
	uint8_t piece[AVCARD_PIECE + 16];
};

bool avcard_source_start(struct avcard_source *source, const struct avcard_format *format);
void avcard_source_stop(struct avcard_source *source);
void avcard_source_silence(struct avcard_source *source);
void avcard_source_generate(struct avcard_source *source, uint64_t n, uint32_t sequence);
bool avcard_source_play(struct avcard_source *source, struct avcard_line *line);
const uint8_t *avcard_source_bytes(struct avcard_source *source, uint32_t offset, uint32_t *bytes);

#endif
