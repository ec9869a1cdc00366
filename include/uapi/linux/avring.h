/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
/*
 * avring: what user space may know about an avring card beyond V4L2 and ALSA.
 */
#ifndef _UAPI_LINUX_AVRING_H
#define _UAPI_LINUX_AVRING_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/v4l2-controls.h>

/*
 * Controls of the capture node. V4L2 has no standard control for these; 16 numbers are for avring.
 *
 * FRAME_STAMP (boolean, default 1; virtual cards): write struct avring_frame_stamp over the
 *	first bytes of each pattern frame.
 * FRAMES_DROPPED (integer64, read-only): frames that are missing in front of the
 *	frames handed over since STREAMON: the sum of all sequence gaps.
 * NO_SIGNAL_FRAMES (integer64, read-only): frames handed over since STREAMON that
 *	repeat the last picture, or show the no-signal picture, because the
 *	loopback input had no producer, or the line of a PCI card no signal.
 * SIGNAL_LOSSES (integer64, read-only): how often the producer went away, or the line
 *	of a PCI card lost its signal, since STREAMON.
 * FRAMES_DAMAGED (integer64, read-only): frames handed over since STREAMON that a PCI
 *	card could not write whole. Their buffers have V4L2_BUF_FLAG_ERROR.
 */
#define V4L2_CID_AVRING_BASE			(V4L2_CID_USER_BASE + 0x1f00)
#define V4L2_CID_AVRING_FRAME_STAMP		(V4L2_CID_AVRING_BASE + 0)
#define V4L2_CID_AVRING_FRAMES_DROPPED		(V4L2_CID_AVRING_BASE + 1)
#define V4L2_CID_AVRING_NO_SIGNAL_FRAMES	(V4L2_CID_AVRING_BASE + 2)
#define V4L2_CID_AVRING_SIGNAL_LOSSES		(V4L2_CID_AVRING_BASE + 3)
#define V4L2_CID_AVRING_FRAMES_DAMAGED		(V4L2_CID_AVRING_BASE + 5)

/*
 * Control of the output node.
 *
 * READER_HOLD (integer, milliseconds, 0 to 10000, default 0): how long the producer
 *	waits for a capture reader who streams, has queued no buffer, and is owed
 *	as many frames as there is room for: four, or as many as 32 MiB hold, but
 *	one at least. After that the frame is dropped and the reader sees a
 *	sequence gap. 0 behaves like a live camera: who is later than that has
 *	lost. A loopback that loses nothing to a slow reader is one that somebody
 *	has chosen. Readers of the ring get each frame at its time whatever this
 *	says.
 */
#define V4L2_CID_AVRING_READER_HOLD		(V4L2_CID_AVRING_BASE + 4)

#define AVRING_FRAME_STAMP_MAGIC	0x47525641	/* "AVRG" in memory */

/* The frame is a white flash, and a beep starts at time_ns. */
#define AVRING_FRAME_STAMP_FLASH	0x00000001

/**
 * struct avring_frame_stamp - first bytes of a pattern frame, in any pixel format
 * @magic: AVRING_FRAME_STAMP_MAGIC
 * @sequence: sequence of the V4L2 buffer
 * @time_ns: CLOCK_MONOTONIC of the frame in ns, exact; the V4L2 timestamp is the
 *	same time rounded down to a microsecond
 * @frame: number of the frame on the card's timeline: time_ns is
 *	floor(frame * frame interval)
 * @flags: AVRING_FRAME_STAMP_*
 * @crc: CRC-32 (ISO 3309, as zlib's crc32()) of all bytes of the frame but these
 *	four
 *
 * A card with AVRING_FEATURE_CARD_CLOCK does not know the sequence of the buffer, nor
 * CLOCK_MONOTONIC: @sequence is the low half of @frame, and @time_ns is of its own clock.
 *
 * All fields are little-endian.
 */
struct avring_frame_stamp {
	__le32 magic;
	__le32 sequence;
	__le64 time_ns;
	__le64 frame;
	__le32 flags;
	__le32 crc;
};

