/** Every number of what is now, on the overview, the live page and the page of jobs, against plain SQL. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TOKEN, V1 } from "../support/api_box.ts";
import { eventually } from "../support/eventually.ts";
import {
  type BusyBoard,
  busyBoard,
  fleetOf,
  type Looker,
  statesOf,
} from "../support/metrics/busy_board.ts";
import { chartIn, figureIn } from "../support/metrics/read_page.ts";

let box: BusyBoard;
before(async () => {
  box = await busyBoard();
  await eventually(async () => {
    const html = await (await box.get("/board/live")).text();
    const states = await statesOf(box, box.lookers[0]!.orgs);
    return (
      chip(html, "queued") === String(states.queued) && chip(html, "ready") === String(states.ready)
    );
  }, "counters have settled");
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const page = async ({ get }: Pick<Looker, "get">, path: string): Promise<string> => {
  const answer = await get(path);
  assert.equal(answer.status, 200, path);
  return await answer.text();
};
const chip = (html: string, state: string) =>
  new RegExp(`id="count-${state}">([^<]*)<`).exec(html)?.[1];
const noteIn = (html: string, id: string) =>
  new RegExp(`id="figure-${id}">.*?</b>\\s*<small>(.*?)</small>`, "s").exec(html)?.[1];

/** Everybody, with all that they see, and with one organization of it. */
const views = () =>
  box.lookers.flatMap((looker) => [
    { ...looker, query: "", asked: looker.orgs },
    { ...looker, query: "?org=acme", asked: [box.acme] },
  ]);

describe("the overview", () => {
  test("counts jobs that wait and jobs on workers", async () => {
    for (const { query, asked, who, get } of views()) {
      const html = await page({ get }, `/board${query}`);
      const { ready, queued, dispatched, running } = (await statesOf(box, asked)) as Record<
        string,
        number
      >;
      const what = `${who} ${query}`;
      assert.equal(figureIn(html, "pending"), String(ready! + queued!), what);
      assert.equal(noteIn(html, "pending"), `${ready} ready`, what);
      assert.equal(figureIn(html, "active"), String(dispatched! + running!), what);
      assert.equal(noteIn(html, "active"), `${running} running`, what);
    }
  });

  test("counts workers that are connected, and says how many it does not show", async () => {
    for (const { query, asked, who, get, orgs } of views()) {
      const html = await page({ get }, `/board${query}`);
      const { workers, slots } = await fleetOf(box, asked, { shared: true });
      assert.equal(figureIn(html, "workers"), String(workers), `${who} ${query}`);
      const isAll = orgs.length > 1;
      const note = noteIn(html, "workers")!;
      const whose = query === "" ? "" : ", with the workers that all share";
      assert.ok(note.endsWith(`${slots} slots${whose}`), `${who} ${query}: ${note}`);
      assert.equal(/hidden/.test(note), !isAll);
    }
  });

  test("names what needs attention, with its numbers", async () => {
    for (const { get, orgs, who } of box.lookers) {
      const html = await page({ get }, "/board");
      for (const [name, id] of [
        ["acme", box.acme],
        ["default", box.directory.byName("default")!.id],
      ] as const) {
        const { ready, queued } = await statesOf(box, [id], "queue = 'halted'");
        const sentence = `Queue halted of ${name} was paused by admin while ${ready! + queued!} jobs wait in it.`;
        assert.equal(html.includes(sentence), orgs.includes(id), `${who}: ${sentence}`);
      }
      const { away } = await fleetOf(box, orgs, { shared: true });
      const words = away === 1 ? "1 worker has" : `${away} workers have`;
      assert.ok(html.includes(`${words} lost the connection`), who);
    }
  });
});

