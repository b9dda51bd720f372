/**
 * The dispatcher: whenever a slot is free and a job waits, it takes the best pairs, leases them in
 * one beat, and sends each worker one frame after the commit. One turn at a time owns the window and
 * the free slots, so nothing here needs a lock.
 */
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { DEFAULT_BACKOFF } from "../core/backoff.ts";
import type { ScoringInstance } from "../core/scoring/context.ts";
import { readInputs } from "../db/statements/inputs.ts";
import type { JobDetails } from "../db/statements/job_details.ts";
import { ASSIGN_MAX_BYTES, type Assignment } from "../messages/frames.ts";
import { type Choice, choose, linesFor } from "./choice/choose.ts";
import type { EngineContext } from "./context.ts";
import { Contexts } from "./contexts.ts";
import type { Histories } from "./histories.ts";
import { InstanceView } from "./instance_view.ts";
import { createJobActor, type Lease } from "./lease.ts";
import { type Granted, LeaseBeat, type Picked } from "./lease_beat.ts";
import { firstLines, freeSlots } from "./line_groups.ts";
import type { Lines } from "./lines.ts";
import type { Windows } from "./rollups/windows.ts";
import { Loop, type Service } from "./service.ts";
import type { Session } from "./session.ts";
import { sizeOf } from "./submit/recent_details.ts";
import type { Switches } from "./switches.ts";

/** Ends that wait to be written, in beats: more leases would only wait behind them. */
const BACKLOG_BEATS = 3;
/** Beats on their way: the next one is chosen while the database writes this one. */
const FLIGHTS_MAX = 2;
/** How long a queue that has reached its limit is left alone, unless one of its jobs ends. */
const LIMITED_MS = 100;
/** Ids that a lease did not return are looked for again after this long (engine rule 23). */
const RECHECK_MS = 100;

type Adopted = Granted & { lease: Lease };

export interface DispatcherHost {
  /** A lease whose worker never got it: its job is ready again. */
  giveBack(session: Session, lease: Lease): void;
  /** A lease was refused to these sessions: another server may have ended them. */
  doubt(sessions: Session[]): void;
  /** Reports that no transaction has written yet. */
  backlog(): number;
  /** An attempt that can never be sent: its inputs are larger than a frame. */
  unsendable(session: Session, lease: Lease, why: string): void;
}

export class Dispatcher implements Service {
  readonly name = "dispatcher";
  readonly #context: EngineContext;
  readonly #lines: Lines;
  readonly #switches: Switches;
  readonly #histories: Histories;
  readonly #contexts = new Contexts();
  readonly #view: InstanceView;
  readonly #beat: LeaseBeat;
  readonly #loop: Loop;
  readonly #host: DispatcherHost;
  /** Queues at their limit, until when (monotonic ms). */
  readonly #full = new Map<number, number>();
  #recheck: ReturnType<typeof setTimeout> | undefined;
  readonly #flights = new Set<Promise<void>>();

