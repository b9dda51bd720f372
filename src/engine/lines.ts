/**
 * All lines of the window and who could serve them: eligibility once per (shape, session), refills
 * in one read for many lines, sweeps from the head (engine rules 21 and 24).
 */
import { fits } from "../core/eligibility/fits.ts";
import { readKeys } from "../db/statements/operating/limit_keys.ts";
import { peekReady, readyShapes } from "../db/statements/peek_ready.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import type { EngineContext } from "./context.ts";
import type { Histories } from "./histories.ts";
import { KeyLimits } from "./leases/key_limits.ts";
import { FitLine, isDry, isLow, type LineGroup, LineGroups } from "./line_groups.ts";
import type { Session } from "./session.ts";
import { Line, type Waiting, waitingOf } from "./window.ts";

/** Lines one read refills. */
const REFILL_LINES = 512;
/** A line as long as this is not refilled. */
const LOW = 64;
/** Lines that a sweep reads from their heads, whatever stands there. */
const SWEEP_LINES = 512;
/** Of a key that is full, so many stay in a line: they start as soon as it has room. */
const KEPT_OF_KEY = 64;

export class Lines {
  readonly #context: EngineContext;
  readonly #histories: Histories;
  readonly #lines = new Map<number, FitLine>();
  /** Shapes with ready jobs that no session fits: known, not peeked. */
  readonly #unfit = new Set<number>();
  readonly #groups = new LineGroups(() => this.#low());
  readonly #sessions = new Set<Session>();
  /** Shapes that were offered jobs since the last sweep began. */
  readonly #offered = new Set<number>();
  /** Jobs that a lease beat is writing, with their organizations: still ready for whoever reads. */
  readonly leasing = new Map<string, number>();
  /** While a sweep asks: what was leased since then, which its answer may still show. */
  #settled: Set<string> | undefined;
  #sweeps = 0;
  #sweeping: Promise<void> = Promise.resolve();
  /** Which ids are mine to peek, while several replicas live. */
  share = { replicas: 1, mine: 0 };
  /** Which keys of queues that are limited by them are full. */
  readonly keys: KeyLimits;
  /** Ids of a queue below which nothing may be leased, while it is being stopped. */
  stopBelow: (queue: number) => string | null = () => null;

