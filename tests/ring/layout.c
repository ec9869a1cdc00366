// SPDX-License-Identifier: MIT
/*
 * layout: the ABI of the ring node, byte by byte, as it was first published.
 *
 * Built for 64 bits, for 32 bits and as C++: the numbers are the same everywhere. A
 * program that was built years ago has them in its code, so no change of the header
 * may change a line here. New fields take the place of reserved ones and are added.
 */
#include <stddef.h>
#include <stdio.h>

#include <linux/avring.h>

/**
 * struct layout - one number
 * @claim: begins a group of numbers, NULL within one
 * @what: what is measured
 * @expected: what it was when it was published
 * @got: what the header says now
 */
struct layout {
	const char *claim;
	const char *what;
	unsigned long long expected;
	unsigned long long got;
};

#define SIZE(name, bytes) \
	{ \
		"struct " #name " lies in memory as published", "sizeof(struct " #name ")", bytes, \
			sizeof(struct name) \
	}
#define AT(name, field, offset) \
	{ \
		NULL, #name "." #field, offset, offsetof(struct name, field) \
	}
#define NUMBER(name, value) \
	{ \
		NULL, #name, value, name \
	}

/* clang-format off */
static const struct layout layouts[] = {
	SIZE(avring_frame_stamp, 32),
	AT(avring_frame_stamp, magic, 0),
	AT(avring_frame_stamp, sequence, 4),
	AT(avring_frame_stamp, time_ns, 8),
	AT(avring_frame_stamp, frame, 16),
	AT(avring_frame_stamp, flags, 24),
	AT(avring_frame_stamp, crc, 28),

	SIZE(avring_devnum, 8),
	AT(avring_devnum, major, 0),
	AT(avring_devnum, minor, 4),

	SIZE(avring_info, 128),
	AT(avring_info, features, 0),
	AT(avring_info, card, 8),
	AT(avring_info, alsa_card, 12),
	AT(avring_info, capture, 16),
	AT(avring_info, output, 24),
	AT(avring_info, pcm_capture, 32),
	AT(avring_info, pcm_playback, 40),
	AT(avring_info, control, 48),
	AT(avring_info, media, 56),
	AT(avring_info, window_offset, 64),
	AT(avring_info, window_size, 72),
	AT(avring_info, reserved, 80),

	SIZE(avring_video_plane, 8),
	AT(avring_video_plane, offset, 0),
	AT(avring_video_plane, bytesperline, 4),

	SIZE(avring_video_format, 128),
	AT(avring_video_format, pixelformat, 0),
	AT(avring_video_format, width, 4),
	AT(avring_video_format, height, 8),
	AT(avring_video_format, bytesperline, 12),
	AT(avring_video_format, sizeimage, 16),
	AT(avring_video_format, colorspace, 20),
	AT(avring_video_format, xfer_func, 24),
	AT(avring_video_format, ycbcr_enc, 28),
	AT(avring_video_format, quantization, 32),
	AT(avring_video_format, rate_num, 36),
	AT(avring_video_format, rate_den, 40),
	AT(avring_video_format, field, 44),
	AT(avring_video_format, plane, 48),
	AT(avring_video_format, planes, 80),
	AT(avring_video_format, reserved, 84),

	SIZE(avring_audio_format, 48),
	AT(avring_audio_format, format, 0),
	AT(avring_audio_format, rate, 4),
	AT(avring_audio_format, channels, 8),
	AT(avring_audio_format, frame_bytes, 12),
	AT(avring_audio_format, period_frames, 16),
	AT(avring_audio_format, reserved, 20),

	SIZE(avring_stream_format, 136),
	AT(avring_stream_format, stream, 0),
	AT(avring_stream_format, reserved, 4),
	AT(avring_stream_format, video, 8),
	AT(avring_stream_format, audio, 8),

	SIZE(avring_setup, 80),
	AT(avring_setup, stream, 0),
	AT(avring_setup, flags, 4),
	AT(avring_setup, length, 8),
	AT(avring_setup, align, 16),
	AT(avring_setup, users, 20),
	AT(avring_setup, reserved, 24),
	AT(avring_setup, audio, 32),

	SIZE(avring_attach, 288),
	AT(avring_attach, role, 0),
	AT(avring_attach, flags, 4),
	AT(avring_attach, format, 8),
	AT(avring_attach, generation, 144),
	AT(avring_attach, entries, 148),
	AT(avring_attach, align, 152),
	AT(avring_attach, frame_bytes, 156),
	AT(avring_attach, length, 160),
	AT(avring_attach, next, 168),
	AT(avring_attach, control_offset, 176),
	AT(avring_attach, control_size, 184),
	AT(avring_attach, index_offset, 192),
	AT(avring_attach, index_size, 200),
	AT(avring_attach, data_offset, 208),
	AT(avring_attach, data_size, 216),
	AT(avring_attach, reserved, 224),

	SIZE(avring_control, 192),
	AT(avring_control, generation, 0),
	AT(avring_control, state, 4),
	AT(avring_control, reserved0, 8),
	AT(avring_control, tail, 64),
	AT(avring_control, tail_entry, 72),
	AT(avring_control, reserved1, 80),
	AT(avring_control, head, 128),
	AT(avring_control, head_entry, 136),
	AT(avring_control, reserved2, 144),

	SIZE(avring_entry, 64),
	AT(avring_entry, position, 0),
	AT(avring_entry, time_ns, 8),
	AT(avring_entry, event, 16),
	AT(avring_entry, sequence, 24),
	AT(avring_entry, count, 32),
	AT(avring_entry, length, 36),
	AT(avring_entry, flags, 40),
	AT(avring_entry, reserved0, 44),
	AT(avring_entry, reserved, 48),

	SIZE(avring_wait, 88),
	AT(avring_wait, next, 0),
	AT(avring_wait, entries, 8),
	AT(avring_wait, bytes, 16),
	AT(avring_wait, time_ns, 24),
	AT(avring_wait, deadline_ns, 32),
	AT(avring_wait, flags, 40),
	AT(avring_wait, state, 44),
	AT(avring_wait, head_entry, 48),
	AT(avring_wait, clock, 56),
	AT(avring_wait, reserved0, 60),
	AT(avring_wait, reserved, 64),

	SIZE(avring_begin, 56),
	AT(avring_begin, length, 0),
	AT(avring_begin, flags, 8),
	AT(avring_begin, reserved0, 12),
	AT(avring_begin, position, 16),
	AT(avring_begin, reserved, 24),

	SIZE(avring_commit, 64),
	AT(avring_commit, length, 0),
	AT(avring_commit, time_ns, 8),
	AT(avring_commit, flags, 16),
	AT(avring_commit, reserved0, 20),
	AT(avring_commit, sequence, 24),
	AT(avring_commit, reserved, 32),

	SIZE(avring_export, 56),
	AT(avring_export, offset, 0),
	AT(avring_export, length, 8),
	AT(avring_export, flags, 16),
	AT(avring_export, fd, 20),
	AT(avring_export, reserved, 24),

	{ "the ioctls have the numbers that were published", "AVRING_IOC_INFO", 0x808040a0,
	  AVRING_IOC_INFO },
	NUMBER(AVRING_IOC_GET_SETUP, 0xc05040a1),
	NUMBER(AVRING_IOC_SET_SETUP, 0x405040a2),
	NUMBER(AVRING_IOC_ATTACH, 0xc12040a3),
	NUMBER(AVRING_IOC_DETACH, 0x40a4),
	NUMBER(AVRING_IOC_WAIT, 0xc05840a5),
	NUMBER(AVRING_IOC_BEGIN, 0xc03840a6),
	NUMBER(AVRING_IOC_COMMIT, 0xc04040a7),
	NUMBER(AVRING_IOC_EXPORT, 0xc03840a8),

	{ "the constants have the values that were published", "AVRING_STREAM_VIDEO", 0,
	  AVRING_STREAM_VIDEO },
	NUMBER(AVRING_STREAM_AUDIO, 0x1),
	NUMBER(AVRING_STREAMS, 0x2),
	NUMBER(AVRING_ROLE_READER, 0),
	NUMBER(AVRING_ROLE_PRODUCER, 0x1),
	NUMBER(AVRING_FEATURE_VIDEO, 0x1),
	NUMBER(AVRING_FEATURE_AUDIO, 0x2),
	NUMBER(AVRING_FEATURE_PRODUCER, 0x4),
	NUMBER(AVRING_FEATURE_EXPORT, 0x8),
	NUMBER(AVRING_FEATURE_WINDOW, 0x10),
	NUMBER(AVRING_ATTACH_OLDEST, 0x1),
	NUMBER(AVRING_ATTACH_AS_IS, 0x2),
	NUMBER(AVRING_WAIT_RELATIVE, 0x1),
	NUMBER(AVRING_WAIT_CLOCK, 0x2),
	NUMBER(AVRING_VIDEO_PLANES, 4),
	NUMBER(AVRING_STATE_STALE, 0x1),
	NUMBER(AVRING_STATE_GONE, 0x2),
	NUMBER(AVRING_ENTRY_NO_SIGNAL, 0x1),
	NUMBER(AVRING_WAIT_FOREVER, 0xffffffffffffffff),
	NUMBER(V4L2_CID_AVRING_BASE, 0x982800),
	NUMBER(V4L2_CID_AVRING_FRAME_STAMP, 0x982800),
	NUMBER(V4L2_CID_AVRING_FRAMES_DROPPED, 0x982801),
	NUMBER(V4L2_CID_AVRING_NO_SIGNAL_FRAMES, 0x982802),
	NUMBER(V4L2_CID_AVRING_SIGNAL_LOSSES, 0x982803),
	NUMBER(V4L2_CID_AVRING_READER_HOLD, 0x982804),
	NUMBER(V4L2_CID_AVRING_FRAMES_DAMAGED, 0x982805),
};

