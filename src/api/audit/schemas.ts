import { z } from "zod";
import { parseInstant } from "../../web/audit/filter.ts";
import type { AuditRow } from "../../web/audit/rows.ts";
import { cursorParam, NUMBER } from "../cursor.ts";
import { time } from "../jobs/schemas.ts";
import { limitParam } from "../query.ts";

const change = {
  id: z.string().describe("Grows with time"),
  at: time,
  actor: z.string().describe("A person, a token or `admin`, as it was called then"),
  action: z.string().describe("Thing and verb: `queue.pause`"),
  object_kind: z.string(),
  object_id: z.string().describe("Id or name of what it was done to"),
  reason: z.string().nullable(),
  affected: z.int().nullable().describe("Rows that it changed, where they may be many"),
  before: z.unknown().describe("What was changed, as it was"),
  after: z.unknown(),
};

export const jobChange = z.object(change).meta({ id: "JobChange" });

export const auditEntry = z
  .object({
    ...change,
    org: z.string().nullable().describe("Null: of the whole instance"),
    person: z.string().nullable().describe("Id of the person; null for the admin token"),
    token: z.string().nullable().describe("Id of the API token, where it was one"),
    address: z.string().nullable().describe("The peer's, as far as the server knew it"),
  })
  .meta({ id: "AuditEntry" });

export function changeView(row: AuditRow): z.infer<typeof jobChange> {
  const { actor, action, object_kind, object_id, reason, affected, before, after } = row;
  const what = { actor, action, object_kind, object_id, reason, affected, before, after };
  return { id: String(row.id), at: row.at.toISOString(), ...what };
}

export function entryView(row: AuditRow): z.infer<typeof auditEntry> {
  const { org, person_id, token_id, address } = row;
  return { ...changeView(row), org, person: person_id, token: token_id, address };
}

const TEXT_MAX = 256;
const text = (what: string) => z.string().min(1).max(TEXT_MAX).optional().describe(what);
const instant = (what: string) =>
  z
    .string()
    .transform((value, ctx) => {
      const at = parseInstant(value);
      if (at !== null) return at;
      const message = "must be a time as in RFC 3339, such as 2026-11-21T14:02:00Z";
      ctx.addIssue({ code: "custom", message });
      return z.NEVER;
    })
    .optional()
    .describe(what)
    .meta({ override: { type: "string", format: "date-time" } });

export const FORMATS = ["json", "csv", "ndjson"] as const;
export type ExportFormat = Exclude<(typeof FORMATS)[number], "json">;

export const auditFields = {
  actor: text("Part of a name, or a whole person id, token id or address"),
  action: text("`queue.pause`, or `queue` for all that is done to queues"),
  object_kind: text("Such as `job`, `queue`, `worker`"),
  object_id: text("With `object_kind`: the timeline of one object"),
  from: instant("Not before this time"),
  to: instant("Before this time"),
  format: z
    .enum(FORMATS)
    .optional()
    .describe("`csv` and `ndjson` give all that matches at once, newest first"),
  cursor: cursorParam(NUMBER),
  limit: limitParam,
};
export const auditQuery = z.strictObject(auditFields);
export const allAuditQuery = z.strictObject({ ...auditFields, org: text("Only of this one") });
export type AuditQuery = z.infer<typeof auditQuery>;
