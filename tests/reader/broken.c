// SPDX-License-Identifier: MIT
/*
 * broken: what no sane program gives to the library, and the documented errno.
 * Each case starts from a valid one and spoils one thing.
 */
#include <alsa/asoundlib.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common.h"
#include "internal.h"
#include "tap.h"
#include "twin.h"

static size_t page(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Options. */

static int open_with(const void *options)
{
	struct pair pair = pair_open(8);
	struct avring_reader *reader;
	int error = avring_reader_open_fd(&reader, avring_producer_fd(pair.producer), options);

	if (!error)
		avring_reader_close(reader);
	pair_close(&pair);
	return error;
}

static void options_of_other_releases(void)
{
	struct {
		struct avring_options known;
		uint64_t unknown;
	} longer = { .known = { .size = sizeof(longer) } };
	struct avring_options options = common_options();

	must(open_with(NULL));
	must(open_with(&options));
	must(open_with(&longer));
	longer.unknown = 1ULL << 63;
	must_refuse(E2BIG, open_with(&longer));
	options.size = offsetof(struct avring_options, stream);
	must(open_with(&options));
	options.size = 1;
	must_refuse(EINVAL, open_with(&options));
	options.size = SIZE_MAX;
	must_refuse(E2BIG, open_with(&options));
}

/* Behind a shorter version there is nothing that could be read. */
static void shorter_options_are_not_read_beyond_their_end(void)
{
	size_t size = offsetof(struct avring_options, ring_bytes);
	uint8_t *pages = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	void *options = pages + page() - size;

	tap_check(pages != MAP_FAILED, "mmap");
	must(sys(mprotect(pages + page(), page(), PROT_NONE)));
	memcpy(options, &size, sizeof(size));
	must(open_with(options));
	munmap(pages, 2 * page());
}

#define SPOILED(member, value) \
	({ \
		struct avring_options spoiled = common_options(); \
		spoiled.member = value; \
		open_with(&spoiled); \
	})

static void options_out_of_range(void)
{
	must_refuse(EINVAL, SPOILED(stream, AVRING_STREAMS));
	must_refuse(EINVAL, SPOILED(reserved, 1));
	must_refuse(EINVAL, SPOILED(reserved2, 1));
	must_refuse(EINVAL, SPOILED(oldest, 2));
	must_refuse(EINVAL, SPOILED(keep_setup, 2));
	must_refuse(EINVAL, SPOILED(align, 3));
	must_refuse(EINVAL, SPOILED(align, 2 * page()));
	must_refuse(EINVAL, SPOILED(audio.period_frames, 15));
	must_refuse(EINVAL, SPOILED(audio.period_frames, 65537));
	must_refuse(EINVAL, SPOILED(audio.reserved[6], 1));
	must_refuse(EINVAL, SPOILED(video.reserved[0], 1));
	must_refuse(EINVAL, SPOILED(video.rate_num, 1));
	must(SPOILED(align, page()));
}

/* Devices. */

static int open_device(const char *name)
{
	struct avring_reader *reader;
	int error = avring_reader_open(&reader, name, NULL);

	if (!error)
		avring_reader_close(reader);
	return error;
}

static void devices_that_are_not_there(void)
{
	struct avring_stream_format format = common_picture(page());
	struct avring_producer *producer;
	struct avring_info info;
	char path[64];

	must_refuse(ENOENT, open_device("/dev/avring4294967295"));
	must_refuse(ENOENT, open_device("avring4294967295"));
	must_refuse(ENOENT, open_device("/dev/video999999"));
	must_refuse(ENODEV, open_device("hw:no_such_card"));
	must_refuse(ENOENT, open_device("no_such_pcm"));
	must_refuse(ENOENT, avring_card_info("avring4294967295", &info));
	must_refuse(EINVAL, avring_card_info("video0", &info));
	must_refuse(EINVAL, avring_card_info("avring", &info));
	must_refuse(EINVAL, avring_card_info("avring0x", &info));
	must_refuse(ENODEV, avring_devnum_path((struct avring_devnum){ 0, 0 }, path, sizeof(path)));
	must_refuse(ENODEV, avring_devnum_path((struct avring_devnum){ 4095, 0 }, path, 64));
	must_refuse(ENOENT, avring_producer_open(&producer, "avring4294967295", &format, NULL));
	must_refuse(EOPNOTSUPP, avring_producer_open(&producer, "/dev/video0", &format, NULL));
	must_refuse(EINVAL, avring_reader_open(NULL, "avring0", NULL));
	must_refuse(EINVAL, avring_producer_open(&producer, NULL, NULL, NULL));
	/* What libasound keeps for the next one. */
	snd_config_update_free_global();
}

static void device_numbers_have_paths(void)
{
	char path[64];

	must(avring_devnum_path((struct avring_devnum){ 1, 3 }, path, sizeof(path)));
	tap_check(!strcmp(path, "/dev/null"), "1:3 is %s", path);
	must_refuse(ENAMETOOLONG, avring_devnum_path((struct avring_devnum){ 1, 3 }, path, 9));
}

/* Producers. */

static int produce(const struct avring_stream_format *format)
{
	struct avring_producer *producer;
	int error = avring_producer_open(&producer, NULL, format, NULL);

	if (!error)
		avring_producer_close(producer);
	return error;
}

#define SPOILED_PICTURE(member, value) \
	({ \
		struct avring_stream_format spoiled = common_picture(640); \
		spoiled.member = value; \
		produce(&spoiled); \
	})

#define SPOILED_SOUND(member, value) \
	({ \
		struct avring_stream_format spoiled = common_sound(480); \
		spoiled.member = value; \
		produce(&spoiled); \
	})

static void formats_out_of_range(void)
{
	struct avring_stream_format huge = common_picture(60000);

	huge.video.height = 60000;
	huge.video.pixelformat = V4L2_PIX_FMT_NV12;
	must_refuse(EINVAL, SPOILED_PICTURE(stream, AVRING_STREAMS));
	must_refuse(EINVAL, SPOILED_PICTURE(reserved, 1));
	must_refuse(EINVAL, SPOILED_PICTURE(video.reserved[0], 1));
	must_refuse(EINVAL, SPOILED_PICTURE(video.width, 0));
	must_refuse(EINVAL, SPOILED_PICTURE(video.height, 0));
	must_refuse(EINVAL, SPOILED_PICTURE(video.height, 0x10000));
	must_refuse(EINVAL, SPOILED_PICTURE(video.rate_num, 0));
	must_refuse(EINVAL, SPOILED_PICTURE(video.rate_den, 0));
	must_refuse(EINVAL, SPOILED_PICTURE(video.pixelformat, 0));
	must(SPOILED_PICTURE(video.bytesperline, 1024));
	must_refuse(EINVAL, produce(&huge));
	must_refuse(EINVAL, SPOILED_SOUND(audio.format, 1));
	must_refuse(EINVAL, SPOILED_SOUND(audio.rate, 7999));
	must_refuse(EINVAL, SPOILED_SOUND(audio.rate, 192001));
	must_refuse(EINVAL, SPOILED_SOUND(audio.channels, 9));
	must_refuse(EINVAL, SPOILED_SOUND(audio.frame_bytes, 5));
	must_refuse(EINVAL, SPOILED_SOUND(audio.period_frames, 15));
	must_refuse(EINVAL, SPOILED_SOUND(audio.period_frames, 65537));
	must_refuse(EINVAL, SPOILED_SOUND(audio.reserved[0], 1));
	must(SPOILED_SOUND(audio.rate, 0));
}

static void sizes_of_pictures_are_filled_in(void)
{
	static const struct {
		uint32_t pixelformat;
		uint32_t line_bits;
		uint32_t bits;
	} formats[] = {
		{ V4L2_PIX_FMT_YUYV, 16, 16 },	 { V4L2_PIX_FMT_UYVY, 16, 16 },
		{ V4L2_PIX_FMT_NV12, 8, 12 },	 { V4L2_PIX_FMT_YUV420, 8, 12 },
		{ V4L2_PIX_FMT_YVU420, 8, 12 },	 { V4L2_PIX_FMT_YUV422P, 8, 16 },
		{ V4L2_PIX_FMT_RGB24, 24, 24 },	 { V4L2_PIX_FMT_BGR24, 24, 24 },
		{ V4L2_PIX_FMT_RGB565, 16, 16 }, { V4L2_PIX_FMT_XRGB32, 32, 32 },
		{ V4L2_PIX_FMT_XBGR32, 32, 32 }, { V4L2_PIX_FMT_ARGB32, 32, 32 },
		{ V4L2_PIX_FMT_ABGR32, 32, 32 }, { V4L2_PIX_FMT_GREY, 8, 8 },
	};
	struct avring_stream_format format = common_picture(640);
	struct avring_producer *producer;

	format.video.height = 480;
	for (size_t i = 0; i < TAP_COUNT(formats); i++) {
		format.video.pixelformat = formats[i].pixelformat;
		must(avring_producer_open(&producer, NULL, &format, NULL));
		tap_eq(640 * formats[i].line_bits / 8,
		       avring_producer_format(producer)->video.bytesperline);
		tap_eq(640 * 480 * formats[i].bits / 8,
		       avring_producer_format(producer)->video.sizeimage);
		avring_producer_close(producer);
	}
}

static void sizes_of_other_pictures_must_be_said(void)
{
	struct avring_stream_format format = common_picture(640);
	struct avring_producer *producer;

	format.video.pixelformat = V4L2_PIX_FMT_RGBA32;
	format.video.sizeimage = 0;
	must_refuse(EINVAL, avring_producer_open(&producer, NULL, &format, NULL));
	format.video.sizeimage = 12345;
	must(avring_producer_open(&producer, NULL, &format, NULL));
	tap_eq(12345, avring_producer_format(producer)->video.sizeimage);
	avring_producer_close(producer);
}

static void begin_and_commit_out_of_range(void)
{
	struct avring_stream_format format = common_sound(480);
	struct avring_producer *producer;
	void *data;

	must(avring_producer_open(&producer, NULL, &format, NULL));
	must_refuse(EINVAL, avring_producer_commit(producer, 4, 0));
	must_refuse(EINVAL, avring_producer_begin(producer, 0, &data));
	must_refuse(EINVAL, avring_producer_begin(producer, 480 * 4 + 1, &data));
	must(avring_producer_begin(producer, 480 * 4, &data));
	must_refuse(EINVAL, avring_producer_commit(producer, 0, 0));
	must_refuse(EINVAL, avring_producer_commit(producer, 481 * 4, 0));
	must_refuse(EINVAL, avring_producer_commit(producer, 7, 0));
	must(avring_producer_commit(producer, 8, 1000));
	must_refuse(EINVAL, avring_producer_commit(producer, 8, 2000));
	must(avring_producer_begin(producer, 8, &data));
	must_refuse(EINVAL, avring_producer_commit(producer, 8, 1000));
	must(avring_producer_commit(producer, 8, 1001));
	avring_producer_close(producer);
}

static void open_too_long(void)
{
	struct avring_stream_format format = common_picture(page());
	struct avring_options options = common_options();
	struct avring_producer *producer;

	options.ring_bytes = UINT64_MAX;
	must_refuse(EFBIG, avring_producer_open(&producer, NULL, &format, &options));
	options.ring_bytes = 1ULL << 60;
	tap_check(avring_producer_open(&producer, NULL, &format, &options) < 0,
		  "a ring of 2^60 bytes opens");
}

static void rings_longer_than_the_machine(void)
{
	int mappings;

	open_too_long(); /* malloc() and ASan have mapped what they want */
	mappings = common_count_mappings();
	open_too_long();
	tap_eq(mappings, common_count_mappings());
}

/* The double mapping. */

static int make_file(size_t size)
{
	int fd = must(sys(memfd_create("test", MFD_CLOEXEC)));

	must(sys(ftruncate(fd, size)));
	return fd;
}

static void mirror_is_made_whole_or_not_at_all(void)
{
	const uint64_t over = SIZE_MAX / 2 / page() * page() + page();
	int fd = make_file(4 * page()), mappings;
	void *start;

	mappings = common_count_mappings();
	must_refuse(EINVAL, avring_mirror_map(&start, fd, 0, 0, PROT_READ));
	must_refuse(EINVAL, avring_mirror_map(&start, fd, 0, page() + 1, PROT_READ));
	must_refuse(EINVAL, avring_mirror_map(&start, fd, 1, page(), PROT_READ));
	must_refuse(EFBIG, avring_mirror_map(&start, fd, 0, over, PROT_READ));
	must_refuse(EFBIG, avring_mirror_map(&start, fd, -page(), page(), PROT_READ));
	must_refuse(EFBIG, avring_mirror_map(&start, fd, INT64_MAX / page() * page(), 2 * page(),
					     PROT_READ));
	/* ENOMEM; valgrind says EINVAL. */
	tap_check(avring_mirror_map(&start, fd, 0, 1ULL << 47, PROT_READ) < 0,
		  "2^48 bytes can be mapped");
	must_refuse(EBADF, avring_mirror_map(&start, -1, 0, page(), PROT_READ));
	close(fd);
	fd = must(sys(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)));
	must_refuse(EACCES, avring_mirror_map(&start, fd, 0, page(), PROT_READ | PROT_WRITE));
	close(fd);
	tap_eq(mappings, common_count_mappings());
}

