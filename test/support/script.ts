/** Runs a TypeScript file as a process of its own, under the runtime that runs the tests. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { eventually } from "./eventually.ts";

export interface ScriptOptions {
  uid?: number;
  gid?: number;
  env?: Record<string, string>;
  cwd?: string;
}

export interface Script {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Lines of stdout so far. */
  readonly lines: string[];
  /** Everything it wrote to stderr so far. */
  errors(): string;
  /** The first line of stdout that begins with `prefix`, without it. Rejects if the process ends first. */
  line(prefix: string, deadlineMs?: number): Promise<string>;
  /** Exit code, or the signal's name. */
  readonly exit: Promise<number | string>;
  write(text: string): void;
}

/** Command and flags that run a TypeScript file under this runtime. */
export function runtimeCommand(): { command: string; flags: string[] } {
  return { command: process.execPath, flags: "Deno" in globalThis ? ["run", "-A"] : [] };
}

export function runScript(file: string, args: string[], options: ScriptOptions = {}): Script {
  const { command, flags } = runtimeCommand();
  const child = spawn(command, [...flags, file, ...args], {
    cwd: options.cwd ?? "/",
    env: { ...process.env, ...options.env } as Record<string, string>,
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const lines: string[] = [];
  let errors = "";
  let ended: number | string | undefined;
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  child.stderr!.on("data", (chunk) => {
    errors += String(chunk);
  });
  const exit = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      ended = signal ?? code ?? -1;
      resolve(ended);
    });
  });
  return {
    pid: child.pid ?? 0,
    child,
    lines,
    errors: () => errors,
    exit,
    write: (text) => void child.stdin!.write(text),
    line: async (prefix, deadlineMs = 30_000) => {
      const found = () => lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
      const looked = async () => found() !== undefined || ended !== undefined;
      await eventually(looked, `a line that begins with "${prefix}"`, { deadlineMs });
      const line = found();
      if (line === undefined) throw new Error(`It ended (${ended}): ${lines.join("\n")} ${errors}`);
      return line;
    },
  };
}
