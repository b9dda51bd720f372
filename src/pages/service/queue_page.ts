/** One queue: how it stands, and its description and limits, which hold from the next decision on. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { may, sees } from "../../core/scope.ts";
import { clipText } from "../../core/storable.ts";
import type { FlatSettings } from "../../engine/operator/queue_settings.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import { noneSeen } from "../../web/forms/demanded_org.ts";
import { readQueues, type ServiceQueue } from "../../web/service/queues.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { mustOperate } from "./deed.ts";
import { HOME } from "./filter.ts";
import {
  changesOf,
  collisionWords,
  fieldsOf,
  type QueueEdit,
  type QueueFields,
  readEdit,
  typedOver,
} from "./queue_form.ts";
import { queueRow } from "./rows.ts";

const REASON_MAX = 200;

export async function showQueue(c: BoardContext, shell: Shell): Promise<Response> {
  const params = new URL(c.req.url).searchParams;
  const queue = await seenQueue(c, shell, params);
  const fields = fieldsOf(settingsOf(queue));
  return print(c, shell, queue, { fields, seen: fields, isSaved: params.has("saved") });
}

/** In two steps, as every deed here: what it changes and hits, with a reason to give; and then done. */
export async function changeQueue(c: BoardContext, shell: Shell): Promise<Response> {
  const { via, author, scope } = c.get("caller");
  if (via === "cookie" && !isSameOrigin(c.req.raw)) {
    throw new PageError(403, "Refused", "That request came from another site.");
  }
  const form = await readForm(c.req.raw);
  const query = new URL(c.req.url).searchParams;
  const queue = await seenQueue(c, shell, form.has("queue") ? form : query);
  mustOperate(shell.deps, scope, queue.org);
  const edit = readEdit(form, settingsOf(queue));
  const { problem, fields, seen } = edit;
  if (problem !== null) return print(c, shell, queue, { fields, seen, problem, status: 422 });
  if (edit.changed.length === 0) return go(`${hrefOf(queue)}&saved`);
  if (form.get("sure") !== "yes") return confirm(c, shell, queue, edit);
  const { description, ...limits } = edit.wanted;
  const reason = clipText((form.get("reason") ?? "").trim(), REASON_MAX) || undefined;
  const done = await shell.deps.engine.operating.queues.change(
    { org: queue.org, queue: queue.name },
    { description, limits },
    author,
    { reason, seen: edit.before },
  );
  if (done.ok) return go(`${hrefOf(queue)}&saved`);
  // What they left alone is shown as it is by now, and a second look is at that.
  return print(c, shell, queue, {
    ...{ fields: typedOver(done.now, edit), seen: fieldsOf(done.now), status: 409 },
    problem: collisionWords(edit, done),
  });
}

function confirm(c: BoardContext, shell: Shell, queue: ServiceQueue, edit: QueueEdit): Response {
  const row = queueRow(queue, true);
  const model = { row, changes: changesOf(edit), fields: edit.fields, seen: edit.seen };
  const title = `Change ${queue.name}?`;
  return shell.page(
    c,
    "service/confirm_queue",
    { ...model, title, back: hrefOf(queue) },
    {
      ...{ title, nav: "service" },
    },
  );
}

function settingsOf({ description, limits }: ServiceQueue): FlatSettings {
  return { concurrency: null, rate: null, per_key: null, ...limits, description };
}

function hrefOf({ org, name }: Pick<ServiceQueue, "org" | "name">): string {
  return `${HOME}/queue?${new URLSearchParams({ org, queue: name })}`;
}

async function seenQueue(
  c: BoardContext,
  { deps }: Shell,
  params: URLSearchParams,
): Promise<ServiceQueue> {
  const { scope } = c.get("caller");
  const name = params.get("queue") ?? "";
  const org = deps.directory.byName(params.get("org") ?? "");
  const id = org && sees(scope, org.id) ? await deps.engine.names.queueId(org.id, name) : undefined;
  const look = { after: null, limit: 1, only: id ?? 0 };
  const [queue] = await readQueues(deps.database.reads, org ? [org.id] : [], look);
  if (queue === undefined) throw noneSeen("queue", name);
  return queue;
}

interface Shown {
  fields: QueueFields;
  /** What the form is printed against: how it stood. */
  seen: QueueFields;
  problem?: string;
  isSaved?: boolean;
  status?: number;
}

function print(
  c: BoardContext,
  shell: Shell,
  queue: ServiceQueue,
  { fields, seen, problem = "", isSaved = false, status = 200 }: Shown,
): Response {
  const org = shell.deps.directory.byName(queue.org)!;
  const operates = may(c.get("caller").scope, org.id, "operate");
  const row = queueRow(queue, operates);
  const model = { ...{ row, fields, seen, problem, isSaved, operates }, text: queue.description };
  return shell.page(c, "service/queue", model, { title: queue.name, nav: "service", status });
}
