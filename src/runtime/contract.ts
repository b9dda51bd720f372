/**
 * The seam between Signalbox and the runtime it runs on. `bun.ts` and `deno.ts` fill it; only the
 * composition roots import `runtime.ts`, everybody else is handed what they need.
 */

/** One accepted WebSocket, server side. Text frames only. */
export interface ServerSocket {
  /** Bytes that wait in the socket's buffer; a slow peer grows it. */
  buffered(): number;
  send(text: string): void;
  close(code: number, reason: string): void;
}

export interface SocketHandlers {
  open(socket: ServerSocket): void;
  message(socket: ServerSocket, text: string): void;
  close(code: number, reason: string): void;
}

/** What a fetch handler may ask for besides the request. */
export interface ServeContext {
  /** Peer address, for rate limits and logs; undefined on a socket that has none. */
  remoteAddress: string | undefined;
  /** Turns this request into a WebSocket. `undefined` where the request is no upgrade. */
  upgrade(handlers: SocketHandlers): Response | undefined;
}

export interface ServeOptions {
  host: string;
  /** 0 picks a free port. */
  port: number;
  /** A larger frame ends its connection with close code 1009. */
  maxFrameBytes: number;
  fetch(request: Request, context: ServeContext): Response | Promise<Response>;
}

export interface HttpServer {
  port: number;
  /** Stops accepting; `force` also cuts open connections. */
  stop(force?: boolean): Promise<void>;
}

export interface Runtime {
  name: "bun" | "deno";
  version: string;
  env: Readonly<Record<string, string | undefined>>;
  args: readonly string[];
  serve(options: ServeOptions): Promise<HttpServer>;
  /** Runs `handler` on SIGINT or SIGTERM, until the returned function is called. */
  onSignal(signal: "SIGINT" | "SIGTERM", handler: () => void): () => void;
  exit(code: number): never;
}
