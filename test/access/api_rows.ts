/** The table of the API. */
import { eventually } from "../support/eventually.ts";
import { get, post, type Row, row, type Target } from "./rows.ts";
import { SCHEDULE_ROWS } from "./schedule_rows.ts";
import { jobOf, submit, V1, waitingOperation } from "./seed.ts";
import {
  COUNTED,
  EVERYBODY,
  MANAGE,
  OPERATE,
  READ,
  SIGNED_IN,
  SUBMIT,
  SUPERUSER,
} from "./verdicts.ts";

const O = `${V1}/orgs/:org`;
const J = `${V1}/jobs/:id`;
const W = `${V1}/workflows/:id`;

const ofOrg =
  (path: string) =>
  ({ of }: Target) => [get(`${V1}/orgs/${of.org}${path}`)];
const ofEveryJob =
  (path: string) =>
  ({ of }: Target) =>
    Object.values(of.jobs).map((id) => get(`${V1}/jobs/${id}${path}`));
const ENDED = ["succeeded", "failed", "cancelled", "dependency_failed"];

/** One that nothing happens to by itself. */
const waitingJob = ({ stage, of }: Target) => submit(stage, of, { queue: of.queue });

async function cancelledJob(target: Target): Promise<string> {
  const id = await waitingJob(target);
  await target.stage.ask("superuser", post(`${V1}/jobs/${id}/cancel`));
  return id;
}

async function freshWorkflow({ stage, of }: Target): Promise<string> {
  const { json } = await stage.ask("superuser", post(`${V1}/orgs/${of.org}/workflows`, flow(of)));
  return json.id;
}

const flow = (of: Target["of"]) => ({
  name: `${of.org}-workflow`,
  jobs: [{ key: "one", ...jobOf(of.org, { queue: of.queue }) }],
});
const nothing = (of: Target["of"]) => ({ filter: { name: `${of.org}-none` } });

const HEALTH: Row[] = [
  row("GET /healthz", EVERYBODY, () => [get("/healthz")]),
  row("GET /readyz", EVERYBODY, () => [get("/readyz")]),
  row("GET /openapi.json", EVERYBODY, () => [get("/openapi.json")]),
  row("GET /docs", EVERYBODY, () => [get("/docs")]),
  row("GET /docs.css", EVERYBODY, () => [get("/docs.css")]),
];

const JOBS: Row[] = [
  row(
    `POST ${O}/jobs`,
    SUBMIT,
    ({ of }) => [post(`${V1}/orgs/${of.org}/jobs`, jobOf(of.org))],
    201,
  ),
  row(
    `POST ${O}/jobs/bulk`,
    SUBMIT,
    ({ of }) => [post(`${V1}/orgs/${of.org}/jobs/bulk`, { jobs: [jobOf(of.org)] })],
    201,
  ),
  row(`GET ${O}/jobs`, READ, (target) => {
    const { of } = target;
    const queries = [
      "",
      "?state=running",
      "?state=failed&q=name",
      "?q=error:error+-queue:none",
      `?workflow=${of.workflow}`,
    ];
    return [...queries, `?worker=${of.worker.id}`].flatMap((q) => ofOrg(`/jobs${q}`)(target));
  }),
  row(`GET ${J}`, READ, ofEveryJob("")),
  row(`POST ${J}/cancel`, OPERATE, async (target) => [
    post(`${V1}/jobs/${await waitingJob(target)}/cancel`),
  ]),
  row(`POST ${J}/retry`, OPERATE, async (target) => [
    post(`${V1}/jobs/${await cancelledJob(target)}/retry`),
  ]),
  row(
    `POST ${O}/jobs/cancel`,
    OPERATE,
    ({ of }) => [post(`${V1}/orgs/${of.org}/jobs/cancel`, nothing(of))],
    202,
  ),
  row(
    `POST ${O}/jobs/retry`,
    OPERATE,
    ({ of }) => [post(`${V1}/orgs/${of.org}/jobs/retry`, nothing(of))],
    202,
  ),
  row(`GET ${J}/attempts`, READ, ofEveryJob("/attempts")),
  row(`GET ${J}/events`, READ, ofEveryJob("/events")),
  row(`GET ${J}/explain`, READ, ofEveryJob("/explain")),
  row(`GET ${J}/log`, READ, ofEveryJob("/log")),
  row(`GET ${J}/log/stream`, READ, ({ of }) =>
    ENDED.map((state) => get(`${V1}/jobs/${of.jobs[state]}/log/stream`)),
  ),
];

const WORKFLOWS: Row[] = [
  row(
    `POST ${O}/workflows`,
    SUBMIT,
    ({ of }) => [post(`${V1}/orgs/${of.org}/workflows`, flow(of))],
    201,
  ),
  row(`GET ${O}/workflows`, READ, ofOrg("/workflows")),
  row(`GET ${W}`, READ, ({ of }) => [get(`${V1}/workflows/${of.workflow}`)]),
  row(
    `POST ${W}/jobs`,
    SUBMIT,
    ({ of, actor }) => [
      post(`${V1}/workflows/${of.openWorkflow}/jobs`, {
        jobs: [{ key: `by-${actor}`, ...jobOf(of.org, { queue: of.queue }) }],
      }),
    ],
    201,
  ),
  row(`POST ${W}/cancel`, OPERATE, async (target) => [
    post(`${V1}/workflows/${await freshWorkflow(target)}/cancel`),
  ]),
];

