/**
 * Every page of the board in a real browser, with hostile text in every place that shows one: nothing runs,
 * nothing leaves the server, all is shown as it was written; axe finds nothing, nothing is wider than the screen,
 * nothing is out of a keyboard's reach. A page without its addresses here fails.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { boardPages } from "../../src/pages/all_pages.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";
import { axe, startBrowser, type Visit, type VisitOptions, visit } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { computed } from "../support/metrics/computed.ts";
import {
  evil,
  evilLog,
  type HostileBoard,
  hostileBoard,
  longEvil,
} from "../support/pages/hostile_board.ts";
import { outOfReach } from "../support/pages/keyboard.ts";

const LOOKS = [
  { theme: "light", width: 1440 },
  { theme: "dark", width: 390 },
] as const;
const LONG = { deadlineMs: 20_000 };

interface Shown {
  path: string;
  /** Labels of hostile texts that a person must be able to read here. */
  shows: string[];
  status?: number;
  /** The owner, a superuser, where nobody else is named. */
  as?: "viewer" | "stranger";
}

const q = (label: string) => encodeURIComponent(longEvil(label));

const SEARCHED: Shown[] = [
  { path: "/board/jobs", shows: ["name", "queue", "acme", "worker", "tag", "error", "reason"] },
  { path: `/board/jobs?q=${q("q")}`, shows: [] },
  { path: `/board/jobs?q=name:${q("name")}&cursor=${q("cursor")}`, shows: [] },
  { path: `/board/jobs/bulk?do=cancel-all&org=acme&q=${q("colour:")}`, shows: [], status: 422 },
  { path: "/board/jobs/bulk?do=retry-all&org=acme&q=", shows: ["queue"] },
  { path: `/board/jobs/bulk?do=cancel-all&org=${q("org")}`, shows: [], status: 404 },
  { path: `/board/jobs/operations/${q("id")}`, shows: [], status: 404 },
];

const named = (label: string) => encodeURIComponent(evil(label));
const RULE = "/board/alerts/rules/BackgroundJobFailing";

/** Where it is said who is told of alerts. */
function channelAddresses({ ours, all }: HostileBoard["channels"]): Shown[] {
  const path = "/board/alerts/channels";
  return [
    { path, shows: ["channel", "mails", "mail", "undelivered"] },
    { path, shows: [], as: "viewer", status: 403 },
    { path: `${path}?org=acme&news=${q("news")}`, shows: ["channel"] },
    { path: `${path}?org=${q("org")}`, shows: ["org"], status: 404 },
    { path: `${path}/new?org=${q("org")}`, shows: [] },
    { path: `${path}/${ours}?org=acme`, shows: ["channel", "undelivered", "author"] },
    { path: `${path}/${ours}?org=acme`, shows: [], as: "viewer", status: 403 },
    { path: `${path}/${all}?news=${q("news")}`, shows: ["mails", "mail"] },
    { path: `${path}/${all}/delete`, shows: ["mails", "mail"] },
    { path: `${path}/${q("id")}?org=acme`, shows: ["id"], status: 404 },
  ];
}

const ALERTS: Shown[] = [
  { path: "/board/alerts", shows: ["name", "acme", "reason-silence"] },
  { path: "/board/alerts", shows: ["name"], as: "viewer" },
  { path: `/board/alerts?org=${q("org")}`, shows: [], status: 404 },
  { path: RULE, shows: ["name"] },
  { path: `${RULE}?name=${q("given")}`, shows: ["given"] },
  { path: `${RULE}?org=acme`, shows: ["name", "limited"] },
  { path: `${RULE}?org=acme&name=${named("limited")}`, shows: ["limited"] },
  { path: `${RULE}?org=acme&name=${named("limited")}`, shows: ["limited"], as: "viewer" },
  { path: `${RULE}?org=${q("org")}`, shows: [], status: 404 },
  { path: `/board/alerts/rules/${q("rule")}`, shows: [], status: 404 },
];

