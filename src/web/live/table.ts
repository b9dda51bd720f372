/**
 * A bounded set of live jobs that pass a filter: read once, then kept true by events.
 *
 * The bound is honest, not clever: where more jobs match than fit, the table says so, keeps the rows it
 * shows until they end, and then lets others in. So it does where jobs come faster than an eye can follow.
 * A busy instance therefore shows a calm sample and not a blur.
 */
import { isFinal } from "../../core/job_state.ts";
import { covers } from "../../core/org_filter.ts";
import { RateBound } from "../../core/rate_bound.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import type { FeedEvent } from "../../engine/feed.ts";
import type { Interner } from "../../engine/interner.ts";
import { readDetails } from "./details.ts";
import { type LiveFilter, matches } from "./filter.ts";
import { applyEvent, groupOf, type LiveRow, type RowGroup, rowFromEvent } from "./row.ts";
import { loadNames, readLive } from "./snapshot.ts";

export interface LiveTableOptions {
  reads: Sql;
  names: Interner;
  filter: LiveFilter;
  /** Jobs of others are not there, whatever happens to them. */
  orgs: OrgFilter;
  limits: TableLimits;
  /** Ms since the epoch. */
  now(): number;
}

export interface TableLimits {
  active: number;
  waiting: number;
  /** Jobs that have ended and are still shown. */
  ended: number;
  /** Jobs that begin to be shown on workers, in line and as ended, each; without it, all that fit. */
  newcomers?: { perSecond: number; burst: number };
}

export type Home = "active" | "waiting";

export interface Entry {
  row: LiveRow;
  /** Where it stands; a job that has ended stays where it was. */
  home: Home;
  /** When a job that has ended leaves the table. */
  leavesAt: number | null;
}

/** A job that has ended stays this long, so that an eye can follow it. */
export const LINGER_MS = 4_000;
const REFILL_MS = 2_000;
/** While jobs come faster than they are shown: then a read of all costs more than it shows. */
const FLOODED_REFILL_MS = 10_000;
/** Then only what has stood where it is for so long is caught up with. */
const LASTING_MS = 1_000;
const REREAD_MS = 2_000;
/** Newcomers that a full line takes in between two frames, in place of its oldest. */
const NEWCOMERS_MAX = 20;

export class LiveTable {
  readonly #options: LiveTableOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #changed = new Set<string>();
  readonly #gone = new Set<string>();
  #sizes = { active: 0, waiting: 0, ended: 0 };
  #newcomers = 0;
  /** Null: all that fit. Each group has its own: a line that moves fast takes no place from those on workers. */
  readonly #paces: Record<RowGroup, RateBound> | null;
  /** Jobs that fitted came faster than they may be shown: they are read when that is over. */
  #owed: Record<Home, boolean> = { active: false, waiting: false };
  #owedAt = Number.NEGATIVE_INFINITY;
  #refilledAt = 0;
  /** Jobs of which something was heard while rows are being read. */
  #heard: Set<string> | undefined;
  #rereadAt = 0;
  more = { active: false, waiting: false, searchedPart: false };

  constructor(options: LiveTableOptions) {
    this.#options = options;
    const { newcomers } = options.limits;
    const pace = () => new RateBound(newcomers!, options.now());
    this.#paces = newcomers ? { active: pace(), waiting: pace(), ended: pace() } : null;
  }

