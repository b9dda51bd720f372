/** What a search asks, one condition each. Pure. */
import type { JobState } from "../job_state.ts";
import type { Comparison, Key } from "./keys.ts";

type OfKind<K extends Key, V> = { key: K; negated: boolean } & V;

/** `glob`: each `*` stands for anything; else the text is meant as it is. */
export type NameTerm = OfKind<
  "queue" | "name" | "org" | "worker" | "workflow",
  { value: string; glob: boolean }
>;
/** `value` is null where any will do. */
export type TagTerm = OfKind<"tag", { name: string; value: string | null }>;
/** `at` as it was written: a day, an instant, or an age such as `24h`. */
export type TimeTerm = OfKind<"created" | "ended", { comparison: Comparison; at: string }>;
export type NumberTerm = OfKind<"priority" | "attempts", { comparison: Comparison; value: number }>;
/** Part of a text; case does not matter. */
export type TextTerm = OfKind<"error" | "payload", { value: string }>;
/** In the name, in a tag, or at the beginning of the id. */
export interface WordTerm {
  key: "word";
  negated: boolean;
  value: string;
}

export type Term =
  | OfKind<"state", { value: JobState }>
  | OfKind<"id", { value: string }>
  | NameTerm
  | TagTerm
  | TimeTerm
  | NumberTerm
  | TextTerm
  | WordTerm;
