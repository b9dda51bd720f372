/** What touches many rows: how far it is, and how it is undone. */
import { z } from "zod";
import { seenOrgs } from "../core/scope.ts";
import {
  canUndo,
  OPERATION_STATES,
  type OperationRow,
  readOperation,
} from "../web/jobs/operation.ts";
import { type Asking, onOperation } from "./allowed.ts";
import { reasonInput, time } from "./jobs/schemas.ts";
import { iso } from "./jobs/view.ts";
import { notFound } from "./lookup.ts";
import { ApiProblem } from "./problem.ts";
import { idParams } from "./query.ts";
import { ok, type Route, route } from "./route.ts";

const operation = z
  .object({
    id: z.uuid(),
    org: z.string().nullable(),
    kind: z.string(),
    state: z
      .enum(OPERATION_STATES)
      .describe("`undone`: called off before it began; `stopped`: on its way, `done` stays done"),
    affected: z.int().min(0).describe("Rows that matched when it was asked for"),
    done: z.int().min(0),
    can_undo: z.boolean(),
    filter: z.record(z.string(), z.unknown()).describe("`q`: as a search"),
    reason: z.string().nullable(),
    actor: z.string().nullable(),
    error: z.string().nullable(),
    created_at: time,
    starts_at: time.describe("Nothing happens before"),
    finished_at: time.nullable(),
  })
  .meta({ id: "Operation" });

const answer = (description: string) => ({ description, schema: operation });

const show = route({
  method: "get",
  path: "/operations/{id}",
  tag: "Operations",
  summary: "Progress of something that touches many rows",
  params: idParams,
  answers: { 200: answer("The operation") },
  handle: async (asking) => ok(operationView(await seenOperation(asking))),
});

const undo = route({
  method: "post",
  path: "/operations/{id}/undo",
  tag: "Operations",
  summary: "Call an operation off, or stop it",
  description:
    "Before it begins (`starts_at`) it is undone whole. After that it is stopped: what has been done stays, " +
    "the rest is left alone, and `done` says how much it was. 409 once it is over, and for the cancel of a " +
    "workflow.",
  allow: onOperation("operate"),
  params: idParams,
  body: reasonInput,
  bodyOptional: true,
  answers: { 200: answer("The operation as it is now") },
  handle: async ({ params, body, caller, deps }) => {
    const result = await deps.engine.bulk.undo(params.id, caller.author, body.reason);
    if (!result.ok) throw new ApiProblem(result.code, result.reason);
    return ok(operationView(await seenOperation({ params, caller, deps })));
  },
});

export const operationRoutes: readonly Route[] = [show, undo];

async function seenOperation({ params, caller, deps }: Asking<{ id: string }>) {
  const row = await readOperation(deps.database.reads, params.id, seenOrgs(caller.scope));
  if (row === null) throw notFound("operation", params.id);
  return row;
}

function operationView({ org_id: _, begun: __, ...row }: OperationRow) {
  return {
    ...row,
    can_undo: canUndo(row),
    created_at: row.created_at.toISOString(),
    starts_at: row.starts_at.toISOString(),
    finished_at: iso(row.finished_at),
  };
}
