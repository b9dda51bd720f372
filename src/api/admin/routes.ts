/** The whole instance: what it stores, its deep clean-up, and its draining. */
import { z } from "zod";
import { readDraining } from "../../web/admin/draining.ts";
import { type AdminTask, readTask, readTasks } from "../../web/admin/tasks.ts";
import { superusersOnly } from "../allowed.ts";
import { cursorParam, listOf, pageOf, UUID } from "../cursor.ts";
import type { ApiDeps } from "../deps.ts";
import { reasonInput } from "../jobs/schemas.ts";
import { iso } from "../jobs/view.ts";
import { notFound } from "../lookup.ts";
import { ApiProblem } from "../problem.ts";
import { idParams, limitParam } from "../query.ts";
import { ok, type Route, route } from "../route.ts";
import { draining, storage, task } from "./schemas.ts";

const tag = "Instance";
const LIST_DEFAULT = 50;
const RUNNING_MAX = 100;

const showStorage = route({
  method: "get",
  path: "/admin/storage",
  tag,
  summary: "What tables and logs take, and what the settings keep of them",
  description: "Out of the catalog, some seconds old at most: no table is read for it.",
  allow: superusersOnly,
  answers: { 200: { description: "Partitions are summed", schema: storage } },
  handle: async ({ deps }) => {
    const { at, ...use } = await deps.engine.keeping.storage();
    return ok({ at: new Date(at).toISOString(), ...use });
  },
});

const deepGc = route({
  method: "post",
  path: "/admin/deep-gc",
  tag,
  summary: "Begin the deep clean-up",
  description:
    "Looks at every log and every row that should have one, at what has expired, and at sessions that were " +
    "never ended. One at a time on all servers: 409 while one runs.",
  allow: superusersOnly,
  body: reasonInput,
  bodyOptional: true,
  answers: {
    202: {
      description: "Begun: `GET /admin/tasks/{id}` shows how far it is",
      schema: z.object({ id: z.uuid(), state: z.literal("running") }),
    },
  },
  handle: async ({ body, caller, deps }) => {
    const id = await deps.engine.keeping.deepGc(caller.author, body.reason);
    if (id === null) throw new ApiProblem("conflict", "A deep clean-up runs already.");
    return { status: 202, body: { id, state: "running" } };
  },
});

const tasks = route({
  method: "get",
  path: "/admin/tasks",
  tag,
  summary: "Tasks on the whole instance, the newest first",
  allow: superusersOnly,
  query: z.strictObject({ cursor: cursorParam(UUID), limit: limitParam }),
  answers: { 200: { description: "A page of tasks", schema: listOf(task) } },
  handle: async ({ query, deps }) => {
    await deps.engine.keeping.settleTasks();
    const limit = query.limit ?? LIST_DEFAULT;
    const asked = { limit: limit + 1, before: query.cursor ?? null };
    const rows = await readTasks(deps.database.reads, asked);
    return ok(pageOf(rows.map(taskView), limit, ({ id }) => id));
  },
});

const showTask = route({
  method: "get",
  path: "/admin/tasks/{id}",
  tag,
  summary: "How far a task is",
  allow: superusersOnly,
  params: idParams,
  answers: { 200: { description: "The task, pass by pass", schema: task } },
  handle: async ({ params, deps }) => {
    await deps.engine.keeping.settleTasks();
    const row = await readTask(deps.database.reads, params.id);
    if (row === null) throw notFound("task", params.id);
    return ok(taskView(row));
  },
});

const showDraining = route({
  method: "get",
  path: "/admin/draining",
  tag,
  summary: "Whether the whole instance is drained, and what still runs",
  allow: superusersOnly,
  answers: { 200: { description: "As it is now", schema: draining } },
  handle: async ({ deps }) => ok(await drainingView(deps)),
});

const setDraining = route({
  method: "post",
  path: "/admin/draining",
  tag,
  summary: "While draining, nothing is dispatched on any server",
  description:
    "Once this has answered, nothing more is assigned; what runs goes on. It ends by the same call, or when a " +
    "server starts and no other is alive.",
  allow: superusersOnly,
  body: reasonInput.extend({ enabled: z.boolean() }),
  answers: { 200: { description: "As it is now", schema: draining } },
  handle: async ({ body, caller, deps }) => {
    await deps.engine.setDraining(body.enabled, caller.author, body.reason);
    return ok(await drainingView(deps));
  },
});

export const adminRoutes: readonly Route[] = [
  showStorage,
  deepGc,
  tasks,
  showTask,
  showDraining,
  setDraining,
];

function taskView(row: AdminTask) {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    finished_at: iso(row.finished_at),
  };
}

async function drainingView({ database }: ApiDeps) {
  const found = await readDraining(database.reads, RUNNING_MAX);
  const running = found.running.map((job) => ({ ...job, since: job.since.toISOString() }));
  return { ...found, at: iso(found.at), running };
}
