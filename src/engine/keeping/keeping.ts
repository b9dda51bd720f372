/** Retention, clean-up, and what everything takes: what the engine's front door shows of it. */
import type { Actor } from "../../core/author.ts";
import type { Retention } from "../../core/retention.ts";
import type { EngineContext } from "../context.ts";
import type { Service } from "../service.ts";
import type { Dropped } from "./partition_pruner.ts";
import { Pruner } from "./pruner.ts";
import { Storage, type StorageUse } from "./storage.ts";
import { Tasks } from "./tasks.ts";

export interface Keeping {
  /** The settings. */
  readonly retention: Retention;
  /** One round of retention, as of `now` (epoch milliseconds); nothing where another server does it. */
  prune(now?: number): Promise<Dropped>;
  /** What everything takes on disk, some seconds old at most. */
  storage(): Promise<StorageUse>;
  /** Some minutes old at most, and at once where anybody asked in that time. */
  recentStorage(): Promise<StorageUse>;
  /** Begins a deep clean-up and answers the task's id; null where one runs, on whichever server. */
  deepGc(actor: Actor, reason?: string): Promise<string | null>;
  /** Ends tasks whose server is gone: to be asked before tasks are shown. */
  settleTasks(): Promise<void>;
}

export class Keeper implements Keeping, Service {
  readonly name = "keeper";
  readonly retention: Retention;
  readonly #pruner: Pruner;
  readonly #tasks: Tasks;
  readonly #storage: Storage;

  constructor(context: EngineContext) {
    this.retention = context.options.retention;
    this.#pruner = new Pruner(context);
    this.#tasks = new Tasks(context, this.#pruner);
    this.#storage = new Storage(context);
  }

  start(): void {
    this.#pruner.start();
    this.#tasks.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#tasks.stop(), this.#pruner.stop(), this.#storage.stop()]);
  }

  prune(now?: number): Promise<Dropped> {
    return this.#pruner.pass(now);
  }

  storage(): Promise<StorageUse> {
    return this.#storage.read();
  }

  recentStorage(): Promise<StorageUse> {
    return this.#storage.recent();
  }

  deepGc(actor: Actor, reason?: string): Promise<string | null> {
    return this.#tasks.startDeepGc(actor, reason ?? null);
  }

  settleTasks(): Promise<void> {
    return this.#tasks.settle();
  }
}
