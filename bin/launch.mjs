/** Runs Bun in this process's place: its output, its signals, its exit code. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { BUN_MEMORY } from "./bun_memory.mjs";
import { ROOT, SetUpError, setUp } from "./setup.mjs";

const SAME_SIGNAL_MS = 1_500;

/**
 * Runs `[file of this project, …arguments]` under Bun and ends as it ends.
 * @param {string[]} args
 * @param {number} failure exit code where Bun cannot be had
 */
export async function runBun(args, failure) {
  try {
    const bun = await setUp((line) => console.error(line));
    const [file = "", ...rest] = args;
    process.exitCode = await runInPlace(bun, [join(ROOT, file), ...rest]);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    console.error(`signalbox: ${error.message}`);
    process.exitCode = failure;
  }
}

/**
 * Signals are passed on once: a terminal, npm and a killed process group each signal us and the
 * child besides. The child counts such a pair as one (src/runtime/signals.ts).
 * @returns {Promise<number>} its exit code, or 128 + signal
 */
function runInPlace(command, args) {
  const env = { ...BUN_MEMORY, ...process.env, SIGNALBOX_LAUNCHER: String(process.pid) };
  const child = spawn(command, args, { stdio: "inherit", env });
  let passedAt = Number.NEGATIVE_INFINITY;
  const pass = (signal) => {
    if (performance.now() - passedAt < SAME_SIGNAL_MS) return;
    passedAt = performance.now();
    child.kill(signal);
  };
  process.on("SIGINT", pass);
  process.on("SIGTERM", pass);
  passOnOrphaned(pass);
  return new Promise((resolve, reject) => {
    child.on("error", (error) =>
      reject(new SetUpError(`Cannot run ${command}: ${error.message}.`)),
    );
    child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** An npm that was killed outright (SIGKILL) passes nothing on, yet its child should not stay. */
function passOnOrphaned(pass) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    pass("SIGTERM");
  }, 1_000);
  timer.unref();
}
