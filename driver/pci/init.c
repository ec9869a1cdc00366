// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a PCI card is taken into use, and given back. See pci/pci.h.
 */
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "pci/pci_priv.h"

static int avring_pci_set_masks(struct avring_pci *pci)
{
	const u32 bits = AVRING_PCI_CAPS_ADDRESS_BITS(avring_pci_read(pci, AVRING_PCI_REG_CAPS));
	struct device *dev = avring_pci_dev(pci);
	int err = -EIO;

	if (bits < 32 || bits > 64) {
		pci_err(pci->pdev, "the card has %u address bits, not 32 to 64\n", bits);
		return -EINVAL;
	}
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits));
	if (err)
		err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (err)
		pci_err(pci->pdev, "no memory that the card can reach\n");
	else
		dma_set_max_seg_size(dev, pci->max_segment);
	return err;
}

/* Return: 0, or -ENODEV for a card that is not ours. */
static int avring_pci_identify(struct avring_pci *pci)
{
	const u32 id = avring_pci_read(pci, AVRING_PCI_REG_ID);
	const u32 version = avring_pci_read(pci, AVRING_PCI_REG_VERSION);
	const u32 segment = avring_pci_read(pci, AVRING_PCI_REG_MAX_SEGMENT);
	const u32 channels = AVRING_PCI_CAPS_CHANNELS(avring_pci_read(pci, AVRING_PCI_REG_CAPS));

	if (id != AVRING_PCI_ID_VALUE) {
		pci_err(pci->pdev, "ID %#x is not that of an avring card, %#x\n", id,
			AVRING_PCI_ID_VALUE);
		return -ENODEV;
	}
	if (AVRING_PCI_VERSION_MAJOR(version) !=
	    AVRING_PCI_VERSION_MAJOR(AVRING_PCI_VERSION_VALUE)) {
		pci_err(pci->pdev, "version %u of the card is not %u\n",
			AVRING_PCI_VERSION_MAJOR(version),
			AVRING_PCI_VERSION_MAJOR(AVRING_PCI_VERSION_VALUE));
		return -ENODEV;
	}
	if (segment < PAGE_SIZE || channels < AVRING_PCI_CHANNELS) {
		pci_err(pci->pdev, "%u bytes a segment, %u channels: not enough\n", segment,
			channels);
		return -ENODEV;
	}
	pci->max_segment = ALIGN_DOWN(min_t(u32, segment, SZ_1G), PAGE_SIZE);
	return 0;
}

static void avring_pci_free_memory(struct avring_pci *pci)
{
	struct avring_pci_channel *ch;

	for (ch = pci->channels; ch < pci->channels + AVRING_PCI_CHANNELS; ch++) {
		if (ch->desc)
			dma_free_coherent(avring_pci_dev(pci), ch->desc_bytes, ch->desc,
					  ch->desc_bus);
		if (ch->done)
			dma_free_coherent(avring_pci_dev(pci),
					  AVRING_PCI_N_DONE * sizeof(*ch->done), ch->done,
					  ch->done_bus);
		ch->desc = NULL;
		ch->done = NULL;
	}
}

static int avring_pci_alloc_memory(struct avring_pci *pci)
{
	struct avring_pci_channel *ch;

	for (ch = pci->channels; ch < pci->channels + AVRING_PCI_CHANNELS; ch++) {
		ch->done = dma_alloc_coherent(avring_pci_dev(pci),
					      AVRING_PCI_N_DONE * sizeof(*ch->done),
					      &ch->done_bus, GFP_KERNEL);
		if (!ch->done) {
			avring_pci_free_memory(pci);
			return -ENOMEM;
		}
	}
	return 0;
}

/* What the handler of a vector is told: the card, or one of its channels. */
static void *avring_pci_irq_data(struct avring_pci *pci, unsigned int vector)
{
	if (vector == AVRING_PCI_VECTOR_EVENT)
		return pci;
	return &pci->channels[vector - AVRING_PCI_VECTOR_CHANNEL(0)];
}

static int avring_pci_request_irq(struct avring_pci *pci, unsigned int vector)
{
	const irq_handler_t handler = vector == AVRING_PCI_VECTOR_EVENT ? avring_pci_event_irq :
									  avring_pci_channel_irq;

	return request_threaded_irq(pci_irq_vector(pci->pdev, vector), NULL, handler,
				    IRQF_ONESHOT, pci_name(pci->pdev),
				    avring_pci_irq_data(pci, vector));
}

