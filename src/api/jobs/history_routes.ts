/** What happened to a job, and why. */
import { z } from "zod";
import { explainTo } from "../../web/explain_to.ts";
import { type JobReader, type JobRow, readJobs } from "../../web/jobs/rows.ts";
import { onJob } from "../allowed.ts";
import { cursorParam, listOf, NUMBER, pageOf } from "../cursor.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { removedByRetention } from "../gone.ts";
import { notFound } from "../lookup.ts";
import { idParams, limitParam } from "../query.ts";
import { jobReader } from "../reader.ts";
import { ok, type Route, route } from "../route.ts";
import { explanation } from "./explain_schema.ts";
import { readAttempts, readEvents } from "./history.ts";
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
    if (found.length === 0 && after === 0 && hasEnded(job) && job.attempt > 0) {
      const { dispatchDays } = deps.engine.keeping.retention;
      throw removedByRetention("The attempts of this job", dispatchDays);
    }
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
    if (found.length === 0 && after === 0) {
      throw removedByRetention("The history of this job", deps.engine.keeping.retention.rawDays);
    }
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
    if (found === null) throw await missing(deps, caller, params.id, query.attempt);
    return ok(found);
  },
});

export const historyRoutes: readonly Route[] = [attempts, events, explain];

async function jobRow(reader: JobReader, id: string): Promise<JobRow> {
  const [row] = await readJobs(reader, [id]);
  if (row === undefined) throw notFound("job", id);
  return row;
}

function hasEnded(job: JobRow): boolean {
  return job.finished_at !== null;
}

/** An attempt that never was, or one that retention has taken. */
async function missing(deps: ApiDeps, caller: Caller, id: string, attempt: number | undefined) {
  if (attempt === undefined) return notFound("job", id);
  const job = await jobRow(jobReader(deps, caller), id);
  return attempt <= job.attempt && hasEnded(job)
    ? removedByRetention("This attempt", deps.engine.keeping.retention.dispatchDays)
    : notFound("such attempt of job", id);
}
