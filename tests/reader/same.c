// SPDX-License-Identifier: MIT
/*
 * same KIND [CLAIM]...: the reader's calls do the same on every kind of device:
 * memfd, aloop, vivid, video, audio (see kinds.c).
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common.h"
#include "kinds.h"
#include "tap.h"

#define FRAMES 200

static const struct kind *kind;

/**
 * struct test - an open reader and what it has seen
 * @reader: the handle
 * @geometry: of its ring
 * @frame_bytes: length that each frame or chunk must have
 * @frame_count: sample frames or frames in each
 * @half: the largest watermark of entries
 * @first: sequence of the first frame
 * @next: sequence after the last one
 * @entry: number after that of the last one
 * @time_ns: of the last one
 * @received: frames or sample frames
 * @lost: sum of what the spans said
 */
struct test {
	struct avring_reader *reader;
	struct avring_geometry geometry;
	uint64_t frame_bytes;
	uint64_t frame_count;
	uint64_t half;
	uint64_t first;
	uint64_t next;
	uint64_t entry;
	uint64_t time_ns;
	uint64_t received;
	uint64_t lost;
};

static uint64_t frame_interval_ns(const struct test *test)
{
	const struct avring_stream_format *format = avring_reader_format(test->reader);

	if (format->stream == AVRING_STREAM_AUDIO)
		return format->audio.period_frames * 1000000000ULL / format->audio.rate;
	return 1000000000ULL * format->video.rate_den / format->video.rate_num;
}

/* How many frames make half a ring: more is refused. */
static uint64_t largest_watermark(struct test *test)
{
	struct avring_watermark mark = { .entries = 1 };

	while (!avring_reader_set_watermark(test->reader, &mark))
		mark.entries++;
	must(avring_reader_set_watermark(test->reader, NULL));
	return mark.entries - 1;
}

static struct test begin(void)
{
	struct avring_options options = kind_options(kind);
	const struct avring_stream_format *format;
	struct test test = { 0 };

	if (kind->start)
		kind->start();
	must(kind->open(&test.reader, &options));
	format = avring_reader_format(test.reader);
	avring_reader_geometry(test.reader, &test.geometry);
	test.frame_count = 1;
	test.frame_bytes = format->video.sizeimage;
	if (format->stream == AVRING_STREAM_AUDIO) {
		test.frame_count = format->audio.period_frames;
		test.frame_bytes = test.frame_count * format->audio.frame_bytes;
	}
	test.half = largest_watermark(&test);
	return test;
}

static void end(struct test *test)
{
	avring_reader_close(test->reader);
	if (kind->stop)
		kind->stop();
}

/* The same bytes are in both images; a span may begin in the first one only. */
static void check_place(const struct test *test, const struct avring_span *span)
{
	const uint8_t *base = test->geometry.data, *data = span->data;
	uint64_t place = span->position % test->geometry.length;
	uint64_t in_first = test->geometry.length - place;

	tap_check(data == base + place, "position %llu is not at its place",
		  (unsigned long long)span->position);
	tap_eq(0, span->position % test->geometry.align);
	tap_check(span->length <= test->geometry.length, "longer than the ring");
	if (in_first > span->length)
		in_first = span->length;
	tap_check(!memcmp(data, data + test->geometry.length, in_first),
		  "the second image differs at %llu", (unsigned long long)place);
	tap_check(!memcmp(data + in_first, base, span->length - in_first),
		  "what lies behind the wrap is not the beginning");
}

static void check_order(struct test *test, const struct avring_span *span)
{
	if (!test->received) {
		test->first = span->sequence - span->lost;
	} else {
		tap_eq(test->next + span->lost, span->sequence);
		tap_check(span->entry >= test->entry, "entries go back");
		tap_check(span->time_ns > test->time_ns, "time goes back: %llu after %llu",
			  (unsigned long long)span->time_ns, (unsigned long long)test->time_ns);
	}
	test->next = span->sequence + span->count;
	test->entry = span->entry + span->entries;
	test->time_ns = span->time_ns;
	test->received += span->count;
	test->lost += span->lost;
}

/* The next frame, waiting for it. */
static struct avring_span take(struct test *test)
{
	struct avring_span span;
	int error;

	while ((error = avring_reader_next(test->reader, &span)) == -EAGAIN)
		must(avring_reader_wait(test->reader, AVRING_FOREVER));
	must(error);
	tap_eq(test->frame_bytes, span.length);
	tap_eq(test->frame_count, span.count);
	tap_eq(1, span.entries);
	tap_eq(0, span.stride);
	tap_eq(0, span.reserved);
	check_order(test, &span);
	return span;
}

static void release(struct test *test, const struct avring_span *span)
{
	must(avring_reader_release(test->reader, span));
}

