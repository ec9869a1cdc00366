// SPDX-License-Identifier: MIT
/*
 * bounds: no length, offset, count, protection or flag maps what it should not.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffers.h"
#include "content.h"

#define N_BUFFERS 3
#define PAIRS 10000

static long long try_mmap(const struct video *video, size_t length, int prot, int flags,
			  off_t offset)
{
	void *start = mmap(NULL, length, prot, flags, video->fd, offset);

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, length);
	return 0;
}

/* A read-write shared mapping, spoilt in length or offset. */
static long long try_window(const struct video *video, size_t length, off_t offset)
{
	return try_mmap(video, length, PROT_READ | PROT_WRITE, MAP_SHARED, offset);
}

static void begin(struct video *video)
{
	buffers_begin_filled(video, fixture_huge, N_BUFFERS);
	must(try_window(video, BIG_BYTES, video->buffers[0].offset));
}

static void test_length_beyond(void)
{
	struct video video;

	begin(&video);
	must_refuse(EINVAL, try_window(&video, BIG_BYTES + 4096, video.buffers[0].offset));
	must_refuse(EINVAL, try_window(&video, BIG_BYTES + 1, video.buffers[0].offset));
	must_refuse(EINVAL, try_window(&video, 2 * BIG_BYTES, video.buffers[0].offset));
	must_refuse(EINVAL, try_window(&video, 1ul << 40, video.buffers[0].offset));
	video_close(&video);
}

static void test_length_beyond_tail(void)
{
	struct video video;

	buffers_begin(&video, fixture_huge, TAIL_WIDTH, TAIL_HEIGHT, 1);
	must(try_window(&video, TAIL_PAGES * 4096, video.buffers[0].offset));
	must_refuse(EINVAL, try_window(&video, TAIL_PAGES * 4096 + 1, video.buffers[0].offset));
	video_close(&video);
}

static void test_length_zero(void)
{
	struct video video;

	begin(&video);
	must_refuse(EINVAL, try_window(&video, 0, video.buffers[0].offset));
	video_close(&video);
}

static void test_offset_no_cookie(void)
{
	struct video video;
	off_t first, last;

	begin(&video);
	first = video.buffers[0].offset;
	last = video.buffers[video.n_buffers - 1].offset;
	must_refuse(EINVAL, try_window(&video, 4096, first + 4096));
	must_refuse(EINVAL, try_window(&video, BIG_BYTES, last + (last - first) + BIG_BYTES));
	must_refuse(EINVAL, try_window(&video, 4096, first + (0xdeadbeef & ~4095u)));
	video_close(&video);
}

static void test_offset_unaligned(void)
{
	struct video video;

	begin(&video);
	must_refuse(EINVAL, try_window(&video, 4096, video.buffers[0].offset + 1));
	video_close(&video);
}

/* Cookies of three buffers are below 2^30; what is set above must not be ignored. */
static void test_offset_high_bits(void)
{
	struct video video;
	unsigned int bit;
	off_t high;

	begin(&video);
	for (bit = 30; bit < 63; bit++) {
		high = video.buffers[1].offset | (off_t)1 << bit;
		must_refuse(EINVAL, try_window(&video, 4096, high));
		must_refuse(EINVAL, try_window(&video, BIG_BYTES, high));
	}
	video_close(&video);
}

static void test_offset_wraps(void)
{
	struct video video;
	off_t last_page = (off_t)(~0ul << 12);
	long long result;

	begin(&video);
	must_refuse(EOVERFLOW, try_window(&video, BIG_BYTES, last_page));
	/* One page at the very end of what an offset can say: no sum wraps yet. */
	result = try_window(&video, 4096, (off_t)1 << 62);
	must_refuse(EINVAL, result);
	must_refuse(EINVAL, try_window(&video, BIG_BYTES, (1ull << 63) - BIG_BYTES));
	video_close(&video);
}

static void test_after_reqbufs_0(void)
{
	struct video video;
	off_t cookie;

	begin(&video);
	cookie = video.buffers[0].offset;
	video_unmap(&video);
	must(video_request(&video, 0));
	must_refuse(EINVAL, try_window(&video, BIG_BYTES, cookie));
	video_close(&video);
}

static uint64_t random_64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ rand();
}

/* Near a valid pair, near a power of two, or anything. */
static void random_pair(const struct video *video, size_t *length, off_t *offset)
{
	const struct video_buffer *buffer = &video->buffers[rand() % video->n_buffers];

	*length = BIG_BYTES + (rand() % 5 - 3) * 4096l;
	*offset = buffer->offset;
	switch (rand() % 4) {
	case 0:
		*offset += (rand() % 9 - 4) * 4096l;
		break;
	case 1:
		*offset += 1ull << rand() % 64;
		*length = 1ull << rand() % 48;
		break;
	case 2:
		*offset = random_64() >> rand() % 64;
		*length = random_64() >> (16 + rand() % 48);
		break;
	default:
		break;
	}
	*offset &= ~4095l;
}

