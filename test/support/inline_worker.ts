/**
 * A worker inside the test: it speaks frames to `engine.connectWorker` as a socket would, keeps its
 * unrecorded ends and its running attempts as a real worker does, and does what the test says.
 */
import { randomUUID } from "node:crypto";
import type { Engine, WorkerSession } from "../../src/engine/engine.ts";
import {
  type Assignment,
  type FinishedReport,
  type Hello,
  hello as helloSchema,
  type Items,
  type LeaseRef,
  type ServerFrame,
  type WorkerFrame,
} from "../../src/messages/frames.ts";
import type { WorkflowJobInput } from "../../src/messages/job_input.ts";
import { workflowJobInput } from "../../src/messages/job_input.ts";
import { eventually } from "./eventually.ts";

export type Script = (job: HeldJob) => unknown;

export interface InlineWorkerOptions {
  /** What it does with each job; by default it starts it and succeeds at once. */
  run?: Script;
  uid?: string;
  name?: string;
  concurrency?: number;
  kinds?: ("exec" | "handler")[];
  handlers?: string[];
  system?: string;
  features?: string[];
  pool?: string;
  resources?: { ram_mb?: number; cpus?: number };
  draining?: boolean;
  /** Organization of its token; null: shared. */
  org?: string | null;
}

type Outgoing = Exclude<WorkerFrame, { type: "hello" | "log" }>;
type Recorded = Extract<ServerFrame, { type: "recorded" }>["jobs"][number];

/** One attempt in the hands of the worker. */
export class HeldJob {
  readonly assignment: Assignment;
  readonly #worker: InlineWorker;
  begun = false;
  /** Reason of the cancel that the server asked for. */
  cancelReason: string | undefined;
  onCancel: ((reason: string) => void) | undefined;

  constructor(worker: InlineWorker, assignment: Assignment) {
    this.#worker = worker;
    this.assignment = assignment;
  }

  get id(): string {
    return this.assignment.job;
  }

  get lease(): LeaseRef {
    const { job, attempt, token } = this.assignment;
    return { job, attempt, token };
  }

  start(): this {
    this.begun = true;
    this.#worker.say({ type: "started", jobs: [this.lease] });
    return this;
  }

  /** Any end; kept until it is on record. */
  end(report: Omit<FinishedReport, keyof LeaseRef>): void {
    this.#worker.finish({ ...this.lease, ...report });
  }

  succeed(result?: unknown, more: Partial<FinishedReport> = {}): void {
    this.end({
      outcome: "succeeded",
      run_ms: 1,
      ...(result === undefined ? {} : { result }),
      ...more,
    });
  }

  fail(error = "broken", more: Partial<FinishedReport> = {}): void {
    this.end({ outcome: "failed", run_ms: 1, error, ...more });
  }

  cancelled(): void {
    this.end({ outcome: "cancelled", run_ms: 1 });
  }

  release(): void {
    this.end({ outcome: "released" });
  }

  reject(reason = "not today"): void {
    this.#worker.forget(this.assignment.token);
    this.#worker.say({ type: "rejected", jobs: [{ ...this.lease, reason }] });
  }

  progress(fraction?: number, note?: string, items?: Items): void {
    this.#worker.say({ type: "progress", jobs: [{ ...this.lease, fraction, note, items }] });
  }

  acknowledgeCancel(): void {
    this.#worker.say({ type: "cancelling", jobs: [this.lease] });
  }

  /** Adds jobs; resolves with the server's answer. */
  submit(batch: string, jobs: WorkflowJobInput[]) {
    const parsed = jobs.map((job) => workflowJobInput.parse(job));
    return this.#worker.submit(this.lease, batch, parsed);
  }
}

export class InlineWorker {
  readonly uid: string;
  readonly name: string;
  readonly #options: InlineWorkerOptions;
  #engine: Engine;
  #session: WorkerSession | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  /** By token, as long as nothing is reported. */
  readonly running = new Map<string, HeldJob>();
  readonly unrecorded = new Map<string, FinishedReport>();
  readonly #submits = new Map<
    string,
    (frame: Extract<ServerFrame, { type: "submitted" }>) => void
  >();
  /** Everything that came in, for tests to look at. */
  readonly assigned: HeldJob[] = [];
  readonly recorded: Recorded[] = [];
  readonly cancels: LeaseRef[] = [];
  welcome: Extract<ServerFrame, { type: "welcome" }> | undefined;
  /** Code with which the server closed the connection. */
  ended: string | undefined;
  refused: string | undefined;
  askedToDrain = false;
  #frozen = false;
  /** What came in while it was frozen. */
  #unread: ServerFrame[] = [];
  run: Script;

  constructor(engine: Engine, options: InlineWorkerOptions = {}) {
    this.#engine = engine;
    this.#options = options;
    this.uid = options.uid ?? randomUUID();
    this.name = options.name ?? `worker-${this.uid.slice(0, 8)}`;
    this.run = options.run ?? ((job) => job.start().succeed());
  }

  get sessionId(): number | undefined {
    return this.#session?.id;
  }

