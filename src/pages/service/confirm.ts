/** A deed in two steps: what it will hit, with a reason to give; then done, and back to the page. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { clipText } from "../../core/storable.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import type { Deed, DeedAsk } from "./deed.ts";
import { HOME, TABS } from "./filter.ts";
import { QUEUE_DEEDS } from "./queue_deeds.ts";
import { SCHEDULE_DEEDS } from "./schedule_deeds.ts";
import { SLOT_DEEDS } from "./slot_deeds.ts";

const DEEDS: Readonly<Record<string, Deed>> = { ...QUEUE_DEEDS, ...SCHEDULE_DEEDS, ...SLOT_DEEDS };
const REASON_MAX = 200;
const ITEMS_MAX = 200;
/** More would make an address that is too long; they can be ticked again. */
const UNDO_MAX = 20;
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
  const { affected, operation } = await deed.run(run);
  if (operation !== undefined) return go(`/board/jobs/operations/${operation}`);
  const back = new URL(backTo(deed, ask.org), "http://board");
  back.searchParams.set("did", key);
  back.searchParams.set("n", String(affected));
  if (deed.undo !== undefined && affected > 0 && ask.items.length <= UNDO_MAX) {
    for (const item of ask.items) back.searchParams.append("item", item);
  }
  return go(back.pathname + back.search);
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

export interface News {
  text: string;
  /** The deed that takes it back, with what it takes. */
  undo: { key: string; items: string[]; label: string } | null;
}

/** What was just done, as the address says after it; null where that says nothing. */
export function newsOf(params: URLSearchParams): News | null {
  const key = params.get("did") ?? "";
  const deed = Object.hasOwn(DEEDS, key) ? DEEDS[key] : undefined;
  const n = Number(params.get("n"));
  if (deed === undefined || !Number.isInteger(n) || n < 0) return null;
  const items = params.getAll("item").slice(0, UNDO_MAX);
  const other = deed.undo === undefined ? undefined : DEEDS[deed.undo];
  const label =
    other === undefined ? "" : `${other.verb} ${items.length === 1 ? "it" : "them"} again`;
  const undo = other && items.length > 0 ? { key: deed.undo!, items, label } : null;
  return { text: n === 0 ? "Nothing changed: it was so already." : deed.done(n), undo };
}
