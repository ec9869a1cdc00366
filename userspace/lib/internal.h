/* SPDX-License-Identifier: MIT */
/*
 * What the files of libavring share.
 *
 * A reader walks a view: control page, index and data as include/uapi/linux/avring.h
 * describes them. A backend supplies the view; where the memory is not laid out like
 * that (ALSA, V4L2), it keeps control page and index itself and brings them up to
 * date when it is asked to. So there is one walk, and one way to count losses.
 *
 *	reader.c	the public reader calls, the same for all backends
 *	walk.c		the walk: entries, losses, watermarks
 *	view.c		mapped regions
 *	mirror.c	the only double mappings
 *	writer.c	the other side of a view: give up, publish
 *	ring.c		backend: ring node of a card; ring-producer.c writes there,
 *			ring-setup.c sets it up
 *	twin.c		backend: ring in memory; twin-producer.c writes it
 *	alsa.c		backend: ALSA PCM
 *	v4l2.c		backend: V4L2 device
 *	producer.c	the public producer calls
 *	card.c		nodes of a card
 *	picture.c	formats of V4L2 nodes
 *	alsa-control.c	controls of sound cards
 *	format.c	sizes that follow from a format
 *	options.c	struct avring_options
 *	explain*.c	why a device was refused, see explain.h
 *	os.c		system calls
 */
#ifndef AVRING_INTERNAL_H
#define AVRING_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* All else is compiled with -fvisibility=hidden. */
#pragma GCC visibility push(default)
#include <avring/avring.h>
#pragma GCC visibility pop

#define AVRING_NSEC_PER_SEC 1000000000ULL
#define AVRING_HUGE_PAGE (2ULL << 20)

/* Of frames; what cards can, whatever the size of a page. */
#define AVRING_MAX_ALIGN 4096

/* Sample frames of a chunk, see struct avring_audio_format. */
#define AVRING_PERIOD_MIN 16
#define AVRING_PERIOD_MAX 65536

/* The barriers of the uapi header: B acquire, and A on the reader's and the writer's side. */
#define avring_load_acquire(pointer) __atomic_load_n((pointer), __ATOMIC_ACQUIRE)
#define avring_load(pointer) __atomic_load_n((pointer), __ATOMIC_RELAXED)
#define avring_store_release(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELEASE)
#define avring_store(pointer, value) __atomic_store_n((pointer), (value), __ATOMIC_RELAXED)
#define avring_read_barrier() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define avring_write_barrier() __atomic_thread_fence(__ATOMIC_RELEASE)

static inline uint64_t avring_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t avring_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* For numbers that are known not to be near 2^64. */
static inline uint64_t avring_align(uint64_t value, uint64_t step)
{
	return (value + step - 1) / step * step;
}

static inline bool avring_is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

/* -errno, which a compiler could otherwise believe to be 0. */
static inline int avring_errno(void)
{
	return errno > 0 ? -errno : -EIO;
}

size_t avring_page_size(void);
uint64_t avring_now_ns(void);

/* ioctl() as 0 or -errno; not restarted. */
int avring_ioctl(int fd, unsigned long request, void *arg);

/* ioctl() that a signal does not end: for everything that does not wait. */
int avring_ioctl_retry(int fd, unsigned long request, void *arg);

/* poll() of one file with an absolute deadline: revents, -ETIMEDOUT, -EINTR or -errno. */
int avring_poll_until(int fd, short events, uint64_t deadline_ns);

/* mirror.c */

/**
 * avring_mirror_map() - map the same @length bytes of a file twice in a row
 * @start: 2 * @length bytes; the end of the first half is the start of the second
 * @length: multiple of the page size
 * @prot: PROT_*
 *
 * Return: 0, -EINVAL, -EFBIG it does not fit into the address space, or what mmap() says.
 * Nothing is mapped after an error.
 */
int avring_mirror_map(void **start, int fd, uint64_t offset, uint64_t length, int prot);

