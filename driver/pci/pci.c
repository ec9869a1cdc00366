// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: the PCI card as a whole. See pci/pci.h.
 *
 * Interrupts are threaded, so that whatever happens to a channel happens in process
 * context under its lock. An interrupt is a hint: completions are told from old ones by
 * their phase, and a watchdog looks for those nobody told of.
 */
#include <linux/delay.h>
#include <linux/iopoll.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/pm_runtime.h>

#include "compat.h"
#include "pci/pci_priv.h"

#define AVRING_PCI_WATCHDOG_MS	250

/* Errors of the bus look like a card that is gone, until somebody tells. */
#define AVRING_PCI_AGAIN_MS	100

/* Unbound, several works at a time: one of them may wait for another. */
struct workqueue_struct *avring_pci_queue;

/* A clock that has jumped so often fails; each minute one is forgiven. */
#define AVRING_PCI_MAX_JUMPS	8
#define AVRING_PCI_JUMP_NS	(60 * NSEC_PER_SEC)

/* Nobody has looked for so long: how the clocks went meanwhile is not to be made good slowly. */
#define AVRING_PCI_UNSEEN_NS	NSEC_PER_SEC

/*
 * Return: true with a reference that keeps it so. Where the kernel knows nothing of power the
 * card never sleeps.
 */
static bool avring_pci_awake(const struct avring_pci *pci)
{
	if (!IS_ENABLED(CONFIG_PM))
		return true;
	return avring_pm_runtime_get_if_active(avring_pci_dev(pci)) > 0;
}

/* Return: false if the card is gone, which it stays. */
static bool avring_pci_move_locked(struct avring_pci *pci, enum avring_pci_state state)
{
	lockdep_assert_held(&pci->lock);
	if (pci->state == AVRING_PCI_GONE)
		return false;
	WRITE_ONCE(pci->state, state);
	return true;
}

static bool avring_pci_move(struct avring_pci *pci, enum avring_pci_state state)
{
	bool moved;

	mutex_lock(&pci->lock);
	moved = avring_pci_move_locked(pci, state);
	mutex_unlock(&pci->lock);
	return moved;
}

/**
 * avring_pci_fail() - the card is broken, and the watchdog tells everybody
 * @pci: the card
 *
 * Context: process, a channel's lock may be held.
 */
void avring_pci_fail(struct avring_pci *pci)
{
	avring_pci_move(pci, AVRING_PCI_BROKEN);
	avring_pci_look(pci);
}

/* The channels that run find that out themselves. */
static void avring_pci_jumped(struct avring_pci *pci)
{
	const u64 minutes = div64_u64(pci->clock_ns - pci->forgiven_ns, AVRING_PCI_JUMP_NS);

	pci->jumps -= min_t(u64, pci->jumps, minutes);
	pci->forgiven_ns += minutes * AVRING_PCI_JUMP_NS;
	if (!pci->jumps)
		pci->forgiven_ns = pci->clock_ns;
	dev_warn_ratelimited(avring_pci_dev(pci), "the card's clock has jumped, by %lld ns\n",
			     pci->servo.ahead_ns);
	if (++pci->jumps < AVRING_PCI_MAX_JUMPS)
		return;
	if (avring_pci_move_locked(pci, AVRING_PCI_BROKEN))
		pci_err(pci->pdev, "the card's clock cannot be followed\n");
	avring_pci_look(pci);
}

/*
 * Compare the card's clock with ours. The shortest of a few readings counts, and of that the
 * middle. All ones are a time, too, if the card is there. Return: 0, or -ENODEV.
 */
static int avring_pci_read_clock(struct avring_pci *pci)
{
	struct avring_servo_reading now = { .off_ns = U64_MAX };
	u64 before, mono, off, low, high;
	int i;

	for (i = 0; i < 4; i++) {
		before = ktime_get_raw_ns();
		mono = ktime_get_ns();
		low = avring_pci_read(pci, AVRING_PCI_REG_TIME);
		off = (ktime_get_raw_ns() - before) / 2;
		high = avring_pci_read(pci, AVRING_PCI_REG_TIME + 4);
		if (off < now.off_ns)
			now = (struct avring_servo_reading){ high << 32 | low, mono + off,
							     before + off, off };
	}
	if (now.card_ns == U64_MAX && !avring_pci_is_there(pci)) {
		avring_pci_look(pci);
		return -ENODEV;
	}
	pci->clock_ns = now.mono_ns;
	if (!avring_servo_update(&pci->servo, &now))
		avring_pci_jumped(pci);
	return 0;
}

/**
 * avring_pci_state_error() - may channels run?
 * @pci: the card
 *
 * Return: 0, also while it is paused; -EIO, -ENODEV.
 */
int avring_pci_state_error(const struct avring_pci *pci)
{
	switch (READ_ONCE(pci->state)) {
	case AVRING_PCI_BROKEN:
		return -EIO;
	case AVRING_PCI_GONE:
		return -ENODEV;
	default:
		return 0;
	}
}

/**
 * avring_pci_use() - a channel begins to run: the card is powered and watched
 * @pci: the card
 *
 * Return: 0 or a negative errno.
 */
