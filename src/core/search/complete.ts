/** What can be typed where the caret stands in a search, and what becomes of it. Pure. */
import { isKey, KEY_NAMES, KEYS, type Key } from "./keys.ts";
import { quoted } from "./print.ts";
import { tokensOf } from "./token.ts";

/** The part that is being typed: all before the caret decides, and the whole of it is replaced. */
export interface Asked {
  negated: boolean;
  /** Null: a key is to be chosen, or a word is being typed. */
  key: Key | null;
  /** Of the key or of its value. */
  prefix: string;
  start: number;
  end: number;
}

export interface Offer {
  label: string;
  hint: string;
  /** What was typed, with it. */
  text: string;
  caret: number;
}

export function askedAt(typed: string, caret: number): Asked {
  const at = Math.max(0, Math.min(typed.length, caret));
  const token = tokensOf(typed).find(({ start, end }) => start <= at && at <= end);
  const start = token?.start ?? at;
  const before = typed.slice(start, at);
  const negated = before.startsWith("-");
  const rest = negated ? before.slice(1) : before;
  const colon = rest.indexOf(":");
  const key = colon < 0 ? "" : rest.slice(0, colon).toLowerCase();
  const place = { negated, start, end: token?.end ?? at };
  if (!isKey(key)) return { ...place, key: null, prefix: rest };
  return { ...place, key, prefix: rest.slice(colon + 1).replaceAll('"', "") };
}

export function keyOffers(typed: string, asked: Asked): Offer[] {
  const prefix = asked.prefix.toLowerCase();
  return KEY_NAMES.filter((key) => key.startsWith(prefix)).map((key) =>
    offer(typed, asked, {
      label: `${key}:`,
      hint: KEYS[key].help,
      value: `${key}:`,
      isWhole: false,
    }),
  );
}

/** `values` as a term takes them; one that ends in `=` goes on. */
export function valueOffers(typed: string, asked: Asked, values: readonly string[]): Offer[] {
  return values.map((value) => {
    const isWhole = !(asked.key === "tag" && value.endsWith("="));
    const written = `${asked.key}:${/["\s]/.test(value) ? quoted(value) : value}`;
    return offer(typed, asked, { label: value, hint: "", value: written, isWhole });
  });
}

interface Choice {
  label: string;
  hint: string;
  value: string;
  /** A blank follows, so that the next can be typed. */
  isWhole: boolean;
}

function offer(typed: string, asked: Asked, { label, hint, value, isWhole }: Choice): Offer {
  const { start, end, negated } = asked;
  const rest = typed.slice(end);
  const blank = isWhole && !rest.startsWith(" ") ? " " : "";
  const head = `${typed.slice(0, start)}${negated ? "-" : ""}${value}`;
  const caret = head.length + (isWhole ? 1 : 0);
  return { label, hint, text: `${head}${blank}${rest}`, caret };
}
