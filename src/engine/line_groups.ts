/**
 * Lines that are served alike: of one queue and kind, with the same requirements, fitted by the same
 * sessions. Ten thousand names of one worker are one group, so a turn asks once who has room, and
 * finds the lines that come next, or that run low, without looking at the others.
 */
import type { JobFacts } from "../core/eligibility/facts.ts";
import { hasRoom } from "../core/eligibility/fits.ts";
import type { PeekLine } from "../db/statements/peek_ready.ts";
import type { ChoiceLine } from "./choice/choose.ts";
import { Heads } from "./heads.ts";
import type { ShapeFacts } from "./interner.ts";
import type { Session } from "./session.ts";
import { isEarlier, type Line, type Waiting } from "./window.ts";

/** A line with the sessions that fit it, which are its group's. */
export class FitLine implements ChoiceLine {
  readonly line: Line;
  readonly queue: number;
  readonly facts: JobFacts;
  readonly ramMb: number;
  readonly cpus: number;
  /** Undefined where the line is known no more. */
  group: LineGroup | undefined;
  /** Nobody fitted it when the last sweep came by. */
  isIdle = false;
  isListed = false;
  rank = 0;
  order = 0;

  constructor(line: Line, queue: number, facts: JobFacts) {
    const { ram_mb: ramMb = 0, cpus = 0 } = facts.requirements;
    this.line = line;
    this.queue = queue;
    this.facts = facts;
    this.ramMb = ramMb;
    this.cpus = cpus;
  }

  get sessions(): readonly Session[] {
    return this.group?.sessions ?? [];
  }

  get fitting(): readonly Session[] {
    return this.group?.fitting ?? [];
  }

  get traits(): string {
    return this.group?.traits ?? "";
  }

  /** What to read of it next. */
  peek(limit: number): PeekLine {
    const { shape, afterRank, afterId } = this.line;
    return { shape, org: this.facts.org, queue: this.queue, afterRank, afterId, limit };
  }

  take(job: Waiting): void {
    this.line.remove(job);
    this.changed();
  }

  /** Whoever changes the line says so. */
  changed(): void {
    this.group?.changed(this);
  }

  /** Of another group from now on, or of none. */
  move(group: LineGroup | undefined): void {
    this.group?.drop(this);
    this.group = group;
    group?.add(this);
  }
}

export class LineGroup {
  readonly queue: number;
  /** Queue, kind and requirements, as text: what a frozen context says of the job. */
  readonly traits: string;
  /** Changed by `LineGroups` only. */
  fitting: readonly Session[];
  /** Those of `fitting` that had room when it was last asked. */
  sessions: readonly Session[] = [];
  readonly heads = new Heads<FitLine>();
  /** Lines that may have more in the database than they hold, and should hold more. */
  readonly thirsty = new Set<FitLine>();
  /** Lines in all, also those that are empty at the moment. */
  count = 0;
  readonly #low: () => number;

  constructor(queue: number, traits: string, fitting: readonly Session[], low: () => number) {
    this.queue = queue;
    this.traits = traits;
    this.fitting = fitting;
    this.#low = low;
  }

