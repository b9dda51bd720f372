/**
 * The seam between Signalbox and the runtime it runs on. `bun.ts` and `deno.ts` fill it; only the
 * composition roots import `runtime.ts`, everybody else is handed what they need.
 */

/** One accepted WebSocket, server side. Text frames only. */
export interface ServerSocket {
  /** Bytes that wait in the socket's buffer; a slow peer grows it. */
  buffered(): number;
  /** Nothing happens on a closed socket; a peer 16 MiB behind is cut off with code 1013. */
  send(text: string): void;
  /** The reason is cut to the 123 bytes that a close frame has room for. */
  close(code: number, reason: string): void;
}

export interface SocketHandlers {
  open(socket: ServerSocket): void;
  /** A binary frame never arrives here: it ends its connection with close code 1003. */
  message(socket: ServerSocket, text: string): void;
  /** Called once, whoever ended the connection. */
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
  /**
   * Stops accepting and resolves when what is open has ended; `force`, also in a second call, cuts
   * it. Deno cuts sockets, though not answers in flight, in either case.
   */
  stop(force?: boolean): Promise<void>;
}

/** Thrown by `serve` where another process listens at this address. */
export class AddressInUse extends Error {
  constructor(host: string, port: number) {
    super(`Port ${port} on ${host} is in use by another program.`);
    this.name = "AddressInUse";
  }
}

/** What both adapters agree on. Bodies: 32 MiB of the API and room for its envelope. */
export const BODY_MAX_BYTES = 33 * 1024 * 1024;
export const BACKPRESSURE_MAX_BYTES = 16 * 1024 * 1024;
export const IDLE_SECONDS = 120;
export const CLOSE_NOT_TEXT = { code: 1003, reason: "text frames only" };
export const CLOSE_TOO_BIG = { code: 1009, reason: "frame too large" };
export const CLOSE_SLOW_PEER = { code: 1013, reason: "too far behind" };

/** Cuts a close reason to the 123 bytes of UTF-8 that a close frame has room for. */
export function closeReason(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= 123) return text;
  return new TextDecoder().decode(bytes.subarray(0, 120)).replace(/\ufffd+$/, "");
}

export interface Runtime {
  name: "bun" | "deno";
  version: string;
  env: Readonly<Record<string, string | undefined>>;
  args: readonly string[];
  serve(options: ServeOptions): Promise<HttpServer>;
  /** Runs `handler` on SIGINT or SIGTERM (a closed terminal too), until the returned call. */
  onSignal(signal: "SIGINT" | "SIGTERM", handler: () => void): () => void;
  exit(code: number): never;
}
