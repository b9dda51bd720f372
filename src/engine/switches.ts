/** What holds dispatch back, kept fresh: read every second and whenever somebody changed it. */
import type { InstanceFacts, QueueFacts } from "../core/eligibility/facts.ts";
import { type QueueSwitch, readSwitches } from "../db/statements/switches.ts";
import type { EngineContext } from "./context.ts";
import type { KeyLimit } from "./leases/key_limits.ts";
import { Loop, type Service } from "./service.ts";

const EVERY_MS = 1_000;

export class Switches implements Service {
  readonly name = "switches";
  readonly #context: EngineContext;
  readonly #loop: Loop;
  #queues = new Map<number, QueueSwitch>();
  #draining: InstanceFacts = { draining: false, drainedBy: null, drainedAt: null };
  /** Called when something that held jobs back may be gone; `parts`: of these queues another part is. */
  onChange: (parts: ReadonlySet<number>) => void = () => {};

  constructor(context: EngineContext) {
    this.#context = context;
    this.#loop = new Loop({
      name: this.name,
      everyMs: EVERY_MS,
      run: () => this.refresh(),
      onError: (error) => context.log.warn({ error: String(error) }, "switches were not read"),
    });
    context.bus.on("switches.changed", () => this.#loop.poke());
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async refresh(): Promise<void> {
    const { queues, draining } = await readSwitches(this.#context.database.beats);
    const before = this.#fingerprint();
    const parts = this.#parts();
    this.#queues = new Map(queues.map((q) => [q.id, q]));
    this.#draining = {
      draining: draining.enabled,
      drainedBy: draining.enabled ? draining.by : null,
      drainedAt: draining.enabled ? draining.at_ms : null,
      drainReason: draining.enabled ? draining.reason : null,
    };
    if (this.#fingerprint() === before) return;
    const now = this.#parts();
    const ids = [...parts.keys(), ...now.keys()];
    this.onChange(new Set(ids.filter((id) => parts.get(id) !== now.get(id))));
  }

  /** What says which part of a queue's lines may be leased. */
  #parts(): Map<number, string> {
    return new Map(
      [...this.#queues.values()].flatMap(({ id, stop_below, key_tag }) =>
        stop_below === null && key_tag === null ? [] : [[id, `${stop_below}/${key_tag}`]],
      ),
    );
  }

  get instance(): InstanceFacts {
    return this.#draining;
  }

  /** Nothing may be leased from this queue now. */
  closed(queue: number): boolean {
    return (this.#queues.get(queue)?.paused_ms ?? null) !== null;
  }

  limited(queue: number): boolean {
    const q = this.#queues.get(queue);
    if (q === undefined) return false;
    return q.concurrency !== null || q.rate_count !== null || q.key_tag !== null;
  }

  /** Of a queue that runs only so many jobs at once that share a tag's value. */
  keyLimit(queue: number): KeyLimit | null {
    const q = this.#queues.get(queue);
    if (!q || q.key_tag === null || q.key_concurrency === null) return null;
    return { tag: q.key_tag, concurrency: q.key_concurrency };
  }

  /** `stop_below` of a queue, or null. */
  stopBelow(queue: number): string | null {
    return this.#queues.get(queue)?.stop_below ?? null;
  }

  facts(queue: number, name: string, held: number): QueueFacts {
    const q = this.#queues.get(queue);
    const rate =
      q && q.rate_count !== null
        ? { count: q.rate_count, seconds: q.rate_seconds ?? 1, tokens: q.tokens ?? 0 }
        : null;
    return {
      name,
      pausedAt: q?.paused_ms ?? null,
      pausedBy: q?.paused_by ?? null,
      pauseReason: q?.pause_reason ?? null,
      concurrency: q?.concurrency ?? null,
      held,
      rate,
    };
  }

  #fingerprint(): string {
    const queues = [...this.#queues.values()].map((q) => [
      q.id,
      q.paused_ms,
      q.stop_below,
      q.concurrency,
      q.rate_count,
      q.rate_seconds,
      q.key_tag,
      q.key_concurrency,
    ]);
    return JSON.stringify([this.#draining.draining, queues]);
  }
}