/*
 * The ring node, /dev/avringN.
 *
 * Each card has two streams, picture and sound. A stream is a ring of bytes in
 * memory that user space maps twice in a row (linearized): a frame is always one
 * contiguous range, also across the wrap. Positions are byte counts that only
 * grow; position p is found at p modulo length in the first image.
 *
 * An open file attaches to one stream, as a reader or as the producer, and then
 * maps three regions of it, each with mmap() at an offset that ATTACH reports:
 *
 * - control: struct avring_control, what has been published and what may already
 *   be overwritten;
 * - index: a ring of struct avring_entry, one for each frame (picture) or chunk
 *   (sound); entry n is found at n modulo the number of entries;
 * - data: twice the length of the ring, any window of it.
 *
 * Everything is read-only but the data of the producer. The writer never waits
 * for a reader. Reading costs no system call while there is something to read.
 *
 * Order of accesses. Left the writer, right a reader; A and B are pairs:
 *
 *	store tail, tail_entry			load head_entry		B acquire
 *	write barrier		A		read entry, read data
 *	write data, write entry			read barrier		A
 *	store head, head_entry	B release	load tail_entry: the entry was
 *						intact if it is not before it
 *
 * Generations. A format change, and the coming and going of a producer, begin
 * a new ring. The old one keeps its mappings and contents, and says
 * AVRING_STATE_STALE. ATTACH on the same file moves to the new one, which holds
 * what was captured since. (When a producer has gone the first ATTACH makes it.)
 *
 * All times are CLOCK_MONOTONIC in ns. Reserved fields and unknown flags must be
 * zero (EINVAL), and are returned as zero.
 *
 * Arguments may grow at their end, and with them the number of the ioctl, which has
 * their size. A program that knows a longer one than the driver is served as long as what the
 * driver does not know is zero (E2BIG), and gets it back as zero.
 */

/* Streams. */
#define AVRING_STREAM_VIDEO	0
#define AVRING_STREAM_AUDIO	1
#define AVRING_STREAMS		2

/* Roles of an attached file. There is one producer at most. */
#define AVRING_ROLE_READER	0
#define AVRING_ROLE_PRODUCER	1

/* What a driver can do: struct avring_info.features. */
#define AVRING_FEATURE_VIDEO	(1ULL << 0)	/* stream AVRING_STREAM_VIDEO */
#define AVRING_FEATURE_AUDIO	(1ULL << 1)	/* stream AVRING_STREAM_AUDIO */
#define AVRING_FEATURE_PRODUCER	(1ULL << 2)	/* AVRING_ROLE_PRODUCER on both */
#define AVRING_FEATURE_EXPORT	(1ULL << 3)	/* AVRING_IOC_EXPORT */
#define AVRING_FEATURE_WINDOW	(1ULL << 4)	/* avring_info.window_size is not 0 */
#define AVRING_FEATURE_CARD_CLOCK (1ULL << 5)	/* times were read off a clock of the card's own */

/**
 * struct avring_devnum - a device node by number; 0:0 if there is none
 * @major: of the device
 * @minor: of the device
 */
struct avring_devnum {
	__u32 major;
	__u32 minor;
};

/**
 * struct avring_info - AVRING_IOC_INFO: the card and its other nodes
 * @features: AVRING_FEATURE_*
 * @card: number of the card, N of /dev/avringN
 * @alsa_card: number of its sound card in ALSA, if there is a @control
 * @capture: V4L2 node that captures
 * @output: V4L2 node that is written to
 * @pcm_capture: ALSA PCM that captures
 * @pcm_playback: ALSA PCM that is played to
 * @control: ALSA control node
 * @media: media controller node
 * @window_offset: for mmap() of the card's own memory
 * @window_size: bytes of it; 0 if there is none
 * @reserved: zero
 *
 * The window is memory on the card (a PCI BAR) and not part of a ring: it can be mapped
 * without ATTACH, shared, and writable if the file is open for writing. It has no pages
 * of the system, so a system call that pins its buffers (O_DIRECT, VIDIOC_QBUF) fails
 * with EFAULT. When the card is removed each access is answered by SIGBUS.
 */
struct avring_info {
	__aligned_u64 features;
	__u32 card;
	__u32 alsa_card;
	struct avring_devnum capture;
	struct avring_devnum output;
	struct avring_devnum pcm_capture;
	struct avring_devnum pcm_playback;
	struct avring_devnum control;
	struct avring_devnum media;
	__aligned_u64 window_offset;
	__aligned_u64 window_size;
	__aligned_u64 reserved[6];
};

