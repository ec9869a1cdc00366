// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the user mapping of a store, served by fault.
 *
 * The fault handler returns an ordinary page with a reference taken. A chunk is a folio; one
 * that a PMD can map is mapped whole by one fault. Where the kernel lets us (AVRING_HUGE_FAULT,
 * compat.h) the huge_fault handler does that, wherever the chunk lies at a 2 MiB boundary
 * of the mapping. On older kernels the core does it by itself, if
 *
 * - the VMA carries neither VM_MIXEDMAP nor VM_PFNMAP (Linux 6.1 would leak the
 *   page reference and print "Bad rss-counter state");
 * - the inode behind the mapping is as long as the mapping (since 6.12 the core
 *   refuses a PMD that crosses i_size). A device inode has no length, so each
 *   store gets an inode of its own on a small pseudo file system, as dma-buf and
 *   DRM do;
 * - the index of the chunk is its place in the mapping (memory/store.c sets it).
 *
 * It then maps the start of the chunk at the 2 MiB boundary below the address and
 * never asks whether the page we returned belongs there. In the second image of a
 * linear store whose length is no multiple of 2 MiB it does not: a chunk lies askew
 * there. Where huge_fault does what can be done, the inode of such a store has no length,
 * and the core leaves PMDs to us. On older kernels the fault handler makes sure, before it
 * returns such a page, that there is a page table, which the core then has to use. Where it
 * may take an empty page table away again meanwhile, such a store has no chunk of order 9
 * (memory/store.c).
 *
 * Each mmap() gets a file of its own on that inode, and the VMA holds that file
 * instead of the device's: the device can be closed, opened by the next user,
 * unbound and unplugged while the mapping lives.
 *
 * A fault cannot race with the release of the store: VMA -> file -> store is a
 * chain of references, and the page table is never changed while the store lives.
 *
 * A window (memory of a card) has no pages to refer to, so its VMA has VM_PFNMAP, and
 * get_user_pages() answers EFAULT. Who revokes it forbids new entries first, and then
 * takes away those that there are: a fault that races with him maps the card while it is
 * still there, or finds it gone and answers SIGBUS.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pm_runtime.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "compat.h"
#include "memory/store.h"
#include "memory/store_priv.h"

#define AVRING_FS_MAGIC	0x41565247	/* "AVRG" */

static int avring_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, AVRING_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type avring_fs_type = {
	.name = "avring",
	.owner = THIS_MODULE,
	.init_fs_context = avring_fs_init_context,
	.kill_sb = kill_anon_super,
};

/* Pinned while any store has an inode, so that idle memory does not hold the module. */
static struct vfsmount *avring_fs_mount;
static int avring_fs_users;

/* Return: false if there is no memory for a page table. */
static bool avring_vm_forbid_pmd(const struct vm_fault *vmf)
{
	return !apply_to_page_range(vmf->vma->vm_mm, vmf->address & PAGE_MASK, PAGE_SIZE,
				    NULL, NULL);
}

static vm_fault_t avring_vm_fault(struct vm_fault *vmf)
{
	const struct avring_store *store = vmf->vma->vm_private_data;
	struct page *page = avring_store_page(store, vmf->pgoff);

	if (!page)
		return VM_FAULT_SIGBUS;
	if (!AVRING_HUGE_FAULT && vmf->pgoff >= store->n_pages && avring_store_askew(store) &&
	    !avring_vm_forbid_pmd(vmf))
		return VM_FAULT_OOM;
	folio_get(page_folio(page));
	vmf->page = page;
	return 0;
}

#if AVRING_HUGE_FAULT
/* Does the whole PMD lie within the mapping? The core asks that of its own mappings only. */
static bool avring_vm_holds_pmd(const struct vm_fault *vmf)
{
	const unsigned long start = vmf->address & PMD_MASK;

	return start >= vmf->vma->vm_start && vmf->vma->vm_end - start >= PMD_SIZE;
}

