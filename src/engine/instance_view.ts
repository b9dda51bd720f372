/** What scoring reads of the whole instance, and the contexts that a dispatch freezes. */
import type { ScoringInstance } from "../core/scoring/context.ts";
import { snakeKeys } from "../core/snake_keys.ts";
import type { Choice } from "./choice/choose.ts";
import type { EngineContext } from "./context.ts";
import type { Histories } from "./histories.ts";
import type { Lines } from "./lines.ts";
import type { Windows } from "./rollups/windows.ts";
import type { Session } from "./session.ts";

/** Counters are read again after this long; slots are counted at every turn. */
const SLOW_MS = 1_000;
/** Different contexts of jobs that are remembered. */
const JOB_BODIES_MAX = 20_000;

interface SlowFacts {
  pending: number;
  activeOrgs: number;
}

const WORK = `
select org_id, state, sum(n)::float8 as n from (
  select c.org_id, c.state, c.n from org o join counter c on c.org_id = o.id
  where c.queue_id > 0 and c.state in ('ready', 'dispatched', 'running')
  union all
  select org_id, state, n from counter_delta
  where queue_id <> 0 and state in ('ready', 'dispatched', 'running')) c
group by 1, 2`;

export class InstanceView {
  readonly #context: EngineContext;
  readonly #lines: Lines;
  readonly #histories: Histories;
  readonly #windows: Windows;
  readonly #slow: SlowFacts = { pending: 0, activeOrgs: 1 };
  #slowAt = Number.NEGATIVE_INFINITY;
  #body: { at: number; body: object } = { at: Number.NEGATIVE_INFINITY, body: {} };
  /** By what their lines have in common, and by what their names used. */
  readonly #jobBodies = new Map<string, Map<string, object>>();
  #jobBodyCount = 0;
  readonly #workerBodies = new WeakMap<Session, { key: string; body: object }>();

  constructor(
    context: EngineContext,
    { lines, histories, windows }: { lines: Lines; histories: Histories; windows: Windows },
  ) {
    this.#context = context;
    this.#lines = lines;
    this.#histories = histories;
    this.#windows = windows;
  }

  read(): ScoringInstance {
    this.#refreshSlowly();
    const usedByOrg = new Map<number, number>();
    let slotsUsed = 0;
    let slotsOffered = 0;
    let idle = 0;
    for (const session of this.#lines.sessions) {
      slotsUsed += session.load.used;
      slotsOffered += session.load.slots;
      if (session.load.used === 0) idle += 1;
      for (const lease of session.leases.values()) {
        if (!lease.ending) usedByOrg.set(lease.org, (usedByOrg.get(lease.org) ?? 0) + 1);
      }
    }
    for (const org of this.#lines.leasing.values()) {
      usedByOrg.set(org, (usedByOrg.get(org) ?? 0) + 1);
    }
    return {
      workers: this.#lines.sessions.size,
      idleWorkers: idle,
      pending: this.#slow.pending,
      active: slotsUsed,
      slotsUsed,
      slotsOffered,
      contended: this.#slow.pending > slotsOffered - slotsUsed,
      usedByOrg,
      activeOrgs: Math.max(1, this.#slow.activeOrgs),
      averages: this.#windows.averages,
    };
  }

  #refreshSlowly(): void {
    const now = performance.now();
    if (now - this.#slowAt < SLOW_MS) return;
    this.#slowAt = now;
    this.#context.database.reads
      .unsafe(WORK, [], { prepare: true })
      .then((rows) => {
        const orgs = new Set<number>();
        let pending = 0;
        for (const row of rows) {
          if (row.n > 0) orgs.add(row.org_id);
          if (row.state === "ready") pending += row.n;
        }
        this.#slow.pending = pending;
        this.#slow.activeOrgs = orgs.size;
      })
      .catch((error) => this.#context.log.warn({ error: String(error) }, "counters were not read"));
  }

  // Frozen contexts: figures rounded, so that equal situations are one row

  /** The same object as long as nothing in it has changed. */
  workerContext(session: Session): object {
    const { load, metricsAt } = session;
    const key = `${metricsAt}/${bucket(load.used)}/${load.ramReservedMb}/${load.cpusReserved}`;
    const known = this.#workerBodies.get(session);
    if (known?.key === key) return known.body;
    const body = this.#workerBody(session);
    this.#workerBodies.set(session, { key, body });
    return body;
  }

  #workerBody(session: Session): object {
    const { facts, load, scoring } = session;
    return {
      name: facts.name,
      pool: facts.pool,
      system: facts.system,
      features: [...facts.features],
      slots: load.slots,
      slots_used: bucket(load.used),
      cpus: facts.cpus,
      cpu_pct: whole(scoring.cpuPct, 5),
      ram_total_mb: whole(scoring.ramTotalMb, 1),
      ram_free_mb: whole(scoring.ramFreeMb, 64),
      ram_reserved_mb: load.ramReservedMb,
      cpus_reserved: load.cpusReserved,
      disk_mbps: whole(scoring.diskMbps, 1),
      network_mbps: whole(scoring.networkMbps, 1),
    };
  }

  /**
   * What scoring read of the job beside its own row. Without the name, which that row has: thousands of
   * names that need the same and used about the same share one context.
   */
  jobContext({ job, line }: Choice): object {
    const { key: history, figures } = this.#histories.frozen(job.name);
    const known = this.#jobBodies.get(line.traits)?.get(history);
    if (known) return known;
    const body = {
      queue: this.#context.names.queueName(job.queue),
      kind: line.facts.kind,
      requirements: line.facts.requirements,
      history: snakeKeys(figures),
    };
    this.#rememberJobBody(line.traits, history, body);
    return body;
  }

  #rememberJobBody(traits: string, history: string, body: object): void {
    if (this.#jobBodyCount >= JOB_BODIES_MAX) {
      this.#jobBodies.clear();
      this.#jobBodyCount = 0;
    }
    const alike = this.#jobBodies.get(traits);
    if (alike) alike.set(history, body);
    else this.#jobBodies.set(traits, new Map([[history, body]]));
    this.#jobBodyCount += 1;
  }

  instanceContext(instance: ScoringInstance): object {
    const now = performance.now();
    if (now - this.#body.at < SLOW_MS) return this.#body.body;
    const { usedByOrg, averages, ...counts } = instance;
    const body = {
      ...snakeKeys(counts),
      used_by_org: Object.fromEntries(
        [...usedByOrg].map(([org, n]) => [this.#context.names.orgName(org), n]),
      ),
      averages: snakeKeys(averages),
      windows: snakeKeys(this.#windows.windows),
    };
    this.#body = { at: now, body };
    return body;
  }
}

function whole(value: number | null, step: number): number | null {
  return value === null ? null : Math.round(value / step) * step;
}

/** Busy slots: exact up to 16, then in steps, so that a wide worker does not make a context a beat. */
function bucket(used: number): number {
  if (used <= 16) return used;
  const step = 2 ** (Math.floor(Math.log2(used)) - 3);
  return Math.floor(used / step) * step;
}
