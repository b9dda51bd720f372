/** What is true of job names in the whole database, for Prometheus: told by one server at a time. */
import { SYSTEM_ORG, SYSTEM_ORG_ID } from "../core/background/system_org.ts";
import type { Sql } from "../db/client.ts";
import { READY_NAMES } from "../db/statements/rollups/samples.ts";
import type { ExpectedName } from "./expected_names.ts";
import { head, type Labels, line, OTHER } from "./exposition.ts";

const prepared = { prepare: true };

export async function gaugeLines(reads: Sql, expected: ExpectedName[]): Promise<string[]> {
  const [runs, ready] = await Promise.all([readLastRuns(reads), readQueues(reads)]);
  const at = (labels: Labels, value: number | null) => ({ labels, value });
  const paces = expected.map((one) => ({ labels: [one.org, one.name] as Labels, ...one }));
  return [
    ...gauge(
      "job_last_success_timestamp_seconds",
      "When a run of this name ended well last; a name that never did has no line",
      runs.map(({ labels, success }) => at(labels, success)),
    ),
    ...gauge(
      "job_last_failure_timestamp_seconds",
      "When a run of this name failed last; a name that never did has no line",
      runs.map(({ labels, failure }) => at(labels, failure)),
    ),
    ...gauge(
      "job_queue_size",
      "Jobs that are ready and wait for a slot",
      ready.map(({ labels, n }) => at(labels, n)),
    ),
    ...gauge(
      "job_expected_interval_seconds",
      "How often this name is to run now; +Inf: nothing is due. A name of which nothing says it has no line",
      paces.map(({ labels, intervalSeconds }) => at(labels, intervalSeconds)),
    ),
    ...gauge(
      "job_expected_grace_seconds",
      "How late a success of it may be besides",
      paces.map(({ labels, graceSeconds }) => at(labels, graceSeconds)),
    ),
    ...gauge(
      "job_expected_since_timestamp_seconds",
      "When it was said that it is to run so often: no success is waited for since before",
      paces.map(({ labels, sinceSeconds }) => at(labels, sinceSeconds)),
    ),
  ];
}

function gauge(
  name: string,
  help: string,
  values: readonly { labels: Labels; value: number | null }[],
): string[] {
  const lines = values.flatMap(({ labels, value }) =>
    value === null ? [] : [line(name, labels, value)],
  );
  return [...head(name, "gauge", help), ...lines];
}

interface LastRuns {
  labels: Labels;
  success: number | null;
  failure: number | null;
}

async function readLastRuns(reads: Sql): Promise<LastRuns[]> {
  const rows = await reads<({ org: string; name: string } & Omit<LastRuns, "labels">)[]>`
    select case r.org_id when ${SYSTEM_ORG_ID} then ${SYSTEM_ORG} else o.name end as org, n.name,
      extract(epoch from r.last_success_at)::float8 as success,
      extract(epoch from r.last_failure_at)::float8 as failure
    from name_run r join job_name n on n.id = r.name_id left join org o on o.id = r.org_id
    where n.name <> ${OTHER} and (o.id is not null or r.org_id = ${SYSTEM_ORG_ID})
    order by 1, 2`;
  return rows.map(({ org, name, ...runs }) => ({ labels: [org, name], ...runs }));
}

async function readQueues(reads: Sql): Promise<{ labels: Labels; n: number }[]> {
  const rows = await reads.unsafe<{ org: string; name: string; n: number }[]>(
    `select o.name as org, coalesce(n.name, '${OTHER}') as name, sum(r.ready)::float8 as n
     from (${READY_NAMES}) r join org o on o.id = r.org_id left join job_name n on n.id = r.name_id
     group by 1, 2 order by 1, 2`,
    [],
    prepared,
  );
  return rows.map(({ org, name, n }) => ({ labels: [org, name], n }));
}
