/* SPDX-License-Identifier: MIT */
/*
 * kinds: the devices that the reader's tests run on, and what feeds them.
 */
#ifndef TEST_READER_KINDS_H
#define TEST_READER_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include <avring/avring.h>

/**
 * struct kind - a sort of device
 * @name: as it is given on the command line
 * @overtakes: the writer overtakes a reader that is late; else its driver drops
 * @read_only: the reader's pages cannot be made writable
 * @missing: optional; why it cannot be tested here, or NULL
 * @start: optional; have it send something
 * @stop: optional; of that
 * @open: a reader
 * @check: optional; the content of a span is right
 */
struct kind {
	const char *name;
	bool overtakes;
	bool read_only;
	const char *(*missing)(void);
	void (*start)(void);
	void (*stop)(void);
	int (*open)(struct avring_reader **reader, const struct avring_options *options);
	void (*check)(const struct avring_span *span);
};

/* By name; NULL if there is none. */
const struct kind *kind_find(const char *name);

/* vivid's first capture node, or NULL. */
const char *kind_vivid_path(void);

/* The wishes that all tests of the kind have: small frames, so that waits are short. */
struct avring_options kind_options(const struct kind *kind);

#endif
