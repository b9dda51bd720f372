/** A job's log: as text, with ranges, and live. */
import { z } from "zod";
import type { LogSlice } from "../../blobs/log_store.ts";
import { SSE_HEADERS } from "../../web/live/sse.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { removedByRetention } from "../gone.ts";
import { notFound } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { idParams, numberParam } from "../query.ts";
import { jobReader } from "../reader.ts";
import { type Route, route } from "../route.ts";
import { byteRange } from "./byte_range.ts";
import { type LogState, readLogState } from "./log_state.ts";
import { followLog, parsePosition } from "./log_stream.ts";
import { attemptParam } from "./schemas.ts";

const tag = "Jobs";
const TAIL_MAX = 100_000;
const logQuery = z.strictObject({
  attempt: attemptParam,
  tail: numberParam(0, TAIL_MAX).optional().describe("Only the last so many lines"),
});
const TEXT_HEADERS = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-store",
  "accept-ranges": "bytes",
};
const textAnswer = (description: string) => ({
  description,
  contentType: "text/plain",
  schema: z.string(),
});

const log = route({
  method: "get",
  path: "/jobs/{id}/log",
  tag,
  summary: "What an attempt wrote",
  description: "Standard output and error in the order they came. `Range: bytes=…` is honoured.",
  params: idParams,
  query: logQuery,
  answers: { 200: textAnswer("The log so far"), 206: textAnswer("The range") },
  handle: async ({ params, query, caller, request, deps }) => {
    const state = await findLog(deps, caller, params.id, query.attempt);
    const { attempt } = state;
    if (attempt === 0) return text(null);
    const size = await deps.logs.size(params.id, attempt);
    if (size === 0 && wasRemoved(state)) {
      throw removedByRetention("This log", deps.engine.keeping.retention.logsDays);
    }
    if (query.tail !== undefined) {
      return text(await deps.logs.read(params.id, attempt, { tailLines: query.tail }));
    }
    const range = byteRange(request.headers.get("range"), size);
    if (range === "unsatisfiable") {
      const headers = { "content-range": `bytes */${size}` };
      throw new ApiProblem("range_not_satisfiable", `The log has ${size} bytes.`, { headers });
    }
    return text(await deps.logs.read(params.id, attempt, range ?? {}), range !== null);
  },
});

const stream = route({
  method: "get",
  path: "/jobs/{id}/log/stream",
  tag,
  summary: "The log as it grows",
  description:
    "Server-sent events: `log` {attempt, offset, text}, `attempt` {attempt} where a further attempt " +
    "begins, `end` {attempt, state, outcome, exit_code, signal, reason}, and `ping`. Event ids are `ATTEMPT:OFFSET`; " +
    "`Last-Event-ID` goes on from there. Without `attempt` it follows the job to its end through " +
    "all attempts, with it only that one.",
  params: idParams,
  query: logQuery,
  answers: {
    200: { description: "Events", contentType: "text/event-stream", schema: z.string() },
  },
  handle: async ({ params, query, caller, request, deps }) => {
    const { attempt } = await findLog(deps, caller, params.id, query.attempt);
    const body = followLog(deps, caller, {
      job: params.id,
      attempt,
      only: query.attempt !== undefined,
      tailLines: query.tail,
      position: parsePosition(request.headers.get("last-event-id")),
    });
    return new Response(body, { headers: { ...SSE_HEADERS } });
  },
});

export const logRoutes: readonly Route[] = [log, stream];

/** The attempt that is meant; 0 where the job was never dispatched. Throws where it is none. */
async function findLog(deps: ApiDeps, caller: Caller, id: string, wanted: number | undefined) {
  const state = await readLogState(jobReader(deps, caller), id, wanted ?? null);
  if (state === null) throw notFound("job", id);
  if (wanted !== undefined && wanted > state.latest) throw notFound(`attempt ${wanted} of job`, id);
  return state;
}

/** It wrote something, or so long ago that nobody knows. */
function wasRemoved({ ended, logBytes, forgotten }: LogState): boolean {
  return ended && ((logBytes ?? 0) > 0 || forgotten);
}

function text(slice: LogSlice | null, partial = false): Response {
  if (slice === null) return new Response("", { headers: TEXT_HEADERS });
  const { from, to, size, body } = slice;
  return new Response(body, {
    status: partial ? 206 : 200,
    headers: {
      ...TEXT_HEADERS,
      "content-length": String(to - from),
      ...(partial ? { "content-range": `bytes ${from}-${to - 1}/${size}` } : {}),
    },
  });
}
