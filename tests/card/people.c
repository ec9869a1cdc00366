// SPDX-License-Identifier: MIT
/*
 * people: everybody who can use a card at once. See people.h.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "camera.h"
#include "disk.h"
#include "people.h"
#include "remote.h"
#include "sound.h"

/*
 * A second is promised. Where time goes on while the host lets the guest's processors stand
 * still, which may be for seconds, that cannot be seen, and this much is granted; a guest that
 * counts instructions is held to the promise ($TOLD_MS).
 */
#define GRANTED_MS 5000

/**
 * struct people - those who use the card, and what they tell; shared memory
 * @begun: how many of them have something to wait for
 * @left_ns: the card is taken away, not before this time
 * @told_ns: who was told when; 0 who waits for nothing
 * @spans: writes to the disk that began before the card went and ended after that
 */
struct people {
	volatile unsigned int begun;
	volatile uint64_t left_ns;
	volatile uint64_t told_ns[16];
	volatile unsigned int spans;
};

static struct people *people;

/**
 * struct person - one of them
 * @name: what he does
 * @use: does it until he is told that the card is gone
 */
struct person {
	const char *name;
	void (*use)(void);
};

static unsigned int self;

static void begun(void)
{
	__atomic_add_fetch(&people->begun, 1, __ATOMIC_RELEASE);
}

static void told(void)
{
	people->told_ns[self] = now_ns();
}

static bool is_nobody(void *arg)
{
	struct flow *flow = arg;

	return video_ioctl(flow->video.fd, VIDIOC_STREAMON, &flow->video.type) == -ENODEV;
}

/* To queue fails as V4L2 has it when a stream has failed: EIO; who waits is told why. */
static void queue_again(struct flow *flow, struct v4l2_buffer *buffer)
{
	int error = video_ioctl(flow->video.fd, VIDIOC_QBUF, buffer);

	tap_check(!error || error == -EIO || error == -ENODEV, "QBUF: expected EIO, got %s",
		  strerrorname_np(-error));
}

static void person_dequeues(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
				      .memory = V4L2_MEMORY_MMAP };
	struct flow flow;
	int error;

	camera_start(&flow, &camera_small, FLOW_MMAP, 4);
	camera_take(&flow, &watch, 2);
	begun();
	while (!(error = video_ioctl(flow.video.fd, VIDIOC_DQBUF, &buffer)))
		queue_again(&flow, &buffer);
	told();
	must_refuse(ENODEV, error);
	tap_check(tap_eventually(is_nobody, &flow, 5), "STREAMON: expected ENODEV at last");
	flow_close(&flow);
}

static void person_polls(void)
{
	struct pollfd ready = { .events = POLLIN | POLLPRI };
	struct ring ring;

	ring = camera_ring();
	ready.fd = ring.fd;
	begun();
	while (!(ready.revents & POLLHUP)) {
		must(sys(poll(&ready, 1, -1)));
		if (ready.revents & POLLIN)
			ring_wait(&ring, ring_head(&ring), 1, 0);
	}
	told();
	ring_close(&ring);
}

static void person_polls_for_events(void)
{
	struct v4l2_event_subscription events = { .type = V4L2_EVENT_SOURCE_CHANGE };
	struct pollfd ready = { .events = POLLPRI };
	char path[32];

	camera_path(path, sizeof(path));
	ready.fd = must(sys(open(path, O_RDWR | O_CLOEXEC)));
	must(video_ioctl(ready.fd, VIDIOC_SUBSCRIBE_EVENT, &events));
	begun();
	must(sys(poll(&ready, 1, -1)));
	told();
	tap_check(ready.revents & POLLHUP, "poll: expected POLLHUP, got %#x", ready.revents);
	close(ready.fd);
}

