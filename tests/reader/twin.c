// SPDX-License-Identifier: MIT
/*
 * twin: a ring in memory keeps what the library promises. Runs on any machine.
 */
#include <sound/asound.h>
#include <unistd.h>

#include "common.h"
#include "tap.h"

static size_t page(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Order and content. */

static void check_frame(const struct avring_span *span, uint64_t number)
{
	const uint8_t *bytes = span->data;

	tap_eq(number, span->sequence);
	tap_eq(number, span->entry);
	tap_eq(1, span->count);
	tap_eq(1, span->entries);
	tap_eq(page(), span->length);
	tap_eq(0, span->lost);
	for (size_t i = 0; i < span->length; i++)
		tap_check(bytes[i] == (uint8_t)number, "frame %llu byte %zu: expected %u, got %u",
			  (unsigned long long)number, i, (uint8_t)number, bytes[i]);
}

static void frames_come_in_order(void)
{
	struct pair pair = pair_open(8);
	uint64_t last_ns = 0;

	for (int i = 0; i < 1000; i++) {
		struct avring_span span;

		pair_send(&pair, i);
		span = pair_next(&pair);
		check_frame(&span, i);
		tap_check(span.time_ns > last_ns, "time goes back");
		last_ns = span.time_ns;
		must(avring_reader_release(pair.reader, &span));
		must_refuse(EAGAIN, avring_reader_next(pair.reader, &span));
	}
	tap_eq(0, avring_reader_lost(pair.reader));
	pair_close(&pair);
}

static void reader_begins_with_the_next_frame(void)
{
	struct pair pair = pair_open(8);
	struct avring_reader *second;
	struct avring_span span;

	pair_send(&pair, 0);
	pair_send(&pair, 1);
	must(avring_reader_open_fd(&second, avring_producer_fd(pair.producer), NULL));
	must_refuse(EAGAIN, avring_reader_next(second, &span));
	pair_send(&pair, 2);
	must(avring_reader_next(second, &span));
	check_frame(&span, 2);
	avring_reader_close(second);
	pair_close(&pair);
}

static void oldest_begins_with_the_oldest_frame(void)
{
	struct avring_options options = common_options();
	struct pair pair = pair_open(8);
	struct avring_reader *second;
	struct avring_span span;

	for (int i = 0; i < 20; i++)
		pair_send(&pair, i);
	options.oldest = 1;
	must(avring_reader_open_fd(&second, avring_producer_fd(pair.producer), &options));
	must(avring_reader_next(second, &span));
	check_frame(&span, 12);
	avring_reader_close(second);
	pair_close(&pair);
}

static void both_images_are_the_same_memory(void)
{
	struct pair pair = pair_open(8);
	struct avring_geometry ours, theirs;
	volatile uint8_t *writes;

	avring_producer_geometry(pair.producer, &ours);
	avring_reader_geometry(pair.reader, &theirs);
	tap_eq(ours.length, theirs.length);
	writes = (volatile uint8_t *)ours.data;
	for (uint64_t i = 0; i < ours.length; i += 511) {
		const volatile uint8_t *reads = theirs.data;

		writes[i] = i % 251 + 1;
		tap_eq(writes[i], writes[i + ours.length]);
		tap_eq(writes[i], reads[i]);
		tap_eq(writes[i], reads[i + ours.length]);
	}
	pair_close(&pair);
}

/* Losses. */

static void overtaken_reader_goes_on_behind_the_oldest(void)
{
	struct pair pair = pair_open(16);
	struct avring_span span;
	uint64_t read = 0;

	for (int i = 0; i < 100; i++)
		pair_send(&pair, i);
	/* 84 to 99 are there; an eighth of them is skipped. */
	must(avring_reader_next(pair.reader, &span));
	tap_eq(86, span.sequence);
	tap_eq(86, span.lost);
	do {
		tap_eq(86 + read, span.sequence);
		tap_eq(86 + read, span.entry);
		must(avring_reader_release(pair.reader, &span));
		read++;
	} while (!avring_reader_next(pair.reader, &span));
	tap_eq(14, read);
	tap_eq(86, avring_reader_lost(pair.reader));
	pair_close(&pair);
}

static void overtaken_reader_gets_the_only_frame(void)
{
	struct pair pair = pair_open(2);
	struct avring_span span;
	void *data;

	pair_send(&pair, 0);
	span = pair_next(&pair);
	for (int i = 1; i < 10; i++)
		pair_send(&pair, i);
	/* 8 is being overwritten. */
	must(avring_producer_begin(pair.producer, page(), &data));
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &span));
	must(avring_reader_next(pair.reader, &span));
	tap_eq(9, span.sequence);
	tap_eq(8, span.lost);
	tap_eq(9, avring_reader_lost(pair.reader));
	pair_close(&pair);
}

