/** Lines as Prometheus reads them. Written by hand where there is one for every job name. */

/** By organization and name. */
export type Labels = readonly [organization: string, name: string];

/** What is beyond the names that are counted by themselves; a job may be called so too. */
export const OTHER = "other";

export function head(
  name: string,
  type: "counter" | "histogram" | "gauge",
  help: string,
): [string, string] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

export function line(
  metric: string,
  [organization, job]: Labels,
  value: number,
  more: Record<string, string> = {},
): string {
  const labels = Object.entries({ organization, job_name: job, ...more });
  const written = labels.map(([key, text]) => `${key}="${escaped(text)}"`);
  return `${metric}{${written.join(",")}} ${value === Number.POSITIVE_INFINITY ? "+Inf" : value}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
