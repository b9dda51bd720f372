/**
 * What is hidden and what is not there run the same statements: nobody learns of one from how the other is
 * looked for, nor from how long that takes.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Sql } from "../../src/db/client.ts";
import { API_ROWS } from "./api_rows.ts";
import { BOARD_ROWS } from "./board_rows.ts";
import { heard } from "./heard.ts";
import type { Row } from "./rows.ts";
import { seed, type World } from "./seed.ts";
import { type Asked, type Stage, stage } from "./stage.ts";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
/** What goes on by itself in these pools, whoever calls: the feed, the scheduler's counts; and the cast's own. */
const BACKGROUND = [
  /from \(select pg_current_snapshot\(\) as s\) x/,
  /from phase_event (?!p left join)/,
  /phase_event_id/,
  /join counter c on/,
  /from membership/,
  // Once a minute, whoever calls.
  /insert into (worker_sample|metric_rollup)/,
];

/** By id, or by the name of an organization: those that answer 404 to the foreigner. */
const ROWS: readonly Row[] = [...API_ROWS, ...BOARD_ROWS].filter(
  ({ of, verdicts }) => /:id|:org|panel job/.test(of) && verdictOfForeigner(verdicts) !== "1",
);

function verdictOfForeigner(verdicts: Row["verdicts"]): string {
  return (typeof verdicts === "string" ? verdicts : verdicts.acme)[5]!;
}

describe("what is hidden and what is not there", () => {
  let box: Stage;
  let world: World;
  let sent: string[] = [];
  before(async () => {
    box = await stage();
    world = await seed(box);
    const { reads, intake, arrivals, side } = box.database;
    for (const pool of [reads, intake, arrivals, side]) {
      listen(pool, (text) => sent.push(text.replaceAll(/\s+/g, " ").trim()));
    }
  });
  after(async () => {
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function statementsOf(asked: Asked): Promise<{ status: number; statements: string[] }> {
    sent = [];
    const { status } = await heard(box, "foreigner", asked);
    return { status, statements: sent.filter((text) => !BACKGROUND.some((one) => one.test(text))) };
  }

  /**
   * Where the feed stands still for a moment, as on a machine with too much to do, every live picture that is kept is
   * read anew meanwhile, also those of earlier requests: of what a live picture reads, repeats do not count.
   */
  function told({ of }: Row, heard: { status: number; statements: string[] }) {
    const isLive = of === "GET /board/jobs/:id" || of.startsWith("panel ");
    return isLive ? { ...heard, statements: [...new Set(heard.statements)] } : heard;
  }

  test("are looked for by statements of which the log sees each", async () => {
    const { id } = world.open.worker;
    const { jobs } = world.open;
    const path = `/api/v1/jobs/${jobs.succeeded}`;
    const { status, statements } = await statementsOf({ method: "GET", path });
    assert.equal(status, 200);
    assert.equal(statements.length, 2, "a job, and how it ended");
    const drain = { method: "POST", path: `/api/v1/workers/${id}/drain`, body: {} };
    const asked = (await statementsOf(drain)).statements;
    assert.ok(asked.some((text) => /where w\.uid = .* and c\.ended_at is null/.test(text)));
  });

  for (const row of ROWS) {
    test(`run the same statements: ${row.of}`, async () => {
      const target = { stage: box, world, of: world.acme, actor: "foreigner" as const };
      for (const asked of await row.asks(target)) {
        const hidden = told(row, await statementsOf(asked));
        const unknown = told(row, await statementsOf(neverWas(asked, world.acme.org)));
        assert.equal(hidden.status, unknown.status, asked.path);
        assert.deepEqual(hidden.statements, unknown.statements, asked.path);
      }
    });
  }

  test("run the same statements where a job depends on one", async () => {
    const depending = (job: string): Asked => ({
      method: "POST",
      path: `/api/v1/orgs/${world.open.org}/jobs`,
      body: { name: "x", payload: { command: ["x"] }, depends_on: [job] },
    });
    await statementsOf(depending(crypto.randomUUID()));
    const hidden = await statementsOf(depending(world.acme.jobs.succeeded!));
    const unknown = await statementsOf(depending(crypto.randomUUID()));
    assert.equal(hidden.status, 422);
    assert.ok(hidden.statements.length > 3);
    assert.deepEqual(hidden.statements, unknown.statements);
  });
});

/** As the driver sends them; parameters do not count. */
function listen(pool: Sql, hear: (text: string) => void): void {
  const { options } = pool as unknown as { options: { debug: unknown } };
  options.debug = (_connection: number, text: string) => hear(text);
}

function neverWas(asked: Asked, org: string): Asked {
  const [path, query = ""] = asked.path.split("?") as [string, string | undefined];
  const swap = (text: string) =>
    text.replace(UUID, crypto.randomUUID()).replaceAll(org, "zqnobody");
  return { ...asked, path: query === "" ? swap(path) : `${swap(path)}?${swap(query)}` };
}
