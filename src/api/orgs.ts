/** Organizations, and the switch that drains the whole instance. */
import { z } from "zod";
import { cursorParam, encodeCursor, listOf, NUMBER } from "./cursor.ts";
import { time } from "./jobs/schemas.ts";
import { limitParam } from "./query.ts";
import { ok, type Route, route } from "./route.ts";

const LIST_DEFAULT = 100;
const org = z.object({ name: z.string(), created_at: time }).meta({ id: "Org" });

const list = route({
  method: "get",
  path: "/orgs",
  tag: "Instance",
  summary: "Organizations",
  query: z.strictObject({ cursor: cursorParam(NUMBER), limit: limitParam }),
  answers: { 200: { description: "A page of organizations", schema: listOf(org) } },
  handle: async ({ query, deps }) => {
    const limit = query.limit ?? LIST_DEFAULT;
    const rows = (await deps.database.reads`
      select id, name, created_at from org where id > ${Number(query.cursor ?? 0)}
      order by id limit ${limit + 1}`) as unknown as {
      id: number;
      name: string;
      created_at: Date;
    }[];
    const page = rows.slice(0, limit);
    return ok({
      items: page.map(({ name, created_at }) => ({ name, created_at: created_at.toISOString() })),
      next_cursor: rows.length > limit ? encodeCursor(String(page.at(-1)!.id)) : null,
    });
  },
});

const draining = route({
  method: "post",
  path: "/admin/draining",
  tag: "Instance",
  summary: "While draining, nothing is dispatched on any server",
  body: z.strictObject({ enabled: z.boolean() }),
  answers: { 200: { description: "As it is now", schema: z.object({ enabled: z.boolean() }) } },
  handle: async ({ body, caller, deps }) => {
    await deps.engine.setDraining(body.enabled, caller.author);
    return ok({ enabled: body.enabled });
  },
});

export const orgRoutes: readonly Route[] = [list, draining];
