/** A whole installation of real processes: servers, workers, PostgreSQL, each to be killed alone. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Client } from "../../src/sdk/client.ts";
import { eventually } from "./eventually.ts";

const CLI = join(dirname(fileURLToPath(import.meta.url)), "../../src/cli/main.ts");
export const ADMIN_TOKEN = "system-test-admin-token-0123456789abcdef0123456789";
export const WORKER_TOKEN = "system-test-worker-token-0123456789abcdef012345678";

export interface Process {
  readonly pid: number;
  readonly exited: Promise<number | null>;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

export interface SystemOptions {
  /** Undefined: the embedded one under the data folder. */
  databaseUrl?: string;
  leaseSeconds?: number;
  graceSeconds?: number;
  /** The command that runs a TypeScript file; this runtime's by default. */
  runtime?: string[];
}

export class TestSystem {
  readonly folder: string;
  readonly port: number;
  readonly client: Client;
  readonly #options: SystemOptions;
  readonly #running = new Set<ChildProcess>();

  private constructor(options: SystemOptions, port: number) {
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "signalbox-system-"));
    this.port = port;
    this.client = this.clientOf(port);
  }

  static async create(options: SystemOptions = {}): Promise<TestSystem> {
    return new TestSystem(options, await freePort());
  }

  clientOf(port: number): Client {
    return new Client({ url: `http://127.0.0.1:${port}`, token: ADMIN_TOKEN });
  }

  /** A server; ready when this resolves. The same data folder again takes over what was left. */
  async server(port = this.port, data = "server"): Promise<Process> {
    const { databaseUrl, leaseSeconds = 2, graceSeconds = 2 } = this.#options;
    const child = this.#spawn(["serve", "--port", String(port)], {
      SIGNALBOX_DATA: join(this.folder, data),
      SIGNALBOX_BLOBS: join(this.folder, "blobs"),
      SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN,
      SIGNALBOX_LEASE_SECONDS: String(leaseSeconds),
      SIGNALBOX_GRACE_SECONDS: String(graceSeconds),
      SIGNALBOX_LOG_LEVEL: "warn",
      ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    });
    await eventually(
      async () => {
        if (child.ended()) throw new Error(`the server left: ${child.stderr()}`);
        return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
      },
      `a server answers on port ${port}`,
      { deadlineMs: 60_000 },
    );
    return child;
  }

  worker(name: string, slots: number, port = this.port): Process {
    const data = join(this.folder, `worker-${name}`);
    const url = `ws://127.0.0.1:${port}`;
    return this.#spawn(
      ["worker", "--url", url, "--name", name, "--slots", String(slots), "--data", data],
      {},
    );
  }

  async connected(...names: string[]): Promise<void> {
    await eventually(
      async () => {
        const workers = await this.client.workers();
        return names.every((n) => workers.some((w) => w.name === n && w.state === "ready"));
      },
      `workers ${names.join(", ")} are connected`,
      { deadlineMs: 20_000 },
    );
  }

  async stop(): Promise<void> {
    for (const child of this.#running) child.kill("SIGCONT");
    for (const child of this.#running) child.kill("SIGTERM");
    const gone = Promise.all([...this.#running].map((c) => new Promise((r) => c.once("exit", r))));
    const late = new Promise((r) => setTimeout(r, 15_000).unref());
    await Promise.race([gone, late]);
    for (const child of this.#running) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(args: string[], env: Record<string, string>): Process & { ended(): boolean } {
    const runtime = this.#options.runtime ?? [process.execPath];
    const child = spawn(runtime[0]!, [...runtime.slice(1), CLI, ...args], {
      env: {
        PATH: process.env.PATH!,
        HOME: process.env.HOME ?? "/tmp",
        SIGNALBOX_WORKER_TOKEN: WORKER_TOKEN,
        ...env,
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#running.add(child);
    let stderr = "";
    child.stderr!.on("data", (chunk) => {
      stderr = (stderr + chunk).slice(-20_000);
    });
    const exited = new Promise<number | null>((done) => {
      child.once("exit", (code) => {
        this.#running.delete(child);
        done(code);
      });
    });
    return {
      pid: child.pid!,
      exited,
      stderr: () => stderr,
      kill: (signal) => child.kill(signal),
      ended: () => child.exitCode !== null || child.signalCode !== null,
    };
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