/*
 * A new PMD has the rights of the mapping. Only one that is there already may have been
 * protected since (soft-dirty); to ask for it where a page table has just come is a warning.
 */
static bool avring_vm_makes_writable(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_WRITE && pmd_trans_huge(pmdp_get(vmf->pmd));
}

static vm_fault_t avring_vm_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	const struct avring_store *store = vmf->vma->vm_private_data;
	struct folio *folio;
	struct page *page;

	if (order != PMD_ORDER || !avring_vm_holds_pmd(vmf))
		return VM_FAULT_FALLBACK;
	page = avring_store_page(store, vmf->pgoff - PHYS_PFN(vmf->address & ~PMD_MASK));
	if (!page)
		return VM_FAULT_FALLBACK;
	folio = page_folio(page);
	if (folio_order(folio) != PMD_ORDER || page != folio_page(folio, 0))
		return VM_FAULT_FALLBACK;
	return vmf_insert_folio_pmd(vmf, folio, avring_vm_makes_writable(vmf));
}
#endif

static const struct vm_operations_struct avring_vm_ops = {
	.fault = avring_vm_fault,
#if AVRING_HUGE_FAULT
	.huge_fault = avring_vm_huge_fault,
#endif
};

static vm_fault_t avring_vm_window_fault(struct vm_fault *vmf)
{
	const struct avring_store *store = vmf->vma->vm_private_data;
	struct avring_window *window = store->window;
	vm_fault_t result = VM_FAULT_SIGBUS;

	if (vmf->pgoff >= store->n_view)
		return result;
	down_read(&window->lock);
	if (!window->gone)
		result = vmf_insert_pfn(vmf->vma, vmf->address, window->first_pfn + vmf->pgoff);
	up_read(&window->lock);
	return result;
}

static const struct vm_operations_struct avring_vm_window_ops = {
	.fault = avring_vm_window_fault,
};

/* Length first, then offset by subtraction: a sum could wrap. */
static int avring_vm_check(const struct avring_store *store, struct vm_area_struct *vma)
{
	unsigned long pages = vma_pages(vma);

	if (pages > store->n_view || vma->vm_pgoff > store->n_view - pages)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	if (!(vma->vm_flags & VM_SHARED) && vma->vm_flags & VM_MAYWRITE)
		return -EINVAL;
	return 0;
}

/*
 * fork() copies the mapping: the child faults the same pages in and holds its own
 * references. A core dump leaves it out, it may be gigabytes. It cannot grow.
 */
static void avring_vm_attach(struct avring_store *store, struct vm_area_struct *vma)
{
	avring_vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	/* Where huge pages are for who asks (transparent_hugepage/enabled: madvise), we do. */
	if (AVRING_HUGE_FAULT && !store->window)
		avring_vm_flags_mod(vma, VM_HUGEPAGE, 0);
	vma->vm_private_data = store;
	vma->vm_ops = &avring_vm_ops;
	if (store->window) {
		avring_vm_flags_mod(vma, VM_PFNMAP | VM_IO, 0);
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
		vma->vm_ops = &avring_vm_window_ops;
	}
}

static struct inode *avring_vm_new_inode(const struct avring_store *store)
{
	struct inode *inode;
	int err;

	err = simple_pin_fs(&avring_fs_type, &avring_fs_mount, &avring_fs_users);
	if (err)
		return ERR_PTR(err);
	inode = alloc_anon_inode(avring_fs_mount->mnt_sb);
	if (IS_ERR(inode))
		simple_release_fs(&avring_fs_mount, &avring_fs_users);
	else if (!AVRING_HUGE_FAULT || !avring_store_askew(store))
		i_size_write(inode, (loff_t)store->n_view << PAGE_SHIFT);
	return inode;
}

static struct inode *avring_vm_inode(struct avring_store *store)
{
	struct inode *inode;

	mutex_lock(&store->lock);
	inode = store->inode;
	if (!inode) {
		inode = avring_vm_new_inode(store);
		if (!IS_ERR(inode))
			store->inode = inode;
	}
	if (store->window && !IS_ERR(inode))
		store->window->maps++;
	mutex_unlock(&store->lock);
	return inode;
}