int avring_pci_use(struct avring_pci *pci)
{
	int err = pm_runtime_resume_and_get(avring_pci_dev(pci));

	if (err)
		return err;
	mutex_lock(&pci->lock);
	if (!pci->users && ktime_get_ns() - pci->unused_ns > AVRING_PCI_UNSEEN_NS)
		avring_servo_forget(&pci->servo);
	err = avring_pci_read_clock(pci) ?: avring_pci_state_error(pci);
	if (err) {
		mutex_unlock(&pci->lock);
		pm_runtime_put_autosuspend(avring_pci_dev(pci));
		return err;
	}
	if (!pci->users++) {
		/* What happened while nobody listened: a bit that stays set is not told again. */
		avring_pci_write(pci, AVRING_PCI_REG_EVENTS,
				 AVRING_PCI_EVENT_SIGNAL | AVRING_PCI_EVENT_FAULT);
		queue_delayed_work(avring_pci_queue, &pci->watchdog,
				   msecs_to_jiffies(AVRING_PCI_WATCHDOG_MS));
	}
	mutex_unlock(&pci->lock);
	return 0;
}

/**
 * avring_pci_unuse() - undo avring_pci_use()
 * @pci: the card
 */
void avring_pci_unuse(struct avring_pci *pci)
{
	mutex_lock(&pci->lock);
	if (!--pci->users)
		pci->unused_ns = ktime_get_ns();
	mutex_unlock(&pci->lock);
	pm_runtime_mark_last_busy(avring_pci_dev(pci));
	pm_runtime_put_autosuspend(avring_pci_dev(pci));
}

/**
 * avring_pci_look() - let the watchdog look at once
 * @pci: the card
 */
void avring_pci_look(struct avring_pci *pci)
{
	mod_delayed_work(avring_pci_queue, &pci->watchdog, 0);
}

/**
 * avring_pci_signal() - has the line input a signal?
 * @pci: the card
 *
 * Return: true if so, and if the card sleeps.
 */
bool avring_pci_signal(struct avring_pci *pci)
{
	bool signal = true;

	if (avring_pci_awake(pci)) {
		signal = avring_pci_read(pci, AVRING_PCI_REG_STATUS) & AVRING_PCI_STATUS_SIGNAL;
		pm_runtime_put_autosuspend(avring_pci_dev(pci));
	}
	return signal;
}

/* FAULT stays until the watchdog has said what it was. */
static void avring_pci_take_events(struct avring_pci *pci)
{
	const u32 events = avring_pci_read(pci, AVRING_PCI_REG_EVENTS);

	if (events == AVRING_PCI_NOBODY) {
		avring_pci_look(pci);
		return;
	}
	avring_pci_write(pci, AVRING_PCI_REG_EVENTS, events & ~AVRING_PCI_EVENT_FAULT);
	if (events & AVRING_PCI_EVENT_FAULT)
		avring_pci_look(pci);
	if (events & AVRING_PCI_EVENT_SIGNAL)
		pci->signal_changed(pci->data);
}

/**
 * avring_pci_event_irq() - something has happened to the card
 * @irq: unused
 * @data: the card
 *
 * A card that sleeps has no events; they are cleared when it wakes up.
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t avring_pci_event_irq(int irq, void *data)
{
	struct avring_pci *pci = data;

	if (avring_pci_awake(pci)) {
		avring_pci_take_events(pci);
		pm_runtime_put_autosuspend(avring_pci_dev(pci));
	}
	return IRQ_HANDLED;
}

/* All ones, and again; and nobody has begun to reset the card meanwhile. */
static bool avring_pci_is_gone(const struct avring_pci *pci)
{
	if (READ_ONCE(pci->state) != AVRING_PCI_UP || pci_channel_offline(pci->pdev) ||
	    avring_pci_read(pci, AVRING_PCI_REG_ID) != AVRING_PCI_NOBODY)
		return false;
	msleep(AVRING_PCI_AGAIN_MS);
	return READ_ONCE(pci->state) == AVRING_PCI_UP && !pci_channel_offline(pci->pdev) &&
	       avring_pci_read(pci, AVRING_PCI_REG_ID) == AVRING_PCI_NOBODY;
}

/* Return: false if meanwhile somebody else has decided what becomes of the card. */
static bool avring_pci_lose(struct avring_pci *pci)
{
	bool lost;

	mutex_lock(&pci->lock);
	lost = pci->state == AVRING_PCI_UP;
	if (lost)
		WRITE_ONCE(pci->state, AVRING_PCI_GONE);
	mutex_unlock(&pci->lock);
	return lost;
}

static void avring_pci_end_all(struct avring_pci *pci)
{
	struct avring_pci_channel *ch;

	for (ch = pci->channels; ch < pci->channels + AVRING_PCI_CHANNELS; ch++) {
		mutex_lock(&ch->lock);
		avring_pci_end(ch, avring_pci_state_error(pci));
		mutex_unlock(&ch->lock);
	}
}

