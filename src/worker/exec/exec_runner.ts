/** Runs `exec` jobs, and keeps what all of them share: pipes, sampling, watchdog and records. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { execPayload } from "../../messages/job_input.ts";
import type { Attempt, AttemptHost } from "../attempt.ts";
import { type Cgroups, findCgroups } from "../usage/cgroup.ts";
import type { HostMetrics } from "../usage/host_metrics.ts";
import { TreeSampler } from "../usage/tree_sampler.ts";
import type { WorkerLog } from "../worker_log.ts";
import type { EnvironmentBase } from "./environment.ts";
import { ExecRun } from "./exec_run.ts";
import type { JobUser } from "./job_user.ts";
import { RunRecords } from "./leftovers.ts";
import { OutputPoller } from "./output_poller.ts";
import { JobPipes } from "./pipes.ts";
import { checkJobUser } from "./self_check.ts";
import { Watchdog } from "./watchdog.ts";

export interface ExecOptions {
  /** The worker's own folder, not readable by jobs of another user. */
  dataFolder: string;
  user: JobUser | null;
  environment: EnvironmentBase;
  killGraceMs: number;
  host: HostMetrics;
  log: WorkerLog;
  /** Null switches cgroups off. */
  cgroups?: Cgroups | null;
}

/** What one run needs of the runner. */
export interface ExecShared extends ExecOptions {
  /** Begins the mark of each attempt of this process. */
  mark: string;
  cgroups: Cgroups | null;
  pipes: JobPipes;
  poller: OutputPoller;
  sampler: TreeSampler;
  watchdog: Watchdog;
  records: RunRecords;
}

export class ExecRunner {
  readonly #shared: ExecShared;
  readonly #host: AttemptHost;
  #runs = 0;

  constructor(options: ExecOptions, host: AttemptHost) {
    const mark = randomUUID();
    const cgroups = options.cgroups === undefined ? findCgroups() : options.cgroups;
    this.#host = host;
    this.#shared = {
      ...options,
      mark,
      cgroups,
      pipes: new JobPipes(join(options.dataFolder, "pipes"), options.user),
      poller: new OutputPoller(),
      sampler: new TreeSampler(),
      watchdog: new Watchdog(mark, cgroups?.folder ?? ""),
      records: new RunRecords(join(options.dataFolder, "runs")),
    };
  }

  /**
   * Cleans up after a worker that died here, checks that jobs can run, and sets the watch. Call it
   * before any job; throws a sentence where jobs cannot run here.
   */
  async prepare(): Promise<void> {
    const found = await this.#shared.records.sweep(this.#shared.user);
    if (found > 0) {
      this.#shared.log("warn", "ended what a worker that died here left running", { found });
    }
    await checkJobUser(this.#shared.user, this.#shared.pipes);
    this.#shared.watchdog.start();
  }

  start(attempt: Attempt): void {
    const payload = execPayload.safeParse(attempt.assignment.payload);
    if (!payload.success) {
      const error = `the payload of an exec job needs a command: ${payload.error.message}`;
      this.#host.ended(attempt, { outcome: "failed", reason: "invalid_payload", error });
      return;
    }
    this.#runs += 1;
    const mark = `${this.#shared.mark}.${this.#runs}`;
    new ExecRun(this.#shared, this.#host, attempt, payload.data, mark).start();
  }

  /** Lets the watchdog sweep and go. */
  stop(): void {
    this.#shared.watchdog.stop();
  }
}