  get session(): WorkerSession {
    return this.#session!;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Reads nothing, says nothing, its socket stays open and keeps what comes: SIGSTOP. */
  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(frozen: boolean) {
    this.#frozen = frozen;
    if (!frozen) for (const frame of this.#unread.splice(0)) this.#receive(frame);
  }

  hello(): Hello {
    const o = this.#options;
    return helloSchema.parse({
      type: "hello",
      protocol: 1,
      version: "test",
      worker_id: this.uid,
      token: "t",
      name: this.name,
      pid: 1,
      host: "test",
      concurrency: o.concurrency ?? 4,
      kinds: o.kinds ?? ["exec", "handler"],
      handlers: o.handlers ?? ["work"],
      features: o.features ?? [],
      resources: o.resources ?? {},
      ...(o.system ? { system: o.system } : {}),
      ...(o.pool ? { pool: o.pool } : {}),
      draining: o.draining ?? false,
      running: [...this.running.values()].map((j) => ({ ...j.lease, started: j.begun })),
      unrecorded: [...this.unrecorded.values()],
    });
  }

  /** Says hello; `welcomed` false leaves the session joining. */
  async connect({ engine, welcomed = true }: { engine?: Engine; welcomed?: boolean } = {}) {
    if (engine) this.#engine = engine;
    this.drop();
    this.ended = undefined;
    let open = true;
    const hello = this.hello();
    const grant = { org: this.#options.org === undefined ? "default" : this.#options.org };
    const result = await this.#engine.connectWorker(hello, grant, {
      // A socket delivers later, never inside the call that sends.
      send: (frame) => queueMicrotask(() => open && this.#arrive(frame)),
      end: (code) => {
        open = false;
        this.ended = code;
        this.#lose();
      },
    });
    if (!result.ok) {
      this.refused = result.code;
      return this;
    }
    this.#session = result.session;
    this.welcome = result.welcome;
    this.#close = () => {
      open = false;
    };
    for (const { token } of result.welcome.kill) this.forget(token);
    const every = (result.welcome.heartbeat_seconds * 1000) | 0;
    this.#beat = setInterval(() => this.say({ type: "heartbeat" }), Math.max(20, every));
    if (welcomed) result.session.welcomed();
    if (welcomed) this.#catchUp(hello);
    return this;
  }

  /** Says what happened while the hello was under way. */
  #catchUp(hello: Hello): void {
    const said = new Set(hello.unrecorded.map((r) => r.token));
    const begun = new Set(hello.running.filter((r) => r.started).map((r) => r.token));
    const ended = [...this.unrecorded.values()].filter((r) => !said.has(r.token));
    const started = [...this.running.values()].filter((j) => j.begun && !begun.has(j.lease.token));
    if (started.length > 0) this.say({ type: "started", jobs: started.map((j) => j.lease) });
    if (ended.length > 0) this.say({ type: "finished", jobs: ended });
  }

  #close: () => void = () => {};

  /** The socket breaks; the worker and its work go on. */
  drop(): void {
    const session = this.#session;
    this.#close();
    this.#unread = [];
    this.#lose();
    session?.dropped();
  }

  /** The process dies: socket, work and memory are gone. */
  crash(): void {
    this.running.clear();
    this.unrecorded.clear();
    this.drop();
  }

  #arrive(frame: ServerFrame): void {
    if (this.#frozen) this.#unread.push(frame);
    else this.#receive(frame);
  }

  #lose(): void {
    clearInterval(this.#beat);
    this.#session = undefined;
  }

  say(frame: Outgoing): void {
    if (!this.frozen) this.#session?.handle(frame);
  }

  finish(report: FinishedReport): void {
    this.running.delete(report.token);
    this.unrecorded.set(report.token, report);
    this.say({ type: "finished", jobs: [report] });
  }

  /** Many ends in one frame. */
  finishAll(reports: FinishedReport[]): void {
    for (const report of reports) {
      this.running.delete(report.token);
      this.unrecorded.set(report.token, report);
    }
    this.say({ type: "finished", jobs: reports });
  }

  forget(token: string): void {
    this.running.delete(token);
  }

  submit(lease: LeaseRef, batch: string, jobs: Extract<WorkerFrame, { type: "submit" }>["jobs"]) {
    return new Promise<Extract<ServerFrame, { type: "submitted" }>>((resolve) => {
      this.#submits.set(`${lease.token}/${batch}`, resolve);
      this.say({ type: "submit", ...lease, batch, jobs });
    });
  }

  drain(): void {
    this.say({ type: "draining" });
  }

  /** The attempt of this job that the worker holds now. */
  held(job: string): Promise<HeldJob> {
    return eventually(
      () => [...this.running.values()].find((h) => h.id === job),
      `job ${job} comes to ${this.name}`,
    );
  }

  /** The answer to the end of this job's newest attempt. */
  recordOf(job: string, count = 1): Promise<Recorded> {
    return eventually(
      () => this.recorded.filter((r) => r.job === job)[count - 1],
      `the end of ${job} is on record`,
    );
  }

  #receive(frame: ServerFrame): void {
    switch (frame.type) {
      case "assign":
        for (const assignment of frame.jobs) this.#take(assignment);
        break;
      case "recorded":
        for (const answer of frame.jobs) {
          this.recorded.push(answer);
          this.unrecorded.delete(answer.token);
        }
        break;
      case "cancel":
        for (const { job, attempt, token, reason } of frame.jobs) {
          this.cancels.push({ job, attempt, token });
          const held = this.running.get(token);
          if (!held) continue;
          held.cancelReason = reason;
          held.onCancel?.(reason);
        }
        break;
      case "lease_lost":
        for (const { token } of frame.jobs) this.forget(token);
        break;
      case "submitted":
        this.#submits.get(`${frame.token}/${frame.batch}`)?.(frame);
        break;
      case "drain":
        this.askedToDrain = true;
        break;
    }
  }

  #take(assignment: Assignment): void {
    const held = new HeldJob(this, assignment);
    this.running.set(assignment.token, held);
    this.assigned.push(held);
    this.run(held);
  }
}
