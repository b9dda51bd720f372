/** Schedules as people make and operate them. Each change has its audit row in its own transaction. */
import { v7 as uuidv7 } from "uuid";
import { type Actor, actorName } from "../../core/author.ts";
import { scheduleProblems } from "../../core/schedules/check.ts";
import type { Transaction } from "../../db/client.ts";
import {
  changeSchedule,
  insertSchedule,
  isNameTaken,
  lockSchedule,
  lockSchedules,
  pauseSchedule,
  readSchedule,
  removeSchedule,
  resumeSchedule,
  type ScheduleRow,
} from "../../db/statements/schedules/rows.ts";
import type {
  ParsedScheduleInput,
  ParsedSchedulePatch,
  ScheduleSettings,
} from "../../messages/schedule_input.ts";
import type { EngineContext } from "../context.ts";
import { InvalidInput, NotFound, type Receipt } from "../engine.ts";
import { signReceipt } from "../idempotency.ts";
import { audit } from "../operator/audit.ts";
import { transact } from "../pipeline.ts";
import type { Service } from "../service.ts";
import { changed, factsOf, isAs, settingsOf } from "./facts.ts";
import type { Fate, Firing } from "./firing.ts";
import type { Runner } from "./runner.ts";
import { dueAfter } from "./standing.ts";
import type { Submitter } from "./submitter.ts";

export type TriggerResult =
  | { ok: true; nominal: number; fate: Fate }
  | { ok: false; code: "conflict"; reason: string };

/** Somebody else changed what is to be changed: since whoever asks has looked. */
export class ChangedMeanwhile extends Error {}

export interface ScheduleChange {
  reason?: string | undefined;
  /** What whoever asks has seen of what the patch names. Throws ChangedMeanwhile where it is not so any more. */
  seen?: Partial<ScheduleSettings> | undefined;
}

/** What the engine's front door shows of schedules. Throws NotFound, and InvalidInput with the fields. */
export interface Schedules {
  create(org: string, input: ParsedScheduleInput, actor: Actor, reason?: string): Promise<string>;
  /** A new rule or time zone begins now: what was due by the old one and did not fire is left. */
  change(id: string, patch: ParsedSchedulePatch, actor: Actor, how?: ScheduleChange): Promise<void>;
  /** Its runs go on. */
  remove(id: string, actor: Actor, reason?: string): Promise<void>;
  /** Answers whether anything changed, as switches do. */
  pause(id: string, actor: Actor, reason?: string): Promise<boolean>;
  resume(id: string, actor: Actor, reason?: string): Promise<boolean>;
  /** All of an organization, or (null) of all; how many changed. */
  switchAll(
    org: string | null,
    to: "pause" | "resume",
    actor: Actor,
    reason?: string,
  ): Promise<number>;
  /** One run now, as its overlap policy allows; also of a paused one. Throws ReceiptTaken. */
  trigger(id: string, actor: Actor, reason?: string, receipt?: Receipt): Promise<TriggerResult>;
}

export interface ScheduleParts {
  firing: Firing;
  runner: Runner;
  submitter: Submitter;
  now: () => number;
}

export class ScheduleKeeper implements Schedules, Service {
  readonly name = "schedules";
  readonly #context: EngineContext;
  readonly #parts: ScheduleParts;

  constructor(context: EngineContext, parts: ScheduleParts) {
    this.#context = context;
    this.#parts = parts;
    context.bus.on("schedules.changed", () => parts.runner.poke());
  }

  start(): void {
    this.#parts.runner.start();
  }

  stop(): Promise<void> {
    return this.#parts.runner.stop();
  }

  /** Everything that is due now; after how many milliseconds to look again. */
  pass(): Promise<number> {
    return this.#parts.runner.pass();
  }

  /** Another server changed one. */
  poke(): void {
    this.#parts.runner.poke();
  }

