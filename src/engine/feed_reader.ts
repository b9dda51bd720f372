/**
 * The feed: one reader a replica, whoever watches, over committed phase events in history order
 * (engine rule 28). It reads only while somebody listens, after every local commit and wake-up, and
 * once a second as the truth.
 *
 * The floor. Rows of transactions at or above horizon H got their ids after the moment when H had
 * not been handed out yet. So each round remembers (next, latest id); the newest remembered
 * round whose next ≤ H bounds every row that is still to come from below.
 */
import type { JobState, Outcome, WaitingFor } from "../core/job_state.ts";
import { nextInRhythm, type Rhythm } from "../core/rhythm.ts";
import { EVENT_ID_STEP } from "../db/schema/event_id_step.ts";
import {
  countEvents,
  type EventPlace,
  type EventRow,
  type Horizon,
  horizonHolder,
  readEvents,
  readHorizon,
} from "../db/statements/read_events.ts";
import type { EngineContext } from "./context.ts";
import type { Feed, FeedEvent } from "./feed.ts";
import { Loop, type Service } from "./service.ts";

const EVERY_MS = 1_000;
/** Rounds are so far apart, unless `align` says otherwise: pages get at most 4 frames a second. */
const ROUND_MS = 250;
const RHYTHM_MS = 1_000;
/** Where somebody waits for what is committed now. */
const HURRIED_MS = 50;
const READ_MAX = 2_000;
/** Six seconds of 1,000 jobs a second: whoever was cut off comes back after one or two. */
const REMEMBERED = 30_000;
const STALLED_MS = 2_000;
/** How far back a feed that begins looks for what is under way. */
const STATEMENTS_BACK = 1_000;
/** Least time between two gaps: each makes every viewer's picture be read anew. */
const GAP_EVERY_MS = 2_000;
/** Ends that waited out a long outage are old when they are written; this only prunes partitions. */
const LATEST_MS = 3 * 86_400_000;

