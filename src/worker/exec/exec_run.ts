/**
 * One attempt of an `exec` job, from its folder to its report:
 *
 *     start ▶ running ──(main process ends)──▶ rest killed ▶ output drained ▶ result read ▶
 *     folder removed ▶ report
 *
 * A stop sends SIGTERM to every process, and SIGKILL after the grace time. When the main process is
 * gone, whatever it left behind is killed: an attempt that ended runs nothing.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Usage } from "../../messages/frames.ts";
import type { ExecPayload } from "../../messages/job_input.ts";
import { type ProcessExit, SpawnFailed, spawnProcess } from "../../runtime/spawn.ts";
import {
  type Attempt,
  type AttemptEnd,
  type AttemptHost,
  type StopReason,
  stoppedOutcome,
} from "../attempt.ts";
import { reasonWord } from "../handler_runner.ts";
import { LongTimer } from "../long_timer.ts";
import type { JobCgroup } from "../usage/cgroup.ts";
import { oomKills } from "../usage/host_metrics.ts";
import { TreeUsage } from "../usage/tree_usage.ts";
import { jobEnvironment } from "./environment.ts";
import type { ExecShared } from "./exec_runner.ts";
import { exitFacts } from "./exit_facts.ts";
import {
  type JobFolder,
  makeJobFolder,
  readResult,
  removeJobFolder,
  writeJobFile,
} from "./job_folder.ts";
import type { OutputSource } from "./output_poller.ts";
import type { JobPipe } from "./pipes.ts";
import { ProcessTree } from "./process_tree.ts";

/** How long a process that escaped every search may hold the output open. */
const DRAIN_MS = 500;

export class ExecRun {
  readonly #shared: ExecShared;
  readonly #host: AttemptHost;
  readonly #attempt: Attempt;
  readonly #payload: ExecPayload;
  readonly #mark: string;
  readonly #usage = new TreeUsage();
  #folder: JobFolder | null = null;
  #pipe: JobPipe | null = null;
  #source: OutputSource | null = null;
  #tree: ProcessTree | null = null;
  #cgroup: JobCgroup | null = null;
  #exit: ProcessExit | null = null;
  /** What had been asked when the process ended; what is asked later changes nothing. */
  #stoppedBy: StopReason | null = null;
  #runMs = 0;
  #killTimer: LongTimer | null = null;
  #killedByUs = false;
  #oomKillsBefore: number | undefined;
  #networkMbps: number | undefined;
  #undo: (() => void)[] = [];

  constructor(
    shared: ExecShared,
    host: AttemptHost,
    attempt: Attempt,
    payload: ExecPayload,
    mark: string,
  ) {
    this.#shared = shared;
    this.#host = host;
    this.#attempt = attempt;
    this.#payload = payload;
    this.#mark = mark;
  }

  start(): void {
    this.#attempt.stopper = (reason) => this.#stop(reason === "lost");
    this.#launch().catch((error) => this.#failToStart(error));
  }

  // Starting

