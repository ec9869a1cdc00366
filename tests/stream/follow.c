// SPDX-License-Identifier: MIT
/*
 * follow: whose format the buffers of the capture node have, and whose picture is in them.
 *
 * Who has set a format gets buffers of that format. Who has set none gets the producer's, at
 * the moment when buffers are made. Who only asks changes nothing. A producer that sends is
 * seen from the first frame on, also by who switches to it while he streams.
 */
#include <endian.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "flow.h"
#include "producer.h"
#include "tap.h"

#define TIMEOUT_MS 3000

static const struct v4l2_pix_format small = { .pixelformat = V4L2_PIX_FMT_GREY,
					      .width = 160,
					      .height = 120 };
static const struct v4l2_pix_format large = { .pixelformat = V4L2_PIX_FMT_YUYV,
					      .width = 320,
					      .height = 240 };
static const struct v4l2_fract thirty = { 30, 1 };

#define SMALL_BYTES (160 * 120)
#define LARGE_BYTES (320 * 240 * 2)

/* The capture node of card 0, on loopback or not; its format was set by somebody who has gone. */
static struct video opened(int input)
{
	struct video video;
	struct card card;

	must(card_find(0, &card));
	must(video_open(&video, card.capture));
	must(video_set_input(&video, input));
	must(video_set_format(&video, small.pixelformat, small.width, small.height));
	must(video_set_rate(&video, 30, 1));
	video_close(&video);
	must(video_open(&video, card.capture));
	return video;
}

static void put_back(void)
{
	struct video video;
	struct card card;

	if (card_find(0, &card) || video_open(&video, card.capture))
		return;
	video_set_input(&video, CARD_INPUT_PATTERN);
	video_close(&video);
}

static struct v4l2_pix_format asked(const struct video *video)
{
	struct v4l2_format format = { .type = video->type };

	must(video_ioctl(video->fd, VIDIOC_G_FMT, &format));
	return format.fmt.pix;
}

static void expect_format(const char *when, const struct v4l2_pix_format *expected,
			  const struct v4l2_pix_format *got)
{
	tap_check(got->pixelformat == expected->pixelformat && got->width == expected->width &&
			  got->height == expected->height,
		  "%s: expected %ux%u, got %ux%u, %.4s", when, expected->width, expected->height,
		  got->width, got->height, (const char *)&got->pixelformat);
}

/* ---------------------------------------------------------------- who decides the format */

/* All that a curious program calls. */
static void ask_everything(void)
{
	struct v4l2_frmsizeenum size = { .pixel_format = large.pixelformat };
	struct v4l2_frmivalenum interval = { .pixel_format = large.pixelformat,
					     .width = large.width,
					     .height = large.height };
	struct v4l2_fmtdesc description = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_capability capability;
	struct v4l2_input input = { .index = CARD_INPUT_LOOPBACK };
	struct video video;
	struct card card;

	must(card_find(0, &card));
	must(video_open(&video, card.capture));
	must(video_ioctl(video.fd, VIDIOC_QUERYCAP, &capability));
	must(video_ioctl(video.fd, VIDIOC_ENUMINPUT, &input));
	must(video_ioctl(video.fd, VIDIOC_G_INPUT, &input.index));
	must(video_ioctl(video.fd, VIDIOC_ENUM_FMT, &description));
	must(video_ioctl(video.fd, VIDIOC_ENUM_FRAMESIZES, &size));
	must(video_ioctl(video.fd, VIDIOC_ENUM_FRAMEINTERVALS, &interval));
	must(video_ioctl(video.fd, VIDIOC_G_FMT, &format));
	must(video_ioctl(video.fd, VIDIOC_TRY_FMT, &format));
	must(video_ioctl(video.fd, VIDIOC_G_PARM, &parm));
	video_close(&video);
}

static void who_asks_changes_nothing(void)
{
	struct video video = opened(CARD_INPUT_LOOPBACK);
	struct v4l2_pix_format got;
	pid_t film;

	must(video_set_format(&video, small.pixelformat, small.width, small.height));
	film = producer_start(&large, &thirty, 1, 0);
	ask_everything();
	got = asked(&video);
	expect_format("G_FMT of who has set a format", &small, &got);
	must(video_request(&video, 4));
	tap_eq(SMALL_BYTES, video.buffers[0].length);
	got = asked(&video);
	expect_format("with buffers", &small, &got);
	video_close(&video);
	producer_kill(film);
}

