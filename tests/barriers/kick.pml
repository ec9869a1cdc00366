/* SPDX-License-Identifier: MIT */
/*
 * Barrier A of the engine (driver/virtual/engine.c): who changes something, under a lock, sets "kicked"
 * and wakes the thread; the thread clears "kicked", looks, under the same lock, and sleeps if nobody has
 * kicked since. A change that the thread never looks at is an end state that is none.
 *
 * The store to "kicked" comes behind the lock and is otherwise in no order with the change; the wake-up
 * comes behind both (a full barrier in wake_up_process()). The thread clears before it releases the
 * lock, which is all that is asked of smp_store_mb(), and says that it sleeps before it looks at
 * "kicked" (set_current_state()). NO_... takes one of these away.
 */
bool changed, kicked, asleep;
bool seen, locked, inside, has_changed, has_kicked;

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

active proctype change()
{
	lock();
	inside = true;
	changed = true;
	has_changed = true;
	unlock()
}

active proctype kick()
{
#ifndef NO_KICK_LOCK
	inside;
#endif
	kicked = true;
	has_kicked = true
}

active proctype wake()
{
#ifndef NO_WAKE_BARRIER
	has_changed && has_kicked;
#endif
	asleep = false
}

active proctype thread()
{
	bool was_kicked;

	do
	:: seen -> break
	:: else ->
#ifdef NO_CLEAR_FIRST
		lock();
		seen = changed;
		unlock();
		kicked = false;
#else
		lock();
		seen = changed;
		kicked = false;	/* as late as may be */
		unlock();
#endif
#ifdef NO_STATE_BARRIER
		was_kicked = kicked;
		asleep = true;
#else
		asleep = true;
		was_kicked = kicked;
#endif
		if
		:: was_kicked || seen -> asleep = false
		:: else -> !asleep	/* schedule() */
		fi
	od
}
