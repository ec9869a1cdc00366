/* SPDX-License-Identifier: MIT */
/*
 * libavring: read from, and write into, rings of pictures or sound without copying.
 *
 * A reader walks through a stream frame by frame. Each frame is one contiguous,
 * read-only range of memory (a span), also where the ring wraps. Reading costs no
 * system call while there is something to read; waiting is one call for as many
 * frames as the caller likes. Nobody waits for a reader: one that is too slow is
 * overtaken, and every frame it did not get is counted.
 *
 *	struct avring_reader *reader;
 *	struct avring_span span;
 *	int err = avring_reader_open(&reader, "/dev/avring0", NULL);
 *
 *	while (!err) {
 *		err = avring_reader_next(reader, &span);
 *		if (!err && use(span.data, span.length) &&
 *		    avring_reader_release(reader, &span) == 0)
 *			what use() made of it is valid
 *		else if (err == -ESTALE)
 *			err = avring_reader_renew(reader);
 *		else if (err == -EAGAIN)
 *			err = avring_reader_wait(reader, AVRING_FOREVER);
 *		if (err == -EINTR)
 *			err = 0; a signal handler ran
 *	}
 *
 * The same calls read from other devices, see avring_reader_open().
 *
 * Errors: int functions return 0 or a negative errno unless they say otherwise. Without
 * a handle (NULL) that is -EINVAL; other functions return 0 or NULL then. The library
 * prints nothing, never exits, and has no global state.
 *
 * Threads: a handle belongs to one thread at a time. Different handles are
 * independent.
 *
 * fork(): mappings stay valid in the child; only one of the two processes may go
 * on using a handle, and the other one must not close it but exit.
 *
 * Signals: waiting is interrupted by a signal handler and returns -EINTR; nothing
 * is lost, call again. (On a card a handler with SA_RESTART does not end waiting for ever.) No
 * other function blocks.
 *
 * Formats of samples are SNDRV_PCM_FORMAT_* of <sound/asound.h>, those of pixels
 * V4L2_PIX_FMT_* of <linux/videodev2.h>. Who includes <alsa/asoundlib.h> must not include
 * <sound/asound.h> beside it; SND_PCM_FORMAT_* there are the same numbers.
 *
 * Times are CLOCK_MONOTONIC in ns. Lengths are bytes. Positions and sequence
 * numbers only grow.
 */
#ifndef AVRING_AVRING_H
#define AVRING_AVRING_H

#include <stddef.h>
#include <stdint.h>

/* It has a union without a name, which C knows since 2011. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <linux/avring.h>
#pragma GCC diagnostic pop

#ifdef __cplusplus
extern "C" {
#endif

#define AVRING_FOREVER UINT64_MAX

struct avring_reader;
struct avring_producer;

/**
 * struct avring_options - how to open; NULL stands for all zeros
 * @size: sizeof(struct avring_options); what lies beyond it is zero. 0 is refused
 * @stream: AVRING_STREAM_VIDEO or AVRING_STREAM_AUDIO. Implied by an ALSA or V4L2
 *	device and by a ring in memory
 * @oldest: begin with the oldest frame in the ring, not with the next one
 * @keep_setup: take the ring of the card as it is; the wishes below are ignored
 * @ring_bytes: wished length of the ring: the time that a frame may be held, and two
 *	frames more, see avring_reader_newest(). A card rounds it up to whole 2 MiB, or to whole
 *	pages if it is shorter than that; other devices come as near as they can. 0: half a
 *	second, or of a card what others read already, if that is more
 * @align: frames begin at multiples of this power of two, at most 4096; 1
 *	packs them tightly; 0: a page for pictures, or of a card what others read already
 * @video: wished picture format; members that are 0 are left as they are
 * @audio: wished sound format; members that are 0 are left as they are, or take the
 *	device's default. The period of other sound cards is as near as they can
 *
 * A wish about a format is met exactly or refused with -EINVAL, as is one for the format
 * of another stream. A wish about a ring
 * that somebody else is attached to is refused with -EBUSY, unless the ring has as much
 * already. Of what was wished of a card only the format of the pictures outlives the reader.
 */
struct avring_options {
	size_t size;
	uint32_t stream;
	uint8_t oldest;
	uint8_t keep_setup;
	uint16_t reserved;
	uint64_t ring_bytes;
	uint32_t align;
	uint32_t reserved2;
	struct avring_video_format video;
	struct avring_audio_format audio;
};

/**
 * struct avring_span - one or more frames, contiguous in memory
 * @data: first byte; valid until avring_reader_close(), its content until the
 *	writer comes round, see avring_reader_release()
 * @length: bytes
 * @position: of the first byte in the stream
 * @entry: number of the first entry
 * @entries: how many entries
 * @stride: distance of the frames from each other in bytes if @entries is not 1
 * @sequence: of the first frame or sample frame
 * @count: frames, or sample frames
 * @time_ns: of the first frame
 * @event: number of the first frame on the card's timeline
 * @lost: frames or sample frames that are missing directly before this span
 * @flags: AVRING_ENTRY_*, of all entries together
 * @reserved: zero
 */
