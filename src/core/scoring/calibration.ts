/**
 * What counts as usual here, so that rules go by this instance and not by constants. Waits and memory
 * follow the day's work and are the last hour's; what disks and links carry is the day's, for an hour in
 * which nothing large ran would make every job a large one.
 */
import type { InstanceWindows, WindowName } from "../metrics/windows.ts";
import type { ScoringInstance } from "./context.ts";

type Averages = ScoringInstance["averages"];

/** The first window that has samples. Where none has, the rules' own constant stands in (`weights.ts`). */
export const CALIBRATED_BY: Record<keyof Averages, readonly WindowName[]> = {
  waitSeconds: ["w1h", "w24h"],
  ramMb: ["w1h", "w24h"],
  cpuMs: ["w1h", "w24h"],
  diskBytes: ["w24h"],
  networkMbps: ["w24h"],
};
const CALIBRATED = Object.keys(CALIBRATED_BY) as (keyof Averages)[];

export function averagesOf(windows: Pick<InstanceWindows, keyof Averages>): Averages {
  return Object.fromEntries(
    CALIBRATED.map((figure) => {
      const window = CALIBRATED_BY[figure].find((name) => windows[figure][name] !== null);
      return [figure, window ? windows[figure][window] : null];
    }),
  ) as unknown as Averages;
}