static void mirror_has_the_same_bytes_twice(void)
{
	size_t length = 3 * page();
	int fd = make_file(8 * page()), mappings = common_count_mappings();
	volatile uint8_t *bytes;
	void *start;

	must(avring_mirror_map(&start, fd, 2 * page(), length, PROT_READ | PROT_WRITE));
	bytes = start;
	for (size_t i = 0; i < length; i += 97) {
		uint8_t in_file;

		bytes[i + length] = i % 255 + 1;
		tap_eq(i % 255 + 1, bytes[i]);
		must(sys(pread(fd, &in_file, 1, 2 * page() + i)));
		tap_eq(i % 255 + 1, in_file);
	}
	must(sys(munmap(start, 2 * length)));
	tap_eq(mappings, common_count_mappings());
	close(fd);
}

static void mirror_of_large_pages_is_aligned(void)
{
	const size_t large = 2 << 20;
	int fd = make_file(4 * large), mappings = common_count_mappings();
	void *start;

	for (int i = 1; i < 5; i++) {
		must(avring_mirror_map(&start, fd, 0, i * large, PROT_READ));
		tap_eq(0, (uintptr_t)start % large);
		must(sys(munmap(start, 2 * i * large)));
	}
	tap_eq(mappings, common_count_mappings());
	close(fd);
}

