// SPDX-License-Identifier: MIT
/*
 * stream: every frame of the card proves itself, through each of V4L2's four ways. Its bytes
 * are right, its number is the card's, its time is on the card's grid, and what is missing
 * is what the driver says it dropped.
 */
#include <unistd.h>

#include "camera.h"
#include "module.h"

/**
 * struct stream_run - what to capture
 * @mode: what the card sends
 * @io: how frames are moved
 * @frames: how many
 * @buffers: how many; 0 means 4
 * @stall_every: hold everything back for a while each time this many were seen
 */
struct stream_run {
	struct camera_mode mode;
	enum flow_io io;
	unsigned int frames;
	unsigned int buffers;
	unsigned int stall_every;
};

#define STREAM_STALL_MS 400

static void stream_frames(const struct stream_run *run, struct flow *flow,
			  struct camera_watch *watch)
{
	while (watch->seen < run->frames) {
		camera_take(flow, watch, 1);
		if (run->stall_every && watch->seen % run->stall_every == 0)
			usleep(STREAM_STALL_MS * 1000);
	}
}

static void stream_run(const void *arg)
{
	const struct stream_run *run = arg;
	struct camera_watch watch = { .mode = &run->mode };
	struct flow flow;

	camera_start(&flow, &run->mode, run->io, run->buffers ?: 4);
	stream_frames(run, &flow, &watch);
	if (run->io != FLOW_READ)
		camera_drain(&flow, &watch);
	tap_eq(0, camera_counter(&flow, V4L2_CID_AVRING_NO_SIGNAL_FRAMES));
	camera_end(&flow);
	tap_note("%llu frames, %llu dropped and counted, times off by %lld us at most",
		 (unsigned long long)watch.seen, (unsigned long long)watch.missing,
		 (long long)watch.off_ns / 1000);
	tap_eq(0, watch.damaged);
	tap_check(!run->stall_every || watch.missing >= run->frames / run->stall_every,
		  "stalls: expected drops, got %llu", (unsigned long long)watch.missing);
}

/* Sequence and counters start again with each STREAMON. */
static void stream_again(void)
{
	struct flow flow;
	unsigned int i;

	camera_start(&flow, &camera_small, FLOW_MMAP, 3);
	for (i = 0; i < 4; i++) {
		struct camera_watch watch = { .mode = &camera_small };

		usleep(STREAM_STALL_MS * 1000);
		camera_take(&flow, &watch, 5);
		tap_eq(0, watch.sequence - watch.missing - 4);
		must(flow_stop(&flow));
		must(flow_start(&flow));
		tap_eq(0, camera_counter(&flow, V4L2_CID_AVRING_FRAMES_DROPPED));
	}
	camera_end(&flow);
}

/* Only the generator stamps its pictures; where a line has none they are counted. */
static bool stream_on_line(struct flow *flow, int64_t *counted)
{
	const int64_t before = *counted;
	struct flow_frame frame;
	bool stamped;

	must(flow_take(flow, &frame, 3000));
	stamped = !frame_check(frame.data, frame.bytes, NULL);
	*counted = camera_counter(flow, V4L2_CID_AVRING_NO_SIGNAL_FRAMES);
	must(flow_give(flow, &frame));
	return !stamped || *counted > before;
}

static void stream_switch(struct video *video, int input, struct flow *flow)
{
	int64_t counted = camera_counter(flow, V4L2_CID_AVRING_NO_SIGNAL_FRAMES);
	unsigned int patience = 10;

	must(video_set_input(video, input));
	while (stream_on_line(flow, &counted) != (input == CAMERA_LINE))
		tap_check(patience--, "input %d: expected pictures of it within 10, got others",
			  input);
}

/* The switch comes from another program. */
static void stream_other_input(void)
{
	struct video other;
	struct flow flow;
	char path[32];

	camera_path(path, sizeof(path));
	camera_start(&flow, &camera_small, FLOW_MMAP, 4);
	must(video_open(&other, path));
	stream_switch(&other, CAMERA_LINE, &flow);
	stream_switch(&other, CAMERA_GENERATOR, &flow);
	stream_switch(&other, CAMERA_LINE, &flow);
	video_close(&other);
	camera_end(&flow);
}

