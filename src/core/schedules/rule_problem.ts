/** What is wrong with a cron rule or a time zone, as a sentence that says what to write instead. */
import { Cron } from "croner";
import { dueTimes } from "./due_times.ts";

interface Field {
  name: string;
  /** What may stand there. */
  help: string;
}

const FIELDS: readonly Field[] = [
  { name: "second", help: "0 to 59" },
  { name: "minute", help: "0 to 59" },
  { name: "hour", help: "0 to 23" },
  { name: "day of the month", help: "1 to 31, or L for the last" },
  { name: "month", help: "1 to 12 or JAN to DEC" },
  {
    name: "day of the week",
    help: "0 (Sunday) to 7 (Sunday) or SUN to SAT, 5#2 for the second Friday",
  },
];

const NICKNAMES: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** A rule that has no due time in the years after this has none at all. */
const ANY_DAY = Date.UTC(2024, 0, 1);
const CRON_MAX = 200;

/** Of a rule with six fields; one of five has 0 for its second. */
export function fieldsOf(cron: string): string[] {
  const fields = cron.trim().split(/\s+/);
  return fields.length === 5 ? ["0", ...fields] : fields;
}

/** Null where it is a rule that is due at some time. */
export function cronProblem(cron: string): string | null {
  const text = cron.trim();
  if (text.length > CRON_MAX) return `is longer than ${CRON_MAX} characters`;
  const instead = NICKNAMES[text.toLowerCase()];
  if (instead !== undefined) return `write "${instead}" for ${text}`;
  const parts = text === "" ? [] : text.split(/\s+/);
  if (parts.length !== 5 && parts.length !== 6) {
    const has = parts.length === 1 ? "1 field" : `${parts.length} fields`;
    return `has ${has}: write 5 (minute, hour, day, month, weekday), or 6 with the second first`;
  }
  for (const [at, field] of fieldsOf(text).entries()) {
    const wrong = fieldProblem(field, at);
    if (wrong !== null) return wrong;
  }
  const never = "is never due: there is no such day";
  try {
    return dueTimes({ cron: text, timeZone: "UTC" }).after(ANY_DAY) === null ? never : null;
  } catch (error) {
    return `is no cron rule: ${(error as Error).message}`;
  }
}

function fieldProblem(field: string, at: number): string | null {
  const { name, help } = FIELDS[at]!;
  const others = FIELDS.map((_, n) => (n === at ? field : "*"));
  try {
    new Cron(others.join(" "), { mode: "6-part", paused: true });
    return null;
  } catch {
    return (
      `"${field}" is no ${name}: write ${help}; * for every one, a list (1,2), a range (1-5), ` +
      "or a step (*/2, 1-9/2)"
    );
  }
}

/** Null where it is an IANA time zone that this server knows. */
export function timeZoneProblem(name: string): string | null {
  const wrong = `"${name}" is no time zone that is known here: write an IANA name such as Europe/Berlin, or UTC`;
  // Offsets such as +02:00 have no summer time: whoever writes one rarely means that.
  if (!/^[A-Za-z]/.test(name)) return wrong;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return null;
  } catch {
    return wrong;
  }
}
