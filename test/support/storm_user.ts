/** The callers of a storm: they submit, cancel, retry, pause and drain, several things at once. */
import type { Engine, Receipt } from "../../src/engine/engine.ts";
import { InvalidInput, NotFound, ReceiptTaken } from "../../src/engine/engine.ts";
import { receiptFor } from "../../src/engine/idempotency.ts";
import { sqlState } from "../../src/engine/pipeline.ts";
import {
  type JobInput,
  jobInput,
  type WorkflowJobInput,
  workflowInput,
  workflowJobInput,
} from "../../src/messages/job_input.ts";
import type { Dice } from "./dice.ts";
import { eventually } from "./eventually.ts";

const ACTIONS = {
  single: 10,
  bulk: 6,
  keyed: 5,
  workflow: 6,
  extend: 5,
  cancel: 7,
  cancelRunning: 4,
  retry: 9,
  cancelWorkflow: 3,
  cancelMatching: 1,
  retryMatching: 2,
  pause: 1.5,
  resume: 4,
  drain: 0.7,
  undrain: 5,
  drainWorker: 0.7,
  stop: 1.5,
  undoStop: 1,
  free: 2,
  keyLimit: 0.5,
  explain: 4,
};

/** Each may be taken by any worker of a storm; `narrow` has a limit. */
export const QUEUES = ["default", "busy", "narrow"] as const;
const ACTOR = "storm";
/** Actions under way at once. */
const HANDS = 6;
const NOBODY = "00000000-0000-7000-8000-00000000dead";

/** What the callers were told, to hold the database to it. */
export class Told {
  /** Jobs that an answer named. */
  readonly jobs: string[] = [];
  readonly workflows: string[] = [];
  /** Operations that stop queues. */
  readonly stops: string[] = [];
  /** Workflows that may still take jobs. */
  readonly open = new Set<string>();
  /** By the tag of the submission: how many jobs it was told to have made. */
  readonly batches = new Map<string, number>();
  readonly faults: string[] = [];
  readonly counts = new Map<string, number>();
}

export interface UserGround {
  anyEngine(): Engine;
  workerUids(): string[];
}

export class StormUser {
  readonly #ground: UserGround;
  readonly #dice: Dice;
  readonly told: Told;
  readonly #underWay = new Set<string>();
  #actions = 0;
  #submissions = 0;

  constructor(ground: UserGround, dice: Dice, told: Told) {
    this.#ground = ground;
    this.#dice = dice;
    this.told = told;
  }

