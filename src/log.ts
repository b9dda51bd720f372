/**
 * The server's log: JSON lines, or lines for people where a person looks on. Tokens never reach it:
 * fields that carry them are taken out by name, and the secrets of this server wherever they stand.
 */
import process from "node:process";
import pino, { type Logger } from "pino";
import type { LogFormat, LogLevel } from "./config.ts";

export type Log = Logger;

export interface LogOptions {
  level?: LogLevel;
  /** `auto`: for people on a terminal, else JSON. */
  format?: LogFormat;
  /** Taken out wherever they stand in a line. */
  secrets?: readonly (string | undefined)[];
  /** Where lines go, newline included; standard error unless said. */
  write?: (line: string) => void;
}

const HIDDEN = "[hidden]";
const SECRET_FIELDS = [
  "token",
  "authorization",
  "cookie",
  "password",
  "secret",
  "adminToken",
  "workerToken",
  "metricsToken",
  "databaseUrl",
];

/** A pino logger; `child({ part })` names the part of the server that speaks. */
export function createLogger(options: LogOptions = {}): Log {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const format = options.format ?? "auto";
  const pretty = format === "pretty" || (format === "auto" && Boolean(process.stderr.isTTY));
  const clean = scrubber(options.secrets ?? []);
  return pino(
    {
      level: options.level ?? "info",
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: HIDDEN,
      },
    },
    { write: (line: string) => write(clean(pretty ? forPeople(line) : line)) },
  );
}

/** Also hides tokens of the database, what follows `Bearer`, and passwords in addresses. */
function scrubber(secrets: readonly (string | undefined)[]): (line: string) => string {
  const own = secrets.filter((secret): secret is string => (secret?.length ?? 0) >= 8);
  return (line) => {
    let text = line;
    for (const secret of own) text = text.replaceAll(secret, HIDDEN);
    return text
      .replace(/\b(sb[xw]_)[A-Za-z0-9_-]{43}/g, `$1${HIDDEN}`)
      .replace(/\bBearer [\x21\x23-\x5b\x5d-\x7e]+/g, `Bearer ${HIDDEN}`)
      .replace(/(\b[a-z]+:\/\/[^\s:/@"]*):[^\s/@"]+@/g, `$1:${HIDDEN}@`);
  };
}

// Lines for people

const COLOURS: Record<string, number> = { warn: 33, error: 31, fatal: 31, debug: 90, trace: 90 };

/** `12:03:04 warn  worker lost  worker=w1 org=default`, then the stack of an error, indented. */
function forPeople(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const colour = COLOURS[String(level)];
  const word = String(level).padEnd(5);
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${printed(value)}`);
  const parts = [
    String(time).slice(11, 19),
    colour ? `\x1b[${colour}m${word}\x1b[0m` : word,
    String(msg ?? ""),
    facts.length > 0 ? ` ${facts.join(" ")}` : "",
  ];
  return `${parts.join(" ").trimEnd()}\n${stackOf(err)}`;
}

function printed(value: unknown): string {
  return typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

function stackOf(err: unknown): string {
  if (typeof err !== "object" || err === null) return "";
  const { stack, message } = err as { stack?: string; message?: string };
  const text = stack ?? message ?? "";
  return text === "" ? "" : `${text.replace(/^/gm, "    ")}\n`;
}
