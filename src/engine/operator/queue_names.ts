/** Queues as people name them. */
import type { WhichQueues } from "../../db/statements/operating/stop_queues.ts";
import type { EngineContext } from "../context.ts";
import { NotFound } from "../engine.ts";

type Namer = Pick<EngineContext, "names">;

export interface QueueName {
  org: string;
  queue: string;
}

/** Every queue of an organization, or (null) of all; or those that are named, of whichever. */
export type QueueAsk = { org: string | null; queues: null } | { queues: readonly QueueName[] };

/** Throws NotFound. */
export async function whichQueues(context: Namer, ask: QueueAsk): Promise<WhichQueues> {
  if (ask.queues === null) {
    const org = await orgIdOf(context, ask.org);
    return { orgs: org === null ? "all" : [org], queues: null };
  }
  const found = [];
  for (const { org, queue } of ask.queues) found.push(await queueOf(context, org, queue));
  return {
    orgs: [...new Set(found.map(({ orgId }) => orgId))],
    queues: [...new Set(found.map(({ id }) => id))],
  };
}

/** Null stays null: all of them. Throws NotFound. */
export async function orgIdOf({ names }: Namer, org: string | null): Promise<number | null> {
  if (org === null) return null;
  const id = await names.orgId(org);
  if (id === undefined) throw new NotFound(`There is no organization ${org}.`);
  return id;
}

/** Throws NotFound. */
export async function queueOf(
  { names }: Namer,
  org: string,
  name: string,
): Promise<{ orgId: number; id: number }> {
  const orgId = await names.orgId(org);
  const id = orgId === undefined ? undefined : await names.queueId(orgId, name);
  if (orgId === undefined || id === undefined) {
    throw new NotFound(`There is no queue ${name} in ${org}.`);
  }
  return { orgId, id };
}
