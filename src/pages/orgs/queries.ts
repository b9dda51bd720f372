/** What the page of an organization reads for those who manage it. */
import type { Caller } from "../../accounts/caller.ts";
import type { Organization } from "../../accounts/directory.ts";
import type { BoardDeps } from "../../web/shell.ts";

const MEMBERS_MAX = 500;
const TOKENS_MAX = 200;
const WORKERS_MAX = 200;

export interface WorkerRow {
  uid: string;
  name: string;
  pool: string;
  isConnected: boolean;
  lastSeenAt: Date;
}

export type OrgFacts = Awaited<ReturnType<typeof readOrg>>;

export async function readOrg(deps: BoardDeps, caller: Caller, org: Organization) {
  const { members, invitations, tokens, workerTokens } = deps.accounts;
  const page = { before: null, limit: TOKENS_MAX };
  const [people, invited, apiTokens, ofWorkers, workers] = await Promise.all([
    members.list(org.id, { after: "", limit: MEMBERS_MAX }),
    invitations.list(org.id),
    tokens.list(caller, org, page),
    workerTokens.list(caller, org, page),
    readWorkers(deps, org.id),
  ]);
  return { people, invited, apiTokens, ofWorkers, workers };
}

/** Its own, not those that all share; the last seen first. */
async function readWorkers({ database }: BoardDeps, org: number): Promise<WorkerRow[]> {
  const rows = await database.reads<
    { uid: string; name: string; pool: string; connected: boolean; last_seen_at: Date }[]
  >`
    select w.uid, w.name, w.pool, w.last_seen_at, exists (
      select 1 from worker_connection c where c.worker_id = w.id and c.ended_at is null) as connected
    from worker w where w.org_id = ${org} order by w.last_seen_at desc limit ${WORKERS_MAX}`;
  return rows.map((row) => ({
    uid: row.uid,
    name: row.name,
    pool: row.pool,
    isConnected: row.connected,
    lastSeenAt: row.last_seen_at,
  }));
}