/* What was accepted must be one whole buffer's beginning and nothing else. */
static void expect_valid(const struct video *video, const uint8_t *start, size_t length,
			 off_t offset)
{
	size_t last = (length - 1) & ~4095ul;
	unsigned int i;

	for (i = 0; i < video->n_buffers; i++)
		if (offset == video->buffers[i].offset)
			break;
	tap_check(i < video->n_buffers && length <= BIG_BYTES,
		  "mmap of %zu bytes at %llx: expected a refusal, got a mapping", length,
		  (unsigned long long)offset);
	content_expect("first page", start, 4096, i, 0);
	content_expect("last page", start + last, 4096, i, last);
}

static void test_random_pairs(void)
{
	unsigned int i, mapped = 0;
	struct video video;
	size_t length;
	off_t offset;
	uint8_t *start;

	begin(&video);
	srand(1);
	for (i = 0; i < PAIRS; i++) {
		random_pair(&video, &length, &offset);
		start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, video.fd, offset);
		if (start == MAP_FAILED) {
			tap_check(errno == EINVAL || errno == EOVERFLOW || errno == ENOMEM,
				  "mmap of %zu bytes at %llx: expected EINVAL, EOVERFLOW or ENOMEM, got %s",
				  length, (unsigned long long)offset, strerror(errno));
			continue;
		}
		expect_valid(&video, start, length, offset);
		munmap(start, length);
		mapped++;
	}
	tap_check(mapped > PAIRS / 20, "valid pairs: expected some of %u to map, got %u", PAIRS,
		  mapped);
	video_close(&video);
}

static void test_protections(void)
{
	struct video video;
	off_t cookie;

	begin(&video);
	cookie = video.buffers[0].offset;
	must(try_mmap(&video, BIG_BYTES, PROT_READ, MAP_SHARED, cookie));
	must_refuse(EINVAL, try_mmap(&video, BIG_BYTES, PROT_NONE, MAP_SHARED, cookie));
	must_refuse(EINVAL, try_mmap(&video, BIG_BYTES, PROT_WRITE, MAP_SHARED, cookie));
	video_close(&video);
}

static void test_exec(void)
{
	const int prot = PROT_READ | PROT_EXEC;
	struct video video;
	off_t cookie;

	begin(&video);
	cookie = video.buffers[0].offset;
	must_refuse(EPERM, try_mmap(&video, BIG_BYTES, prot, MAP_SHARED, cookie));
	must_refuse(EPERM, try_mmap(&video, BIG_BYTES, prot | PROT_WRITE, MAP_SHARED, cookie));
	video_close(&video);
}

static void test_private(void)
{
	const int flags = MAP_PRIVATE;
	struct video video;
	off_t cookie;

	begin(&video);
	cookie = video.buffers[0].offset;
	must_refuse(EINVAL, try_mmap(&video, BIG_BYTES, PROT_READ, flags, cookie));
	must_refuse(EINVAL, try_mmap(&video, BIG_BYTES, PROT_READ | PROT_WRITE, flags, cookie));
	video_close(&video);
}

static void test_huge_flags(void)
{
	struct video video;
	off_t cookie;

	begin(&video);
	cookie = video.buffers[0].offset;
	must_refuse(EINVAL, try_mmap(&video, BIG_BYTES, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_HUGETLB, cookie));
	must_refuse(EINVAL, try_mmap(&video, BIG_BYTES, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_GROWSDOWN, cookie));
	must_refuse(EOPNOTSUPP, try_mmap(&video, BIG_BYTES, PROT_READ | PROT_WRITE,
					 MAP_SHARED_VALIDATE | MAP_SYNC, cookie));
	video_close(&video);
}

static void test_output_needs_write(void)
{
	struct card card = buffers_card();
	struct video video;

	must(video_begin(&video, card.output, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT, 2));
	must_refuse(EINVAL, try_mmap(&video, 4096, PROT_READ, MAP_SHARED, video.buffers[0].offset));
	must_refuse(EPERM, try_mmap(&video, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED,
				    video.buffers[0].offset));
	video_close(&video);
}

