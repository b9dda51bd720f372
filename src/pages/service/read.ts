/** What the page of the job service reads: its cards, and the table of one tab. */
import { askedOrgs, seenFleet } from "../../accounts/asked_orgs.ts";
import { may, type OrgFilter, type Scope, seenOrgs } from "../../core/scope.ts";
import type { FleetFilter } from "../../db/org_filter.ts";
import { count } from "../../web/format.ts";
import { operationModel } from "../../web/jobs/operation_words.ts";
import { countSchedules, listSchedules } from "../../web/schedules/rows.ts";
import { readOperations } from "../../web/service/operations.ts";
import { countHeld, readPools } from "../../web/service/pools.ts";
import { readQueues, type ServiceQueue } from "../../web/service/queues.ts";
import { readSlots } from "../../web/service/slots.ts";
import { workerReader } from "../../web/service/workers.ts";
import type { Shell } from "../../web/shell.ts";
import { type ServiceFilter, serviceHref } from "./filter.ts";
import { pendingCard, queueRow, scheduleRow, slotRow, workerRow, workersCard } from "./rows.ts";

/** Beyond it a page says so; whoever has more narrows by organization or name. */
const QUEUES_MAX = 1_000;
const SCHEDULES_MAX = 200;
const SLOTS_MAX = 500;
const OPERATIONS_SHOWN = 20;

export interface ServiceAsk {
  shell: Shell;
  scope: Scope;
  filter: ServiceFilter;
}

interface Look extends ServiceAsk {
  orgs: OrgFilter;
  fleet: FleetFilter;
  /** Read beside the rest: counting what waits takes as long as all of that. */
  queues: Promise<ServiceQueue[]>;
  operates(org: string): boolean;
}

/** Parts of the page by name, each with what its template prints. */
export async function readService(ask: ServiceAsk): Promise<Map<string, object>> {
  const { shell, scope, filter } = ask;
  const { database, directory } = shell.deps;
  const seen = seenFleet(scope);
  const orgs = askedOrgs(directory, seenOrgs(scope), filter.org);
  // Shared workers run the jobs of every organization: they stay where one is chosen.
  const fleet = { orgs, shared: seen.shared };
  const queues = readQueues(database.reads, orgs, { after: null, limit: QUEUES_MAX });
  // Where another part fails before this is asked for, its own failure is nobody's.
  queues.catch(() => {});
  const operates = (name: string) => {
    const org = directory.byName(name);
    return org !== undefined && may(scope, org.id, "operate");
  };
  const look = { ...ask, orgs, fleet, queues, operates };
  const [cards, table, operations] = await Promise.all([
    readCards(look),
    TABLES[filter.tab](look),
    runningOperations(look),
  ]);
  return new Map([
    ["cards", cards],
    ["table", table],
    ["operations", operations],
  ]);
}

async function readCards({ shell, filter, orgs, fleet, queues, scope, operates }: Look) {
  const { reads } = shell.deps.database;
  const [schedules, pools] = await Promise.all([
    countSchedules(reads, orgs),
    readPools(workerReader(shell.deps), fleet),
  ]);
  const [held, waiting] = await Promise.all([countHeld(reads, pools, orgs), queues]);
  const { total, lines, late } = pendingCard(waiting);
  const isWhole = waiting.length < QUEUES_MAX;
  return {
    org: filter.org,
    operates:
      scope.isSuperuser || (filter.org === "" ? anyOperated(shell, scope) : operates(filter.org)),
    pending: { total: `${isWhole ? "" : "at least "}${count(total)}`, isNone: total === 0, lines },
    late,
    schedules: {
      total: count(schedules.running + schedules.paused),
      ...{ isNone: schedules.running + schedules.paused === 0 },
      ...{ running: count(schedules.running), paused: count(schedules.paused) },
      ...{ canPause: schedules.running > 0, canResume: schedules.paused > 0 },
    },
    workers: workersCard(pools, held),
  };
}

function anyOperated({ deps }: Shell, scope: Scope): boolean {
  return [...deps.directory.all].some(({ id }) => may(scope, id, "operate"));
}

const TABLES: Record<ServiceFilter["tab"], (look: Look) => Promise<object>> = {
  queues: async ({ filter, queues, operates }) => {
    const all = await queues;
    const found = all.filter(({ name }) => isNamed(name, filter));
    const rows = found.map((queue) => queueRow(queue, operates(queue.org)));
    return { ...{ tab: "queues", rows, q: filter.q }, isCut: all.length >= QUEUES_MAX };
  },
  schedules: async ({ shell, filter, orgs, operates }) => {
    const { database, engine } = shell.deps;
    const look = { after: "", limit: SCHEDULES_MAX + 1, now: engine.now(), like: filter.q };
    const items = await listSchedules(database.reads, orgs, look);
    const shown = items.slice(0, SCHEDULES_MAX);
    const rows = shown.map((item) => scheduleRow(item, operates(item.org)));
    return { ...{ tab: "schedules", rows, q: filter.q }, isCut: items.length > SCHEDULES_MAX };
  },
  workers: readWorkersTab,
};

async function readWorkersTab({ shell, filter, fleet, operates }: Look): Promise<object> {
  const { reads } = shell.deps.database;
  const pools = await readPools(workerReader(shell.deps), fleet);
  const held = await countHeld(reads, pools, fleet.orgs);
  const all = pools.flatMap(({ name, workers }) =>
    workers.map((worker) => ({ worker, pool: name })),
  );
  const found = all.filter(({ worker, pool }) => isNamed(`${worker.name} ${pool}`, filter));
  const chosen = all.find(({ worker }) => worker.id === filter.worker) ?? found[0];
  const uid = chosen?.worker.id ?? "";
  const span = { after: 0, limit: SLOTS_MAX };
  const slots = chosen ? await readSlots(reads, uid, fleet, span) : null;
  return {
    ...{ tab: "workers", q: filter.q, chosen: chosen?.worker.name ?? "", isCut: false },
    rows: found.map(({ worker, pool }) => ({
      ...workerRow(worker, { pool, chosen: uid, held: held.get(worker.id) ?? 0 }),
      href: serviceHref(filter, { worker: worker.id }),
    })),
    slots: (slots?.items ?? []).map((slot) => slotRow(uid, slot, operates)),
    moreSlots: Math.max(0, (slots?.slots ?? 0) - SLOTS_MAX),
  };
}

function isNamed(name: string, { q }: ServiceFilter): boolean {
  return q === "" || name.toLowerCase().includes(q.toLowerCase());
}

/** Stops that go on, or ended a moment ago. */
async function runningOperations({ shell, scope, orgs }: Look): Promise<object> {
  const { database, engine } = shell.deps;
  const now = engine.now();
  const rows = await readOperations(database.reads, orgs, {
    ...{ kind: "stop_queues", since: now - 60_000, limit: OPERATIONS_SHOWN },
  });
  const mayUndo = (org: number | null) =>
    org === null ? scope.isSuperuser : may(scope, org, "operate");
  return { rows: rows.map((row) => operationModel(row, now, mayUndo(row.org_id))) };
}
