/** `engine/explain.ts` as a schema, for the documentation. */
import { z } from "zod";
import { jobState, time } from "./schemas.ts";

const veto = z
  .object({ rule: z.string(), sentence: z.string(), unblocks: z.string() })
  .meta({ id: "Veto", description: "What stands against it, and what would unblock it" });
const term = z
  .object({
    rule: z.string(),
    contribution: z.number(),
    weight: z.number(),
    help: z.string(),
    formula: z.string(),
  })
  .meta({ id: "Term", description: "What one scoring rule gave" });
const context = z.record(z.string(), z.unknown()).nullable();

export const explanation = z
  .object({
    state: jobState,
    considered_at: time,
    position: z
      .object({
        ahead: z.int(),
        place: z.int().describe("1 is next, among ready jobs of the same shape"),
        shape_ready: z.int(),
        capped: z.boolean().describe("Counting stopped: there are more"),
      })
      .optional(),
    vetoes: z.array(veto).describe("Those that hold whatever the worker"),
    workers: z.array(
      z.object({
        id: z.uuid(),
        name: z.string(),
        vetoes: z.array(veto).describe("Empty: it fits"),
        score: z.number().optional(),
        terms: z.array(term).optional(),
      }),
    ),
    hidden_workers: z
      .int()
      .optional()
      .describe("How many more are connected, of organizations that the caller does not see"),
    blocked_by: z
      .array(z.object({ id: z.uuid(), name: z.string(), state: jobState }))
      .optional()
      .describe("Unfinished direct dependencies, the first 100"),
    dispatch: z
      .object({
        attempt: z.int(),
        worker: z.object({ id: z.uuid(), name: z.string() }),
        score: z.number(),
        terms: z.array(term),
        considered: z
          .int()
          .nullable()
          .describe("Pairs weighed, of all organizations; for superusers"),
        candidates: z.array(
          z.object({ job: z.uuid(), name: z.string().nullable(), score: z.number() }),
        ),
        hidden_candidates: z
          .int()
          .describe(
            "How many more were passed over, of organizations that the caller does not see",
          ),
        contexts: z.object({ worker: context, job: context, instance: context }),
      })
      .optional(),
  })
  .meta({ id: "Explanation" });
