/**
 * The worker of `signalbox up`: a process of its own, started again when it dies.
 *
 * It runs in a session of its own, so that a Ctrl-C in the terminal reaches `up` alone, which first
 * lets it finish. Where `up` itself was killed the worker lives on with its jobs, because no work
 * ends for want of a server; the next `up` finds it by its lock and takes it over.
 *
 * Its token travels in a file that it removes when it reads it: a command line and an environment
 * can be read by others. What it says goes to a file of its own: a terminal or a pipe that ends
 * with `up` would end the worker too, at the next line it writes.
 */
import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { closeSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { HANDOFF, withoutSecrets } from "../../worker/secrecy.ts";
import { findHolder } from "./lock_holder.ts";
import { lastLogLine, openWorkerLog } from "./worker_log_file.ts";

export interface LocalWorkerOptions {
  /** Program and arguments of `signalbox worker`. */
  command: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  token: string;
  /** The worker's own folder, as its arguments say it. */
  data: string;
  say(text: string): void;
  /** For tests. */
  restartMs?: number;
}

const RESTART_FIRST_MS = 1_000;
const RESTART_MAX_MS = 30_000;
/** A worker that lived this long was sound: its next death starts the count anew. */
const SOUND_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** Time for a process to take a signal before it gets the same once more. */
const APART_MS = 300;
const REPLACE_PATIENCE_MS = 30_000;

interface Running {
  pid: number;
  /** Exit code; null where a signal ended it or it is no child of ours. */
  ended: Promise<number | null>;
}

export class LocalWorker {
  readonly #options: LocalWorkerOptions;
  #running: Running | undefined;
  #stopping = false;
  #asked = 0;
  #wake: () => void = () => {};
  #done: Promise<void> = Promise.resolve();

  constructor(options: LocalWorkerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#running?.pid;
  }

  start(): void {
    this.#done = this.#keepRunning();
  }

  /**
   * The first call lets it finish what it runs, the second makes it give that back, the third kills
   * it. Resolves when it is gone; every call waits for the same end.
   */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#asked++;
    this.#wake();
    this.#signal(this.#asked > 2 ? "SIGKILL" : "SIGTERM");
    // Two signals that come at once are delivered as one, and would be taken for the first.
    if (this.#asked === 2) setTimeout(() => this.#signal("SIGTERM"), APART_MS).unref();
    return this.#done;
  }

  async #keepRunning(): Promise<void> {
    const first = this.#options.restartMs ?? RESTART_FIRST_MS;
    let delay = first;
    let running = await this.#takeOver();
    while (!this.#stopping) {
      const startedAt = performance.now();
      running ??= this.#spawn();
      this.#running = running;
      const code = await running.ended;
      running = undefined;
      this.#running = undefined;
      if (this.#stopping) return;
      if (code === 0) {
        this.#options.say(
          "The local worker was drained and has left; start Signalbox again for it.",
        );
        return;
      }
      if (performance.now() - startedAt > SOUND_MS) delay = first;
      this.#options.say(
        `The local worker ended (${code ?? "killed"}) and is started again. ${this.#lastWords()}`,
      );
      await this.#pause(delay);
      delay = Math.min(delay * 2, RESTART_MAX_MS);
    }
  }

  /** A worker that outlived an `up`: ours where it was started alike, else it has to go. */
  async #takeOver(): Promise<Running | undefined> {
    const pid = findHolder(this.#options.data);
    if (pid === undefined) return undefined;
    const found = { pid, ended: this.#watch(pid) };
    if (this.#readPrint() === this.#print()) return found;
    this.#running = found;
    this.#options.say("A worker with other settings still runs here: it gives its jobs back.");
    const late = setTimeout(() => this.#signal("SIGKILL"), REPLACE_PATIENCE_MS);
    this.#signal("SIGTERM");
    await this.#pause(APART_MS);
    this.#signal("SIGTERM");
    await found.ended;
    clearTimeout(late);
    this.#running = undefined;
    return undefined;
  }

  #spawn(): Running {
    const { command, env, token, data } = this.#options;
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const handoff = join(data, `handoff-${randomUUID()}`);
    writeFileSync(handoff, token, { mode: 0o600 });
    writeFileSync(this.#printPath(), this.#print(), { mode: 0o600 });
    const log = openWorkerLog(data);
    const child = spawn(command[0] as string, command.slice(1), {
      env: { ...withoutSecrets(env), [HANDOFF]: handoff },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    const ended = new Promise<number | null>((resolve) => {
      child.once("error", (error) => {
        this.#options.say(`The local worker cannot be started: ${error.message}.`);
        resolve(1);
      });
      child.once("exit", (code) => resolve(code));
    }).finally(() => rmSync(handoff, { force: true }));
    return { pid: child.pid ?? 0, ended };
  }

  /** The end of a process that is no child of ours. */
  async #watch(pid: number): Promise<null> {
    while (findHolder(this.#options.data) === pid) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return null;
  }

  #signal(signal: "SIGTERM" | "SIGKILL"): void {
    const pid = this.#running?.pid;
    if (!pid) return;
    try {
      process.kill(pid, signal);
    } catch {
      // Gone already.
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #lastWords(): string {
    const { line, path } = lastLogLine(this.#options.data);
    return line === "" ? `It left no word in ${path}.` : `Its last words, in ${path}: ${line}`;
  }

  // What it was started with, without telling the token

  #print(): string {
    const { command, token } = this.#options;
    return createHash("sha256")
      .update(JSON.stringify([command, token]))
      .digest("hex");
  }

  #printPath(): string {
    return join(this.#options.data, "started_with");
  }

  #readPrint(): string | undefined {
    try {
      return readFileSync(this.#printPath(), "utf8");
    } catch {
      return undefined;
    }
  }
}
