// SPDX-License-Identifier: MIT
/*
 * alloc: memory lacks, in each place of each call at which the driver or what it calls
 * asks for some. The call fails with ENOMEM or does without, nothing stays behind, and the
 * same call works afterwards.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../card/node.h"
#include "../ring/ring.h"
#include "fail.h"
#include "module.h"
#include "sound.h"

/**
 * struct scene - what a call is made on
 * @card: the card
 * @video: capture node; @lender: a node that lends a buffer; -1 when closed
 * @ring: ring node
 * @path: of a node that the call opens
 * @pcm: capture PCM, or NULL
 * @ctl: mixer, or NULL
 * @memory: of a USERPTR buffer
 * @fd: what the call opened, or a dma-buf; -1 if nothing
 */
struct scene {
	struct card card;
	struct video video, lender;
	struct ring ring;
	char path[32];
	snd_pcm_t *pcm;
	snd_ctl_t *ctl;
	void *memory;
	int fd;
};

/**
 * struct call - a call that wants memory
 * @begin: everything before it
 * @make: the call itself; 0 or more, or -errno
 * @card: number of the card it is made on
 * @also: what videobuf2 or ALSA makes of ENOMEM, or 0
 */
struct call {
	void (*begin)(struct scene *scene);
	long long (*make)(struct scene *scene);
	unsigned int card;
	int also;
};

#define MEMORY_BYTES (64ul << 10)

static void scene_begin(struct scene *scene, const struct call *call)
{
	memset(scene, 0, sizeof(*scene));
	scene->video.fd = -1;
	scene->lender.fd = -1;
	scene->ring.fd = -1;
	scene->fd = -1;
	must(card_find(call->card, &scene->card));
	call->begin(scene);
}

static void scene_end(struct scene *scene)
{
	if (scene->fd >= 0)
		close(scene->fd);
	if (scene->pcm)
		snd_pcm_close(scene->pcm);
	if (scene->ctl)
		snd_ctl_close(scene->ctl);
	ring_close(&scene->ring);
	video_close(&scene->video);
	video_close(&scene->lender);
	if (scene->memory)
		munmap(scene->memory, MEMORY_BYTES);
}

/* Buffers and pages that live, as before a test. */
static long alive_stores, alive_pages;

static long live_pages(void)
{
	long pages;

	must(card_parameter_get("live_pages", &pages));
	return pages;
}

static void note_alive(void)
{
	alive_stores = card_live_stores();
	alive_pages = live_pages();
}

static bool nothing_lives(void *unused)
{
	(void)unused;
	return card_live_stores() == alive_stores && live_pages() == alive_pages;
}

static void expect_nothing_lives(const char *after)
{
	tap_check(tap_eventually(nothing_lives, NULL, 2), "%s: %ld buffers are alive, not %ld",
		  after, card_live_stores(), alive_stores);
}

/* Errors that the kernel makes of ENOMEM before a driver sees it. */
static const struct {
	int error;
	const char *in;
} others[] = {
	{ EINVAL, " dev_set_name snd_" },
	{ EINVAL, " dev_set_name __video_register_device " },
	{ EINVAL, " dev_set_name media_devnode_register " },
	{ EBUSY, " __request_region " },
	{ ENODEV, " pci_alloc_irq_vectors_affinity " },
	{ ENOSPC, " pci_alloc_irq_vectors_affinity " },
};

static bool is_of_others(long long result, const char *path)
{
	size_t i;

	for (i = 0; i < TAP_COUNT(others); i++)
		if (result == -others[i].error && strstr(path, others[i].in))
			return true;
	return false;
}

/* Returns false when no place is left. */
static bool try_once(const struct call *call, unsigned int *wrong)
{
	struct scene scene;
	char path[4096];
	long long result;
	bool hit;

	scene_begin(&scene, call);
	fail_arm();
	result = call->make(&scene);
	hit = fail_disarm(path, sizeof(path));
	scene_end(&scene);
	if (result < 0 && !(hit && (result == -ENOMEM || result == -call->also))) {
		tap_note("%s, memory lacked in %s", strerror(-result), path);
		++*wrong;
	}
	expect_nothing_lives(path);
	return hit;
}

static void sweep(const void *arg)
{
	const struct call *call = arg;
	struct scene scene;
	unsigned int places = 0, wrong = 0;

	must(sys(mlockall(MCL_CURRENT | MCL_FUTURE)));
	note_alive();
	fail_forget();
	while (try_once(call, &wrong)) {
		places++;
		scene_begin(&scene, call);
		must(call->make(&scene));
		scene_end(&scene);
	}
	tap_note("%u places", places);
	tap_eq(0, wrong);
	tap_check(places, "nothing asked for memory");
}

