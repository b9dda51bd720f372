/**
 * All lines of the window and who could serve them: eligibility once per (shape, session), refills
 * in one read for many lines, sweeps from the head (engine rules 21 and 24).
 */
import { fits, hasRoom } from "../core/eligibility/fits.ts";
import { peekReady, readyShapes } from "../db/statements/peek_ready.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import type { ChoiceLine } from "./choose.ts";
import type { EngineContext } from "./context.ts";
import type { Histories } from "./histories.ts";
import type { Session } from "./session.ts";
import { Line, type Waiting, waitingOf } from "./window.ts";

/** A line with all sessions that fit it; `sessions` holds those with a free slot at the moment. */
interface FitLine extends ChoiceLine {
  fitting: Session[];
}

/** Lines one read refills. */
const REFILL_LINES = 512;
/** A line as long as this is not refilled. */
const LOW = 64;

export class Lines {
  readonly #context: EngineContext;
  readonly #histories: Histories;
  readonly #lines = new Map<number, FitLine>();
  /** Shapes with ready jobs that no session fits: known, not peeked. */
  readonly #unfit = new Set<number>();
  readonly #sessions = new Set<Session>();
  /** Shapes that were offered jobs since the last sweep began. */
  readonly #offered = new Set<number>();
  /** Jobs that a lease beat is writing, with their organizations: still ready for whoever reads. */
  readonly leasing = new Map<string, number>();
  /** Which ids are mine to peek, while several replicas live. */
  share = { replicas: 1, mine: 0 };

