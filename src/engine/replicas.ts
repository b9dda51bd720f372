/**
 * Replicas of one database: a heartbeat row each, and wake-ups by NOTIFY (engine rules 24 and 26).
 * NOTIFY never rides in a writing transaction: after commit, own connection, at most 20 a second,
 * none while this replica is alone. Polling stays the truth; this only hurries it.
 */
import postgres from "postgres";
import { beatReplica, leaveReplica } from "../db/statements/replicas.ts";
import type { EngineContext } from "./context.ts";
import { Loop, type Service } from "./service.ts";

const HEARTBEAT_MS = 2_000;
const NOTIFY_MS = 50;
/** Above this many shapes a message says "everything"; 4 KB is half of what NOTIFY takes. */
const SHAPES_MAX = 400;
const CHANNEL = "signalbox";

export interface Wake {
  from: string;
  /** "all": sweep. */
  shapes?: number[] | "all";
  events?: true;
  cancel?: true;
  switches?: true;
  schedules?: true;
  alerts?: true;
}

export interface ReplicasListener {
  share(share: { replicas: number; mine: number }): void;
  wake(wake: Wake): void;
}

export class Replicas implements Service {
  readonly name = "replicas";
  readonly #context: EngineContext;
  readonly #listener: ReplicasListener;
  readonly #heartbeat: Loop;
  #listen: postgres.Sql | undefined;
  #alone = true;
  #shapes = new Set<number>();
  #everything = false;
  #flags: Omit<Wake, "from" | "shapes"> = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What another server said is being passed on within this one, and is not said again. */
  #hearing = false;

  constructor(context: EngineContext, listener: ReplicasListener) {
    this.#context = context;
    this.#listener = listener;
    this.#heartbeat = new Loop({
      name: this.name,
      everyMs: HEARTBEAT_MS,
      run: () => this.beat(),
      onError: (error) => context.log.warn({ error: String(error) }, "replica heartbeat failed"),
    });
    const { bus } = context;
    bus.on("jobs.ready", ({ shapes }) => this.#say({ shapes }));
    bus.on("events.committed", () => this.#say({ events: true }));
    bus.on("cancel.requested", () => this.#say({ cancel: true }));
    bus.on("switches.changed", () => this.#say({ switches: true }));
    bus.on("schedules.changed", () => this.#say({ schedules: true }));
    bus.on("alerts.changed", () => this.#say({ alerts: true }));
  }

  get #me(): string {
    return this.#context.replicaId;
  }

  get alone(): boolean {
    return this.#alone;
  }

  async start(): Promise<void> {
    await this.beat();
    this.#heartbeat.start();
    // A connection of its own that is never recycled; postgres.js listens again after a loss.
    this.#listen = postgres(this.#context.database.url, {
      max: 1,
      // Asked for by nobody, see `db/client.ts`.
      fetch_types: false,
      idle_timeout: 0,
      max_lifetime: null,
      onnotice: () => {},
      connection: { application_name: "signalbox listen" },
    });
    await this.#listen.listen(CHANNEL, (text) => this.#heard(text));
    // Who thought to be alone says nothing until its next heartbeat: let it have that now.
    if (!this.#alone) await this.#listen.notify(CHANNEL, JSON.stringify({ from: this.#me }));
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#heartbeat.stop();
    await leaveReplica(this.#context.database.beats, this.#context.replicaId).catch(() => {});
    await this.#listen?.end({ timeout: 1 });
  }

  async beat(): Promise<void> {
    const { database, replicaId, options } = this.#context;
    const alive = await beatReplica(database.beats, replicaId, options.address);
    const wasAlone = this.#alone;
    this.#alone = alive.length <= 1;
    // What became ready since the newcomer looked around was told to nobody.
    if (wasAlone && this.#listen) this.#say({ shapes: "all" });
    this.#listener.share({ replicas: alive.length, mine: Math.max(0, alive.indexOf(replicaId)) });
  }

  #say({ shapes, ...flags }: Omit<Wake, "from">): void {
    if (this.#alone || this.#hearing) return;
    if (shapes === "all") this.#everything = true;
    else for (const shape of shapes ?? []) this.#shapes.add(shape);
    Object.assign(this.#flags, flags);
    this.#timer ??= setTimeout(() => this.#send(), NOTIFY_MS);
  }

  #send(): void {
    this.#timer = undefined;
    const isAll = this.#everything || this.#shapes.size > SHAPES_MAX;
    const shapes = isAll ? ("all" as const) : [...this.#shapes];
    const wake: Wake = {
      from: this.#me,
      ...this.#flags,
      ...(shapes.length > 0 ? { shapes } : {}),
    };
    this.#shapes = new Set();
    this.#everything = false;
    this.#flags = {};
    this.#listen?.notify(CHANNEL, JSON.stringify(wake)).catch((error) => {
      this.#context.log.warn({ error: String(error) }, "a wake-up was not sent");
    });
  }

  #heard(text: string): void {
    try {
      const wake = JSON.parse(text) as Wake;
      if (wake.from === this.#me) return;
      if (this.#alone) this.#heartbeat.poke();
      this.#hearing = true;
      this.#listener.wake(wake);
    } catch (error) {
      this.#context.log.warn({ error: String(error) }, "a wake-up was not understood");
    } finally {
      this.#hearing = false;
    }
  }
}
