/**
 * What this server has answered since its start, by route: pages, streams and API. In memory alone, and
 * of patterns of paths, never of paths, so that there are few.
 */
import { binOf, type Histogram, percentile } from "../core/metrics/histogram.ts";

export interface AnsweredRequest {
  method: string;
  /** As in OpenAPI: `/api/v1/jobs/{id}`. */
  route: string;
  status: number;
  /** From the request to the head of its answer. */
  seconds: number;
}

export interface RouteFigures {
  method: string;
  route: string;
  requests: number;
  meanMs: number;
  p95Ms: number;
  /** Of the caller's making: 4xx. */
  refused: number;
  /** Of ours: 5xx. */
  failed: number;
}

interface Tally {
  method: string;
  route: string;
  requests: number;
  totalMs: number;
  least: number;
  most: number;
  refused: number;
  failed: number;
  bins: Map<number, number>;
}

export class Traffic {
  /** Epoch milliseconds. */
  readonly since: number;
  readonly #tallies = new Map<string, Tally>();
  readonly #listeners: ((request: AnsweredRequest) => void)[] = [];

  constructor(since: number) {
    this.since = since;
  }

  answered(request: AnsweredRequest): void {
    const { method, route, status, seconds } = request;
    const ms = seconds * 1_000;
    const key = `${method} ${route}`;
    const tally = this.#tallies.get(key) ?? emptyTally(method, route);
    this.#tallies.set(key, tally);
    tally.requests += 1;
    tally.totalMs += ms;
    tally.least = Math.min(tally.least, ms);
    tally.most = Math.max(tally.most, ms);
    if (status >= 500) tally.failed += 1;
    else if (status >= 400) tally.refused += 1;
    const bin = binOf(ms);
    tally.bins.set(bin, (tally.bins.get(bin) ?? 0) + 1);
    for (const listener of this.#listeners) listener(request);
  }

  /** Told of every request from now on. */
  listen(listener: (request: AnsweredRequest) => void): void {
    this.#listeners.push(listener);
  }

  /** By route, then by method. */
  figures(): RouteFigures[] {
    const keys = [...this.#tallies.values()];
    keys.sort((a, b) => order(a.route, b.route) || order(a.method, b.method));
    return keys.map((tally) => {
      const { method, route, requests, totalMs, refused, failed, least, most } = tally;
      const p95Ms = percentile(histogramOf(tally.bins), 0.95, { least, most }) ?? 0;
      return { method, route, requests, meanMs: totalMs / requests, p95Ms, refused, failed };
    });
  }
}

function emptyTally(method: string, route: string): Tally {
  const none = { requests: 0, totalMs: 0, refused: 0, failed: 0, bins: new Map() };
  return { method, route, ...none, least: Number.POSITIVE_INFINITY, most: 0 };
}

function histogramOf(bins: ReadonlyMap<number, number>): Histogram {
  const sorted = [...bins].sort(([a], [b]) => a - b);
  return { bins: sorted.map(([bin]) => bin), hits: sorted.map(([, hits]) => hits) };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
