/**
 * One worker's socket: waiting for `hello`, checking its token, joining, open, ended. It checks and
 * orders what arrives, hands frames to the session and frames of the engine to the socket.
 *
 * What must hold: nothing reaches the engine before a valid token; nothing reaches the worker before
 * `welcome`; whatever a peer sends ends at most this connection, with a reason; and the session hears
 * of the end exactly once, whoever ended it.
 */
import type { Admission } from "../accounts/worker_access.ts";
import type { LogStore } from "../blobs/log_store.ts";
import { RateBound } from "../core/rate_bound.ts";
import type { Engine, WorkerLink, WorkerSession } from "../engine/engine.ts";
import type { Hello, ServerFrame } from "../messages/frames.ts";
import type { ServerSocket, SocketHandlers } from "../runtime/contract.ts";
import { decodeFrame } from "./decode.ts";
import { type Authorize, readGreeting } from "./greeting.ts";
import type { Log } from "./log.ts";
import { LogRouter } from "./log_router.ts";
import { closeCode, type Refusal } from "./refusal.ts";

export interface ConnectionDeps {
  engine: Pick<Engine, "connectWorker">;
  logs: LogStore;
  log: Log;
  /** What a worker with this token may; null where the token is none. */
  authorize: Authorize;
  /** Called once, when `hello` was answered or the connection ended before. */
  greeted(): void;
  helloTimeoutMs: number;
}

type Welcome = Extract<ServerFrame, { type: "welcome" }>;

const FRAMES = { perSecond: 5_000, burst: 50_000 };
/** Sooner than this after the last, a heartbeat says nothing new. */
const HEARTBEAT_MIN_MS = 250;
/** What anybody may send while a token is being looked up. */
const UNCHECKED_MAX_CHARS = 1024 * 1024;
/** What a worker may send while its `hello` is being answered. */
const EARLY_MAX_FRAMES = 1_000;
const EARLY_MAX_CHARS = 8 * 1024 * 1024;
const BUFFERED_MAX_BYTES = 8 * 1024 * 1024;
/** Logs looked up at once for a `welcome`. */
const SIZES_AT_ONCE = 64;

