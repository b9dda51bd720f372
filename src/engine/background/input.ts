/** How often a name is to run, as it is asked for: in the API, on the board. */
import { z } from "zod";
import { STALENESS } from "../../core/background/thresholds.ts";

/** A year. */
export const INTERVAL_MAX = 31_536_000;

const seconds = (least: number) => {
  const message = `must be a whole number of seconds, from ${least} to ${INTERVAL_MAX}`;
  return z.int(message).min(least, message).max(INTERVAL_MAX, message);
};

export const expectationInput = z.strictObject({
  expected_interval_seconds: seconds(10).nullable().describe("Null: nothing is expected any more"),
  grace_seconds: seconds(0)
    .nullable()
    .default(null)
    .describe(`Null: ${STALENESS.graceSeconds} seconds, as usual`),
});
export type ParsedExpectationInput = z.output<typeof expectationInput>;

/** As the engine takes it; the grace of nothing is nothing. */
export function expectedOf(input: ParsedExpectationInput) {
  const { expected_interval_seconds: interval_seconds, grace_seconds } = input;
  return interval_seconds === null ? null : { interval_seconds, grace_seconds };
}
