/** What retention has removed: it was there, and is not any more. */
import { ApiProblem } from "./problem.ts";

export function removedByRetention(what: string, days: number): ApiProblem {
  const after = days === 1 ? "1 day" : `${days} days`;
  return new ApiProblem("gone", `${what}: removed by retention after ${after}.`);
}
