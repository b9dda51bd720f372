/** How this server, its database and its upkeep are: the figures of the page of system health. */
import { z } from "zod";
import { readHealth } from "../../web/health/read_health.ts";
import { superusersOnly } from "../allowed.ts";
import { time } from "../jobs/schemas.ts";
import { ok, type Route, route } from "../route.ts";

const figure = z.number().min(0);
const count = z.int().min(0);

const health = z
  .object({
    uptime_seconds: count.describe("Of the process that answers"),
    process: z.object({
      runtime: z.string(),
      resident_memory_bytes: figure,
      heap_bytes: figure,
      cpu_seconds_total: figure,
      event_loop_delay_ms: figure
        .nullable()
        .describe("Longest wait of the last minute; null: not measured yet"),
    }),
    database: z.object({
      version: z.string(),
      size_bytes: figure,
      connections: z.array(z.object({ application: z.string(), state: z.string(), count })),
      connections_max: count,
    }),
    rollups: z.object({
      lag_seconds: z.number().nullable().describe("Since they were last computed; null: never yet"),
      waiting_minutes: count.describe("Minutes of history that are not in them yet"),
    }),
    servers: z
      .array(
        z.object({
          id: z.string(),
          address: z.string(),
          started_at: time,
          seen_at: time,
          alive: z.boolean(),
        }),
      )
      .describe("The latest first"),
  })
  .meta({ id: "Health" });

const show = route({
  method: "get",
  path: "/board/health",
  tag: "Board",
  summary: "How this server, its database and its upkeep are",
  description:
    "What is stored, draining and clean-ups: `/admin/storage`, `/admin/draining`, `/admin/tasks`.",
  allow: superusersOnly,
  answers: { 200: { description: "As it is now", schema: health } },
  handle: async ({ deps }) => ok(await readHealth(deps.database.reads)),
});

export const healthRoutes: readonly Route[] = [show];
