/** One worker of the demo: a real agent on a real socket, whose jobs are only pretended. */
import os from "node:os";
import { join } from "node:path";
import type { WorkerMetrics } from "../../messages/frames.ts";
import { Agent, type AgentEnd } from "../../worker/agent.ts";
import { endpointOf } from "../../worker/options.ts";
import { WORKER_VERSION } from "../../worker/version.ts";
import { quietLog } from "../../worker/worker_log.ts";
import type { WorkerRole } from "../cast/worker_role.ts";
import { Dice } from "../dice.ts";
import { Pretender } from "./pretender.ts";

export interface DemoWorkerOptions {
  url: string;
  token: string;
  seed: number;
  /** It has left for good, against its will. */
  onLost(why: string): void;
}

export class DemoWorker {
  readonly role: WorkerRole;
  readonly #options: DemoWorkerOptions;
  readonly #dice: Dice;
  #agent: Agent | undefined;
  #stopped = false;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(role: WorkerRole, options: DemoWorkerOptions) {
    this.role = role;
    this.#options = options;
    this.#dice = Dice.of(options.seed, role.name);
  }

  start(): void {
    const { role, agent } = { role: this.role, agent: this.#make() };
    this.#agent = agent;
    agent.start();
    void agent.done.then((end) => this.#left(agent, end, role));
  }

  /** Its network fails; it comes back by itself after some seconds, with all that it runs. */
  drop(): void {
    this.#agent?.interrupt("the demo cut the connection");
  }

  /** Its process dies and is started again: what it ran is lost. The server ends its first life. */
  crash(): void {
    if (!this.#stopped && this.#agent) this.start();
  }

  /** Gives back what it runs. */
  async stop(waitMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#rest);
    await this.#agent?.release(waitMs);
  }

  #left(agent: Agent, end: AgentEnd, role: WorkerRole): void {
    if (this.#stopped || agent !== this.#agent) return;
    this.#agent = undefined;
    if (end.code !== 0) {
      this.#options.onLost(`Worker ${role.name} of the demo: ${end.why}.`);
      return;
    }
    // It was drained: it is looked after, and comes back.
    this.#rest = setTimeout(() => this.start(), this.#dice.between(15, 40) * 1000);
  }

  #make(): Agent {
    const { role } = this;
    const { name, pool, system, features, slots, cpus, ramMb, id } = role;
    let pretender: Pretender | undefined;
    const agent = new Agent({
      url: endpointOf(this.#options.url),
      identity: {
        version: WORKER_VERSION,
        workerId: id,
        token: this.#options.token,
        ...{ name, pool, system, features, host: `${name}.demo` },
        concurrency: slots,
        kinds: role.handlers.length > 0 ? ["exec", "handler"] : ["exec"],
        handlers: role.handlers,
        resources: { cpus, ram_mb: ramMb },
      },
      runners: {},
      spoolFolder: () => join(os.tmpdir(), "signalbox-demo-logs"),
      log: quietLog,
      metrics: () => pretender && metricsOf(role, pretender.load, this.#dice),
    });
    pretender = new Pretender(agent, { seed: this.#options.seed, speed: role.speed });
    agent.use({ exec: pretender, handlers: pretender });
    return agent;
  }
}

/** What the machine would show while these jobs run on it. */
function metricsOf(role: WorkerRole, load: Pretender["load"], dice: Dice): WorkerMetrics {
  const noise = () => 0.9 + dice.next() * 0.2;
  const used = role.ramMb * 0.12 + load.ramMb * noise();
  return {
    cpu_pct: Math.round(Math.min(98, 3 + (load.cores / role.cpus) * 100 * noise()) * 10) / 10,
    ram_total_mb: role.ramMb,
    ram_free_mb: Math.round(Math.max(role.ramMb * 0.04, role.ramMb - used)),
    disk_mbps: Math.round((0.4 + load.diskMbps * noise()) * 10) / 10,
    network_mbps: Math.round((0.2 + load.networkMbps * noise()) * 10) / 10,
  };
}