  constructor(context: EngineContext, histories: Histories) {
    this.#context = context;
    this.#histories = histories;
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  join(session: Session): void {
    this.#sessions.add(session);
    for (const line of this.#lines.values()) {
      if (!fits(line.facts, session.facts)) continue;
      line.fitting.push(session);
      // Jobs that everybody else had rejected were passed by.
      line.line.rewind = true;
    }
    // What nobody could run is asked again; it comes back as a line with the next refill.
    const again = [...this.#unfit];
    this.#unfit.clear();
    for (const shape of again) this.#ensure(shape);
  }

  leave(session: Session): void {
    this.#sessions.delete(session);
    for (const [shape, line] of this.#lines) {
      line.fitting = line.fitting.filter((s) => s !== session);
      if (line.fitting.length > 0) continue;
      this.#lines.delete(shape);
      this.#unfit.add(shape);
    }
  }

  /** Jobs that just became ready, from a commit of this replica. */
  async offer(rows: ReadyRow[]): Promise<void> {
    const ready = rows.filter((r) => r.state === "ready" && r.ready_rank !== null);
    if (ready.length === 0) return;
    await this.#know(ready);
    const max = this.#perLine();
    for (const row of ready) {
      this.#offered.add(row.shape_id);
      const line = this.#ensure(row.shape_id);
      const waiting = waitingOf(row);
      if (!line) continue;
      // The beat that leases it has not been told yet: it is looked for again.
      if (this.leasing.has(row.id)) line.line.rewind = true;
      else if (this.#isWanted(line, waiting)) line.line.offer(waiting, max);
    }
  }

  /** Its line is to be read from the head again, whichever object that is by now. */
  rewind(shape: number): void {
    const known = this.#lines.get(shape);
    if (known) known.line.rewind = true;
  }

  /** Shapes where another replica made jobs ready. */
  async touch(shapes: number[]): Promise<void> {
    const { names } = this.#context;
    await names.load({ shapes });
    // Whether somebody fits is asked by name: a handler that is called "?" would fit nobody.
    const facts = shapes.flatMap((shape) => names.shape(shape) ?? []);
    await names.load({
      orgs: facts.map((f) => f.org),
      queues: facts.map((f) => f.queue),
      names: facts.flatMap((f) => f.name ?? []),
    });
    for (const shape of shapes) {
      const line = this.#ensure(shape);
      if (line) line.line.rewind = true;
    }
  }

  /** Finds every shape with ready jobs and reads each line from its head again. */
  async sweep(): Promise<void> {
    const before = [...this.#lines.keys(), ...this.#unfit];
    this.#offered.clear();
    const shapes = await readyShapes(this.#context.database.beats);
    const present = new Set(shapes);
    for (const shape of before) {
      // What was offered while we asked may be too young for the answer.
      if (present.has(shape) || this.#offered.has(shape)) continue;
      this.#lines.delete(shape);
      this.#unfit.delete(shape);
    }
    await this.touch(shapes);
  }

  /** Lines that could give a job now: somebody who fits has a free slot. */
  servable(open: (queue: number) => boolean): FitLine[] {
    const out: FitLine[] = [];
    for (const line of this.#lines.values()) {
      const shape = this.#context.names.shape(line.line.shape)!;
      if (!open(shape.queue)) continue;
      const isFree = (s: Session) => s.open && hasRoom(line.facts, s.facts, s.load);
      // With thousands of lines, a new list for each that looks like the old one was most of this.
      line.sessions = line.fitting.every(isFree) ? line.fitting : line.fitting.filter(isFree);
      if (line.sessions.length > 0) out.push(line);
    }
    return out;
  }

  /** Reads more for lines that run low. Returns whether any line got rows. */
  async refill(lines: FitLine[]): Promise<boolean> {
    const low = Math.min(LOW, Math.ceil(this.#perLine() / 4));
    const thin = lines.filter((l) => l.line.rewind || (l.line.size < low && !l.line.exhausted));
    let any = false;
    for (let at = 0; at < thin.length; at += REFILL_LINES) {
      const some = thin.slice(at, at + REFILL_LINES);
      any = (await this.#read(some, this.share)) || any;
    }
    // Where our part is done, the parts of the other replicas are read too.
    const dry = lines
      .filter(({ line }) => line.size === 0 && line.exhausted && !line.whole)
      .slice(0, REFILL_LINES);
    if (dry.length > 0) {
      for (const { line } of dry) line.restart();
      any = (await this.#read(dry, { replicas: 1, mine: 0 })) || any;
    }
    return any;
  }

  async #read(lines: FitLine[], share: { replicas: number; mine: number }): Promise<boolean> {
    const limit = this.#perLine();
    // Leased while we read, a job may still look ready to us.
    const leasing = new Set(this.leasing.keys());
    for (const { line } of lines) {
      if (line.rewind) line.clear();
      line.missed = false;
    }
    const rows = await peekReady(
      this.#context.database.beats,
      lines.map(({ line }) => ({
        shape: line.shape,
        afterRank: line.afterRank,
        afterId: line.afterId,
        limit,
      })),
      share,
    );
    await this.#know(rows);
    const byShape = new Map<number, ReadyRow[]>();
    for (const row of rows) {
      const list = byShape.get(row.shape_id);
      if (list) list.push(row);
      else byShape.set(row.shape_id, [row]);
    }
    for (const fit of lines) {
      const { line } = fit;
      const found = byShape.get(line.shape) ?? [];
      line.append(found.map(waitingOf), (row) => !leasing.has(row.id) && this.#isWanted(fit, row));
      line.exhausted = found.length < limit && !line.missed;
      line.whole = line.exhausted && share.replicas === 1;
    }
    return rows.length > 0;
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
    const { ram_mb: ramMb = 0, cpus = 0 } = facts.requirements;
    const line = { line: new Line(shape), facts: job, ramMb, cpus, sessions: [], fitting };
    this.#lines.set(shape, line);
    return line;
  }

  /** Whether it is not being leased, and some session that fits has not rejected it. */
  #isWanted(line: FitLine, { id, rejectedBy }: Waiting): boolean {
    if (this.leasing.has(id)) return false;
    return rejectedBy.length === 0 || line.fitting.some((s) => !rejectedBy.includes(s.workerId));
  }
}
