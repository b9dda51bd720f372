/** API and board over one engine and one database, asked by the cast. */
import { ALL_ROUTES } from "../../src/api/all_routes.ts";
import { createApi, isApiPath } from "../../src/api/app.ts";
import { createOpenApi } from "../../src/api/openapi.ts";
import type { Hello } from "../../src/messages/frames.ts";
import { boardPages } from "../../src/pages/all_pages.ts";
import { createBoard } from "../../src/web/app.ts";
import { LiveHub } from "../../src/web/live/hub.ts";
import { HandWorker } from "../support/api_box.ts";
import { type BoardBox, boardBox } from "../support/board_box.ts";
import { createConformance } from "../support/conformance.ts";
import { routesOf } from "../support/routes_of.ts";
import { type Actor, credentialOf, engageCast } from "./cast.ts";

export interface Asked {
  method: string;
  path: string;
  body?: object;
  /** As a browser sends a form, instead of a body. */
  form?: Record<string, string>;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are whatever the server says.
  json: any;
  headers: Headers;
}

export interface Stage
  extends Pick<BoardBox, "engine" | "database" | "logs" | "directory" | "accounts"> {
  /** Everything that is registered, as `METHOD /path/:param`. */
  routes: string[];
  /** What went wrong on our side. */
  troubles: object[];
  fetch(actor: Actor, asked: Asked): Promise<Response>;
  ask(actor: Actor, asked: Asked): Promise<Answer>;
  /** Of an organization, or (null) of all. */
  worker(org: string | null, over: Partial<Hello>): Promise<HandWorker>;
  close(): Promise<void>;
}

/** Often enough to keep what workers hold. */
const BEAT_MS = 5_000;

const conform = createConformance(createOpenApi(ALL_ROUTES, "test"));

export async function stage(): Promise<Stage> {
  const box = await boardBox({ alone: true });
  const { engine, database, logs, directory, accounts, auth, traffic } = box;
  await engageCast(database.beats);
  await directory.refresh();
  const troubles: object[] = [];
  const note = (fields: object) => troubles.push(fields);
  const log = { warn: note, error: note };
  const onError = (error: unknown, what: string) => note({ error, what });
  const hub = new LiveHub({ feed: engine.feed, now: () => engine.now(), onError, flushMs: 50 });
  const parts = { ...accounts, engine, database, logs, log, traffic };
  const api = createApi({ ...parts, hub });
  const board = createBoard({ ...parts, accounts, auth, live: hub }, boardPages);
  const fetch = async (actor: Actor, { method, path, body, form, headers }: Asked) => {
    const request = new Request(`http://stage${path}`, {
      method,
      redirect: "manual",
      headers: {
        accept: "text/html",
        "sec-fetch-site": "same-origin",
        ...credentialOf(actor),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    return await (isApiPath(new URL(request.url).pathname) ? api : board).fetch(request);
  };
  const workers: HandWorker[] = [];
  const beat = setInterval(() => {
    for (const { session } of workers) session.handle({ type: "heartbeat" });
  }, BEAT_MS);
  const ask = async (actor: Actor, asked: Asked) => answerOf(asked, await fetch(actor, asked));
  return {
    ...{ engine, database, logs, directory, accounts, troubles, fetch, ask },
    routes: [...routesOf(api), ...routesOf(board)],
    worker: async (org, over) => {
      const worker = await HandWorker.connect(engine, { concurrency: 1, ...over }, org);
      workers.push(worker);
      return worker;
    },
    close: async () => {
      clearInterval(beat);
      hub.stop();
      await box.close();
    },
  };
}

async function answerOf({ method, path }: Asked, response: Response): Promise<Answer> {
  const text = await response.text();
  const { status, headers } = response;
  const contentType = headers.get("content-type");
  const json = /[/+]json\b/.test(contentType ?? "") ? JSON.parse(text) : undefined;
  const { pathname } = new URL(path, "http://stage");
  conform({ method, path: pathname, status, contentType, json });
  return { status, text, json, headers };
}
