/**
 * Since when a schedule's rule holds without a break, epoch milliseconds, as SQL over its row: it was made, resumed, or
 * given another rule. Nothing was due by it before, so that no run before it is missing.
 */
export const RULE_SINCE = `round(extract(epoch from greatest(created_at, resumed_at, rule_at)) * 1000)::float8`;
