/** Tidewater: a team that builds firmware out of packages, signs it and tries it on boards. */
import type { WorkflowJobInput } from "../../messages/job_input.ts";
import { Dice } from "../dice.ts";
import { type Commit, makeCommit, tagsOf } from "./commits.ts";
import { APPLICATIONS, closureOf, PACKAGES, packageTask } from "./packages.ts";
import { inputOf, type Submission, type Task } from "./task.ts";

export const TIDEWATER = "tidewater";
const BOARDS = ["k7", "k9"] as const;
type Board = (typeof BOARDS)[number];

const exec = { kind: "exec" as const };
const FIRMWARE: readonly Task[] = [
  {
    ...{ ...exec, name: "evaluate-firmware", queue: "evaluations", voice: "evaluate" },
    ...{ seconds: 6, ramMb: 1_450, cores: 1, diskMb: 90, networkMbps: 25, extends: true },
    ...{ timeoutSeconds: 60, maxAttempts: 2, priority: 5 },
    requirements: { system: "x86_64-linux" },
    troubles: [{ chance: 0.03, how: "fails", exitCode: 1, errors: evaluationErrors() }],
  },
  ...BOARDS.flatMap((board): Task[] => [
    {
      ...{ ...exec, name: `image-${board}`, queue: "builds", voice: "compile" },
      ...{ seconds: 15, ramMb: 2_300, cores: 1.8, diskMb: 2_400, networkMbps: 30 },
      requirements: { system: "x86_64-linux", features: ["kvm"], ram_mb: 3_072, cpus: 2 },
    },
    {
      ...{ ...exec, name: `sign-${board}`, queue: "signing", voice: "transfer", seconds: 3 },
      ...{ ramMb: 60, cores: 0.4, diskMb: 180, networkMbps: 8, maxAttempts: 3, priority: 10 },
      requirements: { features: ["hsm"] },
      troubles: [{ chance: 0.06, how: "fails", exitCode: 70, errors: ["HSM session timed out"] }],
    },
    {
      ...{ ...exec, name: `board-${board}/boot`, queue: "hardware", voice: "test", seconds: 14 },
      ...{ ramMb: 190, cores: 0.3, diskMb: 260, networkMbps: 90, maxAttempts: 3 },
      timeoutSeconds: 45,
      requirements: { features: [`board-${board}`] },
      troubles: [
        { chance: 0.07, how: "hangs" },
        { chance: 0.05, how: "fails", exitCode: 1, errors: boardErrors() },
      ],
    },
    {
      ...{ ...exec, name: `board-${board}/sensors`, queue: "hardware", voice: "test", seconds: 22 },
      ...{ ramMb: 210, cores: 0.4, diskMb: 40, networkMbps: 12, maxAttempts: 2, items: [40, 96] },
      requirements: { features: [`board-${board}`] },
      troubles: [{ chance: 0.12, how: "fails", exitCode: 3, errors: sensorErrors() }],
    },
  ]),
  {
    ...{ ...exec, name: "mirror-sources", queue: "nightly", voice: "transfer", seconds: 5 },
    ...{ ramMb: 120, cores: 0.3, diskMb: 640, networkMbps: 420, items: [3, 40], priority: -20 },
  },
  {
    ...{ ...exec, name: "collect-garbage", queue: "nightly", voice: "batch", seconds: 8 },
    ...{ ramMb: 240, cores: 0.5, diskMb: 5_200, networkMbps: 1, items: [60, 900], priority: -40 },
  },
];

export const TIDEWATER_TASKS: readonly Task[] = [...FIRMWARE, ...PACKAGES.map(packageTask)];
const BY_NAME = new Map(TIDEWATER_TASKS.map((task) => [task.name, task]));
const task = (name: string) => BY_NAME.get(name)!;