/** Of pages of charts. */
function chartAddresses(): Record<string, Shown[]> {
  return {
    overview: [
      { path: "/board", shows: ["queue"] },
      { path: `/board?org=${q("o")}`, shows: ["o"], status: 404 },
    ],
    throughput: [
      { path: "/board/throughput", shows: [] },
      { path: `/board/throughput?from=${q("from")}`, shows: [], status: 422 },
      { path: `/board/throughput?queue=${q("queue")}`, shows: ["queue"], status: 404 },
    ],
    health: [
      { path: "/board/health", shows: [] },
      { path: "/board/health", shows: [], as: "viewer", status: 403 },
    ],
    workers: [
      { path: "/board/workers", shows: ["worker", "pool"] },
      { path: "/board/workers", shows: ["member", "worker"], as: "viewer" },
      { path: `/board/workers?from=${q("from")}`, shows: ["from"], status: 422 },
      { path: `/board/workers?org=${q("org")}`, shows: ["org"], status: 404 },
    ],
    network: [
      { path: `/board/network?sort=${q("sort")}`, shows: [] },
      { path: "/board/network", shows: ["member"], as: "viewer" },
    ],
    cache: [
      { path: "/board/cache", shows: [] },
      { path: `/board/cache?org=${q("org")}`, shows: ["org"], status: 404 },
    ],
    scheduler: [
      { path: "/board/scheduler", shows: [] },
      { path: `/board/scheduler?org=${q("org")}`, shows: ["org"], status: 404 },
      { path: `/board/scheduler?to=${q("to")}`, shows: [], status: 422 },
    ],
    background: [
      { path: "/board/background", shows: ["name", "error"] },
      { path: "/board/background?refresh=off&range=15m", shows: [] },
      { path: `/board/background/expected?org=acme&name=${named("name")}`, shows: ["author"] },
      {
        path: `/board/background/expected?org=acme&name=${named("name")}`,
        shows: ["name"],
        as: "viewer",
      },
      { path: `/board/background/expected?org=acme&name=${q("n")}`, shows: ["n"], status: 404 },
      { path: `/board/background?org=${q("org")}`, shows: ["org"], status: 404 },
      { path: `/board/background?refresh=${q("r")}`, shows: ["r"], status: 422 },
    ],
    durations: [
      { path: "/board/durations", shows: [] },
      { path: `/board/durations?name=${q("name")}`, shows: ["name"], status: 404 },
    ],
    rankings: [
      { path: "/board/jobs?tab=longest", shows: ["name", "queue", "worker"] },
      { path: `/board/jobs?tab=ram&name=${q("n")}`, shows: ["n"], status: 404 },
    ],
  };
}

/** Of the page that operates queues, schedules and slots. */
function serviceAddresses(schedule: string): Shown[] {
  return [
    { path: "/board/service", shows: ["queue", "author", "pause"] },
    { path: "/board/service?tab=schedules", shows: ["schedule", "vendor", "vendor-id"] },
    { path: "/board/service?tab=workers", shows: ["worker", "pool", "name", "queue"] },
    { path: "/board/service", shows: ["queue"], as: "viewer" },
    { path: `/board/service?tab=${q("tab")}&q=${q("q")}&worker=${q("w")}`, shows: [] },
    { path: `/board/service?org=${q("org")}`, shows: [], status: 404 },
    { path: `/board/service?did=pause&n=3&item=${q("item")}`, shows: ["queue"] },
    { path: "/board/service/confirm?do=stop-all", shows: ["queue"] },
    { path: "/board/service/confirm?do=free-all", shows: [] },
    { path: `/board/service/confirm?do=${q("do")}`, shows: [], status: 422 },
    { path: `/board/service/confirm?do=stop&item=${q("item")}`, shows: ["item"], status: 404 },
    {
      path: `/board/service/queue?org=acme&queue=${encodeURIComponent(evil("queue"))}`,
      shows: ["queue"],
    },
    { path: `/board/service/queue?org=acme&queue=${q("queue")}`, shows: [], status: 404 },
    { path: "/board/service/schedules/new", shows: [] },
    { path: "/board/service/schedules/new", shows: [], as: "viewer", status: 403 },
    {
      path: `/board/service/schedules/${schedule}`,
      shows: ["schedule", "about", "vendor", "file", "author", "editor", "command"],
    },
    { path: `/board/service/schedules/${q("id")}`, shows: [], status: 404 },
  ];
}

