/** Counts failures in a sliding window, by peer (see `address_group.ts`) and in all, in bounded memory. */

export interface AttemptLimitOptions {
  now(): number;
  windowMs: number;
  /** Failures one peer may have in a window. */
  each: number;
  /** Failures all peers together may have, against many addresses. */
  all: number;
}

const PEERS_MAX = 10_000;

export function attemptLimit(options: AttemptLimitOptions) {
  const peers = new Map<string, number[]>();
  let everyone: number[] = [];
  const recent = (times: number[]) => times.filter((t) => t > options.now() - options.windowMs);

  return {
    /** Seconds until another attempt is allowed; 0 is now. */
    waitSeconds(peer: string): number {
      everyone = recent(everyone);
      const own = recent(peers.get(peer) ?? []);
      if (own.length === 0) peers.delete(peer);
      const full = own.length >= options.each ? own : everyone;
      const limit = full === own ? options.each : options.all;
      const first = full[full.length - limit];
      if (first === undefined) return 0;
      return Math.max(1, Math.ceil((first + options.windowMs - options.now()) / 1000));
    },
    /** One failure, counted for each of these. */
    failed(...keys: string[]): void {
      everyone.push(options.now());
      for (const key of keys) {
        peers.set(key, [...recent(peers.get(key) ?? []), options.now()]);
        const oldest = peers.keys().next().value;
        if (peers.size > PEERS_MAX && oldest !== undefined) peers.delete(oldest);
      }
    },
    /** What was counted beforehand was none. */
    succeeded(...keys: string[]): void {
      everyone.pop();
      for (const key of keys) peers.delete(key);
    },
  };
}
