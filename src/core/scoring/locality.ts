import type { Rule } from "./context.ts";
import { INPUTS_HERE, RAN_HERE } from "./weights.ts";

export const locality: Rule = {
  name: "locality",
  weight: INPUTS_HERE + RAN_HERE,
  help:
    "Rewards the worker that ran the jobs whose results this one reads, and a worker that ran " +
    "this name lately: what it needs is likely to be there still.",
  formula: "100 if the worker ran a dependency of the job, and 60 if it ran this name lately",
  min: 0,
  max: INPUTS_HERE + RAN_HERE,
  score(job, worker) {
    const inputs = job.inputWorkers.includes(worker.id) ? INPUTS_HERE : 0;
    return inputs + (worker.recentNames.has(job.name) ? RAN_HERE : 0);
  },
};
