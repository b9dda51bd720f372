/** One schedule: its rule in words, its next and last runs, and the form that makes one. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { may, seenOrgs } from "../../core/scope.ts";
import { InvalidInput } from "../../engine/engine.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import { minute, utc } from "../../web/format.ts";
import { mayNot } from "../../web/forms/demanded_org.ts";
import type { FireView } from "../../web/schedules/fires.ts";
import { readScheduleDetail, type ScheduleDetail } from "../../web/schedules/rows.ts";
import { requireScheduleOf } from "../../web/schedules/whose.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { mustOperate } from "./deed.ts";
import { HOME } from "./filter.ts";
import { scheduleRow, toSecond } from "./rows.ts";
import {
  FORM_MAX_BYTES,
  fieldsIn,
  issueSentence,
  NEW_FIELDS,
  parseSchedule,
  reasonIn,
  type ScheduleFields,
  SUBMITS_MAX,
  scheduleFields,
} from "./schedule_form.ts";

export const JUST_SAVED = "saved";

export async function showSchedule(c: BoardContext, shell: Shell): Promise<Response> {
  const detail = await seenSchedule(c, shell);
  const isSaved = new URL(c.req.url).searchParams.has(JUST_SAVED);
  return printSchedule(c, shell, detail, scheduleFields(detail), { isSaved });
}

export function showNewSchedule(c: BoardContext, shell: Shell): Response {
  const org = new URL(c.req.url).searchParams.get("org") ?? "";
  return printNew(c, shell, NEW_FIELDS, { org, problems: [] });
}

export async function makeSchedule(c: BoardContext, shell: Shell): Promise<Response> {
  refuseForeign(c);
  const { author, scope } = c.get("caller");
  const form = await readForm(c.req.raw, FORM_MAX_BYTES);
  const asked = form.get("org") ?? new URL(c.req.url).searchParams.get("org") ?? "";
  const org = mustOperate(shell.deps, scope, asked, "manage");
  const fields = fieldsIn(form);
  const parsed = parseSchedule(fields);
  if (parsed.problems !== null) {
    return printNew(c, shell, fields, { org, problems: parsed.problems }, 422);
  }
  try {
    const input = { ...parsed.input, paused: form.get("paused") === "yes" };
    const { schedules } = shell.deps.engine;
    const id = await schedules.create(org, input, author, reasonIn(form));
    return go(`${HOME}/schedules/${id}`);
  } catch (error) {
    return printNew(c, shell, fields, { org, problems: problemsOf(error) }, 422);
  }
}

export function refuseForeign(c: BoardContext): void {
  if (c.get("caller").via !== "cookie" || isSameOrigin(c.req.raw)) return;
  throw new PageError(403, "Refused", "That request came from another site.");
}

/** Anything but wrong input is no business of a form. */
export function problemsOf(error: unknown): string[] {
  if (!(error instanceof InvalidInput)) throw error;
  const { issues, message } = error;
  if (issues.length === 0) return [message];
  return issues.map(issueSentence);
}

export async function seenSchedule(c: BoardContext, { deps }: Shell): Promise<ScheduleDetail> {
  const { scope } = c.get("caller");
  const id = (c.req.param("id") ?? "").toLowerCase();
  await requireScheduleOf(deps, scope, id);
  const { reads } = deps.database;
  const found = await readScheduleDetail(reads, id, seenOrgs(scope), deps.engine.now());
  if (found !== null) return found;
  throw new PageError(404, "No such schedule", "It was deleted a moment ago.");
}

interface Shown {
  problems?: string[];
  isSaved?: boolean;
}

export function printSchedule(
  c: BoardContext,
  shell: Shell,
  detail: ScheduleDetail,
  fields: ScheduleFields,
  { problems = [], isSaved = false }: Shown,
  status = 200,
): Response {
  const org = shell.deps.directory.byName(detail.org)!;
  const { scope } = c.get("caller");
  const is = scheduleFields(detail);
  const isLong = is.submits.length > SUBMITS_MAX;
  const model = {
    row: scheduleRow(detail, may(scope, org.id, "operate")),
    ...{ fields, problems, isSaved, isLong, manages: may(scope, org.id, "manage") },
    // What the form is compared with when it comes back.
    was: isLong ? { ...is, submits: "" } : is,
    // Somebody else's, beside what was typed.
    theirs: !isLong && problems.length > 0 && fields.submits !== is.submits ? is.submits : "",
    about: detail.description,
    managedBy: detail.managed_by ?? "",
    next: detail.next_runs.map((time) => toSecond(time)),
    fires: detail.last_fires.map(fireRow),
    ...{ createdBy: detail.created_by, updatedBy: detail.updated_by },
  };
  return shell.page(c, "service/schedule", model, { title: detail.name, nav: "service", status });
}

function fireRow(fire: FireView) {
  const at = Date.parse(fire.nominal_at);
  return {
    ...{ due: minute(at), title: utc(at), kind: fire.kind, outcome: fire.outcome },
    isBad: ["failed", "refused"].includes(fire.outcome),
    href: fire.job === null ? null : `/board/jobs/${fire.job}`,
    note: [fire.reason ?? "", fire.asked_by === null ? "" : `asked by ${fire.asked_by}`]
      .filter((word) => word !== "")
      .join(", "),
  };
}

function printNew(
  c: BoardContext,
  shell: Shell,
  fields: ScheduleFields,
  { org, problems }: { org: string; problems: string[] },
  status = 200,
): Response {
  const { scope } = c.get("caller");
  const all = [...shell.deps.directory.all].filter(({ id }) => may(scope, id, "manage"));
  if (all.length === 0) throw mayNot("manage", "an organization");
  const orgs = all.map(({ name }) => name).sort();
  const model = { ...{ fields, problems, orgs }, org: orgs.includes(org) ? org : orgs[0] };
  const title = "New schedule";
  return shell.page(c, "service/new_schedule", model, { title, nav: "service", status });
}
