/** The table of the board: pages, their forms, and the panels of its stream. */
import { get, post, type Row, row, type Target } from "./rows.ts";
import { submit } from "./seed.ts";
import { EVERYBODY, OPERATE_PAGE, READ_PAGE, SIGNED_IN, SIGNED_IN_PAGE } from "./verdicts.ts";

const CROSS = { "sec-fetch-site": "cross-site" };
const SSE = { accept: "text/event-stream" };
const ofEveryJob = ({ of }: Target, path = "") =>
  Object.values(of.jobs).map((id) => get(`/board/jobs/${id}${path}`));

async function assetPath({ stage }: Target): Promise<string> {
  return (await stage.ask("anonymous", get("/favicon.ico"))).headers.get("location")!;
}

export const BOARD_ROWS: readonly Row[] = [
  row("GET /public/*", EVERYBODY, async (target) => [get(await assetPath(target))]),
  row("GET /favicon.ico", EVERYBODY, () => [get("/favicon.ico")], 302),
  row("GET /robots.txt", EVERYBODY, () => [get("/robots.txt")]),
  row("GET /sign-in", "rrrrrryr", () => [get("/sign-in")]),
  // From another site: an attempt of one's own would count towards the limit.
  row("POST /sign-in", EVERYBODY, () => [{ ...post("/sign-in"), headers: CROSS }], 403),
  row("POST /sign-out", EVERYBODY, () => [post("/sign-out")], 303),
  row("GET /", SIGNED_IN_PAGE, () => [get("/")], 302),
  row("GET /board", SIGNED_IN_PAGE, () => [get("/board")], 302),
  row("GET /board/live", SIGNED_IN_PAGE, () => [get("/board/live")]),
  row("GET /board/live of one", SIGNED_IN_PAGE, ({ of }) => [get(`/board/live?org=${of.org}`)]),
  row("GET /board/live as a fragment", SIGNED_IN, () => [
    get("/board/live?q=name", { "hx-request": "true" }),
  ]),
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
  row("GET /board/audit", "yy3333r3", () => [get("/board/audit")]),
  row("GET /board/stream", SIGNED_IN, () => [get("/board/stream?panels=live,counts", SSE)]),
  row("panel live", SIGNED_IN, () => [get("/board/stream?panels=live", SSE)]),
  row("panel counts", SIGNED_IN, () => [get("/board/stream?panels=counts", SSE)]),
  row("panel job", SIGNED_IN, ({ of, world }) => [
    get(`/board/stream?panels=job&job=${of === world.acme ? world.guest : world.preferred}`, SSE),
  ]),
];
