/**
 * One lease beat: chosen pairs become leases in one transaction (engine rules 7, 9, 23). Says which
 * were granted; whatever happens to the connection, each choice ends as granted or not granted.
 */
import { randomUUID } from "node:crypto";
import { RULES_VERSION } from "../core/scoring/score.ts";
import type { Transaction } from "../db/client.ts";
import { beatLanded } from "../db/statements/beats.ts";
import { type ChosenLease, type LeasedRow, leaseJobs } from "../db/statements/lease_jobs.ts";
import { readLeases } from "../db/statements/leases.ts";
import { lockLimits, spendTokens } from "../db/statements/switches.ts";
import type { Choice } from "./choose.ts";
import type { EngineContext } from "./context.ts";
import type { Contexts } from "./contexts.ts";
import { rest, sqlState } from "./pipeline.ts";

export interface Picked {
  choice: Choice;
  token: string;
  workerContext: string;
  jobContext: string;
  instanceContext: string;
}

export type Granted = { picked: Picked; row: LeasedRow };

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
    const { leases } = this.#context.database;
    for (let tries = 1; tries <= TRIES_MAX && !this.#stopped; tries++) {
      const beat = randomUUID();
      try {
        const { rows, stored } = await leases.begin((tx) =>
          this.#write(tx as unknown as Transaction, picks, limited, beat),
        );
        this.#contexts.confirm(stored);
        return match(picks, rows);
      } catch (error) {
        const code = sqlState(error);
        this.#context.log.warn({ code, error: String(error) }, "lease beat failed");
        if (code === undefined) {
          const granted = await this.#afterLoss(picks, beat);
          if (granted) return granted;
        } else if (code !== "40P01" && code !== "40001" && code !== "55P03") return [];
        await rest(20 * tries);
      }
    }
    return [];
  }

  /** Nothing more is tried; leases that landed unseen come back with their session's end. */
  stop(): void {
    this.#stopped = true;
  }

  async #write(tx: Transaction, picks: Picked[], limited: number[], beat: string) {
    const stored = await this.#contexts.store(tx);
    const allowed = limited.length > 0 ? await this.#withinLimits(tx, picks, limited) : picks;
    if (allowed.length === 0) return { rows: [], stored };
    const rows = await leaseJobs(tx, {
      beat,
      queues: [...new Set(allowed.map((p) => p.choice.job.queue))],
      limited,
      rulesVersion: RULES_VERSION,
      leases: allowed.map(leaseInput),
    });
    if (limited.length > 0) {
      const spent = limited.map((queue) => ({
        queue,
        n: rows.filter((r) => r.queue_id === queue).length,
      }));
      await spendTokens(tx, spent);
    }
    return { rows, stored };
  }

  /** Keeps the best of each limited queue, as many as the limit has room for. */
  async #withinLimits(tx: Transaction, picks: Picked[], limited: number[]): Promise<Picked[]> {
    const room = new Map(
      (
        await lockLimits(
          tx,
          [...limited].sort((a, b) => a - b),
        )
      ).map((r) => [r.queue, r.room]),
    );
    return picks.filter(({ choice }) => {
      const left = room.get(choice.job.queue);
      if (left === undefined || left === null) return true;
      if (left <= 0) return false;
      room.set(choice.job.queue, left - 1);
      return true;
    });
  }

  /** The connection went away at an unknown moment. Null: nothing was committed, try again. */
  async #afterLoss(picks: Picked[], beat: string): Promise<Granted[] | null> {
    const { leases } = this.#context.database;
    for (let pause = 50; !this.#stopped; pause = Math.min(pause * 2, 2_000)) {
      try {
        if (!(await beatLanded(leases, beat))) return null;
        const rows = await readLeases(
          leases,
          picks.map((p) => p.choice.job.id),
        );
        const tokens = new Set(picks.map((p) => p.token));
        const mine = rows.filter((r) => tokens.has(r.token)).map((r) => r.id);
        return match(picks, await this.#withPayloads(mine));
      } catch {
        await rest(pause);
      }
    }
    return [];
  }

  async #withPayloads(ids: string[]): Promise<LeasedRow[]> {
    const rows = await this.#context.database.leases`
      select l.id, l.session_id, l.token, l.attempt, l.org_id, l.queue_id, l.name_id, l.failures, l.lost,
        l.rejections, l.has_inputs, j.max_attempts, j.kind, j.payload, j.timeout_seconds,
        j.backoff_base, j.backoff_factor, j.backoff_max, j.priority
      from live_job l join job j on j.id = l.id where l.id = any(${ids}::uuid[])`;
    return rows as unknown as LeasedRow[];
  }
}

function leaseInput({ choice, token, ...contexts }: Picked): ChosenLease {
  return {
    job: choice.job.id,
    session: choice.session.id,
    worker: choice.session.workerId,
    token,
    score: choice.score,
    terms: choice.terms,
    candidates: choice.candidates,
    candidateScores: choice.candidateScores,
    considered: choice.considered,
    ...contexts,
  };
}

/** By token: whatever stood twice in the window was leased once. */
function match(picks: Picked[], rows: LeasedRow[]): Granted[] {
  const byToken = new Map(rows.map((r) => [r.token, r]));
  return picks.flatMap((picked) => {
    const row = byToken.get(picked.token);
    return row ? [{ picked, row }] : [];
  });
}