/** By the page's id; "shell" is what stands around them. */
function addresses({
  jobs,
  invitation,
  worker,
  schedule,
  channels,
}: HostileBoard): Record<string, Shown[]> {
  const job = (id: string, ...shows: string[]) => ({
    path: `/board/jobs/${id}`,
    shows: ["name", "queue", "acme", "tag", "tag-value", "command", "author", ...shows],
  });
  return {
    ...chartAddresses(),
    live: [
      { path: "/board/live", shows: ["name", "queue", "worker", "note"] },
      { path: `/board/live?q=${q("q")}&queue=${q("q")}&org=${q("o")}&state=${q("s")}`, shows: [] },
    ],
    job: [
      job(jobs.waits, "flow", "key", "feature", "dedupe", "pool"),
      job(jobs.runs, "worker", "log", "note"),
      job(jobs.follows),
      job(jobs.fails, "worker", "log", "error", "stack", "result", "why"),
      job(jobs.tries, "worker", "error"),
      { path: `/board/jobs/${jobs.tries}?attempt=1`, shows: ["log", "error", "stack"] },
      job(jobs.rejected, "worker", "rejection"),
      job(jobs.cancelled, "reason"),
      { path: `/board/jobs/${jobs.waits}?attempt=${q("attempt")}`, shows: ["name"] },
      { path: `/board/jobs/${q("id")}`, shows: [], status: 404 },
    ],
    worker: [
      { path: `/board/workers/${worker.id}`, shows: ["worker", "pool"] },
      {
        path: `/board/workers/${worker.id}?before=${q("before")}`,
        shows: ["worker"],
        as: "viewer",
      },
      { path: `/board/workers/${q("id")}`, shows: [], status: 404 },
    ],
    service: serviceAddresses(schedule),
    jobs: SEARCHED,
    alerts: [...ALERTS, ...channelAddresses(channels)],
    orgs: [
      { path: "/board/orgs", shows: ["title"] },
      { path: "/board/orgs/acme", shows: ["title", "member", "author", "token", "worker", "pool"] },
      { path: "/board/orgs", shows: ["title"], as: "viewer" },
      { path: "/board/orgs/acme", shows: ["title"], as: "viewer" },
      { path: `/board/orgs/${q("org")}`, shows: [], status: 404 },
    ],
    people: [
      { path: "/board/people", shows: ["member"], as: "viewer", status: 403 },
      { path: "/board/people", shows: ["person", "member", "o'x&lt;b&gt;@example.org"] },
      { path: `/board/people?after=${q("after")}`, shows: [] },
    ],
    audit: [
      { path: "/board/audit", shows: ["author", "address", "token", "pause", "reason", "title"] },
      { path: `/board/audit?actor=${q("a")}&action=${q("b")}&from=${q("from")}`, shows: ["from"] },
      {
        path: `/board/audit?object_kind=queue&object_id=${encodeURIComponent(evil("queue"))}`,
        shows: [],
      },
    ],
    account: [
      { path: "/board/account", shows: ["person", "agent"] },
      { path: "/board/account", shows: ["title", "member"], as: "viewer" },
      { path: `/board/account?changed=${q("changed")}`, shows: [] },
    ],
    shell: [
      { path: `/board/${q("nowhere")}`, shows: [], status: 404 },
      { path: invitation, shows: ["title", "person"] },
      { path: invitation, shows: ["title"], as: "stranger" },
      { path: `/sign-in?next=${q("next")}&error=${q("error")}`, shows: [], as: "stranger" },
      { path: `/sign-in?link=${q("link")}`, shows: [], status: 401, as: "stranger" },
    ],
  };
}

