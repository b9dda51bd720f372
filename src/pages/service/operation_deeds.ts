/** Calling off of what was begun; items are ids of operations. */
import { may, seenOrgs } from "../../core/scope.ts";
import { plural } from "../../web/format.ts";
import { mayNot, noneSeen } from "../../web/forms/demanded_org.ts";
import { type OperationRow, readOperation } from "../../web/jobs/operation.ts";
import { operationModel } from "../../web/jobs/operation_words.ts";
import { type Deed, type DeedAsk, type Refusal, shown, UUID } from "./deed.ts";

const callOff: Deed = {
  ...{ tab: "queues", verb: "Call off" },
  effect: "What has not begun is undone whole. What has, goes no further: what is done stays.",
  preview: async (ask) => {
    const labels = (await operationsOf(ask)).map((row) => labelOf(ask, row));
    const what = labels.length === 1 ? labels[0]! : plural(labels.length, "operation");
    const sentence = `Calls off ${plural(labels.length, "operation")}.`;
    return { title: `Call off ${what}?`, sentence, hits: shown(labels), affected: labels.length };
  },
  run: async (ask) => {
    const refused: Refusal[] = [];
    let affected = 0;
    for (const row of await operationsOf(ask)) {
      const result = await ask.deps.engine.bulk.undo(row.id, ask.author, ask.reason);
      if (result.ok) affected += 1;
      else refused.push({ label: labelOf(ask, row), reason: result.reason });
    }
    return { affected, refused };
  },
  done: (n) => `Called off ${plural(n, "operation")}.`,
};

function operationsOf({ deps, scope, items }: DeedAsk): Promise<OperationRow[]> {
  return Promise.all(
    items.map(async (item) => {
      const id = item.toLowerCase();
      const { reads } = deps.database;
      const row = UUID.test(id) ? await readOperation(reads, id, seenOrgs(scope)) : null;
      if (row === null) throw noneSeen("operation", item);
      if (!may(scope, row.org_id, "operate"))
        throw mayNot("operate", row.org ?? "the installation");
      return row;
    }),
  );
}

function labelOf({ deps }: DeedAsk, row: OperationRow): string {
  const { title, org } = operationModel(row, deps.engine.now(), true);
  return org === "" ? title : `${title} in ${org}`;
}

export const OPERATION_DEEDS: Readonly<Record<string, Deed>> = { "call-off": callOff };
