/**
 * A board on which every text that a person can read was written by somebody who wants to harm them. What the
 * doors would refuse (names of jobs, queues, workflows, pools) is put behind them, as if a door had failed.
 */
import type { Author } from "../../../src/core/author.ts";
import type { Assignment } from "../../../src/messages/frames.ts";
import { jobInput, workflowInput } from "../../../src/messages/job_input.ts";
import { scheduleInput } from "../../../src/messages/schedule_input.ts";
import { ADMIN, ask, cookieIn, PASSWORD, somebody } from "../accounts/people.ts";
import { HandWorker } from "../api_box.ts";
import type { BoardBox } from "../board_box.ts";
import { eventually } from "../eventually.ts";

/** Breaks out of a text, of an attribute in either quotes, and of a template. At most 100 letters. */
export const evil = (label: string) =>
  `${label}"'><img src=x onerror=pwned=1><script>pwned=1</script>\${pwned=1}<%= 1 %>`;
/** For what may be long: htmx, elements that swallow text, events of a stream, other writing directions. */
export const longEvil = (label: string) =>
  `${evil(label)}</pre></title></textarea><div hx-get="/sign-out" hx-trigger="load" hx-on:load="pwned=1">` +
  `<hx-partial hx-target="body">x</hx-partial><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>` +
  `<a href="javascript:pwned=1">x</a>\r\n\r\nevent: hello\ndata: {"now":0}\n\n\u202e\u2066{{7*7}}`;
/** Links and titles by OSC, also unfinished; html inside and between escapes; what overwrites its line. */
export const evilLog = (label: string) =>
  `\x1b]8;;javascript:pwned=1\x07link\x1b]8;;\x07\x1b]0;<script>pwned=1</script>\x1b\\` +
  `\x1b[31m${longEvil(label)}\x1b[0m\n\x1b[<script>pwned=1</script>m\x9b31m<\x1b[0mimg src=x onerror=pwned=1>\r` +
  `<scr\x1b[0mipt>pwned=1</script>\n<scr\x00ipt>pwned=1</scr\x00ipt>\x1b]1337;File=:<b>\n\x1bP<svg onload=pwned=1>\n`;

const payload = { command: ["sh", "-c", longEvil("command")], env: { A: evil("env") } };
const signal = "<script>pwned=1</script>";

export interface HostileBoard {
  org: { id: number; name: string };
  /** Of a superuser and owner, and of a viewer. */
  cookies: { owner: string; viewer: string };
  author: Author;
  invitation: string;
  worker: HandWorker;
  jobs: Record<"waits" | "fails" | "tries" | "runs" | "follows" | "rejected" | "cancelled", string>;
  lease: Assignment;
  schedule: string;
  /** Told of alerts of `acme`, and of every organization. */
  channels: { ours: string; all: string };
}

export async function hostileBoard(box: BoardBox): Promise<HostileBoard> {
  const { accounts, authentication } = box;
  const settings = { title: evil("title"), isPublic: false };
  const org = { id: await accounts.organizations.create("acme", settings, ADMIN), name: "acme" };
  await box.directory.refresh();
  const roles = { [org.id]: "owner" as const };
  const { person } = await somebody(box, { name: evil("person"), isSuperuser: true, roles });
  const viewer = await somebody(box, { name: evil("member"), roles: { [org.id]: "viewer" } });
  const email = "o'x&lt;b&gt;@example.org";
  const odd = { name: "x", email, password: PASSWORD, isSuperuser: false };
  await authentication.people.create(odd, ADMIN);
  const cookie = await signIn(box, person.email);
  const cookies = { owner: cookie, viewer: await signIn(box, viewer.person.email) };
  const author = { name: evil("author"), user: person.id, token: null, address: evil("address") };
  const by = { author, role: "owner" as const, person: person.id, isToken: false };
  const { secret } = await accounts.invitations.create(org, { role: "viewer", email: null }, by);
  await accounts.invitations.create(org, { role: "viewer", email }, by);
  for (const what of ["tokens", "worker-tokens"]) {
    const form = { name: evil("token"), role: "viewer" };
    const own = { cookie, "sec-fetch-site": "same-origin" };
    await box.fetch(ask(`/board/orgs/acme/${what}`, own, form));
  }
  const worker = await HandWorker.connect(box.engine, { name: evil("worker") }, "acme");
  await box.database.intake`update worker set pool = ${evil("pool")}`;
  const { lease, ...jobs } = await hostileJobs(box, worker, author);
  await hostileAlerts(box, org.id);
  const schedule = await hostileSchedule(box, author);
  const channels = await hostileChannels(box, org.id, author);
  const invited = `/invitations/${secret}`;
  return { org, cookies, author, invitation: invited, worker, jobs, lease, schedule, channels };
}

