/* SPDX-License-Identifier: MIT */
/*
 * buffers: the fixture of the page tests: MMAP buffers of card 0 of a chosen
 * size, built from 2 MiB chunks or from single pages, filled with content.
 */
#ifndef TEST_BUFFERS_H
#define TEST_BUFFERS_H

#include "device.h"
#include "fixture.h"
#include "tap.h"

#define CHUNK_BYTES (2ul << 20)
#define CHUNK_PAGES 512ul

/* A picture of exactly 8 MiB: four chunks. */
#define BIG_FOURCC V4L2_PIX_FMT_YUYV
#define BIG_WIDTH 2048
#define BIG_HEIGHT 2048
#define BIG_BYTES (8ul << 20)

/* A picture of 1012.5 pages: one chunk and a tail that ends within a page. */
#define TAIL_FOURCC V4L2_PIX_FMT_YUYV
#define TAIL_WIDTH 1920
#define TAIL_HEIGHT 1080
#define TAIL_BYTES (1920ul * 1080 * 2)
#define TAIL_PAGES 1013ul

/* A small picture, where size does not matter. */
#define SMALL_FOURCC V4L2_PIX_FMT_YUYV
#define SMALL_WIDTH 320
#define SMALL_HEIGHT 240

/* Card 0, or the end of the test. */
struct card buffers_card(void);

/* Buffers on the capture node of card 0, mapped read-write. */
void buffers_begin(struct video *video, long max_order, uint32_t width, uint32_t height,
		   unsigned int count);

/* BIG buffers, buffer n filled with seed n. */
void buffers_begin_filled(struct video *video, long max_order, unsigned int count);

/* Page length of a buffer in bytes. */
size_t buffers_mapped_bytes(const struct video_buffer *buffer);

/* The same claim for both kinds of memory. The body gets &max_order. */
#define BUFFERS_BOTH(words, body) \
	{ .claim = words " (2 MiB chunks)", .run_with = body, .arg = &fixture_huge }, \
	{ \
		.claim = words " (single pages)", .run_with = body, .arg = &fixture_single \
	}

/* tap_main() with what every page test needs. */
int buffers_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv);

#endif
