// SPDX-License-Identifier: MIT
/* C1: how fast pictures can be taken off the card when each word of them is looked at. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/videodev2.h>

#include "card.h"

#define COMPARE_WINDOWS 5
#define COMPARE_MIB 1048576.0

/* About as much as a reader can take here: 4 GB a second. */
static const struct card_mode compare_modes[] = {
	{ "3840x2160", 3840, 2160, V4L2_PIX_FMT_XBGR32, 120, 12 },
	{ "4096x2160", 4096, 2160, V4L2_PIX_FMT_XBGR32, 120, 12 },
};

struct compare;

/**
 * struct compare_use - what is done with a frame
 * @who: in the results
 * @use: 0 or -EBADMSG; may be of no meaning if the frame was overwritten meanwhile
 */
struct compare_use {
	const char *who;
	int (*use)(struct compare *compare, const struct avring_span *span);
};

/**
 * struct compare - a reader that looks, or copies
 * @reader: of the card
 * @mode: what the card sends
 * @use: what is done
 * @copy: room for one frame
 * @sequence: of the last intact frame, the card's own
 * @seen: there was one
 * @bytes: of intact frames
 * @intact: frames
 * @missing: frames of the card between these: lost, overwritten, or not looked at
 */
struct compare {
	struct avring_reader *reader;
	const struct card_mode *mode;
	const struct compare_use *use;
	void *copy;
	uint32_t sequence;
	bool seen;
	uint64_t bytes;
	uint64_t intact;
	uint64_t missing;
};

/* An emulated processor is several times slower with vectors than without. */
#define COMPARE_SCALAR \
	__attribute__((noinline, optimize("no-tree-vectorize", "no-tree-loop-distribute-patterns")))

/* All of them, without a branch for each: what differs leaves a bit. */
static COMPARE_SCALAR uint64_t compare_differences(const uint64_t *words, size_t n, uint64_t first)
{
	uint64_t bits = 0;

#pragma GCC unroll 8
	for (size_t i = 0; i < n; i++)
		bits |= le64toh(words[i]) ^ (first + i);
	return bits;
}

static int compare_words(struct compare *compare, const struct avring_span *span)
{
	const uint64_t *words = span->data;
	const uint64_t first = le64toh(words[0]);

	(void)compare;
	if ((uint32_t)first || compare_differences(words, span->length / 8, first))
		return -EBADMSG;
	return 0;
}

static int compare_memcpy(struct compare *compare, const struct avring_span *span)
{
	memcpy(compare->copy, span->data, span->length);
	return 0;
}

static COMPARE_SCALAR int compare_copy(struct compare *compare, const struct avring_span *span)
{
	const uint64_t *from = span->data;
	uint64_t *to = compare->copy;

#pragma GCC unroll 8
	for (size_t i = 0; i < span->length / 8; i++)
		to[i] = from[i];
	return 0;
}

static const struct compare_use compare_uses[] = {
	{ "avring", compare_words },
	{ "memcpy", compare_memcpy },
	{ "copied in 64-bit words", compare_copy },
};

#define COMPARE_USES (sizeof(compare_uses) / sizeof(compare_uses[0]))

/* The first word that is wrong. */
static int compare_complain(const struct compare *compare, const struct avring_span *span)
{
	const uint64_t *words = span->data;
	const uint64_t first = le64toh(words[0]);
	size_t i = 0;

	while (i < span->length / 8 - 1 && le64toh(words[i]) == (first & ~UINT64_C(0xffffffff)) + i)
		i++;
	fprintf(stderr,
		"card: frame %" PRIu64 ": word %zu of %zu is %#" PRIx64 ", the first %#" PRIx64
		", the last frame was %" PRIu32 "\n",
		span->sequence, i, span->length / 8, le64toh(words[i]), first, compare->sequence);
	return -EBADMSG;
}

/* Whether a frame that was intact all the time is the whole frame that comes next. */
static int compare_judge(struct compare *compare, const struct avring_span *span, int err,
			 uint32_t sequence)
{
	const size_t whole = (size_t)compare->mode->width * compare->mode->height * 4;

	if (err || span->length != whole || span->flags ||
	    (compare->seen && (int32_t)(sequence - compare->sequence) <= 0))
		return compare_complain(compare, span);
	compare->missing += compare->seen ? sequence - compare->sequence - 1 : 0;
	compare->sequence = sequence;
	compare->seen = true;
	compare->bytes += span->length;
	compare->intact++;
	return 0;
}

