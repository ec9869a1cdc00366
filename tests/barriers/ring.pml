/* SPDX-License-Identifier: MIT */
/*
 * Barriers A and B of a ring (include/uapi/linux/avring.h): what a reader finds published and not
 * given up is the frame that he asked for.
 *
 * Each access is a process of its own. It takes place at any time after those that a barrier, or the
 * place that both go to, orders before it: so accesses of one thread are seen in any order that no
 * barrier forbids, by all others at once (ARMv8; x86 reorders less). Frames count from 1. NO_...
 * takes one barrier away, and then the assertion must fail.
 */
#define FRAMES 4
#define SLOTS 2

byte tail = 1, head;		/* first intact frame, last published one */
byte entry[SLOTS], data[SLOTS];	/* the frame that lies there */

bool T[FRAMES + 1], D[FRAMES + 1], E[FRAMES + 1], H[FRAMES + 1];	/* stores that are done */
bool loaded_head, loaded_entry, loaded_data, loaded_tail;
byte wanted, r_head, r_entry, r_data, r_tail;

#ifdef NO_WRITER_A
#define BEHIND_A(n) true
#else
#define BEHIND_A(n) (T[n] && H[n - 1])
#endif
#ifdef NO_WRITER_B
#define BEHIND_B(n) true
#else
#define BEHIND_B(n) (T[n] && D[n] && E[n])
#endif
#ifdef NO_READER_A
#define READER_A true
#else
#define READER_A (loaded_entry && loaded_data)
#endif
#ifdef NO_READER_B
#define READER_B true
#else
#define READER_B loaded_head
#endif

#define PLACE(n) ((n) % SLOTS)
#define BEFORE(done, n) ((n) <= SLOTS || done[(n) - SLOTS])	/* the last one there */

/* The writer: tail, A, data and entry, B, head. */
proctype store_tail(byte n)
{
	atomic { T[n - 1] && BEHIND_B(n - 1) -> tail = (n > SLOTS -> n - SLOTS + 1 : 1); T[n] = true }
}

proctype store_data(byte n)
{
	atomic { BEHIND_A(n) && BEHIND_B(n - 1) && BEFORE(D, n) -> data[PLACE(n)] = n; D[n] = true }
}

proctype store_entry(byte n)
{
	atomic { BEHIND_A(n) && BEHIND_B(n - 1) && BEFORE(E, n) -> entry[PLACE(n)] = n; E[n] = true }
}

proctype store_head(byte n)
{
	atomic { BEHIND_A(n) && BEHIND_B(n) && H[n - 1] -> head = n; H[n] = true }
}

/* The reader: head, B, entry and data, A, tail. */
proctype load_head()
{
	atomic { r_head = head; loaded_head = true }
}

proctype load_entry()
{
	atomic { READER_B -> r_entry = entry[PLACE(wanted)]; loaded_entry = true }
}

proctype load_data()
{
	atomic { READER_B -> r_data = data[PLACE(wanted)]; loaded_data = true }
}

proctype load_tail()
{
	atomic { READER_B && READER_A -> r_tail = tail; loaded_tail = true }
}

init {
	byte n;

	T[0] = true; D[0] = true; E[0] = true; H[0] = true;
	select (wanted : 1 .. FRAMES);
	atomic {
		for (n : 1 .. FRAMES) {
			run store_tail(n); run store_data(n); run store_entry(n); run store_head(n)
		}
		run load_head(); run load_entry(); run load_data(); run load_tail()
	}
	loaded_head && loaded_entry && loaded_data && loaded_tail;
	if
	:: r_head >= wanted && r_tail <= wanted -> assert(r_entry == wanted && r_data == wanted)
	:: else
	fi
}
