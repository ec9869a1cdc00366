// SPDX-License-Identifier: MIT
/*
 * buffers: the fixture of the page tests.
 */
#include <fcntl.h>
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

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* Tests count chunks: whatever ran before may have left memory in small pieces. */
static void buffers_defragment(void)
{
	write_to("/proc/sys/vm/drop_caches", "3");
	write_to("/proc/sys/vm/compact_memory", "1");
}

int buffers_main(const struct tap_test *tests, size_t n_tests, int argc, char **argv)
{
	struct tap_suite suite = { .tests = tests,
				   .n_tests = n_tests,
				   .missing = card_missing,
				   .residue = card_live_stores,
				   .after = buffers_restore };

	module_remember();
	buffers_defragment();
	return tap_main(&suite, argc, argv);
}
