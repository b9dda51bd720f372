/** A schedule is changed in two steps: the form, and what it makes different. Only that is changed. */
import { scheduleProblems } from "../../core/schedules/check.ts";
import { nextDueTimes } from "../../core/schedules/due_times.ts";
import { may } from "../../core/scope.ts";
import { ChangedMeanwhile } from "../../engine/schedules/schedules.ts";
import type { ParsedScheduleInput } from "../../messages/schedule_input.ts";
import { readForm } from "../../web/form.ts";
import { plural } from "../../web/format.ts";
import type { ScheduleDetail } from "../../web/schedules/rows.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { mustOperate } from "./deed.ts";
import { HOME } from "./filter.ts";
import { scheduleRow, toSecond } from "./rows.ts";
import {
  FORM_MAX_BYTES,
  fieldsIn,
  issueSentence,
  parseSchedule,
  reasonIn,
  scheduleFields,
} from "./schedule_form.ts";
import { clashSentence, type Merged, mergeFields, settingsAt, wasIn } from "./schedule_merge.ts";
import {
  JUST_SAVED,
  printSchedule,
  problemsOf,
  refuseForeign,
  seenSchedule,
} from "./schedule_page.ts";

const NEXT = 3;

export async function changeSchedule(c: BoardContext, shell: Shell): Promise<Response> {
  refuseForeign(c);
  const { author, scope } = c.get("caller");
  const detail = await seenSchedule(c, shell);
  mustOperate(shell.deps, scope, detail.org, "manage");
  const form = await readForm(c.req.raw, FORM_MAX_BYTES);
  const merge = (one: ScheduleDetail) => {
    const is = scheduleFields(one);
    return mergeFields(fieldsIn(form), wasIn(form) ?? is, is);
  };
  const refuse = (one: ScheduleDetail, { fields }: Merged, problems: string[], status: number) =>
    printSchedule(c, shell, one, fields, { problems }, status);
  const merged = merge(detail);
  const { changes, clashes } = merged;
  if (clashes.length > 0) return refuse(detail, merged, clashes.map(clashSentence), 409);
  const { input, problems } = parseSchedule(merged.fields);
  if (problems !== null) return refuse(detail, merged, problems, 422);
  const wrong = scheduleProblems(input).map(issueSentence);
  if (wrong.length > 0) return refuse(detail, merged, wrong, 422);
  if (changes.length === 0) return refuse(detail, merged, ["Nothing is different yet."], 422);
  if (form.get("sure") !== "yes") return confirm(c, shell, detail, merged, input);
  const how = { reason: reasonIn(form), seen: settingsAt(changes, detail) };
  try {
    await shell.deps.engine.schedules.change(detail.id, settingsAt(changes, input), author, how);
  } catch (error) {
    if (!(error instanceof ChangedMeanwhile)) {
      return refuse(detail, merged, problemsOf(error), 422);
    }
    const now = await seenSchedule(c, shell);
    const again = merge(now);
    return refuse(now, again, [...again.clashes.map(clashSentence), MOMENT], 409);
  }
  return go(`${HOME}/schedules/${detail.id}?${JUST_SAVED}`);
}

const MOMENT =
  "Somebody else changed it in this very moment: look at it once more, and save again.";

/** What becomes of the schedule, before it does. */
function confirm(
  c: BoardContext,
  shell: Shell,
  detail: ScheduleDetail,
  { fields, changes }: Merged,
  input: ParsedScheduleInput,
): Response {
  const { id } = shell.deps.directory.byName(detail.org)!;
  const isChanged = (...names: string[]) => changes.some(({ field }) => names.includes(field));
  const now = shell.deps.engine.now();
  const nextOf = ({ cron, time_zone: timeZone }: Pick<ParsedScheduleInput, "cron" | "time_zone">) =>
    nextDueTimes({ cron, timeZone }, now, NEXT).map((at) => toSecond(new Date(at).toISOString()));
  const [is, isNewTemplate] = [scheduleFields(detail), isChanged("submits")];
  const isNewRule = isChanged("cron", "time_zone");
  const model = {
    row: scheduleRow(detail, may(c.get("caller").scope, id, "operate")),
    sentence: `Changes ${plural(changes.length, "setting")} of ${detail.org} / ${detail.name}.`,
    // A template that is not changed may be long, and is not sent again.
    fields: isNewTemplate ? fields : { ...fields, submits: "" },
    was: isNewTemplate ? is : { ...is, submits: "" },
    changes: changes.map(({ field, ...rest }) => ({ ...rest, isLong: field === "submits" })),
    next: isNewRule ? { before: nextOf(detail), after: nextOf(input) } : null,
    effects: [
      ...(isNewRule
        ? ["It begins anew: due times of the old rule that have not fired yet are left out."]
        : []),
      ...(isChanged("name") ? ["Its runs are tagged with the new name from now on."] : []),
      "Runs that it has submitted stay as they are.",
    ],
  };
  const title = `Change ${detail.name}?`;
  return shell.page(c, "service/confirm_schedule", model, { title, nav: "service" });
}