/* Mapped memory is the reader's for as long as he wants, with what came last. */
static void person_reads_ring(void)
{
	struct camera_watch watch = { .mode = &camera_small };
	uint8_t last[SMALL_BYTES];
	struct avring_entry entry;
	struct ring ring = camera_ring();
	uint64_t n = camera_look_many(&ring, ring.at.next, 2, &watch);
	int error;

	begun();
	do {
		error = ring_wait(&ring, n, 1, AVRING_WAIT_FOREVER);
		n = ring_head(&ring);
	} while (!error);
	told();
	must_refuse(ENODEV, error);
	tap_eq(AVRING_STATE_GONE, ring_state(&ring) & AVRING_STATE_GONE);
	n = ring_head(&ring) - 1;
	tap_check(ring_entry(&ring, n, &entry), "the last entry: expected intact");
	memcpy(last, ring_bytes(&ring, &entry), SMALL_BYTES);
	must(frame_check(last, SMALL_BYTES, NULL));
	usleep(200000);
	tap_check(!memcmp(last, ring_bytes(&ring, &entry), SMALL_BYTES),
		  "the last frame: expected to stay as it is");
	ring_close(&ring);
}

static void person_listens_to_ring(void)
{
	struct ring ring;
	struct node node;
	uint64_t n;
	int error;

	node_find(&node);
	must(ring_open(&ring, node.info.card));
	must(ring_read(&ring, AVRING_STREAM_AUDIO, 0));
	must(ring_map(&ring));
	ring_wait_head(&ring, ring.at.next + 2);
	begun();
	do {
		n = ring_head(&ring);
		error = ring_wait(&ring, n, 1, AVRING_WAIT_FOREVER);
	} while (!error);
	told();
	must_refuse(ENODEV, error);
	tap_eq(AVRING_STATE_GONE, ring_state(&ring) & AVRING_STATE_GONE);
	ring_close(&ring);
}

static bool is_unheard(void *pcm)
{
	int16_t sample[2];

	return snd_pcm_readi(pcm, sample, 1) == -ENODEV;
}

/*
 * ALSA has its own word for who waits in a stream that is disconnected, EBADFD; who asks when
 * the sound card is disconnected gets ENODEV.
 */
static void person_records(void)
{
	const struct sound_params params = {
		.format = SND_PCM_FORMAT_S16_LE, .rate = 48000, .channels = 2, .period = 480
	};
	static int16_t samples[2 * 480];
	struct node node;
	snd_pcm_t *pcm;
	long frames;

	node_find(&node);
	must(sound_open(&pcm, node.alsa, SND_PCM_STREAM_CAPTURE, &params));
	must(snd_pcm_start(pcm));
	tap_eq(480, must(snd_pcm_readi(pcm, samples, 480)));
	begun();
	do {
		frames = snd_pcm_readi(pcm, samples, 480);
		if (frames == -EPIPE)
			frames = snd_pcm_prepare(pcm) ?: snd_pcm_start(pcm);
	} while (frames >= 0);
	told();
	tap_check(frames == -ENODEV || frames == -EBADFD, "read: expected ENODEV, got %s",
		  strerrorname_np(-frames));
	tap_check(tap_eventually(is_unheard, pcm, 5), "read: expected ENODEV at last");
	snd_pcm_close(pcm);
}