/* A ring in memory whose producer is broken, or hostile. */

/**
 * struct forged - a ring that we write ourselves
 * @fd: of it
 * @lock: of its producer, as far as readers can see
 * @header: mapped writable, as control page and index are
 */
struct forged {
	int fd;
	int lock;
	struct avring_twin_header *header;
};

#define FORGED_BYTES (64 * 1024)

static struct forged forge(int seals)
{
	struct pair pair = pair_open(8);
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct avring_twin_header header;
	char path[AVRING_TWIN_PATH_SIZE];
	struct forged forged;

	must(sys(pread(avring_producer_fd(pair.producer), &header, sizeof(header), 0)));
	pair_close(&pair);
	forged.fd = must(sys(memfd_create("forged", MFD_CLOEXEC | MFD_ALLOW_SEALING)));
	must(sys(ftruncate(forged.fd, FORGED_BYTES)));
	forged.header = mmap(NULL, FORGED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, forged.fd, 0);
	tap_check(forged.header != MAP_FAILED, "mmap");
	*forged.header = header;
	must(sys(fcntl(forged.fd, F_ADD_SEALS, seals)));
	avring_twin_path(forged.fd, path);
	forged.lock = must(sys(open(path, O_RDONLY | O_CLOEXEC)));
	must(sys(fcntl(forged.lock, F_OFD_SETLK, &lock)));
	return forged;
}