static void losses_in_the_middle_are_counted_where_they_are(void)
{
	struct pair pair = pair_open(16);
	struct avring_span span;

	for (int round = 0; round < 50; round++) {
		uint64_t before = avring_reader_lost(pair.reader), expected;

		pair_send(&pair, 0);
		span = pair_next(&pair);
		expected = span.sequence + 1;
		must(avring_reader_release(pair.reader, &span));
		for (int i = 0; i < 40; i++)
			pair_send(&pair, 0);
		span = pair_next(&pair);
		tap_eq(span.sequence - expected, span.lost);
		tap_check(span.lost >= 24, "40 frames into a ring of 16: %llu lost",
			  (unsigned long long)span.lost);
		tap_eq(before + span.lost, avring_reader_lost(pair.reader));
		while (!avring_reader_next(pair.reader, &span))
			tap_eq(0, span.lost);
	}
	pair_close(&pair);
}

static void held_span_is_intact_until_it_is_overwritten(void)
{
	struct avring_span span, other, theirs[7];
	struct avring_reader *others[7];
	struct pair pair = pair_open(8);

	for (int i = 0; i < 7; i++)
		must(avring_reader_open_fd(&others[i], avring_producer_fd(pair.producer), NULL));
	pair_send(&pair, 0);
	span = pair_next(&pair);
	for (int i = 0; i < 7; i++)
		must(avring_reader_next(others[i], &theirs[i]));
	for (int i = 0; i < 7; i++) {
		pair_send(&pair, i + 1);
		must(avring_reader_release(others[i], &theirs[i]));
		avring_reader_close(others[i]);
	}
	check_frame(&span, 0);
	tap_eq(0, avring_reader_lost(pair.reader));
	pair_send(&pair, 8);
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &span));
	tap_eq(1, avring_reader_lost(pair.reader));
	other = pair_next(&pair);
	tap_eq(1, other.sequence);
	tap_eq(0, other.lost);
	pair_close(&pair);
}

/* The writer gives up the space before it touches it. */
static void span_is_lost_when_the_writer_begins(void)
{
	struct pair pair = pair_open(8);
	struct avring_span span;
	void *data;

	for (int i = 0; i < 8; i++)
		pair_send(&pair, i);
	span = pair_next(&pair);
	must(avring_producer_begin(pair.producer, page(), &data));
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &span));
	pair_close(&pair);
}

static void lost_samples_are_counted_in_sample_frames(void)
{
	struct avring_stream_format format = common_sound(256);
	struct avring_options options = common_options();
	struct avring_span span;
	struct pair pair;

	options.ring_bytes = 16 * 1024;
	pair = pair_open_with(&format, &options);
	for (int i = 0; i < 100; i++)
		pair_send(&pair, i);
	span = pair_next(&pair);
	tap_eq(86 * 256, span.sequence);
	tap_eq(256, span.count);
	tap_eq(86 * 256, span.lost);
	for (int i = 0; i < 16; i++)
		pair_send(&pair, i);
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &span));
	tap_eq(87 * 256, avring_reader_lost(pair.reader));
	pair_close(&pair);
}

static void samples_of_three_bytes_are_packed(void)
{
	struct avring_stream_format format = common_sound(256);
	struct avring_options options = common_options();
	struct pair pair;

	format.audio.format = (uint32_t)SNDRV_PCM_FORMAT_S24_3LE;
	pair = pair_open_with(&format, &options);
	tap_eq(6, avring_reader_format(pair.reader)->audio.frame_bytes);
	pair_send(&pair, 0);
	tap_eq(256 * 6, pair_next(&pair).length);
	pair_close(&pair);
}

static void span_of_another_ring_is_refused(void)
{
	struct pair one = pair_open(8), two = pair_open(8);
	struct avring_span span;

	pair_send(&one, 0);
	span = pair_next(&one);
	must_refuse(EINVAL, avring_reader_release(two.reader, &span));
	pair_close(&one);
	pair_close(&two);
}

/* An index that is full gives up frames whose data would still be there. */
static void short_frames_are_lost_when_the_index_is_full(void)
{
	struct avring_stream_format format = common_picture(page());
	struct avring_options options = common_options();
	struct avring_geometry geometry;
	struct avring_span span;
	struct pair pair;
	uint64_t first;

	options.align = 1;
	options.ring_bytes = 8 * page();
	pair = pair_open_with(&format, &options);
	avring_reader_geometry(pair.reader, &geometry);
	for (uint64_t i = 0; i < 3 * geometry.entries; i++)
		pair_send_bytes(&pair, 1, i);
	first = 2 * geometry.entries + geometry.entries / 8;
	for (uint64_t i = first; i < 3 * geometry.entries; i++) {
		span = pair_next(&pair);
		tap_eq(i, span.sequence);
		tap_eq(i, span.position);
		tap_eq((uint8_t)i, *(const uint8_t *)span.data);
	}
	tap_eq(first, avring_reader_lost(pair.reader));
	pair_close(&pair);
}

