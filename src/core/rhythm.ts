/** Something done again and again, in step with something else. Times are those of one monotonic clock, in ms. Pure. */
export interface Rhythm {
  everyMs: number;
  /** It falls on this time, and on all that are whole steps before and after. */
  from: number;
}

/** When it is next due. Not right after the last time, which may have been a little late, or out of step. */
export function nextInRhythm({ everyMs, from }: Rhythm, last: number): number {
  const earliest = last + everyMs / 2;
  return from + Math.ceil((earliest - from) / everyMs) * everyMs;
}
