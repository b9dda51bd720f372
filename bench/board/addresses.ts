/** What is asked of each page: its ranges, its filters, its tabs, and things of the month by their ids. */
import type postgres from "postgres";
import { RANGE_NAMES } from "../../src/core/metrics/time_range.ts";

export interface Address {
  page: string;
  path: string;
  /** What only superusers open. */
  isReserved?: boolean;
}

interface Things {
  org: string;
  queue: string;
  name: string;
  jobs: string[];
  workers: string[];
}

const CHARTS = ["", "/throughput", "/scheduler", "/durations"] as const;
const FLEET = ["/workers", "/network", "/cache"] as const;
const TABS = ["longest", "ram", "cpu", "disk", "network"] as const;
const SEARCHES = [
  "",
  "state:failed",
  "state:ready",
  "state:succeeded name:{name}",
  "queue:{queue} state:failed",
  "name:{name} ended:<7d",
  "attempts:>1",
  "worker:forge*",
  "error:memory",
  "payload:nightly",
] as const;

const query = (words: Record<string, string>) =>
  new URLSearchParams(Object.entries(words).filter(([, value]) => value !== "")).toString();

export async function addressesOf(sql: postgres.Sql, org: string): Promise<Address[]> {
  const things = await thingsOf(sql, org);
  return [
    ...chartAddresses(things),
    ...jobAddresses(things),
    ...operatedAddresses(things),
    { page: "live", path: "/board/live" },
    { page: "live", path: `/board/live?${query({ org })}` },
    { page: "live", path: "/board/live?state=queued" },
    { page: "live", path: `/board/live?q=${things.name}` },
    { page: "health", path: "/board/health", isReserved: true },
    { page: "orgs", path: "/board/orgs" },
    { page: "orgs", path: `/board/orgs/${org}` },
    { page: "people", path: "/board/people", isReserved: true },
    { page: "audit", path: "/board/audit", isReserved: true },
  ];
}

function chartAddresses({ org, queue, name, workers }: Things): Address[] {
  const addresses: Address[] = [];
  const filters: Record<string, string>[] = [{}, { org }, { org, queue }, { org, name }];
  for (const range of RANGE_NAMES) {
    for (const path of CHARTS) {
      for (const filter of filters) {
        const page = path.slice(1) || "overview";
        addresses.push({ page, path: `/board${path}?${query({ range, ...filter })}` });
      }
    }
    for (const path of FLEET) {
      for (const filter of path === "/workers" ? filters.slice(0, 2) : filters.slice(0, 1)) {
        addresses.push({
          page: path.slice(1),
          path: `/board${path}?${query({ range, ...filter })}`,
        });
      }
    }
    for (const worker of workers) {
      addresses.push({ page: "worker", path: `/board/workers/${worker}?${query({ range })}` });
    }
    for (const tab of TABS) {
      addresses.push({ page: "rankings", path: `/board/jobs?${query({ tab, range })}` });
    }
  }
  return addresses;
}

function jobAddresses({ queue, name, jobs }: Things): Address[] {
  const searches = SEARCHES.map((words) => words.replace("{name}", name).replace("{queue}", queue));
  return [
    ...searches.map((q) => ({ page: "jobs", path: `/board/jobs?${query({ q })}` })),
    ...jobs.map((id) => ({ page: "job", path: `/board/jobs/${id}` })),
  ];
}

function operatedAddresses({ org, name }: Things): Address[] {
  const filters: Record<string, string>[] = [{}, { org }, { org, name }];
  const tabs: Record<string, string>[] = [{}, { tab: "schedules" }, { tab: "workers" }];
  return [
    ...RANGE_NAMES.flatMap((range) =>
      filters.map((filter) => ({
        page: "background",
        path: `/board/background?${query({ range, ...filter })}`,
      })),
    ),
    ...tabs.flatMap((tab) =>
      filters.slice(0, 2).map((filter) => ({
        page: "service",
        path: `/board/service?${query({ ...tab, ...filter })}`,
      })),
    ),
    { page: "alerts", path: "/board/alerts" },
    { page: "alerts", path: `/board/alerts?${query({ org })}` },
    { page: "alerts", path: "/board/alerts/rules/BackgroundJobFailing" },
  ];
}

/** The busiest queue and name, and jobs of every end, old and new. */
async function thingsOf(sql: postgres.Sql, org: string): Promise<Things> {
  const [busy] = await sql`
    select q.name as queue, n.name from (
      select queue_id, name_id from job_end where org_id = (select id from org where name = ${org})
      order by finished_at desc limit 1000) as recent
    join queue q on q.id = queue_id join job_name n on n.id = name_id
    group by 1, 2 order by count(*) desc limit 1`;
  const jobs = await sql`
    with own as (select id from org where name = ${org})
    (select job_id from job_end where attempt > 1 and org_id = (select id from own)
      order by finished_at desc limit 3) union all
    (select job_id from job_end where org_id = (select id from own) order by finished_at limit 3) union all
    (select m.job_id from workflow_job m join workflow w on w.id = m.workflow_id
      where w.org_id = (select id from own) order by m.job_id desc limit 3)`;
  const workers = await sql`select uid from worker order by id limit 2`;
  return {
    ...{ org, queue: busy!.queue, name: busy!.name },
    jobs: jobs.map(({ job_id: id }) => id),
    workers: workers.map(({ uid }) => uid),
  };
}