/* The words say how many frames the card has sent since it was started. */
static void stream_fresh(void)
{
	struct camera_watch watch = { .mode = &camera_words };
	struct flow flow;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		watch = (struct camera_watch){ .mode = &camera_words };
		camera_start(&flow, &camera_words, FLOW_MMAP, 4);
		camera_take(&flow, &watch, 8);
		tap_check(watch.ahead < 30,
			  "the first frame: expected number 0 or a few more, got %u", watch.ahead);
		camera_end(&flow);
	}
}

/* Longer than the dma-buf is: attaching is refused, and nothing is kept. */
static void stream_too_long(void)
{
	struct flow flow;
	char path[32];

	camera_open(&flow, &camera_small);
	camera_path(path, sizeof(path));
	must(flow_allocate(&flow, FLOW_DMABUF, 3, path));
	flow.memory[0].length += 4096;
	must_refuse(EFAULT, flow_start(&flow));
	flow.memory[0].length -= 4096;
	must(flow_start(&flow));
	camera_end(&flow);
	tap_eq(0, card_live_stores());
	must(module_unload());
	must(module_load());
}

#define RUN(...) \
	.run_with = stream_run, .deadline_s = 120, .arg = &(const struct stream_run) \
	{ \
		__VA_ARGS__ \
	}
#define MODE(name, w, h, n, d, what) \
	{ \
		.pix = { .pixelformat = V4L2_PIX_FMT_##name, .width = w, .height = h }, \
		.rate = { n, d }, .pattern = what \
	}
#define IO(way) RUN(.mode = MODE(YUYV, 320, 240, 30, 1, CAMERA_STAMPED), .io = way, .frames = 40)
#define FORMAT(name) RUN(.mode = MODE(name, 642, 362, 15, 1, CAMERA_STAMPED), .frames = 10)
#define WORDS(name, w, h) RUN(.mode = MODE(name, w, h, 15, 1, CAMERA_WORDS), .frames = 10)
#define RATE(n, d, count) RUN(.mode = MODE(GREY, 160, 120, n, d, CAMERA_STAMPED), .frames = count)

static const struct tap_test tests[] = {
	{ "frames are right through MMAP", IO(FLOW_MMAP) },
	{ "frames are right through USERPTR over several VMAs", IO(FLOW_USERPTR) },
	{ "frames are right through DMABUF", IO(FLOW_DMABUF) },
	{ "frames are right through read()", IO(FLOW_READ) },
	{ "QBUF of a dma-buf that is shorter than it says gives EFAULT and keeps nothing",
	  .run = stream_too_long },
	{ "drops of a reader that stalls are counted exactly",
	  RUN(.mode = MODE(GREY, 160, 120, 60, 1, CAMERA_STAMPED), .frames = 100, .buffers = 3,
	      .stall_every = 25) },
	{ "sequence and drops start again at STREAMON", .run = stream_again },
	{ "the card begins anew at each start", .run = stream_fresh },
	{ "the input switches while somebody streams", .run = stream_other_input },
	{ "every word of YUYV frames is right", WORDS(YUYV, 642, 362) },
	{ "every word of NV12 frames is right", WORDS(NV12, 642, 362) },
	{ "every word of RGB24 frames is right", WORDS(RGB24, 642, 362) },
	{ "every word of frames of 17 MB is right",
	  RUN(.mode = MODE(YUYV, 4096, 2160, 5, 1, CAMERA_WORDS), .frames = 3, .buffers = 3) },
	{ "YUYV frames are right", FORMAT(YUYV) },
	{ "UYVY frames are right", FORMAT(UYVY) },
	{ "NV12 frames are right", FORMAT(NV12) },
	{ "RGB24 frames are right", FORMAT(RGB24) },
	{ "XRGB32 frames are right", FORMAT(XRGB32) },
	{ "GREY frames are right", FORMAT(GREY) },
	{ "24000/1001 fps is on the grid", RATE(24000, 1001, 24) },
	{ "60000/1001 fps is on the grid", RATE(60000, 1001, 60) },
	{ "120 fps is on the grid", RATE(120, 1, 120) },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
