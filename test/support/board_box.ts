/** The board over a real engine and database; workers by hand, and a real socket where one is asked for. */
import type { AccountsOptions } from "../../src/accounts/create.ts";
import type { EngineOptions } from "../../src/engine/options.ts";
import { boardPages } from "../../src/pages/all_pages.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { createBoard } from "../../src/web/app.ts";
import { LiveHub, type LiveHubOptions } from "../../src/web/live/hub.ts";
import { type ApiBox, apiBox, TOKEN } from "./api_box.ts";
import { ownCluster } from "./own_cluster.ts";
import { routesOf } from "./routes_of.ts";

export interface BoardBox extends Omit<ApiBox, "fetch"> {
  live: LiveHub;
  /** Errors that pages and hub blamed on themselves. */
  troubles: { fields: object; message: string }[];
  /** With the admin token as a bearer, unless `headers` say otherwise. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  fetch(request: Request, remoteAddress?: string): Promise<Response>;
  /** API and board on a port of their own; answers with their address. */
  serve(): Promise<string>;
}

async function databaseAlone() {
  const cluster = await ownCluster();
  return { url: cluster.url, drop: () => cluster.stop() };
}

export interface BoardBoxOptions {
  hub?: Partial<LiveHubOptions>;
  /**
   * A PostgreSQL of its own. Live events wait for the oldest transaction of the whole cluster, so a
   * test that waits for them must not share one with tests that keep transactions open.
   */
  alone?: boolean;
  accounts?: Partial<AccountsOptions>;
  engine?: Partial<EngineOptions>;
}

export async function boardBox({
  hub,
  alone,
  accounts: own,
  engine: options = {},
}: BoardBoxOptions = {}): Promise<BoardBox> {
  const api = await apiBox(options, alone ? databaseAlone : undefined, own);
  const { engine, database, logs, auth, access, authentication, accounts, directory, traffic } =
    api;
  const troubles: BoardBox["troubles"] = [];
  const note = (fields: object, message: string) => troubles.push({ fields, message });
  const live = new LiveHub({
    feed: engine.feed,
    now: () => engine.now(),
    onError: (error, what) => note({ error: String(error) }, what),
    ...hub,
  });
  const log = { error: note, warn: note };
  const parts = { engine, database, logs, auth, access, authentication, accounts, directory };
  const board = createBoard({ ...parts, live, traffic, log }, boardPages);
  const fetch = async (request: Request, remoteAddress = "127.0.0.1") => {
    const isApi = new URL(request.url).pathname.startsWith("/api/");
    return isApi ? api.fetch(request) : board.fetch(request, { remoteAddress });
  };
  let stop = async () => {};
  return {
    ...api,
    live,
    troubles,
    routes: [...api.routes, ...routesOf(board)],
    fetch,
    get: (path, headers) =>
      fetch(
        new Request(`http://board${path}`, {
          headers: { accept: "text/html", authorization: `Bearer ${TOKEN}`, ...headers },
          redirect: "manual",
        }),
      ),
    serve: async () => {
      const options = { host: "127.0.0.1", port: 0, maxFrameBytes: 1_000 };
      const server = await runtime.serve({ ...options, fetch: (request) => fetch(request) });
      stop = () => server.stop(true);
      return `http://127.0.0.1:${server.port}`;
    },
    close: async () => {
      live.stop();
      await stop();
      await api.close();
    },
  };
}
