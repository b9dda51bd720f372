/** A deed in two steps: what it will hit, with a reason to give; then done, and back to the page. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { clipText } from "../../core/storable.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import type { Deed, DeedAsk } from "./deed.ts";
import { HOME, TABS } from "./filter.ts";
import { type News, newsOf, newsParams, operationNews, UNDO_MAX } from "./news.ts";
import { OPERATION_DEEDS } from "./operation_deeds.ts";
import { QUEUE_DEEDS } from "./queue_deeds.ts";
import { SCHEDULE_DEEDS } from "./schedule_deeds.ts";
import { SLOT_DEEDS } from "./slot_deeds.ts";

const DEEDS: Readonly<Record<string, Deed>> = {
  ...QUEUE_DEEDS,
  ...OPERATION_DEEDS,
  ...SCHEDULE_DEEDS,
  ...SLOT_DEEDS,
};
const REASON_MAX = 200;
const ITEMS_MAX = 200;
const ORG_MAX = 63;

interface Wanted {
  key: string;
  deed: Deed;
  ask: DeedAsk;
}

export async function confirmAction(c: BoardContext, shell: Shell): Promise<Response> {
  const { key, deed, ask } = wantedOf(c, shell, new URL(c.req.url).searchParams);
  const preview = await deed.preview(ask);
  const model = {
    ...{
      preview,
      key,
      verb: deed.verb,
      effect: deed.effect,
      isDangerous: deed.isDangerous === true,
    },
    ...{ org: ask.org, items: ask.items, mayRequeue: deed.mayRequeue === true },
    back: backTo(deed, ask.org),
  };
  return shell.page(c, "service/confirm", model, { title: preview.title, nav: "service" });
}

export async function runAction(c: BoardContext, shell: Shell): Promise<Response> {
  const { via, author } = c.get("caller");
  if (via === "cookie" && !isSameOrigin(c.req.raw)) {
    throw new PageError(403, "Refused", "That request came from another site.");
  }
  const form = await readForm(c.req.raw);
  const query = new URL(c.req.url).searchParams;
  const { key, deed, ask } = wantedOf(c, shell, form.has("do") ? form : query);
  const reason = clipText((form.get("reason") ?? "").trim(), REASON_MAX) || undefined;
  const run = { ...ask, author, reason, requeue: form.get("requeue") === "yes" };
  const done = await deed.run(run);
  const { operations = [] } = done;
  if (operations.length === 1) return go(`/board/jobs/operations/${operations[0]}`);
  const teller = { key: shell.deps.accounts.noteKey, author, now: shell.deps.engine.now() };
  const news =
    operations.length > 0
      ? new URLSearchParams(operations.slice(0, UNDO_MAX).map((id) => ["op", id]))
      : newsParams(teller, key, { changed: deed.undo === undefined ? [] : ask.items, ...done });
  const back = new URL(backTo(deed, ask.org), "http://board");
  for (const [name, value] of news) back.searchParams.append(name, value);
  return go(back.pathname + back.search);
}

/** What was just done, as the address says after it; null where that says nothing that is true. */
export async function newsAt(
  c: BoardContext,
  { deps }: Shell,
  params: URLSearchParams,
): Promise<News | null> {
  const { author, scope } = c.get("caller");
  if (params.has("op")) return operationNews({ deps, scope }, params);
  const teller = { key: deps.accounts.noteKey, author, now: deps.engine.now() };
  return newsOf(teller, DEEDS, params);
}

function wantedOf(c: BoardContext, shell: Shell, params: URLSearchParams): Wanted {
  const key = params.get("do") ?? "";
  const deed = Object.hasOwn(DEEDS, key) ? DEEDS[key] : undefined;
  if (deed === undefined) {
    throw new PageError(422, "Nothing was asked", "Go back, and choose what is to be done.");
  }
  const items = deed.isOfAll ? [] : [...new Set(params.getAll("item"))];
  if (!deed.isOfAll && items.length === 0) {
    throw new PageError(422, "Nothing is ticked", "Go back, tick what you mean, and try again.");
  }
  if (items.length > ITEMS_MAX) {
    const detail = `At most ${ITEMS_MAX} can be ticked. Tick fewer, or take all of an organization.`;
    throw new PageError(422, "Too many are ticked", detail);
  }
  const org = (params.get("org") ?? "").slice(0, ORG_MAX);
  return { key, deed, ask: { deps: shell.deps, scope: c.get("caller").scope, org, items } };
}

function backTo({ tab }: Deed, org: string): string {
  const params = new URLSearchParams();
  if (tab !== TABS[0]) params.set("tab", tab);
  if (org !== "") params.set("org", org);
  const query = params.toString();
  return query === "" ? HOME : `${HOME}?${query}`;
}