  constructor(context: EngineContext, histories: Histories, keys = new KeyLimits(() => null)) {
    this.#context = context;
    this.#histories = histories;
    this.keys = keys;
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  join(session: Session): void {
    this.#sessions.add(session);
    const fitted = [...this.#lines.values()].filter((line) => fits(line.facts, session.facts));
    // Jobs that everybody else had rejected were passed by.
    for (const { line } of fitted) line.rewind ||= line.passed;
    this.#groups.regroup(fitted, (others) => [...others, session]);
    // What nobody could run is asked again; it comes back as a line with the next refill.
    const again = [...this.#unfit];
    this.#unfit.clear();
    for (const shape of again) this.#ensure(shape);
  }

  /** Lines that nobody fits any more stay for a while: mostly the same worker comes back. */
  leave(session: Session): void {
    this.#sessions.delete(session);
    const left = [...this.#lines.values()].filter((line) => line.fitting.includes(session));
    this.#groups.regroup(left, (all) => all.filter((s) => s !== session));
  }

  /** The beat that leased these was told, or has given them up. */
  settled(jobs: Iterable<string>): void {
    for (const id of jobs) {
      this.leasing.delete(id);
      this.#settled?.add(id);
    }
  }

  /** Jobs that just became ready, from a commit of this replica. */
  async offer(rows: ReadyRow[]): Promise<void> {
    const ready = rows.filter((r) => r.state === "ready" && r.ready_rank !== null);
    if (ready.length === 0) return;
    await Promise.all([this.#know(ready), this.#setKeys(ready)]);
    const max = this.#perLine();
    for (const row of ready) {
      this.#offered.add(row.shape_id);
      const line = this.#ensure(row.shape_id);
      const waiting = waitingOf(row);
      if (!line) continue;
      // The beat that leases it has not been told yet: it is looked for again.
      if (this.leasing.has(row.id)) line.line.rewind = true;
      else if (this.#isWanted(line, waiting)) line.line.offer(waiting, max);
      else line.line.passed = true;
      line.changed();
    }
  }

  /** It was chosen in vain and still waits: its line stays where it was read to. */
  putBack(job: Waiting): void {
    const known = this.#lines.get(job.shape);
    known?.line.offer(job, this.#perLine());
    known?.changed();
  }

  /** Its line is to be read from the head again, whichever object that is by now. */
  rewind(shape: number): void {
    const known = this.#lines.get(shape);
    if (known) rewind(known);
  }

  /** What may be leased of these queues is another part of their lines than before. */
  reread(queues: ReadonlySet<number>): void {
    for (const fit of this.#lines.values()) if (queues.has(fit.queue)) rewind(fit);
  }

  /** Shapes where another replica made jobs ready. */
  async touch(shapes: number[]): Promise<void> {
    await this.#learn(shapes);
    for (const shape of shapes) {
      const line = this.#ensure(shape);
      if (line) rewind(line);
    }
  }

  async #learn(shapes: number[]): Promise<void> {
    const { names } = this.#context;
    await names.load({ shapes });
    // Whether somebody fits is asked by name: a handler that is called "?" would fit nobody.
    const facts = shapes.flatMap((shape) => names.shape(shape) ?? []);
    await names.load({
      orgs: facts.map((f) => f.org),
      queues: facts.map((f) => f.queue),
      names: facts.flatMap((f) => f.name ?? []),
    });
  }

  /**
   * Finds every shape with ready jobs, and what stands before the keys that its line was read to. Few
   * lines are all read from their heads again. Of many, which would take a second, those are whose
   * first job we do not hold, and the others in turns: what came into their midst comes forward.
   */
  sweep(): Promise<void> {
    // One after the other: each counts what came in while it asked.
    this.#sweeping = this.#sweeping.catch(() => {}).then(() => this.#sweep());
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const before = [...this.#lines.keys(), ...this.#unfit];
    this.#offered.clear();
    this.#sweeps += 1;
    const settled = new Set<string>();
    this.#settled = settled;
    const heads = await readyShapes(this.#context.database.beats);
    this.#settled = undefined;
    for (const shape of before) {
      // What was offered while we asked may be too young for the answer.
      const isPresent = heads.has(shape) || this.#offered.has(shape);
      const fitsNobody = this.#fitsNobody(shape);
      if (!isPresent || fitsNobody) this.#forget(shape);
      if (isPresent && fitsNobody) this.#unfit.add(shape);
    }
    const unknown = [...heads.keys()].filter((s) => !this.#lines.has(s) && !this.#unfit.has(s));
    await this.#learn(unknown);
    const turns = Math.ceil(heads.size / SWEEP_LINES);
    for (const [shape, head] of heads) {
      const fit = this.#ensure(shape);
      if (!fit) continue;
      const isKnown = fit.line.has(head) || this.leasing.has(head) || settled.has(head);
      if (!isKnown || (shape + this.#sweeps) % turns === 0) fit.line.rewind = true;
      else fit.line.reopen();
      fit.changed();
    }
  }

  /** Whether nobody has fitted this line since the sweep before. */
  #fitsNobody(shape: number): boolean {
    const fit = this.#lines.get(shape);
    if (!fit) return false;
    const was = fit.isIdle;
    fit.isIdle = fit.fitting.length === 0;
    return was && fit.isIdle;
  }

  #forget(shape: number): void {
    this.#lines.get(shape)?.move(undefined);
    this.#lines.delete(shape);
    this.#unfit.delete(shape);
  }

  /** Lines that could give a job now: somebody who fits has a free slot. */
  servable(open: (queue: number) => boolean): LineGroup[] {
    return this.#groups.servable(open);
  }

  /** Reads more for lines that run low. */
  async refill(groups: LineGroup[]): Promise<void> {
    const low = this.#low();
    const thirsty = groups.flatMap((group) => [...group.thirsty]);
    const thin = thirsty.filter(({ line }) => line.rewind || isLow(line, low));
    for (let at = 0; at < thin.length; at += REFILL_LINES) {
      await this.#read(thin.slice(at, at + REFILL_LINES), this.share);
    }
    // Where our part is done, the parts of the other replicas are read too.
    const dry = thirsty.filter(({ line }) => isDry(line)).slice(0, REFILL_LINES);
    if (dry.length === 0) return;
    for (const { line } of dry) line.restart();
    await this.#read(dry, { replicas: 1, mine: 0 });
  }

  async #read(lines: FitLine[], share: { replicas: number; mine: number }): Promise<void> {
    const limit = this.#perLine();
    // Leased while we read, a job may still look ready to us.
    const leasing = new Set(this.leasing.keys());
    for (const { line } of lines) {
      if (line.rewind) line.clear();
      line.missed = false;
    }
    const rows = await peekReady(
      this.#context.database.beats,
      lines.map((fit) => ({ ...fit.peek(limit), stopBelow: this.stopBelow(fit.queue) })),
      share,
    );
    const all = [...rows.values()].flat();
    await Promise.all([this.#know(all), this.#setKeys(all)]);
    for (const fit of lines) {
      const { line } = fit;
      const found = rows.get(line.shape) ?? [];
      line.append(found.map(waitingOf), (row) => !leasing.has(row.id) && this.#isWanted(fit, row));
      line.exhausted = found.length < limit && !line.missed;
      line.whole = line.exhausted && share.replicas === 1;
      fit.changed();
    }
  }

  /** Of queues that are limited by a tag: its values. */
  async #setKeys(rows: ReadyRow[]): Promise<void> {
    const limited = rows.filter((row) => this.keys.limitOf(row.queue_id) !== null);
    for (const [queue, own] of Map.groupBy(limited, (row) => row.queue_id)) {
      const ids = own.map((row) => row.id);
      const { tag } = this.keys.limitOf(queue)!;
      const keys = await readKeys(this.#context.database.beats, ids, tag);
      for (const row of own) row.key = keys.get(row.id) ?? null;
    }
  }

  /** Lines of queues that are limited by keys: what may not be taken is passed by where it hides more. */
  holdBack(): void {
    const due = this.keys.look();
    const low = this.#low();
    for (const fit of this.#lines.values()) {
      if (this.keys.limitOf(fit.queue) === null) continue;
      if (due.has(fit.queue) && fit.line.passed) fit.line.rewind = true;
      fit.line.holdBack((row) => this.keys.isFull(row), low, KEPT_OF_KEY);
      fit.changed();
    }
  }

  async #know(rows: ReadyRow[]): Promise<void> {
    await Promise.all([
      this.#context.names.load({
        shapes: rows.map((r) => r.shape_id),
        orgs: rows.map((r) => r.org_id),
        names: rows.map((r) => r.name_id),
        queues: rows.map((r) => r.queue_id),
      }),
      this.#histories.load(rows.map((r) => r.name_id)),
    ]);
  }

  /** 256 a shape; more where there are few shapes, less where there are very many. */
  #perLine(): number {
    const { windowPerShape, windowTotal } = this.#context.options;
    const fair = Math.floor(windowTotal / Math.max(1, this.#lines.size));
    return Math.max(8, Math.min(fair, windowPerShape * 4));
  }

  #low(): number {
    return Math.min(LOW, Math.ceil(this.#perLine() / 4));
  }

  /** The line of a shape, or undefined where nobody connected fits it. */
  #ensure(shape: number): FitLine | undefined {
    const known = this.#lines.get(shape);
    if (known) return known;
    if (this.#unfit.has(shape)) return undefined;
    const facts = this.#context.names.shape(shape);
    if (!facts) return undefined;
    const job = {
      org: facts.org,
      orgName: this.#context.names.orgName(facts.org),
      kind: facts.kind,
      handler: facts.name === null ? null : this.#context.names.jobName(facts.name),
      requirements: facts.requirements,
    };
    const fitting = [...this.#sessions].filter((s) => fits(job, s.facts));
    if (fitting.length === 0) {
      this.#unfit.add(shape);
      return undefined;
    }
    const line = new FitLine(new Line(shape), facts.queue, job);
    this.#lines.set(shape, line);
    line.move(this.#groups.of(facts, fitting));
    return line;
  }

  /** Whether it is not being leased, and some session that fits has not rejected it. */
  #isWanted(line: FitLine, { id, rejectedBy }: Waiting): boolean {
    if (this.leasing.has(id)) return false;
    const stop = this.stopBelow(line.queue);
    if (stop !== null && id < stop) return false;
    return rejectedBy.length === 0 || line.fitting.some((s) => !rejectedBy.includes(s.workerId));
  }
}

function rewind(fit: FitLine): void {
  fit.line.rewind = true;
  fit.changed();
}
