// SPDX-License-Identifier: GPL-2.0-only
/*
 * avcard: the PCI function. See avcard.h.
 *
 * Loaded into Debian's QEMU with LD_PRELOAD, which then has one more -device.
 */
#include "avcard.h"

#include "hw/pci/msix.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/module.h"

#define TYPE_AVCARD "avcard"
DECLARE_INSTANCE_CHECKER(struct avcard, AVCARD, TYPE_AVCARD)

#define AVCARD_PM_OFFSET 0x60
#define AVCARD_EXPRESS_OFFSET 0x80
#define AVCARD_AER_OFFSET 0x100

/* ---------------------------------------------------------------- interrupts and events */

void avcard_interrupt(struct avcard *card, unsigned int vector)
{
	int32_t every = card->faults.drop_irq_every;

	if (card->faults.dead || (every && ++card->drop_count % every == 0))
		return;
	card->interrupts++;
	msix_notify(&card->pci, vector);
	if (!card->faults.dup_irq)
		return;
	card->interrupts++;
	msix_notify(&card->pci, vector);
}

static void avcard_tell_events(struct avcard *card, uint32_t before)
{
	if (card->events & card->events_enable & ~before)
		avcard_interrupt(card, AVRING_PCI_VECTOR_EVENT);
}

void avcard_event(struct avcard *card, uint32_t event)
{
	uint32_t before = card->events & card->events_enable;

	card->events |= event;
	avcard_tell_events(card, before);
}

static bool avcard_line_plays(const struct avcard_line *line)
{
	return line->bytes && !line->ended;
}

static bool avcard_has_signal(const struct avcard *card)
{
	return !card->faults.no_signal &&
	       (avcard_line_plays(&card->channels[AVRING_PCI_VIDEO].line) ||
		avcard_line_plays(&card->channels[AVRING_PCI_AUDIO].line));
}

void avcard_update_signal(struct avcard *card)
{
	bool signal = avcard_has_signal(card);

	if (signal == card->signal)
		return;
	card->signal = signal;
	avcard_event(card, AVRING_PCI_EVENT_SIGNAL);
}

/* ---------------------------------------------------------------- registers */

static void avcard_reset_registers(struct avcard *card)
{
	unsigned int c;

	for (c = 0; c < AVRING_PCI_CHANNELS; c++)
		avcard_channel_reset(&card->channels[c]);
	card->events = 0;
	card->events_enable = 0;
	card->fault_code = AVRING_PCI_FAULT_NONE;
	card->fault_addr = 0;
	card->scratch = 0;
	card->time_hi = 0;
	card->signal = avcard_has_signal(card);
}

static uint32_t avcard_read_global(struct avcard *card, hwaddr reg)
{
	uint64_t now;

	switch (reg) {
	case AVRING_PCI_REG_ID:
		return AVRING_PCI_ID_VALUE;
	case AVRING_PCI_REG_VERSION:
		return AVRING_PCI_VERSION_VALUE;
	case AVRING_PCI_REG_CAPS:
		return AVRING_PCI_CHANNELS | card->address_bits << 8;
	case AVRING_PCI_REG_MAX_SEGMENT:
		return AVCARD_MAX_SEGMENT;
	case AVRING_PCI_REG_STATUS:
		return card->signal ? AVRING_PCI_STATUS_SIGNAL : 0;
	case AVRING_PCI_REG_EVENTS:
		return card->events;
	case AVRING_PCI_REG_EVENTS_ENABLE:
		return card->events_enable;
	case AVRING_PCI_REG_FAULT_ADDR:
		return card->fault_addr;
	case AVRING_PCI_REG_FAULT_ADDR + 4:
		return card->fault_addr >> 32;
	case AVRING_PCI_REG_FAULT_CODE:
		return card->fault_code;
	case AVRING_PCI_REG_SCRATCH:
		return card->scratch;
	case AVRING_PCI_REG_TIME:
		now = avcard_shown_time(card);
		card->time_hi = now >> 32;
		return now;
	case AVRING_PCI_REG_TIME + 4:
		return card->time_hi;
	case AVRING_PCI_REG_HEARTBEAT: /* every 34 ms */
		return avcard_now(card) >> 25;
	}
	return 0;
}

