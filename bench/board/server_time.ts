/** How long pages take, from the first byte of the request to the last of the answer, on one connection. */
import { percentile } from "../support/figures.ts";
import type { Address } from "./addresses.ts";

/** A page that nobody has looked at for so long is read anew (`KEEP_MS` of the live hub, and a little). */
const FORGOTTEN_MS = 16_000;

export interface PageTime {
  page: string;
  p95: number;
  slowest: { path: string; ms: number };
}

/** `rounds` of all addresses, in turns, each round late enough that no page is still remembered. */
export async function timePages(
  url: string,
  token: string,
  addresses: readonly Address[],
  rounds: number,
): Promise<PageTime[]> {
  const taken = new Map<string, { path: string; ms: number }[]>();
  // The first round compiles templates and opens connections.
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    for (const { page, path } of addresses) {
      const ms = await timeOne(url + path, token);
      if (round === 0) continue;
      const times = taken.get(page) ?? [];
      times.push({ path, ms });
      taken.set(page, times);
    }
    const rest = FORGOTTEN_MS - (performance.now() - began);
    if (rest > 0 && round < rounds) await new Promise((resume) => setTimeout(resume, rest));
  }
  return [...taken].map(([page, times]) => {
    const p95 = percentile(
      times.map(({ ms }) => ms),
      0.95,
    );
    return { page, p95, slowest: slowestOf(times) };
  });
}

/** By the median of its rounds. */
function slowestOf(times: readonly { path: string; ms: number }[]): { path: string; ms: number } {
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
