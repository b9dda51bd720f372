/**
 * What each organization has: jobs of every state, logs, queues, workers, workflows, operations. Every word
 * that it gives bears its name, so that a leak cannot be mistaken for anything else.
 */

import type { HandWorker } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";
import { ACME, type Actor, OPEN } from "./cast.ts";
import type { Stage } from "./stage.ts";

export const V1 = "/api/v1";

export interface Seeded {
  org: string;
  /** Who submits and operates there. */
  member: Actor;
  /** By state. */
  jobs: Record<string, string>;
  workflow: string;
  openWorkflow: string;
  operation: string;
  /** Paused: what is submitted to it stays. */
  queue: string;
  worker: HandWorker;
  /** Asked to drain again and again. */
  spare: HandWorker;
  /** Ids that nobody outside may meet. */
  secrets: string[];
}

export interface World {
  acme: Seeded;
  open: Seeded;
  shared: HandWorker;
  /** Of open: dispatched to the shared worker while a job of acme was passed over. */
  preferred: string;
  /** Of acme: holds a slot of the shared worker. */
  guest: string;
}

export async function seed(stage: Stage): Promise<World> {
  const acme = await seedOrg(stage, ACME, "owner");
  const open = await seedOrg(stage, OPEN, "foreigner");
  return { acme, open, ...(await seedShared(stage, acme, open)) };
}

/** A job as `word` names everything in it. */
export function jobOf(word: string, more: object = {}): object {
  return {
    name: `${word}-name`,
    queue: `${word}-queue`,
    payload: { command: [`${word}-payload`] },
    requirements: { pool: `${word}-pool` },
    tags: { kind: `${word}-tag` },
    ...more,
  };
}

export async function submit(
  stage: Stage,
  { org, member }: Pick<Seeded, "org" | "member">,
  more: object = {},
): Promise<string> {
  const path = `${V1}/orgs/${org}/jobs`;
  const { status, json } = await stage.ask(member, {
    method: "POST",
    path,
    body: jobOf(org, more),
  });
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(json)}`);
  return json.id;
}

/** Made anew for each who asks: the one before is undone. */
export async function waitingOperation({ stage, of }: { stage: Stage; of: Seeded }) {
  const body = { filter: { name: `${of.org}-none` }, delay_seconds: 3_600 };
  const path = `${V1}/orgs/${of.org}/jobs/cancel`;
  return (await stage.ask("superuser", { method: "POST", path, body })).json.operation as string;
}

async function seedOrg(stage: Stage, org: string, member: Actor): Promise<Seeded> {
  const who = { org, member };
  const queue = `${org}-paused`;
  const make = (more: object = {}) => submit(stage, who, more);
  const post = async (actor: Actor, path: string, body: object = {}) =>
    (await stage.ask(actor, { method: "POST", path: V1 + path, body })).json;
  const worker = await stage.worker(org, {
    name: `${org}-worker`,
    pool: `${org}-pool`,
    host: `${org}-host`,
    features: [`${org}-feature`],
    concurrency: 100,
  });
  const spare = await stage.worker(org, { name: `${org}-spare`, pool: `${org}-spare` });
  const jobs: Record<string, string> = {};
  const run = async (id: string) => {
    const lease = await worker.take(id);
    worker.start(lease);
    const text = new TextEncoder().encode(`${org}-log line\n`);
    await stage.logs.append(id, lease.attempt, 0, text);
    return lease;
  };
  jobs.succeeded = await make({ dedupe_key: `${org}-dedupe` });
  worker.end(await run(jobs.succeeded), { result: { text: `${org}-result` }, exit_code: 0 });
  jobs.failed = await make();
  const wrong = { outcome: "failed", exit_code: 3, error: `${org}-error` } as const;
  worker.end(await run(jobs.failed), wrong);
  await reaches(stage, jobs.succeeded, "succeeded");
  await reaches(stage, jobs.failed, "failed");
  jobs.dependency_failed = await make({ depends_on: [jobs.failed] });
  jobs.dispatched = await make();
  await worker.take(jobs.dispatched);
  jobs.running = await make();
  await run(jobs.running);
  await reaches(stage, jobs.running, "running");
  jobs.queued = await make({ run_at: "2999-01-01T00:00:00Z" });
  await make({ queue });
  await post("superuser", `/orgs/${org}/queues/${queue}/pause`, { reason: `${org}-reason` });
  jobs.ready = await make({ queue });
  jobs.cancelled = await make({ queue });
  await post("superuser", `/jobs/${jobs.cancelled}/cancel`, { reason: `${org}-reason` });
  const flow = { name: `${org}-workflow`, jobs: [{ key: `${org}-key`, ...jobOf(org, { queue }) }] };
  const workflow = await post(member, `/orgs/${org}/workflows`, flow);
  const opened = await post(member, `/orgs/${org}/workflows`, { ...flow, open: true });
  const filter = { name: `${org}-bulk` };
  await make({ queue, ...filter });
  const bulk = { filter, reason: `${org}-reason` };
  const { operation } = await post("superuser", `/orgs/${org}/jobs/cancel`, bulk);
  const members = [...Object.values(workflow.jobs), ...Object.values(opened.jobs)] as string[];
  const ids = [...Object.values(jobs), ...members];
  return {
    ...{ org, member, jobs, queue, worker, spare, operation },
    workflow: workflow.id,
    openWorkflow: opened.id,
    secrets: [org, ...ids, workflow.id, opened.id, operation, worker.id, spare.id],
  };
}

/** One slot, and a job of either that wants it: the loser is a candidate that was passed over. */
async function seedShared(stage: Stage, acme: Seeded, open: Seeded) {
  const wants = { requirements: { pool: "shared-pool" }, queue: "default" };
  const guest = await submit(stage, acme, wants);
  const preferred = await submit(stage, open, { ...wants, priority: 100 });
  acme.secrets.push(guest);
  const hello = { name: "shared-worker", pool: "shared-pool", concurrency: 1 };
  const shared = await stage.worker(null, hello);
  const lease = await shared.take(preferred);
  shared.start(lease);
  shared.end(lease);
  await reaches(stage, preferred, "succeeded");
  shared.start(await shared.take(guest));
  await reaches(stage, guest, "running");
  return { guest, preferred, shared };
}

export async function reaches(stage: Stage, id: string, state: string): Promise<void> {
  await eventually(async () => {
    const asked = { method: "GET", path: `${V1}/jobs/${id}` };
    return (await stage.ask("superuser", asked)).json.state === state;
  }, `job ${id} is ${state}`);
}
