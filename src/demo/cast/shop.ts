/** Hazel & Rye: a web shop with deploys, bursts of pictures and much that comes round. */
import type { JobInput, WorkflowJobInput } from "../../messages/job_input.ts";
import type { Dice } from "../dice.ts";
import { makeCommit, tagsOf } from "./commits.ts";
import { inputOf, type Submission, type Task } from "./task.ts";

export const HAZEL = "hazel-and-rye";

const exec = { kind: "exec" as const };
const handler = { kind: "handler" as const };
const DOCKER = { features: ["docker"] };
const FLAKY = [
  "checkout.spec.ts:88 › pays by card\nTimeoutError: locator.click: Timeout 10000ms exceeded",
  "basket.spec.ts:31 › merges baskets\nexpected 3 lines, received 2",
];

export const HAZEL_TASKS: readonly Task[] = [
  step("lint", 3, 480, { cores: 0.9 }),
  step("typecheck", 5, 900, { cores: 1.3 }),
  step("unit-tests", 7, 760, { voice: "test", items: [120, 420], troubles: flaky(0.04, 1) }),
  step("end-to-end", 16, 1_900, {
    ...{ voice: "test", items: [30, 64], maxAttempts: 3, timeoutSeconds: 60 },
    ...{ requirements: { ...DOCKER, ram_mb: 2_048, cpus: 1 } },
    troubles: [...flaky(0.14, 1), { chance: 0.02, how: "hangs" }],
  }),
  step("container-image", 11, 1_200, { requirements: DOCKER, diskMb: 1_600, networkMbps: 210 }),
  step("push-image", 4, 120, { voice: "transfer", diskMb: 480, networkMbps: 560, maxAttempts: 3 }),
  step("migrate-database", 3, 150, { voice: "deploy", queue: "deploys", priority: 20 }),
  step("roll-out", 9, 90, {
    ...{ voice: "deploy", queue: "deploys", priority: 20, timeoutSeconds: 90 },
    troubles: [
      { chance: 0.04, how: "fails", exitCode: 1, errors: ["pod web-7: CrashLoopBackOff"] },
    ],
  }),
  step("smoke-test", 4, 160, { voice: "test", queue: "deploys", priority: 20 }),
  batch("resize-picture", "images", 2.2, 340, { cores: 0.9, diskMb: 30 }),
  batch("send-newsletter", "mail", 12, 210, {
    items: [400, 2_400],
    networkMbps: 45,
    maxAttempts: 3,
  }),
  batch("send-reminder", "mail", 0.8, 60, { maxAttempts: 4, troubles: [refusedMail()] }),
  batch("sync-stock", "stock", 2.4, 130, { items: [80, 900], maxAttempts: 2, timeoutSeconds: 30 }),
  batch("reindex-search", "stock", 10, 1_100, { cores: 1.6, diskMb: 900, items: [2_000, 9_000] }),
  batch("export-feed", "reports", 6, 420, { items: [1_000, 6_000], networkMbps: 80 }),
  batch("score-fraud", "reports", 1.4, 260, { priority: 15, items: [4, 60] }),
  batch("daily-figures", "reports", 8, 880, { cores: 1.2, priority: -10 }),
];

const BY_NAME = new Map(HAZEL_TASKS.map((task) => [task.name, task]));
const task = (name: string) => BY_NAME.get(name)!;

function step(name: string, seconds: number, ramMb: number, more: Partial<Task>): Task {
  return {
    ...{ ...exec, name, queue: "builds", voice: "compile", seconds, ramMb },
    ...{ cores: 0.7, diskMb: 120, networkMbps: 20, ...more },
  };
}

function batch(
  name: string,
  queue: string,
  seconds: number,
  ramMb: number,
  more: Partial<Task>,
): Task {
  return {
    ...{ ...handler, name, queue, voice: "batch", seconds, ramMb },
    ...{ cores: 0.5, diskMb: 20, networkMbps: 12, ...more },
  };
}

function flaky(chance: number, exitCode: number) {
  return [{ chance, how: "fails" as const, exitCode, errors: FLAKY }];
}

function refusedMail() {
  return { chance: 0.12, how: "fails" as const, errors: ["451 4.7.1 greylisted, try again later"] };
}

/** From a push to the smoke test in two regions. */
export function deploy(dice: Dice, run: number): Submission {
  const commit = makeCommit(dice);
  const tags = tagsOf(commit);
  const make = (key: string, name: string, after: string[], more = {}): WorkflowJobInput => ({
    ...{ key, depends_on: after, tags },
    ...inputOf(task(name), { run, seed: dice.between(1, 1e9), ...more }),
  });
  const shards = Array.from({ length: dice.between(2, 5) }, (_, at) => `unit-${at + 1}`);
  const browsers = ["chromium", "firefox", "webkit"].slice(0, dice.between(1, 3));
  const tests = ["lint", "typecheck", ...shards];
  const jobs = [
    make("lint", "lint", []),
    make("typecheck", "typecheck", []),
    ...shards.map((key) => make(key, "unit-tests", [])),
    make("image", "container-image", tests),
    ...browsers.map((browser) => make(`e2e-${browser}`, "end-to-end", ["image"], { browser })),
  ];
  if (commit.branch === "main") {
    const trials = browsers.map((browser) => `e2e-${browser}`);
    jobs.push(make("push", "push-image", trials), make("migrate", "migrate-database", ["push"]));
    for (const region of ["eu", "us"]) {
      jobs.push(make(`roll-out-${region}`, "roll-out", ["migrate"], { region }));
      jobs.push(make(`smoke-${region}`, "smoke-test", [`roll-out-${region}`], { region }));
    }
  }
  const timestamp = "2026-01-01T00:00:00Z";
  return {
    org: HAZEL,
    workflow: { name: "storefront", commit: { hash: commit.hash, timestamp }, jobs },
  };
}

/** Somebody has put new goods into the shop: pictures, all at once. */
export function pictures(dice: Dice, run: number): Submission {
  const product = `product-${dice.between(1_000, 9_999)}`;
  const jobs = Array.from({ length: dice.between(8, 36) }, (_, picture): JobInput => {
    const args = { product, picture, run, seed: dice.between(1, 1e9) };
    return { ...inputOf(task("resize-picture"), args), tags: { product } };
  });
  return { org: HAZEL, jobs };
}

/** What comes round, one at a time of each kind. */
export function rounds(dice: Dice, run: number): Submission {
  const name = dice.weighted({
    ...{ "sync-stock": 8, "score-fraud": 9, "export-feed": 2, "send-newsletter": 2 },
    ...{ "reindex-search": 1, "daily-figures": 1 },
  });
  const job = inputOf(task(name), { run, seed: dice.between(1, 1e9) });
  return { org: HAZEL, jobs: [{ ...job, dedupe_key: name, tags: { schedule: name } }] };
}

/** Mails about baskets that were left behind. */
export function reminders(dice: Dice, run: number): Submission {
  const jobs = Array.from({ length: dice.between(1, 5) }, (_, at): JobInput => {
    const args = { basket: `${run}-${at}`, seed: dice.between(1, 1e9) };
    return { ...inputOf(task("send-reminder"), args), priority: -5 };
  });
  return { org: HAZEL, jobs };
}
