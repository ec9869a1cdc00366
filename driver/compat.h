/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: every difference between the supported kernels (tests/kernels), each with
 * the release that ends it. `make lint` refuses version checks anywhere else.
 */
#ifndef AVRING_COMPAT_H
#define AVRING_COMPAT_H

#include <linux/dma-buf.h>
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/version.h>

/* Linux 6.3 made vm_flags read-only outside the accessors. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void avring_vm_flags_mod(struct vm_area_struct *vma,
				       unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
}
#else
static inline void avring_vm_flags_mod(struct vm_area_struct *vma,
				       unsigned long set, unsigned long clear)
{
	vm_flags_mod(vma, set, clear);
}
#endif

/* Linux 6.2 split the dma-buf calls by who holds the reservation lock. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define avring_dma_buf_vmap	dma_buf_vmap
#define avring_dma_buf_vunmap	dma_buf_vunmap
#define avring_dma_buf_map_attachment	dma_buf_map_attachment
#define avring_dma_buf_unmap_attachment	dma_buf_unmap_attachment
#else
#define avring_dma_buf_vmap	dma_buf_vmap_unlocked
#define avring_dma_buf_vunmap	dma_buf_vunmap_unlocked
#define avring_dma_buf_map_attachment	dma_buf_map_attachment_unlocked
#define avring_dma_buf_unmap_attachment	dma_buf_unmap_attachment_unlocked
#endif

/* Linux 6.13 wants the name space as a string. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define AVRING_IMPORT_DMA_BUF()	MODULE_IMPORT_NS(DMA_BUF)
#define AVRING_IMPORT()		MODULE_IMPORT_NS(AVRING)
#define EXPORT_SYMBOL_AVRING(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, AVRING)
#else
#define AVRING_IMPORT_DMA_BUF()	MODULE_IMPORT_NS("DMA_BUF")
#define AVRING_IMPORT()		MODULE_IMPORT_NS("AVRING")
#define EXPORT_SYMBOL_AVRING(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, "AVRING")
#endif

/* Linux 6.11 made platform_driver::remove return nothing. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define AVRING_REMOVE_RETURNS	int
#define AVRING_REMOVE_DONE	0
#else
#define AVRING_REMOVE_RETURNS	void
#define AVRING_REMOVE_DONE
#endif

/* Linux 6.6 turns error reporting on by itself, and lets no driver do it. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#include <linux/aer.h>
#define avring_pci_report_errors(pdev)	pci_enable_pcie_error_reporting(pdev)
#else
#define avring_pci_report_errors(pdev)	do { } while (0)
#endif

/* Linux 6.9 took the second argument away: ignore the usage count. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define avring_pm_runtime_get_if_active(dev)	pm_runtime_get_if_active(dev, true)
#else
#define avring_pm_runtime_get_if_active(dev)	pm_runtime_get_if_active(dev)
#endif

/* Linux 6.8 renamed the number of buffers that must be queued before a start. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define avring_min_queued	min_buffers_needed
#else
#define avring_min_queued	min_queued_buffers
#endif

/* Linux 6.14 lets videobuf2 drop and take the queue lock itself. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define AVRING_VB2_WAIT_OPS \
	.wait_prepare = vb2_ops_wait_prepare, \
	.wait_finish = vb2_ops_wait_finish,
#else
#define AVRING_VB2_WAIT_OPS
#endif

/* Linux 6.8 packs index and plane into the low 30 bits of an offset, and looks at no other. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define AVRING_OFFSET_MAX	U32_MAX
#else
#define AVRING_OFFSET_MAX	(BIT(30) - 1)
#endif

/* Linux 6.10 replaced the pointer in mm_struct by a function, 6.19 dropped its mm. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define avring_mm_unmapped_area(...)	current->mm->get_unmapped_area(__VA_ARGS__)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define avring_mm_unmapped_area(...)	mm_get_unmapped_area(current->mm, __VA_ARGS__)
#else
#define avring_mm_unmapped_area(...)	mm_get_unmapped_area(__VA_ARGS__)
#endif

/*
 * Linux 6.15 lets a driver say itself what a PMD maps. Linux 6.18 keeps everybody else from it
 * where the inode is shorter than the chunk.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0) || !defined(CONFIG_TRANSPARENT_HUGEPAGE)
#define AVRING_HUGE_FAULT	0
#else
#define AVRING_HUGE_FAULT	1
#endif

/*
 * What mm splits or puts on its lists are folios that say large_rmappable, or with Linux 6.1 have a
 * destructor of their own. Ours have no mapping that could be looked at for that: debugfs'
 * split_huge_pages would oops.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static inline struct folio *avring_folio_alloc(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp | __GFP_COMP, order);

	return page ? page_folio(page) : NULL;
}
#else
static inline struct folio *avring_folio_alloc(gfp_t gfp, unsigned int order)
{
	struct folio *folio = folio_alloc(gfp, order);

	if (folio && order > 1)
		folio_clear_large_rmappable(folio);
	return folio;
}
#endif

/* Linux 6.18 lets v4l2_fh_add() tell the file of its handle. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define avring_v4l2_fh_add(fh, file)	v4l2_fh_add(fh)
#else
#define avring_v4l2_fh_add	v4l2_fh_add
#endif

/* Linux 6.13 merged hrtimer_init() and the assignment of the function. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void avring_hrtimer_setup(struct hrtimer *timer,
					enum hrtimer_restart (*fn)(struct hrtimer *),
					clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#else
#define avring_hrtimer_setup	hrtimer_setup
#endif

#endif
