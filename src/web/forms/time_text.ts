/** Spans of time as people type them: "90 s", "15 min", "1 h 30 min", or plain seconds. Pure. */

const UNITS: readonly [word: string, seconds: number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
];
const PART =
  /(\d+(?:\.\d+)?)\s*(d|h|min|m|s)(?:s|ays?|ours?|utes?|ec|econds?)?(?=[\s\d,]|$)[\s,]*/giy;

/** Exact, so that it can be typed again. */
export function timeText(seconds: number): string {
  let rest = seconds;
  const parts: string[] = [];
  for (const [word, length] of UNITS) {
    const n = length === 1 ? rest : Math.floor(rest / length);
    if (n > 0) parts.push(`${n} ${word}`);
    rest -= n * length;
  }
  return parts.join(" ") || "0 s";
}

/** Seconds; null where it is no span of time. */
export function secondsIn(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  let [seconds, end] = [0, 0];
  for (const found of text.matchAll(PART)) {
    const word = found[2]!.toLowerCase().replace(/^m$/, "min");
    seconds += Number(found[1]) * UNITS.find(([unit]) => unit === word)![1];
    end += found[0].length;
  }
  if (end === 0 || end < text.length) return null;
  // 1.1 h are 3960 seconds, not a hair more.
  return Math.round(seconds * 1e6) / 1e6;
}