const FLEET: Row[] = [
  row(`GET ${O}/queues`, READ, ofOrg("/queues")),
  row(`POST ${O}/queues/:name/:action`, OPERATE, ({ of }) => [
    post(`${V1}/orgs/${of.org}/queues/${of.queue}/pause`),
  ]),
  row(`PATCH ${O}/queues/:name`, OPERATE, ({ of }) => [
    {
      method: "PATCH",
      path: `${V1}/orgs/${of.org}/queues/${of.queue}`,
      body: { description: "d" },
    },
  ]),
  row(`POST ${O}/queues/:name/stop`, OPERATE, ({ of }) => [
    post(`${V1}/orgs/${of.org}/queues/${of.queue}/stop`, { dry_run: true }),
  ]),
  row(`POST ${O}/queues/stop`, OPERATE, ({ of }) => [
    post(`${V1}/orgs/${of.org}/queues/stop`, { dry_run: true }),
  ]),
  row(`POST ${V1}/queues/stop`, SUPERUSER, () => [post(`${V1}/queues/stop`, { dry_run: true })]),
  // Never resumed: what is to stay where it is waits in them.
  row(`POST ${O}/queues/:action`, OPERATE, ({ of }) => [post(`${V1}/orgs/${of.org}/queues/pause`)]),
  row(`POST ${V1}/queues/:action`, SUPERUSER, () => [post(`${V1}/queues/pause`)]),
  row(`GET ${V1}/workers/:id/slots`, READ, ({ of }) => [
    get(`${V1}/workers/${of.worker.id}/slots`),
  ]),
  row(`POST ${V1}/workers/:id/slots/:n/free`, OPERATE, ({ of }) => [
    post(`${V1}/workers/${of.worker.id}/slots/100/free`),
  ]),
  row(`POST ${O}/slots/free`, OPERATE, ({ of }) => [
    post(`${V1}/orgs/${of.org}/slots/free`, { dry_run: true }),
  ]),
  row(`POST ${V1}/slots/free`, SUPERUSER, () => [post(`${V1}/slots/free`, { dry_run: true })]),
  row(`GET ${O}/workers`, READ, ofOrg("/workers")),
  row(`GET ${O}/workers/:worker_id/metrics`, READ, ({ of, world }) => [
    get(`${V1}/orgs/${of.org}/workers/${of.worker.id}/metrics`),
    get(`${V1}/orgs/${of.org}/workers/${world.shared.id}/metrics`),
  ]),
  row(`GET ${V1}/pools`, SIGNED_IN, () => [get(`${V1}/pools`)]),
  row(
    `POST ${V1}/workers/:id/drain`,
    OPERATE,
    ({ of }) => [post(`${V1}/workers/${of.spare.id}/drain`)],
    202,
  ),
  row(`GET ${V1}/operations/:id`, READ, ({ of }) => [get(`${V1}/operations/${of.operation}`)]),
  row(`POST ${V1}/operations/:id/undo`, OPERATE, async (target) => [
    post(`${V1}/operations/${await waitingOperation(target)}/undo`),
  ]),
  row(`GET ${V1}/orgs`, EVERYBODY, () => [get(`${V1}/orgs`)]),
];

/** One at a time: the next begins when this one is over. */
export async function gcIsOver({ stage }: Target): Promise<void> {
  await eventually(async () => {
    const { json } = await stage.ask("superuser", get(`${V1}/admin/tasks`));
    return json.items.every(({ state }: { state: string }) => state !== "running");
  }, "no clean-up runs");
}

async function gcTask(target: Target): Promise<string> {
  await gcIsOver(target);
  const { json } = await target.stage.ask("superuser", post(`${V1}/admin/deep-gc`));
  return json.id;
}

const ADMIN: Row[] = [
  row(`GET ${V1}/admin/storage`, SUPERUSER, () => [get(`${V1}/admin/storage`)]),
  row(`GET ${V1}/admin/draining`, SUPERUSER, () => [get(`${V1}/admin/draining`)]),
  row(`POST ${V1}/admin/draining`, SUPERUSER, () => [
    post(`${V1}/admin/draining`, { enabled: false }),
  ]),
  row(
    `POST ${V1}/admin/deep-gc`,
    SUPERUSER,
    async (target) => {
      await gcIsOver(target);
      return [post(`${V1}/admin/deep-gc`)];
    },
    202,
  ),
  row(`GET ${V1}/admin/tasks`, SUPERUSER, () => [get(`${V1}/admin/tasks`)]),
  row(`GET ${V1}/admin/tasks/:id`, SUPERUSER, async (target) => [
    get(`${V1}/admin/tasks/${await gcTask(target)}`),
  ]),
];

