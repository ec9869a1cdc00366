/* SPDX-License-Identifier: MIT */
/*
 * A board writes a ring (driver/pci/lane.c): the driver gives up the tail and then allows the board
 * a frame by a register, and publishes what has landed. Partners as in ring.pml, where the barriers of
 * the reader are taken away; here it is what the register orders, and what the completion does.
 *
 * The board obeys: it writes a frame when that is granted, and completes it when it has written.
 */
#define FRAMES 3
#define SLOTS 2

byte tail = 1, head;
byte data[SLOTS];

bool T[FRAMES + 1], G[FRAMES + 1], D[FRAMES + 1], C[FRAMES + 1], L[FRAMES + 1], H[FRAMES + 1];
bool done;
byte wanted, r_head, r_data, r_tail;

/* writel() comes behind all stores to memory before it. */
#ifdef NO_WRITEL
#define BEHIND_TAIL(n) true
#else
#define BEHIND_TAIL(n) T[n]
#endif
/* What the board has written is there when its completion is. */
#ifdef NO_BOARD_ORDER
#define BEHIND_DATA(n) true
#else
#define BEHIND_DATA(n) D[n]
#endif

proctype driver_gives_up(byte n)
{
	/* For the frame that is granted; one is published before the next is given up. */
	atomic { T[n - 1] && (n <= SLOTS || L[n - SLOTS]) ->
		tail = (n > SLOTS -> n - SLOTS + 1 : 1); T[n] = true }
}

proctype driver_grants(byte n)
{
	atomic { BEHIND_TAIL(n) && G[n - 1] && (n <= SLOTS || L[n - SLOTS]) -> G[n] = true }
}

proctype board_writes(byte n)
{
	atomic { G[n] && D[n - 1] -> data[n % SLOTS] = n; D[n] = true }
}

proctype board_completes(byte n)
{
	atomic { G[n] && BEHIND_DATA(n) && C[n - 1] -> C[n] = true }
}

proctype driver_publishes(byte n)
{
	atomic { C[n] && L[n - 1] -> L[n] = true; head = n; H[n] = true }
}

proctype reader()
{
	r_head = head;
	r_data = data[wanted % SLOTS];
	r_tail = tail;
	done = true
}

init {
	byte n;

	T[0] = true; G[0] = true; D[0] = true; C[0] = true; L[0] = true; H[0] = true;
	select (wanted : 1 .. FRAMES);
	atomic {
		for (n : 1 .. FRAMES) {
			run driver_gives_up(n); run driver_grants(n); run board_writes(n);
			run board_completes(n); run driver_publishes(n)
		}
		run reader()
	}
	done;
	if
	:: r_head >= wanted && r_tail <= wanted -> assert(r_data == wanted)
	:: else
	fi
}
