/**
 * What names used lately, for scoring. Read in batches when a name comes into the window, added to
 * by every recorded end, flushed every few seconds, off the hot path: a crash loses these seconds of
 * statistics, or a minute's where ten thousand names are in use.
 */
import {
  addSample,
  coarse,
  emptySamples,
  isSameHistory,
  type NameSamples,
  summarize,
} from "../core/history.ts";
import type { NameHistory } from "../core/scoring/context.ts";
import { appendHistories, readHistories } from "../db/statements/name_history.ts";
import type { EngineContext } from "./context.ts";
import type { End } from "./lease.ts";
import { Loop, type Service } from "./service.ts";

const FLUSH_MS = 5_000;
/** Names a flush writes, oldest first: of very many, a row then takes several samples at once. */
const FLUSH_NAMES = 1_000;
/** Names held; past that the oldest go and are read again. */
const NAMES_MAX = 50_000;
const FROZEN_MAX = 2_000;

interface Entry {
  samples: NameSamples;
  /** Made anew at most once a round: sorting 200 samples per decision would be the decision's cost. */
  summary: NameHistory | null;
  /** In which it was made. */
  round: number;
  /** Samples came since. */
  stale: boolean;
  frozen: FrozenHistory | undefined;
  /** `frozen` was made of this summary. */
  isFrozen: boolean;
}

/** A history as contexts freeze it; equal ones have equal keys. */
export interface FrozenHistory {
  key: string;
  figures: NameHistory | null;
}

const NO_HISTORY: FrozenHistory = { key: "", figures: null };

export class Histories implements Service {
  readonly name = "histories";
  readonly #context: EngineContext;
  readonly #entries = new Map<number, Entry>();
  readonly #fresh = new Map<number, NameSamples>();
  readonly #frozen = new Map<string, FrozenHistory>();
  #round = 0;
  readonly #loop: Loop;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#loop = new Loop({
      name: this.name,
      everyMs: FLUSH_MS,
      run: () => {
        this.#round += 1;
        return this.flush();
      },
      onError: (error) => context.log.warn({ error: String(error) }, "histories were not flushed"),
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    while (this.#fresh.size > 0) await this.flush().catch(() => {});
  }

  /** Null where the name has no history, or none was loaded yet. */
  of(name: number): NameHistory | null {
    const entry = this.#entries.get(name);
    if (!entry) return null;
    if (entry.stale && entry.round !== this.#round) {
      entry.summary = summarize(entry.samples);
      entry.isFrozen = false;
      entry.round = this.#round;
      entry.stale = false;
    }
    return entry.summary;
  }

  /** What a dispatch of this name freezes of its history. */
  frozen(name: number): FrozenHistory {
    const history = this.of(name);
    if (history === null) return NO_HISTORY;
    const entry = this.#entries.get(name)!;
    if (!entry.frozen || !entry.isFrozen) entry.frozen = this.#freeze(history, entry.frozen);
    entry.isFrozen = true;
    return entry.frozen;
  }

  /** Mostly what it was: to make its key took as long as all else of a dispatch's contexts. */
  #freeze(history: NameHistory, before: FrozenHistory | undefined): FrozenHistory {
    const figures = coarse(history);
    return before?.figures && isSameHistory(before.figures, figures)
      ? before
      : this.#shared(figures);
  }

  /** One object for all names that used about the same, of ten thousand mostly a few. */
  #shared(figures: NameHistory): FrozenHistory {
    const key = Object.values(figures).join("/");
    let frozen = this.#frozen.get(key);
    if (!frozen) {
      if (this.#frozen.size >= FROZEN_MAX) this.#frozen.clear();
      frozen = { key, figures };
      this.#frozen.set(key, frozen);
    }
    return frozen;
  }

  async load(names: Iterable<number>): Promise<void> {
    const missing = [...new Set(names)].filter((n) => !this.#entries.has(n));
    if (missing.length === 0) return;
    const rows = await readHistories(this.#context.database.side, missing);
    for (const name of missing) this.#set(name, emptySamples());
    for (const row of rows) this.#set(row.name_id, row);
  }

  #set(name: number, samples: NameSamples): void {
    if (this.#entries.size >= NAMES_MAX) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    const summary = samples.samples > 0 ? summarize(samples) : null;
    const round = this.#round;
    this.#entries.set(name, {
      samples,
      summary,
      round,
      stale: false,
      frozen: undefined,
      isFrozen: false,
    });
  }

  /** One recorded end. Attempts that never ran teach nothing. */
  add(name: number, end: End): void {
    const attempt = "final" in end ? end.final : end.returned;
    if (attempt.runMs === null) return;
    const { usage } = attempt;
    const disk =
      usage?.disk_read_bytes === undefined && usage?.disk_write_bytes === undefined
        ? null
        : (usage.disk_read_bytes ?? 0) + (usage.disk_write_bytes ?? 0);
    const sample = {
      run_ms: attempt.runMs,
      peak_ram_mb: usage?.peak_ram_mb,
      cpu_ms: usage?.cpu_ms,
      disk_bytes: disk,
      network_mbps: usage?.network_mbps,
      oom: usage?.oom_killed,
    };
    const entry = this.#entries.get(name);
    if (entry) {
      addSample(entry.samples, sample);
      entry.stale = true;
    }
    let fresh = this.#fresh.get(name);
    if (!fresh) {
      fresh = emptySamples();
      this.#fresh.set(name, fresh);
    }
    addSample(fresh, sample);
  }

  /** The oldest of what no row has yet. */
  async flush(): Promise<void> {
    const rows = [];
    for (const [name_id, samples] of this.#fresh) {
      if (rows.length >= FLUSH_NAMES) break;
      rows.push({ name_id, ...samples });
      this.#fresh.delete(name_id);
    }
    await appendHistories(this.#context.database.beats, rows);
  }
}