const BOARD: Row[] = [
  row(`GET ${V1}/board/jobs/dispatched`, SIGNED_IN, () => [get(`${V1}/board/jobs/dispatched`)]),
  row(`GET ${V1}/board/jobs/pending`, SIGNED_IN, () => [get(`${V1}/board/jobs/pending`)]),
  row(`GET ${V1}/board/jobs/dispatched of one`, READ, ({ of }) => [
    get(`${V1}/board/jobs/dispatched?org=${of.org}`),
  ]),
  row(`GET ${V1}/board/jobs/pending of one`, READ, ({ of }) => [
    get(`${V1}/board/jobs/pending?org=${of.org}`),
  ]),
  row(`GET ${V1}/board/jobs/:id`, READ, ({ of }) =>
    Object.values(of.jobs).map((id) => get(`${V1}/board/jobs/${id}`)),
  ),
  ...["workers", "workers/load", "fleet", "network", "cache"].map((path) =>
    row(`GET ${V1}/board/${path}`, SIGNED_IN, () => [get(`${V1}/board/${path}`)]),
  ),
  ...["workers", "workers/load", "fleet", "cache"].map((path) =>
    row(`GET ${V1}/board/${path} of one`, READ, ({ of }) => [
      get(`${V1}/board/${path}?org=${of.org}`),
    ]),
  ),
  row(`GET ${V1}/metrics/catalog`, EVERYBODY, () => [get(`${V1}/metrics/catalog`)]),
  row(`GET ${V1}/metrics/query`, EVERYBODY, () => [
    get(`${V1}/metrics/query?metric=jobs.succeeded`),
    get(`${V1}/metrics/query?metric=workers.connected&group_by=org`),
    get(`${V1}/metrics/query?metric=jobs.created&group_by=name`),
  ]),
  row(`GET ${V1}/metrics/query of one`, COUNTED, ({ of }) => [
    get(`${V1}/metrics/query?metric=jobs.succeeded&org=${of.org}`),
    get(`${V1}/metrics/query?metric=jobs.created&org=${of.org}&group_by=queue`),
  ]),
  row(`GET ${V1}/board/scoring/rules`, SIGNED_IN, () => [get(`${V1}/board/scoring/rules`)]),
  ...["jobs/expensive", "jobs/expensive-by-resource"].flatMap((path) => {
    const words = path.endsWith("resource") ? "?metric=cpu&" : "?";
    return [
      row(`GET ${V1}/board/${path}`, SIGNED_IN, () => [get(`${V1}/board/${path}${words}`)]),
      row(`GET ${V1}/board/${path} of one`, READ, ({ of }) => [
        get(`${V1}/board/${path}${words}org=${of.org}`),
        get(`${V1}/board/${path}${words}queue=${of.org}-queue`),
        get(`${V1}/board/${path}${words}name=${of.org}-name&window_days=2`),
      ]),
    ];
  }),
  row(`GET ${V1}/board/expensive/top-orgs`, SUPERUSER, () => [
    get(`${V1}/board/expensive/top-orgs`),
  ]),
  row(`GET ${V1}/board/health`, SUPERUSER, () => [get(`${V1}/board/health`)]),
  ...["scoring/summary", "durations/heatmap"].flatMap((path) => [
    row(`GET ${V1}/board/${path}`, SIGNED_IN, () => [get(`${V1}/board/${path}`)]),
    row(`GET ${V1}/board/${path} of one`, READ, ({ of }) => [
      get(`${V1}/board/${path}?org=${of.org}`),
    ]),
  ]),
  row(`GET ${V1}/board/live`, SIGNED_IN, () => [get(`${V1}/board/live`)]),
  row("topic jobs", SIGNED_IN, () => [get(`${V1}/board/live?topics=jobs`)]),
  row("topic queues", SIGNED_IN, () => [get(`${V1}/board/live?topics=queues`)]),
  row("topic workers", SIGNED_IN, () => [get(`${V1}/board/live?topics=workers`)]),
  row("topic counters", EVERYBODY, () => [get(`${V1}/board/live?topics=counters`)]),
  row("topic jobs of one", READ, ({ of }) => [get(`${V1}/board/live?topics=jobs&org=${of.org}`)]),
  row("topic counters of one", { acme: "yyyyy44y", open: "yyyyyyy4" }, ({ of }) => [
    get(`${V1}/board/live?topics=counters&org=${of.org}`),
  ]),
];

const AUDIT: Row[] = [
  row(`GET ${O}/audit`, MANAGE, (target) =>
    ["", "?format=csv", "?format=ndjson"].flatMap((q) => ofOrg(`/audit${q}`)(target)),
  ),
  row(`GET ${V1}/audit`, "yy333313", () => [get(`${V1}/audit`), get(`${V1}/audit?format=csv`)]),
  row(`GET ${V1}/audit of one`, MANAGE, ({ of }) => [get(`${V1}/audit?org=${of.org}`)]),
  row(`GET ${J}/audit`, READ, ofEveryJob("/audit")),
];

export const API_ROWS: readonly Row[] = [
  ...HEALTH,
  ...JOBS,
  ...WORKFLOWS,
  ...FLEET,
  ...SCHEDULE_ROWS,
  ...AUDIT,
  ...ADMIN,
  ...BOARD,
];
