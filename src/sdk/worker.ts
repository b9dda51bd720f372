/**
 * A worker inside a user's own program: handlers by job name.
 *
 *     const worker = new Worker({
 *       url: "ws://127.0.0.1:4600",
 *       token: process.env.SIGNALBOX_WORKER_TOKEN!,
 *       handlers: {
 *         resize: { payload: z.object({ width: z.number() }), run: async (job) => job.payload.width },
 *         ping: async (job) => ({ pong: job.attempt }),
 *       },
 *     });
 *     await worker.start();
 */
import { randomUUID } from "node:crypto";
import os from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type ZodType, z } from "zod";
import { Agent, type AgentEnd } from "../worker/agent.ts";
import { type HandlerJob, InvalidPayload } from "../worker/handler_job.ts";
import { type HandlerFunction, HandlerRunner } from "../worker/handler_runner.ts";
import { machineResources } from "../worker/machine.ts";
import { endpointOf, systemOf } from "../worker/options.ts";
import { HostMetrics } from "../worker/usage/host_metrics.ts";
import { WORKER_VERSION } from "../worker/version.ts";
import { quietLog, stderrLog, type WorkerLog } from "../worker/worker_log.ts";

export { type HandlerJob, InvalidPayload, JobStopped } from "../worker/handler_job.ts";

/** Returns the job's result, any JSON up to 256 KiB. Throwing fails the attempt. */
export type Handler<P = unknown> = (job: HandlerJob<P>) => unknown;

/** A payload that does not fit the schema fails the attempt, reason `invalid_payload`. */
export interface TypedHandler<P> {
  payload: ZodType<P>;
  run: Handler<P>;
}

export interface SdkWorkerOptions<P extends Record<string, unknown>> {
  /** `ws://HOST:PORT`, `wss://…`, or the server's `http(s)` address. */
  url: string;
  token: string;
  handlers: { [K in keyof P]: Handler<P[K]> | TypedHandler<P[K]> };
  /** Shown on the board; by default the machine's name. */
  name?: string;
  /** Jobs at a time, 1 by default. */
  concurrency?: number;
  pool?: string;
  system?: string;
  features?: readonly string[];
  /** A uuid that stays the same over restarts; by default a new one each time. */
  workerId?: string;
  /** How long a handler may take to end after its signal, 10 by default. */
  killGraceSeconds?: number;
  /** Where logs longer than 256 KiB wait; by default a folder under the system's own. */
  spoolFolder?: string;
  /** `false` is silent; by default warnings and errors go to standard error. */
  log?: WorkerLog | false;
}

export class Worker<P extends Record<string, unknown> = Record<string, unknown>> {
  readonly workerId: string;
  /** Resolves when the worker has left, for whatever reason. */
  readonly done: Promise<AgentEnd>;
  readonly #agent: Agent;
  readonly #host = new HostMetrics();

  /** Throws where the options would not be accepted by any server. */
  constructor(options: SdkWorkerOptions<P>) {
    this.workerId = options.workerId ?? randomUUID();
    const name = options.name ?? os.hostname();
    const log = options.log === false ? quietLog : (options.log ?? stderrLog(name, "warn"));
    const handlers = prepareHandlers(options.handlers as Record<string, AnyHandler>);
    this.#agent = new Agent({
      url: endpointOf(options.url),
      identity: {
        version: WORKER_VERSION,
        workerId: this.workerId,
        token: options.token,
        name,
        host: os.hostname(),
        pool: options.pool ?? "default",
        concurrency: options.concurrency ?? 1,
        system: options.system ?? systemOf(process.arch, process.platform),
        features: options.features ?? [],
        kinds: ["handler"],
        handlers: [...handlers.keys()],
        resources: machineResources(),
      },
      runners: {},
      spoolFolder: () => options.spoolFolder ?? join(os.tmpdir(), `signalbox-logs-${process.pid}`),
      log,
      metrics: () => this.#host.latest(),
    });
    const graceMs = (options.killGraceSeconds ?? 10) * 1000;
    this.#agent.use({ handlers: new HandlerRunner(handlers, this.#agent, graceMs) });
    this.done = this.#agent.done.finally(() => this.#host.stop());
  }

  /**
   * Connects, and goes on trying; resolves once a server has welcomed this worker. Rejects where
   * a server refuses it for good, such as for a wrong token.
   */
  async start(): Promise<void> {
    this.#host.start();
    this.#agent.start();
    const end = await Promise.race([this.#agent.joined, this.done]);
    if (end && end.code !== 0) throw new Error(`the worker cannot join: ${end.why}`);
  }

  /** Takes nothing new, finishes what runs, delivers every end, then disconnects. */
  async stop(): Promise<void> {
    this.#agent.drain();
    await this.done;
  }

  /** Aborts what runs and gives it back to the queue; leaves within `waitMs`. */
  async release(waitMs = 5_000): Promise<void> {
    await this.#agent.release(waitMs);
  }
}

type AnyHandler = Handler<never> | TypedHandler<never>;

function prepareHandlers(handlers: Record<string, AnyHandler>): Map<string, HandlerFunction> {
  const prepared = new Map<string, HandlerFunction>();
  for (const [name, handler] of Object.entries(handlers)) {
    if (typeof handler === "function") prepared.set(name, handler as HandlerFunction);
    else prepared.set(name, typed(handler as unknown as TypedHandler<unknown>));
  }
  if (prepared.size === 0) throw new Error("a worker needs at least one handler");
  return prepared;
}

function typed({ payload, run }: TypedHandler<unknown>): HandlerFunction {
  return (job) => {
    const parsed = payload.safeParse(job.payload);
    if (!parsed.success) {
      const why = z.prettifyError(parsed.error);
      throw new InvalidPayload(`the payload is not what ${job.name} takes:\n${why}`);
    }
    job.usePayload(parsed.data);
    return run(job);
  };
}