/* view.c */

#define AVRING_VIEW_REGIONS 4

/**
 * struct avring_region - a mapping
 * @start: NULL if it is none
 * @size: bytes
 */
struct avring_region {
	void *start;
	size_t size;
};

/**
 * struct avring_view - a ring as it is mapped
 * @older: the generation before, whose spans may still be held
 * @control: control page
 * @index: @entries of them
 * @data: 2 * @length bytes
 * @length: of the ring
 * @entries: power of two
 * @frame_bytes: most that one entry can have
 * @generation: as in struct avring_attach
 * @align: frames begin at multiples of this
 * @held: of a reader: for each entry modulo @entries the number + 1 of the span that
 *	begins there and was not released
 * @forgotten: spans that were not released when another one took their place in @held
 * @regions: what avring_view_free() unmaps
 * @n_regions: how many
 */
struct avring_view {
	struct avring_view *older;
	const struct avring_control *control;
	const struct avring_entry *index;
	const unsigned char *data;
	uint64_t length;
	uint64_t entries;
	uint64_t frame_bytes;
	uint32_t generation;
	uint32_t align;
	uint64_t *held;
	uint64_t forgotten;
	struct avring_region regions[AVRING_VIEW_REGIONS];
	unsigned int n_regions;
};

struct avring_view *avring_view_new(void);
/* With all older ones. */
void avring_view_free(struct avring_view *view);
/* Map a part of a file into the view; the view unmaps it. */
int avring_view_map(struct avring_view *view, int fd, uint64_t offset, uint64_t size, int prot,
		    void **start);
/* The same, twice in a row. */
int avring_view_mirror(struct avring_view *view, int fd, uint64_t offset, uint64_t length, int prot,
		       void **start);
/* A control page and an index of the library's own, zeroed. */
int avring_view_own_index(struct avring_view *view, uint64_t entries);
/* What a reader needs to know which spans it has; @entries is known. */
int avring_view_own_held(struct avring_view *view);
void avring_view_geometry(const struct avring_view *view, struct avring_geometry *geometry);

/* writer.c */

/**
 * struct avring_writer - who writes a control page and an index
 * @control: written
 * @index: written
 * @length: of the ring
 * @entries: of the index, a power of two
 * @tail: copies of what the control page has
 * @tail_entry: same
 * @head: same
 * @head_entry: same
 */
struct avring_writer {
	struct avring_control *control;
	struct avring_entry *index;
	uint64_t length;
	uint64_t entries;
	uint64_t tail;
	uint64_t tail_entry;
	uint64_t head;
	uint64_t head_entry;
};

/* Give up what lies before a position, and what so many new entries take the place of. */
void avring_writer_give_up(struct avring_writer *writer, uint64_t tail, uint64_t new_entries);
/* Add an entry that ends at position + length; it must have been given room. */
void avring_writer_publish(struct avring_writer *writer, const struct avring_entry *entry);
void avring_writer_set_state(struct avring_writer *writer, uint32_t state);

/* The same for both halves of a view that avring_view_own_index() made. */
void avring_writer_begin(struct avring_writer *writer, const struct avring_view *view);

/* The walk. */

/**
 * struct avring_need - what a wait is for, as the ring node takes it
 * @next: first entry that was not read
 * @entries: from 1 to half of the ring
 * @bytes: 0 does not ask
 * @time_ns: 0 does not ask
 */
struct avring_need {
	uint64_t next;
	uint64_t entries;
	uint64_t bytes;
	uint64_t time_ns;
};

