/** The Deno side of the seam; declares the few members of `Deno` it uses, so that any checker passes. */
import { AddressInUse, type HttpServer, type Runtime, type ServeOptions } from "./contract.ts";
import { upgradeToSocket } from "./deno_socket.ts";
import { listen, type SignalSource } from "./signals.ts";

interface DenoServer {
  addr: { port: number };
  shutdown(): Promise<void>;
}

type Answer = (request: Request, info: { remoteAddr: { hostname?: string } }) => unknown;

declare const Deno: {
  version: { deno: string };
  args: string[];
  env: { toObject(): Record<string, string> };
  serve(options: object, handler: Answer): DenoServer;
  addSignalListener(signal: string, handler: () => void): void;
  removeSignalListener(signal: string, handler: () => void): void;
  exit(code: number): never;
};

export function createDenoRuntime(): Runtime {
  return {
    name: "deno",
    version: Deno.version.deno,
    env: Deno.env.toObject(),
    args: Deno.args,
    serve,
    onSignal: (signal, handler) => listen(signals, signal, handler),
    exit: (code) => Deno.exit(code),
  };
}

const signals: SignalSource = {
  on: (signal, handler) => Deno.addSignalListener(signal, handler),
  off: (signal, handler) => Deno.removeSignalListener(signal, handler),
};

async function serve(options: ServeOptions): Promise<HttpServer> {
  const cut = new AbortController();
  const listen = {
    hostname: options.host,
    port: options.port,
    onListen() {},
    onError: () => new Response("Internal Server Error\n", { status: 500 }),
  };
  const handler: Answer = async (request, info) => {
    const response = await options.fetch(request, {
      remoteAddress: info.remoteAddr.hostname,
      upgrade: (handlers) => upgradeToSocket(request, handlers, options.maxFrameBytes),
    });
    return cuttable(response, cut.signal);
  };
  try {
    const server = Deno.serve(listen, handler);
    let stopped: Promise<void> | undefined;
    const stop = (force?: boolean) => {
      if (force) cut.abort();
      stopped ??= server.shutdown();
      return stopped;
    };
    return { port: server.addr.port, stop };
  } catch (error) {
    const taken = (error as Error).name === "AddrInUse";
    throw taken ? new AddressInUse(options.host, options.port) : error;
  }
}

/** Deno cannot cut its answers in flight; the endless ones, live streams, we end ourselves. */
function cuttable(response: Response, signal: AbortSignal): Response {
  const kind = response.headers.get("content-type") ?? "";
  if (!response.body || !kind.startsWith("text/event-stream")) return response;
  return new Response(response.body.pipeThrough(new TransformStream(), { signal }), response);
}
