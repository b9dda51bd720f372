/** `/worker/v1`: who may open a socket here, and how many may stand at the door. */
import { OpenBound } from "../accounts/open_bound.ts";
import { TooManyOpen } from "../accounts/refused.ts";
import type { WorkerAccess } from "../accounts/worker_access.ts";
import type { LogStore } from "../blobs/log_store.ts";
import type { Engine } from "../engine/engine.ts";
import type { ServeContext } from "../runtime/contract.ts";
import { Connection } from "./connection.ts";
import type { Log } from "./log.ts";
import { isOwnOrigin } from "./origin.ts";

export const WORKER_PATH = "/worker/v1";

export interface WorkerEndpointDeps {
  engine: Pick<Engine, "connectWorker">;
  logs: LogStore;
  log: Log;
  /** Who may join with which token. */
  access: WorkerAccess;
  /** For tests. */
  helloTimeoutMs?: number;
  /** How many sockets may be silent; for tests. */
  silent?: { each: number; all: number };
}

export type WorkerEndpoint = (request: Request, context: ServeContext) => Response;

const HELLO_TIMEOUT_MS = 5_000;
/**
 * Sockets that have not said a valid hello yet. A fleet behind one address that comes back all at once
 * is through in moments, and who is refused comes again by itself, with jitter.
 */
const SILENT = { each: 200, all: 2_000 };
const RETRY_SECONDS = 1;

export function createWorkerEndpoint(deps: WorkerEndpointDeps): WorkerEndpoint {
  const { engine, logs, log, access } = deps;
  const helloTimeoutMs = deps.helloTimeoutMs ?? HELLO_TIMEOUT_MS;
  const silent = new OpenBound({
    what: "connections that wait to be greeted",
    ...(deps.silent ?? SILENT),
    retryAfterSeconds: RETRY_SECONDS,
  });

  function connect(context: ServeContext, leave: () => void): Response | undefined {
    const authorize = (token: string) => access.admit(token, context.remoteAddress);
    const greeted = leave;
    const connection = new Connection({ engine, logs, log, authorize, greeted, helloTimeoutMs });
    // A peer that is gone before the handshake is over is told to nobody by Deno.
    const unopened = setTimeout(leave, helloTimeoutMs);
    const response = context.upgrade({
      open: (socket) => {
        clearTimeout(unopened);
        connection.open(socket);
      },
      message: (socket, text) => connection.message(socket, text),
      close: (code, reason) => {
        clearTimeout(unopened);
        leave();
        connection.close(code, reason);
      },
    });
    if (response === undefined) clearTimeout(unopened);
    return response;
  }

  return (request, context) => {
    if (!isOwnOrigin(request)) return refuse(403, "Workers connect from programs, not from pages.");
    let leave = () => {};
    let response: Response | undefined;
    try {
      leave = silent.enter(context.remoteAddress);
      response = connect(context, leave);
    } catch (error) {
      leave();
      if (!(error instanceof TooManyOpen)) throw error;
      const headers = { "retry-after": String(error.retryAfterSeconds) };
      return refuse(error.status, error.message, headers);
    }
    if (response !== undefined) return response;
    leave();
    return refuse(426, "This is a WebSocket for workers.", {
      upgrade: "websocket",
      connection: "Upgrade",
    });
  };
}

function refuse(status: number, detail: string, headers: Record<string, string> = {}): Response {
  return new Response(`${detail}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}