static void forged_free(struct forged *forged)
{
	munmap(forged->header, FORGED_BYTES);
	close(forged->lock);
	close(forged->fd);
}

static int forged_open(const struct forged *forged)
{
	struct avring_reader *reader;
	int error = avring_reader_open_fd(&reader, forged->fd, NULL);

	if (!error)
		avring_reader_close(reader);
	return error;
}

static struct avring_control *forged_control(const struct forged *forged)
{
	return (void *)((uint8_t *)forged->header + forged->header->control_offset);
}

static struct avring_entry *forged_entry(const struct forged *forged, unsigned int number)
{
	uint8_t *index = (uint8_t *)forged->header + forged->header->index_offset;

	return (struct avring_entry *)index + number;
}

static void files_that_are_no_rings(void)
{
	struct forged forged = forge(F_SEAL_GROW);
	int fd = must(sys(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)));
	struct avring_reader *reader;

	must_refuse(EPERM, forged_open(&forged)); /* it could shrink */
	forged_free(&forged);
	must_refuse(EOPNOTSUPP, avring_reader_open_fd(&reader, fd, NULL));
	close(fd);
	must_refuse(EBADF, avring_reader_open_fd(&reader, -1, NULL));
	must_refuse(EBADF, avring_reader_open_fd(&reader, 999, NULL));
}

