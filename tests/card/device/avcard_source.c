// SPDX-License-Identifier: GPL-2.0-only
/*
 * avcard: what a frame of the card is made of. See avcard_source.h.
 */
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "uapi/linux/avring.h"
#include "driver/pci/regs.h"
#include "avcard_source.h"

#define AVCARD_NSEC_PER_SEC 1000000000ULL
#define AVCARD_BEEP_NS 100000000ULL
#define AVCARD_BEEP_HZ 1000
#define AVCARD_BEEP_VOLUME 0.5

/* ---------------------------------------------------------------- time */

static uint64_t avcard_scale(uint64_t value, uint64_t by, uint64_t down)
{
	return (unsigned __int128)value * by / down;
}

/* When event n happens. */
uint64_t avcard_event_ns(struct avcard_rate rate, uint64_t n)
{
	return avcard_scale(n, rate.den * AVCARD_NSEC_PER_SEC, rate.num);
}

/* The first event that is not earlier. */
uint64_t avcard_event_after(struct avcard_rate rate, uint64_t ns)
{
	uint64_t down = rate.den * AVCARD_NSEC_PER_SEC;

	return ((unsigned __int128)ns * rate.num + down - 1) / down;
}

/* The last event that is not later. */
uint64_t avcard_event_at(struct avcard_rate rate, uint64_t ns)
{
	return avcard_event_after(rate, ns + 1) - 1;
}

/* A flash is every so many frames: at least one second. */
uint32_t avcard_flash_frames(struct avcard_rate rate)
{
	return rate.num / rate.den + (rate.num % rate.den != 0);
}

/* ---------------------------------------------------------------- picture */

#define AVCARD_FOURCC(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)

/* White, yellow, cyan, green, magenta, red, blue, black. */
static const uint8_t avcard_rgb[8][3] = {
	{ 191, 191, 191 }, { 191, 191, 0 }, { 0, 191, 191 }, { 0, 191, 0 },
	{ 191, 0, 191 },   { 191, 0, 0 },   { 0, 0, 191 },   { 0, 0, 0 },
};

static const uint8_t *avcard_bar(const struct avcard_format *f, uint32_t x)
{
	return avcard_rgb[(uint64_t)x * 8 / f->width];
}

/* ITU-R BT.601, limited range. */
static void avcard_yuv(const uint8_t *rgb, uint8_t yuv[3])
{
	int r = rgb[0], g = rgb[1], b = rgb[2];

	yuv[0] = 16 + (66 * r + 129 * g + 25 * b + 128) / 256;
	yuv[1] = (128 * 256 - 38 * r - 74 * g + 112 * b) / 256;
	yuv[2] = (128 * 256 + 112 * r - 94 * g - 18 * b) / 256;
}

/* One line of a packed format; y and c say where luma and chroma stand in a pair. */
static void avcard_draw_422(const struct avcard_format *f, uint8_t *line, int y, int c)
{
	uint8_t yuv[3];
	uint32_t x;

	for (x = 0; x + 1 < f->width; x += 2) {
		avcard_yuv(avcard_bar(f, x), yuv);
		line[2 * x + y] = yuv[0];
		line[2 * x + y + 2] = yuv[0];
		line[2 * x + c] = yuv[1];
		line[2 * x + c + 2] = yuv[2];
	}
}

/* The order of red, green and blue in a pixel of so many bytes. */
static void avcard_draw_rgb(const struct avcard_format *f, uint8_t *line, int bytes, int r, int g,
			    int b)
{
	uint32_t x;

	for (x = 0; x < f->width; x++) {
		line[bytes * x + r] = avcard_bar(f, x)[0];
		line[bytes * x + g] = avcard_bar(f, x)[1];
		line[bytes * x + b] = avcard_bar(f, x)[2];
	}
}

static void avcard_draw_luma(const struct avcard_format *f, uint8_t *line)
{
	uint8_t yuv[3];
	uint32_t x;

	for (x = 0; x < f->width; x++) {
		avcard_yuv(avcard_bar(f, x), yuv);
		line[x] = yuv[0];
	}
}

