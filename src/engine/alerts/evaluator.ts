/**
 * Evaluates the alert rules every half minute, on one server at a time: reads what is known, decides by pure
 * functions, and writes states, history and messages in one transaction, which begins with a look whether this
 * server leads still. So a restart or another server in its midst loses nothing and writes nothing twice.
 */
import { v7 as uuidv7 } from "uuid";
import { limitsFor, limitTable, longestWindow } from "../../core/alerts/effective.ts";
import { judgeRule } from "../../core/alerts/judge.ts";
import { ALERT_RULES, type Rule, type RuleName } from "../../core/alerts/rules.ts";
import { type AlertState, KEEP_FIRING_MS, LAPSE_MS, stepAlert } from "../../core/alerts/step.ts";
import type { Verdict } from "../../core/alerts/verdict.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { readLimits } from "../../db/statements/alerts/limits.ts";
import {
  type AlertRow,
  type EventRow,
  readAlerts,
  removeAlerts,
  writeAlertEvents,
  writeAlerts,
} from "../../db/statements/alerts/states.ts";
import type { WatchedName } from "../../db/statements/alerts/watched_names.ts";
import { readKnownUntil } from "../../db/statements/rollups/progress.ts";
import { openUpkeep } from "../../db/upkeep.ts";
import type { EngineContext } from "../context.ts";
import { Term } from "../keeping/term.ts";
import { Loop, type Service } from "../service.ts";
import { FactReader, type NamedFacts } from "./fact_reader.ts";
import { type Change, tell } from "./tell.ts";

const ROLE = "alerts";
/** Rollups that are behind by more, and by more than two passes, tell too little of now: nothing is decided by them. */
const BEHIND_MAX_MS = 5 * 60_000;

export class Evaluator implements Service {
  readonly name = "alerts";
  readonly #context: EngineContext;
  readonly #term: Term;
  readonly #now: () => number;
  readonly #facts: FactReader;
  readonly #behindMaxMs: number;
  readonly #loop: Loop;
  #sql: Sql | undefined;

