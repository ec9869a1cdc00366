// SPDX-License-Identifier: MIT
/*
 * readonly: nothing that a reader has can be written, by whatever door; of what a
 * producer has, only the data.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "pageinfo.h"
#include "ring.h"

#define LENGTH (2 * CHUNK_BYTES)

/**
 * struct region - one of the three regions of a role
 * @role: AVRING_ROLE_*
 * @offset: byte of struct avring_attach where its offset stands; its size follows
 */
struct region {
	uint32_t role;
	size_t offset;
};

#define REGION(of, name) \
	{ \
		.role = AVRING_ROLE_##of, .offset = offsetof(struct avring_attach, name##_offset) \
	}

static const struct region reader_control = REGION(READER, control),
			   reader_index = REGION(READER, index), reader_data = REGION(READER, data),
			   producer_control = REGION(PRODUCER, control),
			   producer_index = REGION(PRODUCER, index);

static uint64_t attach_word(const struct ring *ring, size_t at)
{
	uint64_t word;

	memcpy(&word, (const uint8_t *)&ring->at + at, sizeof(word));
	return word;
}

static struct ring of_role(uint32_t role)
{
	must(ring_setup(AVRING_STREAM_VIDEO, LENGTH, 0));
	if (role == AVRING_ROLE_PRODUCER)
		return ring_producer(SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT);
	ring_small_picture();
	return ring_reader(AVRING_STREAM_VIDEO);
}

static long long try_map(const struct ring *ring, const struct region *region, int prot, int flags)
{
	const size_t size = attach_word(ring, region->offset + 8);
	void *start = mmap(NULL, size, prot, flags, ring->fd, attach_word(ring, region->offset));

	if (start == MAP_FAILED)
		return -errno;
	munmap(start, size);
	return 0;
}

static void test_map(const void *arg)
{
	const struct region *region = arg;
	struct ring ring = of_role(region->role);

	must(try_map(&ring, region, PROT_READ, MAP_SHARED));
	must_refuse(EPERM, try_map(&ring, region, PROT_READ | PROT_WRITE, MAP_SHARED));
	must_refuse(EPERM, try_map(&ring, region, PROT_WRITE, MAP_SHARED));
	must_refuse(EPERM, try_map(&ring, region, PROT_READ | PROT_EXEC, MAP_SHARED));
	must_refuse(EPERM, try_map(&ring, region, PROT_EXEC, MAP_SHARED));
	must_refuse(EINVAL, try_map(&ring, region, PROT_READ | PROT_WRITE, MAP_PRIVATE));
	must_refuse(EINVAL, try_map(&ring, region, PROT_READ, MAP_PRIVATE));
	ring_close(&ring);
}

static uint8_t *map_region(const struct ring *ring, const struct region *region, size_t *size)
{
	void *start;

	*size = attach_word(ring, region->offset + 8);
	start = mmap(NULL, *size, PROT_READ, MAP_SHARED, ring->fd,
		     attach_word(ring, region->offset));
	tap_check(start != MAP_FAILED, "mmap: expected success, got %s", strerror(errno));
	return start;
}

/* The whole, one page, and after the mapping was moved, split and forgotten. */
static void expect_no_protection(uint8_t *start, size_t size)
{
	must_refuse(EACCES, sys(mprotect(start, size, PROT_READ | PROT_WRITE)));
	must_refuse(EACCES, sys(mprotect(start, size, PROT_WRITE)));
	must_refuse(EACCES, sys(mprotect(start, size, PROT_READ | PROT_EXEC)));
	must_refuse(EACCES, sys(mprotect(start, size, PROT_EXEC)));
	must_refuse(EACCES, sys(mprotect(start, PAGE_BYTES, PROT_READ | PROT_WRITE)));
}

static void test_mprotect(const void *arg)
{
	const struct region *region = arg;
	struct ring ring = of_role(region->role);
	size_t size;
	uint8_t *start = map_region(&ring, region, &size), *moved;

	expect_no_protection(start, size);
	must(sys(mprotect(start, size, PROT_NONE)));
	must(sys(mprotect(start, size, PROT_READ)));
	expect_no_protection(start, size);
	moved = mremap(start, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		       (uint8_t *)start + (UINT64_C(1) << 32));
	tap_check(moved != MAP_FAILED, "mremap: expected success, got %s", strerror(errno));
	expect_no_protection(moved, size);
	tap_eq(SIGSEGV, content_access(moved, true));
	munmap(moved, size);
	ring_close(&ring);
}

/* remap_file_pages() maps the file that the kernel put behind the mapping. */
static void test_remap_file_pages(const void *arg)
{
	const struct region *region = arg;
	struct ring ring = of_role(region->role);
	size_t size;
	uint8_t *start = map_region(&ring, region, &size);

	must(sys(remap_file_pages(start, PAGE_BYTES, 0, 0, 0)));
	tap_eq(SIGSEGV, content_access(start, true));
	must_refuse(EACCES, sys(mprotect(start, PAGE_BYTES, PROT_READ | PROT_WRITE)));
	must_refuse(EACCES, sys(mprotect(start, PAGE_BYTES, PROT_READ | PROT_EXEC)));
	must_refuse(EINVAL, sys(remap_file_pages(start, PAGE_BYTES, 0, 1ul << 40, 0)));
	munmap(start, size);
	ring_close(&ring);
}

