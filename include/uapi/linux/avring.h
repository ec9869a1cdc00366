/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
/*
 * avring: what user space may know about an avring card beyond V4L2 and ALSA.
 */
#ifndef _UAPI_LINUX_AVRING_H
#define _UAPI_LINUX_AVRING_H

#include <linux/types.h>
#include <linux/v4l2-controls.h>

/*
 * Controls of the capture node. V4L2 has no standard control for these.
 *
 * FRAME_STAMP (boolean, default 1): write struct avring_frame_stamp over the
 *	first bytes of each pattern frame.
 * FRAMES_DROPPED (integer64, read-only): frames that are missing in front of the
 *	frames handed over since STREAMON: the sum of all sequence gaps.
 * NO_SIGNAL_FRAMES (integer64, read-only): frames handed over since STREAMON that
 *	repeat the last picture, or show the no-signal picture, because the
 *	loopback input had no producer.
 * SIGNAL_LOSSES (integer64, read-only): how often the producer went away since
 *	STREAMON.
 */
#define V4L2_CID_AVRING_BASE			(V4L2_CID_USER_BASE | 0xf100)
#define V4L2_CID_AVRING_FRAME_STAMP		(V4L2_CID_AVRING_BASE + 0)
#define V4L2_CID_AVRING_FRAMES_DROPPED		(V4L2_CID_AVRING_BASE + 1)
#define V4L2_CID_AVRING_NO_SIGNAL_FRAMES	(V4L2_CID_AVRING_BASE + 2)
#define V4L2_CID_AVRING_SIGNAL_LOSSES		(V4L2_CID_AVRING_BASE + 3)

/*
 * Control of the output node.
 *
 * READER_HOLD (integer, milliseconds, 0 to 10000, default 1000): how long a frame
 *	that was written waits for a capture reader that streams but has queued no
 *	buffer. After that it is dropped and the reader sees a sequence gap. 0
 *	behaves like a live camera: who is late has lost.
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

#endif