  turn(): void {
    if (this.#underWay.size >= HANDS || !this.#dice.chance(0.6)) return;
    const action = this.#dice.weighted(ACTIONS);
    this.told.counts.set(action, (this.told.counts.get(action) ?? 0) + 1);
    const name = `${action} ${this.#actions++}`;
    this.#underWay.add(name);
    this.#do(action)
      .catch((error) => {
        if (isExpected(error)) return;
        this.told.faults.push(`${action}: ${error instanceof Error ? error.stack : error}`);
      })
      .finally(() => this.#underWay.delete(name));
  }

  /** Until every caller has an answer. */
  async rest(): Promise<void> {
    await eventually(
      () => {
        if (this.#underWay.size === 0) return true;
        throw new Error([...this.#underWay].join(", "));
      },
      "every caller is answered",
      { deadlineMs: 60_000 },
    );
  }

  async #do(action: keyof typeof ACTIONS): Promise<unknown> {
    const engine = this.#ground.anyEngine();
    const dice = this.#dice;
    const { told } = this;
    const anyJob = () => (dice.chance(0.5) ? told.jobs.slice(-40) : told.jobs);
    const job = told.jobs.length > 0 ? dice.pick(anyJob()) : undefined;
    const flow = told.workflows.length > 0 ? dice.pick(told.workflows) : undefined;
    switch (action) {
      case "single":
        return this.#submit([this.#job()]);
      case "bulk":
        return this.#submit(Array.from({ length: dice.between(2, 25) }, () => this.#job()));
      case "keyed":
        return this.#keyed();
      case "workflow":
        return this.#workflow();
      case "extend":
        return this.#extend();
      case "cancel":
        return job && engine.cancelJob(job, ACTOR, "not wanted");
      case "cancelRunning":
        return job && engine.cancelJob(told.jobs.at(-dice.between(1, 8)) ?? job, ACTOR);
      case "retry":
        return job && engine.retryJob(dice.pick(told.jobs), ACTOR, "again");
      case "cancelWorkflow":
        return flow && engine.cancelWorkflow(flow, ACTOR, "enough");
      case "explain":
        return job && engine.explain(job);
      case "drainWorker":
        return engine.drainWorker(dice.pick(this.#ground.workerUids()), ACTOR);
      default:
        return this.#rule(action, engine, flow);
    }
  }

  /** What touches more than one thing. */
  #rule(action: keyof typeof ACTIONS, engine: Engine, flow: string | undefined): Promise<unknown> {
    const queue = this.#dice.pick(QUEUES);
    const filter = flow && this.#dice.chance(0.5) ? { workflow: flow } : { queue };
    const states = this.#dice.pick([
      ["failed"],
      ["cancelled"],
      ["failed", "dependency_failed", "cancelled"],
    ] as const);
    switch (action) {
      case "cancelMatching":
        return engine.bulk.begin(
          { kind: "cancel", org: "default", filter },
          { reason: "all" },
          ACTOR,
        );
      case "retryMatching":
        return engine.bulk.begin(
          { kind: "retry", org: "default", filter: { ...filter, state: [...states] } },
          {},
          ACTOR,
        );
      case "pause":
        return engine.pauseQueue("default", queue, ACTOR, "a pause");
      case "resume":
        return engine.resumeQueue("default", queue, ACTOR);
      case "stop":
        return this.#stop(engine, queue);
      case "undoStop":
        return engine.bulk.undo(this.told.stops.at(-1) ?? NOBODY, ACTOR);
      case "free":
        return this.#free(engine);
      case "keyLimit":
        return this.#keyLimit(engine, queue);
      default:
        return engine.setDraining(action === "drain", ACTOR);
    }
  }

  async #stop(engine: Engine, queue: string): Promise<void> {
    const one = { queues: [{ org: "default", queue }] };
    const ask = this.#dice.chance(0.8) ? one : { org: "default", queues: null };
    const delaySeconds = this.#dice.pick([0, 0.3, 2]);
    const stopped = await engine.operating.stops.begin(ask, { delaySeconds }, ACTOR);
    if (stopped.operation !== null) this.told.stops.push(stopped.operation);
  }

  #free(engine: Engine): Promise<unknown> {
    const requeue = this.#dice.chance(0.6);
    const { slots } = engine.operating;
    if (this.#dice.chance(0.1)) return slots.freeAll("default", { requeue }, ACTOR);
    const worker = this.#dice.pick(this.#ground.workerUids());
    const ask = { worker, slot: this.#dice.between(1, 4) };
    return slots.free(ask, { requeue }, { orgs: "all", actor: ACTOR });
  }

  #keyLimit(engine: Engine, queue: string): Promise<boolean> {
    const per_key = this.#dice.chance(0.5) ? { tag: "batch", concurrency: 1 } : null;
    const patch = { limits: { per_key } };
    return engine.operating.queues.change("default", queue, patch, ACTOR);
  }

  // Submissions

  /** A caller that hears nothing asks again with the same key, as clients do. */
  async #once<T>(run: (engine: Engine, receipt: Receipt) => Promise<T>): Promise<T | "before"> {
    const key = `key ${this.#submissions++}`;
    for (let tries = 1; ; tries++) {
      try {
        return await run(this.#ground.anyEngine(), receiptFor("", ACTOR, key, [key]));
      } catch (error) {
        if (error instanceof ReceiptTaken) return "before";
        if (!isOutage(error) || tries > 20) throw error;
      }
    }
  }

  async #submit(inputs: JobInput[]): Promise<void> {
    const batch = `b${this.#submissions}`;
    const jobs = inputs.map((input) => jobInput.parse({ ...input, tags: { batch } }));
    const answer = await this.#once((engine, receipt) =>
      engine.submitJobs("default", jobs, ACTOR, receipt),
    );
    this.told.batches.set(batch, jobs.length);
    if (answer !== "before") this.told.jobs.push(...answer.map((s) => s.id));
  }

