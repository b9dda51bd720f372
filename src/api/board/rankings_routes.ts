/** What cost the most: attempts by what they took, and for superusers organizations by their run time. */
import { z } from "zod";
import { GRANULARITIES } from "../../core/metrics/buckets.ts";
import { knownMetric } from "../../core/metrics/catalogue.ts";
import {
  MEASURE_NAMES,
  MEASURES,
  type Measure,
  PLACES,
} from "../../db/statements/rollups/write_rankings.ts";
import { MetricRefused } from "../../web/metrics/groups.ts";
import { ORGS_NAMED, readBusiestOrgs } from "../../web/rankings/busiest_orgs.ts";
import type { RankedAttempt } from "../../web/rankings/ranked_attempts.ts";
import { readRanking } from "../../web/rankings/read_ranking.ts";
import { superusersOnly } from "../allowed.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { time } from "../jobs/schemas.ts";
import { problemOf } from "../rollups/refused.ts";
import { ok, type Route, route } from "../route.ts";
import { type DaysWords, daysOf, daysParams, momentsOf } from "./days.ts";
import { coveredFields, coveredView, sourceOf } from "./span.ts";

const tag = "Board";
const word = (max: number) => z.string().min(1).max(max).optional();
const groupParams = { org: word(63), queue: word(63), name: word(128) };
const day = z.iso.date();

const ranked = z
  .object({
    job: z.uuid(),
    attempt: z.int(),
    name: z.string(),
    queue: z.string(),
    org: z.string(),
    worker: z
      .object({ id: z.uuid(), name: z.string() })
      .nullable()
      .describe("Null: it is not known any more"),
    value: z.number().describe("In `unit`"),
    ended_at: time,
  })
  .meta({ id: "RankedAttempt" });

const ranking = z
  .object({
    metric: z.enum(MEASURE_NAMES),
    unit: z.string(),
    from: day,
    to: day.describe("Included"),
    covered_from: day.nullable().describe("Nothing is kept of days before it; null: of no day"),
    items: z.array(ranked).describe(`At most ${PLACES}, the costliest first`),
    next_cursor: z.null(),
  })
  .meta({ id: "Ranking" });

const answers = { 200: { description: "The ranking", schema: ranking } };
const description =
  "Of attempts that ended on whole days of UTC, of the organizations that you see. A list of each day is kept for " +
  "each organization, queue and name.";

const longest = route({
  method: "get",
  path: "/board/jobs/expensive",
  tag,
  summary: "The attempts that ran the longest",
  description: `${description} By the worker's own clock, however they ended.`,
  query: z.strictObject({ ...daysParams, ...groupParams }),
  answers,
  handle: ({ query, caller, deps }) => answer({ ...query, metric: "longest" }, caller, deps),
});

const RESOURCES = ["ram", "cpu", "disk", "network"] as const;

const byResource = route({
  method: "get",
  path: "/board/jobs/expensive-by-resource",
  tag,
  summary: "The attempts that took the most of a resource",
  description,
  query: z.strictObject({
    metric: z
      .enum(RESOURCES)
      .describe(
        "Most memory at once, processor time, bytes read and written, or the peak of the whole host's network",
      ),
    ...daysParams,
    ...groupParams,
  }),
  answers,
  handle: ({ query, caller, deps }) => answer(query, caller, deps),
});

interface Asked extends DaysWords {
  metric: Measure;
  org?: string | undefined;
  queue?: string | undefined;
  name?: string | undefined;
}

async function answer(asked: Asked, caller: Caller, deps: ApiDeps) {
  const { metric: measure, org, queue, name } = asked;
  const days = daysOf(asked, deps.engine.now());
  try {
    const ask = { measure, ...days, group: { org, queue, name } };
    const { attempts, firstDay } = await readRanking(sourceOf(deps), caller.scope, ask);
    return ok({
      ...{ metric: measure, unit: knownMetric(MEASURES[measure]).unit, ...days },
      ...{ covered_from: firstDay, items: attempts.map(rankedView), next_cursor: null },
    });
  } catch (error) {
    throw problemOf(error);
  }
}

function rankedView({ worker, workerUid, endedAt, ...own }: RankedAttempt) {
  const { job, attempt, name, queue, org, value } = own;
  return {
    ...{ job, attempt, name, queue, org, value },
    worker: worker === null || workerUid === null ? null : { id: workerUid, name: worker },
    ended_at: new Date(endedAt).toISOString(),
  };
}

const runs = {
  run_ms: z.number().describe("Added up"),
  attempts: z.int().describe("That succeeded"),
};

const topOrgs = route({
  method: "get",
  path: "/board/expensive/top-orgs",
  tag,
  summary: "The organizations whose attempts ran the longest",
  description: `Run time of attempts that succeeded, by the day of their end, of the busiest ${ORGS_NAMED}.`,
  allow: superusersOnly,
  query: z.strictObject(daysParams),
  answers: {
    200: {
      description: "The busiest first",
      schema: z.object({
        ...coveredFields,
        granularity: z
          .enum(GRANULARITIES)
          .describe("By the week where there are too many organizations"),
        items: z.array(z.object({ org: z.string(), ...runs })),
        others: z.object(runs).nullable().describe("All others together; null: there are none"),
        next_cursor: z.null(),
      }),
    },
  },
  handle: async ({ query, caller, deps }) => {
    const days = daysOf(query, deps.engine.now());
    const asked = { granularity: "day" as const, ...momentsOf(days) };
    const source = { ...sourceOf(deps), directory: deps.directory };
    const found = await readBusiestOrgs(source, caller.scope, asked);
    if (found === null) {
      const text =
        "There are too many organizations to add them up over this time: take a shorter one.";
      throw problemOf(new MetricRefused("invalid", "window_days", text));
    }
    const rows = found.orgs.map(({ org, runMs, attempts }) => ({ org, run_ms: runMs, attempts }));
    const items = rows.filter(({ org }) => org !== null);
    const [others] = rows.filter(({ org }) => org === null);
    const rest = others ? { run_ms: others.run_ms, attempts: others.attempts } : null;
    return ok({
      ...coveredView(found.span, found.covered),
      items,
      others: rest,
      next_cursor: null,
    });
  },
});

export const rankingRoutes: readonly Route[] = [longest, byResource, topOrgs];
