/** Every page of a board by a name for its picture. */
import { boardPages } from "../../../src/pages/all_pages.ts";
import { Client } from "../../../src/sdk/signalbox.ts";
import type { ShownBoard } from "./boards.ts";

const SEARCH = "/board/jobs?q=state%3Afailed";
const BULK = "/board/jobs/bulk?do=cancel-all&q=";
const STATES = ["running", "succeeded", "failed", "queued", "ready", "created"] as const;

/** Pages of the navigation, and of a job in each state, a worker and an organization where there is one. */
export async function shownPages({ url, token }: ShownBoard): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for (const { id, nav } of boardPages) if (nav) pages.set(id, nav.href);
  for (const tab of ["longest", "ram"])
    pages.set(`rankings-${tab}`, `/board/jobs?tab=${tab}&range=30d`);
  pages.set("jobs-search", SEARCH);
  for (const tab of ["schedules", "workers"])
    pages.set(`service-${tab}`, `/board/service?tab=${tab}`);
  pages.set("service-new-schedule", "/board/service/schedules/new");
  pages.set("alerts-channels", "/board/alerts/channels");
  pages.set("alerts-new-channel", "/board/alerts/channels/new");
  pages.set("service-stop-all", "/board/service/confirm?do=stop-all");
  for (const id of ["throughput", "durations", "workers"]) {
    pages.set(`${id}-30d`, `${pages.get(id)}?range=30d`);
  }
  const client = new Client({ url, token });
  const headers = { authorization: `Bearer ${token}` };
  const orgs = await (await fetch(`${url}/api/v1/orgs`, { headers })).json();
  for (const { name } of orgs.items as { name: string }[]) {
    pages.set("org", `/board/orgs/${name}`);
    const own = new Client({ url, token, org: name });
    pages.set("bulk", `${BULK}&org=${name}`);
    const [queue] = await own.queues();
    if (queue) pages.set("service-queue", `/board/service/queue?org=${name}&queue=${queue.name}`);
    const [schedule] = await own.schedules.list();
    if (schedule) pages.set("service-schedule", `/board/service/schedules/${schedule.id}`);
    const ofOrg = `org=${name}`;
    pages.set("alerts-rule", `/board/alerts/rules/BackgroundJobFailing?${ofOrg}`);
    const [job] = (await own.jobsPage({}, { pageSize: 1 })).items;
    if (job) {
      const asked = new URLSearchParams({ org: name, name: job.name });
      pages.set("alerts-rule-name", `/board/alerts/rules/BackgroundJobNotRunning?${asked}`);
      pages.set("background-expected", `/board/background/expected?${asked}`);
    }
    const path = `${url}/api/v1/orgs/${name}/alert-channels`;
    const channels = await (await fetch(path, { headers })).json();
    for (const { id } of channels.items as { id: string }[]) {
      pages.set("alerts-channel", `/board/alerts/channels/${id}?${ofOrg}`);
      pages.set("alerts-delete-channel", `/board/alerts/channels/${id}/delete?${ofOrg}`);
    }
    for (const state of STATES) {
      const [job] = (await own.jobsPage({ state: [state] }, { pageSize: 1 })).items;
      if (job) pages.set(`job-${state}`, `/board/jobs/${job.id}`);
    }
  }
  const [worker] = await client.workers();
  if (worker) pages.set("worker", `/board/workers/${worker.id}`);
  pages.set("not-found", "/board/nowhere");
  return pages;
}
