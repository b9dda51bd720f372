/** Meridian: a climate lab that runs ensembles on a cluster and joins what they found. */
import type { WorkflowJobInput } from "../../messages/job_input.ts";
import type { Dice } from "../dice.ts";
import { inputOf, type Submission, type Task } from "./task.ts";

export const MERIDIAN = "meridian";

const handler = { kind: "handler" as const };
const BLOWN_UP =
  "CFL condition violated in layer 12 at step 1840: |u| = 412.7 m/s\nthe model has become unstable";

export const MERIDIAN_TASKS: readonly Task[] = [
  {
    ...{ ...handler, name: "fetch-forcing", queue: "ingest", voice: "transfer", seconds: 9 },
    ...{ ramMb: 310, cores: 0.4, diskMb: 1_900, networkMbps: 780, maxAttempts: 4 },
    timeoutSeconds: 60,
    troubles: [
      { chance: 0.1, how: "fails", errors: ["HTTP 503 from the forcing archive: retry later"] },
      { chance: 0.02, how: "hangs" },
    ],
  },
  {
    ...{ ...handler, name: "prepare-grid", queue: "simulations", voice: "batch", seconds: 7 },
    ...{ ramMb: 2_600, cores: 1.6, diskMb: 700, networkMbps: 20 },
    requirements: { ram_mb: 3_000, cpus: 2 },
  },
  {
    ...{
      ...handler,
      name: "simulate-member",
      queue: "simulations",
      voice: "simulate",
      seconds: 26,
    },
    ...{ ramMb: 5_400, cores: 4.4, diskMb: 1_300, networkMbps: 160, maxAttempts: 3 },
    timeoutSeconds: 180,
    requirements: { features: ["mpi"], ram_mb: 6_000, cpus: 4 },
    troubles: [
      { chance: 0.04, how: "fails", errors: [BLOWN_UP] },
      { chance: 0.02, how: "out_of_memory" },
    ],
  },
  {
    ...{ ...handler, name: "downscale", queue: "simulations", voice: "simulate", seconds: 19 },
    ...{ ramMb: 9_800, cores: 2.2, diskMb: 900, networkMbps: 60 },
    requirements: { features: ["cuda"], ram_mb: 12_000 },
    maxAttempts: 2,
    troubles: [{ chance: 0.05, how: "fails", errors: ["CUDA error 2: out of memory on device 1"] }],
  },
  {
    ...{ ...handler, name: "extract-variable", queue: "analysis", voice: "batch", seconds: 6 },
    ...{ ramMb: 1_800, cores: 1.1, diskMb: 2_100, networkMbps: 90, items: [60, 365] },
  },
  {
    ...{ ...handler, name: "ensemble-statistics", queue: "analysis", voice: "batch", seconds: 13 },
    ...{ ramMb: 7_300, cores: 2.8, diskMb: 1_500, networkMbps: 40, maxAttempts: 2 },
    requirements: { ram_mb: 8_000, cpus: 2 },
  },
  {
    ...{ ...handler, name: "draw-figures", queue: "analysis", voice: "batch", seconds: 5 },
    ...{ ramMb: 900, cores: 1, diskMb: 60, networkMbps: 5, items: [8, 30] },
  },
  {
    ...{ ...handler, name: "publish-dataset", queue: "analysis", voice: "transfer", seconds: 8 },
    ...{ ramMb: 220, cores: 0.2, diskMb: 3_400, networkMbps: 640, maxAttempts: 3 },
    troubles: [{ chance: 0.05, how: "fails", errors: ["the archive refused part 7: checksum"] }],
  },
  {
    ...{ ...handler, name: "ingest-buoys", queue: "ingest", voice: "transfer", seconds: 1.6 },
    ...{ ramMb: 90, cores: 0.3, diskMb: 12, networkMbps: 30, items: [180, 240], maxAttempts: 3 },
    troubles: [{ chance: 0.04, how: "fails", errors: ["buoy 62107: no fix from the receiver"] }],
  },
  {
    ...{ ...handler, name: "ingest-satellite", queue: "ingest", voice: "transfer", seconds: 7 },
    ...{ ramMb: 640, cores: 0.7, diskMb: 2_800, networkMbps: 880, items: [10, 36], maxAttempts: 2 },
    timeoutSeconds: 40,
    troubles: [{ chance: 0.03, how: "hangs" }],
  },
];

const BY_NAME = new Map(MERIDIAN_TASKS.map((task) => [task.name, task]));
const task = (name: string) => BY_NAME.get(name)!;

const SCENARIOS = ["ssp126", "ssp245", "ssp370", "ssp585"] as const;
const VARIABLES = ["tas", "pr", "sfcwind", "tos", "siconc"] as const;

/** Fan-out over members, fan-in over variables. */
export function ensemble(dice: Dice, run: number): Submission {
  const scenario = dice.pick(SCENARIOS);
  const members = dice.between(6, 28);
  const variables = VARIABLES.slice(0, dice.between(2, VARIABLES.length));
  const tags = { scenario, run: String(run) };
  const step = (key: string, name: string, after: string[], more = {}): WorkflowJobInput => ({
    ...{ key, depends_on: after, tags },
    ...inputOf(task(name), { scenario, seed: dice.between(1, 1e9), ...more }),
  });
  const member = Array.from(
    { length: members },
    (_, at) => `member-${String(at).padStart(2, "0")}`,
  );
  const jobs = [
    step("forcing", "fetch-forcing", []),
    step("grid", "prepare-grid", ["forcing"]),
    ...member.map((key, at) => step(key, "simulate-member", ["grid"], { member: at })),
    ...variables.map((variable) => step(variable, "extract-variable", member, { variable })),
    step("statistics", "ensemble-statistics", [...variables]),
    ...(dice.chance(0.5) ? [step("europe", "downscale", ["statistics"])] : []),
    step("figures", "draw-figures", ["statistics"]),
    step("publish", "publish-dataset", ["figures"]),
  ];
  return { org: MERIDIAN, workflow: { name: `ensemble-${scenario}`, jobs } };
}

/** Measurements come in all the time. */
export function measurements(dice: Dice, run: number): Submission {
  const name = dice.weighted({ "ingest-buoys": 5, "ingest-satellite": 1 });
  const job = inputOf(task(name), { run, seed: dice.between(1, 1e9) });
  const station = dice.pick(["north-atlantic", "biscay", "greenland", "baltic"]);
  return { org: MERIDIAN, jobs: [{ ...job, dedupe_key: `${name}/${station}`, tags: { station } }] };
}
