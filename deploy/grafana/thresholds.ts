/** Colours of panels, from the table that the board's panels and alerts go by. */
import {
  STALENESS,
  THRESHOLDS,
  type Threshold,
  type ThresholdName,
} from "../../src/core/background/thresholds.ts";

interface Steps {
  mode: "absolute";
  steps: { color: string; value: number | null }[];
}

const steps = (least: string, ...more: [color: string, from: number][]): Steps => ({
  mode: "absolute",
  steps: [{ color: least, value: null }, ...more.map(([color, value]) => ({ color, value }))],
});

export function stepsOf(name: ThresholdName): Steps {
  const { worse, warning, bad }: Threshold = THRESHOLDS[name];
  return worse === "more"
    ? steps("green", ["yellow", warning], ["red", bad])
    : steps("red", ["yellow", bad], ["green", warning]);
}

/** Minutes. Prometheus knows no schedules: these are the limits of names without one. */
export const staleSteps = steps(
  "green",
  ["yellow", STALENESS.warningSeconds / 60],
  ["red", STALENESS.badSeconds / 60],
);

export const plain = steps("text");