/* Planes of a picture at most. */
#define AVRING_VIDEO_PLANES	4

/**
 * struct avring_video_plane - one plane of a picture
 * @offset: of its first byte, from that of the frame
 * @bytesperline: from the beginning of a line to that of the next
 */
struct avring_video_plane {
	__u32 offset;
	__u32 bytesperline;
};

/**
 * struct avring_video_format - how a picture lies in memory
 * @pixelformat: V4L2_PIX_FMT_*
 * @width: pixels
 * @height: lines
 * @bytesperline: of the first plane
 * @sizeimage: bytes of a frame
 * @colorspace: V4L2_COLORSPACE_*; it and the next three are 0 where a producer leaves
 *	them to the card
 * @xfer_func: V4L2_XFER_FUNC_*
 * @ycbcr_enc: V4L2_YCBCR_ENC_*
 * @quantization: V4L2_QUANTIZATION_*
 * @rate_num: frames per second, numerator
 * @rate_den: frames per second, denominator
 * @field: V4L2_FIELD_NONE. A producer gives that or 0
 * @plane: where the planes lie, in the order of memory; zero behind the last. A producer gives
 *	what is right for its format, or zeroes in all of them and 0 @planes
 * @planes: how many
 * @reserved: zero; enough for the mastering data of HDR (struct v4l2_ctrl_hdr10_cll_info,
 *	struct v4l2_ctrl_hdr10_mastering_display) and 16 bytes
 */
struct avring_video_format {
	__u32 pixelformat;
	__u32 width;
	__u32 height;
	__u32 bytesperline;
	__u32 sizeimage;
	__u32 colorspace;
	__u32 xfer_func;
	__u32 ycbcr_enc;
	__u32 quantization;
	__u32 rate_num;
	__u32 rate_den;
	__u32 field;
	struct avring_video_plane plane[AVRING_VIDEO_PLANES];
	__u32 planes;
	__u32 reserved[11];
};

/**
 * struct avring_audio_format - how sound lies in memory, interleaved
 * @format: SNDRV_PCM_FORMAT_*: S16_LE, S24_LE or S32_LE; virtual cards also S24_3LE
 *	and FLOAT_LE
 * @rate: sample frames per second, 8000 to 192000
 * @channels: 1 to 8
 * @frame_bytes: bytes of a sample frame; reported, 0 or right when given
 * @period_frames: sample frames of a chunk, 16 to 65536; each gets an entry. Chunks are
 *	published as soon as they are complete if a reader's last AVRING_IOC_WAIT asked
 *	for one, or has not been called; else several at once, and at most 10 ms late. The
 *	last chunk of a ring may be shorter
 * @reserved: zero
 */
struct avring_audio_format {
	__u32 format;
	__u32 rate;
	__u32 channels;
	__u32 frame_bytes;
	__u32 period_frames;
	__u32 reserved[7];
};

/**
 * struct avring_stream_format - what a stream carries
 * @stream: AVRING_STREAM_*, selects the member of the union
 * @reserved: zero
 * @video: picture
 * @audio: sound; what the union has behind it is zero
 */
struct avring_stream_format {
	__u32 stream;
	__u32 reserved;
	union {
		struct avring_video_format video;
		struct avring_audio_format audio;
	};
};

/**
 * struct avring_setup - AVRING_IOC_GET_SETUP, AVRING_IOC_SET_SETUP: what a file wishes of a ring
 * @stream: AVRING_STREAM_*
 * @flags: zero
 * @length: bytes of the ring, rounded up to whole pages; at least two frames are
 *	made in any case. 0: half a second, at least 8 frames or chunks, pictures at most
 *	256 MiB unless 8 frames are more, in whole 2 MiB. At most 16 GiB (EINVAL)
 * @align: frames begin at multiples of this, a power of two from 1 (tight) to 4096,
 *	whatever the page size; 0: 4096 for picture, or what there is. Sound is always tight
 * @users: out: how many use the stream now, files that are attached and a PCM. SET_SETUP
 *	does not look at it
 * @reserved: zero
 * @audio: format of the sound; zero for picture, whose format is that of the V4L2
 *	capture node. A member that is 0 means 48000 Hz, S16_LE, 2 channels, 480
 *	frames, or what there is. While a virtual card captures what it plays, its streams
 *	have one rate, and that of the PCM comes before this one
 *
 * The wishes are those of the open file, and end with it. They count when it attaches, and was
 * not attached before: the ring that is made then is as wished. A ring that others use stays
 * if it is at least as long and as aligned as wished, and of the same sound; else ATTACH fails
 * with EBUSY. For who wishes nothing (0) a ring which is shorter or in longer chunks than the
 * default is replaced, unless a producer writes it, the PCM of a board decides, or there is
 * not so much memory: nobody gets less because of others. AVRING_ATTACH_AS_IS asks for nothing
 * of this.
 * Rings that are made later, for another format, are as each attached file wishes.
 */