#define SPOILED_HEADER(member, value) \
	({ \
		struct forged forged = forge(F_SEAL_SHRINK); \
		struct avring_twin_header spoiled = *forged.header; \
		int spoiled_error; \
		spoiled.member = value; \
		*forged.header = spoiled; \
		spoiled_error = forged_open(&forged); \
		forged_free(&forged); \
		spoiled_error; \
	})

static void headers_that_are_broken(void)
{
	must(SPOILED_HEADER(version, AVRING_TWIN_VERSION));
	must_refuse(EPROTO, SPOILED_HEADER(magic, 0));
	must_refuse(EPROTO, SPOILED_HEADER(version, AVRING_TWIN_VERSION - 1));
	must_refuse(EPROTO, SPOILED_HEADER(version, AVRING_TWIN_VERSION + 1));
	must_refuse(EPROTO, SPOILED_HEADER(entries, 0));
	must_refuse(EPROTO, SPOILED_HEADER(entries, 6));
	must_refuse(EPROTO, SPOILED_HEADER(entries, 1ULL << 60));
	must_refuse(EPROTO, SPOILED_HEADER(entries, 1024));
	must_refuse(EPROTO, SPOILED_HEADER(align, 0));
	must_refuse(EPROTO, SPOILED_HEADER(align, 3));
	must_refuse(EPROTO, SPOILED_HEADER(align, 1 << 30));
	must_refuse(EPROTO, SPOILED_HEADER(length, 0));
	must_refuse(EPROTO, SPOILED_HEADER(length, 1));
	must_refuse(EPROTO, SPOILED_HEADER(length, -page()));
	must_refuse(EPROTO, SPOILED_HEADER(length, FORGED_BYTES));
	must_refuse(EPROTO, SPOILED_HEADER(data_offset, FORGED_BYTES));
	must_refuse(EPROTO, SPOILED_HEADER(data_offset, -page()));
	must_refuse(EPROTO, SPOILED_HEADER(data_offset, 4 * page() + 8));
	must_refuse(EPROTO, SPOILED_HEADER(control_offset, 8 * page()));
	must_refuse(EPROTO, SPOILED_HEADER(control_offset, page() + 8));
	must_refuse(EPROTO, SPOILED_HEADER(index_offset, page()));
	must_refuse(EPROTO, SPOILED_HEADER(index_offset, 2 * page() + 4));
	must_refuse(EPROTO, SPOILED_HEADER(index_offset, -(uint64_t)8));
	must_refuse(EPROTO, SPOILED_HEADER(frame_bytes, 0));
	must_refuse(EPROTO, SPOILED_HEADER(frame_bytes, 9 * page()));
	must_refuse(EPROTO, SPOILED_HEADER(format.stream, 2));
	must_refuse(EPROTO, SPOILED_HEADER(format.video.width, 0));
}

