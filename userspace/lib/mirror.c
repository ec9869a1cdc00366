// SPDX-License-Identifier: MIT
/*
 * mirror: the same bytes of a file mapped twice in a row.
 *
 *	start           start + length  start + 2 * length
 *	|---- length ---|---- length ---|
 *	 offset ...      offset ...
 *
 * The range is reserved as a whole before its halves are replaced, so that nothing
 * else can come to lie in it, and is given back as a whole if a half fails.
 */
#include <sys/mman.h>

#include "internal.h"

/* Reserve a range that begins at a multiple of @align, a power of two >= the page size. */
static int avring_mirror_reserve(unsigned char **start, size_t size, size_t align)
{
	size_t spare = align - avring_page_size(), before;
	unsigned char *range;

	if (size > SIZE_MAX - spare)
		return -EFBIG;
	range = mmap(NULL, size + spare, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		     0);
	if (range == MAP_FAILED)
		return avring_errno();
	before = -(uintptr_t)range & (align - 1);
	if (before)
		munmap(range, before);
	if (spare > before)
		munmap(range + before + size, spare - before);
	*start = range + before;
	return 0;
}

static int avring_mirror_replace(unsigned char *half, int fd, uint64_t offset, size_t length,
				 int prot)
{
	void *got = mmap(half, length, prot, MAP_SHARED | MAP_FIXED, fd, (off_t)offset);

	return got == MAP_FAILED ? avring_errno() : 0;
}

int avring_mirror_map(void **start, int fd, uint64_t offset, uint64_t length, int prot)
{
	const size_t page = avring_page_size();
	unsigned char *range;
	int error;

	if (!length || length % page || offset % page)
		return -EINVAL;
	if (length > SIZE_MAX / 2 || length > (uint64_t)INT64_MAX - avring_min(offset, INT64_MAX))
		return -EFBIG;
	/* Only a range that is aligned like the file can be mapped by large pages. */
	error = avring_mirror_reserve(&range, 2 * length,
				      length % AVRING_HUGE_PAGE ? page : AVRING_HUGE_PAGE);
	if (error)
		return error;
	error = avring_mirror_replace(range, fd, offset, length, prot);
	if (!error)
		error = avring_mirror_replace(range + length, fd, offset, length, prot);
	if (error) {
		munmap(range, 2 * length);
		return error;
	}
	*start = range;
	return 0;
}
