// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the pictures of the PCI card, as the ring node reaches them. Nobody writes them
 * but the card.
 */
#include "pci/video.h"

/* A ring that a failure of the card has ended is not current any more. */
static int avring_pci_ring_attach(void *data, struct avring_ring_reader *reader, bool oldest)
{
	struct avring_pci_video *v = data;
	int err = 0;

	mutex_lock(&v->tune);
	if (!v->stream.ring || v->stream.ring->state)
		err = avring_pci_video_renew(v, &v->pix, v->config.rate);
	if (!err)
		avring_stream_join(&v->stream, reader, oldest);
	mutex_unlock(&v->tune);
	return err;
}

static void avring_pci_ring_detach(void *data, struct avring_ring_reader *reader)
{
	struct avring_pci_video *v = data;

	mutex_lock(&v->tune);
	if (avring_stream_leave(&v->stream, reader))
		avring_pci_video_end_ring(v, AVRING_STATE_STALE);
	mutex_unlock(&v->tune);
}

static void avring_pci_ring_get_setup(void *data, struct avring_setup *setup)
{
	struct avring_pci_video *v = data;

	mutex_lock(&v->tune);
	setup->length = v->stream.length;
	setup->align = v->stream.align;
	mutex_unlock(&v->tune);
}

static int avring_pci_ring_set_setup(void *data, const struct avring_setup *setup)
{
	struct avring_pci_video *v = data;
	int err;

	mutex_lock(&v->tune);
	err = avring_stream_setup(&v->stream, setup);
	mutex_unlock(&v->tune);
	return err;
}

static void avring_pci_ring_gone(void *data)
{
	struct avring_pci_video *v = data;

	mutex_lock(&v->tune);
	v->stream.users = 0;
	avring_pci_video_end_ring(v, AVRING_STATE_GONE);
	mutex_unlock(&v->tune);
}

const struct avring_source_ops avring_pci_video_ring_ops = {
	.attach = avring_pci_ring_attach,
	.detach = avring_pci_ring_detach,
	.get_setup = avring_pci_ring_get_setup,
	.set_setup = avring_pci_ring_set_setup,
	.gone = avring_pci_ring_gone,
};
