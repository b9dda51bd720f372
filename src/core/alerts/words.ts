/** Figures inside sentences of alerts, the same in messages, on the board and in the API. Pure. */

const UNITS: readonly [ms: number, one: string][] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
];

/** "2 hours 5 minutes", "45 seconds": two units at most. */
export function span(ms: number): string {
  const at = UNITS.findIndex(([unit]) => ms >= unit);
  if (at === -1) return `${Math.max(0, Math.round(ms))} ms`;
  const [unit, one] = UNITS[at]!;
  const head = `${Math.floor(ms / unit)} ${many(Math.floor(ms / unit), one)}`;
  const next = UNITS[at + 1];
  const rest = next ? Math.floor((ms % unit) / next[0]) : 0;
  return next && rest > 0 ? `${head} ${rest} ${many(rest, next[1])}` : head;
}

/** "18 %", "5.5 %"; never a round figure that is not true at an end: "99.9 %" is not "100 %". */
export function share(value: number): string {
  const percent = value * 100;
  const rounded = Math.round(percent * 10) / 10;
  if (rounded === 100 && percent < 100) return "99.9 %";
  if (rounded === 0 && percent > 0) return "0.1 %";
  return `${rounded} %`;
}

export function figure(n: number): string {
  return (Math.round(n * 100) / 100).toLocaleString("en-US");
}

export function counted(n: number, one: string): string {
  return `${figure(n)} ${many(n, one)}`;
}

const many = (n: number, one: string) => (n === 1 ? one : `${one}s`);
