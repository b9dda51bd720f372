/** `/board/live`: what the board shows, as events in JSON, for boards of somebody's own. */
import { z } from "zod";
import { createLiveEvents, LIVE_TOPICS } from "../../web/live_json.ts";
import { orgIdOf } from "../lookup.ts";
import { type Route, route } from "../route.ts";

const TOPIC_LIST = new RegExp(`^(${LIVE_TOPICS.join("|")})(,(${LIVE_TOPICS.join("|")}))*$`);
const topicsParam = z
  .string()
  .regex(TOPIC_LIST, `must be some of ${LIVE_TOPICS.join(", ")}, separated by commas`)
  .optional()
  .describe(`Some of ${LIVE_TOPICS.join(", ")}, separated by commas; all where not said`);

const live = route({
  method: "get",
  path: "/board/live",
  tag: "Board",
  summary: "What changes, as it changes",
  description:
    "Server-sent events: `snapshot` {topic: rows}, `job`, `queue`, `worker`, `counters`, `resync` (what " +
    "you had is too old; a snapshot follows), `ping`. `Last-Event-ID` goes on where you were.",
  query: z.strictObject({ topics: topicsParam, org: z.string().max(63).optional() }),
  answers: {
    200: { description: "Events", contentType: "text/event-stream", schema: z.string() },
  },
  handle: async ({ query, request, deps }) => {
    if (query.org !== undefined) await orgIdOf(deps, query.org);
    const { hub, database, engine } = deps;
    const answer = createLiveEvents({
      live: hub,
      reads: database.reads,
      names: engine.names,
      now: () => engine.now(),
    });
    return answer(request);
  },
});

export const liveRoutes: readonly Route[] = [live];
