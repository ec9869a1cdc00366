// SPDX-License-Identifier: MIT
/*
 * fence: a node of a virtual card is handed dma-bufs of another device, which is at work on them.
 * Who hands them in waits, as long as he likes, and nobody else does.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fixture.h"
#include "flow.h"
#include "vgem.h"

#define BUFFERS 3
#define WIDTH 160
#define HEIGHT 120
#define BYTES 20480u

/**
 * struct scene - a node with buffers of another device, none of them queued
 * @vgem: the other device
 * @buffers: of it
 * @flow: the node
 * @card: its card
 */
struct scene {
	int vgem;
	struct vgem_buffer buffers[BUFFERS];
	struct flow flow;
	struct card card;
};

static void scene_begin(struct scene *scene, bool output)
{
	int dmabufs[BUFFERS], i;

	*scene = (struct scene){ .vgem = vgem_open() };
	must(card_find(0, &scene->card));
	must(video_open(&scene->flow.video, output ? scene->card.output : scene->card.capture));
	must(video_set_format(&scene->flow.video, V4L2_PIX_FMT_GREY, WIDTH, HEIGHT));
	for (i = 0; i < BUFFERS; i++) {
		scene->buffers[i] = vgem_buffer_new(scene->vgem, BYTES);
		dmabufs[i] = scene->buffers[i].dmabuf;
	}
	must(flow_import(&scene->flow, dmabufs, BUFFERS, BYTES));
}

static void scene_end(struct scene *scene)
{
	flow_free(&scene->flow);
	flow_close(&scene->flow);
	close(scene->vgem);
}

static struct v4l2_buffer first_buffer(const struct scene *scene)
{
	return (struct v4l2_buffer){ .type = scene->flow.video.type,
				     .memory = V4L2_MEMORY_DMABUF,
				     .bytesused = WIDTH * HEIGHT,
				     .length = BYTES,
				     .m.fd = scene->buffers[0].dmabuf };
}

static void on_signal(int number)
{
	(void)number;
}

/* In a child, which sleeps when this returns, and is to end with @expected. */
static pid_t call_in_child(struct scene *scene, unsigned long request, int expected)
{
	struct v4l2_buffer buffer = first_buffer(scene);
	const struct sigaction action = { .sa_handler = on_signal };
	pid_t child = must(sys(fork()));

	if (!child) {
		must(sys(sigaction(SIGUSR1, &action, NULL)));
		tap_eq(expected, sys(ioctl(scene->flow.video.fd, request, &buffer)));
		_exit(0);
	}
	wait_asleep(child);
	return child;
}

/* Who only asks what the node is set to needs the lock that the other one has. */
static void expect_answers(const struct scene *scene, bool output)
{
	struct v4l2_format format = { .type = scene->flow.video.type };
	struct video other;

	must(video_open(&other, output ? scene->card.output : scene->card.capture));
	must(video_ioctl(other.fd, VIDIOC_G_FMT, &format));
	tap_eq(WIDTH, format.fmt.pix.width);
	video_close(&other);
	tap_check(vgem_is_at_work(&scene->buffers[0]), "G_FMT has waited for the other device");
}

/**
 * struct hand_in - a call that takes a buffer
 * @output: of the output node, else of the capture node
 * @request: VIDIOC_QBUF or VIDIOC_PREPARE_BUF
 */
struct hand_in {
	bool output;
	unsigned long request;
};

static void test_waits(const void *arg)
{
	const struct hand_in *call = arg;
	struct scene scene;
	pid_t child;

	scene_begin(&scene, call->output);
	vgem_begin(scene.vgem, &scene.buffers[0]);
	child = call_in_child(&scene, call->request, 0);
	expect_answers(&scene, call->output);
	must(vgem_end(scene.vgem, &scene.buffers[0]));
	tap_join(child);
	scene_end(&scene);
}

