/** A real worker process, as the `worker` command runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WorkerOptions } from "../../src/worker/options.ts";

const CHILD = join(dirname(fileURLToPath(import.meta.url)), "worker_child.ts");
/** Without folders that a job's user cannot enter: a program not found there is none. */
export const PATH = "/usr/local/bin:/usr/bin:/bin";
const THIS_RUNTIME = "Deno" in globalThis ? [process.execPath, "run", "-A"] : [process.execPath];
export const WORKER_TOKEN = "worker-token-that-no-job-may-ever-see-0123456789";

export interface WorkerProcess {
  pid: number;
  data: string;
  child: ChildProcess;
  /** What it wrote on standard error. */
  stderr(): string;
  exited: Promise<{ code: number | null; signal: string | null }>;
  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
}

const started: WorkerProcess[] = [];

export interface StartOptions extends Partial<WorkerOptions> {
  env?: Record<string, string>;
  /** The command that runs a TypeScript file; this runtime's by default. */
  runtime?: string[];
}

/** Starts one with the token in its environment. `cleanUpWorkers` ends whatever is left. */
export function startWorker(url: string, own: StartOptions = {}): WorkerProcess {
  const { env, runtime = THIS_RUNTIME, ...options } = own;
  const data = options.data ?? mkdtempSync(join(tmpdir(), "signalbox-worker-test-"));
  const all: WorkerOptions = { url, name: "tested", slots: 8, ...options, data };
  const child = spawn(runtime[0]!, [...runtime.slice(1), CHILD, JSON.stringify(all)], {
    env: { PATH, SIGNALBOX_WORKER_TOKEN: WORKER_TOKEN, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr!.on("data", (chunk) => {
    stderr += chunk;
  });
  const worker: WorkerProcess = {
    pid: child.pid!,
    data,
    child,
    stderr: () => stderr,
    exited: new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    }),
    kill: (signal) => {
      // Not `child.kill`: under Deno that also decides what `exit` will say.
      if (child.exitCode === null && child.signalCode === null) process.kill(child.pid!, signal);
    },
  };
  started.push(worker);
  return worker;
}

export async function cleanUpWorkers(): Promise<void> {
  for (const worker of started.splice(0)) {
    worker.kill("SIGKILL");
    await worker.exited;
    rmSync(worker.data, { recursive: true, force: true });
  }
}
