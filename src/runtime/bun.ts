/** The Bun side of the seam; declares the few members of `Bun` it uses, so that any checker passes. */
import process from "node:process";
import { type BunSocketData, socketBehaviour } from "./bun_socket.ts";
import {
  AddressInUse,
  BODY_MAX_BYTES,
  type HttpServer,
  IDLE_SECONDS,
  type Runtime,
  type ServeOptions,
} from "./contract.ts";
import { listen } from "./signals.ts";

interface BunServer {
  port: number;
  requestIP(request: Request): { address: string } | null;
  upgrade(request: Request, options: { data: BunSocketData }): boolean;
  /** Seconds this connection may stand idle; 0 is for ever. */
  timeout(request: Request, seconds: number): void;
  stop(force?: boolean): Promise<void>;
}

declare const Bun: { version: string; serve(options: object): BunServer };

export function createBunRuntime(): Runtime {
  return {
    name: "bun",
    version: Bun.version,
    env: { ...process.env },
    args: process.argv.slice(2),
    serve,
    onSignal: (signal, handler) => listen(process, signal, handler),
    exit: (code) => process.exit(code),
  };
}

async function serve(options: ServeOptions): Promise<HttpServer> {
  try {
    const server = Bun.serve({
      hostname: options.host,
      port: options.port,
      development: false,
      // Outside development Bun would share a taken port with whoever has it.
      reusePort: false,
      idleTimeout: IDLE_SECONDS,
      maxRequestBodySize: BODY_MAX_BYTES,
      fetch: (request: Request, own: BunServer) => answer(request, own, options),
      error: () => new Response("Internal Server Error\n", { status: 500 }),
      websocket: socketBehaviour(options.maxFrameBytes),
    });
    return { port: server.port, stop: (force) => server.stop(force) };
  } catch (error) {
    const taken = (error as { code?: string }).code === "EADDRINUSE";
    throw taken ? new AddressInUse(options.host, options.port) : error;
  }
}

async function answer(request: Request, server: BunServer, options: ServeOptions) {
  let upgraded = false;
  const response = await options.fetch(request, {
    remoteAddress: server.requestIP(request)?.address,
    upgrade(handlers) {
      upgraded = server.upgrade(request, { data: { handlers } });
      return upgraded ? new Response(null) : undefined;
    },
  });
  // Bun wants no answer once a request has become a socket.
  if (upgraded) return undefined;
  // A live stream may be silent for longer than any idle limit.
  const kind = response.headers.get("content-type") ?? "";
  if (kind.startsWith("text/event-stream")) server.timeout(request, 0);
  return response;
}
