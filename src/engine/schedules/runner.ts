/**
 * The schedule runner: sleeps until the next due time, and then, one server at a time (engine rule 27), does
 * what is due. The unique due time makes even two that believe to lead harmless; the role keeps
 * them from working against each other.
 */

import { holdRole, leaveRole, stillLeads } from "../../db/statements/replicas.ts";
import { noteOutcomes, waitingSchedules } from "../../db/statements/schedules/fires.ts";
import { dueSchedules, nextLook } from "../../db/statements/schedules/rows.ts";
import type { EngineContext } from "../context.ts";
import type { Service } from "../service.ts";
import type { Firing, Leads } from "./firing.ts";
import { Resting } from "./resting.ts";

const ROLE = "schedules";
/** Whoever dies in a step is followed after this long; and on time is who is late by a minute at most. */
const ROLE_SECONDS = 10;
/** Nothing is due, and nobody said that anything changed: a look all the same. */
const LOOK_MS = 30_000;
/** Another server leads, a run waits for another to end, or the database did not answer. */
const SOON_MS = 1_000;
const CHUNK = 100;
/** Schedules that are worked on at once: of the connections for submissions one is left to callers. */
const AT_ONCE = 3;
/** Of one schedule in a row, so that those which are far behind hold up nobody. */
const STEPS_MAX = 20;
const NOTED_MAX = 500;

export class Runner implements Service {
  readonly name = "schedule runner";
  readonly #context: EngineContext;
  readonly #firing: Firing;
  readonly #now: () => number;
  readonly #resting = new Resting();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** When the pass began. */
  #since = 0;
  /** Of this pass: what was done, and what went wrong last. */
  #steps = 0;
  #error: string | null = null;
  #started = false;
  #stopping = false;

  constructor(context: EngineContext, firing: Firing, now: () => number) {
    this.#context = context;
    this.#firing = firing;
    this.#now = now;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#stopping = false;
    this.poke();
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#running;
    const { database, replicaId } = this.#context;
    await leaveRole(database.beats, ROLE, replicaId).catch(() => {});
  }

  /** Looks at once: something was made, changed, or resumed. */
  poke(): void {
    this.#resting.wake();
    this.#look();
  }

  #look(): void {
    if (!this.#started) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#turn();
  }

  async #turn(): Promise<void> {
    let restMs = SOON_MS;
    try {
      restMs = await this.pass();
    } catch (error) {
      this.#context.log.warn({ error: String(error) }, "schedules were not looked at");
    }
    this.#running = undefined;
    if (!this.#started) return;
    if (this.#again) restMs = 0;
    this.#again = false;
    this.#timer = setTimeout(() => this.#look(), restMs);
  }

  /** Everything that is due now, recorded where something was. Returns after how many milliseconds to look again. */
  pass(): Promise<number> {
    this.#steps = 0;
    this.#error = null;
    return this.#context.maintenance.pass(
      "schedules",
      () => this.#pass(),
      () => {
        const error = this.#error;
        if (this.#steps === 0 && error === null) return null;
        return { success: this.#steps, ...(error === null ? {} : { failed: 1, error }) };
      },
    );
  }

  async #pass(): Promise<number> {
    const { beats } = this.#context.database;
    await noteOutcomes(beats, NOTED_MAX);
    // Where much is due at once, what is done last is late, and not missed.
    this.#since = this.#now();
    const look = await nextLook(beats, this.#without());
    const isDue = look.due !== null && look.due <= this.#since;
    if (!isDue && !look.isWaiting) return this.#restUntil(look.due);
    if ((await this.#lead()) === null) return SOON_MS;
    if (isDue) await this.#work();
    if (look.isWaiting) {
      const waiting = await waitingSchedules(beats, { without: this.#without(), limit: CHUNK });
      await this.#each(waiting, "release");
    }
    const after = await nextLook(beats, this.#without());
    const restMs = this.#restUntil(after.due);
    return after.isWaiting ? Math.min(SOON_MS, restMs) : restMs;
  }

  /** What failed is left for a later pass. */
  async #work(): Promise<void> {
    const { beats } = this.#context.database;
    while (!this.#stopping) {
      const some = { without: this.#without(), limit: CHUNK };
      const ids = await dueSchedules(beats, this.#now(), some);
      if (ids.length === 0 || !(await this.#each(ids, "step"))) return;
    }
  }

  /** False where another server leads by now. */
  async #each(ids: string[], what: "step" | "release"): Promise<boolean> {
    const rest = [...ids];
    const term = await this.#lead();
    if (term === null) return false;
    const leads: Leads = (tx) => stillLeads(tx, ROLE, term);
    const lane = async () => {
      for (let id = rest.shift(); id !== undefined && !this.#stopping; id = rest.shift()) {
        await this.#stepsOf(id, leads, what);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return true;
  }

  async #stepsOf(id: string, leads: Leads, what: "step" | "release") {
    try {
      for (let n = 0; n < STEPS_MAX && !this.#stopping; n++) {
        if (!(await this.#firing[what](id, leads, this.#since))) return;
        this.#resting.worked(id);
        this.#steps += 1;
      }
    } catch (error) {
      this.#resting.failed(id, this.#now());
      this.#error = String(error);
      const facts = { schedule: id, error: String(error) };
      this.#context.log.warn(facts, "a schedule did not fire, and is tried again");
    }
  }

  #lead(): Promise<number | null> {
    const { database, replicaId } = this.#context;
    return holdRole(database.beats, ROLE, replicaId, ROLE_SECONDS);
  }

  #without(): string[] {
    return this.#resting.ids(this.#now());
  }

  /** `due`: of those that do not rest. */
  #restUntil(due: number | null): number {
    const now = this.#now();
    const untilDue = due === null ? LOOK_MS : Math.max(0, Math.ceil(due - now));
    return Math.min(LOOK_MS, untilDue, this.#resting.restMs(now) ?? LOOK_MS);
  }
}
