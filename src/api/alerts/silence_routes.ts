/** Silences: listed, made, ended. */
import { z } from "zod";
import { readSilences, silenceKey } from "../../web/alerts/rows.ts";
import { cursorParam, listOf, pageOf, timeAndId } from "../cursor.ts";
import type { ApiDeps } from "../deps.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { notFound } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { type Level, levelsOf } from "./level.ts";
import { tag } from "./routes.ts";
import { silence, silenceInput } from "./schemas.ts";

const LIST_DEFAULT = 100;
const OF_INSTANCE = "It is of the instance: superusers end it, by POST /silences/{id}/end.";
const [ofOrg, ofInstance] = levelsOf("silences");

async function seen(deps: ApiDeps, org: number | null, id: string) {
  const asked = { now: deps.engine.now(), limit: 1, id };
  const [found] = await readSilences(deps.database.reads, org === null ? null : [org], asked);
  if (found === undefined) throw notFound("silence", id);
  return found;
}

const list = (level: Level): Route =>
  route({
    method: "get",
    path: level.base,
    tag,
    summary: `Silences ${level.where}`,
    description:
      level === ofOrg
        ? "Those that end last first; with those of the instance that can cover a job of the organization."
        : "Those that end last first.",
    // Whoever sees an organization sees what is silenced in it.
    ...(level === ofInstance ? { allow: level.allow } : {}),
    params: level.params,
    query: z.strictObject({ cursor: cursorParam(timeAndId()), limit: limitParam }),
    answers: { 200: { description: "A page of silences", schema: listOf(silence) } },
    handle: async ({ params, query, caller, deps }) => {
      const org = level.whose(deps, caller, params.org, "view");
      const limit = query.limit ?? LIST_DEFAULT;
      const asked = { now: deps.engine.now(), limit: limit + 1, after: query.cursor };
      const found = await readSilences(deps.database.reads, org === null ? null : [org], asked);
      return ok(pageOf(found, limit, silenceKey));
    },
  });

const create = (level: Level): Route =>
  route({
    method: "post",
    path: level.base,
    tag,
    summary: `Silence alerts ${level.where}`,
    description:
      "They go on being recorded, as silenced, and nobody is told. What fires still when the silence ends is told then.",
    allow: level.allow,
    params: level.params,
    body: silenceInput,
    answers: { 201: { description: "The silence", schema: silence } },
    handle: async ({ params, body, caller, deps }) => {
      const org = level.whose(deps, caller, params.org);
      const id = await deps.engine.alerts.silence(org, body, caller.author);
      return { status: 201, body: await seen(deps, org, id) };
    },
  });

const end = (level: Level): Route =>
  route({
    method: "post",
    path: `${level.base}/{id}/end`,
    tag,
    summary: "End a silence now",
    allow: level.allow,
    params: level.oneParams,
    body: reasonInput,
    bodyOptional: true,
    answers: { 200: { description: "The silence", schema: silence } },
    handle: async ({ params, body, caller, deps }) => {
      const org = level.whose(deps, caller, params.org);
      const was = await seen(deps, org, params.id);
      if (org !== null && was.org === null) throw new ApiProblem("forbidden", OF_INSTANCE);
      await deps.engine.alerts.endSilence(params.id, caller.author, body.reason);
      return ok(await seen(deps, org, params.id));
    },
  });

export const silenceRoutes: readonly Route[] = [ofOrg, ofInstance].flatMap((level) => [
  list(level),
  create(level),
  end(level),
]);
