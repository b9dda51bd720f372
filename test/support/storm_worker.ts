/** A worker of a storm: what it does with its jobs, its socket and its process is up to dice. */
import type { Engine } from "../../src/engine/engine.ts";
import { type FinishedReport, PASSING_REJECTIONS } from "../../src/messages/frames.ts";
import type { WorkflowJobInput } from "../../src/messages/job_input.ts";
import type { Dice } from "./dice.ts";
import { type HeldJob, InlineWorker, type InlineWorkerOptions } from "./inline_worker.ts";

/** What a worker needs of the storm around it. */
export interface StormGround {
  /** One of the engines that run. */
  anyEngine(): Engine;
  reported(report: FinishedReport): void;
  hasReported(token: string): boolean;
  /** Jobs that a running job added. */
  added(ids: string[]): void;
  /** It cannot or will not go on: another one comes in its place. */
  left(worker: StormWorker): void;
}

/** What becomes of an attempt, and how often. */
const FATES = {
  instant: 20,
  worked: 25,
  silent: 4,
  failed: 10,
  timedOut: 4,
  hopeless: 1,
  unasked: 2,
  released: 3,
  givenBack: 2,
  rejected: 5,
  twice: 5,
  extends: 8,
  hangs: 3,
  sits: 2,
};
type Fate = keyof typeof FATES;

/** What happens to a worker's process and socket, a turn. */
const BLOWS = { none: 340, drops: 4, freezes: 2, crashes: 1, confused: 3, drains: 0.3 };

export class StormWorker extends InlineWorker {
  readonly #ground: StormGround;
  readonly #dice: Dice;
  #due: { turn: number; act: () => void }[] = [];
  #turn = 0;
  #thawsAt = 0;
  #backAt = 0;
  #connecting = false;
  #leaving = false;
  #calm = false;
  readonly #rejected = new Set<string>();

  constructor(ground: StormGround, dice: Dice, options: InlineWorkerOptions) {
    super(ground.anyEngine(), options);
    this.#ground = ground;
    this.#dice = dice;
    this.run = (job) => this.#fate(job);
  }

  /** From now on it does all that it is given, and does it well. */
  calmDown(): void {
    this.#calm = true;
    this.#due = [];
    this.#backAt = 0;
    this.frozen = false;
  }

  override finish(report: FinishedReport): void {
    this.#ground.reported(report);
    super.finish(report);
  }

  turn(): void {
    this.#turn += 1;
    if (this.frozen) {
      if (this.#turn < this.#thawsAt) return;
      this.frozen = false;
    }
    if (!this.connected) this.#comeBack();
    if (this.#calm) this.#finishAll();
    else this.#carryOn();
  }

  #carryOn(): void {
    const due = this.#due.filter((d) => d.turn <= this.#turn);
    this.#due = this.#due.filter((d) => d.turn > this.#turn);
    for (const { act } of due) act();
    this.#blow();
    if ((this.#leaving || this.askedToDrain) && this.running.size + this.unrecorded.size === 0) {
      this.drop();
      this.#ground.left(this);
    }
  }

  #finishAll(): void {
    for (const held of [...this.running.values()]) {
      if (held.cancelReason !== undefined) held.cancelled();
      else (held.begun ? held : held.start()).succeed({ attempt: held.lease.attempt });
    }
  }

  #comeBack(): void {
    if (this.#connecting || this.#turn < this.#backAt) return;
    this.#connecting = true;
    // What fails here is an engine that stops or has lost its database: the next turn tries another.
    this.connect({ engine: this.#ground.anyEngine() })
      .catch(() => {})
      .finally(() => {
        this.#connecting = false;
      });
  }

  #blow(): void {
    if (!this.connected) return;
    switch (this.#dice.weighted(BLOWS)) {
      case "drops":
        this.#backAt = this.#turn + this.#pause();
        this.drop();
        break;
      case "freezes":
        this.#thawsAt = this.#turn + this.#pause();
        this.frozen = true;
        break;
      case "crashes":
        this.#backAt = this.#turn + this.#pause();
        this.crash();
        break;
      case "confused":
        this.#reportWhatIsLost();
        break;
      case "drains":
        this.#leaving = true;
        this.drain();
    }
  }

  /** Mostly a blink, at times longer than any lease. */
  #pause(): number {
    return this.#dice.chance(0.8) ? this.#dice.between(0, 30) : this.#dice.between(150, 350);
  }

  /** Ends of attempts that it held once and has no business with any more. */
  #reportWhatIsLost(): void {
    const lost = this.assigned.filter(
      ({ lease: { token } }) =>
        !this.running.has(token) && !this.#rejected.has(token) && !this.#ground.hasReported(token),
    );
    for (const held of lost.slice(-3)) held.succeed({ late: true });
    const [again] = this.unrecorded.values();
    if (again) this.finish(again);
  }