  async create(org: string, input: ParsedScheduleInput, actor: Actor, reason?: string) {
    const orgId = await this.#orgId(org);
    const { paused, ...settings } = input;
    refuseWrong(settings);
    const id = uuidv7();
    const at = this.#at();
    const dueAt = paused ? null : dueAfter({ id, ...settings }, at);
    const by = actorName(actor);
    await this.#change(async (tx) => {
      const row = { ...settings, id, org: orgId, isPaused: paused, by, at, dueAt };
      if (!(await insertSchedule(tx, row))) throw nameTaken(settings.name);
      const after = { ...factsOf(settings), paused };
      await this.#audit(tx, actor, "create", { id, org_id: orgId }, { reason, after });
    });
    return id;
  }

  change(
    id: string,
    patch: ParsedSchedulePatch,
    actor: Actor,
    { reason, seen = {} }: ScheduleChange = {},
  ): Promise<void> {
    return this.#change(async (tx) => {
      const row = await locked(tx, id);
      const before = settingsOf(row);
      if (!isAs(before, seen)) throw new ChangedMeanwhile();
      const after = { ...before, ...withoutAbsent(patch) } as ScheduleSettings;
      if (patch.job && patch.workflow === undefined) after.workflow = null;
      if (patch.workflow && patch.job === undefined) after.job = null;
      refuseWrong(after);
      const news = changed(before, after);
      if (news === null) return;
      if (await isNameTaken(tx, row.org_id, after.name, id)) throw nameTaken(after.name);
      const isNewRule = after.cron !== before.cron || after.time_zone !== before.time_zone;
      const at = this.#at();
      const settledAt = isNewRule ? at : null;
      const dueAt =
        row.paused_ms === null ? dueAfter({ id, ...after }, settledAt ?? row.settled_ms) : null;
      await changeSchedule(tx, id, after, { by: actorName(actor), at, settledAt, dueAt });
      await this.#audit(tx, actor, "update", row, { reason, ...news });
    });
  }

  remove(id: string, actor: Actor, reason?: string): Promise<void> {
    return this.#change(async (tx) => {
      const row = await locked(tx, id);
      await removeSchedule(tx, id);
      await this.#audit(tx, actor, "delete", row, { reason, before: factsOf(settingsOf(row)) });
    });
  }

  pause(id: string, actor: Actor, reason?: string): Promise<boolean> {
    return this.#change(async (tx) => {
      const row = await locked(tx, id);
      if (row.paused_ms !== null) return false;
      await this.#pause(tx, row, actor, reason);
      const { name } = row;
      const news = { before: { name, paused: false }, after: { name, paused: true } };
      await this.#audit(tx, actor, "pause", row, { reason, ...news });
      return true;
    });
  }

  resume(id: string, actor: Actor, reason?: string): Promise<boolean> {
    return this.#change(async (tx) => {
      const row = await locked(tx, id);
      if (row.paused_ms === null) return false;
      await this.#resume(tx, row);
      const { name, paused_by, pause_reason } = row;
      const before = { name, paused: true, paused_by, pause_reason };
      await this.#audit(tx, actor, "resume", row, {
        reason,
        before,
        after: { name, paused: false },
      });
      return true;
    });
  }

  async switchAll(org: string | null, to: "pause" | "resume", actor: Actor, reason?: string) {
    const orgId = org === null ? null : await this.#orgId(org);
    return this.#change(async (tx) => {
      const rows = await lockSchedules(tx, orgId, to === "resume");
      for (const row of rows) {
        await (to === "pause" ? this.#pause(tx, row, actor, reason) : this.#resume(tx, row));
      }
      for (const [of, own] of Map.groupBy(rows, (row) => row.org_id)) {
        const names = own.slice(0, NAMED_MAX).map(({ name }) => name);
        await audit(tx, actor, {
          ...{
            org: of,
            action: `schedules.${to}`,
            objectKind: "schedules",
            objectId: org ?? "all",
          },
          ...{ reason: reason ?? null, affected: own.length, after: { schedules: names } },
        });
      }
      return rows.length;
    });
  }

  async trigger(id: string, actor: Actor, reason?: string, receipt?: Receipt) {
    const { firing, submitter } = this.#parts;
    const seen = await readSchedule(this.#context.database.intake, id);
    if (seen === null) throw missing(id);
    const prepared = await submitter.prepare(seen, this.#at());
    const done = await transact(this.#context.database.intake, async (tx) => {
      const row = await locked(tx, id);
      const isAsSeen = changed(settingsOf(seen), settingsOf(row)) === null;
      const ready = isAsSeen ? prepared : await submitter.prepare(row, this.#at());
      const { fate, tell } = await firing.deal(tx, row, ready);
      if (fate.state === "skipped") return { result: conflict(row, fate), tell };
      const askedBy = actorName(actor);
      let nominal = offTheSecond(this.#at());
      const occasion = { kind: "manual" as const, lateMs: 0, askedBy };
      while (!(await firing.record(tx, id, { ...occasion, nominal }, fate))) {
        nominal = offTheSecond(nominal + 1);
      }
      const after = { name: row.name, state: fate.state, job: fate.job, workflow: fate.workflow };
      await this.#audit(tx, actor, "trigger", row, { reason, after });
      const result: TriggerResult = { ok: true, nominal, fate };
      await signReceipt(tx, receipt, result);
      return { result, tell };
    });
    done.tell();
    this.#context.bus.tell("schedules.changed", {});
    return done.result;
  }

  async #pause(tx: Transaction, { id }: ScheduleRow, actor: Actor, reason: string | undefined) {
    await pauseSchedule(tx, id, { at: this.#at(), by: actorName(actor), reason: reason ?? null });
  }

  #resume(tx: Transaction, row: ScheduleRow): Promise<void> {
    const dueAt = dueAfter(row, row.settled_ms);
    return resumeSchedule(tx, row.id, { at: this.#at(), dueAt });
  }

  /** Tells the runner, here and on other servers, after the commit. */
  async #change<R>(act: (tx: Transaction) => Promise<R>): Promise<R> {
    const result = await transact(this.#context.database.intake, act);
    this.#context.bus.tell("schedules.changed", {});
    return result;
  }

  #audit(
    tx: Transaction,
    actor: Actor,
    verb: string,
    { id, org_id: org }: Pick<ScheduleRow, "id" | "org_id">,
    { reason, ...news }: { reason?: string | undefined; before?: object; after?: object },
  ): Promise<void> {
    const object = { objectKind: "schedule", objectId: id };
    return audit(tx, actor, {
      ...{ org, action: `schedule.${verb}`, ...object, reason: reason ?? null },
      ...news,
    });
  }

  async #orgId(name: string): Promise<number> {
    const id = await this.#context.names.orgId(name);
    if (id === undefined) throw new NotFound(`There is no organization ${name}.`);
    return id;
  }

  /** Whole milliseconds, as what is read again. */
  #at(): number {
    return Math.floor(this.#parts.now());
  }
}

/** Two by hand in one millisecond are two; and a whole second may be a due time, which fires beside them. */
function offTheSecond(at: number): number {
  return at % 1000 === 0 ? at + 1 : at;
}

/** Names that the audit log keeps of many. */
const NAMED_MAX = 100;

async function locked(tx: Transaction, id: string): Promise<ScheduleRow> {
  const row = await lockSchedule(tx, id);
  if (row === null) throw missing(id);
  return row;
}

const missing = (id: string) => new NotFound(`There is no schedule ${id}.`);

function nameTaken(name: string): InvalidInput {
  const message = `There is a schedule ${name} already: choose another name, or change that one.`;
  return new InvalidInput(message, [{ path: ["name"], message }]);
}

function refuseWrong(settings: ScheduleSettings): void {
  const issues = scheduleProblems(settings);
  const [first] = issues;
  if (first) throw new InvalidInput(`${first.path.join(".")} ${first.message}`, issues);
}

function conflict({ name }: ScheduleRow, { reason }: Fate): TriggerResult {
  const why = `${name} does not run now: ${reason}, and its overlap policy leaves such a run out.`;
  return {
    ok: false,
    code: "conflict",
    reason: `${why} Wait for it, cancel it, or change the policy.`,
  };
}

function withoutAbsent<T extends object>(patch: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(patch).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
