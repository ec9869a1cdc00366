// SPDX-License-Identifier: MIT
/*
 * buffers: the fixture of the page tests.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "module.h"

const long buffers_huge = 9, buffers_single;

struct card buffers_card(void)
{
	struct card card;

	must(card_find(0, &card));
	return card;
}

void buffers_begin(struct video *video, long max_order, uint32_t width, uint32_t height,
		   unsigned int count)
{
	struct card card = buffers_card();

	must(card_parameter_set("max_order", max_order));
	must(video_begin(video, card.capture, V4L2_PIX_FMT_YUYV, width, height, count));
	tap_check(video->n_buffers >= count, "REQBUFS: expected %u buffers, got %u", count,
		  video->n_buffers);
}

void buffers_begin_filled(struct video *video, long max_order, unsigned int count)
{
	unsigned int i;

	buffers_begin(video, max_order, BIG_WIDTH, BIG_HEIGHT, count);
	for (i = 0; i < video->n_buffers; i++) {
		tap_eq(BIG_BYTES, video->buffers[i].length);
		content_fill(video->buffers[i].start, BIG_BYTES, i);
	}
}

size_t buffers_mapped_bytes(const struct video_buffer *buffer)
{
	size_t page = getpagesize();

	return (buffer->length + page - 1) / page * page;
}

/* A failed test may leave the module out, the card unbound or another max_order. */
static void buffers_restore(void)
{
	struct card card;

	if (access(CARD_DRIVER_DIR, F_OK) && module_load())
		return;
	if (card_find(0, &card))
		card_bind(&card);
	card_parameter_set("max_order", buffers_huge);
}

int buffers_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv)
{
	struct tap_suite suite = { .tests = tests,
				   .n_tests = n_tests,
				   .missing = card_missing,
				   .residue = card_live_stores,
				   .after = buffers_restore };

	module_remember();
	return tap_main(&suite, argc, argv);
}
