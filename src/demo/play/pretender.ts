/**
 * The runner of a demo's worker: it runs nothing, and tells of everything what a real one would tell:
 * progress, log, items, figures of use, and an end that fits the name.
 */

import { Buffer } from "node:buffer";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptHost,
  type Runner,
  type StopReason,
  stoppedOutcome,
} from "../../worker/attempt.ts";
import { evaluated } from "../cast/firmware.ts";
import { taskOf } from "../cast/organizations.ts";
import type { Task } from "../cast/task.ts";
import { Dice } from "../dice.ts";
import { type Line, linesOf, noteOf } from "./lines.ts";
import { type Performance, perform } from "./perform.ts";

/** How long a job takes to end that was asked to. */
const STOPS_IN_MS = 350;

export interface PretenderOptions {
  seed: number;
  speed: number;
}

interface Act {
  attempt: Attempt;
  task: Task;
  performance: Performance;
  lines: Line[];
  begunAt: number;
  said: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Pretender implements Runner {
  readonly #host: AttemptHost;
  readonly #options: PretenderOptions;
  readonly #acts = new Set<Act>();

  constructor(host: AttemptHost, options: PretenderOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** What runs now uses so much of the machine. */
  get load(): { cores: number; ramMb: number; diskMbps: number; networkMbps: number } {
    const load = { cores: 0, ramMb: 0, diskMbps: 0, networkMbps: 0 };
    for (const { task, performance } of this.#acts) {
      load.cores += task.cores;
      load.ramMb += task.ramMb * 0.8;
      load.diskMbps += (task.diskMb * 1000) / performance.runMs;
      load.networkMbps += task.networkMbps * 0.5;
    }
    return load;
  }

  start(attempt: Attempt): void {
    const { org, name } = attempt.assignment;
    this.#host.started(attempt);
    const task = taskOf(org, name);
    if (!task) {
      this.#host.ended(attempt, { outcome: "failed", run_ms: 0, error: stranger(name) });
      return;
    }
    const act = this.#rehearse(attempt, task);
    this.#acts.add(act);
    attempt.stopper = (reason) => this.#stop(act, reason);
    this.#next(act);
  }

  /** The same job goes the same way at every start of the demo with this seed. */
  #rehearse(attempt: Attempt, task: Task): Act {
    const { payload, attempt: number } = attempt.assignment;
    const dice = Dice.of(this.#options.seed, task.name, JSON.stringify(payload ?? null), number);
    const performance = perform(task, dice, number, this.#options.speed);
    const lines = linesOf(task, performance, dice);
    return { attempt, task, performance, lines, begunAt: now(), said: 0, timer: undefined };
  }

  #next(act: Act): void {
    const line = act.lines[act.said];
    const at = line ? line.at : act.performance.runMs;
    const step = line ? () => this.#say(act, line) : () => void this.#finish(act);
    act.timer = setTimeout(step, Math.max(0, act.begunAt + at - now()));
  }

  #say(act: Act, line: Line): void {
    act.said += 1;
    this.#host.logOf(act.attempt).writeText(`${line.text}\n`);
    this.#host.logged(act.attempt);
    const fraction = Math.min(1, line.at / act.performance.runMs);
    const note = noteOf(act.task, fraction);
    this.#host.progressed(act.attempt, { fraction, note, ...this.#itemsSoFar(act, fraction) });
    this.#next(act);
  }

  #itemsSoFar({ performance: { items } }: Act, fraction: number) {
    if (!items) return {};
    const part = (n: number) => Math.floor(n * fraction);
    const { success, failed, skipped } = items;
    return { items: { success: part(success), failed: part(failed), skipped: part(skipped) } };
  }

  async #finish(act: Act): Promise<void> {
    const { attempt, task, performance } = act;
    const { trouble } = performance;
    if (trouble) {
      const { error, exitCode, signal } = trouble;
      this.#end(act, {
        ...{ outcome: "failed", error },
        ...(exitCode === null ? {} : { exit_code: exitCode }),
        ...(signal === null ? {} : { signal }),
      });
      return;
    }
    if (task.extends && !(await this.#extend(act))) return;
    const result = JSON.stringify(performance.items ?? { ok: true });
    const exit = attempt.assignment.kind === "exec" ? { exit_code: 0 } : {};
    this.#end(act, { outcome: "succeeded", resultJson: result, ...exit });
  }

  /** False where the attempt has ended by that. */
  async #extend(act: Act): Promise<boolean> {
    const { payload } = act.attempt.assignment as { payload?: { env?: Record<string, string> } };
    const jobs = evaluated(payload?.env ?? {});
    const log = this.#host.logOf(act.attempt);
    try {
      await this.#host.submit(act.attempt, "1", JSON.stringify(jobs));
      log.writeText(`added ${jobs.length} jobs to the workflow\n`);
      this.#host.logged(act.attempt);
      return true;
    } catch (error) {
      this.#end(act, { outcome: "failed", error: String(error) });
      return false;
    }
  }

  #stop(act: Act, reason: StopReason): void {
    clearTimeout(act.timer);
    const outcome = stoppedOutcome(reason)!;
    const isPolite = reason === "cancel" || reason === "timeout";
    act.timer = setTimeout(
      () => this.#end(act, { outcome, ...(reason === "timeout" ? { reason, error: LATE } : {}) }),
      isPolite ? STOPS_IN_MS : 0,
    );
  }

  #end(act: Act, end: AttemptEnd): void {
    clearTimeout(act.timer);
    this.#acts.delete(act);
    if (act.attempt.report !== null) return;
    const { usage, items, runMs } = act.performance;
    const ran = now() - act.begunAt;
    const part = Math.min(1, ran / runMs);
    this.#host.ended(act.attempt, {
      ...end,
      run_ms: ran,
      usage: { ...usage, cpu_ms: Math.round((usage.cpu_ms ?? 0) * part) },
      ...(items ? this.#itemsSoFar(act, part) : {}),
    });
  }
}

const LATE = "the job's time was over";

function stranger(name: string): string {
  const known = Buffer.byteLength(name) > 60 ? "that" : `called ${name}`;
  return (
    `The workers of the demo only pretend to work, and know no job ${known}. ` +
    "Submit it to the organization default: its worker runs commands."
  );
}

function now(): number {
  return performance.now();
}