struct avring_setup {
	__u32 stream;
	__u32 flags;
	__aligned_u64 length;
	__u32 align;
	__u32 users;
	__u32 reserved[2];
	struct avring_audio_format audio;
};

/* avring_attach.flags */
#define AVRING_ATTACH_OLDEST	(1U << 0)	/* begin with the oldest frame, not with the next */
#define AVRING_ATTACH_AS_IS	(1U << 1)	/* the ring that there is will do as it is */

/**
 * struct avring_attach - AVRING_IOC_ATTACH: join a stream
 * @role: in: AVRING_ROLE_*
 * @flags: in: AVRING_ATTACH_*
 * @format: in: a reader gives the stream and zeroes; a producer gives what it will
 *	send (in @video a bytesperline, sizeimage, field or planes of 0 is filled in).
 *	out: what the ring carries
 * @generation: out: number of this ring within the stream
 * @entries: out: size of the index, a power of two
 * @align: out: frames begin at multiples of this
 * @frame_bytes: out: bytes that a writer may use for one entry at most
 * @length: out: bytes of the ring
 * @next: out: number of the first entry to read. A file that was attached to the
 *	stream before begins with the oldest
 * @control_offset: out: for mmap()
 * @control_size: out: bytes
 * @index_offset: out: for mmap()
 * @index_size: out: bytes
 * @data_offset: out: for mmap()
 * @data_size: out: bytes, twice @length
 * @reserved: zero
 *
 * ATTACH on an attached file detaches it first if that is to the same stream in
 * the same role; else it fails with EBUSY.
 *
 * Errors: EBUSY also if there is a producer already (on the output node, the playback
 * PCM or another file), if the card's input is not loopback, if the capture node streams
 * in another format, if the capture PCM has another rate, or if the ring that others use has not
 * what the file has wished (SET_SETUP); EINVAL format not possible;
 * EPERM a producer needs a file that is open for writing; EOPNOTSUPP the card has no such
 * stream (no AVRING_FEATURE_VIDEO or AVRING_FEATURE_AUDIO; GET_SETUP and SET_SETUP say the
 * same), or takes no producer (no AVRING_FEATURE_PRODUCER); EIO a PCI card does not do what
 * it is told; ENOMEM also beyond what the card or the user may have; EMFILE the card, or the user,
 * has as many readers as are allowed; ENODEV.
 */
struct avring_attach {
	__u32 role;
	__u32 flags;
	struct avring_stream_format format;
	__u32 generation;
	__u32 entries;
	__u32 align;
	__u32 frame_bytes;
	__aligned_u64 length;
	__aligned_u64 next;
	__aligned_u64 control_offset;
	__aligned_u64 control_size;
	__aligned_u64 index_offset;
	__aligned_u64 index_size;
	__aligned_u64 data_offset;
	__aligned_u64 data_size;
	__aligned_u64 reserved[8];
};

/* avring_control.state: each is set once and stays. */
#define AVRING_STATE_STALE	(1U << 0)	/* a newer generation has begun */
#define AVRING_STATE_GONE	(1U << 1)	/* the card was removed */

/**
 * struct avring_control - first page of the control region
 * @generation: as in struct avring_attach
 * @state: AVRING_STATE_*
 * @reserved0: fills a cache line
 * @tail: what lies before this position may already be overwritten
 * @tail_entry: so may entries before this number, and their data
 * @reserved1: fills a cache line
 * @head: what lies before this position is published
 * @head_entry: so are entries before this number
 * @reserved2: fills a cache line
 */
