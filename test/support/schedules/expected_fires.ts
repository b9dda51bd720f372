/** What docs/schedules.md promises of one schedule, told its due times and what happens to it. */
import assert from "node:assert/strict";
import type { ParsedScheduleInput } from "../../../src/messages/schedule_input.ts";

const LATE_MS = 60_000;

interface Fire {
  nominal: number;
  kind: "due" | "missed";
  state: "submitted" | "skipped" | "waiting";
  /** When it was submitted. */
  fired: number | null;
}

export class ExpectedFires {
  readonly id: string;
  readonly overlap: ParsedScheduleInput["overlap"];
  /** Missed due times that no run was made for. */
  left = 0;
  /** Runs that stood in line for a while. */
  waited = 0;
  isPaused = false;
  /** When the server looks at it next: the due time, put off by the jitter. */
  dueAt: number | null = null;
  readonly #settings: ParsedScheduleInput;
  readonly #due: readonly number[];
  readonly #fires: Fire[] = [];
  readonly #live = new Set<number>();
  #settled = 0;
  #resumedAt = Number.NEGATIVE_INFINITY;

  constructor(id: string, settings: ParsedScheduleInput, due: readonly number[]) {
    this.id = id;
    this.overlap = settings.overlap;
    this.#settings = settings;
    this.#due = due;
  }

  /** In the order of their due times. */
  fires(): Fire[] {
    return this.#fires.toSorted((a, b) => a.nominal - b.nominal);
  }

  live(): number[] {
    return [...this.#live];
  }

  end(nominal: number): void {
    this.#live.delete(nominal);
  }

  /** Whether a due time lies so shortly before that it may be late, or put off. */
  isNear(at: number): boolean {
    const room = this.#settings.jitter_seconds * 1000 + LATE_MS + 1000;
    return this.#due.some((nominal) => nominal <= at && nominal > at - room);
  }

  setDueAt(at: number | null): void {
    this.dueAt = at;
    const next = this.#due.find((nominal) => nominal > this.#settled);
    assert.equal(at === null, this.isPaused, "only a paused one is not looked at");
    // The rule goes on after the year.
    if (this.isPaused || next === undefined) return;
    const late = at! - next;
    const most = this.#settings.jitter_seconds * 1000;
    assert.ok(late >= 0 && late <= Math.max(0, most - 1), `${late} ms put off`);
  }

  pauseOrResume(now: number): void {
    this.isPaused = !this.isPaused;
    if (!this.isPaused) this.#resumedAt = now;
  }

  /** A server looks at `now`; no due time is near, or `now` is when one is to be looked at. */
  look(now: number): void {
    if (this.isPaused) return;
    const ahead = this.#due.filter((nominal) => nominal > this.#settled && nominal <= now);
    // Of the first it is told when it is to be looked at; others are that late only after days without one.
    const isPutOff = ahead.length === 1 && this.dueAt !== null && this.dueAt > now;
    const due = isPutOff ? [] : ahead;
    this.#settled = due.at(-1) ?? this.#settled;
    const isMissed = (nominal: number) =>
      nominal <= this.#resumedAt || (this.#momentOf(nominal, ahead) ?? nominal) <= now - LATE_MS;
    const missed = due.filter(isMissed);
    const { catch_up, catch_up_max } = this.#settings;
    const wanted = { none: 0, last: 1, all: catch_up_max }[catch_up];
    const kept = wanted === 0 ? [] : missed.slice(-wanted);
    this.left += missed.length - kept.length;
    for (const nominal of kept) this.#deal(nominal, "missed", now);
    for (const nominal of due) if (!missed.includes(nominal)) this.#deal(nominal, "due", now);
    this.#letGo(now);
  }

  #momentOf(nominal: number, ahead: readonly number[]): number | null {
    return nominal === ahead[0] ? this.dueAt : null;
  }

  #deal(nominal: number, kind: Fire["kind"], now: number): void {
    const isFree = this.#live.size === 0 && !this.#fires.some(({ state }) => state === "waiting");
    const state = isFree ? "submitted" : this.overlap === "queue" ? "waiting" : "skipped";
    this.#fires.push({ nominal, kind, state, fired: isFree ? now : null });
    if (isFree) this.#live.add(nominal);
  }

  /** The next in line, once nothing lives. */
  #letGo(now: number): void {
    const first = this.fires().find(({ state }) => state === "waiting");
    if (first === undefined || this.#live.size > 0) return;
    Object.assign(first, { state: "submitted", fired: now });
    this.#live.add(first.nominal);
    if (first.nominal < now) this.waited += 1;
  }
}
