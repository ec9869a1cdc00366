// SPDX-License-Identifier: MIT
/*
 * verify: every pattern frame proves itself. Its CRC is right, its time is on the
 * grid of the frame rate, it agrees with the V4L2 buffer that carried it, and
 * what is missing between two frames is what the driver says it dropped.
 *
 * Arguments: `-n FRAMES` first sets the length of the long run (10000); the rest
 * is tap.h's.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "flow.h"
#include "tap.h"

#define NSEC_PER_SEC 1000000000

/**
 * struct verify_run - what to capture
 * @io: how frames are moved
 * @pix: fourcc and size
 * @rate: frames per second
 * @frames: how many; 0 means verify_long_run
 * @buffers: how many
 * @exporter: card whose capture node lends buffers to FLOW_DMABUF
 * @stall_every: hold all buffers back for @stall_frames each time this many
 *	frames were seen; 0 means never
 * @stall_frames: length of a stall in frames
 */
struct verify_run {
	enum flow_io io;
	struct v4l2_pix_format pix;
	struct v4l2_fract rate;
	unsigned int frames;
	unsigned int buffers;
	unsigned int exporter;
	unsigned int stall_every;
	unsigned int stall_frames;
};

/**
 * struct verify_state - what was seen
 * @seen: frames
 * @missing: sum of the sequence gaps
 * @sequence: of the last frame
 * @frame: number of the last frame on the card's timeline
 */
struct verify_state {
	unsigned int seen;
	uint64_t missing;
	uint32_t sequence;
	uint64_t frame;
};

#define SMALL_GREY \
	{ \
		.pixelformat = V4L2_PIX_FMT_GREY, .width = 160, .height = 120 \
	}
#define FASTEST \
	{ \
		120, 1 \
	}

static unsigned int verify_long_run = 10000;

static uint64_t verify_frame_ns(struct v4l2_fract rate, uint64_t frame)
{
	return (unsigned __int128)frame * rate.denominator * NSEC_PER_SEC / rate.numerator;
}

static unsigned int verify_flash_frames(struct v4l2_fract rate)
{
	return (rate.numerator + rate.denominator - 1) / rate.denominator;
}

static struct avring_frame_stamp verify_stamp(const struct flow_frame *frame)
{
	struct avring_frame_stamp stamp;
	int error = frame_check(frame->data, frame->bytes, &stamp);

	tap_check(error != -EILSEQ, "frame of %zu bytes: expected magic %#x, got %#x", frame->bytes,
		  AVRING_FRAME_STAMP_MAGIC, le32toh(stamp.magic));
	tap_check(!error, "frame %llu: expected its CRC, got %#x in the stamp",
		  (long long)le64toh(stamp.frame), le32toh(stamp.crc));
	return stamp;
}

/* The stamp alone: the grid and the flash follow from the frame's number. */
static void verify_grid(const struct verify_run *run, const struct avring_frame_stamp *stamp)
{
	uint64_t frame = le64toh(stamp->frame);
	bool flash = frame % verify_flash_frames(run->rate) == 0;

	tap_eq(verify_frame_ns(run->rate, frame), le64toh(stamp->time_ns));
	tap_eq(flash ? AVRING_FRAME_STAMP_FLASH : 0, le32toh(stamp->flags));
}

/* read() carries no v4l2_buffer. */
static void verify_buffer(const struct flow *flow, const struct flow_frame *frame,
			  const struct avring_frame_stamp *stamp)
{
	const struct v4l2_buffer *buffer = &frame->buffer;

	tap_eq(flow->video.pix.sizeimage, frame->bytes);
	if (flow->io == FLOW_READ)
		return;
	tap_eq(buffer->sequence, le32toh(stamp->sequence));
	tap_eq(le64toh(stamp->time_ns) / 1000, frame->time_us);
	tap_eq(V4L2_FIELD_NONE, buffer->field);
	tap_eq(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
	       buffer->flags & (V4L2_BUF_FLAG_TIMESTAMP_MASK | V4L2_BUF_FLAG_ERROR));
}

