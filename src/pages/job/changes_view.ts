/** What people did to the job, ready to print. From where they did it is not for all who see a job. Pure. */
import { changeWords } from "../../web/audit/changes.ts";
import { count } from "../../web/format.ts";
import { headline } from "../../web/words.ts";
import type { JobPageInput } from "./view.ts";

export function changesModel({ rows }: Pick<JobPageInput, "rows">) {
  return {
    more: rows.moreChanges,
    changes: rows.changes.map((row) => ({
      at: row.at.getTime(),
      who: row.actor,
      what: headline(row.action.replace(/^job\./, "")),
      reason: row.reason ?? "",
      // One is the job itself.
      affected: row.affected === null || row.affected <= 1 ? "" : `${count(row.affected)} jobs`,
      // Name and queue stand at the top of the page.
      change: changeWords(row.before, row.after, ["name", "queue"]),
    })),
  };
}