/* A line of one chroma plane (step 1) or of both (step 2, at 0 and 1). */
static void avcard_draw_chroma(const struct avcard_format *f, uint8_t *line, int step, int which)
{
	uint8_t yuv[3];
	uint32_t x;

	for (x = 0; x < f->width / 2; x++) {
		avcard_yuv(avcard_bar(f, 2 * x), yuv);
		line[step * x] = yuv[which];
	}
}

/* Bytes of a pixel of the first plane; 0 for a format that the card cannot draw. */
static uint32_t avcard_pixel_bytes(uint32_t format)
{
	switch (format) {
	case AVCARD_FOURCC('Y', 'U', 'Y', 'V'):
	case AVCARD_FOURCC('U', 'Y', 'V', 'Y'):
		return 2;
	case AVCARD_FOURCC('R', 'G', 'B', '3'):
		return 3;
	case AVCARD_FOURCC('B', 'X', '2', '4'):
	case AVCARD_FOURCC('X', 'R', '2', '4'):
	case AVCARD_FOURCC('B', 'G', 'R', '4'):
	case AVCARD_FOURCC('R', 'G', 'B', '4'):
		return 4;
	case AVCARD_FOURCC('N', 'V', '1', '2'):
	case AVCARD_FOURCC('Y', 'U', '1', '2'):
	case AVCARD_FOURCC('G', 'R', 'E', 'Y'):
		return 1;
	}
	return 0;
}

static void avcard_draw_line(const struct avcard_format *f, uint8_t *line)
{
	switch (f->format) {
	case AVCARD_FOURCC('Y', 'U', 'Y', 'V'):
		return avcard_draw_422(f, line, 0, 1);
	case AVCARD_FOURCC('U', 'Y', 'V', 'Y'):
		return avcard_draw_422(f, line, 1, 0);
	case AVCARD_FOURCC('R', 'G', 'B', '3'):
		return avcard_draw_rgb(f, line, 3, 0, 1, 2);
	case AVCARD_FOURCC('B', 'X', '2', '4'): /* XRGB32 */
	case AVCARD_FOURCC('R', 'G', 'B', '4'):
		return avcard_draw_rgb(f, line, 4, 1, 2, 3);
	case AVCARD_FOURCC('X', 'R', '2', '4'): /* XBGR32 */
	case AVCARD_FOURCC('B', 'G', 'R', '4'):
		return avcard_draw_rgb(f, line, 4, 2, 1, 0);
	default:
		return avcard_draw_luma(f, line);
	}
}

/* The chroma planes behind the luma, each line as long as half of that, or as all of it. */
static void avcard_draw_planes(const struct avcard_format *f, uint8_t *chroma)
{
	uint32_t y, stride = f->bytesperline / 2;

	for (y = 0; y < f->height / 2; y++) {
		if (f->format == AVCARD_FOURCC('N', 'V', '1', '2')) {
			avcard_draw_chroma(f, chroma + y * f->bytesperline, 2, 1);
			avcard_draw_chroma(f, chroma + y * f->bytesperline + 1, 2, 2);
		} else {
			avcard_draw_chroma(f, chroma + y * stride, 1, 1);
			avcard_draw_chroma(f, chroma + (f->height / 2 + y) * stride, 1, 2);
		}
	}
}

static bool avcard_has_planes(const struct avcard_format *f)
{
	return f->format == AVCARD_FOURCC('N', 'V', '1', '2') ||
	       f->format == AVCARD_FOURCC('Y', 'U', '1', '2');
}

/* Grey, and bars over it if the format is one that the card knows, and fits. */
static void avcard_draw(const struct avcard_format *f, uint8_t *to)
{
	uint64_t luma = (uint64_t)f->bytesperline * f->height;
	uint64_t all = avcard_has_planes(f) ? luma + luma / 2 : luma;
	uint64_t line = (uint64_t)f->width * avcard_pixel_bytes(f->format);
	uint32_t y;

	memset(to, 128, f->frame_bytes);
	if (!line || line > f->bytesperline || all > f->frame_bytes)
		return;
	avcard_draw_line(f, to);
	for (y = 1; y < f->height; y++)
		memcpy(to + (uint64_t)y * f->bytesperline, to, line);
	if (avcard_has_planes(f))
		avcard_draw_planes(f, to + luma);
}

