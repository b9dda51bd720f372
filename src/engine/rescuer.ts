/**
 * The rescuer: writes the ends of leases whose session has lapsed (engine rules 14 and 15).
 *
 * It acts only after it has itself reached the database without a gap for lease + grace: run first
 * after an outage, it took 100 of 100 healthy jobs. After an outage everybody gets that long.
 */
import { resolveLapse } from "../core/job_end.ts";
import { SECONDS_PER_POINT } from "../core/rank.ts";
import type { Transaction } from "../db/client.ts";
import { type EndedRow, endJobs } from "../db/statements/end_jobs.ts";
import { lockLeases } from "../db/statements/leases.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import { resolveDependents } from "../db/statements/resolve_dependents.ts";
import { returnJobs } from "../db/statements/return_jobs.ts";
import { endSessions, lockLapsed } from "../db/statements/sessions.ts";
import type { EngineContext } from "./context.ts";
import type { EnderListener } from "./ender.ts";
import { type End, endOf, type Lease, leaseOf } from "./lease.ts";
import { transact } from "./pipeline.ts";
import { Loop, type Service } from "./service.ts";

const EVERY_MS = 300;
/** Sessions and leases one transaction rescues. */
const SESSIONS_MAX = 20;
const LEASES_MAX = 400;

export interface RescuerHost {
  /** Sessions of this replica whose worker was heard within the lease time. */
  heard(): number[];
  /** This session is over. */
  lapsed(session: number): void;
}

interface Rescued {
  /** As they were written. */
  attempts: { lease: Lease; end: End }[];
  ended: EndedRow[];
  ready: ReadyRow[];
  over: number[];
  more: boolean;
}

export class Rescuer implements Service {
  readonly name = "rescuer";
  readonly #context: EngineContext;
  readonly #listener: EnderListener;
  readonly #sessions: RescuerHost;
  readonly #loop: Loop;
  /** Monotonic: since when every round has reached the database. */
  #since = Number.POSITIVE_INFINITY;
  #lastRound = Number.NEGATIVE_INFINITY;

  constructor(context: EngineContext, listener: EnderListener, sessions: RescuerHost) {
    this.#context = context;
    this.#listener = listener;
    this.#sessions = sessions;
    this.#loop = new Loop({
      name: this.name,
      everyMs: EVERY_MS,
      run: () => this.#round(),
      onError: (error) => {
        this.#since = Number.POSITIVE_INFINITY;
        context.log.warn({ error: String(error) }, "rescuer did not reach the database");
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #round(): Promise<boolean> {
    const { options, database } = this.#context;
    await database.beats.unsafe("select 1", [], { prepare: true });
    const now = performance.now();
    const gap = (options.leaseSeconds + options.graceSeconds) * 1000;
    // A frozen process is an outage too: heartbeats wait unread in its sockets meanwhile.
    if (now - this.#lastRound > Math.max(1_000, options.leaseSeconds * 500)) this.#since = now;
    this.#lastRound = now;
    this.#since = Math.min(this.#since, now);
    if (now - this.#since < gap) return false;
    const rescued = await transact(database.beats, (tx) => this.#rescue(tx));
    if (rescued.attempts.length > 0) {
      this.#context.bus.tell("attempts.ended", { ends: rescued.attempts });
    }
    for (const session of rescued.over) this.#sessions.lapsed(session);
    if (rescued.ended.length > 0) this.#listener.ended(rescued.ended, []);
    if (rescued.ready.length > 0) this.#listener.ready(rescued.ready);
    if (rescued.ended.length + rescued.ready.length > 0) {
      this.#context.bus.tell("events.committed", {});
    }
    return rescued.more;
  }

  async #rescue(tx: Transaction): Promise<Rescued> {
    const sessions = await lockLapsed(tx, SESSIONS_MAX, this.#sessions.heard());
    if (sessions.length === 0) return { attempts: [], ended: [], ready: [], over: [], more: false };
    const rows = await lockLeases(tx, sessions, LEASES_MAX);
    const at = this.#context.clock.now();
    const attempts = rows.map((row) => {
      const lease = leaseOf(row, { ramMb: 0, cpus: 0 });
      const end = endOf(lease, resolveLapse(row.state, lease), { at, random: Math.random() });
      return { lease, end };
    });
    const ends = attempts.map(({ end }) => end);
    const ended = await endJobs(
      tx,
      ends.flatMap((e) => ("final" in e ? [e.final] : [])),
    );
    const back = await returnJobs(
      tx,
      ends.flatMap((e) => ("returned" in e ? [e.returned] : [])),
      SECONDS_PER_POINT,
    );
    const below = await resolveDependents(tx, ended, SECONDS_PER_POINT);
    const more = rows.length === LEASES_MAX;
    if (!more) await endSessions(tx, sessions, "lapsed");
    const written = new Set([...ended, ...back].map(({ id }) => id));
    return {
      attempts: attempts.filter(({ lease }) => written.has(lease.id)),
      ended: [...ended, ...below.failed],
      ready: [...back, ...below.ready],
      over: more ? [] : sessions,
      more,
    };
  }
}