static uint64_t word_at(const uint8_t *start)
{
	return *(const volatile uint64_t *)start;
}

/* Stops itself for its parent, then says by its exit whether its word has changed. */
static pid_t stopped_child(const uint8_t *start)
{
	uint64_t before = word_at(start);
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		tap_eq(before, word_at(start));
		_exit(0);
	}
	tap_eq(child, waitpid(child, &status, WUNTRACED));
	tap_check(WIFSTOPPED(status), "child: expected to stop, got status %x", status);
	return child;
}

static long long write_proc_mem(pid_t process, const void *at)
{
	const uint64_t word = ~UINT64_C(0);
	char path[32];
	long long got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", process);
	fd = must(sys(open(path, O_RDWR | O_CLOEXEC)));
	got = sys(pwrite(fd, &word, sizeof(word), (uintptr_t)at));
	close(fd);
	return got;
}

/* Of a ring that stands still; the control region says so by its head. */
static struct ring still_ring(const struct region *region, uint8_t **start, size_t *size)
{
	struct ring ring = ring_frozen(LENGTH, fixture_huge);

	*start = map_region(&ring, region, size);
	return ring;
}

static void test_other_doors(const void *arg)
{
	uint64_t word = ~UINT64_C(0), before;
	struct iovec local = { &word, sizeof(word) };
	struct iovec remote = { .iov_len = sizeof(word) };
	uint8_t *start;
	struct ring ring;
	pid_t child;
	size_t size;

	ring = still_ring(arg, &start, &size);
	remote.iov_base = start;
	before = word_at(start);
	tap_check(before != word, "first word: expected another than all ones");
	child = stopped_child(start);
	must_refuse(EFAULT, sys(process_vm_writev(child, &local, 1, &remote, 1, 0)));
	must_refuse(EIO, write_proc_mem(child, start));
	must_refuse(EIO, sys(ptrace(PTRACE_POKEDATA, child, start, word)));
	must_refuse(EFAULT, sys(process_vm_writev(getpid(), &local, 1, &remote, 1, 0)));
	must_refuse(EIO, write_proc_mem(getpid(), start));
	must(sys(ptrace(PTRACE_DETACH, child, NULL, NULL)));
	tap_join(child);
	tap_eq(before, word_at(start));
	munmap(start, size);
	ring_close(&ring);
}

/* The kernel writes into memory for a caller who may not. */
static void test_system_calls(const void *arg)
{
	uint8_t *start;
	struct ring ring;
	int zero = must(sys(open("/dev/zero", O_RDONLY | O_CLOEXEC)));
	int fds[2];
	size_t size;

	ring = still_ring(arg, &start, &size);
	must(sys(pipe2(fds, O_CLOEXEC)));
	tap_eq(1, write(fds[1], "", 1));
	must_refuse(EFAULT, sys(read(zero, start, 64)));
	must_refuse(EFAULT, sys(read(fds[0], start, 1)));
	must_refuse(EFAULT, sys(ioctl(ring.fd, AVRING_IOC_INFO, start)));
	must_refuse(EINVAL, sys(madvise(start, PAGE_BYTES, MADV_POPULATE_WRITE)));
	close(fds[0]);
	close(fds[1]);
	close(zero);
	munmap(start, size);
	ring_close(&ring);
}

/* MADV_REMOVE and the like would punch holes where they work. */
static void test_advice(const void *arg)
{
	static const int advice[] = { MADV_REMOVE, MADV_FREE, MADV_WIPEONFORK };
	uint64_t before;
	uint8_t *start;
	struct ring ring;
	unsigned int i;
	size_t size;
	long long got;

	ring = still_ring(arg, &start, &size);
	before = word_at(start);
	for (i = 0; i < TAP_COUNT(advice); i++) {
		got = sys(madvise(start, PAGE_BYTES, advice[i]));
		tap_check(got < 0, "madvise %d: expected a refusal, got success", advice[i]);
	}
	tap_eq(before, word_at(start));
	munmap(start, size);
	ring_close(&ring);
}

/* Opened for reading a file is good for a reader, and for nothing more. */
static void test_read_only_file(void)
{
	struct ring ring = { .fd = must(sys(open("/dev/avring0", O_RDONLY | O_CLOEXEC))) };
	struct avring_entry entry;

	ring_small_picture();
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must(ring_map(&ring));
	ring_wait_head(&ring, ring.at.next + 1);
	tap_check(ring_entry(&ring, ring.at.next, &entry), "first entry: expected intact");
	ring_expect_stamped(&ring, &entry);
	must_refuse(EACCES, try_map(&ring, &reader_data, PROT_READ | PROT_WRITE, MAP_SHARED));
	ring_unmap(&ring);
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	ring_input(CARD_INPUT_LOOPBACK);
	must_refuse(EPERM, ring_produce(&ring, SMALL_FOURCC, SMALL_WIDTH, SMALL_HEIGHT));
	ring_close(&ring);
}