static void test_signal(void)
{
	struct v4l2_buffer buffer;
	struct scene scene;
	pid_t child;

	scene_begin(&scene, false);
	vgem_begin(scene.vgem, &scene.buffers[0]);
	child = call_in_child(&scene, VIDIOC_QBUF, -EINTR);
	must(sys(kill(child, SIGUSR1)));
	tap_join(child);
	must(vgem_end(scene.vgem, &scene.buffers[0]));
	buffer = first_buffer(&scene);
	must(video_ioctl(scene.flow.video.fd, VIDIOC_QBUF, &buffer));
	scene_end(&scene);
}

static void test_unbind(void)
{
	struct scene scene;
	pid_t child;

	scene_begin(&scene, false);
	vgem_begin(scene.vgem, &scene.buffers[0]);
	child = call_in_child(&scene, VIDIOC_QBUF, -ENODEV);
	must(card_unbind(&scene.card));
	tap_join(child);
	tap_check(vgem_is_at_work(&scene.buffers[0]), "unbind has waited for the other device");
	scene_end(&scene);
	must(card_bind(&scene.card));
}

/* It is refused for what it is: there is nothing to wait for. */
static void test_refused(void)
{
	struct v4l2_buffer buffer;
	struct scene scene;

	scene_begin(&scene, false);
	buffer = first_buffer(&scene);
	must(video_ioctl(scene.flow.video.fd, VIDIOC_QBUF, &buffer));
	vgem_begin(scene.vgem, &scene.buffers[0]);
	buffer = first_buffer(&scene);
	must_refuse(EINVAL, video_ioctl(scene.flow.video.fd, VIDIOC_QBUF, &buffer));
	tap_check(vgem_is_at_work(&scene.buffers[0]), "QBUF has waited for the other device");
	scene_end(&scene);
}

/* Frames that come after it go where they were promised. */
static void test_late(void)
{
	struct avring_frame_stamp stamp;
	struct v4l2_buffer buffer = { .memory = V4L2_MEMORY_DMABUF };
	struct scene scene;
	int i;

	scene_begin(&scene, false);
	must(flow_start(&scene.flow));
	for (i = 0; i < BUFFERS; i++)
		vgem_begin(scene.vgem, &scene.buffers[i]);
	buffer.type = scene.flow.video.type;
	for (i = 0; i < BUFFERS; i++) {
		must(video_ioctl(scene.flow.video.fd, VIDIOC_DQBUF, &buffer));
		must(frame_check(scene.flow.memory[buffer.index].data, WIDTH * HEIGHT, &stamp));
	}
	for (i = 0; i < BUFFERS; i++)
		tap_check(vgem_is_at_work(&scene.buffers[i]),
			  "a frame has waited for the other device");
	must(flow_stop(&scene.flow));
	scene_end(&scene);
}

#define HAND_IN(node, call) \
	.run_with = test_waits, .arg = &(const struct hand_in) \
	{ \
		node, call \
	}

static const struct tap_test tests[] = {
	{ "QBUF of a capture node waits for a device at work, and others use the node",
	  HAND_IN(false, VIDIOC_QBUF) },
	{ "QBUF of an output node waits for a device at work, and others use the node",
	  HAND_IN(true, VIDIOC_QBUF) },
	{ "PREPARE_BUF waits for a device at work, and others use the node",
	  HAND_IN(false, VIDIOC_PREPARE_BUF) },
	{ "a signal ends QBUF with EINTR, and the buffer can be queued later", .run = test_signal },
	{ "unbind ends QBUF with ENODEV, and waits for no device", .run = test_unbind },
	{ "QBUF that is refused waits for no device", .run = test_refused },
	{ "frames wait for no device that begins after QBUF", .run = test_late },
};

int main(int argc, char **argv)
{
	/*
	 * The other device is at work for ten seconds of the guest's clock, which leaps where the
	 * host reads a page for us.
	 */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		perror("mlockall");
	return fixture_main(tests, TAP_COUNT(tests), NULL, argc, argv);
}
