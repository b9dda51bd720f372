/** Scores over a span, and what each rule gave: the figures of the scheduler's page. */
import { z } from "zod";
import { readScoring } from "../../web/metrics/scoring_summary.ts";
import { problemOf } from "../rollups/refused.ts";
import { ok, type Route, route } from "../route.ts";
import { coveredFields, coveredView, sourceOf, spanFor, spanParams } from "./span.ts";

const points = z.number().nullable();

const summary = route({
  method: "get",
  path: "/board/scoring/summary",
  tag: "Board",
  summary: "How scores were distributed, and what each rule gave",
  description:
    "Of attempts that ended in the span, of the organizations that you see; none is left out.",
  query: z.strictObject({ ...spanParams, org: z.string().max(63).optional() }),
  answers: {
    200: {
      description: "The summary",
      schema: z.object({
        ...coveredFields,
        sample_size: z.int().describe("Attempts with a score"),
        score_min: points,
        score_max: points,
        score_avg: points,
        histogram: z
          .array(z.object({ lo: z.int(), hi: z.int(), count: z.int() }))
          .describe("At most 24 bars without gaps; from lo up to, and not including, hi"),
        rules: z
          .array(
            z.object({
              rule: z.string(),
              avg: points,
              min: points,
              max: points,
              count: z.int().describe("Attempts that it judged"),
              help: z.string(),
            }),
          )
          .describe("Those that moved scores the most first"),
      }),
    },
  },
  handle: async ({ query, caller, deps }) => {
    const group = { org: query.org };
    try {
      const span = spanFor({ query, caller, deps }, group);
      const ask = { ...span, group };
      const { count, min, max, avg, bars, rules, covered } = await readScoring(
        sourceOf(deps),
        caller.scope,
        ask,
      );
      return ok({
        ...coveredView(span, covered),
        ...{ sample_size: count, score_min: min, score_max: max, score_avg: avg, histogram: bars },
        rules: rules.map(({ weight: _, formula: __, ...rule }) => rule),
      });
    } catch (error) {
      throw problemOf(error);
    }
  },
});

export const scoringRoutes: readonly Route[] = [summary];
