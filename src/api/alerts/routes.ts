/** What fires and what did, and the limits of rules. */
import { z } from "zod";
import { RULE_NAMES } from "../../core/alerts/rules.ts";
import { type OrgFilter, seenOrgs } from "../../core/scope.ts";
import { jobName } from "../../messages/names.ts";
import { alertKey, readAlertEvents, readAlertViews } from "../../web/alerts/rows.ts";
import { readRules } from "../../web/alerts/rules.ts";
import { inOrg } from "../allowed.ts";
import { cursorParam, listOf, NUMBER, pageOf, timeAndId, wholeOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { orgOf } from "../lookup.ts";
import { limitParam, orgParams } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { alert, alertEvent, alertRule, ruleInput } from "./schemas.ts";

export const tag = "Alerts";
const LIST_DEFAULT = 100;
const noParams = z.strictObject({});
const POSITION = timeAndId("(pending|firing) (critical|warning) ");
const page = z.strictObject({ cursor: cursorParam(NUMBER), limit: limitParam });

/** The same of one organization (`path` begins with it), and of all that the caller sees. */
function stateRoutes(of: "org" | "all"): Route[] {
  const base = of === "org" ? "/orgs/{org}/alerts" : "/alerts";
  const params = (of === "org" ? orgParams : noParams) as typeof orgParams;
  const where = of === "org" ? "of an organization" : "of every organization that you see";
  const orgsFor = (deps: ApiDeps, caller: Caller, org: string): OrgFilter =>
    of === "org" ? [orgOf(deps, caller, org, "view").id] : seenOrgs(caller.scope);
  const state = route({
    method: "get",
    path: base,
    tag,
    summary: `Alerts that fire or are pending, ${where}`,
    description: "Those that fire first, the critical before the others.",
    params,
    query: z.strictObject({ cursor: cursorParam(POSITION), limit: limitParam }),
    answers: { 200: { description: "A page of alerts", schema: listOf(alert) } },
    handle: async ({ params: { org }, query, caller, deps }) => {
      const orgs = orgsFor(deps, caller, org);
      const limit = query.limit ?? LIST_DEFAULT;
      const part = { limit: limit + 1, after: query.cursor };
      const found = await readAlertViews(deps.database.reads, orgs, deps.engine.now(), part);
      return ok(pageOf(found, limit, alertKey));
    },
  });
  const history = route({
    method: "get",
    path: `${base}/history`,
    tag,
    summary: `When alerts fired and ended, newest first, ${where}`,
    params,
    query: page,
    answers: { 200: { description: "A page of them", schema: listOf(alertEvent) } },
    handle: async ({ params: { org }, query, caller, deps }) => {
      const orgs = orgsFor(deps, caller, org);
      const limit = query.limit ?? LIST_DEFAULT;
      const before = query.cursor === undefined ? null : Number(query.cursor);
      const asked = { before, limit: limit + 1 };
      const found = await readAlertEvents(deps.database.reads, orgs, asked);
      return ok(pageOf(found, limit, ({ id }) => id));
    },
  });
  return [state, history];
}

const rules = route({
  method: "get",
  path: "/orgs/{org}/alert-rules",
  tag,
  summary: "The rules, with their limits as they hold",
  description: "For all jobs of the organization, or for `job_name`.",
  params: orgParams,
  query: z.strictObject({ job_name: jobName.optional() }),
  answers: { 200: { description: "The nine rules", schema: listOf(alertRule) } },
  handle: async ({ params, query, caller, deps }) => {
    const { id } = orgOf(deps, caller, params.org, "view");
    const items = await readRules(deps.database.reads, id, query.job_name ?? "");
    return ok(wholeOf(items));
  },
});

const setRule = route({
  method: "put",
  path: "/orgs/{org}/alert-rules/{rule}",
  tag,
  summary: "Set a rule's limits, or switch it off",
  description:
    "For all jobs of the organization, or for `job_name`, whose limits win. It replaces what was set.",
  allow: inOrg("operate"),
  params: orgParams.extend({ rule: z.enum(RULE_NAMES) }),
  body: ruleInput,
  answers: { 200: { description: "The rule", schema: alertRule } },
  handle: async ({ params, body, caller, deps }) => {
    const { id } = orgOf(deps, caller, params.org, "operate");
    await deps.engine.alerts.setRule(id, params.rule, body, caller.author);
    const items = await readRules(deps.database.reads, id, body.job_name ?? "");
    return ok(items.find((item) => item.rule === params.rule));
  },
});

export const alertRoutes: readonly Route[] = [
  ...stateRoutes("org"),
  ...stateRoutes("all"),
  ...[rules, setRule],
];