/* The time of the ring less two frames, as the header says; what is overtaken is lost. */
static void newest_frame_is_taken(void)
{
	struct pair pair = pair_open(8);
	struct avring_span span;

	must_refuse(EAGAIN, avring_reader_newest(pair.reader, &span));
	for (int i = 0; i < 5; i++)
		pair_send(&pair, i);
	must(avring_reader_newest(pair.reader, &span));
	check_frame(&span, 4);
	for (int i = 5; i < 11; i++)
		pair_send(&pair, i);
	check_frame(&span, 4);
	must(avring_reader_release(pair.reader, &span));
	tap_eq(0, avring_reader_lost(pair.reader));
	must(avring_reader_newest(pair.reader, &span));
	tap_eq(10, span.sequence);
	must_refuse(EAGAIN, avring_reader_next(pair.reader, &(struct avring_span){ 0 }));
	/* 11 to 22 are gone when 30 comes, and so is one that a jump leaves out. */
	for (int i = 11; i < 31; i++)
		pair_send(&pair, i);
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &span));
	must(avring_reader_newest(pair.reader, &span));
	tap_eq(30, span.sequence);
	tap_eq(13, span.lost);
	tap_eq(14, avring_reader_lost(pair.reader));
	pair_close(&pair);
}

/* Of frames that are not aligned, one whose first byte goes is lost, the next one is not. */
static void tail_is_exact_to_the_byte(void)
{
	struct avring_stream_format format = common_picture(page());
	struct avring_options options = common_options();
	struct avring_span mine[3], theirs[3];
	struct avring_reader *other;
	struct pair pair;
	void *data;

	options.align = 1;
	options.ring_bytes = 3 * page();
	pair = pair_open_with(&format, &options);
	must(avring_reader_open_fd(&other, avring_producer_fd(pair.producer), NULL));
	pair_send_bytes(&pair, 1, 1);
	pair_send_bytes(&pair, page(), 2);
	pair_send_bytes(&pair, page(), 3);
	pair_send_bytes(&pair, page() - 1, 4);
	for (int i = 0; i < 3; i++) {
		mine[i] = pair_next(&pair);
		must(avring_reader_next(other, &theirs[i]));
	}
	must(avring_reader_release(other, &theirs[0]));
	must(avring_producer_begin(pair.producer, 1, &data));
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &mine[0]));
	must(avring_reader_release(other, &theirs[1]));
	must(avring_producer_begin(pair.producer, 2, &data));
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &mine[1]));
	must(avring_reader_release(other, &theirs[2]));
	must(avring_producer_begin(pair.producer, page(), &data));
	must(avring_reader_release(pair.reader, &mine[2]));
	avring_reader_close(other);
	pair_close(&pair);
}

/* All of it, until there is no more; not being overtaken, and waiting for nothing. */
static void read_to_the_end(void *arg)
{
	struct pair *pair = arg;
	struct avring_span span;

	must(avring_reader_wait(pair->reader, AVRING_FOREVER));
	for (int i = 0; i < 5; i++) {
		must(avring_reader_next(pair->reader, &span));
		must(avring_reader_release(pair->reader, &span));
	}
	must(avring_reader_wait(pair->reader, AVRING_FOREVER));
	must(avring_reader_next_run(pair->reader, &span, SIZE_MAX));
	must(avring_reader_release(pair->reader, &span));
	must_refuse(EAGAIN, avring_reader_next(pair->reader, &span));
}

static void reading_makes_no_system_call(void)
{
	struct pair pair = pair_open(16);

	for (int i = 0; i < 16 + 4; i++)
		pair_send(&pair, i);
	must(avring_reader_set_watermark(pair.reader, &(struct avring_watermark){ .entries = 4 }));
	common_without_system_calls(read_to_the_end, &pair);
	pair_close(&pair);
}

/* Runs. */

