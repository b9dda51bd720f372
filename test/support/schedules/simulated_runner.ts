/** A server's schedules without the rest of it, at whatever time a test says it is. */
import { connect } from "../../../src/db/client.ts";
import { Actions } from "../../../src/engine/actions.ts";
import { Bus } from "../../../src/engine/bus.ts";
import { Clock } from "../../../src/engine/clock.ts";
import { withRecords } from "../../../src/engine/context.ts";
import { Histories } from "../../../src/engine/histories.ts";
import { Names } from "../../../src/engine/names.ts";
import { DEFAULT_OPTIONS } from "../../../src/engine/options.ts";
import { createSchedules } from "../../../src/engine/schedules/create.ts";
import type { ScheduleKeeper } from "../../../src/engine/schedules/schedules.ts";
import { Submission } from "../../../src/engine/submit/submission.ts";

export interface SimulatedRunner {
  schedules: ScheduleKeeper;
  /** What went wrong, in its own words. */
  troubles: string[];
  /** Everything that is due now. */
  pass(): Promise<number>;
  /** Gives its role back first; a server that is killed does not. */
  stop(how: "cleanly" | "killed"): Promise<void>;
}

export async function simulatedRunner(url: string, now: () => number): Promise<SimulatedRunner> {
  const database = await connect(url, { beats: 2, reads: 1 });
  const troubles: string[] = [];
  const note = (facts: object, message: string) =>
    void troubles.push(`${message} ${JSON.stringify(facts)}`);
  const context = withRecords({
    options: DEFAULT_OPTIONS,
    database,
    clock: new Clock(database.side),
    bus: new Bus((error) => note({ error: String(error) }, "a listener failed")),
    names: new Names(database.side),
    log: { info() {}, warn: note, error: note },
  });
  await context.clock.measure();
  const submission = new Submission(context, new Histories(context), () => {});
  const actions = new Actions(context, { ready() {}, ended() {} });
  const schedules = createSchedules(context, submission, actions, now);
  return {
    schedules,
    troubles,
    pass: () => schedules.pass(),
    stop: async (how) => {
      if (how === "cleanly") await schedules.stop();
      await database.close();
    },
  };
}
