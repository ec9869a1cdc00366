// SPDX-License-Identifier: MIT
/*
 * pageinfo: what /proc tells about pages and memory.
 */
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pageinfo.h"
#include "tap.h"

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_FRAME ((1ull << 55) - 1)

/* @n words of a file of 64-bit words. */
static void read_words(const char *path, uint64_t index, uint64_t *words, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t got;

	tap_check(fd >= 0, "%s: expected to open, got %s", path, strerror(errno));
	while (done < n * sizeof(*words)) {
		got = pread(fd, (char *)words + done, n * sizeof(*words) - done,
			    index * sizeof(*words) + done);
		tap_check(got > 0, "%s at %llu: expected 8 bytes, got %zd (%s)", path,
			  (unsigned long long)index, got, strerror(errno));
		done += got;
	}
	close(fd);
}

void page_frames(const void *start, size_t n, uint64_t *frames)
{
	size_t i;

	read_words("/proc/self/pagemap", (uintptr_t)start / getpagesize(), frames, n);
	for (i = 0; i < n; i++)
		frames[i] = frames[i] & PAGEMAP_PRESENT ? frames[i] & PAGEMAP_FRAME : 0;
}

uint64_t page_frame(const void *address)
{
	uint64_t frame;

	page_frames(address, 1, &frame);
	return frame;
}

uint64_t page_flags(uint64_t frame)
{
	uint64_t flags;

	read_words("/proc/kpageflags", frame, &flags, 1);
	return flags;
}

uint64_t page_mapcount(uint64_t frame)
{
	uint64_t count;

	read_words("/proc/kpagecount", frame, &count, 1);
	return count;
}

bool page_is_ownerless_compound(uint64_t frame)
{
	const uint64_t compound = 1ull << KPF_COMPOUND_HEAD | 1ull << KPF_COMPOUND_TAIL;
	const uint64_t owned = 1ull << KPF_LRU | 1ull << KPF_SLAB | 1ull << KPF_ANON |
			       1ull << KPF_PGTABLE | 1ull << KPF_HUGE | 1ull << KPF_BUDDY;
	uint64_t flags = page_flags(frame);

	return flags & compound && !(flags & owned);
}

long page_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* The number after "key" or "key:" in a file of such lines; -1 if missing. */
static long keyed_number(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	char line[256], name[128];
	long value = -1, number;

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%127s %ld", name, &number) != 2)
			continue;
		name[strcspn(name, ":")] = '\0';
		if (!strcmp(name, key))
			value = number;
	}
	fclose(file);
	return value;
}

/* Fold the per-CPU differences into the counters that /proc shows. */
static void counters_refresh(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		tap_note("stat_refresh: %s", strerror(errno));
	close(fd);
}

long meminfo_kb(const char *key)
{
	counters_refresh();
	return keyed_number("/proc/meminfo", key);
}

long vmstat(const char *key)
{
	counters_refresh();
	return keyed_number("/proc/vmstat", key);
}

/* Free pages in the lists of the CPUs. */
static long cpu_lists_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	char line[256];
	long sum = 0, number;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " count: %ld", &number) == 1)
			sum += number;
	fclose(file);
	return sum;
}

/* Pages that wander between these lists and free memory would count twice, or not at all. */
long available_kb(void)
{
	long lists, after = cpu_lists_pages(), available;

	do {
		lists = after;
		available = meminfo_kb("MemAvailable");
		after = cpu_lists_pages();
	} while (lists != after);
	return available + lists * (getpagesize() / 1024);
}

static bool enough_available(void *wanted_kb)
{
	return available_kb() > *(long *)wanted_kb;
}

void expect_available(long wanted_kb)
{
	tap_check(tap_eventually(enough_available, &wanted_kb, 10),
		  "memory available: expected more than %ld kB, got %ld kB", wanted_kb,
		  available_kb());
}

long smaps_kb(const void *start, size_t bytes, const char *key)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long from, to, first = (unsigned long)start, end = first + bytes;
	char line[512], name[128];
	bool inside = false;
	long sum = 0, number;

	tap_check(file, "/proc/self/smaps: expected to open, got %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			inside = from >= first && to <= end;
		} else if (inside && sscanf(line, "%127[^:]: %ld kB", name, &number) == 2) {
			if (!strcmp(name, key))
				sum += number;
		}
	}
	fclose(file);
	return sum;
}

/* One of the words of two letters that follow "VmFlags:". */
static bool has_flag(const char *line, const char *flag)
{
	char word[8];

	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(line, word);
}

bool smaps_flag(const void *start, size_t bytes, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long from, to, first = (unsigned long)start, end = first + bytes;
	bool inside = false;
	int with = 0, without = 0;
	char line[512];

	tap_check(file, "/proc/self/smaps: expected to open, got %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			inside = from >= first && to <= end;
		} else if (inside && !strncmp(line, "VmFlags:", 8)) {
			with += has_flag(line, flag);
			without += !has_flag(line, flag);
		}
	}
	fclose(file);
	return with && !without;
}
