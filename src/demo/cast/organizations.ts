/** The organizations of the demo, and where their work comes from. */
import type { Dice } from "../dice.ts";
import { housekeeping, push, release, TIDEWATER, TIDEWATER_TASKS } from "./firmware.ts";
import { ensemble, MERIDIAN, MERIDIAN_TASKS, measurements } from "./laboratory.ts";
import { deploy, HAZEL, HAZEL_TASKS, pictures, reminders, rounds } from "./shop.ts";
import type { Submission, Task } from "./task.ts";

export interface Cast {
  name: string;
  title: string;
  isPublic: boolean;
  tasks: readonly Task[];
  sources: readonly Source[];
  /** When its day begins, as a part of the day. */
  morning: number;
}

/** Where submissions come from, again and again. */
export interface Source {
  name: string;
  /** Between two, on the mean, while work is neither brisk nor slow. */
  everySeconds: number;
  /** `run`: how many there were before. */
  make(dice: Dice, run: number): Submission;
}

export const ORGANIZATIONS: readonly Cast[] = [
  {
    ...{ name: TIDEWATER, title: "Tidewater Instruments · firmware", isPublic: false },
    ...{ tasks: TIDEWATER_TASKS, morning: 0.3 },
    sources: [
      { name: "push", everySeconds: 50, make: push },
      { name: "release", everySeconds: 300, make: release },
      { name: "housekeeping", everySeconds: 25, make: housekeeping },
    ],
  },
  {
    ...{ name: MERIDIAN, title: "Meridian Climate Lab", isPublic: true },
    ...{ tasks: MERIDIAN_TASKS, morning: 0.05 },
    sources: [
      { name: "ensemble", everySeconds: 70, make: ensemble },
      { name: "measurements", everySeconds: 5, make: measurements },
    ],
  },
  {
    ...{ name: HAZEL, title: "Hazel & Rye · web shop", isPublic: false },
    ...{ tasks: HAZEL_TASKS, morning: 0.55 },
    sources: [
      { name: "deploy", everySeconds: 75, make: deploy },
      { name: "pictures", everySeconds: 45, make: pictures },
      { name: "rounds", everySeconds: 6, make: rounds },
      { name: "reminders", everySeconds: 14, make: reminders },
    ],
  },
];

const TASKS = new Map(
  ORGANIZATIONS.flatMap(({ name, tasks }) => tasks.map((task) => [`${name}/${task.name}`, task])),
);

/** What a job of that name is like; undefined for one that is not of the demo. */
export function taskOf(org: string, name: string): Task | undefined {
  return TASKS.get(`${org}/${name}`);
}
