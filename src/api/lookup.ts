/** Names in requests → the small ids that rows carry, or 404. */
import type { ApiDeps } from "./deps.ts";
import { ApiProblem } from "./problem.ts";

export async function orgIdOf(deps: ApiDeps, org: string): Promise<number> {
  const id = await deps.engine.names.orgId(org);
  if (id === undefined)
    throw new ApiProblem("not_found", `There is no organization ${quote(org)}.`);
  return id;
}

export async function queueIdOf(deps: ApiDeps, org: number, queue: string): Promise<number> {
  const id = await deps.engine.names.queueId(org, queue);
  if (id === undefined) throw new ApiProblem("not_found", `There is no queue ${quote(queue)}.`);
  return id;
}

export async function workerIdOf(deps: ApiDeps, uid: string): Promise<number> {
  const id = await deps.engine.names.workerIdOf(uid);
  if (id === undefined) throw new ApiProblem("not_found", `There is no worker ${uid}.`);
  return id;
}

export function notFound(what: string, id: string): ApiProblem {
  return new ApiProblem("not_found", `There is no ${what} ${id}.`);
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
