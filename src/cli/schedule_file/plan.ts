/** What has to be done so that the server has what the files say. Pure. */
import type { ScheduleSettings } from "../../messages/schedule_input.ts";
import type { Schedule, ScheduleItem } from "../../sdk/answers.ts";
import type { FiledSchedule, ScheduleFile } from "./read.ts";

export interface FieldChange {
  field: string;
  from: unknown;
  to: unknown;
}

export type Change =
  | { kind: "create"; name: string; filed: FiledSchedule }
  | {
      kind: "update";
      name: string;
      id: string;
      fields: FieldChange[];
      /** Null: it stays paused, or going. */
      pause: boolean | null;
      filed: FiledSchedule;
    }
  | { kind: "same"; name: string }
  | { kind: "delete"; name: string; id: string };

/** `known`: what the server has, in full for every name that the files hold. */
export function planChanges(
  files: readonly ScheduleFile[],
  known: ReadonlyMap<string, Schedule>,
  all: readonly ScheduleItem[],
  prune: boolean,
): Change[] {
  const filed = files.flatMap((file) => file.schedules);
  const changes = filed.map((one) => changeOf(one, known.get(one.input.name)));
  if (!prune) return changes;
  const names = new Set(filed.map(({ input }) => input.name));
  const managers = new Set(files.map(({ managedBy }) => managedBy));
  const gone = all.filter(
    ({ name, managed_by: by }) => by !== null && managers.has(by) && !names.has(name),
  );
  return [...changes, ...gone.map(({ name, id }) => ({ kind: "delete" as const, name, id }))];
}

function changeOf(filed: FiledSchedule, known: Schedule | undefined): Change {
  const { name } = filed.input;
  if (known === undefined) return { kind: "create", name, filed };
  const { paused: _paused, ...wanted } = filed.input;
  const fields = (Object.keys(wanted) as (keyof ScheduleSettings)[])
    .filter((field) => canonical(wanted[field]) !== canonical(known[field]))
    .map((field) => ({ field, from: known[field], to: wanted[field] }));
  const isPaused = known.paused_at !== null;
  const pause = filed.paused === null || filed.paused === isPaused ? null : filed.paused;
  if (fields.length === 0 && pause === null) return { kind: "same", name };
  return { kind: "update", name, id: known.id, fields, pause, filed };
}

/** Equal texts are equal values, in whichever order their keys were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
