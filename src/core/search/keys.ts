/** The keys of the search language, and what stands behind each. Pure. */

export const COMPARISONS = [">=", "<=", ">", "<", "="] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** How the value of a key is read. `name`: whole, and `*` stands for anything. */
export type ValueKind = "state" | "name" | "id" | "tag" | "time" | "number" | "text";

export interface KeyFacts {
  readonly kind: ValueKind;
  readonly help: string;
}

/** In the order in which they are offered. */
export const KEYS = {
  state: { kind: "state", help: "succeeded, failed, running, ready, …" },
  queue: { kind: "name", help: "its queue; * stands for anything" },
  name: { kind: "name", help: "its name, such as build/*" },
  org: { kind: "name", help: "its organization" },
  worker: { kind: "name", help: "where it ran last, by name or id" },
  tag: { kind: "tag", help: "KEY=VALUE, or KEY alone" },
  workflow: { kind: "name", help: "one that it is part of, by name or id" },
  created: { kind: "time", help: ">2026-11-01, or <24h for the last day" },
  ended: { kind: "time", help: "as created; only jobs that have ended" },
  priority: { kind: "number", help: "such as >10" },
  attempts: { kind: "number", help: "dispatches so far, such as >1" },
  error: { kind: "text", help: "part of its last error" },
  payload: { kind: "text", help: "part of its payload" },
  id: { kind: "id", help: "its whole id" },
} as const satisfies Record<string, KeyFacts>;

export type Key = keyof typeof KEYS;
export const KEY_NAMES = Object.keys(KEYS) as Key[];

export function isKey(text: string): text is Key {
  return Object.hasOwn(KEYS, text);
}

export function kindOf(key: Key): ValueKind {
  return KEYS[key].kind;
}

/** Of several such terms one is enough: a job has one state and one queue. All others must all hold. */
export function isEither(key: Key): boolean {
  const kind = kindOf(key);
  return kind === "state" || kind === "name" || kind === "id";
}
