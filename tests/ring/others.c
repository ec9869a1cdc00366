// SPDX-License-Identifier: MIT
/*
 * others: what somebody does takes long, and nobody else waits for it. Times are judged, so it
 * needs a clock of instructions.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

static long long pages_allocated(void)
{
	long long sum = 0, number;
	char line[128];
	FILE *file = fopen("/proc/vmstat", "re");

	tap_check(file, "/proc/vmstat: %s", strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "pgalloc_%*[a-z0-9] %lld", &number) == 1)
			sum += number;
	fclose(file);
	return sum;
}

static int attach(struct ring *ring, uint64_t length)
{
	int error = ring_setup(AVRING_STREAM_VIDEO, length, 0);

	if (!error)
		error = ring_open(ring, 0);
	if (error)
		return error;
	error = ring_read(ring, AVRING_STREAM_VIDEO, 0);
	if (error)
		ring_close(ring);
	return error;
}

/* As much as root may have, again and again; each time it takes a while. */
static void allocate(unsigned int times)
{
	const uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE_BYTES;
	struct ring ring;

	while (times--) {
		must(attach(&ring, all * 9 / 20 & -CHUNK_BYTES));
		ring_close(&ring);
	}
}

static pid_t child_doing(void (*work)(unsigned int times), unsigned int times)
{
	pid_t child = must(sys(fork()));

	if (!child) {
		work(times);
		_exit(0);
	}
	return child;
}

/**
 * struct slowest - the longest that a call took, in ns
 * @setup: GET_SETUP of the same stream
 * @attach: ATTACH and DETACH of the other one
 * @node: STREAMON of the capture node, or G_FMT
 */
struct slowest {
	uint64_t setup;
	uint64_t attach;
	uint64_t node;
};

static uint64_t longer(uint64_t longest, uint64_t begin)
{
	const uint64_t took = now_ns() - begin;

	return took > longest ? took : longest;
}

static void use_ring(struct slowest *slowest, struct ring *ring)
{
	struct avring_setup setup = { .stream = AVRING_STREAM_VIDEO };
	uint64_t begin = now_ns();

	must(ring_call(ring, AVRING_IOC_GET_SETUP, &setup));
	slowest->setup = longer(slowest->setup, begin);
	begin = now_ns();
	must(ring_read(ring, AVRING_STREAM_AUDIO, 0));
	must(ring_call(ring, AVRING_IOC_DETACH, NULL));
	slowest->attach = longer(slowest->attach, begin);
}

static void use_beside(struct slowest *slowest, struct video *video, struct ring *ring)
{
	uint64_t begin;

	use_ring(slowest, ring);
	begin = now_ns();
	must(video_start(video));
	slowest->node = longer(slowest->node, begin);
	must(video_stop(video));
}

/* So long may others wait at most, whatever somebody asks for. */
static void expect_quick(const char *what, uint64_t took_ns)
{
	const uint64_t most_us = 100000ul * tap_slower();

	tap_check(took_ns / 1000 < most_us, "%s: expected less than %llu us, took %llu us", what,
		  (unsigned long long)most_us, (unsigned long long)took_ns / 1000);
}

static void expect_short(const struct slowest *slowest, unsigned int turns)
{
	tap_note("%u turns; GET_SETUP %llu us, ATTACH %llu us, the node %llu us", turns,
		 (unsigned long long)slowest->setup / 1000,
		 (unsigned long long)slowest->attach / 1000,
		 (unsigned long long)slowest->node / 1000);
	tap_check(turns > 5, "turns beside who allocates: expected more than 5, got %u", turns);
	expect_quick("GET_SETUP", slowest->setup);
	expect_quick("ATTACH", slowest->attach);
	expect_quick("the node", slowest->node);
}

static bool has_ended(pid_t child)
{
	int status;

	if (must(sys(waitpid(child, &status, WNOHANG))) != child)
		return false;
	tap_check(WIFEXITED(status) && !WEXITSTATUS(status), "who allocates: got status %x",
		  status);
	return true;
}

/* Seen: 18 seconds, for 16 GiB. */
static void test_others_go_on(void)
{
	struct slowest slowest = { 0 };
	unsigned int turns = 0;
	struct video video;
	struct card card;
	struct ring ring;
	pid_t child;

	ring_small_picture();
	must(card_find(0, &card));
	must(video_begin(&video, card.capture, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 2));
	must(video_queue_all(&video));
	must(ring_open(&ring, 0));
	child = child_doing(allocate, 5);
	while (!has_ended(child)) {
		use_beside(&slowest, &video, &ring);
		turns++;
		must(video_queue_all(&video));
	}
	expect_short(&slowest, turns);
	ring_close(&ring);
	video_close(&video);
}

