// SPDX-License-Identifier: MIT
/*
 * contains REF CAPTURE UNIT [silence]: does CAPTURE hold the bytes of REF as one
 * run that starts at a multiple of UNIT bytes? With "silence" all other bytes of
 * CAPTURE must be zero.
 *
 * Says at which unit and exits 0; else says where the longest match broke and
 * exits 1. Wrong usage, an unreadable or an empty REF is 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * struct content - a file in memory
 * @data: its bytes
 * @length: how many
 */
struct content {
	const uint8_t *data;
	size_t length;
};

static int content_load(const char *path, struct content *content)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	void *data;

	if (fd < 0 || fstat(fd, &info))
		return -errno;
	if (!info.st_size)
		return -ENODATA;
	data = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return -errno;
	*content = (struct content){ data, info.st_size };
	return 0;
}

static size_t common_prefix(const uint8_t *a, const uint8_t *b, size_t length)
{
	const size_t block = 256;
	size_t n = 0;

	while (length - n >= block && !memcmp(a + n, b + n, block))
		n += block;
	while (n < length && a[n] == b[n])
		n++;
	return n;
}

/* The place of the longest match; a whole one ends the search. */
static size_t longest_match(const struct content *ref, const struct content *in, size_t unit,
			    size_t *matched)
{
	size_t at, best = 0;

	*matched = 0;
	for (at = 0; at < in->length && *matched < ref->length; at += unit) {
		size_t room = in->length - at;
		size_t n = common_prefix(ref->data, in->data + at,
					 room < ref->length ? room : ref->length);

		if (n <= *matched)
			continue;
		*matched = n;
		best = at;
	}
	return best;
}

/* The first byte of [from, to) that is not zero, or to. */
static size_t first_noise(const struct content *in, size_t from, size_t to)
{
	while (from < to && !in->data[from])
		from++;
	return from;
}

/* The REF at @at has silence on both sides. */
static int report_silence(const struct content *ref, const struct content *in, size_t unit,
			  size_t at)
{
	size_t before = first_noise(in, 0, at);
	size_t after = first_noise(in, at + ref->length, in->length);
	size_t noise = before < at ? before : after;

	if (noise == in->length)
		return 0;
	printf("around it: expected silence, got %#x in unit %zu\n", in->data[noise], noise / unit);
	return 1;
}

static int report(const struct content *ref, const struct content *in, size_t unit, bool silence)
{
	size_t matched;
	size_t at = longest_match(ref, in, unit, &matched);

	printf("%zu of %zu bytes at unit %zu of %zu", matched, ref->length, at / unit,
	       in->length / unit);
	if (matched == ref->length) {
		printf(": found\n");
		return silence ? report_silence(ref, in, unit, at) : 0;
	}
	printf(": breaks in unit %zu of %zu, byte %zu", matched / unit, ref->length / unit,
	       matched % unit);
	if (at + matched == in->length)
		printf(", at the end of the capture\n");
	else
		printf(", expected %#x, got %#x\n", ref->data[matched], in->data[at + matched]);
	return 1;
}

int main(int argc, char **argv)
{
	struct content ref, in;
	char *end = NULL;
	bool silence = argc == 5 && !strcmp(argv[4], "silence");
	size_t unit = argc == 4 || silence ? strtoul(argv[3], &end, 10) : 0;
	int i, error;

	if (!unit || *end) {
		fprintf(stderr, "usage: contains REF CAPTURE UNIT [silence]\n");
		return 2;
	}
	for (i = 1; i <= 2; i++) {
		error = content_load(argv[i], i == 1 ? &ref : &in);
		if (!error)
			continue;
		fprintf(stderr, "contains: %s: %s\n", argv[i], strerror(-error));
		return i == 2 && error == -ENODATA ? 1 : 2;
	}
	return report(&ref, &in, unit, silence);
}