static void take_and_release(struct test *test, int frames)
{
	while (frames--) {
		struct avring_span span = take(test);

		release(test, &span);
	}
}

/* All that is there. */
static unsigned int drain(struct test *test)
{
	struct avring_span span;
	unsigned int n = 0;
	int error;

	while (!(error = avring_reader_next(test->reader, &span))) {
		check_order(test, &span);
		release(test, &span);
		n++;
	}
	must_refuse(EAGAIN, error);
	return n;
}

static void check_balance(struct test *test)
{
	tap_eq(test->lost, avring_reader_lost(test->reader));
	tap_eq(test->next - test->first, test->received + test->lost);
}

static void geometry_fits_the_format(void)
{
	struct test test = begin();

	tap_check(test.frame_bytes, "frames without bytes");
	tap_eq(0, test.geometry.length % sysconf(_SC_PAGESIZE));
	tap_check(test.geometry.length >= 2 * test.frame_bytes, "less than two frames");
	tap_check(!(test.geometry.entries & (test.geometry.entries - 1)), "no power of two");
	tap_check(test.half * 2 <= test.geometry.entries, "half of the ring is %llu of %llu",
		  (unsigned long long)test.half, (unsigned long long)test.geometry.entries);
	tap_check(avring_reader_fd(test.reader) >= 0, "no file descriptor");
	end(&test);
}

static void frames_come_in_order(void)
{
	struct test test = begin();

	for (int i = 0; i < FRAMES; i++) {
		struct avring_span span = take(&test);

		check_place(&test, &span);
		if (kind->check)
			kind->check(&span);
		release(&test, &span);
	}
	tap_eq(0, test.lost);
	check_balance(&test);
	end(&test);
}

static void runs_are_contiguous(void)
{
	struct test test = begin();
	unsigned int runs = 0, longest = 0;

	must(avring_reader_set_watermark(test.reader,
					 &(struct avring_watermark){ .entries = test.half }));
	while (test.received < FRAMES * test.frame_count) {
		struct avring_span span;

		must(avring_reader_wait(test.reader, AVRING_FOREVER));
		must(avring_reader_next_run(test.reader, &span, SIZE_MAX));
		tap_eq(span.entries * test.frame_count, span.count);
		tap_eq((span.entries - 1) * (uint64_t)span.stride + test.frame_bytes, span.length);
		check_order(&test, &span);
		check_place(&test, &span);
		if (kind->check && span.entries == 1)
			kind->check(&span);
		release(&test, &span);
		longest = span.entries > longest ? span.entries : longest;
		runs++;
	}
	tap_note("%u runs, at most %u frames long", runs, longest);
	tap_check(longest >= test.half, "no run has the %llu frames of the watermark",
		  (unsigned long long)test.half);
	tap_eq(0, test.lost);
	check_balance(&test);
	end(&test);
}

