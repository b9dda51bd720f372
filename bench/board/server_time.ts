/** How long pages take, from the first byte of the request to the last of the answer, on one connection. */
import { percentile } from "../support/figures.ts";
import type { Address } from "./addresses.ts";

/** A page that nobody has looked at for so long is read anew (`KEEP_MS` of the live hub, and a little). */
const FORGOTTEN_MS = 16_000;

export interface PageTime {
  page: string;
  p95: number;
  /** The same of the first round: templates are not compiled, connections not open, and no rollup is remembered. */
  firstP95: number;
  slowest: Timed;
}

/** `rounds` of all addresses, in turns, each round late enough that no page is still remembered. */
export async function timePages(
  url: string,
  token: string,
  addresses: readonly Address[],
  rounds: number,
): Promise<PageTime[]> {
  const [first, taken] = [new Map<string, Timed[]>(), new Map<string, Timed[]>()];
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    for (const { page, path } of addresses) {
      const ms = await timeOne(url + path, token);
      const into = round === 0 ? first : taken;
      into.set(page, [...(into.get(page) ?? []), { path, ms }]);
    }
    const rest = FORGOTTEN_MS - (performance.now() - began);
    if (rest > 0 && round < rounds) await new Promise((resume) => setTimeout(resume, rest));
  }
  return [...taken].map(([page, times]) => ({
    ...{ page, p95: p95Of(times), firstP95: p95Of(first.get(page) ?? times) },
    slowest: slowestOf(times),
  }));
}

interface Timed {
  path: string;
  ms: number;
}

function p95Of(times: readonly Timed[]): number {
  return percentile(
    times.map(({ ms }) => ms),
    0.95,
  );
}

/** By the median of its rounds. */
function slowestOf(times: readonly Timed[]): Timed {
  const byPath = Map.groupBy(times, ({ path }) => path);
  const medians = [...byPath].map(([path, some]) => ({
    path,
    ms: percentile(
      some.map(({ ms }) => ms),
      0.5,
    ),
  }));
  return medians.reduce((a, b) => (b.ms > a.ms ? b : a));
}

async function timeOne(url: string, token: string): Promise<number> {
  const from = performance.now();
  const headers = { accept: "text/html", authorization: `Bearer ${token}` };
  const answer = await fetch(url, { headers, redirect: "manual" });
  await answer.arrayBuffer();
  const ms = performance.now() - from;
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
  return ms;
}