struct avring_control {
	__u32 generation;
	__u32 state;
	__aligned_u64 reserved0[7];
	__aligned_u64 tail;
	__aligned_u64 tail_entry;
	__aligned_u64 reserved1[6];
	__aligned_u64 head;
	__aligned_u64 head_entry;
	__aligned_u64 reserved2[6];
};

/* avring_entry.flags */
#define AVRING_ENTRY_NO_SIGNAL	(1U << 0)	/* nobody sent this: no-signal picture, silence */
#define AVRING_ENTRY_DAMAGED	(1U << 1)	/* not whole: a device could not write all of it */

/**
 * struct avring_entry - one frame or chunk
 * @position: of its first byte
 * @time_ns: when its first pixel or sample happened
 * @event: number of that on the card's timeline: time_ns is
 *	floor(event * 10^9 / rate) unless a producer chose the time. With
 *	AVRING_FEATURE_CARD_CLOCK that is the time on the card's clock, and time_ns the
 *	same moment on CLOCK_MONOTONIC, which may drift against it by 500 ppm
 * @sequence: number of the frame, or of the first sample frame, within the stream.
 *	What the source lost is missing here: the next entry has @sequence + @count
 *	if nothing was lost
 * @count: 1 for a picture, sample frames for sound
 * @length: bytes
 * @flags: AVRING_ENTRY_*
 * @reserved0: zero
 * @reserved: zero
 */
struct avring_entry {
	__aligned_u64 position;
	__aligned_u64 time_ns;
	__aligned_u64 event;
	__aligned_u64 sequence;
	__u32 count;
	__u32 length;
	__u32 flags;
	__u32 reserved0;
	__aligned_u64 reserved[2];
};

/* avring_wait.deadline_ns */
#define AVRING_WAIT_FOREVER	(~0ULL)

/* avring_wait.flags */
#define AVRING_WAIT_RELATIVE	(1U << 0)	/* deadline_ns is a time from now */
#define AVRING_WAIT_CLOCK	(1U << 1)	/* deadline_ns is on avring_wait.clock */

/**
 * struct avring_wait - AVRING_IOC_WAIT: sleep until there is enough to read
 * @next: in: first entry that the caller has not read
 * @entries: in: so many entries, at least 1, at most the size of the index
 * @bytes: in: and so many bytes; 0 does not ask; at most the length of the ring
 * @time_ns: in: and as much time from the first to the last entry; 0 does not ask
 * @deadline_ns: in: CLOCK_MONOTONIC, as the machine counts it; 0 does not sleep,
 *	AVRING_WAIT_FOREVER
 * @flags: in: AVRING_WAIT_*
 * @state: out: AVRING_STATE_* of the ring
 * @head_entry: out: as in struct avring_control
 * @clock: in: with AVRING_WAIT_CLOCK that of @deadline_ns: CLOCK_REALTIME, CLOCK_TAI,
 *	CLOCK_BOOTTIME, CLOCK_MONOTONIC; else 0
 * @reserved0: zero
 * @reserved: zero
 *
 * Also sets what poll() waits for, so an event loop calls this with a deadline of
 * 0 and then poll() or epoll: POLLIN when the condition holds; POLLIN|POLLPRI when
 * the ring is stale; POLLERR|POLLHUP when the card is gone. Before the first call
 * poll() waits for entry avring_attach.next. Several threads may sleep through one
 * file, each for what it asked, but they are woken more often than if each had
 * opened the node itself.
 *
 * A reader that has been overtaken (@next is before tail_entry), a stale ring and
 * a removed card end the wait at once.
 *
 * In a time namespace CLOCK_MONOTONIC and CLOCK_BOOTTIME are others, which the driver does not
 * know: what says how long, not until when (AVRING_WAIT_RELATIVE), is right everywhere, and so are
 * CLOCK_REALTIME and CLOCK_TAI. What a clock says of the deadline is asked once, when the call
 * begins: who sets the clock meanwhile does not change when it ends.
 *
 * Errors: ETIMEDOUT the deadline has passed; EAGAIN not yet, and the deadline is 0 (both with
 * @state and @head_entry); EINTR a signal handler without SA_RESTART ran, or any with
 * AVRING_WAIT_RELATIVE, and then @deadline_ns is what is left; EINVAL out of range or not
 * attached; ESTALE the file was detached meanwhile; ENODEV the card is gone.
 */