/* clang-format on */

/* Number of rows of the group at @first; *wrong is how many are not as expected. */
static size_t group_check(size_t first, size_t n, size_t *wrong)
{
	size_t i = first;

	*wrong = 0;
	do {
		*wrong += layouts[i].got != layouts[i].expected;
		i++;
	} while (i < n && !layouts[i].claim);
	return i - first;
}

static void group_report(size_t first, size_t rows)
{
	size_t i;

	for (i = first; i < first + rows; i++)
		if (layouts[i].got != layouts[i].expected)
			printf("# %s: expected %#llx, got %#llx\n", layouts[i].what,
			       layouts[i].expected, layouts[i].got);
}

int main(void)
{
	const size_t n = sizeof(layouts) / sizeof(layouts[0]);
	size_t i, rows, wrong, groups = 0, failed = 0;

	for (i = 0; i < n; i += rows) {
		rows = group_check(i, n, &wrong);
		printf("%s %zu - %s (%zu bits%s)\n", wrong ? "not ok" : "ok", ++groups,
		       layouts[i].claim, sizeof(void *) * 8,
#ifdef __cplusplus
		       ", C++"
#else
		       ""
#endif
		);
		group_report(i, rows);
		failed += wrong != 0;
	}
	printf("1..%zu\n", groups);
	return failed != 0;
}
