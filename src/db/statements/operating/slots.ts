/** The slots of workers as an operator names them: by worker and number. */
import type { OrgFilter } from "../../../core/scope.ts";
import { plainArray } from "../../arrays.ts";
import type { Transaction } from "../../client.ts";

const prepared = { prepare: true };

/** What a slot holds. */
export interface HeldSlot {
  job: string;
  org: number;
  name: string;
  queue: string;
  attempt: number;
}

/** Two rows for a moment, where the job before has ended and that is not written yet: the newer one. */
const IN_SLOT = `
select l.id as job, l.org_id as org, n.name, q.name as queue, l.attempt
from worker w join worker_connection c on c.worker_id = w.id and c.ended_at is null
join leased_job l on l.holder = c.id
join job_name n on n.id = l.name_id join queue q on q.id = l.queue_id
where w.uid = $1 and l.slot = $2 order by l.dispatched_at desc, l.id limit 1`;

/** Null where it holds nothing. */
export async function readSlot(
  tx: Transaction,
  worker: string,
  slot: number,
): Promise<HeldSlot | null> {
  const [row] = await tx.unsafe(IN_SLOT, [worker, slot], prepared);
  return (row as unknown as HeldSlot | undefined) ?? null;
}

/** Jobs in slots of these organizations that nobody has asked to stop, by id from after `after`. */
export async function heldJobs(
  tx: Transaction,
  {
    orgs,
    requeue,
    after,
    limit,
  }: {
    orgs: OrgFilter;
    requeue: boolean;
    after: string;
    limit: number;
  },
): Promise<string[]> {
  const rows = await tx.unsafe(
    `select l.id from (select * from leased_job offset 0) l
     where ($1::int[] is null or l.org_id = any($1::int[])) and l.id > $2
       and (l.cancel_requested_at is null or (l.cancel_requeue and not $3::boolean))
     order by l.id limit $4::int`,
    [orgs === "all" ? null : plainArray(orgs), after, requeue, limit],
    prepared,
  );
  return rows.map((row) => row.id as string);
}

/** Of how many of these jobs each organization is. */
export async function orgsOf(
  tx: Transaction,
  jobs: string[],
): Promise<{ org: number; n: number }[]> {
  const rows = await tx.unsafe(
    `select org_id as org, count(*)::int as n from live_job where id = any($1::uuid[])
     group by 1 order by 1`,
    [plainArray(jobs)],
    prepared,
  );
  return rows as unknown as { org: number; n: number }[];
}
