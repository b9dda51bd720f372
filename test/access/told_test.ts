/** What those are told who see only a part: how much is hidden, and never more than that. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ACME, type Actor, OPEN } from "./cast.ts";
import { heard } from "./heard.ts";
import { get, post } from "./rows.ts";
import { seed, submit, V1, type World } from "./seed.ts";
import { type Stage, stage } from "./stage.ts";

describe("who sees only a part", () => {
  let box: Stage;
  let world: World;
  before(async () => {
    box = await stage();
    world = await seed(box);
  });
  after(async () => {
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  const json = async (actor: Actor, path: string) => (await box.ask(actor, get(V1 + path))).json;

  test("is told how many jobs were passed over, and not which", async () => {
    const path = `/jobs/${world.preferred}/explain`;
    const whole = (await json("superuser", path)).dispatch;
    assert.deepEqual(
      whole.candidates.map(({ job }: { job: string }) => job),
      [world.guest],
    );
    assert.equal(whole.hidden_candidates, 0);
    assert.equal(whole.considered, 2);
    assert.ok(ACME in whole.contexts.instance.used_by_org);
    for (const known of ["pending", "averages", "windows"]) {
      assert.ok(known in whole.contexts.instance, known);
    }
    const part = (await json("foreigner", path)).dispatch;
    assert.deepEqual(part.candidates, []);
    assert.equal(part.hidden_candidates, 1);
    assert.equal(part.considered, null);
    const { used_by_org, ...sizes } = part.contexts.instance;
    assert.deepEqual(
      Object.keys(used_by_org).filter((org) => org !== OPEN),
      [],
    );
    assert.deepEqual(Object.keys(sizes).sort(), ["slots_offered", "workers"]);
    const both = (await json("viewer", path)).dispatch;
    assert.deepEqual(
      both.candidates.map(({ job }: { job: string }) => job),
      [world.guest],
    );
    assert.equal("pending" in both.contexts.instance, false, "for superusers only");
  });

  test("is told on the page, too", async () => {
    const page = await box.ask("foreigner", get(`/board/jobs/${world.preferred}`));
    assert.match(page.text, /1 job of other organizations/);
    assert.doesNotMatch(page.text, /pairs? considered/);
  });

  test("is told how many workers there are beside those it may see", async () => {
    const hidden = { visible: 3, total: 5, hidden: 2 };
    const pools = await json("foreigner", "/pools");
    assert.deepEqual(pools.fleet.workers, hidden);
    assert.deepEqual(pools.fleet.slots, { visible: 102, total: 203, hidden: 101 });
    const shared = pools.items.find(({ name }: { name: string }) => name === "shared-pool");
    assert.deepEqual([shared.slots, shared.used], [1, 1]);
    assert.deepEqual(shared.workers[0].jobs, [], "somebody else's job holds its slot");
    const whole = await json("superuser", "/pools");
    assert.deepEqual(whole.fleet.workers, { visible: 5, total: 5, hidden: 0 });
    const seen = whole.items.find(({ name }: { name: string }) => name === "shared-pool");
    assert.equal(seen.workers[0].jobs[0].job, world.guest);
    assert.deepEqual((await json("foreigner", `/orgs/${OPEN}/workers`)).fleet.workers, hidden);
    assert.deepEqual((await json("viewer", `/orgs/${ACME}/workers`)).fleet.workers, {
      visible: 3,
      total: 3,
      hidden: 0,
    });
    const live = await box.ask("foreigner", get("/board/live"));
    assert.match(live.text, /3 of 5 workers<\/b>, 2 hidden/);
    const why = await json("foreigner", `/jobs/${world.open.jobs.ready}/explain`);
    assert.equal(why.hidden_workers, 2);
  });

  test("is told counts of what it sees, and nobody can subtract the rest", async () => {
    const counts = async (actor: Actor) => {
      const { text } = await heard(box, actor, get(`${V1}/board/live?topics=counters`));
      return JSON.parse(text.split("\n").find((line) => line.startsWith("{"))!).counters;
    };
    const stored = async (orgs: string[]) => {
      const rows = await box.database.reads`
        select l.state, count(*)::int as n from live_job l join org o on o.id = l.org_id
        where o.name = any(${orgs}) group by 1`;
      const states = { running: 0, dispatched: 0, ready: 0, queued: 0 };
      return { ...states, ...Object.fromEntries(rows.map(({ state, n }) => [state, n])) };
    };
    const open = await stored([OPEN]);
    const acme = await stored([ACME]);
    const all = await stored([ACME, OPEN]);
    assert.notDeepEqual(open, all);
    assert.deepEqual(await counts("anonymous"), open);
    assert.deepEqual(await counts("foreigner"), open);
    assert.deepEqual(await counts("narrowed"), acme);
    for (const actor of ["superuser", "owner", "viewer"] as const) {
      assert.deepEqual(await counts(actor), all, actor);
    }
  });

  test("lists the organizations that it sees, with its own role there", async () => {
    const orgs = async (actor: Actor) =>
      (await json(actor, "/orgs")).items.map(
        (org: { name: string; is_public: boolean; role: string | null }) =>
          `${org.name} ${org.is_public ? "public" : "private"} ${org.role}`,
      );
    assert.deepEqual(await orgs("superuser"), [
      "default private owner",
      `${ACME} private owner`,
      `${OPEN} public owner`,
    ]);
    assert.deepEqual(await orgs("owner"), [`${ACME} private owner`, `${OPEN} public null`]);
    assert.deepEqual(await orgs("foreigner"), [`${OPEN} public member`]);
    assert.deepEqual(await orgs("narrowed"), [`${ACME} private viewer`]);
    assert.deepEqual(await orgs("anonymous"), [`${OPEN} public null`]);
  });

  test("pages of organizations do not tell of those in between", async () => {
    const first = await box.ask("owner", get(`${V1}/orgs?limit=1`));
    const next = await box.ask("owner", get(`${V1}/orgs?limit=1&cursor=${first.json.next_cursor}`));
    assert.deepEqual(
      [...first.json.items, ...next.json.items].map(({ name }) => name),
      [ACME, OPEN],
    );
    assert.equal(next.json.next_cursor, null);
  });

  test("depends on a job that it does not see as on one that is not there", async () => {
    const unknown = "00000000-0000-7000-8000-00000000dead";
    const hidden = world.acme.jobs.succeeded!;
    const path = `${V1}/orgs/${OPEN}/jobs`;
    const body = (job: string) => ({ name: "x", payload: { command: ["x"] }, depends_on: [job] });
    const one = await box.ask("foreigner", post(path, body(hidden)));
    const other = await box.ask("foreigner", post(path, body(unknown)));
    assert.equal(one.status, 422);
    assert.equal(one.text, other.text.replaceAll(unknown, hidden));
    const flow = (job: string) => ({
      name: "w",
      jobs: [{ key: "k", ...body("") }].map((j) => ({ ...j, depends_on: [{ job }] })),
    });
    const flows = `${V1}/orgs/${OPEN}/workflows`;
    const first = await box.ask("foreigner", post(flows, flow(hidden)));
    const second = await box.ask("foreigner", post(flows, flow(unknown)));
    assert.equal(first.status, 422);
    assert.equal(first.text, second.text.replaceAll(unknown, hidden));
  });

  test("filters by a workflow or worker of others as by one that is not there", async () => {
    const unknown = "00000000-0000-7000-8000-00000000dead";
    const { workflow, worker } = world.acme;
    for (const [name, hidden] of Object.entries({ workflow, worker: worker.id })) {
      const path = `${V1}/orgs/${OPEN}/jobs?${name}=`;
      const one = await box.ask("foreigner", get(path + hidden));
      const other = await box.ask("foreigner", get(path + unknown));
      assert.equal(one.status, 404, name);
      assert.equal(one.text, other.text.replaceAll(unknown, hidden));
    }
    const bulk = `${V1}/orgs/${OPEN}/jobs/cancel`;
    const { json } = await box.ask(
      "superuser",
      post(bulk, { filter: { workflow }, dry_run: true }),
    );
    assert.deepEqual(json, { operation: null, affected: 0, complete: true, queues: [] });
  });

  test("gets no kept answer once it may not ask any more", async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { name: "x", payload: { command: ["x"] } };
    const asked = { ...post(`${V1}/orgs/${ACME}/jobs`, body), headers };
    const id = await submit(box, world.acme, { queue: world.acme.queue });
    const cancel = { ...post(`${V1}/jobs/${id}/cancel`), headers: { "idempotency-key": "again" } };
    assert.equal((await box.ask("member", asked)).status, 201);
    assert.equal((await box.ask("member", asked)).headers.get("idempotent-replayed"), "true");
    assert.equal((await box.ask("operator", cancel)).status, 200);
    const sql = box.database.beats;
    const { announcements } = box.accounts;
    await sql`delete from membership where person_id in ('member', 'operator')`;
    announcements.tell("everything");
    try {
      assert.equal((await box.ask("member", asked)).status, 404);
      assert.equal((await box.ask("operator", cancel)).status, 404);
    } finally {
      await sql`insert into membership (org_id, person_id, role)
        select id, p, p::role from org, unnest(array['member', 'operator']) p where name = ${ACME}`;
      announcements.tell("everything");
    }
  });

  test("gets no answer that was kept for somebody else of the same name", async () => {
    const headers = { "idempotency-key": "the-same" };
    const body = { name: "x", payload: { command: ["x"] } };
    const asked = { ...post(`${V1}/orgs/${ACME}/jobs`, body), headers };
    const first = await box.ask("operator", asked);
    const second = await box.ask("member", asked);
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.notEqual(first.json.id, second.json.id);
  });
});
