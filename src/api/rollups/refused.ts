/** What of metrics cannot be answered, as a problem of the API. */
import { MetricRefused } from "../../web/metrics/groups.ts";
import { ApiProblem } from "../problem.ts";
import { invalid } from "../query.ts";

export function problemOf(error: unknown): unknown {
  if (!(error instanceof MetricRefused)) return error;
  const { kind, field, message } = error;
  if (kind !== "invalid") return new ApiProblem(kind, message);
  return invalid([{ path: field, in: "query", message }]);
}