export class FeedReader implements Feed, Service {
  readonly name = "feed";
  readonly #context: EngineContext;
  readonly #loop: Loop;
  readonly #listeners = new Set<Listener>();
  readonly #ring: FeedEvent[] = [];
  /** The ring holds every event after this place. */
  #covers = { xid: 0n, id: 0 };
  /** Everything up to here has been delivered. */
  #at = { xid: "0", id: 0 };
  #marks: { next: bigint; ids: number }[] = [];
  #floor = 0;
  /** Older transactions than this one may have been under way when the feed began. */
  #unsure: bigint | null = null;
  #started = false;
  #waiters: { xid: bigint | null; done: () => void }[] = [];
  #lastRound = 0;
  /** Rounds that nobody waits for begin so long after one another, and then. */
  #rhythm: Rhythm = { everyMs: ROUND_MS, from: 0 };
  /** Until when that counts: who sets it may be gone. */
  #rhythmUntil = 0;
  #readMs = 0;
  /** The last round read as much as one may. */
  #behind = false;
  /** Ends the pause before the next round early, where it can be. */
  #hurry: () => void = () => {};
  /** The latest id of events, as of a moment before the next round. */
  #ids = 0;
  #horizon = { xmin: "0", movedAt: 0 };
  #told = false;
  #gapAt = Number.NEGATIVE_INFINITY;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#loop = new Loop({
      name: this.name,
      everyMs: EVERY_MS,
      run: () => this.#round(),
      onError: (error) => context.log.warn({ error: String(error) }, "events were not read"),
    });
    context.bus.on("events.committed", () => this.poke());
  }

  start(): void {
    this.#started = true;
    if (this.#listeners.size > 0) this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#started = false;
    await this.#loop.stop();
  }

  poke(): void {
    if (this.#listeners.size > 0 || this.#waiters.length > 0) this.#loop.poke();
  }

  position(): string {
    return `${this.#at.xid}.${this.#at.id}`;
  }

  subscribe(receive: (events: FeedEvent[]) => void, onGap: () => void = () => {}): () => void {
    const listener = { receive, onGap };
    this.#listeners.add(listener);
    if (this.#started) this.#loop.start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) void this.#rest();
    };
  }

  since(id: string): FeedEvent[] | null {
    const place = parsePlace(id);
    if (this.#listeners.size === 0 || !place || this.#at.xid === "0") return null;
    if (comparePlaces(place, this.#covers) < 0) return null;
    // Looked through from its beginning, 200 viewers who came back at once stopped the server for seconds.
    let [low, high] = [0, this.#ring.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePlaces(parsePlace(this.#ring[middle]!.id)!, place) > 0) high = middle;
      else low = middle + 1;
    }
    return this.#ring.slice(low);
  }

  /** The next round asks for all who wait: however many come at once, they cost no statement. */
  async settled(): Promise<void> {
    await new Promise<void>((done) => {
      this.#waiters.push({ xid: null, done });
      this.#loop.start();
      this.#loop.poke();
      this.#hurry();
    });
  }

  align(shownAt: number, everyMs: number): void {
    this.#rhythm = { everyMs, from: shownAt - this.#readMs };
    this.#rhythmUntil = performance.now() + RHYTHM_MS;
  }

  stalledSince(): number | null {
    const { movedAt } = this.#horizon;
    return movedAt > 0 && performance.now() - movedAt > STALLED_MS && this.#told ? movedAt : null;
  }

  /** Nobody listens: forget the place, so that the next listener starts at the newest event. */
  async #rest(): Promise<void> {
    await this.#loop.stop();
    if (this.#listeners.size > 0) return this.#loop.start();
    this.#at = { xid: "0", id: 0 };
    this.#ring.length = 0;
    this.#marks = [];
  }

  async #round(): Promise<boolean> {
    await this.#pause();
    const sql = this.#context.database.side;
    if (this.#at.xid === "0") this.#begin(await readHorizon(sql));
    const asking = this.#waiters.filter((waiter) => waiter.xid === null);
    const began = performance.now();
    const { horizon, rows } = await readEvents(sql, this.#place(), READ_MAX);
    this.#readMs = performance.now() - began;
    for (const waiter of asking) waiter.xid = BigInt(horizon.xmax);
    // Of the round before: what was read with this one may hold ids of transactions that it does not know.
    this.#mark({ ...horizon, ids: this.#ids });
    this.#ids = horizon.ids;
    if (rows.length > 0) await this.#deliver(rows);
    await this.#watch(horizon, rows.length);
    this.#behind = rows.length === READ_MAX;
    if (!this.#behind) {
      // Everything below the horizon is told: stand there, so that idle rounds leave no marks.
      const below = BigInt(horizon.xmin) - 1n;
      if (below > BigInt(this.#at.xid)) this.#at = { xid: `${below}`, id: Number.MAX_SAFE_INTEGER };
      this.#becomeSure(horizon);
      this.#release(horizon);
      return false;
    }
    await this.#leap();
    return true;
  }

  /** Between two rounds; shorter where somebody waits, or comes to wait meanwhile. */
  async #pause(): Promise<void> {
    for (;;) {
      const isHurried = this.#behind || this.#waiters.length > 0;
      const next = isHurried ? this.#lastRound + HURRIED_MS : this.#nextInRhythm();
      const left = next - performance.now();
      if (left <= 0) break;
      await new Promise<void>((next) => {
        this.#hurry = next;
        setTimeout(next, left);
      });
    }
    this.#lastRound = performance.now();
  }

  /** Where reading takes long, it takes half of the time at most. */
  #nextInRhythm(): number {
    const isSet = performance.now() < this.#rhythmUntil;
    const everyMs = isSet ? this.#rhythm.everyMs : ROUND_MS;
    const busyUntil = this.#lastRound + 2 * this.#readMs - everyMs / 2;
    return nextInRhythm({ ...this.#rhythm, everyMs }, Math.max(this.#lastRound, busyUntil));
  }

  #place(): EventPlace {
    const sinceMs = this.#context.clock.now() - LATEST_MS;
    return { ...this.#at, floor: this.#floor, sinceMs };
  }

  #standAt(horizon: Horizon): void {
    const below = BigInt(horizon.xmin) - 1n;
    // A round may have told more already: upkeep does not hold it up.
    if (below > BigInt(this.#at.xid)) this.#at = { xid: `${below}`, id: Number.MAX_SAFE_INTEGER };
    this.#covers = { xid: BigInt(this.#at.xid), id: this.#at.id };
    this.#ring.length = 0;
  }

  /** Leaves out what waits where that is too much, and says so. */
  async #leap(): Promise<void> {
    const now = performance.now();
    if (now - this.#gapAt < GAP_EVERY_MS) return;
    const sql = this.#context.database.side;
    const { feedBehindMax } = this.#context.options;
    const behind = await countEvents(sql, this.#place(), feedBehindMax + 1);
    if (behind <= feedBehindMax) return;
    this.#gapAt = now;
    this.#standAt(await readHorizon(sql));
    this.#context.log.warn(
      { more_than: feedBehindMax },
      "live events fell behind: viewers get a fresh picture",
    );
    this.#tell((listener) => listener.onGap());
  }

  #begin(horizon: Horizon): void {
    this.#standAt(horizon);
    this.#marks = [];
    this.#ids = horizon.ids;
    // Transactions that are open now took their ids before: nearly all of them since then. Whoever
    // listens reads anew when they have ended, so that nothing of an older one is missed.
    this.#floor = Math.max(0, horizon.ids - STATEMENTS_BACK * EVENT_ID_STEP);
    this.#unsure = horizon.xmin === horizon.next ? null : BigInt(horizon.next);
  }

  #becomeSure(horizon: Horizon): void {
    if (this.#unsure === null || BigInt(horizon.xmin) < this.#unsure) return;
    this.#unsure = null;
    this.#tell((listener) => listener.onGap());
  }

  #mark(horizon: Horizon): void {
    this.#marks.push({ next: BigInt(horizon.next), ids: horizon.ids });
    const xmin = BigInt(this.#at.xid);
    // The newest mark at or below what is delivered bounds the rest; older ones are not needed.
    while (this.#marks.length > 1 && this.#marks[1]!.next <= xmin) this.#marks.shift();
    if (this.#marks[0]!.next <= xmin) this.#floor = Math.max(this.#floor, this.#marks[0]!.ids - 1);
  }

  async #deliver(rows: EventRow[]): Promise<void> {
    const last = rows[rows.length - 1]!;
    await this.#context.names.load({
      orgs: rows.map((r) => r.org_id),
      queues: rows.map((r) => r.queue_id),
      names: rows.map((r) => r.name_id),
      workers: rows.flatMap((r) => r.worker_id ?? []),
    });
    const events = rows.map(eventOf);
    this.#at = { xid: last.xid, id: last.id };
    this.#ring.push(...events);
    if (this.#ring.length > REMEMBERED * 1.5) {
      const gone = this.#ring.splice(0, this.#ring.length - REMEMBERED);
      this.#covers = parsePlace(gone[gone.length - 1]!.id)!;
    }
    this.#tell((listener) => listener.receive(events));
  }

  #tell(say: (listener: Listener) => void): void {
    for (const listener of this.#listeners) {
      try {
        say(listener);
      } catch (error) {
        this.#context.log.error({ error: String(error) }, "a feed listener failed");
      }
    }
  }

  /** A horizon that stands while ids go on is held by somebody: say by whom, once. */
  async #watch(horizon: Horizon, rows: number): Promise<void> {
    const now = performance.now();
    if (horizon.xmin !== this.#horizon.xmin || rows > 0 || horizon.xmin === horizon.xmax) {
      this.#horizon = { xmin: horizon.xmin, movedAt: now };
      this.#told = false;
    } else if (now - this.#horizon.movedAt > STALLED_MS && !this.#told) {
      this.#told = true;
      const holder = await horizonHolder(this.#context.database.side);
      this.#context.log.warn({ holder }, "live events wait for a transaction that stays open");
    }
  }

  #release(horizon: Horizon): void {
    const xmin = BigInt(horizon.xmin);
    const isReady = ({ xid }: { xid: bigint | null }) => xid !== null && xid <= xmin;
    const ready = this.#waiters.filter(isReady);
    this.#waiters = this.#waiters.filter((waiter) => !isReady(waiter));
    if (this.#waiters.length > 0) setTimeout(() => this.#loop.poke(), HURRIED_MS);
    for (const waiter of ready) waiter.done();
  }
}

interface Listener {
  receive(events: FeedEvent[]): void;
  onGap(): void;
}

interface Place {
  xid: bigint;
  id: number;
}

function parsePlace(text: string): Place | null {
  const match = /^(\d{1,20})\.(\d{1,16})$/.exec(text);
  return match ? { xid: BigInt(match[1]!), id: Number(match[2]) } : null;
}

function comparePlaces(a: Place, b: Place): number {
  if (a.xid !== b.xid) return a.xid < b.xid ? -1 : 1;
  return a.id - b.id;
}

function eventOf(row: EventRow): FeedEvent {
  return {
    id: `${row.xid}.${row.id}`,
    at: row.at_ms,
    org: row.org_id,
    queue: row.queue_id,
    name: row.name_id,
    job: row.job_id,
    attempt: row.attempt,
    from: row.from_state as JobState | null,
    state: row.state as JobState,
    waitingFor: row.waiting_for as WaitingFor | null,
    outcome: row.outcome as Outcome | null,
    reason: row.reason,
    worker: row.worker_id,
  };
}
