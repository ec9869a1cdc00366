/* SPDX-License-Identifier: MIT */
/*
 * pageinfo: what /proc tells about pages and memory. Needs root.
 */
#ifndef TEST_PAGEINFO_H
#define TEST_PAGEINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bit of /proc/kpageflags that the kernel's header does not name. */
#define PAGE_FLAG_RESERVED 32

/* Number of the page frame behind an address; 0 where nothing is mapped. */
uint64_t page_frame(const void *address);
/* The same for @n consecutive pages. */
void page_frames(const void *start, size_t n, uint64_t *frames);

/* KPF_* bits of /proc/kpageflags. */
uint64_t page_flags(uint64_t frame);
/* Number of PTEs and PMDs that map the frame, of /proc/kpagecount. */
uint64_t page_mapcount(uint64_t frame);

/*
 * A compound page that nobody shows as his: not in page cache or anonymous
 * memory, not slab, not a page table. Memory of a store looks like this while it
 * lives; a freed page is no compound page any more.
 */
bool page_is_ownerless_compound(uint64_t frame);

/* Minor faults of this process so far. */
long page_faults(void);

/* One line of /proc/meminfo in kB, of /proc/vmstat; -1 if missing. Exact. */
long meminfo_kb(const char *key);
long vmstat(const char *key);

/* Memory that can be had, in kB: MemAvailable and what CPUs keep for themselves. */
long available_kb(void);

/* More than @wanted_kb can be had, at last: some of what is freed a worker frees later. */
void expect_available(long wanted_kb);

/* Sum of one smaps line over all mappings that lie within the range, in kB. */
long smaps_kb(const void *start, size_t bytes, const char *key);

/* Whether a mapping lies within the range, and each that does has this flag of VmFlags: "dd". */
bool smaps_flag(const void *start, size_t bytes, const char *flag);

#endif
