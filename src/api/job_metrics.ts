/**
 * Metrics of jobs by name, as lines for Prometheus. Counters tell what ended on this server, so that
 * sums over servers are right; what is true of the whole database is told by one server at a time, the one
 * that computes rollups. Written by hand: counting is done in the engine, where every end would
 * otherwise look up its labels.
 */
import type { Sql } from "../db/client.ts";
import { type NameTally, RUN_SECONDS, type RunTally } from "../engine/background/run_tally.ts";
import type { ExpectedNames } from "./expected_names.ts";
import { head, type Labels, line, OTHER } from "./exposition.ts";
import { gaugeLines } from "./job_gauges.ts";

export interface JobMetricsDeps {
  reads: Sql;
  replicaId: string;
  runs: Pick<RunTally, "all">;
}

export async function jobLines(deps: JobMetricsDeps, expected: ExpectedNames): Promise<string> {
  const tallies = await labelled(deps);
  const lines = [...counterLines(tallies), ...histogramLines(tallies), ...itemLines(tallies)];
  if (await leads(deps)) lines.push(...(await gaugeLines(deps.reads, await expected.read())));
  return lines.map((line) => `${line}\n`).join("");
}

async function leads({ reads, replicaId }: JobMetricsDeps): Promise<boolean> {
  const rows = await reads`
    select from leadership where role = 'aggregator' and holder = ${replicaId} and until > now()`;
  return rows.length > 0;
}

type Labelled = { labels: Labels; tally: NameTally }[];

/** A job may be called `other` too: then it is counted with the others. */
async function labelled({ reads, runs }: JobMetricsDeps): Promise<Labelled> {
  const all = runs.all();
  if (all.length === 0) return [];
  const [orgs, names] = await Promise.all([
    reads<{ id: number; name: string }[]>`
      select id, name from org where id = any(${[...new Set(all.map((one) => one.org))]}::int[])`,
    reads<{ id: number; name: string }[]>`
      select id, name from job_name where id = any(${all.map((one) => one.name)}::int[])`,
  ]);
  const orgOf = new Map(orgs.map((row) => [row.id, row.name]));
  const nameOf = new Map(names.map((row) => [row.id, row.name]));
  const merged = new Map<string, Labelled[number]>();
  for (const tally of all) {
    const labels: Labels = [orgOf.get(tally.org) ?? "?", nameOf.get(tally.name) ?? OTHER];
    const known = merged.get(labels.join("\n"));
    merged.set(
      labels.join("\n"),
      known ? { labels, tally: added(known.tally, tally) } : { labels, tally },
    );
  }
  return [...merged.values()];
}

function added(a: NameTally, b: NameTally): NameTally {
  return {
    ...a,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    bands: a.bands.map((n, at) => n + b.bands[at]!),
    seconds: a.seconds + b.seconds,
    items: {
      success: a.items.success + b.items.success,
      failed: a.items.failed + b.items.failed,
      skipped: a.items.skipped + b.items.skipped,
    },
  };
}

function counterLines(all: Labelled): string[] {
  const name = "job_execution_total";
  return [
    ...head(name, "counter", "Runs of jobs that ended on this server, by how they ended"),
    ...all.flatMap(({ labels, tally }) => [
      line(name, labels, tally.succeeded, { status: "success" }),
      line(name, labels, tally.failed, { status: "failed" }),
    ]),
  ];
}

function histogramLines(all: Labelled): string[] {
  const name = "job_execution_duration_seconds";
  return [
    ...head(name, "histogram", "Run time of jobs that ended on this server, those that failed too"),
    ...all.flatMap(({ labels, tally }) => {
      let upTo = 0;
      const buckets = tally.bands.map((n, at) => {
        upTo += n;
        const le = RUN_SECONDS[at] === undefined ? "+Inf" : String(RUN_SECONDS[at]);
        return line(`${name}_bucket`, labels, upTo, { le });
      });
      return [
        ...buckets,
        line(`${name}_sum`, labels, tally.seconds),
        line(`${name}_count`, labels, upTo),
      ];
    }),
  ];
}

function itemLines(all: Labelled): string[] {
  const name = "job_items_processed_total";
  const told = all.filter(
    ({ tally: { items } }) => items.success + items.failed + items.skipped > 0,
  );
  return [
    ...head(name, "counter", "Items that runs which ended on this server have counted"),
    ...told.flatMap(({ labels, tally: { items } }) =>
      Object.entries(items).map(([status, n]) => line(name, labels, n, { status })),
    ),
  ];
}
