/**
 * One connected worker: its actor for the whole connection, its leases, and what scoring and
 * eligibility read of it. Frames come in through `handle`; answers leave through the link.
 */
import { createActor } from "xstate";
import type { WorkerFacts, WorkerLoad } from "../core/eligibility/facts.ts";
import { resolveGivenBack, resolveRejection, resolveReport } from "../core/job_end.ts";
import { observedSpeed } from "../core/observed_speed.ts";
import type { ScoringWorker } from "../core/scoring/context.ts";
import { workerLogic } from "../core/worker_logic.ts";
import {
  type FinishedReport,
  type Hello,
  type LeaseRef,
  PASSING_REJECTIONS,
  type ProgressReport,
  type WorkerFrame,
  type WorkerMetrics,
} from "../messages/frames.ts";
import type { Reporter } from "./ender.ts";
import type { WorkerLink, WorkerSession } from "./engine.ts";
import { endOf, type Lease, stopJobActor } from "./lease.ts";
import { LiveBatches } from "./leases/live_batches.ts";
import { SlotNumbers } from "./leases/slot_numbers.ts";
import type { SessionHost } from "./session_host.ts";

type Frame = Exclude<WorkerFrame, { type: "hello" | "log" }>;

const PASSING: ReadonlySet<string> = new Set(Object.values(PASSING_REJECTIONS));
/** Batches of one worker that wait to be written. */
const SUBMITS_MAX = 256;
/** Names remembered for the `locality` rule. */
const RECENT_NAMES = 256;

