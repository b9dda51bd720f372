/** What a job waits for and what waits for it, as far as a page shows it. */
import type { EndSpan } from "../../core/ids.ts";
import type { JobState } from "../../core/job_state.ts";
import type { Sql } from "../../db/client.ts";
import { inLikelyDays } from "../../db/likely_ends.ts";

export interface Edge {
  /** Of the other job. */
  id: string;
  satisfied: boolean;
}

export interface NeighbourRow extends Edge {
  name: string;
  state: JobState;
}

export interface Neighbours {
  dependencies: NeighbourRow[];
  dependents: NeighbourRow[];
  moreDependencies: boolean;
  moreDependents: boolean;
}

const NEIGHBOURS_MAX = 50;

/** No statement where there are no edges, which is most jobs. Jobs that retention has dropped are left out. */
export async function readNeighbours(
  reads: Sql,
  edges: { dependencies: readonly Edge[]; dependents: readonly Edge[] },
): Promise<Neighbours> {
  const [dependencies, dependents] = await Promise.all([
    readSide(reads, edges.dependencies),
    readSide(reads, edges.dependents),
  ]);
  return {
    dependencies: dependencies.slice(0, NEIGHBOURS_MAX),
    dependents: dependents.slice(0, NEIGHBOURS_MAX),
    moreDependencies: dependencies.length > NEIGHBOURS_MAX,
    moreDependents: dependents.length > NEIGHBOURS_MAX,
  };
}

/**
 * Unfinished ones first: those are what somebody waits for. By their ids the planner knows which days are meant;
 * found from their edges within the statement, they might be of any.
 */
async function readSide(reads: Sql, edges: readonly Edge[]): Promise<NeighbourRow[]> {
  if (edges.length === 0) return [];
  const ids = edges.map((edge) => edge.id);
  const rows = await inLikelyDays(
    ids,
    (ends) => readStates(reads, ids, ends),
    (found) => found.every(({ state }) => state !== "created"),
  );
  const satisfied = new Map(edges.map((edge) => [edge.id, edge.satisfied]));
  return rows.map((row) => ({ ...row, satisfied: satisfied.get(row.id)! }));
}

async function readStates(
  reads: Sql,
  ids: readonly string[],
  { since, until }: EndSpan,
): Promise<Omit<NeighbourRow, "satisfied">[]> {
  return await reads<Omit<NeighbourRow, "satisfied">[]>`
    select j.id, n.name, coalesce(l.state, e.state, 'created') as state
    from job j
    join job_name n on n.id = j.name_id
    left join live_job l on l.id = j.id
    left join lateral (
      select e.state from job_end e
      where e.job_id = j.id and l.id is null and e.finished_at >= ${since} and e.finished_at < ${until}
      order by e.finished_at desc limit 1) e on true
    where j.id = any(${ids as string[]}::uuid[])
    order by l.id is null, n.name, j.id limit ${NEIGHBOURS_MAX + 1}`;
}
