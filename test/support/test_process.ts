/** Runs one test file in a process of its own and reads its figures. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";

export type TestRuntime = "bun" | "deno";

export interface FileResult {
  passed: number;
  failed: number;
  /** What went wrong besides single tests; each counts as a failure. */
  faults: string[];
  output: string;
  seconds: number;
}

export interface TestFile {
  /** From the project's root. */
  path: string;
  runtime: TestRuntime;
}

/** One test may take this long; most take milliseconds. */
const TEST_MS = 5 * 60_000;
const running = new Set<number>();

/** Never rejects: a process that cannot be run is a failed file. */
export function runTestFile(file: TestFile, root: string, limitMs: number): Promise<FileResult> {
  const startedAt = performance.now();
  const [command, args] = commandLine(file);
  // A group of its own: what a test leaves behind ends with it.
  const child = spawn(command, args, { cwd: root, env: cleanEnvironment(), detached: true });
  const pid = child.pid ?? 0;
  running.add(pid);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(pid);
  }, limitMs);
  return new Promise((resolve) => {
    const finish = (end: string | null) => {
      clearTimeout(timer);
      killGroup(pid);
      running.delete(pid);
      const fault = late ? `did not end within ${limitMs / 1000} s` : end;
      const figures = readFigures(file.runtime, output, fault);
      resolve({ ...figures, output, seconds: (performance.now() - startedAt) / 1000 });
    };
    child.on("error", (error) => finish(error.message));
    child.on("exit", (code, signal) => {
      // What the process left running may hold its output open: wait a moment, not for ever.
      const end = code === 0 ? null : `ended with ${signal ?? `code ${code}`}`;
      const patience = setTimeout(() => finish(end), 1_000);
      child.on("close", () => {
        clearTimeout(patience);
        finish(end);
      });
    });
  });
}

/** Ends what still runs, for instance at Ctrl-C. */
export function killTestProcesses(): void {
  for (const pid of running) killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    if (pid > 0) process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

function commandLine({ path, runtime }: TestFile): [string, string[]] {
  if (runtime === "deno") return [denoBinary(), ["test", "-A", "--no-check", path]];
  return [process.execPath, ["test", "--timeout", String(TEST_MS), `./${path}`]];
}

/** The binary that npm's package `deno` brings; its install script need not have run. */
export function denoBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("deno/package.json"));
  const libc = process.platform === "linux" ? "-glibc" : "";
  const name = `@deno/${process.platform}-${process.arch}${libc}/package.json`;
  return join(dirname(require.resolve(name)), process.platform === "win32" ? "deno.exe" : "deno");
}

/**
 * Tests take no setting from whoever runs them. What marks them as part of a job stays, so that the
 * job's worker finds all that they start.
 */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(SIGNALBOX_(?!RUN$)|DATABASE_URL$|PORT$|PG|FORCE_COLOR$|npm_)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: "1" };
}

// Figures

/** A file must say how it ended: a process that just exits has tested nothing. */
export function readFigures(runtime: TestRuntime, output: string, fault: string | null) {
  const counts = runtime === "deno" ? denoCounts(output) : bunCounts(output);
  const { passed = 0, failed = 0, skipped = 0, errors = 0 } = counts ?? {};
  const faults: string[] = [];
  if (skipped > 0) faults.push(`${skipped} skipped: every test has to run`);
  // Bun counts an error between tests as a failed test already, except where none was running.
  if (errors > failed) faults.push(`${errors - failed} errors outside tests`);
  if (passed + failed + skipped === 0) faults.push("no test ran");
  if (fault && failed === 0) faults.push(fault);
  return { passed, failed, faults };
}

interface Counts {
  passed?: number;
  failed?: number;
  skipped?: number;
  errors?: number;
}

function bunCounts(output: string): Counts | undefined {
  const end = output.slice(output.lastIndexOf("\n\n ") + 1);
  const of = (word: string) => Number(new RegExp(`^ (\\d+) ${word}$`, "m").exec(end)?.[1] ?? 0);
  if (!/^Ran \d+ tests? across/m.test(end)) return undefined;
  return {
    passed: of("pass"),
    failed: of("fail"),
    skipped: of("skip") + of("todo"),
    errors: of("errors?"),
  };
}

function denoCounts(output: string): Counts | undefined {
  const ends = [...output.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed(.*)$/gm)];
  const [, passed, failed, rest] = ends.at(-1) ?? [];
  if (passed === undefined) return undefined;
  const skipped = /\| (\d+) ignored/.exec(rest ?? "")?.[1] ?? 0;
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
}
