import { bigint, doublePrecision, integer, smallint, timestamp } from "drizzle-orm/pg-core";

/**
 * A metric of one group over one bucket of time. The group is one of the kept ones: what does not
 * apply is 0; -1 stands for the rest, where a group has more members than are kept by themselves.
 */
export const rollupColumns = () => ({
  /** Of the catalogue in `core/metrics`, and of the table `metric`. */
  metric_id: smallint().notNull(),
  org_id: integer().notNull(),
  queue_id: integer().notNull(),
  name_id: integer().notNull(),
  worker_id: integer().notNull(),
  bucket_start: timestamp({ withTimezone: true }).notNull(),
  /** Events; of gauges, how often was looked. */
  count: bigint({ mode: "number" }).notNull(),
  sum: doublePrecision().notNull(),
  min: doublePrecision(),
  max: doublePrecision(),
  /** `core/metrics/histogram.ts`; null where the metric has none. */
  bins: smallint().array(),
  hits: bigint({ mode: "number" }).array(),
});

type Columns = Record<
  "metric_id" | "org_id" | "queue_id" | "name_id" | "worker_id" | "bucket_start",
  // biome-ignore lint/suspicious/noExplicitAny: a column of whichever table
  any
>;

/** A series lies together. */
export const rollupKey = (t: Columns) => [
  t.metric_id,
  t.org_id,
  t.queue_id,
  t.name_id,
  t.worker_id,
  t.bucket_start,
];