/**
 * struct avring_backend - where a view comes from
 * @state_size: bytes of avring_reader.state
 * @streams: what it may carry, bits 1 << AVRING_STREAM_*; 0: @open sees to that
 * @open: attach; fills view, format, next and wishes as far as it can
 * @close: undo, views excepted; must stand a half-done open
 * @update: optional; bring a control page of our own up to date. Does not sleep
 * @settle: optional; bring tail up to date with what was written by now, as far as
 *	that may concern the span
 * @release: optional; the span is no longer used. Called after @settle
 * @wait: sleep until the need is met or something else is to be said: 0; 1 the caller
 *	shall look again; -ETIMEDOUT, -EINTR or -errno. The caller has looked before
 * @arm: make the file descriptor readable as soon as the need is met: 0, 1 it is,
 *	or -errno. The caller has looked before
 * @fd: to poll
 * @renew: optional; move to the next generation
 *
 * @open to @fd are required unless they say otherwise.
 */
struct avring_backend {
	size_t state_size;
	unsigned int streams;
	int (*open)(struct avring_reader *reader, const char *device, int fd);
	void (*close)(struct avring_reader *reader);
	int (*update)(struct avring_reader *reader);
	int (*settle)(struct avring_reader *reader, const struct avring_span *span);
	int (*release)(struct avring_reader *reader, const struct avring_span *span);
	int (*wait)(struct avring_reader *reader, const struct avring_need *need,
		    uint64_t deadline_ns);
	int (*arm)(struct avring_reader *reader, const struct avring_need *need);
	int (*fd)(const struct avring_reader *reader);
	int (*renew)(struct avring_reader *reader);
};

extern const struct avring_backend avring_ring_backend;
extern const struct avring_backend avring_twin_backend;
extern const struct avring_backend avring_alsa_backend;
extern const struct avring_backend avring_v4l2_backend;

/* What a name is taken for. */
const struct avring_backend *avring_reader_backend(const char *device);

/**
 * struct avring_reader - a handle
 * @backend: where the view comes from
 * @view: newest generation; older ones hang on it
 * @format: of it
 * @options: wishes
 * @watermark: as it was set
 * @next: first entry that was not read
 * @expected: sequence that follows on what was read
 * @follows: @expected is known
 * @skipped: entries that were jumped over before @expected was known
 * @lost: so far
 * @gone: AVRING_STATE_* on top of those of the control page
 * @state: of the backend
 */
struct avring_reader {
	const struct avring_backend *backend;
	struct avring_view *view;
	struct avring_stream_format format;
	struct avring_options options;
	struct avring_watermark watermark;
	uint64_t next;
	uint64_t expected;
	uint64_t skipped;
	uint64_t lost;
	uint32_t gone;
	bool follows;
	_Alignas(max_align_t) unsigned char state[];
};

/* The next entry, without taking it: as avring_reader_next(). Jumps if overtaken. */
int avring_walk_peek(struct avring_reader *reader, struct avring_entry *entry);
/* Take up to @max_bytes, at least one entry. */
int avring_walk_take(struct avring_reader *reader, struct avring_span *span, uint64_t max_bytes);
/* Is there enough, or something else to say? */
bool avring_walk_ready(struct avring_reader *reader, const struct avring_need *need);
void avring_walk_need(const struct avring_reader *reader, struct avring_need *need);
/* 0, -EOVERFLOW (counts), or -EINVAL for a span that is not held. */
int avring_walk_check(struct avring_reader *reader, const struct avring_span *span);
/* Begin the count of losses behind the entry before @next, if that is still there. */
void avring_walk_start(struct avring_reader *reader);
/* So many entries does the data hold at once. */
uint64_t avring_walk_capacity(const struct avring_reader *reader);

/* options.c */

/* Copy of any version of the struct: 0, -EINVAL, -E2BIG. NULL gives the defaults. */
int avring_options_read(struct avring_options *options, const struct avring_options *from);
/* Is a format wished of another stream than this one? */
bool avring_options_stray(const struct avring_options *options, uint32_t stream);
/* Is the stream what was wished? */
bool avring_options_met(const struct avring_options *options,
			const struct avring_stream_format *format);

/* format.c */