static void avcard_write_global(struct avcard *card, hwaddr reg, uint32_t value)
{
	uint32_t before = card->events & card->events_enable;

	switch (reg) {
	case AVRING_PCI_REG_CONTROL:
		if (value & AVRING_PCI_CONTROL_RESET)
			avcard_reset_registers(card);
		break;
	case AVRING_PCI_REG_EVENTS:
		card->events &= ~value;
		break;
	case AVRING_PCI_REG_EVENTS_ENABLE:
		card->events_enable = value & (AVRING_PCI_EVENT_SIGNAL | AVRING_PCI_EVENT_FAULT);
		avcard_tell_events(card, before);
		break;
	case AVRING_PCI_REG_SCRATCH:
		card->scratch = value;
		break;
	}
}

/* The channel that a register belongs to; NULL for the global ones. */
static struct avcard_channel *avcard_channel_at(struct avcard *card, hwaddr reg)
{
	unsigned int c;

	for (c = 0; c < AVRING_PCI_CHANNELS; c++)
		if (reg >= AVRING_PCI_REG_CHANNEL(c) && reg < AVRING_PCI_REG_CHANNEL(c + 1))
			return &card->channels[c];
	return NULL;
}

static uint64_t avcard_regs_read(void *opaque, hwaddr reg, unsigned int size)
{
	struct avcard *card = opaque;
	struct avcard_channel *channel = avcard_channel_at(card, reg);

	if (card->faults.dead)
		return UINT32_MAX;
	if (channel)
		return avcard_channel_read(channel, reg % 0x1000);
	return avcard_read_global(card, reg);
}

static void avcard_regs_write(void *opaque, hwaddr reg, uint64_t value, unsigned int size)
{
	struct avcard *card = opaque;
	struct avcard_channel *channel = avcard_channel_at(card, reg);

	if (card->faults.dead)
		return;
	if (channel)
		avcard_channel_write(channel, reg % 0x1000, value);
	else
		avcard_write_global(card, reg, value);
}