/** A push: one job finds out what is to be built, and adds it to the workflow. */
export function push(dice: Dice, run: number): Submission {
  const commit = makeCommit(dice);
  const board = dice.pick(BOARDS);
  const evaluate = task("evaluate-firmware");
  const args = { board, seed: dice.between(1, 1e9), run };
  return {
    org: TIDEWATER,
    workflow: {
      name: `firmware-${board}`,
      commit: { hash: commit.hash, timestamp: FIRST_COMMIT },
      jobs: [{ key: "evaluate", ...inputOf(evaluate, args), tags: tagsOf(commit) }],
    },
  };
}

/** The workflow's owner sets the true time when it is sent. */
const FIRST_COMMIT = "2026-01-01T00:00:00Z";

/** What the evaluation of a push adds. Pure: the same arguments give the same jobs. */
export function evaluated(args: Record<string, unknown>): WorkflowJobInput[] {
  const dice = Dice.of(Number(args.SEED) || 0, "evaluate");
  const board: Board = args.BOARD === "k9" ? "k9" : "k7";
  return firmwareJobs(dice, board, dice.between(2, 4));
}

/** A release: everything at once, signed for both boards, before all others. */
export function release(dice: Dice, run: number): Submission {
  const commit: Commit = { ...makeCommit(dice), branch: `release/4.${run % 40}` };
  const board = dice.pick(BOARDS);
  const jobs = firmwareJobs(dice, board, 6).map((job) => ({
    ...job,
    priority: (job.priority ?? 0) + 8,
    tags: { ...job.tags, ...tagsOf(commit) },
  }));
  const timestamp = FIRST_COMMIT;
  const name = `release-${board}`;
  return { org: TIDEWATER, workflow: { name, commit: { hash: commit.hash, timestamp }, jobs } };
}

const TOOLS = ["binutils-2.43.1", "linux-headers-6.12.9", "gcc-14.2.0", "musl-1.2.5"];
const REBUILDS_TOOLS = 0.2;

/** Packages below so many applications, an image of them, its signature, and its trial on a board. */
function firmwareJobs(dice: Dice, board: Board, applications: number): WorkflowJobInput[] {
  const tops = new Set(["linux-6.12.9", "u-boot-2025.01"]);
  while (tops.size < applications + 2) tops.add(dice.pick(APPLICATIONS));
  const tags = { board };
  // What was built before and has not changed is there already: mostly the tools.
  const built = new Set(dice.chance(REBUILDS_TOOLS) ? [] : TOOLS);
  const packages = closureOf([...tops]).filter(({ name }) => !built.has(name));
  const missing = packages.map(({ name, needs }) => ({
    ...{ key: name, depends_on: needs.filter((need) => !built.has(need)), tags },
    ...inputOf(task(name), { seed: dice.between(1, 1e9) }),
  }));
  const step = (name: string, after: string[]): WorkflowJobInput => ({
    ...{ key: name, depends_on: after, tags },
    ...inputOf(task(name), { seed: dice.between(1, 1e9), board }),
  });
  return [
    ...missing,
    step(`image-${board}`, [...tops]),
    step(`sign-${board}`, [`image-${board}`]),
    step(`board-${board}/boot`, [`sign-${board}`]),
    step(`board-${board}/sensors`, [`board-${board}/boot`]),
  ];
}

/** Small jobs that come round. */
export function housekeeping(dice: Dice, run: number): Submission {
  const name = dice.pick(["mirror-sources", "collect-garbage"]);
  const job = inputOf(task(name), { run, seed: dice.between(1, 1e9) });
  return { org: TIDEWATER, jobs: [{ ...job, dedupe_key: name, tags: { schedule: "nightly" } }] };
}

// Functions, for they stand below what names them.

function evaluationErrors() {
  return [
    "error: attribute 'buildInputs' missing at overlays/sensors.nix:41:17",
    "error: infinite recursion encountered while evaluating 'firmware.k7.config'",
  ];
}
function boardErrors() {
  return [
    "U-Boot did not answer within 20 s; power cycle 3 of 3 failed",
    "kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(179,2)",
  ];
}
function sensorErrors() {
  return [
    "3 of 64 readings outside tolerance: barometer 1013.2 hPa, reference 1009.8 hPa",
    "i2c-1: device 0x76 does not acknowledge",
  ];
}