struct avring_wait {
	__aligned_u64 next;
	__aligned_u64 entries;
	__aligned_u64 bytes;
	__aligned_u64 time_ns;
	__aligned_u64 deadline_ns;
	__u32 flags;
	__u32 state;
	__aligned_u64 head_entry;
	__u32 clock;
	__u32 reserved0;
	__aligned_u64 reserved[3];
};

/**
 * struct avring_begin - AVRING_IOC_BEGIN: ask for room to write in place
 * @length: in: bytes, 1 to avring_attach.frame_bytes
 * @flags: zero
 * @reserved0: zero
 * @position: out: of the first byte; write at position modulo length of the ring
 * @reserved: zero
 *
 * What was there before is given up: readers see it as overwritten from now on.
 * A second BEGIN without COMMIT takes the place of the first.
 *
 * Errors: EINVAL, EPERM not the producer, ESTALE, ENODEV.
 */
struct avring_begin {
	__aligned_u64 length;
	__u32 flags;
	__u32 reserved0;
	__aligned_u64 position;
	__aligned_u64 reserved[4];
};

/**
 * struct avring_commit - AVRING_IOC_COMMIT: publish what BEGIN gave
 * @length: in: bytes, at most those of BEGIN; a whole picture, or whole sample frames
 * @time_ns: in: CLOCK_MONOTONIC of the frame. Picture: must be later than the last; 0:
 *	now. Sound: a time within half a period of the end of the last chunk means
 *	directly behind it; a later one leaves a gap; an earlier one is EINVAL. 0:
 *	directly behind the last chunk, or now if that ended more than a period ago
 * @flags: zero
 * @reserved0: zero
 * @sequence: out: as in struct avring_entry
 * @reserved: zero
 *
 * Errors: EINVAL also without BEGIN, EPERM, ESTALE, ENODEV.
 */
struct avring_commit {
	__aligned_u64 length;
	__aligned_u64 time_ns;
	__u32 flags;
	__u32 reserved0;
	__aligned_u64 sequence;
	__aligned_u64 reserved[4];
};

/**
 * struct avring_export - AVRING_IOC_EXPORT: a range of the ring as dma-buf
 * @offset: in: byte in the data region, multiple of the page size
 * @length: in: bytes, multiple of the page size, at most the length of the ring
 * @flags: in: O_CLOEXEC or 0
 * @fd: out: a file descriptor
 * @reserved: zero
 *
 * The writer does not wait for importers either: they too check tail after use.
 *
 * What the producer exports may be read and written. What a reader exports, however his file is
 * open, is for reading, whoever imports it, since others rely upon these bytes: mmap() and
 * mprotect() for writing give EACCES, and so does DMA_BUF_IOCTL_SYNC for writing; a driver maps
 * it for DMA to the device, and gets EACCES for any other direction; there is no kernel view
 * (vmap: EINVAL), which has no direction, but for avring's own output nodes. So output nodes
 * and encoders of V4L2 that use DMA can take it; DRM cannot, which always maps for both, nor can a
 * driver that uses the CPU (videobuf2-vmalloc): for these there are the buffers of the
 * capture node (VIDIOC_EXPBUF), which are the caller's own.
 *
 * Errors: EINVAL not attached, not in whole pages, or out of range; EMFILE; ENOMEM.
 */
struct avring_export {
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 flags;
	__s32 fd;
	__aligned_u64 reserved[4];
};

#define AVRING_IOC_INFO		_IOR('@', 0xa0, struct avring_info)
#define AVRING_IOC_GET_SETUP	_IOWR('@', 0xa1, struct avring_setup)
#define AVRING_IOC_SET_SETUP	_IOW('@', 0xa2, struct avring_setup)
#define AVRING_IOC_ATTACH	_IOWR('@', 0xa3, struct avring_attach)
/* Leave the stream; mappings stay, poll() says POLLERR. EINVAL: not attached. */
#define AVRING_IOC_DETACH	_IO('@', 0xa4)
#define AVRING_IOC_WAIT		_IOWR('@', 0xa5, struct avring_wait)
#define AVRING_IOC_BEGIN	_IOWR('@', 0xa6, struct avring_begin)
#define AVRING_IOC_COMMIT	_IOWR('@', 0xa7, struct avring_commit)
#define AVRING_IOC_EXPORT	_IOWR('@', 0xa8, struct avring_export)

#endif
