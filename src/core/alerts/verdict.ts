/** What a rule says of a job name at one moment. Pure. */

/** `unknown`: too little is known to say either. */
export type Truth = "true" | "false" | "unknown";

export interface Verdict {
  truth: Truth;
  /** The figure that was compared, in the limit's unit; null where there is none. */
  value: number | null;
  limit: number | null;
  /** The real figures as a sentence; said of `unknown` too. */
  sentence: string;
}

export function unknown(sentence: string): Verdict {
  return { truth: "unknown", value: null, limit: null, sentence };
}

export function compared(value: number, limit: number, sentence: string): Verdict {
  return { truth: value > limit ? "true" : "false", value, limit, sentence };
}
