/** What touches many rows: how far it is. */
import { z } from "zod";
import { seenOrgs } from "../core/scope.ts";
import { andOfOrgs } from "../db/org_filter.ts";
import { time } from "./jobs/schemas.ts";
import { iso } from "./jobs/view.ts";
import { notFound } from "./lookup.ts";
import { idParams } from "./query.ts";
import { ok, type Route, route } from "./route.ts";

const operation = z
  .object({
    id: z.uuid(),
    org: z.string().nullable(),
    kind: z.string(),
    state: z.enum(["running", "done", "failed", "undone"]),
    affected: z.int().min(0).describe("Rows that matched when it began"),
    done: z.int().min(0),
    filter: z.record(z.string(), z.unknown()),
    reason: z.string().nullable(),
    actor: z.string().nullable(),
    error: z.string().nullable(),
    created_at: time,
    finished_at: time.nullable(),
  })
  .meta({ id: "Operation" });

interface OperationRow extends Omit<z.infer<typeof operation>, "created_at" | "finished_at"> {
  created_at: Date;
  finished_at: Date | null;
}

const show = route({
  method: "get",
  path: "/operations/{id}",
  tag: "Operations",
  summary: "Progress of something that touches many rows",
  params: idParams,
  answers: { 200: { description: "The operation", schema: operation } },
  handle: async ({ params, caller, deps }) => {
    const sql = deps.database.reads;
    const seen = andOfOrgs(sql, sql`p.org_id`, seenOrgs(caller.scope));
    const [row] = (await sql`
      select p.id, o.name as org, p.kind, p.state, p.affected, p.done, p.filter, p.reason, p.actor,
        p.error, p.created_at, p.finished_at
      from operation p left join org o on o.id = p.org_id
      where p.id = ${params.id} ${seen}`) as unknown as OperationRow[];
    if (row === undefined) throw notFound("operation", params.id);
    return ok({
      ...row,
      created_at: row.created_at.toISOString(),
      finished_at: iso(row.finished_at),
    });
  },
});

export const operationRoutes: readonly Route[] = [show];
