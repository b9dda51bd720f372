/**
 * What rollups are made from: a row for each metric of each event and each ended attempt, as SQL.
 * `$1` and `$2` bound the time: whole minutes, from and to.
 */
import { SYSTEM_ORG_ID } from "../../../core/background/system_org.ts";
import {
  CATALOGUE,
  DURATION_BANDS,
  FIRST_BAND_ID,
  FIRST_RULE_ID,
  knownMetric,
  SCORE_ID,
} from "../../../core/metrics/catalogue.ts";
import { RULES, RULES_VERSION } from "../../../core/scoring/score.ts";

const id = (key: string) => knownMetric(key).id;

/** Milliseconds between two moments, never negative. */
const between = (from: string, to: string) =>
  `greatest(0, extract(epoch from ${to} - ${from}) * 1000)::float8`;

/** Of a cancel that was asked for, the state stays: such an event changes nothing. */
const EVENTS = `
select date_trunc('minute', e.at, 'UTC') as bucket, e.org_id, e.queue_id, e.name_id, e.worker_id,
  m.metric, m.value
from phase_event e cross join lateral (values
  (case e.state
     when 'queued' then case e.from_state when 'created' then ${id("jobs.created")} else ${id("jobs.retried")} end
     when 'dispatched' then ${id("jobs.dispatched")}
     when 'succeeded' then ${id("jobs.succeeded")}
     when 'failed' then ${id("jobs.failed")}
     when 'dependency_failed' then ${id("jobs.dependency_failed")}
     when 'cancelled' then ${id("jobs.cancelled")} end, null::float8),
  (case when e.outcome = 'lost' then ${id("jobs.lost")} end, null),
  (case when e.since is null then null when e.state = 'ready' then ${id("deps.wait_ms")}
     when e.state = 'dispatched' then ${id("dispatch.wait_ms")}
     when e.state = 'running' then ${id("start.latency_ms")} end, ${between("e.since", "e.at")})
) as m(metric, value)
where e.at >= $1 and e.at < $2 and e.from_state is distinct from e.state and m.metric is not null`;

const SUCCEEDED = "d.outcome = 'succeeded'";
const BAND = `${FIRST_BAND_ID} + width_bucket(d.run_ms, array[${DURATION_BANDS.join()}]::float8[])`;

/** What counts as a run that failed: of attempts whose worker was lost, those that had begun. */
export const RUN_FAILED =
  "(d.outcome in ('failed', 'timed_out') or d.outcome = 'lost' and d.started_at is not null)";

const ITEMS = (["success", "failed", "skipped"] as const)
  .map((one) => {
    const told = `d.items_${one}`;
    return `(case when ${told} is not null then ${id(`items.${one}`)} end, ${told}),`;
  })
  .join("\n  ");

/** An attempt that added jobs to its workflow was an evaluation. */
const EVALUATED = `exists (
  select from workflow_batch w where w.job_id = d.job_id and w.attempt = d.attempt offset 0)`;

const ATTEMPTS = `
select date_trunc('minute', d.ended_at, 'UTC'), d.org_id, d.queue_id, d.name_id, d.worker_id, m.metric, m.value
from dispatched_job d cross join lateral (values
  (case when ${SUCCEEDED} and d.run_ms is not null then ${id("jobs.duration_ms")} end, d.run_ms),
  (case when ${SUCCEEDED} and d.run_ms is not null then ${BAND} end, null),
  (case when d.peak_ram_mb is not null then ${id("usage.peak_ram_mb")} end, d.peak_ram_mb),
  (case when d.cpu_ms is not null then ${id("usage.cpu_ms")} end, d.cpu_ms),
  (case when coalesce(d.disk_read_bytes, d.disk_write_bytes) is not null then ${id("usage.disk_bytes")} end,
    coalesce(d.disk_read_bytes, 0) + coalesce(d.disk_write_bytes, 0)),
  (case when d.network_mbps is not null then ${id("usage.network_mbps")} end, d.network_mbps),
  (case when d.state_after = 'succeeded' and ${EVALUATED} then ${id("evals.completed")}
     when d.state_after in ('failed', 'cancelled') and ${EVALUATED} then ${id("evals.failed")} end, null),
  (case when ${RUN_FAILED} then ${id("runs.failed")} end, null),
  (case when ${RUN_FAILED} and d.run_ms is not null then ${id("runs.failed_ms")} end, d.run_ms),
  ${ITEMS}
  (case when d.score is not null then ${SCORE_ID} end, d.score)
) as m(metric, value)
where d.ended_at >= $1 and d.ended_at < $2 and m.metric is not null`;

/** Each beat's arrays are opened once. Scores by other rules than today's cannot be told by rule. */
const TERMS = `
select a.bucket, a.org_id, 0, 0, null::int, ${FIRST_RULE_ID} - 1 + t.place,
  d.terms[(a.beat_place - 1) * d.terms_each + t.place]
from (
  select date_trunc('minute', ended_at, 'UTC') as bucket, org_id, beat, beat_place
  from dispatched_job where ended_at >= $1 and ended_at < $2 and beat is not null) a
join decision d on d.beat = a.beat and d.rules_version = ${RULES_VERSION}
cross join generate_series(1, ${RULES.length}) as t(place)`;

/** Runs of maintenance are no jobs, and stand in nobody's sums: see `MINUTES`. */
const MAINTENANCE = `
select date_trunc('minute', d.ended_at, 'UTC'), ${SYSTEM_ORG_ID}, 0, d.name_id, null::int, m.metric, m.value
from maintenance_run d cross join lateral (values
  (case when ${SUCCEEDED} then ${id("jobs.succeeded")} else ${id("runs.failed")} end, null),
  (case when ${SUCCEEDED} then ${id("jobs.duration_ms")} else ${id("runs.failed_ms")} end, d.run_ms),
  ${ITEMS.replace(/,$/, "")}
) as m(metric, value)
where d.ended_at >= $1 and d.ended_at < $2 and m.metric is not null`;

export const RAW_ROWS = [EVENTS, ATTEMPTS, TERMS, MAINTENANCE].join(" union all ");

/** Who is named by them, in each minute. */
export const WORKERS = `
select distinct date_trunc('minute', at, 'UTC') as bucket, worker_id from phase_event
where at >= $1 and at < $2 and worker_id is not null
union
select distinct date_trunc('minute', ended_at, 'UTC'), worker_id from dispatched_job
where ended_at >= $1 and ended_at < $2 and worker_id is not null`;

const listed = CATALOGUE.filter((metric) => metric.source !== null);

/** Metrics that are kept for this grouping, as a list of ids. */
export function keptFor(grouping: string): string {
  const kept = listed.filter((metric) => metric.groupings.some((one) => one === grouping));
  return `array[${kept.map((metric) => metric.id).join()}]::smallint[]`;
}

/** Metrics whose bins are of one width. */
export const EQUAL_BINS = `array[${listed
  .filter((metric) => metric.binWidth !== undefined)
  .map((metric) => metric.id)
  .join()}]::smallint[]`;
