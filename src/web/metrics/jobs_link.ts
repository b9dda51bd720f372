/** From a bucket of a chart to its jobs: a search that the page of jobs understands. */
import type { MetricFilter } from "./metric_filter.ts";

/**
 * An address with {from} and {to}, which the chart fills in. `state` narrows it to what the chart counts.
 */
export function endedJobsLink(filter: MetricFilter, state?: string): string {
  const terms = [
    ...(["org", "queue", "name"] as const).flatMap((key) =>
      filter[key] === "" ? [] : [`${key}:${quoted(filter[key])}`],
    ),
    ...(state === undefined ? [] : [`state:${state}`]),
  ];
  const narrowed = terms.map((term) => `${encodeURIComponent(term)}+`).join("");
  return `/board/jobs?q=${narrowed}ended%3A%3E%3D{from}+ended%3A%3C{to}`;
}

/** Jobs of a name, newest first. */
export function jobsLink({ org, name }: { org: string; name: string }): string {
  return `/board/jobs?q=${encodeURIComponent(`org:${quoted(org)} name:${quoted(name)}`)}`;
}

/** What is quoted is taken as it stands. */
function quoted(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
