/**
 * `npm test`: runs every test file in a process of its own, as many at once as there are cores, and
 * ends with `N passed, N failed`. Words after it choose files by a part of their path; `--deno`
 * takes only what runs on Deno.
 *
 * A file that measures time or loads the machine says `Runs alone: <reason>` in its header, and
 * gets the machine to itself at the end.
 */
import { readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type FileResult,
  killTestProcesses,
  runTestFile,
  type TestFile,
} from "./support/test_process.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FILE_MS = 15 * 60_000;
const LANES = Math.min(4, availableParallelism());

/** Run on Deno too: what has no database below it, and the whole of it once, in `system/`. */
const ON_DENO = /^test\/(core|messages|runtime|protocol|sdk|worker|system\/job_test|[a-z_]+\.ts$)/;
/** About the tree, not about behaviour: once is enough. */
const BUN_ONLY = /^test\/(tidy|launcher|run|schema_drift|house)_test\.ts$/;

const totals = { passed: 0, failed: 0 };

async function main(): Promise<void> {
  const words = process.argv.slice(2).filter((word) => !word.startsWith("-"));
  const files = await chooseFiles(words, process.argv.includes("--deno"));
  const alone = files.filter(runsAlone);
  const startedAt = performance.now();
  await runLanes(
    files.filter((file) => !alone.includes(file)),
    LANES,
  );
  await runLanes(alone, 1);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  if (files.length === 0) fail("no test file is called so");
  console.log(`\n${files.length} files in ${seconds} s`);
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  process.exitCode = totals.failed > 0 ? 1 : 0;
}

async function chooseFiles(words: string[], onlyDeno: boolean): Promise<TestFile[]> {
  const paths = (await Array.fromAsync(glob("test/**/*_test.ts", { cwd: ROOT }))).sort();
  const chosen = paths.filter((path) => words.length === 0 || words.some((w) => path.includes(w)));
  const onBun: TestFile[] = onlyDeno ? [] : chosen.map((path) => ({ path, runtime: "bun" }));
  const both = chosen.filter((path) => ON_DENO.test(path) && !BUN_ONLY.test(path));
  return [...onBun, ...both.map((path): TestFile => ({ path, runtime: "deno" }))];
}

function runsAlone({ path }: TestFile): boolean {
  return /Runs alone: \S/.test(readFileSync(join(ROOT, path), "utf8").slice(0, 2_000));
}

async function runLanes(files: TestFile[], lanes: number): Promise<void> {
  const left = [...files];
  const lane = async () => {
    for (let file = left.shift(); file; file = left.shift()) {
      report(file, await runTestFile(file, ROOT, FILE_MS));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function report({ path, runtime }: TestFile, result: FileResult): void {
  const failed = result.failed + result.faults.length;
  totals.passed += result.passed;
  totals.failed += failed;
  const name = runtime === "deno" ? `${path} (deno)` : path;
  const word = failed > 0 ? "FAIL" : "ok  ";
  console.log(`${word} ${name}: ${result.passed} passed in ${result.seconds.toFixed(1)} s`);
  if (failed === 0) return;
  const told = result.output.replace(/^(\(pass\)|.* \.\.\. ok) .*\n/gm, "");
  console.log(told.replace(/^/gm, "     "));
  for (const fault of result.faults) console.log(`     ${name}: ${fault}`);
}

function fail(reason: string): void {
  totals.failed += 1;
  console.log(reason);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    killTestProcesses();
    process.exit(130);
  });
}

await main();