/* ---------------------------------------------------------------- stamp */

static uint32_t avcard_white_crc(uint32_t bytes)
{
	uint8_t white[4096];
	uint32_t crc = 0, len;

	memset(white, 255, sizeof(white));
	for (; bytes; bytes -= len) {
		len = bytes < sizeof(white) ? bytes : sizeof(white);
		crc = crc32(crc, white, len);
	}
	return crc;
}

/* The CRC of what never changes is computed once, and joined to that of each stamp. */
static void avcard_stamp(struct avcard_source *source, uint64_t n, bool is_flash)
{
	const struct avcard_format *f = &source->format;
	uint32_t rest = f->frame_bytes - AVCARD_STAMP_BYTES, crc;
	struct avring_frame_stamp stamp = {
		.magic = htole32(AVRING_FRAME_STAMP_MAGIC),
		.sequence = htole32(n),
		.time_ns = htole64(avcard_event_ns(f->rate, n)),
		.frame = htole64(n),
		.flags = htole32(is_flash ? AVRING_FRAME_STAMP_FLASH : 0),
	};

	if (!source->crc_known) {
		source->drawn_crc = crc32(0, source->own + AVCARD_STAMP_BYTES, rest);
		source->white_crc = avcard_white_crc(rest);
		source->crc_known = true;
	}
	crc = crc32(0, (uint8_t *)&stamp, offsetof(struct avring_frame_stamp, crc));
	crc = crc32_combine(crc, is_flash ? source->white_crc : source->drawn_crc, rest);
	stamp.crc = htole32(crc);
	memcpy(source->stamp, &stamp, sizeof(stamp));
}

/* ---------------------------------------------------------------- sound */

static void avcard_store(uint8_t *to, uint32_t format, double sample)
{
	int32_t value = lrint(sample * INT32_MAX);

	switch (format) {
	case AVRING_PCI_SAMPLE_S16_LE:
		value = htole16(value >> 16);
		memcpy(to, &value, 2);
		return;
	case AVRING_PCI_SAMPLE_S24_LE:
		value >>= 8;
	}
	value = htole32(value);
	memcpy(to, &value, 4);
}

/*
 * A cosine: its first sample is at full volume, so whoever looks for the beginning of the
 * beep finds it to the sample.
 */
static double avcard_tone(const struct avcard_format *f, uint64_t sample)
{
	uint64_t ns = avcard_event_ns(f->rate, sample);
	uint64_t every = avcard_flash_frames(f->flash);
	uint64_t flash = avcard_event_at(f->flash, ns) / every * every;
	uint64_t since = ns - avcard_event_ns(f->flash, flash);

	if (since >= AVCARD_BEEP_NS)
		return 0;
	return AVCARD_BEEP_VOLUME * cos(2 * M_PI * AVCARD_BEEP_HZ * since / AVCARD_NSEC_PER_SEC);
}

static void avcard_beep(struct avcard_source *source, uint64_t n)
{
	const struct avcard_format *f = &source->format;
	uint32_t i, c, bytes = f->sample_bytes;
	uint8_t *to = source->own;
	double sample;

	for (i = 0; i < f->chunk_frames; i++) {
		sample = avcard_tone(f, n + i);
		for (c = 0; c < f->channels; c++, to += bytes)
			avcard_store(to, f->format, sample);
	}
}

/* ---------------------------------------------------------------- frames */

/* What is drawn for one format is kept for the next time. */
bool avcard_source_start(struct avcard_source *source, const struct avcard_format *format)
{
	if (source->own && !format->sample_bytes && !source->format.sample_bytes &&
	    !memcmp(&source->format, format, offsetof(struct avcard_format, sample_bytes))) {
		source->format = *format;
		return true;
	}
	avcard_source_stop(source);
	source->format = *format;
	source->own = malloc(format->frame_bytes);
	if (source->own && !format->sample_bytes)
		avcard_draw(format, source->own);
	return source->own;
}

void avcard_source_stop(struct avcard_source *source)
{
	free(source->own);
	source->own = NULL;
	source->crc_known = false;
}