describe("every page of the board", () => {
  let box: BoardBox;
  let browser: Browser;
  let base: string;
  let world: HostileBoard;
  let heart: ReturnType<typeof setInterval>;
  const visits: Visit[] = [];

  before(async () => {
    box = await boardBox({ alone: true });
    base = await box.serve();
    browser = await startBrowser();
    world = await hostileBoard(box);
    // The day's costliest attempts are written with the rollups.
    await computed(box.engine.rollups, box.database.intake);
    heart = setInterval(() => world.worker.session.handle({ type: "heartbeat" }), 5_000);
  });
  afterEach(async () => {
    for (const { context } of visits.splice(0)) await context.close();
  });
  after(async () => {
    clearInterval(heart);
    await browser.close();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  /** A browser that notes whatever would be a success of the attack. */
  async function watched(options: VisitOptions, who: Shown["as"]): Promise<Visit> {
    const opened = await visit(browser, options);
    visits.push(opened);
    const { page, context, complaints } = opened;
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on("page", (popup) => complaints.push(`popup: ${popup.url()}`));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && url.origin !== base) complaints.push(`foreign: ${url}`);
    });
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    if (who !== "stranger") {
      const cookies = world.cookies[who ?? "owner"].split("; ").map((cookie) => {
        const [name, value] = cookie.split("=") as [string, string];
        return { name, value, url: base };
      });
      await context.addCookies(cookies);
    }
    return opened;
  }

  async function open({ path, as, status = 200 }: Shown, options: VisitOptions = {}) {
    const opened = await watched(options, as);
    const answer = await opened.page.goto(base + path);
    assert.equal(answer!.status(), status, path);
    // The browser itself complains of a page that is none.
    if (status !== 200) opened.complaints.length = 0;
    const streams = await opened.page.locator("[data-live-stream]").count();
    if (streams > 0) await says(opened.page, "#live-pill", /^\s*Live\s*$/);
    return opened;
  }
  const says = (page: Page, selector: string, text: RegExp) =>
    eventually(
      async () => text.test((await page.textContent(selector, { timeout: 500 })) ?? ""),
      `${selector} says ${text}`,
      LONG,
    );

  /** Nothing ran, and nothing of somebody's became more than text. */
  async function isHarmless({ page, complaints }: Visit, what: string): Promise<void> {
    const found = await page.evaluate(() => ({
      ran: "pwned" in window,
      elements: [
        ...document.querySelectorAll(
          "body :is(script:not([type='application/json']), img, iframe, object, embed, base, link, style)",
        ),
        ...document.querySelectorAll("pre *:not(span), bdi *, textarea *, [hx-get='/sign-out']"),
      ].map((element) => element.outerHTML.slice(0, 200)),
      // Charts are given their size by script.
      attributes: [...document.querySelectorAll("*")].flatMap((element) =>
        element
          .getAttributeNames()
          .filter((name) => name !== "style" || !element.closest("[data-plot]"))
          .filter((name) => /^on|^srcdoc$|^style$|^hx-on|["'<]/.test(name))
          .map((name) => `${name} of ${element.outerHTML.slice(0, 200)}`),
      ),
      links: [...document.querySelectorAll("[href], [action], [formaction], [src]")].flatMap(
        (element) =>
          ["href", "action", "formaction", "src"]
            .map((name) => element.getAttribute(name))
            .filter((to) => to !== null && !/^(\/(?!\/)|#)/.test(to)),
      ),
    }));
    const nothing = { ran: false, elements: [], attributes: [], links: [] };
    assert.deepEqual(found, nothing, what);
    assert.deepEqual(complaints, [], what);
  }

  async function isFitting({ page }: Visit, what: string): Promise<void> {
    assert.deepEqual(await axe(page), [], what);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false, `${what} is wider than the screen`);
  }

  test("has its addresses here", () => {
    const ids = Object.keys(addresses(world)).filter((id) => id !== "shell");
    assert.deepEqual(ids.sort(), boardPages.map(({ id }) => id).sort());
  });

  for (const id of [...boardPages.map((page) => page.id), "shell"]) {
    test(`shows hostile text as text, in every look: ${id}`, async () => {
      for (const shown of addresses(world)[id] ?? []) {
        for (const look of LOOKS) {
          const what = `${shown.path.slice(0, 120)} ${JSON.stringify(look)}`;
          const opened = await open(shown, look);
          await isHarmless(opened, what);
          const text = ((await opened.page.textContent("body")) ?? "").replaceAll('\\"', '"');
          for (const label of shown.as || shown.status ? shown.shows : ["person", ...shown.shows]) {
            const wanted = /^acme|@/.test(label) ? label : evil(label).slice(0, 50);
            assert.ok(text.includes(wanted), `${what} does not show ${wanted}`);
          }
          await isFitting(opened, what);
          assert.deepEqual(await outOfReach(opened.page), [], what);
          await opened.context.close();
        }
      }
      visits.length = 0;
    });
  }

  test("answers forms with hostile fields as text, too", async () => {
    const forms = [
      ["/board/orgs/acme", "/tokens", { name: evil("made") }, "#made"],
      ["/board/orgs/acme", "/worker-tokens", { name: evil("made") }, "#made"],
      ["/board/orgs/acme", "/worker-tokens", { name: "x", pool: evil("pool") }, "#problem"],
      [
        "/board/people",
        "/people",
        { name: evil("made"), email: "made@example.org" },
        "[role=status]",
      ],
      ["/board/people", "/people", { name: evil("made"), email: "made@example.org" }, "#problem"],
    ] as const;
    for (const [path, action, fields, answer] of forms) {
      const opened = await open({ path, shows: [] }, LOOKS[1]);
      const form = opened.page.locator(`form[action$="${action}"]`);
      for (const [name, value] of Object.entries(fields))
        await form.locator(`[name=${name}]`).fill(value);
      await form.locator("button").click();
      await opened.page.waitForSelector(answer);
      // A refusal is an answer of 400 and above, of which the browser complains.
      if (answer === "#problem") opened.complaints.length = 0;
      await isHarmless(opened, `${action} ${answer}`);
      await isFitting(opened, `${action} ${answer}`);
    }
  });

  test("stays harmless while hostile news arrive", async () => {
    const { lease, worker, author } = world;
    const live = await open({ path: "/board/live", shows: [] });
    const page = await open({ path: `/board/jobs/${lease.job}`, shows: [] });
    const { job, attempt, token } = lease;
    const note = longEvil("late-note");
    worker.session.handle({
      type: "progress",
      jobs: [{ job, attempt, token, fraction: 0.7, note }],
    });
    const size = await box.logs.size(job, attempt);
    await box.logs.append(job, attempt, size, new TextEncoder().encode(evilLog("late-log")));
    await says(page.page, "#log-lines", /late-log/);
    await says(page.page, "#job-head", /late-note/);
    await says(live.page, `#job-${job}`, /late-note/);
    await box.engine.cancelJob(job, author, longEvil("late-reason").slice(0, 200));
    await says(page.page, "#job-changes", /late-reason/);
    worker.end(lease, { outcome: "failed", error: longEvil("late-error") });
    await says(page.page, "#job-outcome", /late-error/);
    await isHarmless(page, "the page of a job that moves");
    await isHarmless(live, "the live page that moves");
  });
});