struct avring_span {
	const void *data;
	size_t length;
	uint64_t position;
	uint64_t entry;
	uint32_t entries;
	uint32_t stride;
	uint64_t sequence;
	uint64_t count;
	uint64_t time_ns;
	uint64_t event;
	uint64_t lost;
	uint32_t flags;
	uint32_t reserved;
};

/**
 * struct avring_watermark - when avring_reader_wait() returns; all must hold
 * @entries: so many frames or chunks can be read; 0 means 1
 * @bytes: and so many bytes
 * @time_ns: and so much time lies between the first and the last of them
 */
struct avring_watermark {
	uint64_t entries;
	uint64_t bytes;
	uint64_t time_ns;
};

/**
 * struct avring_geometry - the ring behind a handle
 * @generation: changes with the format
 * @align: frames begin at multiples of this
 * @length: bytes of the ring
 * @entries: how many entries the index holds
 * @data: first byte of the linear view, 2 * @length bytes
 */
struct avring_geometry {
	uint32_t generation;
	uint32_t align;
	uint64_t length;
	uint64_t entries;
	const void *data;
};

/**
 * avring_reader_open() - attach to a stream as a reader
 * @out: the handle
 * @device: what to read:
 *	"/dev/avringN", "avringN": a card with rings, zero copy
 *	"/dev/videoN", "/dev/v4l/...", other paths: any V4L2 capture device that takes
 *		USERPTR (or, where there is /dev/udmabuf, DMABUF) buffers
 *	anything else: an ALSA PCM, for example "hw:1,0", that can be mapped
 * @options: wishes, or NULL
 *
 * Return: 0; -EINVAL options; -ENOENT or -ENODEV no such device; -EBUSY somebody
 * else uses it in another way; -EOPNOTSUPP the device cannot do it; -ENOMEM; or
 * what the device says.
 */
int avring_reader_open(struct avring_reader **out, const char *device,
		       const struct avring_options *options);

/**
 * avring_reader_open_fd() - attach to the memory ring of a producer in user space
 * @out: the handle
 * @fd: from avring_producer_fd(), perhaps through fork() or a socket; it stays the
 *	caller's
 * @options: wishes, or NULL
 *
 * Return: 0; -EOPNOTSUPP no memfd; -EPERM one that can shrink; -EPROTO no ring.
 */
int avring_reader_open_fd(struct avring_reader **out, int fd, const struct avring_options *options);

/* What the stream carries; valid until avring_reader_renew() or _close(). */
const struct avring_stream_format *avring_reader_format(const struct avring_reader *reader);
void avring_reader_geometry(const struct avring_reader *reader, struct avring_geometry *geometry);

/**
 * avring_reader_next() - take the next frame
 * @reader: the handle
 * @span: filled
 *
 * Makes no system call on a card and on a ring in memory. The span may be used at
 * once and for as long as the caller likes; avring_reader_release() tells whether it
 * stayed intact. Several spans may be held.
 *
 * A reader that was overtaken goes on behind the oldest intact frame, by an eighth of
 * what is intact, so that it is not overtaken again at once.
 *
 * Return: 0; -EAGAIN there is none yet; -ESTALE the format changes here, and all
 * frames before that were taken: call avring_reader_renew(); -ENODEV the device is
 * gone and all frames were taken.
 */
int avring_reader_next(struct avring_reader *reader, struct avring_span *span);

/**
 * avring_reader_next_run() - take as many frames as lie in a row
 * @reader: the handle
 * @span: filled
 * @max_bytes: no more than this, but at least one frame
 *
 * A run ends where frames are missing, where flags or lengths change, or where frames
 * do not lie at equal distances.
 *
 * Return: as avring_reader_next().
 */
int avring_reader_next_run(struct avring_reader *reader, struct avring_span *span,
			   size_t max_bytes);

/**
 * avring_reader_newest() - take the newest frame and pass over those before it
 * @reader: the handle
 * @span: filled
 *
 * For who needs longer for a frame than the source and shows, or judges, the present.
 * With avring_reader_next() such a reader is always about to be overtaken; here it holds
 * a frame that stays intact for the time of the ring less two frames. So hold a frame
 * for 200 ms at 30 frames/s in a ring of 200 * 30 / 1000 + 2 = 8 frames or more.
 *
 * What is passed over is given back and is not lost: neither @span.lost nor
 * avring_reader_lost() counts it, but @span.sequence jumps. Since: 0.2.
 *
 * Return: as avring_reader_next().
 */
int avring_reader_newest(struct avring_reader *reader, struct avring_span *span);

/**
 * avring_reader_release() - say that a span is no longer used
 * @reader: the handle
 * @span: from avring_reader_next()
 *
 * A V4L2 device gets its buffers back in the order of the frames, when they and all
 * before them are released; until then it does not overwrite them. So each span must
 * be released there.
 *
 * Return: 0 the span was intact all the time; -EOVERFLOW the writer may have
 * changed it meanwhile: its frames count as lost and what was made of them is not
 * to be trusted; -EINVAL not a span of this reader, or released before.
 */
int avring_reader_release(struct avring_reader *reader, const struct avring_span *span);

