/** What the dispatcher's window keeps of a ready job: everything scoring reads, no payload. */
export interface ReadyRow {
  id: string;
  shape_id: number;
  org_id: number;
  queue_id: number;
  name_id: number;
  state: "queued" | "ready";
  priority: number;
  /** Null unless ready. */
  ready_rank: number | null;
  /** Epoch seconds; null unless ready. */
  ready_s: number | null;
  dependents: number;
  input_workers: number[] | null;
  rejected_by: number[] | null;
  /** Of a queue that is limited by the values of a tag: its own. */
  key?: string | null;
}

/** The select list that makes a `ReadyRow` from `live_job` columns. */
export const READY_COLUMNS = `id, shape_id, org_id, queue_id, name_id, state, priority, ready_rank,
  extract(epoch from ready_at)::float8 as ready_s, dependents, input_workers, rejected_by`;
