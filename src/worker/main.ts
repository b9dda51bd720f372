/** Composition root of the `worker` command: options in, exit code out. */
import os from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Runtime } from "../runtime/contract.ts";
import { Agent } from "./agent.ts";
import { type DataFolder, openDataFolder } from "./data_folder.ts";
import { DEFAULT_PATH } from "./exec/environment.ts";
import { ExecRunner } from "./exec/exec_runner.ts";
import { findJobUser } from "./exec/job_user.ts";
import type { Identity } from "./hello_frame.ts";
import { machineResources } from "./machine.ts";
import { type ResolvedOptions, readToken, resolveOptions, type WorkerOptions } from "./options.ts";
import { conceal, shedEnvironment, takeHandoff } from "./secrecy.ts";
import { HostMetrics } from "./usage/host_metrics.ts";
import { WORKER_VERSION } from "./version.ts";
import { stderrLog, type WorkerLog } from "./worker_log.ts";

/** How long a worker that was told twice to leave waits for its ends to be recorded. */
const RELEASE_WAIT_MS = 5_000;

/**
 * Runs until drained; resolves with the exit code. The first SIGTERM or SIGINT drains, the second
 * gives running work back. Throws a sentence where the options or the machine do not allow it.
 */
export async function runWorker(options: WorkerOptions, runtime: Runtime): Promise<number> {
  const resolved = resolveOptions(options, runtime.env);
  const log = stderrLog(resolved.name, resolved.logLevel);
  const token = takeHandoff(runtime.env) ?? readToken(options, runtime.env);
  const folder = openDataFolder(resolved.data);
  try {
    shedEnvironment(runtime.env, token, folder.path, log);
    await conceal(log);
    return await run(resolved, token, folder, runtime, log);
  } finally {
    folder.release();
  }
}

async function run(
  options: ResolvedOptions,
  token: string,
  folder: DataFolder,
  runtime: Runtime,
  log: WorkerLog,
): Promise<number> {
  const user = findJobUser(options.runAs);
  const host = new HostMetrics();
  const agent = new Agent({
    url: options.url,
    identity: identityOf(options, token, folder.workerId),
    runners: {},
    spoolFolder: () => join(folder.path, "logs"),
    log,
    metrics: () => host.latest(),
  });
  const { env } = runtime;
  const exec = new ExecRunner(
    {
      dataFolder: folder.path,
      user,
      environment: { path: env.PATH || DEFAULT_PATH, lang: env.LANG || "C.UTF-8" },
      killGraceMs: options.killGraceMs,
      host,
      log,
    },
    agent,
  );
  await exec.prepare();
  agent.use({ exec });
  host.start();
  log("info", "starting", {
    url: options.url,
    slots: options.slots,
    jobs_run_as: user?.name ?? `uid ${process.getuid?.() ?? "?"}`,
  });
  const forget = obeySignals(agent, runtime, log);
  agent.start();
  const end = await agent.done;
  log(end.code === 0 ? "info" : "error", "left", { why: end.why });
  forget();
  host.stop();
  exec.stop();
  return end.code;
}

function obeySignals(agent: Agent, runtime: Runtime, log: WorkerLog): () => void {
  let asked = 0;
  const leave = () => {
    asked += 1;
    if (asked === 1) {
      log("info", "draining: finishing what runs; a second signal gives it back", {
        running: agent.running,
      });
      agent.drain();
    } else if (asked === 2) {
      log("warn", "giving running work back", { running: agent.running });
      void agent.release(RELEASE_WAIT_MS);
    }
  };
  const stops = [runtime.onSignal("SIGTERM", leave), runtime.onSignal("SIGINT", leave)];
  return () => {
    for (const stop of stops) stop();
  };
}

function identityOf(options: ResolvedOptions, token: string, workerId: string): Identity {
  return {
    version: WORKER_VERSION,
    workerId,
    token,
    name: options.name,
    host: os.hostname(),
    pool: options.pool,
    concurrency: options.slots,
    system: options.system,
    features: options.features,
    kinds: ["exec"],
    handlers: [],
    resources: machineResources(),
  };
}
