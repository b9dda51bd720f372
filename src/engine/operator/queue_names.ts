/** Queues as people name them. */
import type { WhichQueues } from "../../db/statements/operating/stop_queues.ts";
import type { EngineContext } from "../context.ts";
import { NotFound } from "../engine.ts";

/** Of an organization, or (null) of all; one of it, or (null) every one. */
export interface QueueAsk {
  org: string | null;
  queue: string | null;
}

/** Throws NotFound. */
export async function whichQueues(
  context: Pick<EngineContext, "names">,
  { org, queue }: QueueAsk,
): Promise<WhichQueues> {
  if (org === null) return { org: null, queue: null };
  if (queue !== null) {
    const found = await queueOf(context, org, queue);
    return { org: found.orgId, queue: found.id };
  }
  const orgId = await context.names.orgId(org);
  if (orgId === undefined) throw new NotFound(`There is no organization ${org}.`);
  return { org: orgId, queue: null };
}

/** Throws NotFound. */
export async function queueOf(
  { names }: Pick<EngineContext, "names">,
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