/* So long that two of them are nearly all that there may be: while rings change there are. */
static uint64_t long_ring(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE_BYTES / 5 & -CHUNK_BYTES;
}

/* Return: true if ATTACH has made the ring. */
static bool makes_next(struct ring *ring)
{
	long long before;

	tap_check(ring_state(ring) == AVRING_STATE_STALE, "state of the ring: expected stale");
	ring_unmap(ring);
	before = pages_allocated();
	must(ring_read(ring, AVRING_STREAM_VIDEO, 0));
	before = pages_allocated() - before;
	must(ring_map(ring));
	return (uint64_t)before > ring->at.length / PAGE_BYTES;
}

static void expect_followed(struct ring *ring, uint32_t width, uint32_t fps)
{
	const uint32_t before = ring->at.generation;
	const struct avring_video_format *is = &ring->at.format.video;

	tap_check(!makes_next(ring), "the next ring: expected to be there");
	tap_check(is->width == width && is->rate_num == fps && ring->at.generation == before + 1,
		  "the ring: expected %u pixels, %u fps, generation %u, got %u, %u, %u", width, fps,
		  before + 1, is->width, is->rate_num, ring->at.generation);
}

enum start { START_STREAMON, START_QBUF, START_WRITE, STARTS };

static void start_output(struct video *output, const struct card *card, uint32_t width,
			 enum start start)
{
	static const uint8_t frame[2 * SMALL_BYTES * 2];
	const size_t bytes = width * SMALL_HEIGHT;

	must(video_open(output, card->output));
	must(video_set_format(output, SMALL_FOURCC, width, SMALL_HEIGHT));
	must(video_set_rate(output, 60, 1));
	if (start == START_WRITE) {
		must(sys(write(output->fd, frame, bytes)) == (int)bytes ? 0 : -EIO);
		return;
	}
	must(video_request(output, 2));
	if (start == START_QBUF)
		must(video_start(output));
	must(video_queue_all(output));
	if (start == START_STREAMON)
		must(video_start(output));
}

/* S_FMT, S_PARM, a start of either node: the ring follows each. */
static void change_once(struct ring *ring, const struct card *card, uint32_t width,
			enum start start)
{
	const uint32_t fps = 60;
	struct video capture, output;

	must(video_open(&capture, card->capture));
	must(video_set_format(&capture, SMALL_FOURCC, width, SMALL_HEIGHT));
	expect_followed(ring, width, SMALL_FPS);
	must(video_set_rate(&capture, fps, 1));
	expect_followed(ring, width, fps);
	must(video_request(&capture, 2));
	must(video_queue_all(&capture));
	start_output(&output, card, 2 * width, start);
	expect_followed(ring, 2 * width, fps);
	must(video_start(&capture));
	expect_followed(ring, width, fps);
	video_close(&output);
	must(video_stop(&capture));
	must(video_request(&capture, 0));
	must(video_set_rate(&capture, SMALL_FPS, 1));
	expect_followed(ring, width, SMALL_FPS);
	video_close(&capture);
}

static struct ring follower;

static void change(unsigned int times)
{
	struct card card;

	must(card_find(0, &card));
	must(ring_map(&follower));
	while (times--)
		change_once(&follower, &card, SMALL_WIDTH + 16 * (1 + times % 2), times % STARTS);
}

static void test_others_go_on_beside_changes(void)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct slowest slowest = { 0 };
	unsigned int turns = 0;
	struct video video;
	struct card card;
	struct ring ring;
	uint64_t begin;
	pid_t child;

	ring_small_picture();
	ring_input(CARD_INPUT_LOOPBACK);
	must(card_find(0, &card));
	must(video_open(&video, card.capture));
	must(ring_open(&ring, 0));
	must(attach(&follower, long_ring()));
	child = child_doing(change, STARTS);
	while (!has_ended(child)) {
		use_ring(&slowest, &ring);
		begin = now_ns();
		must(video_ioctl(video.fd, VIDIOC_G_FMT, &format));
		slowest.node = longer(slowest.node, begin);
		turns++;
	}
	expect_short(&slowest, turns);
	ring_close(&follower);
	ring_close(&ring);
	video_close(&video);
}

static bool allocates(void *arg)
{
	return pages_allocated() - *(const long long *)arg > 50000;
}

