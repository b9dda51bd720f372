/**
 * The tests of a search as conditions. Those of what never changes are asked of `job` (as `j`, with its
 * name as `n` and its queue as `q`), those of where it stands of a row `s` with its worker as `w`.
 */
import type {
  Criteria,
  Criterion,
  NamedTest,
  RangeTest,
  TagTest,
  Test,
} from "../../core/search/criteria.ts";
import type { Binder } from "./binder.ts";

const OF_STATE: readonly Test["on"][] = ["state", "worker", "ended", "attempts", "error"];
/** They read the whole of a value: whatever else is asked is asked before. */
const COSTLY: readonly Test["on"][] = ["word", "payload"];

const isOfState = ({ any }: Criterion) => OF_STATE.includes(any[0]?.on ?? "state");
const isCostly = ({ any }: Criterion) => COSTLY.includes(any[0]?.on ?? "state");

export function asksState({ all }: Criteria): boolean {
  return all.some(isOfState);
}

export function jobConditions({ all }: Criteria, binder: Binder): string {
  const own = all.filter((criterion) => !isOfState(criterion));
  const cheapFirst = [...own.filter((one) => !isCostly(one)), ...own.filter(isCostly)];
  return cheapFirst.map((criterion) => condition(criterion, binder)).join("");
}

export function stateConditions({ all }: Criteria, binder: Binder): string {
  return all
    .filter(isOfState)
    .map((criterion) => condition(criterion, binder))
    .join("");
}

/** A test of what a job does not have is false, so that its opposite is true. */
function condition({ not, any }: Criterion, binder: Binder): string {
  const tests = any.map((test) => `(${sqlOf(test, binder)}) is true`);
  const either = tests.length === 0 ? "false" : tests.join(" or ");
  return `\n  and ${not ? "not " : ""}(${either})`;
}

function sqlOf(test: Test, binder: Binder): string {
  switch (test.on) {
    case "state":
      return `s.state = ${binder.add(test.is)}::job_state`;
    case "id":
      return `j.id = ${binder.add(test.is)}::uuid`;
    case "queue":
      return named("q.name", test, binder);
    case "name":
      return named("n.name", test, binder);
    case "worker":
      return `${named("w.name", test, binder)} or w.uid::text = ${binder.add(test.is)}::text`;
    case "workflow":
      return inWorkflow(test, binder);
    case "tag":
      return tagged(test, binder);
    case "created":
      return timed("j.created_at", test, binder);
    case "ended":
      return timed("s.finished_at", test, binder);
    case "priority":
      return numbered("j.priority", test, binder);
    case "attempts":
      return numbered("s.attempt", test, binder);
    case "error":
      return `s.error ilike ${within(test.has, binder)}`;
    case "payload":
      return inPayload(test.has, binder);
    case "word":
      return wordy(test.has, binder);
  }
}

function named(
  column: string,
  { is, glob }: { is: string; glob: boolean },
  binder: Binder,
): string {
  if (!glob) return `${column} = ${binder.add(is)}::text`;
  const pattern = is.split("*").map(escapeLike).join("%");
  return `${column} like ${binder.add(pattern)}::text`;
}

/** Only of the job's own organization: a name elsewhere is another's. */
function inWorkflow(test: NamedTest, binder: Binder): string {
  const isOne = `${named("f.name", test, binder)} or f.id::text = ${binder.add(test.is)}::text`;
  // Fenced: from the job to its workflows and never from a workflow to its thousands of jobs.
  return `exists (select from (select workflow_id from workflow_job where job_id = j.id offset 0) m
    cross join lateral (select id, name, org_id from workflow where id = m.workflow_id offset 0) f
    where f.org_id = j.org_id and (${isOne}))`;
}

function tagged({ name, value }: TagTest, binder: Binder): string {
  if (value === null) return `j.tags ? ${binder.add(name)}::text`;
  return `j.tags @> ${binder.add(JSON.stringify({ [name]: value }))}::text::jsonb`;
}

function timed(column: string, { from, to }: RangeTest, binder: Binder): string {
  const at = (ms: number) => `${binder.add(new Date(ms).toISOString())}::timestamptz`;
  const bounds = [
    from === null ? "" : `${column} >= ${at(from)}`,
    to === null ? "" : `${column} < ${at(to)}`,
  ];
  return bounds.filter((bound) => bound !== "").join(" and ");
}

function numbered(column: string, { from, to }: RangeTest, binder: Binder): string {
  const bounds = [
    from === null ? "" : `${column} >= ${binder.add(from)}::int`,
    to === null ? "" : `${column} < ${binder.add(to)}::int`,
  ];
  return bounds.filter((bound) => bound !== "").join(" and ");
}

/** As it was written, or as JSON writes it: who looks for `say "hi"` means both. */
function inPayload(has: string, binder: Binder): string {
  const written = `j.payload::text ilike ${within(has, binder)}`;
  const inJson = JSON.stringify(has).slice(1, -1);
  return inJson === has ? written : `${written} or j.payload::text ilike ${within(inJson, binder)}`;
}

function wordy(has: string, binder: Binder): string {
  const text = within(has, binder);
  const begins = binder.add(`${escapeLike(has.toLowerCase())}%`);
  return `n.name ilike ${text} or j.tags::text ilike ${text} or j.id::text like ${begins}::text`;
}

function within(text: string, binder: Binder): string {
  return `${binder.add(`%${escapeLike(text)}%`)}::text`;
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}
