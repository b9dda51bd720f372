/**
 * The worker's side of one server connection: connects, says hello, notices a silent server, and
 * comes back with exponential backoff and jitter for as long as it is wanted. It decides nothing
 * about work: a lost connection never ends a job.
 */
import WebSocket from "ws";
import type { ServerFrame } from "../messages/frames.ts";
import type { WorkerLog } from "./worker_log.ts";

const OPEN_TIMEOUT_MS = 10_000;
const WELCOME_TIMEOUT_MS = 20_000;
const BACKOFF_BASE_MS = 200;
/** Well under the grace time, so that a server which is back finds its workers back too. */
const BACKOFF_MAX_MS = 5_000;

export interface ConnectionOptions {
  url: string;
  /** The hello frame's text, made anew for each connection. */
  hello: () => string;
  onFrame: (frame: ServerFrame) => void;
  /** The connection that was welcomed is gone. */
  onDown: () => void;
  log: WorkerLog;
  random?: () => number;
}

export class Connection {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | null = null;
  #welcomed = false;
  #stopped = false;
  #failures = 0;
  #heardAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#connect();
  }

  /** Closes for good. */
  stop(code = 1000, reason = "worker stopped"): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    const socket = this.#socket;
    this.#socket = null;
    this.#welcomed = false;
    socket?.close(code, reason);
  }

  ready(): boolean {
    return this.#welcomed;
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  buffered(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** The welcome was taken: frames may flow. */
  welcomed(): void {
    this.#welcomed = true;
    this.#failures = 0;
    clearTimeout(this.#deadline);
  }

  /** Asks for a sign of life, and gives the connection up after `silentMs` without one. */
  probe(silentMs: number): void {
    if (!this.#socket || !this.#welcomed) return;
    if (performance.now() - this.#heardAt > silentMs) {
      this.#drop(this.#socket, "the server has gone silent");
    } else {
      this.#socket.ping();
    }
  }

  /** Gives this connection up and makes another. */
  reset(why: string): void {
    if (this.#socket) this.#drop(this.#socket, why);
  }

  /** The next attempts come slowly: the server refused us for a reason that time may mend. */
  slowDown(): void {
    this.#failures = Math.max(this.#failures, 10);
  }

  #connect(): void {
    const socket = new WebSocket(this.#options.url, {
      perMessageDeflate: false,
      maxPayload: 2 * 1024 * 1024,
    });
    this.#socket = socket;
    this.#expect(socket, OPEN_TIMEOUT_MS, "no connection");
    let cause = "";
    socket.on("open", () => {
      if (this.#socket !== socket) return;
      this.#heardAt = performance.now();
      this.#expect(socket, WELCOME_TIMEOUT_MS, "no welcome");
      socket.send(this.#options.hello());
    });
    socket.on("message", (data) => this.#receive(socket, data));
    socket.on("pong", () => {
      this.#heardAt = performance.now();
    });
    socket.on("error", (error) => {
      cause = error.message;
    });
    socket.on("close", (code, reason) => {
      this.#down(socket, cause || `closed with ${code} ${reason.toString()}`.trim());
    });
  }

  #expect(socket: WebSocket, ms: number, what: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#drop(socket, `${what} within ${ms / 1000} s`), ms);
  }

  #receive(socket: WebSocket, data: WebSocket.RawData): void {
    if (this.#socket !== socket) return;
    this.#heardAt = performance.now();
    try {
      this.#options.onFrame(JSON.parse(data.toString()) as ServerFrame);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#drop(socket, `a frame that cannot be read: ${why}`);
    }
  }

  #drop(socket: WebSocket, why: string): void {
    this.#down(socket, why);
    socket.terminate();
  }

  #down(socket: WebSocket, why: string): void {
    if (this.#socket !== socket) return;
    clearTimeout(this.#deadline);
    this.#socket = null;
    const was = this.#welcomed;
    this.#welcomed = false;
    if (was) this.#options.onDown();
    if (this.#stopped) return;
    const delay = backoffMs(this.#failures, this.#options.random ?? Math.random);
    this.#failures += 1;
    this.#options.log(was || this.#failures === 1 ? "warn" : "debug", "no server", {
      why,
      retry_ms: Math.round(delay),
    });
    this.#retry = setTimeout(() => this.#connect(), delay);
  }
}

/** min(5 s, 0.2 s × 2^failures) × (0.5 … 1): halved at most, so that a fleet does not come as one. */
export function backoffMs(failures: number, random: () => number): number {
  const full = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures, 20));
  return full * (0.5 + random() / 2);
}
