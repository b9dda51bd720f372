/** `/board/health`: the server, its database, what history costs, and what a superuser does about them. */
import { isSameOrigin } from "../../accounts/same_origin.ts";
import { clipText } from "../../core/storable.ts";
import type { StorageUse } from "../../engine/keeping/storage.ts";
import { readDraining } from "../../web/admin/draining.ts";
import { readTasks } from "../../web/admin/tasks.ts";
import { PageError } from "../../web/errors.ts";
import { readForm } from "../../web/form.ts";
import { bytes, count, decimal, duration } from "../../web/format.ts";
import { loopDelay } from "../../web/health/event_loop.ts";
import { httpPart } from "../../web/health/http_table.ts";
import { type Health, readHealth } from "../../web/health/read_health.ts";
import {
  type Figure,
  type MetricAsk,
  type MetricPageSpec,
  type MetricPicture,
  metricPage,
  renewPicture,
} from "../../web/metrics/metric_page.ts";
import type { BoardContext, BoardPage, Shell } from "../../web/shell.ts";

const HOME = "/board/health";
const RUNNING_SHOWN = 20;
const TASKS_SHOWN = 10;
const TICK_MS = 3_000;
const SLOW_MS = 15_000;
const REASON_MAX = 500;
/** A pass a minute, and some time for it. */
const LAG_MAX_SECONDS = 300;

const SPEC: MetricPageSpec = {
  id: "health",
  nav: {
    ...{ label: "System health", href: HOME, icon: "health", group: "Server" },
    only: (scope) => scope.isSuperuser,
  },
  title: "System health",
  lead: "This server, its database, and what its history costs.",
  filters: [],
  own: ["sort"],
  hasRange: false,
  readsWhole: true,
  only: "superusers",
  everyMs: TICK_MS,
  read: readPicture,
};
const charts = metricPage(SPEC);

export const healthPage: BoardPage = {
  ...charts,
  mount: (app, shell) => {
    loopDelay.start();
    charts.mount(app, shell);
    app.post(`${HOME}/draining`, (c: BoardContext) => drain(c, shell));
    app.post(`${HOME}/deep-gc`, (c: BoardContext) => cleanUp(c, shell));
  },
};

async function readPicture({ shell, source, filter, slowly }: MetricAsk): Promise<MetricPicture> {
  const { reads } = source;
  const { keeping } = shell.deps.engine;
  const storage = await keeping.recentStorage();
  const health = await readHealth(reads, storage.database_bytes);
  const draining = await readDraining(reads, RUNNING_SHOWN);
  await slowly("settle", SLOW_MS, () => keeping.settleTasks());
  const tasks = await readTasks(reads, { limit: TASKS_SHOWN });
  const isCleaning = tasks.some((task) => task.state === "running");
  return {
    figures: figuresOf(health),
    parts: [
      {
        id: "actions",
        template: "health/_actions",
        model: { draining, isCleaning },
        isFirst: true,
      },
      { id: "tasks", template: "health/_tasks", model: { tasks } },
      { id: "storage", template: "health/_storage", model: storageOf(storage) },
      { id: "servers", template: "health/_servers", model: serversOf(health) },
      httpPart(shell.deps.traffic, filter.own.sort ?? "", (sort) => `${HOME}?sort=${sort}`),
    ],
  };
}

/** Tables beyond the largest are told together. */
const TABLES_SHOWN = 14;

function storageOf(storage: StorageUse): object {
  const rest = storage.tables.slice(TABLES_SHOWN);
  const total = rest.reduce((sum, table) => sum + table.total_bytes, 0);
  return {
    storage: { ...storage, tables: storage.tables.slice(0, TABLES_SHOWN) },
    rest: { tables: rest.length, total },
  };
}

/** Without what changes with every look. */
function serversOf({ servers, database }: Health): object {
  const shown = servers.map(({ id, address, started_at, alive }) => ({
    id,
    address,
    started_at,
    alive,
  }));
  return { servers: shown, database: { connections: database.connections } };
}

function figuresOf({ process: own, database, rollups, uptime_seconds: uptime }: Health): Figure[] {
  const lag = rollups.lag_seconds;
  const used = database.connections.reduce((sum, one) => sum + one.count, 0);
  const late = own.event_loop_delay_ms;
  return [
    { id: "uptime", label: "Uptime", value: duration(uptime * 1_000), note: own.runtime },
    {
      ...{ id: "memory", label: "Memory", value: bytes(own.resident_memory_bytes) },
      note: `${bytes(own.heap_bytes)} heap`,
    },
    {
      ...{ id: "cpu", label: "Processor time", value: duration(own.cpu_seconds_total * 1_000) },
      note: `${decimal((own.cpu_seconds_total / Math.max(1, uptime)) * 100, 1)} % of a core`,
    },
    {
      ...{ id: "loop", label: "Event loop", value: late === null ? "–" : duration(late) },
      ...{
        note: "longest wait of a minute",
        ...(late !== null && late > 250 ? { tone: "warn" } : {}),
      },
    },
    {
      ...{ id: "lag", label: "Rollups behind", value: lag === null ? "–" : duration(lag * 1_000) },
      note: `${count(rollups.waiting_minutes)} minutes wait`,
      ...(lag !== null && lag > LAG_MAX_SECONDS ? { tone: "bad" as const } : {}),
    },
    {
      ...{ id: "database", label: "Database", value: bytes(database.size_bytes) },
      note: `PostgreSQL ${database.version.split(" ")[0]}`,
    },
    {
      ...{ id: "connections", label: "Connections", value: count(used) },
      note: `of ${count(database.connections_max)}`,
    },
  ] as Figure[];
}

// What superusers do

async function drain(c: BoardContext, shell: Shell): Promise<Response> {
  const fields = await asked(c);
  const enabled = fields.get("enabled") === "yes";
  await shell.deps.engine.setDraining(enabled, c.get("caller").author, reasonIn(fields));
  await renewPicture(shell, SPEC, c.get("caller").scope);
  return c.redirect(HOME, 303);
}

async function cleanUp(c: BoardContext, shell: Shell): Promise<Response> {
  const fields = await asked(c);
  const { keeping } = shell.deps.engine;
  const id = await keeping.deepGc(c.get("caller").author, reasonIn(fields));
  if (id !== null) {
    await renewPicture(shell, SPEC, c.get("caller").scope);
    return c.redirect(`${HOME}#tasks`, 303);
  }
  throw new PageError(409, "It runs already", "Wait until the deep clean-up has ended.");
}

async function asked(c: BoardContext): Promise<URLSearchParams> {
  if (!isSameOrigin(c.req.raw))
    throw new PageError(403, "From elsewhere", "Use the board's own form.");
  if (!c.get("caller").scope.isSuperuser) {
    throw new PageError(403, "Not yours", "Only superusers do this.");
  }
  return await readForm(c.req.raw);
}

function reasonIn(fields: URLSearchParams): string | undefined {
  return clipText((fields.get("reason") ?? "").trim(), REASON_MAX) || undefined;
}