  async load(): Promise<string> {
    const { reads, names, filter, orgs, limits } = this.#options;
    const snapshot = await readLive(reads, names, { filter, orgs, limits });
    for (const id of this.#entries.keys()) this.#gone.add(id);
    this.#entries.clear();
    this.#sizes = { active: 0, waiting: 0, ended: 0 };
    for (const row of snapshot.active) this.#add(row, "active");
    for (const row of snapshot.waiting) this.#add(row, "waiting");
    this.#noteMore(snapshot);
    return snapshot.id;
  }

  apply(events: readonly FeedEvent[]): void {
    const own = events.filter((event) => covers(this.#options.orgs, event.org));
    const leftOut = this.#leaveOut(own);
    for (const event of own) {
      this.#heard?.add(event.job);
      const entry = this.#entries.get(event.job);
      if (entry) this.#update(entry, event);
      else if (!leftOut.has(event.job)) this.#consider(event);
    }
  }

  isDirty(): boolean {
    return this.#changed.size > 0 || this.#gone.size > 0;
  }

  /** What changed since the last call, with details read for rows that lack them. */
  async takeChanges(): Promise<{ changed: Entry[]; gone: string[] }> {
    const changed = [...this.#changed].flatMap((id) => this.#entries.get(id) ?? []);
    const gone = [...this.#gone].filter((id) => !this.#entries.has(id));
    this.#changed.clear();
    this.#gone.clear();
    this.#newcomers = 0;
    await this.#readDetails(changed.map((entry) => entry.row));
    return { changed, gone };
  }

  /** How many rows it shows. */
  get shown(): Record<Home, number> {
    const shown = { active: 0, waiting: 0 };
    for (const entry of this.#entries.values()) shown[entry.home] += 1;
    return shown;
  }

  /** Nobody needs to be told what changed. */
  forget(): void {
    this.#changed.clear();
    this.#gone.clear();
    this.#newcomers = 0;
  }

  /** All rows: newest dispatched first, newest submitted first. */
  async all(): Promise<Record<Home, Entry[]>> {
    const entries = [...this.#entries.values()];
    await this.#readDetails(entries.map((entry) => entry.row));
    const sorted = (home: Home) =>
      entries
        .filter((entry) => entry.home === home)
        .sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1));
    return { active: sorted("active"), waiting: sorted("waiting") };
  }

  /** Lets go of ended jobs, fills places that became free, and reads progress anew. */
  async tick(): Promise<void> {
    const now = this.#options.now();
    for (const [id, entry] of this.#entries) {
      if (entry.leavesAt !== null && entry.leavesAt <= now) this.#remove(id, entry);
    }
    await this.#refill(now);
    await this.#reread(now);
  }

  // Events

  #update(entry: Entry, event: FeedEvent): void {
    const { row } = entry;
    const before = groupOf(row.state);
    if (!applyEvent(row, event)) return;
    const after = groupOf(row.state);
    this.#sizes[before] -= 1;
    this.#sizes[after] += 1;
    if (after !== "ended") {
      entry.home = after;
      entry.leavesAt = null;
    } else entry.leavesAt = this.#options.now() + LINGER_MS;
    const { filter, names, limits } = this.#options;
    // At 1,000 jobs a second, 4,000 that have ended would stand in every table.
    const hasPlace = after !== "ended" || this.#sizes.ended <= limits.ended;
    if (hasPlace && matches(filter, row, names)) this.#changed.add(row.id);
    else this.#remove(row.id, entry);
  }

  /** A job that the table does not hold yet. */
  #consider(event: FeedEvent): void {
    const { filter, names, limits } = this.#options;
    const row = rowFromEvent(event);
    if (!matches(filter, row, names)) return;
    const group = groupOf(event.state);
    if (group === "ended") {
      if (!this.#wantsEnded(event) || this.#sizes.ended >= limits.ended) return;
      const home = event.from === "queued" || event.from === "ready" ? "waiting" : "active";
      this.#add(row, home).leavesAt = this.#options.now() + LINGER_MS;
      return;
    }
    if (this.#sizes[group] >= limits[group]) {
      this.more[group] = true;
      if (group === "active" || this.#newcomers >= NEWCOMERS_MAX) return;
      this.#newcomers += 1;
      this.#removeOldestWaiting();
    }
    this.#add(row, group);
  }

  /** It came and went between two frames. A filter on states wants only what it would have held. */
  #wantsEnded({ from }: FeedEvent): boolean {
    const { states } = this.#options.filter;
    return states.length === 0 || (states as string[]).includes(from ?? "");
  }

  /**
   * Of jobs that are not shown yet, those that may not be now, for there are too many at once: an even sample is
   * left. The first of them would be those that have been told latest, time after time.
   */
  #leaveOut(events: readonly FeedEvent[]): Set<string> {
    const leftOut = new Set<string>();
    if (this.#paces === null) return leftOut;
    const latest = new Map<string, FeedEvent>();
    for (const event of events) if (!this.#entries.has(event.job)) latest.set(event.job, event);
    const groups = Map.groupBy(latest.values(), ({ state }) => groupOf(state));
    for (const [group, some] of groups) this.#sample(group, some, this.#paces[group], leftOut);
    return leftOut;
  }

  /** By where they stand after these events. Those that do not match are not counted, nor left out. */
  #sample(group: RowGroup, some: FeedEvent[], pace: RateBound, leftOut: Set<string>): void {
    const { filter, names, limits } = this.#options;
    const wanted = some
      .filter((event) => group !== "ended" || this.#wantsEnded(event))
      .filter((event) => matches(filter, rowFromEvent(event), names));
    const inTheirPlace = group === "waiting" ? NEWCOMERS_MAX - this.#newcomers : 0;
    const places = Math.max(0, limits[group] - this.#sizes[group]) + inTheirPlace;
    const room = pace.room(this.#options.now());
    const shown = Math.min(room, places, wanted.length);
    pace.take(shown, this.#options.now());
    if (shown === wanted.length) return;
    for (const [at, { job }] of wanted.entries()) {
      const isShown =
        Math.floor((at * shown) / wanted.length) < Math.floor(((at + 1) * shown) / wanted.length);
      if (!isShown) leftOut.add(job);
    }
    if (group === "ended") return;
    this.more[group] = true;
    if (room < Math.min(places, wanted.length)) this.#owe(group);
  }

  #owe(home: Home): void {
    this.#owed[home] = true;
    this.#owedAt = this.#options.now();
  }

  #removeOldestWaiting(): void {
    let oldest: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (groupOf(entry.row.state) !== "waiting") continue;
      if (!oldest || entry.row.id < oldest.row.id) oldest = entry;
    }
    if (oldest) this.#remove(oldest.row.id, oldest);
  }

  #add(row: LiveRow, home: Home): Entry {
    const entry: Entry = { row, home, leavesAt: null };
    this.#entries.set(row.id, entry);
    this.#sizes[groupOf(row.state)] += 1;
    this.#changed.add(row.id);
    return entry;
  }

  #remove(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#sizes[groupOf(entry.row.state)] -= 1;
    this.#changed.delete(id);
    this.#gone.add(id);
  }

  // Reading

  async #readDetails(rows: readonly LiveRow[]): Promise<void> {
    const lacking = rows.filter((row) => row.details === null || lacksRun(row));
    if (lacking.length === 0) return;
    await readDetails(this.#options.reads, lacking);
    await loadNames(this.#options.names, lacking);
  }

  /** Where rows have left a table that holds only a part, others get their places; and those that came too fast. */
  async #refill(now: number): Promise<void> {
    const { reads, names, filter, orgs, limits } = this.#options;
    const isFlooded = now - this.#owedAt < REFILL_MS;
    if (now - this.#refilledAt < (isFlooded ? FLOODED_REFILL_MS : REFILL_MS)) return;
    const lacks = (home: Home) => {
      const atMost = this.#owed[home] ? limits[home] : limits[home] * 0.7;
      return this.more[home] && this.#sizes[home] < atMost;
    };
    if (!(lacks("active") || lacks("waiting"))) return;
    this.#refilledAt = now;
    this.#owed = { active: false, waiting: false };
    const heard = new Set<string>();
    this.#heard = heard;
    const reading = readLive(reads, names, { filter, orgs, limits });
    const snapshot = await reading.finally(() => {
      this.#heard = undefined;
    });
    this.#noteMore(snapshot);
    for (const home of ["active", "waiting"] as const) {
      // Left out meanwhile, they are in no snapshot, or were heard of.
      if (this.#owed[home]) this.more[home] = true;
      for (const row of snapshot[home]) {
        // What was heard of it meanwhile would never come again: it might have ended, and stay for ever.
        if (heard.has(row.id) || this.#entries.has(row.id)) continue;
        if (this.#sizes[home] >= limits[home]) this.more[home] = true;
        else if (!isFlooded || now - row.since > LASTING_MS) this.#add(row, home);
        else {
          this.more[home] = true;
          this.#owed[home] = true;
        }
      }
    }
  }

  #noteMore(snapshot: { moreActive: boolean; moreWaiting: boolean; searchedPart: boolean }): void {
    this.more = {
      active: snapshot.moreActive,
      waiting: snapshot.moreWaiting,
      searchedPart: snapshot.searchedPart,
    };
  }

  /** Progress and requests to cancel change without a phase event. */
  async #reread(now: number): Promise<void> {
    if (this.#sizes.active === 0 || now - this.#rereadAt < REREAD_MS) return;
    this.#rereadAt = now;
    const rows = [...this.#entries.values()]
      .map((entry) => entry.row)
      .filter((row) => groupOf(row.state) === "active");
    const before = rows.map((row) => JSON.stringify(row.details));
    await readDetails(this.#options.reads, rows);
    rows.forEach((row, i) => {
      if (before[i] !== JSON.stringify(row.details) && !isFinal(row.state))
        this.#changed.add(row.id);
    });
  }
}

/** It ran and is over, and its worker's measure of that is not read yet. */
function lacksRun({ state, times }: LiveRow): boolean {
  return isFinal(state) && times.startedAt !== null && times.runMs === null;
}

/** Larger stands higher: when it was dispatched, or when it was submitted. */
export function sortKey(entry: Entry): string {
  if (entry.home === "waiting") return entry.row.id;
  const at = entry.row.times.dispatchedAt ?? entry.row.since;
  return `${String(at).padStart(15, "0")}-${entry.row.id}`;
}
