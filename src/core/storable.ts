/**
 * What PostgreSQL cannot store is cleaned at the edge (engine rule 5): NUL and lone surrogates in
 * any text, keys included; and depth and size are bounded. One `\u0000` in 1,000 results makes the
 * whole batch fail, and a beat that is retried fails for ever.
 *
 * Nearly everything is clean already, so a clean value comes back as the same reference.
 */

const NUL = "\u0000";
const REPLACEMENT = "\uFFFD";

export interface StorableLimits {
  /** Of the value written as JSON in UTF-8. */
  maxBytes: number;
  /** A number or a text has depth 0, `[]` has 1, `[[]]` has 2. */
  maxDepth: number;
}

/** What a payload or a result may be (contract: 256 KiB). */
export const JSON_LIMITS: Readonly<StorableLimits> = { maxBytes: 256 * 1024, maxDepth: 64 };

export type Storable = { ok: true; value: unknown } | { ok: false; reason: string };

/** NUL and each lone surrogate become U+FFFD; a clean text is returned as it is. */
export function cleanText(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed();
  return formed.includes(NUL) ? formed.replaceAll(NUL, REPLACEMENT) : formed;
}

/** Clean text of at most `maxLength` UTF-16 units, never ending in half a character. */
export function clipText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return cleanText(text);
  const last = text.charCodeAt(maxLength - 1);
  const splits = last >= 0xd800 && last <= 0xdbff;
  return cleanText(text.slice(0, splits ? maxLength - 1 : maxLength));
}

/**
 * Cleans a JSON value deeply, keys too. The same reference where nothing had to change.
 * Two keys that become the same: the later one stays, as in JSON itself. What is nested deeper than
 * `maxDepth` is replaced by null, so that nothing overflows the stack; `storable` refuses instead.
 */
export function cleanJson(value: unknown, maxDepth = JSON_LIMITS.maxDepth): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value !== "object" || value === null) return value;
  if (maxDepth <= 0) return null;
  return Array.isArray(value) ? cleanArray(value, maxDepth) : cleanObject(value, maxDepth);
}

/** Says in a sentence why a value cannot be stored even when cleaned, or null where it can. */
export function checkStorable(value: unknown, limits: StorableLimits = JSON_LIMITS): string | null {
  if (isDeeper(value, limits.maxDepth)) {
    return `It is nested deeper than ${limits.maxDepth} levels.`;
  }
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    return "It cannot be written as JSON.";
  }
  if (json !== undefined && isLonger(json, limits.maxBytes)) {
    return `It is larger than ${limits.maxBytes} bytes when written as JSON.`;
  }
  return null;
}

/** Checked, then cleaned: what cleaning puts in is never longer in JSON than what it takes out. */
export function storable(value: unknown, limits: StorableLimits = JSON_LIMITS): Storable {
  const reason = checkStorable(value, limits);
  if (reason !== null) return { ok: false, reason };
  return { ok: true, value: cleanJson(value, limits.maxDepth) };
}

// Cleaning: each value is visited once, and copied only from where the first change was found

function cleanArray(list: readonly unknown[], maxDepth: number): unknown {
  let copy: unknown[] | undefined;
  for (let at = 0; at < list.length; at += 1) {
    const item = cleanJson(list[at], maxDepth - 1);
    if (copy !== undefined) copy.push(item);
    else if (!Object.is(item, list[at])) copy = [...list.slice(0, at), item];
  }
  return copy ?? list;
}

function cleanObject(object: object, maxDepth: number): unknown {
  const entries = Object.entries(object);
  let changed = false;
  for (const entry of entries) {
    const key = cleanText(entry[0]);
    const item = cleanJson(entry[1], maxDepth - 1);
    changed ||= key !== entry[0] || !Object.is(item, entry[1]);
    entry[0] = key;
    entry[1] = item;
  }
  // fromEntries defines own properties, so that a key called __proto__ stays a mere key.
  return changed ? Object.fromEntries(entries) : object;
}

// Measuring

/** Stops at the first way that is too deep, so that a circle ends it soon. */
function isDeeper(value: unknown, maxDepth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (maxDepth <= 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeper(item, maxDepth - 1));
  return Object.values(value).some((item) => isDeeper(item, maxDepth - 1));
}

/** Whether a text has more than `maxBytes` in UTF-8; counts only where its length is no answer. */
function isLonger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  if (text.length * 3 <= maxBytes) return false;
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair is half of four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes > maxBytes;
}
