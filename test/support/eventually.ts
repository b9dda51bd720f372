/** Waits for something that becomes true by itself. */

export interface EventuallyOptions {
  /** Give up after this long. The default is for a machine that others use too: nobody waits it out. */
  deadlineMs?: number;
  /** Time between two looks. */
  everyMs?: number;
}

/**
 * Calls `probe` until it returns something truthy, and returns that. A probe that throws counts as
 * "not yet". Rejects at the deadline with `message` and what the last look said.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  message: string,
  { deadlineMs = 30_000, everyMs = 25 }: EventuallyOptions = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + deadlineMs;
  let last = "";
  for (;;) {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      last = String(value);
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() >= deadline) {
      throw new Error(`Not within ${deadlineMs} ms: ${message} (last look: ${last})`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