/* What time and sequence did since the last frame is the same number of frames. */
static void verify_advance(struct verify_state *state, const struct avring_frame_stamp *stamp)
{
	uint32_t sequence = le32toh(stamp->sequence);
	uint64_t frame = le64toh(stamp->frame);

	if (state->seen) {
		tap_check(sequence > state->sequence, "sequence: expected more than %u, got %u",
			  state->sequence, sequence);
		tap_eq(sequence - state->sequence, frame - state->frame);
		state->missing += sequence - state->sequence - 1;
	} else {
		state->missing = sequence;
	}
	state->seen++;
	state->sequence = sequence;
	state->frame = frame;
}

static void verify_take(const struct verify_run *run, struct flow *flow, struct flow_frame *frame,
			struct verify_state *state)
{
	struct avring_frame_stamp stamp;

	must(flow_take(flow, frame, 10000));
	stamp = verify_stamp(frame);
	verify_grid(run, &stamp);
	verify_buffer(flow, frame, &stamp);
	verify_advance(state, &stamp);
}

static void verify_sleep(const struct verify_run *run, unsigned int frames)
{
	usleep(frames * UINT64_C(1000000) * run->rate.denominator / run->rate.numerator);
}

static bool verify_is_stall(const struct verify_run *run, const struct verify_state *state)
{
	return run->stall_every && state->seen % run->stall_every == 0;
}

static void verify_frames(const struct verify_run *run, struct flow *flow,
			  struct verify_state *state)
{
	unsigned int frames = run->frames ?: verify_long_run;
	struct flow_frame frame;

	while (state->seen < frames) {
		verify_take(run, flow, &frame, state);
		if (verify_is_stall(run, state))
			verify_sleep(run, run->stall_frames);
		must(flow_give(flow, &frame));
	}
}

static int64_t verify_dropped(struct flow *flow)
{
	int64_t dropped;

	must(video_get_control(&flow->video, V4L2_CID_AVRING_FRAMES_DROPPED, &dropped));
	return dropped;
}

/* With no buffer left in the driver its count stands still. */
static void verify_drain(const struct verify_run *run, struct flow *flow,
			 struct verify_state *state)
{
	struct flow_frame frame;
	unsigned int i;

	for (i = 0; i < flow->count; i++)
		verify_take(run, flow, &frame, state);
	tap_eq(state->missing, verify_dropped(flow));
}

/*
 * read() hands a frame's buffer back before it returns, so the count stands still
 * only while nobody reads. The gap that this causes comes after all frames that
 * were counted.
 */
static void verify_drain_read(const struct verify_run *run, struct flow *flow,
			      struct verify_state *state)
{
	struct flow_frame frame;
	uint64_t missing, before;
	int64_t dropped;

	verify_sleep(run, 64);
	dropped = verify_dropped(flow);
	missing = state->missing;
	do {
		before = missing;
		verify_take(run, flow, &frame, state);
		missing = state->missing;
	} while (missing - before < 32);
	tap_eq(before, dropped);
}

static void verify_open(const struct verify_run *run, struct flow *flow)
{
	struct card exporter;

	must(flow_open(flow, 0, CARD_INPUT_PATTERN, &run->pix, &run->rate));
	if (run->io == FLOW_DMABUF && card_find(run->exporter, &exporter))
		tap_skip("no card %u to export dma-bufs", run->exporter);
	must(video_set_control(&flow->video, V4L2_CID_AVRING_FRAME_STAMP, 1));
	must(flow_allocate(flow, run->io, run->buffers, exporter.capture));
	must(flow_start(flow));
}

static void verify_run(const void *arg)
{
	const struct verify_run *run = arg;
	struct verify_state state = { 0 };
	struct flow flow;

	verify_open(run, &flow);
	verify_frames(run, &flow, &state);
	if (run->io == FLOW_READ)
		verify_drain_read(run, &flow, &state);
	else
		verify_drain(run, &flow, &state);
	must(flow_stop(&flow));
	must(flow_free(&flow));
	flow_close(&flow);
	tap_note("%u frames, %llu dropped and counted", state.seen, (long long)state.missing);
	tap_check(!run->stall_every || state.missing >= run->stall_frames / 2,
		  "stalls of %u frames: expected drops, got %llu", run->stall_frames,
		  (long long)state.missing);
}

