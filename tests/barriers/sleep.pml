/* SPDX-License-Identifier: MIT */
/*
 * Barrier C of a ring (driver/ring/reader.c): who goes to sleep enters his wait queue and then looks at
 * the ring under its lock; the writer publishes and then looks who waits, under the same. A lost
 * wake-up is a reader who sleeps for ever: an end state that is none.
 *
 * What is stored before a lock is released is seen by the next who takes it, and no store and load
 * of one thread are in order otherwise. NO_LOCK looks without the lock, NO_QUEUE_FIRST looks and
 * then enters the queue.
 */
bool published, queued, woken;
bool locked;
bool h_done, q_done;
bool seen, slept;

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

/* The frame, and the look at the queue, in either order: a store and a load. */
active proctype writer()
{
	bool waits, looked = false;

	lock();
	do
	:: !h_done -> atomic { published = true; h_done = true }
	:: !looked -> atomic { waits = queued; looked = true }
	:: h_done && looked -> break
	od;
	if
	:: waits -> woken = true
	:: else
	fi;
	unlock()
}

inline look()
{
#ifdef NO_LOCK
	seen = published;
#else
	lock();
	seen = published;
#ifndef NO_QUEUE_FIRST
	q_done;			/* a release: what was stored before it is there */
#endif
	unlock();
#endif
}

/* The store that enters the queue, seen by others when it likes, but for what orders it. */
active proctype enter()
{
#ifdef NO_QUEUE_FIRST
	slept;
#endif
	atomic { queued = true; q_done = true }
}

active proctype reader()
{
	look();
	slept = true;
	if
	:: seen
	:: else -> woken	/* sleeps until he is woken */
	fi
}