  changed(fit: FitLine): void {
    const { line } = fit;
    this.heads.update(fit);
    if (line.rewind || isLow(line, this.#low()) || isDry(line)) this.thirsty.add(fit);
    else this.thirsty.delete(fit);
  }

  add(fit: FitLine): void {
    this.count += 1;
    this.changed(fit);
  }

  drop(fit: FitLine): void {
    this.count -= 1;
    this.heads.remove(fit);
    this.thirsty.delete(fit);
  }

  /** Asks who has room for such a job; all lines of a group reserve the same. */
  findRoom(facts: JobFacts): boolean {
    const isFree = (s: Session) => s.open && hasRoom(facts, s.facts, s.load);
    this.sessions = this.fitting.every(isFree) ? this.fitting : this.fitting.filter(isFree);
    return this.sessions.length > 0;
  }

  /** A line holds nothing that could be given, and what stands behind what was read of it is not known. */
  get isDeeper(): boolean {
    for (const { line } of this.thirsty) if (line.usable === 0 && !line.exhausted) return true;
    return false;
  }

  /** Any of its lines that has something to give, or may have. */
  get sample(): FitLine | undefined {
    return this.heads.first(1)[0] ?? this.thirsty.values().next().value;
  }
}

export class LineGroups {
  readonly #groups = new Map<string, LineGroup>();
  readonly #low: () => number;

  /** `low`: a line shorter than this is to be refilled. */
  constructor(low: () => number) {
    this.#low = low;
  }

  /** The group of lines of this shape that these sessions fit. */
  of(shape: ShapeFacts, fitting: readonly Session[]): LineGroup {
    const traits = `${shape.queue}/${shape.kind}/${JSON.stringify(shape.requirements)}`;
    return this.#of(shape.queue, traits, fitting);
  }

  #of(queue: number, traits: string, fitting: readonly Session[]): LineGroup {
    const key = keyOf(traits, fitting);
    let group = this.#groups.get(key);
    if (!group) {
      group = new LineGroup(queue, traits, fitting, this.#low);
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Other sessions fit these lines from now on; `fitting` makes them of those that did. */
  regroup(lines: Iterable<FitLine>, fitting: (of: readonly Session[]) => readonly Session[]): void {
    const moving = new Map<LineGroup, FitLine[]>();
    for (const line of lines) {
      if (!line.group) continue;
      const together = moving.get(line.group);
      if (together) together.push(line);
      else moving.set(line.group, [line]);
    }
    for (const [group, some] of moving) this.#move(group, some, fitting(group.fitting));
  }

  #move(group: LineGroup, lines: FitLine[], fitting: readonly Session[]): void {
    const { queue, traits } = group;
    const isWhole = lines.length === group.count;
    if (isWhole) this.#groups.delete(keyOf(traits, group.fitting));
    const key = keyOf(traits, fitting);
    if (isWhole && !this.#groups.has(key)) {
      // With ten thousand lines, to move each took longer than all else that a new worker asks for.
      group.fitting = fitting;
      group.sessions = [];
      this.#groups.set(key, group);
      return;
    }
    const target = this.#of(queue, traits, fitting);
    for (const line of lines) line.move(target);
  }

  /** Groups that could give a job now: of an open queue, and somebody who fits has room. */
  servable(open: (queue: number) => boolean): LineGroup[] {
    const out: LineGroup[] = [];
    for (const group of this.#groups.values()) {
      const sample = open(group.queue) ? group.sample : undefined;
      if (sample && group.findRoom(sample.facts)) out.push(group);
    }
    return out;
  }
}

function keyOf(traits: string, fitting: readonly Session[]): string {
  return `${traits}/${fitting.map((s) => s.id).join()}`;
}

/** The lines of these groups whose heads have waited longest, in their order. */
export function firstLines(groups: readonly LineGroup[], count: number): FitLine[] {
  const lists = groups.map((group) => group.heads.first(count));
  if (lists.length === 1) return lists[0]!;
  return lists
    .flat()
    .sort((a, b) => (isEarlier(a.line.at(0)!, b.line.at(0)!) ? -1 : 1))
    .slice(0, count);
}

/** Of the workers that have room for any of these. */
export function freeSlots(groups: readonly LineGroup[]): number {
  const sessions = new Set(groups.flatMap((group) => group.sessions));
  let free = 0;
  for (const { load } of sessions) free += load.slots - load.used;
  return free;
}

/** It runs low, and the database may have more. */
export function isLow(line: Line, low: number): boolean {
  return line.usable < low && !line.exhausted;
}

/** Our part is done, and those of other replicas were not asked. */
export function isDry(line: Line): boolean {
  return line.usable === 0 && line.exhausted && !line.whole;
}
