/** What the page before an operation says. Pure. */
import type { BulkKind, Preview } from "../../engine/engine.ts";
import { count, plural } from "../../web/format.ts";
import { jobsHref } from "./view.ts";

const QUEUES_SHOWN_MAX = 20;

export interface PreviewInput {
  kind: BulkKind;
  isTicked: boolean;
  q: string;
  ids: readonly string[];
  chosen: string | null;
  preview: Preview | null;
  orgs: readonly string[];
  at: number;
  notice: string;
}

export function previewModel(input: PreviewInput) {
  const { kind, isTicked, q, ids, chosen, preview, orgs } = input;
  const verb = kind === "cancel" ? "Cancel" : "Retry";
  const what = isTicked ? plural(ids.length, "ticked job") : "all that match";
  return {
    title: `${verb} ${what}`,
    kind,
    verb,
    what: `${kind}-${isTicked ? "ticked" : "all"}`,
    isTicked,
    q,
    ids,
    org: chosen ?? "",
    at: String(Math.floor(input.at)),
    notice: input.notice,
    back: jobsHref(q),
    effect: EFFECTS[kind],
    orgs: orgs.map((name) => ({ name, href: bulkHref(input, name) })),
    preview: preview === null ? null : previewWords(preview, kind),
  };
}

const EFFECTS: Readonly<Record<BulkKind, string>> = {
  cancel:
    "Waiting jobs end at once. Running ones are asked to stop, and end when their worker says so. Jobs that depend on them will not run.",
  retry:
    "They are queued again under the same ids, with their failures forgotten, and with them the jobs that failed only because they did. Of jobs that ended badly only failed ones are taken, unless the search names other states.",
};

function previewWords({ affected, isComplete, queues }: Preview, kind: BulkKind) {
  const more = queues.slice(QUEUES_SHOWN_MAX);
  return {
    affected,
    isComplete,
    jobs: `${isComplete ? "" : "at least "}${plural(affected, "job")}`,
    fit: kind === "cancel" ? "that can be cancelled" : "that can be retried",
    queues: queues
      .slice(0, QUEUES_SHOWN_MAX)
      .map(({ name, affected: n }) => ({ name, n: count(n) })),
    moreQueues: more.length,
  };
}

function bulkHref({ kind, isTicked, q, ids }: PreviewInput, org: string): string {
  const params = new URLSearchParams({ do: `${kind}-${isTicked ? "ticked" : "all"}`, org });
  if (q !== "") params.set("q", q);
  for (const id of isTicked ? ids : []) params.append("id", id);
  return `/board/jobs/bulk?${params}`;
}
