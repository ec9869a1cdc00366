// SPDX-License-Identifier: MIT
/*
 * abi: what the ring node refuses. Each request is fully valid first; then one thing
 * of it is spoilt, and the error must be the documented one.
 *
 * Also built for 32 bits, where the same must come out.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

/* The largest argument of an ioctl. */
union argument {
	struct avring_info info;
	struct avring_setup setup;
	struct avring_attach attach;
	struct avring_wait wait;
	struct avring_begin begin;
	struct avring_commit commit;
	struct avring_export export;
	uint8_t bytes[1024];
};

/**
 * struct request - an ioctl that succeeds
 * @ioctl: AVRING_IOC_*
 * @prepare: brings a fresh file into the state that the ioctl needs; may be NULL
 * @arg: the argument
 */
struct request {
	unsigned long ioctl;
	void (*prepare)(struct ring *ring);
	union argument arg;
};

static void attached(struct ring *ring)
{
	must(ring_read(ring, AVRING_STREAM_VIDEO, 0));
}

static void producing(struct ring *ring)
{
	must(ring_produce(ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
}

static void begun(struct ring *ring)
{
	struct avring_begin begin = { .length = SMALL_BYTES };

	producing(ring);
	must(ring_call(ring, AVRING_IOC_BEGIN, &begin));
}

static const struct request info = { .ioctl = AVRING_IOC_INFO };

static const struct request get_setup = { .ioctl = AVRING_IOC_GET_SETUP };

static const struct request set_setup = {
	.ioctl = AVRING_IOC_SET_SETUP,
	.arg.setup = { .length = CHUNK_BYTES, .align = 64 },
};

static const struct request set_audio_setup = {
	.ioctl = AVRING_IOC_SET_SETUP,
	.arg.setup = { .stream = AVRING_STREAM_AUDIO,
		       .length = CHUNK_BYTES,
		       .audio = { .rate = 44100, .channels = 1, .period_frames = 441 } },
};

static const struct request attach = {
	.ioctl = AVRING_IOC_ATTACH,
	.arg.attach = { .role = AVRING_ROLE_READER },
};

static const struct request attach_audio = {
	.ioctl = AVRING_IOC_ATTACH,
	.arg.attach = { .role = AVRING_ROLE_READER, .format = { .stream = AVRING_STREAM_AUDIO } },
};

static const struct request attach_producer = {
	.ioctl = AVRING_IOC_ATTACH,
	.arg.attach = { .role = AVRING_ROLE_PRODUCER,
			.format.video = { .pixelformat = SMALL_FOURCC,
					  .width = SMALL_WIDTH,
					  .height = SMALL_HEIGHT,
					  .rate_num = 30,
					  .rate_den = 1 } },
};

static const struct request wait_one = {
	.ioctl = AVRING_IOC_WAIT,
	.prepare = attached,
	.arg.wait = { .entries = 1, .deadline_ns = AVRING_WAIT_FOREVER },
};

static const struct request wait_clock = {
	.ioctl = AVRING_IOC_WAIT,
	.prepare = attached,
	.arg.wait = { .entries = 1,
		      .deadline_ns = AVRING_WAIT_FOREVER,
		      .flags = AVRING_WAIT_CLOCK,
		      .clock = CLOCK_TAI },
};

static const struct request begin_frame = {
	.ioctl = AVRING_IOC_BEGIN,
	.prepare = producing,
	.arg.begin = { .length = SMALL_BYTES },
};

static const struct request commit = {
	.ioctl = AVRING_IOC_COMMIT,
	.prepare = begun,
	.arg.commit = { .length = SMALL_BYTES },
};

static const struct request export = {
	.ioctl = AVRING_IOC_EXPORT,
	.prepare = attached,
	.arg.export = { .length = PAGE_BYTES, .flags = O_CLOEXEC },
};

static struct ring prepared(const struct request *request)
{
	struct ring ring;

	must(ring_open(&ring, 0));
	if (request->prepare)
		request->prepare(&ring);
	return ring;
}

static size_t argument_size(const struct request *request)
{
	return _IOC_SIZE(request->ioctl);
}

/* The request as it is, on a fresh file; what EXPORT gives is closed. */
static void expect_valid(const struct request *request)
{
	union argument arg = request->arg;
	struct ring ring = prepared(request);

	must(ring_call(&ring, request->ioctl, &arg));
	if (request->ioctl == AVRING_IOC_EXPORT)
		close(arg.export.fd);
	ring_close(&ring);
}

/* A file for many refusals: none of them may change its state. */
static struct ring begin(const struct request *request)
{
	ring_small_picture();
	must(ring_setup(AVRING_STREAM_VIDEO, 0, 0));
	ring_input(CARD_INPUT_LOOPBACK);
	expect_valid(request);
	return prepared(request);
}

static void end(const struct request *request, struct ring *ring)
{
	union argument arg = request->arg;

	must(ring_call(ring, request->ioctl, &arg));
	if (request->ioctl == AVRING_IOC_EXPORT)
		close(arg.export.fd);
	ring_close(ring);
}

/* One bit of a 32-bit word of the argument must be clear. */
static void expect_bit_refused(struct ring *ring, const struct request *request, size_t at,
			       unsigned int bit)
{
	union argument arg = request->arg;
	uint32_t word;
	int got;

	memcpy(&word, arg.bytes + at, sizeof(word));
	word |= 1u << bit;
	memcpy(arg.bytes + at, &word, sizeof(word));
	got = ring_call(ring, request->ioctl, &arg);
	tap_check(got == -EINVAL, "bit %u of the word at byte %zu: expected EINVAL, got %s", bit,
		  at, got ? strerrorname_np(-got) : "success");
}

/**
 * struct reserved - a range of an argument whose bits must all be zero
 * @request: a valid request
 * @at: first byte
 * @bytes: multiple of 4
 * @allowed: bits of the first word that may be set
 */
struct reserved {
	const struct request *request;
	size_t at;
	size_t bytes;
	uint32_t allowed;
};

static void test_reserved(const void *arg)
{
	const struct reserved *reserved = arg;
	struct ring ring = begin(reserved->request);
	uint32_t allowed = reserved->allowed;
	unsigned int bit;
	size_t at;

	for (at = reserved->at; at < reserved->at + reserved->bytes; at += 4, allowed = 0)
		for (bit = 0; bit < 32; bit++)
			if (!(allowed & 1u << bit))
				expect_bit_refused(&ring, reserved->request, at, bit);
	end(reserved->request, &ring);
}

/**
 * struct spoilt - one 64-bit or 32-bit value of an argument that is out of range
 * @request: a valid request
 * @at: byte of the value
 * @bytes: 4 or 8
 * @value: the bad value
 * @error: the errno
 */
struct spoilt {
	const struct request *request;
	size_t at;
	size_t bytes;
	uint64_t value;
	int error;
};

static void test_spoilt(const void *arg)
{
	const struct spoilt *spoilt = arg;
	union argument bad = spoilt->request->arg;
	struct ring ring = begin(spoilt->request);

	memcpy(bad.bytes + spoilt->at, &spoilt->value, spoilt->bytes);
	must_refuse(spoilt->error, ring_call(&ring, spoilt->request->ioctl, &bad));
	end(spoilt->request, &ring);
}

/* Pages at the end of which nothing is mapped. */
static uint8_t *edge_pages(int prot)
{
	uint8_t *pages = mmap(NULL, 2 * PAGE_BYTES, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tap_check(pages != MAP_FAILED, "2 pages: expected success, got %s", strerror(errno));
	must(sys(munmap(pages + PAGE_BYTES, PAGE_BYTES)));
	return pages;
}

static int call_at(const struct ring *ring, const struct request *request, const void *address)
{
	return ring_call(ring, request->ioctl, (void *)address);
}

static void test_bad_pointers(const void *arg)
{
	const struct request *request = arg;
	const size_t size = argument_size(request);
	struct ring ring = begin(request);
	uint8_t *edge = edge_pages(PROT_READ | PROT_WRITE), *none = edge_pages(PROT_NONE);
	size_t at;

	must_refuse(EFAULT, call_at(&ring, request, NULL));
	must_refuse(EFAULT, call_at(&ring, request, (void *)8));
	must_refuse(EFAULT, call_at(&ring, request, (void *)~7ul));
	must_refuse(EFAULT, call_at(&ring, request, (void *)((~0ul >> 1) + 1)));
	must_refuse(EFAULT, call_at(&ring, request, none));
	for (at = PAGE_BYTES - size + 1; at < PAGE_BYTES; at++) {
		memcpy(edge + at, &request->arg, PAGE_BYTES - at);
		must_refuse(EFAULT, call_at(&ring, request, edge + at));
	}
	munmap(edge, PAGE_BYTES);
	munmap(none, PAGE_BYTES);
	end(request, &ring);
}

/* The last byte of the argument is the last of the page: nothing behind it is read. */
static void test_exact_size(const void *arg)
{
	const struct request *request = arg;
	const size_t at = PAGE_BYTES - argument_size(request);
	struct ring ring = begin(request);
	uint8_t *edge = edge_pages(PROT_READ | PROT_WRITE);

	ring_close(&ring);
	ring = prepared(request);
	memcpy(edge + at, &request->arg, argument_size(request));
	must(call_at(&ring, request, edge + at));
	if (request->ioctl == AVRING_IOC_EXPORT)
		close(((struct avring_export *)(edge + at))->fd);
	munmap(edge, PAGE_BYTES);
	ring_close(&ring);
}

/* What cannot be written back has not happened, or can be done again. */
static void test_read_only_argument(const void *arg)
{
	const struct request *request = arg;
	struct ring ring = begin(request);
	uint8_t *edge = edge_pages(PROT_READ | PROT_WRITE);
	int fds;

	memcpy(edge, &request->arg, argument_size(request));
	must(sys(mprotect(edge, PAGE_BYTES, PROT_READ)));
	fds = tap_count_fds();
	must_refuse(EFAULT, call_at(&ring, request, edge));
	tap_eq(fds, tap_count_fds());
	munmap(edge, PAGE_BYTES);
	end(request, &ring);
}

static void test_unknown_ioctls(void)
{
	union argument arg = { .bytes = { 0 } };
	struct ring ring = begin(&attach);
	unsigned int nr, dir;

	for (nr = 0; nr < 256; nr++)
		for (dir = 0; dir < 4; dir++) {
			if (nr >= 0xa0 && nr <= 0xa8)
				continue;
			must_refuse(ENOTTY, ring_call(&ring, _IOC(dir, '@', nr, 64), &arg));
		}
	must_refuse(ENOTTY, ring_call(&ring, TCGETS, &arg));
	must_refuse(ENOTTY, ring_call(&ring, _IOR('V', 0, struct avring_info), &arg));
	end(&attach, &ring);
}

/* The number alone does not make an ioctl: direction and size, at least, belong to it. */
static void test_other_sizes(const void *arg)
{
	const unsigned long ioctl = ((const struct request *)arg)->ioctl;
	const unsigned int size = _IOC_SIZE(ioctl), nr = _IOC_NR(ioctl), dir = _IOC_DIR(ioctl);
	union argument bytes = ((const struct request *)arg)->arg;
	struct ring ring = begin(arg);
	unsigned int i;

	for (i = 0; i < size; i += 4)
		must_refuse(ENOTTY, ring_call(&ring, _IOC(dir, '@', nr, i), &bytes));
	for (i = 0; i < 4; i++)
		if (i != dir)
			must_refuse(ENOTTY, ring_call(&ring, _IOC(i, '@', nr, size), &bytes));
	end(arg, &ring);
}

/* Of a header to come: what this driver does not know must be zero, and is. */
static void test_longer(const void *arg)
{
	const struct request *request = arg;
	const unsigned int size = _IOC_SIZE(request->ioctl), more = size + 24;
	const unsigned long longer = _IOC(_IOC_DIR(request->ioctl), '@', _IOC_NR(request->ioctl),
					  more);
	uint8_t bytes[sizeof(request->arg) + 24] = { 0 };
	struct ring ring = begin(arg);
	unsigned int i;

	ring_close(&ring);
	ring = prepared(request);
	memcpy(bytes, &request->arg, size);
	if (_IOC_DIR(longer) & _IOC_WRITE) {
		bytes[more - 1] = 1;
		must_refuse(E2BIG, ring_call(&ring, longer, bytes));
		bytes[more - 1] = 0;
	} else {
		memset(bytes + size, 0xff, 24);
	}
	must(ring_call(&ring, longer, bytes));
	for (i = 0; i < 24; i++)
		tap_eq(0, bytes[size + i]);
	if (request->ioctl == AVRING_IOC_EXPORT)
		close(((struct avring_export *)bytes)->fd);
	ring_close(&ring);
}

static void test_file_operations(void)
{
	struct ring ring = begin(&wait_one);
	uint8_t byte = 0;

	must_refuse(EINVAL, sys(read(ring.fd, &byte, 1)));
	must_refuse(EINVAL, sys(write(ring.fd, &byte, 1)));
	must_refuse(ESPIPE, sys(lseek(ring.fd, 0, SEEK_SET)));
	must_refuse(EINVAL, sys(ftruncate(ring.fd, 0)));
	end(&wait_one, &ring);
}

#define RESERVED(words, of, member, first, length, ok) \
	{ \
		.claim = words, .run_with = test_reserved, .arg = &(const struct reserved) \
		{ \
			&(of), offsetof(struct member, first), length, ok \
		} \
	}
#define SPOILT(words, of, member, field, bad, errno_of) \
	{ \
		.claim = words, .run_with = test_spoilt, .arg = &(const struct spoilt) \
		{ \
			&(of), offsetof(struct member, field), \
				sizeof(((struct member *)0)->field), bad, errno_of \
		} \
	}
#define EACH(words, test, of) \
	{ \
		.claim = words, .run_with = test, .arg = &(of) \
	}

static const struct tap_test tests[] = {
	RESERVED("GET_SETUP: flags must be 0", get_setup, avring_setup, flags, 4, 0),
	RESERVED("GET_SETUP: reserved must be 0", get_setup, avring_setup, reserved, 8, 0),
	RESERVED("GET_SETUP: reserved of the format must be 0", get_setup, avring_setup,
		 audio.reserved, 28, 0),
	RESERVED("SET_SETUP: flags must be 0", set_setup, avring_setup, flags, 4, 0),
	RESERVED("SET_SETUP: reserved must be 0", set_setup, avring_setup, reserved, 8, 0),
	RESERVED("SET_SETUP of picture: the format of the sound must be 0", set_setup, avring_setup,
		 audio, sizeof(struct avring_audio_format), 0),
	RESERVED("SET_SETUP of sound: flags must be 0", set_audio_setup, avring_setup, flags, 4, 0),
	RESERVED("SET_SETUP of sound: reserved must be 0", set_audio_setup, avring_setup, reserved,
		 8, 0),
	RESERVED("SET_SETUP of sound: reserved of the format must be 0", set_audio_setup,
		 avring_setup, audio.reserved, 28, 0),
	RESERVED("ATTACH: unknown flags must be 0", attach, avring_attach, flags, 4,
		 AVRING_ATTACH_OLDEST | AVRING_ATTACH_AS_IS),
	RESERVED("ATTACH: reserved must be 0", attach, avring_attach, reserved, 64, 0),
	RESERVED("ATTACH: reserved of the stream format must be 0", attach, avring_attach,
		 format.reserved, 4, 0),
	RESERVED("ATTACH of a reader: the format must be 0", attach, avring_attach, format.video,
		 sizeof(struct avring_video_format), 0),
	RESERVED("ATTACH of a reader of sound: the format must be 0", attach_audio, avring_attach,
		 format.audio, sizeof(struct avring_audio_format), 0),
	RESERVED("ATTACH of a producer: unknown flags must be 0", attach_producer, avring_attach,
		 flags, 4, AVRING_ATTACH_OLDEST | AVRING_ATTACH_AS_IS),
	RESERVED("ATTACH of a producer: reserved must be 0", attach_producer, avring_attach,
		 reserved, 64, 0),
	RESERVED("ATTACH of a producer: reserved of the format must be 0", attach_producer,
		 avring_attach, format.video.reserved, 44, 0),
	RESERVED("ATTACH of a reader of sound: what follows the format must be 0", attach_audio,
		 avring_attach, format.video.plane, 80, 0),
	RESERVED("WAIT: unknown flags must be 0", wait_one, avring_wait, flags, 4,
		 AVRING_WAIT_RELATIVE | AVRING_WAIT_CLOCK),
	RESERVED("WAIT: clock must be 0 without AVRING_WAIT_CLOCK", wait_one, avring_wait, clock, 4,
		 0),
	RESERVED("WAIT: reserved0 must be 0", wait_one, avring_wait, reserved0, 4, 0),
	RESERVED("WAIT: reserved must be 0", wait_one, avring_wait, reserved, 24, 0),
	RESERVED("BEGIN: flags must be 0", begin_frame, avring_begin, flags, 4, 0),
	RESERVED("BEGIN: reserved0 must be 0", begin_frame, avring_begin, reserved0, 4, 0),
	RESERVED("BEGIN: reserved must be 0", begin_frame, avring_begin, reserved, 32, 0),
	RESERVED("COMMIT: flags must be 0", commit, avring_commit, flags, 4, 0),
	RESERVED("COMMIT: reserved0 must be 0", commit, avring_commit, reserved0, 4, 0),
	RESERVED("COMMIT: reserved must be 0", commit, avring_commit, reserved, 32, 0),
	RESERVED("EXPORT: flags but O_CLOEXEC must be 0", export, avring_export, flags, 4,
		 O_CLOEXEC),
	RESERVED("EXPORT: reserved must be 0", export, avring_export, reserved, 32, 0),

	SPOILT("GET_SETUP: there is no stream 2", get_setup, avring_setup, stream, AVRING_STREAMS,
	       EINVAL),
	SPOILT("SET_SETUP: there is no stream 2", set_setup, avring_setup, stream, AVRING_STREAMS,
	       EINVAL),
	SPOILT("SET_SETUP: align 3 is no power of two", set_setup, avring_setup, align, 3, EINVAL),
	SPOILT("SET_SETUP: align of two pages is too large", set_setup, avring_setup, align, 8192,
	       EINVAL),
	SPOILT("SET_SETUP: align 2^31 is too large", set_setup, avring_setup, align, 1u << 31,
	       EINVAL),
	SPOILT("SET_SETUP: a length of 2^64 - 1 is no length", set_setup, avring_setup, length,
	       ~0ull, EINVAL),
	SPOILT("SET_SETUP: a length of 2^63 is no length", set_setup, avring_setup, length,
	       1ull << 63, EINVAL),
	SPOILT("SET_SETUP of sound: 7999 Hz is too slow", set_audio_setup, avring_setup, audio.rate,
	       7999, EINVAL),
	SPOILT("SET_SETUP of sound: 192001 Hz is too fast", set_audio_setup, avring_setup,
	       audio.rate, 192001, EINVAL),
	SPOILT("SET_SETUP of sound: 9 channels are too many", set_audio_setup, avring_setup,
	       audio.channels, 9, EINVAL),
	SPOILT("SET_SETUP of sound: 15 frames are too short a period", set_audio_setup,
	       avring_setup, audio.period_frames, 15, EINVAL),
	SPOILT("SET_SETUP of sound: 65537 frames are too long a period", set_audio_setup,
	       avring_setup, audio.period_frames, 65537, EINVAL),
	SPOILT("SET_SETUP of sound: S8 is no format of ours", set_audio_setup, avring_setup,
	       audio.format, 3, EINVAL),
	SPOILT("SET_SETUP of sound: frame_bytes must be right", set_audio_setup, avring_setup,
	       audio.frame_bytes, 3, EINVAL),
	SPOILT("ATTACH: there is no role 2", attach, avring_attach, role, 2, EINVAL),
	SPOILT("ATTACH: there is no stream 2", attach, avring_attach, format.stream, AVRING_STREAMS,
	       EINVAL),
	SPOILT("ATTACH of a producer: an unknown pixel format is not possible", attach_producer,
	       avring_attach, format.video.pixelformat, 0x34363248, EINVAL),
	SPOILT("ATTACH of a producer: no width is not possible", attach_producer, avring_attach,
	       format.video.width, 0, EINVAL),
	SPOILT("ATTACH of a producer: a width of 2^32 - 1 is not possible", attach_producer,
	       avring_attach, format.video.width, ~0u, EINVAL),
	SPOILT("ATTACH of a producer: an odd height is not possible", attach_producer,
	       avring_attach, format.video.height, SMALL_HEIGHT + 1, EINVAL),
	SPOILT("ATTACH of a producer: a wrong bytesperline is not possible", attach_producer,
	       avring_attach, format.video.bytesperline, SMALL_WIDTH - 1, EINVAL),
	SPOILT("ATTACH of a producer: a wrong sizeimage is not possible", attach_producer,
	       avring_attach, format.video.sizeimage, SMALL_BYTES - 1, EINVAL),
	SPOILT("ATTACH of a producer: a rate of 0 is not possible", attach_producer, avring_attach,
	       format.video.rate_num, 0, EINVAL),
	SPOILT("ATTACH of a producer: a rate over 0 is not possible", attach_producer,
	       avring_attach, format.video.rate_den, 0, EINVAL),
	SPOILT("ATTACH of a producer: a colorspace that V4L2 does not know is not possible",
	       attach_producer, avring_attach, format.video.colorspace, 255, EINVAL),
	SPOILT("ATTACH of a producer: an unknown transfer function is not possible",
	       attach_producer, avring_attach, format.video.xfer_func, 255, EINVAL),
	SPOILT("ATTACH of a producer: an encoding with bit 8 is not possible", attach_producer,
	       avring_attach, format.video.ycbcr_enc, 257, EINVAL),
	SPOILT("ATTACH of a producer: a quantization of 3 is not possible", attach_producer,
	       avring_attach, format.video.quantization, 3, EINVAL),
	SPOILT("ATTACH of a producer: fields of a picture are not possible", attach_producer,
	       avring_attach, format.video.field, V4L2_FIELD_INTERLACED, EINVAL),
	SPOILT("ATTACH of a producer: planes without a place are not possible", attach_producer,
	       avring_attach, format.video.planes, 1, EINVAL),
	SPOILT("ATTACH of a producer: a place without planes is not possible", attach_producer,
	       avring_attach, format.video.plane[0].bytesperline, SMALL_WIDTH, EINVAL),
	SPOILT("WAIT: a clock of the process has no deadlines", wait_clock, avring_wait, clock,
	       CLOCK_PROCESS_CPUTIME_ID, EINVAL),
	SPOILT("WAIT: nor has CLOCK_MONOTONIC_RAW", wait_clock, avring_wait, clock,
	       CLOCK_MONOTONIC_RAW, EINVAL),
	SPOILT("WAIT: a time from now is on no clock", wait_clock, avring_wait, flags,
	       AVRING_WAIT_RELATIVE | AVRING_WAIT_CLOCK, EINVAL),
	SPOILT("WAIT: for 0 entries nobody waits", wait_one, avring_wait, entries, 0, EINVAL),
	SPOILT("WAIT: more entries than the index has never come", wait_one, avring_wait, entries,
	       1u << 20, EINVAL),
	SPOILT("WAIT: 2^64 - 1 entries never come", wait_one, avring_wait, entries, ~0ull, EINVAL),
	SPOILT("WAIT: more bytes than the ring has never come", wait_one, avring_wait, bytes,
	       1ull << 40, EINVAL),
	SPOILT("BEGIN: a frame of 0 bytes is none", begin_frame, avring_begin, length, 0, EINVAL),
	SPOILT("BEGIN: a frame is not larger than frame_bytes", begin_frame, avring_begin, length,
	       SMALL_BYTES + 1, EINVAL),
	SPOILT("BEGIN: a frame of 2^64 - 1 bytes is too large", begin_frame, avring_begin, length,
	       ~0ull, EINVAL),
	SPOILT("BEGIN: a frame of 2^32 + 1 bytes is too large", begin_frame, avring_begin, length,
	       (1ull << 32) + 1, EINVAL),
	SPOILT("COMMIT: a frame is not longer than BEGIN said", commit, avring_commit, length,
	       SMALL_BYTES + 1, EINVAL),
	SPOILT("COMMIT: a frame of 0 bytes is none", commit, avring_commit, length, 0, EINVAL),
	SPOILT("COMMIT: a frame of 2^32 + 1 bytes is too long", commit, avring_commit, length,
	       (1ull << 32) + 1, EINVAL),
	SPOILT("EXPORT: an offset within a page is refused", export, avring_export, offset, 64,
	       EINVAL),
	SPOILT("EXPORT: a length within a page is refused", export, avring_export, length, 4097,
	       EINVAL),
	SPOILT("EXPORT: a length of 0 is refused", export, avring_export, length, 0, EINVAL),
	SPOILT("EXPORT: a length of 2^63 is refused", export, avring_export, length, 1ull << 63,
	       EINVAL),
	SPOILT("EXPORT: an offset of 2^63 is refused", export, avring_export, offset, 1ull << 63,
	       EINVAL),
	SPOILT("EXPORT: an offset that wraps to the start is refused", export, avring_export,
	       offset, ~4095ull, EINVAL),

	EACH("INFO: bad pointers are refused", test_bad_pointers, info),
	EACH("GET_SETUP: bad pointers are refused", test_bad_pointers, get_setup),
	EACH("SET_SETUP: bad pointers are refused", test_bad_pointers, set_setup),
	EACH("ATTACH: bad pointers are refused", test_bad_pointers, attach),
	EACH("WAIT: bad pointers are refused", test_bad_pointers, wait_one),
	EACH("BEGIN: bad pointers are refused", test_bad_pointers, begin_frame),
	EACH("COMMIT: bad pointers are refused", test_bad_pointers, commit),
	EACH("EXPORT: bad pointers are refused", test_bad_pointers, export),
	EACH("INFO writes no byte behind its argument", test_exact_size, info),
	EACH("GET_SETUP reads and writes no byte behind its argument", test_exact_size, get_setup),
	EACH("SET_SETUP reads no byte behind its argument", test_exact_size, set_setup),
	EACH("ATTACH reads and writes no byte behind its argument", test_exact_size, attach),
	EACH("WAIT reads and writes no byte behind its argument", test_exact_size, wait_one),
	EACH("BEGIN reads and writes no byte behind its argument", test_exact_size, begin_frame),
	EACH("COMMIT reads and writes no byte behind its argument", test_exact_size, commit),
	EACH("EXPORT reads and writes no byte behind its argument", test_exact_size, export),
	EACH("INFO into read-only memory gives EFAULT", test_read_only_argument, info),
	EACH("GET_SETUP into read-only memory gives EFAULT", test_read_only_argument, get_setup),
	EACH("ATTACH into read-only memory gives EFAULT and can be repeated",
	     test_read_only_argument, attach),
	EACH("WAIT into read-only memory gives EFAULT and can be repeated", test_read_only_argument,
	     wait_one),
	EACH("BEGIN into read-only memory gives EFAULT and can be repeated",
	     test_read_only_argument, begin_frame),
	EACH("EXPORT into read-only memory gives EFAULT and leaves no file open",
	     test_read_only_argument, export),
	EACH("INFO has one direction, and no smaller size", test_other_sizes, info),
	EACH("GET_SETUP has one direction, and no smaller size", test_other_sizes, get_setup),
	EACH("SET_SETUP has one direction, and no smaller size", test_other_sizes, set_setup),
	EACH("ATTACH has one direction, and no smaller size", test_other_sizes, attach),
	EACH("WAIT has one direction, and no smaller size", test_other_sizes, wait_one),
	EACH("BEGIN has one direction, and no smaller size", test_other_sizes, begin_frame),
	EACH("COMMIT has one direction, and no smaller size", test_other_sizes, commit),
	EACH("EXPORT has one direction, and no smaller size", test_other_sizes, export),
	EACH("INFO may be longer, with zeros", test_longer, info),
	EACH("GET_SETUP may be longer, with zeros", test_longer, get_setup),
	EACH("SET_SETUP may be longer, with zeros", test_longer, set_setup),
	EACH("ATTACH may be longer, with zeros", test_longer, attach),
	EACH("WAIT may be longer, with zeros", test_longer, wait_one),
	EACH("BEGIN may be longer, with zeros", test_longer, begin_frame),
	EACH("COMMIT may be longer, with zeros", test_longer, commit),
	EACH("EXPORT may be longer, with zeros", test_longer, export),
	{ "unknown ioctls give ENOTTY", .run = test_unknown_ioctls },
	{ "read, write, lseek and ftruncate are refused", .run = test_file_operations },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
