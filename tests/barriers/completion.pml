/* SPDX-License-Identifier: MIT */
/*
 * The completion queue of a board (driver/pci/channel.c): the board writes all of a completion and
 * then its flags, whose phase says that it is new; the driver looks at the flags, then at the rest,
 * and then says by a register that the place is free. NO_... takes away what orders two of these.
 */
#define FRAMES 4
#define PLACES 2

byte rest[PLACES], taken;
bool phase[PLACES];

bool R[FRAMES + 1], F[FRAMES + 1];			/* the board's stores */
bool saw[FRAMES + 1], looked[FRAMES + 1], told[FRAMES + 1];	/* the driver's accesses */
byte r_rest[FRAMES + 1];

#define PLACE(n) (((n) - 1) % PLACES)
#define PHASE(n) (((n) - 1) / PLACES % 2 == 0)
#define IS_FREE(n) (taken + PLACES >= n)

#ifdef NO_BOARD_ORDER
#define BEHIND_REST(n) true
#else
#define BEHIND_REST(n) R[n]
#endif
#ifdef NO_DMA_RMB
#define BEHIND_FLAGS(n) true
#else
#define BEHIND_FLAGS(n) saw[n]
#endif
#ifdef NO_WRITEL
#define BEHIND_LOOK(n) true
#else
#define BEHIND_LOOK(n) looked[n]
#endif

proctype board_rest(byte n)
{
	atomic { IS_FREE(n) && R[n - 1] -> rest[PLACE(n)] = n; R[n] = true }
}

proctype board_flags(byte n)
{
	atomic { IS_FREE(n) && BEHIND_REST(n) && F[n - 1] -> phase[PLACE(n)] = PHASE(n); F[n] = true }
}

/* One completion after the other. */
proctype driver_flags(byte n)
{
	atomic { saw[n - 1] && phase[PLACE(n)] == PHASE(n) -> saw[n] = true }
}

proctype driver_rest(byte n)
{
	atomic { BEHIND_FLAGS(n) && looked[n - 1] -> r_rest[n] = rest[PLACE(n)]; looked[n] = true }
}

proctype driver_tells(byte n)
{
	atomic { saw[n] && BEHIND_LOOK(n) && told[n - 1] -> taken = n; told[n] = true }
}

init {
	byte n;

	R[0] = true; F[0] = true; saw[0] = true; looked[0] = true; told[0] = true;
	atomic {
		for (n : 1 .. FRAMES) {
			run board_rest(n); run board_flags(n);
			run driver_flags(n); run driver_rest(n); run driver_tells(n)
		}
	}
	told[FRAMES] && looked[FRAMES];
	for (n : 1 .. FRAMES) {
		assert(r_rest[n] == n)
	}
}
