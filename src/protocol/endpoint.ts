/** `/worker/v1`: who may open a socket here, and how many may stand at the door. */
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
}

export type WorkerEndpoint = (request: Request, context: ServeContext) => Response;

const HELLO_TIMEOUT_MS = 5_000;
/** Sockets that have not said a valid hello yet. */
const STRANGERS_MAX = 2_000;

export function createWorkerEndpoint(deps: WorkerEndpointDeps): WorkerEndpoint {
  const { engine, logs, log, access } = deps;
  const helloTimeoutMs = deps.helloTimeoutMs ?? HELLO_TIMEOUT_MS;
  let strangers = 0;

  return (request, context) => {
    if (!isOwnOrigin(request)) return refuse(403, "Workers connect from programs, not from pages.");
    if (strangers >= STRANGERS_MAX) {
      return refuse(503, "Too many connections are waiting to be greeted.", { "retry-after": "1" });
    }
    const greeted = () => {
      strangers -= 1;
    };
    const authorize = (token: string) => access.admit(token, context.remoteAddress);
    const connection = new Connection({ engine, logs, log, authorize, greeted, helloTimeoutMs });
    const response = context.upgrade({
      open: (socket) => {
        strangers += 1;
        connection.open(socket);
      },
      message: (socket, text) => connection.message(socket, text),
      close: (code, reason) => connection.close(code, reason),
    });
    if (response !== undefined) return response;
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
