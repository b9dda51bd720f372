/** What the demo's organizations run by the clock: made once, and theirs to change from then on. */
import type { ScheduleInput } from "../messages/schedule_input.ts";
import type { Client } from "../sdk/client.ts";
import { TIDEWATER, TIDEWATER_TASKS } from "./cast/firmware.ts";
import { MERIDIAN, MERIDIAN_TASKS } from "./cast/laboratory.ts";
import { inputOf, type Task } from "./cast/task.ts";

interface Planned extends Pick<ScheduleInput, "cron" | "time_zone" | "overlap" | "description"> {
  org: string;
  name: string;
  task: string;
  isPaused?: true;
}

const PLANNED: readonly Planned[] = [
  {
    ...{ org: TIDEWATER, name: "mirror-sources", task: "mirror-sources", cron: "*/4 * * * *" },
    ...{
      time_zone: "UTC",
      overlap: "skip",
      description: "Sources of packages, before builds ask.",
    },
  },
  {
    ...{ org: TIDEWATER, name: "collect-garbage", task: "collect-garbage", cron: "30 2 * * *" },
    ...{ time_zone: "Europe/Oslo", overlap: "skip", description: "Outputs that nobody needs." },
  },
  {
    ...{ org: MERIDIAN, name: "buoys", task: "ingest-buoys", cron: "*/30 * * * * *" },
    ...{ time_zone: "UTC", overlap: "queue", description: "Measurements as they come in." },
  },
  {
    ...{ org: MERIDIAN, name: "satellite", task: "ingest-satellite", cron: "5 */6 * * *" },
    ...{ time_zone: "America/New_York", overlap: "replace", description: "Passes of the day." },
    isPaused: true,
  },
];

const TASKS: readonly Task[] = [...TIDEWATER_TASKS, ...MERIDIAN_TASKS];

/** Those that an organization has not: by name. */
export async function makeSchedules(clients: ReadonlyMap<string, Client>): Promise<void> {
  for (const [org, client] of clients) {
    const known = new Set((await client.schedules.list()).map(({ name }) => name));
    const missing = PLANNED.filter((one) => one.org === org && !known.has(one.name));
    for (const { org: _org, task, isPaused, ...settings } of missing) {
      // A schedule has no use for a key.
      const { dedupe_key: _, ...job } = inputOf(TASKS.find(({ name }) => name === task)!, {
        seed: 1,
      });
      await client.schedules.create({ ...settings, job, paused: isPaused === true });
    }
  }
}