/* ---------------------------------------------------------------- V4L2 */

static void open_node(struct scene *scene)
{
	must(video_open(&scene->video, scene->card.capture));
	must(video_set_format(&scene->video, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
}

static void have_buffers(struct scene *scene)
{
	open_node(scene);
	must(video_request(&scene->video, 3));
}

static void find_node(struct scene *scene)
{
	snprintf(scene->path, sizeof(scene->path), "%s", scene->card.capture);
}

static long long call_open(struct scene *scene)
{
	scene->fd = sys(open(scene->path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
	return scene->fd;
}

static long long call_request(struct scene *scene)
{
	struct v4l2_requestbuffers request = { .count = 3,
					       .type = scene->video.type,
					       .memory = V4L2_MEMORY_MMAP };

	return video_ioctl(scene->video.fd, VIDIOC_REQBUFS, &request);
}

static long long call_create(struct scene *scene)
{
	struct v4l2_create_buffers create = { .count = 2, .memory = V4L2_MEMORY_MMAP };

	create.format.type = scene->video.type;
	create.format.fmt.pix = scene->video.pix;
	return video_ioctl(scene->video.fd, VIDIOC_CREATE_BUFS, &create);
}

static long long call_map(struct scene *scene)
{
	return video_map(&scene->video, PROT_READ);
}

static int export(const struct video *video)
{
	struct v4l2_exportbuffer request = { .type = video->type, .flags = O_RDWR | O_CLOEXEC };
	int error = video_ioctl(video->fd, VIDIOC_EXPBUF, &request);

	return error ? error : request.fd;
}

static long long call_export(struct scene *scene)
{
	scene->fd = export(&scene->video);
	return scene->fd;
}

static long long call_read(struct scene *scene)
{
	char frame[SMALL_BYTES];

	return sys(read(scene->video.fd, frame, sizeof(frame)));
}

static void request_of(struct video *video, uint32_t memory)
{
	struct v4l2_requestbuffers request = { .count = 3, .type = video->type, .memory = memory };

	must(video_ioctl(video->fd, VIDIOC_REQBUFS, &request));
}

static void have_memory(struct scene *scene)
{
	open_node(scene);
	request_of(&scene->video, V4L2_MEMORY_USERPTR);
	scene->memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	tap_check(scene->memory != MAP_FAILED, "mmap: %s", strerror(errno));
}

static long long call_queue_memory(struct scene *scene)
{
	struct v4l2_buffer buffer = { .type = scene->video.type,
				      .memory = V4L2_MEMORY_USERPTR,
				      .length = MEMORY_BYTES };

	buffer.m.userptr = (unsigned long)scene->memory;
	return video_ioctl(scene->video.fd, VIDIOC_QBUF, &buffer);
}

/* The buffer is that of a virtual card's output node. */
static void have_dmabuf(struct scene *scene)
{
	struct card lender;

	must(card_find(0, &lender));
	must(video_open(&scene->lender, lender.output));
	must(video_set_format(&scene->lender, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	must(video_request(&scene->lender, 1));
	scene->fd = must(export(&scene->lender));
	open_node(scene);
	request_of(&scene->video, V4L2_MEMORY_DMABUF);
}

static long long call_queue_dmabuf(struct scene *scene)
{
	struct v4l2_buffer buffer = { .type = scene->video.type, .memory = V4L2_MEMORY_DMABUF };

	buffer.m.fd = scene->fd;
	return video_ioctl(scene->video.fd, VIDIOC_QBUF, &buffer);
}

/* What a reader of the loopback is owed needs memory; he streams without, if he must. */
static void have_queued(struct scene *scene, int input)
{
	open_node(scene);
	must(video_set_input(&scene->video, input));
	must(video_request(&scene->video, 3));
	must(video_queue_all(&scene->video));
}

static void have_loopback(struct scene *scene)
{
	have_queued(scene, CARD_INPUT_LOOPBACK);
}

static long long call_stream(struct scene *scene)
{
	return video_start(&scene->video);
}

static void have_stream(struct scene *scene)
{
	have_queued(scene, CARD_INPUT_PATTERN);
	must(video_start(&scene->video));
}

static long long call_look_at_loopback(struct scene *scene)
{
	return video_set_input(&scene->video, CARD_INPUT_LOOPBACK);
}

/* ---------------------------------------------------------------- ring */

static void open_ring(struct scene *scene)
{
	must(ring_open(&scene->ring, scene->card.number));
}

static void find_ring(struct scene *scene)
{
	snprintf(scene->path, sizeof(scene->path), "/dev/avring%u", scene->card.number);
}

static long long call_attach_video(struct scene *scene)
{
	return ring_read(&scene->ring, AVRING_STREAM_VIDEO, 0);
}

static long long call_attach_audio(struct scene *scene)
{
	return ring_read(&scene->ring, AVRING_STREAM_AUDIO, 0);
}

static void have_ring_for_producer(struct scene *scene)
{
	ring_input(CARD_INPUT_LOOPBACK);
	open_ring(scene);
}

static long long call_produce(struct scene *scene)
{
	return ring_produce(&scene->ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
}

static void have_ring(struct scene *scene)
{
	open_ring(scene);
	must(ring_read(&scene->ring, AVRING_STREAM_VIDEO, 0));
}

static long long call_map_ring(struct scene *scene)
{
	return ring_map(&scene->ring);
}

static long long call_export_ring(struct scene *scene)
{
	struct avring_export export = { .length = PAGE_BYTES, .flags = O_CLOEXEC };
	int error = ring_call(&scene->ring, AVRING_IOC_EXPORT, &export);

	if (!error)
		scene->fd = export.fd;
	return error;
}

/* ---------------------------------------------------------------- sound */

static const struct sound_params params = { .format = SND_PCM_FORMAT_S16_LE,
					    .rate = 48000,
					    .channels = 2,
					    .period = 480,
					    .buffer = 4800 };

/* Not opened through the library, which calls every error of open() another one. */
static void find_sound(struct scene *scene, const char *kind, const char *device)
{
	const int number = must(snd_card_get_index(scene->card.alsa + strlen("hw:")));

	snprintf(scene->path, sizeof(scene->path), "/dev/snd/%sC%d%s", kind, number, device);
}

static void find_pcm(struct scene *scene)
{
	find_sound(scene, "pcm", "D0c");
}

static void find_control(struct scene *scene)
{
	find_sound(scene, "control", "");
}

static void have_pcm(struct scene *scene)
{
	must(snd_pcm_open(&scene->pcm, scene->card.alsa, SND_PCM_STREAM_CAPTURE, 0));
}

static long long call_set_pcm(struct scene *scene)
{
	return sound_set_hw(scene->pcm, &params);
}

static void have_control(struct scene *scene)
{
	must(snd_ctl_open(&scene->ctl, scene->card.alsa, 0));
}

/* The first control; every card has one. */
static long long call_get_control(struct scene *scene)
{
	snd_ctl_elem_value_t *value;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_value_set_numid(value, 1);
	return snd_ctl_elem_read(scene->ctl, value);
}

/* ---------------------------------------------------------------- bind */

static void expect_nothing_in(const char *device)
{
	static const char *const folders[] = { "sound", "video4linux", "avring", "media*" };
	char pattern[160];
	glob_t found;
	size_t i;

	for (i = 0; i < TAP_COUNT(folders); i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s", device, folders[i]);
		if (!glob(pattern, 0, NULL, &found))
			tap_fail("%s is there without its driver", found.gl_pathv[0]);
	}
}

/**
 * struct device_ops - a device and its driver
 * @path: in sysfs
 * @bind: 0 or -errno
 * @unbind: 0 or -errno
 */
struct device_ops {
	char path[128];
	int (*bind)(void);
	int (*unbind)(void);
};

static struct card bound_card;
static struct node bound_node;

static int bind_card(void)
{
	return card_bind(&bound_card);
}

static int unbind_card(void)
{
	return card_unbind(&bound_card);
}

static int bind_node(void)
{
	return node_bind(&bound_node);
}

static int unbind_node(void)
{
	return node_unbind(&bound_node);
}

static void sweep_bind(const struct device_ops *device)
{
	unsigned int places = 0, wrong = 0;
	char path[4096];
	int error;
	bool hit;

	must(sys(mlockall(MCL_CURRENT | MCL_FUTURE)));
	note_alive();
	fail_forget();
	do {
		must(device->unbind());
		fail_arm();
		error = device->bind();
		hit = fail_disarm(path, sizeof(path));
		places += hit;
		if (error && !(hit && (error == -ENOMEM || is_of_others(error, path)))) {
			tap_note("%s, memory lacked in %s", strerror(-error), path);
			wrong++;
		}
		if (error) {
			expect_nothing_in(device->path);
			must(device->bind());
		}
	} while (hit);
	tap_note("%u places", places);
	tap_eq(0, wrong);
	expect_nothing_lives("bind");
}

static void test_bind_card(void)
{
	struct device_ops device = { .bind = bind_card, .unbind = unbind_card };

	must(card_find(0, &bound_card));
	snprintf(device.path, sizeof(device.path), "/sys/bus/platform/devices/%s",
		 bound_card.platform);
	sweep_bind(&device);
}

static void test_bind_node(void)
{
	struct device_ops device = { .bind = bind_node, .unbind = unbind_node };

	node_find(&bound_node);
	snprintf(device.path, sizeof(device.path), "/sys/bus/pci/devices/%s", bound_node.address);
	sweep_bind(&device);
}

/* What is lost would keep the module. */
static void test_unload(void)
{
	must(module_unload());
	must(module_load());
}

/* Reads on in the kernel's log. */
static bool log_says(void *words)
{
	static int fd = -1;
	char line[1024];
	ssize_t length;

	if (fd < 0) {
		fd = must(sys(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
		must(sys(lseek(fd, 0, SEEK_END)));
	}
	while ((length = read(fd, line, sizeof(line) - 1)) > 0) {
		line[length] = '\0';
		if (strstr(line, words)) {
			close(fd);
			fd = -1;
			return true;
		}
	}
	return false;
}

/* The reference that keeps it could as well be one that ALSA has lost. */
static void test_wait_says_why(void)
{
	char words[] = "waits to be unloaded: 1 card(s)";
	const int number = must(snd_card_get_index("avring0"));
	char card[16];
	pid_t child;

	snprintf(card, sizeof(card), "card%d", number);
	fail_hold(card);
	log_says(words);
	child = fork();
	if (!child)
		_exit(system("modprobe -r avring") != 0);
	tap_check(tap_eventually(log_says, words, 20), "log: expected \"%s\" within 20 s", words);
	fail_hold("");
	tap_join(child);
	tap_eq(0, system("modprobe avring cards=1"));
}

#define CALL(number, start, what, ...) \
	.run_with = sweep, .deadline_s = 120, .arg = &(const struct call) \
	{ \
		.begin = start, .make = what, .card = number, __VA_ARGS__ \
	}
#define BOTH(words, ...) \
	{ "memory lacks in " words, CALL(0, __VA_ARGS__) }, \
	{ \
		"memory lacks in " words " of a PCI card", CALL(1, __VA_ARGS__) \
	}

static const struct tap_test tests[] = {
	BOTH("open of the capture node", find_node, call_open),
	BOTH("REQBUFS", open_node, call_request),
	BOTH("CREATE_BUFS", open_node, call_create),
	BOTH("mmap", have_buffers, call_map),
	BOTH("EXPBUF", have_buffers, call_export, .also = EINVAL),
	BOTH("QBUF of a user pointer", have_memory, call_queue_memory),
	BOTH("QBUF of a dma-buf", have_dmabuf, call_queue_dmabuf),
	BOTH("read", open_node, call_read, .also = EINVAL),
	{ "memory lacks in STREAMON on the loopback", CALL(0, have_loopback, call_stream) },
	{ "memory lacks in S_INPUT of who streams", CALL(0, have_stream, call_look_at_loopback) },
	BOTH("open of the ring node", find_ring, call_open),
	BOTH("ATTACH to pictures", open_ring, call_attach_video),
	BOTH("ATTACH to sound", open_ring, call_attach_audio),
	{ "memory lacks in ATTACH of a producer", CALL(0, have_ring_for_producer, call_produce) },
	BOTH("mmap of a ring", have_ring, call_map_ring),
	BOTH("EXPORT of a ring", have_ring, call_export_ring),
	BOTH("open of the PCM", find_pcm, call_open),
	BOTH("hw_params and prepare", have_pcm, call_set_pcm),
	BOTH("open of the mixer", find_control, call_open, .also = ENODEV),
	BOTH("reading a control", have_control, call_get_control),
	{ "memory lacks in probe", .run = test_bind_card, .deadline_s = 300 },
	{ "memory lacks in probe of a PCI card", .run = test_bind_node, .deadline_s = 300 },
	{ "after all that the driver can be unloaded", .run = test_unload },
	{ "an unload that waits for a card to be freed says so", .run = test_wait_says_why },
};

static const char *missing(void)
{
	return node_missing() ?: card_missing() ?: fail_missing();
}

static void restore(void)
{
	struct card card;

	node_restore();
	if (card_find(0, &card)) {
		snprintf(card.platform, sizeof(card.platform), "avring.0");
		card_bind(&card);
	}
	ring_input(CARD_INPUT_PATTERN);
}

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests,
					 .n_tests = TAP_COUNT(tests),
					 .missing = missing,
					 .residue = card_live_stores,
					 .after = restore };

	module_remember();
	return tap_main(&suite, argc, argv);
}