describe("the page of workers", () => {
  test("counts who is connected, drains and is away, and slots of those who are connected", async () => {
    for (const { query, asked, who, get, orgs } of views()) {
      const html = await page({ get }, `/board/workers${query}`);
      // Of one organization: its own.
      const fleet = await fleetOf(box, asked, { shared: query === "" });
      const what = `${who} ${query}`;
      assert.equal(figureIn(html, "workers"), String(fleet.workers), what);
      assert.equal(figureIn(html, "draining"), String(fleet.draining), what);
      assert.equal(figureIn(html, "away"), String(fleet.away), what);
      assert.ok(noteIn(html, "slots")!.startsWith(`of ${fleet.slots} slots`), what);
      const listed = html.match(/<tr[^>]*>\s*<t[hd][^>]*><a href="\/board\/workers\//g)?.length;
      assert.equal(listed, fleet.workers + fleet.away, what);
      assert.equal(
        /connected workers: \d of other organizations/.test(html),
        orgs.length === 1,
        what,
      );
    }
  });
});

describe("the page of throughput", () => {
  test("shows how many jobs each worker has now, and what is free of it", async () => {
    for (const { query, asked, who, get } of views()) {
      const chart = chartIn(await page({ get }, `/board/throughput${query}`), "active");
      const exact = await box.database.reads.unsafe(
        `select w.name, c.concurrency as slots,
           (select count(*)::int from live_job j where j.session_id = c.id) as used
         from worker_connection c join worker w on w.id = c.worker_id
         where c.ended_at is null and (c.org_id = any($1) or (c.org_id is null and $2))`,
        [asked, query === ""] as never[],
      );
      const labels = (chart.option.yAxis as { data: string[] }).data;
      const shown = labels.map((name, at) => {
        const of = (line: string) => chart.values.get(line)![at]!;
        return [name, of("Active"), of("Active") + of("Free")];
      });
      const wanted = exact.map(({ name, used, slots }) => [name, used, slots]);
      assert.deepEqual(shown.sort(), wanted.sort(), `${who} ${query}`);
    }
  });
});

describe("the live page", () => {
  test("counts jobs by state", async () => {
    for (const { query, asked, who, get } of views()) {
      const html = await page({ get }, `/board/live${query}`);
      const states = await statesOf(box, asked);
      for (const state of ["running", "dispatched", "ready", "queued"])
        assert.equal(chip(html, state), String(states[state]), `${who} ${query} ${state}`);
      const [active, waiting] = html.split('id="rows-waiting"') as [string, string];
      const rows = (part: string) => part.match(/<tr class="job /g)?.length ?? 0;
      assert.equal(rows(active), states.running! + states.dispatched!);
      assert.equal(rows(waiting), states.ready! + states.queued!);
    }
  });

  test("counts workers that a job can run on, with what is busy and what is hidden", async () => {
    for (const { query, asked, who, get, orgs } of views()) {
      const html = await page({ get }, `/board/live${query}`);
      const fleet = /<p class="fleet".*?<\/p>/s.exec(html)![0].replaceAll(/<[^>]*>/g, "");
      // Those that all share run jobs of each organization.
      const { workers, slots, draining } = await fleetOf(box, asked, { shared: true });
      const [{ used, hidden } = { used: -1, hidden: -1 }] = await box.database.reads.unsafe(
        `select
           (select count(*)::int from live_job j join worker_connection c on c.id = j.session_id
            where c.ended_at is null and c.dropped_at is null and (c.org_id = any($1) or c.org_id is null)) as used,
           (select count(*)::int from worker_connection c
            where c.ended_at is null and c.dropped_at is null and c.org_id <> all($2)) as hidden`,
        [asked, orgs] as never[],
      );
      const what = `${who} ${query}: ${fleet}`;
      assert.ok(fleet.includes(`${used} of ${slots} slots busy`), what);
      assert.ok(fleet.includes(`${draining} draining`), what);
      const count =
        hidden > 0
          ? `${workers} of ${workers + hidden} workers, ${hidden} hidden`
          : `${workers} workers`;
      assert.ok(fleet.includes(count), what);
    }
  });

  test("tells the same numbers in JSON", async () => {
    for (const { orgs, who } of box.lookers) {
      const headers: Record<string, string> =
        orgs.length > 1 ? { authorization: `Bearer ${TOKEN}` } : { cookie: box.operator.cookie };
      const ask = async (path: string) =>
        (await box.fetch(new Request(`http://board${V1}${path}`, { headers }))).json();
      const states = await statesOf(box, orgs);
      const held = (await ask("/board/jobs/dispatched")).items;
      assert.equal(held.length, states.running! + states.dispatched!, who);
      assert.equal((await ask("/board/jobs/pending")).items.length, states.ready! + states.queued!);
    }
  });
});

describe("the page of all jobs", () => {
  test("says how many it found", async () => {
    const searches: [string, string][] = [
      ["state:failed", "state = 'failed'"],
      ["state:running", "state = 'running'"],
      ["queue:halted", "queue = 'halted'"],
      ["queue:night state:succeeded", "queue = 'night' and state = 'succeeded'"],
      ["name:test", "name = 'test'"],
      ["org:acme -state:succeeded", `org_id = ${box.acme} and state <> 'succeeded'`],
      ["state:cancelled", "state = 'cancelled'"],
    ];
    for (const looker of box.lookers) {
      for (const [typed, where] of searches) {
        const html = await page(looker, `/board/jobs?q=${encodeURIComponent(typed)}`);
        const states = await statesOf(box, looker.orgs, where);
        const n = Object.values(states).reduce((sum, one) => sum + one, 0);
        const span = /<p class="span" id="job-span">(.*?)<\/p>/s.exec(html)![1]!;
        assert.ok(
          span.includes(`<b>${n} ${n === 1 ? "job" : "jobs"} found</b>`),
          `${typed}: ${span}`,
        );
        assert.equal(html.match(/<tr role="row" class="job /g)?.length ?? 0, n, typed);
      }
    }
  });

  test("says how many an operation would hit, queue by queue", async () => {
    const hits: [string, string][] = [
      ["cancel", "state in ('running', 'dispatched', 'ready', 'queued')"],
      ["retry", "state = 'failed'"],
    ];
    for (const { get, who } of box.lookers) {
      for (const [kind, where] of hits) {
        const html = await page({ get }, `/board/jobs/bulk?do=${kind}-all&q=&org=acme`);
        const of = async (more: string) => {
          const states = await statesOf(box, [box.acme], `${where} and ${more}`);
          return Object.values(states).reduce((sum, one) => sum + one, 0);
        };
        const all = await of("true");
        assert.match(html, new RegExp(`<strong>${all} jobs</strong>`), `${who} ${kind}`);
        const queues = [...html.matchAll(/<li><code>([^<]*)<\/code> <b>([^<]*)<\/b><\/li>/g)];
        assert.ok(queues.length > 0);
        for (const [, name, n] of queues) assert.equal(n, String(await of(`queue = '${name}'`)));
        assert.equal(
          queues.reduce((sum, [, , n]) => sum + Number(n), 0),
          all,
        );
      }
    }
  });
});
