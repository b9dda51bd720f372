/**
 * Everything that is registered × everybody who may ask × what of both organizations is asked for: what
 * each is answered, and that nothing of an organization reaches who may not see it. What has no row in
 * the tables fails here.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { boardPages } from "../../src/pages/all_pages.ts";
import { LIVE_TOPICS } from "../../src/web/live/json.ts";
import type { Shell } from "../../src/web/shell.ts";
import { computed } from "../support/metrics/computed.ts";
import { ACCOUNT_ROWS } from "./account_rows.ts";
import { API_ROWS } from "./api_rows.ts";
import { BOARD_ROWS } from "./board_rows.ts";
import { ACME, type Actor, CAST, OPEN } from "./cast.ts";
import { heard } from "./heard.ts";
import type { Row, Target } from "./rows.ts";
import { type Seeded, seed, type World } from "./seed.ts";
import { SERVICE_ROWS } from "./service_rows.ts";
import { type Asked, type Stage, stage } from "./stage.ts";
import { statusOf } from "./verdicts.ts";

const ROWS: readonly Row[] = [...API_ROWS, ...BOARD_ROWS, ...SERVICE_ROWS, ...ACCOUNT_ROWS];
const NOBODY = "00000000-0000-7000-8000-00000000dead";
const NO_ORG = "zqnobody";

describe("who may what", () => {
  let box: Stage;
  let world: World;
  before(async () => {
    box = await stage();
    world = await seed(box);
    // What rollups hold is told, too.
    await computed(box.engine.rollups, box.database.reads as never);
  });
  after(async () => {
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  test("every route, topic and panel has a row, and every row is one of them", () => {
    const panels = boardPages.flatMap((page) => Object.keys(page.panels?.({} as Shell) ?? {}));
    const all = [
      ...box.routes,
      ...LIVE_TOPICS.map((name) => `topic ${name}`),
      ...panels.map((name) => `panel ${name}`),
    ];
    const rows = new Set(ROWS.map((row) => row.of));
    assert.deepEqual(
      all.filter((name) => !rows.has(name)),
      [],
      "these have no row in test/access/*_rows.ts: say there who may what",
    );
    const plain = [...rows].map((name) =>
      name.replace(/ (of one|of Signalbox itself|as a fragment)$/, ""),
    );
    assert.deepEqual(
      plain.filter((name) => !all.includes(name)),
      [],
      "these are not registered",
    );
  });

  for (const row of ROWS) {
    test(row.of, async () => {
      for (const name of ["acme", "open"] as const) {
        const letters = typeof row.verdicts === "string" ? row.verdicts : row.verdicts[name];
        for (const [at, actor] of CAST.entries()) {
          const target = { stage: box, world, of: world[name], actor };
          await check(row, target, letters[at]!);
        }
      }
    });
  }

  async function check(row: Row, target: Target, letter: string): Promise<void> {
    const { of, actor } = target;
    const expected = statusOf(letter, row.ok);
    for (const asked of await row.asks(target)) {
      const what = `${actor} asks ${asked.method} ${asked.path} of ${of.org}`;
      const answer = await heard(box, actor, asked);
      assert.equal(answer.status, expected, `${what}: ${answer.text.slice(0, 300)}`);
      if (letter === "1") assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer/);
      let { text } = answer;
      const isHidden = !sees(actor, of) && !(actor === "anonymous" && letter === "y");
      if (isHidden && isAbout(asked, of)) {
        // As if it was not there: the same words, but for what was asked.
        const twin = await heard(box, actor, twinOf(asked, of));
        assert.equal(twin.status, answer.status, what);
        const same = twin.text.replaceAll(NOBODY, idIn(asked)).replaceAll(NO_ORG, of.org);
        assert.equal(withoutTimes(text), withoutTimes(same), what);
        text = twin.text;
      }
      for (const secret of secretsFrom(actor)) {
        const at = text.indexOf(secret);
        assert.equal(at, -1, `${what} and hears ${text.slice(Math.max(0, at - 200), at + 200)}`);
      }
    }
  }

  function secretsFrom(actor: Actor): string[] {
    const { acme, open } = world;
    if (actor === "foreigner") return acme.secrets;
    if (actor === "narrowed") return open.secrets;
    if (actor !== "anonymous") return [];
    // Strangers know the names of public organizations, and nothing that is in them.
    const within = open.secrets.filter((secret) => secret !== OPEN);
    return [...acme.secrets, ...within, `${OPEN}-`];
  }
});

function sees(actor: Actor, { org }: Seeded): boolean {
  if (actor === "anonymous") return false;
  if (actor === "foreigner") return org === OPEN;
  return actor !== "narrowed" || org === ACME;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

function idIn({ path }: Asked): string {
  return UUID.exec(path.split("?")[0]!)?.[0] ?? UUID.exec(path)?.[0] ?? NOBODY;
}

/** Whether it names something of the organization, or the organization. */
function isAbout({ path }: Asked, { org }: Seeded): boolean {
  return UUID.test(path) || path.includes(org);
}

/** The same of something that never was. */
function twinOf(asked: Asked, { org }: Seeded): Asked {
  const path = asked.path.replace(idIn(asked), NOBODY).replaceAll(org, NO_ORG);
  return { ...asked, path };
}

/** The server's clock, and how far its history has got, go on between two answers. */
function withoutTimes(text: string): string {
  return text
    .replaceAll(/\d{13}(\.\d+)?/g, "T")
    .replaceAll(/<time datetime="[^"]*">[^<]*<\/time>/g, "T")
    .replaceAll(/since=[^&"]*/g, "since=")
    .replaceAll(/"id":"[\d.]+"/g, '"id":""');
}