async function hostileSchedule(box: BoardBox, author: Author): Promise<string> {
  const input = scheduleInput.parse({
    ...{ name: "x", cron: "0 3 1 1 *", job: { name: "x", queue: "x", payload } },
    ...{ description: evil("about"), managed_by: evil("file") },
    ...{ vendor_type: evil("vendor"), vendor_id: evil("vendor-id") },
  });
  const id = await box.engine.schedules.create("acme", input, author);
  await box.engine.schedules.pause(id, author, longEvil("schedule-reason"));
  await box.database.intake`
    update schedule set name = ${evil("schedule")}, updated_by = ${evil("editor")} where id = ${id}`;
  return id;
}

/** From a browser that calls itself by something hostile. */
async function signIn(box: BoardBox, email: string): Promise<string> {
  const headers = { "sec-fetch-site": "same-origin", "user-agent": evil("agent") };
  return cookieIn(await box.fetch(ask("/sign-in", headers, { email, password: PASSWORD })));
}

async function hostileJobs(box: BoardBox, worker: HandWorker, author: Author) {
  const { engine } = box;
  const common = {
    payload,
    tags: { [evil("tag").slice(0, 64)]: longEvil("tag-value").slice(0, 256) },
  };
  async function submit(over: object = {}): Promise<string> {
    const input = jobInput.parse({ name: "x", ...common });
    const named = { ...input, name: evil("name"), queue: evil("queue"), ...over };
    return (await engine.submitJobs("acme", [named], author))[0]!.id;
  }
  const runs = await submit();
  const lease = await begin(box, worker, runs);
  const follows = await submit({ depends_on: [runs] });
  const fails = await fail(box, worker, await submit({ max_attempts: 1 }));
  const tries = await fail(box, worker, await submit({ max_attempts: 3 }));
  const rejected = await submit();
  const { job, attempt, token } = await worker.take(rejected);
  const reason = longEvil("rejection");
  worker.session.handle({ type: "rejected", jobs: [{ job, attempt, token, reason }] });
  await box.reaches(rejected, "ready", "queued");
  const cancelled = await submit({ requirements: { pool: "none" } });
  await engine.cancelJob(cancelled, author, longEvil("reason").slice(0, 200));
  const features = [evil("feature")];
  const dedupe = { dedupe_key: evil("dedupe"), requirements: { features, pool: evil("pool") } };
  const waits = await submitWorkflow(box, { ...common, ...dedupe }, author);
  await engine.pauseQueue("acme", evil("queue"), author, longEvil("pause"));
  return { lease, runs, follows, fails, tries, rejected, cancelled, waits };
}

/** One fires that every page tells of; one is pending; both are in the history, and a silence covers neither. */
async function hostileAlerts(box: BoardBox, org: number): Promise<void> {
  const sql = box.database.intake;
  const [name] =
    await sql`select id from job_name where org_id = ${org} and name = ${evil("name")}`;
  const common = {
    org_id: org,
    name_id: name!.id,
    since: new Date(),
    sentence: longEvil("sentence"),
  };
  const seen = { seen_at: new Date(), known_at: new Date() };
  const alerts = [
    ["BackgroundJobCriticalFailureRate", "critical", "firing", new Date()],
    ["BackgroundJobFailing", "warning", "pending", null],
  ].map(([rule, severity, state, fired_at]) => {
    return { ...common, ...seen, id: crypto.randomUUID(), rule, severity, state, fired_at };
  });
  await sql`insert into alert ${sql(alerts as never)}`;
  const [alert] = alerts;
  const event = {
    ...common,
    alert_id: alert!.id,
    kind: "firing",
    at: new Date(),
    severity: "critical",
  };
  await sql`insert into alert_event ${sql({ ...event, rule: alert!.rule } as never)}`;
  await sql`insert into silence ${sql({
    ...{
      id: crypto.randomUUID(),
      org_id: org,
      rule: null,
      job_name: evil("silenced").slice(0, 120),
    },
    ...{ starts_at: new Date(), ends_at: new Date(Date.now() + 3_600_000), created_at: new Date() },
    ...{ reason: longEvil("reason-silence"), created_by: evil("author") },
  } as never)}`;
  await eventually(async () => {
    await box.engine.alerts.beat();
    return box.engine.alerts.standing().length > 0;
  }, "every page tells of the alert");
}

