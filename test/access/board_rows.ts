/** The table of the board: pages, their forms, and the panels of its stream. */
import { ALERT_PAGE_ROWS } from "./alert_rows.ts";
import { gcIsOver } from "./api_rows.ts";
import { form, get, post, type Row, row, type Target } from "./rows.ts";
import { submit, waitingOperation } from "./seed.ts";
import {
  EVERYBODY,
  MAINTENANCE_PAGE,
  MANAGE,
  OPERATE_PAGE,
  READ_PAGE,
  SIGNED_IN,
  SIGNED_IN_PAGE,
  SUPERUSER,
  SUPERUSER_PAGE,
} from "./verdicts.ts";

const CROSS = { "sec-fetch-site": "cross-site" };
const SSE = { accept: "text/event-stream" };
const ofEveryJob = ({ of }: Target, path = "") =>
  Object.values(of.jobs).map((id) => get(`/board/jobs/${id}${path}`));

async function assetPath({ stage }: Target): Promise<string> {
  return (await stage.ask("anonymous", get("/favicon.ico"))).headers.get("location")!;
}

export const BOARD_ROWS: readonly Row[] = [
  ...ALERT_PAGE_ROWS,
  row("GET /public/*", EVERYBODY, async (target) => [get(await assetPath(target))]),
  row("GET /favicon.ico", EVERYBODY, () => [get("/favicon.ico")], 302),
  row("GET /robots.txt", EVERYBODY, () => [get("/robots.txt")]),
  row("GET /sign-in", "rrrrrryr", () => [get("/sign-in")]),
  // From another site: an attempt of one's own would count towards the limit.
  row("POST /sign-in", EVERYBODY, () => [{ ...post("/sign-in"), headers: CROSS }], 403),
  row("POST /sign-out", EVERYBODY, () => [post("/sign-out")], 303),
  row("GET /", SIGNED_IN_PAGE, () => [get("/")], 302),
  row("GET /board", SIGNED_IN_PAGE, () => [get("/board")]),
  row("GET /board of one", READ_PAGE, ({ of }) => [get(`/board?org=${of.org}`)]),
  row("GET /board/throughput", SIGNED_IN_PAGE, () => [get("/board/throughput")]),
  row("GET /board/throughput of one", READ_PAGE, ({ of }) => [
    get(`/board/throughput?org=${of.org}`),
    get(`/board/throughput?queue=${of.queue}`),
    get(`/board/throughput?org=${of.org}&format=csv&chart=pipeline`),
  ]),
  row("GET /board/health", SUPERUSER_PAGE, () => [get("/board/health")]),
  row("POST /board/health/draining", SUPERUSER, () => [form("/board/health/draining")], 303),
  row(
    "POST /board/health/deep-gc",
    SUPERUSER,
    async (target) => {
      await gcIsOver(target);
      return [form("/board/health/deep-gc")];
    },
    303,
  ),
  row("GET /board/jobs", SIGNED_IN_PAGE, () => [get("/board/jobs?tab=longest")]),
  row("GET /board/jobs of one", READ_PAGE, ({ of }) => [
    get(`/board/jobs?tab=longest&org=${of.org}`),
  ]),
  row("GET /board/live", SIGNED_IN_PAGE, () => [get("/board/live")]),
  row("GET /board/live of one", SIGNED_IN_PAGE, ({ of }) => [get(`/board/live?org=${of.org}`)]),
  row("GET /board/live as a fragment", SIGNED_IN, () => [
    get("/board/live?q=name", { "hx-request": "true" }),
  ]),
  row("GET /board/jobs", SIGNED_IN_PAGE, ({ of }) => [
    get("/board/jobs"),
    get("/board/jobs?q=name"),
    get(`/board/jobs?q=org:${of.org}`),
    get(`/board/jobs?q=queue:${of.queue}+-org:nobody+payload:payload`),
    get(`/board/jobs?q=state:running+worker:${of.worker.id}`),
    get(`/board/jobs?q=workflow:${of.workflow}`),
    get(`/board/jobs?q=id:${of.jobs.failed}+error:error`),
  ]),
  row("GET /board/jobs/complete", SIGNED_IN_PAGE, () =>
    ["", "org:", "queue:", "name:", "worker:", "workflow:", "tag:", "tag:kind="].map((q) =>
      get(`/board/jobs/complete?q=${q}`),
    ),
  ),
  row("GET /board/jobs/bulk", { acme: "yyy334r3", open: "y33333r4" }, ({ of }) => [
    get(`/board/jobs/bulk?do=cancel-all&q=&org=${of.org}`),
    get(`/board/jobs/bulk?do=retry-ticked&id=${of.jobs.failed}&org=${of.org}`),
  ]),
  row(
    "POST /board/jobs/bulk",
    OPERATE_PAGE,
    ({ of }) => [post(`/board/jobs/bulk?do=cancel-all&q=name:none&org=${of.org}`)],
    303,
  ),
  row("GET /board/jobs/operations/:id", READ_PAGE, ({ of }) => [
    get(`/board/jobs/operations/${of.operation}`),
  ]),
  row(
    "POST /board/jobs/operations/:id/undo",
    OPERATE_PAGE,
    async (target) => [post(`/board/jobs/operations/${await waitingOperation(target)}/undo`)],
    303,
  ),
  ...["scheduler", "durations"].flatMap((page) => [
    row(`GET /board/${page}`, SIGNED_IN_PAGE, () => [
      get(`/board/${page}`),
      get(`/board/${page}?range=15m`),
    ]),
    row(`GET /board/${page} of one`, READ_PAGE, ({ of }) => [
      get(`/board/${page}?org=${of.org}`),
      get(`/board/${page}?queue=${of.queue}`),
    ]),
    row(`panel ${page}`, SIGNED_IN, () => [get(`/board/stream?panels=${page}`, SSE)]),
  ]),
  row("GET /board/background", SIGNED_IN_PAGE, () => [
    get("/board/background"),
    get("/board/background?range=15m&refresh=off"),
  ]),
  row("GET /board/background of one", READ_PAGE, ({ of }) => [
    get(`/board/background?org=${of.org}`),
    get(`/board/background?org=${of.org}&format=json&chart=names`),
  ]),
  row("GET /board/background/expected", READ_PAGE, ({ of }) => [
    get(`/board/background/expected?org=${of.org}&name=${of.org}-name`),
  ]),
  row(
    "POST /board/background/expected",
    MANAGE,
    ({ of }) => {
      const path = `/board/background/expected?org=${of.org}&name=${of.org}-name`;
      return [form(path, { expected_interval_seconds: "1 h" }), form(path, { back: "yes" })];
    },
    303,
  ),
  row("GET /board/background of Signalbox itself", MAINTENANCE_PAGE, () => [
    get("/board/background?org=system"),
    get("/board/background?org=system&format=csv&chart=names"),
  ]),
  row("panel background", SIGNED_IN, () => [get("/board/stream?panels=background", SSE)]),
  row("GET /board/jobs/:id", READ_PAGE, (target) => ofEveryJob(target)),
  row("GET /board/jobs/:id/log", READ_PAGE, ({ of }) => [
    get(`/board/jobs/${of.jobs.succeeded}/log?attempt=1`),
  ]),
  row(
    "POST /board/jobs/:id/cancel",
    OPERATE_PAGE,
    async ({ stage, of }) => [
      post(`/board/jobs/${await submit(stage, of, { queue: of.queue })}/cancel`),
    ],
    303,
  ),
  row(
    "POST /board/jobs/:id/retry",
    OPERATE_PAGE,
    async ({ stage, of }) => {
      const id = await submit(stage, of, { queue: of.queue });
      await stage.ask("superuser", post(`/board/jobs/${id}/cancel`));
      return [post(`/board/jobs/${id}/retry`)];
    },
    303,
  ),
  row("GET /board/workers", SIGNED_IN_PAGE, () => [get("/board/workers")]),
  row("GET /board/workers of one", READ_PAGE, ({ of }) => [get(`/board/workers?org=${of.org}`)]),
  row("GET /board/workers/:worker", READ_PAGE, ({ of }) => [get(`/board/workers/${of.worker.id}`)]),
  row("GET /board/network", SIGNED_IN_PAGE, () => [get("/board/network")]),
  row("GET /board/cache", SIGNED_IN_PAGE, () => [get("/board/cache")]),
  row("GET /board/cache of one", READ_PAGE, ({ of }) => [get(`/board/cache?org=${of.org}`)]),
  row("GET /board/audit", "yy3333r3", () => [get("/board/audit")]),
  row("GET /board/stream", SIGNED_IN, () => [get("/board/stream?panels=live,counts", SSE)]),
  row("panel live", SIGNED_IN, () => [get("/board/stream?panels=live", SSE)]),
  row("panel overview", SIGNED_IN, () => [get("/board/stream?panels=overview", SSE)]),
  row("panel throughput", SIGNED_IN, () => [get("/board/stream?panels=throughput", SSE)]),
  row("panel rankings", SIGNED_IN, () => [get("/board/stream?panels=rankings&tab=cpu", SSE)]),
  row("panel health", SUPERUSER, () => [get("/board/stream?panels=health", SSE)]),
  row("panel counts", SIGNED_IN, () => [get("/board/stream?panels=counts", SSE)]),
  ...["workers", "network", "cache"].map((panel) =>
    row(`panel ${panel}`, SIGNED_IN, () => [get(`/board/stream?panels=${panel}`, SSE)]),
  ),
  row("panel worker", SIGNED_IN, ({ of }) => [
    get(`/board/stream?panels=worker&worker=${of.worker.id}`, SSE),
  ]),
  row("panel job", SIGNED_IN, ({ of, world }) => [
    get(`/board/stream?panels=job&job=${of === world.acme ? world.guest : world.preferred}`, SSE),
  ]),
];
