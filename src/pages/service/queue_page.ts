/** One queue: how it stands, and its description and limits, which hold from the next decision on. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { may, sees } from "../../core/scope.ts";
import { clipText } from "../../core/storable.ts";
import { queueLimits } from "../../messages/queue_limits.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import { noneSeen } from "../../web/forms/demanded_org.ts";
import { readQueues, type ServiceQueue } from "../../web/service/queues.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { mustOperate } from "./deed.ts";
import { HOME } from "./filter.ts";
import { queueRow } from "./rows.ts";

const TEXT_MAX = 200;

interface QueueFields {
  description: string;
  concurrency: string;
  count: string;
  seconds: string;
  tag: string;
  perKey: string;
}

export async function showQueue(c: BoardContext, shell: Shell): Promise<Response> {
  const params = new URL(c.req.url).searchParams;
  const queue = await seenQueue(c, shell, params);
  return print(c, shell, queue, fieldsOf(queue), { isSaved: params.has("saved") });
}

export async function changeQueue(c: BoardContext, shell: Shell): Promise<Response> {
  const { via, author, scope } = c.get("caller");
  if (via === "cookie" && !isSameOrigin(c.req.raw)) {
    throw new PageError(403, "Refused", "That request came from another site.");
  }
  const form = await readForm(c.req.raw);
  const queue = await seenQueue(
    c,
    shell,
    form.has("queue") ? form : new URL(c.req.url).searchParams,
  );
  mustOperate(shell.deps, scope, queue.org);
  const fields = fieldsIn(form);
  const { limits, problem } = limitsIn(fields);
  if (problem !== null) return print(c, shell, queue, fields, { problem }, 422);
  const patch = { description: fields.description, limits };
  const reason = clipText((form.get("reason") ?? "").trim(), TEXT_MAX) || undefined;
  await shell.deps.engine.operating.queues.change(queue.org, queue.name, patch, author, reason);
  return go(`${hrefOf(queue)}&saved`);
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

function fieldsOf({ description, limits }: ServiceQueue): QueueFields {
  const text = (value: number | undefined | null) => (value == null ? "" : String(value));
  return {
    ...{ description, concurrency: text(limits?.concurrency) },
    ...{ count: text(limits?.rate?.count), seconds: text(limits?.rate?.seconds) },
    ...{ tag: limits?.per_key?.tag ?? "", perKey: text(limits?.per_key?.concurrency) },
  };
}

function fieldsIn(form: URLSearchParams): QueueFields {
  const word = (key: string) => clipText((form.get(key) ?? "").trim(), TEXT_MAX);
  return {
    ...{ description: word("description"), concurrency: word("concurrency") },
    ...{
      count: word("count"),
      seconds: word("seconds"),
      tag: word("tag"),
      perKey: word("per_key"),
    },
  };
}

type Parsed = { limits: ServiceQueue["limits"]; problem: null } | { limits: null; problem: string };

/** An empty field is no limit; half of a pair is a mistake. */
function limitsIn({ concurrency, count, seconds, tag, perKey }: QueueFields): Parsed {
  const wrong = (problem: string): Parsed => ({ limits: null, problem });
  if ((count === "") !== (seconds === ""))
    return wrong("A rate is a count and the seconds that it is for: give both, or neither.");
  if ((tag === "") !== (perKey === ""))
    return wrong("A limit per key is the name of a tag and a number: give both, or neither.");
  const number = (text: string) => (text === "" ? null : Number(text));
  const parsed = queueLimits.safeParse({
    concurrency: number(concurrency),
    rate: count === "" ? null : { count: Number(count), seconds: Number(seconds) },
    per_key: tag === "" ? null : { tag, concurrency: Number(perKey) },
  });
  if (parsed.success) {
    const { concurrency: most = null, rate = null, per_key = null } = parsed.data;
    return { limits: { concurrency: most, rate, per_key }, problem: null };
  }
  const [issue] = parsed.error.issues;
  return wrong(`${issue!.path.join(" ").replaceAll("_", " ")}: ${issue!.message}`);
}

interface Shown {
  problem?: string;
  isSaved?: boolean;
}

function print(
  c: BoardContext,
  shell: Shell,
  queue: ServiceQueue,
  fields: QueueFields,
  { problem = "", isSaved = false }: Shown,
  status = 200,
): Response {
  const org = shell.deps.directory.byName(queue.org)!;
  const operates = may(c.get("caller").scope, org.id, "operate");
  const row = queueRow(queue, operates);
  const model = { ...{ row, fields, problem, isSaved, operates }, text: queue.description };
  return shell.page(c, "service/queue", model, { title: queue.name, nav: "service", status });
}
