/**
 * `bun run ok`: the one gate. Format and lint, types under both runtimes, schema drift, then every
 * test, the tree's law among them. `--quick` leaves the tests out but for the law.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { denoBinary } from "./support/test_process.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BIN = `${ROOT}node_modules/.bin`;

interface Step {
  name: string;
  command: string;
  args: string[];
}

/** What Deno has to understand: both programs, and the files of its own. */
const DENO_ENTRIES = ["src/main.ts", "src/cli/main.ts", "src/sdk/signalbox.ts"];

function steps(quick: boolean): Step[] {
  const bun = process.execPath;
  const tests = quick ? ["tidy_test"] : [];
  return [
    {
      name: "format and lint",
      command: `${BIN}/biome`,
      args: ["ci", "--colors=off", "--error-on-warnings", "."],
    },
    { name: "types", command: `${BIN}/tsc`, args: ["-p", "."] },
    { name: "types on Deno", command: denoBinary(), args: ["check", "-q", ...denoFiles()] },
    { name: "schema drift", command: bun, args: ["drizzle/generate.ts", "verify"] },
    { name: "tests", command: bun, args: ["test/run.ts", ...tests] },
  ];
}

function denoFiles(): string[] {
  return [...DENO_ENTRIES, ...globSync("test/runtime/*_test.ts", { cwd: ROOT })];
}

function run({ name, command, args }: Step): boolean {
  const startedAt = performance.now();
  const stdio = name === "tests" ? "inherit" : "pipe";
  const result = spawnSync(command, args, { cwd: ROOT, stdio, encoding: "utf8" });
  const passed = result.status === 0;
  if (!passed) console.log(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${passed ? "ok  " : "FAIL"} ${name} in ${seconds} s`);
  return passed;
}

// Every step runs, so that one round tells all there is to mend.
const failed = steps(process.argv.includes("--quick")).filter((step) => !run(step));
console.log(failed.length === 0 ? "ok" : `not ok: ${failed.map(({ name }) => name).join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
