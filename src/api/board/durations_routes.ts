/** Run times by length over time: the heatmap of the page of durations. */
import { z } from "zod";
import { readDurationBands } from "../../web/metrics/duration_bands.ts";
import { problemOf } from "../rollups/refused.ts";
import { ok, type Route, route } from "../route.ts";
import { coveredFields, coveredView, sourceOf, spanFor, spanParams } from "./span.ts";

const name = (max: number) => z.string().min(1).max(max).optional();

const heatmap = route({
  method: "get",
  path: "/board/durations/heatmap",
  tag: "Board",
  summary: "How many attempts ran how long, over time",
  description: "Attempts that succeeded, of the organizations that you see.",
  query: z.strictObject({ ...spanParams, org: name(63), queue: name(63), name: name(128) }),
  answers: {
    200: {
      description: "Counts by band and bucket",
      schema: z.object({
        ...coveredFields,
        times: z.array(z.iso.datetime()).describe("Beginnings of the buckets"),
        bands: z
          .array(
            z.object({
              band: z.string(),
              counts: z
                .array(z.int().nullable())
                .describe("One for each of `times`; null: nothing is known of that bucket"),
            }),
          )
          .describe("The shortest run times first"),
      }),
    },
  },
  handle: async ({ query, caller, deps }) => {
    const { org, queue, name: job } = query;
    const group = { org, queue, name: job };
    try {
      const span = spanFor({ query, caller, deps }, group);
      const ask = { ...span, group };
      const { bands, covered } = await readDurationBands(sourceOf(deps), caller.scope, ask);
      return ok({
        ...coveredView(span, covered),
        times: bands[0]!.points.map((point) => new Date(point.bucket).toISOString()),
        bands: bands.map(({ band, points }) => ({
          band,
          counts: points.map(({ count }) => count),
        })),
      });
    } catch (error) {
      throw problemOf(error);
    }
  },
});

export const durationsRoutes: readonly Route[] = [heatmap];
