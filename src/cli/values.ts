/** Values as they are typed on a command line: each is checked where it is read. */
import { InvalidArgumentError } from "commander";
import { z } from "zod";
import { JOB_NAME, LABEL, ORG_NAME, QUEUE_NAME } from "../messages/names.ts";

export const orgName = z.string().regex(ORG_NAME);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function matching(pattern: RegExp, words: string): (value: string) => string {
  return (value) => {
    if (!pattern.test(value)) throw new InvalidArgumentError(words);
    return value;
  };
}

export const parseQueue = matching(
  QUEUE_NAME,
  "Write 1 to 63 of a-z, 0-9, . _ and -, starting with a letter or digit.",
);
export const parseJobName = matching(
  JOB_NAME,
  "Write 1 to 128 of letters, digits and . _ : / -, starting with a letter or digit.",
);
export const parseLabel = matching(
  LABEL,
  "Write 1 to 128 of letters, digits and . _ : + -, starting with a letter or digit.",
);
export const parseId = matching(
  UUID,
  "Write the whole id, 36 characters such as 0192f0c1-7d3e-7b1a-9c55-3f0a1b2c3d4e; `signalbox jobs` lists them.",
);

/** A whole number from `min` to `max`. */
export function parseWhole(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^[+-]?\d+$/.test(value) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
  };
}

const UNIT_SECONDS: Record<string, number> = {
  ms: 0.001,
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
};

/** Seconds: `90`, `90s`, `15m`, `2h`, `1d`. */
export function parseSeconds(value: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/.exec(value) ?? [];
  const seconds = Number(number) * (UNIT_SECONDS[unit ?? "s"] as number);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 365 * 86_400) return seconds;
  throw new InvalidArgumentError("Write a time such as 90, 90s, 15m, 2h or 1d.");
}

/** Gathers `--tag k=v --tag l=w` in one record. */
export function collectPairs(
  value: string,
  before: Record<string, string> | undefined,
): Record<string, string> {
  const at = value.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write NAME=VALUE.");
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) };
}

/** Like collectPairs, for environment variables: a bare NAME takes this shell's own value. */
export function collectEnv(
  env: Readonly<Record<string, string | undefined>>,
): (value: string, before: Record<string, string> | undefined) => Record<string, string> {
  return (value, before) => {
    const at = value.indexOf("=");
    const name = at < 0 ? value : value.slice(0, at);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new InvalidArgumentError("Write NAME=VALUE, or NAME to pass on its value here.");
    }
    const given = at < 0 ? env[name] : value.slice(at + 1);
    if (given === undefined) throw new InvalidArgumentError(`${name} is not set here.`);
    return { ...before, [name]: given };
  };
}

/** Gathers a repeated option in a list, each checked. */
export function collect<T>(parse: (value: string) => T): (value: string, before?: T[]) => T[] {
  return (value, before = []) => [...before, parse(value)];
}

/** A time for a filter: `2h` means two hours before now; else an RFC 3339 time or a date. */
export function parseSince(nowMs: () => number): (value: string) => string {
  return (value) => {
    if (/^\d+(\.\d+)?\s*(s|m|min|h|d)$/.test(value)) {
      return new Date(nowMs() - parseSeconds(value) * 1000).toISOString();
    }
    const at = Date.parse(value);
    if (!Number.isNaN(at) && /^\d{4}-/.test(value)) return new Date(at).toISOString();
    throw new InvalidArgumentError("Write how long ago (2h), or a time (2026-01-31T08:00:00Z).");
  };
}

/** A job's name made from its command: `/usr/bin/env` gives `env`. Always a valid name. */
export function nameFromCommand(command: string): string {
  const base = command.split(/[\\/]/).filter(Boolean).at(-1) ?? "";
  const clean = base.replace(/[^a-zA-Z0-9._:-]+/g, "-").replace(/^[^a-zA-Z0-9]+/, "");
  return clean.slice(0, 128) || "job";
}
