// SPDX-License-Identifier: MIT
/*
 * fence: the capture node streams into dma-bufs of another device, while the ring of the card is
 * read. What that device does with them holds up the node, and nobody else.
 */
#include <poll.h>
#include <unistd.h>

#include "camera.h"
#include "vgem.h"

#define BUFFERS 3

/* A second: far from the ten after which the other device is done by itself. */
#define FRAMES 30

/**
 * struct scene - both readers of the card
 * @vgem: the other device
 * @buffers: of it
 * @flow: the node, which streams into them
 * @ring: beside it
 */
struct scene {
	int vgem;
	struct vgem_buffer buffers[BUFFERS];
	struct flow flow;
	struct ring ring;
};

static void scene_begin(struct scene *scene)
{
	const size_t bytes = (SMALL_BYTES + PAGE_BYTES - 1) & -PAGE_BYTES;
	int dmabufs[BUFFERS], i;

	scene->vgem = vgem_open();
	camera_open(&scene->flow, &camera_small);
	for (i = 0; i < BUFFERS; i++) {
		scene->buffers[i] = vgem_buffer_new(scene->vgem, bytes);
		dmabufs[i] = scene->buffers[i].dmabuf;
	}
	scene->ring = camera_ring();
	must(flow_import(&scene->flow, dmabufs, BUFFERS, bytes));
	must(flow_start(&scene->flow));
}

static void scene_end(struct scene *scene)
{
	ring_close(&scene->ring);
	camera_end(&scene->flow);
	close(scene->vgem);
}

/*
 * What is done is dequeued, and not looked at: that would be a wait. Return: how many.
 */
static unsigned int dequeue_done(struct scene *scene)
{
	struct pollfd readable = { .fd = scene->flow.video.fd, .events = POLLIN };
	struct v4l2_buffer buffer;
	unsigned int n = 0;

	while (must(sys(poll(&readable, 1, 0)))) {
		buffer = (struct v4l2_buffer){ .type = scene->flow.video.type,
					       .memory = V4L2_MEMORY_DMABUF };
		must(video_ioctl(scene->flow.video.fd, VIDIOC_DQBUF, &buffer));
		n++;
	}
	return n;
}

static void wait_frames(const struct scene *scene, unsigned int n)
{
	ring_wait_head(&scene->ring, ring_head(&scene->ring) + n);
}

/*
 * The other device writes to all buffers, and one at least waits for a frame. Whatever was under
 * way when the fences came has arrived. Return: how many were done before.
 */
static unsigned int fence_all(struct scene *scene, struct camera_watch *watch)
{
	unsigned int n, i, tries;

	for (tries = 0; tries < 20; tries++) {
		camera_take(&scene->flow, watch, BUFFERS);
		for (i = 0; i < BUFFERS; i++)
			vgem_begin(scene->vgem, &scene->buffers[i]);
		wait_frames(scene, 2);
		n = dequeue_done(scene);
		if (n < BUFFERS)
			return n;
		for (i = 0; i < BUFFERS; i++)
			must(vgem_end(scene->vgem, &scene->buffers[i]));
		must(flow_stop(&scene->flow));
		must(flow_start(&scene->flow));
		*watch = (struct camera_watch){ .mode = &camera_small };
	}
	tap_fail("the node had no buffer when the fences came, %u times", tries);
}

static void expect_at_work(const struct scene *scene)
{
	int i;

	for (i = 0; i < BUFFERS; i++)
		tap_check(vgem_is_at_work(&scene->buffers[i]),
			  "buffer %d: the other device is done, so somebody has waited for it", i);
}

/* ---------------------------------------------------------------- no fence */

static void test_right(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct scene scene;

	scene_begin(&scene);
	camera_take(&scene.flow, &watch, 2 * FRAMES);
	camera_drain(&scene.flow, &watch);
	tap_note("%llu frames seen, %llu missing", (unsigned long long)watch.seen,
		 (unsigned long long)watch.missing);
	scene_end(&scene);
}

/* The card writes to the buffers itself then, the first of which may be under way. */
static void test_ring_ends(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct scene scene;
	int i;

	scene_begin(&scene);
	for (i = 0; i < 10; i++) {
		camera_take(&scene.flow, &watch, BUFFERS);
		must(ring_call(&scene.ring, AVRING_IOC_DETACH, NULL));
		camera_take(&scene.flow, &watch, BUFFERS);
		must(ring_read(&scene.ring, AVRING_STREAM_VIDEO, 0));
	}
	camera_drain(&scene.flow, &watch);
	scene_end(&scene);
}

/* ---------------------------------------------------------------- a fence */

static void test_ring(void)
{
	struct camera_watch shown = { .mode = &camera_small }, watch = { .mode = &camera_small };
	struct scene scene;

	scene_begin(&scene);
	fence_all(&scene, &shown);
	camera_look_many(&scene.ring, ring_head(&scene.ring), FRAMES, &watch);
	tap_eq(0, watch.missing);
	expect_at_work(&scene);
	scene_end(&scene);
}

static void test_streamoff(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct scene scene;

	scene_begin(&scene);
	fence_all(&scene, &watch);
	wait_frames(&scene, 2);
	must(flow_stop(&scene.flow));
	expect_at_work(&scene);
	scene_end(&scene);
}

static void test_unbind(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct scene scene;
	struct node node;

	node_find(&node);
	scene_begin(&scene);
	fence_all(&scene, &watch);
	wait_frames(&scene, 2);
	must(node_unbind(&node));
	expect_at_work(&scene);
	ring_close(&scene.ring);
	flow_free(&scene.flow);
	flow_close(&scene.flow);
	close(scene.vgem);
	must(node_bind(&node));
}

static void test_afterwards(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct scene scene;
	unsigned int done;
	int i;

	scene_begin(&scene);
	done = fence_all(&scene, &watch);
	wait_frames(&scene, 5);
	tap_eq(0, dequeue_done(&scene));
	for (i = 0; i < BUFFERS; i++)
		must(vgem_end(scene.vgem, &scene.buffers[i]));
	/* The first may be one that was under way when a fence came. */
	camera_take(&scene.flow, &watch, 2);
	tap_check(watch.missing >= done + 4, "missing: expected %u at least, got %llu", done + 4,
		  (unsigned long long)watch.missing);
	scene_end(&scene);
}

static const struct tap_test tests[] = {
	{ "frames are right in buffers of another device, beside a ring, and losses counted",
	  .run = test_right },
	{ "frames are right in them when the ring comes and goes", .run = test_ring_ends },
	{ "another device at work on the node's buffers costs a reader of the ring no frame",
	  .run = test_ring },
	{ "STREAMOFF does not wait for it", .run = test_streamoff },
	{ "unbind does not wait for it", .run = test_unbind },
	{ "a buffer that it has left gets the next frame", .run = test_afterwards },
};

int main(int argc, char **argv)
{
	return camera_main(tests, TAP_COUNT(tests), argc, argv);
}
