/** The API over a real engine and a database of its own, without a socket, and workers by hand. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ALL_ROUTES } from "../../src/api/all_routes.ts";
import { createApi } from "../../src/api/app.ts";
import { createOpenApi } from "../../src/api/openapi.ts";
import { openFolderLogStore } from "../../src/blobs/folder_log_store.ts";
import type { LogStore } from "../../src/blobs/log_store.ts";
import { connect, type Database } from "../../src/db/client.ts";
import { createEngine } from "../../src/engine/create.ts";
import type { Engine, WorkerSession } from "../../src/engine/engine.ts";
import type { EngineOptions } from "../../src/engine/options.ts";
import {
  type Assignment,
  type FinishedReport,
  type Hello,
  hello as helloFrame,
  type ServerFrame,
} from "../../src/messages/frames.ts";
import { LiveHub } from "../../src/web/live/hub.ts";
import { Traffic } from "../../src/web/traffic.ts";
import { type AccessParts, type AccessPartsOptions, accessParts } from "./accounts/access_parts.ts";
import { createConformance } from "./conformance.ts";
import { type TestDatabase, testDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";
import { routesOf } from "./routes_of.ts";

export const TOKEN = "admin-token-0123456789abcdef0123456789abcdef";
export const V1 = "/api/v1";
export const JOBS = `${V1}/orgs/default/jobs`;

/** Every answer of every test is held against the document. */
const conform = createConformance(createOpenApi(ALL_ROUTES, "test"));

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are whatever the API says.
  json: any;
  text: string;
  headers: Headers;
}

export interface ApiBox extends AccessParts {
  engine: Engine;
  database: Database;
  logs: LogStore;
  /** Errors that the API blamed on itself. */
  faults: { fields: object; message: string }[];
  hub: LiveHub;
  traffic: Traffic;
  /** As `METHOD /path/:param`. */
  routes: string[];
  fetch(request: Request, remoteAddress?: string): Promise<Response>;
  /** With the admin token, and JSON where `body` is no text. */
  call(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Answer>;
  worker(over?: Partial<Hello>): Promise<HandWorker>;
  /** Polls until the job's state is one of these. */
  reaches(id: string, ...states: string[]): Promise<Answer["json"]>;
  close(): Promise<void>;
}

export async function apiBox(
  options: Partial<EngineOptions> = {},
  openDatabase: () => Promise<TestDatabase> = testDatabase,
  accounts: Omit<AccessPartsOptions, "database"> = {},
): Promise<ApiBox> {
  const { url, drop } = await openDatabase();
  const folder = await mkdtemp(join(tmpdir(), "api-"));
  const [database, logs] = [await connect(url), await openFolderLogStore(folder)];
  const faults: ApiBox["faults"] = [];
  const note = (fields: object, message: string) => faults.push({ fields, message });
  const quiet = { info() {}, warn() {}, error: note };
  const engine = createEngine(database, quiet, { logs, ...options });
  await engine.start();
  const hub = new LiveHub({
    feed: engine.feed,
    now: () => engine.now(),
    onError: (error, what) => note({ error }, what),
  });
  const who = await accessParts(TOKEN, { database, ...accounts });
  const traffic = new Traffic(engine.now());
  const api = createApi({ engine, database, logs, ...who, hub, traffic, log: quiet });
  const fetch = async (request: Request, remoteAddress?: string) =>
    api.fetch(request, { remoteAddress });

  async function call(method: string, path: string, body?: unknown, headers: HeadersInit = {}) {
    const all = new Headers(headers);
    if (!all.has("authorization")) all.set("authorization", `Bearer ${TOKEN}`);
    if (body !== undefined && !all.has("content-type")) all.set("content-type", "application/json");
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const url = `http://box${path}`;
    const answer = await answerOf(
      await fetch(new Request(url, { method, headers: all, body: text })),
    );
    conform({
      method,
      path: new URL(url).pathname,
      status: answer.status,
      contentType: answer.headers.get("content-type"),
      json: answer.json,
    });
    return answer;
  }

  return {
    engine,
    database,
    logs,
    ...who,
    ...{ faults, hub, traffic, fetch, call, routes: routesOf(api) },
    worker: (over = {}) => HandWorker.connect(engine, over),
    reaches: (id, ...states) =>
      eventually(
        async () => {
          const { json } = await call("GET", `${V1}/jobs/${id}`);
          return states.includes(json.state) ? json : undefined;
        },
        `job ${id} is ${states.join(" or ")}`,
      ),
    close: async () => {
      hub.stop();
      await engine.stop();
      await who.accounts.stop();
      await logs.close();
      await database.close();
      await drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, json, text, headers: response.headers };
}

/** A worker whose jobs end when the test says so. */
export class HandWorker {
  readonly id: string;
  readonly frames: ServerFrame[] = [];
  session!: WorkerSession;

  constructor(id: string) {
    this.id = id;
  }

  /** Of an organization, or (null) of all. */
  static async connect(
    engine: Engine,
    over: Partial<Hello>,
    org: string | null = "default",
  ): Promise<HandWorker> {
    const hello = helloFrame.parse({
      type: "hello",
      protocol: 1,
      version: "1.0",
      worker_id: crypto.randomUUID(),
      token: "",
      name: "hand",
      pid: 1,
      host: "here",
      concurrency: 1000,
      kinds: ["exec", "handler"],
      ...over,
    });
    const worker = new HandWorker(hello.worker_id);
    const send = (frame: ServerFrame) => worker.frames.push(frame);
    const link = { send, end: () => {} };
    const result = await engine.connectWorker(hello, { org }, link);
    if (!result.ok) throw new Error(result.message);
    worker.session = result.session;
    result.session.welcomed();
    return worker;
  }

  /** What was assigned and has not been asked for before. */
  async take(job: string): Promise<Assignment> {
    const assigned = () =>
      this.frames.flatMap((frame) => (frame.type === "assign" ? frame.jobs : []));
    return eventually(
      () => assigned().findLast((assignment) => assignment.job === job),
      `job ${job} is assigned`,
    );
  }

  /** The latest assignment of this job beyond attempt `after`. */
  async takeAfter(job: string, after: number): Promise<Assignment> {
    return eventually(async () => {
      const assignment = await this.take(job);
      return assignment.attempt > after ? assignment : undefined;
    }, `job ${job} is assigned again`);
  }

  start({ job, attempt, token }: Assignment): void {
    this.session.handle({ type: "started", jobs: [{ job, attempt, token }] });
  }

  end({ job, attempt, token }: Assignment, report: Partial<FinishedReport> = {}): void {
    const end = { outcome: "succeeded" as const, run_ms: 5, ...report, job, attempt, token };
    this.session.handle({ type: "finished", jobs: [end] });
  }

  leave(): void {
    this.session.dropped();
  }
}

export const hello = { name: "hello", payload: { command: ["true"] } };
