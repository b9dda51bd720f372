/** An HTTP server that answers by a script, and can misbehave the way networks do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Seen {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export type Step = (request: Seen, response: ServerResponse) => void;

export interface ScriptedApi {
  url: string;
  seen: Seen[];
  /** Answers the next requests, one step each; then `fallback`. */
  script(...steps: Step[]): void;
  close(): Promise<void>;
}

export async function scriptedApi(fallback: Step = json(200, {})): Promise<ScriptedApi> {
  const seen: Seen[] = [];
  const steps: Step[] = [];
  const server: Server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { method = "", url = "", headers } = request;
    const one = { method, path: url, headers, body };
    seen.push(one);
    (steps.shift() ?? fallback)(one, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    script: (...more) => void steps.push(...more),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Step {
  return (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
}

export function problem(status: number, body: object, headers: Record<string, string> = {}): Step {
  return json(
    status,
    { title: "Wrong", status, ...body },
    {
      "content-type": "application/problem+json",
      ...headers,
    },
  );
}

/** Takes the request and cuts the connection instead of answering. */
export const cut: Step = (_request, response) => void response.socket?.destroy();

/** Never answers. */
export const silence: Step = () => {};

/** Sends these events, then ends the stream, or with `broken` cuts it. */
export function events(list: object[], options: { broken?: boolean } = {}): Step {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const { id, event, ...data } of list as { id?: string; event: string }[]) {
      const head = id === undefined ? "" : `id: ${id}\n`;
      response.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
    if (!options.broken) return void response.end();
    setTimeout(() => response.socket?.destroy(), 20);
  };
}