/* Frames or sample frames lost since open: by the source, or because we were slow. */
uint64_t avring_reader_lost(const struct avring_reader *reader);

/**
 * avring_reader_set_watermark() - how much there must be before wait() returns
 * @reader: the handle
 * @watermark: or NULL for a single frame
 *
 * Return: 0, -EINVAL more than half of what the ring holds.
 */
int avring_reader_set_watermark(struct avring_reader *reader,
				const struct avring_watermark *watermark);

/**
 * avring_reader_wait() - sleep until there is enough to read
 * @reader: the handle
 * @deadline_ns: CLOCK_MONOTONIC; AVRING_FOREVER for none
 *
 * Return: 0 something can be read, or next() has something else to say;
 * -ETIMEDOUT; -EINTR; -ENOBUFS the caller holds all buffers of a V4L2 device.
 */
int avring_reader_wait(struct avring_reader *reader, uint64_t deadline_ns);

/**
 * avring_reader_arm() - prepare to wait with poll(), select() or epoll
 * @reader: the handle
 *
 * A V4L2 device and a ring in memory become readable with each frame, whatever the
 * watermark, so arm again before the next wait.
 *
 * Return: 0 wait for avring_reader_fd() to become readable (POLLIN | POLLPRI); 1 do
 * not wait, there is enough to read; a negative errno.
 */
int avring_reader_arm(struct avring_reader *reader);

/* The file descriptor to wait for; it stays the library's. */
int avring_reader_fd(const struct avring_reader *reader);

/*
 * Move to the next generation after -ESTALE. Spans of the old one stay valid until close,
 * and may be released later. -EOPNOTSUPP: this sort of device has no generations.
 */
int avring_reader_renew(struct avring_reader *reader);

/* Detach; the spans are gone. NULL is allowed, errno is kept. */
void avring_reader_close(struct avring_reader *reader);

/**
 * struct avring_refusal - why a device was refused
 * @size: sizeof(struct avring_refusal), filled in by the caller
 * @member: of struct avring_options that is wrong, "video.width"; "" if it is none
 * @text: all in words, for people: "size 641x480: not possible, nearest is 640x480; ..."
 * @nearest: the wishes with that member, and what belongs to it, as the device can do it
 */
struct avring_refusal {
	size_t size;
	char member[32];
	char text[768];
	struct avring_options nearest;
};

/**
 * avring_explain() - find out why avring_reader_open() has failed
 * @device: as it was given there
 * @options: same
 * @error: what that returned
 * @refusal: filled
 *
 * Asks the device what it can do and changes nothing. Says which wish is not possible,
 * what is, and what is nearest; what sort of thing it is if it is not what is read from;
 * who has it open if it is busy, as far as /proc shows that; which group may open it.
 * Where nothing is known @text is that of the error. Since: 0.2.
 *
 * Return: 0; -EINVAL no device, no error, or no @refusal.size.
 */
int avring_explain(const char *device, const struct avring_options *options, int error,
		   struct avring_refusal *refusal);

/**
 * avring_producer_open() - attach to a stream as its producer
 * @out: the handle
 * @device: "/dev/avringN" or "avringN": what is written is what the card captures
 *	(its input is switched to loopback); NULL: a ring in memory without a card
 * @format: what will be sent
 * @options: wishes, or NULL
 */
int avring_producer_open(struct avring_producer **out, const char *device,
			 const struct avring_stream_format *format,
			 const struct avring_options *options);

const struct avring_stream_format *avring_producer_format(const struct avring_producer *producer);
void avring_producer_geometry(const struct avring_producer *producer,
			      struct avring_geometry *geometry);

/**
 * avring_producer_begin() - ask for memory for the next frame
 * @producer: the handle
 * @length: bytes wanted
 * @data: the memory, contiguous; every reader will see these very pages
 *
 * Return: 0; -EINVAL too long; -ENODEV; -ESTALE.
 */
int avring_producer_begin(struct avring_producer *producer, size_t length, void **data);

/**
 * avring_producer_commit() - publish it
 * @producer: the handle
 * @length: bytes, at most those of begin(); a card takes whole pictures only
 * @time_ns: of the frame, at most 10 s from now; or 0 for now
 *
 * Return: 0; -EINVAL also for a time that does not follow on the last one or is of
 * another clock than CLOCK_MONOTONIC; -ENODEV; -ESTALE.
 */
int avring_producer_commit(struct avring_producer *producer, size_t length, uint64_t time_ns);

/*
 * The file descriptor of a ring in memory, to be given to readers; it stays the library's.
 * -EOPNOTSUPP for a card.
 */
int avring_producer_fd(const struct avring_producer *producer);
void avring_producer_close(struct avring_producer *producer);

/**
 * avring_card_info() - what a card is and which nodes belong to it
 * @device: "/dev/avringN" or "avringN"
 * @info: filled
 */
int avring_card_info(const char *device, struct avring_info *info);

/* Path of a device node, "/dev/video0"; -ENODEV if there is none. */
int avring_devnum_path(struct avring_devnum devnum, char *path, size_t size);

#ifdef __cplusplus
}
#endif

#endif
