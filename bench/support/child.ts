/** A process of the run: told what to do by lines on its standard input, answering on its output. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BUN_MEMORY } from "../../bin/bun_memory.mjs";

export interface Child {
  pid: number;
  /** Resolves with the answer; rejects with what was thrown there, or where the process ends. */
  ask<A>(command: string, argument?: unknown): Promise<A>;
  stop(): Promise<void>;
}

export type ChildRuntime = "bun" | "node";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PLAIN = { PATH: process.env.PATH!, HOME: process.env.HOME ?? "/", NODE_ENV: "production" };
const running = new Set<() => void>();
process.once("exit", () => {
  for (const kill of running) kill();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

/** `script` is a path below `bench/`. Extra flags go to the runtime, such as `--cpu-prof`. */
export function startChild(
  script: string,
  options: { runtime?: ChildRuntime; flags?: string[]; env?: Record<string, string> } = {},
): Child {
  const { runtime = "bun", flags = [], env = {} } = options;
  const file = runtime === "bun" ? join(ROOT, "bench", script) : bundled(script);
  const command = runtime === "bun" ? process.execPath : "node";
  const child = spawn(command, [...flags, file], {
    cwd: ROOT,
    env: { ...PLAIN, ...(runtime === "bun" ? BUN_MEMORY : {}), ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const kill = () => void child.kill("SIGKILL");
  running.add(kill);
  let next = 0;
  const waiting = new Map<number, { done(value: never): void; failed(error: Error): void }>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("@")) return console.log(line);
    const { id, value, error } = JSON.parse(line.slice(1));
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.done(value as never);
    else one?.failed(new Error(`${script}: ${error}`));
  });
  const exited = new Promise<void>((done) => {
    child.once("exit", (code, signal) => {
      running.delete(kill);
      for (const one of waiting.values()) {
        one.failed(new Error(`${script} ended with ${code ?? signal}`));
      }
      done();
    });
  });
  return {
    pid: child.pid!,
    ask: (command, argument) =>
      new Promise((done, failed) => {
        const id = next++;
        waiting.set(id, { done, failed });
        child.stdin.write(`${JSON.stringify({ id, command, argument })}\n`);
      }),
    stop: async () => {
      child.stdin.end();
      const late = setTimeout(kill, 15_000);
      await exited;
      clearTimeout(late);
    },
  };
}

export function hasNode(): boolean {
  return spawnSync("node", ["--version"]).status === 0;
}

/** Old Node versions read no TypeScript: bundled once, packages left where they are. */
function bundled(script: string): string {
  const out = join(ROOT, "node_modules/.cache/bench", `${basename(script, ".ts")}.mjs`);
  mkdirSync(dirname(out), { recursive: true });
  const made = spawnSync(
    process.execPath,
    [
      "build",
      join(ROOT, "bench", script),
      "--target=node",
      "--packages=external",
      "--outfile",
      out,
    ],
    { encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`cannot bundle ${script}: ${made.stderr}`);
  return out;
}
