/* SPDX-License-Identifier: MIT */
/*
 * content: memory that says which buffer and which offset it is.
 *
 * Every 64-bit word is made of a seed and its own offset, so a page that shows
 * up in the wrong place, an old page or a foreign one is always told apart.
 */
#ifndef TEST_CONTENT_H
#define TEST_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void content_fill(void *start, size_t bytes, uint64_t seed);

/* Offset of the first wrong word, or @bytes. @from is the offset @start had when filled. */
size_t content_differs(const void *start, size_t bytes, uint64_t seed, size_t from);

/* Ends the test, naming @what, unless the content is right. */
void content_expect(const char *what, const void *start, size_t bytes, uint64_t seed, size_t from);

/* Ends the test, naming @what, unless all bytes are 0. */
void content_expect_zero(const char *what, const void *start, size_t bytes);

/* Signal that one access raises, 0 if none: SIGSEGV, SIGBUS. */
int content_access(volatile uint8_t *at, bool write);

/* Read one byte of every page. */
void content_touch(const void *start, size_t bytes);

#endif
