/**
 * Starts a process as the leader of a session of its own, with exactly the given descriptors 0 to 2,
 * and where asked as another user without any other group. The runtime changes the user between
 * fork and exec, so that nothing of the given environment (`LD_PRELOAD`!) acts before the change.
 *
 * Bun answers with what the kernel counted for the process and all that it waited for (`wait4`);
 * `node:child_process`, which Deno fills, does not.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

export interface SpawnOptions {
  command: readonly string[];
  cwd: string;
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  /** Descriptors of this process that become 0, 1 and 2. */
  stdio: readonly [number | "ignore", number | "ignore", number | "ignore"];
  /** Needs this process to be root. */
  user?: { uid: number; gid: number };
  onExit: (exit: ProcessExit) => void;
}

export interface ProcessExit {
  code: number | null;
  signal: string | null;
  /** Whole tree as far as it was waited for; absent where the runtime does not say. */
  rusage?: { cpuMs: number; readBytes: number; writtenBytes: number };
}

/** A start that failed; `code` as in errno, such as ENOENT. */
export class SpawnFailed extends Error {
  override name = "SpawnFailed";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface BunProcess {
  pid: number;
  resourceUsage():
    | { cpuTime: { total: bigint | number }; ops: { in: number; out: number } }
    | undefined;
}

interface BunLike {
  spawn(options: {
    cmd: string[];
    cwd: string;
    env: Record<string, string>;
    stdio: unknown[];
    detached: boolean;
    uid?: number;
    gid?: number;
    onExit(
      process: BunProcess,
      code: number | null,
      signal: string | null,
      error: Error | undefined,
    ): void;
  }): BunProcess;
}

/** Linux counts `ru_inblock` and `ru_oublock` in blocks of 512 bytes. */
const BLOCK_BYTES = 512;

/** Resolves with the process id once the program runs; throws SpawnFailed where it cannot. */
export async function spawnProcess(options: SpawnOptions): Promise<number> {
  const bun = (globalThis as { Bun?: BunLike }).Bun;
  return bun ? spawnWithBun(bun, options) : await spawnWithNode(options);
}

function spawnWithBun(bun: BunLike, options: SpawnOptions): number {
  try {
    return bun.spawn({
      cmd: [...options.command],
      cwd: options.cwd,
      env: { ...options.env },
      stdio: [...options.stdio],
      detached: true,
      ...options.user,
      onExit(process, code, signal) {
        const used = process.resourceUsage();
        const rusage = used && {
          cpuMs: Number(used.cpuTime.total) / 1000,
          readBytes: used.ops.in * BLOCK_BYTES,
          writtenBytes: used.ops.out * BLOCK_BYTES,
        };
        options.onExit({ code: signal ? null : code, signal, rusage });
      },
    }).pid;
  } catch (error) {
    throw failure(error);
  }
}

function spawnWithNode(options: SpawnOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    try {
      const [program = "", ...args] = withoutOtherDescriptors(options.command);
      const child = spawn(program, args, {
        ...options.user,
        cwd: options.cwd,
        env: options.env,
        stdio: [...options.stdio],
        detached: true,
      });
      child.once("error", (error) => reject(failure(error)));
      child.once("exit", (code, signal) => options.onExit({ code, signal }));
      if (child.pid !== undefined) resolve(child.pid);
    } catch (error) {
      reject(failure(error));
    }
  });
}

const BASH = "/bin/bash";
const CLOSE_OTHERS =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own expansion
  'for f in /proc/$$/fd/*; do n=${f##*/}; [ "$n" -gt 2 ] && eval "exec $n>&-"; done; ' +
  'exec /usr/bin/env -u PWD -u OLDPWD -u SHLVL -u _ -- "$@"';

/** Deno hands on copies of the descriptors; a shell that knows numbers above 9 closes them. */
function withoutOtherDescriptors(command: readonly string[]): string[] {
  if (!existsSync(BASH)) return [...command];
  return [BASH, "-p", "-c", CLOSE_OTHERS, "signalbox", ...command];
}

function failure(error: unknown): SpawnFailed {
  const { code, message } = error as { code?: string; message?: string };
  return new SpawnFailed(code ?? "UNKNOWN", message ?? String(error));
}
