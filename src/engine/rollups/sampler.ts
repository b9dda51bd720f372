/**
 * Looks at this server's workers, and at the work of the instance, at moments that all servers share
 * because they are whole multiples of the interval.
 */
import {
  sampleInstance,
  sampleWorkers,
  type WorkerSample,
} from "../../db/statements/rollups/samples.ts";
import type { EngineContext } from "../context.ts";
import type { Service } from "../service.ts";
import type { Session } from "../session.ts";

/** A heartbeat older than this says nothing about now. */
const FRESH_MS = 60_000;

export class Sampler implements Service {
  readonly name = "sampler";
  readonly #context: EngineContext;
  readonly #sessions: () => Iterable<Session>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #stopped = true;

  constructor(context: EngineContext, sessions: () => Iterable<Session>) {
    this.#context = context;
    this.#sessions = sessions;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#wait();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Looks now, in the name of the moment `at` (epoch milliseconds, database time). */
  async look(at: number): Promise<void> {
    const { side } = this.#context.database;
    const samples = [...this.#sessions()].filter((s) => s.open).map((s) => sampleOf(s, at));
    // Workers first: the instance's row says that somebody has looked.
    await sampleWorkers(side, at, samples);
    await sampleInstance(side, at);
  }

  #wait(): void {
    if (this.#stopped) return;
    const every = this.#context.options.workerSampleSeconds * 1_000;
    const now = this.#context.clock.now();
    const next = (Math.floor(now / every) + 1) * every;
    this.#timer = setTimeout(() => {
      this.#running = this.look(next)
        .catch((error) => {
          this.#context.log.warn({ error: String(error) }, "workers were not sampled");
        })
        .finally(() => this.#wait());
    }, next - now);
  }
}

function sampleOf(session: Session, at: number): WorkerSample {
  const { facts, load, workerId, latest } = session;
  const metrics = at - session.metricsAt <= FRESH_MS ? latest : undefined;
  return {
    worker: workerId,
    org: facts.org,
    offered: load.slots,
    used: load.used,
    draining: load.draining,
    exec: facts.kinds.includes("exec"),
    handlers: facts.handlers.size > 0,
    cpuPct: metrics?.cpu_pct ?? null,
    ramFreeMb: metrics?.ram_free_mb ?? null,
    ramTotalMb: metrics?.ram_total_mb ?? null,
    diskMbps: metrics?.disk_mbps ?? null,
    networkMbps: metrics?.network_mbps ?? null,
  };
}
