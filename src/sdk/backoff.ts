/** How long a client waits before it asks again. Pure: chance is an argument. */

const BASE_MS = 100;
const MAX_MS = 5_000;
/** A server may ask for patience, but not hold a client for ever. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Milliseconds before try `n + 1` (n counts failures from 1): doubled each time, spread by
 * `random` in [0, 1) over half to whole, so that many clients do not come back at once.
 */
export function retryDelayMs(failures: number, random: number, retryAfterMs?: number): number {
  if (retryAfterMs !== undefined) return Math.min(MAX_RETRY_AFTER_MS, retryAfterMs);
  const whole = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(failures - 1, 16));
  return whole * (0.5 + random / 2);
}

/** `Retry-After` in milliseconds: seconds or a date. Undefined where absent or senseless. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}
