/** The table of alerts. */
import { form, get, post, type Row, row, type Target } from "./rows.ts";
import { V1 } from "./seed.ts";
import type { Asked } from "./stage.ts";
import {
  OPERATE,
  OPERATE_PAGE,
  OPERATED_PAGE,
  OPERATORS_PAGE,
  READ,
  READ_PAGE,
  SIGNED_IN,
  SIGNED_IN_PAGE,
  SUPERUSER,
  SUPERUSER_PAGE,
} from "./verdicts.ts";

const O = `${V1}/orgs/:org`;
let count = 0;

const channelOf = () => ({
  ...{ name: `channel-${++count}`, kind: "webhook", url: "https://hooks.invalid/x" },
});
const silenceOf = ({ of }: Target) => ({ seconds: 60, reason: `${of.org}-reason` });

async function made(target: Target, path: string, body: object): Promise<string> {
  const { status, json } = await target.stage.ask("superuser", post(`${V1}${path}`, body));
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(json)}`);
  return json.id;
}

/** Of an organization, or (null) of the instance; each with a new channel. */
const channel =
  (method: string, isOurs: boolean, rest = "", body?: object) =>
  async (target: Target): Promise<Asked[]> => {
    const base = `${isOurs ? `/orgs/${target.of.org}` : ""}/alert-channels`;
    const id = await made(target, base, channelOf());
    const path = `${V1}${base}/${id}${rest}`;
    // Removed by whoever made it, so that nobody runs out of room.
    return [method === "GET" ? get(path) : { method, path, body: body ?? {} }];
  };

export const ALERT_ROWS: readonly Row[] = [
  row(`GET ${O}/alerts`, READ, ({ of }) => [get(`${V1}/orgs/${of.org}/alerts`)]),
  row(`GET ${O}/alerts/history`, READ, ({ of }) => [get(`${V1}/orgs/${of.org}/alerts/history`)]),
  row(`GET ${V1}/alerts`, SIGNED_IN, () => [get(`${V1}/alerts`)]),
  row(`GET ${V1}/alerts/history`, SIGNED_IN, () => [get(`${V1}/alerts/history`)]),
  row(`GET ${O}/silences`, READ, ({ of }) => [get(`${V1}/orgs/${of.org}/silences`)]),
  row(
    `POST ${O}/silences`,
    OPERATE,
    (target) => [post(`${V1}/orgs/${target.of.org}/silences`, silenceOf(target))],
    201,
  ),
  row(`POST ${O}/silences/:id/end`, OPERATE, async (target) => {
    const base = `/orgs/${target.of.org}/silences`;
    return [post(`${V1}${base}/${await made(target, base, silenceOf(target))}/end`)];
  }),
  row(`GET ${V1}/silences`, SUPERUSER, () => [get(`${V1}/silences`)]),
  row(
    `POST ${V1}/silences`,
    SUPERUSER,
    () => [post(`${V1}/silences`, { seconds: 60, reason: "why", job_name: "none" })],
    201,
  ),
  row(`POST ${V1}/silences/:id/end`, SUPERUSER, async (target) => {
    const body = { seconds: 60, reason: "why", job_name: "none" };
    return [post(`${V1}/silences/${await made(target, "/silences", body)}/end`)];
  }),
  row(`GET ${O}/alert-rules`, READ, ({ of }) => [get(`${V1}/orgs/${of.org}/alert-rules`)]),
  row(`PUT ${O}/alert-rules/:rule`, OPERATE, ({ of }) => [
    {
      ...{ method: "PUT", path: `${V1}/orgs/${of.org}/alert-rules/BackgroundJobFailing` },
      body: { job_name: `${of.org}-name`, limits: { failure_rate: 0.5 } },
    },
  ]),
  ...[true, false].flatMap((isOurs) => {
    const base = isOurs ? `${O}/alert-channels` : `${V1}/alert-channels`;
    const may = isOurs ? OPERATE : SUPERUSER;
    const list = ({ of }: Target) =>
      isOurs ? `${V1}/orgs/${of.org}/alert-channels` : `${V1}/alert-channels`;
    return [
      row(`GET ${base}`, may, (target) => [get(list(target))]),
      row(`POST ${base}`, may, (target) => [post(list(target), channelOf())], 201),
      row(`GET ${base}/:id`, may, channel("GET", isOurs)),
      row(`PATCH ${base}/:id`, may, channel("PATCH", isOurs, "", { severity: "critical" })),
      row(`DELETE ${base}/:id`, may, channel("DELETE", isOurs)),
      row(`POST ${base}/:id/test`, may, channel("POST", isOurs, "/test")),
    ];
  }),
];

const silenceForm = ({ of }: Target) => ({ org: of.org, hours: "1", reason: `${of.org}-reason` });

const CHANNELS = "/board/alerts/channels";
const slackFields = ({ of }: Target) => ({
  ...{ name: `${of.org}-channel-${++count}`, kind: "slack", severity: "warning" },
  ...{ url: "https://hooks.invalid/x", enabled: "yes" },
});

/** There is room for a hundred: only what is deleted is made for each who asks. */
const kept = new Map<string, Promise<string>>();

function channelFor(target: Target, base: string, step: string): Promise<string> {
  if (step === "/delete") return made(target, base, channelOf());
  const known = kept.get(base) ?? made(target, base, channelOf());
  kept.set(base, known);
  return known;
}

/** `fields`: what its form sends. */
const onChannel =
  (isOurs: boolean, step = "", fields?: (target: Target) => Record<string, string>) =>
  async (target: Target): Promise<Asked[]> => {
    const { org } = target.of;
    const id = await channelFor(target, `${isOurs ? `/orgs/${org}` : ""}/alert-channels`, step);
    const path = `${CHANNELS}/${id}${step}${isOurs ? `?org=${org}` : ""}`;
    return [fields === undefined ? get(path) : form(path, fields(target))];
  };

const CHANNEL_PAGE_ROWS: readonly Row[] = [
  row(`GET ${CHANNELS}`, OPERATORS_PAGE, () => [get(CHANNELS)]),
  row(`GET ${CHANNELS} of one`, OPERATED_PAGE, ({ of }) => [get(`${CHANNELS}?org=${of.org}`)]),
  row(`GET ${CHANNELS}/new`, OPERATORS_PAGE, ({ of }) => [get(`${CHANNELS}/new?org=${of.org}`)]),
  row(
    `POST ${CHANNELS}/new of one`,
    OPERATE_PAGE,
    (target) => [form(`${CHANNELS}/new?org=${target.of.org}`, slackFields(target))],
    303,
  ),
  row(
    `POST ${CHANNELS}/new`,
    SUPERUSER,
    (target) => [form(`${CHANNELS}/new`, { ...slackFields(target), org: "" })],
    303,
  ),
  ...[true, false].flatMap((isOurs) => {
    const [page, act] = isOurs ? [OPERATED_PAGE, OPERATE_PAGE] : [SUPERUSER_PAGE, SUPERUSER];
    const one = `${CHANNELS}/:id`;
    const whose = isOurs ? "" : " of Signalbox itself";
    const none = () => ({});
    return [
      row(`GET ${one}${whose}`, page, onChannel(isOurs)),
      row(`POST ${one}${whose}`, act, onChannel(isOurs, "", slackFields), 303),
      row(`POST ${one}/test${whose}`, act, onChannel(isOurs, "/test", none)),
      row(`GET ${one}/delete${whose}`, page, onChannel(isOurs, "/delete")),
      row(`POST ${one}/delete${whose}`, act, onChannel(isOurs, "/delete", none), 303),
    ];
  }),
];

/** The page, its runbooks and its forms. */
export const ALERT_PAGE_ROWS: readonly Row[] = [
  ...CHANNEL_PAGE_ROWS,
  row("GET /board/alerts", SIGNED_IN_PAGE, () => [get("/board/alerts")]),
  row("GET /board/alerts of one", READ_PAGE, ({ of }) => [get(`/board/alerts?org=${of.org}`)]),
  row("GET /board/alerts/rules/:rule", SIGNED_IN_PAGE, ({ of }) => [
    get("/board/alerts/rules/BackgroundJobFailing"),
    get(`/board/alerts/rules/BackgroundJobNotRunning?name=${of.org.slice(0, 2)}-name`),
  ]),
  row("GET /board/alerts/rules/:rule of one", READ_PAGE, ({ of }) => [
    get(`/board/alerts/rules/BackgroundJobFailing?org=${of.org}`),
    get(`/board/alerts/rules/BackgroundJobFailing?org=${of.org}&name=${of.org}-name`),
  ]),
  row(
    "POST /board/alerts/rules/:rule/limits",
    OPERATE_PAGE,
    ({ of }) => {
      const path = `/board/alerts/rules/BackgroundJobFailing/limits?org=${of.org}`;
      return [form(path, { failure_rate: "10 %", enabled: "yes" }), form(path, { back: "yes" })];
    },
    303,
  ),
  row(
    "POST /board/alerts/silences",
    OPERATE_PAGE,
    (target) => [form("/board/alerts/silences", silenceForm(target))],
    303,
  ),
  row(
    "POST /board/alerts/silences/:id/end",
    OPERATE_PAGE,
    async (target) => {
      const id = await made(target, `/orgs/${target.of.org}/silences`, silenceOf(target));
      return [form(`/board/alerts/silences/${id}/end`)];
    },
    303,
  ),
];
