/** What a worker is started with, its defaults, and where its token comes from. */
import { readFileSync } from "node:fs";
import os from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";

/** As the command line gives them; everything but `url` has a default. */
export interface WorkerOptions {
  /** `ws://HOST:PORT` or `wss://…`; `http(s)` is taken as `ws(s)`, and a path may be left out. */
  url: string;
  /** File whose first line is the token. Without it: `token`, then SIGNALBOX_WORKER_TOKEN. */
  tokenFile?: string;
  /** For callers within one process only: never put a token on a command line. */
  token?: string;
  name?: string;
  slots?: number;
  pool?: string;
  system?: string;
  features?: readonly string[];
  /** User that jobs run as; needs a worker that is root, and is then `nobody` by default. */
  runAs?: string;
  /** The worker's own folder. */
  data?: string;
  killGraceSeconds?: number;
  logLevel?: "debug" | "info" | "warn" | "error";
}

type Env = Readonly<Record<string, string | undefined>>;

export const TOKEN_VARIABLE = "SIGNALBOX_WORKER_TOKEN";
const KILL_GRACE_SECONDS = 10;

export interface ResolvedOptions {
  url: string;
  name: string;
  slots: number;
  pool: string;
  system: string | undefined;
  features: readonly string[];
  runAs: string | undefined;
  data: string;
  killGraceMs: number;
  logLevel: "debug" | "info" | "warn" | "error";
}

/** Throws a sentence that says what to write instead. */
export function resolveOptions(options: WorkerOptions, env: Env): ResolvedOptions {
  const name = options.name ?? `${os.hostname()}`.slice(0, 128);
  const slots = options.slots ?? os.availableParallelism();
  if (!Number.isInteger(slots) || slots < 1) {
    throw new Error(`--slots ${slots}: write a whole number of at least 1`);
  }
  const seconds = options.killGraceSeconds ?? KILL_GRACE_SECONDS;
  if (!(seconds >= 0 && seconds <= 86_400)) {
    throw new Error(`kill grace ${seconds}: write seconds from 0 to 86400`);
  }
  const base = env.SIGNALBOX_DATA || "./.signalbox";
  const folder = `worker-${name.replaceAll(/[^a-zA-Z0-9._-]/g, "_")}`;
  return {
    url: endpointOf(options.url),
    name,
    slots,
    pool: options.pool ?? "default",
    system: options.system ?? systemOf(process.arch, process.platform),
    features: options.features ?? [],
    runAs: options.runAs,
    data: resolve(options.data ?? join(base, folder)),
    killGraceMs: seconds * 1000,
    logLevel: options.logLevel ?? "info",
  };
}

/** The address of the protocol's endpoint on a server. */
export function endpointOf(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`--url ${text}: write ws://HOST:PORT or wss://HOST`);
  }
  const scheme = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" }[url.protocol];
  if (!scheme) throw new Error(`--url ${text}: write ws://HOST:PORT or wss://HOST`);
  if (url.username || url.password)
    throw new Error("--url: a token does not belong in the address");
  const path = url.pathname === "/" ? "/worker/v1" : url.pathname;
  return `${scheme}//${url.host}${path}`;
}

/** The token, or a sentence that says how to give one. */
export function readToken(options: WorkerOptions, env: Env): string {
  if (options.tokenFile !== undefined) return tokenIn(options.tokenFile);
  const token = options.token ?? env[TOKEN_VARIABLE];
  if (token) return token.trim();
  throw new Error(`a worker needs a token: --token-file FILE, or ${TOKEN_VARIABLE}`);
}

function tokenIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`--token-file ${path} cannot be read: ${(error as Error).message}`);
  }
  const token = text.split("\n", 1)[0]!.trim();
  if (token === "") throw new Error(`--token-file ${path}: its first line is empty`);
  return token;
}

/** The name that Nix gives this machine, such as `x86_64-linux`. */
export function systemOf(arch: string, platform: string): string {
  const cpu = { x64: "x86_64", arm64: "aarch64", ia32: "i686", arm: "armv7l" }[arch] ?? arch;
  return `${cpu}-${platform}`;
}