/** Switched off, so that nothing is sent. With limits and an expectation that somebody as hostile has set. */
async function hostileChannels(box: BoardBox, org: number, author: Author) {
  const { database, engine } = box;
  const sql = database.intake;
  const common = { severity: "warning" as const, enabled: false };
  const by = { actor: author, isTrusted: false };
  const url = "https://hooks.invalid/secret";
  const web = { ...common, name: evil("channel"), kind: "webhook" as const, url, addresses: null };
  const { id: ours } = await engine.alerts.createChannel(org, web, by);
  const addresses = [evil("mail")];
  const mail = { ...common, name: evil("mails"), kind: "email" as const, url: null, addresses };
  const { id: all } = await engine.alerts.createChannel(null, mail, by);
  const at = new Date();
  await sql`insert into alert_delivery ${sql({
    ...{ id: crypto.randomUUID(), channel_id: ours, message: "{}", state: "given_up", attempts: 9 },
    ...{ created_at: at, next_try_at: at, ended_at: at, last_error: longEvil("undelivered") },
  } as never)}`;
  await sql`insert into alert_limit ${sql({
    ...{ org_id: org, rule: "BackgroundJobFailing", job_name: evil("limited"), enabled: true },
    ...{ limits: { failure_rate: 0.5 }, updated_at: at, updated_by: evil("author") },
  } as never)}`;
  const [name] =
    await sql`select id, name from job_name where org_id = ${org} and name = ${evil("name")}`;
  const expected = { interval_seconds: 600, grace_seconds: null };
  const change = { org, name: name as unknown as { id: number; name: string }, expected };
  await engine.background.expectations.set(change, author);
  return { ours, all };
}

async function submitWorkflow(box: BoardBox, over: object, author: Author): Promise<string> {
  const input = workflowInput.parse({ name: "x", jobs: [{ name: "x", key: "x", payload }] });
  const names = { name: evil("name"), key: evil("key"), queue: evil("queue") };
  const jobs = [{ ...input.jobs[0]!, ...names, ...over }];
  const made = await box.engine.submitWorkflow(
    "acme",
    { ...input, name: evil("flow"), jobs },
    author,
  );
  return Object.values(made.jobs)[0]!;
}

async function begin(box: BoardBox, worker: HandWorker, id: string): Promise<Assignment> {
  const lease = await worker.take(id);
  worker.start(lease);
  await box.reaches(id, "running");
  await box.logs.append(id, lease.attempt, 0, new TextEncoder().encode(evilLog("log")));
  const { job, attempt, token } = lease;
  const note = longEvil("note");
  worker.session.handle({ type: "progress", jobs: [{ job, attempt, token, fraction: 0.4, note }] });
  return lease;
}

async function fail(box: BoardBox, worker: HandWorker, id: string): Promise<string> {
  const lease = await begin(box, worker, id);
  worker.end(lease, {
    ...{ outcome: "failed", exit_code: 3, signal, reason: longEvil("why").slice(0, 256) },
    ...{ error: `${longEvil("error")}\n    at ${evil("stack")} (x.ts:1:1)` },
    ...{
      result: { [evil("result")]: [longEvil("result")] },
      items: { success: 1, failed: 2, skipped: 3 },
    },
  });
  await box.reaches(id, "failed", "queued");
  return id;
}