/* The choice of one program does not end because another makes buffers. */
static void a_choice_outlives_others(void)
{
	struct video chooser = opened(CARD_INPUT_LOOPBACK), other;
	struct v4l2_pix_format got;
	struct card card;
	pid_t film;

	must(card_find(0, &card));
	must(video_set_format(&chooser, small.pixelformat, small.width, small.height));
	film = producer_start(&large, &thirty, 1, 0);
	must(video_open(&other, card.capture));
	got = asked(&other);
	expect_format("G_FMT of who has set none", &large, &got);
	must(video_request(&other, 4));
	tap_eq(LARGE_BYTES, other.buffers[0].length);
	video_close(&other);
	must(video_request(&chooser, 4));
	tap_eq(SMALL_BYTES, chooser.buffers[0].length);
	/* It is over with the buffers. */
	must(video_request(&chooser, 0));
	got = asked(&chooser);
	expect_format("without buffers", &large, &got);
	video_close(&chooser);
	producer_kill(film);
}

static void what_is_asked_follows_the_producer(void)
{
	struct video video = opened(CARD_INPUT_LOOPBACK);
	struct v4l2_pix_format got = asked(&video);
	pid_t film;

	expect_format("before a producer", &small, &got);
	film = producer_start(&large, &thirty, 1, 0);
	got = asked(&video);
	expect_format("with a producer", &large, &got);
	producer_kill(film);
	got = asked(&video);
	expect_format("after a producer", &small, &got);
	video_close(&video);
}

/* The frames of a film of large pictures that come through @take. */
static void expect_film(struct video *video, const void *(*take)(struct video *video))
{
	uint32_t number, last = 0;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		number = producer_number(take(video));
		tap_check(number > last, "frame %u: expected one of the film after %u, got %s", i,
			  last, number ? "another" : "NO SIGNAL");
		last = number;
	}
}

static const void *take_mapped(struct video *video)
{
	struct v4l2_buffer buffer;

	must(video_dequeue(video, &buffer));
	tap_eq(LARGE_BYTES, buffer.bytesused);
	must(video_queue(video, buffer.index));
	return video->buffers[buffer.index].start;
}

static void stream_film(struct video *video)
{
	must(video_map(video, PROT_READ));
	must(video_queue_all(video));
	must(video_start(video));
	expect_film(video, take_mapped);
}

static void reqbufs_follows(struct video *video)
{
	must(video_request(video, 4));
	stream_film(video);
}

static void create_bufs_follows(struct video *video)
{
	struct v4l2_create_buffers create = { .count = 4, .memory = V4L2_MEMORY_MMAP };

	create.format.type = video->type;
	create.format.fmt.pix = large;
	create.format.fmt.pix.sizeimage = LARGE_BYTES;
	create.format.fmt.pix.field = V4L2_FIELD_NONE;
	must(video_ioctl(video->fd, VIDIOC_CREATE_BUFS, &create));
	for (video->n_buffers = 0; video->n_buffers < create.count; video->n_buffers++)
		must(video_query(video, video->n_buffers));
	stream_film(video);
}

static const void *take_read(struct video *video)
{
	static uint8_t frame[LARGE_BYTES + 1];

	tap_eq(LARGE_BYTES, must(sys(read(video->fd, frame, sizeof(frame)))));
	return frame;
}

static void read_follows(struct video *video)
{
	expect_film(video, take_read);
}

static void poll_follows(struct video *video)
{
	struct pollfd readable = { .fd = video->fd, .events = POLLIN };

	tap_eq(1, must(sys(poll(&readable, 1, TIMEOUT_MS))));
	expect_film(video, take_read);
}

static void buffers_follow(const void *arg)
{
	void (*const *stream)(struct video *) = arg;
	struct video video = opened(CARD_INPUT_LOOPBACK);
	pid_t film = producer_start(&large, &thirty, 1, 0);

	(*stream)(&video);
	video_close(&video);
	producer_kill(film);
}

