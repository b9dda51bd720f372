/**
 * One HTTP request, repeated until the server answers or patience ends.
 *
 * Repeated are: a connection that failed or broke, a silent server, 502, 503 and 504, and 409 of a
 * request that is being worked on. Every
 * POST carries an `Idempotency-Key` that stays the same over its tries, so a POST whose answer
 * was lost adds nothing when it is sent again: the server replays the first answer. A PATCH or
 * DELETE says what shall be, so a repeat does no harm either.
 */
import type { Page } from "./answers.ts";
import { parseRetryAfter, pause, retryDelayMs } from "./backoff.ts";
import { ClientError, readProblem, UNREACHED } from "./client_error.ts";

/** The most that one page of a list may hold. */
const PAGE_MAX = 1_000;

export interface TransportOptions {
  /** Where the server listens, such as `https://jobs.example.org`; a path prefix is kept. */
  url: string;
  token: string;
  /** How long one try may stay without an answer. Default 30 s. */
  timeoutMs?: number;
  /** How long a request is repeated while the server is away. Default 30 s. */
  patienceMs?: number;
  /** Told before each repeat, for a line on a screen. */
  onRetry?: (error: ClientError, delayMs: number) => void;
  /** In place of the global `fetch`, which keeps connections open between requests. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** For a POST: a key of your own, so that a repeat by another process adds nothing either. */
  idempotencyKey?: string;
  patienceMs?: number;
}

export type Query = Record<string, string | number | boolean | string[] | undefined>;

interface Call extends CallOptions {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Certificates do not mend themselves: asking again would only hide the reason. */
const HOPELESS = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_INVALID_URL|ERR_TLS/;
const AWAY = new Set([502, 503, 504]);

export class Transport {
  readonly url: string;
  readonly #options: TransportOptions;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;

  constructor(options: TransportOptions) {
    const url = parseServerUrl(options.url);
    if (!/^[\x21-\x7e]+$/.test(options.token)) {
      throw new TypeError("The token is empty or holds characters that no token has.");
    }
    this.url = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
    this.#options = options;
    this.#fetch = options.fetch ?? ((to, init) => fetch(to, init));
  }

  /** The JSON of a good answer. Throws ClientError for any other. */
  async json<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const response = await this.send(method, `/api/v1${path}`, call);
    try {
      return (await response.json()) as T;
    } catch (error) {
      call.signal?.throwIfAborted();
      throw new ClientError(
        `${this.url} answered something that is not JSON: is it a Signalbox server?`,
        response.status,
        undefined,
        error,
      );
    }
  }

  /** Every item of a list that is never long, page by page. */
  async all<T>(path: string, call: Call = {}): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const query = { ...call.query, cursor, limit: PAGE_MAX };
      const page = await this.json<Page<T>>("GET", path, { ...call, query });
      items.push(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return items;
  }

  /** A good answer (2xx), its body unread. Throws ClientError for any other. */
  async send(method: string, path: string, call: Call = {}): Promise<Response> {
    const request = this.#describe(method, path, call);
    const patienceMs = call.patienceMs ?? this.#options.patienceMs ?? 30_000;
    const until = performance.now() + patienceMs;
    for (let failures = 1; ; failures++) {
      const outcome = await this.#try(request, call.signal, (response) => this.#judge(response));
      if ("response" in outcome) return outcome.response;
      const delayMs = retryDelayMs(failures, Math.random(), outcome.retryAfterMs);
      if (!outcome.again || performance.now() + delayMs > until) throw outcome.error;
      this.#options.onRetry?.(outcome.error, delayMs);
      await pause(delayMs, call.signal);
    }
  }

  /** Whatever is answered, asked once. Throws ClientError only where nothing is. */
  async once(method: string, path: string, call: Call = {}): Promise<Response> {
    const request = this.#describe(method, path, call);
    const outcome = await this.#try(request, call.signal, async (response) => ({ response }));
    if ("response" in outcome) return outcome.response;
    throw outcome.error;
  }

