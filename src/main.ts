/**
 * Composition root of the server: database, engine, protocol, API and board behind one address.
 * No logic of its own; everything is started in the order in which it is needed, and stopped in the
 * opposite one.
 */
import { join } from "node:path";
import type { AdminCredential } from "./accounts/access.ts";
import { type Accounts, createAccounts } from "./accounts/create.ts";
import { createApi, isApiPath } from "./api/app.ts";
import { openFolderLogStore } from "./blobs/folder_log_store.ts";
import type { Config } from "./config.ts";
import { connect, type Database } from "./db/client.ts";
import { type Embedded, startEmbedded } from "./db/embedded.ts";
import { migrate } from "./db/migrate.ts";
import { ensurePartitions } from "./db/partitions.ts";
import { reachDatabase } from "./db/unusable.ts";
import { createEngine } from "./engine/create.ts";
import { createLogger, type Log } from "./log.ts";
import { FRAME_MAX_BYTES } from "./messages/frames.ts";
import { boardPages } from "./pages/all_pages.ts";
import { createWorkerEndpoint, WORKER_PATH } from "./protocol/endpoint.ts";
import type { Runtime, ServeContext } from "./runtime/contract.ts";
import { createBoard } from "./web/app.ts";
import { createAuth } from "./web/auth.ts";
import { LiveHub } from "./web/live/hub.ts";
import { Traffic } from "./web/traffic.ts";

/** The settings with both tokens in place: whoever starts a server has made or read them. */
export type ServerConfig = Config & { adminToken: string; workerToken: string };

export interface RunningServer {
  /** Such as http://127.0.0.1:4600, without a slash at its end. */
  url: string;
  port: number;
  /** An address that signs its first visitor in, once. */
  signInLink(): string;
  /** Stops taking work, writes what is in flight, lets workers go, closes. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Once the database is migrated, before the engine looks at it. What it throws ends the start. */
  prepare?(database: Database): Promise<void>;
}

/** Throws a sentence where a setting, the data folder or the database does not allow the start. */
export async function startServer(
  config: ServerConfig,
  runtime: Runtime,
  { prepare }: StartOptions = {},
): Promise<RunningServer> {
  const log = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    secrets: [
      ...[config.adminToken, config.workerToken, config.metricsToken, config.databaseUrl],
      config.sending.mail?.url,
    ],
  });
  const undo: (() => Promise<unknown> | unknown)[] = [];
  try {
    const database = await openDatabase(config, log, undo);
    await prepare?.(database);
    return await assemble(config, runtime, { database, log, undo });
  } catch (error) {
    await unwind(undo, log);
    throw error;
  }
}

async function openDatabase(
  config: ServerConfig,
  log: Log,
  undo: (() => Promise<unknown> | unknown)[],
): Promise<Database> {
  let address = config.databaseUrl;
  if (address === undefined) {
    const embedded: Embedded = await startEmbedded({
      dataDir: config.dataDir,
      log: { info: (text) => log.info(text), warn: (text) => log.warn(text) },
    });
    undo.push(() => embedded.stop());
    address = embedded.url;
  }
  const url = address;
  const applied = await reachDatabase(() => migrate(url));
  if (applied.length > 0) log.info({ migrations: applied }, "the database was migrated");
  const database = await reachDatabase(() => connect(url));
  undo.push(() => database.close());
  await ensurePartitions(database.beats, Date.now());
  return database;
}

async function assemble(
  config: ServerConfig,
  runtime: Runtime,
  parts: { database: Database; log: Log; undo: (() => Promise<unknown> | unknown)[] },
): Promise<RunningServer> {
  const { database, log, undo } = parts;
  const logs = await openFolderLogStore(join(config.blobs, "logs"));
  undo.push(() => logs.close());
  const engine = createEngine(database, log, {
    leaseSeconds: config.leaseSeconds,
    graceSeconds: config.graceSeconds,
    rollupIntervalSeconds: config.rollupIntervalSeconds,
    workerSampleSeconds: config.workerSampleSeconds,
    retention: config.retention,
    logs,
    publicUrl: config.publicUrl,
    sending: config.sending,
    address: `${config.host}:${config.port}`,
  });
  undo.push(() => engine.stop());
  const auth = createAuth({ adminToken: config.adminToken });
  const accounts = await openAccounts(config, auth, parts);
  const { access, authentication, directory } = accounts;
  const hub = new LiveHub({
    feed: engine.feed,
    now: () => engine.now(),
    onError: (error, what) => log.warn({ error: String(error) }, what),
  });
  undo.push(() => hub.stop());
  const worker = createWorkerEndpoint({ engine, logs, log, access: accounts.workers });
  const traffic = new Traffic(engine.now());
  const api = createApi({
    traffic,
    engine,
    database,
    logs,
    ...accounts,
    log,
    hub,
    leaseSeconds: config.leaseSeconds,
  });
  const shared = { engine, database, logs, access, authentication, accounts, directory };
  const board = createBoard({ ...shared, auth, live: hub, traffic, log }, boardPages);
  await engine.start();
  const fetch = (request: Request, context: ServeContext) => {
    const { pathname } = new URL(request.url);
    if (pathname === WORKER_PATH) return worker(request, context);
    return (isApiPath(pathname) ? api : board).fetch(request, {
      remoteAddress: context.remoteAddress,
    });
  };
  const { host, port } = config;
  const server = await runtime.serve({ host, port, maxFrameBytes: FRAME_MAX_BYTES, fetch });
  undo.push(() => server.stop(true));
  const url = config.publicUrl ?? `http://${shown(host)}:${server.port}`;
  log.info({ url }, "serving");
  let stopping: Promise<void> | undefined;
  return {
    url,
    port: server.port,
    signInLink: () => `${url}${auth.createSignInLink()}`,
    stop: () => {
      stopping ??= unwind(undo, log);
      return stopping;
    },
  };
}

async function openAccounts(
  { workerToken, metricsToken, adminToken, publicUrl, oidc }: ServerConfig,
  admin: AdminCredential,
  {
    database,
    log,
    undo,
  }: { database: Database; log: Log; undo: (() => Promise<unknown> | unknown)[] },
): Promise<Accounts> {
  const onTrouble = (error: unknown, what: string) => log.warn({ error: String(error) }, what);
  const tokens = { adminToken, workerToken, metricsToken };
  const accounts = createAccounts({ database, admin, ...tokens, publicUrl, oidc, onTrouble });
  undo.push(() => accounts.stop());
  await accounts.start();
  return accounts;
}

/** The address that a person can open: a server that listens everywhere is reached here too. */
function shown(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

async function unwind(undo: (() => Promise<unknown> | unknown)[], log: Log): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      log.warn({ error: String(error) }, "a part did not stop cleanly");
    }
  }
}
