/** A WebSocket server that says to workers what a test scripts, over real sockets. */
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import {
  type Assignment,
  type FinishedReport,
  type Hello,
  type LeaseRef,
  type ServerFrame,
  type WorkerFrame,
  workerFrame,
} from "../../src/messages/frames.ts";
import { eventually } from "./eventually.ts";

type Received<T extends WorkerFrame["type"]> = Extract<WorkerFrame, { type: T }>;
type Welcome = Extract<ServerFrame, { type: "welcome" }>;

/** One connection of a worker. Every frame is checked against the protocol's schema. */
export class ScriptedPeer {
  readonly frames: WorkerFrame[] = [];
  /** Bytes of each frame, in the order of `frames`. */
  readonly sizes: number[] = [];
  closed: { code: number } | null = null;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, onFrame: (peer: ScriptedPeer, frame: WorkerFrame) => void) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const text = data.toString();
      const frame = workerFrame.parse(JSON.parse(text));
      this.frames.push(frame);
      this.sizes.push(Buffer.byteLength(text));
      onFrame(this, frame);
    });
    socket.on("close", (code) => {
      this.closed = { code };
    });
    socket.on("error", () => {});
  }

  send(frame: ServerFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Says why, and closes. */
  refuse(code: string, message: string): void {
    this.send({ type: "error", code, message });
    this.#socket.close(4400, code);
  }

  of<T extends WorkerFrame["type"]>(type: T): Received<T>[] {
    return this.frames.filter((frame): frame is Received<T> => frame.type === type);
  }

  get hello(): Hello {
    return this.of("hello")[0]!;
  }

  /** The log of an attempt as far as this connection brought it, which must leave no gap. */
  logText(lease: LeaseRef, from = 0): string {
    const parts: Buffer[] = [];
    let at = from;
    for (const frame of this.of("log")) {
      for (const chunk of frame.chunks) {
        if (chunk.token !== lease.token) continue;
        if (chunk.offset !== at) throw new Error(`chunk at ${chunk.offset}, wanted ${at}`);
        const bytes = Buffer.from(chunk.data);
        parts.push(bytes);
        at += bytes.length;
      }
    }
    return Buffer.concat(parts).toString();
  }

  reports(): FinishedReport[] {
    return this.of("finished").flatMap((frame) => frame.jobs);
  }

  async reportOf(lease: LeaseRef, deadlineMs = 10_000): Promise<FinishedReport> {
    const find = () => this.reports().find((report) => report.token === lease.token);
    return await eventually(find, "the attempt is reported", { deadlineMs, everyMs: 5 });
  }
}

export interface ScriptedOptions {
  leaseSeconds?: number;
  heartbeatSeconds?: number;
  /** Answers hellos; by default a welcome that resumes all that runs, from byte 0. */
  welcome?: (hello: Hello) => Partial<Welcome> | null;
  /** Whether each `finished` is answered with `recorded` at once; true by default. */
  record?: boolean;
}

export class ScriptedServer {
  readonly peers: ScriptedPeer[] = [];
  options: ScriptedOptions;
  #server: WebSocketServer;
  #port: number;

  private constructor(server: WebSocketServer, options: ScriptedOptions) {
    this.#server = server;
    this.options = options;
    this.#port = (server.address() as AddressInfo).port;
    this.#listen(server);
  }

  static async start(options: ScriptedOptions = {}): Promise<ScriptedServer> {
    return new ScriptedServer(await open(0), options);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /** Every report of every connection, and those that came in a hello. */
  reports(): FinishedReport[] {
    return this.peers.flatMap((peer) => [...(peer.hello?.unrecorded ?? []), ...peer.reports()]);
  }

  /** The n-th connection that was welcomed, counting from 0. */
  async peer(n = 0): Promise<ScriptedPeer> {
    const find = () => this.peers[n]?.hello && this.peers[n];
    return await eventually(find, `connection ${n} says hello`, { everyMs: 5 });
  }

  /** Stops listening and cuts everybody; `resume` takes the same port again. */
  async pause(): Promise<void> {
    for (const peer of this.peers) peer.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async resume(): Promise<void> {
    this.#server = await open(this.#port);
    this.#listen(this.#server);
  }

  async stop(): Promise<void> {
    await this.pause().catch(() => {});
  }

  #listen(server: WebSocketServer): void {
    server.on("connection", (socket) => {
      this.peers.push(new ScriptedPeer(socket, (peer, frame) => this.#answer(peer, frame)));
    });
  }

  #answer(peer: ScriptedPeer, frame: WorkerFrame): void {
    if (frame.type === "hello") this.#greet(peer, frame);
    if (frame.type === "finished" && this.options.record !== false) record(peer, frame.jobs);
  }

  #greet(peer: ScriptedPeer, hello: Hello): void {
    const own = this.options.welcome ? this.options.welcome(hello) : {};
    if (own === null) return;
    peer.send({
      type: "welcome",
      session: this.peers.length,
      lease_seconds: this.options.leaseSeconds ?? 30,
      heartbeat_seconds: this.options.heartbeatSeconds ?? 10,
      resume: hello.running.map(({ started: _, ...lease }) => ({ ...lease, log_offset: 0 })),
      kill: [],
      ...own,
    });
    if (this.options.record !== false && hello.unrecorded.length > 0) {
      record(peer, hello.unrecorded);
    }
  }
}

function record(peer: ScriptedPeer, reports: readonly FinishedReport[]): void {
  const jobs = reports.map(({ job, attempt, token }) => ({ job, attempt, token, accepted: true }));
  peer.send({ type: "recorded", jobs });
}

async function open(port: number): Promise<WebSocketServer> {
  const server = new WebSocketServer({ port, host: "127.0.0.1", maxPayload: 1024 * 1024 });
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", reject);
  });
  return server;
}

export function assignment(own: Partial<Assignment> = {}): Assignment {
  return {
    job: randomUUID(),
    attempt: 1,
    token: randomUUID(),
    name: "task",
    org: "default",
    queue: "default",
    kind: "exec",
    max_attempts: 1,
    ...own,
  };
}

/** An exec job that runs `script` in a shell. */
export function shellJob(script: string, own: Partial<Assignment> = {}): Assignment {
  return assignment({ payload: { command: ["sh", "-c", script] }, ...own });
}