/**
 * struct forged_ring - a forged ring with a reader
 */
struct forged_ring {
	struct forged forged;
	struct avring_reader *reader;
	struct avring_control *control;
};

static struct forged_ring forged_ring_open(void)
{
	struct forged_ring ring = { .forged = forge(F_SEAL_SHRINK) };

	ring.control = forged_control(&ring.forged);
	must(avring_reader_open_fd(&ring.reader, ring.forged.fd, NULL));
	return ring;
}

static void forged_ring_close(struct forged_ring *ring)
{
	avring_reader_close(ring->reader);
	forged_free(&ring->forged);
}

static void entries_beyond_the_ring_are_refused(void)
{
	struct forged_ring ring = forged_ring_open();
	struct avring_entry *entry = forged_entry(&ring.forged, 0);
	struct avring_geometry geometry;
	struct avring_span span;

	avring_reader_geometry(ring.reader, &geometry);
	*entry = (struct avring_entry){ .length = geometry.length + 1, .count = 1 };
	ring.control->head_entry = 1;
	must_refuse(EPROTO, avring_reader_next(ring.reader, &span));
	entry->length = UINT32_MAX;
	must_refuse(EPROTO, avring_reader_next(ring.reader, &span));
	/* Any position is somewhere in the ring. */
	entry->length = geometry.length;
	entry->position = UINT64_MAX;
	must(avring_reader_next(ring.reader, &span));
	tap_check((uint8_t *)span.data >= (uint8_t *)geometry.data &&
			  (uint8_t *)span.data + span.length <=
				  (uint8_t *)geometry.data + 2 * geometry.length,
		  "a span outside the ring");
	forged_ring_close(&ring);
}

static void runs_beyond_the_ring_are_not_made(void)
{
	struct forged_ring ring = forged_ring_open();
	struct avring_geometry geometry;
	struct avring_span span;

	avring_reader_geometry(ring.reader, &geometry);
	for (unsigned int i = 0; i < geometry.entries; i++)
		*forged_entry(&ring.forged, i) = (struct avring_entry){
			.position = i * 2 * page(), .length = 2 * page(), .count = 1, .sequence = i
		};
	ring.control->head_entry = geometry.entries;
	must(avring_reader_next_run(ring.reader, &span, SIZE_MAX));
	tap_check(span.length <= geometry.length, "a run of %zu in a ring of %llu", span.length,
		  (unsigned long long)geometry.length);
	forged_ring_close(&ring);
}

static void positions_that_go_back_end_a_run(void)
{
	struct forged_ring ring = forged_ring_open();
	struct avring_span span;

	*forged_entry(&ring.forged, 0) =
		(struct avring_entry){ .position = 4 * page(), .length = 64, .count = 1 };
	*forged_entry(&ring.forged, 1) =
		(struct avring_entry){ .position = 0, .length = 64, .count = 1, .sequence = 1 };
	ring.control->head_entry = 2;
	must(avring_reader_next_run(ring.reader, &span, SIZE_MAX));
	tap_eq(1, span.entries);
	tap_eq(64, span.length);
	forged_ring_close(&ring);
}

