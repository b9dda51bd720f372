/**
 * How often job names are to run, for Prometheus: by their schedules, as somebody has said, or as Signalbox does
 * itself. What is computed of schedules is kept for the next look.
 */
import { type DuesAround, duesAround, paceOf } from "../core/background/pace.ts";
import { OWN_INTERVALS, SYSTEM_ORG, SYSTEM_ORG_ID } from "../core/background/system_org.ts";
import { STALENESS } from "../core/background/thresholds.ts";
import type { Sql } from "../db/client.ts";
import {
  type DueRow,
  readDueNames,
  readToldIntervals,
  type ToldInterval,
} from "../db/statements/alerts/watched_names.ts";
import { OTHER } from "./exposition.ts";

export interface ExpectedName {
  org: string;
  name: string;
  /** Infinite: all of its schedules are paused, or none is due again. */
  intervalSeconds: number;
  graceSeconds: number;
  /** Null: it is waited for since its last success only. */
  sinceSeconds: number | null;
}

export interface ExpectedNamesDeps {
  reads: Sql;
  now(): number;
  /** A success is told of with the rollups: as often as these are computed. */
  rollupIntervalSeconds: number;
}

type Wait = Pick<ExpectedName, "intervalSeconds" | "graceSeconds" | "sinceSeconds">;

/** Names whose due times are computed in one go, while nobody else is served. */
const AT_ONCE = 10;
/** The rollups' usual interval, which the grace has room for. */
const USUAL_ROLLUP_SECONDS = 60;

export class ExpectedNames {
  readonly #deps: ExpectedNamesDeps;
  /** By the text of the rules. */
  #dues = new Map<string, DuesAround>();

  constructor(deps: ExpectedNamesDeps) {
    this.#deps = deps;
  }

  async read(): Promise<ExpectedName[]> {
    const { reads } = this.#deps;
    const [schedules, told] = await Promise.all([readDueNames(reads), readToldIntervals(reads)]);
    const bySchedule = Map.groupBy(schedules, keyOf);
    const waits = new Map<string, Wait>(told.map((one) => [keyOf(one), this.#told(one)]));
    for (const [name, seconds] of Object.entries(OWN_INTERVALS)) {
      waits.set(keyOf({ org: SYSTEM_ORG_ID, name }), this.#own(name, seconds!));
    }
    const before = this.#dues;
    this.#dues = new Map();
    for (const [at, [key, rows]] of [...bySchedule].entries()) {
      if (at % AT_ONCE === AT_ONCE - 1) await new Promise((next) => setImmediate(next));
      waits.set(key, this.#scheduled(rows, before));
    }
    const labels = await this.#labels([...waits.keys()]);
    return labels.map(({ key, ...names }) => ({ ...names, ...waits.get(key)! }));
  }

  /** A schedule goes before what was said of a name. */
  #scheduled(rows: readonly DueRow[], before: ReadonlyMap<string, DuesAround>): Wait {
    const graceSeconds = this.#grace(STALENESS.graceSeconds);
    const running = rows.filter((row) => !row.isPaused);
    if (running.length === 0) {
      return { intervalSeconds: Number.POSITIVE_INFINITY, graceSeconds, sinceSeconds: null };
    }
    const rules = running.map(({ cron, time_zone }) => ({ cron, timeZone: time_zone }));
    const key = JSON.stringify(rules);
    // A due time counts once its grace is over: until then nobody is late by it.
    const at = this.#deps.now() - STALENESS.graceSeconds * 1_000;
    const dues = duesAround(rules, at, this.#dues.get(key) ?? before.get(key));
    this.#dues.set(key, dues);
    const pace = paceOf(dues);
    const sinceSeconds = Math.min(...running.map((row) => row.since)) / 1_000;
    const intervalSeconds = pace === null ? Number.POSITIVE_INFINITY : pace / 1_000;
    return { intervalSeconds, graceSeconds, sinceSeconds };
  }

  #told({ intervalMs, graceMs, since }: ToldInterval): Wait {
    return {
      intervalSeconds: intervalMs / 1_000,
      graceSeconds: this.#grace(graceMs === null ? STALENESS.graceSeconds : graceMs / 1_000),
      sinceSeconds: since / 1_000,
    };
  }

  /** No task succeeds more often than it is done. */
  #own(name: string, seconds: number): Wait {
    const least = name === "rollups" ? this.#deps.rollupIntervalSeconds : 0;
    const graceSeconds = this.#grace(STALENESS.graceSeconds);
    return { intervalSeconds: Math.max(seconds, least), graceSeconds, sinceSeconds: null };
  }

  #grace(seconds: number): number {
    return seconds + Math.max(0, this.#deps.rollupIntervalSeconds - USUAL_ROLLUP_SECONDS);
  }

  /** Of those that are counted by themselves: of others there is no line to wait for. */
  async #labels(keys: readonly string[]): Promise<{ key: string; org: string; name: string }[]> {
    const names = keys.map((key) => JSON.parse(key) as [org: number, name: string]);
    return this.#deps.reads<{ key: string; org: string; name: string }[]>`
      select t.key, case n.org_id when ${SYSTEM_ORG_ID} then ${SYSTEM_ORG} else o.name end as org, n.name
      from unnest(${keys as string[]}::text[], ${names.map(([org]) => org)}::int[],
        ${names.map(([, name]) => name)}::text[]) as t(key, org, name)
      join job_name n on n.org_id = t.org and n.name = t.name and n.counted and n.name <> ${OTHER}
      left join org o on o.id = n.org_id
      where o.id is not null or n.org_id = ${SYSTEM_ORG_ID}
      order by 2, 3`;
  }
}

function keyOf({ org, name }: { org: number; name: string }): string {
  return JSON.stringify([org, name]);
}