static void test_producer_data(void)
{
	static const struct region data = REGION(PRODUCER, data);
	struct ring ring = of_role(AVRING_ROLE_PRODUCER);

	must(try_map(&ring, &data, PROT_READ | PROT_WRITE, MAP_SHARED));
	must(try_map(&ring, &data, PROT_READ, MAP_SHARED));
	must_refuse(EPERM, try_map(&ring, &data, PROT_READ | PROT_EXEC, MAP_SHARED));
	must_refuse(EINVAL, try_map(&ring, &data, PROT_READ | PROT_WRITE, MAP_PRIVATE));
	must_refuse(EACCES, sys(mprotect(ring.data, PAGE_BYTES, PROT_READ | PROT_EXEC)));
	must(sys(mprotect(ring.data, PAGE_BYTES, PROT_READ)));
	must(sys(mprotect(ring.data, PAGE_BYTES, PROT_READ | PROT_WRITE)));
	ring.data[0] = 1;
	tap_eq(1, *(volatile uint8_t *)(ring.data + ring.at.length));
	ring_close(&ring);
}

/* Who has been the producer and comes back as a reader cannot write the new ring. */
static void test_former_producer(void)
{
	struct ring ring = of_role(AVRING_ROLE_PRODUCER);

	ring_unmap(&ring);
	must(ring_call(&ring, AVRING_IOC_DETACH, NULL));
	must(ring_read(&ring, AVRING_STREAM_VIDEO, 0));
	must_refuse(EPERM, try_map(&ring, &reader_data, PROT_READ | PROT_WRITE, MAP_SHARED));
	ring_close(&ring);
}

/* A second open file of the producer's process is a reader like any other. */
static void test_beside_the_producer(void)
{
	struct ring producer = of_role(AVRING_ROLE_PRODUCER);
	struct ring reader = ring_reader(AVRING_STREAM_VIDEO);

	must_refuse(EPERM, try_map(&reader, &reader_data, PROT_READ | PROT_WRITE, MAP_SHARED));
	must_refuse(EACCES, sys(mprotect(reader.data, PAGE_BYTES, PROT_READ | PROT_WRITE)));
	producer.data[0] = 0x5a;
	tap_eq(0x5a, *(volatile uint8_t *)reader.data);
	ring_close(&reader);
	ring_close(&producer);
}

static void expect_flags(const char *what, const void *start, size_t size)
{
	tap_check(smaps_flag(start, size, "dd"), "%s: expected VM_DONTDUMP", what);
	tap_check(smaps_flag(start, size, "de"), "%s: expected VM_DONTEXPAND", what);
}

/* A core file is no way for the pictures to get out. */
static void test_flags(void)
{
	struct ring producer = of_role(AVRING_ROLE_PRODUCER);
	struct ring reader = ring_reader(AVRING_STREAM_VIDEO);

	expect_flags("control", reader.control, reader.at.control_size);
	expect_flags("index", reader.index, reader.at.index_size);
	expect_flags("data", reader.data, reader.at.data_size);
	expect_flags("the producer's data", producer.data, producer.at.data_size);
	ring_close(&reader);
	ring_close(&producer);
}

#define EACH(words, test, of) \
	{ \
		.claim = words, .run_with = test, .arg = &(of) \
	}
#define READER(words, test) \
	EACH("a reader's control: " words, test, reader_control), \
		EACH("a reader's index: " words, test, reader_index), \
		EACH("a reader's data: " words, test, reader_data)
#define ALL(words, test) \
	READER(words, test), EACH("the producer's control: " words, test, producer_control), \
		EACH("the producer's index: " words, test, producer_index)

static const struct tap_test tests[] = {
	ALL("writable, executable and private mappings are refused", test_map),
	ALL("mprotect to write or execute is refused, also after mremap", test_mprotect),
	ALL("remap_file_pages gains no right", test_remap_file_pages),
	READER("process_vm_writev, /proc/pid/mem and ptrace do not write", test_other_doors),
	READER("no system call writes into it", test_system_calls),
	READER("MADV_REMOVE, MADV_FREE and MADV_WIPEONFORK are refused", test_advice),
	{ "a file opened read-only can read, and cannot produce", .run = test_read_only_file },
	{ "the producer's data can be written, not executed", .run = test_producer_data },
	{ "no mapping is dumped or grows: VmFlags dd and de", .run = test_flags },
	{ "a former producer cannot write as a reader", .run = test_former_producer },
	{ "a reader beside the producer sees his bytes and cannot write them",
	  .run = test_beside_the_producer },
};

int main(int argc, char **argv)
{
	return ring_main(tests, TAP_COUNT(tests), argc, argv);
}