export class Connection implements SocketHandlers {
  readonly #deps: ConnectionDeps;
  readonly #rate = new RateBound(FRAMES, performance.now());
  #state: "hello" | "checking" | "joining" | "open" | "ended" = "hello";
  #socket: ServerSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #session: WorkerSession | null = null;
  #router: LogRouter | null = null;
  #worker: string | null = null;
  #unwatch = () => {};
  /** Frames that came before `welcome` left. */
  #early: string[] = [];
  #earlyChars = 0;
  /** Frames of the engine that wait for `welcome` to leave first. */
  #outbox: ServerFrame[] = [];
  #lastHeartbeatMs = -Infinity;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  open(socket: ServerSocket): void {
    this.#socket = socket;
    const { helloTimeoutMs } = this.#deps;
    this.#timer = setTimeout(() => {
      const message = `No hello within ${helloTimeoutMs} ms.`;
      this.#refuse({ code: "hello_timeout", message });
    }, helloTimeoutMs);
  }

  message(_socket: ServerSocket, text: string): void {
    if (this.#state === "ended") return;
    try {
      if (!this.#rate.take(1, performance.now())) {
        this.#refuse({ code: "too_fast", message: "Too many frames a second." });
      } else if (this.#state === "hello") void this.#greet(text);
      else if (this.#state !== "open") this.#keep(text);
      else this.#receive(text);
    } catch (error) {
      this.#fail(error);
    }
  }

  close(code: number, reason: string): void {
    if (this.#state === "ended") return;
    this.#deps.log.info({ worker: this.#worker, code, reason }, "worker socket closed");
    this.#finish();
  }

  // Joining

  async #greet(text: string): Promise<void> {
    this.#state = "checking";
    // It spoke in time; the lookup has bounds of its own.
    clearTimeout(this.#timer);
    try {
      const greeting = await readGreeting(text, this.#deps.authorize);
      if (this.#isEnded()) return;
      if (!greeting.ok) return this.#refuse(greeting);
      this.#state = "joining";
      this.#greeted();
      this.#unwatch = greeting.admission.watch((message) => {
        this.#refuse({ code: "unauthorized", message });
      });
      await this.#join(greeting.hello, greeting.admission);
    } catch (error) {
      this.#fail(error);
    }
  }

  #keep(text: string): void {
    this.#early.push(text);
    this.#earlyChars += text.length;
    const charsMax = this.#state === "checking" ? UNCHECKED_MAX_CHARS : EARLY_MAX_CHARS;
    if (this.#early.length <= EARLY_MAX_FRAMES && this.#earlyChars <= charsMax) return;
    this.#refuse({ code: "too_fast", message: "Too much was sent before welcome." });
  }

  async #join(hello: Hello, { grant }: Admission): Promise<void> {
    this.#worker = hello.worker_id;
    const link: WorkerLink = {
      send: (frame) => this.#send(frame),
      end: (code, message) => this.#end(code, message),
    };
    const result = await this.#deps.engine.connectWorker(hello, grant, link);
    if (!result.ok) return this.#end(result.code, result.message);
    if (this.#state === "ended") return result.session.dropped();
    this.#session = result.session;
    const { logs, log } = this.#deps;
    const refuse = (refusal: Refusal) => this.#refuse(refusal);
    this.#router = new LogRouter({ logs, log, session: result.session, refuse });
    const welcome = await withLogOffsets(result.welcome, logs);
    if (this.#isEnded()) return;
    this.#write(welcome);
    this.#state = "open";
    result.session.welcomed();
    for (const frame of this.#outbox.splice(0)) this.#send(frame);
    for (const text of this.#early.splice(0)) this.message(this.#socket!, text);
  }

  // Open

  #receive(text: string): void {
    const decoded = decodeFrame(text);
    if (!decoded.ok) {
      this.#refuse(decoded);
    } else if (decoded.frame.type === "hello") {
      this.#refuse({ code: "out_of_order", message: "hello comes once, and first." });
    } else if (decoded.frame.type === "log") {
      this.#router!.take(decoded.frame.chunks);
    } else if (decoded.frame.type !== "heartbeat" || this.#isDue(performance.now())) {
      this.#session!.handle(decoded.frame);
    }
  }

  #isDue(nowMs: number): boolean {
    if (nowMs - this.#lastHeartbeatMs < HEARTBEAT_MIN_MS) return false;
    this.#lastHeartbeatMs = nowMs;
    return true;
  }

  #send(frame: ServerFrame): void {
    if (this.#state === "open") this.#write(frame);
    else if (this.#state === "joining") this.#outbox.push(frame);
  }

  #write(frame: ServerFrame): void {
    if (this.#socket!.buffered() > BUFFERED_MAX_BYTES) {
      this.#refuse({ code: "slow_consumer", message: "The worker reads too slowly." });
    } else this.#socket!.send(JSON.stringify(frame));
  }

  // Ending

  #fail(error: unknown): void {
    this.#deps.log.error({ worker: this.#worker, err: error }, "a worker's frame met a fault");
    this.#refuse({ code: "internal", message: "The server met a fault; reconnect." });
  }

  #refuse({ code, message }: Refusal): void {
    if (this.#state === "ended") return;
    this.#deps.log.warn({ worker: this.#worker, code, reason: message }, "worker refused");
    this.#end(code, message);
  }

  #end(code: string, message: string): void {
    if (this.#state === "ended") return;
    const frame: ServerFrame = { type: "error", code, message };
    this.#finish();
    this.#socket?.send(JSON.stringify(frame));
    this.#socket?.close(closeCode(code), code);
  }

  #finish(): void {
    this.#state = "ended";
    this.#unwatch();
    this.#early = [];
    this.#outbox = [];
    this.#greeted();
    this.#session?.dropped();
  }

  #greeted(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#deps.greeted();
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }
}

/** Only the log store knows how much of each log has arrived. */
async function withLogOffsets(welcome: Welcome, logs: LogStore): Promise<Welcome> {
  const resume = welcome.resume.map((lease) => ({ ...lease }));
  for (let i = 0; i < resume.length; i += SIZES_AT_ONCE) {
    const part = resume.slice(i, i + SIZES_AT_ONCE);
    const sizes = await Promise.all(part.map(({ job, attempt }) => logs.size(job, attempt)));
    for (const [at, size] of sizes.entries()) part[at]!.log_offset = size;
  }
  return { ...welcome, resume };
}
