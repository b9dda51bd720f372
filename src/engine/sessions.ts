/**
 * All sessions of this replica: opening, heartbeats in batches, drops, and the small notes that
 * workers send (progress, acknowledged cancels), each written once per short interval.
 */
import { resolveLapse } from "../core/job_end.ts";
import { SECONDS_PER_POINT } from "../core/rank.ts";
import type { Transaction } from "../db/client.ts";
import { endJobs } from "../db/statements/end_jobs.ts";
import type { LeaseRow } from "../db/statements/leases.ts";
import { lockLeases, strayLeases } from "../db/statements/leases.ts";
import { resolveDependents } from "../db/statements/resolve_dependents.ts";
import { returnJobs } from "../db/statements/return_jobs.ts";
import {
  beatSessions,
  closeIdleSession,
  dropSessions,
  endedSessions,
  endSessions,
  insertSession,
  lockOpenSessions,
  lockWorker,
  moveLeases,
  setSessionDraining,
} from "../db/statements/sessions.ts";
import type { Hello } from "../messages/frames.ts";
import type { EngineContext } from "./context.ts";
import type { EnderListener } from "./ender.ts";
import type { ConnectResult, WorkerGrant, WorkerLink } from "./engine.ts";
import { endOf, type Lease, leaseOf } from "./lease.ts";
import { Notes } from "./notes.ts";
import { transact } from "./pipeline.ts";
import { leaseKey } from "./records.ts";
import { Loop, type Service } from "./service.ts";
import { Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";

/** Heartbeats, progress and acknowledgements wait at most this long for company. */
const NOTES_MS = 250;
/** Leases of one worker: its slots, and what it had not reported yet. */
const LEASES_MAX = 40_000;

export interface SessionsListener extends EnderListener {
  joined(session: Session): void;
  left(session: Session): void;
}

interface Opened {
  id: number;
  worker: number;
  resumed: LeaseRow[];
  killed: Hello["running"];
  superseded: number[];
  back: Awaited<ReturnType<typeof returnJobs>>;
  ended: Awaited<ReturnType<typeof endJobs>>;
}

export class Sessions implements Service {
  readonly name = "sessions";
  readonly #context: EngineContext;
  readonly #listener: SessionsListener;
  readonly #open = new Map<number, Session>();
  readonly #beats = new Set<Session>();
  readonly #notes: Notes;
  readonly #dropped = new Set<number>();
  readonly #loop: Loop;

  constructor(context: EngineContext, listener: SessionsListener) {
    this.#context = context;
    this.#listener = listener;
    this.#notes = new Notes(context);
    this.#loop = new Loop({
      name: this.name,
      everyMs: NOTES_MS,
      run: () => this.#flush(),
      onError: (error) => context.log.warn({ error: String(error) }, "heartbeats were not written"),
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    for (const session of [...this.#open.values()]) {
      session.end("stopping", "This server stops; connect again.");
    }
    await this.#loop.stop();
    await this.#flush().catch(() => {});
  }

  get(id: number): Session | undefined {
    return this.#open.get(id);
  }

  all(): Iterable<Session> {
    return this.#open.values();
  }

  // Opening

  async connect(
    host: SessionHost,
    hello: Hello,
    grant: WorkerGrant,
    link: WorkerLink,
  ): Promise<ConnectResult> {
    const { names, options } = this.#context;
    const org = grant.org === null ? null : await names.orgId(grant.org);
    if (org === undefined) {
      return { ok: false, code: "unauthorized", message: `There is no organization ${grant.org}.` };
    }
    const opened = await transact(this.#context.database.beats, (tx) =>
      this.#openRow(tx, hello, org),
    );
    if (!opened) {
      const message = "This worker id belongs to another organization: use another data folder.";
      return { ok: false, code: "worker_id_taken", message };
    }
    names.setWorker(opened.worker, hello.name, hello.worker_id);
    for (const old of opened.superseded) {
      this.#open.get(old)?.end("superseded", "A newer connection of this worker took over.");
    }
    await names.load({ shapes: opened.resumed.map((l) => l.shape_id) });
    const identity = { id: opened.id, worker: opened.worker, org, orgName: grant.org };
    const session = new Session(host, link, identity, hello);
    for (const row of opened.resumed) session.adopt(leaseOf(row, this.#reserved(row)), true);
    this.#open.set(session.id, session);
    this.#announce(opened);
    const running = new Set(hello.running.map((r) => leaseKey(r.job, r.attempt, r.token)));
    return {
      ok: true,
      session,
      welcome: {
        type: "welcome",
        session: session.id,
        lease_seconds: options.leaseSeconds,
        heartbeat_seconds: options.leaseSeconds / 3,
        resume: opened.resumed
          .filter((l) => running.has(leaseKey(l.id, l.attempt, l.token)))
          .map((l) => ({ job: l.id, attempt: l.attempt, token: l.token, log_offset: 0 })),
        kill: opened.killed.map(({ job, attempt, token }) => ({
          job,
          attempt,
          token,
          reason: "lease_lost",
        })),
      },
    };
  }

  /** After the welcome was sent: jobs may be offered, and what it had not got on record is settled. */
  joined(session: Session, hello: Hello): void {
    this.#listener.joined(session);
    if (hello.unrecorded.length > 0) session.finished(hello.unrecorded);
    const started = hello.running.filter((r) => r.started);
    if (started.length > 0) {
      const jobs = started.map(({ job, attempt, token }) => ({ job, attempt, token }));
      session.handle({ type: "started", jobs });
    }
    for (const lease of session.leases.values()) if (lease.cancelRequested) session.cancel(lease);
    this.#context.bus.tell("worker.joined", { session: session.id, worker: session.workerId });
  }

  async #openRow(tx: Transaction, hello: Hello, org: number | null): Promise<Opened | null> {
    const identity = { uid: hello.worker_id, org, name: hello.name, pool: hello.pool };
    const worker = await lockWorker(tx, identity);
    if (worker.org_id !== org) return null;
    const superseded = await lockOpenSessions(tx, worker.id);
    const { options, replicaId } = this.#context;
    const id = await insertSession(tx, {
      worker: worker.id,
      org,
      replica: replicaId,
      leaseSeconds: options.leaseSeconds,
      concurrency: hello.concurrency,
      draining: hello.draining,
      facts: factsOf(hello),
    });
    const leases = superseded.length > 0 ? await lockLeases(tx, superseded, LEASES_MAX) : [];
    const named = new Set(
      [...hello.running, ...hello.unrecorded].map((r) => leaseKey(r.job, r.attempt, r.token)),
    );
    const isNamed = (l: LeaseRow) => named.has(leaseKey(l.id, l.attempt, l.token));
    const resumed = leases.filter(isNamed);
    const rest = leases.filter((l) => !isNamed(l));
    await moveLeases(
      tx,
      resumed.map((l) => l.id),
      id,
    );
    const given = await this.#giveBack(tx, rest);
    await endSessions(tx, superseded, "superseded");
    const kept = new Set(resumed.map((l) => `${l.id}/${l.token}`));
    return {
      id,
      worker: worker.id,
      resumed: resumed.map((l) => ({ ...l, session_id: id })),
      killed: hello.running.filter((r) => !kept.has(`${r.job}/${r.token}`)),
      superseded,
      ...given,
    };
  }

  /**
   * Leases that the hello does not name: never received, or lost with the worker's memory. They
   * come back at once.
   */
  async #giveBack(tx: Transaction, rows: LeaseRow[]) {
    const at = this.#context.clock.now();
    const ends = rows.map((row) => {
      const lease = leaseOf(row, { ramMb: 0, cpus: 0 });
      return endOf(lease, resolveLapse(row.state, lease), { at, random: Math.random() });
    });
    const finals = ends.flatMap((e) => ("final" in e ? [e.final] : []));
    const returns = ends.flatMap((e) => ("returned" in e ? [e.returned] : []));
    const ended = await endJobs(tx, finals);
    const back = await returnJobs(tx, returns, SECONDS_PER_POINT);
    const below = await resolveDependents(tx, ended, SECONDS_PER_POINT);
    return { ended: [...ended, ...below.failed], back: [...back, ...below.ready] };
  }

  #announce(opened: Opened): void {
    if (opened.ended.length > 0) this.#listener.ended(opened.ended, []);
    if (opened.back.length > 0) this.#listener.ready(opened.back);
    this.#context.bus.tell("events.committed", {});
  }

  #reserved(row: LeaseRow): { ramMb: number; cpus: number } {
    const requirements = this.#context.names.shape(row.shape_id)?.requirements ?? {};
    return { ramMb: requirements.ram_mb ?? 0, cpus: requirements.cpus ?? 0 };
  }

  /**
   * Leases that the database says our sessions hold and that none of them knows: an answer was lost
   * between a commit and us. Nobody else would ever end them, for the heartbeats go on.
   */
  async strays(
    seconds: number,
    leasing: ReadonlyMap<string, unknown>,
  ): Promise<{ session: Session; lease: Lease }[]> {
    const open = [...this.#open.values()];
    if (open.length === 0) return [];
    const tokens = open.flatMap((s) => [...s.leases.values()].map((l) => l.token));
    const rows = await strayLeases(
      this.#context.database.beats,
      open.map((s) => s.id),
      tokens,
      seconds,
    );
    await this.#context.names.load({ shapes: rows.map((r) => r.shape_id) });
    return rows.flatMap((row) => {
      const session = this.#open.get(row.session_id);
      // One whose beat has not been told yet is not unknown: sent as well, it would run twice.
      if (!session || session.leases.has(row.id) || leasing.has(row.id)) return [];
      const lease = leaseOf(row, this.#reserved(row));
      session.adopt(lease, true);
      return [{ session, lease }];
    });
  }

  // Notes

  beat(session: Session): void {
    session.heardAt = performance.now();
    this.#beats.add(session);
  }

  /** Sessions heard within the lease time, whether or not the database knows yet. */
  heard(): number[] {
    const since = performance.now() - this.#context.options.leaseSeconds * 1000;
    return [...this.#open.values()].filter((s) => s.heardAt > since).map((s) => s.id);
  }

  /** Ends those that are over in the database: superseded or rescued by another server. */
  doubt(sessions: Session[]): void {
    endedSessions(
      this.#context.database.beats,
      sessions.map((s) => s.id),
    )
      .then((ended) => {
        for (const id of ended) {
          this.#open.get(id)?.end("lapsed", "The session is over; connect again.");
        }
      })
      .catch(() => {}); // The next refusal asks again.
  }

  progressed(lease: Lease): void {
    this.#notes.progressed(lease);
  }

  acknowledged(leases: Lease[]): void {
    this.#notes.acknowledged(leases);
    this.#loop.poke();
  }

  async draining(session: Session): Promise<void> {
    const { worker, session: id } = { worker: session.workerId, session: session.id };
    await setSessionDraining(this.#context.database.beats, id);
    this.#context.bus.tell("worker.changed", { session: id, worker });
  }

  left(session: Session, reason: string): void {
    this.#open.delete(session.id);
    this.#beats.delete(session);
    this.#listener.left(session);
    if (reason !== "superseded" && reason !== "lapsed") this.#dropped.add(session.id);
    const { workerId: worker, id } = session;
    this.#context.bus.tell("worker.left", { session: id, worker, reason });
    this.#loop.poke();
  }

  async #flush(): Promise<void> {
    await this.#flushDropped();
    await this.#flushBeats();
    await this.#notes.flush();
  }

  async #flushDropped(): Promise<void> {
    const dropped = [...this.#dropped];
    if (dropped.length === 0) return;
    const { database, options } = this.#context;
    await dropSessions(database.beats, dropped, options.graceSeconds);
    for (const id of dropped) {
      await closeIdleSession(database.beats, id, "closed");
      this.#dropped.delete(id);
    }
  }

  async #flushBeats(): Promise<void> {
    const sessions = [...this.#beats];
    if (sessions.length === 0) return;
    this.#beats.clear();
    const beats = sessions.map((s) => ({ session: s.id, metrics: s.metrics }));
    const { database, options } = this.#context;
    let open: Set<number>;
    try {
      open = await beatSessions(database.beats, beats, options.leaseSeconds);
    } catch (error) {
      for (const s of sessions) if (s.open) this.#beats.add(s);
      throw error;
    }
    for (const session of sessions) {
      if (!open.has(session.id)) session.end("lapsed", "The session is over; connect again.");
      else {
        const { id, workerId: worker } = session;
        this.#context.bus.tell("worker.changed", { session: id, worker });
      }
    }
  }
}

function factsOf(hello: Hello): object {
  const { version, pid, host, pool, system, features, kinds, handlers, resources } = hello;
  return { version, pid, host, pool, system: system ?? null, features, kinds, handlers, resources };
}