static void run_takes_all_frames_in_a_row(void)
{
	struct pair pair = pair_open(16);
	struct avring_span span;
	const uint8_t *bytes;

	for (int i = 0; i < 12; i++)
		pair_send(&pair, i);
	must(avring_reader_next_run(pair.reader, &span, 12 * page()));
	for (int i = 12; i < 22; i++)
		pair_send(&pair, i);
	/* 12 to 21 cross the wrap of the ring at 16. */
	must(avring_reader_next_run(pair.reader, &span, SIZE_MAX));
	tap_eq(10, span.entries);
	tap_eq(10, span.count);
	tap_eq(10 * page(), span.length);
	tap_eq(page(), span.stride);
	tap_eq(12, span.sequence);
	for (bytes = span.data; bytes < (const uint8_t *)span.data + span.length; bytes++)
		tap_eq(12 + (bytes - (const uint8_t *)span.data) / page(), *bytes);
	must(avring_reader_release(pair.reader, &span));
	must_refuse(EAGAIN, avring_reader_next_run(pair.reader, &span, SIZE_MAX));
	pair_close(&pair);
}

static void run_is_not_longer_than_asked(void)
{
	struct pair pair = pair_open(16);
	struct avring_span span;

	for (int i = 0; i < 10; i++)
		pair_send(&pair, i);
	must(avring_reader_next_run(pair.reader, &span, 3 * page() + 1));
	tap_eq(3, span.entries);
	must(avring_reader_next_run(pair.reader, &span, 1));
	tap_eq(1, span.entries);
	tap_eq(3, span.sequence);
	must(avring_reader_next_run(pair.reader, &span, 6 * page()));
	tap_eq(6, span.entries);
	pair_close(&pair);
}

static void run_ends_where_the_length_changes(void)
{
	struct pair pair = pair_open(16);
	struct avring_span span;

	pair_send_bytes(&pair, 100, 1);
	pair_send_bytes(&pair, 100, 2);
	pair_send_bytes(&pair, 101, 3);
	must(avring_reader_next_run(pair.reader, &span, SIZE_MAX));
	tap_eq(2, span.entries);
	tap_eq(page(), span.stride);
	tap_eq(page() + 100, span.length);
	must(avring_reader_next_run(pair.reader, &span, SIZE_MAX));
	tap_eq(1, span.entries);
	tap_eq(101, span.length);
	tap_eq(0, span.stride);
	pair_close(&pair);
}

static void overwritten_run_counts_all_its_frames(void)
{
	struct pair pair = pair_open(16);
	struct avring_span span;

	for (int i = 0; i < 10; i++)
		pair_send(&pair, i);
	must(avring_reader_next_run(pair.reader, &span, SIZE_MAX));
	tap_eq(10, span.count);
	for (int i = 0; i < 7; i++)
		pair_send(&pair, i);
	must_refuse(EOVERFLOW, avring_reader_release(pair.reader, &span));
	tap_eq(10, avring_reader_lost(pair.reader));
	pair_close(&pair);
}

static const struct tap_test tests[] = {
	{ "frames come in order, whole and unchanged", .run = frames_come_in_order },
	{ "a reader begins with the next frame", .run = reader_begins_with_the_next_frame },
	{ "a reader that wishes so begins with the oldest frame",
	  .run = oldest_begins_with_the_oldest_frame },
	{ "both images, of both sides, are the same memory",
	  .run = both_images_are_the_same_memory },
	{ "an overtaken reader goes on an eighth behind the oldest frame",
	  .run = overtaken_reader_goes_on_behind_the_oldest },
	{ "an overtaken reader gets the only frame there is",
	  .run = overtaken_reader_gets_the_only_frame },
	{ "losses are counted in front of the frame that follows them",
	  .run = losses_in_the_middle_are_counted_where_they_are },
	{ "a held span is intact until it is overwritten, and then counts",
	  .run = held_span_is_intact_until_it_is_overwritten },
	{ "a span is lost when the writer begins, not when it commits",
	  .run = span_is_lost_when_the_writer_begins },
	{ "lost sound is counted in sample frames",
	  .run = lost_samples_are_counted_in_sample_frames },
	{ "samples of three bytes have no gaps", .run = samples_of_three_bytes_are_packed },
	{ "a span of another ring is refused", .run = span_of_another_ring_is_refused },
	{ "short frames are lost when the index is full",
	  .run = short_frames_are_lost_when_the_index_is_full },
	{ "the newest frame is taken, and may be held for the ring less two frames",
	  .run = newest_frame_is_taken },
	{ "the tail is exact to the byte", .run = tail_is_exact_to_the_byte },
	{ "reading makes no system call", .run = reading_makes_no_system_call },
	{ "a run takes all frames in a row, across the wrap",
	  .run = run_takes_all_frames_in_a_row },
	{ "a run is not longer than asked but has one frame", .run = run_is_not_longer_than_asked },
	{ "a run ends where the length changes", .run = run_ends_where_the_length_changes },
	{ "an overwritten run counts all its frames",
	  .run = overwritten_run_counts_all_its_frames },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