/* ---------------------------------------------------------------- who is told */

static void listen_for_source(struct video *video)
{
	struct v4l2_event_subscription events = { .type = V4L2_EVENT_SOURCE_CHANGE };

	must(video_ioctl(video->fd, VIDIOC_SUBSCRIBE_EVENT, &events));
}

static void expect_told(const char *when, struct video *video, bool told)
{
	struct pollfd news = { .fd = video->fd, .events = POLLPRI };
	struct v4l2_event event;

	tap_check(!!(poll(&news, 1, 0) == 1 && news.revents & POLLPRI) == told, "%s: expected %s",
		  when, told ? "SOURCE_CHANGE" : "no event");
	if (!told)
		return;
	must(video_ioctl(video->fd, VIDIOC_DQEVENT, &event));
	tap_eq(V4L2_EVENT_SOURCE_CHANGE, event.type);
	tap_eq(V4L2_EVENT_SRC_CH_RESOLUTION, event.u.src_change.changes);
}

static void who_waits_for_a_producer_is_told(void)
{
	struct video video = opened(CARD_INPUT_LOOPBACK);
	pid_t film;

	listen_for_source(&video);
	film = producer_start(&large, &thirty, 1, 0);
	expect_told("another format has come", &video, true);
	producer_kill(film);
	expect_told("it has gone", &video, true);
	film = producer_start(&small, &thirty, 1, 0);
	expect_told("the node's own format has come", &video, false);
	producer_kill(film);
	expect_told("that has gone", &video, false);
	video_close(&video);
}

/* ---------------------------------------------------------------- the first picture */

static int64_t counted(struct flow *flow, uint32_t id)
{
	int64_t value;

	must(video_get_control(&flow->video, id, &value));
	return value;
}

/* The number of the frame that is taken, 0 if it is none of the film. */
static uint32_t take_number(struct flow *flow)
{
	struct flow_frame frame;
	uint32_t number;

	must(flow_take(flow, &frame, TIMEOUT_MS));
	number = producer_number(frame.data);
	must(flow_give(flow, &frame));
	return number;
}

/*
 * As ffmpeg -re does: the node is left at 30 frames a second, the film has fewer. 23 beginnings,
 * each at another moment between two frames.
 */
static void first_picture(const void *arg)
{
	const unsigned int fps = *(const uint32_t *)arg;
	pid_t film = producer_start(&small, &thirty, 1, 1000000 / fps);
	unsigned int i, n;
	struct flow flow;

	must(flow_open(&flow, 0, CARD_INPUT_LOOPBACK, &small, &thirty));
	must(flow_allocate(&flow, FLOW_MMAP, 4, NULL));
	for (i = 0; i < 23; i++) {
		must(flow_start(&flow));
		for (n = 0; n < 3; n++)
			tap_check(take_number(&flow), "beginning %u, frame %u: NO SIGNAL", i, n);
		tap_eq(0, counted(&flow, V4L2_CID_AVRING_NO_SIGNAL_FRAMES));
		must(flow_stop(&flow));
		usleep(7000);
	}
	must(flow_free(&flow));
	flow_close(&flow);
	producer_kill(film);
}

/* ---------------------------------------------------------------- another input */

/* Until frames are of the film, or no more so; at most @patience later. */
static void await_film(struct flow *flow, bool film, unsigned int patience)
{
	while (!take_number(flow) == film)
		tap_check(patience--, "expected %s, got the other", film ? "the film" : "no film");
}

static void expect_pattern(struct flow *flow)
{
	struct avring_frame_stamp stamp;
	struct flow_frame frame;

	must(flow_take(flow, &frame, TIMEOUT_MS));
	must(frame_check(frame.data, frame.bytes, &stamp));
	tap_eq(frame.buffer.sequence, le32toh(stamp.sequence));
	must(flow_give(flow, &frame));
}

/* The switch comes from another program, as with v4l2-ctl beside a browser. */
static void switch_input(int input)
{
	struct video video;
	struct card card;

	must(card_find(0, &card));
	must(video_open(&video, card.capture));
	must(video_set_input(&video, input));
	video_close(&video);
}

