/**
 * The small background parts: counters are folded, workflows settled, cancels carried to their
 * workers, partitions made ahead, old beats forgotten.
 */

import { ensurePartitions } from "../db/partitions.ts";
import { cancelIntents } from "../db/statements/cancel_jobs.ts";
import { foldCounters, NIL_UUID } from "../db/statements/counters.ts";
import { pruneKeys } from "../db/statements/idempotency.ts";
import { pruneBeats } from "../db/statements/replicas.ts";
import { askedToDrain } from "../db/statements/sessions.ts";
import {
  settleWorkflows,
  unfinishedWorkflows,
  workflowsOf,
} from "../db/statements/settle_workflows.ts";
import type { Clock } from "./clock.ts";
import type { EngineContext } from "./context.ts";
import type { Lease } from "./lease.ts";
import type { Lines } from "./lines.ts";
import { Loop, type Service } from "./service.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";

function loop(
  context: EngineContext,
  name: string,
  everyMs: number,
  run: () => Promise<unknown>,
): Loop {
  return new Loop({
    name,
    everyMs,
    run,
    onError: (error) => context.log.warn({ error: String(error) }, `${name} failed`),
  });
}

/** Sums counter deltas every second; one folder at a time over all replicas. */
export function createFolder(context: EngineContext): Loop {
  return loop(context, "folder", 1_000, async () => {
    return (await foldCounters(context.database.beats)) >= 50_000;
  });
}

export function createPartitioner(context: EngineContext): Loop {
  return loop(context, "partitioner", 3_600_000, async () => {
    await ensurePartitions(context.database.beats, context.clock.now());
  });
}

/** What only a repeat would ask for, once no repeat can come any more: beats and answered POSTs. */
export function createReceiptPruner(context: EngineContext): Loop {
  return loop(context, "receipt pruner", 60_000, async () => {
    await pruneKeys(context.database.beats, KEYS_PRUNED);
    return await pruneBeats(context.database.beats);
  });
}

/** Answered POSTs forgotten a round. */
const KEYS_PRUNED = 20_000;

const SETTLE_MS = 200;
/** Workflows a transaction of ours ended but that were not settled, because we died in between. */
const SWEEP_EVERY = 75;
const SWEEP_MAX = 200;

export class Settler implements Service {
  readonly name = "settler";
  readonly #context: EngineContext;
  readonly #loop: Loop;
  #jobs = new Set<string>();
  #workflows = new Set<string>();
  #round = 0;
  #after = NIL_UUID;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#loop = loop(context, this.name, SETTLE_MS, () => this.#run());
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Jobs of workflows that ended. */
  ended(jobs: string[]): void {
    for (const id of jobs) this.#jobs.add(id);
  }

  /** A workflow that may be over although none of its jobs has just ended. */
  look(workflow: string): void {
    this.#workflows.add(workflow);
  }

  async #run(): Promise<void> {
    const { beats } = this.#context.database;
    const jobs = [...this.#jobs];
    const workflows = [...this.#workflows];
    this.#jobs = new Set();
    this.#workflows = new Set();
    try {
      const ended = jobs.length > 0 ? await workflowsOf(beats, jobs) : [];
      await this.#settle([...new Set([...ended, ...workflows])]);
    } catch (error) {
      for (const id of jobs) this.#jobs.add(id);
      for (const id of workflows) this.#workflows.add(id);
      throw error;
    }
    this.#round += 1;
    if (this.#round % SWEEP_EVERY !== 1) return;
    const ids = await unfinishedWorkflows(beats, this.#after, SWEEP_MAX);
    this.#after = ids.length < SWEEP_MAX ? NIL_UUID : ids[ids.length - 1]!;
    await this.#settle(ids);
  }

  async #settle(ids: string[]): Promise<void> {
    const settled = await settleWorkflows(this.#context.database.beats, ids.sort());
    if (settled.length > 0) this.#context.bus.tell("events.committed", {});
  }
}

/** Gives back leases whose grant was committed but never heard of. */
export function createStrayCatcher(
  context: EngineContext,
  sessions: Sessions,
  lines: Lines,
  giveBack: (session: Session, lease: Lease) => void,
): Loop {
  return loop(context, "stray catcher", 5_000, async () => {
    const { strayAfterSeconds } = context.options;
    for (const { session, lease } of await sessions.strays(strayAfterSeconds, lines.leasing)) {
      context.log.warn({ job: lease.id }, "a lease that nobody knew was given back");
      giveBack(session, lease);
    }
  });
}

/** The head of every line is read again at most this often (engine rule 21). */
const SWEEP_MS = 9_000;
/** Of ten thousand lines, which takes a quarter of a second, less often: for this part of the time. */
const SWEEP_SHARE = 0.01;
const SWEEP_REST_MAX_MS = 60_000;

export function createSweeper(context: EngineContext, lines: Lines, swept: () => void): Loop {
  let restsUntil = 0;
  return loop(context, "sweeper", SWEEP_MS, async () => {
    const began = performance.now();
    if (began < restsUntil) return;
    await lines.sweep();
    const ended = performance.now();
    restsUntil = ended + Math.min(SWEEP_REST_MAX_MS, (ended - began) / SWEEP_SHARE);
    swept();
  });
}

/** Beyond what networks and crystals explain. */
const STEP_MS = 1_000;

export function createTimekeeper(context: EngineContext, clock: Clock): Loop {
  let apart = false;
  return loop(context, "clock", 30_000, async () => {
    const ahead_ms = Math.round(await clock.measure());
    const was = apart;
    apart = Math.abs(ahead_ms) >= STEP_MS;
    if (apart && !was) {
      context.log.warn({ ahead_ms }, "the database's clock has stepped; ours follows it slowly");
    }
  });
}

/** Carries cancel and drain intents to the sessions that this replica holds, whoever wrote them. */
export function createCanceller(context: EngineContext, sessions: Sessions): Loop {
  const canceller = loop(context, "canceller", 1_000, async () => {
    const held = new Map([...sessions.all()].map((s) => [s.id, s]));
    if (held.size === 0) return;
    for (const intent of await cancelIntents(context.database.beats, [...held.keys()])) {
      const session = held.get(intent.session_id);
      const lease = session?.leases.get(intent.id);
      if (!session || !lease || lease.token !== intent.token) continue;
      const isNews = !lease.cancelRequested;
      if (!isNews && lease.requeueRequested === intent.cancel_requeue) continue;
      lease.cancelRequested = true;
      lease.requeueRequested = intent.cancel_requeue;
      lease.cancelActor = intent.cancel_actor;
      lease.cancelReason = intent.cancel_reason;
      // Stopping already, whatever becomes of it.
      if (isNews) session.cancel(lease);
    }
    for (const id of await askedToDrain(context.database.beats, [...held.keys()])) {
      if (!held.get(id)?.load.draining) held.get(id)?.drain(true);
    }
  });
  context.bus.on("cancel.requested", () => canceller.poke());
  return canceller;
}