/* Sequence, count and grid start again with each STREAMON. */
static void verify_restart(void)
{
	const struct verify_run run = { .pix = SMALL_GREY, .rate = { 30, 1 }, .buffers = 3 };
	struct flow_frame frame;
	struct flow flow;
	unsigned int i;

	verify_open(&run, &flow);
	for (i = 0; i < 3; i++) {
		struct verify_state state = { 0 };

		verify_sleep(&run, 16);
		verify_take(&run, &flow, &frame, &state);
		tap_eq(0, state.sequence);
		must(flow_stop(&flow));
		must(flow_start(&flow));
		tap_eq(0, verify_dropped(&flow));
	}
	must(flow_stop(&flow));
	must(flow_free(&flow));
	flow_close(&flow);
}

#define RUN(...) \
	.run_with = verify_run, .deadline_s = 120, .arg = &(const struct verify_run) \
	{ \
		__VA_ARGS__ \
	}
#define FORMAT(name, w, h) \
	RUN(.pix = { .pixelformat = V4L2_PIX_FMT_##name, .width = w, .height = h }, \
	    .rate = { 30, 1 }, .frames = 12, .buffers = 3)
#define RATE(n, d, count) RUN(.pix = SMALL_GREY, .rate = { n, d }, .frames = count, .buffers = 3)
#define IO(way, ...) \
	RUN(.io = way, .pix = { .pixelformat = V4L2_PIX_FMT_YUYV, .width = 320, .height = 240 }, \
	    .rate = { 60, 1 }, .frames = 120, .buffers = 4, __VA_ARGS__)

static const struct tap_test tests[] = {
	{ .claim = "a long run at 120 fps: every CRC, time and gap is right",
	  .run_with = verify_run,
	  .deadline_s = 300,
	  .arg = &(const struct verify_run){ .pix = SMALL_GREY, .rate = FASTEST, .buffers = 8 } },
	{ .claim = "drops of a reader that stalls are counted exactly (MMAP)",
	  RUN(.pix = SMALL_GREY, .rate = FASTEST, .frames = 300, .buffers = 3, .stall_every = 50,
	      .stall_frames = 40) },
	{ .claim = "drops of a reader that stalls are counted exactly (read)",
	  RUN(.io = FLOW_READ, .pix = SMALL_GREY, .rate = FASTEST, .frames = 300, .stall_every = 50,
	      .stall_frames = 40) },
	{ .claim = "sequence and drops start again at STREAMON", .run = verify_restart },
	{ .claim = "frames are right through MMAP", IO(FLOW_MMAP) },
	{ .claim = "frames are right through USERPTR over several VMAs", IO(FLOW_USERPTR) },
	{ .claim = "frames are right through DMABUF of the node itself", IO(FLOW_DMABUF) },
	{ .claim = "frames are right through DMABUF of another card",
	  IO(FLOW_DMABUF, .exporter = 1) },
	{ .claim = "frames are right through read()", IO(FLOW_READ) },
	{ .claim = "YUYV frames are right at 4096x2160", FORMAT(YUYV, 4096, 2160) },
	{ .claim = "YUYV frames are right", FORMAT(YUYV, 642, 362) },
	{ .claim = "UYVY frames are right", FORMAT(UYVY, 642, 362) },
	{ .claim = "NV12 frames are right", FORMAT(NV12, 642, 362) },
	{ .claim = "RGB24 frames are right", FORMAT(RGB24, 642, 362) },
	{ .claim = "XRGB32 frames are right", FORMAT(XRGB32, 642, 362) },
	{ .claim = "XBGR32 frames are right", FORMAT(XBGR32, 642, 362) },
	{ .claim = "GREY frames are right", FORMAT(GREY, 642, 362) },
	{ .claim = "1 fps is on the grid", RATE(1, 1, 3) },
	{ .claim = "24000/1001 fps is on the grid", RATE(24000, 1001, 48) },
	{ .claim = "25 fps is on the grid", RATE(25, 1, 50) },
	{ .claim = "30000/1001 fps is on the grid", RATE(30000, 1001, 60) },
	{ .claim = "60000/1001 fps is on the grid", RATE(60000, 1001, 120) },
	{ .claim = "120000/1001 fps is on the grid", RATE(120000, 1001, 240) },
};

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "-n")) {
		verify_long_run = strtoul(argv[2], NULL, 10);
		if (!verify_long_run) {
			fprintf(stderr, "verify: -n %s: not a number of frames\n", argv[2]);
			return 2;
		}
		argv[2] = argv[0];
		return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc - 2, argv + 2);
	}
	return fixture_card_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
