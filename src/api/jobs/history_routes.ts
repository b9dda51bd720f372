/** What happened to a job, and why. */
import { z } from "zod";
import { explainTo } from "../../web/explain_to.ts";
import { onJob } from "../allowed.ts";
import { cursorParam, encodeCursor, listOf, NUMBER } from "../cursor.ts";
import { notFound } from "../lookup.ts";
import { idParams, limitParam } from "../query.ts";
import { jobReader } from "../reader.ts";
import { ok, type Route, route } from "../route.ts";
import { explanation } from "./explain_schema.ts";
import { readAttempts, readEvents } from "./history.ts";
import { type JobReader, type JobRow, readJobs } from "./rows.ts";
import { attempt, attemptParam, phaseEvent } from "./schemas.ts";

const tag = "Jobs";
const PAGE_DEFAULT = 100;
const pageQuery = z.strictObject({ cursor: cursorParam(NUMBER), limit: limitParam });

const attempts = route({
  method: "get",
  path: "/jobs/{id}/attempts",
  tag,
  summary: "Every attempt of a job, oldest first",
  params: idParams,
  query: pageQuery,
  answers: { 200: { description: "Attempts; the living one last", schema: listOf(attempt) } },
  handle: async ({ params, query, caller, deps }) => {
    const reader = jobReader(deps, caller);
    const job = await jobRow(reader, params.id);
    const limit = query.limit ?? PAGE_DEFAULT;
    const after = Number(query.cursor ?? 0);
    const found = await readAttempts(reader, job, { after, limit: limit + 1 });
    return ok(pageOf(found, limit, (item) => String(item.attempt)));
  },
});

const events = route({
  method: "get",
  path: "/jobs/{id}/events",
  tag,
  summary: "The phase events of a job, oldest first",
  params: idParams,
  query: pageQuery,
  answers: { 200: { description: "Phase events", schema: listOf(phaseEvent) } },
  handle: async ({ params, query, caller, deps }) => {
    const reader = jobReader(deps, caller);
    const job = await jobRow(reader, params.id);
    const limit = query.limit ?? PAGE_DEFAULT;
    const after = Number(query.cursor ?? 0);
    const found = await readEvents(reader, job, { after, limit: limit + 1 });
    return ok(pageOf(found, limit, (item) => item.id));
  },
});

const explain = route({
  method: "get",
  path: "/jobs/{id}/explain",
  tag,
  summary: "Why a job waits, or why it went where it went",
  params: idParams,
  query: z.strictObject({ attempt: attemptParam }),
  answers: { 200: { description: "The explanation", schema: explanation } },
  allow: onJob("view"),
  handle: async ({ params, query, caller, deps }) => {
    const found = await explainTo(deps, caller.scope, params.id, query.attempt);
    if (found === null) throw notFound(query.attempt ? "such attempt of job" : "job", params.id);
    return ok(found);
  },
});

export const historyRoutes: readonly Route[] = [attempts, events, explain];

async function jobRow(reader: JobReader, id: string): Promise<JobRow> {
  const [row] = await readJobs(reader, [id]);
  if (row === undefined) throw notFound("job", id);
  return row;
}

/** `found` holds one more than `limit` where there is a next page. */
export function pageOf<T>(found: readonly T[], limit: number, key: (item: T) => string) {
  const items = found.slice(0, limit);
  const next = found.length > limit ? encodeCursor(key(items.at(-1)!)) : null;
  return { items, next_cursor: next };
}
