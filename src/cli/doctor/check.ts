/** One look of the doctor. */

export type Verdict = "ok" | "warn" | "fail" | "skip";

export interface Finding {
  name: string;
  verdict: Verdict;
  /** What was found, as a sentence. */
  found: string;
  /** What to do, where something is to be done. */
  mend?: string;
}

export function ok(name: string, found: string): Finding {
  return { name, verdict: "ok", found };
}

/** Worth knowing, yet everything works. */
export function warn(name: string, found: string, mend: string): Finding {
  return { name, verdict: "warn", found, mend };
}

export function fail(name: string, found: string, mend: string): Finding {
  return { name, verdict: "fail", found, mend };
}

/** Could not be looked at, because of something that is told elsewhere. */
export function skip(name: string, found: string): Finding {
  return { name, verdict: "skip", found };
}