static void test_query_index(void)
{
	struct v4l2_buffer buffer;
	struct video video;
	unsigned int i;

	begin(&video);
	for (i = 0; i < 3; i++) {
		const uint32_t beyond[] = { video.n_buffers, VIDEO_MAX_FRAME, 0xffffffff };

		buffer = (struct v4l2_buffer){ .index = beyond[i],
					       .type = video.type,
					       .memory = V4L2_MEMORY_MMAP };
		must_refuse(EINVAL, video_ioctl(video.fd, VIDIOC_QUERYBUF, &buffer));
		must_refuse(EINVAL, video_ioctl(video.fd, VIDIOC_QBUF, &buffer));
	}
	video_close(&video);
}

static int request(const struct video *video, uint32_t count, uint32_t type, uint32_t memory,
		   uint32_t *got)
{
	struct v4l2_requestbuffers request = { .count = count, .type = type, .memory = memory };
	int error = video_ioctl(video->fd, VIDIOC_REQBUFS, &request);

	*got = request.count;
	return error;
}

static void open_small(struct video *video)
{
	struct card card = buffers_card();

	must(video_open(video, card.capture));
	must(video_set_format(video, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
}

/* As the documentation says: the driver gives as many as it can. */
static void test_reqbufs_count_clamped(void)
{
	struct video video;
	uint32_t got;

	open_small(&video);
	must(request(&video, 0xffffffff, video.type, V4L2_MEMORY_MMAP, &got));
	tap_check(got >= 1 && got <= 128, "REQBUFS of 2^32 - 1: expected 1 to 128, got %u", got);
	must(request(&video, 1, video.type, V4L2_MEMORY_MMAP, &got));
	tap_check(got >= 1 && got <= 4, "REQBUFS of 1: expected 1 to 4, got %u", got);
	must(request(&video, 0, video.type, V4L2_MEMORY_MMAP, &got));
	tap_eq(0, got);
	video_close(&video);
}

static void test_reqbufs_wrong(void)
{
	struct video video;
	uint32_t got;

	open_small(&video);
	must_refuse(EINVAL, request(&video, 2, 0, V4L2_MEMORY_MMAP, &got));
	must_refuse(EINVAL, request(&video, 2, 0xffffffff, V4L2_MEMORY_MMAP, &got));
	must_refuse(EINVAL, request(&video, 2, V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_MEMORY_MMAP, &got));
	must_refuse(EINVAL,
		    request(&video, 2, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE, V4L2_MEMORY_MMAP, &got));
	must_refuse(EINVAL, request(&video, 2, video.type, 0, &got));
	must_refuse(EINVAL, request(&video, 2, video.type, V4L2_MEMORY_OVERLAY, &got));
	must_refuse(EINVAL, request(&video, 2, video.type, 0xffffffff, &got));
	video_close(&video);
}

static int create(const struct video *video, struct v4l2_create_buffers *create, uint32_t count,
		  uint32_t sizeimage)
{
	memset(create, 0, sizeof(*create));
	create->count = count;
	create->memory = V4L2_MEMORY_MMAP;
	create->format.type = video->type;
	must(video_ioctl(video->fd, VIDIOC_G_FMT, &create->format));
	if (sizeimage)
		create->format.fmt.pix.sizeimage = sizeimage;
	return video_ioctl(video->fd, VIDIOC_CREATE_BUFS, create);
}

static void test_create_too_small(void)
{
	struct v4l2_create_buffers request;
	struct video video;

	open_small(&video);
	must(create(&video, &request, 1, 0));
	must_refuse(EINVAL, create(&video, &request, 1, 1));
	must_refuse(EINVAL, create(&video, &request, 1, video.pix.sizeimage - 1));
	video_close(&video);
}

static void test_create_larger(void)
{
	struct v4l2_buffer buffer = { 0 };
	struct v4l2_create_buffers request;
	struct video video;

	open_small(&video);
	must(create(&video, &request, 1, 3 * 4096 * 100));
	buffer.index = request.index;
	buffer.type = video.type;
	must(video_ioctl(video.fd, VIDIOC_QUERYBUF, &buffer));
	tap_eq(3 * 4096 * 100, buffer.length);
	must(try_window(&video, buffer.length, buffer.m.offset));
	must_refuse(EINVAL, try_window(&video, buffer.length + 1, buffer.m.offset));
	video_close(&video);
}

/* Refused before memory is gone: 4 GiB are more than any picture of the card. */
static void test_create_too_large(void)
{
	struct v4l2_create_buffers request;
	struct video video;

	open_small(&video);
	must_refuse(EINVAL, create(&video, &request, 1, 0xffffffff));
	must_refuse(EINVAL, create(&video, &request, 1, 0xfffff000));
	must_refuse(EINVAL, create(&video, &request, 32, 0x80000000));
	video_close(&video);
}

static void test_create_count(void)
{
	struct v4l2_create_buffers request;
	struct video video;
	unsigned int n = 0;
	int error = 0;

	open_small(&video);
	while (n < 1000) {
		error = create(&video, &request, 7, 0);
		if (error)
			break;
		n += request.count;
		if (request.count < 7)
			break;
	}
	tap_check(n >= 32 && n <= 128, "CREATE_BUFS until full: expected 32 to 128, got %u", n);
	must_refuse(ENOBUFS, create(&video, &request, 1, 0));
	video_close(&video);
}

static int try_size(const struct video *video, uint32_t width, uint32_t height,
		    struct v4l2_pix_format *got)
{
	struct v4l2_format format = { .type = video->type };
	int error;

	format.fmt.pix.pixelformat = SMALL_FOURCC;
	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	format.fmt.pix.bytesperline = 0xffffffff;
	format.fmt.pix.sizeimage = 0xffffffff;
	error = video_ioctl(video->fd, VIDIOC_S_FMT, &format);
	*got = format.fmt.pix;
	return error;
}

static void test_sizes_clamped(void)
{
	static const uint32_t asked[][4] = {
		{ 0, 0, 160, 120 },	    { 1, 1, 160, 120 },
		{ 161, 121, 160, 120 },	    { 0xffffffff, 0xffffffff, 2560, 1440 },
		{ 4097, 2161, 4096, 2160 }, { 0x80000000, 2, 2560, 120 },
		{ 641, 479, 640, 478 },	    { 8192, 8192, 8192, 2160 },
		{ 17, 17, 16, 16 },	    { 16, 8193, 16, 1440 },
	};
	struct v4l2_pix_format got;
	struct video video;
	size_t i;

	open_small(&video);
	for (i = 0; i < TAP_COUNT(asked); i++) {
		must(try_size(&video, asked[i][0], asked[i][1], &got));
		tap_eq(asked[i][2], got.width);
		tap_eq(asked[i][3], got.height);
		tap_eq(got.width * 2, got.bytesperline);
		tap_eq(got.width * got.height * 2, got.sizeimage);
	}
	video_close(&video);
}

static const struct tap_test tests[] = {
	{ "mmap longer than the buffer gives EINVAL", .run = test_length_beyond },
	{ "mmap longer than the last page of the buffer gives EINVAL",
	  .run = test_length_beyond_tail },
	{ "mmap of no bytes gives EINVAL", .run = test_length_zero },
	{ "mmap at an offset that is no buffer's gives EINVAL", .run = test_offset_no_cookie },
	{ "mmap at an offset that is no page's gives EINVAL", .run = test_offset_unaligned },
	{ "mmap at a buffer's offset with a high bit set gives EINVAL",
	  .run = test_offset_high_bits },
	{ "mmap at offsets where a sum would wrap gives EINVAL or EOVERFLOW",
	  .run = test_offset_wraps },
	{ "mmap of a buffer that is gone gives EINVAL", .run = test_after_reqbufs_0 },
	{ "of 10,000 random pairs of offset and length only the valid ones map",
	  .run = test_random_pairs, .deadline_s = 120 },
	{ "mmap of a capture buffer needs PROT_READ", .run = test_protections },
	{ "mmap with PROT_EXEC gives EPERM", .run = test_exec },
	{ "mmap with MAP_PRIVATE gives EINVAL", .run = test_private },
	{ "mmap with MAP_HUGETLB or MAP_GROWSDOWN gives EINVAL, with MAP_SYNC EOPNOTSUPP",
	  .run = test_huge_flags },
	{ "mmap of an output buffer needs PROT_WRITE and refuses PROT_EXEC",
	  .run = test_output_needs_write },
	{ "QUERYBUF and QBUF of an index beyond the buffers give EINVAL", .run = test_query_index },
	{ "REQBUFS gives as many buffers as it can", .run = test_reqbufs_count_clamped },
	{ "REQBUFS of a wrong type or memory gives EINVAL", .run = test_reqbufs_wrong },
	{ "CREATE_BUFS smaller than the picture gives EINVAL", .run = test_create_too_small },
	{ "CREATE_BUFS larger than the picture gives that size", .run = test_create_larger },
	{ "CREATE_BUFS larger than any picture gives EINVAL", .run = test_create_too_large },
	{ "CREATE_BUFS stops at the number of buffers a queue can have", .run = test_create_count },
	{ "S_FMT clamps every size and ignores wrong lengths", .run = test_sizes_clamped },
};

int main(int argc, char **argv)
{
	return buffers_main(tests, TAP_COUNT(tests), argc, argv);
}
