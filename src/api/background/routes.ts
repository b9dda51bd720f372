/** How often names without a schedule are to run: what was said, and saying it. */
import { z } from "zod";
import { STALENESS } from "../../core/background/thresholds.ts";
import { expectationInput, expectedOf } from "../../engine/background/input.ts";
import { jobName } from "../../messages/names.ts";
import { readJobName } from "../../web/background/one_name.ts";
import { inOrg } from "../allowed.ts";
import { cursorParam, listOf, pageOf } from "../cursor.ts";
import { reasonInput, time } from "../jobs/schemas.ts";
import { notFound, orgOf } from "../lookup.ts";
import { limitParam, orgParams } from "../query.ts";
import { ok, type Route, route } from "../route.ts";

const tag = "Background jobs";

const LIST_DEFAULT = 100;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,127}$/;

const told = z
  .object({
    name: z.string(),
    expected_interval_seconds: z.int(),
    grace_seconds: z.int().nullable(),
    updated_at: time,
    updated_by: z.string(),
  })
  .meta({ id: "Expectation" });

const list = route({
  method: "get",
  path: "/orgs/{org}/expectations",
  tag,
  summary: "How often names without a schedule are to run",
  params: orgParams,
  query: z.strictObject({ cursor: cursorParam(NAME), limit: limitParam }),
  answers: { 200: { description: "What was said, by name", schema: listOf(told) } },
  handle: async ({ params, query, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "view");
    const limit = query.limit ?? LIST_DEFAULT;
    const rows = await deps.database.reads<
      (Omit<z.infer<typeof told>, "updated_at"> & { updated_at: Date })[]
    >`
      select n.name, e.interval_seconds as expected_interval_seconds, e.grace_seconds, e.updated_at, e.updated_by
      from name_expectation e join job_name n on n.id = e.name_id
      where e.org_id = ${org} and n.name > ${query.cursor ?? ""} order by n.name limit ${limit + 1}`;
    const items = rows.map((row) => ({ ...row, updated_at: row.updated_at.toISOString() }));
    return ok(pageOf(items, limit, ({ name }) => name));
  },
});

const say = route({
  method: "put",
  path: "/orgs/{org}/expectations",
  tag,
  summary: "Say how often a name is to run",
  description: `A name that has a schedule goes by that. It is late after ${STALENESS.warningIntervals} intervals without a success, and bad after ${STALENESS.badIntervals}, each with the grace.`,
  allow: inOrg("manage"),
  params: orgParams,
  body: reasonInput.extend({ name: jobName, ...expectationInput.shape }),
  answers: {
    200: {
      description: "Done when answered",
      schema: z.object({ affected: z.int().describe("1: it changed; 0: it was so already") }),
    },
  },
  handle: async ({ params, body, caller, deps }) => {
    const { id: org } = orgOf(deps, caller, params.org, "manage");
    const name = await readJobName(deps.database.reads, org, body.name);
    if (name === null) throw notFound("job name", body.name);
    const { expectations } = deps.engine.background;
    const change = { org, name, expected: expectedOf(body), reason: body.reason };
    const changed = await expectations.set(change, caller.author);
    return ok({ affected: changed ? 1 : 0 });
  },
});

export const backgroundRoutes: readonly Route[] = [list, say];
