/** Makes the `finished` report of an attempt, within the bounds that the server enforces. */
import type { Attempt, AttemptEnd } from "./attempt.ts";

const ERROR_MAX = 32_768;
const REASON_MAX = 256;

/** The report as JSON text. The result was turned into text before, and is not made again. */
export function reportJson(attempt: Attempt, end: AttemptEnd): string {
  const { job, attempt: number, token } = attempt.assignment;
  const { resultJson, ...facts } = end;
  const report: Record<string, unknown> = { job, attempt: number, token, ...facts };
  if (facts.error !== undefined) report.error = plainText(facts.error, ERROR_MAX);
  if (facts.reason !== undefined) report.reason = plainText(facts.reason, REASON_MAX);
  if (attempt.log) report.log_bytes = attempt.log.bytes;
  const text = JSON.stringify(report);
  return resultJson === undefined ? text : `${text.slice(0, -1)},"result":${resultJson}}`;
}

/** Well-formed, without NUL, and cut; the cut keeps whole characters. */
export function plainText(text: string, max: number): string {
  const cut = text.length > max ? `${text.slice(0, max - 1)}…` : text;
  return cut.toWellFormed().replaceAll("\0", "\u2400");
}
