/**
 * Why does this job wait, or why did it run there? Answered with the very functions that decide:
 * the vetoes of `core/eligibility`, the rules of `core/scoring`, the facts of the sessions.
 */
import { jobVetoes, workerVetoes } from "../core/eligibility/eligibility.ts";
import type {
  JobFacts,
  JobSituation,
  QueueFacts,
  WorkerFacts,
  WorkerLoad,
} from "../core/eligibility/facts.ts";
import type { JobState } from "../core/job_state.ts";
import type { ScoringWorker } from "../core/scoring/context.ts";
import { explainTerms } from "../core/scoring/explain.ts";
import { RULES, RULES_VERSION, scoreInto } from "../core/scoring/score.ts";
import { countHeldKeys, readKeys } from "../db/statements/operating/limit_keys.ts";
import {
  type AttemptFacts,
  type ConnectedRow,
  type JobFactsRow,
  readAttempt,
  readBlocking,
  readConnected,
  readContexts,
  readHeld,
  readJobFacts,
  readJobNames,
  readPlace,
} from "../db/statements/read_explanation.ts";
import type { EngineContext } from "./context.ts";
import type { Explanation, FullExplanation, VetoView } from "./explain.ts";
import type { Histories } from "./histories.ts";
import type { InstanceView } from "./instance_view.ts";
import type { Sessions } from "./sessions.ts";
import type { Switches } from "./switches.ts";

/** Workers that one explanation weighs. */
const WORKERS_MAX = 200;

export class Explainer {
  readonly #context: EngineContext;
  readonly #parts: {
    sessions: Sessions;
    switches: Switches;
    histories: Histories;
    view: InstanceView;
  };

  constructor(
    context: EngineContext,
    parts: { sessions: Sessions; switches: Switches; histories: Histories; view: InstanceView },
  ) {
    this.#context = context;
    this.#parts = parts;
  }

  async explain(id: string, attempt?: number): Promise<FullExplanation | null> {
    const sql = this.#context.database.reads;
    const [row, dispatch] = await Promise.all([
      readJobFacts(sql, id),
      readAttempt(sql, id, attempt ?? null),
    ]);
    if (!row) return null;
    const { names } = this.#context;
    await names.load({
      orgs: [row.org_id],
      queues: [row.queue_id],
      names: [row.name_id],
      shapes: [row.shape_id],
    });
    if (attempt !== undefined && !dispatch) return null;
    const base = {
      state: row.state as JobState,
      considered_at: new Date(this.#context.clock.now()).toISOString(),
    };
    const waits = row.state === "queued" || row.state === "ready" ? await this.#waiting(row) : null;
    const jobs = await readJobNames(sql, dispatch?.candidates ?? []);
    return {
      ...base,
      vetoes: [],
      workers: [],
      ...waits,
      ...(dispatch ? { dispatch: await this.#dispatch(dispatch, row, jobs) } : {}),
      whose: new Map([...jobs].map(([id, { org }]) => [id, org])),
    };
  }

  // A job that waits

  async #waiting(row: JobFactsRow): Promise<Partial<Explanation>> {
    const sql = this.#context.database.reads;
    const { switches } = this.#parts;
    await switches.refresh();
    const queue = this.#context.names.queueName(row.queue_id);
    const held = switches.limited(row.queue_id) ? await readHeld(sql, row.queue_id) : 0;
    const below = switches.stopBelow(row.queue_id);
    const situation = situationOf(row, below !== null && row.id < below);
    const now = this.#context.clock.now();
    const perKey = await this.#perKey(row);
    const facts = { ...switches.facts(row.queue_id, queue, held), perKey };
    const vetoes = jobVetoes(situation, facts, switches.instance, now);
    const workers = await this.#workers(row, now);
    return {
      vetoes: [...vetoes, ...(workers.length === 0 ? [nobody()] : [])],
      workers,
      ...(row.state === "ready" ? { position: await readPlace(sql, row) } : {}),
      ...(row.waiting_for === "dependencies" || row.pending_deps > 0
        ? { blocked_by: await this.#blockedBy(row.id) }
        : {}),
    };
  }

  async #perKey({ id, queue_id: queue }: JobFactsRow): Promise<QueueFacts["perKey"]> {
    const limit = this.#parts.switches.keyLimit(queue);
    if (limit === null) return null;
    const { reads } = this.#context.database;
    const { tag, concurrency } = limit;
    const value = (await readKeys(reads, [id], tag)).get(id);
    if (value === undefined) return null;
    const held = (await countHeldKeys(reads, queue, tag)).get(value) ?? 0;
    return { tag, value, concurrency, held };
  }

  async #workers(row: JobFactsRow, now: number): Promise<Explanation["workers"]> {
    const connected = await readConnected(this.#context.database.reads, row.org_id, WORKERS_MAX);
    const job = this.#jobFacts(row);
    await this.#parts.histories.load([row.name_id]);
    return connected.map((c) => {
      const { facts, load, scoring } = this.#worker(c);
      const rejected = row.rejected_by?.includes(c.worker_id) ?? false;
      const vetoes = workerVetoes(job, facts, load, rejected);
      const score = row.state === "ready" ? this.#score(row, scoring, now) : {};
      return { id: c.uid, name: c.name, vetoes, ...score };
    });
  }

  #jobFacts(row: JobFactsRow): JobFacts {
    const { names } = this.#context;
    const shape = names.shape(row.shape_id)!;
    return {
      org: row.org_id,
      orgName: names.orgName(row.org_id),
      kind: shape.kind,
      handler: shape.kind === "handler" ? names.jobName(row.name_id) : null,
      requirements: shape.requirements,
    };
  }

  /** A session of ours is asked itself; one of another replica is read from its row. */
  #worker(c: ConnectedRow): { facts: WorkerFacts; load: WorkerLoad; scoring: ScoringWorker } {
    const mine = this.#parts.sessions.get(c.id);
    if (mine) return { facts: mine.facts, load: mine.load, scoring: mine.scoring };
    return workerFromRow(c, c.org_id === null ? null : this.#context.names.orgName(c.org_id));
  }

  #score(row: JobFactsRow, worker: ScoringWorker, now: number) {
    const shape = this.#context.names.shape(row.shape_id)!;
    const terms = new Float32Array(RULES.length);
    const score = scoreInto(
      terms,
      {
        id: row.id,
        org: row.org_id,
        queue: row.queue_id,
        name: row.name_id,
        shape: row.shape_id,
        rank: row.ready_rank!,
        readyAt: row.ready_ms!,
        priority: row.priority,
        dependents: row.dependents,
        ramMb: shape.requirements.ram_mb ?? null,
        cpus: shape.requirements.cpus ?? null,
        inputWorkers: row.input_workers ?? [],
        history: this.#parts.histories.of(row.name_id),
      },
      worker,
      this.#parts.view.read(),
      now,
    );
    return { score, terms: explainTerms(terms, RULES_VERSION) };
  }

  async #blockedBy(id: string): Promise<Explanation["blocked_by"]> {
    const rows = await readBlocking(this.#context.database.reads, id, 100);
    await this.#context.names.load({ names: rows.map((r) => r.name_id) });
    return rows.map((r) => ({
      id: r.id,
      name: this.#context.names.jobName(r.name_id),
      state: r.state as JobState,
    }));
  }

  // A job that was dispatched

  async #dispatch(
    a: AttemptFacts,
    row: JobFactsRow,
    jobs: Awaited<ReturnType<typeof readJobNames>>,
  ): Promise<NonNullable<Explanation["dispatch"]>> {
    const sql = this.#context.database.reads;
    const { names } = this.#context;
    const ids = [a.worker_context, a.job_context, a.instance_context];
    const [contexts] = await Promise.all([
      readContexts(
        sql,
        ids.flatMap((i) => i ?? []),
      ),
      names.load({ workers: [a.worker_id], names: [...jobs.values()].map(({ name }) => name) }),
    ]);
    const body = (id: string | null) => (id === null ? null : (contexts.get(id) ?? null));
    const job = body(a.job_context);
    const named = (id: string) => {
      const found = jobs.get(id);
      return found === undefined ? null : names.jobName(found.name);
    };
    return {
      attempt: a.attempt,
      worker: { id: names.workerUid(a.worker_id), name: names.workerName(a.worker_id) },
      score: a.score ?? 0,
      terms: explainTerms(a.terms ?? [], a.rules_version ?? RULES_VERSION),
      considered: a.considered ?? 0,
      candidates: (a.candidates ?? []).map((job, at) => ({
        job,
        name: named(job),
        score: a.candidate_scores?.[at] ?? 0,
      })),
      contexts: {
        worker: body(a.worker_context),
        // Names share it: whose it was says the job.
        job: job && { name: names.jobName(row.name_id), ...job },
        instance: body(a.instance_context),
      },
    };
  }
}

