/** What a walk goes along: the smallest that can hold the answer, in id order by an index. */

import type { OrgFilter } from "../../core/scope.ts";
import type { Criteria } from "../../core/search/criteria.ts";
import { plainArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import type { Binder } from "./binder.ts";
import type { Place } from "./step.ts";

export type Source =
  | { kind: "all" }
  | { kind: "live" }
  | { kind: "leased" }
  | { kind: "workflow"; id: string }
  | { kind: "ids"; ids: readonly string[] };

interface Chunk {
  /** Common table expressions; the last is called `chunk`. */
  text: string;
  /** How many rows were looked at, and where to go on. */
  scanned: string;
  last: string;
}

/** From `job`: of each organization for itself, as its index is in id order there only. */
export function chunkOfJobs(
  binder: Binder,
  criteria: Criteria,
  orgs: OrgFilter,
  place: Place,
): Chunk {
  const isOlder = place.direction === "older";
  const [order, reached] = isOlder ? ["desc", "min"] : ["asc", "max"];
  const readsPayload = criteria.all.some(({ any }) => any[0]?.on === "payload");
  const columns = `j.id, j.org_id, j.queue_id, j.name_id, j.created_at, j.priority, j.tags
    ${readsPayload ? ", j.payload" : ""}`;
  const [below, above] = [binder.add(place.below), binder.add(place.above)];
  const between = `j.id < ${below}::uuid and j.id > ${above}::uuid`;
  // Along its own index, which this order asks for where the planner takes no organization for fixed: by the
  // key of all jobs, others' newest ones would be walked past, however many they are.
  const within = (org: string) =>
    `j.org_id = any(array[${org}]) and ${between} order by j.org_id ${order}, j.id ${order}`;
  if (orgs === "all" || orgs.length === 1) {
    const limit = `${binder.add(place.chunk)}::int`;
    const own =
      orgs === "all" ? `${between} order by j.id ${order}` : within(`${binder.add(orgs[0]!)}::int`);
    return {
      text: `chunk as materialized (select ${columns} from job j where ${own} limit ${limit})`,
      scanned: "(select count(*)::int from chunk)",
      last: `(select case when count(*) >= ${limit} then ${reached}(id::text) end from chunk)`,
    };
  }
  // Each gets its part; what lies beyond the shortest of those that have more waits for the next step.
  const part = `${binder.add(Math.max(1, Math.floor(place.chunk / Math.max(1, orgs.length))))}::int`;
  return {
    text: `part as materialized (
        select j.* from unnest(${binder.add(plainArray(orgs))}::int[]) as o(org)
        cross join lateral (select ${columns} from job j
          where ${within("o.org")} limit ${part}) j),
      edge as materialized (
        select ${isOlder ? "max" : "min"}(x.reached)::uuid as id from (
          select ${reached}(id::text) as reached from part group by org_id having count(*) >= ${part}) x),
      chunk as materialized (
        select part.* from part, edge
        where edge.id is null or part.id ${isOlder ? ">=" : "<="} edge.id)`,
    scanned: "(select count(*)::int from part)",
    last: "(select id::text from edge)",
  };
}

/** Ids of what is smaller than all jobs; of `live`, of all organizations. */
export async function idsOf(
  sql: Sql | Transaction,
  source: Exclude<Source, { kind: "all" }>,
  orgs: OrgFilter,
  place: Place,
): Promise<string[]> {
  const { above, below, chunk } = place;
  const order = place.direction === "older" ? "desc" : "asc";
  const end = (table: string) => `order by ${table}.id ${order} limit $3::int`;
  const params: (string | number)[] = [below, above, chunk];
  const read = async (text: string) => {
    const rows = await sql.unsafe(text, params, { prepare: true });
    return rows.map((row) => row.id as string);
  };
  switch (source.kind) {
    case "ids": {
      const wanted = source.ids.filter((id) => id < below && id > above).sort();
      return (order === "asc" ? wanted : wanted.reverse()).slice(0, chunk);
    }
    case "live":
      return read(`select id::text as id from live_job
        where id < $1::uuid and id > $2::uuid ${end("live_job")}`);
    case "leased": {
      const own = orgs === "all" ? "" : "and l.org_id = any($4::int[])";
      if (orgs !== "all") params.push(plainArray(orgs));
      // As many as there are busy slots: all are read.
      return read(`select l.id::text as id from (select * from leased_job offset 0) l
        where l.id < $1::uuid and l.id > $2::uuid ${own} ${end("l")}`);
    }
    case "workflow":
      params.push(source.id);
      // Fenced: all of a workflow's, and never all jobs of the span in search of this workflow's.
      return read(`select x.id::text as id from (
          select distinct m.job_id as id from (
            select job_id from workflow_job where workflow_id = $4::uuid offset 0) m
          where m.job_id < $1::uuid and m.job_id > $2::uuid) x ${end("x")}`);
  }
}
