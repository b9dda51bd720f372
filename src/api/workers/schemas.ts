import { z } from "zod";
import { WORKER_STATES } from "../../web/service/workers.ts";
import { time } from "../jobs/schemas.ts";

const amount = z.number().min(0).nullable();
const facts = {
  kinds: z.array(z.enum(["exec", "handler"])),
  system: z.string().nullable(),
  features: z.array(z.string()),
  handlers: z.array(z.string()).describe("The first 100"),
};

export const worker = z
  .object({
    id: z.uuid(),
    name: z.string(),
    org: z.string().nullable().describe("Null: shared by all"),
    pool: z.string(),
    state: z.enum(WORKER_STATES).describe("`lost`: its socket is gone, its leases still hold"),
    slots: z.int().min(0),
    used: z.int().min(0),
    ...facts,
    resources: z.object({ cpus: amount, ram_mb: amount }),
    metrics: z.object({
      cpu_pct: amount,
      ram_free_mb: amount,
      ram_total_mb: amount,
      disk_mbps: amount,
      network_mbps: amount,
    }),
    version: z.string().nullable(),
    host: z.string().nullable(),
    pid: z.int().nullable(),
    connected_at: time,
    dropped_at: time.nullable(),
    lease_until: time,
    last_seen_at: time,
  })
  .meta({ id: "Worker" });
export type WorkerView = z.infer<typeof worker>;

const shares = z.object({
  visible: z.int().min(0),
  total: z.int().min(0),
  hidden: z.int().min(0).describe("Of organizations that the caller does not see"),
});

export const fleetSize = z.object({ workers: shares, slots: shares }).meta({
  id: "FleetSize",
  description:
    "Connected workers and the slots that they offer. Lost ones are listed until their lease ends, and not counted.",
});

const freeing = z
  .object({
    state: z
      .enum(["asked", "acknowledged"])
      .describe(
        "`acknowledged`: its worker has said that it stops it. It is free when it is gone.",
      ),
    requeue: z.boolean().describe("Its job goes back in line; else it ends as cancelled"),
    by: z.string().nullable(),
    reason: z.string().nullable(),
    asked_at: time,
    acknowledged_at: time.nullable(),
  })
  .meta({ id: "Freeing" });

const held = {
  job: z.uuid(),
  name: z.string(),
  org: z.string(),
  queue: z.string(),
  attempt: z.int(),
  state: z.enum(["dispatched", "running"]),
  since: time.describe("In this state"),
  started_at: time.nullable(),
  checked_in_at: time.nullable().describe("When it last told how far it is"),
  freeing: freeing.nullable().describe("Null: nobody has asked it to stop"),
};
export const slotJob = z.object({ slot: z.int().nullable(), ...held }).meta({ id: "SlotJob" });

export const slot = z
  .union([
    z.object({ slot: z.int(), ...held }),
    z.object({
      slot: z.int(),
      state: z.enum(["idle", "used"]).describe("`used`: by a job that the caller does not see"),
    }),
  ])
  .meta({ id: "Slot" });

export const pool = z
  .object({
    name: z.string(),
    slots: z.int().min(0),
    used: z.int().min(0),
    workers: z.array(
      z.object({
        id: z.uuid(),
        name: z.string(),
        org: z.string().nullable().describe("Null: shared by all"),
        state: z.enum(WORKER_STATES),
        pid: z.int().nullable(),
        host: z.string().nullable(),
        slots: z.int(),
        used: z.int(),
        started_at: time.describe("When it connected"),
        heartbeat_at: time,
        jobs: z
          .array(slotJob)
          .describe("What its slots hold of what the caller sees, the first 100"),
      }),
    ),
  })
  .meta({ id: "Pool" });
export type PoolView = z.infer<typeof pool>;
export type SlotView = z.infer<typeof slot>;
