// SPDX-License-Identifier: MIT
/*
 * buffers: the fixture of the page tests.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"
#include "fixture.h"

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

int buffers_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv)
{
	return fixture_main(tests, n_tests, NULL, argc, argv);
}
