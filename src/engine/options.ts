import type { LogStore } from "../blobs/log_store.ts";
import { DEFAULT_RETENTION, type Retention } from "../core/retention.ts";
import type { SendSettings } from "./alerts/send/send.ts";

/** What the engine can be told; every field has a default that suits a single server. */
export interface EngineOptions {
  leaseSeconds: number;
  graceSeconds: number;
  /** Said in logs and in the list of replicas. */
  address: string;
  /** The window's most ready jobs a shape, and over all shapes (engine rule 21). */
  windowPerShape: number;
  windowTotal: number;
  /** Items a beat: 400 gave 22,000 to 23,000 jobs/s, 800 gave 11,000 to 16,000 (engine rule 7). */
  beatItems: number;
  /** Events that the feed may be behind before it leaves them out and says so. */
  feedBehindMax: number;
  /** A lease this old that its session does not know is a stray: a beat takes far less to be told. */
  strayAfterSeconds: number;
  /** Between two passes of the aggregator. */
  rollupIntervalSeconds: number;
  /** Between two looks at the fleet. */
  workerSampleSeconds: number;
  /** How long things are kept. */
  retention: Retention;
  /** Where logs lie, which retention removes too. */
  logs: LogStore | null;
  /** Between two looks at the alert rules. */
  alertSeconds: number;
  /** What people type to reach the board, for links in messages; undefined: not known. */
  publicUrl: string | undefined;
  /** How alerts leave the house. */
  sending: SendSettings;
}

export const DEFAULT_OPTIONS: EngineOptions = {
  leaseSeconds: 30,
  graceSeconds: 15,
  address: "",
  windowPerShape: 256,
  windowTotal: 65_536,
  beatItems: 400,
  feedBehindMax: 20_000,
  strayAfterSeconds: 20,
  rollupIntervalSeconds: 60,
  workerSampleSeconds: 15,
  retention: DEFAULT_RETENTION,
  logs: null,
  alertSeconds: 30,
  publicUrl: undefined,
  sending: { mail: null, allowsPrivate: false },
};