/* The next frame is that with number n of the timeline (a chunk: its first sample frame). */
void avcard_source_generate(struct avcard_source *source, uint64_t n, uint32_t sequence)
{
	const struct avcard_format *f = &source->format;
	bool is_flash;

	source->stamp_bytes = 0;
	source->sequence = sequence;
	source->body = AVCARD_BODY_WORDS;
	if (f->pattern == AVRING_PCI_PATTERN_REG_WORDS)
		return;
	source->body = AVCARD_BODY_BYTES;
	source->bytes = source->own;
	if (f->sample_bytes) {
		avcard_beep(source, n);
		return;
	}
	is_flash = n % avcard_flash_frames(f->rate) == 0;
	source->body = is_flash ? AVCARD_BODY_WHITE : AVCARD_BODY_BYTES;
	if (f->frame_bytes < AVCARD_STAMP_BYTES)
		return;
	avcard_stamp(source, n, is_flash);
	source->stamp_bytes = AVCARD_STAMP_BYTES;
}

/* A line without a signal has no sound. */
void avcard_source_silence(struct avcard_source *source)
{
	memset(source->own, 0, source->format.frame_bytes);
	source->body = AVCARD_BODY_BYTES;
	source->bytes = source->own;
	source->stamp_bytes = 0;
}

/* The end of a voice is filled up with silence, the rest of a film is no frame. */
static bool avcard_play_sound(struct avcard_source *source, struct avcard_line *line)
{
	const uint32_t bytes = source->format.frame_bytes;
	const size_t unit = source->format.sample_bytes * source->format.channels;
	size_t whole = line->bytes - line->bytes % unit;
	uint64_t at = line->played * bytes;
	uint32_t i, len;

	if (!whole || (!line->loop && at >= whole))
		return false;
	memset(source->own, 0, bytes);
	for (i = 0; i < bytes && (line->loop || at < whole); i += len, at += len) {
		uint64_t from = at % whole;

		len = bytes - i < whole - from ? bytes - i : whole - from;
		memcpy(source->own + i, line->data + from, len);
	}
	source->bytes = source->own;
	return true;
}

static bool avcard_play_picture(struct avcard_source *source, struct avcard_line *line)
{
	uint64_t frames = line->bytes / source->format.frame_bytes;

	if (!frames || (!line->loop && line->played >= frames))
		return false;
	source->bytes = line->data + line->played % frames * source->format.frame_bytes;
	return true;
}

/* The next frame is the next one of the file; false if there is none. */
bool avcard_source_play(struct avcard_source *source, struct avcard_line *line)
{
	bool more = source->format.sample_bytes ? avcard_play_sound(source, line) :
						  avcard_play_picture(source, line);

	line->ended = !more;
	if (!more)
		return false;
	line->played++;
	source->body = AVCARD_BODY_BYTES;
	source->stamp_bytes = 0;
	return true;
}

static const uint8_t *avcard_words(struct avcard_source *source, uint32_t offset, uint32_t bytes)
{
	uint64_t first = offset / 8, word = (uint64_t)source->sequence << 32 | first;
	uint32_t i, n = (offset % 8 + bytes + 7) / 8;
	uint64_t *to = (uint64_t *)source->piece;

	for (i = 0; i < n; i++)
		to[i] = htole64(word + i);
	return source->piece + offset % 8;
}

/* Bytes of the frame from offset on; *bytes is what is wanted, and then what is there. */
const uint8_t *avcard_source_bytes(struct avcard_source *source, uint32_t offset, uint32_t *bytes)
{
	if (*bytes > AVCARD_PIECE)
		*bytes = AVCARD_PIECE;
	if (offset < source->stamp_bytes) {
		if (*bytes > source->stamp_bytes - offset)
			*bytes = source->stamp_bytes - offset;
		return source->stamp + offset;
	}
	switch (source->body) {
	case AVCARD_BODY_WORDS:
		return avcard_words(source, offset, *bytes);
	case AVCARD_BODY_WHITE:
		memset(source->piece, 255, *bytes);
		return source->piece;
	default:
		return source->bytes + offset;
	}
}