  constructor(
    context: EngineContext,
    parts: {
      lines: Lines;
      switches: Switches;
      histories: Histories;
      windows: Windows;
      host: DispatcherHost;
    },
  ) {
    this.#context = context;
    this.#lines = parts.lines;
    this.#switches = parts.switches;
    this.#histories = parts.histories;
    this.#host = parts.host;
    this.#beat = new LeaseBeat(context, this.#contexts);
    this.#view = new InstanceView(context, parts);
    this.#loop = new Loop({
      name: this.name,
      everyMs: 1_000,
      run: () => this.#turn(),
      onError: (error) => context.log.error({ error: String(error) }, "dispatch turn failed"),
    });
  }

  get view(): InstanceView {
    return this.#view;
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#recheck);
    this.#beat.stop();
    await this.#loop.stop();
    await Promise.all(this.#flights);
  }

  poke(): void {
    this.#loop.poke();
  }

  /** Limits may be others. */
  changed(): void {
    this.#full.clear();
    this.#lines.keys.forget();
    this.poke();
  }

  /** A job of this queue ended: a limit that was reached may have room. */
  queueFreed(queues: Iterable<number>): void {
    for (const queue of queues) this.#full.delete(queue);
  }

  /** Returns true where there is more to do at once. */
  async #turn(): Promise<boolean> {
    // The landing of a beat pokes this loop too.
    if (this.#switches.instance.draining || this.#flights.size >= FLIGHTS_MAX) return false;
    // The ends' next commit pokes this loop. Without a bound a fast worker holds thousands of ends.
    if (this.#host.backlog() > BACKLOG_BEATS * this.#context.options.beatItems) return false;
    const now = performance.now();
    const open = (queue: number) =>
      !this.#switches.closed(queue) && (this.#full.get(queue) ?? 0) <= now;
    const groups = this.#lines.servable(open);
    if (groups.length === 0) return false;
    this.#lines.holdBack();
    await this.#lines.refill(groups);
    const instance = this.#view.read();
    const max = Math.min(this.#context.options.beatItems, freeSlots(groups));
    const choices = choose({
      lines: firstLines(groups, linesFor(max)),
      max,
      instance,
      usedByOrg: instance.usedByOrg as Map<number, number>,
      keys: this.#lines.keys.turn(),
      history: (name) => this.#histories.of(name),
      now: this.#context.clock.now(),
    });
    // A line may have been read past jobs that nobody here would take: those behind come next.
    if (choices.length === 0) {
      this.#lines.holdBack();
      return groups.some((group) => group.isDeeper);
    }
    this.#fly(choices, instance);
    return true;
  }

  #fly(choices: Choice[], instance: ScoringInstance): void {
    const flight = this.#lease(choices, instance)
      .catch((error) => {
        this.#context.log.error({ error: String(error) }, "lease beat failed");
        return false;
      })
      .then((any) => {
        this.#flights.delete(flight);
        // What was refused is not asked for again at once.
        if (any) this.poke();
      });
    this.#flights.add(flight);
  }

  /** Whether anything was leased. */
  async #lease(choices: Choice[], instance: ScoringInstance): Promise<boolean> {
    const body = this.#view.instanceContext(instance);
    const instanceContext = this.#contexts.id("instance", body);
    const picks = choices.map((choice) => this.#freeze(choice, instanceContext));
    const limited = [...new Set(choices.map((c) => c.job.queue))].filter((q) =>
      this.#switches.limited(q),
    );
    const { leasing } = this.#lines;
    for (const { job } of choices) leasing.set(job.id, job.org);
    let granted: Granted[] = [];
    try {
      granted = await this.#beat.grant(picks, limited);
    } finally {
      // At once: what comes back from here on is to be seen again.
      this.#lines.settled(choices.map(({ job }) => job.id));
      this.#undo(picks, granted, limited);
    }
    if (granted.length === 0) return false;
    // Adopted before anything else can fail: a lease that nobody holds would stand for ever.
    const adopted = granted.map((one): Adopted => {
      return { ...one, lease: this.#adopt(one) };
    });
    this.#context.bus.tell("events.committed", {});
    try {
      this.#send(adopted, await this.#inputs(granted));
    } catch (error) {
      this.#context.log.warn({ error: String(error) }, "leases were given back unsent");
      for (const { picked, lease } of adopted) this.#host.giveBack(picked.choice.session, lease);
    }
    return true;
  }

  #freeze(choice: Choice, instanceContext: string): Picked {
    const { job, session } = choice;
    return {
      choice,
      job: job.id,
      queue: job.queue,
      session: session.id,
      worker: session.workerId,
      token: randomUUID(),
      slot: session.slots.take(),
      score: choice.score,
      terms: choice.terms,
      candidates: choice.candidates,
      candidateScores: choice.candidateScores,
      considered: choice.considered,
      workerContext: this.#contexts.id("worker", this.#view.workerContext(session)),
      jobContext: this.#contexts.id("job", this.#view.jobContext(choice)),
      instanceContext,
    };
  }

  /** What was not granted gives its slot back; its line is read again from the head, soon. */
  #undo(picks: Picked[], granted: Granted[], limited: number[]): void {
    const got = new Set(granted.map((g) => g.picked));
    const refused = new Set<Session>();
    for (const picked of picks) {
      if (got.has(picked)) continue;
      const { session, line, job } = picked.choice;
      session.unreserve({ ramMb: line.ramMb, cpus: line.cpus, slot: picked.slot });
      if (picked.isKeyFull && job.key !== null) {
        this.#lines.keys.refused(job.queue, job.key);
        this.#lines.putBack(job);
        // At once: the slot is for another key.
        queueMicrotask(() => this.poke());
        continue;
      }
      refused.add(session);
      this.#lines.rewind(job.shape);
      if (limited.includes(job.queue)) this.#full.set(job.queue, performance.now() + LIMITED_MS);
    }
    if (refused.size === 0) return;
    this.#host.doubt([...refused]);
    clearTimeout(this.#recheck);
    this.#recheck = setTimeout(() => this.poke(), RECHECK_MS);
  }

  async #inputs(granted: Granted[]): Promise<Map<string, Record<string, unknown>>> {
    const ids = granted.filter((g) => g.row.has_inputs).map((g) => g.picked.choice.job.id);
    const rows = await readInputs(this.#context.database.beats, ids);
    const inputs = new Map<string, Record<string, unknown>>();
    for (const row of rows) {
      const own = inputs.get(row.dependent_id) ?? Object.create(null);
      own[row.key ?? row.dependency_id] = row.result ?? null;
      inputs.set(row.dependent_id, own);
    }
    return inputs;
  }

  #send(granted: Adopted[], inputs: Map<string, Record<string, unknown>>): void {
    const frames = new Map<Session, { jobs: Assignment[]; bytes: number }>();
    for (const one of granted) {
      const { lease, job: details } = one;
      const { session } = one.picked.choice;
      if (!session.open || !details) {
        this.#host.giveBack(session, lease);
        continue;
      }
      const job = assignment(this.#context, one, details, inputs.get(lease.id));
      const bytes = bytesOf(job);
      if (bytes > ASSIGN_MAX_BYTES) {
        this.#host.unsendable(session, lease, "The results of its dependencies exceed 512 KiB.");
        continue;
      }
      const frame = frames.get(session) ?? { jobs: [], bytes: 0 };
      if (frame.bytes + bytes > ASSIGN_MAX_BYTES) {
        session.send({ type: "assign", jobs: frame.jobs.splice(0) });
        frame.bytes = 0;
      }
      frame.jobs.push(job);
      frame.bytes += bytes;
      frames.set(session, frame);
    }
    for (const [session, { jobs }] of frames) {
      if (jobs.length > 0) session.send({ type: "assign", jobs });
    }
  }

  #adopt({ picked, row, beat, job: details }: Granted): Lease {
    const { session, line, job } = picked.choice;
    const lease: Lease = {
      id: job.id,
      session: session.id,
      worker: session.workerId,
      token: picked.token,
      attempt: row.attempt,
      org: job.org,
      queue: job.queue,
      name: job.name,
      key: job.key,
      shape: job.shape,
      failures: row.failures,
      max_attempts: row.max_attempts,
      lost: row.lost,
      rejections: row.rejections,
      cancelRequested: false,
      requeueRequested: false,
      cancelActor: null,
      cancelReason: null,
      slot: picked.slot,
      beat,
      startedAt: null,
      timeoutSeconds: details?.timeout_seconds ?? null,
      backoff: backoffOf(details),
      ramMb: line.ramMb,
      cpus: line.cpus,
      progress: null,
      progressNote: null,
      items: null,
      submitting: null,
      actor: createJobActor("dispatched"),
      plain: !row.has_dependents,
      ending: false,
    };
    session.adopt(lease);
    return lease;
  }
}