export class Session implements WorkerSession, Reporter {
  readonly id: number;
  readonly workerId: number;
  readonly uid: string;
  readonly facts: WorkerFacts;
  readonly load: WorkerLoad;
  readonly scoring: ScoringWorker;
  readonly leases = new Map<string, Lease>();
  readonly slots = new SlotNumbers();
  readonly #recent = new Set<number>();
  readonly #batches = new LiveBatches();
  #submits = 0;
  readonly #host: SessionHost;
  readonly #link: WorkerLink;
  readonly #hello: Hello;
  readonly #actor = createActor(workerLogic);
  /** Newest metrics that no heartbeat statement has written yet. */
  metrics: WorkerMetrics | undefined;
  /** Monotonic: its latest heartbeat. */
  heardAt = performance.now();
  /** As its last heartbeat told them. */
  latest: WorkerMetrics | undefined;
  /** When its last metrics came, database time. */
  metricsAt = 0;
  #closed = false;
  #recordedBatch: {
    job: string;
    attempt: number;
    token: string;
    accepted: boolean;
    reason?: string;
  }[] = [];

  constructor(
    host: SessionHost,
    link: WorkerLink,
    identity: { id: number; worker: number; org: number | null; orgName: string | null },
    hello: Hello,
  ) {
    this.#host = host;
    this.#link = link;
    this.#hello = hello;
    this.id = identity.id;
    this.workerId = identity.worker;
    this.uid = hello.worker_id;
    this.facts = {
      name: hello.name,
      org: identity.org,
      orgName: identity.orgName,
      kinds: hello.kinds,
      handlers: new Set(hello.handlers),
      system: hello.system ?? null,
      features: new Set(hello.features),
      pool: hello.pool,
      ramMb: hello.resources.ram_mb ?? null,
      cpus: hello.resources.cpus ?? null,
    };
    this.load = {
      draining: hello.draining,
      slots: hello.concurrency,
      used: 0,
      ramReservedMb: 0,
      cpusReserved: 0,
    };
    this.scoring = {
      id: identity.worker,
      org: identity.org,
      slots: hello.concurrency,
      used: 0,
      ramTotalMb: this.facts.ramMb,
      ramFreeMb: null,
      ramReservedMb: 0,
      cpus: this.facts.cpus,
      cpusReserved: 0,
      cpuPct: null,
      diskMbps: null,
      networkMbps: null,
      recentNames: this.#recent,
    };
    this.#actor.start();
  }

  get open(): boolean {
    return !this.#closed;
  }

  get state() {
    return this.#actor.getSnapshot().context.state;
  }

  // Leases

  /** Takes a slot. Called when a pair is chosen; `undo` where the lease was not granted. */
  reserve(job: { ramMb: number; cpus: number }): void {
    this.load.used += 1;
    this.load.ramReservedMb += job.ramMb;
    this.load.cpusReserved += job.cpus;
    this.#mirror();
  }

  unreserve(job: { ramMb: number; cpus: number; slot?: number | null }): void {
    if (job.slot) this.slots.give(job.slot);
    this.load.used -= 1;
    this.load.ramReservedMb -= job.ramMb;
    this.load.cpusReserved -= job.cpus;
    this.#mirror();
  }

  #mirror(): void {
    this.scoring.used = this.load.used;
    this.scoring.ramReservedMb = this.load.ramReservedMb;
    this.scoring.cpusReserved = this.load.cpusReserved;
  }

  /** The slot was reserved before; `resumed` leases reserve it here. */
  adopt(lease: Lease, resumed = false): void {
    if (resumed) {
      this.reserve(lease);
      lease.slot = this.slots.claim(lease.slot);
    }
    this.leases.set(lease.id, lease);
    this.#batches.adopted(lease);
  }

  holds(ref: LeaseRef): boolean {
    const lease = this.leases.get(ref.job);
    return lease !== undefined && lease.token === ref.token && lease.attempt === ref.attempt;
  }

  /** Its end is committed, or another attempt is known to be. */
  release(lease: Lease): void {
    if (this.leases.get(lease.id) === lease) this.leases.delete(lease.id);
    const emptied = this.#batches.ended(lease);
    if (emptied !== null) this.#host.emptied({ beat: emptied, session: this.id });
    if (!lease.ending) {
      lease.ending = true;
      this.unreserve(lease);
      this.#host.freed(this);
    }
  }

  #lease(ref: LeaseRef): Lease | undefined {
    const lease = this.leases.get(ref.job);
    return lease && lease.token === ref.token && lease.attempt === ref.attempt ? lease : undefined;
  }

  // Frames in

  handle(frame: Frame): void {
    if (this.#closed) return;
    switch (frame.type) {
      case "started":
        this.#started(frame.jobs);
        break;
      case "finished":
        this.finished(frame.jobs);
        break;
      case "heartbeat":
        this.#heartbeat(frame.metrics);
        break;
      case "progress":
        this.#progress(frame.jobs);
        break;
      case "cancelling":
        this.#host.acknowledged(this, this.#known(frame.jobs));
        break;
      case "rejected":
        this.#rejected(frame.jobs);
        break;
      case "draining":
        this.drain(false);
        break;
      case "submit":
        this.#submit(frame);
        break;
    }
  }

  #known(refs: LeaseRef[]): Lease[] {
    return refs.flatMap((ref) => this.#lease(ref) ?? []);
  }

  #started(refs: LeaseRef[]): void {
    const now = this.#host.context.clock.now();
    const leases = this.#known(refs).filter((l) => l.startedAt === null && !l.ending);
    for (const lease of leases) lease.startedAt = now;
    this.#host.ender.start(this, leases);
  }

  finished(reports: FinishedReport[]): void {
    const at = this.#host.context.clock.now();
    const ends = [];
    const unknown: FinishedReport[] = [];
    for (const report of reports) {
      const lease = this.#lease(report);
      if (!lease) unknown.push(report);
      if (!lease || lease.ending) continue;
      if (lease.submitting) {
        // In the order they were sent: jobs it added come before its end.
        void lease.submitting.then(() => this.finished([report]));
        continue;
      }
      lease.ending = true;
      this.unreserve(lease);
      this.#remember(lease.name);
      const ending =
        report.outcome === "released" && !this.load.draining
          ? resolveGivenBack(report.reason ?? null, lease)
          : resolveReport(report.outcome, report.reason, lease);
      ends.push({
        lease,
        report,
        end: endOf(lease, ending, { at, random: Math.random(), report }),
      });
    }
    this.#host.ender.end(this, ends);
    if (ends.length > 0) this.#host.freed(this);
    if (unknown.length > 0) {
      this.#host.ender.settleUnknown(this, unknown).catch((error) => {
        this.#host.context.log.warn({ error: String(error) }, "a repeated report was not settled");
      });
    }
  }

  #rejected(refs: (LeaseRef & { reason: string })[]): void {
    const at = this.#host.context.clock.now();
    const ends = [];
    for (const ref of refs) {
      const lease = this.#lease(ref);
      if (!lease || lease.ending) continue;
      lease.ending = true;
      this.unreserve(lease);
      const ending = resolveRejection(ref.reason, lease);
      // A worker that drains or is full would take it another time: no veto for good.
      const rejectedBy = PASSING.has(ref.reason) ? null : this.workerId;
      const end = endOf(lease, ending, { at, random: Math.random(), rejectedBy });
      ends.push({ lease, report: null, end });
    }
    this.#host.ender.end(this, ends);
    if (ends.length > 0) this.#host.freed(this);
  }

  #progress(reports: ProgressReport[]): void {
    for (const report of reports) {
      const lease = this.#lease(report);
      if (!lease || lease.ending) continue;
      if (report.fraction !== undefined) lease.progress = Math.round(report.fraction * 1e4) / 1e4;
      if (report.note !== undefined) lease.progressNote = report.note;
      if (report.items !== undefined) lease.items = report.items;
      this.#host.progressed(lease);
    }
  }

  #heartbeat(metrics: WorkerMetrics | undefined): void {
    if (metrics) {
      const now = this.#host.context.clock.now();
      const elapsed = now - this.metricsAt;
      this.metricsAt = now;
      this.metrics = metrics;
      this.latest = metrics;
      const s = this.scoring;
      s.ramTotalMb = metrics.ram_total_mb ?? s.ramTotalMb;
      s.ramFreeMb = metrics.ram_free_mb ?? null;
      s.cpuPct = metrics.cpu_pct ?? null;
      s.diskMbps = observedSpeed(s.diskMbps, metrics.disk_mbps ?? null, elapsed);
      s.networkMbps = observedSpeed(s.networkMbps, metrics.network_mbps ?? null, elapsed);
    }
    this.#host.beat(this);
  }

  #submit(frame: Extract<Frame, { type: "submit" }>): void {
    const lease = this.#lease(frame);
    if (lease && !lease.ending && this.#submits < SUBMITS_MAX) {
      this.#submits += 1;
      const before = lease.submitting ?? Promise.resolve();
      const mine = before.then(async () => {
        await this.#host.submit(this, lease, frame);
        this.#submits -= 1;
        if (lease.submitting === mine) lease.submitting = null;
      });
      lease.submitting = mine;
      return;
    }
    const { job, attempt, token, batch } = frame;
    const error =
      lease && !lease.ending
        ? "Too many batches at once: wait for answers."
        : "This attempt is not held by this worker.";
    this.send({ type: "submitted", job, attempt, token, batch, error });
  }

  #remember(name: number): void {
    this.#recent.delete(name);
    this.#recent.add(name);
    if (this.#recent.size > RECENT_NAMES) this.#recent.delete(this.#recent.values().next().value!);
  }

  // Frames out

  send(frame: Parameters<WorkerLink["send"]>[0]): void {
    if (!this.#closed) this.#link.send(frame);
  }

  /** Answers of one turn leave as one frame. */
  recorded(lease: { id: string; attempt: number; token: string }, accepted: boolean, why?: string) {
    if (this.#recordedBatch.length === 0) queueMicrotask(() => this.#flushRecorded());
    const { id: job, attempt, token } = lease;
    this.#recordedBatch.push({ job, attempt, token, accepted, ...(why ? { reason: why } : {}) });
  }

  #flushRecorded(): void {
    const jobs = this.#recordedBatch.splice(0);
    // A frame holds at most 1 MiB; an answer takes about 130 bytes.
    for (let at = 0; at < jobs.length; at += 4_000) {
      this.send({ type: "recorded", jobs: jobs.slice(at, at + 4_000) });
    }
  }

  cancel(lease: Lease): void {
    const { id: job, attempt, token } = lease;
    const reason = lease.cancelReason ?? "cancelled";
    this.send({ type: "cancel", jobs: [{ job, attempt, token, reason }] });
  }

  // Life

  welcomed(): void {
    if (this.#closed || this.state !== "joining") return;
    this.#actor.send({ type: this.load.draining ? "accept_draining" : "accept" });
    this.#host.joined(this, this.#hello);
  }

  /** `ask`: the server wants it; else the worker said so itself. */
  drain(ask: boolean): void {
    if (ask) this.send({ type: "drain" });
    if (this.load.draining) return;
    this.load.draining = true;
    this.#actor.send({ type: "drain" });
    this.#host.draining(this);
  }

  dropped(): void {
    this.#close("drop", "dropped");
  }

  /** Ends the connection from our side: superseded, lapsed, or this server stops. */
  end(code: "superseded" | "lapsed" | "stopping", message: string): void {
    if (this.#closed) return;
    const event = code === "superseded" ? "supersede" : code === "lapsed" ? "lapse" : "drop";
    // Closed first: the link tells us in turn that its socket is gone.
    this.#close(event, code);
    this.#link.end(code, message);
  }

  #close(event: "drop" | "lapse" | "supersede", reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#actor.send({ type: event });
    this.#actor.stop();
    for (const lease of this.leases.values()) stopJobActor(lease.actor);
    this.#host.left(this, reason);
  }
}