  #describe(method: string, path: string, call: Call): { to: string; init: RequestInit } {
    const headers: Record<string, string> = {
      authorization: `Bearer ${this.#options.token}`,
      accept: "application/json, application/problem+json",
      ...call.headers,
    };
    let body: string | undefined;
    if (call.body !== undefined) {
      body = JSON.stringify(call.body);
      headers["content-type"] = "application/json";
    }
    if (method === "POST") headers["idempotency-key"] = call.idempotencyKey ?? randomKey();
    // A redirect is refused below: following one could send the token somewhere else.
    const init: RequestInit = { method, headers, body, redirect: "manual" };
    return { to: `${this.url}${path}${printQuery(call.query)}`, init };
  }

  async #try(
    request: { to: string; init: RequestInit },
    signal: AbortSignal | undefined,
    judge: (response: Response) => Promise<Outcome>,
  ): Promise<Outcome> {
    signal?.throwIfAborted();
    const timeoutMs = this.#options.timeoutMs ?? 30_000;
    // The clock stops once headers are there: the body of a followed log may take for ever.
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error("silent")), timeoutMs);
    const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    try {
      const response = await this.#fetch(request.to, { ...request.init, signal: either });
      return await judge(response);
    } catch (error) {
      signal?.throwIfAborted();
      return this.#unreached(error, silence.signal.aborted ? timeoutMs : undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  async #judge(response: Response): Promise<Outcome> {
    if (response.ok) return { response };
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      const to = response.headers.get("location") ?? "another address";
      const message = `${this.url} sends its callers to ${to}: use that address.`;
      return { again: false, error: new ClientError(message, response.status) };
    }
    const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), Date.now());
    const error = await readProblem(response);
    // Our first try is still being worked on: its answer will be there in a moment.
    const inWork = error.problem?.type?.endsWith("in_progress") === true;
    return { again: inWork || AWAY.has(response.status), error, retryAfterMs };
  }

  #unreached(error: unknown, silentMs: number | undefined): Outcome {
    const code = errorCode(error);
    const why =
      silentMs !== undefined
        ? `no answer in ${silentMs / 1000} s`
        : describeConnection(code, error);
    const message = `Cannot reach Signalbox at ${this.url}: ${why}.`;
    return {
      again: !HOPELESS.test(code),
      error: new ClientError(message, UNREACHED, undefined, error),
    };
  }
}

type Outcome =
  | { response: Response }
  | { again: boolean; error: ClientError; retryAfterMs?: number };

/** `URL.parse` would do, but Node 20 has none. A user name or password in it is refused. */
export function parseServerUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below, like every other wrong address.
  }
  if (url && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "") {
    return url;
  }
  throw new TypeError(
    `"${text}" is no address of a server: write http://HOST:PORT or https://HOST.`,
  );
}

function randomKey(): string {
  return crypto.randomUUID();
}

/** `?a=1&b=2&b=3`, or nothing. Undefined values are left out; a list repeats its name. */
export function printQuery(query: Query | undefined): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) out.append(name, String(one));
  }
  const text = out.toString();
  return text === "" ? "" : `?${text}`;
}

/** Each runtime puts the system's word for the fault somewhere else. */
function errorCode(error: unknown): string {
  const { code, cause, message } = error as { code?: string; cause?: unknown; message?: string };
  if (typeof code === "string") return code;
  if (cause && typeof (cause as { code?: string }).code === "string") {
    return (cause as { code: string }).code;
  }
  return message ?? "";
}

const WORDS: [RegExp, string][] = [
  [/refused/i, "nothing listens there"],
  [/ENOTFOUND|EAI_AGAIN|dns|resolve|lookup/i, "its name cannot be resolved"],
  [/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|tls/i, "its certificate is not trusted"],
  [/reset|closed|EPIPE|socket|hang ?up|unexpected/i, "the connection broke"],
  [/timed? ?out/i, "the connection timed out"],
  [/unreach/i, "the network does not lead there"],
];

function describeConnection(code: string, error: unknown): string {
  for (const [pattern, words] of WORDS) if (pattern.test(code)) return words;
  return code || String(error);
}