/*
 * The newest frame: who is slower than the card, and goes on with the oldest, is overtaken
 * again in the middle of the next one.
 */
static int compare_next(struct compare *compare, struct avring_span *span)
{
	struct avring_span newer;
	int err = card_next(compare->reader, span);

	while (!err && avring_reader_next(compare->reader, &newer) == 0)
		*span = newer;
	return err;
}

static int compare_frame(struct compare *compare)
{
	struct avring_span span;
	uint32_t sequence;
	int found, err = compare_next(compare, &span);

	if (err)
		return err;
	sequence = le64toh(*(const uint64_t *)span.data) >> 32;
	found = compare->use->use(compare, &span);
	err = avring_reader_release(compare->reader, &span);
	if (!err)
		return compare_judge(compare, &span, found, sequence);
	return err == -EOVERFLOW ? 0 : err;
}

/* So long, and to the end of a frame. */
static int compare_for(struct compare *compare, uint64_t ns)
{
	const uint64_t end = card_now() + ns;
	int err = 0;

	while (!err && card_now() < end)
		err = compare_frame(compare);
	return err;
}

static int compare_window(struct compare *compare, uint64_t ns, double *ns_per_mib)
{
	const uint64_t bytes = compare->bytes, start = card_now();
	int err = compare_for(compare, ns);

	if (!err && compare->bytes == bytes)
		err = -ENODATA;
	if (!err)
		*ns_per_mib = (card_now() - start) / ((compare->bytes - bytes) / COMPARE_MIB);
	return err;
}

static void compare_tell(const struct compare *compare, double ns_per_mib)
{
	const char *who = compare->use->who, *name = compare->mode->name;
	const uint64_t frames = compare->intact + compare->missing;

	card_row("C1", "ns/MiB", who, ns_per_mib, "every word of the ring compared, %s", name);
	card_row("C1", "% of frames", who, 100.0 * compare->missing / frames,
		 "every word of the ring compared, %s, missed", name);
}

/* The first second pays for page faults. The best window: others had less of the machine. */
static int compare_run(struct compare *compare, uint64_t ns)
{
	double best, one;
	int err = compare_for(compare, 1000000000);

	if (!err)
		err = compare_window(compare, ns, &best);
	for (int i = 1; i < COMPARE_WINDOWS && !err; i++) {
		err = compare_window(compare, ns, &one);
		if (!err && one < best)
			best = one;
	}
	if (!err)
		compare_tell(compare, best);
	return err;
}

static int compare_one(const struct card *card, const struct card_mode *mode,
		       const struct compare_use *use, uint64_t ns)
{
	struct compare compare = { .mode = mode, .use = use };
	int err;

	compare.copy = aligned_alloc(4096, (size_t)mode->width * mode->height * 4);
	if (!compare.copy)
		return -ENOMEM;
	err = card_open(card, mode, &compare.reader);
	if (!err) {
		err = compare_run(&compare, ns);
		avring_reader_close(compare.reader);
	}
	free(compare.copy);
	return err;
}

static int compare_all(const struct card *card, uint64_t ns)
{
	const size_t n = sizeof(compare_modes) / sizeof(compare_modes[0]);
	const struct card_mode *mode;
	int err = 0;

	for (mode = compare_modes; mode < compare_modes + n && !err; mode++) {
		for (size_t i = 0; i < COMPARE_USES && !err; i++)
			err = compare_one(card, mode, &compare_uses[i], ns);
		if (err)
			card_missing("C1", "ns/MiB", err, "every word of the ring compared, %s",
				     mode->name);
	}
	return err;
}

int card_compare(const struct card *card, unsigned int seconds)
{
	int err = card_set_pattern(card, CARD_WORDS);

	if (!err)
		err = compare_all(card, seconds * UINT64_C(1000000000));
	card_set_pattern(card, CARD_STAMPED);
	return err;
}