/**
 * avring_vm_release() - give up the inode of a store
 * @store: a store that has no mapping any more
 */
void avring_vm_release(struct avring_store *store)
{
	if (!store->inode)
		return;
	iput(store->inode);
	store->inode = NULL;
	simple_release_fs(&avring_fs_mount, &avring_fs_users);
}

/*
 * The inode of a window goes with the last mapping and not with the store, which lives as
 * long as the card: or an idle card would hold the module.
 */
static void avring_vm_put_inode(struct avring_store *store)
{
	if (!store->window)
		return;
	mutex_lock(&store->lock);
	if (!--store->window->maps)
		avring_vm_release(store);
	mutex_unlock(&store->lock);
}

/**
 * struct avring_vm_part - what a mapping's own file may show
 * @store: with a reference
 * @first: first page in the store's view
 * @n_pages: number of pages
 */
struct avring_vm_part {
	struct avring_store *store;
	unsigned long first;
	unsigned long n_pages;
};

static bool avring_vm_within(const struct avring_vm_part *part, unsigned long first,
			     unsigned long n_pages)
{
	return first >= part->first && n_pages <= part->n_pages &&
	       first - part->first <= part->n_pages - n_pages;
}

/* A card that sleeps does not answer, so it must not while its window is mapped. */
static int avring_vm_keep_awake(struct avring_store *store)
{
	return store->window ? pm_runtime_resume_and_get(store->window->dev) : 0;
}

static void avring_vm_let_sleep(struct avring_store *store)
{
	if (store->window)
		pm_runtime_put_autosuspend(store->window->dev);
}

static int avring_vm_release_file(struct inode *inode, struct file *file)
{
	struct avring_vm_part *part = file->private_data;

	avring_vm_let_sleep(part->store);
	avring_vm_put_inode(part->store);
	avring_store_put(part->store);
	kfree(part);
	return 0;
}

/*
 * remap_file_pages() maps the file behind a VMA once more and comes in here. It asks for
 * the address first, and when that is refused nothing has been unmapped yet.
 */
static unsigned long avring_vm_file_area(struct file *file, unsigned long addr, unsigned long len,
					 unsigned long pgoff, unsigned long flags)
{
	if (!avring_vm_within(file->private_data, pgoff, len >> PAGE_SHIFT))
		return -EINVAL;
	return avring_store_unmapped_area(file, addr, len, pgoff, flags);
}

static int avring_vm_mmap_file(struct file *file, struct vm_area_struct *vma)
{
	const struct avring_vm_part *part = file->private_data;
	int err;

	if (!avring_vm_within(part, vma->vm_pgoff, vma_pages(vma)))
		return -EINVAL;
	err = avring_vm_check(part->store, vma);
	if (!err)
		avring_vm_attach(part->store, vma);
	return err;
}

static const struct file_operations avring_vm_fops = {
	.owner = THIS_MODULE,
	.mmap = avring_vm_mmap_file,
	.get_unmapped_area = avring_vm_file_area,
	.release = avring_vm_release_file,
};

static struct file *avring_vm_open_file(struct avring_store *store, bool writable)
{
	struct inode *inode = avring_vm_inode(store);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);
	ihold(inode);
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, avring_fs_mount, "avring",
				 writable ? O_RDWR : O_RDONLY, &avring_vm_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		avring_vm_put_inode(store);
	}
	return file;
}

/* The file carries a store and a module reference until its last VMA is gone. */
static struct file *avring_vm_new_file(struct avring_store *store, bool writable,
				       unsigned long first, unsigned long n_pages)
{
	struct avring_vm_part *part = kmalloc(sizeof(*part), GFP_KERNEL_ACCOUNT);
	struct file *file;
	int err;

	if (!part)
		return ERR_PTR(-ENOMEM);
	err = avring_vm_keep_awake(store);
	file = err ? ERR_PTR(err) : avring_vm_open_file(store, writable);
	if (IS_ERR(file)) {
		if (!err)
			avring_vm_let_sleep(store);
		kfree(part);
		return file;
	}
	avring_store_get(store);
	*part = (struct avring_vm_part){ store, first, n_pages };
	file->private_data = part;
	return file;
}

