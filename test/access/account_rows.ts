/** The table of accounts: people, organizations, members, invitations and tokens, in API and board. */
import { adminCaller } from "../../src/accounts/access.ts";
import { form, get, post, type Row, row, type Target } from "./rows.ts";
import { V1 } from "./seed.ts";
import type { Asked } from "./stage.ts";
import {
  type ByOrg,
  EVERYBODY,
  MANAGE,
  READ_PAGE,
  SIGNED_IN,
  SIGNED_IN_PAGE,
  SUPERUSER,
  SUPERUSER_PAGE,
} from "./verdicts.ts";

const O = `${V1}/orgs/:org`;
const B = "/board/orgs/:org";
const ADMIN = adminCaller("token", null, null);
/** All of the cast show tokens, which make no tokens, members or invitations, whoever they belong to. */
const MAKE_NOBODY: ByOrg = { acme: "33333413", open: "33333314" };
const NOBODY_BY_TOKEN = "33333313";

let count = 0;
const unique = (what: string) => `${what}${++count}`;
const send = (method: string, path: string, body: object = {}): Asked => ({ method, path, body });
const inOrg = (path: string) => (target: Target) => [get(`${V1}/orgs/${target.of.org}${path}`)];

const orgOf = ({ stage, of }: Target) => stage.directory.byName(of.org)!;

/** Somebody who is in nothing yet, or a viewer of the target's organization. */
async function person({ stage }: Target): Promise<string> {
  const email = `${unique("made")}@example.org`;
  const input = { name: "Somebody", email, password: null, isSuperuser: false };
  return (await stage.accounts.authentication.people.create(input, ADMIN.author)).id;
}

async function viewer(target: Target): Promise<string> {
  const id = await person(target);
  const by = { author: ADMIN.author, role: "owner" as const, person: null, isToken: false };
  await target.stage.accounts.members.set(orgOf(target), id, "viewer", by);
  return id;
}

async function invitation(target: Target): Promise<string> {
  const by = { author: ADMIN.author, role: "owner" as const, person: null, isToken: false };
  const wanted = { role: "viewer" as const, email: null };
  const { invitations } = target.stage.accounts;
  return (await invitations.create(orgOf(target), wanted, by)).invitation.id;
}

async function token(target: Target): Promise<string> {
  const wanted = { name: unique("token"), role: null, purpose: "api" as const, expiresAt: null };
  const { tokens } = target.stage.accounts;
  return (await tokens.create(ADMIN, orgOf(target), wanted)).token.id;
}

async function workerToken({ stage }: Target, org: ReturnType<typeof orgOf> | null) {
  const open = { pool: null, features: null, kinds: null, slots_max: null, expiresAt: null };
  const wanted = { ...open, name: unique("worker token") };
  return (await stage.accounts.workerTokens.create(ADMIN, org, wanted)).token.id;
}

const API: Row[] = [
  row("GET /metrics", "11111111", () => [get("/metrics")]),
  row(`GET ${V1}/me`, SIGNED_IN, () => [get(`${V1}/me`)]),
  row(`GET ${O}/tokens`, MANAGE, inOrg("/tokens")),
  row(`POST ${O}/tokens`, MAKE_NOBODY, ({ of }) => [
    post(`${V1}/orgs/${of.org}/tokens`, { name: "mine" }),
  ]),
  row(`DELETE ${O}/tokens/:id`, MANAGE, async (target) => [
    send("DELETE", `${V1}/orgs/${target.of.org}/tokens/${await token(target)}`),
  ]),
  row(`GET ${O}/worker-tokens`, MANAGE, inOrg("/worker-tokens")),
  row(`POST ${O}/worker-tokens`, MAKE_NOBODY, ({ of }) => [
    post(`${V1}/orgs/${of.org}/worker-tokens`, { name: "mine" }),
  ]),
  row(`DELETE ${O}/worker-tokens/:id`, MANAGE, async (target) => {
    const id = await workerToken(target, orgOf(target));
    return [send("DELETE", `${V1}/orgs/${target.of.org}/worker-tokens/${id}`)];
  }),
  row(`GET ${V1}/worker-tokens`, SUPERUSER, () => [get(`${V1}/worker-tokens`)]),
  row(`POST ${V1}/worker-tokens`, NOBODY_BY_TOKEN, () => [
    post(`${V1}/worker-tokens`, { name: "mine" }),
  ]),
  row(`DELETE ${V1}/worker-tokens/:id`, SUPERUSER, async (target) => [
    send("DELETE", `${V1}/worker-tokens/${await workerToken(target, null)}`),
  ]),
  row(`POST ${V1}/orgs`, SUPERUSER, () => [post(`${V1}/orgs`, { name: unique("made") })], 201),
  row(`PATCH ${O}`, MANAGE, ({ of }) => [send("PATCH", `${V1}/orgs/${of.org}`)]),
  row(`GET ${O}/members`, MANAGE, inOrg("/members")),
  row(`PUT ${O}/members/:id`, MAKE_NOBODY, async (target) => {
    const path = `${V1}/orgs/${target.of.org}/members/${await viewer(target)}`;
    return [send("PUT", path, { role: "member" })];
  }),
  row(`DELETE ${O}/members/:id`, MAKE_NOBODY, async (target) => [
    send("DELETE", `${V1}/orgs/${target.of.org}/members/${await viewer(target)}`),
  ]),
  row(`GET ${O}/invitations`, MANAGE, inOrg("/invitations")),
  row(
    `POST ${O}/invitations`,
    MAKE_NOBODY,
    ({ of }) => [post(`${V1}/orgs/${of.org}/invitations`, { role: "viewer" })],
    201,
  ),
  row(`DELETE ${O}/invitations/:id`, MANAGE, async (target) => [
    send("DELETE", `${V1}/orgs/${target.of.org}/invitations/${await invitation(target)}`),
  ]),
  row(`GET ${V1}/people`, SUPERUSER, () => [get(`${V1}/people`)]),
  row(
    `POST ${V1}/people`,
    SUPERUSER,
    () => [post(`${V1}/people`, { name: "New", email: `${unique("new")}@example.org` })],
    201,
  ),
  row(`PATCH ${V1}/people/:id`, SUPERUSER, async (target) => [
    send("PATCH", `${V1}/people/${await person(target)}`, { is_superuser: false }),
  ]),
  row(`DELETE ${V1}/people/:id`, SUPERUSER, async (target) => [
    send("DELETE", `${V1}/people/${await person(target)}`),
  ]),
];

