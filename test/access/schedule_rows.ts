/** The table of schedules. */
import { get, post, type Row, row, type Target } from "./rows.ts";
import { jobOf, submit, V1 } from "./seed.ts";
import type { Asked } from "./stage.ts";
import { MANAGE, OPERATE, READ, SUPERUSER } from "./verdicts.ts";

const O = `${V1}/orgs/:org/schedules`;
const S = `${O}/:id`;
let count = 0;

/** Due once a year at most; what it submits stays in a queue that is paused. */
const scheduleOf = ({ of }: Target, more: object = {}) => ({
  name: `${of.org}-schedule-${++count}`,
  cron: "0 0 29 2 *",
  job: jobOf(of.org, { queue: of.queue }),
  ...more,
});

async function made(target: Target): Promise<string> {
  const { stage, of } = target;
  const asked = post(`${V1}/orgs/${of.org}/schedules`, scheduleOf(target));
  const { status, json } = await stage.ask("superuser", asked);
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(json)}`);
  return json.id;
}

/** Asked of a new one. */
const of =
  (method: string, rest = "", body?: object) =>
  async (target: Target): Promise<Asked[]> => {
    const path = `${V1}/orgs/${target.of.org}/schedules/${await made(target)}${rest}`;
    return [method === "GET" ? get(path) : { method, path, body: body ?? {} }];
  };

const E = `${V1}/orgs/:org/expectations`;

export const SCHEDULE_ROWS: readonly Row[] = [
  row(`GET ${E}`, READ, ({ of }) => [get(`${V1}/orgs/${of.org}/expectations`)]),
  row(`PUT ${E}`, MANAGE, async ({ stage, of }) => {
    await submit(stage, of, { name: "expected", queue: of.queue });
    const body = { name: "expected", expected_interval_seconds: 600 };
    return [{ method: "PUT", path: `${V1}/orgs/${of.org}/expectations`, body }];
  }),
  row(`GET ${O}`, READ, async (target) => {
    await made(target);
    return [get(`${V1}/orgs/${target.of.org}/schedules`)];
  }),
  row(
    `POST ${O}`,
    MANAGE,
    (target) => [post(`${V1}/orgs/${target.of.org}/schedules`, scheduleOf(target))],
    201,
  ),
  row(`GET ${S}`, READ, of("GET")),
  row(`GET ${S}/fires`, READ, of("GET", "/fires")),
  row(`PATCH ${S}`, MANAGE, of("PATCH", "", { description: "changed" })),
  row(`DELETE ${S}`, MANAGE, of("DELETE")),
  row(`POST ${S}/trigger`, OPERATE, of("POST", "/trigger")),
  row(`POST ${S}/:action`, OPERATE, of("POST", "/pause")),
  row(`POST ${O}/:action`, OPERATE, ({ of }) => [
    post(`${V1}/orgs/${of.org}/schedules/resume`),
    post(`${V1}/orgs/${of.org}/schedules/pause`),
  ]),
  row(`POST ${V1}/schedules/:action`, SUPERUSER, () => [post(`${V1}/schedules/resume`)]),
];