/* A hint to who comes too late; what counts is what the fault handler finds. */
static bool avring_vm_is_gone(struct avring_store *store)
{
	return store->window && READ_ONCE(store->window->gone);
}

static int avring_vm_mmap(struct avring_store *store, struct vm_area_struct *vma, bool writable,
			  unsigned long first, unsigned long n_pages)
{
	struct file *file;
	int err = avring_vm_check(store, vma);

	if (err)
		return err;
	if (!writable && vma->vm_flags & VM_WRITE)
		return -EPERM;
	if (avring_vm_is_gone(store))
		return -ENODEV;
	file = avring_vm_new_file(store, writable, first, n_pages);
	if (IS_ERR(file))
		return PTR_ERR(file);
	vma_set_file(vma, file);
	fput(file);
	if (!writable)
		avring_vm_flags_mod(vma, 0, VM_MAYWRITE);
	avring_vm_attach(store, vma);
	return 0;
}

/**
 * avring_store_mmap() - map a range of a store into user space
 * @store: the store, not a pinned one
 * @vma: the new mapping; @vma->vm_pgoff is the first page of the range
 * @writable: user space may write; if not, it can never gain that right either
 *
 * Called from an mmap handler, under the mmap lock.
 *
 * Return: 0; -EINVAL for a range outside of the view or a private writable
 * mapping; -EPERM for an executable one, or a writable one of a read-only store;
 * -ENODEV the memory of the card is gone; -ENOMEM.
 */
int avring_store_mmap(struct avring_store *store, struct vm_area_struct *vma, bool writable)
{
	return avring_vm_mmap(store, vma, writable, 0, store->n_view);
}

/**
 * avring_store_mmap_part() - map a part of a store for somebody who may see no more
 * @store: the store, not a pinned one
 * @vma: the new mapping; @vma->vm_pgoff counts from @first
 * @first: first page of the part; the caller has seen that @vma stays within the part
 * @n_pages: of the part
 * @writable: user space may write
 *
 * Return: as avring_store_mmap().
 */
int avring_store_mmap_part(struct avring_store *store, struct vm_area_struct *vma,
			   unsigned long first, unsigned long n_pages, bool writable)
{
	vma->vm_pgoff += first;
	return avring_vm_mmap(store, vma, writable, first, n_pages);
}

/**
 * avring_store_revoke() - take a card's memory away from everybody
 * @store: a window
 *
 * When this returns nobody can reach the memory any more: mappings stay, and each
 * access to them is answered by SIGBUS. Context: process, may sleep.
 */
void avring_store_revoke(struct avring_store *store)
{
	struct inode *inode;

	down_write(&store->window->lock);
	WRITE_ONCE(store->window->gone, true);
	up_write(&store->window->lock);
	mutex_lock(&store->lock);
	inode = store->inode;
	if (inode)
		store->window->maps++;
	mutex_unlock(&store->lock);
	if (inode) {
		unmap_mapping_range(inode->i_mapping, 0, 0, 1);
		avring_vm_put_inode(store);
	}
}

/**
 * avring_store_unmapped_area() - choose an address that PMD mappings fit
 * @file: the file that is being mapped
 * @addr: hint of the caller
 * @len: length in bytes
 * @pgoff: first page in the store; not the offset cookie of a device
 * @flags: MAP_*
 *
 * Return: an address, or a negative errno as an address.
 */
unsigned long avring_store_unmapped_area(struct file *file, unsigned long addr,
					 unsigned long len, unsigned long pgoff,
					 unsigned long flags)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	return thp_get_unmapped_area(file, addr, len, pgoff, flags);
#else
	return avring_mm_unmapped_area(file, addr, len, pgoff, flags);
#endif
}
