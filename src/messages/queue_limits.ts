/** Limits of a queue as they are asked for: in the API, on the board. */
import { z } from "zod";

const LIMIT_MAX = 1_000_000;
const tagName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,127}$/, "is no name of a tag");
const most = z.int().min(1, "is at least 1: to start nothing, pause the queue").max(LIMIT_MAX);

/** What is absent stays as it is; null takes a limit away. */
export const queueLimits = z.strictObject({
  concurrency: most.nullable().optional().describe("Jobs at once"),
  rate: z
    .strictObject({
      count: z.int().min(1).max(LIMIT_MAX),
      seconds: z.number().min(0.1).max(86_400),
    })
    .nullable()
    .optional()
    .describe("Starts, evenly over so many seconds"),
  per_key: z
    .strictObject({ tag: tagName, concurrency: z.int().min(1).max(LIMIT_MAX) })
    .nullable()
    .optional()
    .describe(
      "Jobs at once that have the same value of this tag; jobs without it have no such limit",
    ),
});