static void nap_ns(uint64_t ns)
{
	struct timespec time = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* So long that the ring is written twice. */
static void be_late(const struct test *test)
{
	nap_ns(2 * test->geometry.length / test->frame_bytes * frame_interval_ns(test));
}

static uint64_t sum(const struct avring_span *span)
{
	const uint8_t *bytes = span->data;
	uint64_t total = 0;

	for (size_t i = 0; i < span->length; i++)
		total = total * 31 + bytes[i];
	return total;
}

/* A writer that overtakes has lost the held frame too; a driver leaves it alone. */
static void check_held(struct test *test, const struct avring_span *span, uint64_t before)
{
	if (kind->overtakes) {
		must_refuse(EOVERFLOW, avring_reader_release(test->reader, span));
		test->lost += span->count;
		test->received -= span->count;
		return;
	}
	tap_check(sum(span) == before, "a held frame was overwritten");
	release(test, span);
}

static void losses_equal_the_gaps(void)
{
	struct test test = begin();

	for (int round = 0; round < 3; round++) {
		uint64_t before = test.lost, held_sum;
		struct avring_span held;

		take_and_release(&test, 5);
		held = take(&test);
		held_sum = sum(&held);
		be_late(&test);
		check_held(&test, &held, held_sum);
		take_and_release(&test, 2 * test.geometry.length / test.frame_bytes);
		tap_check(test.lost > before, "round %d: nothing was lost", round);
		check_balance(&test);
	}
	tap_note("%llu lost, %llu received", (unsigned long long)test.lost,
		 (unsigned long long)test.received);
	end(&test);
}

static void held_span_stays_intact(void)
{
	struct test test = begin();

	for (int round = 0; round < 20; round++) {
		struct avring_span span = take(&test);
		uint64_t before = sum(&span);

		take_and_release(&test, test.half - 1);
		tap_check(sum(&span) == before, "frame %llu changed while it was held",
			  (unsigned long long)span.sequence);
		release(&test, &span);
	}
	tap_eq(0, test.lost);
	end(&test);
}

/* In any order, while others are held, and after the ring was overwritten. */
static void span_is_released_once(void)
{
	struct test test = begin();
	struct avring_span first = take(&test), second = take(&test), third = take(&test);
	const uint64_t lost = avring_reader_lost(test.reader);
	struct avring_span old;

	must(avring_reader_release(test.reader, &second));
	must_refuse(EINVAL, avring_reader_release(test.reader, &second));
	must(avring_reader_release(test.reader, &first));
	must(avring_reader_release(test.reader, &third));
	must_refuse(EINVAL, avring_reader_release(test.reader, &first));
	must_refuse(EINVAL, avring_reader_release(test.reader, &third));
	tap_eq(lost, avring_reader_lost(test.reader));
	old = take(&test);
	if (kind->overtakes) {
		be_late(&test);
		must_refuse(EOVERFLOW, avring_reader_release(test.reader, &old));
		tap_eq(lost + old.count, avring_reader_lost(test.reader));
		must_refuse(EINVAL, avring_reader_release(test.reader, &old));
		tap_eq(lost + old.count, avring_reader_lost(test.reader));
	} else {
		must(avring_reader_release(test.reader, &old));
	}
	end(&test);
}

/* Who always takes the newest frame may hold each for half a ring, however many it misses. */
static void newest_frame_can_be_held(void)
{
	struct test test = begin();
	uint64_t hold_ns = test.half * frame_interval_ns(&test), passed = 0;

	take_and_release(&test, 1);
	for (int round = 0; round < 20; round++) {
		struct avring_span span;
		uint64_t before;

		must(avring_reader_wait(test.reader, AVRING_FOREVER));
		must(avring_reader_newest(test.reader, &span));
		tap_check(span.sequence >= test.next, "frame %llu came after %llu",
			  (unsigned long long)span.sequence, (unsigned long long)test.next);
		tap_eq(0, span.lost);
		check_place(&test, &span);
		before = sum(&span);
		passed += span.sequence - test.next;
		test.next = span.sequence + span.count;
		nap_ns(hold_ns);
		tap_check(sum(&span) == before, "round %d: changed while it was held", round);
		must(avring_reader_release(test.reader, &span));
	}
	tap_eq(0, avring_reader_lost(test.reader));
	tap_note("%llu passed over", (unsigned long long)passed);
	tap_check(passed >= 10 * test.frame_count, "nothing was passed over");
	end(&test);
}

static void deadline_ends_a_wait(void)
{
	struct test test = begin();
	uint64_t deadline;

	take_and_release(&test, 1);
	must(avring_reader_set_watermark(test.reader,
					 &(struct avring_watermark){ .entries = test.half }));
	drain(&test);
	must_refuse(ETIMEDOUT, avring_reader_wait(test.reader, 0));
	deadline = common_now_ns() + frame_interval_ns(&test);
	must_refuse(ETIMEDOUT, avring_reader_wait(test.reader, deadline));
	tap_check(common_now_ns() >= deadline, "too early");
	must(avring_reader_wait(test.reader, AVRING_FOREVER));
	tap_check(drain(&test) >= test.half, "less than the watermark");
	check_balance(&test);
	end(&test);
}

static void signal_ends_a_wait(void)
{
	struct test test = begin();
	struct pest *pest;
	int error;

	take_and_release(&test, 1);
	must(avring_reader_set_watermark(test.reader,
					 &(struct avring_watermark){ .entries = test.half }));
	pest = common_pester(0);
	/* Unless the watermark is reached between two signals. */
	do {
		drain(&test);
		error = avring_reader_wait(test.reader, AVRING_FOREVER);
	} while (!error);
	common_leave_alone(pest);
	must_refuse(EINTR, error);
	must(avring_reader_wait(test.reader, AVRING_FOREVER));
	drain(&test);
	tap_eq(0, test.lost);
	end(&test);
}

static void check_watermark(struct test *test, const struct avring_watermark *mark,
			    unsigned int frames)
{
	must(avring_reader_set_watermark(test->reader, mark));
	for (int round = 0; round < 5; round++) {
		unsigned int got;

		must(avring_reader_wait(test->reader, AVRING_FOREVER));
		got = drain(test);
		tap_check(got >= frames, "expected %u frames or more, got %u", frames, got);
	}
}

static void watermarks_are_waited_for(void)
{
	struct test test = begin();
	const struct avring_watermark too_much = { .bytes = test.geometry.length };
	uint64_t n = test.half < 4 ? test.half : 4;

	take_and_release(&test, 1);
	drain(&test);
	check_watermark(&test, &(struct avring_watermark){ .entries = n }, n);
	check_watermark(&test, &(struct avring_watermark){ .bytes = n * test.frame_bytes - 1 }, n);
	/* Between n frames lie n - 1 intervals; a camera's may be a bit shorter. */
	check_watermark(&test,
			&(struct avring_watermark){ .time_ns = (n - 1) * frame_interval_ns(&test) *
							       9 / 10 },
			n);
	must_refuse(EINVAL, avring_reader_set_watermark(test.reader, &too_much));
	tap_eq(0, test.lost);
	end(&test);
}

static int readable(int fd, int timeout_ms)
{
	struct pollfd file = { .fd = fd, .events = POLLIN | POLLPRI };

	return must(sys(poll(&file, 1, timeout_ms)));
}

/* A loop on poll() gets every frame and does not spin. */
static void poll_wakes_an_armed_reader(void)
{
	struct test test = begin();
	unsigned int arms = 0, frames = 0;

	take_and_release(&test, 1);
	drain(&test);
	while (frames < FRAMES / 2) {
		int armed = must(avring_reader_arm(test.reader));

		arms++;
		if (!armed)
			readable(avring_reader_fd(test.reader), -1);
		frames += drain(&test);
	}
	tap_note("%u frames after %u calls", frames, arms);
	tap_check(arms <= 2 * frames + 5, "%u calls for %u frames", arms, frames);
	tap_eq(0, test.lost);
	check_balance(&test);
	end(&test);
}

static void armed_reader_with_frames_does_not_wait(void)
{
	struct test test = begin();

	take_and_release(&test, 1);
	must(avring_reader_wait(test.reader, AVRING_FOREVER));
	tap_eq(1, avring_reader_arm(test.reader));
	end(&test);
}

/* Neither by the processor nor, where the memory is somebody else's, after mprotect(). */
static void reader_cannot_write(void)
{
	int zeros = must(sys(open("/dev/zero", O_RDONLY | O_CLOEXEC)));
	struct test test = begin();
	struct avring_span span = take(&test);

	must_refuse(EFAULT, sys(read(zeros, (void *)span.data, 1)));
	if (kind->read_only)
		must_refuse(EACCES, sys(mprotect((void *)test.geometry.data, sysconf(_SC_PAGESIZE),
						 PROT_READ | PROT_WRITE)));
	release(&test, &span);
	end(&test);
	close(zeros);
}

static void closing_leaves_nothing_behind(void)
{
	struct test test = begin();
	int fds, mappings;

	end(&test);
	fds = tap_count_fds();
	mappings = common_count_mappings();
	for (int i = 0; i < 5; i++) {
		test = begin();
		take_and_release(&test, 3);
		end(&test);
	}
	tap_eq(fds, tap_count_fds());
	tap_check(common_count_mappings() <= mappings, "mappings: expected %d as before, got %d",
		  mappings, common_count_mappings());
}

static const struct tap_test tests[] = {
	{ "the ring fits the format", .run = geometry_fits_the_format },
	{ "frames come in order, contiguous, twice in memory", .run = frames_come_in_order },
	{ "runs are contiguous and as long as the watermark", .run = runs_are_contiguous },
	{ "losses equal the gaps in the sequence, and release tells the truth",
	  .run = losses_equal_the_gaps },
	{ "a span that is held for half a ring stays intact", .run = held_span_stays_intact },
	{ "a span is released once", .run = span_is_released_once },
	{ "the newest frame can be held, and what is passed over is not lost",
	  .run = newest_frame_can_be_held },
	{ "a deadline ends a wait", .run = deadline_ends_a_wait },
	{ "a signal ends a wait, and nothing is lost", .run = signal_ends_a_wait },
	{ "watermarks are waited for", .run = watermarks_are_waited_for },
	{ "poll wakes an armed reader", .run = poll_wakes_an_armed_reader },
	{ "an armed reader with frames does not wait",
	  .run = armed_reader_with_frames_does_not_wait },
	{ "a reader cannot write", .run = reader_cannot_write },
	{ "closing leaves neither files nor mappings behind",
	  .run = closing_leaves_nothing_behind },
};

static const char *missing(void)
{
	return kind->missing ? kind->missing() : NULL;
}

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests,
					 .n_tests = TAP_COUNT(tests),
					 .missing = missing };

	kind = argc > 1 ? kind_find(argv[1]) : NULL;
	if (!kind) {
		fprintf(stderr, "usage: same memfd|aloop|vivid|video|audio [CLAIM]...\n");
		return 2;
	}
	return tap_main(&suite, argc - 1, argv + 1);
}
