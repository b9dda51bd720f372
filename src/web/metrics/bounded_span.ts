/**
 * How finely a span is read: as it was chosen, or more coarsely where many groups would be read side by
 * side, so that no question reads more rows than `ROWS_MAX`, however many there are.
 */
import { granularityWithin } from "../../core/metrics/buckets.ts";
import type { Scope } from "../../core/scope.ts";
import { count, minute } from "../format.ts";
import { countGroups, type GroupDeps, type MetricGroup, MetricRefused } from "./groups.ts";
import { aligned, type Span } from "./read_series.ts";

/** Null where so many groups are too many even by the week. */
export function spanWithin<S extends Span>(span: S, groups: number): S | null {
  const granularity = granularityWithin(span, groups);
  return granularity === null ? null : { ...span, granularity };
}

/** For whoever asks. Throws MetricRefused where what they see is too much for one answer. */
export function boundedSpan<S extends Span>(
  deps: GroupDeps,
  scope: Scope,
  span: S,
  group: MetricGroup,
): S {
  const groups = countGroups(deps, scope, group);
  const bounded = spanWithin(span, groups);
  if (bounded !== null) return bounded;
  const text = `This time adds up ${count(groups)} organizations, which is too much for one answer: name one of them, or take a shorter time.`;
  throw new MetricRefused("invalid", "org", text);
}

/** Where `bounded` is coarser than what was asked for, in a sentence. */
export function coarserNotes(
  asked: Span,
  bounded: Span,
  { mayChooseOrg }: { mayChooseOrg: boolean },
): string[] {
  if (asked.granularity === bounded.granularity) return [];
  const { granularity } = bounded;
  const { from, to } = aligned(bounded);
  const way = mayChooseOrg ? "Choose one organization" : "Take a shorter time";
  return [
    `You see many organizations, and so their figures are added up by the ${granularity}, over whole ${granularity}s ` +
      `from ${minute(from)} to ${minute(to)}. ${way} to see them by the ${asked.granularity}.`,
  ];
}
