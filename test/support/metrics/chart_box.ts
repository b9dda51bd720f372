/** A board over a made-up history whose rollups are computed, and who looks at it. */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { somebody } from "../accounts/people.ts";
import { TOKEN } from "../api_box.ts";
import { type BoardBox, boardBox } from "../board_box.ts";
import { computed } from "./computed.ts";
import { makePlaces, writeHistory } from "./raw_history.ts";

const HOUR = 3_600_000;

export interface Asker {
  who: string;
  headers: Record<string, string>;
  /** Organizations whose rows are theirs to see. */
  orgs: number[];
}

export interface ChartBox extends BoardBox {
  sql: postgres.Sql;
  superuser: Asker;
  /** Of the organization acme. */
  member: Asker;
  open(path: string, asker: Asker): Promise<Response>;
  /** Of an answer that is good. */
  page(path: string, asker: Asker): Promise<string>;
  // biome-ignore lint/suspicious/noExplicitAny: answers are whatever the API says.
  json(path: string, asker: Asker): Promise<any>;
}

/** `more` writes what else there is, before rollups are computed. Nothing else goes on meanwhile. */
export async function chartBox(
  { n, seed }: { n: number; seed: number },
  more: (box: BoardBox, sql: postgres.Sql, orgs: number[]) => Promise<void> = async () => {},
): Promise<ChartBox> {
  const quiet = { rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 };
  const box = await boardBox({ engine: quiet });
  const sql = box.database.intake as never as postgres.Sql;
  const places = await makePlaces(sql);
  await box.directory.refresh();
  const orgs = [...new Set(places.map((place) => place.org))];
  const now = Date.now();
  await writeHistory(sql, places, { n, from: now - 30 * HOUR, to: now - 60_000, seed });
  await more(box, sql, orgs);
  await computed(box.engine.rollups, sql);
  const acme = box.directory.byName("acme")!.id;
  const { cookie } = await somebody(box, { roles: { [acme]: "viewer" } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const superuser: Asker = { who: "a superuser", headers, orgs };
  const member: Asker = { who: "a member", headers: { cookie }, orgs: [acme] };
  const open = (path: string, { headers }: Asker) =>
    box.fetch(new Request(`http://board${path}`, { headers: { accept: "text/html", ...headers } }));
  const ask = async (path: string, asker: Asker) => {
    const answer = await open(path, asker);
    assert.equal(answer.status, 200, path);
    return answer;
  };
  return {
    ...{ ...box, sql, superuser, member, open },
    page: async (path, asker) => (await ask(path, asker)).text(),
    json: async (path, asker) => (await ask(path, asker)).json(),
  };
}

/** "1 m 24 s" in milliseconds: the least that is written so. */
export function millisecondsOf(text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
  const parts = [...text.matchAll(/([\d.,]+) (ms|s|m|h|d)\b/g)];
  assert.ok(parts.length > 0, text);
  return parts.reduce(
    (sum, [, n, unit]) => sum + Number(n!.replaceAll(",", "")) * units[unit!]!,
    0,
  );
}

/** As a chart writes it: four digits that count. */
export function drawn(value: number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}

/** A percentile is right within 1 %, or a tenth of a millisecond, and drawn with four digits. */
export function assertNear(shown: number | null | undefined, exact: number | null, what: string) {
  if (exact === null) return assert.equal(shown ?? null, null, what);
  const error = Math.abs((shown ?? Number.NaN) - exact);
  assert.ok(error <= Math.max(0.11, exact * 0.0107), `${what}: ${shown}, not ${exact}`);
}