/* Fill in what follows from the rest of it: 0 or -EINVAL. */
int avring_format_complete(struct avring_stream_format *format);
/* Most that one frame or chunk has. */
uint64_t avring_format_frame_bytes(const struct avring_stream_format *format);
/* Time of so many frames or sample frames; 0 if the format has no rate. */
uint64_t avring_format_time_ns(const struct avring_stream_format *format, uint64_t count);
/* Alignment and length of the ring: as struct avring_setup documents it. */
int avring_format_ring(const struct avring_stream_format *format,
		       const struct avring_options *options, uint32_t *align, uint64_t *length);
/* Is a reserved member not zero? */
bool avring_format_has_reserved(const struct avring_audio_format *audio);
bool avring_format_has_video_reserved(const struct avring_video_format *video);
/* Where the planes lie, if that is not said and follows from the rest. */
void avring_format_fill_planes(struct avring_video_format *video);
/* Is every wish met? */
bool avring_format_has_sound(const struct avring_audio_format *wish,
			     const struct avring_audio_format *got);
/* Bytes of a sample of SNDRV_PCM_FORMAT_*, 0 if it is not one of ours. */
uint32_t avring_format_sample_bytes(uint32_t format);

/* card.c */

/* Is it the name of a ring node? Then its path. */
bool avring_card_path(const char *device, char *path, size_t size);
/* Open a sibling node: file descriptor or -errno. */
int avring_card_open_node(struct avring_devnum devnum, int flags);

/* picture.c */

/**
 * avring_picture_negotiate() - make a capture node do what is wished
 * @fd: V4L2 capture node
 * @wish: members that are 0 are left as they are
 * @may_change: optional; asked before anything is changed, may forbid it with -errno
 * @arg: of it
 *
 * Return: 0; -EINVAL the node makes something else of it; or what the node says.
 */
int avring_picture_negotiate(int fd, const struct avring_video_format *wish,
			     int (*may_change)(void *arg), void *arg);
/* V4L2_BUF_TYPE_* of a node that captures and streams; -EOPNOTSUPP if it does not. */
int avring_picture_type(int fd, uint32_t *type);
/* Is every wish met? */
bool avring_picture_has(const struct avring_video_format *wish,
			const struct avring_video_format *got);
bool avring_picture_has_rate(const struct avring_video_format *wish,
			     const struct avring_video_format *got);
/* What the node would make of it; nothing is set. */
int avring_picture_would(int fd, const struct avring_video_format *wish,
			 struct avring_video_format *got);
/* After the source has changed: let the node take what it gets now. */
int avring_picture_refresh(int fd);
/* What the node has. */
int avring_picture_get(int fd, struct avring_video_format *format);

/* alsa-control.c */

/* Set an enumerated control of a card to an item by name. */
int avring_sound_set_control(unsigned int card, const char *name, const char *item);

/* producer.c */

/**
 * struct avring_producer_backend - where a producer's memory comes from
 * @open: attach; @device is NULL for a ring in memory
 * @close: undo; must stand a half-done open
 * @begin: room for so many bytes
 * @commit: publish them
 * @fd: for readers, or -errno
 */
struct avring_producer_backend {
	size_t state_size;
	int (*open)(struct avring_producer *producer, const char *device,
		    const struct avring_options *options);
	void (*close)(struct avring_producer *producer);
	int (*begin)(struct avring_producer *producer, size_t length, void **data);
	int (*commit)(struct avring_producer *producer, size_t length, uint64_t time_ns);
	int (*fd)(const struct avring_producer *producer);
};

extern const struct avring_producer_backend avring_ring_producer;
extern const struct avring_producer_backend avring_twin_producer;

/**
 * struct avring_producer - a handle
 * @backend: where the memory comes from
 * @view: the ring
 * @format: what is sent
 * @state: of the backend
 */
struct avring_producer {
	const struct avring_producer_backend *backend;
	struct avring_view *view;
	struct avring_stream_format format;
	_Alignas(max_align_t) unsigned char state[];
};

#endif
