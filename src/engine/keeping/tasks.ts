/**
 * Tasks that a superuser starts: carried out by the server that was asked, shown to all. Where that server
 * dies, whoever looks next says so.
 */
import { v7 as uuidv7 } from "uuid";
import { type Actor, actorName } from "../../core/author.ts";
import type { Sql } from "../../db/client.ts";
import {
  endTask,
  failOrphans,
  insertTask,
  noteTask,
} from "../../db/statements/keeping/admin_tasks.ts";
import { openUpkeep } from "../../db/upkeep.ts";
import type { EngineContext } from "../context.ts";
import { audit } from "../operator/audit.ts";
import { transact } from "../pipeline.ts";
import { Loop, type Service } from "../service.ts";
import { PASSES, runDeepGc } from "./deep_gc.ts";
import { Progress, TaskStopped } from "./progress.ts";
import type { Pruner } from "./pruner.ts";

const LOOK_MS = 5_000;
const STOPPED = "The server stopped before it was done.";

export class Tasks implements Service {
  readonly name = "tasks";
  readonly #context: EngineContext;
  readonly #pruner: Pruner;
  readonly #loop: Loop;
  readonly #running = new Set<Promise<void>>();
  #stopped = true;

  constructor(context: EngineContext, pruner: Pruner) {
    this.#context = context;
    this.#pruner = pruner;
    this.#loop = new Loop({
      name: this.name,
      everyMs: LOOK_MS,
      run: () => this.settle(),
      onError: (error) => context.log.warn({ error: String(error) }, "tasks were not looked after"),
    });
  }

  start(): void {
    this.#stopped = false;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop.stop();
    await Promise.all(this.#running);
  }

  /** Ends the tasks of servers that are gone. */
  async settle(): Promise<void> {
    const ended = await failOrphans(this.#context.database.beats, STOPPED);
    if (ended.length === 0) return;
    this.#context.log.warn({ tasks: ended }, "tasks had lost their server and ended as failed");
  }

  /** The id of the new task; null where one runs, on whichever server. */
  async startDeepGc(actor: Actor, reason: string | null): Promise<string | null> {
    const { database, replicaId } = this.#context;
    await this.settle();
    const id = uuidv7();
    const progress = this.#progress(id);
    const task = { id, kind: "deep_gc", replica: replicaId, by: actorName(actor), reason };
    const isNew = await transact(database.beats, async (tx) => {
      if (!(await insertTask(tx, { ...task, progress: progress.passes }))) return false;
      await audit(tx, actor, {
        ...{ org: null, action: "instance.deep_gc", objectKind: "task", objectId: id, reason },
        after: { state: "running" },
      });
      return true;
    });
    if (!isNew) return null;
    const run = this.#run(id, actor, progress);
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
    return id;
  }

  #progress(id: string): Progress {
    const { clock, database } = this.#context;
    return new Progress(
      PASSES,
      () => clock.now(),
      async (passes) => {
        if (this.#stopped || !(await noteTask(database.beats, id, passes))) {
          throw new TaskStopped(STOPPED);
        }
      },
    );
  }

  /** Never rejects. */
  async #run(id: string, actor: Actor, progress: Progress): Promise<void> {
    const { log, options, database } = this.#context;
    const sql: Sql = openUpkeep(database.url);
    let error: string | null = null;
    try {
      const parts = { sql, logs: options.logs, prune: () => this.#pruner.pass() };
      await runDeepGc(this.#context, parts, progress);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.message : String(thrown);
      log.warn({ task: id, error }, "a task failed");
    }
    try {
      await this.#end(id, actor, progress, error);
    } catch (thrown) {
      log.warn({ task: id, error: String(thrown) }, "the end of a task was not written");
    }
    await sql.end({ timeout: 2 }).catch(() => {});
  }

  async #end(id: string, actor: Actor, { passes }: Progress, error: string | null): Promise<void> {
    const affected = passes.reduce((sum, pass) => sum + pass.removed, 0);
    const removed = Object.fromEntries(passes.map((pass) => [pass.pass, pass.removed]));
    await transact(this.#context.database.beats, async (tx) => {
      if (!(await endTask(tx, id, { progress: passes, error }))) return;
      await audit(tx, actor, {
        ...{ org: null, action: "task.end", objectKind: "task", objectId: id, affected },
        ...{ before: { state: "running" } },
        after: { state: error === null ? "done" : "failed", removed, ...(error ? { error } : {}) },
      });
    });
  }
}
