/** How often a job name is to run: by its schedules, or as somebody says in the form here. */
import type { Organization } from "../../accounts/directory.ts";
import { STALENESS } from "../../core/background/thresholds.ts";
import { may } from "../../core/scope.ts";
import { clipText } from "../../core/storable.ts";
import { expectationInput, expectedOf } from "../../engine/background/input.ts";
import { type ExpectedName, readExpectedName } from "../../web/background/one_name.ts";
import { readForm } from "../../web/form.ts";
import { demandedOrg, noneSeen } from "../../web/forms/demanded_org.ts";
import {
  type FieldSpec,
  fieldsOf,
  headProblem,
  type Problems,
  problemsOf,
  type Typed,
  typedIn,
} from "../../web/forms/fields.ts";
import { secondsIn, timeText } from "../../web/forms/time_text.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";
import { go } from "../../web/sign_in.ts";
import { expectedModel } from "./expected_view.ts";
import { EXPECTED } from "./view.ts";

const INTERVAL = "expected_interval_seconds";
const GRACE = "grace_seconds";
const REASON_MAX = 200;
const NAME_MAX = 200;

const SPECS: readonly FieldSpec[] = [
  {
    ...{ name: INTERVAL, label: "Interval", hint: "Such as 90 s, 15 min, 6 h or 1 d." },
    attributes: { required: "", maxlength: "40", spellcheck: "false" },
  },
  {
    ...{ name: GRACE, label: "Grace", hint: "Time for the run itself. Empty: as usual." },
    attributes: {
      ...{ maxlength: "40", spellcheck: "false" },
      placeholder: timeText(STALENESS.graceSeconds),
    },
  },
  { name: "reason", label: "Reason, if you like", attributes: { maxlength: String(REASON_MAX) } },
];

export async function showExpected(c: BoardContext, shell: Shell): Promise<Response> {
  const asked = await askedName(c, shell, "view");
  const isSaved = new URL(c.req.url).searchParams.get("news") === "saved";
  return print(c, shell, asked, { isSaved });
}

export async function setExpected(c: BoardContext, shell: Shell): Promise<Response> {
  const form = await readForm(c.req.raw);
  const asked = await askedName(c, shell, "manage");
  const typed = typedIn(form, [INTERVAL, GRACE, "reason"]);
  const parsed = expectationInput.safeParse(form.has("back") ? NOTHING : inputIn(typed));
  if (!parsed.success) {
    return print(c, shell, asked, { typed, problems: problemsOf(parsed.error.issues) }, 422);
  }
  const { expectations } = shell.deps.engine.background;
  const { id, name } = asked.found;
  const reason = clipText(typed.reason ?? "", REASON_MAX) || undefined;
  const change = {
    org: asked.org.id,
    name: { id, name },
    expected: expectedOf(parsed.data),
    reason,
  };
  await expectations.set(change, c.get("caller").author);
  return go(`${EXPECTED}?${new URLSearchParams({ org: asked.org.name, name, news: "saved" })}`);
}

const NOTHING = { [INTERVAL]: null };

/** What is no span of time is told as what is no interval. */
function inputIn(typed: Typed): object {
  const seconds = (name: string) => secondsIn(typed[name]!) ?? Number.NaN;
  return { [INTERVAL]: seconds(INTERVAL), [GRACE]: typed[GRACE] === "" ? null : seconds(GRACE) };
}

interface Asked {
  org: Organization;
  found: ExpectedName;
}

async function askedName(
  c: BoardContext,
  { deps }: Shell,
  ability: "view" | "manage",
): Promise<Asked> {
  const params = new URL(c.req.url).searchParams;
  const org = demandedOrg(deps, c.get("caller").scope, params.get("org") ?? "", ability);
  const name = clipText(params.get("name") ?? "", NAME_MAX);
  const found = await readExpectedName(deps.database.reads, org.id, name, deps.engine.now());
  if (found === null) throw noneSeen("job name", name);
  return { org, found };
}

interface Shown {
  typed?: Typed;
  problems?: Problems;
  isSaved?: boolean;
}

function print(
  c: BoardContext,
  shell: Shell,
  { org, found }: Asked,
  { typed, problems = {}, isSaved = false }: Shown,
  status = 200,
): Response {
  const { said, name } = found;
  const text = (seconds: number | null | undefined) => (seconds == null ? "" : timeText(seconds));
  const now = { [INTERVAL]: text(said?.intervalSeconds), [GRACE]: text(said?.graceSeconds) };
  const fields = fieldsOf("expected", SPECS, { typed: typed ?? now, problems });
  const model = {
    ...expectedModel(org.name, found, shell.deps.engine.now()),
    ...{ fields, problem: headProblem(problems, fields), isSaved, isSaid: said !== null },
    manages: may(c.get("caller").scope, org.id, "manage"),
  };
  return shell.page(c, "background/expected", model, { title: name, nav: "background", status });
}