static void avring_pci_look_around(struct avring_pci *pci)
{
	unsigned int i;

	if (avring_pci_is_gone(pci)) {
		if (!avring_pci_lose(pci))
			return;
		pci_err(pci->pdev, "the card does not answer any more\n");
		avring_pci_end_all(pci);
		pci->vanished(pci->data);
		return;
	}
	mutex_lock(&pci->lock);
	if (pci->users && pci->state == AVRING_PCI_UP)
		avring_pci_read_clock(pci);
	mutex_unlock(&pci->lock);
	for (i = 0; i < AVRING_PCI_CHANNELS; i++)
		avring_pci_watch(&pci->channels[i]);
	avring_pci_write(pci, AVRING_PCI_REG_EVENTS, AVRING_PCI_EVENT_FAULT);
}

/**
 * avring_pci_watchdog() - look for what nobody told of: a card that is gone, frames
 * @work: of the card
 */
void avring_pci_watchdog(struct work_struct *work)
{
	struct avring_pci *pci = container_of(to_delayed_work(work), struct avring_pci, watchdog);
	bool again;

	/* A card that sleeps has nothing to tell, and looks like one that is gone. */
	if (avring_pci_awake(pci)) {
		avring_pci_look_around(pci);
		pm_runtime_put_autosuspend(avring_pci_dev(pci));
	}
	mutex_lock(&pci->lock);
	again = pci->users && pci->state != AVRING_PCI_GONE;
	mutex_unlock(&pci->lock);
	if (again)
		queue_delayed_work(avring_pci_queue, &pci->watchdog,
				   msecs_to_jiffies(AVRING_PCI_WATCHDOG_MS));
}

/**
 * avring_pci_break() - end all channels, and let none start
 * @pci: the card
 * @state: AVRING_PCI_BROKEN or AVRING_PCI_GONE
 *
 * Owners of channels that are paused are told, too. Context: process, no lock of a
 * channel held.
 *
 * Return: false if the card was gone already.
 */
bool avring_pci_break(struct avring_pci *pci, enum avring_pci_state state)
{
	if (!avring_pci_move(pci, state))
		return false;
	avring_pci_end_all(pci);
	return true;
}

/**
 * avring_pci_pause() - stop all channels; avring_pci_resume() lets them go on
 * @pci: the card
 *
 * Context: process, no lock of a channel held. A start is accepted meanwhile.
 */
void avring_pci_pause(struct avring_pci *pci)
{
	struct avring_pci_channel *ch;

	mutex_lock(&pci->lock);
	if (!avring_pci_state_error(pci))
		WRITE_ONCE(pci->state, AVRING_PCI_PAUSED);
	mutex_unlock(&pci->lock);
	for (ch = pci->channels; ch < pci->channels + AVRING_PCI_CHANNELS; ch++) {
		mutex_lock(&ch->lock);
		avring_pci_stop(ch);
		mutex_unlock(&ch->lock);
	}
}

/**
 * avring_pci_reset() - bring the registers into a known state
 * @pci: the card; no channel runs
 *
 * Return: 0, -ENODEV nobody answers, -EIO the reset does not end.
 */
int avring_pci_reset(struct avring_pci *pci)
{
	u32 control;

	/* What it may still do from before must not reach memory. */
	pci_clear_master(pci->pdev);
	if (!avring_pci_is_there(pci))
		return -ENODEV;
	avring_pci_write(pci, AVRING_PCI_REG_CONTROL, AVRING_PCI_CONTROL_RESET);
	if (read_poll_timeout(avring_pci_read, control, !(control & AVRING_PCI_CONTROL_RESET), 20,
			      AVRING_PCI_STOP_US, false, pci, AVRING_PCI_REG_CONTROL))
		return -EIO;
	pci_set_master(pci->pdev);
	avring_pci_write(pci, AVRING_PCI_REG_EVENTS_ENABLE,
			 AVRING_PCI_EVENT_SIGNAL | AVRING_PCI_EVENT_FAULT);
	return 0;
}

/**
 * avring_pci_resume() - let channels go on after avring_pci_pause()
 * @pci: the card, powered and with its configuration space restored
 *
 * Also mends a card that was broken.
 *
 * Return: 0, or as avring_pci_reset().
 */
int avring_pci_resume(struct avring_pci *pci)
{
	struct avring_pci_channel *ch;
	int err;

	if (pci->state == AVRING_PCI_GONE)
		return -ENODEV;
	err = avring_pci_reset(pci);
	if (err)
		return err;
	mutex_lock(&pci->lock);
	pci->jumps = 0;
	avring_servo_forget(&pci->servo);
	err = avring_pci_read_clock(pci);
	/* Who has let go of the card meanwhile has the last word. */
	if (!err && !avring_pci_move_locked(pci, AVRING_PCI_UP))
		err = -ENODEV;
	mutex_unlock(&pci->lock);
	if (err)
		return err;
	for (ch = pci->channels; ch < pci->channels + AVRING_PCI_CHANNELS; ch++) {
		mutex_lock(&ch->lock);
		ch->breaches = 0;
		err = ch->running || !ch->ops ? 0 : ch->ops->restart(ch->data);
		if (err)
			avring_pci_end(ch, err);
		mutex_unlock(&ch->lock);
	}
	return 0;
}