  /** Jobs of which another of the same name may be waiting or running; not all are made. */
  async #keyed(): Promise<void> {
    const jobs = Array.from({ length: this.#dice.between(1, 5) }, () =>
      jobInput.parse({ ...this.#job(), dedupe_key: `k${this.#dice.between(1, 6)}` }),
    );
    const answer = await this.#once((engine, receipt) =>
      engine.submitJobs("default", jobs, ACTOR, receipt),
    );
    if (answer !== "before") this.told.jobs.push(...answer.map((s) => s.id));
  }

  async #workflow(): Promise<void> {
    const batch = `b${this.#submissions}`;
    const open = this.#dice.chance(0.4);
    const jobs = this.#graph(batch, this.#dice.between(open ? 0 : 1, 9));
    const input = workflowInput.parse({ name: "flow", jobs, open });
    const answer = await this.#once((engine, receipt) =>
      engine.submitWorkflow("default", input, ACTOR, receipt),
    );
    this.told.batches.set(batch, jobs.filter((j) => j.tags).length);
    if (answer === "before") return;
    this.told.jobs.push(...Object.values(answer.jobs));
    this.told.workflows.push(answer.id);
    if (open) this.told.open.add(answer.id);
  }

  async #extend(): Promise<void> {
    if (this.told.open.size === 0) return;
    const id = this.#dice.pick([...this.told.open]);
    const batch = `b${this.#submissions}`;
    const jobs = this.#graph(batch, this.#dice.between(0, 5)).map((j) => workflowJobInput.parse(j));
    const close = this.#dice.chance(0.3);
    try {
      const answer = await this.#once((engine, receipt) =>
        engine.addToWorkflow(id, jobs, { close }, ACTOR, receipt),
      );
      this.told.batches.set(batch, jobs.filter((j) => j.tags).length);
      if (answer !== "before") this.told.jobs.push(...Object.values(answer.jobs));
      if (close) this.told.open.delete(id);
    } catch (error) {
      // Cancelled or closed meanwhile.
      if (error instanceof InvalidInput) this.told.open.delete(id);
      throw error;
    }
  }

  /** Chains, diamonds and combs: each job may wait for any before it, and for jobs elsewhere. */
  #graph(batch: string, size: number): WorkflowJobInput[] {
    const key = (at: number) => `${batch}-${at}`;
    return Array.from({ length: size }, (_, at) => {
      const { depends_on: elsewhere, ...job } = this.#job();
      const before = Array.from({ length: at }, (__, n) => n).filter(() => this.#dice.chance(0.35));
      const outside = this.#dice.chance(0.3) ? (elsewhere ?? []) : [];
      const keyed = this.#dice.chance(0.1) ? { dedupe_key: `k${this.#dice.between(1, 6)}` } : null;
      return {
        ...job,
        key: key(at),
        depends_on: [...before.map(key), ...outside.map((id) => ({ job: id }))],
        ...(keyed ?? { tags: { batch } }),
      };
    });
  }

  #job(): JobInput {
    const dice = this.#dice;
    const { jobs } = this.told;
    const known = jobs.length > 0 && dice.chance(0.25);
    const dependencies = known
      ? Array.from({ length: dice.between(1, 3) }, () =>
          dice.pick(dice.chance(0.7) ? jobs.slice(-15) : jobs),
        )
      : [];
    const soon = () => new Date(Date.now() + dice.between(-200, 900)).toISOString();
    return {
      name: dice.pick(["work", "work", "build"]),
      kind: "handler",
      queue: dice.pick(QUEUES),
      priority: dice.chance(0.3) ? dice.between(-100, 100) : 0,
      max_attempts: dice.between(1, 4),
      backoff: { base_seconds: dice.pick([0, 0.01, 0.2]), factor: 2, max_seconds: 0.5 },
      ...(dice.chance(0.15) ? { run_at: soon() } : {}),
      ...(dice.chance(0.1) ? { requirements: { features: ["rare"] } } : {}),
      ...(dice.chance(0.1) ? { requirements: { ram_mb: 600, cpus: 1 } } : {}),
      ...(dice.chance(0.2) ? { payload: { n: dice.between(0, 1e6) } } : {}),
      ...(dependencies.length > 0 ? { depends_on: [...new Set(dependencies)] } : {}),
    };
  }
}

/** The database was not reached: whether it was done is unknown. */
export function isOutage(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && sqlState(error) === undefined;
}

/** Answers that a caller can get in a storm without anything being wrong. */
function isExpected(error: unknown): boolean {
  return isOutage(error) || error instanceof InvalidInput || error instanceof NotFound;
}