function situationOf(row: JobFactsRow, stopped: boolean): JobSituation {
  return {
    waitingFor: row.waiting_for as JobSituation["waitingFor"],
    dueAt: row.due_ms,
    lastError: row.last_error,
    failures: row.failures,
    maxAttempts: row.max_attempts,
    pendingDependencies: row.pending_deps,
    stopped,
    cancelRequested: row.cancel_requested,
  };
}

function nobody(): VetoView {
  return {
    rule: "no_worker",
    sentence: "No worker is connected that this organization may use.",
    unblocks: "Start a worker: signalbox worker --url ws://HOST:PORT --token-file FILE.",
  };
}

function workerFromRow(c: ConnectedRow, orgName: string | null) {
  const { facts: f, metrics: m } = c;
  const facts: WorkerFacts = {
    name: c.name,
    org: c.org_id,
    orgName,
    kinds: f.kinds ?? ["exec"],
    handlers: new Set(f.handlers ?? []),
    system: f.system ?? null,
    features: new Set(f.features ?? []),
    pool: f.pool ?? "default",
    ramMb: f.resources?.ram_mb ?? null,
    cpus: f.resources?.cpus ?? null,
  };
  const load: WorkerLoad = {
    draining: c.draining,
    slots: c.concurrency,
    used: c.used,
    ramReservedMb: c.ram_reserved,
    cpusReserved: c.cpus_reserved,
  };
  const scoring: ScoringWorker = {
    id: c.worker_id,
    org: c.org_id,
    slots: c.concurrency,
    used: c.used,
    ramTotalMb: m?.ram_total_mb ?? facts.ramMb,
    ramFreeMb: m?.ram_free_mb ?? null,
    ramReservedMb: c.ram_reserved,
    cpus: facts.cpus,
    cpusReserved: c.cpus_reserved,
    cpuPct: m?.cpu_pct ?? null,
    diskMbps: m?.disk_mbps ?? null,
    networkMbps: m?.network_mbps ?? null,
    recentNames: new Set(),
  };
  return { facts, load, scoring };
}