/* The disk has each frame that was in the ring as it is now from before @head on. */
static void expect_on_disk(const struct ring *ring, int disk, uint64_t head)
{
	const size_t length = ring->at.length;
	uint8_t *read = mmap(NULL, 2 * length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	uint64_t n = ring_tail(ring), at;
	struct avring_entry entry;

	tap_check(read != MAP_FAILED && head > n, "expected frames and memory to compare them");
	tap_eq(length, sys(pread(disk, read, length, 0)));
	memcpy(read + length, read, length);
	for (; n < head; n++) {
		tap_check(ring_entry(ring, n, &entry), "entry %llu: expected to stay",
			  (unsigned long long)n);
		at = entry.position % length;
		tap_check(!memcmp(read + at, ring->data + at, entry.length),
			  "frame %llu: expected on the disk what is in the ring",
			  (unsigned long long)n);
	}
	munmap(read, 2 * length);
}

/*
 * The ring on its way to a disk, all of it, again and again; also once more when the card is
 * gone: the memory stays what it was. He waits for the disk and looks for himself.
 */
static void person_writes_direct(void)
{
	struct ring ring = camera_ring();
	int disk = disk_open();
	uint64_t head, writes = 0;
	uint32_t before;

	ring_wait_head(&ring, ring.at.next + 1);
	do {
		head = ring_head(&ring);
		before = ring_state(&ring);
		tap_eq(ring.at.length, sys(pwrite(disk, ring.data, ring.at.length, 0)));
		if (!writes++)
			begun();
	} while (!(ring_state(&ring) & AVRING_STATE_GONE));
	if (!(before & AVRING_STATE_GONE))
		__atomic_add_fetch(&people->spans, 1, __ATOMIC_RELAXED);
	expect_on_disk(&ring, disk, head);
	tap_eq(ring.at.length, sys(pwrite(disk, ring.data, ring.at.length, 0)));
	expect_on_disk(&ring, disk, ring_head(&ring));
	close(disk);
	ring_close(&ring);
}

static const struct person all[] = {
	{ "DQBUF", person_dequeues },
	{ "poll of the ring", person_polls },
	{ "poll for events", person_polls_for_events },
	{ "WAIT for pictures", person_reads_ring },
	{ "WAIT for sound", person_listens_to_ring },
	{ "ALSA", person_records },
	{ "O_DIRECT", person_writes_direct },
};

#define PEOPLE TAP_COUNT(all)

static bool have_begun(void *arg)
{
	return people->begun == *(const unsigned int *)arg;
}

static pid_t children[PEOPLE];

void people_call(void)
{
	unsigned int i, count = PEOPLE;

	if (!people)
		people = ring_shared(sizeof(*people));
	people->begun = 0;
	for (i = 0; i < PEOPLE; i++) {
		people->told_ns[i] = 0;
		children[i] = fork();
		if (children[i])
			continue;
		self = i;
		all[i].use();
		_exit(0);
	}
	tap_check(tap_eventually(have_begun, &count, 20),
		  "users of the card: expected %u to begin, got %u", count, people->begun);
}

void people_take_away(void)
{
	people->left_ns = now_ns();
}

/* Looks while it goes: the time is that of the last look that found it. */
void people_watch_it_go(const char *command, bool (*is_there)(const struct node *node))
{
	uint64_t look_ns = now_ns();
	struct node node;
	pid_t child;

	node_find(&node);
	child = fork();
	if (!child) {
		remote("%s", command);
		_exit(0);
	}
	do {
		people->left_ns = look_ns;
		usleep(1000);
		look_ns = now_ns();
	} while (is_there(&node));
	tap_join(child);
}

static unsigned int granted_ms(void)
{
	const char *text = getenv("TOLD_MS");

	return text && atoi(text) > 0 ? atoi(text) : GRANTED_MS;
}

void people_end(void)
{
	int64_t late = 0, ms;
	unsigned int i, who = 0;

	for (i = 0; i < PEOPLE; i++)
		tap_join(children[i]);
	for (i = 0; i < PEOPLE; i++) {
		ms = (int64_t)(people->told_ns[i] - people->left_ns) / 1000000;
		if (ms <= late)
			continue;
		late = ms;
		who = i;
	}
	tap_note("the last to be told, after %lld ms: %s", (long long)late, all[who].name);
	tap_check(late < granted_ms(), "%s: expected to be told within %u ms, got %lld",
		  all[who].name, granted_ms(), (long long)late);
}

unsigned int people_spans(void)
{
	return people->spans;
}

void people_expect_card(void)
{
	struct flow flow;

	camera_start(&flow, &camera_small, FLOW_MMAP, 4);
	camera_take(&flow, &(struct camera_watch){ .mode = &camera_small }, 5);
	camera_end(&flow);
}
