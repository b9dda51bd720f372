/** A worker of the past: what it holds, and what scoring reads of it. */
import type { ScoringWorker } from "../../core/scoring/context.ts";
import { hashUuid } from "../../engine/names.ts";
import type { WorkerRole } from "../cast/worker_role.ts";
import type { PastJob, PastKind } from "./past_job.ts";

const RECENT_NAMES = 12;
const DAY_MS = 86_400_000;

export class PastWorker {
  readonly role: WorkerRole;
  readonly id: number;
  readonly org: number | null;
  readonly scoring: ScoringWorker;
  readonly running = new Set<PastJob>();
  /** Ids of its sessions, by day (UTC). */
  readonly sessions: ReadonlyMap<number, number>;
  readonly #recent = new Set<number>();
  readonly #contexts = new Map<string, string>();
  #load = { cores: 0, ramMb: 0, diskMbps: 0, networkMbps: 0 };

  constructor(
    role: WorkerRole,
    ids: { worker: number; org: number | null; sessions: ReadonlyMap<number, number> },
  ) {
    this.role = role;
    this.id = ids.worker;
    this.org = ids.org;
    this.sessions = ids.sessions;
    this.scoring = {
      id: ids.worker,
      org: ids.org,
      slots: role.slots,
      used: 0,
      ramTotalMb: role.ramMb,
      ramFreeMb: role.ramMb * 0.88,
      ramReservedMb: 0,
      cpus: role.cpus,
      cpusReserved: 0,
      cpuPct: 3,
      diskMbps: 220,
      networkMbps: 400,
      recentNames: this.#recent,
    };
  }

  sessionAt(ms: number): number {
    return this.sessions.get(Math.floor(ms / DAY_MS))!;
  }

  /** Whether it could ever run it. */
  fits({ task, org, requirements: needs }: PastKind): boolean {
    const { system, features = [], pool, ram_mb = 0, cpus = 0 } = needs;
    const { role } = this;
    return (
      (this.org === null || this.org === org) &&
      (task.kind === "exec" || role.handlers.includes(task.name)) &&
      (system === undefined || system === role.system) &&
      (pool === undefined || pool === role.pool) &&
      features.every((feature) => role.features.includes(feature)) &&
      ram_mb <= role.ramMb &&
      cpus <= role.cpus
    );
  }

  hasRoomFor({ requirements: { ram_mb = 0, cpus = 0 } }: PastKind): boolean {
    const { used, slots, ramReservedMb, cpusReserved } = this.scoring;
    const { ramMb, cpus: all } = this.role;
    return used < slots && ram_mb <= ramMb - ramReservedMb && cpus <= all - cpusReserved;
  }

  take(job: PastJob): void {
    this.running.add(job);
    this.#moved(job.kind, 1);
  }

  free(job: PastJob): void {
    if (!this.running.delete(job)) return;
    this.#moved(job.kind, -1);
    this.#recent.delete(job.kind.name);
    this.#recent.add(job.kind.name);
    if (this.#recent.size > RECENT_NAMES) this.#recent.delete(this.#recent.values().next().value!);
  }

  #moved({ task, requirements: { ram_mb = 0, cpus = 0 } }: PastKind, sign: number): void {
    const { scoring } = this;
    const load = this.#load;
    scoring.used += sign;
    scoring.ramReservedMb += sign * ram_mb;
    scoring.cpusReserved += sign * cpus;
    load.cores += sign * task.cores;
    load.ramMb += sign * task.ramMb * 0.8;
    load.diskMbps += (sign * task.diskMb) / task.seconds;
    load.networkMbps += sign * task.networkMbps * 0.5;
    scoring.cpuPct = Math.round(Math.min(98, 3 + (load.cores / this.role.cpus) * 100) / 5) * 5;
    scoring.ramFreeMb = Math.round((this.role.ramMb * 0.88 - load.ramMb) / 64) * 64;
  }

  get figures() {
    const { diskMbps, networkMbps } = this.#load;
    return { diskMbps: Math.max(0.4, diskMbps), networkMbps: Math.max(0.2, networkMbps) };
  }

  /** The id of what stands in the decision about it; `keep` is told of each once. */
  context(keep: (id: string, kind: "worker", body: object) => void): string {
    const { role, scoring } = this;
    const key = `${scoring.used}/${scoring.ramReservedMb}/${scoring.cpusReserved}/${scoring.cpuPct}`;
    const known = this.#contexts.get(key);
    if (known) return known;
    const body = {
      name: role.name,
      pool: role.pool,
      system: role.system,
      features: [...role.features],
      slots: role.slots,
      slots_used: scoring.used,
      cpus: role.cpus,
      cpu_pct: scoring.cpuPct,
      ram_total_mb: role.ramMb,
      ram_free_mb: scoring.ramFreeMb,
      ram_reserved_mb: scoring.ramReservedMb,
      cpus_reserved: scoring.cpusReserved,
      disk_mbps: scoring.diskMbps,
      network_mbps: scoring.networkMbps,
    };
    const id = hashUuid(`worker:${JSON.stringify(body)}`);
    this.#contexts.set(key, id);
    keep(id, "worker", body);
    return id;
  }
}