static void avring_pci_free_irq(struct avring_pci *pci, unsigned int vector)
{
	free_irq(pci_irq_vector(pci->pdev, vector), avring_pci_irq_data(pci, vector));
}

/**
 * avring_pci_enable() - let the card speak
 * @pci: initialised, its owners are ready
 *
 * Return: 0 or a negative errno; avring_pci_disable() is due in either case.
 */
int avring_pci_enable(struct avring_pci *pci)
{
	int err;

	while (pci->irqs < AVRING_PCI_VECTORS) {
		err = avring_pci_request_irq(pci, pci->irqs);
		if (err)
			return err;
		pci->irqs++;
	}
	return 0;
}

/**
 * avring_pci_disable() - undo avring_pci_enable()
 * @pci: enabled whole, half or not at all; no channel runs, none will start:
 *	avring_pci_break() was called
 */
void avring_pci_disable(struct avring_pci *pci)
{
	while (pci->irqs)
		avring_pci_free_irq(pci, --pci->irqs);
	cancel_delayed_work_sync(&pci->watchdog);
}

static bool avring_pci_is_memory(struct pci_dev *pdev, int bar)
{
	return pci_resource_flags(pdev, bar) & IORESOURCE_MEM;
}

static int avring_pci_map(struct avring_pci *pci)
{
	struct pci_dev *pdev = pci->pdev;
	int err = pci_enable_device_mem(pdev);

	if (err)
		return err;
	err = -ENODEV;
	if (!avring_pci_is_memory(pdev, AVRING_PCI_BAR_REGS) ||
	    !avring_pci_is_memory(pdev, AVRING_PCI_BAR_WINDOW) ||
	    pci_resource_len(pdev, AVRING_PCI_BAR_REGS) < AVRING_PCI_REGS_SIZE)
		goto disable;
	err = pci_request_regions(pdev, "avring");
	if (err)
		goto disable;
	pci->regs = pci_iomap(pdev, AVRING_PCI_BAR_REGS, AVRING_PCI_REGS_SIZE);
	if (pci->regs)
		return 0;
	err = -ENOMEM;
	pci_release_regions(pdev);
disable:
	pci_disable_device(pdev);
	return err;
}

static void avring_pci_unmap(struct avring_pci *pci)
{
	pci_iounmap(pci->pdev, pci->regs);
	pci_release_regions(pci->pdev);
	pci_disable_device(pci->pdev);
}

static void avring_pci_init_locks(struct avring_pci *pci)
{
	unsigned int i;

	for (i = 0; i < AVRING_PCI_CHANNELS; i++) {
		pci->channels[i].pci = pci;
		pci->channels[i].index = i;
		mutex_init(&pci->channels[i].lock);
	}
	mutex_init(&pci->lock);
	INIT_DELAYED_WORK(&pci->watchdog, avring_pci_watchdog);
	avring_servo_init(&pci->servo);
}

/* Power, addresses and vectors of a card that was identified. */
static int avring_pci_bring_up(struct avring_pci *pci)
{
	int err = avring_pci_set_masks(pci);

	if (!err)
		err = avring_pci_alloc_memory(pci);
	if (err)
		return err;
	err = avring_pci_reset(pci);
	if (!err)
		err = pci_alloc_irq_vectors(pci->pdev, AVRING_PCI_VECTORS, AVRING_PCI_VECTORS,
					    PCI_IRQ_MSIX);
	if (err < 0) {
		pci_err(pci->pdev, "cannot be brought up: %d\n", err);
		pci_clear_master(pci->pdev);
		avring_pci_free_memory(pci);
	}
	return min(err, 0);
}

/**
 * avring_pci_init() - take a card into use
 * @pci: zeroed
 * @pdev: its function
 *
 * Return: 0, -ENODEV it is not such a card, or another negative errno.
 */
int avring_pci_init(struct avring_pci *pci, struct pci_dev *pdev)
{
	int err;

	pci->pdev = pdev;
	avring_pci_init_locks(pci);
	err = avring_pci_map(pci);
	if (err)
		return err;
	err = avring_pci_identify(pci);
	if (!err)
		err = avring_pci_bring_up(pci);
	if (err)
		avring_pci_unmap(pci);
	return err;
}

/**
 * avring_pci_exit() - undo avring_pci_init()
 * @pci: disabled. Locks and state stay, so that a late caller finds that it is gone
 */
void avring_pci_exit(struct avring_pci *pci)
{
	pci_free_irq_vectors(pci->pdev);
	pci_clear_master(pci->pdev);
	avring_pci_free_memory(pci);
	avring_pci_unmap(pci);
}
