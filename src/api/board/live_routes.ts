/** `/board/live`: what the board shows, as events in JSON, for boards of somebody's own. */
import { z } from "zod";
import { createLiveEvents, isForStrangers, LIVE_TOPICS } from "../../web/live/json.ts";
import { requireCounted } from "../lookup.ts";
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
  forStrangers: isForStrangers,
  tag: "Board",
  summary: "What changes, as it changes",
  description:
    "Server-sent events: `snapshot` {topic: rows}, `job`, `queue`, `worker`, `counters`, `resync` (what " +
    "you had is too old; a snapshot follows), `fleet` (how many workers there are), `ping`. " +
    "`Last-Event-ID` goes on where you were. Strangers may ask for `topics=counters`.",
  query: z.strictObject({ topics: topicsParam, org: z.string().max(63).optional() }),
  answers: {
    200: { description: "Events", contentType: "text/event-stream", schema: z.string() },
  },
  handle: async ({ query, caller, request, deps }) => {
    if (query.org !== undefined) requireCounted(deps, caller, query.org);
    const { hub, database, engine, directory } = deps;
    const answer = createLiveEvents({
      live: hub,
      reads: database.reads,
      names: engine.names,
      directory,
      now: () => engine.now(),
    });
    return answer(request, caller);
  },
});

export const liveRoutes: readonly Route[] = [live];