  // Jobs

  /** Some turns from now, where the attempt is still held then. */
  #later(held: HeldJob, act: () => void, turns = this.#dice.between(1, 25)): void {
    const held_ = () => this.running.get(held.lease.token) === held;
    this.#due.push({ turn: this.#turn + turns, act: () => held_() && act() });
  }

  #fate(held: HeldJob): void {
    held.onCancel = () => this.#later(held, () => this.#cancel(held));
    if (this.#calm) return;
    const fate = this.#dice.weighted(FATES);
    if (!["rejected", "givenBack", "sits", "silent"].includes(fate)) held.start();
    if (fate === "hangs" || fate === "sits") return;
    if (fate === "rejected" || fate === "givenBack" || fate === "instant") {
      this.#end(held, fate);
      return;
    }
    if (fate === "extends") this.#extend(held);
    if (this.#dice.chance(0.3)) {
      this.#later(held, () => held.progress(this.#dice.next(), "under way"), 2);
    }
    this.#later(held, () => this.#end(held, fate));
  }

  #end(held: HeldJob, fate: Fate): void {
    switch (fate) {
      case "failed":
        held.fail();
        break;
      case "hopeless":
        held.fail("unreadable", { reason: "invalid_payload" });
        break;
      case "timedOut":
        held.end({ outcome: "timed_out", run_ms: 5 });
        break;
      case "unasked":
        held.cancelled();
        break;
      case "released":
      case "givenBack":
        held.release();
        break;
      case "rejected":
        this.#reject(held);
        break;
      default:
        held.succeed({ attempt: held.lease.attempt });
    }
    const report = this.unrecorded.get(held.lease.token);
    if (fate === "twice" && report) this.say({ type: "finished", jobs: [report, report] });
  }

  #reject(held: HeldJob): void {
    this.#rejected.add(held.lease.token);
    held.reject(this.#dice.pick(["not today", "not mine", PASSING_REJECTIONS.noSlot]));
  }

  #cancel(held: HeldJob): void {
    held.acknowledgeCancel();
    const how = this.#dice.weighted({ cancelled: 6, failed: 1, succeeded: 1, never: 1 });
    if (how === "cancelled") held.cancelled();
    if (how === "failed") this.#later(held, () => held.fail("killed", { signal: "SIGTERM" }));
    if (how === "succeeded") this.#later(held, () => held.succeed({ too: "late" }));
  }

  /** Adds jobs, and says it again as after a reconnect, at times. */
  #extend(held: HeldJob): void {
    const batches = this.#dice.between(1, 2);
    for (let batch = 0; batch < batches; batch++) {
      // The keys are the job's, not the attempt's: the next attempt finds what this one added.
      const jobs = this.#someJobs(`${held.id.slice(-8)}-${batch}`);
      const say = () =>
        void held.submit(`batch ${batch}`, jobs).then((answer) => {
          if (answer.ids) this.#ground.added(Object.values(answer.ids));
        });
      const repeats = this.#dice.weighted({ 1: 3, 2: 2, 3: 1 });
      for (let n = 0; n < Number(repeats); n++) this.#later(held, say, this.#dice.between(1, 10));
    }
  }

  #someJobs(prefix: string): WorkflowJobInput[] {
    return Array.from({ length: this.#dice.between(1, 4) }, (_, at) => ({
      key: `${prefix}-${at}`,
      name: "work",
      kind: "handler" as const,
      queue: this.#dice.pick(["default", "busy", "narrow"]),
      ...(at > 0 && this.#dice.chance(0.6) ? { depends_on: [`${prefix}-${at - 1}`] } : {}),
    }));
  }
}
