/**
 * Who may use a route, as what its `allow` says. It runs before the body is read and before an
 * `Idempotency-Key` is looked up: an answer that was kept is none for somebody who may not ask any more.
 */
import { seenFleet } from "../accounts/asked_orgs.ts";
import { type Ability, seenOrgs } from "../core/scope.ts";
import type { Sql } from "../db/client.ts";
import { andOfFleet, andOfOrgs } from "../db/org_filter.ts";
import { readOperation } from "../web/jobs/operation.ts";
import { orgOfJob } from "../web/whose_job.ts";
import type { ApiDeps, Caller } from "./deps.ts";
import { notFound, orgOf, requireIn, requireSuperuser } from "./lookup.ts";

export interface Asking<P> {
  params: P;
  caller: Caller;
  deps: ApiDeps;
}

type Id = { id: string };

export const superusersOnly = ({ caller }: Asking<unknown>) => requireSuperuser(caller.scope);

export const inOrg =
  (ability: Ability) =>
  ({ params, caller, deps }: Asking<{ org: string }>) =>
    orgOf(deps, caller, params.org, ability);

export const onJob =
  (ability: Ability) =>
  async ({ params, caller, deps }: Asking<Id>) => {
    const org = await orgOfJob(deps.database.reads, params.id, seenOrgs(caller.scope));
    if (org === null) throw notFound("job", params.id);
    requireIn(deps, caller, org, ability);
  };

export const onWorkflow =
  (ability: Ability) =>
  async ({ params, caller, deps }: Asking<Id>) => {
    const sql: Sql = deps.database.reads;
    const [row] = await sql`
      select w.org_id from workflow w
      where w.id = ${params.id} ${andOfOrgs(sql, sql`w.org_id`, seenOrgs(caller.scope))}`;
    if (row === undefined) throw notFound("workflow", params.id);
    requireIn(deps, caller, row.org_id as number, ability);
  };

export const onOperation =
  (ability: Ability) =>
  async ({ params, caller, deps }: Asking<Id>) => {
    const row = await readOperation(deps.database.reads, params.id, seenOrgs(caller.scope));
    if (row === null) throw notFound("operation", params.id);
    requireIn(deps, caller, row.org_id, ability);
  };

/** Those that all share belong to the instance. */
export const onWorker =
  (ability: Ability) =>
  async ({ params, caller, deps }: Asking<Id>) =>
    requireIn(deps, caller, await orgOfWorker({ params, caller, deps }), ability);

/** In a slot of a worker that all share each may stop the jobs that are theirs: the handler asks whose. */
export const onSlot = async (asking: Asking<Id>) => {
  const org = await orgOfWorker(asking);
  if (org !== null) requireIn(asking.deps, asking.caller, org, "operate");
};

async function orgOfWorker({ params, caller, deps }: Asking<Id>): Promise<number | null> {
  const sql: Sql = deps.database.reads;
  const fleet = seenFleet(caller.scope);
  const [row] = await sql`
    select c.org_id from worker w join worker_connection c on c.worker_id = w.id
    where w.uid = ${params.id} and c.ended_at is null ${andOfFleet(sql, sql`c.org_id`, fleet)}
    order by c.id desc limit 1`;
  if (row === undefined) throw notFound("connected worker", params.id);
  return row.org_id as number | null;
}
