/** The table of the job service's page. */
import { form, get, post, type Row, row, type Target } from "./rows.ts";
import { jobOf, V1, waitingOperation } from "./seed.ts";
import {
  MANAGE,
  OPERATE_PAGE,
  OPERATED_PAGE,
  READ_PAGE,
  SIGNED_IN,
  SIGNED_IN_PAGE,
} from "./verdicts.ts";

const HOME = "/board/service";
const SSE = { accept: "text/event-stream" };
let count = 0;

const fieldsOf = ({ of }: Target) => ({
  ...{
    name: `${of.org}-service-${++count}`,
    cron: "0 0 29 2 *",
    time_zone: "UTC",
    overlap: "skip",
  },
  ...{ catch_up: "last", catch_up_max: "10", jitter_seconds: "0", description: "" },
  ...{ vendor_type: "", vendor_id: "" },
  submits: JSON.stringify({ job: jobOf(of.org, { queue: of.queue }) }),
});

async function scheduleOf(target: Target): Promise<string> {
  const { stage, of } = target;
  const input = {
    ...{ name: `${of.org}-service-${++count}`, cron: "0 0 29 2 *" },
    job: jobOf(of.org, { queue: of.queue }),
  };
  const { json } = await stage.ask("superuser", post(`${V1}/orgs/${of.org}/schedules`, input));
  return json.id;
}

const queueOf = ({ of }: Target) => `org=${of.org}&queue=${of.queue}`;

export const SERVICE_ROWS: readonly Row[] = [
  row(`GET ${HOME}`, SIGNED_IN_PAGE, () =>
    ["queues", "schedules", "workers"].map((tab) => get(`${HOME}?tab=${tab}`)),
  ),
  row(`GET ${HOME} of one`, READ_PAGE, ({ of }) => [
    get(`${HOME}?org=${of.org}`),
    get(`${HOME}?tab=workers&org=${of.org}&worker=${of.worker.id}`),
  ]),
  row(`GET ${HOME}/confirm`, OPERATED_PAGE, async (target) => [
    get(`${HOME}/confirm?do=stop-all&org=${target.of.org}`),
    get(`${HOME}/confirm?do=free-all&org=${target.of.org}`),
    get(`${HOME}/confirm?do=pause&item=${target.of.org}/${target.of.queue}`),
    get(`${HOME}/confirm?do=pause-schedules&item=${await scheduleOf(target)}`),
  ]),
  row(
    `POST ${HOME}/confirm`,
    OPERATE_PAGE,
    async (target) => [
      post(`${HOME}/confirm?do=pause&item=${target.of.org}/${target.of.queue}`),
      post(`${HOME}/confirm?do=pause-schedules&item=${await scheduleOf(target)}`),
      post(`${HOME}/confirm?do=call-off&item=${await waitingOperation(target)}`),
    ],
    303,
  ),
  row(`GET ${HOME}/queue`, READ_PAGE, (target) => [get(`${HOME}/queue?${queueOf(target)}`)]),
  row(
    `POST ${HOME}/queue`,
    OPERATE_PAGE,
    (target) => [post(`${HOME}/queue?${queueOf(target)}`)],
    303,
  ),
  row(`GET ${HOME}/schedules/new`, "yy3333r3", () => [get(`${HOME}/schedules/new`)]),
  row(
    `POST ${HOME}/schedules/new`,
    MANAGE,
    (target) => [form(`${HOME}/schedules/new?org=${target.of.org}`, fieldsOf(target))],
    303,
  ),
  row(`GET ${HOME}/schedules/:id`, READ_PAGE, async (target) => [
    get(`${HOME}/schedules/${await scheduleOf(target)}`),
  ]),
  row(
    `POST ${HOME}/schedules/:id`,
    MANAGE,
    async (target) => {
      const fields = { ...fieldsOf(target), sure: "yes" };
      return [form(`${HOME}/schedules/${await scheduleOf(target)}`, fields)];
    },
    303,
  ),
  row("panel service", SIGNED_IN, () => [get("/board/stream?panels=service&tab=workers", SSE)]),
];
