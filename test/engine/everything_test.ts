/**
 * Everything at once, by chance. `TEST_SEEDS=7,8,9` runs those seeds instead: a failure names its own.
 * `TEST_TELL=1` prints all that is on record of the jobs that it is about.
 */
import { describe, test } from "node:test";
import { Storm } from "../support/storm.ts";

const GIVEN = process.env.TEST_SEEDS?.split(",").map(Number);
const SEEDS = GIVEN ?? [1, 2, Math.floor(Math.random() * 1_000_000)];

describe("everything at once", () => {
  for (const seed of SEEDS) {
    test(`leaves nothing lost, doubled or stuck (seed ${seed})`, async () => {
      const storm = await Storm.start(seed);
      let ended = false;
      try {
        await storm.blow();
        await storm.calm();
        await storm.settle();
        ended = true;
      } catch (error) {
        if (process.env.TEST_TELL) console.error(await storm.tell((error as Error).message));
        throw new Error(`TEST_SEEDS=${seed}: ${(error as Error).message}`, { cause: error });
      } finally {
        await storm.stop({ oracles: ended });
      }
    });
  }
});