static const MemoryRegionOps avcard_regs_ops = {
	.read = avcard_regs_read,
	.write = avcard_regs_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---------------------------------------------------------------- a card that is gone */

static uint64_t avcard_ones_read(void *opaque, hwaddr at, unsigned int size)
{
	return UINT64_MAX;
}

static void avcard_ones_write(void *opaque, hwaddr at, uint64_t value, unsigned int size)
{
}

static const MemoryRegionOps avcard_ones_ops = {
	.read = avcard_ones_read,
	.write = avcard_ones_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
	.impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* What covers a BAR while the card is dead. */
static void avcard_cover(struct avcard *card, MemoryRegion *ones, MemoryRegion *bar)
{
	memory_region_init_io(ones, OBJECT(card), &avcard_ones_ops, card, "avcard-ones",
			      memory_region_size(bar));
	memory_region_set_enabled(ones, false);
	memory_region_add_subregion_overlap(bar, 0, ones, 1);
}

/* One that comes back to life has forgotten everything. */
static void avcard_set_dead(struct avcard *card)
{
	memory_region_set_enabled(&card->ones[0], card->faults.dead);
	memory_region_set_enabled(&card->ones[1], card->faults.dead);
	avcard_reset_registers(card);
}

static uint32_t avcard_config_read(PCIDevice *pci, uint32_t address, int len)
{
	if (AVCARD(pci)->faults.dead)
		return UINT32_MAX >> (32 - 8 * len);
	return pci_default_read_config(pci, address, len);
}

static void avcard_config_write(PCIDevice *pci, uint32_t address, uint32_t value, int len)
{
	if (AVCARD(pci)->faults.dead)
		return;
	pci_default_write_config(pci, address, value, len);
	pcie_cap_flr_write_config(pci, address, value, len);
	pcie_aer_write_config(pci, address, value, len);
}

/* ---------------------------------------------------------------- who does the work */

static void *avcard_thread(void *opaque)
{
	struct avcard *card = opaque;

	rcu_register_thread();
	qemu_mutex_lock_iothread();
	while (!card->quit) {
		avcard_work(card);
		qemu_mutex_unlock_iothread();
		qemu_sem_wait(&card->wake);
		qemu_mutex_lock_iothread();
	}
	qemu_mutex_unlock_iothread();
	rcu_unregister_thread();
	return NULL;
}

static void avcard_timer(void *opaque)
{
	struct avcard *card = opaque;

	if (card->vclock)
		avcard_work(card);
	else
		qemu_sem_post(&card->wake);
}

void avcard_start_poking(struct avcard *card)
{
	timer_mod_ns(&card->poke_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + 1000000);
}

/* Faults that come on their own. */
static void avcard_poke_timer(void *opaque)
{
	struct avcard *card = opaque;
	int32_t hz = card->faults.spurious_irq_hz;
	int64_t next = 1000000000 / MAX(hz, 1);
	bool more = hz;
	unsigned int v, c;

	if (card->faults.dead)
		return;
	for (v = 0; hz && v < AVRING_PCI_VECTORS; v++)
		avcard_interrupt(card, v);
	for (c = 0; c < AVRING_PCI_CHANNELS; c++)
		if (avcard_channel_poke(&card->channels[c])) {
			next = MIN(next, 1000000);
			more = true;
		}
	if (more)
		timer_mod_ns(&card->poke_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + next);
}

/* ---------------------------------------------------------------- properties */

/* Read and set at any time, with qom-set; "changed" may be NULL. */
struct avcard_property {
	const char *name;
	size_t offset;
	bool is_flag;
	bool is_read_only;
	int32_t min;
	int32_t max;
	void (*changed)(struct avcard *card);
};

#define AVCARD_FLAG(name, member, changed) \
	{ \
		name, offsetof(struct avcard, faults.member), true, false, 0, 1, changed \
	}
#define AVCARD_NUMBER(name, member, min, max, changed) \
	{ \
		name, offsetof(struct avcard, faults.member), false, false, min, max, changed \
	}
#define AVCARD_COUNT(name, member) \
	{ \
		name, offsetof(struct avcard, member), false, true, 0, 0, NULL \
	}

/* All is right again, as it was before the first property was set. */
static void avcard_clear_faults(struct avcard *card)
{
	bool was_dead = card->faults.dead;

	card->faults = (struct avcard_faults){};
	if (was_dead)
		avcard_set_dead(card);
	avcard_set_ppm(card);
	avcard_update_signal(card);
}

static const struct avcard_property avcard_properties[] = {
	AVCARD_FLAG("clear-faults", clear, avcard_clear_faults),
	AVCARD_FLAG("dead", dead, avcard_set_dead),
	AVCARD_FLAG("stall-dma", stall_dma, avcard_kick),
	AVCARD_FLAG("no-signal", no_signal, avcard_update_signal),
	AVCARD_FLAG("hang-busy", hang_busy, NULL),
	AVCARD_FLAG("write-after-stop", write_after_stop, NULL),
	AVCARD_FLAG("dup-irq", dup_irq, NULL),
	AVCARD_FLAG("completion-flood", flood, avcard_kick),
	AVCARD_FLAG("time-stop", time_stop, avcard_stop_time),
	AVCARD_NUMBER("drop-irq", drop_irq_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("spurious-irq", spurious_irq_hz, 0, 10000, avcard_start_poking),
	AVCARD_NUMBER("short-frame", short_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("bad-cookie", bad_cookie_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("bad-position", bad_position_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("bad-bytes", bad_bytes_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("desc-loop", desc_loop_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("seq-jump", seq_jump_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("bad-time", bad_time_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("old-first-frame", old_first_every, 0, INT32_MAX, NULL),
	AVCARD_NUMBER("clock-ppm", clock_ppm, -100000, 100000, avcard_set_ppm),
	AVCARD_NUMBER("clock-jump", clock_jump_ms, INT32_MIN, INT32_MAX, avcard_jump),
	AVCARD_COUNT("interrupts", interrupts),
	AVCARD_COUNT("video-frames", channels[AVRING_PCI_VIDEO].frames),
	AVCARD_COUNT("audio-chunks", channels[AVRING_PCI_AUDIO].frames),
};

static void avcard_get(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
	const struct avcard_property *property = opaque;
	void *at = (char *)AVCARD(obj) + property->offset;

	if (property->is_flag)
		visit_type_bool(v, name, at, errp);
	else
		visit_type_int32(v, name, at, errp);
}

static bool avcard_visit(const struct avcard_property *property, Visitor *v, int32_t *value,
			 Error **errp)
{
	bool flag;

	if (!property->is_flag)
		return visit_type_int32(v, property->name, value, errp);
	if (!visit_type_bool(v, property->name, &flag, errp))
		return false;
	*value = flag;
	return true;
}

static void avcard_set(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
	const struct avcard_property *property = opaque;
	struct avcard *card = AVCARD(obj);
	void *at = (char *)card + property->offset;
	int32_t value;

	if (!avcard_visit(property, v, &value, errp))
		return;
	if (value < property->min || value > property->max) {
		error_setg(errp, "%s=%d is not a number from %d to %d", name, value, property->min,
			   property->max);
		return;
	}
	if (property->is_flag)
		*(bool *)at = value;
	else
		*(int32_t *)at = value;
	/* Before that there is nothing to change: realize looks at all of them. */
	if (DEVICE(obj)->realized && property->changed)
		property->changed(card);
}

static Property avcard_fixed_properties[] = {
	DEFINE_PROP_STRING("film", struct avcard, channels[AVRING_PCI_VIDEO].path),
	DEFINE_PROP_STRING("voice", struct avcard, channels[AVRING_PCI_AUDIO].path),
	DEFINE_PROP_BOOL("loop", struct avcard, loop, false),
	DEFINE_PROP_BOOL("vclock", struct avcard, vclock, false),
	DEFINE_PROP_UINT32("address-bits", struct avcard, address_bits, 64),
	DEFINE_PROP_SIZE("window-size", struct avcard, window_size, 0x200000),
	DEFINE_PROP_UINT64("clock-start", struct avcard, clock_start, 0),
	DEFINE_PROP_END_OF_LIST(),
};

/* ---------------------------------------------------------------- life */

static bool avcard_open_line(struct avcard_channel *channel, Error **errp)
{
	struct avcard_line *line = &channel->line;
	struct stat st;
	int fd;

	if (!channel->path)
		return true;
	fd = qemu_open_old(channel->path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st)) {
		error_setg_errno(errp, errno, "line input: cannot open %s", channel->path);
		return false;
	}
	line->loop = channel->card->loop;
	line->bytes = st.st_size;
	line->data = mmap(NULL, MAX(line->bytes, 1), PROT_READ, MAP_PRIVATE, fd, 0);
	qemu_close(fd);
	if (line->data != MAP_FAILED)
		return true;
	error_setg_errno(errp, errno, "line input: cannot map %s", channel->path);
	line->bytes = 0;
	return false;
}

static bool avcard_check_properties(struct avcard *card, Error **errp)
{
	if (card->address_bits < 32 || card->address_bits > 64) {
		error_setg(errp, "address-bits=%u is not a number from 32 to 64",
			   card->address_bits);
		return false;
	}
	if (card->window_size < 4096 || card->window_size > 0x40000000 ||
	    !is_power_of_2(card->window_size)) {
		error_setg(errp, "window-size=%" PRIu64 " is no power of two from 4K to 1G",
			   card->window_size);
		return false;
	}
	return true;
}

static bool avcard_add_capabilities(PCIDevice *pci, Error **errp)
{
	int at = pci_add_capability(pci, PCI_CAP_ID_PM, AVCARD_PM_OFFSET, PCI_PM_SIZEOF, errp);

	if (at < 0)
		return false;
	pci_set_word(pci->config + at + PCI_PM_PMC, 3);
	pci_set_word(pci->config + at + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	pci_set_word(pci->wmask + at + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	if (pcie_endpoint_cap_init(pci, AVCARD_EXPRESS_OFFSET) < 0) {
		error_setg(errp, "not on a PCI Express bus");
		return false;
	}
	pcie_cap_deverr_init(pci);
	pcie_cap_flr_init(pci);
	return pcie_aer_init(pci, PCI_ERR_VER, AVCARD_AER_OFFSET, PCI_ERR_SIZEOF, errp) >= 0;
}

static bool avcard_add_bars(struct avcard *card, Error **errp)
{
	PCIDevice *pci = &card->pci;
	unsigned int v;

	memory_region_init_io(&card->regs, OBJECT(card), &avcard_regs_ops, card, "avcard-regs",
			      AVRING_PCI_REGS_SIZE);
	pci_register_bar(pci, AVRING_PCI_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY, &card->regs);
	if (msix_init_exclusive_bar(pci, AVRING_PCI_VECTORS, AVRING_PCI_BAR_MSIX, errp) < 0)
		return false;
	for (v = 0; v < AVRING_PCI_VECTORS; v++)
		msix_vector_use(pci, v);

	memory_region_init(&card->window, OBJECT(card), "avcard-window", card->window_size);
	/* Without a name for migration: a card that comes back would find its own still taken. */
	memory_region_init_ram_nomigrate(&card->memory, OBJECT(card), "avcard-memory",
					 card->window_size, &error_abort);
	memory_region_add_subregion(&card->window, 0, &card->memory);
	pci_register_bar(pci, AVRING_PCI_BAR_WINDOW,
			 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
				 PCI_BASE_ADDRESS_MEM_PREFETCH,
			 &card->window);
	avcard_cover(card, &card->ones[0], &card->window);
	avcard_cover(card, &card->ones[1], &pci->msix_exclusive_bar);
	return true;
}

static void avcard_power_on(struct avcard *card)
{
	card->host_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
	card->card_ns = card->clock_start;
	card->ppm = card->faults.clock_ppm;
	timer_init_ns(&card->timer, QEMU_CLOCK_VIRTUAL, avcard_timer, card);
	timer_init_ns(&card->poke_timer, QEMU_CLOCK_VIRTUAL, avcard_poke_timer, card);
	avcard_set_dead(card);
	if (card->faults.spurious_irq_hz)
		avcard_start_poking(card);
	if (card->vclock)
		return;
	qemu_sem_init(&card->wake, 0);
	qemu_thread_create(&card->thread, "avcard", avcard_thread, card, QEMU_THREAD_JOINABLE);
}

/*
 * The port above says whether its link is up; a reset of the bus waits for that. QEMU sets it
 * only where the port itself plugs cards, and not ACPI.
 */
static void avcard_set_link(PCIDevice *pci, bool is_up)
{
	PCIDevice *port = pci_bridge_get_device(pci_get_bus(pci));
	uint8_t *status;

	if (!port || !pci_is_express(port))
		return;
	status = port->config + port->exp.exp_cap + PCI_EXP_LNKSTA;
	if (is_up)
		pci_word_test_and_set_mask(status, PCI_EXP_LNKSTA_DLLLA);
	else
		pci_word_test_and_clear_mask(status, PCI_EXP_LNKSTA_DLLLA);
}

static void avcard_realize(PCIDevice *pci, Error **errp)
{
	struct avcard *card = AVCARD(pci);
	unsigned int c;

	if (!avcard_check_properties(card, errp))
		return;
	for (c = 0; c < AVRING_PCI_CHANNELS; c++) {
		card->channels[c].card = card;
		card->channels[c].number = c;
		if (!avcard_open_line(&card->channels[c], errp))
			return;
	}
	if (!avcard_add_capabilities(pci, errp) || !avcard_add_bars(card, errp))
		return;
	avcard_set_link(pci, true);
	avcard_power_on(card);
}

/* A region inside another one holds the card, which would never go away. */
static void avcard_remove_bars(struct avcard *card)
{
	memory_region_del_subregion(&card->window, &card->memory);
	memory_region_del_subregion(&card->window, &card->ones[0]);
	memory_region_del_subregion(&card->pci.msix_exclusive_bar, &card->ones[1]);
	msix_uninit_exclusive_bar(&card->pci);
}

/* The thread needs the lock to come to its end. */
static void avcard_exit(PCIDevice *pci)
{
	struct avcard *card = AVCARD(pci);
	unsigned int c;

	card->quit = true;
	timer_del(&card->timer);
	timer_del(&card->poke_timer);
	if (!card->vclock) {
		qemu_sem_post(&card->wake);
		qemu_mutex_unlock_iothread();
		qemu_thread_join(&card->thread);
		qemu_mutex_lock_iothread();
		qemu_sem_destroy(&card->wake);
	}
	for (c = 0; c < AVRING_PCI_CHANNELS; c++) {
		avcard_channel_reset(&card->channels[c]);
		avcard_source_stop(&card->channels[c].source);
		g_free(card->channels[c].segments);
		if (card->channels[c].line.bytes)
			munmap((void *)card->channels[c].line.data, card->channels[c].line.bytes);
	}
	avcard_set_link(pci, false);
	pcie_aer_exit(pci);
	pcie_cap_exit(pci);
	avcard_remove_bars(card);
}

/* Power-on, the bus's reset, and function level reset. */
static void avcard_reset(DeviceState *dev)
{
	avcard_reset_registers(AVCARD(dev));
}

static void avcard_class_init(ObjectClass *class, void *data)
{
	DeviceClass *dc = DEVICE_CLASS(class);
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(class);
	unsigned int i;

	avcard_check_qemu();
	pc->realize = avcard_realize;
	pc->exit = avcard_exit;
	pc->config_read = avcard_config_read;
	pc->config_write = avcard_config_write;
	pc->vendor_id = AVRING_PCI_VENDOR;
	pc->device_id = AVRING_PCI_DEVICE;
	pc->class_id = AVRING_PCI_CLASS >> 8;
	dc->desc = "avring PCI card";
	dc->reset = avcard_reset;
	set_bit(DEVICE_CATEGORY_MISC, dc->categories);
	device_class_set_props(dc, avcard_fixed_properties);
	for (i = 0; i < ARRAY_SIZE(avcard_properties); i++) {
		const struct avcard_property *p = &avcard_properties[i];

		object_class_property_add(class, p->name, p->is_flag ? "bool" : "int32", avcard_get,
					  p->is_read_only ? NULL : avcard_set, NULL, (void *)p);
	}
}

/* Not the interface of conventional PCI, too: the PCI Express capability would be refused. */
static InterfaceInfo avcard_interfaces[] = {
	{ INTERFACE_PCIE_DEVICE },
	{},
};

static const TypeInfo avcard_type = {
	.name = TYPE_AVCARD,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(struct avcard),
	.class_init = avcard_class_init,
	.interfaces = avcard_interfaces,
};

static void avcard_register(void)
{
	type_register_static(&avcard_type);
}

type_init(avcard_register);
