/** The board's data as JSON: live jobs, one job's inspection, and what each rule rewards. */
import { z } from "zod";
import { askedOrgs } from "../../accounts/asked_orgs.ts";
import { seenOrgs } from "../../core/scope.ts";
import { RULES, RULES_VERSION } from "../../core/scoring/score.ts";
import { explainTo } from "../../web/explain_to.ts";
import { readJob } from "../../web/jobs/rows.ts";
import { LIVE_STATES, NO_FILTER } from "../../web/live/filter.ts";
import { readLive } from "../../web/live/snapshot.ts";
import { listOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { explanation } from "../jobs/explain_schema.ts";
import { readAttempts } from "../jobs/history.ts";
import { attempt, attemptParam, job } from "../jobs/schemas.ts";
import { jobView } from "../jobs/view.ts";
import { notFound, orgOf } from "../lookup.ts";
import { idParams, limitParam } from "../query.ts";
import { jobReader } from "../reader.ts";
import { ok, type Route, route } from "../route.ts";
import { liveJob, viewOfRow } from "./job_rows.ts";

const tag = "Board";
const LIST_DEFAULT = 200;
const ATTEMPTS_MAX = 100;
const ALL_OF_THEM = "All of them, page by page, are in `GET /orgs/{org}/jobs?state=…`.";
const liveQuery = z.strictObject({ org: z.string().max(63).optional(), limit: limitParam });

const dispatched = route({
  method: "get",
  path: "/board/jobs/dispatched",
  tag,
  summary: "Jobs on workers, the latest first",
  description: `The page's own data: the first \`limit\`. ${ALL_OF_THEM}`,
  query: liveQuery,
  answers: { 200: { description: "Live jobs", schema: listOf(liveJob) } },
  handle: async ({ query, caller, deps }) => ok(await readGroup(deps, caller, query, "active")),
});

const pending = route({
  method: "get",
  path: "/board/jobs/pending",
  tag,
  summary: "Jobs in line, the newest first",
  description: `The page's own data: the first \`limit\`. ${ALL_OF_THEM}`,
  query: liveQuery,
  answers: { 200: { description: "Live jobs", schema: listOf(liveJob) } },
  handle: async ({ query, caller, deps }) => ok(await readGroup(deps, caller, query, "waiting")),
});

const inspection = z
  .object({ job, attempts: z.array(attempt).describe("The first 100"), explanation })
  .meta({ id: "Inspection" });

const inspect = route({
  method: "get",
  path: "/board/jobs/{id}",
  tag,
  summary: "Everything about one job: what it is, its attempts, and why",
  params: idParams,
  query: z.strictObject({ attempt: attemptParam }),
  answers: { 200: { description: "The inspection", schema: inspection } },
  handle: async ({ params, query, caller, deps }) => {
    const reader = jobReader(deps, caller);
    const row = await readJob(reader, params.id);
    if (row === null) throw notFound("job", params.id);
    const [attempts, explained] = await Promise.all([
      readAttempts(reader, row, { after: 0, limit: ATTEMPTS_MAX }),
      explainTo(deps, caller.scope, params.id, query.attempt),
    ]);
    if (explained === null) throw notFound("such attempt of job", params.id);
    return ok({ job: jobView(row), attempts, explanation: explained });
  },
});

const rule = z.object({
  rule: z.string(),
  weight: z.number(),
  help: z.string(),
  formula: z.string(),
});

const rules = route({
  method: "get",
  path: "/board/scoring/rules",
  tag,
  summary: "What each scoring rule rewards",
  answers: {
    200: {
      description: "The rules in the order of the stored terms",
      schema: listOf(rule).extend({ rules_version: z.int() }),
    },
  },
  handle: () =>
    ok({
      rules_version: RULES_VERSION,
      items: RULES.map(({ name, weight, help, formula }) => ({
        rule: name,
        weight,
        help,
        formula,
      })),
      next_cursor: null,
    }),
});

export const boardRoutes: readonly Route[] = [dispatched, pending, inspect, rules];

async function readGroup(
  deps: ApiDeps,
  caller: Caller,
  query: z.output<typeof liveQuery>,
  group: "active" | "waiting",
) {
  if (query.org !== undefined) orgOf(deps, caller, query.org, "view");
  const orgs = askedOrgs(deps.directory, seenOrgs(caller.scope), query.org ?? "");
  const { names } = deps.engine;
  const limit = query.limit ?? LIST_DEFAULT;
  const limits = { active: 0, waiting: 0, [group]: limit };
  const states = LIVE_STATES.filter(
    (state) => (state === "running" || state === "dispatched") === (group === "active"),
  );
  const filter = { ...NO_FILTER, states, org: query.org ?? "" };
  const found = await readLive(deps.database.reads, names, { filter, orgs, limits });
  return { items: found[group].map((row) => viewOfRow(row, names)), next_cursor: null };
}