static void input_switches_while_streaming(void)
{
	unsigned int i, n;
	struct flow flow;
	pid_t film;

	must(flow_open(&flow, 0, CARD_INPUT_PATTERN, &small, &thirty));
	must(flow_allocate(&flow, FLOW_MMAP, 4, NULL));
	must(flow_start(&flow));
	film = producer_start(&small, &thirty, 1, 0);
	for (i = 0; i < 3; i++) {
		expect_pattern(&flow);
		switch_input(CARD_INPUT_LOOPBACK);
		await_film(&flow, true, 4);
		for (n = 0; n < 5; n++)
			tap_check(take_number(&flow), "frame %u on loopback: expected the film", n);
		switch_input(CARD_INPUT_PATTERN);
		await_film(&flow, false, 4);
	}
	tap_eq(0, counted(&flow, V4L2_CID_AVRING_NO_SIGNAL_FRAMES));
	tap_eq(0, counted(&flow, V4L2_CID_AVRING_SIGNAL_LOSSES));
	producer_kill(film);
	must(flow_stop(&flow));
	must(flow_free(&flow));
	flow_close(&flow);
}

/* Buffers cannot change under who streams. */
static void another_format_is_told(void)
{
	struct flow flow;
	pid_t film;

	must(flow_open(&flow, 0, CARD_INPUT_PATTERN, &small, &thirty));
	must(flow_allocate(&flow, FLOW_MMAP, 4, NULL));
	must(flow_start(&flow));
	listen_for_source(&flow.video);
	film = producer_start(&large, &thirty, 1, 0);
	expect_told("nobody looks at the producer", &flow.video, false);
	switch_input(CARD_INPUT_LOOPBACK);
	expect_told("it sends another format", &flow.video, true);
	while (!counted(&flow, V4L2_CID_AVRING_NO_SIGNAL_FRAMES))
		take_number(&flow);
	switch_input(CARD_INPUT_PATTERN);
	producer_kill(film);
	must(flow_stop(&flow));
	must(flow_free(&flow));
	flow_close(&flow);
}

static void (*const by_reqbufs)(struct video *) = reqbufs_follows;
static void (*const by_create)(struct video *) = create_bufs_follows;
static void (*const by_read)(struct video *) = read_follows;
static void (*const by_poll)(struct video *) = poll_follows;
static const uint32_t fps_15 = 15, fps_25 = 25;

static const struct tap_test tests[] = {
	{ .claim = "who asks for formats, sizes and rates changes nothing",
	  .run = who_asks_changes_nothing },
	{ .claim = "a format that was set is that of the buffers, whatever others do meanwhile",
	  .run = a_choice_outlives_others },
	{ .claim =
		  "G_FMT says what buffers would hold: the producer's format as long as he is there",
	  .run = what_is_asked_follows_the_producer },
	{ .claim = "REQBUFS takes the producer's format over",
	  .run_with = buffers_follow,
	  .arg = &by_reqbufs },
	{ .claim = "CREATE_BUFS takes the producer's format over",
	  .run_with = buffers_follow,
	  .arg = &by_create },
	{ .claim = "the first read() takes the producer's format over",
	  .run_with = buffers_follow,
	  .arg = &by_read },
	{ .claim = "poll() before the first read() takes it over",
	  .run_with = buffers_follow,
	  .arg = &by_poll },
	{ .claim =
		  "who waits for a producer is told when he comes and goes, if that changes the format",
	  .run = who_waits_for_a_producer_is_told },
	{ .claim = "the first pictures are those of a producer who writes 15 fps",
	  .run_with = first_picture,
	  .arg = &fps_15 },
	{ .claim = "the first pictures are those of a producer who writes 25 fps",
	  .run_with = first_picture,
	  .arg = &fps_25 },
	{ .claim = "the input switches while somebody streams, with no frame lost or without signal",
	  .run = input_switches_while_streaming },
	{ .claim = "a switch to another format is told, and shows NO SIGNAL",
	  .run = another_format_is_told },
};

int main(int argc, char **argv)
{
	return fixture_card_main(tests, TAP_COUNT(tests), put_back, argc, argv);
}