/* He hears that there is no card any more; a listener has heard it before. */
static void test_removal_goes_on(void)
{
	const uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE_BYTES;
	uint64_t *told = ring_shared(sizeof(*told)), begin, took;
	long long before;
	pid_t listener, child;
	struct ring sound, ring;
	struct card card;

	ring_small_picture();
	must(card_find(0, &card));
	sound = ring_reader(AVRING_STREAM_AUDIO);
	listener = must(sys(fork()));
	if (!listener) {
		must_refuse(ENODEV, ring_wait(&sound, ring_head(&sound), sound.at.entries,
					      AVRING_WAIT_FOREVER));
		*told = now_ns();
		_exit(0);
	}
	wait_asleep(listener);
	before = pages_allocated();
	child = must(sys(fork()));
	if (!child) {
		must_refuse(ENODEV, attach(&ring, all * 9 / 20 & -CHUNK_BYTES));
		_exit(0);
	}
	tap_check(tap_eventually(allocates, &before, 10), "expected a ring to be allocated");
	begin = now_ns();
	must(card_unbind(&card));
	took = now_ns() - begin;
	tap_join(listener);
	tap_note("unbind took %llu us, the listener was told after %llu us",
		 (unsigned long long)took / 1000, (unsigned long long)(*told - begin) / 1000);
	expect_quick("unbind", took);
	expect_quick("the listener's ENODEV", *told - begin);
	tap_join(child);
	ring_close(&sound);
	must(card_bind(&card));
}

/* A ring is read that is long, and somebody else sets another format: it is being allocated. */
static pid_t child_in_s_fmt(const struct card *card, int expected)
{
	long long before;
	struct video video;
	pid_t child;

	ring_small_picture();
	must(attach(&follower, long_ring()));
	before = pages_allocated();
	child = must(sys(fork()));
	if (!child) {
		must(video_open(&video, card->capture));
		must_refuse(expected,
			    video_set_format(&video, SMALL_FOURCC, 2 * SMALL_WIDTH, SMALL_HEIGHT));
		_exit(0);
	}
	tap_check(tap_eventually(allocates, &before, 10), "expected a ring to be allocated");
	return child;
}

static void test_removal_goes_on_beside_s_fmt(void)
{
	struct card card;
	uint64_t begin, took;
	pid_t child;

	must(card_find(0, &card));
	child = child_in_s_fmt(&card, ENODEV);
	begin = now_ns();
	must(card_unbind(&card));
	took = now_ns() - begin;
	tap_note("unbind took %llu us", (unsigned long long)took / 1000);
	expect_quick("unbind", took);
	tap_join(child);
	ring_close(&follower);
	must(card_bind(&card));
}

/* What is decided before is decided again. */
static void test_buffers_come_first(void)
{
	const struct avring_video_format *is = &follower.at.format.video;
	struct video video;
	struct card card;
	pid_t child;

	must(card_find(0, &card));
	child = child_in_s_fmt(&card, EBUSY);
	must(video_open(&video, card.capture));
	must(video_request(&video, 2));
	tap_join(child);
	must(ring_read(&follower, AVRING_STREAM_VIDEO, 0));
	tap_check(is->width == SMALL_WIDTH && follower.at.generation == 1,
		  "the ring: expected %u pixels, generation 1, got %u, %u", SMALL_WIDTH, is->width,
		  follower.at.generation);
	video_close(&video);
	ring_close(&follower);
}

/* The ring had to agree with the capture node, and need not any more. */
static void test_streamoff_makes_none(void)
{
	struct video capture, output;
	long long before, allocated;
	struct card card;

	ring_small_picture();
	ring_input(CARD_INPUT_LOOPBACK);
	must(card_find(0, &card));
	must(attach(&follower, long_ring()));
	must(ring_map(&follower));
	must(video_begin(&capture, card.capture, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 2));
	must(video_queue_all(&capture));
	must(video_start(&capture));
	start_output(&output, &card, 2 * SMALL_WIDTH, START_STREAMON);
	before = pages_allocated();
	must(video_stop(&capture));
	allocated = pages_allocated() - before;
	tap_check(allocated < 50000, "STREAMOFF: expected to make no ring, got %lld pages",
		  allocated);
	tap_check(makes_next(&follower), "ATTACH: expected to make a ring");
	tap_check(follower.at.format.video.width == 2 * SMALL_WIDTH,
		  "the ring: expected %u pixels, got %u", 2 * SMALL_WIDTH,
		  follower.at.format.video.width);
	video_close(&capture);
	video_close(&output);
	ring_close(&follower);
}

static const struct tap_test tests[] = {
	{ "while somebody allocates as much as there is, others' calls take less than 100 ms",
	  .run = test_others_go_on },
	{ "and so does removal, of which he hears when he has it: ENODEV",
	  .run = test_removal_goes_on },
	{ "while the longest of rings follow S_FMT, S_PARM and STREAMON, others' calls take less",
	  .run = test_others_go_on_beside_changes },
	{ "and so does removal: S_FMT gives ENODEV", .run = test_removal_goes_on_beside_s_fmt },
	{ "who makes buffers meanwhile does not wait: S_FMT gives EBUSY, and the ring stays",
	  .run = test_buffers_come_first },
	{ "STREAMOFF makes no ring for the producer's format: the reader does",
	  .run = test_streamoff_makes_none },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
