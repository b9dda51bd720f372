/** Forms that come back: what was typed, and beside each field a sentence on what is wrong with it. Pure. */
import { clipText } from "../../core/storable.ts";
import { InvalidInput } from "../../engine/engine.ts";

/** What is wrong, by the name of the field; "": what no field is to blame for. */
export type Problems = Readonly<Record<string, string>>;
/** What was typed, by the name of the field. */
export type Typed = Readonly<Record<string, string>>;

export interface FieldSpec {
  name: string;
  label: string;
  hint?: string;
  /** Of the element, such as `maxlength`. */
  attributes?: Readonly<Record<string, string>>;
}

/** As `_shared/_field` prints it. */
export interface Field {
  id: string;
  name: string;
  label: string;
  value: string;
  hint: string;
  problem: string;
  attributes: [name: string, value: string][];
  /** Ids of the hint and the problem; empty where there is neither. */
  describedBy: string;
  /** The first with a problem: the keyboard goes there. */
  isFirst: boolean;
}

const TYPED_MAX = 2_000;

export function typedIn(form: URLSearchParams, names: readonly string[]): Typed {
  const typed = (name: string) => clipText((form.get(name) ?? "").trim(), TYPED_MAX);
  return Object.fromEntries(names.map((name) => [name, typed(name)]));
}

/** The first of each field; a field is the last name in the path of an issue. */
export function problemsOf(
  issues: readonly { path: readonly PropertyKey[]; message: string }[],
): Problems {
  const problems: Record<string, string> = {};
  for (const { path, message } of issues) {
    const name = String(path.findLast((step) => typeof step === "string") ?? "");
    problems[name] ??= message;
  }
  return problems;
}

/** Of what the engine refused. Anything but wrong input is no business of a form. */
export function problemsIn(error: unknown): Problems {
  if (!(error instanceof InvalidInput)) throw error;
  return error.issues.length === 0 ? { "": error.message } : problemsOf(error.issues);
}

export function fieldsOf(
  prefix: string,
  specs: readonly FieldSpec[],
  { typed, problems }: { typed: Typed; problems: Problems },
): Field[] {
  const first = specs.find(({ name }) => problems[name] !== undefined)?.name;
  return specs.map(({ name, label, hint = "", attributes = {} }) => {
    const id = `${prefix}-${name.replaceAll("_", "-")}`;
    const problem = problems[name] === undefined ? "" : sentenceOf(label, problems[name]);
    const described = [problem && `${id}-problem`, hint && `${id}-hint`];
    return {
      ...{ id, name, label, value: typed[name] ?? "", hint, problem },
      attributes: Object.entries(attributes),
      describedBy: described.filter((word) => word !== "").join(" "),
      isFirst: name === first,
    };
  });
}

/** What stands above the form: what no field is to blame for, or that some of them are. Empty: all is well. */
export function headProblem(problems: Problems, fields: readonly Field[]): string {
  const strange = Object.keys(problems).find((name) => fields.every((one) => one.name !== name));
  if (strange !== undefined) {
    const name = strange.replaceAll("_", " ") || "it";
    return sentenceOf(`${name[0]!.toUpperCase()}${name.slice(1)}`, problems[strange]!);
  }
  const wrong = fields.filter(({ problem }) => problem !== "").map(({ label }) => label);
  return wrong.length === 0 ? "" : `Nothing was saved. Look again at: ${wrong.join(", ")}.`;
}

/** Messages go on from the name of their field ("must be …"), or are sentences of their own. */
function sentenceOf(label: string, message: string): string {
  const text = /^[a-z]/.test(message) ? `${label} ${message}` : message;
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
