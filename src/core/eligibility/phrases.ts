/** Figures and lists as people read them, the same whatever the locale. */

const LISTED_MAX = 8;

/** "nix, kvm", "a, b and 9,992 more", or "none". */
export function list(words: Iterable<string>): string {
  const shown: string[] = [];
  let more = 0;
  for (const word of words) {
    if (shown.length < LISTED_MAX) shown.push(word);
    else more += 1;
  }
  if (shown.length === 0) return "none";
  return more === 0 ? shown.join(", ") : `${shown.join(", ")} and ${number(more)} more`;
}

/** 12,345.5: at most two decimals, thousands set apart. */
export function number(value: number): string {
  const [whole, fraction] = String(Math.round(value * 100) / 100).split(".");
  const grouped = whole!.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** "1 slot", "3 slots". */
export function count(value: number, noun: string, plural = `${noun}s`): string {
  return `${number(value)} ${value === 1 ? noun : plural}`;
}

/** 2026-08-01T12:00:00Z, seconds only; "an unknown time" for what no calendar holds. */
export function instant(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "an unknown time";
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** "45 seconds", "3 minutes", "2 hours", "5 days": rounded up, for what is still to come. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 120) return count(seconds, "second");
  if (seconds < 7200) return count(Math.ceil(seconds / 60), "minute");
  if (seconds < 172_800) return count(Math.ceil(seconds / 3600), "hour");
  return count(Math.ceil(seconds / 86_400), "day");
}

/** The first line of a text, at most 200 characters, for quoting in a sentence. */
export function quote(text: string): string {
  const line = text.trim().split(/[\r\n]/, 1)[0]!;
  return line.length > 200 ? `${line.slice(0, 199).toWellFormed()}…` : line;
}
