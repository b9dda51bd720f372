/**
 * One lease beat: chosen pairs become leases in one transaction (engine rules 7, 9, 23). Says which
 * were granted; whatever happens to the connection, each choice ends as granted or not granted.
 */
import { v7 as uuidv7 } from "uuid";
import { RULES_VERSION } from "../core/scoring/score.ts";
import type { Sql, Transaction } from "../db/client.ts";
import { beatLanded } from "../db/statements/beats.ts";
import { type JobDetails, readJobDetails } from "../db/statements/job_details.ts";
import {
  type ChosenLease,
  type FreshContext,
  type LeasedRow,
  leaseJobs,
} from "../db/statements/lease_jobs.ts";
import { readLeases } from "../db/statements/leases.ts";
import { countHeldKeys, readKeys } from "../db/statements/operating/limit_keys.ts";
import { lockLimits, spendTokens } from "../db/statements/switches.ts";
import type { Choice } from "./choice/choose.ts";
import type { EngineContext } from "./context.ts";
import type { Contexts } from "./contexts.ts";
import type { KeyLimit } from "./leases/key_limits.ts";
import { isRepeatable, rest, sqlState } from "./pipeline.ts";

/** A choice as the lease statement takes it. */
export interface Picked extends ChosenLease {
  choice: Choice;
  /** It was refused because of its key. */
  isKeyFull?: boolean;
}

interface Beat {
  picks: Picked[];
  limited: number[];
  beat: string;
  contexts: FreshContext[];
}

type Leased = { picked: Picked; row: Omit<LeasedRow, "at">; beat: string };
/** `job` is null where it could not be read: the lease stands, and is to be given back. */
export type Granted = Leased & { job: JobDetails | null };

/** Tries of one beat before its choices are given up: they stay in the line and come again. */
const TRIES_MAX = 5;

export class LeaseBeat {
  readonly #context: EngineContext;
  readonly #contexts: Contexts;
  #stopped = false;

  constructor(context: EngineContext, contexts: Contexts) {
    this.#context = context;
    this.#contexts = contexts;
  }

  /** `limited`: queues of these picks that have limits. */
  async grant(picks: Picked[], limited: number[]): Promise<Granted[]> {
    // Beside the beat: what it reads never changes. Nothing of it may fail what the beat has leased.
    const details = this.#details(picks).catch(() => undefined);
    const leased = await this.#lease(picks, limited);
    if (leased.length === 0) return [];
    const jobs = (await details) ?? (await this.#details(picks).catch(() => undefined));
    return leased.map((one) => ({ ...one, job: jobs?.get(one.picked.job) ?? null }));
  }

  /** Nothing more is tried; leases that landed unseen come back with their session's end. */
  stop(): void {
    this.#stopped = true;
  }

  async #details(picks: Picked[]): Promise<Map<string, JobDetails>> {
    const { recent, database } = this.#context;
    const known = new Map<string, JobDetails>();
    const others: string[] = [];
    for (const { job } of picks) {
      const details = recent.take(job);
      if (details) known.set(job, details);
      else others.push(job);
    }
    if (others.length === 0) return known;
    const read = await readJobDetails(database.beats, others);
    for (const [id, details] of known) read.set(id, details);
    return read;
  }

  async #lease(picks: Picked[], limited: number[]): Promise<Leased[]> {
    for (let tries = 1; tries <= TRIES_MAX && !this.#stopped; tries++) {
      // Its decision goes to the partition of the day, by the database's clock.
      const beat = uuidv7({ msecs: Math.round(this.#context.clock.now()) });
      try {
        return await this.#write(picks, limited, beat);
      } catch (error) {
        const code = sqlState(error);
        this.#context.log.warn({ code, error: String(error) }, "lease beat failed");
        if (code === undefined) {
          const leased = await this.#afterLoss(picks, beat);
          if (leased) return leased;
        } else if (!isRepeatable(code)) return [];
        await rest(20 * tries);
      }
    }
    return [];
  }

  /** One statement, which is then the transaction, unless there are limits. */
  async #write(picks: Picked[], limited: number[], beat: string): Promise<Leased[]> {
    const { leases } = this.#context.database;
    const contexts = this.#contexts.fresh;
    const leased =
      limited.length === 0
        ? await this.#ask(leases, { picks, limited, beat, contexts })
        : await leases.begin((tx) =>
            this.#askWithin(tx as unknown as Transaction, { picks, limited, beat, contexts }),
          );
    this.#contexts.confirm(contexts);
    return leased as Leased[];
  }

  async #ask(tx: Transaction | Sql, { picks, limited, beat, contexts }: Beat): Promise<Leased[]> {
    const input = { beat, rulesVersion: RULES_VERSION, limited, contexts, leases: picks };
    return (await leaseJobs(tx, input)).map((row) => ({ picked: picks[row.at]!, row, beat }));
  }

  /** Holds the limits of the queues, and spends what is leased of them. */
  async #askWithin(tx: Transaction, beat: Beat): Promise<Leased[]> {
    const { limited } = beat;
    const picks = await this.#withinLimits(tx, beat.picks, limited);
    // Even of nothing: the contexts are confirmed afterwards.
    const leased = await this.#ask(tx, { ...beat, picks });
    const spent = limited.map((queue) => ({
      queue,
      n: leased.filter((l) => l.picked.queue === queue).length,
    }));
    await spendTokens(tx, spent);
    return leased;
  }

  /** Keeps the best of each limited queue and of each key, as many as the limits have room for. */
  async #withinLimits(tx: Transaction, picks: Picked[], limited: number[]): Promise<Picked[]> {
    const queues = [...limited].sort((a, b) => a - b);
    const room = new Map((await lockLimits(tx, queues)).map((r) => [r.queue, r]));
    const kept: Picked[] = [];
    for (const [queue, own] of Map.groupBy(picks, (picked) => picked.queue)) {
      const limits = room.get(queue);
      const left = limits?.room ?? Number.POSITIVE_INFINITY;
      const some = limits?.key ? await withinKeys(tx, own, limits.key) : own;
      kept.push(...some.slice(0, left));
    }
    return kept;
  }

  /** The connection went away at an unknown moment. Null: nothing was committed, try again. */
  async #afterLoss(picks: Picked[], beat: string): Promise<Leased[] | null> {
    const { leases } = this.#context.database;
    for (let pause = 50; !this.#stopped; pause = Math.min(pause * 2, 2_000)) {
      try {
        if (!(await beatLanded(leases, beat))) return null;
        // By token: whatever stood twice in the window was leased once.
        const rows = await readLeases(leases, idsOf(picks));
        const byToken = new Map(rows.map((row) => [row.token, row]));
        return picks.flatMap((picked) => {
          const row = byToken.get(picked.token);
          return row ? [{ picked, row, beat }] : [];
        });
      } catch {
        await rest(pause);
      }
    }
    return [];
  }
}

function idsOf(picks: Picked[]): string[] {
  return picks.map((p) => p.job);
}

/** Leases that this transaction does not see yet cannot be: whoever gives some holds the limit's lock. */
async function withinKeys(tx: Transaction, picks: Picked[], limit: KeyLimit): Promise<Picked[]> {
  const { tag, concurrency } = limit;
  const keys = await readKeys(tx, idsOf(picks), tag);
  const held = await countHeldKeys(tx, picks[0]!.queue, tag);
  return picks.filter((picked) => {
    const key = keys.get(picked.job);
    if (key === undefined) return true;
    const n = held.get(key) ?? 0;
    picked.isKeyFull = n >= concurrency;
    if (!picked.isKeyFull) held.set(key, n + 1);
    return !picked.isKeyFull;
  });
}