function assignment(
  context: EngineContext,
  { picked, row }: Granted,
  details: JobDetails,
  inputs: Record<string, unknown> | undefined,
): Assignment {
  const { line, job } = picked.choice;
  const out: Assignment = {
    job: job.id,
    attempt: row.attempt,
    token: picked.token,
    name: context.names.jobName(job.name),
    org: context.names.orgName(job.org),
    queue: context.names.queueName(job.queue),
    kind: line.facts.kind,
    max_attempts: row.max_attempts,
  };
  if (details.payload !== null) out.payload = details.payload;
  if (inputs) out.inputs = inputs;
  if (details.timeout_seconds !== null) out.timeout_seconds = details.timeout_seconds;
  if (line.ramMb) out.ram_mb = line.ramMb;
  if (line.cpus) out.cpus = line.cpus;
  return out;
}

/** Payloads up to here are not measured exactly: to write each a second time was 2 % of the server. */
const ROUGH_MAX = 2_000;
/** A character takes at most so many bytes in JSON: a control character is escaped. */
const BYTES_A_CHARACTER = 6;
/** The other fields of an assignment are shorter than this. */
const FIELDS_BYTES = 800;

/** At most so many bytes in a frame. */
function bytesOf(job: Assignment): number {
  const rough = job.inputs ? Number.POSITIVE_INFINITY : sizeOf(job.payload, ROUGH_MAX);
  if (rough > ROUGH_MAX) return Buffer.byteLength(JSON.stringify(job));
  return FIELDS_BYTES + rough * BYTES_A_CHARACTER;
}

function backoffOf(details: JobDetails | null): Lease["backoff"] {
  if (!details?.backoff) return DEFAULT_BACKOFF;
  const [base_seconds, factor, max_seconds] = details.backoff;
  return { base_seconds, factor, max_seconds };
}
