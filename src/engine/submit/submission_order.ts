/**
 * The jobs of a submission with what they wait for among themselves, as dedupe keys made it: two
 * drafts with one key are one job, whoever of them was named.
 */
import { InvalidInput } from "../engine.ts";
import type { PreparedDraft } from "./submission.ts";

export interface Ordered {
  prepared: PreparedDraft;
  /** Jobs that it waits for, of this submission or named by a dedupe key; each once. */
  inside: string[];
}

/**
 * Dependencies before their dependents. `ids`: by draft, the job that stands for it. Marks the jobs
 * that others wait for. Throws InvalidInput where the keys close a circle.
 */
export function inOrder(fresh: PreparedDraft[], ids: ReadonlyMap<string, string>): Ordered[] {
  const nodes = new Map(
    fresh.map((prepared) => [prepared.draft.id, { prepared, inside: insideOf(prepared, ids) }]),
  );
  const left = new Map<string, number>();
  const below = new Map<string, Ordered[]>();
  const order: Ordered[] = [];
  for (const [id, node] of nodes) {
    const here = node.inside.filter((other) => nodes.has(other));
    for (const other of here) {
      nodes.get(other)!.prepared.draft.hasDependents = true;
      below.set(other, [...(below.get(other) ?? []), node]);
    }
    left.set(id, here.length);
    if (here.length === 0) order.push(node);
  }
  // Grows while it is read.
  for (const { prepared } of order) {
    for (const node of below.get(prepared.draft.id) ?? []) {
      const n = left.get(node.prepared.draft.id)! - 1;
      left.set(node.prepared.draft.id, n);
      if (n === 0) order.push(node);
    }
  }
  if (order.length < nodes.size) throw circle(nodes, order);
  return order;
}

function insideOf({ draft }: PreparedDraft, ids: ReadonlyMap<string, string>): string[] {
  return [...new Set(draft.inside.map((id) => ids.get(id)!))];
}

function circle(nodes: Map<string, Ordered>, order: Ordered[]): InvalidInput {
  for (const { prepared } of order) nodes.delete(prepared.draft.id);
  const issues = [...nodes.values()].slice(0, 20).map(({ prepared }) => ({
    path: [...prepared.draft.path, "dedupe_key"],
    message: "As one job, those with the same dedupe_key would wait for themselves.",
  }));
  return new InvalidInput(issues[0]!.message, issues);
}
