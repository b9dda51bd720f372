/** Ends of jobs, looked for where they likely are, and in all days that are possible only where they are not. */
import { type EndSpan, likelyEnds, possibleEnds } from "../core/ids.ts";

/**
 * Of a month of partitions nearly all are left out of the first read. `isFound`: whether that was all there is
 * to be found of these jobs.
 */
export async function inLikelyDays<T>(
  ids: readonly string[],
  read: (ends: EndSpan) => Promise<T>,
  isFound: (found: T) => boolean,
): Promise<T> {
  const likely = likelyEnds(...ids);
  const found = await read(likely);
  const isSure = isFound(found) || likely.until.getTime() > Date.now();
  return isSure ? found : await read(possibleEnds(...ids));
}