/** A form of an organization's page. */
const orgForm = (
  path: string,
  verdicts: Row["verdicts"],
  ok: number,
  fields: Record<string, string>,
  id: (target: Target) => Promise<string> = async () => "",
): Row =>
  row(
    `POST ${B}/${path}`,
    verdicts,
    async (target) => {
      const own = path.replace(":id", await id(target));
      return [form(`/board/orgs/${target.of.org}/${own}`, fields)];
    },
    ok,
  );

const ownWorkerToken = (target: Target) => workerToken(target, orgOf(target));
/** As it was: pages of the public organization stay public. */
const asItWas = ({ of, world }: Target): Record<string, string> => ({
  title: `${of.org} title`,
  ...(of === world.open ? { public: "on" } : {}),
});

const BOARD: Row[] = [
  row("GET /invitations/:secret", EVERYBODY, () => [get("/invitations/guess")], 404),
  row("POST /invitations/:secret", EVERYBODY, () => [form("/invitations/guess")], 404),
  row("GET /set-up", EVERYBODY, () => [get("/set-up")], 303),
  row("POST /set-up", "yrrrrr1r", () => [form("/set-up", firstPerson)], 409),
  row("GET /board/orgs", SIGNED_IN_PAGE, () => [get("/board/orgs")]),
  row("POST /board/orgs", SUPERUSER, () => [form("/board/orgs", { name: unique("made") })], 303),
  row(`GET ${B}`, READ_PAGE, ({ of }) => [get(`/board/orgs/${of.org}`)]),
  row(
    `POST ${B}/settings`,
    MANAGE,
    (target) => [form(`/board/orgs/${target.of.org}/settings`, asItWas(target))],
    303,
  ),
  orgForm("members/:id/role", MAKE_NOBODY, 303, { role: "member" }, viewer),
  orgForm("members/:id/remove", MAKE_NOBODY, 303, {}, viewer),
  orgForm("invitations", MAKE_NOBODY, 201, { role: "viewer" }),
  orgForm("invitations/:id/revoke", MANAGE, 303, {}, invitation),
  orgForm("tokens", MAKE_NOBODY, 201, { name: "mine", role: "viewer" }),
  orgForm("tokens/:id/revoke", MANAGE, 303, {}, token),
  orgForm("worker-tokens", MAKE_NOBODY, 201, { name: "mine" }),
  orgForm("worker-tokens/:id/revoke", MANAGE, 303, {}, ownWorkerToken),
  row("GET /board/people", SUPERUSER_PAGE, () => [get("/board/people")]),
  row(
    "POST /board/people",
    SUPERUSER,
    () => [form("/board/people", { name: "New", email: `${unique("form")}@example.org` })],
    201,
  ),
  row(
    "POST /board/people/:id/superuser",
    SUPERUSER,
    async (target) => [form(`/board/people/${await person(target)}/superuser`, { to: "no" })],
    303,
  ),
  row(
    "POST /board/people/:id/remove",
    SUPERUSER,
    async (target) => [form(`/board/people/${await person(target)}/remove`)],
    303,
  ),
  row("GET /board/account", SIGNED_IN_PAGE, () => [get("/board/account")]),
  row("POST /board/account/password", NOBODY_BY_TOKEN, () => [form("/board/account/password")]),
  row("POST /board/account/sessions/:id/revoke", NOBODY_BY_TOKEN, () => [
    form("/board/account/sessions/guess/revoke"),
  ]),
];

const firstPerson = { name: "Late", email: "late@example.org", password: "correct horse battery" };

export const ACCOUNT_ROWS: readonly Row[] = [...API, ...BOARD];