  async #launch(): Promise<void> {
    const { user, environment, cgroups } = this.#shared;
    const { assignment } = this.#attempt;
    const folder = makeJobFolder(user);
    this.#folder = folder;
    writeJobFile(folder.inputs, JSON.stringify(assignment.inputs ?? {}), user);
    const stdin = this.#openStdin(folder);
    this.#pipe = this.#shared.pipes.open();
    this.#cgroup = cgroups?.make(assignment.job, assignment.attempt) ?? null;
    const own = this.#payload.env ?? {};
    this.#oomKillsBefore = oomKills();
    const start = () =>
      spawnProcess({
        command: this.#payload.command,
        cwd: folder.work,
        env: jobEnvironment(environment, assignment, own, folder, this.#mark),
        stdio: [stdin, this.#pipe!.writeFd, this.#pipe!.writeFd],
        user: user ? { uid: user.uid, gid: user.gid } : undefined,
        onExit: (exit) => this.#exited(exit),
      });
    try {
      this.#running(await (this.#cgroup ? this.#cgroup.around(start) : start()), folder);
    } finally {
      closeSync(this.#pipe.writeFd);
      if (stdin !== "ignore") closeSync(stdin);
    }
  }

  #openStdin(folder: JobFolder): number | "ignore" {
    if (this.#payload.stdin === undefined) return "ignore";
    const path = join(folder.io, "stdin");
    writeJobFile(path, this.#payload.stdin, this.#shared.user);
    return openSync(path, "r");
  }

  #running(pid: number, folder: JobFolder): void {
    const { watchdog, records, sampler, host, poller } = this.#shared;
    const tree = new ProcessTree(pid, this.#mark);
    this.#tree = tree;
    watchdog.watch(pid, folder.path);
    records.add(tree, folder.path);
    this.#source = this.#readOutput(this.#pipe!);
    poller.add(this.#source);
    this.#undo = [
      host.onNetwork((mbps) => {
        this.#networkMbps = Math.max(this.#networkMbps ?? 0, mbps);
      }),
    ];
    if (!this.#cgroup) {
      this.#undo.push(sampler.add((table) => this.#usage.sample(tree.members(table))));
    }
    this.#host.started(this.#attempt);
    // Both may have come while the process was being made.
    if (this.#attempt.stopping) this.#stop(this.#attempt.stopping === "lost");
    if (this.#exit) this.#settle(this.#exit);
  }

  #readOutput(pipe: JobPipe): OutputSource {
    const log = this.#host.logOf(this.#attempt);
    return {
      fd: pipe.readFd,
      onData: (chunk) => {
        if (this.#attempt.forgotten) return;
        log.write(chunk);
        this.#host.logged(this.#attempt);
      },
      onEnd: () => {},
    };
  }

  /** 126 and 127 are what a shell would answer. */
  async #failToStart(error: unknown): Promise<void> {
    const code = error instanceof SpawnFailed ? error.code : "";
    const command = JSON.stringify(this.#payload.command[0]);
    const why = error instanceof Error ? error.message : String(error);
    if (this.#pipe) this.#shared.pipes.close(this.#pipe, true);
    this.#cgroup?.remove();
    if (this.#folder) await removeJobFolder(this.#folder.path, this.#shared.user);
    this.#host.ended(this.#attempt, {
      outcome: stoppedOutcome(this.#attempt.stopping) ?? "failed",
      reason: "start_failed",
      exit_code: code === "ENOENT" ? 127 : 126,
      error: `${command} cannot be started: ${why}`,
    });
  }

  // Stopping

  #stop(atOnce: boolean): void {
    if (!this.#tree || this.#exit) return;
    this.#killTimer?.cancel();
    this.#killTimer = null;
    if (atOnce) {
      this.#kill();
      return;
    }
    this.#tree.signal("SIGTERM");
    this.#killTimer = new LongTimer(this.#shared.killGraceMs, () => this.#kill());
  }

  #kill(): void {
    if (this.#exit) return;
    this.#killedByUs = true;
    this.#cgroup?.kill();
    this.#tree?.signal("SIGKILL");
  }

  // Ending

  #exited(exit: ProcessExit): void {
    this.#exit = exit;
    this.#stoppedBy = this.#attempt.stopping;
    this.#runMs = Math.max(0, performance.now() - this.#attempt.startedAt);
    this.#killTimer?.cancel();
    if (this.#tree) this.#settle(exit);
  }

  #settle(exit: ProcessExit): void {
    this.#finish(exit).catch((error) => {
      this.#shared.log("error", "an attempt met a fault at its end", {
        job: this.#attempt.assignment.job,
        why: String(error),
      });
      this.#host.ended(this.#attempt, { outcome: "failed", reason: "error", error: String(error) });
    });
  }

  async #finish(exit: ProcessExit): Promise<void> {
    const { user, watchdog, records } = this.#shared;
    const tree = this.#tree!;
    const folder = this.#folder!;
    for (const undo of this.#undo) undo();
    this.#attempt.timer?.cancel();
    const usage = this.#readUsage(exit);
    this.#cgroup?.kill();
    const clean = await tree.killAll();
    if (!clean) this.#warn("a process of the job cannot be killed");
    await this.#drain();
    this.#cgroup?.remove();
    const result = readResult(folder, user);
    await removeJobFolder(folder.path, user);
    if (clean) {
      records.remove(tree);
      watchdog.release(tree.leader, folder.path);
    }
    const end: AttemptEnd = {
      ...exitFacts(exit),
      outcome: "succeeded",
      run_ms: this.#runMs,
      usage,
    };
    if (result?.ok) end.resultJson = result.json;
    this.#judge(end, result?.ok === false ? result.why : undefined);
    this.#host.ended(this.#attempt, end);
  }

  /** Sets the outcome, with the words that explain it. */
  #judge(end: AttemptEnd, wrongResult: string | undefined): void {
    const stopped = stoppedOutcome(this.#stoppedBy);
    if (stopped) {
      end.outcome = stopped;
      end.reason = reasonWord(this.#stoppedBy);
    } else if (end.exit_code !== 0) {
      end.outcome = "failed";
      end.reason = end.usage?.oom_killed ? "oom" : end.signal ? "signal" : "exit_code";
    } else if (wrongResult !== undefined) {
      end.outcome = "failed";
      end.reason = "invalid_result";
    }
    if (wrongResult !== undefined) end.error = `$SIGNALBOX_RESULT is no good: ${wrongResult}`;
  }

  #readUsage(exit: ProcessExit): Usage {
    const usage = this.#cgroup ? this.#cgroup.read() : this.#usage.read(exit.rusage);
    const source = { ...usage.source };
    if (!this.#cgroup) {
      const oom = this.#oomKilled(exit);
      if (oom !== undefined) {
        usage.oom_killed = oom;
        source.oom = "host";
      }
    }
    if (this.#networkMbps !== undefined) {
      usage.network_mbps = this.#networkMbps;
      source.network = "host";
    }
    return { ...usage, source };
  }

  /** Unknown where the kernel killed something, but not surely us. */
  #oomKilled(exit: ProcessExit): boolean | undefined {
    const now = oomKills();
    if (now === undefined || this.#oomKillsBefore === undefined) return undefined;
    if (now === this.#oomKillsBefore) return false;
    return exit.signal === "SIGKILL" && !this.#killedByUs ? true : undefined;
  }

  /** Takes what still stands in the pipe; its end comes when the last writer is gone. */
  async #drain(): Promise<void> {
    const { poller, pipes } = this.#shared;
    const source = this.#source!;
    const until = performance.now() + DRAIN_MS;
    let ended = poller.drain(source);
    while (!ended && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended = poller.drain(source);
    }
    poller.remove(source);
    pipes.close(this.#pipe!, ended);
  }

  #warn(message: string): void {
    const { job, attempt } = this.#attempt.assignment;
    this.#shared.log("warn", message, { job, attempt });
  }
}