  constructor(context: EngineContext, now: () => number) {
    this.#context = context;
    this.#term = new Term(context, ROLE);
    this.#now = now;
    const { rollupIntervalSeconds } = context.options;
    this.#facts = new FactReader(rollupIntervalSeconds);
    this.#behindMaxMs = Math.max(BEHIND_MAX_MS, 2 * rollupIntervalSeconds * 1_000);
    this.#loop = new Loop({
      name: this.name,
      everyMs: context.options.alertSeconds * 1_000,
      run: () => this.beat(),
      onError: (error) => context.log.warn({ error: String(error) }, "alerts were not evaluated"),
    });
  }

  start(): void {
    this.#sql ??= openUpkeep(this.#context.database.url);
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#sql?.end({ timeout: 2 });
    this.#sql = undefined;
  }

  /** What the rule says of these names now, by its limits as they hold; nothing is decided. */
  async evidence(rule: Rule, only: readonly number[]): Promise<Evidence[]> {
    if (only.length === 0) return [];
    const { reads } = this.#context.database;
    const now = this.#now();
    const table = limitTable(await readLimits(reads));
    const until = Math.min(now, await readKnownUntil(reads));
    const windowOf = (name: WatchedName) => longestWindow(table, ALERT_RULES, name);
    const facts = await this.#facts.read(reads, { until, now, windowOf, only });
    return facts.map(({ name, facts: known }) => {
      const held = limitsFor(table, rule, name.org, name.name);
      const verdict = judgeRule(rule, known, held, { now, behindMaxMs: this.#behindMaxMs });
      return { org: name.org, orgName: name.orgName, jobName: name.name, verdict };
    });
  }

  /** One look at everything; how many alerts changed, null where another server leads. */
  async beat(now = this.#now()): Promise<number | null> {
    const sql = this.#sql ?? this.#context.database.side;
    const done = await this.#context.maintenance.pass(
      "alerts",
      () => this.#term.act(sql, (tx) => this.#evaluate(tx, now)),
      // A look that finds nothing is one, too: without it nobody would see that there are none any more.
      (looked) => (looked === null ? null : { success: looked.names }),
    );
    if (done === null) return null;
    if (done.changes > 0) this.#context.bus.tell("alerts.changed", {});
    return done.changes;
  }

  async #evaluate(tx: Transaction, now: number): Promise<{ changes: number; names: number }> {
    const table = limitTable(await readLimits(tx));
    const until = Math.min(now, await readKnownUntil(tx));
    const windowOf = (name: WatchedName) => longestWindow(table, ALERT_RULES, name);
    const standing = new Map((await readAlerts(tx)).map((row) => [keyOf(row), row]));
    const facts = await this.#facts.read(tx, { until, now, windowOf });
    const work = new Work(now);
    for (const { name, facts: known } of facts) {
      for (const rule of ALERT_RULES) {
        const held = limitsFor(table, rule, name.org, name.name);
        const before = standing.get(`${rule.name} ${name.id}`) ?? null;
        standing.delete(`${rule.name} ${name.id}`);
        if (!held.enabled && before === null) continue;
        const verdict = judgeRule(rule, known, held, { now, behindMaxMs: this.#behindMaxMs });
        work.step({ rule, name, before, verdict, keepMs: held.enabled ? KEEP_FIRING_MS : 0 });
      }
    }
    work.drop([...standing.values()]);
    const changes = await work.write(tx, this.#context.options.publicUrl);
    return { changes, names: facts.length };
  }
}

export interface Evidence {
  org: number;
  orgName: string;
  jobName: string;
  verdict: Verdict;
}

interface Asked {
  rule: Rule;
  name: WatchedName;
  before: AlertRow | null;
  verdict: Verdict;
  keepMs: number;
}

/** What one look changes. */
class Work {
  readonly #now: number;
  readonly #written: AlertRow[] = [];
  readonly #removed: string[] = [];
  readonly #changes: Change[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  step({ rule, name, before, verdict, keepMs }: Asked): void {
    const look = { truth: verdict.truth, now: this.#now, forMs: rule.forMs, keepMs };
    const { after, event } = stepAlert(before, look);
    if (after === null) {
      if (before === null) return;
      this.#removed.push(before.id);
      if (event !== null) this.#changes.push({ row: before, rule, name, event });
      return;
    }
    const row = rowOf(after, { rule, name, before, verdict });
    this.#written.push(row);
    if (row.state === "firing") this.#changes.push({ row, rule, name, event });
  }

  /** Those of names that no look reaches any more, such as names that are gone: nothing is known of them. */
  drop(rows: readonly AlertRow[]): void {
    const old = rows.filter((row) => this.#now - row.knownAt > LAPSE_MS);
    this.#removed.push(...old.map((row) => row.id));
  }

  async write(tx: Transaction, publicUrl: string | undefined): Promise<number> {
    const events = await tell(tx, this.#changes, { now: this.#now, publicUrl });
    await removeAlerts(tx, this.#removed);
    await writeAlerts(tx, this.#written);
    const written: EventRow[] = events;
    await writeAlertEvents(tx, written);
    return written.length + this.#removed.length + this.#written.length;
  }
}

function rowOf(
  after: AlertState,
  { rule, name, before, verdict }: Omit<Asked, "keepMs">,
): AlertRow {
  const isSaid = verdict.truth === "true" || before === null;
  return {
    ...after,
    id: before?.id ?? uuidv7(),
    ...{ rule: rule.name, org: name.org, nameId: name.id, severity: rule.severity },
    value: isSaid ? verdict.value : before.value,
    limit: isSaid ? verdict.limit : before.limit,
    sentence: isSaid ? verdict.sentence : before.sentence,
  };
}

function keyOf({ rule, nameId }: AlertRow): string {
  return `${rule as RuleName} ${nameId}`;
}

export type { NamedFacts };
