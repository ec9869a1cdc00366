// SPDX-License-Identifier: MIT
/*
 * content: memory that says which buffer and which offset it is.
 */
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#include "content.h"
#include "tap.h"

static sigjmp_buf content_escape;

static uint64_t content_word(uint64_t seed, size_t offset)
{
	return (seed + 1) * 0x9e3779b97f4a7c15 ^ (offset + 1) * 0xc2b2ae3d27d4eb4f;
}

void content_fill(void *start, size_t bytes, uint64_t seed)
{
	volatile uint64_t *words = start;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		words[i] = content_word(seed, i * sizeof(*words));
}

size_t content_differs(const void *start, size_t bytes, uint64_t seed, size_t from)
{
	const volatile uint64_t *words = start;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		if (words[i] != content_word(seed, from + i * sizeof(*words)))
			return i * sizeof(*words);
	return bytes;
}

void content_expect(const char *what, const void *start, size_t bytes, uint64_t seed, size_t from)
{
	size_t at = content_differs(start, bytes, seed, from);
	const uint8_t *byte = start;

	if (at < bytes)
		tap_fail("%s: byte %zu of %zu: expected word %016llx, got %016llx", what, at, bytes,
			 (unsigned long long)content_word(seed, from + at),
			 *(const unsigned long long *)(byte + at));
}

void content_expect_zero(const char *what, const void *start, size_t bytes)
{
	const uint64_t *words = start;
	const uint8_t *byte = start;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		if (words[i])
			tap_fail("%s: word at byte %zu of %zu: expected 0, got %016llx", what,
				 i * sizeof(*words), bytes, (unsigned long long)words[i]);
	for (i = bytes & ~(sizeof(*words) - 1); i < bytes; i++)
		tap_check(!byte[i], "%s: byte %zu of %zu: expected 0, got %02x", what, i, bytes,
			  byte[i]);
}

static void content_caught(int signal)
{
	siglongjmp(content_escape, signal);
}

int content_access(volatile uint8_t *at, bool write)
{
	struct sigaction catch = { .sa_handler = content_caught }, was_segv, was_bus;
	int signal;

	sigaction(SIGSEGV, &catch, &was_segv);
	sigaction(SIGBUS, &catch, &was_bus);
	signal = sigsetjmp(content_escape, 1);
	if (!signal) {
		uint8_t byte = *at;

		if (write)
			*at = byte;
	}
	sigaction(SIGSEGV, &was_segv, NULL);
	sigaction(SIGBUS, &was_bus, NULL);
	return signal;
}

void content_touch(const void *start, size_t bytes)
{
	const volatile uint8_t *byte = start;
	size_t i;

	for (i = 0; i < bytes; i += getpagesize())
		(void)byte[i];
}