static void frames_that_overlap_are_no_run(void)
{
	struct forged_ring ring = forged_ring_open();
	struct avring_span span;

	*forged_entry(&ring.forged, 0) = (struct avring_entry){ .length = 64, .count = 1 };
	*forged_entry(&ring.forged, 1) =
		(struct avring_entry){ .position = 63, .length = 64, .count = 1, .sequence = 1 };
	ring.control->head_entry = 2;
	must(avring_reader_next_run(ring.reader, &span, SIZE_MAX));
	tap_eq(1, span.entries);
	forged_ring_close(&ring);
}

/* All was given up, and less is published than is waited for. */
static void empty_ring_that_has_overtaken_ends_a_wait(void)
{
	struct forged_ring ring = forged_ring_open();
	struct avring_span span;

	must(avring_reader_set_watermark(ring.reader, &(struct avring_watermark){ .entries = 2 }));
	ring.control->head_entry = 1;
	must_refuse(ETIMEDOUT, avring_reader_wait(ring.reader, 0));
	ring.control->tail_entry = 1;
	must(avring_reader_wait(ring.reader, 0));
	must_refuse(EAGAIN, avring_reader_next(ring.reader, &span));
	must_refuse(ETIMEDOUT, avring_reader_wait(ring.reader, 0));
	forged_ring_close(&ring);
}

static void counters_that_go_back_are_refused(void)
{
	struct forged_ring ring = forged_ring_open();
	struct avring_span span;

	forged_entry(&ring.forged, 0)->count = 1;
	ring.control->head_entry = 1;
	must(avring_reader_next(ring.reader, &span));
	ring.control->head_entry = 0;
	must_refuse(EPROTO, avring_reader_next(ring.reader, &span));
	must(avring_reader_wait(ring.reader, 0));
	/* A tail before which nobody can ever come. */
	ring.control->head_entry = 8;
	ring.control->tail_entry = UINT64_MAX;
	tap_check(avring_reader_next(ring.reader, &span) < 0, "a frame that is not there");
	forged_ring_close(&ring);
}

static const struct tap_test tests[] = {
	{ "options of other releases are taken, unknown wishes refused",
	  .run = options_of_other_releases },
	{ "shorter options are not read beyond their end",
	  .run = shorter_options_are_not_read_beyond_their_end },
	{ "options out of range are refused", .run = options_out_of_range },
	{ "devices that are not there give the documented errno",
	  .run = devices_that_are_not_there },
	{ "device numbers have paths", .run = device_numbers_have_paths },
	{ "formats out of range are refused", .run = formats_out_of_range },
	{ "sizes of pictures are filled in", .run = sizes_of_pictures_are_filled_in },
	{ "sizes of pictures of other formats must be said",
	  .run = sizes_of_other_pictures_must_be_said },
	{ "begin and commit out of range are refused", .run = begin_and_commit_out_of_range },
	{ "rings longer than the machine are refused and leave nothing",
	  .run = rings_longer_than_the_machine },
	{ "a mirror is made whole or not at all", .run = mirror_is_made_whole_or_not_at_all },
	{ "a mirror has the same bytes twice", .run = mirror_has_the_same_bytes_twice },
	{ "a mirror of whole large pages is aligned to them",
	  .run = mirror_of_large_pages_is_aligned },
	{ "files that are no rings are refused", .run = files_that_are_no_rings },
	{ "broken headers are refused", .run = headers_that_are_broken },
	{ "entries beyond the ring are refused", .run = entries_beyond_the_ring_are_refused },
	{ "runs beyond the ring are not made", .run = runs_beyond_the_ring_are_not_made },
	{ "positions that go back end a run", .run = positions_that_go_back_end_a_run },
	{ "frames that overlap are no run", .run = frames_that_overlap_are_no_run },
	{ "an empty ring that has overtaken ends a wait",
	  .run = empty_ring_that_has_overtaken_ends_a_wait },
	{ "counters that go back are refused", .run = counters_that_go_back_are_refused },
};

int main(int argc, char **argv)
{
	const struct tap_suite suite = { .tests = tests, .n_tests = TAP_COUNT(tests) };

	return tap_main(&suite, argc, argv);
}
